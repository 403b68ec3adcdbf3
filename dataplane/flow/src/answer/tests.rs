//! Answers of every type, and texts that nobody would write.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use regex::Regex;
use wigwag_domain::MediaKind;

use super::{choice::Choice, wanted::Day, *};

/// 22:30 on Thursday in Buenos Aires; in UTC it is Friday.
fn now() -> Zoned {
    "2026-11-19T22:30:00-03:00[America/Argentina/Buenos_Aires]".parse().expect("a time with its zone")
}

fn answer(wanted: &Wanted, content: &Content) -> Result<Value, Miss> {
    let said = Said { content, referral: None, text: content.text().to_owned(), tap: None };
    read(wanted, &said, &Reading { language: Language::Es, now: &now(), country: Some("54") })
}

fn written(wanted: &Wanted, text: &str) -> Result<Value, Miss> {
    answer(wanted, &Content::Text { text: text.to_owned() })
}

#[test]
fn a_text_has_a_length_and_a_pattern() {
    let plate = Regex::new("^(?:[A-Z]{2}[0-9]{3}|[0-9]+)$").expect("a pattern");
    let wanted = Wanted::Text { pattern: Some(plate), min: Some(3), max: Some(6) };
    assert_eq!(written(&wanted, " AB123 "), Ok("AB123".into()));
    assert_eq!(written(&wanted, "AB12"), Err(Miss::Pattern));
    assert_eq!(written(&wanted, "xAB123"), Err(Miss::Pattern));
    assert_eq!(written(&wanted, "12"), Err(Miss::Range));
    assert_eq!(written(&wanted, "1234567"), Err(Miss::Range));
    assert_eq!(written(&wanted, "  "), Err(Miss::Kind));
    let short = Wanted::Text { pattern: None, min: None, max: Some(4) };
    assert_eq!(written(&short, "ñandú"), Err(Miss::Range));
    assert_eq!(written(&short, "ñand"), Ok("ñand".into()), "characters, not bytes");
}

#[test]
fn a_number_keeps_to_its_range() {
    let wanted = Wanted::Number { min: Some(1.0), max: Some(2_000.5) };
    assert_eq!(written(&wanted, "$ 1.500"), Ok(json!(1500)));
    assert_eq!(written(&wanted, "uno"), Ok(json!(1)));
    assert_eq!(written(&wanted, "2.000,5"), Ok(json!(2000.5)));
    assert_eq!(written(&wanted, "0,9"), Err(Miss::Range));
    assert_eq!(written(&wanted, "2001"), Err(Miss::Range));
    assert_eq!(written(&wanted, "muchos"), Err(Miss::Kind));
}

#[test]
fn a_day_is_seen_from_where_the_customer_is() {
    let wanted = Wanted::Date { min: Some(Day::Today), max: Some(Day::On(jiff::civil::date(2026, 12, 31))) };
    assert_eq!(written(&wanted, "hoy"), Ok("2026-11-19".into()), "though it is tomorrow in UTC");
    assert_eq!(written(&wanted, "para el martes por favor"), Ok("2026-11-24".into()));
    assert_eq!(written(&wanted, "31/12"), Ok("2026-12-31".into()));
    assert_eq!(written(&wanted, "ayer"), Err(Miss::Range));
    assert_eq!(written(&wanted, "1/1"), Err(Miss::Range));
    assert_eq!(written(&wanted, "31/02"), Err(Miss::Kind));
}

#[test]
fn a_time_keeps_to_its_range() {
    let bound = |hour| Some(jiff::civil::time(hour, 0, 0, 0));
    let wanted = Wanted::Time { min: bound(9), max: bound(18) };
    assert_eq!(written(&wanted, "a las 3 y media de la tarde"), Ok("15:30".into()));
    assert_eq!(written(&wanted, "9hs"), Ok("09:00".into()));
    assert_eq!(written(&wanted, "18:00"), Ok("18:00".into()));
    assert_eq!(written(&wanted, "18:01"), Err(Miss::Range));
    assert_eq!(written(&wanted, "tarde"), Err(Miss::Kind));
}

#[test]
fn addresses_numbers_and_choices_are_read() {
    assert_eq!(written(&Wanted::Email, "es ana@Example.com."), Ok("ana@example.com".into()));
    assert_eq!(written(&Wanted::Email, "no tengo"), Err(Miss::Kind));
    assert_eq!(written(&Wanted::Phone, "11 5555-4444"), Ok("+541155554444".into()));
    assert_eq!(written(&Wanted::Phone, "1234"), Err(Miss::Kind));
    let choice = |value: &str| Choice { value: value.to_owned(), folded: crate::fold::fold(value) };
    let wanted = Wanted::Choice(vec![choice("Sí"), choice("No")]);
    assert_eq!(written(&wanted, "si"), Ok("Sí".into()));
    assert_eq!(written(&wanted, "2"), Ok("No".into()));
    assert_eq!(written(&wanted, "quizás"), Err(Miss::Kind));
}

