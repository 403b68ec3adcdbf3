//! Questions: the node `options`, as it goes out and as its answers are read.

use wigwag_domain::{Body, Choice as Row, WaitId, cut};

use crate::{fold::fold, message::Said, program::NodeIndex, template::Template};

/// The longest text of a message, in UTF-16 units.
pub(crate) const MESSAGE_TEXT: usize = 4_096;
/// The most options that go out as buttons; more are a list.
pub(crate) const MAX_BUTTONS: usize = 3;
/// The longest title of a button, in UTF-16 units.
pub(crate) const BUTTON_TITLE: usize = 20;
/// The longest title of a list's row, in UTF-16 units.
pub(crate) const ROW_TITLE: usize = 24;
/// The longest caption of the button that opens a list, in UTF-16 units.
pub(crate) const LIST_BUTTON: usize = 20;
/// The longest description of a list's row, in UTF-16 units.
pub(crate) const DESCRIPTION: usize = 72;
/// The longest id of an option, in UTF-16 units: with the wait behind it, it must fit a row's 200.
pub(crate) const OPTION_ID: usize = 187;

const BUTTONS_TEXT: usize = 1_024;
const LIST_TEXT: usize = 4_096;

/// A question with its options.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub text: Template,
    pub choices: Vec<Choice>,
    /// Caption of the button that opens the list.
    pub list_button: String,
    pub no_match: Option<NodeIndex>,
}

/// An option.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub id: String,
    /// As the flow has it.
    pub title: String,
    /// As the customer sees it: short enough, and unlike the others.
    pub shown: String,
    /// Both titles, folded.
    pub folded: [String; 2],
    pub description: Option<String>,
    pub next: Option<NodeIndex>,
}

/// What travels as the id of a button or row: `<option>~<wait>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireId<'a> {
    /// The option's id, or a whole id that is not ours.
    pub option: &'a str,
    /// The question that it was part of, in short.
    pub wait: Option<&'a str>,
}

impl<'a> WireId<'a> {
    /// Reads an id that came with a tap.
    pub fn read(id: &'a str) -> Self {
        let is_wait =
            |text: &str| text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match id.rsplit_once('~') {
            Some((option, wait)) if is_wait(wait) => Self { option, wait: Some(wait) },
            _ => Self { option: id, wait: None },
        }
    }
}

impl Question {
    /// The longest text that goes with so many options, in UTF-16 units.
    pub const fn text_limit(options: usize) -> usize {
        if options > MAX_BUTTONS { LIST_TEXT } else { BUTTONS_TEXT }
    }

    /// The question as it goes out. `text` is rendered and fits.
    pub fn body(&self, text: String, wait: WaitId) -> Body {
        let wait = wait.short();
        let rows = self.choices.iter().map(|choice| Row {
            id: format!("{}~{wait}", choice.id),
            title: choice.shown.clone(),
            description: choice.description.clone(),
        });
        if self.choices.len() > MAX_BUTTONS {
            return Body::List { text, button: self.list_button.clone(), rows: rows.collect() };
        }
        let buttons = rows.map(|row| Row { description: None, ..row }).collect();
        Body::Buttons { text, buttons }
    }

    /// The option that a message chooses: by id, exact title, number or folded title, whichever finds one first. Two
    /// found at once are none.
    pub fn chosen(&self, said: &Said<'_>) -> Option<usize> {
        let text = said.text.trim();
        let id = said.tap.as_ref().map_or(text, |tap| tap.option);
        if id.is_empty() && text.is_empty() {
            return None;
        }
        let number = text.trim_end_matches(['.', ')']);
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<usize>().ok()).flatten();
        let folded = fold(text);
        let hit = self.hit(|_, choice| choice.id == id);
        let hit = hit.or_else(|| self.hit(|_, choice| choice.title == text || choice.shown == text));
        let hit = hit.or_else(|| self.hit(|index, _| number == Some(index + 1)));
        hit.or_else(|| self.hit(|_, choice| choice.folded.contains(&folded)))?
    }

    /// The one option of which something holds; `Some(None)` where there are several.
    fn hit(&self, holds: impl Fn(usize, &Choice) -> bool) -> Option<Option<usize>> {
        let mut hits = (0..self.choices.len()).filter(|index| holds(*index, &self.choices[*index]));
        let first = hits.next()?;
        Some(hits.next().is_none().then_some(first))
    }
}

