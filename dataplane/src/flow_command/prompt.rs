//! What is written at the prompt: a message of the customer, or a command that begins with `/`.

use serde_json::{Map, Value};
use wigwag_domain::{CallFailure, CallResult, MediaKind};

use super::act::{Act, Customer, Fail, Place, Release, Resume, Said, Start, Tapped};

/// What can be written.
pub(super) const HELP: &str = "\
TEXT                    the customer writes; a number taps what the last message offers
/tap 2, /tap TITLE      taps what a message offers
/image CAPTION          sends a file; also /video /audio /voice /document /sticker
/location LAT, LONG     sends a place
/form {\"field\": 1}      answers the form
/wait 25h               lets time go by: 90s, 20m, 24h, 3d
/start FLOW TEXT        a program starts a Flow
/resume NODE {}         a program resumes the conversation that waits at a node
/release next           people give the conversation back: next, end, or a node
/fail CODE WORDS        the last message could not be delivered
/vars                   shows the variables
/quit                   the end
//TEXT                  the customer writes /TEXT";

/// What was written.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// Something happens.
    Act(Act),
    /// Show the variables.
    Variables,
    /// Show what can be written.
    Help,
    /// The end.
    Quit,
    /// Nothing.
    Empty,
}

/// Reads a line. `offers` tells whether the bot's last message offers so many things to tap.
///
/// # Errors
/// What to write instead.
pub(super) fn read(line: &str, offers: impl Fn(usize) -> bool) -> Result<Line, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Line::Empty);
    }
    let Some(command) = line.strip_prefix('/') else {
        let number = line.parse().ok().filter(|number| offers(*number));
        return Ok(said(match number {
            Some(number) => Said::Tap(Tapped::Number(number)),
            None => Said::Text(line.to_owned()),
        }));
    };
    if command.starts_with('/') {
        return Ok(said(Said::Text(command.to_owned())));
    }
    let (name, rest) = split(command);
    let file = |kind| said(Said::file(kind, Some(rest.to_owned()).filter(|caption| !caption.is_empty())));
    Ok(match name {
        "tap" => said(Said::Tap(match rest.parse() {
            Ok(number) => Tapped::Number(number),
            Err(_) => Tapped::Title(rest.to_owned()),
        })),
        "image" => file(MediaKind::Image),
        "video" => file(MediaKind::Video),
        "audio" => file(MediaKind::Audio),
        "voice" => file(MediaKind::Voice),
        "document" => file(MediaKind::Document),
        "sticker" => file(MediaKind::Sticker),
        "location" => said(Said::Location(Place::Degrees(rest.to_owned()))),
        "form" => said(Said::Form(json(rest)?)),
        "wait" => Line::Act(Act::Wait(rest.parse().map_err(|bad: wigwag_crds::common::BadSpan| bad.to_string())?)),
        "start" => {
            let (flow, message) = split(rest);
            let (flow, message) = (flow.to_owned(), message.to_owned());
            Line::Act(Act::Start(Start { flow, message, variables: Map::new() }))
        }
        "resume" => {
            let (node, data) = if rest.starts_with('{') { ("", rest) } else { split(rest) };
            let node = Some(node.to_owned()).filter(|node| !node.is_empty());
            let data = if data.is_empty() { Value::Object(Map::new()) } else { json(data)? };
            Line::Act(Act::Resume(Resume { node, data }))
        }
        "release" => {
            let to = if rest.is_empty() { "next" } else { rest };
            Line::Act(Act::Release(Release { to: to.to_owned(), variables: Map::new() }))
        }
        "fail" => {
            let (code, error) = split(rest);
            let code = code.parse().ok();
            let error = if error.is_empty() { "Message undeliverable" } else { error };
            Line::Act(Act::Fail(Fail { code, error: error.to_owned() }))
        }
        "vars" => Line::Variables,
        "help" => Line::Help,
        "quit" | "exit" => Line::Quit,
        other => return Err(format!("there is no /{other}: /help shows what there is, //{other} says it")),
    })
}

