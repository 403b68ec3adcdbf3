//! Typed answers: what a customer wrote or sent, read as what a question wants.
//!
//! [`read`] is the door. Behind it each type has its reader; those of numbers, days and times read [`token`]s with the
//! [`lexicon`] of the customer's language. A reader takes the one answer that stands in a text, and none where there are
//! two: asking again costs less than the wrong day.

mod choice;
mod date;
mod email;
mod language;
mod lexicon;
mod number;
mod numeral;
mod phone;
mod time;
mod token;
mod wanted;

use jiff::Zoned;
use serde_json::{Value, json};
use wigwag_domain::{Content, Media, clean};

pub(crate) use language::Language;
pub(crate) use phone::country;
pub(crate) use wanted::{BadQuestion, Wanted};

use crate::message::Said;
use date::date;
use email::email;
use number::number;
use phone::phone;
use time::time;

/// How a customer is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub language: Language,
    /// When the answer came, in the zone in which days begin for the customer.
    pub now: &'a Zoned,
    /// The calling code of numbers that say none, such as `54`.
    pub country: Option<&'a str>,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// It is not of the type.
    Kind,
    /// It is too little or too much.
    Range,
    /// The pattern does not match it.
    Pattern,
}

/// Reads a message as what is wanted: the value to keep, or why it does not count. Days are kept as `2026-12-24`, times
/// as `15:30`.
pub(crate) fn read(wanted: &Wanted, said: &Said<'_>, reading: &Reading<'_>) -> Result<Value, Miss> {
    let Reading { language, now, country } = *reading;
    let text = said.text.trim();
    match wanted {
        Wanted::Text { pattern, min, max } => {
            if text.is_empty() {
                return Err(Miss::Kind);
            }
            within(&text.chars().count(), min.as_ref(), max.as_ref())?;
            if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                return Err(Miss::Pattern);
            }
            Ok(text.into())
        }
        Wanted::Number { min, max } => {
            let number = number(text, language).ok_or(Miss::Kind)?;
            within(&number.as_f64().ok_or(Miss::Kind)?, min.as_ref(), max.as_ref())?;
            Ok(Value::Number(number))
        }
        Wanted::Email => email(text).map(Value::from).ok_or(Miss::Kind),
        Wanted::Phone => phone(text, country).map(Value::from).ok_or(Miss::Kind),
        Wanted::Date { min, max } => {
            let today = now.date();
            let date = date(text, language, today).ok_or(Miss::Kind)?;
            let [min, max] = [min, max].map(|bound| bound.map(|day| day.seen_from(today)));
            within(&date, min.as_ref(), max.as_ref())?;
            Ok(date.to_string().into())
        }
        Wanted::Time { min, max } => {
            let time = time(text, language).ok_or(Miss::Kind)?;
            within(&time, min.as_ref(), max.as_ref())?;
            Ok(time.strftime("%H:%M").to_string().into())
        }
        Wanted::Choice(choices) => choice::chosen(choices, said).map(|one| one.value.as_str().into()).ok_or(Miss::Kind),
        Wanted::Location => location(said.content).ok_or(Miss::Kind),
        Wanted::Media => match said.content {
            Content::Media(media) => Ok(file(media)),
            _ => Err(Miss::Kind),
        },
    }
}

fn within<T: PartialOrd>(value: &T, min: Option<&T>, max: Option<&T>) -> Result<(), Miss> {
    let is_within = min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
    is_within.then_some(()).ok_or(Miss::Range)
}

fn location(content: &Content) -> Option<Value> {
    let Content::Location { latitude, longitude, name, address } = content else { return None };
    if !latitude.is_finite() || !longitude.is_finite() {
        return None;
    }
    let mut place = json!({"latitude": latitude, "longitude": longitude});
    add(&mut place, "name", name.as_deref());
    add(&mut place, "address", address.as_deref());
    Some(place)
}

fn file(media: &Media) -> Value {
    let Media { kind, id, mime_type, caption, filename } = media;
    let mut file = json!({"kind": kind, "id": clean(id)});
    add(&mut file, "mime_type", mime_type.as_deref());
    add(&mut file, "caption", caption.as_deref());
    add(&mut file, "filename", filename.as_deref());
    file
}

/// Adds a text to an object, where there is one.
fn add(object: &mut Value, key: &str, text: Option<&str>) {
    if let (Some(object), Some(text)) = (object.as_object_mut(), text) {
        object.insert(key.to_owned(), clean(text).into());
    }
}

#[cfg(test)]
mod tests;
