//! Texts with `{{ expression }}` in them. Each value is inserted once and never looked at again: a customer's `{{ }}`
//! is text.

use wigwag_domain::{clean, cut};

use crate::expression::{EvaluateError, Expression, ExpressionError, Fuel, Scope, print};

/// A text, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value(Expression),
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
}

impl Template {
    /// Parses a text; all that is wrong with it is told at once.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
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

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(expression) => Some(expression),
            Part::Text(_) => None,
        })
    }

    /// UTF-16 units of what is not expression.
    pub fn literal_units(&self) -> usize {
        let units = |part: &Part| match part {
            Part::Text(text) => text.encode_utf16().count(),
            Part::Value(_) => 0,
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
        mut problems: impl FnMut(EvaluateError),
    ) -> Result<String, EvaluateError> {
        let mut out = String::new();
        for part in &self.0 {
            // A UTF-16 unit has 3 bytes of UTF-8 at most.
            if out.len() > limit * 3 {
                break;
            }
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(expression) => match expression.evaluate(scope, fuel) {
                    Ok(value) => {
                        let before = out.len();
                        print(&value, &mut out);
                        fuel.burn(out.len() - before)?;
                    }
                    Err(EvaluateError::Exhausted) => return Err(EvaluateError::Exhausted),
                    Err(error) => problems(error),
                },
            }
        }
        Ok(clean(&out).into_owned())
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
        let scope =
            Scope { now: &now, event: &&Value::Null, contact: &Value::Null, context: &context, variables: &variables };
        let mut problems = Vec::new();
        let template = Template::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let text = template.render(&scope, &Fuel::of_event(), 4_096, |error| problems.push(error));
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
        let errors = Template::parse("{{ }} {{ 1 + }} {{ it's }}").expect_err("three mistakes");
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
