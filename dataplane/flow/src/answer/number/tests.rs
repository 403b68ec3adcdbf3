//! Tables of what customers write, by language.

use super::*;

fn check(language: Language, table: &[(&str, &str)]) {
    for (text, expected) in table {
        let read = number(text, language).map_or_else(|| "-".to_owned(), |number| number.to_string());
        assert_eq!(read, *expected, "{text:?} as {language:?}");
    }
}

#[test]
fn figures_are_read_as_the_language_writes_them() {
    let spanish = &[
        ("1.500", "1500"),
        ("1,500", "1.5"),
        ("1.500,75", "1500.75"),
        ("1,500.75", "1500.75"),
        ("1.5", "1.5"),
        ("1,5", "1.5"),
        ("0.500", "0.5"),
        ("12,50", "12.5"),
        ("1.500.000", "1500000"),
        ("1,500,000", "1500000"),
        ("1'500.000", "1500000"),
        ("1'500.75", "1500.75"),
        ("1500", "1500"),
        ("2,00", "2"),
        ("007", "7"),
        ("1\u{a0}500", "1500"),
        ("1500.000", "1500"),
    ];
    check(Language::Es, spanish);
    check(Language::Pt, spanish);
    let english = &[
        ("1,500", "1500"),
        ("1.500", "1.5"),
        ("1,500.75", "1500.75"),
        ("1.500,75", "1500.75"),
        ("1,5", "1.5"),
        ("1.500.000", "1500000"),
        ("0.5", "0.5"),
    ];
    check(Language::En, english);
    check(Language::EnUs, english);
    check(Language::EsPoint, english);
    check(Language::EsPoint, &[("1'500,000", "1500000")]);
    check(Language::En, &[("1,00,000", "100000"), ("12,34,567.5", "1234567.5")]);
    check(Language::EnUs, &[("1,00,000", "-")]);
    check(
        Language::Other,
        &[
            ("1.500", "-"),
            ("1,500", "-"),
            ("1.500,75", "1500.75"),
            ("1.5", "1.5"),
            ("1,5", "1.5"),
            ("1500", "1500"),
            ("1.500.000", "1500000"),
            ("1٬500٫5", "1500.5"),
            ("vingt", "-"),
        ],
    );
}

#[test]
fn money_shares_and_words_around_a_number_do_not_matter() {
    check(
        Language::Es,
        &[
            ("$ 1500", "1500"),
            ("$1.500", "1500"),
            ("1500 pesos", "1500"),
            ("20%", "20"),
            ("20 por ciento", "20"),
            ("U$S 20", "20"),
            ("USD20", "20"),
            ("S/ 20", "20"),
            ("€20", "20"),
            ("somos 4", "4"),
            ("una mesa para 4", "4"),
            ("Son 3.", "3"),
            ("3)", "3"),
            ("*3*", "3"),
            ("20kg", "20"),
            ("20 mil", "20000"),
            ("20k", "20000"),
            ("1,5 millones", "1500000"),
            ("2 docenas", "24"),
        ],
    );
    check(Language::Pt, &[("R$ 20", "20"), ("R$20,50", "20.5"), ("20 reais", "20"), ("20 por cento", "20")]);
    check(Language::En, &[("$20", "20"), ("20 bucks", "20"), ("20 percent", "20"), ("$1.5 million", "1500000")]);
}

#[test]
fn minus_is_a_sign_and_a_dash_is_not() {
    check(
        Language::Es,
        &[
            ("-3", "-3"),
            ("- 3", "-3"),
            ("−3", "-3"),
            ("-$ 3", "-3"),
            ("$-3", "-3"),
            ("menos 3", "-3"),
            ("menos tres", "-3"),
            ("son -3,5", "-3.5"),
            ("-0", "0"),
            ("total - 3", "3"),
            ("3-", "3"),
        ],
    );
    check(Language::En, &[("minus twenty", "-20")]);
}

