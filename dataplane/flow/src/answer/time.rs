//! Times of day: `15:30`, `3pm`, `las tres y media`, `às 15h`, `noon`.

use jiff::civil::Time;

use super::{
    language::Language,
    lexicon::{DayPart, Lexicon},
    numeral::numeral,
    token::{Lead, Token, ends_with, has_other_end, is_one, phrase, readable, tokens},
};

/// Hours that may as well be how long something takes.
const SPANS: &[&str] = &["hora", "horas"];

/// The one time in a text, whatever stands around it. Hours without more are taken as written: `3` is 03:00.
///
/// `None` where there is no time or more than one, or one that no clock shows. A number that could be anything, `4`,
/// is an hour only where nothing else is said.
pub(crate) fn time(text: &str, language: Language) -> Option<Time> {
    let text = readable(text);
    let tokens = tokens(&text);
    let lexicon = language.lexicon();
    let reader = Reader { tokens: &tokens, lexicon };
    let spoken_of = reader.only_part()?;
    let (mut clear, mut vague) = (None, None);
    let mut at = 0;
    while at < tokens.len() {
        let Some(mention) = reader.mention(at) else {
            at += 1;
            continue;
        };
        let end = at + mention.taken;
        if has_other_end(&tokens, at, end, lexicon) || is_one(tokens.get(end), lexicon.not) {
            return None;
        }
        at = end;
        let time = mention.time(spoken_of);
        if time.is_none() && !mention.is_clear {
            continue;
        }
        let slot = if mention.is_clear { &mut clear } else { &mut vague };
        if slot.replace(time?).is_some_and(|other| Some(other) != time) {
            return None;
        }
    }
    clear.or(vague)
}

/// A time as somebody names it.
#[derive(Clone, Copy)]
struct Mention {
    hour: i8,
    /// From the hour; before it where negative.
    minute: i8,
    half: Option<Half>,
    /// Nothing but a time is written like this.
    is_clear: bool,
    /// How many tokens it takes.
    taken: usize,
}

/// Which half of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
    Part(DayPart),
}

impl Mention {
    /// The time; `spoken_of` is the part of the day that stands elsewhere in the text.
    fn time(&self, spoken_of: Option<DayPart>) -> Option<Time> {
        let elsewhere = spoken_of.filter(|_| (1..=12).contains(&self.hour)).map(Half::Part);
        let hour = match self.half.or(elsewhere) {
            Some(half) => half.hour(self.hour)?,
            None => self.hour,
        };
        if !(0..24).contains(&hour) || !(-59..=59).contains(&self.minute) {
            return None;
        }
        let minutes = (i16::from(hour) * 60 + i16::from(self.minute)).rem_euclid(24 * 60);
        Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()
    }
}

impl Half {
    /// An hour of this half on a clock of 24.
    fn hour(self, hour: i8) -> Option<i8> {
        match (self, hour) {
            (Self::Am, 1..=12) => Some(hour % 12),
            (Self::Pm, 1..=12) => Some(hour % 12 + 12),
            (Self::Am, _) => None,
            (Self::Part(DayPart::Dawn | DayPart::Night), 12) => Some(0),
            (Self::Part(DayPart::Dawn), _) => (hour <= 6).then_some(hour),
            // Noon to some, midnight to others.
            (Self::Part(DayPart::Morning), 12) => None,
            (Self::Part(DayPart::Morning), _) => Some(hour),
            (Self::Part(DayPart::Noon), 1..=3) => Some(hour + 12),
            (Self::Part(DayPart::Noon), _) => (11..=15).contains(&hour).then_some(hour),
            (Self::Part(DayPart::Afternoon), 1..=11) => Some(hour + 12),
            (Self::Part(DayPart::Night), 5..=11) => Some(hour + 12),
            (Self::Part(DayPart::Night), _) => Some(hour),
            // `15:30 pm` is written as well.
            (Self::Pm | Self::Part(DayPart::Afternoon), _) => (hour >= 12).then_some(hour),
        }
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    lexicon: &'static Lexicon,
}

impl Reader<'_> {
    /// The part of the day that the text speaks of: `Some(None)` if of none, `None` if of more than one.
    fn only_part(&self) -> Option<Option<DayPart>> {
        let mut parts = (0..self.tokens.len()).filter_map(|at| self.part(&self.tokens[at..])).map(|(part, _)| part);
        let Some(part) = parts.next() else { return Some(None) };
        parts.all(|other| other == part).then_some(Some(part))
    }

