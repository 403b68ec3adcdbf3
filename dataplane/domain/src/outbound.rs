//! What a conversation says, before any provider's format.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::MediaKind;

/// The body of a message that we send, as it stands in `outbound.body`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// Words.
    Text {
        /// At most 4096 characters.
        text: String,
    },
    /// A question with up to 3 buttons.
    Buttons {
        /// Above the question.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<Header>,
        /// The question; at most 1024 characters.
        text: String,
        /// Below the question; at most 60 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        /// The buttons, their titles cut to 20 characters.
        buttons: Vec<Choice>,
    },
    /// A question with a list of up to 10 rows.
    List {
        /// Above the question; at most 60 characters. Lists take no media there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        /// The question; at most 4096 characters.
        text: String,
        /// Below the question; at most 60 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        /// Caption of the button that opens the list; at most 20 characters.
        button: String,
        /// The rows, their titles cut to 24 characters.
        rows: Vec<Choice>,
    },
    /// A file.
    Media(OutboundMedia),
    /// A message that the provider approved beforehand; the only kind that goes out when the customer has not written
    /// for 24 hours.
    Template(TemplateMessage),
    /// A button that opens a form (Meta's WhatsApp Flows).
    Form(FormMessage),
}

/// A button or a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What comes back with the tap: `<option>~<wait>`.
    pub id: String,
    /// What the customer sees.
    pub title: String,
    /// A second line, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What stands above a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// At most 60 characters.
    Text(String),
    /// An image, a video or a document, without a caption.
    Media(OutboundMedia),
}

/// A file that we send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundMedia {
    /// What sort of file.
    pub kind: MediaKind,
    /// Where the provider finds it.
    pub source: MediaSource,
    /// Under an image, a video or a document; at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Name of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// Where the provider finds a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// At this URL.
    Url(String),
    /// Under this id, with the provider itself.
    Id(String),
}

/// An approved message with its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMessage {
    /// Its name.
    pub name: String,
    /// Its language, such as `es_AR`.
    pub language: String,
    /// The values, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<TemplateParameter>,
}

/// A value in an approved message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateParameter {
    /// Which part of the message.
    pub component: TemplateComponent,
    /// Its name, where the message names its parameters instead of numbering them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What goes there.
    pub value: TemplateValue,
}

/// A part of an approved message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateComponent {
    /// Above the text.
    Header,
    /// The text.
    Body,
    /// The end of the URL of the button at this place, counted from 0.
    UrlButton(u8),
    /// What comes back with a tap on the quick reply at this place, counted from 0.
    QuickReply(u8),
}

/// What goes into an approved message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateValue {
    /// Words, without line breaks.
    Text(String),
    /// A file, in the header.
    Media(OutboundMedia),
}

/// A button that opens a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormMessage {
    /// Above the text; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The text; at most 1024 characters.
    pub text: String,
    /// Below the text; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Caption of the button; at most 30 characters.
    pub cta: String,
    /// The provider's id of the form.
    pub flow_id: String,
    /// Whether the form is still a draft.
    #[serde(default)]
    pub draft: bool,
    /// The screen that opens first; without it the form asks its own endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// What the first screen starts with: an object that is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// What comes back with the answer: the wait's id.
    pub token: String,
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Digits of a phone number.
    Phone(String),
    /// Business-scoped user id.
    UserId(String),
}

impl Body {
    /// Whether it goes out only within 24 hours of the customer's last message.
    #[must_use]
    pub const fn needs_open_window(&self) -> bool {
        !matches!(self, Self::Template(_))
    }
}
