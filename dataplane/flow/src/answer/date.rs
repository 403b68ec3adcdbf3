//! Days: `24/12/2026`, `el martes`, `amanhã`, `in two weeks`.

use jiff::{
    Span,
    civil::{Date, Weekday},
};

use super::{
    language::Language,
    lexicon::{Lexicon, Unit},
    numeral::numeral,
    token::{Token, ends_with, has_other_end, is_one, phrase, readable, tokens},
};

/// How many years a year of two digits may lie ahead; all others lie behind.
const AHEAD: i16 = 19;

/// The one day in a text, whatever stands around it, as seen from `today`.
///
/// A date without a year is the next that comes, today included; a day of the week is the next, today excluded. A day
/// of the week beside a date must be that date's. `None` where there is no day or more than one, or one that no
/// calendar has.
pub(crate) fn date(text: &str, language: Language, today: Date) -> Option<Date> {
    let text = readable(text);
    let tokens = tokens(&text);
    let lexicon = language.lexicon();
    let is_next_week = (0..tokens.len()).any(|at| phrase(&tokens[at..], lexicon.next_week).is_some());
    let reader = Reader { tokens: &tokens, language, lexicon, today, is_next_week };
    let mut day: Option<Date> = None;
    let mut weekday: Option<(Weekday, Date)> = None;
    let mut at = 0;
    while at < tokens.len() {
        let Some((mention, taken)) = reader.mention(at) else {
            at += 1;
            continue;
        };
        if has_other_end(&tokens, at, at + taken, lexicon) || is_one(tokens.get(at + taken), lexicon.not) {
            return None;
        }
        at += taken;
        match mention {
            Mention::Day(date) if day.is_none_or(|other| other == date) => day = Some(date),
            Mention::Weekday(name, date) if weekday.is_none_or(|other| other == (name, date)) => {
                weekday = Some((name, date));
            }
            _ => return None,
        }
    }
    match (day, weekday) {
        (Some(day), Some((weekday, _))) => (day.weekday() == weekday).then_some(day),
        (day, weekday) => day.or(weekday.map(|(_, date)| date)),
    }
}

/// A day as somebody names it.
enum Mention {
    Day(Date),
    /// The name of a day, and the one that is meant if nothing else is said.
    Weekday(Weekday, Date),
    /// A day that does not exist, or one of several.
    Impossible,
}

impl From<Option<Date>> for Mention {
    fn from(date: Option<Date>) -> Self {
        date.map_or(Self::Impossible, Self::Day)
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    language: Language,
    lexicon: &'static Lexicon,
    today: Date,
    /// The text speaks of the week after this one.
    is_next_week: bool,
}

impl Reader<'_> {
    /// The day that is named from a token on, and how many tokens that takes.
    fn mention(&self, at: usize) -> Option<(Mention, usize)> {
        let rest = &self.tokens[at..];
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let found = self.distance(rest).or_else(|| self.day_and_month(rest)).or_else(|| self.month_and_day(rest));
        let found = found.or_else(|| self.figures(before, rest)).or_else(|| self.near(before, rest));
        found.or_else(|| self.weekday(before, rest)).or_else(|| self.day_of_month(before, rest))
    }

    /// `en 3 días`, `in two weeks`, `3 days ago`.
    fn distance(&self, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let lexicon = self.lexicon;
        let (sign, lead) = match (phrase(rest, lexicon.ahead), phrase(rest, lexicon.back)) {
            (Some(lead), _) => (Some(1), lead),
            (_, Some(lead)) => (Some(-1), lead),
            _ => (None, 0),
        };
        let rest = &rest[lead..];
        let first = rest.first()?;
        let (amount, taken) = match numeral(rest, lexicon) {
            Some(numeral) => (numeral.value, numeral.taken),
            None if is_one(Some(first), lexicon.a) => (1, 1),
            None => (first.digits()?.into(), 1),
        };
        let unit = lexicon.span(rest.get(taken)?.word()?)?;
        let after = &rest[taken + 1..];
        let (sign, tail) = match (sign, phrase(after, lexicon.ahead_after), phrase(after, lexicon.back_after)) {
            (Some(sign), _, tail) => (sign, tail.unwrap_or(0)),
            (None, Some(tail), _) => (1, tail),
            (None, None, tail) => (-1, tail?),
        };
        Some((self.shifted(sign * amount, unit).into(), lead + taken + 1 + tail))
    }

