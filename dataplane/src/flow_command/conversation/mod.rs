//! A conversation without a provider, a database or a wall clock: one contact, and the same routing and the same steps
//! as in production around it. Its clock stands still until it is moved, its ids are the same in each run.
//!
//! What the customer would see, and what is worth a note to the flow's author, goes to [`Outside`], which also answers
//! the calls.
//!
//! | module | what |
//! | --- | --- |
//! | `host` | what happens, in order: jobs, timers, messages that wait, sessions as they are stored |
//! | `notes` | words for what the customer does not see |

mod host;
mod notes;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wigwag_domain::{
    Body, CallResult, ContactId, Content, EffectId, HttpCall, InboundId, MediaKind, OutboundId, Payload, ProviderName,
    SessionId, Tap,
};
use wigwag_flow::{Contact, Linked, Program, Session, Tenant, escaped};

use super::{
    act::{Act, Customer, Fail, Release, Resume, Said, Start, Tapped},
    manifests::Setting,
    screen,
};
use crate::signals::Told;

/// Who writes, unless the script says otherwise.
const NAME: &str = "Ana";
const PHONE: &str = "+34600111222";

/// What is around a conversation.
pub(super) trait Outside {
    /// A message reached the customer.
    fn said(&mut self, body: &Body);
    /// Something that the customer does not see.
    fn note(&mut self, note: &str);
    /// A call is made: its answer. A call without one stays open.
    fn answer(&mut self, call: &HttpCall) -> Option<CallResult>;
}

/// With whom, and when, a conversation begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub attributes: Map<String, Value>,
    /// Variables that the first session has from its beginning.
    pub variables: Map<String, Value>,
    /// 2026-01-05 09:00 in the tenant's zone, where nothing is said.
    pub now: Option<Timestamp>,
}

/// A conversation.
pub(super) struct Conversation {
    flows: Vec<Program>,
    tenant: Tenant,
    zone: TimeZone,
    contact: Contact,
    now: Timestamp,
    /// For the next session that begins.
    variables: Map<String, Value>,
    /// Open sessions, the one that changed last at the end.
    open: Vec<Stored>,
    timers: BTreeMap<SessionId, Timestamp>,
    /// What is to be routed.
    ready: VecDeque<Job>,
    /// Messages that wait for the contact's own session.
    mailbox: VecDeque<Job>,
    held_until: Option<Timestamp>,
    /// What is looked at again later.
    put_off: Vec<(Timestamp, Job)>,
    /// Calls that came to `waitFor` nodes before a session did.
    early: Vec<(String, Value)>,
    /// When the customer wrote last.
    written: Option<Timestamp>,
    /// What reached the customer.
    sent: Vec<Sent>,
    /// The session that changed last, and why it failed.
    last: Option<(Session, Option<String>)>,
    /// Ids that were given out.
    ids: u64,
}

/// A session as it is stored, with the programs that it runs for life.
struct Stored {
    json: String,
    programs: Linked,
}

/// A message that was sent.
struct Sent {
    id: OutboundId,
    session: SessionId,
    body: Body,
}

/// Something to be routed.
struct Job {
    source: Uuid,
    at: Timestamp,
    what: Matter,
}

/// What a job is about.
enum Matter {
    Message(Box<Payload>),
    Timer(SessionId),
    Result(SessionId, EffectId, CallResult),
    Told(Option<SessionId>, Told),
    Failure(SessionId, OutboundId, Option<i64>, String),
}

impl Conversation {
    /// A conversation that has not begun.
    pub fn new(setting: Setting, beginning: Beginning) -> Self {
        let Setting { flows, tenant, zone } = setting;
        let Beginning { name, phone, attributes, variables, now } = beginning;
        let phone = phone.unwrap_or_else(|| PHONE.to_owned());
        // Another phone is another contact, whom a split may send another way.
        let id = ContactId(SessionId::begun_by(InboundId(Uuid::nil()), &phone).0);
        let name = Some(name.unwrap_or_else(|| NAME.to_owned()));
        Self {
            flows,
            tenant,
            contact: Contact { id, name, phone: Some(phone), attributes },
            now: now.unwrap_or_else(|| start_of(&zone)),
            zone,
            variables,
            open: Vec::new(),
            timers: BTreeMap::new(),
            ready: VecDeque::new(),
            mailbox: VecDeque::new(),
            held_until: None,
            put_off: Vec::new(),
            early: Vec::new(),
            written: None,
            sent: Vec::new(),
            last: None,
            ids: 0,
        }
    }

