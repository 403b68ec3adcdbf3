//! A fresh database has no statistics, and the planner then likes to scan whole tables; prepared statements keep such
//! plans. What PostgreSQL counted is held against it, not what `EXPLAIN` promises.

use std::time::Duration;

use sqlx::PgConnection;
use wigwag_domain::{InboundId, OutboundId, Receipt, Status};
use wigwag_sandbox::eventually;
use wigwag_store::{
    contact, effects,
    flush::{self, Flush},
    inbound, job_ready, outbound, outbox, receipt, session,
    settle::{self, SendResult, Settled},
};

use crate::{
    on_every_version,
    statements::{acme, connection, effects_of, flush_of, message, own_all, phone},
};

/// Tables that grow with traffic.
const BIG: [&str; 9] =
    ["contact", "contact_identity", "inbound", "job_ready", "job_outcome", "dedupe", "session", "outbound", "outbox"];

/// How often each big table was scanned, and looked into by an index.
async fn scans(connection: &mut PgConnection) -> Vec<(String, i64, i64)> {
    sqlx::query_as(
        "SELECT relname::text, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables
          WHERE relname = ANY ($1) OR relname LIKE 'inbound_%' ORDER BY 1",
    )
    .bind(BIG.to_vec())
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn no_statement_of_a_turn_scans_a_table_that_grows_on_a_database_without_statistics() {
    on_every_version(async |fixture| {
        let lanes = own_all(&fixture, "one").await;
        // Making an index scans its table once.
        let before = scans(&mut connection(&fixture).await).await;
        let mut open = connection(&fixture).await;
        // Often enough for generic plans (PostgreSQL thinks of them from the sixth time on).
        for round in 0..12 {
            let batch = (0..20).map(|n| message(phone(n), &format!("wamid.{round}.{n}"))).collect();
            let jobs = flush::commit(&mut open, &flush_of(batch)).await.unwrap().jobs;
            let contacts: Vec<_> = jobs.iter().map(|job| job.contact).collect();
            let ids: Vec<_> = jobs.iter().map(|job| InboundId(job.job.0)).collect();
            job_ready::due(&fixture.pool, &lanes, &[], 64).await.unwrap();
            inbound::payloads(&fixture.pool, &ids).await.unwrap();
            contact::read(&fixture.pool, &contacts).await.unwrap();
            contact::recipients(&fixture.pool, &contacts).await.unwrap();
            session::open(&fixture.pool, &contacts).await.unwrap();
            let effects: Vec<_> = jobs.iter().map(|job| effects_of(job.clone(), "hola")).collect();
            effects::commit(&mut open, &lanes, &effects).await.unwrap();
            let rows = outbox::queued(&fixture.pool, &lanes, &[], 64).await.unwrap();
            let sends: Vec<OutboundId> = rows.iter().map(|row| row.id).collect();
            outbound::to_send(&fixture.pool, &sends).await.unwrap();
            let marked = outbox::mark_sending(&mut open, &lanes, &rows).await.unwrap();
            let results: Vec<_> = marked
                .iter()
                .map(|mark| {
                    let result = SendResult::Accepted { provider_id: format!("wamid.OUT.{}", mark.id) };
                    Settled { id: mark.id, attempt: mark.attempt, result }
                })
                .collect();
            settle::settle(&mut open, &results).await.unwrap();
            outbox::sweep(&fixture.pool, &lanes).await.unwrap();
            let receipts = sends
                .iter()
                .map(|id| Receipt {
                    provider_id: format!("wamid.OUT.{id}"),
                    our_id: (round % 2 == 0).then_some(*id),
                    status: Status::Read,
                    at: jiff::Timestamp::now(),
                    error: None,
                })
                .map(|receipt| (acme(), receipt))
                .collect();
            flush::commit(&mut open, &Flush { receipts, ..Flush::default() }).await.unwrap();
            receipt::adopt(&mut open, receipt::Which::Of(&[(acme(), "wamid.none".to_owned())])).await.unwrap();
        }
        let read: i64 = sqlx::query_scalar("SELECT count(*) FROM outbound WHERE status = 'read'")
            .fetch_one(&fixture.pool)
            .await
            .unwrap();
        assert_eq!(read, 240, "the statements did their work");
        // Backends tell what they did when they end, or after a while.
        drop(open);
        fixture.pool.close().await;
        let mut look = connection(&fixture).await;
        let after = eventually!(Duration::from_secs(15), scans(&mut look).await, |scans| {
            scans.iter().any(|(table, _, by_index)| table == "outbound" && *by_index > 0)
        });
        let scanned: Vec<_> = after
            .iter()
            .zip(&before)
            // Once by the count above.
            .filter(|(after, before)| after.1 > before.1 + i64::from(after.0 == "outbound"))
            .map(|(after, before)| (&after.0, after.1 - before.1))
            .collect();
        assert!(scanned.is_empty(), "scanned: {scanned:?}");
    })
    .await;
}

/// An index that holds what is asked for and not by whom is as good as a scan, and looks as cheap while a table is small.
#[tokio::test]
async fn the_open_sessions_of_a_contact_are_found_without_a_walk_through_everybodys() {
    on_every_version(async |fixture| {
        let contacts: Vec<_> = (0..20).map(|_| wigwag_domain::ContactId::random()).collect();
        let mut open = connection(&fixture).await;
        let past = "INSERT INTO session (id, tenant, contact, flow, revision, state, context)
            SELECT gen_random_uuid(), 'default/acme', gen_random_uuid(), 'echo', '1', 'Active', '{}' FROM generate_series(1, 500)";
        for statement in [past, "UPDATE session SET state = 'Completed'", "ANALYZE session"] {
            sqlx::query(statement).execute(&mut open).await.unwrap();
        }
        for _ in 0..12 {
            session::open(&fixture.pool, &contacts).await.unwrap();
        }
        let everybody = "INSERT INTO session (id, tenant, contact, flow, revision, state, context)
            SELECT gen_random_uuid(), 'default/acme', gen_random_uuid(), 'echo', '1', 'Paused', '{}' FROM generate_series(1, 5000)";
        sqlx::query(everybody).execute(&mut open).await.unwrap();
        for _ in 0..12 {
            assert!(session::open(&fixture.pool, &contacts).await.unwrap().is_empty());
        }
        drop(open);
        fixture.pool.close().await;
        let mut look = connection(&fixture).await;
        let read = "SELECT coalesce(sum(idx_scan), 0)::int8, coalesce(sum(idx_tup_read), 0)::int8
                      FROM pg_stat_user_indexes WHERE relname = 'session'";
        let (_, rows): (i64, i64) = eventually!(
            Duration::from_secs(15),
            sqlx::query_as(read).fetch_one(&mut look).await.unwrap(),
            |(looks, _): &(i64, i64)| *looks > 0
        );
        assert!(rows < 100, "{rows} rows of others were read");
    })
    .await;
}
