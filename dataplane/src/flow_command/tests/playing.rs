//! Scripts, green and red.

use super::Desk;

/// Until the pen is bought.
const BUYS: &str = "
- given: {contact: {name: Eva, attributes: {tier: gold}}}
- customer: hola
- bot: 'What, Eva? [1 Pen] [2 Car]'
- http: {match: {method: post, url: 'https://prices.example/...', body: {what: pen}}, reply: {body: {euros: 2}}}
- customer: {tap: Pen}
- bot: 2 euros.
- expect: {flow: shop, node: rest, status: Active, variables: {euros: 2.0}, contact: {name: Eva, tier: gold, bought: true}}
";

#[track_caller]
fn green(script: &str) {
    let (code, said) = Desk::new().play(script);
    assert_eq!(code, 0, "{said}");
}

/// Plays what goes otherwise and returns what is said of it.
#[track_caller]
fn red(script: &str) -> String {
    let (code, said) = Desk::new().play(script);
    assert_eq!(code, 1, "{said}");
    said
}

#[test]
fn a_conversation_that_goes_as_written_is_green() {
    let desk = Desk::new();
    let script = format!("{BUYS}- wait: 10s\n- bot: Bye!\n- expect: {{status: Completed, reason: bought}}\n");
    assert_eq!(desk.play(&script), (0, "script.yaml: 3 messages of the bot, all as written\n".to_owned()));
}

#[test]
fn what_the_bot_says_otherwise_is_shown_beside_what_was_expected() {
    let said = red("- customer: hola\n\n- bot:\n  - 'What, Eva? [1 Pen] [2 Car]'\n");
    let expected = "script.yaml:3: the bot says something else\n    customer: hola\n  - What, Eva? [1 Pen] [2 Car]\n  + What, Ana? [1 Pen] [2 Car]\n";
    assert_eq!(said, expected);
}

#[test]
fn a_message_that_was_not_expected_and_one_that_did_not_come_are_red() {
    let said = red("- customer: hola\n- customer: x\n- bot: ...\n");
    assert!(
        said.starts_with("script.yaml:1: the bot says something else\n    customer: hola\n  + What, Ana?"),
        "{said}"
    );
    let said = red("- customer: hola\n- bot: ['...', And?]\n");
    assert!(
        said.contains(
            "script.yaml:2: the bot says something else\n    customer: hola\n    What, Ana? [1 Pen] [2 Car]\n  - And?\n"
        ),
        "{said}"
    );
    let said = red("- customer: tschüss\n- bot: ...\n");
    assert!(
        said.ends_with("  - ...\n  · no Flow begins with this: the message is stored, and that is all\n"),
        "{said}"
    );
}

#[test]
fn a_session_that_stands_otherwise_is_red() {
    let said = red(&BUYS
        .replace("node: rest", "node: bye")
        .replace("euros: 2.0", "euros: 3")
        .replace("tier: gold, b", "tier: iron, b"));
    assert!(said.starts_with("script.yaml:8: it stands otherwise\n  - node: bye\n  + node: rest\n  - variables.euros: 3\n  + variables.euros: 2\n  - contact.tier: \"iron\"\n  + contact.tier: \"gold\"\n"), "{said}");
    assert!(said.contains("  · problem at \"cheap\", set.odd: "), "what went wrong unseen is told: {said}");
}

#[test]
fn a_call_without_an_answer_tells_the_lines_to_paste_and_these_play() {
    let said = red("- customer: hola\n- bot: ...\n- customer: {tap: 1}\n");
    let head = "script.yaml:3: a call has no answer: paste, and write what it gets\n";
    let pasted = said.strip_prefix(head).unwrap();
    assert!(pasted.starts_with("- http:\n    match: {\"method\":\"POST\",\"url\":\"https://prices.example/pen\",\"body\":{\"what\":\"pen\"}}\n"), "{said}");
    let pasted =
        pasted.lines().take_while(|line| !line.starts_with("  ·")).map(|line| format!("{line}\n")).collect::<String>();
    let pasted = pasted.replace("\"body\": {}", "\"body\": {\"euros\": 7}");
    green(&format!("- customer: hola\n- bot: ...\n- customer: {{tap: 1}}\n{pasted}- bot: 7 euros.\n"));
}

