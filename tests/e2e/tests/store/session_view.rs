//! Looking at conversations finds what is there, and reads no table from end to end, however many there are.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use wigwag_domain::{ContactId, SessionId};
use wigwag_sandbox::eventually;
use wigwag_store::{
    contact, effects,
    effects::SessionEvent,
    flush,
    session_view::{self, Standing, Which},
};

use crate::{
    on_every_version,
    statements::{acme, connection, effects_of, flush_of, message, own_all, phone},
};

const BODY: &str = r#"{"type": "text", "text": "hola"}"#;

fn all(tenant: &wigwag_domain::TenantKey) -> Which<'_> {
    Which { tenant, contact: None, flow: None, revision: None, state: None, before: None, limit: 50 }
}

#[tokio::test]
async fn a_list_holds_what_was_asked_for_newest_first() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let mut open = connection(&fixture).await;
        let mut sessions: Vec<(SessionId, ContactId)> = vec![];
        for (n, (flow, revision, state)) in
            [("orders", "1", "Paused"), ("orders", "2", "Paused"), ("echo", "1", "Completed")].into_iter().enumerate()
        {
            let batch = vec![message(phone(u32::try_from(n).unwrap()), &format!("wamid.{n}"))];
            let job = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs.remove(0);
            let contact = job.contact;
            let mut effects = effects_of(job, BODY);
            let session = &mut effects.sessions[0];
            (session.flow, session.revision, session.state) = (flow.to_owned(), revision.to_owned(), state);
            sessions.push((session.id, contact));
            effects::commit(&mut open, &lanes, &[effects]).await.unwrap();
        }
        let (tenant, pool) = (acme(), &fixture.pool);
        let ids = async |which: Which<'_>| -> Vec<SessionId> {
            session_view::list(pool, &which).await.unwrap().iter().map(|one| one.session.id).collect()
        };
        let [first, second, third] = [0, 1, 2].map(|n: usize| sessions[n].0);
        assert_eq!(ids(all(&tenant)).await, [third, second, first]);
        assert_eq!(ids(Which { limit: 1, before: Some(third), ..all(&tenant) }).await, [second]);
        assert_eq!(ids(Which { flow: Some("orders"), revision: Some("1"), ..all(&tenant) }).await, [first]);
        assert_eq!(ids(Which { state: Some("Completed"), ..all(&tenant) }).await, [third]);
        assert_eq!(ids(Which { contact: Some(sessions[1].1), ..all(&tenant) }).await, [second]);
        let beta = wigwag_domain::TenantKey::new(None, "beta");
        assert_eq!(ids(all(&beta)).await, []);
        assert!(session_view::read(pool, &beta, first).await.unwrap().is_none(), "another tenant's");
        let read = session_view::read(pool, &tenant, first).await.unwrap().unwrap();
        assert_eq!((read.contact, read.phone.as_deref()), (sessions[0].1, Some("34600000000")));
        assert_eq!(contact::find(pool, &tenant, &phone(1)).await.unwrap(), Some(sessions[1].1));

        let nil = SessionId(uuid::Uuid::nil());
        let of = async |revision, after| {
            session_view::open_of_flow(pool, &tenant, "orders", revision, after, 9).await.unwrap()
        };
        assert_eq!(of(None, nil).await, sessions[..2]);
        assert_eq!(of(Some("2"), nil).await, sessions[1..2]);
        assert_eq!(of(None, first).await, sessions[1..2]);
        let mut standing = session_view::standing(pool, &[tenant.clone(), beta]).await.unwrap();
        standing.sort_by(|a, b| a.revision.cmp(&b.revision));
        let one = |revision: &str| Standing {
            tenant: tenant.clone(),
            flow: "orders".to_owned(),
            revision: revision.to_owned(),
            node: "end".to_owned(),
            sessions: 1,
        };
        assert_eq!(standing, [one("1"), one("2")], "an ended one stands nowhere");

        let failed = r#"{"error": {"node": "pay", "kind": "http-5xx"}}"#;
        let fail = "UPDATE session SET state = 'Errored', context = $2 WHERE id = $1";
        sqlx::query(fail).bind(first.0).bind(failed).execute(pool).await.unwrap();
        sqlx::query(fail).bind(second.0).bind("{}").execute(pool).await.unwrap();
        let of_late = session_view::errored(pool, std::slice::from_ref(&tenant)).await.unwrap();
        let told: Vec<_> = of_late.iter().map(|one| (one.node.as_str(), one.kind.as_str(), one.sessions)).collect();
        assert_eq!(told, [("end", "", 1), ("pay", "http-5xx", 1)]);
        sqlx::query("UPDATE session SET updated_at = now() - interval '25 hours'").execute(pool).await.unwrap();
        assert_eq!(session_view::errored(pool, &[tenant]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn looking_at_sessions_scans_no_table_on_a_database_without_statistics() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let mut open = connection(&fixture).await;
        let batch = (0..200).map(|n| message(phone(n), &format!("wamid.{n}"))).collect();
        let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
        let effects: Vec<_> = jobs.iter().map(|job| effects_of(job.clone(), BODY)).collect();
        effects::commit(&mut open, &lanes, &effects).await.unwrap();
        let before = scans(&mut connection(&fixture).await).await;
        let (tenant, pool) = (acme(), &fixture.pool);
        let (id, contact) = (effects[0].sessions[0].id, jobs[0].contact);
        // Often enough for generic plans.
        for _ in 0..8 {
            for which in [
                all(&tenant),
                Which { contact: Some(contact), ..all(&tenant) },
                Which { flow: Some("echo"), before: Some(id), ..all(&tenant) },
                Which { state: Some("Paused"), revision: Some("1"), ..all(&tenant) },
            ] {
                session_view::list(pool, &which).await.unwrap();
            }
            session_view::read(pool, &tenant, id).await.unwrap();
            session_view::events(pool, id).await.unwrap();
            session_view::open_of_flow(pool, &tenant, "echo", None, id, 50).await.unwrap();
            session_view::standing(pool, std::slice::from_ref(&tenant)).await.unwrap();
            session_view::errored(pool, std::slice::from_ref(&tenant)).await.unwrap();
            contact::find(pool, &tenant, &phone(7)).await.unwrap();
        }
        drop(open);
        fixture.pool.close().await;
        let mut look = connection(&fixture).await;
        // Backends tell what they did when they end, or after a while.
        let told = "SELECT coalesce(idx_scan, 0) FROM pg_stat_user_indexes WHERE indexrelname = 'session_tenant_open'";
        eventually!(
            Duration::from_secs(15),
            sqlx::query_scalar::<_, i64>(told).fetch_one(&mut look).await.unwrap() >= 16
        );
        assert_eq!(scans(&mut look).await, before);
    })
    .await;
}