#[test]
fn a_place_is_one_that_was_shared() {
    let place = |name: Option<&str>| Content::Location {
        latitude: -34.6,
        longitude: -58.4,
        name: name.map(str::to_owned),
        address: None,
    };
    assert_eq!(answer(&Wanted::Location, &place(None)), Ok(json!({"latitude": -34.6, "longitude": -58.4})));
    let named = json!({"latitude": -34.6, "longitude": -58.4, "name": "Obelisco"});
    assert_eq!(answer(&Wanted::Location, &place(Some("Obelisco"))), Ok(named));
    assert_eq!(written(&Wanted::Location, "en el Obelisco"), Err(Miss::Kind));
}

#[test]
fn a_file_is_kept_with_what_is_known_of_it() {
    let voice = Content::Media(Media {
        kind: MediaKind::Voice,
        id: "77".to_owned(),
        mime_type: Some("audio/ogg".to_owned()),
        caption: None,
        filename: None,
    });
    let kept = json!({"kind": "voice", "id": "77", "mime_type": "audio/ogg"});
    assert_eq!(answer(&Wanted::Media, &voice), Ok(kept));
    assert_eq!(written(&Wanted::Media, "foto"), Err(Miss::Kind));
}

const LANGUAGES: [Language; 6] =
    [Language::Es, Language::EsPoint, Language::Pt, Language::En, Language::EnUs, Language::Other];

/// Reads a text in every way there is.
fn read_all(text: &str) {
    let content = Content::Text { text: text.to_owned() };
    let said = Said { content: &content, referral: None, text: text.to_owned(), tap: None };
    let choice = Choice { value: "a".to_owned(), folded: "a".to_owned() };
    let wanted = [
        Wanted::Text { pattern: None, min: None, max: None },
        Wanted::Number { min: None, max: None },
        Wanted::Email,
        Wanted::Phone,
        Wanted::Date { min: None, max: None },
        Wanted::Time { min: None, max: None },
        Wanted::Choice(vec![choice]),
        Wanted::Location,
        Wanted::Media,
    ];
    let now = now();
    for language in LANGUAGES {
        for wanted in &wanted {
            let _ = read(wanted, &said, &Reading { language, now: &now, country: None });
        }
        let _ = phone(text, Some("54"));
        let _ = country(text);
    }
    let _ = Language::guess(text, &["es", "pt-BR", "en"]);
    let _ = Language::of(text);
}

#[test]
fn a_huge_answer_is_read_at_once() {
    let long = |text: &str| text.repeat(4_096 / text.chars().count() + 1).chars().take(4_096).collect::<String>();
    for text in [
        "9",
        "9 ",
        "-",
        "- ",
        "1.",
        "treinta y ",
        "lunes ",
        "el 24 ",
        "las 3 ",
        "a@",
        "a@b.co ",
        "+54 ",
        "(0)",
        "y o ",
        "ñ",
        "٣",
        "e\u{301}",
        "\u{fdfa}",
        "👩‍👩‍👧‍👧",
        "semana que viene ",
        "\u{200b}",
    ] {
        let text = long(text);
        let since = Instant::now();
        read_all(&text);
        assert!(since.elapsed() < Duration::from_secs(5), "{:?} for 60 readings of {:.9}…", since.elapsed(), text);
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in ".{0,200}") {
        read_all(&text);
    }

    #[test]
    fn no_mix_of_words_and_figures_makes_a_reader_panic(
        pieces in prop::collection::vec(prop_oneof![
            "[0-9]{1,4}", "[0-9]{1,2}[-/.:,'h][0-9]{1,4}([-/.:,][0-9]{1,4})?", "[-+$@%ª ]",
            prop::sample::select(vec![
                "el", "a las", "de", "mil", "millones", "y", "media", "menos", "cuarto", "martes", "mañana", "pasado",
                "feira", "en", "hace", "dias", "anos", "diciembre", "pm", "de la tarde", "hs", "half", "past", "to",
                "hundred", "treinta", "cien", "noon", "in the morning", "next week", "para las", "o", "first", "th",
            ]).prop_map(str::to_owned),
        ], 0..12),
        glue in "[ ]?",
    ) {
        read_all(&pieces.join(&glue));
    }

    #[test]
    fn what_is_read_is_what_was_written(days in 0_i32..40_000, minutes in 0_i32..1_440, whole in any::<i64>()) {
        let date = jiff::civil::date(1990, 1, 1).saturating_add(jiff::Span::new().days(days));
        let time = jiff::civil::Time::midnight() + jiff::Span::new().minutes(minutes);
        let today = now().date();
        for language in LANGUAGES {
            prop_assert_eq!(super::date(&date.to_string(), language, today), Some(date));
            let shown = date.strftime(if language == Language::EnUs { "%m/%d/%Y" } else { "%d/%m/%Y" }).to_string();
            prop_assert_eq!(super::date(&shown, language, today), Some(date));
            prop_assert_eq!(super::time(&time.strftime("%H:%M").to_string(), language), Some(time));
            prop_assert_eq!(super::time(&time.strftime("%I:%M %p").to_string(), language), Some(time));
            prop_assert_eq!(super::number(&whole.to_string(), language), Some(whole.into()));
        }
    }
}
