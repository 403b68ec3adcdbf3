//! The checks that every kind of content shares.

use std::{borrow::Cow, collections::HashSet};

use crate::Unsendable;

type Field = Cow<'static, str>;

/// That a text has 1 to `limit` characters.
pub(super) fn fits(field: impl Into<Field>, text: &str, limit: usize) -> Result<(), Unsendable> {
    match text.chars().count() {
        0 => Err(Unsendable::Empty { field: field.into() }),
        length if length > limit => Err(Unsendable::TooLong { field: field.into(), length, limit }),
        _ => Ok(()),
    }
}

/// That there are 1 to `limit` elements.
pub(super) fn counts(field: impl Into<Field>, count: usize, limit: usize) -> Result<(), Unsendable> {
    if (1..=limit).contains(&count) {
        return Ok(());
    }
    Err(Unsendable::Count { field: field.into(), count, limit })
}

/// That no text stands there twice.
pub(super) fn differ<'a>(
    field: impl Into<Field>,
    mut texts: impl Iterator<Item = &'a String>,
) -> Result<(), Unsendable> {
    let mut seen = HashSet::new();
    if texts.all(|text| seen.insert(text)) { Ok(()) } else { Err(Unsendable::Repeated { field: field.into() }) }
}

/// That something holds; `why` says what is wrong and what to write instead.
pub(super) fn holds(held: bool, field: impl Into<Field>, why: &'static str) -> Result<(), Unsendable> {
    if held { Ok(()) } else { Err(Unsendable::Malformed { field: field.into(), why }) }
}

/// A text that only adorns; one without words is as good as none.
pub(super) fn adornment(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// Whether a text has a character that phones draw as a picture: Unicode's `Emoji_Presentation` below U+10000, all of the
/// pictographs above, and what turns a plain sign into a picture.
pub(super) fn has_emoji(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c,
            '\u{1F000}'..='\u{1FAFF}' | '\u{FE0F}' | '\u{20E3}'
            | '\u{231A}'..='\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}' | '\u{25FD}'..='\u{25FE}'
            | '\u{2614}'..='\u{2615}' | '\u{2648}'..='\u{2653}' | '\u{267F}' | '\u{2693}' | '\u{26A1}'
            | '\u{26AA}'..='\u{26AB}' | '\u{26BD}'..='\u{26BE}' | '\u{26C4}'..='\u{26C5}' | '\u{26CE}' | '\u{26D4}'
            | '\u{26EA}' | '\u{26F2}'..='\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}' | '\u{2705}'
            | '\u{270A}'..='\u{270B}' | '\u{2728}' | '\u{274C}' | '\u{274E}' | '\u{2753}'..='\u{2755}' | '\u{2757}'
            | '\u{2795}'..='\u{2797}' | '\u{27B0}' | '\u{27BF}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_from_letters_and_signs() {
        for text in ["Pedir 📅", "☎\u{FE0F}", "1\u{20E3}", "✅", "⭐ 5", "👍🏽"] {
            assert!(has_emoji(text), "{text}");
        }
        for text in ["Pedir cita", "¿Qué? 9–18 h → 20 €", "预约", "موعد", "✓ © №"] {
            assert!(!has_emoji(text), "{text}");
        }
    }
}