async fn scans(connection: &mut PgConnection) -> Vec<(String, i64)> {
    sqlx::query_as(
        "SELECT relname::text, seq_scan FROM pg_stat_user_tables
          WHERE relname IN ('session', 'session_event', 'contact', 'contact_identity') ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_views_are_read_by_index_where_a_contact_a_session_or_a_message_is_named() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let mut open = connection(&fixture).await;
        let mut one = None;
        for round in 0..4 {
            let batch = (0..500).map(|n| message(phone(n), &format!("wamid.{round}.{n}"))).collect();
            let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
            let effects: Vec<_> = jobs
                .iter()
                .map(|job| {
                    let mut effects = effects_of(job.clone(), BODY);
                    effects.events.push(SessionEvent {
                        session: effects.sessions[0].id,
                        number: 1,
                        at: jiff::Timestamp::now(),
                        kind: "message",
                        source: job.job.0,
                        body: None,
                        contact: "{}".to_owned(),
                    });
                    effects
                })
                .collect();
            effects::commit(&mut open, &lanes, &effects).await.unwrap();
            one = Some((jobs[7].clone(), effects[7].sessions[0].id));
        }
        let (job, session) = one.unwrap();
        // As a person's tool connects: the planner may scan, and knows how large the tables are.
        let mut tool = <PgConnection as sqlx::Connection>::connect(&fixture.url).await.unwrap();
        sqlx::query("ANALYZE").execute(&mut tool).await.unwrap();
        for sql in [
            format!("SELECT * FROM \"Session\" WHERE \"contactId\" = '{}'", job.contact),
            format!("SELECT * FROM \"Session\" WHERE id = '{session}'"),
            format!("SELECT * FROM \"Message\" WHERE \"contactId\" = '{}' ORDER BY \"createdAt\"", job.contact),
            format!("SELECT * FROM \"Message\" WHERE id = '{}'", job.job),
        ] {
            let plan: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(&mut tool).await.unwrap();
            // The partitions of weeks to come are empty: looking into them costs nothing.
            let scans = |line: &&String| line.contains("Seq Scan") && !line.contains("cost=0.00..0.00");
            assert_eq!(plan.iter().find(scans), None, "{sql}\n{}", plan.join("\n"));
        }
        let told: (String, Option<uuid::Uuid>) =
            sqlx::query_as("SELECT direction, \"sessionId\" FROM \"Message\" WHERE id = $1")
                .bind(job.job.0)
                .fetch_one(&mut tool)
                .await
                .unwrap();
        assert_eq!(told, ("inbound".to_owned(), Some(session.0)));
        let newest: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM \"Session\" WHERE \"contactId\" = $1")
            .bind(job.contact.0)
            .fetch_all(&mut tool)
            .await
            .unwrap();
        assert_eq!(newest, [session.0], "of four");
    })
    .await;
}