/// Reads the answer to a call: JSON, a status and JSON or text, or the word for why there is none.
///
/// # Errors
/// What to write instead.
pub(super) fn answer(line: &str) -> Result<CallResult, String> {
    let line = line.trim();
    if let Ok(class) = serde_json::from_value::<CallFailure>(Value::String(line.to_owned())) {
        return Ok(CallResult::Failed { class, message: format!("the call failed: {line}") });
    }
    let (first, rest) = split(line);
    if first.len() == 3
        && let Some(status) = first.parse().ok().filter(|status| (100..600).contains(status))
    {
        let text = || Value::String(rest.to_owned());
        let body = if rest.is_empty() { Value::Null } else { serde_json::from_str(rest).unwrap_or_else(|_| text()) };
        return Ok(CallResult::Answered { status, body });
    }
    match serde_json::from_str(line) {
        Ok(body) => Ok(CallResult::Answered { status: 200, body }),
        Err(_) => {
            Err("write JSON, a status and JSON (404 {}), or timeout, network, refused, tooLarge, invalid, unknown"
                .to_owned())
        }
    }
}

fn said(said: Said) -> Line {
    Line::Act(Act::Customer(Customer { said, referral: None }))
}

/// The first word, and the rest. A word in quotes may hold spaces.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    if let Some((word, rest)) = text.strip_prefix('"').and_then(|text| text.split_once('"')) {
        return (word, rest.trim());
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{text:?} is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn item(line: &str) -> Value {
        match read(line, |number| number <= 2).unwrap() {
            Line::Act(act) => {
                let (key, value) = act.item();
                json!({ key: value })
            }
            other => json!(format!("{other:?}")),
        }
    }

    #[test]
    fn a_line_is_what_the_customer_says_or_a_command() {
        for (line, expected) in [
            ("hola", json!({"customer": "hola"})),
            ("2", json!({"customer": {"tap": 2}})),
            ("3", json!({"customer": "3"})),
            ("//menu", json!({"customer": "/menu"})),
            ("/tap Ver más", json!({"customer": {"tap": "Ver más"}})),
            ("/image mi gato", json!({"customer": {"image": "mi gato"}})),
            ("/location 40.4, -3.7", json!({"customer": {"location": "40.4, -3.7"}})),
            ("/form {\"a\": 1}", json!({"customer": {"form": {"a": 1}}})),
            ("/wait 25h", json!({"wait": "1d1h"})),
            ("/start orders 42", json!({"start": {"flow": "orders", "message": "42"}})),
            ("/resume \"the pay\" {\"ok\": true}", json!({"resume": {"node": "the pay", "data": {"ok": true}}})),
            ("/resume {\"ok\": true}", json!({"resume": {"data": {"ok": true}}})),
            ("/release", json!({"release": {"to": "next"}})),
            ("/fail 131026", json!({"fail": {"code": 131_026, "error": "Message undeliverable"}})),
            ("/vars", json!("Variables")),
            ("  ", json!("Empty")),
        ] {
            assert_eq!(item(line), expected, "{line}");
        }
        for (line, why) in
            [("/jump", "there is no /jump"), ("/wait long", "\"long\" is no span"), ("/form x", "\"x\" is no JSON")]
        {
            assert!(read(line, |_| false).unwrap_err().starts_with(why), "{line}");
        }
    }

    #[test]
    fn an_answer_is_json_or_a_status_or_the_word_for_why_there_is_none() {
        let answered = |status, body| CallResult::Answered { status, body };
        assert_eq!(answer("{\"a\": 1}").unwrap(), answered(200, json!({"a": 1})));
        assert_eq!(answer("404").unwrap(), answered(404, Value::Null));
        assert_eq!(answer("503 down").unwrap(), answered(503, json!("down")));
        assert!(matches!(answer("tooLarge").unwrap(), CallResult::Failed { class: CallFailure::TooLarge, .. }));
        assert!(answer("whatever").unwrap_err().starts_with("write JSON"));
    }
}
