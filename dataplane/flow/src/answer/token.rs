//! A customer's text as the readers of numbers, days and times see it: words and figures, in order.
//!
//! What phones and keyboards put in between is gone: accents, capitals, digits of other scripts, marks of direction,
//! polite words, punctuation. A minus is kept with its figure.

use super::lexicon::Lexicon;
use crate::fold::{fold, is_word};

/// Said along with an answer, and no part of it.
const POLITE: &[&str] = &[
    "por favor",
    "muchas gracias",
    "mil gracias",
    "muito obrigado",
    "muito obrigada",
    "thank you",
    "porfa",
    "porfavor",
    "please",
    "pls",
    "gracias",
    "obrigado",
    "obrigada",
    "thanks",
    "hola",
    "oi",
    "ola",
    "hi",
    "hello",
];

/// A word or a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, folded.
    Word(&'a str),
    /// Digits, and what stands between two of them without a gap: `1.500,75`, `24/12`, `15:30`.
    Figure { text: &'a str, lead: Lead },
}

/// What stands before a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    Nothing,
    /// A minus, perhaps with a currency's sign after it.
    Minus,
    /// A letter: the figure is part of a code.
    Letter,
}

impl<'a> Token<'a> {
    pub fn word(&self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Figure { .. } => None,
        }
    }

    pub fn figure(&self) -> Option<&'a str> {
        match self {
            Self::Figure { text, .. } => Some(text),
            Self::Word(_) => None,
        }
    }

    /// The digits of a figure that has nothing else, as a number of at most four of them.
    pub fn digits(&self) -> Option<i16> {
        self.figure().filter(|text| text.len() <= 4)?.parse().ok()
    }
}

/// Writes digits, punctuation and gaps of all scripts the plain way, and leaves out what nobody sees.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter_map(plain_char).collect()
}

fn plain_char(c: char) -> Option<char> {
    /// The zeros of the scripts that phones offer digits in: Arabic, Persian, the Indian ones, Thai, Khmer.
    const ZEROS: [u32; 13] =
        [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0x1040, 0x17e0];
    let code = u32::from(c);
    match c {
        _ if c.is_ascii() => Some(c),
        // Joiners, marks of direction, variation selectors, and the box of a key cap.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => None,
        '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{2018}' | '\u{2019}' | '\u{66c}' => Some('\''),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xfee0),
        _ => {
            let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code));
            zero.and_then(|zero| char::from_digit(code - zero, 10)).or(Some(c))
        }
    }
}

/// A text, ready for [`tokens`].
pub(super) fn readable(text: &str) -> String {
    fold(&plain(text))
}

/// The words and figures of a [`readable`] text, without the polite ones.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if first.is_ascii_digit() {
            let length = figure_length(rest);
            all.push(Token::Figure { text: &rest[..length], lead: lead(&text[..at]) });
            length
        } else if is_letter(first) {
            let length = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
            all.push(Token::Word(&rest[..length]));
            length
        } else {
            first.len_utf8()
        };
        at += length;
    }
    let mut kept = Vec::with_capacity(all.len());
    let mut rest = &all[..];
    while let Some(token) = rest.first() {
        if let Some(taken) = phrase(rest, POLITE) {
            rest = &rest[taken..];
            continue;
        }
        kept.push(*token);
        rest = &rest[1..];
    }
    kept
}

fn is_letter(c: char) -> bool {
    is_word(c) && !c.is_ascii_digit()
}

/// Bytes of the figure at the beginning of a text.
fn figure_length(text: &str) -> usize {
    let mut length = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '.' | ',' | ':' | '/' | '-' | '\'' | '\u{66b}' | '\u{a0}' | '\u{2009}' | '\u{202f}');
        let goes_on = joins && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if !c.is_ascii_digit() && !goes_on {
            break;
        }
        length = at + c.len_utf8();
    }
    length
}

