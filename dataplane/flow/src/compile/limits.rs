//! What the schema holds in a cluster, held for files too: a folder that runs here can be applied there.

use wigwag_crds::{
    FlowSpec,
    flow::{Node, NodeKind},
};

use crate::{findings::Findings, trigger::MAX_TRIGGERS};

const NAME: usize = 60;

pub(super) fn check(spec: &FlowSpec, findings: &mut Findings) {
    let mut limits = Limits { findings, node: None };
    limits.count("triggers", "triggers", spec.triggers.len(), MAX_TRIGGERS);
    for (index, trigger) in spec.triggers.iter().enumerate() {
        let keyword = trigger.keyword.as_deref();
        limits.text(&format!("triggers[{index}].keyword"), keyword, 64);
    }
    if !(-1_000..=1_000).contains(&spec.priority) {
        limits.findings.error(None, "priority", "the priority is out of range: write one from -1000 to 1000");
    }
    if spec.session.timeout.duration().is_zero() {
        limits.findings.error(None, "session.timeout", "no customer can answer in time: write a span such as 20h");
    }
    for node in &spec.nodes {
        limits.node(node);
    }
}

struct Limits<'a> {
    findings: &'a mut Findings,
    node: Option<&'a str>,
}

impl<'a> Limits<'a> {
    fn node(&mut self, node: &'a Node) {
        self.node = Some(&node.name);
        self.required("name", &node.name, NAME);
        match node.kind() {
            Some(NodeKind::Message(message)) => self.required("text", &message.text, 4_096),
            Some(NodeKind::Options(options)) => {
                self.required("text", &options.text, 4_096);
                self.text("listButton", options.list_button.as_deref(), 20);
                self.count("options", "options", options.options.len(), 10);
                for (index, option) in options.options.iter().enumerate() {
                    self.required(&format!("options[{index}].id"), &option.id, 100);
                    self.required(&format!("options[{index}].title"), &option.title, 100);
                    self.text(&format!("options[{index}].description"), option.description.as_deref(), 72);
                }
            }
            Some(NodeKind::Condition(condition)) => self.count("cases", "cases", condition.cases.len(), 50),
            Some(NodeKind::Assign(assign)) => self.count("set", "variables", assign.set.len(), 50),
            Some(NodeKind::End(end)) => {
                self.text("reason", end.reason.as_deref().filter(|reason| !reason.is_empty()), 200)
            }
            Some(NodeKind::Goto(_)) | None => {}
        }
    }

    fn required(&mut self, field: &str, text: &str, max: usize) {
        self.text(field, Some(text), max);
    }

    /// From 1 to `max` characters, as the schema counts them.
    fn text(&mut self, field: &str, text: Option<&str>, max: usize) {
        let Some(text) = text else { return };
        match text.chars().count() {
            0 => self.findings.error(
                self.node,
                field,
                "it is empty: write it, or leave the field out if it may be left out",
            ),
            count if count > max => {
                let message = format!("it has {count} characters, and at most {max} are allowed: shorten it");
                self.findings.error(self.node, field, message);
            }
            _ => {}
        }
    }

    fn count(&mut self, field: &str, what: &str, count: usize, max: usize) {
        match count {
            0 if what != "triggers" => self.findings.error(self.node, field, format!("there are no {what}: add one")),
            count if count > max => {
                let message = format!("there are {count} {what}, and at most {max} are allowed: remove some");
                self.findings.error(self.node, field, message);
            }
            _ => {}
        }
    }
}
