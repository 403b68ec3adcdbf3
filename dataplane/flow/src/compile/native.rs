//! The front end of `spec.nodes`.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use wigwag_crds::{
    FlowSpec,
    node::{HttpNode, MediaType, Method, Node, NodeKind},
};
use wigwag_domain::{MediaKind, cut};

use super::{
    Front,
    builder::Builder,
    graph::{After, Outline, Way, instead},
    places, triggers,
};
use crate::{
    expression::is_identifier,
    findings::{Findings, quoted},
    program::{self, Assignment, Case, Handoff, HeaderValue, Http, Kind, Settles, Source, Test},
    template::{Form, Template},
};

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_hours(30 * 24);
/// The longest that a call may take.
const MAX_CALL: Duration = Duration::from_mins(2);
/// The longest URL and header, as a Flow writes them.
const MAX_URL: usize = 2_000;

pub(super) fn read<'a>(spec: &'a FlowSpec, findings: &mut Findings) -> Front<'a> {
    let triggers = triggers(spec, findings);
    let names = spec.nodes.iter().map(|node| node.name.as_str());
    let places = places(names, |index| format!("nodes[{index}].name"), findings);
    let start = places.get(spec.start.as_str()).copied();
    if start.is_none() {
        let instead = instead(&spec.start, &places, findings);
        let message = format!("start names node {}, which is not among the nodes: {instead}", quoted(&spec.start));
        findings.error(None, "start", message);
    }
    let variables = spec.nodes.iter().flat_map(sets).filter(|name| !name.contains('.')).collect();
    let answers = answers(spec);
    let waits = spec.nodes.iter().filter(|node| node.wait_for.is_some()).map(|node| node.name.as_str()).collect();
    let started_from_outside = spec.triggers.iter().any(|trigger| trigger.manual.is_some());
    let mut builder = Builder {
        places: &places,
        form: Form::Native,
        variables,
        answers,
        waits,
        started_from_outside,
        findings,
        patterns: 0,
        node: "",
    };
    let compiled: Vec<_> = spec.nodes.iter().map(|node| builder.native(node)).collect();
    let nodes = compiled.into_iter().collect();
    let outlines = spec.nodes.iter().map(|node| outline(node)).collect();
    Front { triggers, entries: Vec::new(), start, places, outlines, nodes }
}

/// The variables that nothing but `http` nodes set.
fn answers(spec: &FlowSpec) -> BTreeSet<&str> {
    if spec.triggers.iter().any(|trigger| trigger.manual.is_some()) {
        return BTreeSet::new();
    }
    let (calls, others): (Vec<&Node>, Vec<&Node>) = spec.nodes.iter().partition(|node| node.http.is_some());
    let others: BTreeSet<&str> = others.into_iter().flat_map(sets).collect();
    calls.into_iter().flat_map(sets).filter(|name| !others.contains(name) && !name.contains('.')).collect()
}

/// The variables that a node sets.
fn sets(node: &Node) -> Vec<&str> {
    let into = match node.kind() {
        Some(NodeKind::Assign(assign)) => return assign.set.keys().map(String::as_str).collect(),
        Some(NodeKind::Ask(ask)) => Some(&ask.into),
        Some(NodeKind::WhatsAppFlow(form)) => Some(&form.into),
        Some(NodeKind::Http(http)) => http.into.as_ref(),
        Some(NodeKind::WaitFor(wait)) => wait.into.as_ref(),
        Some(NodeKind::Call(call)) => call.into.as_ref(),
        _ => None,
    };
    into.into_iter().map(String::as_str).collect()
}

