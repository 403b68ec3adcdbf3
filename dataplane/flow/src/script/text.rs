//! Texts, counted in UTF-16 units as JavaScript does.
//!
//! They are kept as UTF-8, so half a character, such as `'😀'[0]`, is U+FFFD: as long as JavaScript's half, equal to
//! any other half, and no half of anything once it is put together again.

use std::{borrow::Cow, cmp::Ordering};

use unicode_normalization::UnicodeNormalization;

use super::{ScriptProblem, number::from_end};
use crate::expression::Fuel;

/// A text that is being made, paid for before it grows.
pub(super) struct Builder<'f> {
    out: String,
    fuel: &'f Fuel,
}

impl<'f> Builder<'f> {
    pub fn new(fuel: &'f Fuel) -> Self {
        Self { out: String::new(), fuel }
    }

    pub fn push(&mut self, text: &str) -> Result<(), ScriptProblem> {
        self.fuel.burn(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    pub fn finish(self) -> String {
        self.out
    }
}

/// What JavaScript takes for white space.
pub(super) fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// A text's length.
pub(super) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The units from one place to another.
pub(super) fn between(text: &str, from: usize, to: usize) -> Cow<'_, str> {
    if from >= to {
        return Cow::Borrowed("");
    }
    if text.is_ascii() {
        return Cow::Borrowed(&text[from.min(text.len())..to.min(text.len())]);
    }
    let mut out = String::new();
    let mut at = 0;
    for c in text.chars() {
        let end = at + c.len_utf16();
        if at >= to {
            break;
        }
        if from <= at && end <= to {
            out.push(c);
        } else if end > from {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        at = end;
    }
    Cow::Owned(out)
}

/// The units from one place to another, of a text that is not needed any more.
pub(super) fn between_of(text: Cow<'_, str>, from: usize, to: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => between(text, from, to),
        Cow::Owned(text) => Cow::Owned(between(&text, from, to).into_owned()),
    }
}

/// Each unit as a text of its own.
pub(super) fn characters(text: &str) -> Vec<String> {
    let halves = |c: char| match c.len_utf16() {
        1 => vec![c.to_string()],
        _ => vec![char::REPLACEMENT_CHARACTER.to_string(); 2],
    };
    text.chars().flat_map(halves).collect()
}

/// The byte at which a unit begins; within a character, where the next one does.
pub(super) fn byte_of(text: &str, unit: usize) -> usize {
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut at = 0;
    for (byte, c) in text.char_indices() {
        if at >= unit {
            return byte;
        }
        at += c.len_utf16();
    }
    text.len()
}

/// The order of JavaScript: by units.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// `localeCompare`: letters first, then accents, then small before large. Close to what JavaScript takes from the
/// Unicode collation, and the same about what is equal.
pub(super) fn collate(a: &str, b: &str) -> Ordering {
    let decomposed = |text: &str| text.nfd().collect::<Vec<char>>();
    let (a, b) = (decomposed(a), decomposed(b));
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let letters =
        |text: &[char]| text.iter().filter(|c| !is_mark(c)).flat_map(|c| c.to_lowercase()).collect::<Vec<_>>();
    let accents = |text: &[char]| text.iter().flat_map(|c| c.to_lowercase()).collect::<Vec<_>>();
    let small_first = |text: &[char]| text.iter().map(|c| c.is_uppercase()).collect::<Vec<_>>();
    letters(&a)
        .cmp(&letters(&b))
        .then_with(|| accents(&a).cmp(&accents(&b)))
        .then_with(|| small_first(&a).cmp(&small_first(&b)))
        .then_with(|| a.cmp(&b))
}

/// `padStart` and `padEnd`: what fills a text up to a length.
pub(super) fn padding(text: &str, length: f64, filler: &str, fuel: &Fuel) -> Result<String, ScriptProblem> {
    let (have, each) = (units(text), units(filler));
    let missing = super::number::whole(length) - have as f64;
    if missing <= 0.0 || each == 0 {
        return Ok(String::new());
    }
    if missing >= TOO_LONG {
        return Err(ScriptProblem::Threw("a text would be longer than JavaScript allows".to_owned()));
    }
    let missing = from_end(missing, usize::MAX);
    let padding = repeated(filler, missing.div_ceil(each), fuel)?;
    Ok(between(&padding, 0, missing).into_owned())
}

/// The length that no text of JavaScript's reaches.
pub(super) const TOO_LONG: f64 = 536_870_888.0;

/// A text many times over.
pub(super) fn repeated(text: &str, times: usize, fuel: &Fuel) -> Result<String, ScriptProblem> {
    fuel.burn(text.len().saturating_mul(times))?;
    Ok(text.repeat(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_utf_16() {
        let text = "añ😀b";
        assert_eq!(units(text), 5);
        assert_eq!(between(text, 1, 4), "ñ😀");
        assert_eq!(between(text, 3, 5), "\u{fffd}b");
        assert_eq!(between(text, 0, 3), "añ\u{fffd}");
        assert_eq!(between("abc", 2, 9), "c");
        assert_eq!(&text[byte_of(text, 4)..], "b");
        assert_eq!(compare("\u{fffd}", "😀"), Ordering::Greater);
    }

    #[test]
    fn accents_and_case_come_after_letters() {
        for (a, b) in [("a", "b"), ("a", "B"), ("e", "é"), ("é", "f"), ("a", "A"), ("A", "b"), ("a", "aa")] {
            assert_eq!((collate(a, b), collate(b, a)), (Ordering::Less, Ordering::Greater), "{a} {b}");
        }
        assert_eq!(collate("é", "e\u{301}"), Ordering::Equal);
    }
}