    fn shifted(&self, amount: i64, unit: Unit) -> Option<Date> {
        let span = match unit {
            Unit::Day => Span::new().try_days(amount),
            Unit::Week => Span::new().try_weeks(amount),
            Unit::Month => Span::new().try_months(amount),
            Unit::Year => Span::new().try_years(amount),
        };
        self.today.checked_add(span.ok()?).ok()
    }

    /// `24 de diciembre de 2026`, `24 dic`, `24th of December`, `primeiro de maio`.
    fn day_and_month(&self, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let lexicon = self.lexicon;
        let (day, mut taken) = match numeral(rest, lexicon) {
            _ if is_one(rest.first(), lexicon.first) => (1, 1),
            Some(numeral) => (i8::try_from(numeral.value).ok()?, numeral.taken),
            None => self.day_number(rest)?,
        };
        taken += usize::from(is_one(rest.get(taken), lexicon.of));
        let month = lexicon.month(rest.get(taken)?.word()?)?;
        let (year, tail) = self.year(&rest[taken + 1..]);
        Some((self.on(year, month, day).into(), taken + 1 + tail))
    }

    /// `Dec 24th, 2026`, `diciembre 24`.
    fn month_and_day(&self, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let month = self.lexicon.month(rest.first()?.word()?)?;
        let (day, taken) = match is_one(rest.get(1), self.lexicon.first) {
            true => (1, 1),
            false => self.day_number(&rest[1..])?,
        };
        let (year, tail) = self.year(&rest[1 + taken..]);
        Some((self.on(year, month, day).into(), 1 + taken + tail))
    }

