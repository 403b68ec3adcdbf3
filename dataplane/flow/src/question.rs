//! Questions: the node `options`, as it goes out and as its answers are read.

use wigwag_domain::{Body, Choice as Row, Header, WaitId, cut};

use crate::{
    fold::fold,
    message::Said,
    program::{Delivery, File, NodeIndex, Patience},
    template::{Words, pick},
};

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
/// The longest header and footer, in UTF-16 units.
pub(crate) const HEADER: usize = 60;
pub(crate) const FOOTER: usize = 60;
/// The longest caption of a file, in UTF-16 units.
pub(crate) const CAPTION: usize = 1_024;
/// The longest id of an option, in UTF-16 units: with the wait behind it, it must fit a row's 200.
pub(crate) const OPTION_ID: usize = 187;

const BUTTONS_TEXT: usize = 1_024;
const LIST_TEXT: usize = 4_096;

/// A question with its options.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub header: Option<QuestionHeader>,
    pub text: Words,
    pub footer: Option<Words>,
    pub choices: Vec<Choice>,
    /// How the options look, by language; at least one.
    pub faces: Vec<Faces>,
    pub retries: u8,
    pub retry_text: Option<Words>,
    pub no_match: NoMatch,
    pub stale: Option<NodeIndex>,
    pub patience: Patience,
    pub delivery: Delivery,
}

/// What follows an answer that is none of the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMatch {
    /// The question again.
    AskAgain,
    /// A node; none ends the flow.
    Go(Option<NodeIndex>),
}

/// What stands above a question.
#[derive(Clone, Debug)]
pub(crate) enum QuestionHeader {
    Text(Words),
    Media(File),
}

/// An option.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub id: String,
    /// Another id by which programs know it; the editor's form.
    pub alias: Option<String>,
    pub next: Option<NodeIndex>,
}

/// How the options look in a language.
#[derive(Clone, Debug)]
pub(crate) struct Faces {
    pub language: String,
    /// One for each option.
    pub faces: Vec<Face>,
    /// Caption of the button that opens the list.
    pub list_button: String,
}

/// How an option looks.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    /// As the flow has it.
    pub title: String,
    /// As the customer sees it: short enough, and unlike the others.
    pub shown: String,
    /// Both titles, folded.
    pub folded: [String; 2],
    pub description: Option<String>,
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

    /// What travels as the id of an option.
    pub fn wire_id(option: &str, wait: WaitId) -> String {
        format!("{option}~{}", wait.short())
    }

    /// How the options look to a customer of these languages, best first.
    pub fn faces(&self, languages: &[&str]) -> &[Face] {
        self.in_language(languages).map_or(&[], |faces| &faces.faces)
    }

    fn in_language(&self, languages: &[&str]) -> Option<&Faces> {
        pick(languages, self.faces.iter().map(|faces| (faces.language.as_str(), faces)))
    }

    /// The question as it goes out. Its texts are rendered and fit.
    pub fn body(
        &self,
        header: Option<Header>,
        text: String,
        footer: Option<String>,
        languages: &[&str],
        wait: WaitId,
    ) -> Body {
        let faces = self.in_language(languages);
        let looks = faces.map_or(&[][..], |faces| &faces.faces);
        let rows = self.choices.iter().zip(looks).map(|(choice, face)| Row {
            id: Self::wire_id(&choice.id, wait),
            title: face.shown.clone(),
            description: face.description.clone(),
        });
        if self.choices.len() > MAX_BUTTONS {
            let header = match header {
                Some(Header::Text(text)) => Some(text),
                Some(Header::Media(_)) | None => None,
            };
            let button = faces.map(|faces| faces.list_button.clone()).unwrap_or_default();
            return Body::List { header, text, footer, button, rows: rows.collect() };
        }
        let buttons = rows.map(|row| Row { description: None, ..row }).collect();
        Body::Buttons { header, text, footer, buttons }
    }

    /// The option that a message chooses: by id, exact title, number or folded title, whichever finds one first. Two
    /// found at once are none.
    pub fn chosen(&self, said: &Said<'_>, languages: &[&str]) -> Option<usize> {
        let text = said.text.trim();
        let id = said.tap.as_ref().map_or(text, |tap| tap.option);
        if id.is_empty() && text.is_empty() {
            return None;
        }
        let faces = self.faces(languages);
        let number = text.trim_end_matches(['.', ')']);
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<usize>().ok()).flatten();
        let folded = fold(text);
        let hit = hit(&self.choices, |_, choice| choice.id == id || choice.alias.as_deref() == Some(id));
        let hit = hit.or_else(|| self::hit(faces, |_, face| face.title == text || face.shown == text));
        let hit = hit.or_else(|| self::hit(faces, |index, _| number == Some(index + 1)));
        hit.or_else(|| self::hit(faces, |_, face| face.folded.contains(&folded)))?
    }
}

/// The one thing of which something holds; `Some(None)` where there are several.
fn hit<T>(things: &[T], holds: impl Fn(usize, &T) -> bool) -> Option<Option<usize>> {
    let mut hits = things.iter().enumerate().filter(|(index, thing)| holds(*index, thing)).map(|(index, _)| index);
    let first = hits.next()?;
    Some(hits.next().is_none().then_some(first))
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
        let choices = options.iter().map(|(id, _)| Choice { id: (*id).to_owned(), alias: None, next: None });
        let faces = titles.iter().zip(shown).map(|(title, shown)| Face {
            title: (*title).to_owned(),
            folded: [fold(title), fold(&shown)],
            shown,
            description: None,
        });
        let (language, list_button) = (String::new(), "Ver opciones".to_owned());
        Question {
            header: None,
            text: Words::plain("?"),
            footer: None,
            choices: choices.collect(),
            faces: vec![Faces { language, faces: faces.collect(), list_button }],
            retries: 0,
            retry_text: None,
            no_match: NoMatch::AskAgain,
            stale: None,
            patience: Patience::default(),
            delivery: Delivery::default(),
        }
    }

    fn said(question: &Question, text: &str) -> Option<usize> {
        let content = Content::Text { text: text.to_owned() };
        question.chosen(&Said { content: &content, referral: None, text: text.to_owned(), tap: None }, &[])
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
            let said = Said { content: &content, referral: None, text: title.to_owned(), tap: Some(WireId::read(id)) };
            assert_eq!(question.chosen(&said, &[]), chosen, "{id:?}");
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
        let three = question(&[("a", "A"), ("b", "B"), ("c", "C")]).body(None, "?".to_owned(), None, &[], wait);
        assert!(matches!(&three, Body::Buttons { buttons, .. } if buttons[2].id == "c~000000000007"), "{three:?}");
        let four =
            question(&[("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]).body(None, "?".to_owned(), None, &[], wait);
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
