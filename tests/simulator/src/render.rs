//! Messages as a person sees them, in one line: what the business sent, with what can be tapped, and what a customer
//! wrote.
//!
//! ```text
//! Menú | ¿Qué quieres? | Abierto hasta las 20 [1 Comprar] [2 Salir]
//! [image https://shop.example/cat.png "Nuestro catálogo"]
//! [template order_update es: Ana, 42] [1 Sí]
//! Elige día y hora. [form "Pedir cita"]
//! ```

use serde_json::Value;

use crate::{Template, TemplateButton, template::place};

/// Something that the customer can tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// What the business gets back.
    pub id: String,
    /// What the customer reads.
    pub title: String,
    /// The second line of a list row.
    pub description: Option<String>,
    /// What it is.
    pub kind: Tappable,
}

/// What can be tapped; each comes back in a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tappable {
    /// A reply button.
    Button,
    /// A row of a list.
    Row,
    /// A quick reply of a template.
    QuickReply,
}

// === What the business sent ===

/// What a send body says, without buttons: text, interactive body, caption; `<type>` where there are no words.
pub fn text_of(body: &Value) -> String {
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    let words = [&content["body"], &content["body"]["text"], &content["caption"], &content["emoji"]];
    match words.iter().find_map(|w| w.as_str()) {
        Some(words) => words.to_owned(),
        None => format!("<{kind}>"),
    }
}

/// What a send body says in one line, with all that belongs to it and what can be tapped.
pub fn line_of(body: &Value) -> String {
    line_with(body, &options_of(body))
}

pub(crate) fn line_with(body: &Value, options: &[Offered]) -> String {
    let kind = body["type"].as_str().unwrap_or("text");
    let content = &body[kind];
    let words = match kind {
        "interactive" => interactive(content),
        "template" => template(content),
        "image" | "video" | "audio" | "document" | "sticker" => file(kind, content),
        "location" => location(content),
        "contacts" => contacts(content),
        _ => text_of(body),
    };
    let mut line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for (place, option) in options.iter().enumerate() {
        line.push_str(&format!(" [{} {}]", place + 1, option.title));
    }
    line
}

/// The buttons or rows of a send body, in the order in which they are shown. A template tells only the payloads of its
/// quick replies: those stand for the titles, too.
pub fn options_of(body: &Value) -> Vec<Offered> {
    let action = &body["interactive"]["action"];
    let buttons = list(&action["buttons"]).iter().filter_map(|b| offered(&b["reply"], Tappable::Button));
    let rows = list(&action["sections"]).iter().flat_map(|s| list(&s["rows"]));
    let rows = rows.filter_map(|row| offered(row, Tappable::Row));
    let replies = list(&body["template"]["components"]).iter().filter_map(|component| {
        let payload = payload(component)?;
        Some(Offered { id: payload.clone(), title: payload, description: None, kind: Tappable::QuickReply })
    });
    buttons.chain(rows).chain(replies).collect()
}

/// The quick replies of a registered template; one without a payload in the send body answers with its title.
pub(crate) fn quick_replies(body: &Value, template: &Template) -> Vec<Offered> {
    let sent = list(&body["template"]["components"]);
    let replies = template.buttons().iter().enumerate().filter_map(|(at, button)| {
        let TemplateButton::QuickReply { text } = button else { return None };
        let payload = sent.iter().filter(|c| place(c) == at).find_map(payload);
        let id = payload.unwrap_or_else(|| text.clone());
        Some(Offered { id, title: text.clone(), description: None, kind: Tappable::QuickReply })
    });
    replies.collect()
}

fn payload(component: &Value) -> Option<String> {
    let is_reply = component["type"] == "button" && component["sub_type"] == "quick_reply";
    is_reply.then(|| component["parameters"][0]["payload"].as_str().map(str::to_owned))?
}

fn offered(value: &Value, kind: Tappable) -> Option<Offered> {
    Some(Offered {
        id: value["id"].as_str()?.to_owned(),
        title: value["title"].as_str()?.to_owned(),
        description: value["description"].as_str().map(str::to_owned),
        kind,
    })
}