/// Titles as customers see them: at most `limit` UTF-16 units, and no two alike.
pub(crate) fn shown_titles(titles: &[&str], limit: usize) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for title in titles {
        let mut one = cut(title, limit).into_owned();
        let mut number = 2;
        while shown.contains(&one) {
            let suffix = format!(" {number}");
            one = format!("{}{suffix}", cut(title, limit - suffix.len()));
            number += 1;
        }
        shown.push(one);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wigwag_domain::{Content, Tap, TapKind};

    use super::*;

    fn question(options: &[(&str, &str)]) -> Question {
        let titles: Vec<_> = options.iter().map(|(_, title)| *title).collect();
        let shown = shown_titles(&titles, if options.len() > MAX_BUTTONS { ROW_TITLE } else { BUTTON_TITLE });
        let choices = options.iter().zip(shown).map(|((id, title), shown)| Choice {
            id: (*id).to_owned(),
            title: (*title).to_owned(),
            folded: [fold(title), fold(&shown)],
            shown,
            description: None,
            next: None,
        });
        let text = Template::parse("?").expect("plain text");
        Question { text, choices: choices.collect(), list_button: "Ver opciones".to_owned(), no_match: None }
    }

    fn said(question: &Question, text: &str) -> Option<usize> {
        let content = Content::Text { text: text.to_owned() };
        question.chosen(&Said { content: &content, text: text.to_owned(), tap: None })
    }

    #[test]
    fn an_answer_is_found_by_id_then_title_then_number_then_folded_title() {
        let question = question(&[("2", "Uno"), ("b", "DOS"), ("c", "Ésta es una opción muy larga"), ("d", "dos")]);
        for (text, chosen) in [
            ("2", Some(0)),
            ("b", Some(1)),
            (" DOS ", Some(1)),
            ("dos", Some(3)),
            ("3", Some(2)),
            ("4.", Some(3)),
            ("1)", Some(0)),
            ("UNO", Some(0)),
            ("esta es una opcion muy larga", Some(2)),
            ("Ésta es una opción muy…", Some(2)),
            ("Dos", None),
            ("5", None),
            ("0", None),
            ("", None),
            (")", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(said(&question, text), chosen, "{text:?}");
        }
    }

    #[test]
    fn a_tap_is_read_without_the_wait_that_travels_with_it() {
        let question = question(&[("buy", "Comprar"), ("a~b", "Salir")]);
        for (id, title, chosen) in [
            ("buy~0123456789ab", "Comprar", Some(0)),
            ("a~b~0123456789ab", "Salir", Some(1)),
            ("a~b", "Salir", Some(1)),
            ("payload of a template", "Salir", Some(1)),
            ("", "", None),
        ] {
            let tap = Tap { kind: TapKind::ButtonReply, id: id.to_owned(), title: title.to_owned(), description: None };
            let content = Content::Tap(tap);
            let said = Said { content: &content, text: title.to_owned(), tap: Some(WireId::read(id)) };
            assert_eq!(question.chosen(&said), chosen, "{id:?}");
        }
        assert_eq!(WireId::read("a~0123456789AB").wait, None, "we write small letters");
    }

    #[test]
    fn titles_that_are_alike_once_cut_are_told_apart() {
        let long = "Quiero comprar un libro";
        assert_eq!(
            shown_titles(&[long, "Quiero comprar un libro usado", "Salir", long], 20),
            ["Quiero comprar un l…", "Quiero comprar un… 2", "Salir", "Quiero comprar un… 3"]
        );
    }

    #[test]
    fn more_than_three_options_are_a_list() {
        let wait = WaitId(uuid::Uuid::from_u128(7));
        let three = question(&[("a", "A"), ("b", "B"), ("c", "C")]).body("?".to_owned(), wait);
        assert!(matches!(&three, Body::Buttons { buttons, .. } if buttons[2].id == "c~000000000007"), "{three:?}");
        let four = question(&[("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]).body("?".to_owned(), wait);
        assert!(matches!(&four, Body::List { rows, .. } if rows.len() == 4), "{four:?}");
    }

    proptest! {
        #[test]
        fn shown_titles_fit_and_differ(titles in prop::collection::vec("[ab ]{1,30}|.{1,30}", 1..10)) {
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let shown = shown_titles(&titles, BUTTON_TITLE);
            for (index, one) in shown.iter().enumerate() {
                prop_assert!(one.encode_utf16().count() <= BUTTON_TITLE);
                prop_assert!(!shown[..index].contains(one));
            }
        }
    }
}