impl<'a> Builder<'a> {
    fn native(&mut self, node: &'a Node) -> Option<program::Node> {
        self.node = &node.name;
        let on_error = self.place(node.on_error.as_ref());
        let Some(kind) = node.kind() else {
            self.error(
                "kind",
                "a node has exactly one kind: write one of message, options, ask, media, whatsappFlow, condition, \
                 assign, http, delay, waitFor, split, call, handoff, goto, end",
            );
            return None;
        };
        let kind = match kind {
            NodeKind::Message(message) => self.message(message)?,
            NodeKind::Options(options) => Kind::Options(self.question(options)?),
            NodeKind::Ask(ask) => Kind::Ask(self.ask(ask)?),
            NodeKind::Media(media) => self.media(media)?,
            NodeKind::WhatsAppFlow(form) => Kind::Form(self.form_node(form)?),
            NodeKind::Condition(condition) => {
                let cases = condition.cases.iter().enumerate().map(|(index, case)| {
                    let when = self.expression(&format!("cases[{index}].when"), &case.when);
                    Some(Case { when: Test::Cel(when?), next: Some(self.place(Some(&case.next))?) })
                });
                let cases: Vec<_> = cases.collect();
                let otherwise = self.place(condition.else_.as_ref());
                Kind::Condition { cases: cases.into_iter().collect::<Option<_>>()?, otherwise }
            }
            NodeKind::Assign(assign) => {
                let set = assign.set.iter().map(|(name, source)| {
                    let field = format!("set.{}", cut(name, 80));
                    let target = self.target(&field, name);
                    let value = self.expression(&field, source);
                    Some(Assignment { target: target?, value: Source::Expression(value?) })
                });
                let set: Vec<_> = set.collect();
                Kind::Assign { set: set.into_iter().collect::<Option<_>>()?, next: self.place(assign.next.as_ref()) }
            }
            NodeKind::Http(http) => Kind::Http(Box::new(self.http(http)?)),
            NodeKind::Delay(delay) => {
                let span = self.pause("for", delay.for_.duration(), Duration::from_secs(1), MAX_PAUSE);
                Kind::Delay { span, next: self.place(delay.next.as_ref()) }
            }
            NodeKind::WaitFor(wait) => {
                if !is_identifier(&node.name) {
                    self.warning("name", "its URL is read as resume[\"NAME\"]: write a name of letters, digits and _");
                }
                Kind::WaitFor {
                    into: self.optional_target("into", wait.into.as_ref()).ok()?,
                    timeout: self.pause("timeout", wait.timeout.duration(), Duration::from_secs(1), MAX_PAUSE),
                    on_timeout: self.place(wait.on_timeout.as_ref()),
                    next: self.place(wait.next.as_ref()),
                }
            }
            NodeKind::Split(split) => {
                let ways = split
                    .ways
                    .iter()
                    .map(|way| program::Way { weight: u32::from(way.weight), next: self.place(way.next.as_ref()) });
                Kind::Split { ways: ways.collect() }
            }
            NodeKind::Call(call) => Kind::Call {
                flow: call.flow.clone(),
                args: self.expressions("args", call.args.iter())?,
                into: self.optional_target("into", call.into.as_ref()).ok()?,
                next: self.place(call.next.as_ref()),
            },
            NodeKind::Handoff(handoff) => Kind::Handoff(Handoff {
                queue: self.optional_template("queue", handoff.queue.as_ref(), 100).ok()?,
                note: self.optional_template("note", handoff.note.as_ref(), 500).ok()?,
                timeout: self.pause("timeout", handoff.timeout.duration(), Duration::from_secs(1), MAX_PAUSE),
                on_timeout: self.place(handoff.on_timeout.as_ref()),
                next: self.place(handoff.next.as_ref()),
            }),
            NodeKind::Goto(goto) => Kind::Goto { node: self.place(Some(&goto.node))? },
            NodeKind::End(end) => Kind::End {
                reason: self
                    .optional_template("reason", end.reason.as_ref().filter(|text| !text.is_empty()), 200)
                    .ok()?,
                result: self.expressions("result", end.result.iter())?,
            },
        };
        Some(program::Node { name: node.name.clone(), kind, on_error })
    }

