//! What a conversation says, before any provider's format.

use serde::{Deserialize, Serialize};

/// The body of a message that we send, as it stands in `outbound.body`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// Words.
    Text {
        /// At most 4096 characters.
        text: String,
    },
    /// A question with up to 3 buttons.
    Buttons {
        /// The question.
        text: String,
        /// The buttons, their titles cut to 20 characters.
        buttons: Vec<Choice>,
    },
    /// A question with a list of up to 10 rows.
    List {
        /// The question.
        text: String,
        /// Caption of the button that opens the list; at most 20 characters.
        button: String,
        /// The rows, their titles cut to 24 characters.
        rows: Vec<Choice>,
    },
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

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Digits of a phone number.
    Phone(String),
    /// Business-scoped user id.
    UserId(String),
}
