//! What a question wants, as the node `ask` says it.

use jiff::civil::{Date, Time};
use regex::Regex;
use wigwag_crds::node::AnswerType;

use super::choice::Choice;
use crate::{findings::quoted, fold::fold};

/// The sort of answer that counts. Bounds count as inside.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// Words that the pattern, if any, matches; `min` and `max` are characters.
    Text {
        pattern: Option<Regex>,
        min: Option<usize>,
        max: Option<usize>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Email,
    Phone,
    Date {
        min: Option<Day>,
        max: Option<Day>,
    },
    Time {
        min: Option<Time>,
        max: Option<Time>,
    },
    Choice(Vec<Choice>),
    Location,
    Media,
}

/// A bound of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    On(Date),
    /// The day on which the customer answers.
    Today,
}

/// A question that no answer could fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadQuestion {
    /// The field of the node.
    pub field: &'static str,
    /// What is wrong with it, and what to write.
    pub message: String,
}

impl Wanted {
    /// Reads the fields of a question. The pattern, which counts for texts alone, must match a text as a whole.
    pub fn of(
        type_: AnswerType,
        pattern: Option<Regex>,
        min: Option<&str>,
        max: Option<&str>,
        choices: &[String],
    ) -> Result<Self, BadQuestion> {
        let wanted = match type_ {
            AnswerType::Text => {
                let [min, max] = bounds(min, max, "a number of characters, such as 3", |text| text.parse().ok())?;
                Self::Text { pattern, min, max }
            }
            AnswerType::Number => {
                let [min, max] = bounds(min, max, "a number, such as 10 or \"2.5\"", finite)?;
                Self::Number { min, max }
            }
            AnswerType::Date => {
                let [min, max] = bounds(min, max, "a day, such as 2026-12-24, or today", Day::read)?;
                Self::Date { min, max }
            }
            AnswerType::Time => {
                let [min, max] = bounds(min, max, "a time, such as \"15:30\"", |text| text.parse().ok())?;
                Self::Time { min, max }
            }
            AnswerType::Email => unbounded(Self::Email, min, max)?,
            AnswerType::Phone => unbounded(Self::Phone, min, max)?,
            AnswerType::Choice => unbounded(Self::Choice(read_choices(choices)?), min, max)?,
            AnswerType::Location => unbounded(Self::Location, min, max)?,
            AnswerType::Media => unbounded(Self::Media, min, max)?,
        };
        Ok(wanted)
    }
}

impl Day {
    fn read(text: &str) -> Option<Self> {
        match text {
            "today" => Some(Self::Today),
            date => date.parse().ok().map(Self::On),
        }
    }

    /// The day that is meant, on a day on which somebody answers.
    pub const fn seen_from(self, today: Date) -> Date {
        match self {
            Self::On(date) => date,
            Self::Today => today,
        }
    }
}

