//! From the parser's syntax tree to ours: what we do not know is refused here, and the static bounds are kept.

use oxc::{
    allocator::Allocator,
    ast::ast::{
        Argument, ArrayExpressionElement, BinaryOperator, CallExpression, ChainElement, Expression, LogicalOperator,
        MemberExpression, NewExpression, ObjectPropertyKind, PropertyKey, PropertyKind, Statement, TemplateLiteral,
        UnaryOperator,
    },
    parser::{Parser, ParserReturn},
    span::{GetSpan, SourceType, Span},
};
use wigwag_domain::cut;

use super::{
    Script, ScriptError,
    ast::{Expr, MethodCall, Operator, Property, Unary},
    error::Place,
    function::{Function, Method},
    pattern::Pattern,
};
use crate::expression::{MAX_DEPTH, MAX_NODES, MAX_SOURCE};

/// The most words and signs of a condition. The parser goes a level deeper at each of them at the most, which keeps it
/// within a small stack.
const MAX_TOKENS: usize = 2 * MAX_NODES;

pub(super) fn lower(source: &str) -> Result<Script, ScriptError> {
    if source.len() > MAX_SOURCE {
        return Err(ScriptError::TooLong(source.len()));
    }
    if tokens(source) > MAX_TOKENS {
        return Err(ScriptError::TooLarge(MAX_NODES));
    }
    // In parentheses, as the editor runs it: what begins with a brace is an object.
    let wrapped = format!("({source}\n)");
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &wrapped, SourceType::script()).parse();
    let mut lowering = Lowering { source, nodes: 0, depth: 0, patterns: 0, reads: Vec::new() };
    let root = lowering.whole(&parsed, &wrapped)?;
    let root = lowering.expr(root)?;
    Ok(Script { root, reads: lowering.reads, patterns: lowering.patterns })
}

/// At least as many words and signs as the parser finds in a source; those within quotes count too.
fn tokens(source: &str) -> usize {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii();
    let mut before = ' ';
    let mut count = 0;
    for c in source.chars() {
        // No sign that opens something is written twice as one token.
        let goes_on = if in_word(c) { in_word(before) } else { c == before && matches!(c, '=' | '&' | '|') };
        count += usize::from(!goes_on && !c.is_whitespace());
        before = c;
    }
    count
}

pub(super) struct Lowering<'s> {
    source: &'s str,
    nodes: usize,
    depth: usize,
    patterns: usize,
    reads: Vec<String>,
}

