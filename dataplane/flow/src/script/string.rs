//! The methods of texts. Each is paid for before it builds its result.

use std::borrow::Cow;

use regex::Captures;
use unicode_normalization::UnicodeNormalization;

use super::{
    function::Method,
    method::{Arguments, threw},
    number,
    pattern::Pattern,
    replace,
    text::{self, Builder, between_of, byte_of, is_space, units},
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// What a pattern costs a byte, beside a comparison.
pub(super) const PATTERN_COST: usize = 32;
/// What the search for each further match costs a byte of what is left, where a match can be of any length. Where it
/// cannot, all searches together read the text about once.
const HIT_COST: usize = 4;

/// Calls a method of a text.
pub(super) fn call<'a>(
    text: Cow<'a, str>,
    method: Method,
    mut arguments: Arguments<'a>,
    fuel: &Fuel,
) -> Outcome<Js<'a>> {
    fuel.burn(text.len())?;
    Ok(match method {
        Method::Includes | Method::StartsWith | Method::EndsWith => {
            let part = plain(arguments.next(), fuel)?;
            let default = if method == Method::EndsWith { f64::INFINITY } else { 0.0 };
            let place = number::clamped(arguments.number_or(default, fuel)?, text.len());
            fuel.burn(part.len())?;
            let (before, behind) = text.split_at(byte_of(&text, place));
            Js::Bool(match method {
                Method::Includes => behind.contains(part.as_ref()),
                Method::StartsWith => behind.starts_with(part.as_ref()),
                _ => before.ends_with(part.as_ref()),
            })
        }
        Method::IndexOf => {
            let part = arguments.text(fuel)?;
            let from = byte_of(&text, number::clamped(arguments.number_or(0.0, fuel)?, text.len()));
            index(text[from..].find(part.as_ref()).map(|at| units(&text[..from + at])))
        }
        Method::LastIndexOf => {
            let part = arguments.text(fuel)?;
            let last = arguments.next().number(fuel)?;
            let last = if last.is_nan() { text.len() } else { number::clamped(last, text.len()) };
            let end = text.floor_char_boundary(byte_of(&text, last).saturating_add(part.len()));
            index(text[..end].rfind(part.as_ref()).map(|at| units(&text[..at])))
        }
        Method::ToLowerCase => made(text.to_lowercase()),
        Method::ToUpperCase => {
            fuel.burn(text.len() * 3)?;
            made(text.to_uppercase())
        }
        Method::Trim => Js::Text(trimmed(text, true, true)),
        Method::TrimStart => Js::Text(trimmed(text, true, false)),
        Method::TrimEnd => Js::Text(trimmed(text, false, true)),
        Method::Slice | Method::Substring | Method::Substr | Method::CharAt | Method::At => {
            return piece(text, method, &mut arguments, fuel);
        }
        Method::Split => Js::List(split(&text, &mut arguments, fuel)?),
        Method::Replace | Method::ReplaceAll => made(replace::replaced(&text, method, &mut arguments, fuel)?),
        Method::Match => matched(&text, arguments.next(), fuel)?,
        Method::Search => {
            let regex = &pattern(&arguments.next())?.regex;
            fuel.burn(text.len() * PATTERN_COST)?;
            index(regex.find(&text).map(|hit| units(&text[..hit.start()])))
        }
        Method::PadStart | Method::PadEnd => {
            let length = arguments.number_or(0.0, fuel)?;
            let filler = match arguments.next() {
                Js::Undefined => " ".into(),
                filler => filler.text(fuel)?,
            };
            let padding = text::padding(&text, length, &filler, fuel)?;
            made(if method == Method::PadStart { padding + &text } else { text.into_owned() + &padding })
        }
        Method::Concat => {
            let mut out = Builder::new(fuel);
            out.push(&text)?;
            for argument in arguments.rest() {
                out.push(&argument.text(fuel)?)?;
            }
            made(out.finish())
        }
        Method::Repeat => {
            let times = number::whole(arguments.number_or(0.0, fuel)?);
            if times < 0.0 || times.is_infinite() || times * text.len() as f64 >= text::TOO_LONG {
                return Err(threw("repeat() takes a count of 0 or more, and not a huge one"));
            }
            made(text::repeated(&text, number::clamped(times, usize::MAX), fuel)?)
        }
        Method::Normalize => made(normalized(&text, arguments.next(), fuel)?),
        Method::LocaleCompare => {
            let other = arguments.text(fuel)?;
            fuel.burn((text.len() + other.len()) * 32)?;
            Js::Number(f64::from(text::collate(&text, &other) as i8))
        }
        _ => Js::Text(text),
    })
}

