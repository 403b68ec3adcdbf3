//! Tables of what customers write, by language.

use super::*;

/// A Thursday.
const TODAY: Date = jiff::civil::date(2026, 11, 19);

fn check(language: Language, table: &[(&str, &str)]) {
    for (text, expected) in table {
        let read = date(text, language, TODAY).map_or_else(|| "-".to_owned(), |date| date.to_string());
        assert_eq!(read, *expected, "{text:?} as {language:?}");
    }
}

#[test]
fn figures_are_read_in_every_language() {
    for language in [Language::Es, Language::EsPoint, Language::Pt, Language::En, Language::Other] {
        check(
            language,
            &[
                ("2026-12-24", "2026-12-24"),
                ("2026/12/24", "2026-12-24"),
                ("2026-12-24T15:30", "2026-12-24"),
                ("24/12/2026", "2026-12-24"),
                ("24/12", "2026-12-24"),
                ("24-12-26", "2026-12-24"),
                ("24.12.", "2026-12-24"),
                ("24.12.2026", "2026-12-24"),
                ("5/1", "2027-01-05"),
                ("19/11", "2026-11-19"),
                ("18/11", "2027-11-18"),
                ("29/02", "2028-02-29"),
                ("24/12/85", "1985-12-24"),
                ("24/12/45", "2045-12-24"),
                ("24/12/46", "1946-12-24"),
                ("２４/１２", "2026-12-24"),
                ("24/12 15:30", "2026-12-24"),
            ],
        );
    }
}

#[test]
fn the_united_states_write_the_month_first() {
    check(Language::EnUs, &[("12/24", "2026-12-24"), ("3/4/2027", "2027-03-04"), ("24/12", "2026-12-24")]);
    check(Language::En, &[("3/4/2027", "2027-04-03"), ("12/24", "2026-12-24")]);
    check(Language::Es, &[("3/4/2027", "2027-04-03"), ("12/24", "-")]);
}

#[test]
fn days_that_no_calendar_has_are_none() {
    check(
        Language::Es,
        &[
            ("31/02", "-"),
            ("31/02/2026", "-"),
            ("29/02/2027", "-"),
            ("2026-13-01", "-"),
            ("0/1", "-"),
            ("31 de abril", "-"),
            ("40 de mayo", "-"),
            ("en 9999 años", "-"),
        ],
    );
}

#[test]
fn spanish_days() {
    check(
        Language::Es,
        &[
            ("el 24 de diciembre", "2026-12-24"),
            ("24 dic", "2026-12-24"),
            ("24 dic. 2027", "2027-12-24"),
            ("24/dic/2027", "2027-12-24"),
            ("24-dic-27", "2027-12-24"),
            ("24 de diciembre del 2027", "2027-12-24"),
            ("24 de diciembre 15 hs", "2026-12-24"),
            ("diciembre 24", "2026-12-24"),
            ("veinticuatro de diciembre", "2026-12-24"),
            ("1º de mayo", "2027-05-01"),
            ("1ro de mayo", "2027-05-01"),
            ("primero de mayo", "2027-05-01"),
            ("hoy", "2026-11-19"),
            ("mañana", "2026-11-20"),
            ("Mañana a la mañana", "2026-11-20"),
            ("pasado mañana", "2026-11-21"),
            ("ayer", "2026-11-18"),
            ("el martes", "2026-11-24"),
            ("para el martes por favor", "2026-11-24"),
            ("no, mejor el martes", "2026-11-24"),
            ("jueves", "2026-11-26"),
            ("este viernes", "2026-11-20"),
            ("el próximo lunes", "2026-11-23"),
            ("el lunes que viene", "2026-11-23"),
            ("viernes de la semana que viene", "2026-11-27"),
            ("el lunes de la próxima semana", "2026-11-23"),
            ("el martes pasado", "2026-11-17"),
            ("el martes a las 9.30", "2026-11-24"),
            ("el martes a la mañana", "2026-11-24"),
            ("mañana viernes", "2026-11-20"),
            ("jueves 24 de diciembre", "2026-12-24"),
            ("en 3 días", "2026-11-22"),
            ("dentro de dos semanas", "2026-12-03"),
            ("en una semana", "2026-11-26"),
            ("en un mes", "2026-12-19"),
            ("hace 3 días", "2026-11-16"),
            ("3 días atrás", "2026-11-16"),
            ("el 24", "2026-11-24"),
            ("el 5", "2026-12-05"),
            ("el 31", "2026-12-31"),
            ("el 24 a las 15", "2026-11-24"),
            ("martes 24/11", "2026-11-24"),
            ("mesa para 4 el 24/12 a las 21", "2026-12-24"),
        ],
    );
}

