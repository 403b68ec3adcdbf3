//! What expressions mean, and what they are kept from.

#![allow(clippy::panic, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;

use super::{lower::MAX_DEPTH, *};

struct World {
    now: Value,
    event: Value,
    contact: Value,
    context: Context,
    variables: Map<String, Value>,
}

impl World {
    fn new() -> Self {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let context = json!({"input": "Quiero 2 CAFÉS", "inputHistory": [{"text": "a"}, {"text": "b"}]});
        Self {
            now: json!("2026-02-03T04:05:06.789Z"),
            event: json!({"type": "text", "text": "hola"}),
            contact: json!({"name": "Ana", "phone": "+5491155550000"}),
            context: serde_json::from_value(context).expect("a context"),
            variables: map(json!({
                "n": 3, "half": 0.5, "flag": true, "cart": ["tea", "coffee"], "nothing": null,
                "address": {"city": "Quito", "zip": "170"}, "long": vec!["x".repeat(30); 1_000],
            })),
        }
    }

    fn evaluate(&self, source: &str) -> Result<Value, EvaluateError> {
        let expression = Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let scope = Scope {
            now: &self.now,
            event: &&self.event,
            contact: &self.contact,
            tenant: &Value::Null,
            resume: &Value::Null,
            args: &Value::Null,
            error: &Value::Null,
            context: &self.context,
            variables: &self.variables,
        };
        expression.evaluate(&scope, &Fuel::of_event()).map(Cow::into_owned)
    }
}

fn refused(source: &str) -> ExpressionError {
    Expression::compile(source).err().unwrap_or_else(|| panic!("{source} should be refused"))
}

#[test]
fn expressions_mean_what_cel_says() {
    let world = World::new();
    for (source, value) in [
        ("contact.name == 'Ana'", json!(true)),
        ("contact['name'].size() + size(cart)", json!(5)),
        ("cart[1] + ' ' + address.city", json!("coffee Quito")),
        ("'tea' in cart && 'city' in address && !('x' in cart)", json!(true)),
        ("n > 2 ? 'many' : 'few'", json!("many")),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * 2)", json!([4, 6])),
        ("[1, 2, 3].map(x, x != 2, x * 10)", json!([10, 30])),
        (
            "cart.all(x, size(x) > 2) && cart.exists(x, x == 'tea') && cart.exists_one(x, x.startsWith('c'))",
            json!(true),
        ),
        ("inputHistory.map(e, e.text)", json!(["a", "b"])),
        ("address.map(k, k)", json!(["city", "zip"])),
        ("{'a': [n, half], 'b': {'c': null}}", json!({"a": [3, 0.5], "b": {"c": null}})),
        ("has(contact.name) && !has(contact.mail) && !has(contact.mail.domain)", json!(true)),
        ("7 / 2 + 7 % 4 - -1", json!(7)),
        ("input.matches('[0-9]+') && input.contains('2')", json!(true)),
        ("'a' < 'b' && 1 < 2 && false < true", json!(true)),
        ("now > '2026-01-01' && event.type == 'text'", json!(true)),
        ("[1] + [2.0] == [1.0, 2]", json!(true)),
        ("nothing == null", json!(true)),
    ] {
        assert_eq!(world.evaluate(source), Ok(value), "{source}");
    }
}

#[test]
fn whole_numbers_mix_with_others() {
    let world = World::new();
    for (source, value) in
        [("n + half", json!(3.5)), ("1 + 1.5", json!(2.5)), ("7 / 2.0", json!(3.5)), ("n * half >= 1", json!(true))]
    {
        assert_eq!(world.evaluate(source), Ok(value), "{source}");
    }
}

