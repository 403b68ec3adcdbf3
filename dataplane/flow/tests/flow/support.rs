//! Flows from YAML, customers who write, and what they see.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_crds::FlowSpec;
use wigwag_domain::{
    Body, CallResult, Choice, ContactId, Content, EffectId, HttpCall, OutboundId, Payload, ProviderName, SessionId,
    Tap, TapKind,
};
use wigwag_flow::{
    Contact, Effect, Event, Incoming, Linked, Program, ResumeKey, Session, Step, Tenant, What, World, compile, start,
    step,
};

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

/// A flow that anything starts, with these nodes, of which `a` comes first.
pub fn flow(nodes: &str) -> String {
    flow_with("", nodes)
}

/// The same with more fields in its spec, each with a comma behind it.
pub fn flow_with(fields: &str, nodes: &str) -> String {
    format!("{{tenantRef: {{name: acme}}, triggers: [{{default: {{}}}}], start: a, {fields} nodes: [{nodes}]}}")
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
        referral: None,
    }
}

pub fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned() }
}

pub fn tap(choice: &Choice) -> Content {
    let (id, title) = (choice.id.clone(), choice.title.clone());
    Content::Tap(Tap { kind: TapKind::ButtonReply, id, title, description: None })
}

/// A customer and their conversation with one flow, and those that it calls.
pub struct Customer {
    pub programs: Linked,
    pub tenant: Tenant,
    pub contact: Contact,
    pub session: Option<Session>,
    /// Milliseconds since 1970.
    pub now: i64,
    sessions: u128,
}

impl Customer {
    pub fn of(yaml: &str) -> Self {
        Self::with(program("welcome", yaml).into())
    }

    pub fn with(programs: Linked) -> Self {
        let contact = Contact {
            id: ContactId(Uuid::from_u128(1)),
            name: Some("Ana".to_owned()),
            phone: Some("+5491155550000".to_owned()),
            attributes: Map::new(),
        };
        Self { programs, tenant: Tenant::default(), contact, session: None, now: NEW_YEAR, sessions: 0 }
    }

    /// A customer of a flow with these nodes.
    pub fn of_nodes(nodes: &str) -> Self {
        Self::of(&flow(nodes))
    }

    /// A customer of the first of these flows, which may call the others.
    pub fn of_all(flows: &[(&str, &str)]) -> Self {
        let programs: Vec<_> = flows.iter().map(|(name, yaml)| program(name, yaml)).collect();
        let find = |name: &str| programs.iter().find(|program| program.name() == name).cloned();
        Self::with(Linked::new(programs[0].clone(), find))
    }

    /// The customer of a tenant with these settings.
    pub fn at(mut self, tenant: &str) -> Self {
        let yaml = format!("{{providers: [], database: {{secretRef: {{name: d, key: url}}}}, {tenant}}}");
        let spec = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let (tenant, findings) = Tenant::compile(&spec);
        assert!(findings.is_empty(), "{findings:?}");
        self.tenant = tenant.with_resume("https://acme.example.com".to_owned(), ResumeKey::new([7; 32]));
        self
    }

    /// Sends a message; the session is stored as JSON in between, as the host does it.
    pub fn send(&mut self, content: Content) -> Step {
        self.deliver(&payload(content), None)
    }

    pub fn deliver(&mut self, payload: &Payload, quoted: Option<OutboundId>) -> Step {
        self.now += 1_000;
        let incoming = Incoming { payload, quoted };
        match self.session.take().filter(Session::is_open) {
            Some(session) => {
                self.session = Some(session);
                self.event(What::Message(incoming))
            }
            None => {
                self.sessions += 1;
                let id = SessionId(Uuid::from_u128(self.sessions));
                let at = self.at_now();
                self.twice(|customer| {
                    let world = World { contact: &customer.contact, tenant: &customer.tenant };
                    start(&customer.programs, id, world, at, incoming, Map::new())
                })
            }
        }
    }

    /// Something else happens, now.
    pub fn event(&mut self, what: What<'_>) -> Step {
        let at = self.at_now();
        let session = self.session.clone().unwrap();
        self.twice(|customer| {
            let world = World { contact: &customer.contact, tenant: &customer.tenant };
            step(&customer.programs, session.clone(), world, Event { at, what })
        })
    }

    /// Time goes by, and the timer goes off.
    pub fn after(&mut self, span: Duration) -> Step {
        self.now += i64::try_from(span.as_millis()).unwrap();
        self.event(What::Timer)
    }

    /// The result of a call comes.
    pub fn result(&mut self, id: EffectId, result: &CallResult) -> Step {
        self.now += 1_000;
        self.event(What::Result(id, result))
    }

    pub fn at_now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now).unwrap()
    }

    fn twice(&mut self, run: impl Fn(&Self) -> Step) -> Step {
        let done = run(self);
        assert_eq!(done, run(self), "the same in gives the same out");
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

    pub fn variable(&self, name: &str) -> &Value {
        self.session().variables.get(name).unwrap_or(&Value::Null)
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
    let sends = step.effects.iter().filter_map(|effect| match effect {
        Effect::Send { body, .. } => Some(body.clone()),
        Effect::Call { .. } => None,
    });
    sends.collect()
}

/// The one message that goes out.
pub fn body(step: &Step) -> Body {
    let mut bodies = bodies(step);
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    bodies.remove(0)
}

/// The ids of the messages that go out.
pub fn sent(step: &Step) -> Vec<OutboundId> {
    let sends = step.effects.iter().filter_map(|effect| match effect {
        Effect::Send { id, .. } => Some(*id),
        Effect::Call { .. } => None,
    });
    sends.collect()
}

/// The calls that go out.
pub fn calls(step: &Step) -> Vec<(EffectId, HttpCall)> {
    let calls = step.effects.iter().filter_map(|effect| match effect {
        Effect::Call { id, call, .. } => Some((*id, call.clone())),
        Effect::Send { .. } => None,
    });
    calls.collect()
}

/// Fields and sorts of what did not work out.
pub fn problems(step: &Step) -> Vec<(&str, &str)> {
    step.problems.iter().map(|problem| (problem.field.as_str(), problem.kind.as_str())).collect()
}

pub fn choices(body: &Body) -> &[Choice] {
    match body {
        Body::Buttons { buttons, .. } => buttons,
        Body::List { rows, .. } => rows,
        _ => &[],
    }
}

/// What the customer sees: each message's text, with the options behind it.
pub fn shown(step: &Step) -> Vec<String> {
    let show = |body: &Body| {
        let text = match body {
            Body::Text { text } | Body::Buttons { text, .. } | Body::List { text, .. } => text.clone(),
            Body::Media(media) => {
                format!("{:?} {:?} {}", media.kind, media.source, media.caption.as_deref().unwrap_or(""))
            }
            Body::Template(template) => format!("template {} {}", template.name, template.language),
            Body::Form(form) => format!("form {} {}", form.flow_id, form.text),
        };
        let titles: Vec<_> = choices(body).iter().map(|choice| format!("[{}]", choice.title)).collect();
        [vec![text], titles].concat().join(" ")
    };
    bodies(step).iter().map(show).collect()
}
