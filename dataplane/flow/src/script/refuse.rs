//! What conditions do not know: each with what it is, where it stands and what to write instead.

use oxc::{
    ast::ast::{BinaryOperator, Expression},
    span::{GetSpan, Span},
};
use wigwag_domain::cut;

use super::{
    ScriptError,
    function::{Function, TAKE_FUNCTIONS},
    lower::Lowering,
};
use crate::suggest::closest;

impl Lowering<'_> {
    pub fn unsupported(&self, span: Span, what: impl Into<String>, instead: impl Into<String>) -> ScriptError {
        ScriptError::Unsupported { place: self.place(span), what: what.into(), instead: instead.into() }
    }

    pub fn unknown_name(&self, span: Span, name: &str) -> ScriptError {
        let name = cut(name, 80);
        let known = Function::names().any(|known| known.split('.').next() == Some(&name));
        let instead = if known {
            "call it, as in Number(context.age) or Math.max(1, 2)".to_owned()
        } else {
            format!("write `context.{name}` for what the session holds")
        };
        self.unsupported(span, format!("the name `{name}`"), instead)
    }

    pub fn spread(&self, span: Span) -> ScriptError {
        self.unsupported(span, "`...`", "write the values one by one")
    }

    pub fn function(&self, span: Span) -> ScriptError {
        self.unsupported(span, "a function", "compare without one: includes() finds a value in a list")
    }

    pub fn private(&self, span: Span) -> ScriptError {
        self.unsupported(span, "a name with `#`", "write the name without it")
    }

    pub fn typescript(&self, span: Span) -> ScriptError {
        self.unsupported(span, "TypeScript", "leave the types away")
    }

    pub fn unknown(&self, span: Span, name: &str, known: impl Iterator<Item = &'static str>) -> ScriptError {
        let last = name.rsplit('.').next().unwrap_or(name);
        let known: Vec<_> = known.collect();
        let instead = match (name, closest(name, known.iter().copied())) {
            ("Date", _) => "write `new Date()`".to_owned(),
            ("hasOwnProperty", _) => "write `'name' in context`".to_owned(),
            ("exec", _) => "write context.input.match(/pattern/)".to_owned(),
            _ if TAKE_FUNCTIONS.contains(&last) => {
                "it takes a function: find a value with includes(), or compare elements one by one".to_owned()
            }
            (_, Some(known)) => format!("did you mean `{known}`?"),
            (_, None) => format!("write one of {}", known.join(", ")),
        };
        self.unsupported(span, format!("`{}()`", cut(name, 80)), instead)
    }

    pub fn operator(&self, span: Span, operator: BinaryOperator) -> ScriptError {
        let instead = match operator {
            BinaryOperator::BitwiseAnd => "did you mean `&&`?",
            BinaryOperator::BitwiseOR => "did you mean `||`?",
            BinaryOperator::BitwiseXOR => "write ** for a power",
            BinaryOperator::Instanceof => "write typeof or Array.isArray()",
            _ => "write * or / and Math.floor()",
        };
        self.unsupported(span, format!("the operator `{}`", operator.as_str()), instead)
    }

    pub fn refused_call(&self, callee: &Expression<'_>) -> ScriptError {
        match callee {
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => self.refused(callee),
            Expression::Super(_) | Expression::ImportExpression(_) => self.refused(callee),
            _ => self.unsupported(callee.span(), "a call of what is no method", "call a method by its name"),
        }
    }

    /// What stands in no condition.
    pub fn refused(&self, parsed: &Expression<'_>) -> ScriptError {
        let (what, instead) = match parsed {
            Expression::ArrowFunctionExpression(_) => (
                "`=>`",
                "it makes a function, and conditions have none: find a value with includes(), or compare directly",
            ),
            Expression::FunctionExpression(_) => ("a function", "write the comparison itself"),
            Expression::ClassExpression(_) => ("a class", "write the comparison itself"),
            Expression::AssignmentExpression(assignment) => {
                let operator = assignment.operator.as_str();
                let span = Span::new(assignment.left.span().end, assignment.right.span().start);
                let instead = "compare with ===; values are set by the node assign";
                return self.unsupported(span, format!("the assignment `{operator}`"), instead);
            }
            Expression::UpdateExpression(_) => ("`++` or `--`", "write + 1 or - 1; values are set by the node assign"),
            Expression::SequenceExpression(_) => ("a `,` between expressions", "join conditions with && or ||"),
            Expression::TaggedTemplateExpression(_) => ("a template with a tag", "write the template alone"),
            Expression::ThisExpression(_) => ("`this`", "write context"),
            Expression::Super(_) => ("`super`", "write context"),
            Expression::BigIntLiteral(_) => ("a number with `n`", "write it without"),
            Expression::AwaitExpression(_) | Expression::YieldExpression(_) => {
                ("waiting (`await`, `yield`)", "call a service with the node api and compare its result")
            }
            Expression::ImportExpression(_) | Expression::MetaProperty(_) => {
                ("`import`", "write the comparison itself")
            }
            Expression::PrivateInExpression(_) => ("a name with `#`", "write the name without it"),
            Expression::JSXElement(_) | Expression::JSXFragment(_) => ("JSX", "write a text in quotes"),
            _ => ("what stands here", "write a comparison, as in context.input === 'yes'"),
        };
        self.unsupported(parsed.span(), what, instead)
    }
}
