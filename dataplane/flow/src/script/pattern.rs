//! Regular expressions: JavaScript's own syntax, written as the crate `regex` reads it.
//!
//! `\d`, `\w`, `\s`, `\b` and `.` mean in JavaScript less than in the crate, and classes nest there; so each is written
//! out. What the crate cannot run in linear time (look-around, back-references) is refused. Unlike JavaScript's without
//! the flag `u`, a pattern looks at whole characters: `.` takes an emoji.

use std::{iter::Peekable, str::Chars};

use regex::{Regex, RegexBuilder};

use crate::expression::{MAX_PATTERN, last_line};

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub regex: Regex,
    /// The flag `g`.
    pub global: bool,
    /// Whether a match can be of any length: then the search for the next one may read all that is left.
    pub unbounded: bool,
    /// As a condition writes it: what it prints as.
    pub written: String,
}

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t-\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}";
const LINE_END: &str = r"\n\r\u{2028}\u{2029}";

impl Pattern {
    /// Translates and compiles a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with what to write instead.
    pub fn compile(source: &str, flags: &str) -> Result<Self, String> {
        if let Some(flag) = flags.chars().find(|flag| !"gimsu".contains(*flag)) {
            return Err(format!("the flag `{flag}` is not known here: leave it away"));
        }
        let has = |flag| flags.contains(flag);
        let Translation { out, unbounded, .. } = Translation::run(source, has('s'), has('u'))?;
        let regex = RegexBuilder::new(&out)
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .size_limit(MAX_PATTERN)
            .dfa_size_limit(MAX_PATTERN)
            .build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large: repeat less, and smaller parts".to_owned(),
            error => last_line(&error.to_string()),
        })?;
        Ok(Self { regex, global: has('g'), unbounded, written: format!("/{source}/{flags}") })
    }
}

struct Translation<'s> {
    source: Peekable<Chars<'s>>,
    out: String,
    /// The flag `s`: `.` takes the end of a line too.
    dot_takes_all: bool,
    /// The flag `u`.
    unicode: bool,
    unbounded: bool,
}

/// One part of a class: a character can begin a range, a set cannot.
enum Part {
    One(char),
    Set(String),
}

impl<'s> Translation<'s> {
    fn run(source: &'s str, dot_takes_all: bool, unicode: bool) -> Result<Self, String> {
        let source = source.chars().peekable();
        let mut translation = Self { source, out: String::new(), dot_takes_all, unicode, unbounded: false };
        while let Some(c) = translation.source.next() {
            translation.one(c)?;
        }
        Ok(translation)
    }

