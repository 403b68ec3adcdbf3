//! A job that took its process down again and again: it becomes a dead letter and its session ends as `Errored`, so that
//! its contact goes on.

use sqlx::PgPool;
use tracing::error;
use uuid::Uuid;
use wigwag_domain::{ContactId, EffectId, InboundId, JobKind, OutboundId, Payload, ProviderName, SessionId, SignalId};
use wigwag_flow::Session;
use wigwag_store::{
    Error, LaneEpoch, ReadyJob, dead_letter,
    dead_letter::StoredDeadLetter,
    effect,
    effects::{self, JobEffects, JobFailure},
    inbound, outbound,
    session::{self, StoredSession},
    signal,
};

use super::{fence::Fence, rows::stored_session};

/// The reason in `job_outcome` and `dead_letter`.
const CRASH_LOOP: &str = "crash-loop";

pub(super) async fn give_up(
    pool: &PgPool,
    fence: &Fence,
    lanes: &[LaneEpoch],
    job: ReadyJob,
    attempts: i16,
) -> Result<(), Error> {
    error!(tenant = %job.tenant, contact = %job.contact, job = %job.job, attempts, "job took its process down too often; it is a dead letter now");
    // Only a message has one.
    let message = InboundId(job.job.0);
    let payload = inbound::payloads(pool, &[message]).await?.remove(&message).unwrap_or_default();
    let provider = serde_json::from_str::<Payload>(&payload).map_or_else(|_| ProviderName::new(""), |p| p.provider);
    let letter = StoredDeadLetter {
        id: Uuid::now_v7(),
        tenant: job.tenant.clone(),
        provider,
        stage: "lane",
        reason: CRASH_LOOP,
        detail: format!("{} {} took its process down {attempts} times", job.kind.as_str(), job.job),
        raw: payload.into_bytes(),
    };
    let failure = Some(JobFailure { node: None, reason: CRASH_LOOP.to_owned() });
    let behind = session_of(pool, &job).await?;
    let sessions = abandoned(pool, job.contact, &Vec::from_iter(behind), CRASH_LOOP).await?;
    let lanes: Vec<LaneEpoch> =
        lanes.iter().filter(|lane| lane.tenant == job.tenant && lane.lane == job.lane).cloned().collect();
    let effects = [JobEffects { failure, sessions, ..JobEffects::nothing(job) }];
    // Twice the letter is better than none: the job is taken away last.
    fence
        .run(async |connection| {
            dead_letter::insert(connection, &[letter]).await?;
            effects::commit(connection, &lanes, &effects).await
        })
        .await?;
    Ok(())
}

/// The session that a job was about to step: of a message, the one that was asked last.
async fn session_of(pool: &PgPool, job: &ReadyJob) -> Result<Option<SessionId>, Error> {
    let id = job.job.0;
    Ok(match job.kind {
        JobKind::Message => {
            let open = session::open(pool, &[job.contact]).await?.remove(&job.contact).unwrap_or_default();
            let waiting = open.iter().filter_map(|stored| Session::from_json(&stored.context).ok());
            let asked = waiting.filter_map(|session| Some((session.waiting_since()?, session.id)));
            asked.max_by_key(|(since, _)| *since).map(|(_, session)| session)
        }
        JobKind::Timer => Some(SessionId(id)),
        JobKind::Result => effect::results(pool, &[EffectId(id)]).await?.into_values().next().map(|one| one.session),
        JobKind::Signal => signal::read(pool, &[SignalId(id)]).await?.into_values().next().and_then(|one| one.session),
        JobKind::Failure => {
            outbound::failed(pool, &[OutboundId(id)]).await?.into_values().next().map(|one| one.session)
        }
    })
}

/// Those of these sessions that are open, ended as they were before they were stepped: what a step made is not written,
/// and left as they were they would wait for ever.
pub(super) async fn abandoned(
    pool: &PgPool,
    contact: ContactId,
    sessions: &[SessionId],
    kind: &str,
) -> Result<Vec<StoredSession>, Error> {
    if sessions.is_empty() {
        return Ok(vec![]);
    }
    let open = session::open(pool, &[contact]).await?.remove(&contact).unwrap_or_default();
    let open = open.into_iter().filter(|stored| sessions.contains(&stored.id));
    let read = open.filter_map(|stored| Session::from_json(&stored.context).ok());
    Ok(read.map(|session| stored_session(&session.abandon(kind))).collect())
}
