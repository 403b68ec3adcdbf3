//! The names that expressions can read, and how far each can be spelled out.

use crate::context::{Key, Shape};

/// A name with what is selected from it: `contact.name` is `contact`, `name`.
pub(crate) type Path = Vec<String>;

/// Names of the engine's that are no keys of a session's context.
const EVENT_NAMES: [(&str, Shape); 7] = [
    ("now", Shape::Plain),
    ("event", Shape::Fields(&EVENT)),
    ("contact", Shape::Open),
    ("tenant", Shape::Open),
    ("resume", Shape::Open),
    ("args", Shape::Open),
    ("error", Shape::Fields(&ERROR)),
];

/// What `error` holds once something failed.
const ERROR: [&str; 3] = ["node", "kind", "message"];

/// What `event` holds of messages of all sorts; of what failed or timed out it holds nothing.
const EVENT: [&str; 17] = [
    "type",
    "text",
    "id",
    "kind",
    "title",
    "description",
    "answer",
    "mime_type",
    "caption",
    "filename",
    "latitude",
    "longitude",
    "name",
    "address",
    "contacts",
    "order",
    "referral",
];

/// The names that belong to the engine; no `assign` may write them.
pub(crate) fn engine_names() -> impl Iterator<Item = (&'static str, Shape)> {
    EVENT_NAMES.into_iter().chain(Key::ALL.iter().map(|key| (key.name(), key.shape())))
}

/// What a name of the engine's holds.
pub(crate) fn engine_shape(name: &str) -> Option<Shape> {
    engine_names().find(|(known, _)| *known == name).map(|(_, shape)| shape)
}

/// Words that CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether a word can stand in an expression as a name.
pub(crate) fn is_identifier(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED.contains(&word)
}
