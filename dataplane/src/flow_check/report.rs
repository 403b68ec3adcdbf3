//! What a check found, and how it is told: a line for each finding, for people and editors, or one JSON object.

use std::io::{self, Write};

use serde::Serialize;
use wigwag_crds::flow::{Finding, Severity};

/// What came of a check.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// How many Flows were checked.
    pub(super) flows: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) unreadable: Vec<Unreadable>,
    /// Errors first.
    pub(super) findings: Vec<Found>,
}

/// A file, or a document of one, that nobody can read.
#[derive(Debug, Serialize)]
pub(super) struct Unreadable {
    pub(super) file: String,
    /// Where the document begins, counted from 1.
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// A finding and its place.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) file: String,
    /// Counted from 1.
    pub(super) line: Option<usize>,
    pub(super) kind: Kind,
    /// Name of the Flow or of the tenant.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) finding: Finding,
    /// Whether its file holds nothing else, so that the file names it well enough.
    #[serde(skip)]
    pub(super) is_alone: bool,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    Flow,
    WhatsAppTenant,
}

impl Report {
    /// Takes the findings in, errors first, and counts them.
    pub(super) fn add(&mut self, found: Vec<Found>) {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| found.finding.severity == Severity::Error);
        (self.errors, self.warnings) = (errors.len(), warnings.len());
        self.findings = errors;
        self.findings.extend(warnings);
    }

    pub(super) fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    pub(super) fn print_text(&self, out: &mut impl Write) -> io::Result<()> {
        for Unreadable { file, line, message } in &self.unreadable {
            writeln!(out, "{file}:{} {message}", shown(*line))?;
        }
        for found in &self.findings {
            let Found { file, line, kind, name, finding, is_alone } = found;
            let line = shown(*line);
            let severity = if finding.severity == Severity::Warning { "warning: " } else { "" };
            let name = match (kind, is_alone) {
                (_, true) => String::new(),
                (Kind::Flow, _) => format!("flow {name:?}, "),
                (Kind::WhatsAppTenant, _) => format!("tenant {name:?}, "),
            };
            writeln!(out, "{file}:{line} {severity}{name}{finding}")?;
        }
        let (flows, errors) = (count(self.flows, "Flow"), count(self.errors, "error"));
        writeln!(out, "{flows} checked: {errors}, {}", count(self.warnings, "warning"))
    }
}

fn shown(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("{line}:"))
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