fn made<'a>(text: String) -> Js<'a> {
    Js::Text(Cow::Owned(text))
}

fn index<'a>(place: Option<usize>) -> Js<'a> {
    Js::Number(place.map_or(-1.0, |place| place as f64))
}

/// A text that must be no pattern.
fn plain<'a>(value: Js<'a>, fuel: &Fuel) -> Outcome<Cow<'a, str>> {
    match value {
        Js::Pattern(_) => Err(threw("includes(), startsWith() and endsWith() take a text: write /pattern/.test(text)")),
        value => value.text(fuel),
    }
}

fn pattern<'a>(value: &Js<'a>) -> Outcome<&'a Pattern> {
    match value {
        Js::Pattern(pattern) => Ok(pattern),
        _ => Err(threw("match() and search() take a pattern: write /pattern/")),
    }
}

fn trimmed(text: Cow<'_, str>, start: bool, end: bool) -> Cow<'_, str> {
    let cut = |text: &'_ str| -> (usize, usize) {
        let from = if start { text.len() - text.trim_start_matches(is_space).len() } else { 0 };
        let to = if end { text.trim_end_matches(is_space).len() } else { text.len() };
        (from.min(to), to)
    };
    let (from, to) = cut(&text);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[from..to]),
        Cow::Owned(text) => Cow::Owned(text[from..to].to_owned()),
    }
}

/// `slice`, `substring`, `substr`, `charAt`, `at`.
fn piece<'a>(text: Cow<'a, str>, method: Method, arguments: &mut Arguments<'a>, fuel: &Fuel) -> Outcome<Js<'a>> {
    let length = units(&text);
    let first = arguments.number_or(0.0, fuel)?;
    let (from, to) = match method {
        Method::CharAt | Method::At => {
            let place = number::whole(first);
            let place = if method == Method::At && place < 0.0 { place + length as f64 } else { place };
            if !(0.0..length as f64).contains(&place) {
                return Ok(if method == Method::At { Js::Undefined } else { Js::Text("".into()) });
            }
            let place = number::clamped(place, length);
            (place, place + 1)
        }
        Method::Slice => {
            (number::from_end(first, length), number::from_end(arguments.number_or(f64::INFINITY, fuel)?, length))
        }
        Method::Substr => {
            let from = number::from_end(first, length);
            let count = number::clamped(arguments.number_or(f64::INFINITY, fuel)?, length - from);
            (from, from + count)
        }
        _ => {
            let from = number::clamped(first, length);
            let to = number::clamped(arguments.number_or(f64::INFINITY, fuel)?, length);
            (from.min(to), from.max(to))
        }
    };
    Ok(Js::Text(between_of(text, from, to)))
}

fn normalized(text: &str, form: Js<'_>, fuel: &Fuel) -> Outcome<String> {
    let form = match form {
        Js::Undefined => "NFC".into(),
        form => form.text(fuel)?,
    };
    // One character can become eighteen.
    fuel.burn(text.len() * 16)?;
    match form.as_ref() {
        "NFC" => Ok(text.nfc().collect()),
        "NFD" => Ok(text.nfd().collect()),
        "NFKC" => Ok(text.nfkc().collect()),
        "NFKD" => Ok(text.nfkd().collect()),
        _ => Err(threw("normalize() takes 'NFC', 'NFD', 'NFKC' or 'NFKD'")),
    }
}

