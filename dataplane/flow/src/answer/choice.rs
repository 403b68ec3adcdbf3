//! Answers that are one of a list.

use super::token::plain;
use crate::{fold::fold, message::Said};

/// One of the answers that count. No two of a list are the same, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// As the flow has it, and as it is kept.
    pub value: String,
    pub folded: String,
}

/// The choice that a message names: as the flow has it, by its number, or folded, whichever finds one first.
pub(super) fn chosen<'a>(choices: &'a [Choice], said: &Said<'_>) -> Option<&'a Choice> {
    let text = said.text.trim();
    let tapped = said.tap.as_ref().map(|tap| tap.option);
    let exact = choices.iter().find(|choice| Some(choice.value.as_str()) == tapped || choice.value == text);
    let folded = || {
        let folded = fold(text);
        choices.iter().find(|choice| choice.folded == folded)
    };
    exact.or_else(|| choices.get(place(text)?)).or_else(folded)
}

/// The place in the list that a text says, counted from 1 by whoever wrote it.
fn place(text: &str) -> Option<usize> {
    let text = plain(text);
    let digits = text.trim_end_matches(['.', ')']);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<usize>().ok().filter(|_| is_number)?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use wigwag_domain::Content;

    use super::*;
    use crate::question::WireId;

    fn choices() -> Vec<Choice> {
        let choice = |value: &str| Choice { value: value.to_owned(), folded: fold(value) };
        ["2", "Pizza grande", "Niño", "10"].map(choice).into()
    }

    #[test]
    fn a_choice_is_found_as_it_is_then_by_number_then_folded() {
        let choices = choices();
        for (text, value) in [
            ("2", Some("2")),
            ("10", Some("10")),
            ("3", Some("Niño")),
            ("4.", Some("10")),
            ("1)", Some("2")),
            ("3️⃣", Some("Niño")),
            ("３", Some("Niño")),
            (" pizza GRANDE ", Some("Pizza grande")),
            ("nino", Some("Niño")),
            ("pizza", None),
            ("5", None),
            ("0", None),
            ("+1", None),
            ("", None),
            (")", None),
            ("99999999999999999999999", None),
        ] {
            let content = Content::Text { text: text.to_owned() };
            let said = Said { content: &content, referral: None, text: text.to_owned(), tap: None };
            assert_eq!(chosen(&choices, &said).map(|choice| choice.value.as_str()), value, "{text:?}");
        }
    }

    #[test]
    fn a_tap_counts_by_its_id_and_its_title() {
        let content = Content::Text { text: String::new() };
        let tapped = |id, title: &str| {
            let tap = Some(WireId::read(id));
            Said { content: &content, referral: None, text: title.to_owned(), tap }
        };
        let choices = choices();
        assert_eq!(chosen(&choices, &tapped("Niño", "Un niño")), Some(&choices[2]));
        assert_eq!(chosen(&choices, &tapped("x", "pizza grande")), Some(&choices[1]));
        assert_eq!(chosen(&choices, &tapped("x", "y")), None);
    }
}
