//! From the parser's syntax tree to ours: what we do not know is refused here, and the static bounds are kept.

use cel::{
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Parsed, IdedExpr, LiteralValue, operators},
    parser::PrattParser,
};
use regex::RegexBuilder;
use serde_json::Value;
use wigwag_domain::{clean, cut};

use super::{
    Expression, ExpressionError, MAX_SOURCE, Path,
    ast::{Expr, Fold, FoldKind, Name, Operator},
    function::Function,
};
use crate::{context::Key, suggest::closest};

pub(crate) const MAX_NODES: usize = 200;
pub(crate) const MAX_DEPTH: usize = 64;
/// Of a compiled pattern, and of what it keeps while it runs, in bytes.
pub(crate) const MAX_PATTERN: usize = 256 * 1_024;

pub(super) fn lower(source: &str) -> Result<Expression, ExpressionError> {
    if source.len() > MAX_SOURCE {
        return Err(ExpressionError::TooLong(source.len()));
    }
    let parsed = PrattParser::new().parse(source).map_err(|errors| {
        let first = errors.errors.into_iter().next();
        let (position, message) = first.map_or(((1, 1), String::new()), |error| (error.pos, error.msg));
        let message = cut(message.strip_prefix("Syntax error: ").unwrap_or(&message), 200).into_owned();
        // The parser has no position for limits of its own.
        ExpressionError::Syntax { line: position.0.max(1), column: position.1.max(1), message }
    })?;
    let mut lowering = Lowering { nodes: 0, depth: 0, patterns: 0, element: None, paths: Vec::new() };
    let root = lowering.expr(&parsed)?;
    Ok(Expression { root, paths: lowering.paths, patterns: lowering.patterns })
}

struct Lowering<'e> {
    nodes: usize,
    depth: usize,
    patterns: usize,
    /// Name of the element, within the body of a comprehension.
    element: Option<&'e str>,
    paths: Vec<Path>,
}

impl<'e> Lowering<'e> {
    fn expr(&mut self, parsed: &'e IdedExpr) -> Result<Expr, ExpressionError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ExpressionError::TooLarge(MAX_NODES));
        }
        if self.depth == MAX_DEPTH {
            return Err(ExpressionError::TooDeep(MAX_DEPTH));
        }
        self.depth += 1;
        let expr = self.kind(&parsed.expr)?;
        self.depth -= 1;
        Ok(expr)
    }

    fn boxed(&mut self, parsed: &'e IdedExpr) -> Result<Box<Expr>, ExpressionError> {
        self.expr(parsed).map(Box::new)
    }

    fn kind(&mut self, parsed: &'e Parsed) -> Result<Expr, ExpressionError> {
        match parsed {
            Parsed::Literal(literal) => self::literal(literal).map(Expr::Literal),
            Parsed::Ident(name) => self.name(name),
            Parsed::Select(select) => {
                let inner = self.boxed(&select.operand)?;
                if select.test {
                    return Ok(Expr::Has(inner, select.field.clone()));
                }
                // The name was noted last: this spells it out further.
                if let Some(path) = self.paths.last_mut().filter(|_| spells(&inner)) {
                    path.push(select.field.clone());
                }
                Ok(Expr::Select(inner, select.field.clone()))
            }
            Parsed::Call(call) => self.call(call),
            Parsed::List(list) => {
                list.elements.iter().map(|item| self.expr(item)).collect::<Result<_, _>>().map(Expr::List)
            }
            Parsed::Map(map) => {
                let entries = map.entries.iter().map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Ok((self.expr(&entry.key)?, self.expr(&entry.value)?)),
                    EntryExpr::StructField(_) => Err(MESSAGES),
                });
                entries.collect::<Result<_, _>>().map(Expr::Map)
            }
            Parsed::Comprehension(comprehension) => self.comprehension(comprehension),
            Parsed::Struct(_) => Err(MESSAGES),
            Parsed::Unspecified => {
                Err(ExpressionError::Syntax { line: 1, column: 1, message: "an empty part".to_owned() })
            }
        }
    }

    fn name(&mut self, name: &str) -> Result<Expr, ExpressionError> {
        if self.element == Some(name) {
            return Ok(Expr::Element);
        }
        if name.starts_with('.') {
            return Err(unsupported("a name with a dot in front", "write the name alone"));
        }
        self.paths.push(vec![name.to_owned()]);
        Ok(Expr::Name(match name {
            "now" => Name::Now,
            "event" => Name::Event,
            "contact" => Name::Contact,
            "tenant" => Name::Tenant,
            "resume" => Name::Resume,
            "args" => Name::Args,
            "error" => Name::Error,
            _ => Key::find(name).map_or_else(|| Name::Variable(name.to_owned()), Name::Context),
        }))
    }

    fn call(&mut self, call: &'e CallExpr) -> Result<Expr, ExpressionError> {
        let name = call.func_name.as_str();
        let target = call.target.as_deref();
        if let (None, [left, right]) = (target, call.args.as_slice()) {
            if let Some(operator) = binary(name) {
                return Ok(Expr::Binary(operator, self.boxed(left)?, self.boxed(right)?));
            }
            match name {
                operators::LOGICAL_AND => return Ok(Expr::And(self.boxed(left)?, self.boxed(right)?)),
                operators::LOGICAL_OR => return Ok(Expr::Or(self.boxed(left)?, self.boxed(right)?)),
                operators::INDEX => return Ok(Expr::Index(self.boxed(left)?, self.boxed(right)?)),
                _ => {}
            }
        }
        match (name, target, call.args.as_slice()) {
            (operators::LOGICAL_NOT, None, [inner]) => return Ok(Expr::Not(self.boxed(inner)?)),
            (operators::NEGATE, None, [inner]) => return Ok(Expr::Negate(self.boxed(inner)?)),
            (operators::CONDITIONAL, None, [when, then, otherwise]) => {
                return Ok(Expr::If(self.boxed(when)?, self.boxed(then)?, self.boxed(otherwise)?));
            }
            _ => {}
        }
        let arguments: Vec<_> = target.into_iter().chain(&call.args).collect();
        if name == "matches" {
            return self.matches(&arguments);
        }
        let Some((name, function, expected)) = Function::find(name) else { return Err(unknown_function(name)) };
        if arguments.len() != expected {
            return Err(ExpressionError::Arguments { name, expected, got: arguments.len() });
        }
        let arguments = arguments.into_iter().map(|argument| self.expr(argument)).collect::<Result<_, _>>()?;
        Ok(Expr::Call(function, arguments))
    }

    fn matches(&mut self, arguments: &[&'e IdedExpr]) -> Result<Expr, ExpressionError> {
        let [inner, pattern] = arguments else {
            return Err(ExpressionError::Arguments { name: "matches", expected: 2, got: arguments.len() });
        };
        let Parsed::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return Err(unsupported("a pattern that is computed", "write it in quotes: input.matches('^[0-9]+$')"));
        };
        self.patterns += 1;
        let pattern = RegexBuilder::new(pattern.inner()).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build();
        let pattern = pattern.map_err(|error| ExpressionError::Pattern(last_line(&error.to_string())))?;
        Ok(Expr::Matches(self.boxed(inner)?, pattern))
    }

    /// The parser has written `all`, `exists`, `exists_one`, `map` and `filter` out as loops; each is known again by
    /// what it begins with and by its step.
    fn comprehension(&mut self, parsed: &'e ComprehensionExpr) -> Result<Expr, ExpressionError> {
        if self.element.is_some() {
            return Err(ExpressionError::NestedComprehension);
        }
        let (kind, body, only) = written_as(parsed).ok_or(MESSAGES)?;
        let range = self.expr(&parsed.iter_range)?;
        self.element = Some(&parsed.iter_var);
        let body = self.expr(body)?;
        let only = only.map(|only| self.expr(only)).transpose()?;
        self.element = None;
        Ok(Expr::Fold(Box::new(Fold { kind, range, body, only })))
    }
}

