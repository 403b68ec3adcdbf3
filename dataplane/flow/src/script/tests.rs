//! What conditions mean, and what they are kept from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::expression::MAX_DEPTH;

struct Variables(Value);

impl Roots for Variables {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn whole(&self) -> Value {
        self.0.clone()
    }
}

/// Runs a condition at 23:05:06.789 of the 2nd of February 2026 in Buenos Aires, which in UTC is the 3rd.
fn run(script: &Script, context: &Variables) -> Result<bool, ScriptProblem> {
    let zone = TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
    let now = "2026-02-03T02:05:06.789Z".parse().expect("a time");
    script.holds(&World { context, now, zone: &zone }, &Fuel::of_event())
}

fn compiled(source: &str) -> Script {
    Script::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn refused(source: &str) -> ScriptError {
    Script::compile(source).err().unwrap_or_else(|| panic!("{source} should be refused"))
}

/// The expectations come from Node 20: each source as `!!(source)` with each context, `T` for true, `F` for false, `X`
/// where it throws; `Date` stood still at the moment of [`run`], with `TZ=America/Argentina/Buenos_Aires`.
#[test]
fn conditions_mean_what_javascript_says() {
    let corpus: Value = serde_json::from_str(include_str!("corpus.json")).expect("JSON");
    let contexts: Vec<_> = corpus["contexts"].as_array().unwrap().iter().cloned().map(Variables).collect();
    let rows = corpus["expected"].as_array().unwrap();
    assert!(rows.len() > 600 && contexts.len() == 3, "{} rows, {} contexts", rows.len(), contexts.len());
    for row in rows {
        let (source, expected) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
        let script = compiled(source);
        let results = contexts.iter().map(|context| match run(&script, context) {
            Ok(true) => 'T',
            Ok(false) => 'F',
            Err(ScriptProblem::Threw(_)) => 'X',
            Err(ScriptProblem::Exhausted) => 'E',
        });
        assert_eq!(results.collect::<String>(), expected, "{source}");
    }
}

#[test]
fn the_editors_own_example_holds_for_ok_alone() {
    let script = compiled("context.input?.toLowerCase?.().includes('ok')");
    for (context, holds) in [
        (json!({"input": "OK!"}), Ok(true)),
        (json!({"input": "no"}), Ok(false)),
        (json!({"input": ""}), Ok(false)),
        (json!({"input": null}), Ok(false)),
        (json!({"input": 7}), Ok(false)),
        (json!({}), Ok(false)),
    ] {
        assert_eq!(run(&script, &Variables(context.clone())), holds, "{context}");
    }
    assert_eq!(script.reads(), ["input"]);
}

#[test]
fn what_throws_says_why_without_a_word_of_the_customers() {
    let context = Variables(json!({"input": "secret", "user": {"secret": null}}));
    for (source, says) in [
        ("context.missing.length", "`.length` of undefined: write `?.length`"),
        ("context.user[context.input].length", "`.length` of null"),
        ("context.user[context.input][context.input]", "`.[]` of null"),
        ("context.input.toFixed(2)", "a text has no `toFixed()`"),
        ("context.user.trim()", "an object has no `trim()`"),
        ("JSON.parse(context.input)", "no JSON"),
        ("'a' in context.input", "write includes()"),
        ("'' + new Date()", "toISOString()"),
        ("context.input.replaceAll(/a/, '')", "flag g"),
        ("context.input.match(/s/).groups", "by number"),
    ] {
        let Err(ScriptProblem::Threw(problem)) = run(&compiled(source), &context) else { panic!("{source}") };
        assert!(problem.contains(says) && !problem.contains("secret"), "{source}: {problem}");
    }
}

#[test]
fn what_we_do_not_know_is_refused_with_its_place_and_what_to_write_instead() {
    for (source, says) in [
        ("context.tags.some(x => x === 'a')", "line 1, column 13 is not known here: it takes a function"),
        ("context.tags.includes(x => x)", "`=>` at line 1, column 23"),
        ("(() => true)()", "makes a function"),
        ("function () { return 1 }", "a function"),
        ("context.input = 'ok'", "the assignment `=` at line 1, column 14"),
        ("context.input === 'a' &&\n  count++", "`++` or `--` at line 2, column 3"),
        ("context.a, context.b", "join conditions"),
        ("input === 'ok'", "write `context.input`"),
        ("input.includes('ok')", "write `context.input`"),
        ("process.exit()", "write `context.process`"),
        ("globalThis", "the name `globalThis`"),
        ("Math", "call it"),
        ("eval('1')", "`eval()`"),
        ("Date()", "write `new Date()`"),
        ("new Function('return 1')()", "a call of what is no method"),
        ("new RegExp('a')", "`new` of anything but Date"),
        ("new Date(2026, 1)", "at most 1"),
        ("context.input.constructor", "the property `constructor` at line 1, column 15"),
        ("context['__proto__']", "the property `__proto__`"),
        ("({__proto__: 1})", "the property `__proto__`"),
        ("context.input.toLowercase()", "did you mean `toLowerCase`?"),
        ("Math.cosine(1)", "write one of Number"),
        ("context.hasOwnProperty('input')", "`'name' in context`"),
        ("/a/.exec(context.input)", "match(/pattern/)"),
        ("context[context.input]()", "a method that is computed"),
        ("context.input.match(context.pattern)", "match(/pattern/)"),
        ("context.input.trim('x')", "at most 0"),
        ("[...context.tags]", "one by one"),
        ("[1,,2]", "write undefined there"),
        ("context.a & 1", "did you mean `&&`?"),
        ("context.a instanceof Array", "Array.isArray()"),
        ("~context.a", "the operator `~`"),
        ("void 0", "the operator `void`"),
        ("delete context.a", "the operator `delete`"),
        ("this.input", "write context"),
        ("10n", "a number with `n`"),
        ("tag`a`", "write the template alone"),
        ("import('fs')", "`import`"),
        ("class {}", "a class"),
        ("/(?=a)/.test(context.input)", "the pattern at line 1, column 1"),
        ("context.input.match('(')", "the pattern at line 1, column 21"),
        ("context.input ==", "does not parse at line"),
        ("context.a)(context.b", "the parentheses do not match"),
        ("context.a; context.b", "does not parse at line 1, column 10"),
        ("if (context.a) true", "does not parse at line 1, column 1"),
        ("return true", "does not parse at line 1, column 1"),
        ("", "does not parse"),
        ("// nothing", "does not parse"),
    ] {
        let error = refused(source).to_string();
        assert!(error.contains(says), "{source}: {error}");
    }
}

#[test]
fn the_static_bounds_hold() {
    assert_eq!(refused(&" ".repeat(2_000)), ScriptError::TooLong(2_000));
    assert!(matches!(refused(&format!("{}1", "1+".repeat(150))), ScriptError::TooDeep(_)));
    assert!(matches!(refused(&format!("[{}1]", "1,".repeat(205))), ScriptError::TooLarge(_)));
    assert!(matches!(refused(&format!("{}1{}", "[".repeat(80), "]".repeat(80))), ScriptError::TooDeep(_)));
    assert!(matches!(refused(r"/(\w{1000}){1000}/.test('')"), ScriptError::Pattern { .. }));
    // Not even the sources at their longest are refused for the words within their quotes.
    compiled(&format!("context.input === '{}'", "¿cómo estás hoy, bien? ".repeat(15)));
}

#[test]
fn what_is_read_and_how_many_patterns_there_are_is_known() {
    let script = compiled(
        "context.input?.match(/a/) && context['lastInput'].search('b') && context.user.name && context[context.input]",
    );
    assert_eq!(script.reads(), ["input", "lastInput", "user"]);
    assert_eq!(script.patterns(), 2);
}

#[test]
fn a_condition_built_to_explode_runs_out_of_fuel() {
    let long = "x".repeat(60_000);
    let context = Variables(json!({"long": long, "list": vec![long.as_str(); 20], "text": "a".repeat(4_000)}));
    for source in [
        "'x'.repeat(400000000)",
        "'x'.repeat(1000000).repeat(500)",
        "'x'.padEnd(400000000, 'ab').length",
        "context.long.replace(/x/g, \"$`$'\")",
        "context.long.replaceAll('x', context.long)",
        "context.long.split('').join(context.long)",
        "context.long.split('').join('').split('').join('').split('').join('').split('')",
        "JSON.stringify([context, context, context, context, context, context].join(context.list).repeat(20))",
        "JSON.parse(JSON.stringify(context.list)).concat(context.list).join().repeat(40)",
        "context.long.match(/x*y|x/g)",
        "context.long.normalize('NFKD').normalize('NFKD').repeat(100).normalize('NFKD')",
    ] {
        assert_eq!(run(&compiled(source), &context), Err(ScriptProblem::Exhausted), "{source}");
    }
}

#[test]
fn the_longest_message_exhausts_no_common_condition() {
    for text in ["x".repeat(4_096), " ".repeat(4_096), "é".repeat(4_096), "word ".repeat(819), "1\n".repeat(2_048)] {
        let context = Variables(json!({"input": text}));
        for source in [
            "context.input.replace(/\\s/g, '').length > 0",
            "context.input.split(/\\s+/).length > 0",
            "context.input.split('').join('-').length > 0",
            "context.input.match(/x/g)?.length > 0",
            "context.input.toLowerCase().normalize('NFD').replace(/[\\u0300-\\u036f]/g, '').includes('word')",
            "/^(?:[a-z]+\\s*)*$/i.test(context.input)",
            "JSON.stringify(context).length > 0",
        ] {
            assert!(run(&compiled(source), &context).is_ok(), "{source} on {}", &text[..8]);
        }
    }
}

#[test]
fn the_deepest_source_fits_a_small_stack() {
    // Each as long as it may be, in bytes or in words and signs.
    let deep = [
        "(".repeat(399),
        "(".repeat(199) + "1" + &")".repeat(199),
        "(1+".repeat(99) + "1" + &")".repeat(99),
        "[".repeat(399),
        "[".repeat(199) + &"]".repeat(199),
        "{a:".repeat(133),
        "({a=".repeat(99),
        "(a=".repeat(133),
        "a=".repeat(199) + "1",
        "a?b:".repeat(99) + "c",
        "!-".repeat(199) + "c",
        "typeof ".repeat(140) + "c",
        "new ".repeat(250),
        "a".to_owned() + &".b".repeat(199),
        "a".to_owned() + &"?.b".repeat(133),
        "a".to_owned() + &"()".repeat(199),
        "1".to_owned() + &"-1".repeat(199),
        "a".to_owned() + &"||a".repeat(199),
        "a**".repeat(133) + "1",
        "x=>".repeat(133) + "x",
        "`${".repeat(133),
        "()=>{".repeat(80),
        "()=>{".to_owned() + &"a:".repeat(195),
        "()=>{".to_owned() + &"if(a)".repeat(98),
        "function(){".repeat(80),
        "class{x=".repeat(99),
        "async(".repeat(166),
        format!("/{}/.test('')", "(?:".repeat(130)),
        format!("/{}{}/.test('')", "(".repeat(190), ")".repeat(190)),
    ];
    // This is a debug build, whose frames are large.
    let compile = std::thread::Builder::new().stack_size(2 << 20);
    let compiled = compile.spawn(move || {
        for source in deep {
            let _ = Script::compile(&source);
        }
        let deepest = compiled(&format!("1{}", "-1".repeat(MAX_DEPTH - 1)));
        assert_eq!(run(&deepest, &Variables(json!({}))), Ok(true));
    });
    compiled.expect("a thread").join().expect("no overflow");
}

/// Conditions that parse, more often than not.
fn sources() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "context.input",
        "context.n",
        "context.list",
        "context.user",
        "context.missing",
        "context",
        "context.date",
        "1",
        "-2.5",
        "NaN",
        "'é😀'",
        "'$&$1'",
        "''",
        "null",
        "undefined",
        "true",
        "[]",
        "({})",
        "/(a)|é*/g",
        "/\\b\\w/",
        "new Date()",
        "Infinity",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "**", "==", "!==", "<", ">=", "in", "&&", "||"]);
        let names: Vec<_> = function::Method::names().filter(|name| !matches!(*name, "match" | "search")).collect();
        let methods = prop::sample::select(names);
        let globals: Vec<_> = function::Function::names().collect();
        let dot = prop::sample::select(vec![".", "?."]);
        let arguments = prop::collection::vec(inner.clone(), 0..3).prop_map(|arguments| arguments.join(", "));
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
            (inner.clone(), dot.clone(), methods, dot.clone(), arguments.clone()).prop_map(
                |(a, dot, name, call, b)| {
                    let call = if call == "?." { "?." } else { "" };
                    format!("({a}){dot}{name}{call}({b})")
                }
            ),
            (prop::sample::select(globals), arguments).prop_map(|(name, a)| format!("{name}({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})?.[{b}]")),
            (inner.clone(), prop::sample::select(vec!["length", "name", "0"]))
                .prop_map(|(a, b)| format!("({a})['{b}']")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({{k: {a}, [{b}]: 1}})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("`${{{a}}}é`")),
            inner.prop_map(|a| format!("({a})?.match?.(/(a)|(é)/)")),
        ]
    })
}

proptest! {
    #[test]
    fn no_source_panics_the_compiler(source in prop_oneof![
        ".{0,60}",
        "[-a-z0-9'\"\\\\(){}\\[\\].,?:!&|<>=+*/%`$ éñ😀\n]{0,120}",
        "/[-a-c0-9\\\\(){}\\[\\].,?:!&|<>=+*^$ué😀]{0,30}/[gimsu]{0,2}",
        "(context|\\.|\\?\\.|\\[|\\]|\\(|\\)|'a'|input|=>|=|\\$\\{|`|/|new |typeof |\\.\\.\\.|\\{|\\}|,|;|1|:){0,40}",
    ]) {
        let _ = Script::compile(&source);
    }

    #[test]
    fn no_condition_panics_and_each_has_one_result(source in sources()) {
        let context = Variables(json!({
            "input": "Quiero 2 CAFÉS 😀", "n": 3, "list": ["a", 1, null, [2]], "date": "2026-02-03T10:00",
            "user": {"name": "Ana", "k": {"length": 2}},
        }));
        if let Ok(script) = Script::compile(&source) {
            prop_assert_eq!(run(&script, &context), run(&script, &context));
        }
    }
}