    /// `de la tarde`, `in the morning`, `tuesday afternoon`.
    fn part(&self, rest: &[Token<'_>]) -> Option<(DayPart, usize)> {
        let lexicon = self.lexicon;
        if let Some(taken) = phrase(rest, lexicon.tonight) {
            return Some((DayPart::Night, taken));
        }
        let is_day = |word: &str| lexicon.weekday(word).is_some() || lexicon.near.iter().any(|(near, _)| *near == word);
        let lead = phrase(rest, lexicon.part_leads);
        let lead = lead.or_else(|| rest.first()?.word().filter(|word| is_day(word)).map(|_| 1))?;
        Some((lexicon.part(rest.get(lead)?.word()?)?, lead + 1))
    }

    /// The time that is named from a token on.
    fn mention(&self, at: usize) -> Option<Mention> {
        let lead = phrase(&self.tokens[at..], self.lexicon.at).unwrap_or(0);
        let found = self.named(at + lead).or_else(|| self.minutes_first(at + lead));
        let mut found = found.or_else(|| self.hour_first(at + lead, lead > 0))?;
        found.is_clear |= lead > 0;
        found.taken += lead;
        Some(found)
    }

    /// `mediodía`, `midnight`, `meio-dia e meia`.
    fn named(&self, at: usize) -> Option<Mention> {
        let rest = &self.tokens[at..];
        let (hour, part, taken) = match phrase(rest, self.lexicon.noon) {
            Some(taken) => (12, DayPart::Noon, taken),
            None => (0, DayPart::Dawn, phrase(rest, self.lexicon.midnight)?),
        };
        let (minute, more) = self.minutes_after(&rest[taken..]).unwrap_or((0, 0));
        Some(Mention { hour, minute, half: Some(Half::Part(part)), is_clear: true, taken: taken + more })
    }

    /// `half past three`, `diez para las cuatro`.
    fn minutes_first(&self, at: usize) -> Option<Mention> {
        let rest = &self.tokens[at..];
        let (minute, mut taken) = self.minutes(rest)?;
        let (sign, joint) = match phrase(&rest[taken..], self.lexicon.past) {
            Some(joint) => (1, joint),
            None => (-1, phrase(&rest[taken..], self.lexicon.to)?),
        };
        // `9 to 5` is a range, and `mesa para 10 para las 9` tells how many come.
        let is_range = is_one(rest.get(taken), self.lexicon.between);
        if rest[0].figure().is_some() && (is_range || at > 0) {
            return None;
        }
        taken += joint;
        let (hour, more) = self.hour(&rest[taken..])?;
        taken += more;
        let (half, more) = self.half(&rest[taken..]);
        Some(Mention { hour, minute: sign * minute, half, is_clear: true, taken: taken + more })
    }

    /// `15:30`, `3pm`, `15h30`, `las tres y media`, `nine thirty`; a mere `15` where a word makes it an hour, or alone.
    fn hour_first(&self, at: usize, is_led: bool) -> Option<Mention> {
        let rest = &self.tokens[at..];
        let (hour, mut minute, mut is_clear, mut taken) = match rest.first()?.figure().and_then(clock) {
            Some((hour, minute, is_clear)) => (hour, Some(minute), is_clear, 1),
            None => self.hour(rest).map(|(hour, taken)| (hour, None, false, taken))?,
        };
        if let Some(hours) = phrase(&rest[taken..], self.lexicon.hours) {
            let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
            if is_one(rest.get(taken), SPANS)
                && (ends_with(self.lexicon.ahead, before) || is_one(before, self.lexicon.back))
            {
                return None;
            }
            (is_clear, taken) = (true, taken + hours);
            if minute.is_none()
                && let Some(minutes) = rest.get(taken).and_then(two_digits)
            {
                (minute, taken) = (Some(minutes), taken + 1);
                taken += usize::from(is_one(rest.get(taken), &["m", "min"]));
            }
        }
        if minute.is_none()
            && let Some((minutes, more)) = self.minutes_after(&rest[taken..])
        {
            (minute, is_clear, taken) = (Some(minutes), true, taken + more);
        }
        let (half, more) = self.half(&rest[taken..]);
        taken += more;
        is_clear |= half.is_some();
        let is_alone = at == 0 && taken == rest.len();
        let counts = is_clear || is_led || is_alone || minute.is_some();
        counts.then_some(Mention { hour, minute: minute.unwrap_or(0), half, is_clear, taken })
    }

    /// `y media`, `menos cuarto`, `e quinze`, and in English no word between: `thirty`.
    fn minutes_after(&self, rest: &[Token<'_>]) -> Option<(i8, usize)> {
        let lexicon = self.lexicon;
        if let Some(joint) = phrase(rest, lexicon.less) {
            let (minutes, taken) = self.minutes(&rest[joint..])?;
            return Some((-minutes, joint + taken));
        }
        let joint = if lexicon.plus.is_empty() { 0 } else { phrase(rest, lexicon.plus)? };
        let rest = &rest[joint..];
        if let Some(minutes) = rest.first().and_then(two_digits).filter(|_| joint > 0) {
            return Some((minutes, joint + 1));
        }
        let (minutes, taken) = self.minutes(rest).filter(|_| rest[0].word().is_some())?;
        (joint > 0 || minutes >= 10).then_some((minutes, joint + taken))
    }

    /// Minutes in words or figures.
    fn minutes(&self, rest: &[Token<'_>]) -> Option<(i8, usize)> {
        if let Some(minutes) = rest.first()?.word().and_then(|word| self.lexicon.named_minutes(word)) {
            return Some((minutes, 1));
        }
        self.count(rest).filter(|(minutes, _)| (1..=59).contains(minutes))
    }

    /// An hour in words or figures.
    fn hour(&self, rest: &[Token<'_>]) -> Option<(i8, usize)> {
        self.count(rest).filter(|(hour, _)| (0..=24).contains(hour))
    }

    fn count(&self, rest: &[Token<'_>]) -> Option<(i8, usize)> {
        if let Some(numeral) = numeral(rest, self.lexicon) {
            return Some((i8::try_from(numeral.value).ok()?, numeral.taken));
        }
        match rest.first()? {
            Token::Figure { text, lead } if text.len() <= 2 && *lead != Lead::Minus => Some((text.parse().ok()?, 1)),
            _ => None,
        }
    }

    /// `pm`, `p. m.`, `de la tarde`, and how many tokens it takes.
    fn half(&self, rest: &[Token<'_>]) -> (Option<Half>, usize) {
        for (half, written) in [(Half::Am, ["am", "a m"]), (Half::Pm, ["pm", "p m"])] {
            if let Some(taken) = phrase(rest, &written) {
                return (Some(half), taken);
            }
        }
        self.part(rest).map_or((None, 0), |(part, taken)| (Some(Half::Part(part)), taken))
    }
}

/// Hour, minute, and whether it can be nothing but a time: `15:30`, `15:30:00`; and `15.30`, which can.
fn clock(text: &str) -> Option<(i8, i8, bool)> {
    let is_clear = text.contains(':');
    let mut parts = text.split(if is_clear { [':', ':'] } else { ['.', ','] });
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next());
    let two = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
    let hour = hour.parse().ok().filter(|_| hour.len() <= 2)?;
    let is_time = match second {
        Some(second) => is_clear && parts.next().is_none() && two(second).is_some_and(|second| second < 60),
        None => true,
    };
    is_time.then_some((hour, two(minute)?, is_clear))
}

/// Minutes of two digits.
fn two_digits(token: &Token<'_>) -> Option<i8> {
    token.figure().filter(|text| text.len() == 2)?.parse().ok().filter(|minutes| *minutes < 60)
}

#[cfg(test)]
mod tests;