fn interactive(content: &Value) -> String {
    let header = &content["header"];
    let header = match header["type"].as_str() {
        Some("text") => header["text"].as_str().map(str::to_owned),
        Some(kind) => Some(file(kind, &header[kind])),
        None => None,
    };
    let text = |key: &str| content[key]["text"].as_str().map(str::to_owned);
    let parts: Vec<_> = [header, text("body"), text("footer")].into_iter().flatten().collect();
    let mut words = parts.join(" | ");
    if let Some(cta) = content["action"]["parameters"]["flow_cta"].as_str() {
        words.push_str(&format!(" [form \"{cta}\"]"));
    }
    words
}

fn template(content: &Value) -> String {
    let name = content["name"].as_str().unwrap_or_default();
    let language = content["language"]["code"].as_str().unwrap_or_default();
    let parameters = list(&content["components"])
        .iter()
        .filter(|component| component["sub_type"] != "quick_reply")
        .flat_map(|component| list(&component["parameters"]));
    let values: Vec<_> = parameters
        .map(|value| match value["type"].as_str() {
            Some(kind @ ("image" | "video" | "document")) => where_it_is(&value[kind]),
            _ => value["text"].as_str().unwrap_or("?").to_owned(),
        })
        .collect();
    match values.is_empty() {
        true => format!("[template {name} {language}]"),
        false => format!("[template {name} {language}: {}]", values.join(", ")),
    }
}

// === What a customer wrote ===

/// What a message of a customer says, in one line; `<type>` where there are no words for it.
pub(crate) fn written(message: &Value) -> String {
    let kind = message["type"].as_str().unwrap_or("unknown");
    let content = &message[kind];
    let reply = &content[content["type"].as_str().unwrap_or_default()];
    let words = match kind {
        "image" | "video" | "document" | "sticker" | "audio" => received_file(kind, content),
        "location" => location(content),
        "contacts" => contacts(content),
        "order" => order(content),
        "interactive" if content["type"] == "nfm_reply" => form(reply),
        _ => {
            let words = [&content["body"], &reply["title"], &content["text"], &content["emoji"]];
            words.iter().find_map(|w| w.as_str()).map_or_else(|| format!("<{kind}>"), str::to_owned)
        }
    };
    match message["referral"]["headline"].as_str() {
        Some(headline) => format!("{words} [from the ad \"{headline}\"]"),
        None => words,
    }
}

/// The fields of a form, without its token.
fn form(reply: &Value) -> String {
    let response = reply["response_json"].as_str().unwrap_or_default();
    let Ok(Value::Object(mut fields)) = serde_json::from_str(response) else { return format!("[form {response}]") };
    fields.remove("flow_token");
    format!("[form {}]", Value::Object(fields))
}

fn order(content: &Value) -> String {
    let items = list(&content["product_items"]).iter();
    let items = items.map(|i| format!("{} x {}", i["quantity"], i["product_retailer_id"].as_str().unwrap_or("?")));
    format!("[order {}]", items.collect::<Vec<_>>().join(", "))
}

/// Customers send files by id, which says nothing to people.
fn received_file(kind: &str, content: &Value) -> String {
    let kind = if content["voice"] == true { "voice message" } else { kind };
    let parts = [content["filename"].as_str().map(str::to_owned), caption(content)];
    bracketed(kind, parts)
}

// === Both ===

fn file(kind: &str, content: &Value) -> String {
    let name = content["filename"].as_str().map(str::to_owned);
    bracketed(kind, [Some(where_it_is(content)), name, caption(content)])
}

fn where_it_is(file: &Value) -> String {
    file["link"].as_str().or_else(|| file["id"].as_str()).unwrap_or("?").to_owned()
}

fn caption(file: &Value) -> Option<String> {
    file["caption"].as_str().map(|caption| format!("\"{caption}\""))
}

fn location(place: &Value) -> String {
    let words = |key: &str| place[key].as_str().map(str::to_owned);
    let degrees = format!("{}, {}", place["latitude"], place["longitude"]);
    bracketed("location", [Some(degrees), words("name"), words("address")])
}

