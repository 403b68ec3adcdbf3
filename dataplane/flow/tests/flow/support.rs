//! Flows from YAML, customers who write, and what they see.

use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_crds::FlowSpec;
use wigwag_domain::{Body, Choice, ContactId, Content, InboundId, Payload, ProviderName, SessionId, Tap, TapKind};
use wigwag_flow::{Contact, Effect, Event, Incoming, Program, Session, Step, compile, start, step};

/// 2026-01-01T00:00:00Z.
pub const NEW_YEAR: i64 = 1_767_225_600_000;

pub fn spec(yaml: &str) -> FlowSpec {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

/// A program that nothing is wrong with.
pub fn program(name: &str, yaml: &str) -> Program {
    let compiled = compile(name, "0123456789ab", &spec(yaml));
    compiled.program.unwrap_or_else(|| panic!("{:#?}", compiled.findings))
}

pub fn payload(content: Content) -> Payload {
    Payload {
        from: "+5491155550000".to_owned(),
        to: "+15550001111".to_owned(),
        message: content.text().to_owned(),
        message_id: "wamid.1".to_owned(),
        tenant_id: "acme".to_owned(),
        contact_name: Some("Ana".to_owned()),
        timestamp: "2026-01-01T00:00:00Z".parse().unwrap(),
        provider: ProviderName::new("primary"),
        channel: "106500000000000".to_owned(),
        user_id: None,
        content,
        quotes: None,
    }
}

pub fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned() }
}

pub fn tap(choice: &Choice) -> Content {
    let (id, title) = (choice.id.clone(), choice.title.clone());
    Content::Tap(Tap { kind: TapKind::ButtonReply, id, title, description: None })
}

pub fn inbound(millis: i64, number: u64) -> InboundId {
    let millis = u128::from(millis.unsigned_abs());
    InboundId(Uuid::from_u128((millis << 80) | (0x7000_8000 << 32) | u128::from(number)))
}

/// A customer and their conversation with one flow.
pub struct Customer {
    pub program: Program,
    pub contact: Contact,
    pub session: Option<Session>,
    pub now: i64,
    messages: u64,
}

impl Customer {
    pub fn of(yaml: &str) -> Self {
        Self::with(program("welcome", yaml))
    }

    pub fn with(program: Program) -> Self {
        let contact = Contact {
            id: ContactId(Uuid::from_u128(1)),
            name: Some("Ana".to_owned()),
            phone: Some("+5491155550000".to_owned()),
            attributes: Map::new(),
        };
        Self { program, contact, session: None, now: NEW_YEAR, messages: 0 }
    }

    /// Sends a message; the session is stored as JSON in between, as the host does it.
    pub fn send(&mut self, content: Content) -> Step {
        self.now += 1_000;
        self.messages += 1;
        let payload = payload(content);
        let id = inbound(self.now, self.messages);
        let incoming = Incoming::new(id, &payload);
        let open = self.session.take().filter(Session::is_open);
        let run = |session: Option<Session>| match session {
            None => start(&self.program, SessionId::begun_by(id, self.program.name()), &self.contact, incoming),
            Some(session) => step(&self.program, session, &self.contact, Event::Message(incoming)),
        };
        let done = run(open.clone());
        assert_eq!(done, run(open), "the same in gives the same out");
        let stored = done.session.to_json();
        self.session = Some(Session::from_json(&stored).unwrap());
        assert_eq!(self.session.as_ref(), Some(&done.session), "what is stored is what was meant");
        if let Some(attributes) = &done.contact_attributes {
            self.contact.attributes.clone_from(attributes);
        }
        done
    }

    pub fn says(&mut self, words: &str) -> Vec<String> {
        shown(&self.send(text(words)))
    }

    /// Taps on an option of a question.
    pub fn taps(&mut self, question: &Body, title: &str) -> Vec<String> {
        let choice = choices(question).iter().find(|choice| choice.title == title);
        shown(&self.send(tap(choice.unwrap_or_else(|| panic!("no {title} in {question:?}")))))
    }

    pub fn session(&self) -> &Session {
        self.session.as_ref().unwrap()
    }

    /// The context as it is stored.
    pub fn stored_context(&self) -> Value {
        context_of(self.session())
    }

    pub fn context(&self, key: &str) -> Value {
        self.stored_context().get(key).cloned().unwrap_or_else(|| panic!("no {key}"))
    }
}

/// A session's context as it is stored.
pub fn context_of(session: &Session) -> Value {
    let mut stored: Value = serde_json::from_str(&session.to_json()).unwrap();
    stored["context"].take()
}

pub fn bodies(step: &Step) -> Vec<Body> {
    step.effects
        .iter()
        .map(|effect| match effect {
            Effect::Send { body, .. } => body.clone(),
        })
        .collect()
}

pub fn choices(body: &Body) -> &[Choice] {
    match body {
        Body::Buttons { buttons, .. } => buttons,
        Body::List { rows, .. } => rows,
        Body::Text { .. } => &[],
    }
}

/// What the customer sees: each message's text, with the options behind it.
pub fn shown(step: &Step) -> Vec<String> {
    let show = |body: &Body| {
        let (Body::Text { text } | Body::Buttons { text, .. } | Body::List { text, .. }) = body;
        let titles: Vec<_> = choices(body).iter().map(|choice| format!("[{}]", choice.title)).collect();
        [vec![text.clone()], titles].concat().join(" ")
    };
    bodies(step).iter().map(show).collect()
}