#[test]
fn portuguese_days() {
    check(
        Language::Pt,
        &[
            ("24 de dezembro de 2026", "2026-12-24"),
            ("24 dez", "2026-12-24"),
            ("1º de maio", "2027-05-01"),
            ("1o de maio", "2027-05-01"),
            ("primeiro de maio", "2027-05-01"),
            ("hoje", "2026-11-19"),
            ("hoje à noite", "2026-11-19"),
            ("amanhã", "2026-11-20"),
            ("amanhã de manhã", "2026-11-20"),
            ("depois de amanhã", "2026-11-21"),
            ("ontem", "2026-11-18"),
            ("terça-feira", "2026-11-24"),
            ("terça", "2026-11-24"),
            ("3ª feira", "2026-11-24"),
            ("2a-feira", "2026-11-23"),
            ("na sexta às 15h", "2026-11-20"),
            ("quinta que vem", "2026-11-26"),
            ("sexta da semana que vem", "2026-11-27"),
            ("sexta passada", "2026-11-13"),
            ("em duas semanas", "2026-12-03"),
            ("daqui a 3 dias", "2026-11-22"),
            ("há 3 dias", "2026-11-16"),
            ("dia 24", "2026-11-24"),
            ("dia 24 às 15h", "2026-11-24"),
        ],
    );
}

#[test]
fn english_days() {
    for language in [Language::En, Language::EnUs] {
        check(
            language,
            &[
                ("Dec 24th", "2026-12-24"),
                ("December 24, 2027", "2027-12-24"),
                ("24th of December", "2026-12-24"),
                ("24 Dec", "2026-12-24"),
                ("May 1st", "2027-05-01"),
                ("the first of May", "2027-05-01"),
                ("today", "2026-11-19"),
                ("tomorrow", "2026-11-20"),
                ("the day after tomorrow", "2026-11-21"),
                ("tuesday", "2026-11-24"),
                ("next tuesday", "2026-11-24"),
                ("on Thursday please", "2026-11-26"),
                ("friday next week", "2026-11-27"),
                ("last tuesday", "2026-11-17"),
                ("in two weeks", "2026-12-03"),
                ("in a week", "2026-11-26"),
                ("3 days from now", "2026-11-22"),
                ("2 days ago", "2026-11-17"),
                ("the 24th", "2026-11-24"),
                ("the 24th at 3pm", "2026-11-24"),
            ],
        );
    }
}

#[test]
fn no_day_or_several_are_none() {
    check(
        Language::Es,
        &[
            ("", "-"),
            ("hola", "-"),
            ("24", "-"),
            ("3 días", "-"),
            ("diciembre", "-"),
            ("la semana que viene", "-"),
            ("15:30", "-"),
            ("a las 9.30", "-"),
            ("11-5555-4444", "-"),
            ("2-3 días", "-"),
            ("a la mañana", "-"),
            ("el 2 piso", "-"),
            ("martes o jueves", "-"),
            ("hoy o mañana", "-"),
            ("24/12 o 25/12", "-"),
            ("24 o 25 de diciembre", "-"),
            ("del 24 al 26 de diciembre", "-"),
            ("entre el 24 y el 26", "-"),
            ("miércoles 24 de diciembre", "-"),
            ("el martes no", "-"),
            ("lunes o mañana", "-"),
            ("hoy no puedo", "-"),
        ],
    );
    check(
        Language::En,
        &[("Dec 24 or 25", "-"), ("the 2nd floor", "-"), ("next week", "-"), ("a week from tuesday", "-")],
    );
    check(Language::Other, &[("hoy", "-"), ("24 Dec", "-"), ("mardi", "-")]);
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    for today in [Date::MIN, Date::MAX] {
        for text in ["hoy", "mañana", "ayer", "el martes", "el martes pasado", "el 5", "5/1", "5/1/26", "en 3 días"] {
            let _ = date(text, Language::Es, today);
        }
        assert_eq!(date("hoy", Language::Es, today), Some(today));
    }
}