    fn one(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '(' => return self.group(),
            '.' if self.dot_takes_all => self.out.push_str("(?s:.)"),
            '.' => self.out.push_str(&format!("[^{LINE_END}]")),
            '{' => match self.count() {
                Some(count) => {
                    self.unbounded |= count.ends_with(',');
                    self.out.push_str(&format!("{{{count}}}"));
                }
                None => self.out.push_str(r"\{"),
            },
            '^' | '$' | '|' | ')' | '*' | '+' | '?' => {
                self.unbounded |= matches!(c, '*' | '+');
                self.out.push(c);
            }
            literal => self.out.push_str(&one(literal)),
        }
        Ok(())
    }

    /// What stands between the braces of `{3}`, `{3,}` or `{3,5}`; any other brace stands for itself.
    fn count(&mut self) -> Option<String> {
        let mut ahead = self.source.clone();
        let inner: String = ahead.by_ref().take_while(|c| *c != '}').take(12).collect();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
        let closed = self.source.clone().nth(inner.len()) == Some('}');
        if least.is_empty() || !digits(least) || !digits(most) || !closed {
            return None;
        }
        self.source = ahead;
        Some(inner)
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.source.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        match self.source.next() {
            Some(':') => self.out.push(':'),
            Some('<') if !matches!(self.source.peek(), Some('=' | '!')) => {
                let name: String = self.source.by_ref().take_while(|c| *c != '>').collect();
                self.out.push_str(&format!("<{name}>"));
            }
            Some('=' | '!' | '<') => {
                return Err("look-around (`(?=`, `(?!`, `(?<=`, `(?<!`) cannot be run here: test twice, as in \
                            /a/.test(x) && !/b/.test(x)"
                    .to_owned());
            }
            _ => return Err("`(?` begins no group that is known here: write `(?:...)`".to_owned()),
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.source.peek() {
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some('B') => return Err(r"`\B` cannot be run here: write it with `\b`".to_owned()),
            Some('k' | '1'..='9') => {
                return Err(
                    "a back-reference cannot be run here: take the groups with match() and compare them".to_owned()
                );
            }
            _ => {
                match self.escaped()? {
                    Part::One(c) => self.out.push_str(&one(c)),
                    Part::Set(set) => self.out.push_str(&format!("[{set}]")),
                }
                return Ok(());
            }
        }
        self.source.next();
        Ok(())
    }

    /// What an escape stands for that may stand in a class as well.
    fn escaped(&mut self) -> Result<Part, String> {
        let Some(c) = self.source.next() else { return Err(r"a `\` stands at its end: write `\\`".to_owned()) };
        Ok(match c {
            'd' => Part::Set(DIGIT.to_owned()),
            'D' => Part::Set(format!("[^{DIGIT}]")),
            'w' => Part::Set(WORD.to_owned()),
            'W' => Part::Set(format!("[^{WORD}]")),
            's' => Part::Set(SPACE.to_owned()),
            'S' => Part::Set(format!("[^{SPACE}]")),
            'p' | 'P' if self.unicode => Part::Set(self.property(c)?),
            't' => Part::One('\t'),
            'n' => Part::One('\n'),
            'r' => Part::One('\r'),
            'v' => Part::One('\u{b}'),
            'f' => Part::One('\u{c}'),
            '0' if !self.source.peek().is_some_and(char::is_ascii_digit) => Part::One('\0'),
            'x' => Part::One(self.hex(2)?),
            'u' if self.unicode && self.source.next_if_eq(&'{').is_some() => {
                let digits: String = self.source.by_ref().take_while(|c| *c != '}').take(8).collect();
                Part::One(code_point(&digits)?)
            }
            'u' => Part::One(self.unit()?),
            'p' | 'P' => return Err(r"`\p` needs the flag u: write it as in /\p{L}/u".to_owned()),
            c if c.is_ascii_alphanumeric() => {
                return Err(format!(
                    r"`\{c}` is no escape that is known here: write `{c}`, or `\\{c}` for the backslash"
                ));
            }
            c => Part::One(c),
        })
    }

    fn property(&mut self, letter: char) -> Result<String, String> {
        if self.source.next_if_eq(&'{').is_none() {
            return Err(format!(r"`\{letter}` stands without a name: write it as in \{letter}{{L}}"));
        }
        let name: String = self.source.by_ref().take_while(|c| *c != '}').take(60).collect();
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '=')) {
            return Err(format!(r"`\{letter}{{...}}` holds no name of a property: write it as in \{letter}{{L}}"));
        }
        Ok(format!(r"\{letter}{{{name}}}"))
    }

    /// `\uXXXX`, or two of them that make one character.
    fn unit(&mut self) -> Result<char, String> {
        let first = self.digits(4)?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            let mut ahead = self.source.clone();
            if ahead.next() == Some('\\') && ahead.next() == Some('u') {
                self.source = ahead;
                units.push(self.digits(4)?);
            }
        }
        let units = units.into_iter().filter_map(|unit| u16::try_from(unit).ok());
        match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
            Ok([c]) => Ok(*c),
            _ => Err(r"half a character (`\ud800` to `\udfff`) cannot be matched here: write the whole one".to_owned()),
        }
    }

    fn hex(&mut self, digits: usize) -> Result<char, String> {
        let code = self.digits(digits)?;
        char::from_u32(code).ok_or_else(no_character)
    }

    fn digits(&mut self, digits: usize) -> Result<u32, String> {
        let text: String = self.source.by_ref().take(digits).collect();
        let whole = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then(|| u32::from_str_radix(&text, 16).ok()).flatten().ok_or_else(no_character)
    }

    fn class(&mut self) -> Result<(), String> {
        let mut class = String::new();
        let negated = self.source.next_if_eq(&'^').is_some();
        loop {
            let part = match self.source.next() {
                None => return Err("a `[` is never closed: write `]` behind it, or `\\[` for the bracket".to_owned()),
                Some(']') => break,
                Some(c) => self.part(c)?,
            };
            class.push_str(&self.range(part)?);
        }
        self.out.push_str(&match (negated, class.is_empty()) {
            // Nothing is in `[]`, and all is in `[^]`.
            (false, true) => r"[^\s\S]".to_owned(),
            (true, true) => r"[\s\S]".to_owned(),
            (false, false) => format!("[{class}]"),
            (true, false) => format!("[^{class}]"),
        });
        Ok(())
    }

    fn part(&mut self, c: char) -> Result<Part, String> {
        match (c, self.source.peek()) {
            ('\\', Some('b')) => {
                self.source.next();
                Ok(Part::One('\u{8}'))
            }
            ('\\', _) => self.escaped(),
            (c, _) => Ok(Part::One(c)),
        }
    }

    /// `a-z`, if a dash and another end come next.
    fn range(&mut self, part: Part) -> Result<String, String> {
        let from = match part {
            Part::Set(set) => return Ok(format!("[{set}]")),
            Part::One(from) => from,
        };
        let mut ahead = self.source.clone();
        if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']')) {
            return Ok(one(from));
        }
        self.source = ahead;
        let Some(next) = self.source.next() else { return Ok(one(from)) };
        match self.part(next)? {
            Part::One(to) if to < from => Err(format!("the range `{from}-{to}` goes backwards: write `{to}-{from}`")),
            Part::One(to) => Ok(format!("{}-{}", one(from), one(to))),
            Part::Set(set) => Ok(format!(r"{}\-[{set}]", one(from))),
        }
    }
}