#[test]
fn an_answer_may_stand_before_what_leads_to_its_call_but_not_behind_the_next() {
    green("- http: {reply: {body: {euros: 1}}}\n- customer: hola\n- bot: ...\n- customer: {tap: 1}\n- bot: ...\n");
    let late = "- customer: hola\n- bot: ...\n- customer: {tap: 1}\n- bot: ...\n- wait: 10s\n- http: {reply: {body: {euros: 1}}}\n";
    assert!(red(late).starts_with("script.yaml:3: a call has no answer"));
}

#[test]
fn another_call_than_the_script_has_and_one_that_is_never_made_are_red() {
    let said = red(&BUYS.replace("{what: pen}", "{what: car}"));
    assert!(said.starts_with("script.yaml:6: the call is another than on line 5\n  - body {\"what\":\"car\"}\n  + body {\"what\":\"pen\"}\n"), "{said}");
    let said = red("- customer: hola\n- bot: ...\n- http: {fail: timeout}\n");
    assert_eq!(
        said,
        "script.yaml:3: this call was not made, and none is due: Flow \"shop\" stands at \"what\" and waits for answer\n"
    );
}

#[test]
fn a_call_fails_as_the_script_says() {
    green(
        "- customer: hola\n- bot: ...\n- customer: {tap: 1}\n- http: {fail: timeout}\n- bot: Nobody knows.\n- expect: {status: Completed}\n",
    );
    green(
        "- customer: hola\n- bot: ...\n- customer: {tap: 1}\n- http: {reply: {status: 503}}\n\
         - expect: {status: Errored, node: price, reason: 'http-5xx: ...'}\n",
    );
}

#[test]
fn what_is_written_during_a_short_pause_waits_for_it() {
    green(&format!("{BUYS}- customer: hola\n- wait: 9s\n- wait: 1s\n- bot: [Bye!, 'What, Eva? [1 Pen] [2 Car]']\n"));
}

#[test]
fn time_that_goes_by_ends_the_patience() {
    green(
        "- customer: hola\n- bot: ...\n- wait: 1h59m\n- customer: x\n- bot: ['Not \"x\".', '...']\n- wait: 1h59m\n\
         - expect: {status: Paused}\n- wait: 1m\n- bot: Anyone there?\n- expect: {status: Completed}\n",
    );
}

/// Until people have sold the car.
const SOLD: &str = "
- customer: hola
- bot: ...
- customer: {tap: Car}
- http: {reply: {body: {euros: 9000}}}
- expect: {node: people, status: Paused}
- customer: anyone?
- release: {variables: {seller: Leo}}
- bot: Sold, Leo.
";

#[test]
fn a_handoff_is_silent_until_people_release_it_and_a_shut_window_takes_the_template() {
    green(&format!(
        "{SOLD}- wait: 30h\n- bot: '[template news en: Ana]'\n- resume: {{node: pay, data: {{sum: 5}}}}\n\
         - expect: {{status: Completed, reason: unreachable, variables: {{paid: {{sum: 5}}}}}}\n"
    ));
}

#[test]
fn a_call_from_outside_that_comes_early_is_kept() {
    green(&format!(
        "{SOLD}- resume: {{node: pay, data: {{sum: 5}}}}\n- wait: 20h\n- customer: still here\n- wait: 10h\n- bot: [How is it?, Paid 5.]\n"
    ));
    let said = red(&format!("{SOLD}- resume: {{node: pya}}\n"));
    assert!(
        said.contains("no conversation waits to be resumed: Flow \"shop\" stands at \"next day\" and waits for delay"),
        "{said}"
    );
}

#[test]
fn a_message_that_fails_later_goes_the_way_of_its_node() {
    let script = "- customer: hola\n- bot: ...\n- fail: {code: 131026}\n- expect: {status: Errored, reason: 'send: ...131026...'}\n";
    green(script);
    assert!(red("- fail: {}\n").contains("nothing was sent that could fail"));
}