fn contacts(cards: &Value) -> String {
    let names: Vec<_> = list(cards).iter().filter_map(|card| card["name"]["formatted_name"].as_str()).collect();
    bracketed("contacts", [Some(names.join(", "))])
}

fn bracketed(kind: &str, parts: impl IntoIterator<Item = Option<String>>) -> String {
    let words: Vec<_> = [kind.to_owned()].into_iter().chain(parts.into_iter().flatten()).collect();
    format!("[{}]", words.join(" "))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_message_is_one_readable_line() {
        let question = json!({
            "type": "button", "header": {"type": "text", "text": "Menú"}, "body": {"text": "¿Qué\nquieres?"},
            "footer": {"text": "Hasta las 20"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "buy", "title": "Comprar"}}]},
        });
        let mut pictured = question.clone();
        pictured["header"] = json!({"type": "image", "image": {"link": "https://x/y.png"}});
        let form = json!({"type": "flow", "body": {"text": "Elige día."},
            "action": {"name": "flow", "parameters": {"flow_cta": "Pedir cita"}}});
        let update = json!({"name": "order_update", "language": {"code": "es"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "9"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "42"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "0",
                "parameters": [{"type": "payload", "payload": "YES"}]},
        ]});
        for (kind, content, expected) in [
            ("text", json!({"body": "Hola"}), "Hola"),
            ("interactive", question, "Menú | ¿Qué quieres? | Hasta las 20 [1 Comprar]"),
            ("interactive", pictured, "[image https://x/y.png] | ¿Qué quieres? | Hasta las 20 [1 Comprar]"),
            ("interactive", form, "Elige día. [form \"Pedir cita\"]"),
            ("image", json!({"link": "https://x/y.png", "caption": "Mira"}), "[image https://x/y.png \"Mira\"]"),
            ("document", json!({"id": "9", "filename": "a.pdf"}), "[document 9 a.pdf]"),
            ("template", update, "[template order_update es: 9, Ana, 42] [1 YES]"),
            ("template", json!({"name": "hi", "language": {"code": "es"}}), "[template hi es]"),
            ("location", json!({"latitude": 40.4, "longitude": -3.7, "name": "Sol"}), "[location 40.4, -3.7 Sol]"),
        ] {
            assert_eq!(line_of(&json!({"type": kind, kind: content})), expected);
        }
    }

    #[test]
    fn what_a_customer_wrote_is_one_readable_line() {
        let nfm = json!({"type": "nfm_reply", "nfm_reply": {"response_json": "{\"flow_token\":\"t\",\"slot\":\"9\"}"}});
        for (kind, content, expected) in [
            ("text", json!({"body": "hola"}), "hola"),
            ("button", json!({"payload": "YES", "text": "Sí"}), "Sí"),
            ("interactive", json!({"type": "button_reply", "button_reply": {"id": "a", "title": "A"}}), "A"),
            ("interactive", nfm, "[form {\"slot\":\"9\"}]"),
            ("image", json!({"id": "9", "caption": "foto"}), "[image \"foto\"]"),
            ("audio", json!({"id": "9", "voice": true}), "[voice message]"),
            ("order", json!({"product_items": [{"product_retailer_id": "p", "quantity": 2}]}), "[order 2 x p]"),
            ("contacts", json!([{"name": {"formatted_name": "Leo"}}]), "[contacts Leo]"),
            ("hologram", json!({}), "<hologram>"),
        ] {
            assert_eq!(written(&json!({"type": kind, kind: content})), expected);
        }
        let led = json!({"type": "text", "text": {"body": "hola"}, "referral": {"headline": "Verano"}});
        assert_eq!(written(&led), "hola [from the ad \"Verano\"]");
    }

    #[test]
    fn a_registered_template_knows_the_titles_of_its_quick_replies() {
        let template = Template::new("hi", "es", "Hola").quick_replies(&["Sí", "No"]);
        let body = json!({"type": "template", "template": {"components": [{"type": "button",
            "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "YES"}]}]}});
        let replies: Vec<_> = quick_replies(&body, &template).into_iter().map(|o| (o.id, o.title)).collect();
        assert_eq!(replies, [("YES".to_owned(), "Sí".to_owned()), ("No".to_owned(), "No".to_owned())]);
    }
}
