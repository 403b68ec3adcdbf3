//! What a customer can send, told apart as far as routing and flows need it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The content of an inbound message. In JSON its `type` is what people see in a job's payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Words.
    Text {
        /// What was written.
        text: String,
    },
    /// A tap on a button, a list row, or a template's quick reply.
    Tap(Tap),
    /// The answer to a form; Meta sends it as text that holds JSON.
    Form {
        /// The fields as the form sent them; text where it was no JSON.
        answer: Value,
    },
    /// A file.
    Media(Media),
    /// A place.
    Location {
        /// Degrees.
        latitude: f64,
        /// Degrees.
        longitude: f64,
        /// Name of the place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Contact cards, as the provider sent them.
    Contacts {
        /// The cards.
        contacts: Value,
    },
    /// An order from a catalogue, as the provider sent it.
    Order {
        /// The order.
        order: Value,
    },
    /// A reaction to a message; without an emoji it was taken back.
    Reaction {
        /// Provider's id of the message that it is about.
        message_id: String,
        /// The emoji.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
    /// The customer changed a message; the change as the provider sent it.
    Edit {
        /// The change.
        edit: Value,
    },
    /// The customer took a message back.
    Revoke {
        /// What was taken back.
        revoke: Value,
    },
    /// The provider tells something about the customer, such as a new number.
    System {
        /// What it tells.
        system: Value,
    },
    /// The customer sent something that the provider does not pass on.
    Unsupported {
        /// What the provider says of it.
        detail: Value,
    },
}

/// A tap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tap {
    /// On what.
    pub kind: TapKind,
    /// The id that we gave it; a template's payload.
    pub id: String,
    /// What the customer saw.
    pub title: String,
    /// The second line of a list row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// On what a customer tapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TapKind {
    /// A button of an interactive message.
    ButtonReply,
    /// A row of a list.
    ListReply,
    /// A quick reply of a template.
    QuickReply,
}

/// A file that a customer sent. The file itself stays with the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// What sort of file.
    pub kind: MediaKind,
    /// The provider's id of the file.
    pub id: String,
    /// Its MIME type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What was written under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Its name, for documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// What sort of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A sound file.
    Audio,
    /// A sound that was recorded as a voice message.
    Voice,
    /// Any other file.
    Document,
    /// A sticker.
    Sticker,
}

impl Content {
    /// What the customer wrote, saw under their finger, or put under a file; empty where there are no words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text } => text,
            Self::Tap(tap) => &tap.title,
            Self::Media(media) => media.caption.as_deref().unwrap_or_default(),
            _ => "",
        }
    }

    /// Whether it moves a conversation. Reactions, edits and the like are kept, and nothing more.
    #[must_use]
    pub fn steps_a_session(&self) -> bool {
        !matches!(
            self,
            Self::Reaction { .. }
                | Self::Edit { .. }
                | Self::Revoke { .. }
                | Self::System { .. }
                | Self::Unsupported { .. }
        )
    }

    /// The kind as a short word, for logs, metrics and the column `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Tap(_) => "tap",
            Self::Form { .. } => "form",
            Self::Media(_) => "media",
            Self::Location { .. } => "location",
            Self::Contacts { .. } => "contacts",
            Self::Order { .. } => "order",
            Self::Reaction { .. } => "reaction",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
            Self::System { .. } => "system",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}
