//! Phone numbers, to E.164: `+`, country and number, 7 to 15 digits.

use super::token::plain;

/// The one phone number in a text, with `+` and country.
///
/// `+…` and `00…` say their country. Any other number gets `country` put in front (its calling code, such as `54`) and
/// loses a leading 0, unless it begins with that code already and is longer than the country's own numbers are.
/// Without a `country` only a number of 11 digits or more is taken for a whole one. What a country does with its
/// numbers beyond that (the 9 and 15 of Argentina) is left as it was written.
pub(crate) fn phone(text: &str, country: Option<&str>) -> Option<String> {
    let text = plain(text);
    let mut numbers = runs(&text).filter_map(|run| e164(run, country));
    let first = numbers.next()?;
    numbers.all(|other| other == first).then_some(first)
}

/// The calling code of a number with `+` and country, as the ITU gave them out (E.164): one digit for North America
/// and Russia, two for those listed, three for all others.
pub(crate) fn country(phone: &str) -> Option<&str> {
    /// The codes of two digits.
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let digits = phone.strip_prefix('+').filter(|digits| digits.len() >= 7)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return None;
    }
    let length = match &digits[..2] {
        code if code.starts_with(['1', '7']) => 1,
        code if TWO.contains(&code) => 2,
        _ => 3,
    };
    Some(&digits[..length])
}

/// What could be numbers: digits and the marks within them, that no letter touches.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.');
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let from = rest.find(is_part)?;
            let is_code =
                rest[..from].ends_with(char::is_alphanumeric) && !rest[from..].starts_with(char::is_whitespace);
            rest = &rest[from..];
            let to = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let run = &rest[..to];
            rest = &rest[to..];
            let is_code =
                is_code || run.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with(char::is_alphanumeric);
            if !is_code {
                return Some(run);
            }
        }
    })
}

fn e164(run: &str, country: Option<&str>) -> Option<String> {
    // The 0 of `+44 (0)20` is for calls within the country.
    let run = run.trim().replace("(0)", "");
    let run = run.trim_start_matches('(');
    let mut digits: String = run.chars().filter(char::is_ascii_digit).collect();
    let plus = run.starts_with('+');
    if run.chars().filter(|c| *c == '+').count() > usize::from(plus) {
        return None;
    }
    if !plus && digits.starts_with("00") {
        digits.drain(..2);
    } else if !plus {
        // Fewer are too short to be a number, such as a day or a house.
        if digits.len() < 6 {
            return None;
        }
        digits = match country {
            Some(country) if digits.starts_with(country) && digits.len() >= whole_length(country) => digits,
            Some(country) => format!("{country}{}", digits.strip_prefix('0').unwrap_or(&digits)),
            None => Some(digits).filter(|digits| digits.len() >= whole_length(""))?,
        };
    }
    ((7..=15).contains(&digits.len()) && !digits.starts_with('0')).then(|| format!("+{digits}"))
}

/// From how many digits on a number that begins with the country's code has it as such. Brazil's own have up to 11,
/// and some begin with 55.
fn whole_length(country: &str) -> usize {
    if country == "55" { 12 } else { 11 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_country_is_taken_as_it_is() {
        for (text, expected) in [
            ("+54 9 11 5555-4444", "+5491155554444"),
            ("mi número es +54 9 (11) 5555.4444.", "+5491155554444"),
            ("0054 9 11 5555 4444", "+5491155554444"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("(+1) 415-555-0100", "+14155550100"),
            ("\u{202a}+54 9 11 5555‑4444\u{202c}", "+5491155554444"),
            ("+٥٤ 9 11 5555 4444", "+5491155554444"),
            ("5491155554444", "+5491155554444"),
            ("+2905555", "+2905555"),
            ("llamar al +5491155554444 interno 12", "+5491155554444"),
            ("+5491155554444 o 5491155554444", "+5491155554444"),
        ] {
            assert_eq!(phone(text, None).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_national_number_gets_its_country() {
        for (text, country, expected) in [
            ("11 5555-4444", "54", "+541155554444"),
            ("011 5555-4444", "54", "+541155554444"),
            ("5491155554444", "54", "+5491155554444"),
            ("(55) 99999-1234", "55", "+5555999991234"),
            ("55 55 99999-1234", "55", "+5555999991234"),
            ("612 345 678", "34", "+34612345678"),
            ("34 612 345 678", "34", "+34612345678"),
            ("415-555-0100", "1", "+14155550100"),
            ("1 415 555 0100", "1", "+14155550100"),
            ("+34 612 345 678", "54", "+34612345678"),
        ] {
            assert_eq!(phone(text, Some(country)).as_deref(), Some(expected), "{text:?} in {country}");
        }
    }

    #[test]
    fn what_is_no_number_or_two_is_none() {
        for text in [
            "",
            "hola",
            "1234",
            "+123456",
            "+1234567890123456",
            "+0123456789",
            "A1155554444",
            "1155554444b",
            "+54 11 5555 4444 +54 11 5555 4445",
            "1155554444 o 1155554445",
            "++541155554444",
            "24/12/2026",
        ] {
            assert_eq!(phone(text, Some("54")), None, "{text:?}");
        }
        assert_eq!(phone("11 5555-4444", None), None, "nobody knows of which country");
    }

    #[test]
    fn a_calling_code_has_one_to_three_digits() {
        for (phone, code) in [
            ("+14155550100", Some("1")),
            ("+5491155554444", Some("54")),
            ("+5511999991234", Some("55")),
            ("+351912345678", Some("351")),
            ("+59899123456", Some("598")),
            ("+989121234567", Some("98")),
            ("+0123456789", None),
            ("5491155554444", None),
            ("+54", None),
            ("+ñññññññ", None),
        ] {
            assert_eq!(country(phone), code, "{phone:?}");
        }
    }
}
