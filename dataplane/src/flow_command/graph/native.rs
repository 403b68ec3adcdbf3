//! Nodes and ways of a Flow that is written by hand.

use wigwag_crds::{
    FlowSpec,
    flow::{Match, Trigger},
    node::{Node, NodeKind},
};

use super::{Drawing, Shape, first_words, quoted, words};

/// The name of what stands for all triggers; no node's, for these have no space in front.
const TRIGGERS: &str = " triggers";

pub(super) fn draw(spec: &FlowSpec) -> Drawing {
    let mut drawing = Drawing::default();
    drawing.node(TRIGGERS, Shape::Begin, spec.triggers.iter().map(trigger));
    drawing.way(TRIGGERS, Some(&spec.start), "");
    for node in &spec.nodes {
        drawing.native(node);
        drawing.detour(&node.name, node.on_error.as_deref(), "error");
    }
    drawing
}

fn trigger(trigger: &Trigger) -> String {
    let Some(keyword) = &trigger.keyword else {
        let kinds = [
            (&trigger.default, "anything else"),
            (&trigger.media, "a file"),
            (&trigger.location, "a place"),
            (&trigger.order, "an order"),
            (&trigger.referral, "from an ad"),
            (&trigger.manual, "by hand, or called"),
        ];
        let kind = kinds.into_iter().find_map(|(kind, words)| kind.as_ref().map(|_| words));
        return kind.unwrap_or_default().to_owned();
    };
    match trigger.match_ {
        Some(Match::Exact) => format!("{} alone", quoted(keyword)),
        Some(Match::Word) => format!("{} as a word", quoted(keyword)),
        Some(Match::Contains) | None => quoted(keyword),
    }
}

impl Drawing {
    fn native(&mut self, node: &Node) {
        let name = node.name.as_str();
        let late = |span: Option<wigwag_crds::common::Span>| match span {
            Some(span) => format!("no answer in {span}"),
            None => "no answer".to_owned(),
        };
        let Some(kind) = node.kind() else { return self.node(name, Shape::Works, [name.to_owned()]) };
        match kind {
            NodeKind::Message(message) => {
                let template = message.template.as_ref().map(|template| format!("template {}", template.name));
                let said = message.text.as_ref().map(words).or(template).unwrap_or_default();
                self.node(name, Shape::Says, [titled("message", name), said]);
                self.way(name, message.next.as_deref(), "");
                self.detour(name, message.on_fail.as_deref(), "not sent");
            }
            NodeKind::Media(media) => {
                let kind = format!("{:?}", media.type_).to_lowercase();
                let said = media.caption.as_ref().map(words).unwrap_or_default();
                self.node(name, Shape::Says, [titled(&kind, name), said]);
                self.way(name, media.next.as_deref(), "");
                self.detour(name, media.on_fail.as_deref(), "not sent");
            }
            NodeKind::Options(options) => {
                self.node(name, Shape::Asks, [titled("options", name), words(&options.text)]);
                for option in &options.options {
                    self.way(name, option.next.as_deref(), quoted(&words(&option.title)));
                }
                self.detour(name, options.no_match.as_deref(), "no match");
                self.detour(name, options.stale.as_deref(), "an old tap");
                self.detour(name, options.on_timeout.as_deref(), late(options.timeout));
                self.detour(name, options.on_fail.as_deref(), "not sent");
            }
            NodeKind::Ask(ask) => {
                let kind = format!("ask for {}", format!("{:?}", ask.type_).to_lowercase());
                self.node(name, Shape::Asks, [titled(&kind, name), words(&ask.text)]);
                self.way(name, ask.next.as_deref(), ask.into.as_str());
                self.detour(name, ask.on_invalid.as_deref(), "no such answer");
                self.detour(name, ask.on_timeout.as_deref(), late(ask.timeout));
                self.detour(name, ask.on_fail.as_deref(), "not sent");
            }
            NodeKind::WhatsAppFlow(form) => {
                self.node(name, Shape::Asks, [titled("form", name), words(&form.body)]);
                self.way(name, form.next.as_deref(), form.into.as_str());
                self.detour(name, form.on_timeout.as_deref(), late(form.timeout));
                self.detour(name, form.on_fail.as_deref(), "not sent");
            }
            other => self.silent(name, other),
        }
    }

    /// Nodes that work without a word.
    fn silent(&mut self, name: &str, kind: NodeKind<'_>) {
        match kind {
            NodeKind::Condition(condition) => {
                self.node(name, Shape::Decides, [titled("condition", name)]);
                for case in &condition.cases {
                    self.way(name, Some(&case.next), first_words(&case.when));
                }
                self.way(name, condition.else_.as_deref(), "else");
            }
            NodeKind::Assign(assign) => {
                let set = assign.set.iter().map(|(variable, value)| first_words(&format!("{variable} = {value}")));
                self.node(name, Shape::Works, std::iter::once(titled("assign", name)).chain(set));
                self.way(name, assign.next.as_deref(), "");
            }
            NodeKind::Http(http) => {
                let method = format!("{:?}", http.method).to_uppercase();
                let what = format!("{method} {}", http.url);
                self.node(name, Shape::Works, [titled("http", name), first_words(&what)]);
                self.way(name, http.next.as_deref(), "answered");
                for (class, to) in http.on_error.by_class() {
                    self.detour(name, to, class);
                }
            }
            NodeKind::Delay(delay) => {
                self.node(name, Shape::Waits, [titled("delay", name), delay.for_.to_string()]);
                self.way(name, delay.next.as_deref(), "");
            }
            NodeKind::WaitFor(wait) => {
                self.node(name, Shape::Waits, [titled("waitFor", name)]);
                self.way(name, wait.next.as_deref(), "resumed");
                self.detour(name, wait.on_timeout.as_deref(), format!("not in {}", wait.timeout));
            }
            NodeKind::Split(split) => {
                self.node(name, Shape::Decides, [titled("split", name)]);
                let total: u32 = split.ways.iter().map(|way| u32::from(way.weight)).sum();
                for way in &split.ways {
                    self.way(name, way.next.as_deref(), format!("{} of {total}", way.weight));
                }
            }
            NodeKind::Call(call) => {
                self.node(name, Shape::Works, [titled("call", name), format!("Flow {}", call.flow)]);
                self.way(name, call.next.as_deref(), call.into.clone().unwrap_or_default());
            }
            NodeKind::Handoff(handoff) => {
                let queue = handoff.queue.as_deref().map(first_words).unwrap_or_default();
                self.node(name, Shape::Waits, [titled("handoff", name), queue]);
                self.way(name, handoff.next.as_deref(), "released");
                self.detour(name, handoff.on_timeout.as_deref(), format!("not in {}", handoff.timeout));
            }
            NodeKind::Goto(goto) => {
                self.node(name, Shape::Works, [titled("goto", name)]);
                self.way(name, Some(&goto.node), "");
            }
            NodeKind::End(end) => {
                let reason = end.reason.as_deref().map(first_words).unwrap_or_default();
                self.node(name, Shape::Ends, [titled("end", name), reason]);
            }
            _ => {}
        }
    }
}

fn titled(kind: &str, name: &str) -> String {
    if kind == name { kind.to_owned() } else { format!("{kind}: {name}") }
}
