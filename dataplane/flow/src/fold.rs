//! Folding: two texts that differ in case, accents or white space around them are the same to a customer.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Trims, takes accents off (canonical decomposition without U+0300 to U+036F), and lower-cases.
pub(crate) fn fold(text: &str) -> String {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if trimmed.is_ascii() {
        return trimmed.to_ascii_lowercase();
    }
    trimmed.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).collect::<String>().to_lowercase()
}

/// Whether a character is part of a word: a letter, a digit or a mark.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_surrounding_space_do_not_count() {
        for text in ["MAÑANA", " manana\n", "Mañana", "man\u{303}ana", "\u{feff}mañana\u{a0}"] {
            assert_eq!(fold(text), "manana", "{text:?}");
        }
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), "σισυφος");
        assert_eq!(fold("  "), "");
    }
}
