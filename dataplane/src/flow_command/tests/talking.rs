//! Conversations by a pipe, and what is recorded of them.

use super::{Desk, SHOP};
use crate::flow_command::simulate::Simulate;

#[test]
fn a_pipe_shows_what_the_customer_would_see_and_notes_for_the_author() {
    let said = Desk::new().talk("hola\ndunno\n1\n{\"euros\": 2}\n/wait 10s\n");
    let expected = "What, Ana? [1 Pen] [2 Car]
Not \"dunno\".
What, Ana? [1 Pen] [2 Car]
· http POST https://prices.example/pen {\"what\":\"pen\"} ?
";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("\n· problem at \"cheap\", set.odd: "), "{said}");
    assert!(
        said.ends_with("2 euros.\n· pauses until Mon 2026-01-05 09:00:10\nBye!\n· Flow \"shop\" ended: bought\n"),
        "{said}"
    );
}

#[test]
fn a_handoff_a_held_message_and_a_shut_window_are_noted() {
    let said = Desk::new().talk("hola\n2\nwhat\n{\"euros\": 9000}\nhello?\n/release\n/wait 30h\n/wait 1d\n");
    assert!(said.contains("· write JSON, a status and JSON (404 {}), or timeout"), "{said}");
    assert!(
        said.contains("· people take over until Tue 2026-01-06 09:00:00, queue \"sales\", note \"wants a Car\"\n"),
        "{said}"
    );
    assert!(said.contains("· no Flow answers while people have the conversation: /release gives it back\n"), "{said}");
    assert!(
        said.contains(
            "· the customer has not written for 24 hours: the template goes instead\n[template news en: Ana]\n"
        ),
        "{said}"
    );
    assert!(said.ends_with("· Flow \"shop\" ended: unpaid\n"), "{said}");
    let said = Desk::new().talk("hola\n1\n{\"euros\": 2}\nhola\n");
    assert!(
        said.ends_with("· the message waits for the conversation, until Mon 2026-01-05 09:00:10 at most\n"),
        "{said}"
    );
}

#[test]
fn a_number_is_text_where_nothing_can_be_tapped() {
    let said = Desk::new().talk("hola\n3\n");
    assert!(said.contains("Not \"3\"."), "{said}");
}

#[test]
fn what_is_recorded_plays_green() {
    let desk = Desk::new();
    let record = Some(desk.folder.path().join("recorded.yaml"));
    let lines = "1\nhola\n/tap Boat\n/nonsense\nno \"such\" # thing: 1.50\n2\n{\"euros\": 101.5}\n/release\n/wait 25h\n/wait 5h\n/resume pay {\"sum\": \"7 ...\"}\nhola\n/tap Pen\ntimeout\n/image my cat\n";
    let (code, said) = desk.run(Simulate { record, ..desk.simulate() }, lines);
    assert_eq!(code, 0, "{said}");
    let recorded = desk.read("recorded.yaml");
    std::fs::remove_file(desk.folder.path().join("recorded.yaml")).unwrap();
    assert!(recorded.contains("- customer: {\"tap\":2}\n- http: {\"match\":{\"method\":\"POST\""), "{recorded}");
    assert!(!recorded.contains("Boat"), "what could not happen is not recorded: {recorded}");
    let (code, played) = desk.play(&recorded);
    assert_eq!(code, 0, "{played}\n{recorded}");
    let (code, played) = desk.play(&recorded.replace("Nobody knows", "Somebody knows"));
    assert_eq!(code, 1, "{played}");
}

#[test]
fn a_record_that_cannot_be_written_is_named_with_its_option() {
    let desk = Desk::new();
    let record = Some(desk.folder.path().join("nowhere/x.yaml"));
    let (code, said) = desk.run(Simulate { record, ..desk.simulate() }, "hola\n");
    assert_eq!(code, 2, "{said}");
    assert!(said.starts_with("--record nowhere/x.yaml: cannot be written: "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_folder_whose_flows_lie_in_folders_names_one_of_them() {
    let desk = Desk::with("kind: Secret\napiVersion: v1\nmetadata: {name: a}\n");
    let (code, said) = desk.run(desk.simulate(), "");
    assert_eq!((code, said.as_str()), (2, "there is no Flow in these files: name a file with one\n"));
    for (folder, text) in [("also", "- customer: hola\n"), ("shop", SHOP), (".git", SHOP)] {
        std::fs::create_dir(desk.folder.path().join(folder)).unwrap();
        desk.write(&format!("{folder}/flow.yaml"), text);
    }
    let (code, said) = desk.run(desk.simulate(), "");
    assert_eq!(code, 2, "{said}");
    assert!(said.ends_with("are not read: name the one with the Flow, such as shop\n"), "{said}");
}