/// A character that stands for itself, in a class and out of it.
fn one(c: char) -> String {
    if c.is_alphanumeric() { c.to_string() } else { format!(r"\u{{{:x}}}", u32::from(c)) }
}

fn code_point(digits: &str) -> Result<char, String> {
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or_else(no_character)
}

fn no_character() -> String {
    r"an escape names no character: write it as in \u00e9".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_they_match_in_javascript() {
        for (source, flags, text, matches) in [
            (r"^\d+$", "", "12", true),
            (r"^\d+$", "", "١٢", false),
            (r"^\w+$", "", "niño", false),
            (r"\bsí\b", "", "sí", false),
            (r"\bsi\b", "i", "y SI quiero", true),
            (r"^\s$", "", "\u{feff}", true),
            (r"^\s$", "", "\u{85}", false),
            (r"^.$", "", "\u{2028}", false),
            (r"^.$", "s", "\n", true),
            (r"^[^]$", "", "\n", true),
            (r"[]", "", "a", false),
            (r"^[[a&&b~~-]+$", "", "[&&~-", true),
            (r"^[\w-]+$", "", "a-b", true),
            (r"^[+-]?\d{1,3}$", "", "-12", true),
            (r"^a{,2}$", "", "a{,2}", true),
            (r"^a{x$", "", "a{x", true),
            (r"^\<\/\-$", "", "</-", true),
            (r"^\u00e9\x41\cA?$", "", "éA", false),
            (r"^\u00e9\x41$", "", "éA", true),
            (r"^\ud83d\ude00$", "u", "😀", true),
            (r"^\u{1f600}$", "u", "😀", true),
            (r"^\p{Lu}$", "u", "Ñ", true),
            (r"^(?<year>\d{4})-(?:\d\d)$", "", "2026-01", true),
            (r"^b$", "m", "a\nb", true),
            (r"^#\ $", "", "# ", true),
        ] {
            if let Ok(pattern) = Pattern::compile(source, flags) {
                assert_eq!(pattern.regex.is_match(text), matches, "/{source}/{flags} on {text:?}");
            } else {
                assert!(source.contains(r"\c"), "/{source}/{flags}");
            }
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_what_to_write_instead() {
        for (source, flags, says) in [
            ("(?=a)", "", "test twice"),
            ("(?<!a)b", "", "test twice"),
            (r"(a)\1", "", "match()"),
            (r"\p{L}", "", "flag u"),
            (r"\Ba", "", r"\b"),
            ("[z-a]", "", "a-z"),
            ("[a", "", "]"),
            ("a", "y", "leave it away"),
            (r"\ud83d", "", "whole"),
            (r"(\w{1000}){1000}", "", "too large"),
            ("(a", "", "unclosed group"),
            ("(?i:a)", "", "(?:...)"),
        ] {
            let error = Pattern::compile(source, flags).expect_err(source);
            assert!(error.contains(says), "/{source}/{flags}: {error}");
        }
    }
}
