//! The ways between the nodes of the editor.

use std::time::Duration;

use serde_json::Value;

use super::{Edge, HANDOFF, Node, number};
use crate::compile::graph::{After, Outline, Way};

/// The ways from a node: its edges, and where a `goto` goes.
pub(super) fn outline<'a>(node: &Node<'a>, edges: &[Edge<'a>], sends_forms: bool) -> Outline<'a> {
    let waits = match node.type_ {
        "options" | "api" | "delay" | "handoff" => true,
        "whatsapp_flow" => sends_forms,
        _ => false,
    };
    let speaks = match node.type_ {
        "message" => node.get("useTemplate") != Some(&Value::Bool(true)),
        "options" | "media" => true,
        "whatsapp_flow" => sends_forms,
        _ => false,
    };
    let after = match node.type_ {
        "options" => After::Answer,
        "whatsapp_flow" if sends_forms => After::Answer,
        "delay" => After::Time(Duration::from_secs(node.get("seconds").and_then(number).unwrap_or(0))),
        "handoff" => After::Time(HANDOFF),
        _ => After::Now,
    };
    let edges = edges.iter().enumerate().filter(|(_, edge)| edge.source == node.id);
    let mut ways: Vec<Way<'a>> = edges
        .map(|(index, edge)| Way { field: format!("edges[{index}].target"), to: Some(edge.target), after })
        .collect();
    match node.type_ {
        "goto" => {
            ways = vec![Way { field: "targetNodeId".to_owned(), to: node.text("targetNodeId"), after: After::Now }];
        }
        "end" => ways.clear(),
        "condition" | "options" => {
            // A handle without an edge is the end.
            ways.push(Way { field: String::new(), to: None, after: After::Now });
        }
        _ => {}
    }
    Outline { name: node.id, ways, waits, speaks }
}
