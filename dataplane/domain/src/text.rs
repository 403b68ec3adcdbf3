//! Rules about text that more than one stage keeps.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// Replaces what no `text` or `jsonb` column of PostgreSQL holds: NUL becomes U+FFFD.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Cuts a text to at most `limit` UTF-16 units (the unit in which Meta counts), at a grapheme, with `…` at its end.
#[must_use]
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.encode_utf16().count() <= limit {
        return Cow::Borrowed(text);
    }
    let mut room = limit.saturating_sub(1);
    let mut kept = String::new();
    for grapheme in text.graphemes(true) {
        let Some(left) = room.checked_sub(grapheme.encode_utf16().count()) else { break };
        room = left;
        kept.push_str(grapheme);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    Cow::Owned(kept)
}

/// The digits of a phone number as people and providers write it (`+54 9 11…`, `549 11…`); `None` where nothing is
/// left, or something that is no phone number: more than 15 digits (E.164), or a letter.
#[must_use]
pub fn digits(phone: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | '.' | ' ');
    if !phone.chars().all(allowed) {
        return None;
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    (1..=15).contains(&digits.len()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_what_a_reader_sees_as_one_character() {
        assert_eq!(cut("Comprar", 20), "Comprar");
        assert_eq!(cut("Quiero comprar un libro", 20), "Quiero comprar un l…");
        assert_eq!(cut("aaa👩‍👩‍👧‍👧", 6), "aaa…", "a family is 11 units, and one character");
        assert_eq!(cut("ab", 0), "…");
    }

    #[test]
    fn a_business_scoped_id_is_no_phone_number() {
        assert_eq!(digits("+54 (9) 11-5555"), Some("549115555".to_owned()));
        assert_eq!(digits("US.13491208655302741918"), None);
        assert_eq!(digits("1234567890123456"), None);
        assert_eq!(digits(""), None);
    }

    proptest::proptest! {
        #[test]
        fn a_cut_text_fits(text in ".{0,60}", limit in 1_usize..30) {
            proptest::prop_assert!(cut(&text, limit).encode_utf16().count() <= limit);
        }
    }
}
