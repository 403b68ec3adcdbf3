//! Flows of every sort: every node kind, every field, some of it wrong.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use wigwag_crds::FlowSpec;

/// One in so many parts of a flow is a mistake.
#[derive(Clone, Copy)]
pub struct Mistakes(pub u32);

pub const FEW: Mistakes = Mistakes(400);
pub const MANY: Mistakes = Mistakes(8);

/// Names of the nodes; and of the flows, which call each other.
const NODES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
pub const FLOWS: [&str; 3] = ["one", "two", "nowhere"];

fn any_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

/// What is written, or one in so many times something else.
fn mostly(
    Mistakes(one_in): Mistakes,
    right: BoxedStrategy<Value>,
    wrong: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    prop_oneof![one_in => right, 1 => wrong].boxed()
}

fn name(few: Mistakes) -> BoxedStrategy<Value> {
    mostly(few, any_of(&NODES), any_of(&["", "nowhere", "z"]))
}

/// A map with these fields; those without a value are left out.
fn map(fields: Vec<(&'static str, BoxedStrategy<Option<Value>>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let named = move |values: Vec<Option<Value>>| {
        let fields = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Value::Object(fields.collect())
    };
    values.prop_map(named).boxed()
}

fn must(value: BoxedStrategy<Value>) -> BoxedStrategy<Option<Value>> {
    value.prop_map(Some).boxed()
}

fn may(chance: f64, value: BoxedStrategy<Value>) -> BoxedStrategy<Option<Value>> {
    option::weighted(chance, value).boxed()
}

fn source(few: Mistakes) -> BoxedStrategy<Value> {
    let right = any_of(&[
        "1",
        "x + 1",
        "x < 3",
        "true",
        "input",
        "[x, input]",
        "list + [input]",
        "list.map(i, text(i))",
        "contact.x",
        "contact",
        "event",
        "event.text == input",
        "lastOptionMatched",
        "lastInteractiveId == 'o1'",
        "missing",
        "1 / 0",
        "text(event) + text(contact)",
        "long + long",
        "input + input",
        "size(inputHistory) > 2",
        "_meta",
        "now",
        "error.kind",
        "args",
        "args.x",
        "tenant.shop",
        "resume",
        "has(args.x)",
        "x == null",
        "long",
    ]);
    mostly(few, right, ".{0,20}".prop_map(Value::from).boxed())
}

