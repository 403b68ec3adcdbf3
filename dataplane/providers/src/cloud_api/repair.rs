//! Makes a webhook's text readable where it holds what JSON allows and PostgreSQL does not: `\u0000` and lone
//! surrogates become U+FFFD. Bytes that no JSON text holds at all, control characters within strings and invalid
//! UTF-8, become `?`.
//!
//! Each repair has the length of what it replaces. So a piece of the repaired text lies where it lay in the original,
//! and a dead letter keeps the bytes as they came.

/// U+FFFD as it is written in JSON: as long as the escapes that it replaces.
const REPLACEMENT: &[u8; 6] = b"\\ufffd";

/// The text, of the same length in bytes.
pub(super) fn repair(original: &[u8]) -> String {
    let mut bytes = original.to_vec();
    repair_strings(&mut bytes);
    String::from_utf8(bytes).unwrap_or_else(|invalid| {
        let mut text = String::with_capacity(original.len());
        for chunk in invalid.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
        text
    })
}

fn repair_strings(bytes: &mut [u8]) {
    let mut at = 0;
    let mut in_string = false;
    while let Some(byte) = bytes.get(at).copied() {
        at += match byte {
            b'"' => {
                in_string = !in_string;
                1
            }
            b'\\' if in_string => repair_escape(&mut bytes[at..]),
            0..0x20 if in_string => {
                bytes[at] = b'?';
                1
            }
            _ => 1,
        };
    }
}

/// Repairs the escape at the beginning of `rest`, and says how many bytes it has.
fn repair_escape(rest: &mut [u8]) -> usize {
    let is_low = |unit: u16| (0xDC00..0xE000).contains(&unit);
    match code_unit(rest) {
        None => 2,
        Some(0xD800..0xDC00) if code_unit(&rest[6..]).is_some_and(is_low) => 12,
        Some(0 | 0xD800..0xE000) => {
            rest[..6].copy_from_slice(REPLACEMENT);
            6
        }
        Some(_) => 6,
    }
}

/// The UTF-16 unit that `\uXXXX` at the beginning of `rest` stands for.
fn code_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    let mut unit = [0; 2];
    hex::decode_to_slice(digits, &mut unit).ok()?;
    Some(u16::from_be_bytes(unit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> String {
        serde_json::from_str(&repair(json.as_bytes())).unwrap()
    }

    #[test]
    fn what_no_column_holds_is_replaced_and_nothing_else() {
        assert_eq!(read(r#""a\u0000b""#), "a\u{fffd}b");
        assert_eq!(read(r#""\ud83d\ude00""#), "😀", "a pair is a character");
        assert_eq!(read(r#""\ud83d \uDE00""#), "\u{fffd} \u{fffd}", "two halves are none");
        assert_eq!(read(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
        assert_eq!(read(r#""\\u0000\\\u0000""#), "\\u0000\\\u{fffd}", "an escaped backslash begins no escape");
        assert_eq!(read("\"a\nb\0\""), "a?b?");
    }

    #[test]
    fn bytes_that_are_no_text_become_question_marks_one_for_each() {
        assert_eq!(repair(b"\"\xff\xc3\xa9\xe2\x82\""), "\"?é??\"");
    }

    proptest! {
        #[test]
        fn a_repair_moves_nothing(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(repair(&bytes).len(), bytes.len());
        }

        #[test]
        fn good_text_stays_as_it_is(text in "[^\u{0}]{0,40}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(repair(json.as_bytes()), json);
        }

        #[test]
        fn strings_of_escapes_and_quotes_are_readable_and_free_of_nul(
            parts in prop::collection::vec(
                prop::sample::select(vec!["\\u0000", "\\ud800", "\\udfff", "\\\\", "\\\"", "u0000", "x", "\u{1}"]), 0..12)
        ) {
            let json = format!("\"{}\"", parts.concat());
            let read: Result<String, _> = serde_json::from_str(&repair(json.as_bytes()));
            prop_assert!(!read.unwrap().contains('\0'));
        }
    }
}
