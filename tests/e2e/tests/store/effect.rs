//! A call's result comes once: whoever makes the call, whoever dies meanwhile, and whichever answer is last.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_domain::{ContactId, EffectId, JobKind, Lane, TenantKey};
use wigwag_store::{
    LaneEpoch, ReadyJob,
    effect::{self, Finished, Marked, Overdue},
    lane,
};

use crate::{
    Fixture, on_every_version,
    statements::{acme, connection, own_all},
};

const LEAST: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(5);
const REQUEST: &str = r#"{"method":"POST","url":"https://api.example.com","timeout_ms":1000,"repeatable":false}"#;

fn contact() -> ContactId {
    ContactId(Uuid::from_u128(1))
}

fn id(number: u128) -> EffectId {
    EffectId(Uuid::from_u128(number))
}

/// A call that waits, with so many seconds until its deadline.
async fn queued(fixture: &Fixture, number: u128, repeatable: bool, seconds: f64) -> EffectId {
    sqlx::query(
        "INSERT INTO effect (id, tenant, lane, contact, session, request, repeatable, deadline)
         VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8 * interval '1 second')",
    )
    .bind(id(number).0)
    .bind(acme().as_str())
    .bind(contact().lane().0)
    .bind(contact().0)
    .bind(Uuid::from_u128(2))
    .bind(REQUEST)
    .bind(repeatable)
    .bind(seconds)
    .execute(&fixture.pool)
    .await
    .unwrap();
    id(number)
}

async fn mark(open: &mut PgConnection, lanes: &[LaneEpoch], ids: &[EffectId]) -> Vec<Marked> {
    let tenant = acme();
    let calls: Vec<(EffectId, &TenantKey, Lane)> = ids.iter().map(|id| (*id, &tenant, contact().lane())).collect();
    effect::mark_sending(open, lanes, &calls, LEAST).await.unwrap()
}

async fn finish(open: &mut PgConnection, id: EffectId, attempt: i32, result: &str) -> Vec<ReadyJob> {
    effect::finish(open, &[Finished { id, attempt, result: result.to_owned() }]).await.unwrap()
}

async fn expire(fixture: &Fixture, lanes: &[LaneEpoch], flying: &[EffectId]) -> Vec<EffectId> {
    let overdue = Overdue { unsent: "unsent".to_owned(), late: "late".to_owned(), unknown: "unknown".to_owned() };
    let jobs = effect::expire(&fixture.pool, lanes, flying, &overdue, GRACE).await.unwrap();
    jobs.iter().map(|job| EffectId(job.job.0)).collect()
}

/// State, attempt and result.
async fn row(fixture: &Fixture, id: EffectId) -> (String, i32, Option<String>) {
    sqlx::query_as("SELECT state, attempt, result FROM effect WHERE id = $1")
        .bind(id.0)
        .fetch_one(&fixture.pool)
        .await
        .unwrap()
}

async fn jobs(fixture: &Fixture) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM job_ready WHERE kind = 'result'").fetch_one(&fixture.pool).await.unwrap()
}

async fn wait(fixture: &Fixture, lanes: &[LaneEpoch]) -> Vec<EffectId> {
    effect::queued(&fixture.pool, lanes, 64).await.unwrap()
}

