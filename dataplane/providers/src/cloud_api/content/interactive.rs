//! Questions: buttons and lists (Meta, "Interactive reply buttons messages", "Interactive list messages", 2026-09).

use serde_json::{Value, json};
use wigwag_domain::{Choice, Header};

use super::{
    check::{adornment, counts, differ, fits},
    media,
};
use crate::Unsendable;

/// Limits in characters or elements.
mod limit {
    pub(super) const HEADER: usize = 60;
    pub(super) const FOOTER: usize = 60;
    pub(super) const BUTTONS_BODY: usize = 1024;
    pub(super) const BUTTONS: usize = 3;
    pub(super) const BUTTON_ID: usize = 256;
    pub(super) const BUTTON_TITLE: usize = 20;
    pub(super) const LIST_BODY: usize = 4096;
    pub(super) const LIST_BUTTON: usize = 20;
    pub(super) const ROWS: usize = 10;
    pub(super) const ROW_ID: usize = 200;
    pub(super) const ROW_TITLE: usize = 24;
    pub(super) const ROW_DESCRIPTION: usize = 72;
}

/// A question with up to 3 buttons.
pub(super) fn buttons(
    header: Option<&Header>,
    text: &str,
    footer: Option<&str>,
    buttons: &[Choice],
) -> Result<Value, Unsendable> {
    let header = match header {
        Some(Header::Text(text)) => text_header(Some(text))?,
        Some(Header::Media(file)) => Some(media::parameter("interactive.header", file)?),
        None => None,
    };
    counts("interactive.action.buttons", buttons.len(), limit::BUTTONS)?;
    differ("interactive.action.buttons[].reply.title", buttons.iter().map(|button| &button.title))?;
    differ("interactive.action.buttons[].reply.id", buttons.iter().map(|button| &button.id))?;
    let buttons: Vec<_> = buttons.iter().map(button).collect::<Result<_, _>>()?;
    framed("button", header, text, limit::BUTTONS_BODY, footer, json!({"buttons": buttons}))
}

/// A question with a list of up to 10 rows.
pub(super) fn list(
    header: Option<&str>,
    text: &str,
    footer: Option<&str>,
    button: &str,
    rows: &[Choice],
) -> Result<Value, Unsendable> {
    fits("interactive.action.button", button, limit::LIST_BUTTON)?;
    counts("interactive.action.sections[0].rows", rows.len(), limit::ROWS)?;
    differ("interactive.action.sections[0].rows[].id", rows.iter().map(|row| &row.id))?;
    let rows: Vec<_> = rows.iter().map(row).collect::<Result<_, _>>()?;
    let action = json!({"button": button, "sections": [{"rows": rows}]});
    framed("list", text_header(header)?, text, limit::LIST_BODY, footer, action)
}

/// What stands above, as text; `None` where there are no words.
pub(super) fn text_header(text: Option<&str>) -> Result<Option<Value>, Unsendable> {
    let Some(text) = adornment(text) else { return Ok(None) };
    fits("interactive.header.text", text, limit::HEADER)?;
    Ok(Some(json!({"type": "text", "text": text})))
}

/// An interactive message around its action. `most`: characters that `text` may have.
pub(super) fn framed(
    kind: &str,
    header: Option<Value>,
    text: &str,
    most: usize,
    footer: Option<&str>,
    action: Value,
) -> Result<Value, Unsendable> {
    fits("interactive.body.text", text, most)?;
    let mut message = json!({"type": kind, "body": {"text": text}, "action": action});
    if let Some(header) = header {
        message["header"] = header;
    }
    if let Some(footer) = adornment(footer) {
        fits("interactive.footer.text", footer, limit::FOOTER)?;
        message["footer"] = json!({"text": footer});
    }
    Ok(message)
}

fn button(choice: &Choice) -> Result<Value, Unsendable> {
    fits("interactive.action.buttons[].reply.id", &choice.id, limit::BUTTON_ID)?;
    fits("interactive.action.buttons[].reply.title", &choice.title, limit::BUTTON_TITLE)?;
    Ok(json!({"type": "reply", "reply": {"id": choice.id, "title": choice.title}}))
}