impl Lowering<'_> {
    /// The one expression that a source must be.
    fn whole<'e, 'p>(&self, parsed: &'p ParserReturn<'e>, wrapped: &str) -> Result<&'p Expression<'e>, ScriptError> {
        if let Some(error) = parsed.diagnostics.first() {
            let at = error.labels.first().map_or(1, |label| label.offset());
            let at = Place::of(self.source, (at as usize).saturating_sub(1));
            return Err(ScriptError::Syntax { place: at, message: cut(&error.message, 200).into_owned() });
        }
        if let ([Statement::ExpressionStatement(statement)], []) =
            (parsed.program.body.as_slice(), parsed.program.directives.as_slice())
            && let Expression::ParenthesizedExpression(outer) = &statement.expression
            && outer.span.start == 0
            && outer.span.end as usize == wrapped.len()
        {
            return Ok(&outer.expression);
        }
        let place = Place { line: 1, column: 1 };
        Err(ScriptError::Syntax { place, message: "the parentheses do not match".to_owned() })
    }

    pub fn place(&self, span: Span) -> Place {
        Place::of(self.source, (span.start as usize).saturating_sub(1))
    }

    fn expr(&mut self, parsed: &Expression<'_>) -> Result<Expr, ScriptError> {
        if let Expression::ParenthesizedExpression(inner) = parsed {
            return self.expr(&inner.expression);
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(ScriptError::TooLarge(MAX_NODES));
        }
        if self.depth == MAX_DEPTH {
            return Err(ScriptError::TooDeep(MAX_DEPTH));
        }
        self.depth += 1;
        let expr = self.kind(parsed)?;
        self.depth -= 1;
        Ok(expr)
    }

    fn boxed(&mut self, parsed: &Expression<'_>) -> Result<Box<Expr>, ScriptError> {
        self.expr(parsed).map(Box::new)
    }

    fn kind(&mut self, parsed: &Expression<'_>) -> Result<Expr, ScriptError> {
        match parsed {
            Expression::BooleanLiteral(flag) => Ok(Expr::Bool(flag.value)),
            Expression::NullLiteral(_) => Ok(Expr::Null),
            Expression::NumericLiteral(number) => Ok(Expr::Number(number.value)),
            Expression::StringLiteral(text) => Ok(Expr::Text(whole_characters(&text.value, text.lone_surrogates))),
            Expression::RegExpLiteral(literal) => {
                let flags = literal.regex.flags.to_string();
                self.pattern(literal.span, &literal.regex.pattern.text, &flags)
            }
            Expression::TemplateLiteral(template) => self.template(template),
            Expression::Identifier(name) => self.name(name.span, &name.name),
            Expression::ArrayExpression(list) => {
                let items = list.elements.iter().map(|element| match element {
                    ArrayExpressionElement::SpreadElement(spread) => Err(self.spread(spread.span)),
                    ArrayExpressionElement::Elision(hole) => {
                        Err(self.unsupported(hole.span, "a hole in a list", "write undefined there"))
                    }
                    element => self.expr(element.to_expression()),
                });
                items.collect::<Result<_, _>>().map(Expr::List)
            }
            Expression::ObjectExpression(object) => {
                object.properties.iter().map(|one| self.property(one)).collect::<Result<_, _>>().map(Expr::Object)
            }
            Expression::UnaryExpression(unary) => {
                let operator = match unary.operator {
                    UnaryOperator::LogicalNot => Unary::Not,
                    UnaryOperator::UnaryPlus => Unary::Plus,
                    UnaryOperator::UnaryNegation => Unary::Minus,
                    UnaryOperator::Typeof => Unary::Typeof,
                    other => {
                        let what = format!("the operator `{}`", other.as_str());
                        return Err(self.unsupported(unary.span, what, "compare with === or !== instead"));
                    }
                };
                Ok(Expr::Unary(operator, self.boxed(&unary.argument)?))
            }
            Expression::BinaryExpression(binary) => {
                let Some(operator) = self::binary(binary.operator) else {
                    let span = Span::new(binary.left.span().end, binary.right.span().start);
                    return Err(self.operator(span, binary.operator));
                };
                Ok(Expr::Binary(operator, self.boxed(&binary.left)?, self.boxed(&binary.right)?))
            }
            Expression::LogicalExpression(logical) => {
                let (left, right) = (self.boxed(&logical.left)?, self.boxed(&logical.right)?);
                Ok(match logical.operator {
                    LogicalOperator::And => Expr::And(left, right),
                    LogicalOperator::Or => Expr::Or(left, right),
                    LogicalOperator::Coalesce => Expr::Coalesce(left, right),
                })
            }
            Expression::ConditionalExpression(choice) => {
                Ok(Expr::If(self.boxed(&choice.test)?, self.boxed(&choice.consequent)?, self.boxed(&choice.alternate)?))
            }
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => self.new_date(new),
            Expression::ChainExpression(chain) => {
                let inner = match &chain.expression {
                    ChainElement::CallExpression(call) => self.call(call)?,
                    ChainElement::TSNonNullExpression(typed) => return Err(self.typescript(typed.span)),
                    member => self.member(member.to_member_expression())?,
                };
                Ok(Expr::Chain(Box::new(inner)))
            }
            other => match other.as_member_expression() {
                Some(member) => self.member(member),
                None => Err(self.refused(other)),
            },
        }
    }

    fn pattern(&mut self, span: Span, source: &str, flags: &str) -> Result<Expr, ScriptError> {
        self.patterns += 1;
        let pattern = Pattern::compile(source, flags);
        pattern.map(Expr::Pattern).map_err(|message| ScriptError::Pattern { place: self.place(span), message })
    }

    fn template(&mut self, template: &TemplateLiteral<'_>) -> Result<Expr, ScriptError> {
        let texts = template.quasis.iter().map(|part| {
            let cooked = part.value.cooked.as_ref().map_or("", |text| text.as_str());
            whole_characters(cooked, part.lone_surrogates)
        });
        let texts = texts.collect();
        let values = template.expressions.iter().map(|value| self.expr(value)).collect::<Result<_, _>>()?;
        Ok(Expr::Template(texts, values))
    }

    fn name(&self, span: Span, name: &str) -> Result<Expr, ScriptError> {
        match name {
            "context" => Ok(Expr::Context),
            "undefined" => Ok(Expr::Undefined),
            "NaN" => Ok(Expr::Number(f64::NAN)),
            "Infinity" => Ok(Expr::Number(f64::INFINITY)),
            _ => Err(self.unknown_name(span, name)),
        }
    }

    fn property(&mut self, property: &ObjectPropertyKind<'_>) -> Result<(Expr, Expr), ScriptError> {
        let property = match property {
            ObjectPropertyKind::SpreadProperty(spread) => return Err(self.spread(spread.span)),
            ObjectPropertyKind::ObjectProperty(property) => property,
        };
        if property.method || property.kind != PropertyKind::Init {
            return Err(self.function(property.span));
        }
        let key = match &property.key {
            PropertyKey::StaticIdentifier(name) => Expr::Text(name.name.to_string()),
            PropertyKey::PrivateIdentifier(name) => return Err(self.private(name.span)),
            key => self.expr(key.to_expression())?,
        };
        if let Expr::Text(name) = &key {
            self.check_property(property.key.span(), name)?;
        }
        Ok((key, self.expr(&property.value)?))
    }

    fn member(&mut self, member: &MemberExpression<'_>) -> Result<Expr, ScriptError> {
        let object = self.boxed(member.object())?;
        let property = self.member_property(member)?;
        if let (Expr::Context, Property::Name(name)) = (object.as_ref(), &property)
            && !self.reads.contains(name)
        {
            self.reads.push(name.clone());
        }
        Ok(Expr::Member(object, property, member.optional()))
    }

    fn member_property(&mut self, member: &MemberExpression<'_>) -> Result<Property, ScriptError> {
        let (span, name) = match member {
            MemberExpression::StaticMemberExpression(member) => {
                (member.property.span, member.property.name.to_string())
            }
            MemberExpression::PrivateFieldExpression(member) => return Err(self.private(member.field.span)),
            MemberExpression::ComputedMemberExpression(member) => match self.expr(&member.expression)? {
                Expr::Text(name) => (member.expression.span(), name),
                computed => return Ok(Property::Computed(Box::new(computed))),
            },
        };
        self.check_property(span, &name)?;
        Ok(Property::Name(name))
    }

    fn check_property(&self, span: Span, name: &str) -> Result<(), ScriptError> {
        if matches!(name, "constructor" | "prototype" | "__proto__") {
            return Err(self.unsupported(span, format!("the property `{name}`"), "give it another name"));
        }
        Ok(())
    }

    fn call(&mut self, call: &CallExpression<'_>) -> Result<Expr, ScriptError> {
        let callee = bare(&call.callee);
        if let Some(name) = function_name(callee) {
            let Some((function, most)) = Function::find(&name) else {
                return Err(self.unknown(callee.span(), &name, Function::names().filter(|known| *known != "new Date")));
            };
            return Ok(Expr::Call(function, self.arguments(callee.span(), &name, &call.arguments, most)?));
        }
        let Some(member) = callee.as_member_expression() else { return Err(self.refused_call(callee)) };
        let object = self.expr(member.object())?;
        let Property::Name(name) = self.member_property(member)? else {
            return Err(self.unsupported(callee.span(), "a method that is computed", "write its name behind a dot"));
        };
        let span = Span::new(member.object().span().end, callee.span().end);
        let Some((method, most)) = Method::find(&name) else {
            return Err(self.unknown(span, &name, Method::names()));
        };
        let arguments = match method {
            Method::Match | Method::Search => vec![self.pattern_argument(span, &name, &call.arguments)?],
            _ => self.arguments(span, &name, &call.arguments, most)?,
        };
        Ok(Expr::Method(Box::new(MethodCall {
            object,
            method,
            optional_member: member.optional(),
            optional_call: call.optional,
            arguments,
        })))
    }

    fn new_date(&mut self, new: &NewExpression<'_>) -> Result<Expr, ScriptError> {
        match &new.callee {
            Expression::Identifier(name) if name.name == "Date" => {
                let arguments = self.arguments(new.span, "new Date", &new.arguments, 1)?;
                Ok(Expr::Call(Function::NewDate, arguments))
            }
            _ => Err(self.unsupported(new.span, "`new` of anything but Date", "write the value itself")),
        }
    }

    fn arguments(
        &mut self,
        span: Span,
        name: &str,
        arguments: &[Argument<'_>],
        most: usize,
    ) -> Result<Vec<Expr>, ScriptError> {
        let lowered = arguments.iter().map(|argument| match argument {
            Argument::SpreadElement(spread) => Err(self.spread(spread.span)),
            argument => self.expr(argument.to_expression()),
        });
        let lowered = lowered.collect::<Result<Vec<_>, _>>()?;
        if lowered.len() > most {
            let what = format!("{name}() with {} argument(s)", lowered.len());
            return Err(self.unsupported(span, what, format!("write at most {most}")));
        }
        Ok(lowered)
    }

    /// The one argument of `match` and `search`: a pattern, or a text that is made one.
    fn pattern_argument(&mut self, span: Span, name: &str, arguments: &[Argument<'_>]) -> Result<Expr, ScriptError> {
        match arguments {
            [argument] if argument.is_expression() => match bare(argument.to_expression()) {
                literal @ Expression::RegExpLiteral(_) => return self.expr(literal),
                Expression::StringLiteral(text) => return self.pattern(text.span, &text.value, ""),
                _ => {}
            },
            _ => {}
        }
        Err(self.unsupported(
            span,
            format!("{name}() with a pattern that is computed"),
            format!("write {name}(/pattern/)"),
        ))
    }
}

/// An expression without the parentheses around it.
fn bare<'e, 'a>(mut parsed: &'e Expression<'a>) -> &'e Expression<'a> {
    while let Expression::ParenthesizedExpression(inner) = parsed {
        parsed = &inner.expression;
    }
    parsed
}

/// The name of a call's function where that is a global one: `Number`, `Math.max`.
fn function_name(callee: &Expression<'_>) -> Option<String> {
    const HOLDERS: [&str; 8] = ["Number", "String", "Boolean", "Array", "Math", "JSON", "Object", "Date"];
    match callee {
        Expression::Identifier(name) if name.name != "context" => Some(name.name.to_string()),
        Expression::StaticMemberExpression(member) => match &member.object {
            Expression::Identifier(name) if HOLDERS.contains(&name.name.as_str()) => {
                Some(format!("{}.{}", name.name, member.property.name))
            }
            _ => None,
        },
        _ => None,
    }
}

fn binary(operator: BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::Addition => Operator::Add,
        BinaryOperator::Subtraction => Operator::Subtract,
        BinaryOperator::Multiplication => Operator::Multiply,
        BinaryOperator::Division => Operator::Divide,
        BinaryOperator::Remainder => Operator::Remainder,
        BinaryOperator::Exponential => Operator::Power,
        BinaryOperator::Equality => Operator::Equal,
        BinaryOperator::Inequality => Operator::NotEqual,
        BinaryOperator::StrictEquality => Operator::StrictEqual,
        BinaryOperator::StrictInequality => Operator::StrictNotEqual,
        BinaryOperator::LessThan => Operator::Less,
        BinaryOperator::LessEqualThan => Operator::LessOrEqual,
        BinaryOperator::GreaterThan => Operator::Greater,
        BinaryOperator::GreaterEqualThan => Operator::GreaterOrEqual,
        BinaryOperator::In => Operator::In,
        _ => return None,
    })
}

/// A text as it was written, with each half of a character as U+FFFD. The parser writes a half as U+FFFD and its four
/// hexadecimal digits, and U+FFFD itself likewise.
fn whole_characters(text: &str, has_halves: bool) -> String {
    if !has_halves {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == char::REPLACEMENT_CHARACTER {
            chars.nth(3);
        }
    }
    out
}