#[tokio::test]
async fn a_result_becomes_one_job_and_the_first_counts() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let call = queued(&fixture, 10, false, 60.0).await;
        assert_eq!(wait(&fixture, &lanes).await, [call]);
        let read = effect::read(&fixture.pool, &[call, id(99)]).await.unwrap();
        assert_eq!((read.len(), read[0].request.as_str()), (1, REQUEST));

        let marked = mark(&mut open, &lanes, &[call]).await;
        assert_eq!((marked[0].attempt, marked[0].request.as_str()), (1, REQUEST));
        assert!(marked[0].left > Duration::from_secs(50) && marked[0].left <= Duration::from_secs(60));
        assert!(wait(&fixture, &lanes).await.is_empty());
        assert!(mark(&mut open, &lanes, &[call]).await.is_empty(), "it goes out once");

        let done = finish(&mut open, call, 1, "first").await;
        assert_eq!(done.len(), 1);
        assert_eq!((done[0].job.0, done[0].kind, done[0].contact), (call.0, JobKind::Result, contact()));
        assert_eq!((&done[0].tenant, done[0].lane), (&acme(), contact().lane()));
        assert!(finish(&mut open, call, 1, "second").await.is_empty());
        assert_eq!(row(&fixture, call).await, ("done".to_owned(), 1, Some("first".to_owned())));
        assert_eq!(jobs(&fixture).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_owner_of_an_older_epoch_marks_no_call() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let call = queued(&fixture, 10, false, 60.0).await;
        let taken = lane::take_back(&fixture.pool, "one").await.unwrap();
        assert!(mark(&mut open, &lanes, &[call]).await.is_empty());
        assert_eq!(mark(&mut open, &taken, &[call]).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_what_a_dead_owner_may_have_sent_only_what_may_be_repeated_is() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let get = queued(&fixture, 10, true, 60.0).await;
        let post = queued(&fixture, 11, false, 60.0).await;
        let waiting = queued(&fixture, 12, false, 60.0).await;
        let answered = queued(&fixture, 13, false, 60.0).await;
        mark(&mut open, &lanes, &[get, post, answered]).await;
        finish(&mut open, answered, 1, "answer").await;

        assert!(effect::take_over(&fixture.pool, &lanes, "unknown").await.unwrap().is_empty(), "of our own epoch");
        let taken = lane::take_back(&fixture.pool, "one").await.unwrap();
        let lost = effect::take_over(&fixture.pool, &taken, "unknown").await.unwrap();
        assert_eq!(lost.iter().map(|job| job.job.0).collect::<Vec<_>>(), [post.0]);
        assert_eq!(row(&fixture, post).await, ("done".to_owned(), 1, Some("unknown".to_owned())));
        assert_eq!(row(&fixture, get).await, ("queued".to_owned(), 1, None));
        assert_eq!(row(&fixture, waiting).await, ("queued".to_owned(), 0, None));
        assert_eq!(row(&fixture, answered).await.2.as_deref(), Some("answer"));
        assert!(effect::take_over(&fixture.pool, &taken, "unknown").await.unwrap().is_empty(), "told once");
        assert_eq!(mark(&mut open, &taken, &[get]).await[0].attempt, 2);
    })
    .await;
}

#[tokio::test]
async fn a_late_answer_counts_until_the_call_was_given_up_or_made_again() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let (unknown, in_time, again) = (
            queued(&fixture, 10, false, 60.0).await,
            queued(&fixture, 11, true, 60.0).await,
            queued(&fixture, 12, true, 60.0).await,
        );
        mark(&mut open, &lanes, &[unknown, in_time, again]).await;
        let taken = lane::take_back(&fixture.pool, "one").await.unwrap();
        effect::take_over(&fixture.pool, &taken, "unknown").await.unwrap();
        mark(&mut open, &taken, &[again]).await;

        assert!(finish(&mut open, unknown, 1, "late").await.is_empty(), "it was given up");
        assert_eq!(finish(&mut open, in_time, 1, "late").await.len(), 1, "it waits to be made again");
        assert!(mark(&mut open, &taken, &[in_time]).await.is_empty(), "and need not be any more");
        assert!(finish(&mut open, again, 1, "late").await.is_empty(), "it is being made again");
        assert_eq!(finish(&mut open, again, 2, "second").await.len(), 1);
        assert_eq!(jobs(&fixture).await, 3, "one for each");
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_time_is_over_is_not_sent_and_ends_by_what_is_known_of_it() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let in_time = queued(&fixture, 9, false, 60.0).await;
        let hardly = queued(&fixture, 8, false, 0.9).await;
        assert!(mark(&mut open, &lanes, &[hardly]).await.is_empty(), "nobody would hear of its answer");
        sqlx::query("DELETE FROM effect WHERE id = $1").bind(hardly.0).execute(&fixture.pool).await.unwrap();
        let unsent = queued(&fixture, 10, false, 60.0).await;
        let (late, unknown, flying) = (
            queued(&fixture, 11, true, 60.0).await,
            queued(&fixture, 12, false, 60.0).await,
            queued(&fixture, 13, false, 60.0).await,
        );
        mark(&mut open, &lanes, &[late, unknown, flying]).await;
        let move_deadlines = async |ago: &'static str| {
            sqlx::query("UPDATE effect SET deadline = clock_timestamp() - $1::text::interval WHERE id <> $2")
                .bind(ago)
                .bind(in_time.0)
                .execute(&fixture.pool)
                .await
                .unwrap();
        };
        move_deadlines("1 second").await;
        assert!(mark(&mut open, &lanes, &[unsent]).await.is_empty());
        assert_eq!(expire(&fixture, &lanes, &[flying]).await, [unsent], "who made the others may still store them");
        move_deadlines("6 seconds").await;
        assert_eq!(expire(&fixture, &lanes, &[flying]).await, [late, unknown]);
        assert!(expire(&fixture, &lanes, &[flying]).await.is_empty(), "told once");
        for (call, result) in [(unsent, Some("unsent")), (late, Some("late")), (unknown, Some("unknown"))] {
            assert_eq!(row(&fixture, call).await.2.as_deref(), result);
        }
        assert_eq!(row(&fixture, flying).await.0, "sending");
        assert_eq!(row(&fixture, in_time).await.0, "queued");
        assert_eq!(jobs(&fixture).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_mark_is_taken_back_in_its_own_epoch_alone() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        let (call, other) = (queued(&fixture, 10, false, 60.0).await, queued(&fixture, 11, false, 60.0).await);
        mark(&mut open, &lanes, &[call]).await;
        effect::unmark(&mut open, &lanes, &[call, other]).await.unwrap();
        assert_eq!(row(&fixture, call).await, ("queued".to_owned(), 0, None), "as if it had never been marked");
        assert_eq!(row(&fixture, other).await, ("queued".to_owned(), 0, None));

        mark(&mut open, &lanes, &[call]).await;
        let taken = lane::take_back(&fixture.pool, "one").await.unwrap();
        effect::unmark(&mut open, &lanes, &[call]).await.unwrap();
        effect::unmark(&mut open, &taken, &[call]).await.unwrap();
        assert_eq!(row(&fixture, call).await.0, "sending", "whoever took the lane decides");
    })
    .await;
}