    /// `24`, `24th`, `1º`.
    fn day_number(&self, rest: &[Token<'_>]) -> Option<(i8, usize)> {
        let text = rest.first()?.figure().filter(|text| text.len() <= 2)?;
        Some((text.parse().ok()?, 1 + usize::from(is_one(rest.get(1), self.lexicon.ordinals))))
    }

    /// The year after a month: four digits, or two that end the text; anything else is about something else.
    fn year(&self, rest: &[Token<'_>]) -> (Option<i16>, usize) {
        let of = usize::from(is_one(rest.first(), self.lexicon.of));
        match rest.get(of).and_then(Token::figure).and_then(|text| Some((text.len(), text.parse::<i16>().ok()?))) {
            Some((4, year @ 1900..=2199)) => (Some(year), of + 1),
            Some((2, year)) if rest.len() == of + 1 => (Some(self.century(year)), of + 1),
            _ => (None, 0),
        }
    }

    /// The year that two digits mean.
    fn century(&self, year: i16) -> i16 {
        let this = self.today.year();
        let year = this - this.rem_euclid(100) + year;
        match year - this {
            ahead if ahead > AHEAD => year - 100,
            ahead if ahead <= AHEAD - 100 => year + 100,
            _ => year,
        }
    }

    /// A date; without a year the next that comes.
    fn on(&self, year: Option<i16>, month: i8, day: i8) -> Option<Date> {
        if let Some(year) = year {
            return Date::new(year, month, day).ok();
        }
        // Two leap years are at most eight years apart.
        let this = self.today.year();
        let dates = (this..=this.saturating_add(8)).filter_map(|year| Date::new(year, month, day).ok());
        dates.into_iter().find(|date| *date >= self.today)
    }

    /// `2026-12-24`, `24/12/2026`, `24.12.26`, `24-12`.
    fn figures(&self, before: Option<&Token<'_>>, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let text = rest.first()?.figure()?;
        let separator = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '/' | '-' | '.'))?;
        let mut parts = text.split(separator);
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
        let two = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() <= 2);
        let year_of = |text: &str| match text.len() {
            4 => text.parse().ok(),
            2 => text.parse().ok().map(|year| self.century(year)),
            _ => None,
        };
        let second = two(second).filter(|_| parts.next().is_none())?;
        if let Some(day) = third.filter(|_| first.len() == 4) {
            return Some((self.on(Some(year_of(first)?), second, two(day)?).into(), 1));
        }
        let first = two(first)?;
        if let Some(year) = third {
            return Some((self.in_order(Some(year_of(year)?), first, second).into(), 1));
        }
        // `a las 9.30`, `2-3 días` and `10-12 hs` are no days.
        let next = rest.get(1).and_then(Token::word);
        let is_span = |word: &str| self.lexicon.span(word).is_some() || self.lexicon.hours.contains(&word);
        if next.is_some_and(is_span) || ends_with(self.lexicon.at, before) {
            return None;
        }
        let date = self.in_order(None, first, second);
        // What is no day may be a time, where a point stands in it.
        (date.is_some() || separator != '.').then(|| (date.into(), 1))
    }

    /// A date from its first two numbers, in the order of the language. English is written in both, so that the other
    /// counts where the first makes no sense.
    fn in_order(&self, year: Option<i16>, first: i8, second: i8) -> Option<Date> {
        match self.language {
            Language::EnUs => self.on(year, first, second).or_else(|| self.on(year, second, first)),
            Language::En => self.on(year, second, first).or_else(|| self.on(year, first, second)),
            _ => self.on(year, second, first),
        }
    }

    /// `hoy`, `pasado mañana`, `day after tomorrow`.
    fn near(&self, before: Option<&Token<'_>>, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let (taken, days) = self.lexicon.near.iter().find_map(|(name, days)| Some((phrase(rest, &[name])?, *days)))?;
        // Of `la mañana` the morning is meant.
        if taken == 1 && days == 1 && is_one(before, self.lexicon.not_near_after) {
            return None;
        }
        Some((self.shifted(days.into(), Unit::Day).into(), taken))
    }

    /// `martes`, `terça-feira`, `3ª feira`, `el martes pasado`, `next tuesday`.
    fn weekday(&self, before: Option<&Token<'_>>, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let (place, mut taken) = match rest {
            // Portuguese counts its days from Sunday.
            [number, Token::Word("a" | "ª"), Token::Word("feira"), ..] if self.language == Language::Pt => {
                (number.digits().filter(|number| (2..=6).contains(number))? as i8 - 2, 3)
            }
            [Token::Word(word), ..] => (self.lexicon.weekday(word)?, 1),
            _ => return None,
        };
        taken += usize::from(is_one(rest.get(taken), &["feira"]));
        // `a week from tuesday`
        if is_one(before, self.lexicon.from) {
            return Some((Mention::Impossible, taken));
        }
        let weekday = Weekday::from_monday_zero_offset(place).ok()?;
        let is_last = is_one(before, self.lexicon.last) || is_one(rest.get(taken), self.lexicon.last);
        let date = if is_last {
            self.today.nth_weekday(-1, weekday)
        } else if self.is_next_week {
            self.today.nth_weekday(1, Weekday::Monday).and_then(|monday| match weekday {
                Weekday::Monday => Ok(monday),
                _ => monday.nth_weekday(1, weekday),
            })
        } else {
            self.today.nth_weekday(1, weekday)
        };
        Some((date.map_or(Mention::Impossible, |date| Mention::Weekday(weekday, date)), taken))
    }

    /// `el 24`, `dia 24`, `the 24th`, `24th`: the next that comes.
    fn day_of_month(&self, before: Option<&Token<'_>>, rest: &[Token<'_>]) -> Option<(Mention, usize)> {
        let (day, taken) = self.day_number(rest)?;
        let is_ordinal = taken > 1 && matches!(self.language, Language::En | Language::EnUs);
        if !is_ordinal && !is_one(before, self.lexicon.the_day) {
            return None;
        }
        let next = rest.get(taken);
        if next.is_some() && !is_one(next, self.lexicon.after_day) {
            // `el 24 o el 25` is two days, `el 2 piso` none.
            return is_one(next, self.lexicon.between).then_some((Mention::Impossible, taken));
        }
        let first = self.today.first_of_month();
        let months = (0..12).filter_map(|month| first.checked_add(Span::new().months(month)).ok());
        let mut dates = months.filter_map(|first| Date::new(first.year(), first.month(), day).ok());
        Some((dates.find(|date| *date >= self.today).into(), taken))
    }
}

#[cfg(test)]
mod tests;
