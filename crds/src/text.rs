//! Texts for customers: one, or one for each language.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A text, or a map of them by language: `Hola` or `{es: Hola, pt: Olá}`. A schema cannot say "either", so whatever is
/// written is taken, and what is neither is a finding. A rule of CEL does not see such a field at all: whether it is
/// there is said by `required`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(Value);

/// What a [`Text`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variants<'a> {
    /// One text for every language.
    One(&'a str),
    /// Language and text, in the order in which they are written.
    ByLanguage(Vec<(&'a str, &'a str)>),
}

impl Text {
    /// The texts; none where it is neither a text nor a map of texts.
    #[must_use]
    pub fn variants(&self) -> Option<Variants<'_>> {
        match &self.0 {
            Value::String(text) => Some(Variants::One(text)),
            Value::Object(map) if !map.is_empty() => {
                let texts = map.iter().map(|(language, text)| Some((language.as_str(), text.as_str()?)));
                texts.collect::<Option<_>>().map(Variants::ByLanguage)
            }
            _ => None,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-preserve-unknown-fields": true})
    }
}

/// Any YAML value; what may stand in it is checked when the Flow is compiled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyValue(pub Value);

impl JsonSchema for AnyValue {
    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-preserve-unknown-fields": true})
    }
}

/// A bound as people write it: `10`, `"2.5"`, `2026-12-24`, `15:30` or `today`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a whole number, or a text such as \"2.5\", \"2026-12-24\" or \"15:30\"")]
pub enum Bound {
    /// A whole number.
    Whole(i64),
    /// Anything else.
    Written(String),
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 32})
    }
}
