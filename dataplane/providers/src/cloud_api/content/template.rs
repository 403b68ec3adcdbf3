//! Approved messages with their values (Meta, "Template messages" and "Named parameters", 2026-09).
//!
//! What a template was approved with, Meta alone knows: how many parameters it takes, and of which kind, is its check
//! (132000, 132012).

use serde_json::{Value, json};
use wigwag_domain::{TemplateComponent, TemplateMessage, TemplateParameter, TemplateValue};

use super::{
    check::{counts, differ, fits, holds},
    media,
};
use crate::Unsendable;

/// Limits in characters or elements.
mod limit {
    pub(super) const NAME: usize = 512;
    pub(super) const LANGUAGE: usize = 16;
    /// A header takes one value, text or file.
    pub(super) const HEADER: usize = 1;
    pub(super) const HEADER_TEXT: usize = 60;
    /// Where the template has nothing but a body; elsewhere Meta refuses more than 1024, text and values together (132005).
    pub(super) const BODY_TEXT: usize = 32_768;
    /// No approved text has room for more.
    pub(super) const BODY: usize = 1024;
    pub(super) const URL_SUFFIX: usize = 2000;
    /// As the ids of other buttons.
    pub(super) const PAYLOAD: usize = 256;
    pub(super) const BUTTONS: u8 = 10;
    /// Spaces in a row.
    pub(super) const SPACES: usize = 4;
}

/// What stands under `template`.
pub(super) fn write(template: &TemplateMessage) -> Result<Value, Unsendable> {
    let TemplateMessage { name, language, parameters } = template;
    fits("template.name", name, limit::NAME)?;
    let lower = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    holds(lower, "template.name", "must be written with a to z, 0 to 9 and _ alone")?;
    fits("template.language.code", language, limit::LANGUAGE)?;

    let of = |wanted| parameters.iter().filter(move |p| p.component == wanted).collect::<Vec<_>>();
    let parts = [
        part("header", limit::HEADER, limit::HEADER_TEXT, &of(TemplateComponent::Header))?,
        part("body", limit::BODY, limit::BODY_TEXT, &of(TemplateComponent::Body))?,
    ];
    let components: Vec<_> = parts.into_iter().flatten().chain(buttons(parameters)?).collect();
    let mut message = json!({"name": name, "language": {"code": language}});
    if !components.is_empty() {
        message["components"] = json!(components);
    }
    Ok(message)
}

/// Header or body; `None` without parameters.
fn part(
    kind: &'static str,
    most: usize,
    most_text: usize,
    parameters: &[&TemplateParameter],
) -> Result<Option<Value>, Unsendable> {
    if parameters.is_empty() {
        return Ok(None);
    }
    let at = format!("template.components[{kind}].parameters");
    counts(at.clone(), parameters.len(), most)?;
    let names: Vec<_> = parameters.iter().filter_map(|p| p.name.as_ref()).collect();
    let all_or_none = names.is_empty() || names.len() == parameters.len();
    holds(all_or_none, at.clone(), "has named and numbered values: name all of them, or none")?;
    differ(format!("{at}[].parameter_name"), names.into_iter())?;

    let mut written = Vec::with_capacity(parameters.len());
    for (place, parameter) in parameters.iter().enumerate() {
        let at = format!("{at}[{place}]");
        let mut value = match &parameter.value {
            TemplateValue::Text(text) => {
                fits(format!("{at}.text"), text, most_text)?;
                let why = "has a line break, a tab or more than 4 spaces in a row, which Meta refuses: write one space";
                holds(is_one_line(text), format!("{at}.text"), why)?;
                json!({"type": "text", "text": text})
            }
            TemplateValue::Media(file) => {
                holds(kind == "header", format!("{at}.type"), "must be text: files stand in the header alone")?;
                media::parameter(&at, file)?
            }
        };
        if let Some(name) = &parameter.name {
            fits(format!("{at}.parameter_name"), name, limit::NAME)?;
            value["parameter_name"] = json!(name);
        }
        written.push(value);
    }
    Ok(Some(json!({"type": kind, "parameters": written})))
}

/// The buttons that take a value, in their order.
fn buttons(parameters: &[TemplateParameter]) -> Result<Vec<Value>, Unsendable> {
    let mut buttons = Vec::new();
    for parameter in parameters {
        let (sub_type, index, key) = match parameter.component {
            TemplateComponent::UrlButton(index) => ("url", index, "text"),
            TemplateComponent::QuickReply(index) => ("quick_reply", index, "payload"),
            TemplateComponent::Header | TemplateComponent::Body => continue,
        };
        let at = format!("template.components[button {index}]");
        holds(index < limit::BUTTONS, format!("{at}.index"), "must be 0 to 9: a template has at most 10 buttons")?;
        let TemplateValue::Text(text) = &parameter.value else {
            return Err(Unsendable::Malformed {
                field: format!("{at}.parameters[0].type").into(),
                why: "must be text: files stand in the header alone",
            });
        };
        let field = format!("{at}.parameters[0].{key}");
        fits(field.clone(), text, if key == "text" { limit::URL_SUFFIX } else { limit::PAYLOAD })?;
        let clean = key != "text" || !text.chars().any(|c| c.is_whitespace() || c.is_control());
        holds(clean, field, "has a space or a line break, which no URL takes: write %20")?;
        let value = json!({"type": key, key: text});
        let button = json!({"type": "button", "sub_type": sub_type, "index": index.to_string(), "parameters": [value]});
        buttons.push((index, button));
    }
    buttons.sort_by_key(|(index, _)| *index);
    if buttons.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Unsendable::Repeated { field: "template.components[button].index".into() });
    }
    Ok(buttons.into_iter().map(|(_, button)| button).collect())
}

