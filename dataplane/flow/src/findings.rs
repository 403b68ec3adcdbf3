//! What the check found: errors first, each sort in the order in which it was found.

use wigwag_crds::flow::{Finding, Severity};
use wigwag_domain::cut;

use crate::suggest::closest;

/// A Flow's status must stay small, and nobody reads more.
const MAX_FINDINGS: usize = 100;

/// How many names a misspelled one is held against.
const MAX_KNOWN: usize = 1_000;

/// Findings, as they come.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    more: usize,
}

impl Findings {
    /// The flow cannot run.
    pub fn error(&mut self, node: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, node, field.into(), message.into());
    }

    /// The flow runs all the same.
    pub fn warning(&mut self, node: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, node, field.into(), message.into());
    }

    /// Whether the flow cannot run.
    pub const fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The known name that a word was meant to be. Once there are more findings than anybody reads, none is sought.
    pub fn meant<'k>(&self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
        if self.more > 0 { None } else { closest(word, known.into_iter().take(MAX_KNOWN)) }
    }

    /// All of them, as far as they are kept.
    pub fn into_vec(self) -> Vec<Finding> {
        let severity = if self.has_errors() { Severity::Error } else { Severity::Warning };
        let mut found = self.errors;
        found.extend(self.warnings);
        let more = self.more + found.len().saturating_sub(MAX_FINDINGS);
        found.truncate(MAX_FINDINGS);
        if more > 0 {
            let message = format!("there are {more} more findings: mend those above first");
            found.push(Finding { severity, node: None, field: "nodes".to_owned(), message });
        }
        found
    }

    fn add(&mut self, severity: Severity, node: Option<&str>, field: String, message: String) {
        let found = if severity == Severity::Error { &mut self.errors } else { &mut self.warnings };
        if found.len() == MAX_FINDINGS {
            self.more += 1;
            return;
        }
        let node = node.map(|name| cut(name, 100).into_owned());
        found.push(Finding { severity, node, field, message });
    }
}

/// A name as a message quotes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("{:?}", cut(name, 80))
}
