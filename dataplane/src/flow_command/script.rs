//! Scripts: a conversation as it should go, in YAML. A Flow author's unit test.
//!
//! ```yaml
//! - given: {contact: {name: Ana, attributes: {orders: 1}}, now: 2026-01-05T09:00}
//! - customer: hola
//! - bot: "Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]"
//! - customer: {tap: Comprar}
//! - http: {match: {method: GET, url: "https://shop.example/..."}, reply: {body: {total: 12}}}
//! - bot: ["Son 12 euros.", "..."]
//! - wait: 25h
//! - expect: {status: Completed, reason: timeout, variables: {total: 12}}
//! ```

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use wigwag_domain::{CallFailure, CallResult, HttpCall};

use super::{
    act::{Act, Customer, Said},
    compare::fits,
};

/// A script.
#[derive(Debug)]
pub(super) struct Script {
    pub given: Given,
    pub items: Vec<Item>,
}

/// An item, with the line on which it begins.
#[derive(Debug)]
pub(super) struct Item {
    pub line: u64,
    pub what: Content,
}

/// What an item says.
#[derive(Debug)]
pub(super) enum Content {
    /// This happens.
    Act(Act),
    /// Then the customer sees these messages.
    Bot(Vec<String>),
    /// A call that is made before the next thing happens, and its answer.
    Http(Http),
    /// Then it stands like this.
    Expect(Expect),
}

/// With whom, and when, the conversation begins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    #[serde(default)]
    pub contact: GivenContact,
    /// Variables that the first session has from its beginning.
    #[serde(default)]
    pub variables: Map<String, Value>,
    #[serde(default)]
    pub now: Option<String>,
}

/// Who writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenContact {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

/// A call with its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    #[serde(default, rename = "match")]
    pub matches: Match,
    #[serde(default)]
    pub reply: Option<Reply>,
    #[serde(default)]
    pub fail: Option<CallFailure>,
}

/// Which call. What is not said does not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub body: Option<Value>,
}

/// An answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    #[serde(default = "ok")]
    pub status: u16,
    #[serde(default)]
    pub body: Value,
}

/// How the session that changed last stands. What is not said does not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    #[serde(default)]
    pub flow: Option<String>,
    #[serde(default)]
    pub node: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    /// Why it ended, or failed.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub variables: Map<String, Value>,
    #[serde(default)]
    pub contact: Map<String, Value>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Line and cause.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A customer who writes "no" means no truth value.
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        let items: Vec<Spanned<Value>> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| format!("no script: {error}"))?;
        let mut script = Self { given: Given::default(), items: Vec::with_capacity(items.len()) };
        for (index, item) in items.into_iter().enumerate() {
            let line = item.defined.line();
            let at = |error: String| format!("line {line}: {error}");
            let (key, value) = entry(item.value).map_err(at)?;
            if key == "given" {
                if index > 0 {
                    return Err(at("given: put it first".to_owned()));
                }
                script.given = read("given", value).map_err(at)?;
            } else {
                script.items.push(Item { line, what: content(&key, value).map_err(at)? });
            }
        }
        if script.items.is_empty() {
            return Err("it plays nothing: write what happens and what follows, such as `- customer: hola` and \
                        `- bot: ...`"
                .to_owned());
        }
        Ok(script)
    }
}

/// The one key of an item, and its value.
fn entry(item: Value) -> Result<(String, Value), String> {
    let kinds = "write one of given, customer, bot, http, wait, start, resume, release, fail, expect";
    match item {
        Value::Object(map) if map.len() == 1 => map.into_iter().next().ok_or_else(|| kinds.to_owned()),
        _ => Err(format!("an item is a map with one key: {kinds}")),
    }
}

fn content(key: &str, value: Value) -> Result<Content, String> {
    Ok(match key {
        "customer" => Content::Act(Act::Customer(customer(value)?)),
        "wait" => Content::Act(Act::Wait(read(key, value)?)),
        "start" => Content::Act(Act::Start(read(key, named("flow", value))?)),
        "resume" => Content::Act(Act::Resume(read(key, named("node", value))?)),
        "release" => Content::Act(Act::Release(read(key, named("to", value))?)),
        "fail" => Content::Act(Act::Fail(read(key, value)?)),
        "bot" => Content::Bot(match value {
            Value::Array(lines) => lines.into_iter().map(|line| text("bot", line)).collect::<Result<_, _>>()?,
            line => vec![text("bot", line)?],
        }),
        "http" => {
            let http: Http = read(key, value)?;
            if http.reply.is_some() == http.fail.is_some() {
                return Err("http: write either reply: {status, body} or fail: timeout".to_owned());
            }
            Content::Http(http)
        }
        "expect" => Content::Expect(read(key, value)?),
        other => {
            return Err(format!(
                "{other:?} is no item: write one of customer, bot, http, wait, start, resume, release, fail, expect"
            ));
        }
    })
}