const MESSAGES: ExpressionError = unsupported("a message in braces", "write a map: {'key': value}");

const fn unsupported(what: &'static str, instead: &'static str) -> ExpressionError {
    ExpressionError::Unsupported { what, instead }
}

fn literal(literal: &LiteralValue) -> Result<Value, ExpressionError> {
    match literal {
        LiteralValue::Null => Ok(Value::Null),
        LiteralValue::Boolean(flag) => Ok((*flag.inner()).into()),
        LiteralValue::Int(int) => Ok((*int.inner()).into()),
        LiteralValue::Double(float) => Ok((*float.inner()).into()),
        LiteralValue::String(text) => Ok(clean(text.inner()).into()),
        LiteralValue::UInt(_) => Err(unsupported("a number with `u`", "write it without")),
        LiteralValue::Bytes(_) => Err(unsupported("text of bytes (b'')", "write it without the b")),
    }
}

/// Whether an expression is a name of the session's, spelled out or not.
fn spells(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Select(inner, _) => spells(inner),
        _ => false,
    }
}

fn binary(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Remainder,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    })
}

type Written<'e> = (FoldKind, &'e IdedExpr, Option<&'e IdedExpr>);

fn written_as(parsed: &ComprehensionExpr) -> Option<Written<'_>> {
    let Parsed::Call(step) = &parsed.loop_step.expr else { return None };
    match (&parsed.accu_init.expr, step.func_name.as_str(), step.args.as_slice()) {
        (Parsed::Literal(_), operators::LOGICAL_AND, [_, body]) => Some((FoldKind::All, body, None)),
        (Parsed::Literal(_), operators::LOGICAL_OR, [_, body]) => Some((FoldKind::Exists, body, None)),
        (Parsed::Literal(_), operators::CONDITIONAL, [body, ..]) => Some((FoldKind::ExistsOne, body, None)),
        (Parsed::List(_), operators::ADD, _) => Some((FoldKind::Map, appended(&parsed.loop_step)?, None)),
        (Parsed::List(_), operators::CONDITIONAL, [only, step, _]) => {
            let kept = appended(step)?;
            // `filter` keeps the element itself, and so does a `map` that says so.
            match &kept.expr {
                Parsed::Ident(name) if *name == parsed.iter_var => Some((FoldKind::Filter, only, None)),
                _ => Some((FoldKind::Map, kept, Some(only))),
            }
        }
        _ => None,
    }
}

/// What `accumulator + [x]` appends.
fn appended(step: &IdedExpr) -> Option<&IdedExpr> {
    let Parsed::Call(add) = &step.expr else { return None };
    match &add.args.get(1)?.expr {
        Parsed::List(list) => list.elements.first(),
        _ => None,
    }
}

fn unknown_function(name: &str) -> ExpressionError {
    let instead = match closest(name, Function::names()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("write one of {}", Function::names().collect::<Vec<_>>().join(", ")),
    };
    ExpressionError::UnknownFunction { name: cut(name, 80).into_owned(), instead }
}

/// The line of a regular expression's error that says what is wrong; those before draw where.
pub(crate) fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or_default();
    cut(line.strip_prefix("error: ").unwrap_or(line), 200).into_owned()
}
