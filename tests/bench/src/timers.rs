//! Timers beside conversations: ten thousand sessions stand in a pause that ends for all of them in the same moment.
//! Their rows are written as the data plane writes them; what they do then is a variable and the end, so that the number's
//! throughput is left to the customers who are measured.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_crds::revision::flow_revision;
use wigwag_domain::{ContactId, Content, Payload, ProviderName, SessionId};
use wigwag_flow::{Contact, Incoming, Linked, Tenant, World, compile, start};
use wigwag_sandbox::eventually;

/// Sessions whose timers are due at once.
pub const TIMERS: usize = 10_000;

const FLOW: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: reminder}
spec:
  tenantRef: {name: acme}
  triggers: [{manual: {}}]
  start: pause
  nodes:
  - {name: pause, delay: {for: 1h, next: note}}
  - {name: note, assign: {set: {reminded: now}, next: done}}
  - {name: done, end: {reason: reminded}}
";

/// How the timers fared.
#[derive(Clone, Copy, Debug)]
pub struct Fired {
    /// Sessions that went on.
    pub sessions: i64,
    /// How much later than they were due the last one did, in seconds.
    pub last: f64,
}

/// Writes the Flow beside the others.
///
/// # Errors
/// When the file cannot be written.
pub fn write_flow(folder: &Path) -> Result<()> {
    fs::write(folder.join("config/reminder.yaml"), FLOW).context("the reminder's Flow")
}

/// Writes sessions whose pause ends `seconds` from now.
///
/// # Errors
/// When the database does not take them.
pub async fn plant(connection: &mut PgConnection, seconds: f64) -> Result<()> {
    let spec: Value = serde_saphyr::from_str::<Value>(FLOW)?["spec"].clone();
    let revision = flow_revision(&spec);
    let program =
        compile("reminder", &revision, &serde_json::from_value(spec)?).program.context("the reminder's Flow")?;
    let template = session(&program.into())?;
    let ids: Vec<Uuid> = (0..TIMERS).map(|_| Uuid::new_v4()).collect();
    let contacts: Vec<ContactId> = (0..TIMERS).map(|_| ContactId::random()).collect();
    let contexts: Vec<String> =
        ids.iter().map(|id| template.replace(&Uuid::nil().to_string(), &id.to_string())).collect();
    sqlx::query(
        "WITH u AS (
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int2[], $4::text[]) AS u(id, contact, lane, context)
         ), people AS (
           INSERT INTO contact (id, tenant, lane) SELECT contact, 'default/acme', lane FROM u
         ), sessions AS (
           INSERT INTO session (id, tenant, contact, flow, revision, state, context, node)
           SELECT id, 'default/acme', contact, 'reminder', $5, 'Active', context, 'pause' FROM u
         )
         INSERT INTO timer (session, tenant, lane, contact, due_at)
         SELECT id, 'default/acme', lane, contact, clock_timestamp() + $6 * interval '1 second' FROM u",
    )
    .bind(&ids)
    .bind(contacts.iter().map(|contact| contact.0).collect::<Vec<_>>())
    .bind(contacts.iter().map(|contact| contact.lane().0).collect::<Vec<_>>())
    .bind(&contexts)
    .bind(&revision)
    .bind(seconds)
    .execute(connection)
    .await?;
    Ok(())
}

/// Waits until every one of them has gone on.
///
/// # Errors
/// When they have not within half a minute.
pub async fn fired(connection: &mut PgConnection) -> Result<Fired> {
    eventually::until(std::time::Duration::from_secs(30), "every timer has gone off", async || {
        // Cheap, for it is asked while others are measured.
        let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM timer)").fetch_one(&mut *connection).await?;
        ensure!(!left, "timers are left");
        let (sessions, spread): (i64, Option<f64>) = sqlx::query_as(
            "SELECT count(*), extract(epoch FROM max(updated_at) - min(updated_at))::float8
               FROM session WHERE flow = 'reminder' AND state = 'Completed'",
        )
        .fetch_one(&mut *connection)
        .await?;
        ensure!(usize::try_from(sessions)? == TIMERS, "{sessions} of {TIMERS}");
        Ok(Fired { sessions, last: spread.unwrap_or_default() })
    })
    .await
}

/// A session in its pause, with the nil id. Its pause is over by its own account: the row of its timer says when.
fn session(programs: &Linked) -> Result<String> {
    let contact = Contact { id: ContactId(Uuid::nil()), name: None, phone: None, attributes: Map::new() };
    let tenant = Tenant::default();
    let at = Timestamp::now().saturating_sub(jiff::SignedDuration::from_hours(1))?;
    let payload = Payload {
        from: String::new(),
        to: String::new(),
        message: String::new(),
        message_id: String::new(),
        tenant_id: "acme".to_owned(),
        contact_name: None,
        timestamp: at,
        provider: ProviderName::new("primary"),
        channel: String::new(),
        user_id: None,
        content: Content::Text { text: String::new() },
        quotes: None,
        referral: None,
    };
    let world = World { contact: &contact, tenant: &tenant };
    let incoming = Incoming { payload: &payload, quoted: None };
    let mut session = start(programs, SessionId(Uuid::nil()), world, at, incoming, Map::new()).session;
    ensure!(session.waits_for() == Some("delay"), "the reminder stands elsewhere than in its pause");
    session.rearm();
    Ok(session.to_json())
}