#[test]
fn an_old_tap_is_a_tap_and_what_is_not_offered_cannot_be_tapped() {
    green(
        "- customer: hola\n- bot: ...\n- customer: x\n- bot: ['...', '...']\n- customer: {tap: Pen}\n- http: {fail: timeout}\n- bot: Nobody knows.\n",
    );
    let said = red("- customer: hola\n- bot: ...\n- customer: {tap: Boat}\n");
    assert!(
        said.starts_with("script.yaml:3: there is no \"Boat\" to tap: the bot offers \"Pen\", \"Car\"\n"),
        "{said}"
    );
}

const CALLED: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: WhatsAppTenant
metadata: {name: acme}
spec:
  providers: [{name: primary, cloudApi: {phoneNumberId: '1', credentialsSecretRef: {name: meta}}}]
  database: {secretRef: {name: d, key: url}}
  locale: {timezone: America/Bogota}
  variables: {shop: Acme}
  escape: [{words: [stop], end: true}]
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: outer}
spec:
  tenantRef: {name: acme}
  triggers: [{manual: {}}]
  start: in
  nodes:
  - {name: in, call: {flow: inner, args: {who: who}, into: got, next: said}}
  - {name: said, message: {text: '{{ tenant.shop }}: {{ got.word }} at {{ now }}'}}
---
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: inner}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: inner}]
  start: ask
  nodes:
  - {name: ask, ask: {text: 'A word, {{ args.who }}?', into: word, next: out}}
  - {name: out, end: {result: {word: word}}}
";

#[test]
fn a_program_starts_a_flow_that_calls_another_of_the_same_tenant() {
    let desk = Desk::with(CALLED);
    let script = "
- customer: hi
- start: {flow: outer, variables: {who: Leo}}
- bot: A word, Leo?
- expect: {flow: inner, node: ask}
- customer: tree
- bot: 'Acme: tree at 2026-01-05T09:00:00.000-05:00'
- given: {}
";
    let (code, said) = desk.play(script);
    assert_eq!((code, said.as_str()), (2, "script.yaml: line 8: given: put it first\n"));
    let script = script.replace("- given: {}\n", "");
    assert_eq!(desk.play(&script).0, 0, "{}", desk.play(&script).1);
    let stopped = "- customer: inner\n- bot: ...\n- customer: Stop\n- expect: {status: Completed, reason: escape}\n";
    assert_eq!(desk.play(stopped).0, 0, "{}", desk.play(stopped).1);
    let (code, said) = desk.play("- start: outre\n");
    assert_eq!(code, 1);
    assert!(said.contains("there is no Flow \"outre\": write one of \"outer\", \"inner\""), "{said}");
}

#[test]
fn given_variables_are_there_when_the_first_session_begins() {
    let flow = CALLED.replace("[{manual: {}}]", "[{keyword: go}]");
    let desk = Desk::with(&flow);
    let script = "- given: {variables: {who: Mia}, now: 2026-07-01T10:00}\n- customer: go\n- bot: A word, Mia?\n- customer: x\n- bot: '...2026-07-01T10:00:00...'\n";
    let (code, said) = desk.play(script);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_cannot_be_read_is_no_difference() {
    let desk = Desk::new();
    assert_eq!(desk.play("- bto: a\n").0, 2);
    let (code, said) = desk.play("");
    assert!(code == 2 && said.starts_with("script.yaml: it plays nothing: write "), "{said}");
    assert_eq!(
        desk.play("- given: {now: yesterday}\n- customer: hola\n"),
        (2, "script.yaml: \"yesterday\" is no time: write it as 2026-01-05T09:00\n".to_owned())
    );
    let broken = Desk::with(&super::SHOP.replace("next: dear", "next: deer"));
    let (code, said) = broken.play("- customer: hola\n");
    assert_eq!(code, 2);
    assert!(said.starts_with("flows.yaml: node \"price\", next: it names node \"deer\""), "{said}");
    assert_eq!(Desk::with("kind: Secret\napiVersion: v1\nmetadata: {name: a}\n").play("[]").0, 2);
}

#[test]
fn a_program_that_starts_a_flow_does_not_wake_who_opted_out_but_their_own_words_do() {
    let given = "- given: {contact: {attributes: {optedOut: true}}}\n";
    green(&format!("{given}- start: {{flow: shop, message: hola}}\n- expect: {{contact: {{optedOut: true}}}}\n"));
    green(&format!("{given}- customer: hola\n- bot: ...\n- expect: {{contact: {{optedOut: false}}}}\n"));
}
