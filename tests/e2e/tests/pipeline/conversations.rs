//! Whole conversations.

use std::time::Duration;

use wigwag_e2e::{
    shop::{Plan, Shop},
    tables,
};
use wigwag_sandbox::eventually;

const SOON: Duration = Duration::from_secs(10);

/// Asks for a size, then for nothing more.
fn sizes(question: &str) -> String {
    format!(
        "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {{name: sizes}}
spec:
  tenantRef: {{name: acme}}
  triggers: [{{keyword: hola}}]
  start: ask
  nodes:
  - name: ask
    options:
      text: \"{question}\"
      options: [{{id: s, title: Small, next: thanks}}, {{id: l, title: Large, next: thanks}}]
      noMatch: ask
  - {{name: thanks, message: {{text: \"{question} {{{{ lastSelectedOption }}}}, {{{{ contact.name }}}}\"}}}}
"
    )
}

#[tokio::test]
async fn a_customer_is_answered_and_the_answer_ends_read() {
    let shop = Shop::with(Plan { flows: Some(&sizes("Which size?")), ..Plan::default() }).await.unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();

    ana.say("hola").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().line(), "Which size? [1 Small] [2 Large]");
    ana.tap("Large").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "Which size? Large, Ana");

    let read = eventually!(SOON, tables::outbound(&shop.pool).await.unwrap(), |s| *s == [("read".to_owned(), 2)]);
    assert_eq!(read.len(), 1);
    assert_eq!(tables::jobs(&shop.pool).await.unwrap(), [("completed".to_owned(), 2)]);
    let (from, message): (String, String) =
        sqlx::query_as("SELECT payload->>'from', payload->>'message' FROM jobs ORDER BY created_at LIMIT 1")
            .fetch_one(&shop.pool)
            .await
            .unwrap();
    assert_eq!((from.as_str(), message.as_str()), ("+34600111222", "hola"));
    assert!(shop.simulator.ledger().sends.iter().all(|sent| !sent.wrong_country));
}

#[tokio::test]
async fn a_session_stays_on_the_revision_it_began_with_over_a_restart() {
    let shop = Shop::with(Plan { flows: Some(&sizes("Old question")), ..Plan::default() }).await.unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    ana.reply(SOON).await.unwrap();

    let before = shop.replicas[0].configz().await.unwrap()["tenants"]["default/acme"]["revision"].clone();
    shop.write_flows(&sizes("New question")).unwrap();
    eventually!(
        SOON,
        shop.replicas[0].configz().await.unwrap()["tenants"]["default/acme"]["revision"].clone(),
        |now| *now != before
    );
    shop.replicas[0].kill().await.unwrap();
    shop.replicas[0].restart().await.unwrap();

    ana.tap("Small").await.unwrap();
    assert_eq!(ana.reply(SOON).await.unwrap().text(), "Old question Small, Ana");
    let eva = shop.customer("+34600111333", "Eva").unwrap();
    eva.say("hola").await.unwrap();
    assert_eq!(eva.reply(SOON).await.unwrap().line(), "New question [1 Small] [2 Large]");
}

#[tokio::test]
async fn a_session_that_waited_too_long_is_over_by_itself() {
    let flow = sizes("Which size?").replace("  start: ask", "  session: {timeout: 1s}\n  start: ask");
    let shop = Shop::with(Plan { flows: Some(&flow), ..Plan::default() }).await.unwrap();
    let ana = shop.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    ana.reply(SOON).await.unwrap();
    let over = "SELECT count(*) FROM session WHERE state = 'Completed' AND context::jsonb->'context'->>'endReason' = 'timeout'";
    eventually!(SOON, tables::count(&shop.pool, over).await.unwrap() == 1);
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM timer").await.unwrap(), 0);

    ana.say("Large").await.unwrap();
    eventually!(SOON, tables::jobs(&shop.pool).await.unwrap(), |jobs| *jobs == [("completed".to_owned(), 2)]);
    assert_eq!(shop.simulator.ledger().sends.len(), 1, "\"Large\" is no keyword, so nobody answers it");
    assert_eq!(tables::count(&shop.pool, "SELECT count(*) FROM session").await.unwrap(), 1);
}
