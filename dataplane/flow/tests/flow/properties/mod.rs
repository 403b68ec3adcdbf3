//! Any spec, any events: no panic, no budget broken, the same out for the same in.

mod acts;
mod specs;

use std::collections::HashSet;

use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use uuid::Uuid;
use wigwag_crds::{FlowSpec, flow::Severity};
use wigwag_domain::{
    Body, CallHeaderValue, Choice, Content, EffectId, Header, HttpCall, MediaSource, OutboundId, OutboundMedia,
    ProviderName, SignalId, TemplateMessage, TemplateValue,
};
use wigwag_flow::{Effect, Linked, Program, Session, SessionStatus, Step, What, compile};

use crate::support::{Customer, choices, payload, tap, text};
use acts::{Act, act};
use specs::{FEW, FLOWS, MANY, definitions, specs};

/// Whether a text is one that a provider takes.
fn units(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.encode_utf16().count()) && !text.trim().is_empty()
}

fn line(text: Option<&String>, max: usize) -> bool {
    text.is_none_or(|text| units(text, max))
}

fn file(media: &OutboundMedia) -> bool {
    let (MediaSource::Url(source) | MediaSource::Id(source)) = &media.source;
    units(source, 2_000) && line(media.caption.as_ref(), 1_024) && line(media.filename.as_ref(), 240)
}

fn approved(template: &TemplateMessage) -> bool {
    template.parameters.iter().all(|parameter| match &parameter.value {
        TemplateValue::Text(text) => units(text, 1_024) && !text.contains(['\n', '\t']) && !text.contains("  "),
        TemplateValue::Media(media) => file(media),
    })
}

fn fits(body: &Body) -> bool {
    let all = choices(body);
    let unlike = all.iter().enumerate().all(|(place, one)| all[..place].iter().all(|other| one.title != other.title));
    let row = |row: &Choice, id: usize, title: usize| units(&row.id, id) && units(&row.title, title);
    let no_nul = !serde_json::to_string(body).unwrap().contains("\\u0000");
    let kind = match body {
        Body::Text { text } => units(text, 4_096),
        Body::Buttons { header, text, footer, buttons } => {
            let header = match header {
                None => true,
                Some(Header::Text(text)) => units(text, 60),
                Some(Header::Media(media)) => file(media) && media.caption.is_none(),
            };
            let buttons_fit = buttons.iter().all(|one| row(one, 256, 20) && one.description.is_none());
            header && units(text, 1_024) && line(footer.as_ref(), 60) && (1..=3).contains(&buttons.len()) && buttons_fit
        }
        Body::List { header, text, footer, button, rows } => {
            let rows_fit = rows.iter().all(|one| row(one, 200, 24) && line(one.description.as_ref(), 72));
            let lines = line(header.as_ref(), 60) && line(footer.as_ref(), 60) && units(button, 20);
            lines && units(text, 4_096) && (4..=10).contains(&rows.len()) && rows_fit
        }
        Body::Media(media) => file(media),
        Body::Template(template) => approved(template),
        Body::Form(form) => {
            let lines = line(form.header.as_ref(), 60) && line(form.footer.as_ref(), 60);
            let data = form.data.as_ref().is_none_or(|data| data.as_object().is_some_and(|data| !data.is_empty()));
            lines && units(&form.text, 1_024) && units(&form.cta, 30) && data
        }
    };
    kind && unlike && no_nul
}

/// Whether a call is one that may go out: where the flow says, without a header in a header.
fn may_go_out(call: &HttpCall) -> bool {
    let rest = call.url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let printable = call.url.bytes().all(|byte| byte.is_ascii_graphic());
    let headers = call.headers.iter().all(|header| match &header.value {
        CallHeaderValue::Plain(value) => !value.contains(char::is_control),
        CallHeaderValue::Secret { .. } => true,
    });
    let body = call.body.as_ref().is_none_or(|body| body.text.len() <= 64 * 1_024);
    rest.split('/').next() == Some("a.example.com")
        && !path.split('/').any(|part| part == "..")
        && printable
        && headers
        && body
}

/// All that the host knows of a conversation.
struct Host {
    customer: Customer,
    taps: Vec<Choice>,
    forms: Vec<String>,
    calls: Vec<EffectId>,
    signals: Vec<SignalId>,
    sends: Vec<OutboundId>,
    /// Every id of an effect that there ever was.
    ids: HashSet<Uuid>,
    /// When the session's timer goes off.
    timer: Option<Timestamp>,
}

