//! Paths of the editor's form: `{{ cart[0].name }}` in texts, `order.id` as what `assign` and `api` write.
//!
//! The editor's `{{ }}` holds a path and nothing else: words of letters, digits and `_`, with dots between them, and
//! `[n]` behind them; `context.` in front changes nothing. What is no path is left in the text as it stands. A number
//! takes the element of a list. Nothing is ever evaluated, so a customer's `{{ }}` is text.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::expression::{EvaluateError, Fuel};

/// The most words of a path: no value may be nested deeper.
const MAX_WORDS: usize = 32;

/// A path, without the `context.` in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

/// A piece of a text with `{{ path }}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Goes out as it is.
    Text(String),
    /// The value at this path goes here.
    Value(Path),
}

/// What paths and conditions read: a session's keys and variables, as one object.
pub(crate) trait Roots {
    /// What a name holds, if it was ever set.
    fn get(&self, name: &str) -> Option<Cow<'_, Value>>;

    /// All of it as one object.
    fn whole(&self) -> Value;
}

impl Path {
    /// Reads a path; white space around it does not count. `None` for what is no path.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, rest) = read(text.trim())?;
        rest.is_empty().then_some(path)
    }

    /// The name that it begins with; `None` where it is `context` alone, which is all there is.
    pub fn root(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// How many words it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What stands at the path among variables alone.
    pub fn among<'a>(&self, variables: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(variables.get(first)?, |value, word| child(value, word))
    }

    /// The value at the path, if there is one.
    ///
    /// # Errors
    ///
    /// Only [`EvaluateError::Exhausted`].
    pub fn find<'a>(&self, root: &'a dyn Roots, fuel: &Fuel) -> Result<Option<Cow<'a, Value>>, EvaluateError> {
        let (found, rest) = match self.0.split_first() {
            Some((first, rest)) => (root.get(first), rest),
            None => (Some(Cow::Owned(root.whole())), &[][..]),
        };
        let Some(found) = found else { return Ok(None) };
        fuel.burn_made(&found)?;
        Ok(rest.iter().try_fold(found, |value, word| step(value, word)))
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("context") } else { f.write_str(&self.0.join(".")) }
    }
}

/// Cuts a text into what it says and the paths whose values go into it.
pub(crate) fn segments(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        match hole(&text[start + 2..]) {
            Some((path, rest)) => {
                if done < start {
                    segments.push(Segment::Text(text[done..start].to_owned()));
                }
                segments.push(Segment::Value(path));
                done = text.len() - rest.len();
                from = done;
            }
            // `{{{ name }}` has a path behind its first brace.
            None => from = start + 1,
        }
    }
    if done < text.len() {
        segments.push(Segment::Text(text[done..].to_owned()));
    }
    segments
}

/// Sets the value at a path. Objects are made on the way, and what is no object is replaced by one; but a number takes
/// the element of a list that is there. `false`, and nothing is changed, if the list has no such element, or if the
/// path is `context` alone.
pub(crate) fn put(variables: &mut Map<String, Value>, path: &Path, value: Value) -> bool {
    let Some((first, rest)) = path.0.split_first() else { return false };
    if !fits(variables.get(first), rest) {
        return false;
    }
    let mut place = variables.entry(first).or_insert(Value::Null);
    for word in rest {
        let element = number(word).filter(|_| place.is_array());
        if element.is_none() && !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = match element {
            Some(at) => match place.get_mut(at) {
                Some(element) => element,
                None => return false,
            },
            None => &mut place[word.as_str()],
        };
    }
    *place = value;
    true
}

/// Whether each number along a path that meets a list is a place in it.
fn fits(value: Option<&Value>, words: &[String]) -> bool {
    let mut at = value;
    for word in words {
        at = match (at, number(word)) {
            (Some(Value::Array(items)), Some(place)) if place >= items.len() => return false,
            (Some(value), _) => child(value, word),
            (None, _) => return true,
        };
    }
    true
}

