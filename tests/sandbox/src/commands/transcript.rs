//! A conversation as text that grows: each message a line, and the receipts of a message added to its line as they come.
//!
//! ```text
//!   Ana    hola
//!   Acme   Hola Ana. ¿Qué quieres hacer?   [1 Comprar] [2 Salir]     sent, delivered, read
//! ```
//!
//! No cursor is moved, so that it reads the same on a terminal and in a file. A message whose receipts do not come holds
//! the lines behind it for a second; what comes after that gets a line of its own. Pure: the caller has the clock.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use wigwag_simulator::Event;

/// Room for what was said, before its receipts.
const TEXT: usize = 72;
/// How long a line waits for its next receipt.
const PATIENCE: Duration = Duration::from_secs(1);
/// After these no receipt is waited for.
const LAST: [&str; 3] = ["read", "played", "failed"];

/// What was said and is not yet written out.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// Businesses by the id of their number.
    names: HashMap<String, String>,
    /// Of the column with names.
    width: usize,
    lines: VecDeque<Line>,
    /// Messages that did not wait for their last receipt, by wamid: what they said.
    gone: HashMap<String, String>,
}

#[derive(Debug)]
enum Line {
    /// Nothing is added to it.
    Whole(String),
    Message(Message),
}

/// A message of a business.
#[derive(Debug)]
struct Message {
    wamid: String,
    text: String,
    line: String,
    /// Between the line and its first receipt.
    gap: String,
    receipts: Vec<String>,
    /// How many of the receipts are written out, and since when it waits for the next; `None` while the line is not
    /// begun.
    written: Option<(usize, Instant)>,
}

impl Transcript {
    /// A transcript of the businesses `names`, by the id of their number, and the customer `customer`.
    pub(super) fn new(names: HashMap<String, String>, customer: &str) -> Self {
        let longest = names.values().map(String::as_str).chain([customer]).map(|name| name.chars().count()).max();
        Self { names, width: longest.unwrap_or_default() + 3, ..Self::default() }
    }

    /// Adds what happened.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::CustomerMessage { name, text, .. } => {
                let line = self.line(&name, &text);
                self.lines.push_back(Line::Whole(line));
            }
            Event::BotMessage { phone_number_id, wamid, text, .. } => {
                let name = self.names.get(&phone_number_id).cloned().unwrap_or(phone_number_id);
                // What can be tapped stands apart from what is said.
                let text = text.replacen(" [form ", "   [form ", 1).replacen(" [1 ", "   [1 ", 1);
                let line = self.line(&name, &text);
                let gap = " ".repeat((2 + self.width + TEXT).saturating_sub(line.chars().count()).max(3));
                let message = Message { wamid, text, line, gap, receipts: vec![], written: None };
                self.lines.push_back(Line::Message(message));
            }
            // One that was not answered 200 comes again.
            Event::Receipt { wamid, status, answered: Some(200), .. } => self.take_receipt(&wamid, status),
            Event::Receipt { .. } => {}
            Event::Refused { reason, .. } => self.note(&format!("a send was refused: {reason}")),
        }
    }

    fn take_receipt(&mut self, wamid: &str, status: String) {
        let messages = self.lines.iter_mut().filter_map(|line| match line {
            Line::Message(message) => Some(message),
            Line::Whole(_) => None,
        });
        if let Some(message) = messages.into_iter().find(|message| message.wamid == wamid) {
            if !message.receipts.contains(&status) {
                message.receipts.push(status);
            }
        } else if let Some(text) = self.gone.get(wamid) {
            self.note(&format!("{status}: {text}"));
        }
    }

    /// Adds a line about something else.
    pub(super) fn note(&mut self, text: &str) {
        self.lines.push_back(Line::Whole(format!("  - {text}")));
    }

    /// What is to be written out now, behind what was written before.
    pub(super) fn flush(&mut self, now: Instant) -> String {
        let mut text = String::new();
        while let Some(line) = self.lines.front_mut() {
            match line {
                Line::Whole(line) => text.push_str(line),
                Line::Message(message) => {
                    if !message.write(&mut text, now) {
                        break;
                    }
                    if !message.is_complete() {
                        self.gone.insert(message.wamid.clone(), message.text.clone());
                    }
                }
            }
            text.push('\n');
            self.lines.pop_front();
        }
        text
    }

    /// Whether all is written out, and nothing is waited for.
    pub(super) fn is_settled(&self) -> bool {
        self.lines.is_empty()
    }

    /// A name with what it said.
    pub(super) fn line(&self, name: &str, text: &str) -> String {
        let width = self.width.max(name.chars().count() + 1);
        format!("  {name:<width$}{text}")
    }
}

impl Message {
    /// Writes what is new of it, and tells whether its line is over.
    fn write(&mut self, text: &mut String, now: Instant) -> bool {
        let (written, since) = self.written.unwrap_or_else(|| {
            text.push_str(&self.line);
            (0, now)
        });
        for (place, receipt) in self.receipts.iter().enumerate().skip(written) {
            text.push_str(if place == 0 { &self.gap } else { ", " });
            text.push_str(receipt);
        }
        let since = if self.receipts.len() > written { now } else { since };
        self.written = Some((self.receipts.len(), since));
        self.is_complete() || now.duration_since(since) >= PATIENCE
    }