fn split<'a>(text: &str, arguments: &mut Arguments<'a>, fuel: &Fuel) -> Outcome<Vec<Js<'a>>> {
    let separator = arguments.next();
    // A limit is one of 32 bits: below 0 it is huge.
    let limit = number::whole(arguments.number_or(f64::INFINITY, fuel)?);
    let limit = if limit < 0.0 { usize::MAX } else { number::clamped(limit, u32::MAX as usize) };
    let mut pieces = Vec::new();
    let mut push = |piece: Js<'a>| {
        let room = pieces.len() < limit;
        if room {
            fuel.burn(size_of::<Js<'_>>())?;
            pieces.push(piece);
        }
        Outcome::Ok(room)
    };
    match separator {
        Js::Undefined => {
            push(made(text.to_owned()))?;
        }
        Js::Pattern(pattern) => {
            let mut done = 0;
            let hits = hits(pattern, text, fuel);
            for captures in hits {
                let captures = captures?;
                let Some(hit) = captures.get(0) else { continue };
                if hit.is_empty() && (hit.end() == done || hit.start() >= text.len()) {
                    continue;
                }
                push(made(text[done..hit.start()].to_owned()))?;
                for group in groups(&captures).skip(1) {
                    push(group)?;
                }
                done = hit.end();
            }
            if !(text.is_empty() && pattern.regex.is_match("")) {
                push(made(text[done..].to_owned()))?;
            }
        }
        separator => {
            let separator = separator.text(fuel)?;
            if separator.is_empty() {
                for c in text.chars() {
                    for _ in 0..c.len_utf16() {
                        let one = if c.len_utf16() == 1 { c } else { char::REPLACEMENT_CHARACTER };
                        push(made(one.to_string()))?;
                    }
                }
            } else {
                for piece in text.split(separator.as_ref()) {
                    if !push(made(piece.to_owned()))? {
                        break;
                    }
                }
            }
        }
    }
    Ok(pieces)
}

/// The places where a pattern matches, each paid for before it is looked for.
pub(super) fn hits<'t, 'p: 't>(
    pattern: &'p Pattern,
    text: &'t str,
    fuel: &'t Fuel,
) -> impl Iterator<Item = Outcome<Captures<'t>>> {
    let mut found = pattern.regex.captures_iter(text);
    let mut from = 0;
    let mut cost = PATTERN_COST;
    std::iter::from_fn(move || {
        if let Err(exhausted) = fuel.burn((text.len() - from) * cost) {
            return Some(Err(exhausted.into()));
        }
        cost = if pattern.unbounded { HIT_COST } else { 0 };
        let captures = found.next()?;
        from = captures.get(0).map_or(from, |hit| hit.end());
        Some(Ok(captures))
    })
}

/// What a pattern's groups took, the whole first.
fn groups<'a>(captures: &Captures<'_>) -> impl Iterator<Item = Js<'a>> {
    captures.iter().map(|group| group.map_or(Js::Undefined, |group| made(group.as_str().to_owned())))
}

fn matched<'a>(text: &str, with: Js<'a>, fuel: &Fuel) -> Outcome<Js<'a>> {
    let pattern = pattern(&with)?;
    let mut hits = hits(pattern, text, fuel);
    if !pattern.global {
        let Some(captures) = hits.next().transpose()? else { return Ok(Js::Null) };
        fuel.burn(
            captures.len() * size_of::<Js<'_>>() + captures.iter().flatten().map(|group| group.len()).sum::<usize>(),
        )?;
        return Ok(Js::List(groups(&captures).collect()));
    }
    let mut all = Vec::new();
    for captures in hits {
        fuel.burn(size_of::<Js<'_>>())?;
        all.extend(groups(&captures?).next());
    }
    Ok(if all.is_empty() { Js::Null } else { Js::List(all) })
}
