//! Texts with `{{ expression }}` in them. Each value is inserted once and never looked at again: a customer's `{{ }}`
//! is text.

use serde_json::{Map, Value};
use wigwag_crds::text::{Text, Variants};
use wigwag_domain::{clean, cut};

use crate::{
    expression::{EvaluateError, Expression, ExpressionError, Fuel, Scope, print},
    path::{self, Path},
};

/// A text, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value(Expression),
    /// The editor's form.
    Path(Path),
}

/// A text in each language that the flow speaks.
#[derive(Clone, Debug)]
pub(crate) struct Words(Vec<(String, Template)>);

/// A YAML value whose texts are templates.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Plain(Value),
    Text(Template),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// JSON written as a text that is none before its values are in; the editor's form.
    Json(Template),
}

/// What a value must not break out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// A text for people.
    Text,
    /// A URL: all but unreserved characters are percent-encoded (RFC 3986, 2.3).
    Url,
    /// A text within JSON.
    Json,
}

/// In which form a text writes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// CEL.
    Native,
    /// Paths.
    Editor,
}

/// Why a text does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("a `{{{{` is never closed: write `}}}}` behind the expression, and close the quotes within it")]
    NotClosed,
    #[error("`{{{{ }}}}` holds nothing: write the expression whose value goes there, such as contact.name")]
    Empty,
    #[error("`{source_text}`: {error}")]
    Expression { source_text: String, error: ExpressionError },
    #[error(
        "it is neither a text nor a map of texts by language: write a text, with quotes around it where it is a number \
         or a word such as No, which YAML takes for false; or {{es: Hola, pt: Olá}}"
    )]
    NoText,
}

impl Template {
    /// Parses a text; all that is wrong with it is told at once.
    pub fn parse(text: &str, form: Form) -> Result<Self, Vec<TemplateError>> {
        match form {
            Form::Native => Self::native(text),
            Form::Editor => Ok(Self::editor(text)),
        }
    }

    fn native(text: &str) -> Result<Self, Vec<TemplateError>> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some(end) = end_of_expression(after) else {
                errors.push(TemplateError::NotClosed);
                rest = "";
                break;
            };
            let source = after[..end].trim();
            match Expression::compile(source) {
                _ if source.is_empty() => errors.push(TemplateError::Empty),
                Ok(expression) => parts.push(Part::Value(expression)),
                Err(error) => errors.push(TemplateError::Expression { source_text: shown(source), error }),
            }
            rest = &after[end + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if errors.is_empty() { Ok(Self(parts)) } else { Err(errors) }
    }

    /// Parses a text of the editor's form, in which every text is one.
    pub fn editor(text: &str) -> Self {
        let parts = path::segments(text).into_iter().map(|segment| match segment {
            path::Segment::Text(text) => Part::Text(text),
            path::Segment::Value(path) => Part::Path(path),
        });
        Self(parts.collect())
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(expression) => Some(expression),
            Part::Text(_) | Part::Path(_) => None,
        })
    }

    /// The paths in it.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|part| match part {
            Part::Path(path) => Some(path),
            Part::Text(_) | Part::Value(_) => None,
        })
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands before its first value.
    pub fn literal_start(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// UTF-16 units of what is not expression.
    pub fn literal_units(&self) -> usize {
        let units = |part: &Part| match part {
            Part::Text(text) => text.encode_utf16().count(),
            Part::Value(_) | Part::Path(_) => 0,
        };
        self.0.iter().map(units).sum()
    }

    /// The text with its values. What has none prints nothing and goes to `problems`. It stops where the text is
    /// longer than any message of `limit` UTF-16 units.
    ///
    /// # Errors
    ///
    /// Only [`EvaluateError::Exhausted`].
    pub fn render(
        &self,
        scope: &Scope<'_>,
        fuel: &Fuel,
        limit: usize,
        within: Within,
        mut problems: impl FnMut(EvaluateError),
    ) -> Result<String, EvaluateError> {
        let mut out = String::new();
        for part in &self.0 {
            // A UTF-16 unit has 3 bytes of UTF-8 at most.
            if out.len() > limit * 3 {
                break;
            }
            let before = out.len();
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(expression) => match expression.evaluate(scope, fuel) {
                    Ok(value) => within.write(&value, &mut out),
                    Err(EvaluateError::Exhausted) => return Err(EvaluateError::Exhausted),
                    Err(error) => problems(error),
                },
                Part::Path(path) => match path.find(scope, fuel)? {
                    Some(value) => within.write(&value, &mut out),
                    None => problems(EvaluateError::Missing(path.to_string())),
                },
            }
            fuel.burn(out.len() - before)?;
        }
        Ok(clean(&out).into_owned())
    }

    /// The value itself, where the text is nothing but one expression.
    fn value(&self, scope: &Scope<'_>, fuel: &Fuel) -> Option<Result<Value, EvaluateError>> {
        match self.0.as_slice() {
            [Part::Value(expression)] => Some(expression.evaluate(scope, fuel).map(std::borrow::Cow::into_owned)),
            [Part::Path(path)] => {
                let value = path.find(scope, fuel).map(|found| found.map(std::borrow::Cow::into_owned));
                Some(value.and_then(|value| value.ok_or_else(|| EvaluateError::Missing(path.to_string()))))
            }
            _ => None,
        }
    }
}