    fn is_complete(&self) -> bool {
        self.receipts.iter().any(|receipt| LAST.contains(&receipt.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use wigwag_simulator::line_of;

    use super::*;

    const NUMBER: &str = "1001";

    fn transcript() -> Transcript {
        Transcript::new(HashMap::from([(NUMBER.to_owned(), "Acme".to_owned())]), "Ana")
    }

    fn customer(text: &str) -> Event {
        let (phone_number_id, customer) = (NUMBER.to_owned(), "34600111222".to_owned());
        Event::CustomerMessage { phone_number_id, customer, name: "Ana".into(), id: "in".into(), text: text.to_owned() }
    }

    fn business(wamid: &str, text: &str) -> Event {
        let (phone_number_id, customer) = (NUMBER.to_owned(), "34600111222".to_owned());
        Event::BotMessage { phone_number_id, customer, wamid: wamid.to_owned(), text: text.to_owned() }
    }

    fn receipt(wamid: &str, status: &str, answered: Option<u16>) -> Event {
        let customer = "34600111222".to_owned();
        Event::Receipt { wamid: wamid.to_owned(), customer, status: status.to_owned(), answered }
    }

    #[test]
    fn receipts_are_added_to_the_line_of_their_message() {
        let (mut transcript, now) = (transcript(), Instant::now());
        transcript.take(customer("hola"));
        assert_eq!(transcript.flush(now), "  Ana    hola\n");
        transcript.take(business("out", "Hola Ana. [1 Comprar] [2 Salir]"));
        assert_eq!(transcript.flush(now), "  Acme   Hola Ana.   [1 Comprar] [2 Salir]");
        transcript.take(receipt("out", "sent", Some(200)));
        let sent = transcript.flush(now);
        assert!(sent.starts_with("   ") && sent.trim_start() == "sent", "{sent:?}");
        transcript.take(receipt("out", "delivered", Some(200)));
        transcript.take(receipt("out", "read", Some(200)));
        assert_eq!(transcript.flush(now), ", delivered, read\n");
        assert!(transcript.is_settled());
    }

    #[test]
    fn files_templates_forms_headers_and_footers_are_told() {
        use serde_json::json;

        let action = json!({"name": "flow", "parameters": {"flow_cta": "Pedir cita"}});
        let body = json!({"text": "Elige día."});
        let menu = json!({"type": "button", "header": {"type": "text", "text": "Menú"}, "body": {"text": "¿Qué?"},
            "footer": {"text": "Hasta las 20"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "buy", "title": "Comprar"}}]}});
        let values = json!([{"type": "text", "text": "Ana"}, {"type": "text", "text": "42"}]);
        for (kind, content, expected) in [
            ("image", json!({"link": "https://x/y.png", "caption": "Mira"}), r#"[image https://x/y.png "Mira"]"#),
            (
                "template",
                json!({"name": "listo", "language": {"code": "es"},
                    "components": [{"type": "body", "parameters": values}]}),
                "[template listo es: Ana, 42]",
            ),
            (
                "interactive",
                json!({"type": "flow", "body": body, "action": action}),
                r#"Elige día.   [form "Pedir cita"]"#,
            ),
            ("interactive", menu, "Menú | ¿Qué? | Hasta las 20   [1 Comprar]"),
        ] {
            let mut transcript = transcript();
            transcript.take(business("out", &line_of(&json!({"type": kind, kind: content}))));
            assert_eq!(transcript.flush(Instant::now()), format!("  Acme   {expected}"));
        }
    }

    #[test]
    fn receipts_of_short_and_long_messages_stand_below_each_other() {
        let (mut transcript, now) = (transcript(), Instant::now());
        for (wamid, text) in [("one", "¿Sí?"), ("two", "Gracias, Ana. Te preparamos algo de novela.")] {
            transcript.take(business(wamid, text));
            transcript.take(receipt(wamid, "read", Some(200)));
        }
        let text = transcript.flush(now);
        let columns: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(columns.len(), 2);
        assert_eq!(columns[0], columns[1], "{text}");
    }

    #[test]
    fn a_receipt_that_was_not_taken_is_not_shown() {
        let (mut transcript, now) = (transcript(), Instant::now());
        transcript.take(business("out", "Hola"));
        transcript.take(receipt("out", "sent", None));
        transcript.take(receipt("out", "sent", Some(503)));
        assert_eq!(transcript.flush(now), "  Acme   Hola");
    }

    #[test]
    fn a_message_without_receipts_holds_the_next_line_for_a_while_and_its_receipts_come_later() {
        let (mut transcript, now) = (transcript(), Instant::now());
        transcript.take(business("out", "Hola"));
        transcript.take(customer("¿hay alguien?"));
        assert_eq!(transcript.flush(now), "  Acme   Hola");
        assert_eq!(transcript.flush(now + PATIENCE / 2), "");
        assert_eq!(transcript.flush(now + PATIENCE), "\n  Ana    ¿hay alguien?\n");
        transcript.take(receipt("out", "read", Some(200)));
        assert_eq!(transcript.flush(now + PATIENCE), "  - read: Hola\n");
    }
}
