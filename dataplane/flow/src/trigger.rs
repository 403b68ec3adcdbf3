//! Triggers: which flow a message starts, when no session takes it.

use std::collections::BTreeMap;

use wigwag_crds::flow::{self, Finding, Match, Severity};
use wigwag_domain::{Content, Payload};

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
    Keyword {
        folded: String,
        weakest: Match,
        /// Whether it ends a session that waits for the customer.
        interrupts: bool,
    },
    /// A sort of message that has no words.
    Sort(Sort),
    /// What no other trigger takes.
    Default,
    /// No message.
    Manual,
}

/// A sort of message that has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Media,
    Location,
    Order,
    Referral,
}

/// How well a flow's triggers match a message; the better, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It takes what no other takes.
    Default,
    /// A keyword stands somewhere in the message.
    Contains,
    /// It takes messages of this sort.
    Sort,
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

/// The flow whose keyword is the message and that may interrupt a session, if there is one.
#[must_use]
pub fn interrupting<'a>(flows: impl IntoIterator<Item = &'a Program>, message: &Payload) -> Option<&'a Program> {
    let said = Folded::read(message)?;
    let interrupts = |flow: &&Program| {
        flow.triggers().iter().any(|trigger| {
            matches!(trigger, Trigger::Keyword { interrupts: true, .. }) && trigger.rank(&said) == Some(Rank::Exact)
        })
    };
    let order = |flow: &&Program| flow.priority();
    let best = |a: &&'a Program, b: &&'a Program| order(a).cmp(&order(b)).then_with(|| b.name().cmp(a.name()));
    flows.into_iter().filter(interrupts).max_by(best)
}

/// Keywords that start more than one flow with nothing but their names to decide: a warning on each of them.
#[must_use]
pub fn compare_triggers(flows: &[&Program]) -> Vec<(String, Finding)> {
    // Keyword and priority, to the flows that have both and the places of their triggers.
    let mut ties = BTreeMap::<_, Vec<(&str, usize)>>::new();
    for flow in flows {
        for (index, trigger) in flow.triggers().iter().enumerate() {
            if matches!(trigger, Trigger::Manual) {
                continue;
            }
            let tied = ties.entry((trigger.described(), flow.priority())).or_default();
            if tied.iter().all(|(name, _)| *name != flow.name()) {
                tied.push((flow.name(), index));
            }
        }
    }
    let mut findings = Vec::new();
    for ((what, priority), mut tied) in ties.into_iter().filter(|(_, tied)| tied.len() > 1) {
        tied.sort_unstable();
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

impl Program {
    /// The place of the trigger that matches a message best; of equals the first.
    pub(crate) fn matching_trigger(&self, message: &Payload) -> Option<usize> {
        let said = Folded::read(message)?;
        let ranked = self.triggers().iter().enumerate().filter_map(|(at, trigger)| Some((trigger.rank(&said)?, at)));
        ranked.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, at)| at)
    }
}

fn rank(flow: &Program, said: &Folded) -> Option<Rank> {
    flow.triggers().iter().filter_map(|trigger| trigger.rank(said)).max()
}

/// A message, folded once for all triggers.
struct Folded {
    text: String,
    tapped: Option<String>,
    sorts: Vec<Sort>,
}

impl Folded {
    fn read(message: &Payload) -> Option<Self> {
        if !message.content.steps_a_session() {
            return None;
        }
        let said = Said::read(message);
        let sort = match said.content {
            Content::Media(_) if said.text.trim().is_empty() => Some(Sort::Media),
            Content::Location { .. } => Some(Sort::Location),
            Content::Order { .. } => Some(Sort::Order),
            _ => None,
        };
        let sorts = sort.into_iter().chain(message.referral.as_ref().map(|_| Sort::Referral)).collect();
        Some(Self { text: fold(&said.text), tapped: said.tap.map(|tap| fold(tap.option)), sorts })
    }
}

// === impl Trigger ===

impl Trigger {
    /// What two flows must not both have.
    fn described(&self) -> String {
        match self {
            Self::Keyword { folded, .. } => format!("keyword {}", quoted(folded)),
            Self::Sort(sort) => format!("{sort:?}").to_lowercase(),
            Self::Default => "default".to_owned(),
            Self::Manual => "manual".to_owned(),
        }
    }

    fn rank(&self, said: &Folded) -> Option<Rank> {
        let (folded, weakest) = match self {
            Self::Keyword { folded, weakest, .. } => (folded, weakest),
            Self::Sort(sort) => return said.sorts.contains(sort).then_some(Rank::Sort),
            Self::Default => return Some(Rank::Default),
            Self::Manual => return None,
        };
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
        let Some(one) = compile_one(trigger, &field, findings) else { continue };
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

fn compile_one(trigger: &flow::Trigger, field: &impl Fn(&str) -> String, findings: &mut Findings) -> Option<Trigger> {
    let mut kinds = [
        trigger.keyword.as_ref().map(|_| None),
        trigger.default.as_ref().map(|_| Some(Trigger::Default)),
        trigger.media.as_ref().map(|_| Some(Trigger::Sort(Sort::Media))),
        trigger.location.as_ref().map(|_| Some(Trigger::Sort(Sort::Location))),
        trigger.order.as_ref().map(|_| Some(Trigger::Sort(Sort::Order))),
        trigger.referral.as_ref().map(|_| Some(Trigger::Sort(Sort::Referral))),
        trigger.manual.as_ref().map(|_| Some(Trigger::Manual)),
    ]
    .into_iter()
    .flatten();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        findings.error(
            None,
            field(""),
            "a trigger is exactly one of keyword: WORD, default: {}, media: {}, location: {}, order: {}, referral: {}, \
             manual: {}: write one of them",
        );
        return None;
    };
    let Some(keyword) = &trigger.keyword else {
        for (name, stands) in [(".match", trigger.match_.is_some()), (".interrupt", trigger.interrupt)] {
            if stands {
                let what = &name[1..];
                let message = format!("{what} goes with keyword: remove it, or write the keyword that it is about");
                findings.error(None, field(name), message);
                return None;
            }
        }
        return kind;
    };
    let weakest = trigger.match_.unwrap_or_default();
    let folded = fold(keyword);
    if folded.is_empty() {
        findings.error(None, field(".keyword"), "the keyword has no letters: write the word that starts the flow");
        return None;
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
    Some(Trigger::Keyword { folded, weakest, interrupts: trigger.interrupt })
}
