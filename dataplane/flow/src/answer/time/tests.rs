//! Tables of what customers write, by language.

use super::*;

fn check(language: Language, table: &[(&str, &str)]) {
    for (text, expected) in table {
        let read = time(text, language).map_or_else(|| "-".to_owned(), |time| time.strftime("%H:%M").to_string());
        assert_eq!(read, *expected, "{text:?} as {language:?}");
    }
}

#[test]
fn figures_are_read_in_every_language() {
    for language in [Language::Es, Language::Pt, Language::En, Language::EnUs, Language::Other] {
        check(
            language,
            &[
                ("15:30", "15:30"),
                ("15.30", "15:30"),
                ("15:30:45", "15:30"),
                ("15h", "15:00"),
                ("15h30", "15:30"),
                ("15 h 30 min", "15:30"),
                ("3pm", "15:00"),
                ("3 p. m.", "15:00"),
                ("3:30 pm", "15:30"),
                ("3.30pm", "15:30"),
                ("12am", "00:00"),
                ("12 pm", "12:00"),
                ("15:30 pm", "15:30"),
                ("15", "15:00"),
                ("9", "09:00"),
                ("3", "03:00"),
                ("0", "00:00"),
                ("09:05", "09:05"),
                ("１５：３０", "15:30"),
                ("24/12 15:30", "15:30"),
                ("2026-12-24T15:30", "15:30"),
                ("10.12. 15:30", "15:30"),
                ("25:00", "-"),
                ("24:00", "-"),
                ("15:60", "-"),
                ("25", "-"),
                ("24", "-"),
                ("15 am", "-"),
                ("0 pm", "-"),
                ("-", "-"),
                ("-1", "-"),
                ("15:30 16:30", "-"),
                ("15:30-16:30", "-"),
                ("9-12", "-"),
                ("24/12", "-"),
                ("2026", "-"),
                ("", "-"),
            ],
        );
    }
}

#[test]
fn spanish_times() {
    check(
        Language::Es,
        &[
            ("a las 3 de la tarde", "15:00"),
            ("a las 3", "03:00"),
            ("9 de la mañana", "09:00"),
            ("8 de la noche", "20:00"),
            ("12 de la noche", "00:00"),
            ("12 del mediodía", "12:00"),
            ("1 del mediodía", "13:00"),
            ("2 de la madrugada", "02:00"),
            ("12 de la mañana", "-"),
            ("las tres y media", "03:30"),
            ("tres y cuarto de la tarde", "15:15"),
            ("cuatro menos cuarto", "03:45"),
            ("las cinco y veinte", "05:20"),
            ("veinte y treinta", "20:30"),
            ("9 y 30", "09:30"),
            ("a la una y media de la tarde", "13:30"),
            ("a la 1 pm", "13:00"),
            ("cuarto para las cuatro", "03:45"),
            ("diez para las 4 de la tarde", "15:50"),
            ("10 para las 4", "03:50"),
            ("mediodía", "12:00"),
            ("al medio dia", "12:00"),
            ("medianoche", "00:00"),
            ("tres", "03:00"),
            ("quince", "15:00"),
            ("15 hs", "15:00"),
            ("15 horas", "15:00"),
            ("15:30hs, gracias", "15:30"),
            ("el 24/12 a las 21", "21:00"),
            ("mesa para 4 a las 9 de la noche", "21:00"),
            ("el martes a la tarde, tipo 4", "16:00"),
            ("Buenas tardes, a las 9 de la mañana", "09:00"),
            ("mañana a las 10", "10:00"),
            ("10 para las 25", "-"),
            ("somos 4", "-"),
            ("en 2 horas", "-"),
            ("dentro de 2 horas", "-"),
            ("a las 25", "-"),
            ("a las 3 o 4", "-"),
            ("de 9 a 12 hs", "-"),
            ("entre las 3 y las 5", "-"),
            ("más tarde", "-"),
            ("a las 9 no puedo", "-"),
            ("martes", "-"),
        ],
    );
}

#[test]
fn portuguese_times() {
    check(
        Language::Pt,
        &[
            ("às 15", "15:00"),
            ("às 15h", "15:00"),
            ("15h30", "15:30"),
            ("15 horas", "15:00"),
            ("às 3 da tarde", "15:00"),
            ("9 da manhã", "09:00"),
            ("8 da noite", "20:00"),
            ("três e meia", "03:30"),
            ("às três e meia da tarde", "15:30"),
            ("uma e meia da tarde", "13:30"),
            ("nove e quinze", "09:15"),
            ("quinze para as quatro", "03:45"),
            ("meio-dia", "12:00"),
            ("meio-dia e meia", "12:30"),
            ("meia-noite", "00:00"),
            ("hoje à noite às 8", "20:00"),
            ("boa tarde, às 9 da manhã", "09:00"),
            ("sexta às 15h", "15:00"),
            ("das 9 às 12h", "-"),
            ("de 9 a 12 horas", "-"),
            ("mais tarde", "-"),
        ],
    );
}

#[test]
fn english_times() {
    check(
        Language::En,
        &[
            ("noon", "12:00"),
            ("midnight", "00:00"),
            ("half past three", "03:30"),
            ("quarter past 3 pm", "15:15"),
            ("a quarter to four", "03:45"),
            ("ten to three", "02:50"),
            ("nine thirty", "09:30"),
            ("three fifteen pm", "15:15"),
            ("3 o'clock", "03:00"),
            ("at 3", "03:00"),
            ("3 in the afternoon", "15:00"),
            ("8 at night", "20:00"),
            ("7 in the morning", "07:00"),
            ("tonight at 8", "20:00"),
            ("tuesday afternoon at 3", "15:00"),
            ("good afternoon, at 9", "09:00"),
            ("Tuesday at 3pm please", "15:00"),
            ("9 to 5", "-"),
            ("3-5pm", "-"),
            ("3 or 4pm", "-"),
            ("in 3 hours", "-"),
            ("4 people", "-"),
            ("later", "-"),
        ],
    );
}
