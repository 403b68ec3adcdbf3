//! What the tests of conversations have in common.

use std::time::Duration;

use sqlx::AssertSqlSafe;
pub use wigwag_e2e::shop::ECHO;
use wigwag_e2e::{
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;
use wigwag_simulator::{Customer, Receipts, Settings};

/// Long enough for a busy machine.
pub const SOON: Duration = Duration::from_secs(10);
/// Two customers.
pub const ANA: &str = "+34600111222";
pub const EVA: &str = "+34600111333";

/// A Flow that the word of its name begins; `rest` is the rest of its spec, each line indented by two.
pub fn flow(name: &str, rest: &str) -> String {
    format!(
        "
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {{name: {name}}}
spec:
  tenantRef: {{name: acme}}
  triggers: [{{keyword: {name}, match: Exact}}]
{rest}
"
    )
}

/// A shop whose provider tells nothing of what it was sent.
pub async fn quiet(plan: Plan<'_>) -> Shop {
    let simulator = Settings { receipts: Receipts::None, ..Settings::default() };
    Shop::with(Plan { simulator: Some(simulator), ..plan }).await.unwrap()
}

/// What a customer hears next.
pub async fn hears(customer: &Customer) -> String {
    customer.reply(SOON).await.unwrap().line()
}

/// Everything that a customer heard.
pub fn heard(shop: &Shop, customer: &Customer) -> Vec<String> {
    shop.simulator.ledger().sends_to(&customer.key()).iter().map(|sent| sent.line()).collect()
}

/// Waits until nothing is left to do now: no job, no message, no call.
pub async fn all_is_done(shop: &Shop) {
    let left = "SELECT (SELECT count(*) FROM job_ready WHERE run_at <= clock_timestamp() + interval '1 minute')
                     + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM effect)";
    eventually!(SOON, tables::count(&shop.pool, left).await.unwrap(), |left| *left == 0);
}

/// Makes the time come for which the open session of a Flow waits.
pub async fn make_due(shop: &Shop, flow: &str) {
    let due = "WITH due AS (
                 UPDATE session SET context = jsonb_set(context::jsonb, '{wait,until}',
                   to_jsonb(to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')))::text
                  WHERE flow = $1 AND state IN ('Active', 'Paused') RETURNING id
               )
               UPDATE timer t SET due_at = clock_timestamp() FROM due WHERE t.session = due.id";
    let made = sqlx::query(due).bind(flow).execute(&shop.pool).await.unwrap();
    assert_eq!(made.rows_affected(), 1, "no session of {flow} waits for a time");
}

/// A query's single column, in its order.
pub async fn column(shop: &Shop, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&shop.pool).await.unwrap()
}

/// Makes everything that came so far, handled or not, older by this.
pub async fn as_if_received_before(shop: &Shop, interval: &str) {
    // A message's time is the first 48 bits of its id.
    let older = "WITH old AS (
                   SELECT id, (lpad(to_hex((extract(epoch FROM uuid_time(id) - $1::interval) * 1000)::bigint), 12, '0')
                               || substr(replace(id::text, '-', ''), 13))::uuid AS older FROM inbound
                 ), job AS (UPDATE job_ready j SET job = old.older FROM old WHERE j.job = old.id),
                 sent AS (UPDATE outbound o SET job = old.older FROM old WHERE o.job = old.id)
                 UPDATE inbound i SET id = old.older FROM old WHERE i.id = old.id";
    let made = sqlx::query(older).bind(interval).execute(&shop.pool).await.unwrap();
    assert!(made.rows_affected() > 0, "nothing came yet");
}
