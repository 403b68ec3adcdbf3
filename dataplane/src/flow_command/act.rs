//! What happens in a simulated conversation: what the customer does, and what else moves a session. The same in a
//! script, where each is an item of the list, and at the prompt.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wigwag_crds::common::Span;
use wigwag_domain::{Content, Media, MediaKind};

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// The customer writes, taps, sends a file.
    Customer(Customer),
    /// Time goes by.
    Wait(Span),
    /// A program starts a Flow.
    Start(Start),
    /// A program resumes a conversation that waits for it.
    Resume(Resume),
    /// People give a conversation back.
    Release(Release),
    /// The message that was sent last has failed.
    Fail(Fail),
}

/// A message of the customer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Customer {
    pub said: Said,
    /// The ad or post that led here.
    pub referral: Option<Value>,
}

/// What a customer's message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Said {
    Text(String),
    Tap(Tapped),
    Image(File),
    Video(File),
    Audio(File),
    Voice(File),
    Document(File),
    Sticker(File),
    Location(Place),
    /// The fields of the form that was sent last.
    Form(Value),
    Contacts(Value),
    Order(Value),
}

/// What was tapped: a number, as it is shown, of the newest message that can be tapped; or a title of any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write the number of a button or row, or its title")]
pub(super) enum Tapped {
    Number(usize),
    Title(String),
}

/// A file that the customer sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write a caption, or {caption, filename}")]
pub(super) enum File {
    Caption(Option<String>),
    Whole {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
    },
}

/// A place, as `latitude, longitude` or in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write \"latitude, longitude\", or {latitude, longitude, name, address}")]
pub(super) enum Place {
    Degrees(String),
    Whole {
        latitude: f64,
        longitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
}

/// A Flow that a program starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub flow: String,
    /// What the program says in the customer's place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
}

/// What a program resumes a conversation with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    /// The node at which it waits; any, where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(default)]
    pub data: Value,
}

/// How people give a conversation back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// `next`, `end`, or the name of a node.
    #[serde(default = "next")]
    pub to: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
}

/// Why a message has failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fail {
    /// The provider's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The provider's words.
    #[serde(default = "undeliverable")]
    pub error: String,
}

impl Act {
    /// The act as an item of a script: its key and its value.
    pub fn item(&self) -> (&'static str, Value) {
        let value = |value: serde_json::Result<Value>| value.unwrap_or_default();
        match self {
            Self::Customer(Customer { said: Said::Text(text), referral: None }) => ("customer", json!(text)),
            Self::Customer(Customer { said, referral }) => {
                let mut item = value(serde_json::to_value(said));
                if let Some(referral) = referral {
                    item["referral"] = referral.clone();
                }
                ("customer", item)
            }
            Self::Wait(span) => ("wait", json!(span.to_string())),
            Self::Start(start) => ("start", value(serde_json::to_value(start))),
            Self::Resume(resume) => ("resume", value(serde_json::to_value(resume))),
            Self::Release(release) => ("release", value(serde_json::to_value(release))),
            Self::Fail(fail) => ("fail", value(serde_json::to_value(fail))),
        }
    }
}

impl Said {
    /// A file of a sort.
    pub fn file(kind: MediaKind, caption: Option<String>) -> Self {
        let file = File::Caption(caption);
        match kind {
            MediaKind::Image => Self::Image(file),
            MediaKind::Video => Self::Video(file),
            MediaKind::Audio => Self::Audio(file),
            MediaKind::Voice => Self::Voice(file),
            MediaKind::Document => Self::Document(file),
            MediaKind::Sticker => Self::Sticker(file),
        }
    }
}

impl File {
    /// The file as the provider tells of it.
    pub fn content(&self, kind: MediaKind) -> Content {
        let (caption, filename) = match self {
            Self::Caption(caption) => (caption.clone(), None),
            Self::Whole { caption, filename } => (caption.clone(), filename.clone()),
        };
        let mime_type = match kind {
            MediaKind::Image => "image/jpeg",
            MediaKind::Video => "video/mp4",
            MediaKind::Audio | MediaKind::Voice => "audio/ogg",
            MediaKind::Document => "application/pdf",
            MediaKind::Sticker => "image/webp",
        };
        let caption = caption.filter(|caption| !caption.is_empty());
        Content::Media(Media { kind, id: "media".to_owned(), mime_type: Some(mime_type.to_owned()), caption, filename })
    }
}

impl Place {
    /// The place as the provider tells of it; `None` where the degrees are none.
    pub fn content(&self) -> Option<Content> {
        match self {
            Self::Degrees(degrees) => {
                let (latitude, longitude) = degrees.split_once(',')?;
                let number = |text: &str| f64::from_str(text.trim()).ok().filter(|number| number.is_finite());
                let (latitude, longitude) = (number(latitude)?, number(longitude)?);
                Some(Content::Location { latitude, longitude, name: None, address: None })
            }
            Self::Whole { latitude, longitude, name, address } => Some(Content::Location {
                latitude: *latitude,
                longitude: *longitude,
                name: name.clone(),
                address: address.clone(),
            }),
        }
    }
}

fn next() -> String {
    "next".to_owned()
}

fn undeliverable() -> String {
    "Message undeliverable".to_owned()
}