impl Within {
    fn write(self, value: &Value, out: &mut String) {
        match self {
            Self::Text => print(value, out),
            Self::Url => {
                let mut printed = String::new();
                print(value, &mut printed);
                for byte in printed.bytes() {
                    match byte {
                        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                            out.push(char::from(byte))
                        }
                        _ => out.push_str(&format!("%{byte:02X}")),
                    }
                }
            }
            Self::Json => match value {
                Value::String(text) => {
                    let quoted = Value::from(text.as_str()).to_string();
                    out.push_str(&quoted[1..quoted.len() - 1]);
                }
                other => out.push_str(&other.to_string()),
            },
        }
    }
}

impl Words {
    /// Parses a text, or the texts of a map by language.
    pub fn parse(text: &Text, form: Form) -> Result<Self, Vec<TemplateError>> {
        let variants = match text.variants() {
            Some(Variants::One(text)) => vec![("", text)],
            Some(Variants::ByLanguage(texts)) => texts,
            None => return Err(vec![TemplateError::NoText]),
        };
        let mut words = Vec::new();
        let mut errors = Vec::new();
        for (language, text) in variants {
            match Template::parse(text, form) {
                Ok(template) => words.push((language.to_owned(), template)),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(Self(words)) } else { Err(errors) }
    }

    /// A text that holds no values and is the same in every language.
    pub fn plain(text: &str) -> Self {
        Self(vec![(String::new(), Template(vec![Part::Text(text.to_owned())]))])
    }

    /// The text for a customer of these languages, best first.
    pub fn pick(&self, languages: &[&str]) -> &Template {
        static NONE: Template = Template(Vec::new());
        pick(languages, self.variants()).unwrap_or(&NONE)
    }

    /// The texts, each with its language.
    pub fn variants(&self) -> impl Iterator<Item = (&str, &Template)> + Clone {
        self.0.iter().map(|(language, template)| (language.as_str(), template))
    }
}

/// What there is in the first of these languages, the region counted or not; else the first of all.
pub(crate) fn pick<'a, T>(languages: &[&str], variants: impl Iterator<Item = (&'a str, T)> + Clone) -> Option<T> {
    let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let same = |a: &str, b: &str| a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"));
    // One variant is for every language, and the most frequent case.
    let mut others = variants.clone();
    let first = others.next()?.1;
    if others.next().is_none() {
        return Some(first);
    }
    let found = languages.iter().find_map(|wanted| {
        let mut exact = variants.clone();
        let exact = exact.find(|(language, _)| same(language, wanted));
        exact.or_else(|| variants.clone().find(|(language, _)| base(language) == base(wanted)))
    });
    Some(found.map_or(first, |(_, variant)| variant))
}

