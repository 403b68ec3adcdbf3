//! What each statement does, and what it must not do twice or behind another owner's back.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_domain::{DedupeKey, InboundId, OutboundId, ProviderName, Receipt, Sender, SessionId, Status, TenantKey};
use wigwag_store::{
    LaneEpoch, ReadyJob, contact,
    effects::{self, JobEffects, NewMessage},
    flush::{self, Flush, NewInbound},
    job_ready, lane, outbox, receipt, replica,
    session::StoredSession,
    settle::{self, SendResult, Settled},
};

use crate::{Fixture, on_every_version};

const LEASE: Duration = Duration::from_secs(60);

pub fn acme() -> TenantKey {
    TenantKey::new(None, "acme")
}

pub fn phone(number: u32) -> Sender {
    Sender { phone: Some(format!("34600{number:06}")), user_id: None, name: None }
}

pub fn message(sender: Sender, wamid: &str) -> NewInbound {
    let tenant = acme();
    NewInbound {
        id: InboundId::now(),
        key: DedupeKey::of_message(&tenant, "cloud_api", "1001", wamid),
        tenant,
        sender,
        provider: ProviderName::new("primary"),
        provider_id: wamid.to_owned(),
        kind: "text",
        payload: "{}".to_owned(),
    }
}

pub fn flush_of(messages: Vec<NewInbound>) -> Flush {
    Flush { messages, ..Flush::default() }
}

/// All lanes of the tenant, owned by `replica`.
pub async fn own_all(fixture: &Fixture, replica: &str) -> Vec<LaneEpoch> {
    lane::ensure(&fixture.pool, &[&acme()]).await.unwrap();
    replica::renew(&fixture.pool, replica, &[&acme()], LEASE).await.unwrap();
    let mut lanes: Vec<_> =
        lane::take(&fixture.pool, &acme(), replica, 64).await.unwrap().into_iter().map(|taken| taken.lane).collect();
    lanes.sort();
    lanes
}

/// What a job leads to: a session and a message that says `text`.
pub fn effects_of(job: ReadyJob, text: &str) -> JobEffects {
    let message = InboundId(job.job.0);
    let session = SessionId::begun_by(message, "echo");
    let stored = StoredSession {
        id: session,
        flow: "echo".to_owned(),
        revision: "1".to_owned(),
        pinned: vec![],
        state: "Completed",
        node: "end".to_owned(),
        context: "{}".to_owned(),
    };
    let id = OutboundId::of_effect(message.millis(), session, 1, 0);
    let send =
        NewMessage { id, session, provider: ProviderName::new("primary"), body: text.to_owned(), fallback: None };
    JobEffects { sessions: vec![stored], messages: vec![send], ..JobEffects::nothing(job) }
}

pub async fn connection(fixture: &Fixture) -> PgConnection {
    fixture.store.connect(Duration::from_secs(10), None).await.unwrap()
}

/// A connection, lanes that are ours, and one job in them.
async fn one_job(fixture: &Fixture) -> (PgConnection, Vec<LaneEpoch>, ReadyJob) {
    let mut open = connection(fixture).await;
    let lanes = own_all(fixture, "one").await;
    let mut jobs = flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.A")])).await.unwrap().jobs;
    (open, lanes, jobs.remove(0))
}

/// The same, with its message in the outbox.
async fn one_message(fixture: &Fixture) -> (PgConnection, Vec<LaneEpoch>, OutboundId) {
    let (mut open, lanes, job) = one_job(fixture).await;
    let effects = effects_of(job, "hola");
    let id = effects.messages[0].id;
    effects::commit(&mut open, &lanes, &[effects]).await.unwrap();
    (open, lanes, id)
}

async fn count(fixture: &Fixture, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&fixture.pool).await.unwrap()
}

fn receipt(provider_id: &str, our_id: Option<OutboundId>, status: Status) -> (TenantKey, Receipt) {
    (acme(), Receipt { provider_id: provider_id.to_owned(), our_id, status, at: Timestamp::now(), error: None })
}

