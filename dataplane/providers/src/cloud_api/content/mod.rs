//! What a message says, in Meta's JSON (Meta, "Messages API", 2026-09): one module for each kind of content.
//!
//! What Meta would certainly refuse is refused here, with the field and the limit: its own refusal costs a call, a place
//! in the number's throughput, and in the end the number's quality. Lengths count characters. Adornments (header,
//! footer, caption, description) without words are left out, for Meta refuses empty ones.

mod check;
mod form;
mod interactive;
mod media;
mod template;

use serde_json::{Value, json};
use wigwag_domain::Body;

use self::check::fits;
use crate::Unsendable;

/// Characters of a text message.
const TEXT: usize = 4096;

/// The type, and what stands under the key of the same name.
pub(super) fn write(body: &Body) -> Result<(&'static str, Value), Unsendable> {
    match body {
        Body::Text { text } => {
            fits("text.body", text, TEXT)?;
            Ok(("text", json!({"body": text})))
        }
        Body::Buttons { header, text, footer, buttons } => {
            Ok(("interactive", interactive::buttons(header.as_ref(), text, footer.as_deref(), buttons)?))
        }
        Body::List { header, text, footer, button, rows } => {
            Ok(("interactive", interactive::list(header.as_deref(), text, footer.as_deref(), button, rows)?))
        }
        Body::Media(media) => media::message(media),
        Body::Template(template) => Ok(("template", template::write(template)?)),
        Body::Form(form) => Ok(("interactive", form::write(form)?)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_text_has_1_to_4096_characters() {
        let text = |text: &str| write(&Body::Text { text: text.to_owned() });
        assert_eq!(text("hi").unwrap(), ("text", json!({"body": "hi"})));
        assert!(text(&"é".repeat(4096)).is_ok(), "characters count, not bytes");
        let field = || "text.body".into();
        assert_eq!(text("").unwrap_err(), Unsendable::Empty { field: field() });
        let long = Unsendable::TooLong { field: field(), length: 4097, limit: 4096 };
        assert_eq!(text(&"é".repeat(4097)).unwrap_err(), long);
        assert_eq!(long.to_string(), "text.body has 4097 characters, 4096 are allowed: shorten it");
    }
}
