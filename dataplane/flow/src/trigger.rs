//! Triggers: which flow a message starts, when no session takes it.

use std::collections::BTreeMap;

use wigwag_crds::flow::{self, Finding, Match, Severity};
use wigwag_domain::Payload;

use crate::{
    Program,
    findings::{Findings, quoted},
    fold::{fold, is_word},
    message::Said,
};

/// The shortest keyword that is not within other words all the time, in letters.
const SHORT: usize = 4;

/// The most triggers of a flow; the limits tell of more.
pub(crate) const MAX_TRIGGERS: usize = 50;

/// What starts a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A keyword, folded, and the weakest form in which it counts.
    Keyword { folded: String, weakest: Match },
    /// What no other trigger takes.
    Default,
}

/// How well a flow's triggers match a message; the better, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It takes what no other takes.
    Default,
    /// A keyword stands somewhere in the message.
    Contains,
    /// A keyword is a word of the message.
    Word,
    /// A keyword is the message.
    Exact,
}

/// The flow that a message starts: by rank, then priority, then name.
#[must_use]
pub fn best<'a>(flows: impl IntoIterator<Item = &'a Program>, message: &Payload) -> Option<&'a Program> {
    let said = Folded::read(message)?;
    let ranked = flows.into_iter().filter_map(|flow| Some((rank(flow, &said)?, flow)));
    let order = |(rank, flow): &(Rank, &'a Program)| (*rank, flow.priority());
    let best = ranked.max_by(|a, b| order(a).cmp(&order(b)).then_with(|| b.1.name().cmp(a.1.name())));
    best.map(|(_, flow)| flow)
}

/// Keywords that start more than one flow with nothing but their names to decide: a warning on each of them.
#[must_use]
pub fn compare_triggers(flows: &[&Program]) -> Vec<(String, Finding)> {
    // Keyword and priority, to the flows that have both and the places of their triggers.
    let mut ties = BTreeMap::<_, Vec<(&str, usize)>>::new();
    for flow in flows {
        for (index, trigger) in flow.triggers().iter().enumerate() {
            let keyword = match trigger {
                Trigger::Keyword { folded, .. } => Some(folded.as_str()),
                Trigger::Default => None,
            };
            let tied = ties.entry((keyword, flow.priority())).or_default();
            if tied.iter().all(|(name, _)| *name != flow.name()) {
                tied.push((flow.name(), index));
            }
        }
    }
    let mut findings = Vec::new();
    for ((keyword, priority), mut tied) in ties.into_iter().filter(|(_, tied)| tied.len() > 1) {
        tied.sort_unstable();
        let what = keyword.map_or("default".to_owned(), |keyword| format!("keyword {}", quoted(keyword)));
        for (name, index) in &tied {
            let others: Vec<_> = tied.iter().map(|(other, _)| *other).filter(|other| other != name).collect();
            let message = format!(
                "{what} also starts {} with the same priority {priority}, so that {} is taken for its name: give one \
                 another priority",
                others.join(", "),
                tied[0].0
            );
            let field = format!("triggers[{index}]");
            findings.push(((*name).to_owned(), Finding { severity: Severity::Warning, node: None, field, message }));
        }
    }
    findings
}

impl Program {
    /// How well the flow's triggers match a message. A tap counts by its title as text, and by its id where that is a
    /// keyword; what has no words is taken by `default` alone.
    #[must_use]
    pub fn matches(&self, message: &Payload) -> Option<Rank> {
        rank(self, &Folded::read(message)?)
    }
}

fn rank(flow: &Program, said: &Folded) -> Option<Rank> {
    flow.triggers().iter().filter_map(|trigger| trigger.rank(said)).max()
}

/// A message, folded once for all triggers.
struct Folded {
    text: String,
    tapped: Option<String>,
}

impl Folded {
    fn read(message: &Payload) -> Option<Self> {
        if !message.content.steps_a_session() {
            return None;
        }
        let said = Said::read(message);
        Some(Self { text: fold(&said.text), tapped: said.tap.map(|tap| fold(tap.option)) })
    }
}

// === impl Trigger ===

impl Trigger {
    fn rank(&self, said: &Folded) -> Option<Rank> {
        let Self::Keyword { folded, weakest } = self else { return Some(Rank::Default) };
        if said.text == *folded || said.tapped.as_ref() == Some(folded) {
            return Some(Rank::Exact);
        }
        if *weakest >= Match::Word && has_word(&said.text, folded) {
            return Some(Rank::Word);
        }
        (*weakest == Match::Contains && said.text.contains(folded.as_str())).then_some(Rank::Contains)
    }
}

/// Whether a keyword stands in a text without a letter, digit or mark that would make it part of a longer word.
fn has_word(text: &str, keyword: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text[from..].find(keyword).map(|at| from + at) {
        let (before, after) = (text[..at].chars().next_back(), text[at + keyword.len()..].chars().next());
        let (first, last) = (keyword.chars().next(), keyword.chars().next_back());
        let joins = |a: Option<char>, b: Option<char>| a.is_some_and(is_word) && b.is_some_and(is_word);
        if !joins(before, first) && !joins(last, after) {
            return true;
        }
        from = at + first.map_or(1, char::len_utf8);
    }
    false
}

/// Compiles a flow's triggers.
pub(crate) fn compile(triggers: &[flow::Trigger], findings: &mut Findings) -> Vec<Trigger> {
    let mut compiled: Vec<Trigger> = Vec::new();
    if triggers.is_empty() {
        findings.error(None, "triggers", "nothing starts this flow: add a trigger, such as {keyword: hola}");
    }
    for (index, trigger) in triggers.iter().enumerate().take(MAX_TRIGGERS) {
        let field = |name: &str| format!("triggers[{index}]{name}");
        let one = match (&trigger.keyword, &trigger.default) {
            (Some(keyword), None) => {
                let weakest = trigger.match_.unwrap_or_default();
                let folded = fold(keyword);
                if folded.is_empty() {
                    findings.error(
                        None,
                        field(".keyword"),
                        "the keyword has no letters: write the word that starts the flow",
                    );
                    continue;
                }
                if weakest == Match::Contains && folded.chars().filter(|c| is_word(*c)).count() < SHORT {
                    findings.warning(
                        None,
                        field(".keyword"),
                        format!(
                            "{} is short, and starts the flow wherever it stands within a word: write match: Word",
                            quoted(keyword)
                        ),
                    );
                }
                Trigger::Keyword { folded, weakest }
            }
            (None, Some(_)) if trigger.match_.is_some() => {
                findings.error(
                    None,
                    field(".match"),
                    "match goes with keyword: remove it, or write the keyword that it is about",
                );
                continue;
            }
            (None, Some(_)) => Trigger::Default,
            _ => {
                findings.error(None, field(""), "a trigger is either keyword: WORD or default: {}: write one of them");
                continue;
            }
        };
        let twice = compiled.iter().any(|other| match (other, &one) {
            (Trigger::Keyword { folded: a, .. }, Trigger::Keyword { folded: b, .. }) => a == b,
            (a, b) => a == b,
        });
        if twice {
            findings.warning(None, field(""), "another trigger of this flow says the same: remove one");
        }
        compiled.push(one);
    }
    compiled
}
