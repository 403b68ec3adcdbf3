//! Histories: what was said, oldest first, within a budget that no customer can break.
//!
//! An entry is written once and seldom read, so it is kept as the JSON text that it is stored as: taking a session up
//! and laying it down again costs a copy, not a parse.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// Entries of a history, and the bytes that they may take together.
const MAX_ENTRIES: usize = 50;
const MAX_BYTES: usize = 16 * 1_024;

/// What was said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct History(Vec<Box<RawValue>>);

impl History {
    /// Adds an entry and keeps the budget: the oldest go first.
    pub fn push(&mut self, entry: &Value) {
        let Ok(entry) = serde_json::value::to_raw_value(entry) else {
            unreachable!("a value is JSON");
        };
        self.0.push(entry);
        let mut gone = self.0.len().saturating_sub(MAX_ENTRIES);
        let mut bytes: usize = self.0[gone..].iter().map(|entry| entry.get().len()).sum();
        while bytes > MAX_BYTES && gone < self.0.len() {
            bytes -= self.0[gone].get().len();
            gone += 1;
        }
        self.0.drain(..gone);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries as expressions see them.
    pub fn value(&self) -> Value {
        self.0.iter().map(|entry| serde_json::from_str(entry.get()).unwrap_or(Value::Null)).collect()
    }
}

impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|entry| entry.get()).eq(other.0.iter().map(|entry| entry.get()))
    }
}