#[tokio::test]
async fn calls_are_marked_finished_and_given_up_at_the_same_time_without_a_deadlock() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        let mut calls = vec![];
        for number in 0..60 {
            calls.push(queued(&fixture, 100 + number, true, 600.0).await);
        }
        let backwards: Vec<_> = calls.iter().rev().copied().collect();
        let maker = async |order: &[EffectId]| {
            let mut open = connection(&fixture).await;
            for _ in 0..40 {
                mark(&mut open, &lanes, order).await;
                effect::unmark(&mut open, &lanes, order).await.unwrap();
            }
        };
        let finisher = async {
            let mut open = connection(&fixture).await;
            for _ in 0..40 {
                // Of an attempt that there is none of: it locks, and writes nothing.
                let results: Vec<_> =
                    backwards.iter().map(|id| Finished { id: *id, attempt: 1000, result: String::new() }).collect();
                assert!(effect::finish(&mut open, &results).await.unwrap().is_empty());
                effect::take_over(&fixture.pool, &lanes, "unknown").await.unwrap();
                expire(&fixture, &lanes, &[]).await;
            }
        };
        tokio::join!(maker(&calls), maker(&backwards), finisher);
        let deadlocks: i64 =
            sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
                .fetch_one(&fixture.pool)
                .await
                .unwrap();
        assert_eq!((deadlocks, jobs(&fixture).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn no_statement_scans_the_table_on_a_database_without_statistics() {
    on_every_version(async |fixture| {
        let (mut open, lanes) = (connection(&fixture).await, own_all(&fixture, "one").await);
        for round in 0..8 {
            let mut calls = vec![];
            for number in 0..50 {
                calls.push(queued(&fixture, 1000 * (round + 1) + number, number % 2 == 0, 60.0).await);
            }
            wait(&fixture, &lanes).await;
            effect::read(&fixture.pool, &calls).await.unwrap();
            mark(&mut open, &lanes, &calls).await;
            effect::unmark(&mut open, &lanes, &calls[..10]).await.unwrap();
            expire(&fixture, &lanes, &calls).await;
            effect::take_over(&fixture.pool, &lanes, "unknown").await.unwrap();
            let results: Vec<_> =
                calls.iter().map(|id| Finished { id: *id, attempt: 1, result: "{}".to_owned() }).collect();
            effect::finish(&mut open, &results).await.unwrap();
        }
        // Backends tell what they did when they end.
        drop(open);
        fixture.pool.close().await;
        let mut look = connection(&fixture).await;
        let (scans, _) = wigwag_sandbox::eventually!(
            Duration::from_secs(15),
            sqlx::query_as::<_, (i64, i64)>(
                "SELECT seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'effect'"
            )
            .fetch_one(&mut look)
            .await
            .unwrap(),
            |counts| counts.1 > 0
        );
        // Making its two indexes scanned it.
        assert!(scans <= 2, "{scans} scans");
    })
    .await;
}
