//! The front end of `spec.definition`: what the drag-and-drop editor saves, twelve node types and edges, as it is.
//!
//! Unknown fields do no harm. The editor's own limits are held; what its own runtime did otherwise than it says (options
//! cut to three, ids that never match, conditions that are any program) is done as it says.

mod handles;
mod outline;
mod talk;
mod work;

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use serde_json::{Map, Value};
use wigwag_crds::{FlowSpec, flow::Match};

use super::{Front, builder::Builder, places};
use crate::{
    findings::{Findings, quoted},
    fold::fold,
    path::Path,
    program::{self, Handoff, Kind, NodeIndex},
    template::{Form, Template},
    trigger::Trigger,
};
use outline::outline;

/// How long people have to release a conversation.
const HANDOFF: Duration = Duration::from_hours(72);
/// The variable that takes a form's answer.
const FORM_ANSWER: &str = "whatsappFlowAnswer";
/// Where the body of an answer goes, unless the node says otherwise.
const API_RESULT: &str = "apiResult";

/// A node as the editor saves it.
struct Node<'a> {
    id: &'a str,
    type_: &'a str,
    data: Option<&'a Map<String, Value>>,
}

/// A way between two nodes.
struct Edge<'a> {
    source: &'a str,
    target: &'a str,
    /// The handle of the source: `true`, `opt-0`, `no-match`.
    handle: Option<&'a str>,
}

pub(super) fn read<'a>(spec: &'a FlowSpec, definition: &'a Value, findings: &mut Findings) -> Front<'a> {
    for (field, stands) in
        [("triggers", !spec.triggers.is_empty()), ("start", !spec.start.is_empty()), ("nodes", !spec.nodes.is_empty())]
    {
        if stands {
            findings.error(None, field, "the definition has its own: remove it, or remove the definition");
        }
    }
    let (Some(nodes), Some(edges)) =
        (items(definition, "nodes", findings, Node::read), items(definition, "edges", findings, Edge::read))
    else {
        let places = HashMap::new();
        return Front {
            triggers: Vec::new(),
            start: None,
            entries: Vec::new(),
            places,
            outlines: Vec::new(),
            nodes: None,
        };
    };
    let names = nodes.iter().map(|node| node.id);
    let places = places(names, |index| format!("definition.nodes[{index}].id"), findings);
    for (index, edge) in edges.iter().enumerate() {
        if !places.contains_key(edge.source) {
            let message =
                format!("it comes from node {}, which is not among the nodes: remove it", quoted(edge.source));
            findings.error(None, format!("definition.edges[{index}].source"), message);
        }
    }
    let outlines = nodes.iter().map(|node| outline(node, &edges, spec.whatsapp_flow.is_some())).collect();

    let keys: Vec<String> = nodes.iter().filter_map(Node::sets).collect();
    let variables = keys.iter().map(String::as_str).collect();
    let mut reader = Reader {
        builder: Builder {
            places: &places,
            form: Form::Editor,
            variables,
            answers: BTreeSet::new(),
            waits: BTreeSet::new(),
            started_from_outside: false,
            findings,
            patterns: 0,
            node: "",
        },
        edges: &edges,
        spec,
    };
    let mut triggers = Vec::new();
    let mut entries = Vec::new();
    let mut compiled = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        reader.builder.node = node.id;
        if node.type_ == "trigger"
            && let Some(trigger) = reader.trigger(node)
        {
            triggers.push(trigger);
            entries.push(index);
        }
        reader.handles(node);
        let kind = reader.kind(node);
        compiled.push(kind.map(|kind| program::Node { name: node.id.to_owned(), kind, on_error: None }));
    }
    if nodes.iter().all(|node| node.type_ != "trigger") {
        findings.error(None, "definition.nodes", "nothing starts this flow: add a trigger node");
    }
    let (start, nodes) = (entries.first().copied(), compiled.into_iter().collect());
    Front { triggers, start, entries, places, outlines, nodes }
}

/// The items of a list of the definition; `None` where it is none, or one of them cannot be read.
fn items<'a, T>(
    definition: &'a Value,
    list: &str,
    findings: &mut Findings,
    read: impl Fn(&'a Value, &str, &mut Findings) -> Option<T>,
) -> Option<Vec<T>> {
    match definition.get(list) {
        Some(Value::Array(items)) => {
            let items = items.iter().enumerate();
            let read: Vec<_> =
                items.map(|(n, item)| read(item, &format!("definition.{list}[{n}]"), findings)).collect();
            read.into_iter().collect()
        }
        None if list == "edges" && definition.is_object() => Some(Vec::new()),
        _ => {
            let message = "it is not what the editor saves: write {nodes: [...], edges: [...]}";
            findings.error(None, format!("definition.{list}"), message);
            None
        }
    }
}

/// A field that must be a text.
fn required<'a>(item: &'a Value, field: &str, at: &str, findings: &mut Findings) -> Option<&'a str> {
    let text = item.get(field).and_then(Value::as_str);
    if text.is_none() {
        findings.error(None, format!("{at}.{field}"), "it is no text: write one, as the editor saves it");
    }
    text
}

