//! A script, played: what happens in it happens, and what follows must be as it says. It stops at the first difference,
//! for behind it all would differ.

use serde_json::{Map, Value, json};
use wigwag_domain::{Body, CallResult, HttpCall};

use super::{
    act::Act,
    compare::{Compared, compare, fits, matches},
    conversation::{Conversation, Outside},
    screen,
    script::{Content, Expect, Http, Item, Script, body_of},
};

/// What stands around a script while it is played.
struct Stage<'s> {
    /// Calls that the script has answers for, with their places in it.
    answers: std::iter::Peekable<std::vec::IntoIter<(usize, u64, &'s Http)>>,
    /// Answers from here on are for what happens later.
    until: usize,
    lines: Vec<String>,
    notes: Vec<String>,
    /// A call to which the script has no answer.
    trouble: Option<String>,
}

/// Plays a script; returns how many messages of the bot were as it says.
///
/// # Errors
/// The first difference, as people read it; its first line begins with the line in the script.
pub(super) fn play(script: &Script, conversation: &mut Conversation) -> Result<usize, String> {
    let items = &script.items;
    let answers: Vec<_> = items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| match &item.what {
            Content::Http(http) => Some((place, item.line, http)),
            _ => None,
        })
        .collect();
    let mut stage =
        Stage { answers: answers.into_iter().peekable(), until: 0, lines: vec![], notes: vec![], trouble: None };
    let mut said = 0;
    let mut place = 0;
    while place < items.len() {
        let is_act = |item: &&Item| matches!(item.what, Content::Act(_));
        let behind = place + 1;
        let next = items[behind..].iter().position(|item| is_act(&item)).map_or(items.len(), |next| behind + next);
        let turn = &items[place..next];
        (stage.until, place) = (next, next);
        stage.lines.clear();
        stage.notes.clear();
        if let Content::Act(act) = &turn[0].what {
            let done = conversation.act(act, &mut stage);
            let trouble = stage.trouble.take().or_else(|| done.err());
            trouble.map_or(Ok(()), |trouble| Err(stage.tell(turn[0].line, &trouble)))?;
        }
        stage.compare(turn)?;
        said += stage.lines.len();
        for item in turn {
            if let Content::Expect(expect) = &item.what {
                expect_of(expect, conversation).map_err(|trouble| stage.tell(item.line, &trouble))?;
            }
        }
    }
    match stage.answers.next() {
        Some((_, line, _)) => {
            Err(stage.tell(line, &format!("this call was not made, and none is due: {}", conversation.standing())))
        }
        None => Ok(said),
    }
}

impl Stage<'_> {
    /// What the bot said in a turn, beside what it should have said.
    fn compare(&self, turn: &[Item]) -> Result<(), String> {
        let expected: Vec<(u64, &str)> = turn
            .iter()
            .filter_map(|item| match &item.what {
                Content::Bot(lines) => Some(lines.iter().map(|line| (item.line, line.as_str()))),
                _ => None,
            })
            .flatten()
            .collect();
        let texts: Vec<&str> = expected.iter().map(|(_, text)| *text).collect();
        let compared = compare(&texts, &self.lines);
        let is_same = |one: &Compared<'_>| matches!(one, Compared::Same(_));
        if compared.iter().all(is_same) {
            return Ok(());
        }
        let missing = compared.iter().find_map(|one| match one {
            Compared::Missing(at) => Some(expected[*at].0),
            _ => None,
        });
        let mut trouble = "the bot says something else".to_owned();
        if let Content::Act(act) = &turn[0].what {
            trouble.push_str(&format!("\n    {}", shown(act)));
        }
        for one in &compared {
            trouble.push_str(&match one {
                Compared::Same(line) => format!("\n    {line}"),
                Compared::Missing(at) => format!("\n  - {}", texts[*at].trim_end().replace('\n', " ")),
                Compared::Extra(line) => format!("\n  + {line}"),
            });
        }
        Err(self.tell(missing.unwrap_or(turn[0].line), &trouble))
    }

    /// A difference, with what the customer does not see.
    fn tell(&self, line: u64, trouble: &str) -> String {
        let notes: String = self.notes.iter().map(|note| format!("\n  · {note}")).collect();
        format!("{line}: {trouble}{notes}")
    }
}

impl Outside for Stage<'_> {
    fn said(&mut self, body: &Body) {
        self.lines.push(screen::line(body));
    }

    fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }

    fn answer(&mut self, call: &HttpCall) -> Option<CallResult> {
        if self.trouble.is_some() {
            return None;
        }
        let until = self.until;
        let Some((_, line, http)) = self.answers.next_if(|(place, ..)| *place < until) else {
            self.trouble = Some(format!("a call has no answer: paste, and write what it gets\n{}", paste(call)));
            return None;
        };
        if let Some(difference) = http.differs(call) {
            self.trouble = Some(format!("the call is another than on line {line}\n{difference}"));
            return None;
        }
        Some(http.result())
    }
}

fn shown(act: &Act) -> String {
    match act.item() {
        (key, Value::String(text)) => format!("{key}: {text}"),
        (key, value) => format!("{key}: {value}"),
    }
}

/// The item that a script lacks.
fn paste(call: &HttpCall) -> String {
    let mut wanted = Map::from_iter([("method".to_owned(), json!(call.method)), ("url".to_owned(), json!(call.url))]);
    if call.body.is_some() {
        wanted.insert("body".to_owned(), body_of(call));
    }
    format!("- http:\n    match: {}\n    reply: {{\"status\": 200, \"body\": {{}}}}", Value::Object(wanted))
}

/// How the session that changed last stands, beside how it should.
fn expect_of(expect: &Expect, conversation: &Conversation) -> Result<(), String> {
    let Expect { flow, node, status, reason, variables, contact } = expect;
    let last = conversation.last();
    let context = last.map(|(session, _)| session.context()).unwrap_or_default();
    let failed = last.and_then(|(_, failure)| failure);
    let got_reason = failed.or_else(|| context["endReason"].as_str());
    let mut differences = Vec::new();
    let mut word = |name: &str, expected: &Option<String>, got: Option<&str>| {
        let Some(expected) = expected else { return };
        if !got.is_some_and(|got| matches(expected, got)) {
            differences.push(format!("  - {name}: {expected}\n  + {name}: {}", got.unwrap_or("nothing")));
        }
    };
    word("flow", flow, last.map(|(session, _)| session.stands_in()));
    word("node", node, last.map(|(session, _)| session.node.as_str()));
    word("status", status, last.map(|(session, _)| session.status().as_str()));
    word("reason", reason, got_reason);
    let mut values = |name: &str, expected: &Map<String, Value>, got: &Map<String, Value>| {
        for (key, expected) in expected {
            let got = got.get(key).unwrap_or(&Value::Null);
            if !fits(expected, got) {
                differences.push(format!("  - {name}.{key}: {expected}\n  + {name}.{key}: {got}"));
            }
        }
    };
    let none = Map::new();
    values("variables", variables, last.map_or(&none, |(session, _)| &session.variables));
    let known = conversation.contact();
    let mut seen = known.attributes.clone();
    for (key, value) in [("name", &known.name), ("phone", &known.phone)] {
        seen.entry(key).or_insert_with(|| json!(value));
    }
    values("contact", contact, &seen);
    match differences.is_empty() {
        true => Ok(()),
        false => Err(format!("it stands otherwise\n{}", differences.join("\n"))),
    }
}
