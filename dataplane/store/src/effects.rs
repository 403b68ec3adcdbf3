//! What jobs led to, in one fenced statement: each job leaves `job_ready` together with its session, messages and
//! outcome, or nothing of it is written.
//!
//! One statement in autocommit, because an owner that is frozen between two would hold its lanes for ever. The lanes
//! are locked in share mode where the epoch still holds; a taker waits for that, and what comes after a takeover finds
//! no lane. So a job's effects are committed once, whoever runs it, and jobs of a lost lane fall out without failing
//! their neighbours.

use std::collections::HashSet;

use sqlx::{PgConnection, Row};
use uuid::Uuid;
use wigwag_domain::{ContactId, InboundId, OutboundId, ProviderName, SessionId};

use crate::{Error, LaneEpoch, ReadyJob, lane::LaneArrays, session::StoredSession};

/// What one job led to.
#[derive(Clone, Debug)]
pub struct JobEffects {
    /// The job.
    pub job: ReadyJob,
    /// Sessions that changed, an ended one before a begun one of the same Flow.
    pub sessions: Vec<StoredSession>,
    /// Messages to send, in order.
    pub messages: Vec<NewMessage>,
    /// What is now known of the contact, if that changed.
    pub contact: Option<ContactChange>,
    /// Why it failed, if it did.
    pub failure: Option<JobFailure>,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: OutboundId,
    /// The session that says it.
    pub session: SessionId,
    /// The account by which it goes out.
    pub provider: ProviderName,
    /// JSON of [`wigwag_domain::Body`].
    pub body: String,
}

/// What is now known of a contact.
#[derive(Clone, Debug)]
pub struct ContactChange {
    /// Profile name.
    pub name: Option<String>,
    /// JSON object.
    pub attributes: String,
}

/// Why a job failed.
#[derive(Clone, Debug)]
pub struct JobFailure {
    /// The node at which it failed.
    pub node: Option<String>,
    /// Why.
    pub reason: String,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Committed {
    /// Jobs whose effects are committed now. Others were done before, or their lane is not ours any more.
    pub jobs: HashSet<InboundId>,
    /// Messages that stand in the outbox now, with their place.
    pub queued: Vec<(OutboundId, i64)>,
}

/// Commits the effects of many jobs, at most one of a contact. `lanes` are sorted.
///
/// # Errors
/// See [`Error::fault`]. After an error of the connection it is not known whether it was committed; the same
/// call again finds out, for a job that is gone from `job_ready` writes nothing.
pub async fn commit(
    connection: &mut PgConnection,
    lanes: &[LaneEpoch],
    effects: &[JobEffects],
) -> Result<Committed, Error> {
    let LaneArrays { tenants, lanes, epochs } = LaneArrays::new(lanes);
    let sessions: Vec<(Uuid, ContactId, &StoredSession)> =
        effects.iter().flat_map(|e| e.sessions.iter().map(|session| (e.job.job.0, e.job.contact, session))).collect();
    let messages: Vec<(Uuid, ContactId, &NewMessage)> =
        effects.iter().flat_map(|e| e.messages.iter().map(|message| (e.job.job.0, e.job.contact, message))).collect();
    let contacts: Vec<(Uuid, ContactId, &ContactChange)> =
        effects.iter().filter_map(|e| Some((e.job.job.0, e.job.contact, e.contact.as_ref()?))).collect();
    let failures: Vec<(Uuid, &JobFailure)> =
        effects.iter().filter_map(|e| Some((e.job.job.0, e.failure.as_ref()?))).collect();
    // Each array in the order of the statement's parameters.
    let rows = sqlx::query(STATEMENT)
        .bind(tenants)
        .bind(lanes)
        .bind(epochs)
        .bind(effects.iter().map(|e| e.job.seq).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.job.0).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.tenant.as_str()).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.lane.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.2.id.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.2.flow.as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.2.revision.as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.2.state).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.2.context.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.2.id.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.2.session.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.2.provider.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.2.body.as_str()).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.0).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.1.node.as_deref()).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.1.reason.as_str()).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.0).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.1.0).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.2.name.as_deref()).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.2.attributes.as_str()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let mut committed = Committed::default();
    for row in &rows {
        if let Some(job) = row.try_get::<Option<Uuid>, _>(0)? {
            committed.jobs.insert(InboundId(job));
        } else {
            committed.queued.push((OutboundId(row.try_get(1)?), row.try_get(2)?));
        }
    }
    Ok(committed)
}

// `want` is materialized, else the planner walks the whole backlog of the lane to delete a handful of jobs.
const STATEMENT: &str = "
WITH live AS (
  SELECT l.tenant, l.lane FROM lane l
    JOIN unnest($1::text[], $2::int2[], $3::int8[]) AS mine(tenant, lane, epoch) USING (tenant, lane, epoch)
   ORDER BY l.tenant, l.lane FOR SHARE OF l
), want AS MATERIALIZED (
  SELECT w.seq, w.job FROM unnest($4::int8[], $5::uuid[], $6::text[], $7::int2[]) AS w(seq, job, tenant, lane)
    JOIN live USING (tenant, lane)
), done AS (
  DELETE FROM job_ready j USING want w WHERE j.seq = w.seq AND j.job = w.job RETURNING j.job, j.tenant, j.lane
), sessions AS (
  INSERT INTO session AS s (id, tenant, contact, flow, revision, state, context)
  SELECT e.id, d.tenant, e.contact, e.flow, e.revision, e.state, e.context
    FROM unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[])
         WITH ORDINALITY AS e(job, id, contact, flow, revision, state, context, ord) JOIN done d USING (job)
   ORDER BY e.ord
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, context = excluded.context, updated_at = clock_timestamp()
), messages AS (
  INSERT INTO outbound (id, tenant, contact, job, session, provider, origin, body)
  SELECT e.id, d.tenant, e.contact, e.job, e.session, e.provider, 'flow', e.body
    FROM unnest($15::uuid[], $16::uuid[], $17::uuid[], $18::uuid[], $19::text[], $20::text[])
         WITH ORDINALITY AS e(job, id, contact, session, provider, body, ord) JOIN done d USING (job)
   ORDER BY e.ord
), queued AS (
  INSERT INTO outbox (id, tenant, lane, contact)
  SELECT e.id, d.tenant, d.lane, e.contact
    FROM unnest($15::uuid[], $16::uuid[], $17::uuid[])
         WITH ORDINALITY AS e(job, id, contact, ord) JOIN done d USING (job)
   ORDER BY e.ord
  RETURNING id, seq
), outcomes AS (
  INSERT INTO job_outcome (job, tenant, status, node, reason)
  SELECT e.job, d.tenant, 'failed', e.node, e.reason
    FROM unnest($21::uuid[], $22::text[], $23::text[]) AS e(job, node, reason) JOIN done d USING (job)
), contacts AS (
  UPDATE contact c SET name = e.name, attributes = e.attributes
    FROM unnest($24::uuid[], $25::uuid[], $26::text[], $27::text[]) AS e(job, id, name, attributes)
    JOIN done d USING (job)
   WHERE c.id = e.id
)
SELECT d.job, NULL::uuid AS outbound, NULL::bigint AS seq FROM done d
UNION ALL
SELECT NULL, q.id, q.seq FROM queued q";
