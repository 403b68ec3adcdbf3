//! What the editor's tools read in the database.

use serde_json::{Value, json};
use wigwag_sandbox::eventually;

use super::{SOON, hears, open};

#[tokio::test]
async fn the_views_show_sessions_and_messages_as_the_editors_tools_know_them() {
    let (shop, caller, ana) = open().await;
    ana.say("pay").await.unwrap();
    hears(&ana).await;
    hears(&ana).await;
    let first = caller.session("pay", "Paused").await;
    assert_eq!(caller.post(&format!("/api/v1/sessions/{first}/restart"), Value::Null).await.0, 202);
    hears(&ana).await;
    hears(&ana).await;
    ana.tap("Yes").await.unwrap();
    let second = caller.session("pay", "Active").await;

    type Row = (String, String, Option<String>, Value);
    let sessions: Vec<Row> = sqlx::query_as(
        r#"SELECT id::text, status, "currentNodeId", jsonb_build_object('flow', "flowId", 'trigger', context->'triggerMessage',
             'times', "createdAt" <= "updatedAt", 'contact', "contactId" = (SELECT id FROM contact)) FROM "Session""#,
    )
    .fetch_all(&shop.pool)
    .await
    .unwrap();
    let told = json!({"flow": "pay", "trigger": "pay", "times": true, "contact": true});
    assert_eq!(sessions, [(second.clone(), "Active".to_owned(), Some("paid".to_owned()), told)], "the newest alone");

    let messages = async || -> Vec<(String, String, String, String, String)> {
        sqlx::query_as(
            r#"SELECT direction, type, CASE WHEN content LIKE 'http%' THEN 'URL' ELSE content END, status,
                 coalesce("sessionId"::text, '') FROM "Message" WHERE "userId" = 'default/acme' AND "waMessageId" IS NOT NULL
                 AND payload IS NOT NULL AND error IS NULL AND "contactId" IS NOT NULL ORDER BY "createdAt", id"#,
        )
        .fetch_all(&shop.pool)
        .await
        .unwrap()
    };
    let row = |direction: &str, kind: &str, content: &str, status: &str, session: &str| {
        [direction, kind, content, status, session].map(str::to_owned).into()
    };
    let mut wanted: Vec<(String, String, String, String, String)> = vec![
        row("inbound", "text", "pay", "Delivered", &first),
        row("outbound", "text", "URL", "Read", &first),
        row("outbound", "interactive", "Ready?", "Read", &first),
        row("outbound", "text", "URL", "Read", &second),
        row("outbound", "interactive", "Ready?", "Read", &second),
        row("inbound", "interactive", "Yes", "Delivered", &second),
    ];
    wanted.sort();
    let found = eventually!(
        SOON,
        {
            let mut found = messages().await;
            found.sort();
            found
        },
        |found| { found.len() == 6 && found.iter().all(|one| one.3 == "Read" || one.3 == "Delivered") }
    );
    assert_eq!(found, wanted);
}
