//! What a script expects, held against what there is. `...` within a text stands for anything.

use serde_json::Value;

/// Stands for any text.
const ANYTHING: &str = "...";

/// A line of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compared<'a> {
    /// As expected.
    Same(&'a str),
    /// Expected, at this place among what was expected, and not there.
    Missing(usize),
    /// There, and not expected.
    Extra(&'a str),
}

/// Whether a text is as expected. White space counts as one space.
pub(super) fn matches(expected: &str, got: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, got) = (plain(expected), plain(got));
    if expected == got {
        return true;
    }
    let Some((start, rest)) = expected.split_once(ANYTHING) else { return false };
    let Some(mut left) = got.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split(ANYTHING).collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(end)
}

/// Whether a value is as expected: of a map what is named, numbers by their value, texts with `...`.
pub(super) fn fits(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(key, value)| fits(value, got.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| fits(expected, got))
        }
        (Value::Number(expected), Value::Number(got)) => expected.as_f64() == got.as_f64(),
        (Value::String(expected), Value::String(got)) => matches(expected, got),
        _ => expected == got,
    }
}

/// Lines that were expected beside those that came: the longest that both have in common, and what is around it.
pub(super) fn compare<'a>(expected: &[&str], got: &'a [String]) -> Vec<Compared<'a>> {
    let same = |e: usize, g: usize| matches(expected[e], &got[g]);
    // How many lines are the same from here on.
    let mut common = vec![vec![0_usize; got.len() + 1]; expected.len() + 1];
    for e in (0..expected.len()).rev() {
        for g in (0..got.len()).rev() {
            common[e][g] = if same(e, g) { common[e + 1][g + 1] + 1 } else { common[e + 1][g].max(common[e][g + 1]) };
        }
    }
    let (mut e, mut g) = (0, 0);
    let mut compared = Vec::new();
    while e < expected.len() || g < got.len() {
        if e < expected.len() && g < got.len() && same(e, g) {
            compared.push(Compared::Same(&got[g]));
            (e, g) = (e + 1, g + 1);
        } else if e < expected.len() && (g == got.len() || common[e + 1][g] >= common[e][g + 1]) {
            compared.push(Compared::Missing(e));
            e += 1;
        } else {
            compared.push(Compared::Extra(&got[g]));
            g += 1;
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn three_dots_stand_for_anything() {
        for (expected, got, same) in [
            ("Hola Ana", "Hola Ana", true),
            ("Hola\n  Ana", "Hola Ana", true),
            ("Hola ...", "Hola Ana", true),
            ("...", "", true),
            ("... Ana", "Hola Ana", true),
            ("a...b...c", "a1b2c", true),
            ("a...b...c", "a1c2b", false),
            ("a...a", "a", false),
            ("Hola ...", "Adiós Ana", false),
            ("Hola", "Hola Ana", false),
            ("Busco...", "Busco...", true),
        ] {
            assert_eq!(matches(expected, got), same, "{expected:?} {got:?}");
        }
    }

    #[test]
    fn of_a_map_what_is_named_must_be_as_expected() {
        let got = json!({"total": 12.0, "items": [{"id": "a-1", "n": 1}], "name": null});
        for (expected, same) in [
            (json!({"total": 12}), true),
            (json!({"items": [{"id": "a-..."}]}), true),
            (json!({"items": []}), false),
            (json!({"name": null, "missing": null}), true),
            (json!({"total": "12"}), false),
        ] {
            assert_eq!(fits(&expected, &got), same, "{expected}");
        }
    }

    #[test]
    fn lines_are_told_apart_around_what_is_the_same() {
        let got = ["one", "two", "four"].map(str::to_owned);
        assert_eq!(
            compare(&["one", "three", "four"], &got),
            [Compared::Same("one"), Compared::Missing(1), Compared::Extra("two"), Compared::Same("four")]
        );
        assert_eq!(compare(&["one"], &[]), [Compared::Missing(0)]);
        assert_eq!(compare(&[], &got[..1]), [Compared::Extra("one")]);
    }
}
