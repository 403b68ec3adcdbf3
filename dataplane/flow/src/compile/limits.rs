//! What the schema holds in a cluster, held for files too: a folder that runs here can be applied there.

use wigwag_crds::{
    FlowSpec,
    node::{Node, NodeKind, Template},
};

use crate::{findings::Findings, trigger::MAX_TRIGGERS};

const NAME: usize = 60;

pub(super) fn check(spec: &FlowSpec, findings: &mut Findings) {
    let mut limits = Limits { findings, node: None };
    limits.at_most("triggers", "triggers", spec.triggers.len(), MAX_TRIGGERS);
    for (index, trigger) in spec.triggers.iter().enumerate() {
        let keyword = trigger.keyword.as_deref();
        limits.text(&format!("triggers[{index}].keyword"), keyword, 64);
    }
    if !(-1_000..=1_000).contains(&spec.priority) {
        limits.findings.error(None, "priority", "the priority is out of range: write one from -1000 to 1000");
    }
    if spec.session.max_age.duration().is_zero() {
        limits.findings.error(None, "session.maxAge", "no session can live: write a span such as 90d");
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
            Some(NodeKind::Message(message)) => self.template(message.template.as_ref()),
            Some(NodeKind::Media(media)) => self.template(media.template.as_ref()),
            Some(NodeKind::Options(options)) => {
                self.retries(options.retries);
                self.template(options.template.as_ref());
                self.count("options", "options", options.options.len(), 10);
                for (index, option) in options.options.iter().enumerate() {
                    self.required(&format!("options[{index}].id"), &option.id, 100);
                }
            }
            Some(NodeKind::Ask(ask)) => {
                self.retries(ask.retries);
                self.template(ask.template.as_ref());
                self.required("into", &ask.into, 100);
                if !ask.choices.is_empty() {
                    self.count("choices", "choices", ask.choices.len(), 50);
                }
                for (index, choice) in ask.choices.iter().enumerate() {
                    self.required(&format!("choices[{index}]"), choice, 100);
                }
            }
            Some(NodeKind::WhatsAppFlow(form)) => {
                self.template(form.template.as_ref());
                self.required("flowId", &form.flow_id, 64);
                self.required("into", &form.into, 100);
            }
            Some(NodeKind::Condition(condition)) => self.count("cases", "cases", condition.cases.len(), 50),
            Some(NodeKind::Assign(assign)) => self.count("set", "variables", assign.set.len(), 50),
            Some(NodeKind::Http(http)) => {
                self.required("url", &http.url, 2_000);
                self.at_most("headers", "headers", http.headers.len(), 30);
                for (index, header) in http.headers.iter().enumerate() {
                    let field = format!("headers[{index}].name");
                    self.required(&field, &header.name, 100);
                    // RFC 9110, 5.6.2.
                    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+.^_`|~-".contains(c);
                    if !header.name.chars().all(is_token) {
                        let message = "no header has this name: write letters, digits and -, such as X-Order";
                        self.findings.error(self.node, field, message);
                    }
                }
            }
            Some(NodeKind::Split(split)) => {
                if split.ways.len() < 2 {
                    self.findings.error(self.node, "ways", "a split has at least two ways: add one");
                }
                self.count("ways", "ways", split.ways.len(), 20);
                for (index, way) in split.ways.iter().enumerate() {
                    if !(1..=1_000).contains(&way.weight) {
                        let field = format!("ways[{index}].weight");
                        self.findings.error(self.node, field, "the weight is out of range: write one from 1 to 1000");
                    }
                }
            }
            Some(NodeKind::Call(call)) => {
                self.required("flow", &call.flow, 200);
                self.at_most("args", "args", call.args.len(), 50);
            }
            Some(NodeKind::End(end)) => {
                self.at_most("result", "results", end.result.len(), 50);
                self.text("reason", end.reason.as_deref().filter(|reason| !reason.is_empty()), 200);
            }
            _ => {}
        }
    }

    fn retries(&mut self, retries: u8) {
        if retries > 10 {
            self.findings.error(self.node, "retries", "nobody is asked so often: write a number from 0 to 10");
        }
    }

    fn template(&mut self, template: Option<&Template>) {
        let Some(template) = template else { return };
        self.required("template.name", &template.name, 512);
        self.at_most("template.parameters", "parameters", template.parameters.len(), 50);
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

    /// From 1 to `max` of them.
    fn count(&mut self, field: &str, what: &str, count: usize, max: usize) {
        if count == 0 {
            self.findings.error(self.node, field, format!("there are no {what}: add one"));
        }
        self.at_most(field, what, count, max);
    }

    fn at_most(&mut self, field: &str, what: &str, count: usize, max: usize) {
        if count > max {
            let message = format!("there are {count} {what}, and at most {max} are allowed: remove some");
            self.findings.error(self.node, field, message);
        }
    }
}