/// What stands behind `{{`, up to and with `}}`: the path, and what comes after it.
fn hole(text: &str) -> Option<(Path, &str)> {
    let (path, rest) = read(text.trim_start())?;
    Some((path, rest.trim_start().strip_prefix("}}")?))
}

/// The path that a text begins with, and what comes after it.
fn read(text: &str) -> Option<(Path, &str)> {
    let mut words = Vec::new();
    let (first, mut rest) = word(text)?;
    words.push(first);
    loop {
        let (next, after) = match rest.as_bytes().first() {
            Some(b'.') => word(&rest[1..])?,
            Some(b'[') => {
                let (digits, after) = word(&rest[1..])?;
                number(digits)?;
                (digits, after.strip_prefix(']')?)
            }
            _ => break,
        };
        if words.len() > MAX_WORDS {
            return None;
        }
        words.push(next);
        rest = after;
    }
    let words = if words[0] == "context" { &words[1..] } else { &words };
    (words.len() <= MAX_WORDS).then(|| (Path(words.iter().map(|&word| word.to_owned()).collect()), rest))
}

fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The place in a list that a word names.
fn number(word: &str) -> Option<usize> {
    let spelled = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    spelled.then(|| word.parse().ok()).flatten()
}

fn child<'a>(value: &'a Value, word: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(number(word)?),
        Value::Object(map) => map.get(word),
        _ => None,
    }
}

