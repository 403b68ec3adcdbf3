//! The events of a session, stepped again: what it says now, beside what it said then. Ids of messages come from the event
//! alone, so that both are told by them.

use serde_json::{Map, Value};
use wigwag_domain::{Body, CallResult, Content, EffectId, OutboundId, SignalId, TemplateMessage};
use wigwag_flow::{Effect, Event, Incoming, Linked, Session, Step, Tenant, What, World, start, step};

use super::past::{Matter, Past, Taken};
use crate::flow_command::screen;

/// Effects of one event, at most: the engine's 500 steps, each with a text in ten parts.
const MAX_EFFECTS: u32 = 5_000;

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub lines: Vec<String>,
    pub messages: usize,
    pub differences: usize,
}

/// Steps a session again.
pub(super) fn replay(past: &Past, programs: &Linked, tenant: &Tenant) -> Replayed {
    let mut replayed = Replayed::default();
    let mut session: Option<Session> = None;
    // Calls that are made now and have no result yet.
    let mut calls: Vec<(EffectId, String)> = Vec::new();
    for event in &past.events {
        let told = told(event);
        replayed.lines.push(format!("{:>3}  {}  {told}", event.number, event.at));
        let stepped = step_again(past, programs, tenant, event, session.take(), &mut calls);
        let said = stepped.as_ref().map(|step| says(&step.effects)).unwrap_or_default();
        replayed.compare(past, event, &said);
        let Some(Step { session: after, effects, taken, failure, problems, .. }) = stepped else { continue };
        if !taken {
            replayed.differ("     the session does not take it now");
        }
        for problem in problems {
            replayed
                .lines
                .push(format!("     · problem at {:?}, {}: {}", problem.node, problem.field, problem.message));
        }
        if let Some(failure) = failure {
            let kind = failure.kind.as_str();
            replayed.lines.push(format!("     · failed at {:?}: {kind}: {}", failure.node, failure.message));
        }
        calls.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Call { id, call, .. } => Some((id, format!("{} {}", call.method, call.url))),
            Effect::Send { .. } => None,
        }));
        session = Some(after);
    }
    let is_waiting = session.is_some_and(|session| session.waits_for() == Some("result"));
    if let Some((_, call)) = calls.last().filter(|_| is_waiting) {
        replayed.lines.push(format!("     · waits for the answer of {call}, of which nothing is stored"));
    }
    replayed
}

fn step_again(
    past: &Past,
    programs: &Linked,
    tenant: &Tenant,
    event: &Taken,
    session: Option<Session>,
    calls: &mut Vec<(EffectId, String)>,
) -> Option<Step> {
    let world = World { contact: &event.contact, tenant };
    let Some(session) = session else {
        let Matter::Message(payload, variables) = &event.what else { return None };
        let incoming = Incoming { payload, quoted: None };
        return Some(start(programs, past.id, world, event.at, incoming, variables.clone()));
    };
    let what = match &event.what {
        Matter::Message(payload, variables) => What::Said(Incoming { payload, quoted: None }, variables),
        Matter::Timer => What::Timer,
        // Another Flow makes its calls at other places: each gets the result of its turn.
        Matter::Result(result) => {
            let made = calls.iter().position(|(id, _)| id.0 == event.source).unwrap_or(0);
            let id = if calls.is_empty() { EffectId(event.source) } else { calls.remove(made).0 };
            What::Result(id, result)
        }
        Matter::Resumed(data) => What::Resumed(session.waits_for_signal().unwrap_or(SignalId(event.source)), data),
        Matter::Released(release) => What::Released(release),
        Matter::Moved(node) => What::Moved(node),
        Matter::SendFailed(code, error) => What::SendFailed(OutboundId(event.source), *code, error),
    };
    Some(step(programs, session, world, Event { at: event.at, what }))
}

/// What goes out: the message, and the template that may go in its place.
fn says(effects: &[Effect]) -> Vec<(OutboundId, &Body, Option<&TemplateMessage>)> {
    let said = effects.iter().filter_map(|effect| match effect {
        Effect::Send { id, body, fallback } => Some((*id, body, fallback.as_ref())),
        Effect::Call { .. } => None,
    });
    said.collect()
}

impl Replayed {
    /// Messages of one event, then and now.
    fn compare(&mut self, past: &Past, event: &Taken, now: &[(OutboundId, &Body, Option<&TemplateMessage>)]) {
        let millis = event.at.as_millisecond();
        let mut left = past.sent.keys().filter(|id| id.millis() == millis).count();
        for effect in 0..MAX_EFFECTS {
            if left == 0 {
                break;
            }
            let id = OutboundId::of_effect(millis, past.id, event.number, effect);
            let Some(body) = past.sent.get(&id) else { continue };
            left -= 1;
            let said = now.iter().find(|(now, ..)| *now == id);
            self.one(Some(body), said.map(|(_, body, fallback)| (*body, *fallback)));
        }
        for (_, body, fallback) in now.iter().filter(|(id, ..)| !past.sent.contains_key(id)) {
            self.one(None, Some((body, *fallback)));
        }
    }

    fn one(&mut self, then: Option<&Body>, now: Option<(&Body, Option<&TemplateMessage>)>) {
        self.messages += 1;
        let is_same = match (then, now) {
            (Some(then), Some((body, _))) if then == body => true,
            // The window was shut.
            (Some(Body::Template(then)), Some((_, Some(fallback)))) => then == fallback,
            _ => false,
        };
        if is_same {
            self.lines.extend(then.map(|then| format!("     {}", screen::line(then))));
            return;
        }
        let shown = |body: &Body| match (then, now) {
            (Some(then), Some((now, _))) if screen::line(then) == screen::line(now) => {
                serde_json::to_string(body).unwrap_or_default()
            }
            _ => screen::line(body),
        };
        self.lines.extend(then.map(|then| format!("   - {}", shown(then))));
        self.lines.extend(now.map(|(now, _)| format!("   + {}", shown(now))));
        self.differences += 1;
    }

    fn differ(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        self.differences += 1;
    }
}

/// What happened, in words.
fn told(event: &Taken) -> String {
    match &event.what {
        Matter::Message(payload, variables) => {
            let words = match &payload.content {
                Content::Text { text } => text.clone(),
                Content::Tap(tap) => format!("tap {:?}", tap.title),
                Content::Form { answer } => format!("form {answer}"),
                other => format!("{} {}", other.kind(), other.text()),
            };
            let with = if variables.is_empty() { String::new() } else { format!(" with {}", text(variables)) };
            format!("message  {words}{with}")
        }
        Matter::Timer => "timer".to_owned(),
        Matter::Result(CallResult::Answered { status, body }) => format!("result  {status} {body}"),
        Matter::Result(CallResult::Failed { class, .. }) => format!("result  {}", class.as_str()),
        Matter::Resumed(data) => format!("resumed  {data}"),
        Matter::Released(release) => format!("released  {:?} {}", release.to, text(&release.variables)),
        Matter::Moved(node) => format!("moved  to {node:?}"),
        Matter::SendFailed(code, error) => {
            let code = code.map(|code| format!("{code} ")).unwrap_or_default();
            format!("send failed  {code}{error}")
        }
    }
}

fn text(map: &Map<String, Value>) -> String {
    Value::Object(map.clone()).to_string()
}
