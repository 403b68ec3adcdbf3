//! What jobs led to, in one fenced statement: each job leaves `job_ready` together with its session, messages and
//! outcome, or nothing of it is written.
//!
//! One statement in autocommit, because an owner that is frozen between two would hold its lanes for ever. The lanes
//! are locked in share mode where the epoch still holds; a taker waits for that, and what comes after a takeover finds
//! no lane. So a job's effects are committed once, whoever runs it, and jobs of a lost lane fall out without failing
//! their neighbours.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{PgConnection, Row};
use uuid::Uuid;
use wigwag_domain::{EffectId, OutboundId, ProviderName, SessionId, SignalId};

use crate::{Error, LaneEpoch, ReadyJob, lane::LaneArrays, outbound::seconds, session::StoredSession};

/// What one job led to.
#[derive(Clone, Debug)]
pub struct JobEffects {
    /// The job.
    pub job: ReadyJob,
    /// Sessions that changed, an ended one before a begun one of the same Flow.
    pub sessions: Vec<StoredSession>,
    /// Messages to send, in order.
    pub messages: Vec<NewMessage>,
    /// Calls to make.
    pub calls: Vec<NewEffect>,
    /// What sessions took, to be stepped again one day.
    pub events: Vec<SessionEvent>,
    /// When to look at sessions at the latest; an earlier time that stands there is replaced.
    pub timers: Vec<(SessionId, Timestamp)>,
    /// Signals for which sessions wait now; those that came before are jobs again.
    pub awaited: Vec<SignalId>,
    /// Whether jobs of this contact that were put off may run now.
    pub wake: bool,
    /// What is now known of the contact, if that changed.
    pub contact: Option<ContactChange>,
    /// Why it failed, if it did.
    pub failure: Option<JobFailure>,
}