    /// Lets something happen, with all that it leads to.
    ///
    /// # Errors
    /// When it cannot happen as things stand: nothing offers what was tapped, nobody waits to be resumed.
    pub fn act(&mut self, act: &Act, outside: &mut impl Outside) -> Result<(), String> {
        match act {
            Act::Customer(customer) => self.say(customer)?,
            Act::Wait(span) => {
                let span = SignedDuration::try_from(span.duration()).unwrap_or(SignedDuration::MAX);
                self.pass(span, outside);
            }
            Act::Start(start) => self.start(start)?,
            Act::Resume(resume) => self.resume(resume, outside)?,
            Act::Release(release) => self.release(release)?,
            Act::Fail(fail) => self.fail(fail)?,
        }
        self.settle(outside);
        Ok(())
    }

    /// Who writes.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The time on the conversation's clock, in the tenant's zone.
    pub fn time(&self) -> jiff::Zoned {
        self.now.to_zoned(self.zone.clone())
    }

    /// The session that changed last, and why it failed, if it did.
    pub fn last(&self) -> Option<(&Session, Option<&str>)> {
        self.last.as_ref().map(|(session, failure)| (session, failure.as_deref()))
    }

    /// Where the open session that changed last stands, in words.
    pub fn standing(&self) -> String {
        match self.sessions().last() {
            Some(session) => format!(
                "Flow {:?} stands at {:?} and waits for {}",
                session.stands_in(),
                session.node,
                session.waits_for().unwrap_or("nothing")
            ),
            None => "none is open".to_owned(),
        }
    }

    /// Whether the message that reached the customer last offers so many things to tap.
    pub fn offers(&self, number: usize) -> bool {
        let taps = self.sent.last().map_or(0, |sent| screen::taps(&sent.body).len());
        (1..=taps).contains(&number)
    }

    fn say(&mut self, customer: &Customer) -> Result<(), String> {
        let content = self.content(&customer.said)?;
        let source = self.new_id();
        let mut payload = self.payload(content, source);
        payload.referral.clone_from(&customer.referral);
        self.written = Some(self.now);
        let what = match self.begins(&payload) {
            Some(flow) => {
                let variables = std::mem::take(&mut self.variables);
                Matter::Told(None, Told::Start { flow, message: Box::new(payload), variables })
            }
            None => Matter::Message(Box::new(payload)),
        };
        self.ready.push_back(Job { source, at: self.now, what });
        Ok(())
    }

    /// The Flow that a message begins with the variables that were given for it.
    fn begins(&self, message: &Payload) -> Option<String> {
        let is_first = !self.variables.is_empty() && self.open.is_empty();
        if !is_first || escaped(&self.tenant, None, message).is_some() {
            return None;
        }
        let running = self.flows.iter().filter(|flow| !flow.is_suspended());
        wigwag_flow::best(running, message).map(|flow| flow.name().to_owned())
    }

    fn content(&self, said: &Said) -> Result<Content, String> {
        Ok(match said {
            Said::Text(text) => Content::Text { text: text.clone() },
            Said::Tap(tapped) => Content::Tap(self.tap(tapped)?),
            Said::Image(file) => file.content(MediaKind::Image),
            Said::Video(file) => file.content(MediaKind::Video),
            Said::Audio(file) => file.content(MediaKind::Audio),
            Said::Voice(file) => file.content(MediaKind::Voice),
            Said::Document(file) => file.content(MediaKind::Document),
            Said::Sticker(file) => file.content(MediaKind::Sticker),
            Said::Location(place) => {
                place.content().ok_or("a place has two numbers: write latitude, longitude, such as 40.42, -3.70")?
            }
            Said::Form(answer) => {
                let token = self.sent.iter().rev().find_map(|sent| match &sent.body {
                    Body::Form(form) => Some(&form.token),
                    _ => None,
                });
                let token = token.ok_or("no form was sent that could be answered")?;
                let mut answer = answer.clone();
                if let Some(fields) = answer.as_object_mut() {
                    fields.entry("flow_token").or_insert_with(|| json!(token));
                }
                Content::Form { answer }
            }
            Said::Contacts(contacts) => Content::Contacts { contacts: contacts.clone() },
            Said::Order(order) => Content::Order { order: order.clone() },
        })
    }

    fn tap(&self, tapped: &Tapped) -> Result<Tap, String> {
        let mut offers = self.sent.iter().rev().map(|sent| screen::taps(&sent.body)).filter(|taps| !taps.is_empty());
        let found = match tapped {
            Tapped::Number(number) => offers.next().and_then(|taps| taps.into_iter().nth(number.checked_sub(1)?)),
            Tapped::Title(title) => offers.flatten().find(|tap| tap.title == *title),
        };
        found.ok_or_else(|| {
            let newest = self.sent.iter().rev().map(|sent| screen::taps(&sent.body)).find(|taps| !taps.is_empty());
            let titles: Vec<_> = newest.iter().flatten().map(|tap| format!("{:?}", tap.title)).collect();
            let offered = if titles.is_empty() { "nothing".to_owned() } else { titles.join(", ") };
            match tapped {
                Tapped::Number(number) => format!("there is no {number} to tap: the bot offers {offered}"),
                Tapped::Title(title) => format!("there is no {title:?} to tap: the bot offers {offered}"),
            }
        })
    }

