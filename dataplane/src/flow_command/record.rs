//! A conversation at the prompt, written down as a script that then plays the same.

use std::{fs, path::PathBuf};

use serde_json::{Map, Value, json};
use wigwag_domain::{CallResult, HttpCall};

use super::{act::Act, conversation::Conversation, script::body_of};

/// Writes a script; its file is whole after each turn.
pub(super) struct Record {
    path: PathBuf,
    text: String,
    /// What belongs to the turn that is not written yet.
    calls: Vec<String>,
    lines: Vec<String>,
}

impl Record {
    /// A script that begins like this conversation.
    ///
    /// # Errors
    /// When the file cannot be written: option, file and cause.
    pub fn begin(path: PathBuf, conversation: &Conversation) -> Result<Self, String> {
        let contact = conversation.contact();
        let given = json!({
            "contact": {"name": contact.name, "phone": contact.phone},
            "now": conversation.time().timestamp().to_string(),
        });
        let record = Self { path, text: item("given", &given), calls: vec![], lines: vec![] };
        record.write()?;
        Ok(record)
    }

    /// The bot said something.
    pub fn said(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A call got an answer.
    pub fn answered(&mut self, call: &HttpCall, result: &CallResult) {
        let mut wanted =
            Map::from_iter([("method".to_owned(), json!(call.method)), ("url".to_owned(), json!(call.url))]);
        if call.body.is_some() {
            wanted.insert("body".to_owned(), body_of(call));
        }
        let http = match result {
            CallResult::Answered { status, body } => {
                json!({"match": wanted, "reply": {"status": status, "body": body}})
            }
            CallResult::Failed { class, .. } => json!({"match": wanted, "fail": class}),
        };
        self.calls.push(item("http", &http));
    }

    /// Something happened, with all that it led to.
    ///
    /// # Errors
    /// When the file cannot be written: option, file and cause.
    pub fn happened(&mut self, act: &Act) -> Result<(), String> {
        let (key, value) = act.item();
        self.text.push_str(&item(key, &value));
        self.text.extend(self.calls.drain(..));
        match self.lines.as_slice() {
            [] => {}
            [line] => self.text.push_str(&item("bot", &json!(line))),
            lines => {
                let lines: String = lines.iter().map(|line| format!("  - {}\n", quoted(&json!(line)))).collect();
                self.text.push_str(&format!("- bot:\n{lines}"));
            }
        }
        self.lines.clear();
        self.write()
    }

    fn write(&self) -> Result<(), String> {
        let told = |error| format!("--record {}: cannot be written: {error}", self.path.display());
        fs::write(&self.path, &self.text).map_err(told)
    }
}

/// An item of a script. JSON is YAML.
fn item(key: &str, value: &Value) -> String {
    format!("- {key}: {}\n", quoted(value))
}

/// JSON without characters that YAML takes no letter for.
fn quoted(value: &Value) -> String {
    let mut text = String::new();
    for letter in value.to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => text.push(letter),
        }
    }
    text
}
