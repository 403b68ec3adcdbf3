//! Open conversations as an SRE sees them on the Flow.

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use serde_json::json;
use wigwag_crds::Flow;
use wigwag_e2e::cluster::{Cluster, SOON, Town};
use wigwag_sandbox::eventually;

use crate::shared;

/// Sessions are counted once a minute.
const COUNTED: Duration = Duration::from_secs(100);

#[tokio::test]
async fn the_sessions_column_counts_open_sessions_and_an_edit_that_takes_their_node_away_is_warned_of() {
    let cluster = shared().await;
    let _logs = cluster.sandbox.logs_on_failure();
    let town = Town::found(cluster, "sessions").await.unwrap();
    town.apply_quickstart().await.unwrap();
    town.ready().await;
    eventually!(SOON, column(cluster, &town).await == "0");
    let ana = town.customer("+34600111222", "Ana").unwrap();
    ana.say("hola").await.unwrap();
    ana.reply(SOON).await.unwrap();
    ana.tap("Comprar").await.unwrap();
    ana.reply(SOON).await.unwrap();
    eventually!(COUNTED, column(cluster, &town).await == "1+");

    let status = || async { town.api::<Flow>().get("welcome").await.unwrap().status.unwrap() };
    let before = status().await;
    let began = before.revision.unwrap();
    assert_eq!(
        before.sessions.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(),
        [(began.as_str(), "1+")]
    );
    assert!(before.findings.is_empty(), "{:?}", before.findings);

    let mut flow = town.flow().unwrap();
    flow["spec"]["nodes"] = json!([{"name": "menu", "message": {"text": "Hasta mañana"}}]);
    flow["spec"]["start"] = json!("menu");
    town.apply::<Flow>(&flow).await.unwrap();
    let after = eventually!(SOON, status().await, |status| !status.findings.is_empty());
    let warning = &after.findings[0];
    assert!(warning.node.is_some() && warning.message.contains(&began), "{warning}");
    let events = town.api::<Event>();
    let told = eventually!(SOON, events.list(&Default::default()).await.unwrap().items, |events| {
        events.iter().any(|event| event.reason.as_deref() == Some("NodeInUse"))
    });
    let told = told.into_iter().find(|event| event.reason.as_deref() == Some("NodeInUse")).unwrap();
    assert_eq!((told.type_.as_deref(), told.involved_object.name.as_deref()), (Some("Warning"), Some("welcome")));
}

/// SESSIONS of `kubectl get waf`.
async fn column(cluster: &Cluster, town: &Town<'_>) -> String {
    let table = cluster.kubectl(&["get", "waf", "welcome", "-n", &town.namespace]).await.unwrap();
    let (head, row) = table.split_once('\n').unwrap();
    let at = head.find("SESSIONS").unwrap();
    row[at..].split_whitespace().next().unwrap_or_default().to_owned()
}
