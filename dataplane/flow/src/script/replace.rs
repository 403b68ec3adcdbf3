//! `replace` and `replaceAll`.

use regex::{Captures, Regex};

use super::{
    function::Method,
    method::{Arguments, threw},
    string::hits,
    text::Builder,
    value::{Js, Outcome},
};
use crate::expression::Fuel;

/// The text with what matches replaced.
pub(super) fn replaced(text: &str, method: Method, arguments: &mut Arguments<'_>, fuel: &Fuel) -> Outcome<String> {
    let all = method == Method::ReplaceAll;
    let with = arguments.next();
    let template = arguments.text(fuel)?;
    let mut out = Builder::new(fuel);
    let mut done = 0;
    if let Js::Pattern(pattern) = with {
        if all && !pattern.global {
            return Err(threw("replaceAll() takes a pattern with the flag g: write /pattern/g"));
        }
        for captures in hits(pattern, text, fuel).take(if pattern.global { usize::MAX } else { 1 }) {
            let captures = captures?;
            let Some(hit) = captures.get(0) else { continue };
            out.push(&text[done..hit.start()])?;
            let groups = Some((&pattern.regex, &captures));
            Hit { text, start: hit.start(), end: hit.end(), groups }.expand(&template, &mut out)?;
            done = hit.end();
        }
    } else {
        let part = with.text(fuel)?;
        for (start, hit) in text.match_indices(part.as_ref()).take(if all { usize::MAX } else { 1 }) {
            out.push(&text[done..start])?;
            Hit { text, start, end: start + hit.len(), groups: None }.expand(&template, &mut out)?;
            done = start + hit.len();
        }
    }
    out.push(&text[done..])?;
    Ok(out.finish())
}

/// What is replaced.
struct Hit<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    /// Of a pattern.
    groups: Option<(&'t Regex, &'t Captures<'t>)>,
}

impl Hit<'_> {
    /// Writes what replaces it: `$&`, `$1`, `$<name>` and their like stand for parts of the text.
    fn expand(&self, template: &str, out: &mut Builder<'_>) -> Outcome<()> {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push(before)?;
            let (part, taken) = self.part(after).unwrap_or(("$", 0));
            out.push(part)?;
            rest = &after[taken..];
        }
        out.push(rest)
    }

    /// What the signs behind a `$` stand for, and how many they are; `None` where the `$` is itself.
    fn part(&self, signs: &str) -> Option<(&str, usize)> {
        match signs.as_bytes().first()? {
            b'$' => Some(("$", 1)),
            b'&' => Some((&self.text[self.start..self.end], 1)),
            b'`' => Some((&self.text[..self.start], 1)),
            b'\'' => Some((&self.text[self.end..], 1)),
            b'<' => {
                let (regex, captures) = self.groups?;
                // Without any name in the pattern it is no reference.
                regex.capture_names().flatten().next()?;
                let end = signs.find('>')?;
                Some((captures.name(&signs[1..end]).map_or("", |group| group.as_str()), end + 1))
            }
            _ => {
                let (_, captures) = self.groups?;
                let digits = signs.bytes().take(2).take_while(u8::is_ascii_digit).count();
                // `$12` is the group 12 if there are as many, else the group 1 and a 2.
                (1..=digits).rev().find_map(|count| {
                    let number = signs[..count].parse().ok().filter(|number| (1..captures.len()).contains(number))?;
                    Some((captures.get(number).map_or("", |group| group.as_str()), count))
                })
            }
        }
    }
}