/// Meta: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces".
fn is_one_line(text: &str) -> bool {
    !text.contains(['\n', '\r', '\t']) && !text.contains(&" ".repeat(limit::SPACES + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use wigwag_domain::{MediaKind, MediaSource, OutboundMedia};

    use super::*;

    fn text(component: TemplateComponent, name: Option<&str>, text: &str) -> TemplateParameter {
        let name = name.map(str::to_owned);
        TemplateParameter { component, name, value: TemplateValue::Text(text.to_owned()) }
    }

    fn image(component: TemplateComponent) -> TemplateParameter {
        let file = OutboundMedia {
            kind: MediaKind::Image,
            source: MediaSource::Id("2871834006348767".to_owned()),
            caption: None,
            filename: None,
        };
        TemplateParameter { component, name: None, value: TemplateValue::Media(file) }
    }

    fn template(name: &str, language: &str, parameters: Vec<TemplateParameter>) -> Result<Value, Unsendable> {
        write(&TemplateMessage { name: name.to_owned(), language: language.to_owned(), parameters })
    }

    fn field(parameters: Vec<TemplateParameter>) -> String {
        let refusal = template("a", "es", parameters).unwrap_err().to_string();
        refusal.split(" has ").next().unwrap().split(" must ").next().unwrap().split(" is ").next().unwrap().to_owned()
    }

    use TemplateComponent::{Body, Header, QuickReply, UrlButton};

    #[test]
    fn a_template_without_values_is_its_name_and_language() {
        let expected = json!({"name": "hello_world", "language": {"code": "en_US"}});
        assert_eq!(template("hello_world", "en_US", Vec::new()).unwrap(), expected);
    }

    #[test]
    fn header_body_and_buttons_are_written_as_metas_example_has_them() {
        let parameters = vec![
            text(QuickReply(1), None, "stop-order-updates"),
            text(UrlButton(0), None, "tracking/1Z999"),
            text(Body, None, "Pablo"),
            image(Header),
            text(Body, None, "566701"),
        ];
        assert_eq!(
            template("order_confirmation", "en_US", parameters).unwrap(),
            json!({
                "name": "order_confirmation",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "header", "parameters": [{"type": "image", "image": {"id": "2871834006348767"}}]},
                    {"type": "body", "parameters": [
                        {"type": "text", "text": "Pablo"},
                        {"type": "text", "text": "566701"},
                    ]},
                    {"type": "button", "sub_type": "url", "index": "0",
                        "parameters": [{"type": "text", "text": "tracking/1Z999"}]},
                    {"type": "button", "sub_type": "quick_reply", "index": "1",
                        "parameters": [{"type": "payload", "payload": "stop-order-updates"}]},
                ],
            })
        );
    }

    #[test]
    fn named_values_carry_their_names() {
        let parameters = vec![text(Body, Some("first_name"), "Jessica"), text(Body, Some("order_number"), "SKBUP2-4")];
        assert_eq!(
            template("order_confirmation", "en_US", parameters).unwrap()["components"],
            json!([{"type": "body", "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Jessica"},
                {"type": "text", "parameter_name": "order_number", "text": "SKBUP2-4"},
            ]}])
        );
    }

    #[test]
    fn what_meta_refuses_of_a_value_is_refused_by_the_name_of_its_field() {
        let body = "template.components[body].parameters";
        for line in ["", "a\nb", "a\rb", "a\tb", "a     b"] {
            assert_eq!(field(vec![text(Body, None, line)]), format!("{body}[0].text"), "{line:?}");
        }
        assert!(template("a", "es", vec![text(Body, None, "a    b")]).is_ok(), "four spaces pass");
        for (parameters, expected) in [
            (vec![text(Body, Some("a"), "x"), text(Body, None, "y")], body.to_owned()),
            (vec![text(Body, Some("a"), "x"), text(Body, Some("a"), "y")], format!("{body}[].parameter_name")),
            (vec![image(Body)], format!("{body}[0].type")),
            (vec![image(QuickReply(0))], "template.components[button 0].parameters[0].type".to_owned()),
            (vec![image(Header), text(Header, None, "x")], "template.components[header].parameters".to_owned()),
            (vec![text(Header, None, &"x".repeat(61))], "template.components[header].parameters[0].text".to_owned()),
            (vec![text(UrlButton(10), None, "x")], "template.components[button 10].index".to_owned()),
            (vec![text(UrlButton(0), None, "a b")], "template.components[button 0].parameters[0].text".to_owned()),
            (vec![text(QuickReply(0), None, "")], "template.components[button 0].parameters[0].payload".to_owned()),
            (
                vec![text(QuickReply(0), None, "x"), text(UrlButton(0), None, "y")],
                "template.components[button].index".to_owned(),
            ),
        ] {
            assert_eq!(field(parameters), expected);
        }
    }

    #[test]
    fn a_template_has_a_name_as_meta_writes_them_and_a_language() {
        for (name, language) in [("", "es"), ("Hola", "es"), ("hola mundo", "es"), ("ñ", "es"), ("hola", "")] {
            assert!(template(name, language, Vec::new()).is_err(), "{name:?} {language:?}");
        }
    }
}
