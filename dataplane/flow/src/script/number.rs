//! JavaScript's numbers: how they print, and what spells one.

use super::text::{is_space, trimmed};

/// Prints a number as JavaScript does: the fewest digits that are read back as the same number.
pub(super) fn print(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let (digits, exponent) = scientific(number.abs());
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // Where the point stands among the digits.
    let point = exponent + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if (count..=21).contains(&point) {
        return format!("{sign}{digits}{}", zeros(point - count));
    }
    if (1..=21).contains(&point) {
        let (whole, rest) = digits.split_at(usize::try_from(point).unwrap_or(0));
        return format!("{sign}{whole}.{rest}");
    }
    if (-5..=0).contains(&point) {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{dot}{rest}e{exponent:+}")
}

/// The digits of a number without its point, and the power of ten of the first.
fn scientific(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// `toFixed`, for 0 to 100 places: halves go away from zero, by the number's exact value.
pub(super) fn fixed(number: f64, places: usize) -> String {
    if !number.is_finite() || number.abs() >= 1e21 {
        return print(number);
    }
    // No number below 10^21 has more than 1074 places.
    let exact = format!("{:.1075}", number.abs());
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    let (kept, dropped) = fraction.split_at(places.min(fraction.len()));
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if dropped.as_bytes().first().is_some_and(|digit| *digit >= b'5') {
        count_up(&mut digits);
    }
    let mut out: String = digits.into_iter().map(char::from).collect();
    if places > 0 {
        out.insert(out.len() - places, '.');
    }
    if number < 0.0 { format!("-{out}") } else { out }
}

/// The next larger number of decimal digits.
fn count_up(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

/// Prints a whole number in base 2 to 36; `None` if it is not whole, or too large to be exact.
pub(super) fn in_radix(number: f64, radix: u32) -> Option<String> {
    if number.fract() != 0.0 || number.abs() > 9_007_199_254_740_991.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and below 2^53")]
    let mut left = number.abs() as u64;
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(left % u64::from(radix)).unwrap_or(0);
        digits.push(char::from_digit(digit, radix)?);
        left /= u64::from(radix);
        if left == 0 {
            break;
        }
    }
    if number < 0.0 {
        digits.push('-');
    }
    Some(digits.into_iter().rev().collect())
}

/// `Number(text)`: the whole text spells the number, or it is `NaN`.
pub(super) fn parse(text: &str) -> f64 {
    let text = trimmed(text);
    if text.is_empty() {
        return 0.0;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            return digits(&text[2..], radix)
                .filter(|(_, rest)| rest.is_empty())
                .map_or(f64::NAN, |(number, _)| number);
        }
    }
    match decimal(text) {
        Some((number, "")) => number,
        _ => f64::NAN,
    }
}

/// `parseFloat`: the number that a text begins with.
pub(super) fn parse_float(text: &str) -> f64 {
    decimal(text.trim_start_matches(is_space)).map_or(f64::NAN, |(number, _)| number)
}

/// `parseInt`: the whole number that a text begins with; `radix` 0 tells it from the text.
pub(super) fn parse_int(text: &str, radix: i32) -> f64 {
    let text = text.trim_start_matches(is_space);
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (text, radix) = match (radix, hexadecimal) {
        (0 | 16, Some(text)) => (text, 16),
        (0, None) => (text, 10),
        (2..=36, _) => (text, u32::try_from(radix).unwrap_or(10)),
        _ => return f64::NAN,
    };
    let number = digits(text, radix).map_or(f64::NAN, |(number, _)| number);
    if negative { -number } else { number }
}

/// The number of the digits that a text begins with, and the rest.
fn digits(text: &str, radix: u32) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return None;
    }
    if radix == 10 {
        return digits.parse().ok().map(|number| (number, rest));
    }
    let add = |number: f64, digit: char| number * f64::from(radix) + f64::from(digit.to_digit(radix).unwrap_or(0));
    Some((digits.chars().fold(0.0, add), rest))
}

/// The decimal number that a text begins with, and the rest.
fn decimal(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(rest) = unsigned.strip_prefix("Infinity") {
        return Some((if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }, rest));
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = text.len() - unsigned.len();
    let whole = digits(&text[end..]);
    end += whole;
    if text[end..].starts_with('.') {
        let fraction = digits(&text[end + 1..]);
        if whole + fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let count = digits(&exponent[sign..]);
        if count > 0 {
            end += 1 + sign + count;
        }
    }
    text[..end].parse().ok().map(|number| (number, &text[end..]))
}

/// The place in a list that the name of a property spells.
pub(super) fn place(name: &str) -> Option<usize> {
    let spelled = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    spelled.then(|| name.parse().ok()).flatten()
}

/// A number as a place or a count: without its fraction, `NaN` as 0.
pub(super) fn whole(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.trunc() }
}

/// A place among `length` ones, those below 0 counted from the end, as `slice` has it.
pub(super) fn from_end(place: f64, length: usize) -> usize {
    let place = whole(place);
    clamped(if place < 0.0 { place + length as f64 } else { place }, length)
}

/// A place among `length` ones, those out of it at its ends.
pub(super) fn clamped(place: f64, length: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a length")]
    let place = whole(place).clamp(0.0, length as f64) as usize;
    place
}

/// `Math.round`: halves go up.
pub(super) fn round(number: f64) -> f64 {
    let below = number.floor();
    if number - below >= 0.5 { (below + 1.0).copysign(number) } else { below }
}

/// `a ** b`, which unlike the hardware's power is `NaN` for `1 ** NaN` and `1 ** Infinity`.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    if exponent.is_nan() || base.abs() == 1.0 && exponent.is_infinite() { f64::NAN } else { base.powf(exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_javascript() {
        for (number, printed) in [
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(print(number), printed);
        }
    }

    #[test]
    fn places_are_cut_by_the_exact_value() {
        for (number, places, printed) in [
            (1.005, 2, "1.00"),
            (2.5, 0, "3"),
            (-2.5, 0, "-3"),
            (0.5, 0, "1"),
            (9.995, 2, "9.99"),
            (99.99, 1, "100.0"),
            (1e21, 2, "1e+21"),
            (0.000_001, 7, "0.0000010"),
            (-0.0, 1, "0.0"),
            (1.45, 1, "1.4"),
        ] {
            assert_eq!(fixed(number, places), printed);
        }
    }

    #[test]
    fn what_spells_a_number_is_read_as_one() {
        for (text, number) in
            [("", 0.0_f64), (" 12\n", 12.0), ("0x1f", 31.0), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0)]
        {
            assert_eq!(parse(text).to_bits(), number.to_bits(), "{text:?}");
        }
        for text in ["12kg", "1_000", "inf", "nan", "infinity", "e5", ".", "-", "0x", "1,5", "0x-1", "++1"] {
            assert!(parse(text).is_nan(), "{text:?}");
        }
        assert_eq!(parse_float("12.5kg").to_bits(), 12.5_f64.to_bits());
        assert_eq!(parse_int(" -0x1fz", 0).to_bits(), (-31.0_f64).to_bits());
        assert!(parse_int("z", 35).is_nan());
    }
}
