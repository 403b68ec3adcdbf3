//! Numbers, in figures or words.

use serde_json::Number;

use super::{
    language::Language,
    lexicon::Part,
    numeral::{Numeral, numeral},
    token::{Lead, Token, is_one, phrase, readable, tokens},
};

/// The one number in a text, whatever stands around it: `$ 1.500`, `somos treinta y cinco`, `20%`. Whole ones up to
/// 64 bits stay whole.
///
/// `None` where there is no number or more than one, where it is part of a code (`A4`), a day, a time or a range, and
/// where two ways to read it differ: `1.500` in a language that is not known.
pub(crate) fn number(text: &str, language: Language) -> Option<Number> {
    let text = readable(text);
    let tokens = tokens(&text);
    let lexicon = language.lexicon();
    let mut found = None;
    let mut at = 0;
    while at < tokens.len() {
        let Some(amount) = amount(&tokens, at, language)? else {
            at += 1;
            continue;
        };
        let is_minus = at > 0 && is_one(tokens.get(at - 1), lexicon.minus);
        at += amount.taken;
        at += phrase(&tokens[at..], lexicon.percent).unwrap_or(0);
        let value = if is_minus { negative(&amount.value)? } else { amount.value };
        if found.replace(value).is_some() {
            return None;
        }
    }
    found
}

struct Amount {
    value: Number,
    taken: usize,
}

/// The number that begins at a token: `Some(None)` where none does, `None` where a figure is no number.
fn amount(tokens: &[Token<'_>], at: usize, language: Language) -> Option<Option<Amount>> {
    let lexicon = language.lexicon();
    let rest = &tokens[at..];
    if let Some(half) = phrase(rest, lexicon.half_a)
        && let Some(by) = rest.get(half).and_then(|token| times(token, language))
    {
        return Some(Some(Amount { value: half_more(&0.into(), by)?, taken: half + 1 }));
    }
    let (mut value, mut of, mut taken) = match rest[0] {
        Token::Figure { lead: Lead::Letter, .. } => return None,
        Token::Figure { text, lead } => {
            let value = figure(text, language)?;
            (if lead == Lead::Minus { negative(&value)? } else { value }, 1, 1)
        }
        Token::Word(word) => {
            let Some(Numeral { value, of, taken }) = numeral(rest, lexicon) else { return Some(None) };
            let is_article = taken == 1 && lexicon.articles.contains(&word);
            let is_alone = tokens.len() == taken
                || is_one(rest.get(1), lexicon.between)
                || at > 0 && is_one(tokens.get(at - 1), lexicon.between)
                || phrase(&rest[1..], lexicon.and_half).is_some();
            if is_article && !is_alone {
                return Some(None);
            }
            (value.into(), of, taken)
        }
    };
    let is_figure = rest[0].figure().is_some();
    if let Some(by) = rest.get(taken).and_then(|token| times(token, language)).filter(|_| is_figure) {
        (value, of, taken) = (multiplied(&value, by)?, by, taken + 1);
    }
    if let Some(half) = phrase(&rest[taken..], lexicon.and_half) {
        (value, taken) = (half_more(&value, of)?, taken + half);
    }
    Some(Some(Amount { value, taken }))
}

/// What a word after a figure multiplies it with: `20 mil`, `20k`.
fn times(token: &Token<'_>, language: Language) -> Option<i64> {
    match token.word()? {
        "k" => Some(1_000),
        word => match language.lexicon().numeral(word) {
            Some(Part::Times(by)) => Some(by),
            Some(Part::Hundreds) => Some(100),
            _ => None,
        },
    }
}

/// Reads a figure: digits, grouped or not, with or without a fraction.
fn figure(text: &str, language: Language) -> Option<Number> {
    if text.contains(['/', '-', ':']) {
        return None;
    }
    let (whole, fraction) = match decimal_at(text, language)? {
        Some(at) => (&text[..at], text[at..].trim_start_matches(|c: char| !c.is_ascii_digit())),
        None => (text, ""),
    };
    if whole.contains(|c: char| !c.is_ascii_digit()) && !is_grouped(whole, language) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty()
        && let Ok(whole) = digits.parse::<i64>()
    {
        return Some(whole.into());
    }
    Number::from_f64(format!("{digits}.{fraction}0").parse().ok()?)
}

/// Where the fraction of a figure begins, with its mark; `Some(None)` where there is none, `None` where nobody can
/// tell.
fn decimal_at(text: &str, language: Language) -> Option<Option<usize>> {
    if let Some(at) = text.find('\u{66b}') {
        return Some(Some(at));
    }
    let Some(at) = text.rfind(['.', ',']) else { return Some(None) };
    let mark = char::from(text.as_bytes()[at]);
    let other = if mark == '.' { ',' } else { '.' };
    let (before, after) = (&text[..at], &text[at + 1..]);
    if before.contains(mark) || after.contains(|c: char| !c.is_ascii_digit()) {
        return Some(None);
    }
    if before.contains(other) || !is_grouped(text, language) {
        return Some(Some(at));
    }
    match language.decimal_mark() {
        Some(decimal) => Some((mark == decimal).then_some(at)),
        // Other marks that group leave no doubt.
        None if before.contains(|c: char| !c.is_ascii_digit()) => Some(None),
        None => None,
    }
}

/// Whether the marks of a figure make groups of three digits; of two in between, as India writes it in English.
fn is_grouped(text: &str, language: Language) -> bool {
    let mut groups = text.split(|c: char| !c.is_ascii_digit()).peekable();
    let first = groups.next().unwrap_or_default();
    if !(1..=3).contains(&first.len()) || first.starts_with('0') {
        return false;
    }
    while let Some(group) = groups.next() {
        let pairs = matches!(language, Language::En) && first.len() < 3 && groups.peek().is_some();
        if group.len() != 3 && !(pairs && group.len() == 2) {
            return false;
        }
    }
    true
}

fn negative(value: &Number) -> Option<Number> {
    match value.as_i64() {
        Some(whole) => whole.checked_neg().map(Number::from),
        None => Number::from_f64(-value.as_f64()?),
    }
}

fn multiplied(value: &Number, by: i64) -> Option<Number> {
    match value.as_i64() {
        Some(whole) => whole.checked_mul(by).map(Number::from),
        None => shortest(value.as_f64()? * by as f64),
    }
}

fn half_more(value: &Number, of: i64) -> Option<Number> {
    match value.as_i64() {
        Some(whole) if of % 2 == 0 => whole.checked_add(of / 2).map(Number::from),
        _ => shortest(value.as_f64()? + of as f64 / 2.0),
    }
}

/// A number that is whole as a whole one.
fn shortest(value: f64) -> Option<Number> {
    /// Up to here each whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests;
