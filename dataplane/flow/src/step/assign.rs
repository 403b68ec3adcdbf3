//! The node `assign`: values into variables, and the budgets that both kinds of variables have.

use serde_json::{Map, Value};

use super::{Failure, FailureKind, run::Run};
use crate::{
    expression::{depth, size},
    program::{Assignment, Target},
};

/// The author's variables, in bytes of JSON.
const MAX_VARIABLES: usize = 64 * 1_024;
/// The attributes of a contact, in bytes of JSON.
const MAX_ATTRIBUTES: usize = 16 * 1_024;
/// How deep a value may be nested: JSON that is much deeper cannot be read back.
const MAX_DEPTH: usize = 32;

impl Run<'_> {
    /// Sets variables in the order in which they are written; each sees those before it. One whose expression has no
    /// value stays as it was.
    pub(super) fn assign(&mut self, set: &[Assignment]) -> Result<(), Failure> {
        for Assignment { target, value } in set {
            let Some(value) = self.evaluate(value, || format!("set.{}", target.written()))? else { continue };
            let (kind, limit) = match target {
                Target::Variable(_) => (FailureKind::Variables, MAX_VARIABLES),
                Target::Contact(_) => (FailureKind::ContactAttributes, MAX_ATTRIBUTES),
            };
            if depth(&value) > MAX_DEPTH {
                let message =
                    format!("{} would be nested deeper than {MAX_DEPTH} levels: keep it flat", target.written());
                return Err(self.failure(kind, message));
            }
            let (variables, name) = match target {
                Target::Variable(name) => (&self.session.variables, name),
                Target::Contact(name) => (self.attributes(), name),
            };
            let bytes = size_with(variables, name, &value);
            self.fuel.burn(bytes).map_err(|error| self.exhausted(&error))?;
            if bytes > limit {
                let message = format!(
                    "{} would take the variables to {bytes} bytes, and at most {limit} are allowed: keep less",
                    target.written()
                );
                return Err(self.failure(kind, message));
            }
            match target {
                Target::Variable(name) => drop(self.session.variables.insert(name.clone(), value)),
                Target::Contact(name) => self.set_attribute(name, value),
            }
        }
        Ok(())
    }
}

/// The size of variables with one of them set.
fn size_with(variables: &Map<String, Value>, name: &str, value: &Value) -> usize {
    let entry = |name: &str, value: &Value| name.len() + size(value) + 4;
    let others = variables.iter().filter(|(other, _)| *other != name).map(|(other, value)| entry(other, value));
    others.sum::<usize>() + entry(name, value) + 2
}
