//! A job that took its process down again and again: it becomes a dead letter, so that its contact goes on.

use sqlx::PgPool;
use tracing::error;
use uuid::Uuid;
use wigwag_domain::{InboundId, Payload, ProviderName};
use wigwag_store::{
    Error, LaneEpoch, ReadyJob, dead_letter,
    dead_letter::StoredDeadLetter,
    effects::{self, JobEffects, JobFailure},
    inbound,
};

use super::fence::Fence;

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
    let lanes: Vec<LaneEpoch> =
        lanes.iter().filter(|lane| lane.tenant == job.tenant && lane.lane == job.lane).cloned().collect();
    let effects = [JobEffects { failure, ..JobEffects::nothing(job) }];
    // Twice the letter is better than none: the job is taken away last.
    fence
        .run(async |connection| {
            dead_letter::insert(connection, &[letter]).await?;
            effects::commit(connection, &lanes, &effects).await
        })
        .await?;
    Ok(())
}