/// What stands at the end of the text before a figure.
fn lead(before: &str) -> Lead {
    if before.ends_with(is_letter) {
        let word = &before[before.trim_end_matches(is_letter).len()..];
        let currency = matches!(word, "usd" | "eur" | "brl" | "ars" | "mxn" | "cop" | "clp" | "pen" | "rs" | "s" | "n");
        return if currency { Lead::Nothing } else { Lead::Letter };
    }
    let gap = |c: char| c.is_whitespace() || matches!(c, '$' | '€' | '£');
    let Some(sign) = before.trim_end_matches(gap).strip_suffix('-') else { return Lead::Nothing };
    let spaced = before[sign.len() + 1..].starts_with(char::is_whitespace);
    let apart = sign.is_empty()
        || !spaced && sign.ends_with(|c: char| c.is_whitespace() || matches!(c, '(' | ':' | '=' | '$' | '€' | '£'));
    if apart { Lead::Minus } else { Lead::Nothing }
}

/// How many tokens the longest of some phrases takes at the beginning of these. A phrase is folded words with a space
/// between them.
pub(super) fn phrase(tokens: &[Token<'_>], phrases: &[&str]) -> Option<usize> {
    let fits = |phrase: &&str| {
        let mut tokens = tokens.iter();
        phrase.split(' ').all(|word| tokens.next().and_then(Token::word) == Some(word))
    };
    phrases.iter().filter(|phrase| fits(phrase)).map(|phrase| phrase.split(' ').count()).max()
}

/// Whether a word is one of a list.
pub(super) fn is_one(token: Option<&Token<'_>>, words: &[&str]) -> bool {
    token.and_then(Token::word).is_some_and(|word| words.contains(&word))
}

/// Whether a token is the last word of one of some phrases.
pub(super) fn ends_with(phrases: &[&str], token: Option<&Token<'_>>) -> bool {
    let Some(word) = token.and_then(Token::word) else { return false };
    phrases.iter().any(|phrase| phrase.rsplit(' ').next() == Some(word))
}

/// Whether what stands at `start..end` is one end of a choice or range, `4 o 5`, `9 a 12`, `das 9 às 12`, whose other end is a number.
pub(super) fn has_other_end(tokens: &[Token<'_>], start: usize, end: usize, lexicon: &Lexicon) -> bool {
    let is_number = |token: Option<&Token<'_>>| match token {
        Some(Token::Word(word)) => lexicon.numeral(word).is_some() && !lexicon.articles.contains(word),
        Some(Token::Figure { .. }) => true,
        None => false,
    };
    let back = |count: usize| start.checked_sub(count).and_then(|at| tokens.get(at));
    is_one(back(1), lexicon.between) && is_number(back(2))
        || is_one(back(2), lexicon.from) && is_number(back(1))
        || is_one(tokens.get(end), lexicon.between) && is_number(tokens.get(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let text = readable(text);
        let shown = tokens(&text).into_iter().map(|token| match token {
            Token::Word(word) => word.to_owned(),
            Token::Figure { text, lead: Lead::Nothing } => format!("<{text}>"),
            Token::Figure { text, lead } => format!("<{lead:?} {text}>"),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_text_is_words_and_figures() {
        for (text, expected) in [
            ("El MARTES, por favor.", "el martes"),
            ("24/12 a las 15:30hs", "<24/12> a las <15:30> hs"),
            ("3 p. m.", "<3> p m"),
            ("terça-feira", "terca feira"),
            ("24.12.", "<24.12>"),
            ("2026-12-24T15:30", "<2026-12-24> t <Letter 15:30>"),
            ("por ahora", "por ahora"),
            ("R$ 1.500,75", "r <1.500,75>"),
            ("-$ 3 / (-4) / a -5 / a-6 / 7 - 8", "<Minus 3> <Minus 4> a <Minus 5> a <6> <7> <8>"),
            ("", ""),
            ("¡!", ""),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_and_signs_of_other_scripts_are_as_good() {
        for (text, expected) in [
            ("１５：３０", "<15:30>"),
            ("٣٥", "<35>"),
            ("۱۲", "<12>"),
            ("१५", "<15>"),
            ("−3", "<Minus 3>"),
            ("3️⃣", "<3>"),
            ("\u{202a}+54 11\u{202c}", "<54> <11>"),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
