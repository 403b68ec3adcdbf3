//! A sent message as a person sees it: its text, and what can be tapped.

use serde_json::Value;

/// Something that the customer can tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// What the business gets back.
    pub id: String,
    /// What the customer reads.
    pub title: String,
    /// The second line of a list row.
    pub description: Option<String>,
    /// A row of a list, not a button.
    pub in_list: bool,
}

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

/// What a send body says in one line, with what can be tapped: `Hola. [1 Comprar] [2 Salir]`.
pub fn line_of(body: &Value) -> String {
    let mut line = text_of(body).split_whitespace().collect::<Vec<_>>().join(" ");
    for (place, option) in options_of(body).iter().enumerate() {
        line.push_str(&format!(" [{} {}]", place + 1, option.title));
    }
    line
}

/// The buttons or rows of a send body, in the order in which they are shown.
pub fn options_of(body: &Value) -> Vec<Offered> {
    let action = &body["interactive"]["action"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let offered = |value: &Value, in_list| {
        Some(Offered {
            id: value["id"].as_str()?.to_owned(),
            title: value["title"].as_str()?.to_owned(),
            description: value["description"].as_str().map(str::to_owned),
            in_list,
        })
    };
    let buttons = list(&action["buttons"]).into_iter().filter_map(|b| offered(&b["reply"], false));
    let rows = list(&action["sections"]).into_iter().flat_map(|s| list(&s["rows"]));
    buttons.chain(rows.filter_map(|r| offered(&r, true))).collect()
}