impl Tree {
    /// Parses a value.
    pub fn parse(value: &Value, form: Form) -> Result<Self, Vec<TemplateError>> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text, form)?),
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::parse(item, form)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| Ok((key.clone(), Self::parse(value, form)?)));
                Self::Map(entries.collect::<Result<_, Vec<TemplateError>>>()?)
            }
            other => Self::Plain(other.clone()),
        })
    }

    /// Parses a value of the editor's form.
    pub fn editor(value: &Value) -> Self {
        Self::parse(value, Form::Editor).unwrap_or_else(|_| Self::Plain(value.clone()))
    }

    /// The templates in it.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Text(template) | Self::Json(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, value)| value.templates()).collect(),
        }
    }

    /// The value with its values. A text that is nothing but one expression becomes that expression's value, of
    /// whatever kind it is.
    ///
    /// # Errors
    ///
    /// Only [`EvaluateError::Exhausted`].
    pub fn render(
        &self,
        scope: &Scope<'_>,
        fuel: &Fuel,
        limit: usize,
        problems: &mut impl FnMut(EvaluateError),
    ) -> Result<Value, EvaluateError> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => match template.value(scope, fuel) {
                Some(Ok(value)) => {
                    fuel.burn(crate::expression::size(&value))?;
                    value
                }
                Some(Err(EvaluateError::Exhausted)) => return Err(EvaluateError::Exhausted),
                Some(Err(error)) => {
                    problems(error);
                    Value::Null
                }
                None => template.render(scope, fuel, limit, Within::Text, problems)?.into(),
            },
            Self::List(items) => {
                let items = items.iter().map(|item| item.render(scope, fuel, limit, problems));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(key.clone(), value.render(scope, fuel, limit, problems)?);
                }
                Value::Object(map)
            }
            Self::Json(template) => {
                let text = template.render(scope, fuel, limit, Within::Json, problems)?;
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
        })
    }
}

/// Where the `}}` stands that ends an expression: outside of its quotes and of its own braces.
fn end_of_expression(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut open = 0_usize;
    let mut quote = None;
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(mark), byte) if byte == mark => quote = None,
            (Some(_), _) => {}
            (None, mark @ (b'\'' | b'"')) => quote = Some(mark),
            (None, b'{') => open += 1,
            (None, b'}') if open > 0 => open -= 1,
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// An expression as a message quotes it: not the whole of a long one.
pub(crate) fn shown(source: &str) -> String {
    cut(source, 80).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;
    use crate::context::Context;

    fn render(text: &str, variables: Value) -> (String, Vec<EvaluateError>) {
        let Value::Object(variables) = variables else { panic!("variables are a map") };
        let (now, context) = (Value::from("2026-01-01T00:00:00.000Z"), Context::default());
        let scope = Scope {
            now: &now,
            event: &&Value::Null,
            contact: &Value::Null,
            tenant: &Value::Null,
            resume: &Value::Null,
            args: &Value::Null,
            error: &Value::Null,
            context: &context,
            variables: &variables,
        };
        let mut problems = Vec::new();
        let template = Template::parse(text, Form::Native).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let text = template.render(&scope, &Fuel::of_event(), 4_096, Within::Text, |error| problems.push(error));
        (text.unwrap_or_else(|error| panic!("{error}")), problems)
    }

    #[test]
    fn values_stand_where_their_expressions_stood() {
        let text = "Total: {{ price * 2 }} {{currency}}, {{ {'a': {'b': '}}'}}.a.b }} }} {";
        assert_eq!(render(text, json!({"price": 2.5, "currency": "USD"})).0, "Total: 5 USD, }} }} {");
    }

    #[test]
    fn a_value_is_inserted_once_and_never_evaluated() {
        let (text, problems) = render("{{ name }}", json!({"name": "{{ price }} {{"}));
        assert_eq!((text.as_str(), problems.len()), ("{{ price }} {{", 0));
    }

    #[test]
    fn what_is_missing_prints_nothing_and_is_told() {
        let (text, problems) = render("Hola {{ name }}!", json!({}));
        assert_eq!(text, "Hola !");
        assert_eq!(problems, [EvaluateError::Missing("name".to_owned())]);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let errors = Template::parse("{{ }} {{ 1 + }} {{ it's }}", Form::Native).expect_err("three mistakes");
        assert!(matches!(
            errors.as_slice(),
            [TemplateError::Empty, TemplateError::Expression { .. }, TemplateError::NotClosed]
        ));
    }

    #[test]
    fn nul_never_reaches_a_text() {
        assert_eq!(render("a\0b{{ '\\u0000' }}", json!({})).0, "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_text_that_no_message_can_hold_is_not_finished() {
        let (text, _) = render(&"{{ big }}".repeat(50), json!({"big": "x".repeat(10_000)}));
        assert!(text.len() < 30_000, "{}", text.len());
    }
}