    fn http(&mut self, node: &'a HttpNode) -> Option<Http> {
        let url = self.template("url", &node.url, MAX_URL);
        if let Some(url) = &url {
            self.literal_host("url", url);
        }
        let headers: Vec<_> = node
            .headers
            .iter()
            .enumerate()
            .map(|(index, header)| {
                let field = format!("headers[{index}]");
                let value = match (&header.value, &header.secret) {
                    (Some(value), None) => {
                        HeaderValue::Text(self.template(&format!("{field}.value"), value, MAX_URL)?)
                    }
                    (None, Some(secret)) => HeaderValue::Secret {
                        name: secret.name.clone(),
                        key: secret.key.clone(),
                        prefix: secret.prefix.clone(),
                    },
                    _ => {
                        self.error(&field, "a header has either a value or a secret: write one of them");
                        return None;
                    }
                };
                Some((header.name.clone(), value))
            })
            .collect();
        let body = match &node.body {
            Some(body) => Some(self.tree("body", &body.0)?),
            None => None,
        };
        let method = match node.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let ways: HashMap<&'static str, usize> = node
            .on_error
            .by_class()
            .into_iter()
            .filter_map(|(class, name)| Some((class, self.places.get(name?).copied()?)))
            .collect();
        Some(Http {
            method,
            url: url?,
            headers: headers.into_iter().collect::<Option<_>>()?,
            body,
            timeout: self.pause("timeout", node.timeout.duration(), Duration::from_secs(1), MAX_CALL),
            repeatable: node.repeatable || !matches!(node.method, Method::Post | Method::Patch),
            into: self.optional_target("into", node.into.as_ref()).ok()?,
            settles: Settles::ByClass(ways),
            next: self.place(node.next.as_ref()),
        })
    }

    /// Values never change scheme, host or port: these must be written out.
    pub(super) fn literal_host(&mut self, field: &str, url: &Template) {
        let start = url.literal_start();
        let rest = ["https://", "http://"].iter().find_map(|scheme| start.strip_prefix(scheme)).unwrap_or_default();
        // Clients take \ for /, and look for a host behind as many of them as there are.
        let host = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let is_literal = url.expressions().next().is_none() && url.paths().next().is_none();
        if host.is_empty() || !is_literal && host.len() == rest.len() {
            self.error(
                field,
                "scheme, host and port must be written out, up to the first /, and values come behind it: write \
                 https://api.example.com/orders/{{ order }}",
            );
        }
    }

    /// A span within bounds.
    pub(super) fn pause(&mut self, field: &str, span: Duration, least: Duration, most: Duration) -> Duration {
        if !(least..=most).contains(&span) {
            let words = |span: Duration| wigwag_crds::common::Span::from_secs(span.as_secs()).to_string();
            let message =
                format!("{} is out of range: write one from {} to {}", words(span), words(least), words(most));
            self.error(field, message);
        }
        span
    }
}