#[test]
fn our_own_functions_read_what_customers_write() {
    let world = World::new();
    for (source, value) in [
        ("fold(input)", json!("quiero 2 cafes")),
        ("input.lower()", json!("quiero 2 cafés")),
        ("number(' 2 ') + number('1.5') + number(n)", json!(6.5)),
        ("int('12') + int(3.9)", json!(15)),
        ("double(1)", json!(1.0)),
        ("text(n) + text(2.0) + text(null) + string(cart)", json!("32[\"tea\",\"coffee\"]")),
    ] {
        assert_eq!(world.evaluate(source), Ok(value), "{source}");
    }
    assert_eq!(world.evaluate("number(input)"), Err(EvaluateError::NotANumber("number")));
}

#[test]
fn an_error_on_one_side_is_settled_by_the_other() {
    let world = World::new();
    assert_eq!(world.evaluate("missing == 1 || true"), Ok(json!(true)));
    assert_eq!(world.evaluate("missing == 1 && false"), Ok(json!(false)));
    assert_eq!(world.evaluate("[1, 'a', 3].exists(x, x > 2)"), Ok(json!(true)));
    assert_eq!(world.evaluate("missing || false"), Err(EvaluateError::Missing("missing".to_owned())));
}

#[test]
fn what_cannot_be_computed_is_an_error_and_not_a_guess() {
    let world = World::new();
    for source in [
        "missing",
        "contact.mail",
        "cart[2]",
        "cart[-1]",
        "cart[0.5]",
        "input.city",
        "n + 'a'",
        "!n",
        "n ? 1 : 2",
        "1 / 0",
        "1.0 / 0.0",
        "1 % 0",
        "9223372036854775807 + 1",
        "1e308 * 10",
        "-(-9223372036854775807 - 1)",
        "'a' < 1",
        "1 in 2",
        "{1: 2}",
        "{'a': 1, 'a': 2}",
        "int('x')",
        "int(1e300)",
        "number(true)",
        "size(1)",
        "[1, 'a'].all(x, x > 0)",
        "n.map(x, x)",
        "lower(n)",
        "n.matches('a')",
        "address[input]",
        "-'a'",
    ] {
        let error = world.evaluate(source).expect_err(source).to_string();
        assert!(!error.contains("Quiero"), "what customers write stays out of errors: {error}");
    }
}

#[test]
fn what_does_not_parse_is_told_with_its_place() {
    assert!(matches!(refused("1 +\n  + 2"), ExpressionError::Syntax { line: 2, .. }));
    assert!(matches!(refused("contact.name = 'Ana'"), ExpressionError::Syntax { line: 1, column: 14, .. }));
    for source in ["", "  ", "'open", "f(", "a.", "(1", "[1,", "{'a'", "é", "`a`", "1 2", "&", "99999999999999999999"]
    {
        refused(source);
    }
}

#[test]
fn the_static_bounds_hold() {
    assert_eq!(refused(&" ".repeat(2_000)), ExpressionError::TooLong(2_000));
    assert!(matches!(refused(&format!("{}1", "1+".repeat(150))), ExpressionError::TooDeep(_)));
    assert!(matches!(refused(&format!("[{}1]", "1,".repeat(250))), ExpressionError::TooLarge(_)));
    assert!(matches!(refused(&format!("{}1{}", "[".repeat(80), "]".repeat(80))), ExpressionError::TooDeep(_)));
    assert_eq!(refused("cart.map(x, cart.map(y, x + y))"), ExpressionError::NestedComprehension);
    assert!(matches!(refused("input.matches('(')"), ExpressionError::Pattern(_)));
    assert!(matches!(refused(r"input.matches('(\\w{1000}){1000}')"), ExpressionError::Pattern(_)));
}

#[test]
fn what_we_do_not_know_is_refused_with_what_to_write_instead() {
    for (source, instead) in [
        ("startswith(input, 'a')", "did you mean `startsWith`?"),
        ("duration('1h')", "write one of size"),
        ("size()", "takes 1 argument(s), and 0 are written"),
        ("input.matches(contact.name)", "write it in quotes"),
        ("1u", "write it without"),
        ("b'a'", "write it without"),
        ("a.B{c: 1}", "write a map"),
        (".a", "write the name alone"),
    ] {
        assert!(refused(source).to_string().contains(instead), "{source}: {}", refused(source));
    }
}