#[tokio::test]
async fn a_message_that_comes_again_is_stored_once_also_within_one_batch() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let batch = vec![message(phone(1), "wamid.A"), message(phone(1), "wamid.A"), message(phone(2), "wamid.B")];
        let first = flush::commit(&mut open, &flush_of(batch)).await.unwrap();
        assert_eq!((first.jobs.len(), first.duplicates), (2, 1));
        let again = flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.A")])).await.unwrap();
        assert_eq!((again.jobs.len(), again.duplicates), (0, 1));
        assert_eq!(count(&fixture, "SELECT count(*) FROM inbound").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_flush_hands_over_what_waits_already_before_what_is_new() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let earlier = flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.A")])).await.unwrap();
        let later = flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.B")])).await.unwrap();
        assert_eq!(later.jobs.len(), 2);
        assert_eq!(later.jobs[0], earlier.jobs[0]);
        assert!(later.jobs[0].seq < later.jobs[1].seq);
    })
    .await;
}

#[tokio::test]
async fn a_user_id_decides_who_wrote_and_nothing_is_ever_merged() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let both = |phone: u32, id: &str| Sender { user_id: Some(id.to_owned()), ..self::phone(phone) };
        let hidden = |id: &str| Sender { phone: None, user_id: Some(id.to_owned()), name: None };
        let mut who = async |sender: Sender| {
            let resolved = contact::resolve(&mut open, &[(acme(), sender)]).await.unwrap();
            (resolved.contacts[0], resolved.conflicts)
        };
        let (ana, _) = who(phone(1)).await;
        assert_eq!(who(both(1, "ES.1")).await, (ana, 0), "the id is linked to the phone that is known");
        assert_eq!(who(hidden("ES.1")).await, (ana, 0), "and finds its contact without it");
        let (eva, _) = who(hidden("ES.2")).await;
        assert_ne!(ana, eva);
        assert_eq!(who(both(1, "ES.2")).await, (eva, 1), "the id's contact takes it, and the conflict is counted");
        assert_eq!(who(phone(1)).await, (ana, 0), "the phone still leads where it led");
    })
    .await;
}