impl<'a> Node<'a> {
    fn read(node: &'a Value, at: &str, findings: &mut Findings) -> Option<Self> {
        let id = required(node, "id", at, findings);
        let type_ = required(node, "type", at, findings);
        let data = match node.get("data") {
            None | Some(Value::Null) => None,
            Some(Value::Object(data)) => Some(data),
            Some(_) => {
                findings.error(None, format!("{at}.data"), "it is no map: write the node's fields into one");
                return None;
            }
        };
        Some(Self { id: id?, type_: type_?, data })
    }

    fn get(&self, field: &str) -> Option<&'a Value> {
        self.data?.get(field)
    }

    fn text(&self, field: &str) -> Option<&'a str> {
        self.get(field)?.as_str()
    }

    /// The variable that it sets.
    fn sets(&self) -> Option<String> {
        let path = match self.type_ {
            "assign" => self.text("key")?,
            "api" => self.text("assignTo").unwrap_or(API_RESULT),
            "whatsapp_flow" => FORM_ANSWER,
            _ => return None,
        };
        Path::parse(path)?.root().map(str::to_owned)
    }
}

impl<'a> Edge<'a> {
    fn read(edge: &'a Value, at: &str, findings: &mut Findings) -> Option<Self> {
        let source = required(edge, "source", at, findings);
        let target = required(edge, "target", at, findings);
        Some(Self { source: source?, target: target?, handle: edge.get("sourceHandle").and_then(Value::as_str) })
    }
}

struct Reader<'a> {
    builder: Builder<'a>,
    edges: &'a [Edge<'a>],
    spec: &'a FlowSpec,
}

impl Reader<'_> {
    fn trigger(&mut self, node: &Node<'_>) -> Option<Trigger> {
        let keyword = self.limited(node, "keyword", 1, 64)?;
        let folded = fold(keyword);
        if folded.is_empty() {
            self.builder.error("keyword", "the keyword has no letters: write the word that starts the flow");
            return None;
        }
        if folded == "default" {
            return Some(Trigger::Default);
        }
        Some(Trigger::Keyword { folded, weakest: Match::Contains, interrupts: false })
    }

    fn kind(&mut self, node: &Node<'_>) -> Option<Kind> {
        let next = self.first_edge(node);
        match node.type_ {
            "trigger" => Some(Kind::Trigger { next }),
            "message" => self.message(node, next),
            "options" => self.options(node).map(Kind::Options),
            "delay" => {
                let seconds = node.get("seconds").and_then(number).filter(|n| (1..=3_600).contains(n));
                let Some(seconds) = seconds else {
                    self.builder.error("seconds", "a delay has 1 to 3600 seconds: write a whole number");
                    return None;
                };
                Some(Kind::Delay { span: Duration::from_secs(seconds), next })
            }
            "condition" => self.condition(node),
            "api" => self.api(node, next).map(|http| Kind::Http(Box::new(http))),
            "assign" => self.assign(node, next),
            "media" => self.media(node, next),
            "whatsapp_flow" => self.form(node, next),
            "handoff" => {
                let queue = self.optional(node, "queue", 100);
                let note = self.optional(node, "note", 500);
                Some(Kind::Handoff(Handoff { queue, note, timeout: HANDOFF, on_timeout: None, next }))
            }
            "goto" => {
                let target = self.limited(node, "targetNodeId", 1, 200)?;
                self.builder.place_of(target).map(|node| Kind::Goto { node })
            }
            "end" => Some(Kind::End { reason: self.optional(node, "reason", 200), result: Vec::new() }),
            other => {
                let message = format!(
                    "there is no node type {}: write one of trigger, message, options, delay, condition, api, assign, \
                     media, whatsapp_flow, handoff, goto, end",
                    quoted(other)
                );
                self.builder.error("type", message);
                None
            }
        }
    }

    /// A text within the editor's limits; empty where it is not there and may be.
    fn limited<'t>(&mut self, node: &Node<'t>, field: &str, least: usize, most: usize) -> Option<&'t str> {
        let text = match node.get(field) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => {
                self.builder.error(field, "it is no text: write one");
                return None;
            }
        };
        let count = text.chars().count();
        if count < least {
            self.builder.error(field, "it is empty: write it");
            return None;
        }
        if count > most {
            self.builder.error(field, format!("it has {count} characters, and at most {most} are allowed: shorten it"));
            return None;
        }
        Some(text)
    }

    fn optional(&mut self, node: &Node<'_>, field: &str, most: usize) -> Option<Template> {
        let text = self.limited(node, field, 0, most).filter(|text| !text.trim().is_empty())?;
        self.builder.template(field, text, most)
    }

    /// Where the first edge of a node leads.
    fn first_edge(&self, node: &Node<'_>) -> Option<NodeIndex> {
        let edge = self.edges.iter().find(|edge| edge.source == node.id)?;
        self.builder.place_of(edge.target)
    }

    /// Where the edge of a handle leads.
    fn edge(&self, node: &Node<'_>, handle: &str) -> Option<NodeIndex> {
        let edge = self.edges.iter().find(|e| e.source == node.id && e.handle == Some(handle))?;
        self.builder.place_of(edge.target)
    }
}

/// A whole number, written as one or as text.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..1e9).contains(float))?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within u64, as was just checked"
            )]
            Some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