    fn start(&mut self, start: &Start) -> Result<(), String> {
        let Start { flow, message, variables } = start;
        if !self.flows.iter().any(|program| program.name() == flow) {
            let names: Vec<_> = self.flows.iter().map(|program| format!("{:?}", program.name())).collect();
            return Err(format!("there is no Flow {flow:?}: write one of {}", names.join(", ")));
        }
        let source = self.new_id();
        let content = Content::Text { text: message.clone() };
        // No provider gave it an id: by that a Flow tells that the customer did not write.
        let message = Box::new(Payload { message_id: String::new(), ..self.payload(content, source) });
        let told = Told::Start { flow: flow.clone(), message, variables: variables.clone() };
        self.ready.push_back(Job { source, at: self.now, what: Matter::Told(None, told) });
        Ok(())
    }

    fn resume(&mut self, resume: &Resume, outside: &mut impl Outside) -> Result<(), String> {
        let Resume { node, data } = resume;
        let sessions = self.sessions();
        let is_meant = |session: &&Session| node.as_ref().is_none_or(|node| session.node == *node);
        let waiting = sessions.iter().filter(is_meant).find_map(|one| Some((one.id, one.waits_for_signal()?)));
        if let Some((session, signal)) = waiting {
            let what = Matter::Told(Some(session), Told::Resume { data: data.clone() });
            self.ready.push_back(Job { source: signal.0, at: self.now, what });
            return Ok(());
        }
        let comes_by = |node: &String| {
            let mut programs = self.open.iter().map(|stored| stored.programs.root());
            programs.any(|program| program.has_node(node)).then(|| node.clone())
        };
        match node.as_ref().and_then(comes_by) {
            Some(node) => {
                outside.note(&format!("the call is kept until the conversation stands at {node:?}"));
                self.early.push((node, data.clone()));
                Ok(())
            }
            None => Err(self.nobody("to be resumed")),
        }
    }

    fn release(&mut self, release: &Release) -> Result<(), String> {
        let Some(session) = self.sessions().into_iter().find(Session::is_with_people) else {
            return Err(self.nobody("to be released"));
        };
        let told = Told::Release { to: release.to.clone(), variables: release.variables.clone() };
        let source = self.new_id();
        self.ready.push_back(Job { source, at: self.now, what: Matter::Told(Some(session.id), told) });
        Ok(())
    }

    fn fail(&mut self, fail: &Fail) -> Result<(), String> {
        let sent = self.sent.last().ok_or("nothing was sent that could fail")?;
        let what = Matter::Failure(sent.session, sent.id, fail.code, fail.error.clone());
        self.ready.push_back(Job { source: sent.id.0, at: self.now, what });
        Ok(())
    }

    fn nobody(&self, for_what: &str) -> String {
        format!("no conversation waits {for_what}: {}", self.standing())
    }

    /// The open sessions, read back from what is stored.
    fn sessions(&self) -> Vec<Session> {
        self.open.iter().filter_map(|stored| Session::from_json(&stored.json).ok()).collect()
    }

    fn payload(&self, content: Content, source: Uuid) -> Payload {
        Payload {
            from: self.contact.phone.clone().unwrap_or_default(),
            to: "+15550001111".to_owned(),
            message: content.text().to_owned(),
            message_id: format!("wamid.{source}"),
            tenant_id: "simulated".to_owned(),
            contact_name: self.contact.name.clone(),
            timestamp: self.now,
            provider: ProviderName::new("simulated"),
            channel: "simulated".to_owned(),
            user_id: None,
            content,
            quotes: None,
            referral: None,
        }
    }

    /// An id with the time in front, as a message has it.
    fn new_id(&mut self) -> Uuid {
        self.ids += 1;
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&self.ids.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(self.now.as_millisecond().unsigned_abs(), &rest).into_uuid()
    }
}

/// Monday, 2026-01-05, at 9 in the morning.
fn start_of(zone: &TimeZone) -> Timestamp {
    let morning = jiff::civil::date(2026, 1, 5).at(9, 0, 0, 0);
    zone.to_timestamp(morning).unwrap_or(Timestamp::UNIX_EPOCH)
}