#[test]
fn digits_of_every_script_count() {
    for text in ["１５", "١٥", "۱۵", "१५", "1️⃣5️⃣", "\u{202a}15\u{202c}"] {
        for language in [Language::Es, Language::En, Language::Other] {
            assert_eq!(number(text, language), Some(15.into()), "{text:?}");
        }
    }
}

#[test]
fn spanish_words_are_numbers() {
    check(
        Language::Es,
        &[
            ("cero", "0"),
            ("uno", "1"),
            ("Una", "1"),
            ("tres", "3"),
            ("dieciséis", "16"),
            ("veinte", "20"),
            ("veinticinco", "25"),
            ("treinta y cinco", "35"),
            ("treinta cinco", "35"),
            ("noventa y nueve", "99"),
            ("cien", "100"),
            ("ciento uno", "101"),
            ("mil", "1000"),
            ("mil quinientos", "1500"),
            ("dos mil trescientos cuarenta y cinco", "2345"),
            ("un millón", "1000000"),
            ("dos millones quinientos mil", "2500000"),
            ("dos y medio", "2.5"),
            ("uno y medio", "1.5"),
            ("2 y media", "2.5"),
            ("2 millones y medio", "2500000"),
            ("docena y media", "18"),
            ("somos cinco", "5"),
            ("medio millón", "500000"),
            ("media docena", "6"),
            ("uno, por favor", "1"),
            ("cinco mil pesos", "5000"),
        ],
    );
}

#[test]
fn portuguese_words_are_numbers() {
    check(
        Language::Pt,
        &[
            ("zero", "0"),
            ("um", "1"),
            ("duas", "2"),
            ("três", "3"),
            ("vinte e cinco", "25"),
            ("cem", "100"),
            ("cento e vinte e cinco", "125"),
            ("mil e quinhentos", "1500"),
            ("dois mil", "2000"),
            ("um milhão e meio", "1500000"),
            ("somos seis", "6"),
            ("cinquenta reais", "50"),
        ],
    );
}

#[test]
fn english_words_are_numbers() {
    check(
        Language::En,
        &[
            ("zero", "0"),
            ("one", "1"),
            ("twenty-five", "25"),
            ("twenty five", "25"),
            ("one hundred", "100"),
            ("a hundred and five", "105"),
            ("two thousand three hundred", "2300"),
            ("nineteen hundred", "1900"),
            ("two and a half", "2.5"),
            ("we are four", "4"),
            ("half a million", "500000"),
            ("2 hundred", "200"),
        ],
    );
}

#[test]
fn what_is_no_number_or_several_is_none() {
    check(
        Language::Es,
        &[
            ("", "-"),
            ("abc", "-"),
            ("abc123", "-"),
            ("A4", "-"),
            ("2 o 3", "-"),
            ("dos o tres", "-"),
            ("uno o dos", "-"),
            ("2 o una", "-"),
            ("dos tres", "-"),
            ("cien doscientos", "-"),
            ("2-3", "-"),
            ("1/2", "-"),
            ("15:30", "-"),
            ("24/12/2026", "-"),
            ("1 500", "-"),
            ("1e5", "-"),
            ("1.50.000", "-"),
            ("1..5", "-"),
            ("tengo una duda", "-"),
            ("ninguno", "-"),
            ("mil gracias", "-"),
            ("inf", "-"),
            ("NaN", "-"),
            ("%", "-"),
            ("treinta y cuarenta", "-"),
        ],
    );
    check(Language::En, &[("two or three", "-"), ("the blue one", "-"), ("once", "-")]);
}

#[test]
fn huge_numbers_stay_finite() {
    assert_eq!(number("9223372036854775807", Language::Es), Some(i64::MAX.into()));
    assert_eq!(number("9223372036854775808", Language::Es), Number::from_f64(9_223_372_036_854_775_808.0));
    assert_eq!(number(&"9".repeat(4_000), Language::Es), None);
    assert_eq!(number(&format!("{} mil", i64::MAX), Language::Es), None);
}
