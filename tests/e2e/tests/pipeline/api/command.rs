//! The same from a terminal.

use serde_json::Value;
use wigwag_e2e::{binary::binary, shop::api_token};

use super::{ANA, hears, open};

#[tokio::test]
async fn the_command_line_says_what_the_api_does() {
    let (shop, caller, ana) = open().await;
    let run = async |arguments: &[&str], token: &str| {
        let output = tokio::process::Command::new(binary("wigwag-dataplane").unwrap())
            .arg("session")
            .args(arguments)
            .env("WIGWAG_URL", format!("http://{}", shop.replicas[0].listen))
            .env("WIGWAG_TOKEN", token)
            .env("WIGWAG_TENANT", "acme")
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let token = api_token("acme");
    assert_eq!(run(&["list"], &token).await, (true, "no sessions\n".to_owned(), String::new()));

    ana.say("help").await.unwrap();
    hears(&ana).await;
    let session = caller.session("help", "Paused").await;
    let (_, list, _) = run(&["list", "--contact", ANA, "--status", "Paused"], &token).await;
    let (head, row) = list.split_once('\n').unwrap();
    assert!(head.starts_with("ID ") && head.contains("WAITS FOR"), "{list}");
    assert!(row.starts_with(&session) && row.contains("people") && row.contains(&format!("Ana {ANA}")), "{list}");
    let (_, shown, _) = run(&["show", &session], &token).await;
    assert!(shown.contains("stands   Paused at person, waits for people until "), "{shown}");
    let (_, json, _) = run(&["show", &session, "--output", "json"], &token).await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["id"], session);

    let (done, _, refused) = run(&["move", &session, "nowhere"], &token).await;
    assert!(!done && refused.contains("has no node \"nowhere\"") && refused.contains("VALIDATION_ERROR"), "{refused}");
    let (done, _, refused) = run(&["list"], "").await;
    assert!(!done && refused.contains("put one of the tenant's API into WIGWAG_TOKEN"), "{refused}");
    let (done, _, refused) = run(&["end", &session], "wrong").await;
    assert!(!done && refused.contains("this is no token of the tenant"), "{refused}");
    let released = run(&["release", &session, "--to", "other", "--set", "answer=us"], &token).await;
    assert_eq!(released, (true, "accepted: it goes on at other\n".to_owned(), String::new()));
    assert_eq!(hears(&ana).await, "Elsewhere with us");

    ana.say("pay").await.unwrap();
    hears(&ana).await;
    hears(&ana).await;
    let session = caller.session("pay", "Paused").await;
    assert_eq!(run(&["restart", &session], &token).await.1, "accepted: it begins anew\n");
    hears(&ana).await;
    hears(&ana).await;
    assert_eq!(run(&["end", "--flow", "pay"], &token).await.1, "accepted: 1 sessions end\n");
    caller.session("pay", "Completed").await;
}