impl JobEffects {
    /// A job that leads to nothing: it is done.
    #[must_use]
    pub fn nothing(job: ReadyJob) -> Self {
        Self {
            job,
            sessions: vec![],
            messages: vec![],
            calls: vec![],
            events: vec![],
            timers: vec![],
            awaited: vec![],
            wake: false,
            contact: None,
            failure: None,
        }
    }
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
    /// JSON of the [`wigwag_domain::TemplateMessage`] that goes where the customer has not written for 24 hours.
    pub fallback: Option<String>,
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct NewEffect {
    /// Its id.
    pub id: EffectId,
    /// The session that waits for its result.
    pub session: SessionId,
    /// JSON of [`wigwag_domain::HttpCall`].
    pub request: String,
    /// Whether it may go out again where its answer was lost.
    pub repeatable: bool,
    /// Until when its result counts.
    pub deadline: Timestamp,
}

/// What a session took.
#[derive(Clone, Debug)]
pub struct SessionEvent {
    /// The session.
    pub session: SessionId,
    /// Its number within the session.
    pub number: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What sort of event.
    pub kind: &'static str,
    /// What it came from.
    pub source: Uuid,
    /// What it held, where the source does not stay.
    pub body: Option<String>,
    /// The contact as the step saw it, JSON.
    pub contact: String,
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
    /// Jobs, by `seq`, whose effects are committed now. Others were done before, or their lane is not ours any more.
    pub jobs: HashSet<i64>,
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
    let sessions: Vec<_> = each(effects, |e| &e.sessions);
    let messages: Vec<_> = each(effects, |e| &e.messages);
    let calls: Vec<_> = each(effects, |e| &e.calls);
    let events: Vec<_> = each(effects, |e| &e.events);
    let timers: Vec<_> = each(effects, |e| &e.timers);
    let awaited: Vec<_> = each(effects, |e| &e.awaited);
    let contacts: Vec<(&ReadyJob, &ContactChange)> =
        effects.iter().filter_map(|e| Some((&e.job, e.contact.as_ref()?))).collect();
    let failures: Vec<(&ReadyJob, &JobFailure)> =
        effects.iter().filter_map(|e| Some((&e.job, e.failure.as_ref()?))).collect();
    let woken: Vec<&ReadyJob> = effects.iter().filter(|e| e.wake).map(|e| &e.job).collect();
    // Each array in the order of the statement's parameters.
    let rows = sqlx::query(STATEMENT)
        .bind(tenants)
        .bind(lanes)
        .bind(epochs)
        .bind(effects.iter().map(|e| e.job.seq).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.job.0).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.tenant.as_str()).collect::<Vec<_>>())
        .bind(effects.iter().map(|e| e.job.lane.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.0.seq).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.id.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.0.contact.0).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.flow.as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.revision.as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.state).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.context.as_str()).collect::<Vec<_>>())
        .bind(sessions.iter().map(|s| s.1.node.as_str()).collect::<Vec<_>>())
        // Arrays of arrays must be rectangular: a name and a revision hold no line break.
        .bind(sessions.iter().map(|s| s.1.pinned.join("\n")).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.0.seq).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.id.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.0.contact.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.session.0).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.provider.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.body.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|m| m.1.fallback.as_deref()).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.0.seq).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.1.node.as_deref()).collect::<Vec<_>>())
        .bind(failures.iter().map(|f| f.1.reason.as_str()).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.0.seq).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.0.contact.0).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.1.name.as_deref()).collect::<Vec<_>>())
        .bind(contacts.iter().map(|c| c.1.attributes.as_str()).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.0.seq).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.1.id.0).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.0.contact.0).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.1.session.0).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.1.request.as_str()).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| c.1.repeatable).collect::<Vec<_>>())
        .bind(calls.iter().map(|c| seconds(c.1.deadline)).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.0.seq).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.1.session.0).collect::<Vec<_>>())
        .bind(events.iter().map(|e| i32::try_from(e.1.number).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(events.iter().map(|e| seconds(e.1.at)).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.1.kind).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.1.source).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.1.body.as_deref()).collect::<Vec<_>>())
        .bind(events.iter().map(|e| e.1.contact.as_str()).collect::<Vec<_>>())
        .bind(timers.iter().map(|t| t.0.seq).collect::<Vec<_>>())
        .bind(timers.iter().map(|t| t.0.contact.0).collect::<Vec<_>>())
        .bind(timers.iter().map(|t| t.1.0.0).collect::<Vec<_>>())
        .bind(timers.iter().map(|t| seconds(t.1.1)).collect::<Vec<_>>())
        .bind(awaited.iter().map(|s| s.0.seq).collect::<Vec<_>>())
        .bind(awaited.iter().map(|s| s.1.0).collect::<Vec<_>>())
        .bind(woken.iter().map(|job| job.seq).collect::<Vec<_>>())
        .bind(woken.iter().map(|job| job.contact.0).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let mut committed = Committed::default();
    for row in &rows {
        if let Some(job) = row.try_get::<Option<i64>, _>(0)? {
            committed.jobs.insert(job);
        } else {
            committed.queued.push((OutboundId(row.try_get(1)?), row.try_get(2)?));
        }
    }
    Ok(committed)
}

