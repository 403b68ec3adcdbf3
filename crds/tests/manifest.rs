//! A manifest that was written as YAML reads back as it was. Revisions depend on it: operator and data plane hash the
//! same spec, one as it came from the API server, the other as it stands in the file.

#![allow(clippy::panic, missing_docs)]

use proptest::prelude::*;
use serde_json::{Value, json};
use wigwag_crds::{manifest::to_yaml, revision::flow_revision};

fn round_trip(spec: &Value) -> Value {
    let yaml = to_yaml(spec).expect("JSON is YAML");
    serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error} in:\n{yaml}"))
}

#[test]
fn strings_that_look_like_something_else_stay_strings() {
    for text in [
        "",
        " ",
        "~",
        "null",
        "true",
        "yes",
        "on",
        "No",
        "1",
        "1.0",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        ".5",
        "+1",
        "-",
        "--",
        "---",
        "...",
        "- a",
        "? a",
        "a: b",
        "a #b",
        "#",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%",
        "@",
        "`",
        "{a}",
        "[a]",
        "2026-11-21",
        "12:30:45",
        ".inf",
        ".nan",
        "<<",
        "=",
        "106540352242922",
        "é",
        "👋🏽",
        "a\tb",
        "a\\b",
        "\"",
        "'",
        "\u{feff}x",
        "\u{85}",
        "\u{2028}",
        "a\u{0}b",
        "\r",
        "a\r\nb",
        "\n",
        "\n\n",
        "a\n",
        "a\n\n",
        "\na",
        " a\n b",
        "a\n b\n",
        "a \nb",
        "a\n\n\nb",
        "\ta",
        "a\t\n",
    ] {
        let spec = json!({"text": text, "list": [text], text: 1});
        assert_eq!(round_trip(&spec), spec, "{text:?}");
    }
    let long = "Hola {{ contact.name }}, gracias por escribir. ".repeat(30);
    for text in [long.clone(), format!(" {long}"), format!("{long}\n  {long}\n\n{long} \n")] {
        let spec = json!({"nodes": [{"message": {"text": text}}]});
        assert_eq!(round_trip(&spec), spec);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "[ \\n\\t#:\\-|>'\"a]{0,12}", "[a-z ]{60,200}", any::<String>()];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[ -~]{0,10}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn a_manifest_has_the_same_revision_after_it_was_written_and_read(spec in any_json()) {
        let read = round_trip(&json!({"spec": spec}));
        prop_assert_eq!(&read["spec"], &spec);
        prop_assert_eq!(flow_revision(&read["spec"]), flow_revision(&spec));
    }
}
