//! Any spec, any message: no panic, no budget broken, the same out for the same in.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};
use wigwag_crds::{
    FlowSpec,
    common::{LocalRef, Span},
    flow::{
        AssignNode, Case, Choice, ConditionNode, DefaultTrigger, EndNode, GotoNode, Match, MessageNode, Node,
        OptionsNode, SessionPolicy, Severity, Trigger,
    },
};
use wigwag_domain::{Body, Content, Media, MediaKind, Tap, TapKind};
use wigwag_flow::{Effect, Program, SessionStatus, Step, compile};

use crate::support::{Customer, choices, text};

fn owned(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// One in so many parts of a flow is a mistake.
#[derive(Clone, Copy)]
struct Mistakes(u32);

const FEW: Mistakes = Mistakes(200);
const MANY: Mistakes = Mistakes(8);

/// Names of nodes.
fn name(Mistakes(one_in): Mistakes) -> impl Strategy<Value = String> {
    prop_oneof![one_in => owned(&["a", "b", "c", "d"]), 1 => owned(&["e", "", "nowhere"])]
}

fn source(Mistakes(one_in): Mistakes) -> impl Strategy<Value = String> {
    prop_oneof![
        one_in => owned(&[
            "1", "n + 1", "n < 3", "true", "input", "[n, input]", "list + [input]", "list.map(x, text(x))", "contact.x",
            "contact", "event", "event.text == input", "lastOptionMatched", "lastInteractiveId == 'x'", "missing", "1 / 0",
            "text(event) + text(contact)", "long + long", "input + input", "size(inputHistory) > 2", "_meta", "now",
        ]),
        1 => ".{0,20}",
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => owned(&["hola", "X", "Opción", "2", "x", "{{ n }}", "\0", "  ", "👩‍👩‍👧‍👧", "سلام", "a~0123456789ab"]),
        1 => "\\PC{0,30}",
        1 => select(vec!["ñ", "ab ", "👍"]).prop_map(|unit| unit.repeat(3_000)),
    ]
}

fn template(few: Mistakes) -> impl Strategy<Value = String> {
    let value = source(few).prop_map(|source| format!("{{{{ {source} }}}}"));
    let part = prop_oneof![
        few.0 => prop_oneof![owned(&["Hola ", "👍", "{", "ñ\0 "]).boxed(), value.boxed()],
        1 => words(),
    ];
    vec(part, 1..4).prop_map(|parts| parts.concat())
}

fn node(few: Mistakes) -> impl Strategy<Value = Node> {
    let next = move || option::weighted(0.8, name(few));
    let title =
        prop_oneof![few.0 => owned(&["X", "Opción", "opcion", "Una opción muy larga, de verdad", "2"]), 1 => words()];
    let id = prop_oneof![few.0 => Just(String::new()), 1 => "[a-z~]{0,3}"];
    let choice = (id, title, option::of(owned(&["d", "{{ n }}"])), next())
        .prop_map(|(id, title, description, next)| Choice { id, title, description, next });
    let choices = vec(choice, 1..6).prop_map(|choices: Vec<Choice>| {
        let named = choices.into_iter().enumerate();
        named.map(|(n, one)| Choice { id: if one.id.is_empty() { format!("o{n}") } else { one.id }, ..one }).collect()
    });
    let message = (template(few), next())
        .prop_map(|(text, next)| Node { message: Some(MessageNode { text, next }), ..Node::default() });
    let options = (template(few), choices, option::of(owned(&["Menú", "{{ n }}"])), next()).prop_map(
        |(text, options, list_button, no_match)| Node {
            options: Some(OptionsNode { text, options, list_button, no_match }),
            ..Node::default()
        },
    );
    let case = (source(few), name(few)).prop_map(|(when, next)| Case { when, next });
    let condition = (vec(case, 1..4), next())
        .prop_map(|(cases, else_)| Node { condition: Some(ConditionNode { cases, else_ }), ..Node::default() });
    let variable = prop_oneof![few.0 => owned(&["n", "list", "long", "contact.x", "contact.name", "m"]), 1 => owned(&["input", "", "a b"])];
    let set = vec((variable, source(few)), 1..4).prop_map(BTreeMap::from_iter);
    let assign =
        (set, next()).prop_map(|(set, next)| Node { assign: Some(AssignNode { set, next }), ..Node::default() });
    let goto = name(few).prop_map(|node| Node { goto: Some(GotoNode { node }), ..Node::default() });
    let end =
        option::of(owned(&["done", "\0"])).prop_map(|reason| Node { end: Some(EndNode { reason }), ..Node::default() });
    prop_oneof![4 => message, 5 => options, 3 => condition, 4 => assign, 1 => goto, 1 => end]
}

fn trigger(few: Mistakes) -> impl Strategy<Value = Trigger> {
    let form = select(vec![Match::Exact, Match::Word, Match::Contains]);
    let word = prop_oneof![few.0 => owned(&["hola", "Opción", "👍", "x"]), 1 => words()];
    let keyword = (word, option::of(form)).prop_map(|(keyword, match_)| Trigger {
        keyword: Some(keyword),
        match_,
        default: None,
    });
    prop_oneof![9 => keyword, 1 => Just(Trigger { default: Some(DefaultTrigger {}), ..Trigger::default() })]
}

fn specs(few: Mistakes) -> impl Strategy<Value = FlowSpec> {
    let twice = vec((name(few), node(few)), usize::from(few.0 < 20));
    let nodes = (vec(node(few), 4..5), twice).prop_map(|(first, more)| {
        let first = ["a", "b", "c", "d"].into_iter().map(str::to_owned).zip(first);
        first.chain(more).map(|(name, node)| Node { name, ..node }).collect()
    });
    (vec(trigger(few), 1..4), name(few), nodes).prop_map(|(triggers, start, nodes)| FlowSpec {
        tenant_ref: LocalRef { name: "acme".to_owned() },
        priority: 0,
        triggers,
        start,
        nodes,
        session: SessionPolicy { timeout: Span::from_secs(3_600) },
    })
}

/// What a customer does next; a tap is on one of the options that they saw, old ones among them.
#[derive(Clone, Debug)]
enum Act {
    Say(String),
    Tap(usize),
    Send(Content),
}

fn act() -> impl Strategy<Value = Act> {
    let tap = ("[a-z~]{0,5}", words())
        .prop_map(|(id, title)| Content::Tap(Tap { kind: TapKind::ListReply, id, title, description: None }));
    let media = option::of(words()).prop_map(|caption| {
        Content::Media(Media { kind: MediaKind::Image, id: "1".to_owned(), mime_type: None, caption, filename: None })
    });
    let place = Just(Content::Location { latitude: 1.5, longitude: -2.0, name: None, address: Some("\0".to_owned()) });
    let reaction = Just(Content::Reaction { message_id: "wamid.1".to_owned(), emoji: None });
    prop_oneof![
        4 => words().prop_map(Act::Say),
        4 => any::<usize>().prop_map(Act::Tap),
        1 => prop_oneof![tap.boxed(), media.boxed(), place.boxed(), reaction.boxed()].prop_map(Act::Send),
    ]
}

/// Whether a message is one that Meta takes.
fn fits(body: &Body) -> bool {
    let units = |text: &str, max: usize| (1..=max).contains(&text.encode_utf16().count()) && !text.trim().is_empty();
    let no_nul = !serde_json::to_string(body).unwrap().contains("\\u0000");
    let unlike = choices(body)
        .iter()
        .enumerate()
        .all(|(n, one)| choices(body)[..n].iter().all(|other| one.title != other.title));
    no_nul
        && unlike
        && match body {
            Body::Text { text } => units(text, 4_096),
            Body::Buttons { text, buttons } => {
                units(text, 1_024)
                    && (1..=3).contains(&buttons.len())
                    && buttons
                        .iter()
                        .all(|one| units(&one.id, 256) && units(&one.title, 20) && one.description.is_none())
            }
            Body::List { text, button, rows } => {
                units(text, 4_096)
                    && units(button, 20)
                    && (4..=10).contains(&rows.len())
                    && rows.iter().all(|row| {
                        units(&row.id, 200)
                            && units(&row.title, 24)
                            && row.description.as_ref().is_none_or(|text| units(text, 72))
                    })
            }
        }
}

fn within_budgets(step: &Step) -> Result<(), TestCaseError> {
    prop_assert!(step.effects.len() <= 500);
    for Effect::Send { body, .. } in &step.effects {
        prop_assert!(fits(body), "{:?}", body);
    }
    let stored = step.session.to_json();
    prop_assert!(stored.len() < 512 * 1_024, "{} bytes", stored.len());
    prop_assert!(!stored.contains("\\u0000"), "{}", stored);
    let variables = serde_json::to_string(&step.session.variables).unwrap();
    prop_assert!(variables.len() <= 96 * 1_024, "{} bytes", variables.len());
    prop_assert_eq!(step.failure.is_some(), step.session.status() == SessionStatus::Errored);
    prop_assert!(step.session.status() != SessionStatus::Active, "a step ends waiting, or ends");
    prop_assert_eq!(step.session.is_open(), step.session.waiting_since().is_some());
    Ok(())
}

fn converse(program: Program, acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut customer = Customer::with(program);
    let mut seen = Vec::new();
    for act in acts {
        let content = match act {
            Act::Say(words) => text(&words),
            Act::Tap(_) if seen.is_empty() => text("hola"),
            Act::Tap(which) => {
                let choice: &wigwag_domain::Choice = &seen[which % seen.len()];
                crate::support::tap(choice)
            }
            Act::Send(content) => content,
        };
        if customer.session.is_none() && !content.steps_a_session() {
            continue;
        }
        // Steps twice and compares.
        let step = customer.send(content);
        within_budgets(&step)?;
        for Effect::Send { body, .. } in &step.effects {
            seen.extend(choices(body).iter().cloned());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn any_flow_and_any_messages_keep_the_budgets(spec in specs(FEW), acts in vec(act(), 1..12)) {
        if let Some(program) = compile("f", "0123456789ab", &spec).program {
            converse(program, acts)?;
        }
    }

    #[test]
    fn any_spec_is_compiled_or_refused_with_an_error(spec in specs(MANY)) {
        let compiled = compile("f", "0123456789ab", &spec);
        let errors = compiled.findings.iter().any(|finding| finding.severity == Severity::Error);
        prop_assert_eq!(compiled.program.is_none(), errors);
        for finding in &compiled.findings {
            prop_assert!(!finding.field.is_empty() || finding.message.contains("kind"), "{}", finding);
            prop_assert!(finding.message.len() < 1_000, "{}", finding);
        }
    }
}

#[test]
fn most_flows_of_these_tests_run() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut program = || compile("f", "0", &specs(FEW).new_tree(&mut runner).unwrap().current()).program;
    let run = (0..200).filter_map(|_| program()).count();
    assert!(run >= 100, "{run} of 200");
}