/// The ways from a node.
fn outline<'a>(node: &'a Node) -> Outline<'a> {
    let mut ways = Vec::new();
    let mut add = |field: &str, to: Option<&'a String>, after| {
        ways.push(Way { field: field.to_owned(), to: to.map(String::as_str), after });
    };
    let (mut waits, mut speaks) = (false, false);
    // A way that is taken only where it is named.
    macro_rules! only {
        ($field:expr, $to:expr, $after:expr) => {
            if $to.is_some() {
                add($field, $to.as_ref(), $after);
            }
        };
    }
    let patience = |timeout: Option<wigwag_crds::common::Span>| match timeout {
        Some(span) => After::Time(span.duration()),
        None => After::Patience,
    };
    match node.kind() {
        Some(NodeKind::Message(message)) => {
            add("next", message.next.as_ref(), After::Now);
            only!("onFail", message.on_fail, After::Failure);
            speaks = message.template.is_none();
        }
        Some(NodeKind::Media(media)) => {
            add("next", media.next.as_ref(), After::Now);
            only!("onFail", media.on_fail, After::Failure);
            speaks = media.template.is_none();
        }
        Some(NodeKind::Options(options)) => {
            for (index, option) in options.options.iter().enumerate() {
                add(&format!("options[{index}].next"), option.next.as_ref(), After::Answer);
            }
            only!("noMatch", options.no_match, After::Answer);
            only!("stale", options.stale, After::Answer);
            only!("onTimeout", options.on_timeout, patience(options.timeout));
            only!("onFail", options.on_fail, After::Failure);
            (waits, speaks) = (true, options.template.is_none());
        }
        Some(NodeKind::Ask(ask)) => {
            add("next", ask.next.as_ref(), After::Answer);
            only!("onInvalid", ask.on_invalid, After::Answer);
            only!("onTimeout", ask.on_timeout, patience(ask.timeout));
            only!("onFail", ask.on_fail, After::Failure);
            (waits, speaks) = (true, ask.template.is_none());
        }
        Some(NodeKind::WhatsAppFlow(form)) => {
            add("next", form.next.as_ref(), After::Answer);
            only!("onTimeout", form.on_timeout, patience(form.timeout));
            only!("onFail", form.on_fail, After::Failure);
            (waits, speaks) = (true, form.template.is_none());
        }
        Some(NodeKind::Condition(condition)) => {
            for (index, case) in condition.cases.iter().enumerate() {
                add(&format!("cases[{index}].next"), Some(&case.next), After::Now);
            }
            add("else", condition.else_.as_ref(), After::Now);
        }
        Some(NodeKind::Assign(assign)) => add("next", assign.next.as_ref(), After::Now),
        Some(NodeKind::Http(http)) => {
            add("next", http.next.as_ref(), After::Time(http.timeout.duration()));
            let classes = [
                ("timeout", &http.on_error.timeout),
                ("network", &http.on_error.network),
                ("refused", &http.on_error.refused),
                ("tooLarge", &http.on_error.too_large),
                ("invalid", &http.on_error.invalid),
                ("4xx", &http.on_error.client),
                ("5xx", &http.on_error.server),
                ("unknown", &http.on_error.unknown),
            ];
            for (class, to) in classes {
                only!(&format!("onError.{class}"), to, After::Failure);
            }
            waits = true;
        }
        Some(NodeKind::Delay(delay)) => {
            add("next", delay.next.as_ref(), After::Time(delay.for_.duration()));
            waits = true;
        }
        Some(NodeKind::WaitFor(wait)) => {
            add("next", wait.next.as_ref(), After::Time(wait.timeout.duration()));
            only!("onTimeout", wait.on_timeout, After::Time(wait.timeout.duration()));
            waits = true;
        }
        Some(NodeKind::Split(split)) => {
            for (index, way) in split.ways.iter().enumerate() {
                add(&format!("ways[{index}].next"), way.next.as_ref(), After::Now);
            }
        }
        Some(NodeKind::Call(call)) => {
            add("next", call.next.as_ref(), After::Now);
            // The called flow may wait; this one does not know.
            waits = true;
        }
        Some(NodeKind::Handoff(handoff)) => {
            add("next", handoff.next.as_ref(), After::Time(handoff.timeout.duration()));
            only!("onTimeout", handoff.on_timeout, After::Time(handoff.timeout.duration()));
            waits = true;
        }
        Some(NodeKind::Goto(goto)) => add("node", Some(&goto.node), After::Now),
        Some(NodeKind::End(_)) | None => {}
    }
    only!("onError", node.on_error, After::Failure);
    Outline { name: &node.name, ways, waits, speaks }
}

/// Our word for a sort of file.
pub(super) const fn media_kind(kind: MediaType) -> MediaKind {
    match kind {
        MediaType::Image => MediaKind::Image,
        MediaType::Video => MediaKind::Video,
        MediaType::Audio => MediaKind::Audio,
        MediaType::Document => MediaKind::Document,
        MediaType::Sticker => MediaKind::Sticker,
    }
}
