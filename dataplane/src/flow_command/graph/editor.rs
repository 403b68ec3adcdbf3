//! Nodes and ways of what the drag-and-drop editor saves.

use serde_json::Value;

use super::{Drawing, Shape, first_words, quoted};

pub(super) fn draw(definition: &Value) -> Drawing {
    let mut drawing = Drawing::default();
    let list = |name: &str| definition[name].as_array().map(Vec::as_slice).unwrap_or_default();
    for node in list("nodes") {
        let (id, kind) = (word(node, "id"), word(node, "type"));
        let data = &node["data"];
        let about = ["text", "keyword", "body", "caption", "expression", "url", "queue", "reason", "templateName"];
        let about = about.iter().find_map(|name| data[*name].as_str()).map(first_words).unwrap_or_default();
        let about = match (kind, data["key"].as_str(), &data["seconds"]) {
            ("assign", Some(key), _) => first_words(&format!("{key} = {}", data["value"].as_str().unwrap_or_default())),
            ("delay", _, seconds) => format!("{} s", seconds.as_str().map_or(seconds.to_string(), str::to_owned)),
            _ => about,
        };
        drawing.node(id, shape(kind), [format!("{kind}: {id}"), about]);
        if let Some(to) = data["targetNodeId"].as_str().filter(|_| kind == "goto") {
            drawing.way(id, Some(to), "");
        }
    }
    for edge in list("edges") {
        let source = list("nodes").iter().find(|node| node["id"] == edge["source"]);
        let label = source.map(|node| label(node, edge["sourceHandle"].as_str())).unwrap_or_default();
        let (from, to) = (word(edge, "source"), edge["target"].as_str());
        match label.as_str() {
            "no match" => drawing.detour(from, to, label),
            _ => drawing.way(from, to, label),
        }
    }
    drawing
}

/// What is written on the edge of a handle.
fn label(node: &Value, handle: Option<&str>) -> String {
    match (word(node, "type"), handle.unwrap_or_default()) {
        ("options", "no-match") => "no match".to_owned(),
        ("options", handle) => {
            let number = handle.strip_prefix("opt-").and_then(|number| number.parse::<usize>().ok());
            let option = number.and_then(|number| node["data"]["options"].get(number)?.as_str());
            option.map(quoted).unwrap_or_default()
        }
        ("condition", handle) => handle.to_owned(),
        _ => String::new(),
    }
}

fn shape(kind: &str) -> Shape {
    match kind {
        "trigger" => Shape::Begin,
        "message" | "media" => Shape::Says,
        "options" | "whatsapp_flow" => Shape::Asks,
        "condition" => Shape::Decides,
        "delay" | "handoff" => Shape::Waits,
        "end" => Shape::Ends,
        _ => Shape::Works,
    }
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
