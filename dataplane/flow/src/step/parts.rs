//! Long texts in parts that each fit a message.

use unicode_segmentation::UnicodeSegmentation;
use wigwag_domain::cut;

use crate::question::MESSAGE_TEXT;

/// The most parts of one text; what is left then is cut.
pub(crate) const MAX_PARTS: usize = 10;

/// A long text.
pub(super) struct Parts {
    /// Each fits a message.
    pub parts: Vec<String>,
    /// Whether what did not fit into the last of them was cut off.
    pub cut: bool,
}

/// A text in parts, parted behind a sentence where there is one, else behind a word.
pub(super) fn parts(text: &str) -> Parts {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while rest.encode_utf16().count() > MESSAGE_TEXT && parts.len() + 1 < MAX_PARTS {
        let fits = prefix(rest, MESSAGE_TEXT);
        let sentence = fits.split_sentence_bounds().map(str::len).scan(0, |end, len| {
            *end += len;
            Some(*end)
        });
        // A part that ends early leaves a ragged text: not before half of it.
        let ends = |bounds: &mut dyn Iterator<Item = usize>| bounds.filter(|end| *end < fits.len()).last();
        let at = ends(&mut sentence.into_iter())
            .filter(|at| *at > fits.len() / 2)
            .or_else(|| fits.rfind(char::is_whitespace).filter(|at| *at > 0))
            .unwrap_or(fits.len());
        parts.push(rest[..at].trim_end().to_owned());
        rest = rest[at..].trim_start();
    }
    let last = cut(rest, MESSAGE_TEXT);
    let cut = last.len() != rest.len();
    if !rest.is_empty() {
        parts.push(last.into_owned());
    }
    Parts { parts, cut }
}

/// As many whole graphemes as fit into so many UTF-16 units.
fn prefix(text: &str, limit: usize) -> &str {
    let mut units = 0;
    let mut end = 0;
    for grapheme in text.graphemes(true) {
        units += grapheme.encode_utf16().count();
        if units > limit {
            break;
        }
        end += grapheme.len();
    }
    &text[..if end == 0 { text.chars().next().map_or(0, char::len_utf8) } else { end }]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_parted_behind_a_sentence() {
        let sentence = "Esto es una frase de prueba. ";
        let text = sentence.repeat(200);
        let Parts { parts, cut } = parts(&text);
        assert!(!cut);
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.ends_with("prueba.")), "{parts:?}");
        assert_eq!(parts.join(" "), text.trim_end());
    }

    #[test]
    fn a_text_that_fits_is_one_part() {
        assert_eq!(parts("Hola. ¿Qué tal?").parts, ["Hola. ¿Qué tal?"]);
    }

    #[test]
    fn what_ten_parts_do_not_hold_is_cut_and_told() {
        let Parts { parts, cut } = parts(&format!("{}. ", "a".repeat(2_998)).repeat(13));
        assert_eq!(parts.len(), MAX_PARTS);
        assert!(cut && parts[9].ends_with('…'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_part_fits(text in "([a-zñ👨‍👩‍👧\u{301}]{1,50}[ .\n]?){100,400}") {
            for part in parts(&text).parts {
                prop_assert!(part.encode_utf16().count() <= MESSAGE_TEXT);
                prop_assert!(!part.is_empty());
            }
        }
    }
}
