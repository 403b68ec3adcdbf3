//! Dates: moments in milliseconds since 1970, seen in the tenant's time zone. Years -9999 to 9999; any other is no date.

use jiff::{
    Span, Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::{ScriptProblem, function::Method};

/// Calls a method of a date.
pub(super) fn call(time: f64, method: Method, zone: &TimeZone) -> Result<f64, ScriptProblem> {
    let Some(moment) = moment(time) else { return Ok(f64::NAN) };
    let local = moment.to_zoned(zone.clone());
    Ok(match method {
        Method::GetHours => local.hour().into(),
        Method::GetDay => local.weekday().to_sunday_zero_offset().into(),
        Method::GetDate => local.day().into(),
        Method::GetMonth => (local.month() - 1).into(),
        Method::GetFullYear => local.year().into(),
        Method::GetMinutes => local.minute().into(),
        Method::GetSeconds => local.second().into(),
        _ => time,
    })
}

/// `toISOString`; `None` for what is no date.
pub(super) fn print(time: f64) -> Option<String> {
    let moment = moment(time)?.to_zoned(TimeZone::UTC);
    let year = moment.year();
    let year = if (0..=9999).contains(&year) { format!("{year:04}") } else { format!("-{:06}", year.abs()) };
    Some(format!("{year}{}.{:03}Z", moment.strftime("-%m-%dT%H:%M:%S"), moment.millisecond()))
}

/// A time as `new Date` takes it.
pub(super) fn from_number(time: f64) -> f64 {
    if moment(time).is_some() { time.trunc() } else { f64::NAN }
}

fn moment(time: f64) -> Option<Timestamp> {
    if !time.is_finite() || time.abs() > 8.64e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range of dates")]
    Timestamp::from_millisecond(time as i64).ok()
}

/// The moment that a text names in ISO 8601, `NaN` for any other text: a date is one of UTC, a date with a time and no
/// offset one of the zone.
pub(super) fn parse(text: &str, zone: &TimeZone) -> f64 {
    milliseconds(text, zone).map_or(f64::NAN, |time| time as f64)
}

fn milliseconds(text: &str, zone: &TimeZone) -> Option<i64> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let [month, day] = [parts.next(), parts.next()].map(|part| part.map_or(Some(1), |part| digits(part, 2)));
    let (month, day) = (month?, day?);
    if parts.next().is_some() || !(1..=31).contains(&day) {
        return None;
    }
    // The 30th of February is the 2nd of March.
    let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    let midnight = first.checked_add(Span::new().days(day - 1)).ok()?.at(0, 0, 0, 0);
    let Some(time) = time else { return Some(midnight.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()) };
    let (time, zone) = split_offset(time, zone)?;
    let midnight_to = milliseconds_of_day(time)?;
    let local = midnight.checked_add(Span::new().milliseconds(midnight_to)).ok()?;
    Some(local.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

/// `10:30`, `10:30:15`, `10:30:15.250`.
fn milliseconds_of_day(time: &str) -> Option<i64> {
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = time.split(':');
    let hour: i64 = digits(parts.next()?, 2)?.into();
    let minute: i64 = digits(parts.next()?, 2)?.into();
    let second: i64 = parts.next().map_or(Some(0), |part| digits(part, 2))?.into();
    let whole = parts.next().is_none() && !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let clock = hour < 24 && minute < 60 && second < 60 || (hour, minute, second) == (24, 0, 0);
    if !whole || !clock {
        return None;
    }
    let millisecond: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 1_000 + millisecond)
}

/// A time without its offset, and the zone that the offset names.
fn split_offset<'t>(time: &'t str, zone: &TimeZone) -> Option<(&'t str, TimeZone)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, TimeZone::UTC));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, zone.clone())) };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let (hours, minutes) = (i32::from(digits(hours, 2)?), i32::from(digits(minutes, 2)?));
    let sign = if time[at..].starts_with('-') { -1 } else { 1 };
    let offset = Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()?;
    (hours < 24 && minutes < 60).then(|| (&time[..at], offset.to_time_zone()))
}

fn digits(text: &str, count: usize) -> Option<i16> {
    let whole = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| text.parse().ok()).flatten()
}