impl PartialOrd for Day {
    /// Today is before or after nothing: it moves.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::On(one), Self::On(other)) => Some(one.cmp(other)),
            (Self::Today, Self::Today) => Some(std::cmp::Ordering::Equal),
            _ => None,
        }
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Both bounds, of which the first must not be the greater.
fn bounds<T: PartialOrd>(
    min: Option<&str>,
    max: Option<&str>,
    what: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<[Option<T>; 2], BadQuestion> {
    let bound = |field, text: Option<&str>| match text {
        None => Ok(None),
        Some(text) => read(text.trim()).map(Some).ok_or_else(|| {
            let message = format!("{} does not bound an answer of this type: write {what}", quoted(text));
            BadQuestion { field, message }
        }),
    };
    let (low, high) = (bound("min", min)?, bound("max", max)?);
    if low.is_some() && high.is_some() && low > high {
        let message = "it is less than min, so that no answer counts: write a greater one".to_owned();
        return Err(BadQuestion { field: "max", message });
    }
    Ok([low, high])
}

/// A type that has no bounds.
fn unbounded(wanted: Wanted, min: Option<&str>, max: Option<&str>) -> Result<Wanted, BadQuestion> {
    let field = match (min, max) {
        (None, None) => return Ok(wanted),
        (Some(_), _) => "min",
        (None, Some(_)) => "max",
    };
    let message = "only an answer of type Text, Number, Date or Time has bounds: remove it".to_owned();
    Err(BadQuestion { field, message })
}

fn read_choices(choices: &[String]) -> Result<Vec<Choice>, BadQuestion> {
    let bad = |message: String| BadQuestion { field: "choices", message };
    if choices.is_empty() {
        return Err(bad("an answer of type Choice is one of a list: write choices: [one, another]".to_owned()));
    }
    let mut read: Vec<Choice> = Vec::with_capacity(choices.len());
    for value in choices {
        let folded = fold(value);
        if folded.is_empty() {
            return Err(bad("one of the choices is empty: write a word, or remove it".to_owned()));
        }
        if let Some(other) = read.iter().find(|other| other.folded == folded) {
            let (one, other) = (quoted(value), quoted(&other.value));
            return Err(bad(format!("{one} and {other} are the same to a customer: change one of them")));
        }
        read.push(Choice { value: value.clone(), folded });
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(type_: AnswerType, min: Option<&str>, max: Option<&str>) -> Option<&'static str> {
        Wanted::of(type_, None, min, max, &["a".to_owned()]).err().map(|bad| bad.field)
    }

    #[test]
    fn bounds_are_of_the_answers_type() {
        for (type_, min, max) in [
            (AnswerType::Text, "1", "10"),
            (AnswerType::Number, "-1", "2.5"),
            (AnswerType::Date, "2026-12-24", "2026-12-24"),
            (AnswerType::Date, "today", "2000-01-01"),
            (AnswerType::Time, "09:00", "18:30"),
        ] {
            assert_eq!(bad(type_, Some(min), Some(max)), None, "{type_:?} {min} {max}");
            assert_eq!(bad(type_, Some("soon"), None), Some("min"), "{type_:?}");
            assert_eq!(bad(type_, None, Some("late")), Some("max"), "{type_:?}");
        }
        for (type_, min, max) in [
            (AnswerType::Text, "10", "1"),
            (AnswerType::Number, "2.5", "2"),
            (AnswerType::Date, "2026-12-24", "2026-12-23"),
            (AnswerType::Time, "18:00", "09:00"),
        ] {
            assert_eq!(bad(type_, Some(min), Some(max)), Some("max"), "{type_:?} {min} {max}");
        }
        assert_eq!(bad(AnswerType::Number, Some("NaN"), None), Some("min"));
        assert_eq!(bad(AnswerType::Number, None, Some("inf")), Some("max"));
        assert_eq!(bad(AnswerType::Text, Some("-1"), None), Some("min"));
    }

    #[test]
    fn types_without_an_order_have_no_bounds() {
        for type_ in [AnswerType::Email, AnswerType::Phone, AnswerType::Choice, AnswerType::Location, AnswerType::Media]
        {
            assert_eq!(bad(type_, None, None), None, "{type_:?}");
            assert_eq!(bad(type_, Some("1"), None), Some("min"), "{type_:?}");
            assert_eq!(bad(type_, None, Some("1")), Some("max"), "{type_:?}");
        }
    }

    #[test]
    fn choices_are_words_that_a_customer_can_tell_apart() {
        let of = |choices: &[&str]| {
            let choices: Vec<_> = choices.iter().map(|choice| (*choice).to_owned()).collect();
            Wanted::of(AnswerType::Choice, None, None, None, &choices).map(drop).map_err(|bad| bad.message)
        };
        assert_eq!(of(&["Sí", "No"]), Ok(()));
        for (choices, says) in [(&[][..], "choices: ["), (&["Sí", " "], "empty"), (&["Sí", "SI"], "\"SI\" and \"Sí\"")]
        {
            let message = of(choices).expect_err("bad choices");
            assert!(message.contains(says), "{message}");
        }
    }
}