fn step<'a>(value: Cow<'a, Value>, word: &str) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => child(value, word).map(Cow::Borrowed),
        Cow::Owned(Value::Array(mut items)) => items.get_mut(number(word)?).map(|value| Cow::Owned(value.take())),
        Cow::Owned(Value::Object(mut map)) => map.get_mut(word).map(|value| Cow::Owned(value.take())),
        Cow::Owned(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Variables alone; those called `made` are made when they are read.
    struct Variables(Value);

    impl Roots for Variables {
        fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
            let value = self.0.get(name)?;
            Some(if name == "made" { Cow::Owned(value.clone()) } else { Cow::Borrowed(value) })
        }

        fn whole(&self) -> Value {
            self.0.clone()
        }
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|| panic!("{text} is a path"))
    }

    #[test]
    fn a_path_leads_to_its_value_with_and_without_context() {
        let cart = json!([{"name": "tea"}, {"name": "coffee", "7": "seven"}]);
        let variables = Variables(json!({"name": "Ana", "cart": cart, "made": cart, "año": 2026, "0": "zero"}));
        for (text, value) in [
            ("name", Some(json!("Ana"))),
            (" context.name ", Some(json!("Ana"))),
            ("cart.1.name", Some(json!("coffee"))),
            ("cart[1].name", Some(json!("coffee"))),
            ("context.made[0].name", Some(json!("tea"))),
            ("made[1].7", Some(json!("seven"))),
            ("cart[1][7]", Some(json!("seven"))),
            ("año", Some(json!(2026))),
            ("0", Some(json!("zero"))),
            ("context", Some(variables.0.clone())),
            ("cart[2]", None),
            ("cart[01]", None),
            ("cart.length", None),
            ("name.0", None),
            ("missing.deeper", None),
            ("cart[99999999999999999999]", None),
        ] {
            let found = Path::parse(text)
                .and_then(|path| path.find(&variables, &Fuel::of_event()).unwrap().map(Cow::into_owned));
            assert_eq!(found, value, "{text}");
        }
        assert_eq!(path("context.cart[0]").root(), Some("cart"));
        assert_eq!(path("context").root(), None);
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in
            ["", " ", ".", "a.", ".a", "a..b", "a b", "a-b", "a[", "a[]", "a[x]", "[0]", "a['b']", "a()", "a + b"]
        {
            assert_eq!(Path::parse(text), None, "{text}");
        }
        assert!(Path::parse(&["a"; 32].join(".")).is_some());
        assert_eq!(Path::parse(&["a"; 33].join(".")), None);
    }

    #[test]
    fn a_text_is_cut_at_its_paths_and_keeps_all_else() {
        let text = |text: &str| Segment::Text(text.to_owned());
        let value = |text: &str| Segment::Value(path(text));
        for (source, expected) in [
            ("", vec![]),
            ("hola", vec![text("hola")]),
            ("{{name}}", vec![value("name")]),
            ("Hola {{ context.name }}!", vec![text("Hola "), value("name"), text("!")]),
            ("{{a}}{{\n b[0].c\t}}", vec![value("a"), value("b.0.c")]),
            ("{{ 1 + 1 }} {{ }} {{a", vec![text("{{ 1 + 1 }} {{ }} {{a")]),
            ("{{{a}}}", vec![text("{"), value("a"), text("}")]),
            ("{{ {{ a }} }}", vec![text("{{ "), value("a"), text(" }}")]),
            ("{{ ñ }} {{ a.}} ñ", vec![value("ñ"), text(" {{ a.}} ñ")]),
        ] {
            assert_eq!(segments(source), expected, "{source}");
        }
    }

    #[test]
    fn a_path_is_written_and_what_is_in_its_way_is_replaced() {
        let before = json!({"a": 1, "list": [1, {"b": 2}], "o": {"x": {"y": 1}}});
        for (target, after) in [
            ("a", json!({"a": "v", "list": [1, {"b": 2}], "o": {"x": {"y": 1}}})),
            ("a.b.c", json!({"a": {"b": {"c": "v"}}, "list": [1, {"b": 2}], "o": {"x": {"y": 1}}})),
            ("context.o.x.z", json!({"a": 1, "list": [1, {"b": 2}], "o": {"x": {"y": 1, "z": "v"}}})),
            ("list[0]", json!({"a": 1, "list": ["v", {"b": 2}], "o": {"x": {"y": 1}}})),
            ("list.1.b", json!({"a": 1, "list": [1, {"b": "v"}], "o": {"x": {"y": 1}}})),
            ("list.0.b", json!({"a": 1, "list": [{"b": "v"}, {"b": 2}], "o": {"x": {"y": 1}}})),
            ("list.name", json!({"a": 1, "list": {"name": "v"}, "o": {"x": {"y": 1}}})),
            ("new[0]", json!({"a": 1, "list": [1, {"b": 2}], "o": {"x": {"y": 1}}, "new": {"0": "v"}})),
        ] {
            let mut variables = before.as_object().unwrap().clone();
            assert!(put(&mut variables, &path(target), json!("v")), "{target}");
            assert_eq!(Value::Object(variables), after, "{target}");
        }
        for target in ["list[2]", "list[4000000000].x", "context"] {
            let mut variables = before.as_object().unwrap().clone();
            assert!(!put(&mut variables, &path(target), json!("v")), "{target}");
            assert_eq!(Value::Object(variables), before, "{target}");
        }
    }

    proptest! {
        #[test]
        fn no_text_loses_or_gains_a_letter(text in "[{}a.\\[\\]0 ñ\n]{0,40}") {
            let mut rest = text.as_str();
            for segment in segments(&text) {
                match segment {
                    Segment::Text(literal) => rest = rest.strip_prefix(literal.as_str()).unwrap(),
                    Segment::Value(path) => {
                        let (read, after) = hole(rest.strip_prefix("{{").unwrap()).unwrap();
                        prop_assert_eq!(read, path);
                        rest = after;
                    }
                }
            }
            prop_assert_eq!(rest, "");
        }

        #[test]
        fn what_was_put_is_found(words in prop::collection::vec("[a-c0-2]", 1..5), old in "[a-c]") {
            let mut variables = json!({ old: [{"a": [1, 2]}, 3] }).as_object().unwrap().clone();
            let path = path(&words.join("."));
            if put(&mut variables, &path, json!("v")) {
                let variables = Variables(Value::Object(variables));
                prop_assert_eq!(path.find(&variables, &Fuel::of_event()).unwrap().map(Cow::into_owned), Some(json!("v")));
            }
        }
    }
}