fn customer(value: Value) -> Result<Customer, String> {
    let Value::Object(mut fields) = value else {
        return Ok(Customer { said: Said::Text(text("customer", value)?), referral: None });
    };
    let referral = fields.remove("referral");
    if let Some(given) = fields.get("text") {
        text("customer.text", given.clone())?;
    }
    Ok(Customer { said: read("customer", Value::Object(fields))?, referral })
}

/// What stands alone is the value of this field.
fn named(field: &str, value: Value) -> Value {
    if value.is_string() { Value::Object(Map::from_iter([(field.to_owned(), value)])) } else { value }
}

/// A text. A number could lose what was written (`1.50`), so it is not taken for one.
fn text(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("{key}: {other} is no text: put quotes around it")),
    }
}

fn read<T: DeserializeOwned>(key: &str, value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => format!("{key}: {}", error.inner()),
        path => format!("{key}.{path}: {}", error.inner()),
    })
}

fn ok() -> u16 {
    200
}

impl Http {
    /// What the call gets.
    pub fn result(&self) -> CallResult {
        match (&self.reply, self.fail) {
            (Some(reply), _) => CallResult::Answered { status: reply.status, body: reply.body.clone() },
            (None, fail) => {
                let class = fail.unwrap_or(CallFailure::Network);
                CallResult::Failed { class, message: format!("the call failed: {}", class.as_str()) }
            }
        }
    }

    /// In what a call is another one; `None` where it is this.
    pub fn differs(&self, call: &HttpCall) -> Option<String> {
        let Match { method, url, body } = &self.matches;
        let differs = |what: &str, expected: &Value, got: &Value| {
            (!fits(expected, got)).then(|| format!("  - {what} {expected}\n  + {what} {got}"))
        };
        let is_method = |method: &String| method.eq_ignore_ascii_case(&call.method);
        if let Some(method) = method.as_ref().filter(|method| !is_method(method)) {
            return Some(format!("  - method {method}\n  + method {}", call.method));
        }
        let url = url.as_ref().and_then(|url| differs("url", &url.as_str().into(), &call.url.as_str().into()));
        url.or_else(|| differs("body", body.as_ref()?, &body_of(call)))
    }
}

/// The body of a call: JSON where it is JSON.
pub(super) fn body_of(call: &HttpCall) -> Value {
    let Some(body) = &call.body else { return Value::Null };
    serde_json::from_str(&body.text).unwrap_or_else(|_| Value::String(body.text.clone()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_customers_write_is_text_and_a_number_must_be_quoted() {
        let script = Script::parse("- customer: no\n- customer: \"1.50\"\n").unwrap();
        let said = |item: &Item| match &item.what {
            Content::Act(Act::Customer(Customer { said: Said::Text(text), .. })) => text.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(script.items.iter().map(said).collect::<Vec<_>>(), ["no", "1.50"]);
        let error = Script::parse("- customer: hola\n- bot: [a]\n\n- customer: 1.50\n").unwrap_err();
        assert_eq!(error, "line 4: customer: 1.5 is no text: put quotes around it");
    }

    #[test]
    fn what_is_no_script_says_where_and_why() {
        for (text, why) in [
            ("- customer: {tpa: 1}", "line 1: customer: unknown variant `tpa`"),
            ("- custmer: hola", "line 1: \"custmer\" is no item: write one of"),
            ("- {customer: a, bot: b}", "line 1: an item is a map with one key"),
            ("- customer: a\n- given: {}", "line 2: given: put it first"),
            ("- http: {reply: {}, fail: timeout}", "line 1: http: write either"),
            ("- http: {match: {path: x}, reply: {}}", "line 1: http.match.path: unknown field `path`"),
            ("- http: {fail: slow}", "line 1: http.fail: unknown variant `slow`"),
            ("- wait: long", "line 1: wait: \"long\" is no span of time"),
            ("- expect: {nod: a}", "line 1: expect.nod: unknown field `nod`"),
            ("- customer: [", "no script: "),
            ("customer: a", "no script: "),
            ("", "it plays nothing: write "),
            ("# later", "it plays nothing: write "),
            ("- given: {contact: {name: Eva}}", "it plays nothing: write "),
        ] {
            let error = Script::parse(text).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
