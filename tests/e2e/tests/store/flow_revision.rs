//! Texts of revisions: kept while somebody may need them, and then gone.

use wigwag_store::flow_revision::{self, FlowRevision};

use crate::{on_every_version, statements::acme};

#[tokio::test]
async fn a_revision_goes_a_day_after_it_was_retired_where_no_open_session_runs_it() {
    on_every_version(async |fixture| {
        let (pool, tenant) = (&fixture.pool, acme());
        let stored = |revision| FlowRevision { tenant: &tenant, flow: "orders", revision, spec: "{}" };
        flow_revision::insert(pool, &[stored("1"), stored("2"), stored("3"), stored("4")]).await.unwrap();
        for (revision, pinned) in [("2", "{}"), ("9", "{orders@3}")] {
            let open = "INSERT INTO session (id, tenant, contact, flow, revision, state, context, pinned)
                 VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'orders', $2, 'Paused', '{}', $3::text[])";
            sqlx::query(open).bind(tenant.as_str()).bind(revision).bind(pinned).execute(pool).await.unwrap();
        }
        let current = [("orders".to_owned(), "4".to_owned())];
        let clean = async || flow_revision::forget_unused(pool, &tenant, &current, 10).await.unwrap();
        let days_go_by = async || {
            let old = "UPDATE flow_revision SET created_at = created_at - interval '2 days',
                                                retired_at = retired_at - interval '2 days'";
            sqlx::query(old).execute(pool).await.unwrap();
        };
        days_go_by().await;
        assert_eq!(clean().await, 0, "however old it is: it was current until now");
        days_go_by().await;
        // A replica that has it still, or has it again.
        flow_revision::insert(pool, &[stored("1")]).await.unwrap();
        assert_eq!(clean().await, 0);
        days_go_by().await;
        assert_eq!(clean().await, 1);
        let left: Vec<String> =
            sqlx::query_scalar("SELECT revision FROM flow_revision ORDER BY 1").fetch_all(pool).await.unwrap();
        assert_eq!(left, ["2", "3", "4"], "two of them are run by open sessions");
        sqlx::query("UPDATE session SET state = 'Completed'").execute(pool).await.unwrap();
        assert_eq!(clean().await, 2);
    })
    .await;
}