#[tokio::test]
async fn effects_are_committed_once_whoever_runs_them_again() {
    on_every_version(async |fixture| {
        let (mut open, lanes, job) = one_job(&fixture).await;
        let effects = [effects_of(job, "hola")];
        let first = effects::commit(&mut open, &lanes, &effects).await.unwrap();
        assert_eq!((first.jobs.len(), first.queued.len()), (1, 1));
        let again = effects::commit(&mut open, &lanes, &effects).await.unwrap();
        assert_eq!((again.jobs.len(), again.queued.len()), (0, 0));
        assert_eq!(count(&fixture, "SELECT count(*) FROM outbound").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_of_a_lost_lane_falls_out_and_its_neighbours_go_through() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let lanes = own_all(&fixture, "one").await;
        let batch = (0..20).map(|n| message(phone(n), &format!("wamid.{n}"))).collect();
        let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
        let lost = jobs[0].lane;
        sqlx::query("UPDATE lane SET epoch = epoch + 1, owner = 'other' WHERE lane = $1")
            .bind(lost.0)
            .execute(&fixture.pool)
            .await
            .unwrap();
        let effects: Vec<_> = jobs.iter().map(|job| effects_of(job.clone(), "hola")).collect();
        let committed = effects::commit(&mut open, &lanes, &effects).await.unwrap();
        let kept = jobs.iter().filter(|job| job.lane != lost).count();
        assert_eq!(committed.jobs.len(), kept);
        assert!(jobs.iter().filter(|job| job.lane == lost).all(|job| !committed.jobs.contains(&job.seq)));
    })
    .await;
}

#[tokio::test]
async fn an_owner_of_an_older_epoch_marks_nothing() {
    on_every_version(async |fixture| {
        let (mut open, lanes, _) = one_message(&fixture).await;
        let rows = outbox::queued(&fixture.pool, &lanes, &[], 64).await.unwrap();
        sqlx::query("UPDATE lane SET epoch = epoch + 1").execute(&fixture.pool).await.unwrap();
        assert!(outbox::mark_sending(&mut open, &lanes, &rows).await.unwrap().is_empty());
        let owner = lane::owned(&fixture.pool, "one").await.unwrap();
        assert_eq!(outbox::mark_sending(&mut open, &owner, &rows).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_an_earlier_owner_may_have_sent_is_unknown_and_its_late_answer_settles_it() {
    on_every_version(async |fixture| {
        let (mut open, lanes, _) = one_message(&fixture).await;
        let rows = outbox::queued(&fixture.pool, &lanes, &[], 64).await.unwrap();
        let marked = outbox::mark_sending(&mut open, &lanes, &rows).await.unwrap();
        let taken = lane::take_back(&fixture.pool, "one").await.unwrap();
        assert_eq!(outbox::lose_track(&fixture.pool, &taken, LEASE).await.unwrap(), 1);
        assert_eq!(count(&fixture, "SELECT count(*) FROM outbound WHERE status = 'unknown'").await, 1);

        let accepted = SendResult::Accepted { provider_id: "wamid.OUT".to_owned() };
        let settled = [Settled { id: marked[0].id, attempt: marked[0].attempt, result: accepted }];
        settle::settle(&mut open, &settled).await.unwrap();
        assert_eq!(count(&fixture, "SELECT count(*) FROM outbound WHERE status = 'accepted'").await, 1);
        assert_eq!(count(&fixture, "SELECT count(*) FROM outbox").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_receipt_without_its_message_waits_and_is_adopted_once_it_is_there() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let early = Flush { receipts: vec![receipt("wamid.OUT", None, Status::Read)], ..Flush::default() };
        flush::commit(&mut open, &early).await.unwrap();
        flush::commit(&mut open, &early).await.unwrap();
        assert_eq!(count(&fixture, "SELECT count(*) FROM receipt").await, 1, "a repeated orphan is one");

        let (mut open, _, id) = one_message(&fixture).await;
        let result = SendResult::Accepted { provider_id: "wamid.OUT".to_owned() };
        settle::settle(&mut open, &[Settled { id, attempt: 1, result }]).await.unwrap();
        let ids = [(acme(), "wamid.OUT".to_owned())];
        let changed = receipt::adopt(&mut open, receipt::Which::Of(&ids)).await.unwrap().changed;
        assert_eq!(changed.iter().map(|c| c.status.as_str()).collect::<Vec<_>>(), ["read"]);
        assert_eq!(count(&fixture, "SELECT count(*) FROM receipt").await, 0);
        assert!(receipt::adopt(&mut open, receipt::Which::Of(&ids)).await.unwrap().changed.is_empty(), "told once");
    })
    .await;
}

#[tokio::test]
async fn another_tenants_receipt_finds_nothing() {
    on_every_version(async |fixture| {
        let (mut open, _, id) = one_message(&fixture).await;
        let (_, forged) = receipt("wamid.OUT", Some(id), Status::Failed);
        let flush = Flush { receipts: vec![(TenantKey::new(None, "beta"), forged)], ..Flush::default() };
        assert!(flush::commit(&mut open, &flush).await.unwrap().changed.is_empty());
        assert_eq!(count(&fixture, "SELECT count(*) FROM outbound WHERE status = 'queued'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_crash_only_the_first_job_of_a_contact_has_one_more_attempt() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let lanes = own_all(&fixture, "one").await;
        let batch = vec![message(phone(1), "wamid.A"), message(phone(1), "wamid.B"), message(phone(2), "wamid.C")];
        flush::commit(&mut open, &flush_of(batch)).await.unwrap();
        for _ in 0..5 {
            assert!(job_ready::count_attempts(&fixture.pool, &lanes, 5).await.unwrap().is_empty());
        }
        let exhausted = job_ready::count_attempts(&fixture.pool, &lanes, 5).await.unwrap();
        assert_eq!(exhausted.len(), 2, "one of each contact");
        assert_eq!(count(&fixture, "SELECT count(*) FROM job_ready WHERE attempts = 0").await, 1);
    })
    .await;
}

#[tokio::test]
async fn lanes_of_a_dead_replica_are_taken_and_those_of_a_living_one_are_not() {
    on_every_version(async |fixture| {
        assert_eq!(own_all(&fixture, "one").await.len(), 64);
        assert!(lane::take(&fixture.pool, &acme(), "two", 64).await.unwrap().is_empty());
        sqlx::query("UPDATE replica SET expires_at = clock_timestamp() - interval '1 second'")
            .execute(&fixture.pool)
            .await
            .unwrap();
        let taken = lane::take(&fixture.pool, &acme(), "two", 64).await.unwrap();
        assert_eq!(taken.len(), 64);
        assert!(taken.iter().all(|taken| taken.abandoned && taken.lane.epoch == 2));
    })
    .await;
}

#[tokio::test]
async fn takers_and_effects_at_the_same_time_never_deadlock() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let commits = async {
            let mut open = connection(&fixture).await;
            for round in 0..30 {
                let batch = (0..20).map(|n| message(phone(n), &format!("wamid.{round}.{n}"))).collect();
                let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
                let effects: Vec<_> = jobs.iter().map(|job| effects_of(job.clone(), "hola")).collect();
                effects::commit(&mut open, &lanes, &effects).await.unwrap();
            }
        };
        let takes = (0..3).map(|n| {
            let pool = &fixture.pool;
            async move {
                for _ in 0..30 {
                    sqlx::query("UPDATE replica SET expires_at = '-infinity'").execute(pool).await.unwrap();
                    lane::take(pool, &acme(), &format!("taker-{n}"), 20).await.unwrap();
                }
            }
        });
        tokio::join!(commits, futures::future::join_all(takes));
        let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(count(&fixture, deadlocks).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_view_jobs_tells_what_became_of_each_message() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let lanes = own_all(&fixture, "one").await;
        let batch = vec![message(phone(1), "wamid.A"), message(phone(2), "wamid.B"), message(phone(3), "wamid.C")];
        let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
        let mut failed = effects_of(jobs[1].clone(), "hola");
        failed.failure =
            Some(effects::JobFailure { node: Some("ask".to_owned()), reason: "steps: too many".to_owned() });
        effects::commit(&mut open, &lanes, &[effects_of(jobs[0].clone(), "hola"), failed]).await.unwrap();
        let rows: Vec<(Uuid, String, Option<String>)> =
            sqlx::query_as("SELECT id, status::text, node FROM jobs ORDER BY id")
                .fetch_all(&fixture.pool)
                .await
                .unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.1.as_str(), row.2.as_deref())).collect();
        assert_eq!(told, [("completed", None), ("failed", Some("ask")), ("queued", None)]);
        assert_eq!(count(&fixture, "SELECT count(*) FROM jobs WHERE updated_at < created_at").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_first_message_of_each_contact_is_found_whoever_stored_it() {
    on_every_version(async |fixture| {
        let mut open = connection(&fixture).await;
        let batch = vec![message(phone(1), "wamid.1"), message(phone(2), "wamid.2")];
        let first = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
        flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.3")])).await.unwrap();
        let contacts: Vec<_> = first.iter().map(|job| job.contact).collect();
        let mut found = job_ready::first_messages(&fixture.pool, &contacts).await.unwrap();
        found.sort_by_key(|job| job.seq);
        assert_eq!(found, first);
        let nobody = wigwag_domain::ContactId::random();
        assert_eq!(job_ready::first_messages(&fixture.pool, &[nobody]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_put_off_by_its_lanes_owner_alone() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let mut open = connection(&fixture).await;
        let job = flush::commit(&mut open, &flush_of(vec![message(phone(1), "wamid.1")])).await.unwrap().jobs.remove(0);
        let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let late: Vec<_> = lanes.iter().map(|lane| LaneEpoch { epoch: lane.epoch - 1, ..lane.clone() }).collect();
        let due = async || job_ready::due(&fixture.pool, &lanes, &[], 9).await.unwrap().len();
        job_ready::put_off(&mut open, &late, &[(&job, later)]).await.unwrap();
        assert_eq!(due().await, 1, "whoever lost the lane decides nothing any more");
        job_ready::put_off(&mut open, &lanes, &[(&job, later)]).await.unwrap();
        assert_eq!(due().await, 0);
    })
    .await;
}