pub fn words() -> BoxedStrategy<String> {
    prop_oneof![
        5 => select(vec![
            "hola", "X", "Opción", "2", "x", "{{ x }}", "\0", "  ", "👩‍👩‍👧‍👧", "سلام", "a~0123456789ab", "24/12", "15:30",
            "mañana", "1.500", "ana@example.com", "+54 9 11 5555-0000", "..", "a\r\nb", "o1",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,30}",
        1 => select(vec!["ñ", "ab ", "👍", "\u{1}"]).prop_map(|unit| unit.repeat(3_000)),
    ]
    .boxed()
}

fn template(few: Mistakes) -> BoxedStrategy<Value> {
    let value = source(few).prop_map(|source| format!("{{{{ {} }}}}", source.as_str().unwrap_or_default()));
    let plain = select(vec!["Hola ", "👍", "{ ", "ñ ", "a. B. "]).prop_map(str::to_owned);
    let part = prop_oneof![few.0 => prop_oneof![plain.boxed(), value.boxed()], 1 => words()];
    vec(part, 1..4).prop_map(|parts| parts.concat().into()).boxed()
}

/// A text, or one for each language.
fn text(few: Mistakes) -> BoxedStrategy<Value> {
    let both = (template(few), template(few)).prop_map(|(es, pt)| json!({"es": es, "pt-BR": pt}));
    prop_oneof![6 => template(few), 1 => both].boxed()
}

fn title(few: Mistakes) -> BoxedStrategy<Value> {
    let right = any_of(&["X", "Opción", "opcion", "Una opción muy larga, de verdad", "2", "سلام", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦"]);
    let both = (right.clone(), right.clone()).prop_map(|(es, pt)| json!({"es": es, "pt-BR": pt})).boxed();
    mostly(few, prop_oneof![5 => right, 1 => both].boxed(), words().prop_map(Value::from).boxed())
}

fn span(few: Mistakes, spans: &'static [&'static str]) -> BoxedStrategy<Value> {
    mostly(few, any_of(spans), any_of(&["0s", "3650d"]))
}

const SPANS: &[&str] = &["1s", "30s", "5m", "2h", "20h", "30d"];

fn approval(few: Mistakes) -> BoxedStrategy<Value> {
    let parameter = prop_oneof![
        map(vec![("value", must(text(few))), ("default", may(0.5, any_of(&["amigo"])))]),
        map(vec![("component", must(any_of(&["UrlButton"]))), ("value", must(text(few)))]),
        map(vec![
            ("component", must(any_of(&["Header"]))),
            ("media", must(any_of(&["Image"]))),
            ("value", must(any_of(&["https://a.example.com/{{ input }}", "{{ input }}"]))),
        ]),
        map(vec![
            ("component", must(any_of(&["QuickReply"]))),
            ("index", must((0..3).prop_map(Value::from).boxed())),
            ("value", must(any_of(&["o1"]))),
        ]),
    ];
    let parameters = vec(parameter, 0..3).prop_map(Value::from).boxed();
    map(vec![
        ("name", must(any_of(&["t"]))),
        ("parameters", must(parameters)),
        ("language", may(0.3, any_of(&["es_AR"]))),
    ])
}

fn expressions(few: Mistakes, names: &'static [&'static str], least: usize) -> BoxedStrategy<Value> {
    let name = prop_oneof![few.0 => select(names), 1 => select(vec!["input", "", "a b"])];
    let entry = (name.prop_map(str::to_owned), source(few));
    vec(entry, least..4).prop_map(|entries| Value::Object(Map::from_iter(entries))).boxed()
}

const VARIABLES: &[&str] = &["x", "list", "long", "contact.x", "contact.name", "m"];

/// What a node that sends has beside its words.
fn delivery(few: Mistakes) -> Vec<(&'static str, BoxedStrategy<Option<Value>>)> {
    vec![("template", may(0.2, approval(few))), ("onFail", may(0.2, name(few)))]
}

fn patience(few: Mistakes) -> Vec<(&'static str, BoxedStrategy<Option<Value>>)> {
    vec![("timeout", may(0.3, span(few, SPANS))), ("onTimeout", may(0.2, name(few)))]
}

fn file(few: Mistakes) -> Vec<(&'static str, BoxedStrategy<Option<Value>>)> {
    let url = any_of(&["https://a.example.com/{{ input }}", "{{ input }}", "{{ missing }}", "https://a.example.com/b"]);
    vec![("url", must(mostly(few, url, words().prop_map(Value::from).boxed()))), ("filename", may(0.3, template(few)))]
}

fn options(few: Mistakes) -> BoxedStrategy<Value> {
    let choice =
        map(vec![("title", must(title(few))), ("description", may(0.3, title(few))), ("next", may(0.7, name(few)))]);
    let number = |(index, mut choice): (usize, Value)| {
        choice["id"] = format!("o{index}").into();
        choice
    };
    let choices = vec(choice, 1..6).prop_map(move |all| all.into_iter().enumerate().map(number).collect::<Value>());
    let header = prop_oneof![
        map(vec![("text", must(text(few)))]),
        map([vec![("type", must(any_of(&["Image", "Document"])))], file(few)].concat())
            .prop_map(|file| json!({"media": file})),
    ];
    let own = vec![
        ("text", must(text(few))),
        ("options", must(choices.boxed())),
        ("header", may(0.1, header.boxed())),
        ("footer", may(0.2, text(few))),
        ("listButton", may(0.2, title(few))),
        ("retries", may(0.4, (0..4).prop_map(Value::from).boxed())),
        ("retryText", may(0.2, text(few))),
        ("noMatch", may(0.5, name(few))),
        ("stale", may(0.3, name(few))),
    ];
    map([own, patience(few), delivery(few)].concat())
}

fn ask(few: Mistakes) -> BoxedStrategy<Value> {
    let wanted = prop_oneof![
        any_of(&["Text", "Number", "Email", "Phone", "Date", "Time", "Location", "Media"])
            .prop_map(|type_| json!({"type": type_})),
        Just(json!({"type": "Choice", "choices": ["Opción", "X"]})),
        Just(json!({"type": "Number", "min": 1, "max": "2.5"})),
        Just(json!({"type": "Date", "min": "today"})),
        Just(json!({"type": "Text", "pattern": "[a-z]+", "min": 2})),
    ];
    let own = vec![
        ("text", must(text(few))),
        ("into", must(mostly(few, any_of(VARIABLES), any_of(&["now", "a b"])))),
        ("retries", may(0.4, (0..4).prop_map(Value::from).boxed())),
        ("retryText", may(0.3, text(few))),
        ("onInvalid", may(0.5, name(few))),
        ("next", may(0.8, name(few))),
    ];
    let ask = map([own, patience(few), delivery(few)].concat());
    (ask, wanted)
        .prop_map(|(mut ask, wanted)| {
            if let (Some(ask), Value::Object(wanted)) = (ask.as_object_mut(), wanted) {
                ask.extend(wanted);
            }
            ask
        })
        .boxed()
}

fn form(few: Mistakes) -> BoxedStrategy<Value> {
    let data = template(few).prop_map(|text| json!({"a": text, "b": [1, "{{ x }}"]})).boxed();
    let own = vec![
        ("header", may(0.3, text(few))),
        ("body", must(text(few))),
        ("footer", may(0.3, text(few))),
        ("cta", must(text(few))),
        ("flowId", must(any_of(&["1"]))),
        ("data", may(0.5, data)),
        ("into", must(any_of(VARIABLES))),
        ("next", may(0.8, name(few))),
    ];
    map([own, patience(few), delivery(few)].concat())
}

fn http(few: Mistakes) -> BoxedStrategy<Value> {
    let header =
        (any_of(&["X-A", "X-B"]), template(few)).prop_map(|(name, value)| json!({"name": name, "value": value}));
    let body =
        prop_oneof![template(few), (template(few), source(few)).prop_map(|(a, b)| json!({"a": a, "b": [b, 1, null]}))];
    let url = any_of(&["https://a.example.com/{{ input }}", "http://a.example.com/{{ x }}/b?c={{ long }}"]);
    let ways = map(["timeout", "network", "refused", "tooLarge", "invalid", "4xx", "5xx", "unknown"]
        .map(|class| (class, may(0.4, name(few))))
        .to_vec());
    map(vec![
        ("method", may(0.7, any_of(&["GET", "POST", "DELETE"]))),
        ("url", must(mostly(few, url, any_of(&["{{ input }}", "https://{{ input }}/"])))),
        ("headers", may(0.5, vec(header, 1..2).prop_map(Value::from).boxed())),
        ("body", may(0.5, body.boxed())),
        ("timeout", may(0.5, span(few, &["1s", "30s", "2m"]))),
        ("into", may(0.6, any_of(VARIABLES))),
        ("onError", may(0.6, ways)),
        ("next", may(0.8, name(few))),
    ])
}

fn node(few: Mistakes) -> BoxedStrategy<Value> {
    let next = || ("next", may(0.8, name(few)));
    let on_timeout = || ("onTimeout", may(0.4, name(few)));
    let message = map([vec![("text", must(text(few))), next()], delivery(few)].concat());
    let by_template = map(vec![("template", must(approval(few))), next(), ("onFail", may(0.5, name(few)))]);
    let kinds = any_of(&["Image", "Video", "Audio", "Document", "Sticker"]);
    let media =
        [vec![("type", must(kinds)), ("caption", may(0.5, text(few))), next()], file(few), delivery(few)].concat();
    let case = map(vec![("when", must(source(few))), ("next", must(name(few)))]);
    let cases = vec(case, 1..4).prop_map(Value::from).boxed();
    let way = map(vec![("weight", must((1..5).prop_map(Value::from).boxed())), ("next", may(0.8, name(few)))]);
    let ways = vec(way, 2..4).prop_map(Value::from).boxed();
    let call = map(vec![
        ("flow", must(any_of(&["one", "two", "two", "nowhere"]))),
        ("args", may(0.5, expressions(few, &["x", "y"], 0))),
        ("into", may(0.5, any_of(VARIABLES))),
        next(),
    ]);
    let handoff = map(vec![
        ("queue", may(0.5, template(few))),
        ("note", may(0.5, template(few))),
        ("timeout", must(span(few, SPANS))),
        on_timeout(),
        next(),
    ]);
    let wait_for =
        map(vec![("into", may(0.6, any_of(VARIABLES))), ("timeout", must(span(few, SPANS))), on_timeout(), next()]);
    let kind = prop_oneof![
        4 => message.prop_map(|kind| json!({"message": kind})),
        1 => by_template.prop_map(|kind| json!({"message": kind})),
        5 => options(few).prop_map(|kind| json!({"options": kind})),
        3 => ask(few).prop_map(|kind| json!({"ask": kind})),
        2 => map(media).prop_map(|kind| json!({"media": kind})),
        2 => form(few).prop_map(|kind| json!({"whatsappFlow": kind})),
        2 => map(vec![("cases", must(cases)), ("else", may(0.7, name(few)))]).prop_map(|kind| json!({"condition": kind})),
        3 => map(vec![("set", must(expressions(few, VARIABLES, 1))), next()]).prop_map(|kind| json!({"assign": kind})),
        3 => http(few).prop_map(|kind| json!({"http": kind})),
        2 => map(vec![("for", must(span(few, SPANS))), next()]).prop_map(|kind| json!({"delay": kind})),
        2 => wait_for.prop_map(|kind| json!({"waitFor": kind})),
        1 => map(vec![("ways", must(ways))]).prop_map(|kind| json!({"split": kind})),
        2 => call.prop_map(|kind| json!({"call": kind})),
        2 => handoff.prop_map(|kind| json!({"handoff": kind})),
        1 => name(few).prop_map(|node| json!({"goto": {"node": node}})),
        1 => map(vec![("reason", may(0.5, template(few))), ("result", may(0.5, expressions(few, &["x", "y"], 0)))])
            .prop_map(|kind| json!({"end": kind})),
    ];
    (kind, option::weighted(0.2, name(few)))
        .prop_map(|(mut node, on_error)| {
            if let Some(on_error) = on_error {
                node["onError"] = on_error;
            }
            node
        })
        .boxed()
}

fn trigger(few: Mistakes) -> BoxedStrategy<Value> {
    let keyword = map(vec![
        ("keyword", must(mostly(few, any_of(&["hola", "Opción", "👍", "x"]), words().prop_map(Value::from).boxed()))),
        ("match", may(0.5, any_of(&["Exact", "Word", "Contains"]))),
        ("interrupt", may(0.2, Just(json!(true)).boxed())),
    ]);
    let sorts = select(vec!["default", "media", "location", "order", "referral", "manual"]);
    prop_oneof![4 => keyword, 2 => sorts.prop_map(|sort| json!({sort: {}}))].boxed()
}

pub fn specs(few: Mistakes) -> impl Strategy<Value = FlowSpec> {
    let session = map(vec![
        ("timeout", may(0.5, span(few, SPANS))),
        ("onTimeout", may(0.3, name(few))),
        ("maxAge", may(0.3, span(few, &["1h", "1d", "90d"]))),
    ]);
    let nodes = vec(node(few), 6).prop_map(|nodes| {
        let named = NODES.into_iter().zip(nodes).map(|(name, mut node)| {
            node["name"] = name.into();
            node
        });
        named.collect::<Value>()
    });
    let spec = map(vec![
        ("triggers", must(vec(trigger(few), 1..4).prop_map(Value::from).boxed())),
        ("start", must(name(few))),
        ("nodes", must(nodes.boxed())),
        ("session", must(session)),
        ("onError", may(0.3, name(few))),
        ("suspend", may(0.1, Just(json!(true)).boxed())),
    ]);
    spec.prop_filter_map("spans parse", |mut spec| {
        spec["tenantRef"] = json!({"name": "acme"});
        serde_json::from_value(spec).ok()
    })
}

/// Any JSON at all.
fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
        any_of(&["id", "type", "data", "nodes", "a", "b", "trigger", "{{ input }}", "opt-0", "true"]),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let key = prop_oneof![
            select(vec!["nodes", "edges", "id", "type", "data", "source", "target"]).prop_map(str::to_owned),
            ".{0,5}"
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
    .boxed()
}

/// What the editor saves, with some of it broken.
fn drawn(few: Mistakes) -> BoxedStrategy<Value> {
    let field = move |right: BoxedStrategy<Value>| must(mostly(few, right, json()));
    let texts = any_of(&["Hola {{input}}", "{{a.b}}", "{{context.inputHistory[0].text}}", "{{", "{{1+1}}", "x"]);
    let scripts = any_of(&[
        "context.input.includes('x')",
        "context.a?.b === '1'",
        "/x+/.test(context.input)",
        "context.messageCount > 2",
        "null.x",
        "(() => 1)()",
        "context.inputHistory.length",
        "new Date().getHours() < 12",
        "x = 1",
        "'a'.repeat(1e9)",
    ]);
    let choices = vec(any_of(&["Uno", "Otro más", "uno", "👍", "Una opción de verdad larga"]), 2..6)
        .prop_map(Value::from)
        .boxed();
    let data = map(vec![
        ("name", field(texts.clone())),
        ("text", field(texts.clone())),
        ("keyword", field(any_of(&["hola", "default", "x"]))),
        ("options", field(choices)),
        ("seconds", field(prop_oneof![Just(json!(1)), Just(json!("60")), Just(json!(90))].boxed())),
        ("expression", field(scripts)),
        ("url", field(any_of(&["https://a.example.com/{{input}}", "https://a.example.com"]))),
        ("method", field(any_of(&["GET", "POST"]))),
        (
            "headers",
            may(
                0.5,
                prop_oneof![Just(json!({"A": "{{input}}"})), Just(json!([{"key": "A", "value": 1}])), json()].boxed(),
            ),
        ),
        (
            "body",
            field(
                prop_oneof![texts.clone(), Just(json!("{\"a\": {{input}}}")), Just(json!({"a": "{{input}}"}))].boxed(),
            ),
        ),
        ("assignTo", may(0.5, any_of(&["a.b", "a", "context.c", "a[0]"]))),
        ("key", field(any_of(&["a.b", "a", "context.c", "a[0].b"]))),
        ("value", field(texts.clone())),
        ("mediaType", field(any_of(&["image", "document"]))),
        ("cta", field(any_of(&["Ir"]))),
        ("targetNodeId", field(any_of(&NODES))),
        ("useTemplate", may(0.1, Just(json!(true)).boxed())),
        ("templateName", may(0.9, any_of(&["t"]))),
    ]);
    let types = any_of(&[
        "message",
        "options",
        "delay",
        "condition",
        "api",
        "assign",
        "media",
        "whatsapp_flow",
        "handoff",
        "goto",
        "end",
        "options",
    ]);
    let node = map(vec![("type", field(types)), ("data", field(data))]);
    let handles = any_of(&["true", "false", "opt-0", "opt-1", "opt-2", "no-match"]);
    let edge = map(vec![
        ("source", field(any_of(&NODES))),
        ("target", field(any_of(&NODES))),
        ("sourceHandle", may(0.6, handles)),
    ]);
    (vec(node, 6), vec(edge, 4..16))
        .prop_map(|(nodes, edges)| {
            let named = NODES.into_iter().zip(nodes).map(|(name, mut node)| {
                node["id"] = name.into();
                node
            });
            let mut nodes: Vec<Value> = named.collect();
            nodes[0]["type"] = "trigger".into();
            json!({"nodes": nodes, "edges": edges})
        })
        .boxed()
}

pub fn definitions() -> impl Strategy<Value = FlowSpec> {
    let definition = prop_oneof![1 => json(), 2 => drawn(MANY), 6 => drawn(Mistakes(2_000))];
    (definition, any::<bool>()).prop_map(|(definition, sends_forms)| {
        let mut spec = json!({"tenantRef": {"name": "acme"}, "definition": definition});
        if sends_forms {
            spec["whatsappFlow"] = json!({"flowId": "1", "screen": "A"});
        }
        serde_json::from_value(spec).unwrap()
    })
}
