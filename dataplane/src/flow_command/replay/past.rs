//! What the database keeps of a session, read back into what its steps took.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;
use wigwag_domain::{Body, CallResult, OutboundId, Payload, SessionId};
use wigwag_flow::{Contact, Release, ReleaseTo};
use wigwag_store::{
    PgPool,
    session_event::{self, Begun, Event},
};

use super::Error;
use crate::signals::Told;

/// A session and all that happened to it.
#[derive(Debug)]
pub(super) struct Past {
    pub id: SessionId,
    pub begun: Begun,
    pub events: Vec<Taken>,
    pub sent: HashMap<OutboundId, Body>,
}

/// Something that the session took.
#[derive(Debug)]
pub(super) struct Taken {
    pub number: u32,
    pub at: Timestamp,
    pub source: Uuid,
    pub contact: Contact,
    pub what: Matter,
}

/// What it took.
#[derive(Debug)]
pub(super) enum Matter {
    /// A message, and variables that are there from the beginning.
    Message(Box<Payload>, Map<String, Value>),
    Timer,
    Result(CallResult),
    Resumed(Value),
    Released(Release),
    Moved(String),
    SendFailed(Option<i64>, String),
}

/// The contact as a step saw it.
#[derive(Deserialize)]
struct Seen {
    name: Option<String>,
    phone: Option<String>,
    attributes: Map<String, Value>,
}

/// Why a message failed.
#[derive(Deserialize)]
struct Failed {
    code: Option<i64>,
    error: String,
}

impl Past {
    /// Reads a session.
    pub async fn read(pool: &PgPool, id: SessionId) -> Result<Self, Error> {
        let begun = session_event::begun(pool, id).await?.ok_or(Error::NoSession(id))?;
        let events = session_event::all(pool, id).await?;
        let sent = session_event::sent(pool, id, begun.contact).await?;
        let taken = |event: Event| {
            let number = event.number;
            Taken::read(&begun, event).map_err(|why| Error::Event { number, why })
        };
        let events = events.into_iter().map(taken).collect::<Result<_, _>>()?;
        let body = |sent: session_event::Sent| serde_json::from_str(&sent.body).ok().map(|body| (sent.id, body));
        let sent = sent.into_iter().filter_map(body).collect();
        Ok(Self { id, begun, events, sent })
    }
}

impl Taken {
    fn read(begun: &Begun, event: Event) -> Result<Self, String> {
        let Seen { name, phone, attributes } = read("the contact", Some(&event.contact))?;
        let contact = Contact { id: begun.contact, name, phone, attributes };
        let told = || read::<Told>("what was told", event.told.as_ref());
        let other = || Err("what was told is something else".to_owned());
        let what = match event.kind.as_str() {
            "message" => match &event.message {
                Some(message) => Matter::Message(read("the message", Some(message))?, Map::new()),
                None => match told()? {
                    Told::Start { message, variables, .. } => Matter::Message(message, variables),
                    Told::Restart { message } => Matter::Message(message, Map::new()),
                    _ => return other(),
                },
            },
            "timer" => Matter::Timer,
            "result" => Matter::Result(read("the result", event.body.as_ref())?),
            "resumed" => match told()? {
                Told::Resume { data } => Matter::Resumed(data),
                _ => return other(),
            },
            "released" => match told()? {
                Told::Release { to, variables } => {
                    let to = match to.as_str() {
                        "next" => ReleaseTo::Next,
                        "end" => ReleaseTo::End,
                        node => ReleaseTo::Node(node.to_owned()),
                    };
                    Matter::Released(Release { to, variables })
                }
                _ => return other(),
            },
            "moved" => match told()? {
                Told::Move { node } => Matter::Moved(node),
                _ => return other(),
            },
            "send_failed" => {
                let Failed { code, error } = read("the failure", event.body.as_ref())?;
                Matter::SendFailed(code, error)
            }
            kind => return Err(format!("{kind:?} is no sort of event that this version knows")),
        };
        let number = u32::try_from(event.number).unwrap_or_default();
        Ok(Self { number, at: event.at, source: event.source, contact, what })
    }
}

fn read<T: DeserializeOwned>(what: &str, text: Option<&String>) -> Result<T, String> {
    let text = text.ok_or_else(|| format!("{what} is not in the database any more"))?;
    serde_json::from_str(text).map_err(|error| format!("{what} does not read: {error}"))
}
