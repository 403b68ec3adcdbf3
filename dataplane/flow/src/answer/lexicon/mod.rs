//! What the readers know of a language: its words, folded, and nothing of how a sentence is read. Another language is
//! another table.

mod english;
mod portuguese;
mod spanish;

pub(super) use english::ENGLISH;
pub(super) use portuguese::PORTUGUESE;
pub(super) use spanish::SPANISH;

/// The words of a language. In an array of fixed length each text holds the words for one thing, with a space between
/// them; in a list each text is a phrase.
pub(super) struct Lexicon {
    // Numbers.
    /// From 0.
    pub units: &'static [&'static str],
    /// From 20.
    pub tens: [&'static str; 8],
    /// From 100, where each has a word.
    pub hundreds: &'static [&'static str],
    /// The one word for hundreds otherwise.
    pub hundred: &'static str,
    /// Twelve, a thousand, a million.
    pub times: [&'static str; 3],
    /// Numerals that are articles as well, and count only where nothing else is said.
    pub articles: &'static [&'static str],
    /// Between the parts of a numeral: `treinta y cinco`.
    pub and: &'static [&'static str],
    /// Before a half: `dos y medio`.
    pub and_half: &'static [&'static str],
    /// Before a multiple: `medio millón`.
    pub half_a: &'static [&'static str],
    pub minus: &'static [&'static str],
    pub percent: &'static [&'static str],
    /// Between the two ends of a choice or a range.
    pub between: &'static [&'static str],
    /// Before the first end of a range.
    pub from: &'static [&'static str],
    /// After a day or time that will not do: `hoy no puedo`.
    pub not: &'static [&'static str],

    // Days.
    /// From January.
    pub months: [&'static str; 12],
    /// From Monday.
    pub weekdays: [&'static str; 7],
    /// Phrases for a day so many days from today, longer ones first.
    pub near: &'static [(&'static str, i32)],
    /// Words before one of [`Self::near`] that make it a time of day: `la mañana`.
    pub not_near_after: &'static [&'static str],
    /// Between day, month and year.
    pub of: &'static [&'static str],
    /// After a number of a day: `24th`, `1º`.
    pub ordinals: &'static [&'static str],
    /// The first of a month, in words.
    pub first: &'static [&'static str],
    /// Before the number of a day without a month: `el 24`.
    pub the_day: &'static [&'static str],
    /// What may follow such a number: `el 24 por la tarde`, and not `el 2 piso`.
    pub after_day: &'static [&'static str],
    /// Before a span that lies ahead, or back, and after it.
    pub ahead: &'static [&'static str],
    pub ahead_after: &'static [&'static str],
    pub back: &'static [&'static str],
    pub back_after: &'static [&'static str],
    /// One, before a unit.
    pub a: &'static [&'static str],
    /// Days, weeks, months, years.
    pub spans: [&'static str; 4],
    /// Around the name of a day that is over.
    pub last: &'static [&'static str],
    pub next_week: &'static [&'static str],

    // Times of day.
    /// Before an hour.
    pub at: &'static [&'static str],
    /// After an hour in figures.
    pub hours: &'static [&'static str],
    pub noon: &'static [&'static str],
    pub midnight: &'static [&'static str],
    /// Minutes with names.
    pub minutes: &'static [(&'static str, i8)],
    /// Hour, word, minutes: `tres y cuarto`, `cuatro menos diez`.
    pub plus: &'static [&'static str],
    pub less: &'static [&'static str],
    /// Minutes, word, hour: `ten past three`, `diez para las cuatro`.
    pub past: &'static [&'static str],
    pub to: &'static [&'static str],
    /// From before sunrise to night.
    pub parts: [&'static str; 5],
    /// Before the part of a day: `de la`.
    pub part_leads: &'static [&'static str],
    /// Parts of a day that need nothing before them.
    pub tonight: &'static [&'static str],

    // What gives the language away.
    pub hints: &'static str,
    pub letters: &'static [char],
}

/// A part of a numeral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing smaller follows it.
    Unit(i64),
    /// A unit follows it.
    Ten(i64),
    /// Anything under a hundred follows it.
    Hundred(i64),
    /// As many hundreds as the unit before it says.
    Hundreds,
    /// So many times what stands before it.
    Times(i64),
}

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// A part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayPart {
    /// Before sunrise.
    Dawn,
    Morning,
    Noon,
    Afternoon,
    Night,
}

