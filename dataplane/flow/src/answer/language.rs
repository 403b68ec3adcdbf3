//! The language that a customer writes: by its tag, or guessed from what was written.

use unicode_normalization::UnicodeNormalization;

use super::{
    lexicon::{ENGLISH, Lexicon, NO_WORDS, PORTUGUESE, SPANISH},
    token::readable,
};

/// Spanish-speaking regions that write `1,500.75`, as Unicode's locale data (CLDR) has it.
const POINT_REGIONS: &[&str] = &["419", "bz", "cu", "do", "gt", "hn", "mx", "ni", "pa", "pe", "pr", "sv", "us"];

/// A language, as far as its numbers and days are written differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Spanish: `1.500,75`, `24/12`.
    Es,
    /// Spanish of Mexico, Central America, the Caribbean and Peru: `1,500.75`, `24/12`.
    EsPoint,
    /// Portuguese: `1.500,75`, `24/12`.
    Pt,
    /// English: `1,500.75`, `24/12`.
    En,
    /// English of the United States: `1,500.75`, `12/24`.
    EnUs,
    /// Any other. Digits are read, words are not.
    Other,
}

impl Language {
    /// The language of a tag such as `es`, `es-AR`, `pt_BR` or `en-US`.
    pub fn of(tag: &str) -> Self {
        let mut parts = tag.trim().split(['-', '_']).map(str::to_ascii_lowercase);
        let language = parts.next().unwrap_or_default();
        let mut is_region = |regions: &[&str]| parts.any(|part| regions.contains(&part.as_str()));
        match language.as_str() {
            "es" if is_region(POINT_REGIONS) => Self::EsPoint,
            "es" => Self::Es,
            "pt" => Self::Pt,
            "en" if is_region(&["us"]) => Self::EnUs,
            "en" => Self::En,
            _ => Self::Other,
        }
    }

    /// Which of some languages a first message is in, by its greetings, small words and letters; `None` where nothing
    /// speaks for one of them, or as much for another. Of two tags of one language the first is taken.
    pub fn guess<'a>(text: &str, among: &[&'a str]) -> Option<&'a str> {
        let folded = readable(text);
        let letters: Vec<char> = text.nfc().flat_map(char::to_lowercase).filter(|c| !c.is_ascii()).collect();
        let score = |lexicon: &Lexicon| {
            let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| lexicon.is_hint(word)).count();
            words + 2 * letters.iter().filter(|letter| lexicon.letters.contains(letter)).count()
        };
        let spoken = [(Self::Es, score(&SPANISH)), (Self::Pt, score(&PORTUGUESE)), (Self::En, score(&ENGLISH))];
        let most = spoken.iter().map(|(_, score)| *score).max().filter(|most| *most > 0)?;
        let mut best = spoken.iter().filter(|(_, score)| *score == most);
        let (language, _) = best.next().filter(|_| best.next().is_none())?;
        among.iter().find(|tag| Self::of(tag).is_spoken_as(*language)).copied()
    }

    pub(super) const fn lexicon(self) -> &'static Lexicon {
        match self {
            Self::Es | Self::EsPoint => &SPANISH,
            Self::Pt => &PORTUGUESE,
            Self::En | Self::EnUs => &ENGLISH,
            Self::Other => &NO_WORDS,
        }
    }

    /// What stands before the fraction of a number, where that is known.
    pub(super) const fn decimal_mark(self) -> Option<char> {
        match self {
            Self::Es | Self::Pt => Some(','),
            Self::EsPoint | Self::En | Self::EnUs => Some('.'),
            Self::Other => None,
        }
    }

    fn is_spoken_as(self, other: Self) -> bool {
        self != Self::Other && std::ptr::eq(self.lexicon(), other.lexicon())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_down_to_what_matters() {
        for (tag, language) in [
            ("es", Language::Es),
            ("es-AR", Language::Es),
            ("ES_ar", Language::Es),
            ("es-MX", Language::EsPoint),
            ("es-419", Language::EsPoint),
            ("pt_BR", Language::Pt),
            ("pt-PT", Language::Pt),
            ("en", Language::En),
            ("en-GB", Language::En),
            ("en-US", Language::EnUs),
            ("en-Latn-US", Language::EnUs),
            ("fr", Language::Other),
            ("est", Language::Other),
            ("", Language::Other),
        ] {
            assert_eq!(Language::of(tag), language, "{tag:?}");
        }
    }

    #[test]
    fn the_language_of_a_first_message_is_guessed() {
        let among = ["es-AR", "pt-BR", "en"];
        for (text, guessed) in [
            ("hola", Some("es-AR")),
            ("HOLAAAA!!!", Some("es-AR")),
            ("Buenas tardes", Some("es-AR")),
            ("buen día", Some("es-AR")),
            ("quiero un turno para mañana", Some("es-AR")),
            ("ola quiero saber el precio", Some("es-AR")),
            ("¿Precio?", Some("es-AR")),
            ("man\u{303}ana", Some("es-AR")),
            ("oi", Some("pt-BR")),
            ("oiii", Some("pt-BR")),
            ("Olá", Some("pt-BR")),
            ("bom dia", Some("pt-BR")),
            ("boa tarde, gostaria de agendar", Some("pt-BR")),
            ("informação", Some("pt-BR")),
            ("hi", Some("en")),
            ("Hello, how much is it?", Some("en")),
            ("good morning", Some("en")),
            ("ok", None),
            ("", None),
            ("👍", None),
            ("123", None),
            ("hola hello", None),
            ("bonjour", None),
            ("مرحبا", None),
        ] {
            assert_eq!(Language::guess(text, &among), guessed, "{text:?}");
        }
    }

    #[test]
    fn only_a_language_that_the_tenant_speaks_is_guessed() {
        assert_eq!(Language::guess("hello", &["es", "pt"]), None);
        assert_eq!(Language::guess("hola", &["fr", "es-MX", "es-AR"]), Some("es-MX"), "the first of its language");
        assert_eq!(Language::guess("hola", &[]), None);
    }
}