#[test]
fn names_are_known_along_their_whole_paths() {
    let expression =
        Expression::compile("contact.address.city + cart[i].name + cart.map(x, x.y).size()").expect("parses");
    let paths: Vec<_> = expression.paths().iter().map(|path| path.join(".")).collect();
    assert_eq!(paths, ["contact.address.city", "cart", "i", "cart"]);
}

#[test]
fn an_expression_built_to_explode_runs_out_of_fuel() {
    let world = World::new();
    let source = format!("long.map(x, {})", vec!["text(long)"; 60].join(" + "));
    assert_eq!(world.evaluate(&source), Err(EvaluateError::Exhausted), "{source}");
    assert_eq!(world.evaluate("long.map(x, long).map(x, size(x)) == [] || true"), Err(EvaluateError::Exhausted));
}

#[test]
fn the_deepest_source_fits_a_small_stack() {
    let deep = [
        "(".repeat(500) + "1" + &")".repeat(500),
        "(1+".repeat(250) + "1" + &")".repeat(250),
        "[".repeat(1_000),
        "a?b:".repeat(250) + "c",
        "!-".repeat(500) + "c",
        "a".to_owned() + &".b".repeat(500) + ".f()",
        "1".to_owned() + &"-1".repeat(510),
        "a".to_owned() + &"||a".repeat(340),
        "a.map(x,".repeat(100) + "x" + &")".repeat(100),
    ];
    // Half of what the threads of a runtime or of a test have; this is a debug build, whose frames are large.
    let compile = std::thread::Builder::new().stack_size(1 << 20);
    let compiled = compile.spawn(move || {
        for source in deep {
            let _ = Expression::compile(&source);
        }
        let deepest = format!("1{}", "-1".repeat(MAX_DEPTH - 1));
        assert_eq!(World::new().evaluate(&deepest), Ok(json!(2 - i64::try_from(MAX_DEPTH).expect("small"))));
    });
    compiled.expect("a thread").join().expect("no overflow");
}

/// Expressions that parse, more often than not.
fn sources() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "n",
        "half",
        "cart",
        "address",
        "input",
        "contact",
        "event",
        "missing",
        "nothing",
        "inputHistory",
        "now",
        "1",
        "-2.5",
        "'é}'",
        "\"\\u0000\"",
        "true",
        "null",
        "[]",
        "{}",
        "9223372036854775807",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||"]);
        let method = prop::sample::select(vec![
            "size()",
            "lower()",
            "fold()",
            "map(x, [x, x])",
            "filter(x, x != n)",
            "all(x, x > 1)",
            "exists(x, x)",
            "exists_one(x, x == 1)",
            "matches('a|b')",
            "name",
            "city",
            "text",
        ]);
        let function = prop::sample::select(vec!["size", "int", "double", "number", "text", "fold", "has", "!", "-"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), method).prop_map(|(a, method)| format!("{a}.{method}")),
            (function, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, text({b}): 1}}")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

proptest! {
    #[test]
    fn no_source_panics_the_compiler(source in prop_oneof![".{0,60}", "[-a-z0-9'\"\\\\(){}\\[\\].,?:!&|<>=+*/%` éñ\n]{0,120}"]) {
        let _ = Expression::compile(&source);
    }

    #[test]
    fn no_expression_panics_and_each_has_one_value(source in sources()) {
        let world = World::new();
        if Expression::compile(&source).is_ok() {
            let value = world.evaluate(&source);
            prop_assert_eq!(&value, &world.evaluate(&source));
            let text = serde_json::to_string(&value.unwrap_or_default()).expect("finite numbers and text keys alone");
            prop_assert!(!text.contains("\\u0000"), "{}", text);
        }
    }
}