/// The language that none is known of.
pub(super) const NO_WORDS: Lexicon = Lexicon {
    units: &[],
    tens: [""; 8],
    hundreds: &[],
    hundred: "",
    times: [""; 3],
    articles: &[],
    and: &[],
    and_half: &[],
    half_a: &[],
    minus: &[],
    percent: &[],
    between: &[],
    from: &[],
    not: &[],
    months: [""; 12],
    weekdays: [""; 7],
    near: &[],
    not_near_after: &[],
    of: &[],
    ordinals: &[],
    first: &[],
    the_day: &[],
    after_day: &[],
    ahead: &[],
    ahead_after: &[],
    back: &[],
    back_after: &[],
    a: &[],
    spans: [""; 4],
    last: &[],
    next_week: &[],
    at: &[],
    hours: &["h"],
    noon: &[],
    midnight: &[],
    minutes: &[],
    plus: &[],
    less: &[],
    past: &[],
    to: &[],
    parts: [""; 5],
    part_leads: &[],
    tonight: &[],
    hints: "",
    letters: &[],
};

impl Lexicon {
    pub fn numeral(&self, word: &str) -> Option<Part> {
        if let Some(value) = place(self.units, word) {
            return Some(Part::Unit(value.into()));
        }
        if let Some(tens) = place(&self.tens, word) {
            return Some(Part::Ten(20 + 10 * i64::from(tens)));
        }
        if let Some(hundreds) = place(self.hundreds, word) {
            return Some(Part::Hundred(100 + 100 * i64::from(hundreds)));
        }
        if word == self.hundred {
            return Some(Part::Hundreds);
        }
        one_of([12, 1_000, 1_000_000], &self.times, word).map(Part::Times)
    }

    /// The month of a name, from 1.
    pub fn month(&self, word: &str) -> Option<i8> {
        place(&self.months, word).map(|month| month + 1)
    }

    /// The day of a name, from Monday, which is 0.
    pub fn weekday(&self, word: &str) -> Option<i8> {
        place(&self.weekdays, word)
    }

    pub fn span(&self, word: &str) -> Option<Unit> {
        one_of([Unit::Day, Unit::Week, Unit::Month, Unit::Year], &self.spans, word)
    }

    pub fn part(&self, word: &str) -> Option<DayPart> {
        let parts = [DayPart::Dawn, DayPart::Morning, DayPart::Noon, DayPart::Afternoon, DayPart::Night];
        one_of(parts, &self.parts, word)
    }

    /// Minutes with a name of their own.
    pub fn named_minutes(&self, word: &str) -> Option<i8> {
        self.minutes.iter().find(|(name, _)| *name == word).map(|(_, minutes)| *minutes)
    }

    /// Whether a word speaks for the language; of one that was drawn out, `holaaa`, what it was drawn from.
    pub fn is_hint(&self, word: &str) -> bool {
        let is_hint = |word: &str| has(self.hints, word);
        let Some(last) = word.chars().next_back() else { return false };
        let stem = word.trim_end_matches(last);
        let drawn_out = word.len() - stem.len() > 2 * last.len_utf8();
        is_hint(word) || drawn_out && is_hint(&word[..stem.len() + last.len_utf8()])
    }
}

/// What a word stands for, of things with a text of words each.
fn one_of<T, const N: usize>(things: [T; N], words: &[&str; N], word: &str) -> Option<T> {
    things.into_iter().zip(words).find(|(_, words)| has(words, word)).map(|(thing, _)| thing)
}

/// Where in a table a word stands, from 0.
fn place(table: &[&str], word: &str) -> Option<i8> {
    (0..).zip(table).find(|(_, words)| has(words, word)).map(|(place, _)| place)
}

fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold;

    #[test]
    fn every_word_of_the_tables_is_folded_or_it_would_never_match() {
        for lexicon in [SPANISH, PORTUGUESE, ENGLISH] {
            let lists = [
                lexicon.units,
                &lexicon.tens,
                lexicon.hundreds,
                &[lexicon.hundred],
                &lexicon.times,
                lexicon.articles,
                lexicon.and,
                lexicon.and_half,
                lexicon.half_a,
                lexicon.minus,
                lexicon.percent,
                lexicon.between,
                lexicon.from,
                lexicon.not,
                &lexicon.months,
                &lexicon.weekdays,
                lexicon.not_near_after,
                lexicon.of,
                lexicon.ordinals,
                lexicon.first,
                lexicon.the_day,
                lexicon.after_day,
                lexicon.ahead,
                lexicon.ahead_after,
                lexicon.back,
                lexicon.back_after,
                lexicon.a,
                &lexicon.spans,
                lexicon.last,
                lexicon.next_week,
                lexicon.at,
                lexicon.hours,
                lexicon.noon,
                lexicon.midnight,
                lexicon.plus,
                lexicon.less,
                lexicon.past,
                lexicon.to,
                &lexicon.parts,
                lexicon.part_leads,
                lexicon.tonight,
                &[lexicon.hints],
            ];
            let words = lists.into_iter().flatten().copied();
            let words = words.chain(lexicon.near.iter().map(|(word, _)| *word));
            for word in words.chain(lexicon.minutes.iter().map(|(word, _)| *word)) {
                assert_eq!(word, fold(word));
                assert!(word.split(' ').all(|word| word.chars().all(char::is_alphabetic)), "{word:?}");
            }
        }
    }
}
