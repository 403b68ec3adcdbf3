//! The flow engine alone: microseconds for a step of each sort, as the host takes it: the session read from its stored
//! JSON, stepped, and written again. No database, one thread.
//!
//! A step here is a node that the session comes through; each sort's row also tells what the whole event cost. The
//! session carries a full history, as after a long conversation.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wigwag_domain::{ContactId, Content, Payload, ProviderName, SessionId};
use wigwag_flow::{Contact, Event, Incoming, Linked, Session, Tenant, What, World, compile, start, step};

/// Events of a measurement, and how often it is made: the quickest counts, the others were disturbed.
const EVENTS: u32 = 2_000;
const ROUNDS: usize = 7;
/// Messages that were said before.
const HISTORY: usize = 60;

/// What a sort of step costs.
#[derive(Debug)]
pub struct Cost {
    /// The sort.
    pub name: &'static str,
    /// Nodes that one event comes through.
    pub nodes: u32,
    /// An event, with a new session.
    pub fresh: Duration,
    /// An event, with a full history.
    pub full: Duration,
}

/// Measures every sort.
///
/// # Errors
/// When a flow of the bench does not compile.
pub fn run() -> Result<Vec<Cost>> {
    let script = json!({
        "nodes": [
            {"id": "t", "type": "trigger", "data": {"keyword": "default"}},
            {"id": "ask", "type": "options", "data": {"text": "?", "options": ["Si", "No"]}},
            {"id": "c", "type": "condition", "data": {"expression": "context.input?.toLowerCase?.().includes('ok')"}}],
        "edges": [
            {"id": "1", "source": "t", "target": "ask"},
            {"id": "2", "source": "ask", "target": "c", "sourceHandle": "no-match"},
            {"id": "3", "source": "c", "target": "ask", "sourceHandle": "true"},
            {"id": "4", "source": "c", "target": "ask", "sourceHandle": "false"}]
    });
    let native = |nodes: &str| {
        let ask = "{name: ask, options: {text: '?', options: [{id: a, title: Si, next: work}], noMatch: work}}";
        format!("{{tenantRef: {{name: acme}}, triggers: [{{default: {{}}}}], start: ask, nodes: [{ask}, {nodes}]}}")
    };
    let mut hundred = String::new();
    for number in 0..98 {
        let name = if number == 0 { "work".to_owned() } else { format!("n{number}") };
        let next = if number == 97 { "ask".to_owned() } else { format!("n{}", number + 1) };
        match number % 3 {
            0 => write!(hundred, "{{name: {name}, assign: {{set: {{count: '{number}'}}, next: {next}}}}},")?,
            1 => write!(
                hundred,
                "{{name: {name}, condition: {{cases: [{{when: 'count > 1000', next: ask}}], else: {next}}}}},"
            )?,
            _ => write!(hundred, "{{name: {name}, goto: {{node: {next}}}}},")?,
        }
    }
    let flows = [
        ("options: an answer, and the question again", 1, native("{name: work, goto: {node: ask}}")),
        ("message", 2, native("{name: work, message: {text: 'Hola {{ contact.name }}', next: ask}}")),
        (
            "condition (CEL)",
            2,
            native("{name: work, condition: {cases: [{when: \"fold(input).contains('ok')\", next: ask}], else: ask}}"),
        ),
        (
            "condition (the editor's JavaScript)",
            2,
            json!({"tenantRef": {"name": "acme"}, "definition": script}).to_string(),
        ),
        ("100 nodes: variables, conditions, gotos", 99, native(&hundred)),
    ];
    flows.into_iter().map(|(name, nodes, yaml)| cost(name, nodes, &yaml).context(name)).collect()
}

fn cost(name: &'static str, nodes: u32, yaml: &str) -> Result<Cost> {
    let spec = serde_saphyr::from_str(yaml).context("the flow does not read")?;
    let compiled = compile("bench", "0123456789ab", &spec);
    let findings = compiled.findings;
    let programs = Linked::from(compiled.program.with_context(|| format!("{findings:?}"))?);
    let fresh = session(&programs, 0)?;
    let full = session(&programs, HISTORY)?;
    Ok(Cost { name, nodes, fresh: event(&programs, &fresh)?, full: event(&programs, &full)? })
}

/// A session that has taken so many messages, as it is stored.
fn session(programs: &Linked, messages: usize) -> Result<String> {
    let (contact, tenant) = (contact(), Tenant::default());
    let world = World { contact: &contact, tenant: &tenant };
    let id = SessionId(Uuid::from_u128(7));
    let payload = message("hola");
    let incoming = Incoming { payload: &payload, quoted: None };
    let mut session = start(programs, id, world, Timestamp::UNIX_EPOCH, incoming, Map::new()).session;
    for number in 0..messages {
        let payload =
            message(&format!("una pregunta larga, la número {number}, que el cliente escribe con muchas palabras"));
        session = answer(programs, session, world, &payload);
    }
    ensure!(session.is_open(), "the session of the bench is over");
    Ok(session.to_json())
}

fn answer(programs: &Linked, session: Session, world: World<'_>, payload: &Payload) -> Session {
    let what = What::Message(Incoming { payload, quoted: None });
    step(programs, session, world, Event { at: Timestamp::UNIX_EPOCH, what }).session
}

/// What one event costs.
fn event(programs: &Linked, stored: &str) -> Result<Duration> {
    let (contact, tenant) = (contact(), Tenant::default());
    let world = World { contact: &contact, tenant: &tenant };
    let payload = message("algo que no es una opción");
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut bytes = 0;
        for _ in 0..EVENTS {
            let session = Session::from_json(stored)?;
            bytes += answer(programs, session, world, &payload).to_json().len();
        }
        ensure!(bytes > 0, "nothing was written");
        best = best.min(begun.elapsed() / EVENTS);
    }
    Ok(best)
}

fn contact() -> Contact {
    Contact {
        id: ContactId(Uuid::from_u128(1)),
        name: Some("Ana".to_owned()),
        phone: Some("+5491155550000".to_owned()),
        attributes: Map::from_iter([("plan".to_owned(), Value::from("gold"))]),
    }
}

fn message(text: &str) -> Payload {
    Payload {
        from: "+5491155550000".to_owned(),
        to: "+15550001111".to_owned(),
        message: text.to_owned(),
        message_id: "wamid.1".to_owned(),
        tenant_id: "acme".to_owned(),
        contact_name: Some("Ana".to_owned()),
        timestamp: Timestamp::UNIX_EPOCH,
        provider: ProviderName::new("primary"),
        channel: "106500000000000".to_owned(),
        user_id: None,
        content: Content::Text { text: text.to_owned() },
        quotes: None,
        referral: None,
    }
}
