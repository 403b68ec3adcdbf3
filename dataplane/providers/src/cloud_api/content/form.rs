//! A button that opens a form (Meta, "Sending a Flow", 2026-09).

use serde_json::{Value, json};
use wigwag_domain::FormMessage;

use super::{
    check::{adornment, fits, has_emoji, holds},
    interactive::{framed, text_header},
};
use crate::Unsendable;

/// Limits in characters.
mod limit {
    pub(super) const TEXT: usize = 1024;
    /// Meta advises 20 where the phone is narrow, and refuses more than 30.
    pub(super) const CTA: usize = 30;
    pub(super) const FLOW_ID: usize = 256;
    pub(super) const TOKEN: usize = 256;
    pub(super) const SCREEN: usize = 256;
}

/// The version of the message, which is not the version of the form; no other exists.
const MESSAGE_VERSION: &str = "3";

/// What stands under `interactive`.
pub(super) fn write(form: &FormMessage) -> Result<Value, Unsendable> {
    let FormMessage { header, text, footer, cta, flow_id, draft, screen, data, token } = form;
    let at = "interactive.action.parameters";
    fits(format!("{at}.flow_cta"), cta, limit::CTA)?;
    holds(!has_emoji(cta), format!("{at}.flow_cta"), "has an emoji, which Meta refuses: write words alone")?;
    fits(format!("{at}.flow_id"), flow_id, limit::FLOW_ID)?;
    fits(format!("{at}.flow_token"), token, limit::TOKEN)?;
    let mut parameters = json!({
        "flow_message_version": MESSAGE_VERSION,
        "flow_token": token,
        "flow_id": flow_id,
        "flow_cta": cta,
        "flow_action": "data_exchange",
    });
    if *draft {
        parameters["mode"] = json!("draft");
    }
    let payload = format!("{at}.flow_action_payload");
    let data = data.as_ref().filter(|data| !data.is_null());
    match adornment(screen.as_deref()) {
        None => holds(data.is_none(), payload, "has data and no screen: name the screen that gets them")?,
        Some(screen) => {
            fits(format!("{payload}.screen"), screen, limit::SCREEN)?;
            parameters["flow_action"] = json!("navigate");
            parameters["flow_action_payload"] = json!({"screen": screen});
            if let Some(data) = data {
                let filled = data.as_object().is_some_and(|data| !data.is_empty());
                holds(filled, format!("{payload}.data"), "must be an object that is not empty: leave it out instead")?;
                parameters["flow_action_payload"]["data"] = data.clone();
            }
        }
    }
    let action = json!({"name": "flow", "parameters": parameters});
    framed("flow", text_header(header.as_deref())?, text, limit::TEXT, footer.as_deref(), action)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn form() -> FormMessage {
        FormMessage {
            header: Some("Flow message header".to_owned()),
            text: "Flow message body".to_owned(),
            footer: Some("Flow message footer".to_owned()),
            cta: "Book!".to_owned(),
            flow_id: "1234567890".to_owned(),
            draft: false,
            screen: Some("FIRST_SCREEN".to_owned()),
            data: Some(json!({"product_name": "name"})),
            token: "AQAAAAACS5FpgQ_cAAAAAD0QI3s.".to_owned(),
        }
    }

    fn field(form: &FormMessage) -> String {
        let refusal = write(form).unwrap_err().to_string();
        refusal.split_once(' ').unwrap().0.to_owned()
    }

    #[test]
    fn a_form_that_opens_a_screen_is_written_as_metas_example_has_it() {
        assert_eq!(
            write(&form()).unwrap(),
            json!({
                "type": "flow",
                "header": {"type": "text", "text": "Flow message header"},
                "body": {"text": "Flow message body"},
                "footer": {"text": "Flow message footer"},
                "action": {"name": "flow", "parameters": {
                    "flow_message_version": "3",
                    "flow_token": "AQAAAAACS5FpgQ_cAAAAAD0QI3s.",
                    "flow_id": "1234567890",
                    "flow_cta": "Book!",
                    "flow_action": "navigate",
                    "flow_action_payload": {"screen": "FIRST_SCREEN", "data": {"product_name": "name"}},
                }},
            })
        );
    }

    #[test]
    fn a_form_without_a_screen_asks_its_endpoint_and_a_draft_says_so() {
        let asking = FormMessage { screen: None, data: None, draft: true, header: None, ..form() };
        let parameters = &write(&asking).unwrap()["action"]["parameters"];
        assert_eq!((&parameters["flow_action"], &parameters["mode"]), (&json!("data_exchange"), &json!("draft")));
        assert_eq!(parameters.get("flow_action_payload"), None);
        let bare = FormMessage { data: None, ..form() };
        let payload = &write(&bare).unwrap()["action"]["parameters"]["flow_action_payload"];
        assert_eq!(*payload, json!({"screen": "FIRST_SCREEN"}));
    }

    #[test]
    fn what_meta_refuses_of_a_form_is_refused_by_the_name_of_its_field() {
        let parameters = |name: &str| format!("interactive.action.parameters.{name}");
        for (form, expected) in [
            (FormMessage { cta: "x".repeat(31), ..form() }, parameters("flow_cta")),
            (FormMessage { cta: "Pedir 📅".to_owned(), ..form() }, parameters("flow_cta")),
            (FormMessage { cta: String::new(), ..form() }, parameters("flow_cta")),
            (FormMessage { flow_id: String::new(), ..form() }, parameters("flow_id")),
            (FormMessage { token: String::new(), ..form() }, parameters("flow_token")),
            (FormMessage { data: Some(json!({})), ..form() }, parameters("flow_action_payload.data")),
            (FormMessage { data: Some(json!([1])), ..form() }, parameters("flow_action_payload.data")),
            (FormMessage { screen: None, ..form() }, parameters("flow_action_payload")),
            (FormMessage { text: "x".repeat(1025), ..form() }, "interactive.body.text".to_owned()),
            (FormMessage { header: Some("x".repeat(61)), ..form() }, "interactive.header.text".to_owned()),
            (FormMessage { footer: Some("x".repeat(61)), ..form() }, "interactive.footer.text".to_owned()),
        ] {
            assert_eq!(field(&form), expected);
        }
        assert!(write(&FormMessage { cta: "x".repeat(30), ..form() }).is_ok());
    }
}