/// Every part of one sort, with the job that led to it.
fn each<'e, T>(effects: &'e [JobEffects], of: impl Fn(&'e JobEffects) -> &'e Vec<T>) -> Vec<(&'e ReadyJob, &'e T)> {
    effects.iter().flat_map(|e| of(e).iter().map(move |one| (&e.job, one))).collect()
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
  DELETE FROM job_ready j USING want w WHERE j.seq = w.seq AND j.job = w.job
  RETURNING j.seq, j.job, j.kind, j.tenant, j.lane
), sessions AS (
  INSERT INTO session AS s (id, tenant, contact, flow, revision, state, context, node, pinned)
  SELECT e.id, d.tenant, e.contact, e.flow, e.revision, e.state, e.context, e.node,
         coalesce(string_to_array(nullif(e.pinned, ''), E'\\n'), '{}')
    FROM unnest($8::int8[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                $16::text[])
         WITH ORDINALITY AS e(seq, id, contact, flow, revision, state, context, node, pinned, ord)
    JOIN done d USING (seq)
   ORDER BY e.ord
  ON CONFLICT (id) DO UPDATE
     SET state = excluded.state, context = excluded.context, node = excluded.node, updated_at = clock_timestamp()
), messages AS (
  INSERT INTO outbound (id, tenant, contact, job, session, provider, origin, body, fallback)
  SELECT e.id, d.tenant, e.contact, CASE d.kind WHEN 'message' THEN d.job END, e.session, e.provider, 'flow', e.body,
         e.fallback
    FROM unnest($17::int8[], $18::uuid[], $19::uuid[], $20::uuid[], $21::text[], $22::text[], $23::text[])
         WITH ORDINALITY AS e(seq, id, contact, session, provider, body, fallback, ord) JOIN done d USING (seq)
   ORDER BY e.ord
), queued AS (
  INSERT INTO outbox (id, tenant, lane, contact)
  SELECT e.id, d.tenant, d.lane, e.contact
    FROM unnest($17::int8[], $18::uuid[], $19::uuid[])
         WITH ORDINALITY AS e(seq, id, contact, ord) JOIN done d USING (seq)
   ORDER BY e.ord
  RETURNING id, seq
), outcomes AS (
  INSERT INTO job_outcome (job, tenant, status, node, reason)
  SELECT d.job, d.tenant, 'failed', e.node, e.reason
    FROM unnest($24::int8[], $25::text[], $26::text[]) AS e(seq, node, reason) JOIN done d USING (seq)
  ON CONFLICT (job) DO NOTHING
), contacts AS (
  UPDATE contact c SET name = e.name, attributes = e.attributes
    FROM unnest($27::int8[], $28::uuid[], $29::text[], $30::text[]) AS e(seq, id, name, attributes)
    JOIN done d USING (seq)
   WHERE c.id = e.id
), calls AS (
  INSERT INTO effect (id, tenant, lane, contact, session, request, repeatable, deadline)
  SELECT e.id, d.tenant, d.lane, e.contact, e.session, e.request, e.repeatable, to_timestamp(e.deadline)
    FROM unnest($31::int8[], $32::uuid[], $33::uuid[], $34::uuid[], $35::text[], $36::bool[], $37::float8[])
         WITH ORDINALITY AS e(seq, id, contact, session, request, repeatable, deadline, ord) JOIN done d USING (seq)
   ORDER BY e.ord
), taken AS (
  DELETE FROM effect x USING done d WHERE d.kind = 'result' AND x.id = d.job
), events AS (
  INSERT INTO session_event (session, number, at, kind, source, body, contact)
  SELECT e.session, e.number, to_timestamp(e.at), e.kind, e.source, e.body, e.contact
    FROM unnest($38::int8[], $39::uuid[], $40::int4[], $41::float8[], $42::text[], $43::uuid[], $44::text[],
                $45::text[])
         WITH ORDINALITY AS e(seq, session, number, at, kind, source, body, contact, ord) JOIN done d USING (seq)
   ORDER BY e.ord
), timers AS (
  INSERT INTO timer AS t (session, tenant, lane, contact, due_at)
  SELECT e.session, d.tenant, d.lane, e.contact, to_timestamp(e.due)
    FROM unnest($46::int8[], $47::uuid[], $48::uuid[], $49::float8[])
         WITH ORDINALITY AS e(seq, contact, session, due, ord) JOIN done d USING (seq)
   ORDER BY e.ord
  ON CONFLICT (session) DO UPDATE SET due_at = excluded.due_at
), idle AS (
  DELETE FROM timer t
   USING unnest($8::int8[], $9::uuid[], $13::text[]) AS e(seq, id, state) JOIN done d USING (seq)
   WHERE t.session = e.id AND e.state IN ('Completed', 'Errored')
), awaited AS (
  INSERT INTO job_ready (job, kind, tenant, lane, contact)
  SELECT s.id, 'signal', d.tenant, d.lane, s.contact
    FROM unnest($50::int8[], $51::uuid[]) AS e(seq, id) JOIN done d USING (seq)
    JOIN LATERAL (SELECT id, contact FROM signal s WHERE s.id = e.id) AS s ON true
), woken AS (
  UPDATE job_ready j SET run_at = clock_timestamp()
    FROM unnest($52::int8[], $53::uuid[]) AS e(seq, contact) JOIN done d USING (seq)
   WHERE j.contact = e.contact AND j.run_at > clock_timestamp() AND j.seq <> e.seq
)
SELECT d.seq, NULL::uuid AS outbound, NULL::bigint AS place FROM done d
UNION ALL
SELECT NULL, q.id, q.seq FROM queued q";
