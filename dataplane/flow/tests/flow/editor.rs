//! The editor's form: its file as it is, a conversation through each of its nodes, and the keys that it leaves behind.

use std::time::Duration;

use serde_json::{Value, json};
use wigwag_crds::{
    Flow, FlowSpec,
    flow::{Finding, Severity},
};
use wigwag_domain::{
    Body, CallFailure, CallHeaderValue, CallResult, Content, Media, MediaKind, MediaSource, TemplateComponent,
};
use wigwag_flow::{Release, SessionStatus, What, compile};

use crate::support::{Customer, bodies, body, calls, choices, shown, text};

/// A file of the editor with all twelve node types.
fn example() -> FlowSpec {
    let yaml = include_str!("../../../../examples/editor/flow.yaml");
    serde_saphyr::from_str::<Flow>(yaml).unwrap().spec
}

fn customer() -> Customer {
    let compiled = compile("faro", "0123456789ab", &example());
    assert_eq!(compiled.findings, []);
    Customer::with(compiled.program.unwrap().into())
}

#[test]
fn the_example_has_all_twelve_node_types() {
    let spec = example();
    let definition = spec.definition.unwrap().0;
    let mut types: Vec<_> =
        definition["nodes"].as_array().unwrap().iter().map(|node| node["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    types.dedup();
    let all = [
        "api",
        "assign",
        "condition",
        "delay",
        "end",
        "goto",
        "handoff",
        "media",
        "message",
        "options",
        "trigger",
        "whatsapp_flow",
    ];
    assert_eq!(types, all);
}

const MENU: &str = "¿Qué necesitás? [Ver novedades] [Estado de mi pedido] [Reservar un retiro] [Hablar con alguien]";
const NUMBER: &str = "Escribime el número de tu pedido. [No lo tengo] [Volver al menú]";

#[test]
fn a_customer_sees_the_new_books_after_a_pause() {
    let mut ana = customer();
    let said = ana.says("¡Hola!");
    assert_eq!(said[0], "¡Hola! Esta es la librería El Faro.");
    assert_eq!(said[1], "Image Url(\"https://faro.example.com/vidriera.jpg\") La vidriera de esta semana");
    assert_eq!(said[2], MENU);
    assert_eq!(ana.says("quiero un pez"), ["No entendí «quiero un pez».", MENU], "no-match, goto");

    assert_eq!(ana.says("1"), ["Busco las novedades…"]);
    assert_eq!((ana.session().node.as_str(), ana.session().holds_messages_until().is_some()), ("pausa", true));
    assert!(!ana.after(Duration::from_secs(2)).taken);
    let Body::Media(file) = body(&ana.after(Duration::from_secs(1))) else { panic!("a file") };
    let url = "https://faro.example.com/novedades.pdf?para=2026-01-01T00%3A00%3A03.000Z";
    assert_eq!((file.kind, file.source), (MediaKind::Document, MediaSource::Url(url.to_owned())));
    assert_eq!((file.caption.as_deref(), file.filename.as_deref()), (Some("Novedades del mes"), Some("novedades.pdf")));
    assert_eq!((ana.session().status(), ana.context("endReason")), (SessionStatus::Completed, json!("resuelto")));
}

/// A customer whose order is looked for.
fn asking(number: &str) -> (Customer, wigwag_domain::EffectId) {
    let mut ana = customer();
    assert_eq!(ana.says("¿Dónde está mi pedido?"), [NUMBER], "the other trigger begins elsewhere");
    let step = ana.send(text(number));
    let id = calls(&step).first().unwrap_or_else(|| panic!("{step:?}")).0;
    (ana, id)
}

#[test]
fn an_order_is_looked_up_with_what_the_customer_wrote() {
    let mut ana = customer();
    ana.says("mi pedido");
    assert_eq!(ana.says("uno\" rojo"), ["«uno\" rojo» no parece un número de pedido.", NUMBER]);
    let step = ana.send(text(" 12345 "));
    let call = calls(&step).remove(0).1;
    assert_eq!((call.method.as_str(), call.timeout_ms, call.repeatable), ("POST", 15_000, false));
    assert_eq!(call.url, "https://api.faro.example.com/pedidos/12345/consultas");
    let headers: Vec<_> = call.headers.iter().map(|header| (header.name.as_str(), header.value.clone())).collect();
    let plain = |text: &str| CallHeaderValue::Plain(text.to_owned());
    assert_eq!(headers, [("Accept", plain("application/json")), ("X-Canal", plain("whatsapp"))]);
    let body = call.body.unwrap();
    assert_eq!(body.content_type, "application/json");
    assert_eq!(serde_json::from_str::<Value>(&body.text).unwrap(), json!({"pedido": "12345", "mensajes": 3}));
}

#[test]
fn whatever_an_endpoint_answers_is_kept_and_the_conversation_goes_on() {
    let (mut ana, id) = asking("12345");
    let found =
        CallResult::Answered { status: 200, body: json!({"etapas": [{"nombre": "en camino"}, {"nombre": "listo"}]}) };
    assert_eq!(shown(&ana.result(id, &found)), ["Tu pedido 12345 está en camino."]);
    assert_eq!(ana.session().status(), SessionStatus::Completed);

    for (result, kept) in [
        (CallResult::Answered { status: 404, body: json!({"mensaje": "no está"}) }, json!({"mensaje": "no está"})),
        (CallResult::Answered { status: 500, body: json!("<html>") }, json!("<html>")),
        (
            CallResult::Failed { class: CallFailure::Timeout, message: "too slow".to_owned() },
            json!({"error": "API call failed"}),
        ),
        (
            CallResult::Failed { class: CallFailure::Refused, message: "not there".to_owned() },
            json!({"error": "API call failed"}),
        ),
    ] {
        let (mut ana, id) = asking("12345");
        let Body::Template(template) = body(&ana.result(id, &result)) else { panic!("a template") };
        assert_eq!((template.name.as_str(), template.language.as_str()), ("pedido_sin_estado", "es_AR"));
        assert_eq!(template.parameters[1].component, TemplateComponent::UrlButton(0));
        assert_eq!(ana.variable("pedido"), &json!({"numero": "12345", "estado": kept}));
    }
}

#[test]
fn a_form_is_sent_and_its_answer_read() {
    let mut ana = customer();
    let menu = bodies(&ana.send(text("hola"))).pop().unwrap();
    let reply = choices(&menu)[2].clone();
    let Body::Form(form) = body(&ana.send(crate::support::tap(&reply))) else { panic!("a form") };
    assert_eq!(
        (form.flow_id.as_str(), form.screen.as_deref(), form.cta.as_str()),
        ("1384920555", Some("RETIRO"), "Reservar")
    );
    let expected = json!({"header": "Retiro en el local", "body": "Elegí el día y la hora en que pasás.", "footer": "Librería El Faro", "cta": "Reservar"});
    assert_eq!(ana.context("pendingWhatsAppFlow"), expected);
    assert_eq!((ana.context("lastBotMessageType"), ana.context("lastInteractiveId")), (json!("flow"), json!("opt-2")));
    let answer = json!({"dia": "lunes", "flow_token": form.token});
    assert_eq!(shown(&ana.send(Content::Form { answer })), ["Te esperamos el lunes."]);
}

#[test]
fn without_the_forms_name_only_its_key_is_set_with_a_warning() {
    let mut spec = example();
    spec.whatsapp_flow = None;
    let compiled = compile("faro", "0", &spec);
    let [finding] = &compiled.findings[..] else { panic!("{:#?}", compiled.findings) };
    assert_eq!((finding.severity, finding.node.as_deref()), (Severity::Warning, Some("retiro")));
    assert!(finding.message.contains("write spec.whatsappFlow"), "{finding}");
    let mut ana = Customer::with(compiled.program.unwrap().into());
    ana.says("hola");
    assert_eq!(ana.says("3"), ["Te esperamos el ."]);
    assert_eq!(ana.context("pendingWhatsAppFlow")["cta"], "Reservar");
}

#[test]
fn people_take_over_for_three_days_and_release() {
    let mut ana = customer();
    ana.says("hola");
    assert_eq!(ana.says("hablar con ALGUIEN"), Vec::<String>::new());
    assert!(ana.session().is_with_people());
    assert_eq!(
        (ana.context("handoffQueue"), ana.context("handoffNote")),
        (json!("ventas"), json!("Eligió «Hablar con alguien»"))
    );
    assert_eq!(ana.session().due().map(|due| due.as_millisecond()), Some(ana.now + 72 * 3_600_000));
    assert!(!ana.send(text("¿hola?")).taken);
    assert!(ana.event(What::Released(&Release::default())).taken);
    assert_eq!(ana.context("endReason"), "resuelto");
}

#[test]
fn an_option_is_found_by_both_of_its_ids_its_title_and_its_number() {
    for words in ["opt-3", "hablar_con_alguien", "HABLAR CON ALGUIEN", "4", "4."] {
        let mut ana = customer();
        ana.says("hola");
        ana.says(words);
        assert_eq!(ana.session().node, "persona", "{words}");
        assert_eq!(ana.context("lastSelectedOptionIndex"), 3, "{words}");
    }
}

/// Every key of the contract, with its value after each message. `null` stands for a key that was never set, too.
#[test]
fn every_key_has_the_value_that_the_contract_gives_it() {
    let mut ana = customer();
    let mut look = |content: Content, table: &[(&str, Value)]| {
        ana.send(content);
        let context = ana.stored_context();
        for (key, value) in table {
            let mut at = &context;
            for word in key.split('.') {
                at = word.parse::<usize>().map_or_else(|_| &at[word], |place| &at[place]);
            }
            assert_eq!(at, value, "{key}");
        }
    };
    let at = |second: u32| json!(format!("2026-01-01T00:00:{second:02}.000Z"));
    let options = json!(["Ver novedades", "Estado de mi pedido", "Reservar un retiro", "Hablar con alguien"]);
    look(
        text(" ¡HÓLA! "),
        &[
            ("triggerMessage", json!(" ¡HÓLA! ")),
            ("input", json!(" ¡HÓLA! ")),
            ("lastInput", json!(" ¡HÓLA! ")),
            ("lastInputTrimmed", json!("¡HÓLA!")),
            ("lastInputNormalized", json!("¡hóla!")),
            ("lastUserMessage", json!(" ¡HÓLA! ")),
            ("lastUserMessageRaw", json!(" ¡HÓLA! ")),
            ("lastUserMessageTrimmed", json!("¡HÓLA!")),
            ("lastUserMessageNormalized", json!("¡hóla!")),
            ("lastUserMessageAt", at(1)),
            ("lastInboundAt", at(1)),
            ("lastInboundType", json!("text")),
            ("lastOutboundAt", at(1)),
            ("lastInteractionAt", at(1)),
            ("lastBotMessage", json!("¿Qué necesitás?")),
            ("lastBotMessageAt", at(1)),
            ("lastBotMessageType", json!("options")),
            ("lastBotOptions", options.clone()),
            (
                "lastBotMedia",
                json!({"mediaType": "image", "url": "https://faro.example.com/vidriera.jpg", "caption": "La vidriera de esta semana"}),
            ),
            ("lastUserMedia", Value::Null),
            ("lastInteractiveId", Value::Null),
            ("lastInteractiveType", Value::Null),
            ("lastInteractiveTitle", Value::Null),
            ("lastSelectedOption", Value::Null),
            ("lastSelectedOptionIndex", Value::Null),
            ("lastOptionMatched", Value::Null),
            ("inputHistory", json!([{"text": " ¡HÓLA! ", "timestamp": at(1)}])),
            ("messageCount", json!(1)),
            ("handoffQueue", Value::Null),
            ("handoffNote", Value::Null),
            ("endReason", Value::Null),
            ("pendingWhatsAppFlow", Value::Null),
            (
                "_meta.history.0",
                json!({"direction": "in", "type": "text", "timestamp": at(1), "payload": {"text": " ¡HÓLA! "}}),
            ),
            (
                "_meta.history.1",
                json!({"direction": "out", "type": "text", "timestamp": at(1), "payload": {"text": "¡Hola! Esta es la librería El Faro."}}),
            ),
            ("_meta.history.2.type", json!("media")),
            ("_meta.history.2.payload.media.mediaType", json!("image")),
            (
                "_meta.history.3",
                json!({"direction": "out", "type": "options", "timestamp": at(1), "payload": {"text": "¿Qué necesitás?", "options": options}}),
            ),
        ],
    );
    let photo = Media {
        kind: MediaKind::Image,
        id: "77".to_owned(),
        mime_type: Some("image/png".to_owned()),
        caption: None,
        filename: None,
    };
    look(
        Content::Media(photo),
        &[
            ("input", json!("")),
            ("lastInboundType", json!("option-selection")),
            ("lastUserMedia", json!({"image": {"id": "77", "mime_type": "image/png"}})),
            ("lastSelectedOption", Value::Null),
            ("lastSelectedOptionIndex", Value::Null),
            ("lastOptionMatched", json!(false)),
            ("lastUserMessageAt", at(2)),
            ("messageCount", json!(2)),
            ("triggerMessage", json!(" ¡HÓLA! ")),
            ("inputHistory.1", json!({"text": "", "timestamp": at(2)})),
        ],
    );
    look(
        text("Estado de mi pedido"),
        &[
            ("lastInboundType", json!("option-selection")),
            ("lastUserMedia", Value::Null),
            ("lastSelectedOption", json!("Estado de mi pedido")),
            ("lastSelectedOptionIndex", json!(1)),
            ("lastOptionMatched", json!(true)),
            ("lastInteractiveId", Value::Null),
            ("lastBotOptions", json!(["No lo tengo", "Volver al menú"])),
            ("messageCount", json!(3)),
        ],
    );
    look(
        text("opt-0"),
        &[
            ("handoffQueue", json!("ventas")),
            ("handoffNote", json!("Eligió «No lo tengo»")),
            ("lastSelectedOption", json!("No lo tengo")),
            ("lastBotMessageAt", at(3)),
            ("lastInteractionAt", at(4)),
            ("messageCount", json!(4)),
        ],
    );
}

#[test]
fn a_tap_leaves_its_plain_id_its_type_and_its_title() {
    let mut ana = customer();
    let menu = bodies(&ana.send(text("hola"))).pop().unwrap();
    ana.taps(&menu, "Estado de mi pedido");
    for (key, value) in [
        ("lastInteractiveId", json!("opt-1")),
        ("lastInteractiveType", json!("button_reply")),
        ("lastInteractiveTitle", json!("Estado de mi pedido")),
        ("input", json!("Estado de mi pedido")),
        ("lastSelectedOptionIndex", json!(1)),
    ] {
        assert_eq!(ana.context(key), value, "{key}");
    }
    let history = ana.context("_meta");
    let entry = history["history"].as_array().unwrap().iter().rev().find(|entry| entry["direction"] == "in").unwrap();
    assert_eq!(
        entry["payload"],
        json!({"text": "Estado de mi pedido", "optionIndex": 1, "matchedOption": "Estado de mi pedido",
               "interactiveId": "opt-1", "interactiveType": "button_reply", "interactiveTitle": "Estado de mi pedido"})
    );
}

pub fn check(nodes: &str, edges: &str) -> Vec<Finding> {
    let yaml = format!(
        "{{tenantRef: {{name: acme}}, definition: {{nodes: [{{id: t, type: trigger, data: {{keyword: hola}}}}, {nodes}], edges: [{{source: t, target: z}}, {edges}]}}}}"
    );
    let compiled = compile("f", "0", &crate::support::spec(&yaml));
    assert_eq!(compiled.program.is_none(), compiled.findings.iter().any(|finding| finding.severity == Severity::Error));
    compiled.findings
}

#[test]
fn what_the_editor_would_refuse_is_an_error_at_its_node_and_field() {
    let long = |letters: usize| "x".repeat(letters);
    for (node, field) in [
        ("message, data: {text: ''}".to_owned(), "text"),
        (format!("message, data: {{text: {}}}", long(4_097)), "text"),
        ("message, data: {text: [hola]}".to_owned(), "text"),
        ("message, data: {useTemplate: true}".to_owned(), "templateName"),
        ("options, data: {text: x, options: [Uno]}".to_owned(), "options"),
        (format!("options, data: {{text: x, options: [Uno, {}]}}", long(31)), "options[1]"),
        ("options, data: {text: x, options: [a, b, c, d, e, f, g, h, i, j, k]}".to_owned(), "options"),
        ("delay, data: {seconds: 0}".to_owned(), "seconds"),
        ("delay, data: {seconds: 3601}".to_owned(), "seconds"),
        ("delay, data: {seconds: 1.5}".to_owned(), "seconds"),
        (format!("condition, data: {{expression: {}}}", long(501)), "expression"),
        ("api, data: {url: ''}".to_owned(), "url"),
        ("api, data: {url: 'https://{{host}}/x'}".to_owned(), "url"),
        ("api, data: {url: 'https://a.example.com', method: TRACE}".to_owned(), "method"),
        ("api, data: {url: 'https://a.example.com', assignTo: 'a b'}".to_owned(), "assignTo"),
        (format!("assign, data: {{key: {}, value: x}}", long(51)), "key"),
        (format!("assign, data: {{key: x, value: {}}}", long(501)), "value"),
        ("assign, data: {key: messageCount, value: x}".to_owned(), "key"),
        ("media, data: {mediaType: sticker, url: 'https://a.example.com/x'}".to_owned(), "mediaType"),
        ("media, data: {mediaType: image}".to_owned(), "url"),
        ("whatsapp_flow, data: {body: '', cta: x}".to_owned(), "body"),
        (format!("whatsapp_flow, data: {{body: x, cta: {}}}", long(41)), "cta"),
        ("goto, data: {targetNodeId: nowhere}".to_owned(), "targetNodeId"),
        ("goto, data: {}".to_owned(), "targetNodeId"),
        ("email, data: {}".to_owned(), "type"),
    ] {
        let found = check(&format!("{{id: z, type: {node}}}"), "");
        let errors: Vec<_> = found.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let [error] = errors[..] else { panic!("{node:.60}: {found:#?}") };
        assert_eq!((error.node.as_deref(), error.field.as_str()), (Some("z"), field), "{error}");
    }
}

#[test]
fn what_is_no_file_of_the_editor_is_told_by_its_place() {
    for (definition, field) in [
        ("{}", "definition.nodes"),
        ("{nodes: {}}", "definition.nodes"),
        ("{nodes: [{type: end}]}", "definition.nodes[0].id"),
        ("{nodes: [{id: a}]}", "definition.nodes[0].type"),
        ("{nodes: [[a, end, {}]]}", "definition.nodes[0].id"),
        ("{nodes: [{id: a, type: end, data: 7}]}", "definition.nodes[0].data"),
        ("{nodes: [], edges: [{source: a}]}", "definition.edges[0].target"),
        ("{nodes: [{id: a, type: end}]}", "definition.nodes"),
        ("{nodes: [{id: t, type: trigger, data: {keyword: x}}, {id: t, type: end}]}", "definition.nodes[1].id"),
        (
            "{nodes: [{id: t, type: trigger, data: {keyword: x}}], edges: [{source: u, target: t}]}",
            "definition.edges[0].source",
        ),
    ] {
        let spec = crate::support::spec(&format!("{{tenantRef: {{name: acme}}, definition: {definition}}}"));
        let found = compile("f", "0", &spec).findings;
        assert!(
            found.iter().any(|one| one.field == field && one.severity == Severity::Error),
            "{definition}: {found:#?}"
        );
    }
}

#[test]
fn what_runs_but_deserves_a_look_is_a_warning() {
    for (node, edges, field, says) in [
        (
            "options, data: {name: Menú, text: '', options: [Uno, Otro]}",
            "{source: z, target: z, sourceHandle: no-match}",
            "text",
            "node's name is said",
        ),
        ("options, data: {text: x, options: [Uno, Otro]}", "", "no-match", "draw an edge"),
        ("condition, data: {expression: 'fetch(context.x)'}", "", "expression", "until then it is false"),
        ("condition, data: {expression: 'context.lastImput'}", "", "expression", "did you mean `lastInput`?"),
        ("message, data: {text: '{{lastImput}}'}", "", "text", "did you mean `lastInput`?"),
        ("whatsapp_flow, data: {body: x, cta: ir}", "", "type", "write spec.whatsappFlow"),
    ] {
        let found = check(&format!("{{id: z, type: {node}}}"), edges);
        assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{node}: {found:#?}");
        let finding = found.iter().find(|finding| finding.field == field);
        let finding = finding.unwrap_or_else(|| panic!("{node}: {found:#?}"));
        assert!(finding.message.contains(says), "{finding}");
    }
}

fn flow(nodes: &str, edges: &str) -> Customer {
    Customer::of(&format!(
        "{{tenantRef: {{name: acme}}, definition: {{nodes: [{{id: t, type: trigger, data: {{keyword: default}}}}, {nodes}], edges: [{{source: t, target: z}}, {edges}]}}}}"
    ))
}

#[test]
fn a_condition_without_an_edge_for_its_result_completes_the_session() {
    let mut ana = flow(
        "{id: z, type: condition, data: {expression: \"context.input?.toLowerCase?.().includes('ok')\"}}, {id: m, type: message, data: {text: bien}}",
        "{source: z, target: m, sourceHandle: 'true'}",
    );
    assert_eq!(ana.says("todo OK"), ["bien"]);
    assert_eq!(ana.says("nada"), Vec::<String>::new());
    assert_eq!(ana.session().status(), SessionStatus::Completed);
}

#[test]
fn an_empty_question_says_its_nodes_name() {
    let mut ana = flow("{id: z, type: options, data: {name: ¿Qué?, text: '', options: [Uno, Otro]}}", "");
    assert_eq!(ana.says("hola"), ["¿Qué? [Uno] [Otro]"]);
    assert_eq!(ana.says("tres"), Vec::<String>::new());
    assert_eq!(ana.session().status(), SessionStatus::Completed, "no edge for no match is the end");
}

#[test]
fn what_is_no_path_stays_as_it_is_and_a_customers_braces_are_text() {
    let mut ana = flow(
        "{id: z, type: assign, data: {key: said, value: '{{context.input}}'}}, {id: m, type: message, data: {text: '{{said}} {{1 + 1}} {{ missing }}| {{inputHistory[0].text}}'}}",
        "{source: z, target: m}",
    );
    assert_eq!(ana.says("{{contact.phone}}"), ["{{contact.phone}} {{1 + 1}} | {{contact.phone}}"]);
}

#[test]
fn an_assigned_value_is_always_text_and_objects_print_as_json() {
    let mut ana = flow(
        "{id: z, type: assign, data: {key: a.b, value: '{{messageCount}}'}}, {id: m, type: assign, data: {key: a.c, value: x}}, {id: o, type: message, data: {text: '{{a}}'}}",
        "{source: z, target: m}, {source: m, target: o}",
    );
    assert_eq!(ana.says("hola"), ["{\"b\":\"1\",\"c\":\"x\"}"]);
}

#[test]
fn a_body_that_is_text_keeps_its_quotes_whatever_the_customer_writes() {
    let send = |body: &str, words: &str| {
        let mut ana = flow(&format!("{{id: z, type: api, data: {{url: 'https://a.example.com/', body: {body}}}}}"), "");
        let body = calls(&ana.send(text(words))).remove(0).1.body.unwrap();
        (body.content_type, body.text)
    };
    let json = |value: Value| ("application/json".to_owned(), value.to_string());
    assert_eq!(send("'{\"a\": \"{{input}}\"}'", "x\", \"admin\": \"1"), json(json!({"a": "x\", \"admin\": \"1"})));
    assert_eq!(send("'{\"count\": {{messageCount}}}'", "x"), json(json!({"count": 1})));
    assert_eq!(send("{a: '{{input}}', count: '{{messageCount}}'}", "x"), json(json!({"a": "x", "count": 1})));
    assert_eq!(send("'Hola {{input}}'", "x"), ("text/plain; charset=utf-8".to_owned(), "Hola x".to_owned()));
}

#[test]
fn an_answer_that_takes_the_place_of_the_last_one_is_not_counted_twice() {
    let mut ana = flow(
        "{id: z, type: api, data: {url: 'https://a.example.com/', assignTo: a.b}}, {id: m, type: options, data: {text: '¿Otra?', options: [Dale, Nada]}}",
        "{source: z, target: m}, {source: m, target: z, sourceHandle: opt-0}",
    );
    ana.says("hola");
    for _ in 0..5 {
        let id = calls(&ana.event(What::Moved("z"))).remove(0).0;
        let step = ana.result(id, &CallResult::Answered { status: 200, body: json!("x".repeat(40_000)) });
        assert_eq!((shown(&step).len(), step.failure), (1, None));
    }
}
