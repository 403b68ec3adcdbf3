//! Times that come: pauses, answers that do not, and ten thousand at once.

use std::{cell::Cell, time::Duration};

use futures::future::{join, join_all};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use wigwag_e2e::{
    gate::Gate,
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;

use crate::support::{ANA, ECHO, EVA, SOON, all_is_done, column, flow, heard, hears, make_due, quiet};

const TIMERS: i64 = 10_000;
/// How late the last of them may be, in milliseconds; a build without optimisation has several times the work.
const LATE: i64 = if cfg!(debug_assertions) { 20_000 } else { 5_000 };
/// What nobody has to wait for is there within this, on a busy machine too.
const PROMPT: Duration = Duration::from_secs(3);

fn pause(name: &str, span: &str) -> String {
    flow(
        name,
        &format!(
            "  start: before
  nodes:
  - {{name: before, message: {{text: \"{name}: before\", next: pause}}}}
  - {{name: pause, delay: {{for: {span}, next: after}}}}
  - {{name: after, message: {{text: \"{name}: after\"}}}}"
        ),
    )
}

#[tokio::test]
async fn during_a_short_pause_a_customers_messages_wait_and_nobody_elses() {
    let flows = pause("short", "4s") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let (ana, eva) = (shop.customer(ANA, "Ana").unwrap(), shop.customer(EVA, "Eva").unwrap());
    ana.say("short").await.unwrap();
    assert_eq!(hears(&ana).await, "short: before");
    for word in ["one", "short", "two"] {
        ana.say(word).await.unwrap();
    }
    eva.say("hola").await.unwrap();
    assert_eq!(eva.reply(PROMPT).await.unwrap().text(), "echo hola");
    assert_eq!(heard(&shop, &ana).len(), 1);

    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(hears(&ana).await);
    }
    // The second "short" begins a session of its own, whose pause "two" waits for again.
    assert_eq!(answers, ["short: after", "echo one", "short: before", "short: after", "echo two"]);
}

#[tokio::test]
async fn during_a_long_pause_a_customers_messages_go_elsewhere_and_its_own_trigger_begins_no_second_session() {
    let flows = pause("long", "61s") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("long").await.unwrap();
    assert_eq!(hears(&ana).await, "long: before");
    for word in ["hola", "long"] {
        ana.say(word).await.unwrap();
        assert_eq!(hears(&ana).await, format!("echo {word}"));
    }
    let sessions =
        "SELECT state || ' ' || (context::jsonb->'context'->'inputHistory')::text FROM session WHERE flow = 'long'";
    let sessions = column(&shop, sessions).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    make_due(&shop, "long").await;
    assert_eq!(hears(&ana).await, "long: after");
    ana.say("long").await.unwrap();
    assert_eq!(hears(&ana).await, "long: before");
}

#[tokio::test]
async fn a_timer_of_a_killed_replica_is_fired_once_by_the_other() {
    let flows = pause("short", "3s") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), replicas: Some(2), ..Plan::default() }).await;
    let share = "SELECT count(*) FROM lane GROUP BY owner HAVING owner IS NOT NULL AND count(*) = 32 LIMIT 1";
    eventually!(SOON, sqlx::query_scalar::<_, i64>(share).fetch_optional(&shop.pool).await.unwrap().is_some());
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("short").await.unwrap();
    assert_eq!(hears(&ana).await, "short: before");
    let owner = "SELECT l.owner FROM lane l JOIN contact c ON c.lane = l.lane AND c.tenant = l.tenant";
    let owner = column(&shop, owner).await;
    let killed = if owner == ["replica-0"] { 0 } else { 1 };
    shop.replicas[killed].kill().await.unwrap();
    shop.route_to(1 - killed);

    assert_eq!(hears(&ana).await, "short: after");
    shop.replicas[killed].restart().await.unwrap();
    all_is_done(&shop).await;
    assert_eq!(heard(&shop, &ana), ["short: before", "short: after"]);
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM session_event WHERE kind = 'timer'").await.unwrap(), 1);
}

fn impatient(on_timeout: &str) -> String {
    flow(
        "order",
        &format!(
            "  session: {{timeout: 2s{on_timeout}}}
  start: size
  nodes:
  - {{name: size, ask: {{text: \"Size?\", into: size, next: colour}}}}
  - {{name: colour, ask: {{text: \"Colour?\", into: colour, timeout: 2h, next: done}}}}
  - {{name: done, message: {{text: \"{{{{ size }}}} {{{{ colour }}}}\"}}}}
  - {{name: late, message: {{text: Are you still there?}}}}"
        ),
    )
}

#[tokio::test]
async fn a_customer_who_does_not_answer_in_time_hears_what_the_flow_says_then() {
    let flows = impatient(", onTimeout: late") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("order").await.unwrap();
    assert_eq!(hears(&ana).await, "Size?");
    assert_eq!(hears(&ana).await, "Are you still there?");
    ana.say("large").await.unwrap();
    assert_eq!(hears(&ana).await, "echo large");
}

#[tokio::test]
async fn an_answer_that_was_committed_before_the_time_is_taken_though_its_turn_comes_later() {
    let flows = impatient(", onTimeout: late") + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("order").await.unwrap();
    assert_eq!(hears(&ana).await, "Size?");
    let mut gate = Gate::before(&shop, "session_event", "true").await.unwrap();
    ana.say("large").await.unwrap();
    eventually!(SOON, gate.holds().await.unwrap());
    let on_time = "SELECT count(*) FROM inbound i, timer t WHERE uuid_time(i.id) < t.due_at";
    assert_eq!(tables::count(&shop.pool, on_time).await.unwrap(), 2, "the answer was there in time");
    // Past its time by more than a look: the timer has had its chance.
    let is_over = "SELECT count(*) FROM session s WHERE (s.context::jsonb->'wait'->>'until')::timestamptz
                      < clock_timestamp() - interval '1500 milliseconds'";
    eventually!(SOON, tables::count(&shop.pool, is_over).await.unwrap() == 1);
    gate.open().await.unwrap();
    assert_eq!(hears(&ana).await, "Colour?");
    ana.say("red").await.unwrap();
    assert_eq!(hears(&ana).await, "large red");
    all_is_done(&shop).await;
    assert_eq!(heard(&shop, &ana).len(), 3);
}

#[tokio::test]
async fn ten_thousand_timers_of_one_second_fire_once_each_within_five_seconds_and_others_are_answered_meanwhile() {
    let wait = flow(
        "wait",
        "  start: pause
  nodes:
  - {name: pause, delay: {for: 2h, next: done}}
  - {name: done, end: {reason: fired}}",
    );
    let flows = wait + ECHO;
    let shop = quiet(Plan { flows: Some(&flows), replicas: Some(2), ..Plan::default() }).await;
    let ana = shop.customer(ANA, "Ana").unwrap();
    ana.say("wait").await.unwrap();
    eventually!(SOON, tables::count(&shop.pool, "SELECT count(*) FROM timer").await.unwrap() == 1);
    let due = begin_more(&shop, "wait", TIMERS).await;

    let is_over = Cell::new(false);
    let fire = async {
        // Ana's own is later.
        let waiting = "SELECT count(*) FROM timer";
        eventually!(Duration::from_secs(40), tables::count(&shop.pool, waiting).await.unwrap(), |left| *left == 1);
        let fired = "SELECT count(*) FROM session WHERE state = 'Completed' AND flow = 'wait'";
        eventually!(SOON, tables::count(&shop.pool, fired).await.unwrap(), |fired| *fired == TIMERS);
        is_over.set(true);
    };
    // Each writes once: a provider takes only so many messages to one person.
    let others = (0..3).map(async |line| {
        let mut answered = 0;
        for n in 0.. {
            let other = shop.customer(&format!("+34600{line}{n:05}"), "Other").unwrap();
            other.say("hola").await.unwrap();
            assert_eq!(other.reply(PROMPT).await.unwrap().text(), "echo hola");
            answered += usize::from(Timestamp::now() > due);
            if is_over.get() {
                break;
            }
        }
        answered
    });
    let ((), answered) = join(fire, join_all(others)).await;
    let answered: usize = answered.into_iter().sum();
    assert!(answered >= 10, "{answered} answered while timers fired");

    let last = "SELECT (extract(epoch FROM max(updated_at)) * 1000)::bigint FROM session WHERE flow = 'wait' AND state = 'Completed'";
    let late = tables::count(&shop.pool, last).await.unwrap() - due.as_millisecond();
    assert!(late < LATE, "the last of {TIMERS} was {late} ms late");
    let twice = "SELECT count(*) FROM (SELECT session FROM session_event WHERE kind = 'timer' GROUP BY session HAVING count(*) > 1) s";
    assert_eq!(tables::count(&shop.pool, twice).await.unwrap(), 0);
    let events = "SELECT count(*) FROM session_event WHERE kind = 'timer'";
    assert_eq!(tables::count(&shop.pool, events).await.unwrap(), TIMERS);
    let replicas = "SELECT count(DISTINCT owner) FROM lane";
    assert_eq!(tables::count(&shop.pool, replicas).await.unwrap(), 2, "both had their part");
}

/// Copies the one open session of a Flow for so many more contacts, all of whose times come at once, some seconds from
/// now; returns when.
async fn begin_more(shop: &Shop, flow: &str, sessions: i64) -> Timestamp {
    let due = Timestamp::now() + Duration::from_secs(8);
    let copy = format!(
        "WITH n AS MATERIALIZED (
           SELECT gen_random_uuid() AS contact, gen_random_uuid() AS session FROM generate_series(1, {sessions})
         ), contacts AS (
           INSERT INTO contact (id, tenant, lane)
           SELECT contact, 'default/acme',
                  (get_byte(sha256(uuid_send(contact)), 0) * 256 + get_byte(sha256(uuid_send(contact)), 1)) % 64 FROM n
           RETURNING id, lane
         ), sessions AS (
           INSERT INTO session (id, tenant, contact, flow, revision, state, context, node, pinned)
           SELECT n.session, s.tenant, n.contact, s.flow, s.revision, s.state,
                  (s.context::jsonb || jsonb_build_object('id', n.session, 'armed', '{due}',
                     'wait', s.context::jsonb->'wait' || jsonb_build_object('until', '{due}')))::text, s.node, s.pinned
             FROM n, session s WHERE s.flow = '{flow}'
         )
         INSERT INTO timer (session, tenant, lane, contact, due_at)
         SELECT n.session, 'default/acme', c.lane, n.contact, '{due}' FROM n JOIN contacts c ON c.id = n.contact"
    );
    let made = sqlx::query(AssertSqlSafe(copy)).execute(&shop.pool).await.unwrap();
    assert_eq!(made.rows_affected(), sessions.unsigned_abs());
    assert!(Timestamp::now() < due, "the times came before the sessions stood there");
    due
}