fn row(choice: &Choice) -> Result<Value, Unsendable> {
    fits("interactive.action.sections[0].rows[].id", &choice.id, limit::ROW_ID)?;
    fits("interactive.action.sections[0].rows[].title", &choice.title, limit::ROW_TITLE)?;
    let mut row = json!({"id": choice.id, "title": choice.title});
    if let Some(description) = adornment(choice.description.as_deref()) {
        fits("interactive.action.sections[0].rows[].description", description, limit::ROW_DESCRIPTION)?;
        row["description"] = json!(description);
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use wigwag_domain::{MediaKind, MediaSource, OutboundMedia};

    use super::*;

    fn choice(id: &str, title: &str, description: Option<&str>) -> Choice {
        Choice { id: id.to_owned(), title: title.to_owned(), description: description.map(str::to_owned) }
    }

    fn field(refusal: Result<Value, Unsendable>) -> String {
        let refusal = refusal.unwrap_err().to_string();
        refusal.split_once(' ').unwrap().0.to_owned()
    }

    #[test]
    fn buttons_come_with_their_header_and_footer_as_metas_example_has_them() {
        let picture = Header::Media(OutboundMedia {
            kind: MediaKind::Image,
            source: MediaSource::Id("2762702990552401".to_owned()),
            caption: None,
            filename: None,
        });
        let choices = [choice("change-button", "Change", None), choice("cancel-button", "Cancel", None)];
        let body = "Hi Pablo! Your gardening workshop is scheduled for 9am tomorrow.";
        let footer = "Lucky Shrub: Your gateway to succulents!™";
        assert_eq!(
            buttons(Some(&picture), body, Some(footer), &choices).unwrap(),
            json!({
                "type": "button",
                "header": {"type": "image", "image": {"id": "2762702990552401"}},
                "body": {"text": body},
                "footer": {"text": footer},
                "action": {"buttons": [
                    {"type": "reply", "reply": {"id": "change-button", "title": "Change"}},
                    {"type": "reply", "reply": {"id": "cancel-button", "title": "Cancel"}},
                ]},
            })
        );
        let plain = buttons(Some(&Header::Text("Hoy".to_owned())), "¿Qué?", None, &choices).unwrap();
        assert_eq!(plain["header"], json!({"type": "text", "text": "Hoy"}));
    }

    #[test]
    fn lists_come_with_their_header_and_footer_as_metas_example_has_them() {
        let rows = [
            choice("priority_express", "Priority Mail Express", Some("Next Day to 2 Days")),
            choice("priority_mail", "Priority Mail", None),
        ];
        let body = "Which shipping option do you prefer?";
        let footer = "Lucky Shrub: Your gateway to succulents™";
        assert_eq!(
            list(Some("Choose Shipping Option"), body, Some(footer), "Shipping Options", &rows).unwrap(),
            json!({
                "type": "list",
                "header": {"type": "text", "text": "Choose Shipping Option"},
                "body": {"text": body},
                "footer": {"text": footer},
                "action": {"button": "Shipping Options", "sections": [{"rows": [
                    {"id": "priority_express", "title": "Priority Mail Express", "description": "Next Day to 2 Days"},
                    {"id": "priority_mail", "title": "Priority Mail"},
                ]}]},
            })
        );
    }

    #[test]
    fn adornments_without_words_are_left_out() {
        let header = Header::Text(String::new());
        let message = buttons(Some(&header), "¿Qué?", Some(" "), &[choice("a", "A", None)]).unwrap();
        assert_eq!((message.get("header"), message.get("footer")), (None, None));
        let message = list(Some(""), "¿Qué?", Some(""), "Ver", &[choice("a", "A", Some(""))]).unwrap();
        let row = &message["action"]["sections"][0]["rows"][0];
        assert_eq!((message.get("header"), row.get("description")), (None, None));
    }

    #[test]
    fn what_is_too_long_too_many_or_alike_is_refused_by_the_name_of_its_field() {
        let long = |length: usize| "ñ".repeat(length);
        let one = [choice("a", "A", None)];
        let four: Vec<_> = ["a", "b", "c", "d"].map(|id| choice(id, id, None)).into();
        let eleven: Vec<_> = (0..11).map(|n| choice(&n.to_string(), "fila", None)).collect();
        for (refusal, expected) in [
            (buttons(Some(&Header::Text(long(61))), "?", None, &one), "interactive.header.text"),
            (buttons(None, &long(1025), None, &one), "interactive.body.text"),
            (buttons(None, "", None, &one), "interactive.body.text"),
            (buttons(None, "?", Some(&long(61)), &one), "interactive.footer.text"),
            (buttons(None, "?", None, &[]), "interactive.action.buttons"),
            (buttons(None, "?", None, &four), "interactive.action.buttons"),
            (
                buttons(None, "?", None, &[choice("a", "A", None), choice("b", "A", None)]),
                "interactive.action.buttons[].reply.title",
            ),
            (buttons(None, "?", None, &[choice(&long(257), "A", None)]), "interactive.action.buttons[].reply.id"),
            (buttons(None, "?", None, &[choice("a", &long(21), None)]), "interactive.action.buttons[].reply.title"),
            (list(Some(&long(61)), "?", None, "Ver", &one), "interactive.header.text"),
            (list(None, &long(4097), None, "Ver", &one), "interactive.body.text"),
            (list(None, "?", None, &long(21), &one), "interactive.action.button"),
            (list(None, "?", None, "Ver", &eleven), "interactive.action.sections[0].rows"),
            (
                list(None, "?", None, "Ver", &[choice("a", "A", None), choice("a", "B", None)]),
                "interactive.action.sections[0].rows[].id",
            ),
            (
                list(None, "?", None, "Ver", &[choice("a", &long(25), None)]),
                "interactive.action.sections[0].rows[].title",
            ),
            (
                list(None, "?", None, "Ver", &[choice("a", "A", Some(&long(73)))]),
                "interactive.action.sections[0].rows[].description",
            ),
        ] {
            assert_eq!(field(refusal), expected);
        }
        assert!(list(None, &long(4096), None, "Ver", &eleven[..10]).is_ok());
        assert!(buttons(Some(&Header::Text(long(60))), &long(1024), Some(&long(60)), &four[..3]).is_ok());
    }
}
