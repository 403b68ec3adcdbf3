//! Diagrams.

use super::{Desk, SHOP};
use crate::flow_command::graph::{self, Graph};

async fn drawn(desk: &Desk) -> (u8, String) {
    let mut out = Vec::new();
    let args = Graph { flows: vec![desk.folder.path().to_owned()], counts: vec![] };
    let code = graph::run(&args, &mut out).await.unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn every_way_between_nodes_is_drawn_with_what_it_is_taken_for() {
    let (code, text) = drawn(&Desk::new()).await;
    assert_eq!(code, 0);
    for line in [
        "flowchart TD\n  f0n0([\"“hola”\"])\n  f0n1[/\"options: what<br/>What, {{ contact.name }}?\"/]\n",
        "  f0n0 --> f0n1\n",
        "  f0n1 -->|\"“Pen”\"| f0n3\n",
        "  f0n1 -.->|\"no match\"| f0n2\n",
        "  f0n3[[\"http: price<br/>POST https://prices.example/{{ lastInteractiveId }}\"]]\n",
        "  f0n3 -->|\"answered\"| f0n5\n",
        "  f0n3 -.->|\"timeout\"| f0n4\n",
        "  f0n5{\"condition: dear\"}\n",
        "  f0n5 -->|\"price.body.euros #62; 100\"| f0n11\n",
        "  f0n5 -->|\"else\"| f0n6\n",
        "|\"released\"|",
        "|\"not in 1d\"|",
        "-.->|\"not sent\"|",
        "([\"no answer in 2h\"])",
        "end(((\" \")))",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn the_editors_form_is_drawn_too_and_what_does_not_read_is_told() {
    let definition = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: drawn}
spec:
  tenantRef: {name: acme}
  definition:
    nodes:
    - {id: t, type: trigger, data: {keyword: hola}}
    - {id: o, type: options, data: {text: 'Which \"one\"?', options: [end, B]}}
    - {id: e, type: end, data: {reason: done}}
    edges:
    - {source: t, target: o}
    - {source: o, target: e, sourceHandle: opt-0}
    - {source: o, target: o, sourceHandle: no-match}
";
    let (code, text) = drawn(&Desk::with(definition)).await;
    let expected = "flowchart TD
  f0n0([\"trigger: t<br/>hola\"])
  f0n1[/\"options: o<br/>Which #34;one#34;?\"/]
  f0n2((\"end: e<br/>done\"))
  f0n0 --> f0n1
  f0n1 -->|\"“end”\"| f0n2
  f0n1 -.->|\"no match\"| f0n1
";
    assert_eq!((code, text.as_str()), (0, expected));
    let (code, text) = drawn(&Desk::with(&SHOP.replace("start:", "strat:"))).await;
    assert_eq!(code, 2);
    assert!(text.contains("strat"), "{text}");
}