fn nth<T: Clone>(seen: &[T], which: usize) -> Option<T> {
    (!seen.is_empty()).then(|| seen[which % seen.len()].clone())
}

impl Host {
    fn of(programs: Linked) -> Self {
        let mut customer = Customer::with(programs)
            .at("locale: {timezone: America/Argentina/Buenos_Aires, language: es, languages: [es, pt-BR]}, \
             variables: {shop: Acme}, fallbackMessage: 'Perdón, {{ contact.name }}'");
        customer.contact.attributes.insert("x".to_owned(), json!([1, "a"]));
        let (taps, forms, calls, signals, sends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { customer, taps, forms, calls, signals, sends, ids: HashSet::new(), timer: None }
    }

    /// Lets it happen; none where nobody would tell the engine of it.
    fn act(&mut self, act: Act) -> Option<Step> {
        self.customer.now += 1_000;
        let open = self.customer.session.as_ref().is_some_and(Session::is_open);
        let step = match act {
            Act::Say(words) => self.customer.send(text(&words)),
            Act::SayElsewhere(words) => {
                let mut payload = payload(text(&words));
                payload.provider = ProviderName::new("second");
                self.customer.deliver(&payload, None)
            }
            Act::Tap(which) => {
                let content = nth(&self.taps, which).map_or_else(|| text("hola"), |choice| tap(&choice));
                let quoted = nth(&self.sends, which);
                self.customer.deliver(&payload(content), quoted)
            }
            Act::Send(content) if open || content.steps_a_session() => self.customer.send(content),
            Act::AnswerForm(which, mut answer) => {
                if let (Some(answer), Some(token)) = (answer.as_object_mut(), nth(&self.forms, which)) {
                    answer.insert("flow_token".to_owned(), token.into());
                }
                self.customer.send(Content::Form { answer })
            }
            _ if !open => return None,
            Act::Timer => {
                let timer = self.timer.unwrap_or_else(|| panic!("an open session has a timer"));
                self.customer.now = self.customer.now.max(timer.as_millisecond());
                self.fire()
            }
            Act::TimerAfter(millis) => {
                self.customer.now += i64::from(millis);
                self.fire()
            }
            Act::Result(which, result) => self.customer.event(What::Result(nth(&self.calls, which)?, &result)),
            Act::Resume(which, data) => self.customer.event(What::Resumed(nth(&self.signals, which)?, &data)),
            Act::Release(release) => self.customer.event(What::Released(&release)),
            Act::Move(node) => self.customer.event(What::Moved(node)),
            Act::FailSend(which, code) => {
                self.customer.event(What::SendFailed(nth(&self.sends, which)?, code, "so it went"))
            }
            Act::OptOut => {
                self.customer.contact.attributes.insert("optedOut".to_owned(), true.into());
                return None;
            }
            Act::Send(_) => return None,
        };
        Some(step)
    }

    fn fire(&mut self) -> Step {
        if let Some(session) = &mut self.customer.session {
            session.disarm();
        }
        self.timer = None;
        self.customer.event(What::Timer)
    }

    /// Looks at what came of it, as the host does, and remembers it.
    fn take(&mut self, before: Option<&Session>, step: &Step) -> Result<(), TestCaseError> {
        let session = &step.session;
        let began = before.is_none_or(|before| before.id != session.id);
        if step.taken {
            prop_assert_eq!(step.failure.is_some(), session.status() == SessionStatus::Errored);
        } else {
            prop_assert_eq!(Some(session), before, "what is not taken leaves no trace");
            prop_assert!(step.effects.is_empty() && step.passages.is_empty() && step.problems.is_empty());
            prop_assert_eq!(&step.contact_attributes, &None);
        }
        if step.failure.is_some() {
            prop_assert!(step.effects.len() <= 1 && step.contact_attributes.is_none(), "only the fallback goes out");
        }
        self.take_effects(step)?;
        within_budgets(step)?;
        prop_assert_eq!(session.is_open(), session.waits_for().is_some(), "a step ends waiting, or ends");
        prop_assert_eq!(session.is_open(), session.due().is_some(), "an open session always has a time");
        self.signals.extend(session.waits_for_signal());

        if began {
            self.timer = None;
        }
        let mut armed = session.clone();
        if let Some(timer) = armed.rearm() {
            self.timer = Some(timer);
        }
        if let Some(due) = session.due() {
            prop_assert!(self.timer.is_some_and(|timer| timer <= due), "{:?} is late for {due}", self.timer);
        }
        self.customer.session = Some(armed);
        Ok(())
    }

    fn take_effects(&mut self, step: &Step) -> Result<(), TestCaseError> {
        for effect in &step.effects {
            let id = match effect {
                Effect::Send { id, body, fallback } => {
                    prop_assert!(fits(body), "{:?}", body);
                    prop_assert!(fallback.as_ref().is_none_or(approved), "{:?}", fallback);
                    self.sends.push(*id);
                    self.taps.extend(choices(body).iter().cloned());
                    if let Body::Form(form) = body {
                        self.forms.push(form.token.clone());
                    }
                    id.0
                }
                Effect::Call { id, call, deadline } => {
                    prop_assert!(may_go_out(call), "{:?}", call);
                    prop_assert!(*deadline > self.customer.at_now());
                    prop_assert_eq!(step.session.waits_for(), Some("result"));
                    self.calls.push(*id);
                    id.0
                }
            };
            prop_assert!(self.ids.insert(id), "the id {} was given before", id);
        }
        Ok(())
    }
}

fn within_budgets(step: &Step) -> Result<(), TestCaseError> {
    let stored = step.session.to_json();
    prop_assert!(stored.len() < 512 * 1_024, "{} bytes", stored.len());
    prop_assert!(!stored.contains("\\u0000"), "{}", stored);
    let variables = serde_json::to_string(&step.session.variables).unwrap();
    prop_assert!(variables.len() <= 80 * 1_024, "{} bytes", variables.len());
    if let Some(attributes) = &step.contact_attributes {
        let attributes = Value::Object(attributes.clone()).to_string();
        prop_assert!(attributes.len() <= 20 * 1_024, "{} bytes", attributes.len());
    }
    prop_assert!(step.passages.len() <= 600 && step.problems.len() <= 100, "{} passages", step.passages.len());
    Ok(())
}

fn converse(programs: Linked, acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut host = Host::of(programs);
    for act in acts {
        let before = host.customer.session.clone();
        let is_timer = matches!(act, Act::Timer | Act::TimerAfter(_));
        if let Some(step) = host.act(act) {
            let before = before.map(|mut session| {
                if is_timer {
                    session.disarm();
                }
                session
            });
            host.take(before.as_ref(), &step)?;
        }
    }
    Ok(())
}

fn programs(specs: &[FlowSpec]) -> Option<Linked> {
    let compiled: Vec<Option<Program>> =
        FLOWS.iter().zip(specs).map(|(name, spec)| compile(name, "0123456789ab", spec).program).collect();
    let root = compiled.first()?.clone()?;
    Some(Linked::new(root, |name| compiled.iter().flatten().find(|program| program.name() == name).cloned()))
}

fn check(spec: &FlowSpec) -> Result<Option<Program>, TestCaseError> {
    let compiled = compile("f", "0123456789ab", spec);
    let errors = compiled.findings.iter().any(|finding| finding.severity == Severity::Error);
    prop_assert_eq!(compiled.program.is_none(), errors);
    prop_assert!(compiled.findings.len() <= 101);
    for finding in &compiled.findings {
        prop_assert!(!finding.field.is_empty() || finding.message.contains("write one"), "{}", finding);
        prop_assert!(finding.message.len() < 1_000, "{}", finding);
    }
    Ok(compiled.program)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_flow_and_any_events_keep_the_budgets(specs in vec(specs(FEW), 2), acts in vec(act(), 1..25)) {
        if let Some(programs) = programs(&specs) {
            converse(programs, acts)?;
        }
    }

    #[test]
    fn any_flow_of_the_editor_and_any_events_keep_the_budgets(spec in definitions(), acts in vec(act(), 1..15)) {
        if let Some(program) = check(&spec)? {
            converse(program.into(), acts)?;
        }
    }

    #[test]
    fn any_spec_is_compiled_or_refused_with_an_error(spec in specs(MANY)) {
        check(&spec)?;
    }
}

#[test]
fn most_flows_of_these_tests_run() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut native = || compile("f", "0", &specs(FEW).new_tree(&mut runner).unwrap().current()).program;
    let run = (0..200).filter_map(|_| native()).count();
    assert!(run >= 100, "{run} of 200");
    let mut runner = TestRunner::deterministic();
    let mut editors = || compile("f", "0", &definitions().new_tree(&mut runner).unwrap().current()).program;
    let run = (0..200).filter_map(|_| editors()).count();
    assert!(run >= 40, "{run} of 200");
}
