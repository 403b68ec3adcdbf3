//! Values into variables, and the budgets that they have.

use serde_json::{Map, Value};
use wigwag_domain::clean;

use super::{
    Failure, FailureKind, ProblemKind,
    run::{Run, Then},
};
use crate::{
    expression::{depth, size},
    message::clean_all,
    path,
    program::{Assignment, NodeIndex, Source, Target},
    template::Within,
};

/// The author's variables, in bytes of JSON, those of callers among them.
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
            let value = match value {
                Source::Expression(expression) => self.evaluate(expression, || format!("set.{}", target.written()))?,
                Source::Text(template) => {
                    Some(self.render_whole(template, "value", MAX_VARIABLES, Within::Text)?.into())
                }
            };
            if let Some(value) = value {
                self.keep(target, value)?;
            }
        }
        Ok(())
    }

    /// Keeps a value where it belongs.
    pub(super) fn keep(&mut self, target: &Target, mut value: Value) -> Result<(), Failure> {
        let (kind, limit) = match target {
            Target::Variable(_) | Target::Path(_) => (FailureKind::Variables, MAX_VARIABLES),
            Target::Contact(_) => (FailureKind::ContactAttributes, MAX_ATTRIBUTES),
        };
        let levels = match target {
            Target::Path(path) => path.len(),
            Target::Variable(_) | Target::Contact(_) => 0,
        };
        if depth(&value) + levels > MAX_DEPTH {
            let message = format!("{} would be nested deeper than {MAX_DEPTH} levels: keep it flat", target.written());
            return Err(self.failure(kind, message));
        }
        let bytes = match target {
            Target::Variable(name) => size_with(&self.session.variables, name, &value) + self.size_of_callers(),
            Target::Contact(name) => size_with(self.attributes(), name, &value),
            Target::Path(path) => {
                let replaced = path.among(&self.session.variables).map_or(0, size);
                let others = size_of(&self.session.variables).saturating_sub(replaced) + self.size_of_callers();
                others + path.to_string().len() + size(&value)
            }
        };
        self.fuel.burn(bytes).map_err(|error| self.exhausted(&error))?;
        clean_all(&mut value);
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
            Target::Path(path) => {
                if !path::put(&mut self.session.variables, path, value) {
                    let message = format!("{path} is no place in what is there: nothing was kept");
                    self.problem("key", ProblemKind::Expression, message);
                }
            }
        }
        Ok(())
    }

    /// Keeps a value, if it is kept at all, and goes on.
    pub(super) fn keep_and_go(
        &mut self,
        into: Option<&Target>,
        value: Value,
        next: Option<NodeIndex>,
    ) -> Result<Then, Failure> {
        if let Some(into) = into {
            self.keep(into, value)?;
        }
        Ok(Then::Go(next))
    }

    /// Sets variables that come from outside.
    pub(super) fn set_variables(&mut self, variables: Map<String, Value>) -> Result<(), Failure> {
        variables
            .into_iter()
            .try_for_each(|(name, value)| self.keep(&Target::Variable(clean(&name).into_owned()), value))
    }

    /// Whether what a called flow is given fits beside what its callers keep.
    pub(super) fn fits_with_callers(&self, args: &Value) -> Result<(), Failure> {
        let bytes = size(args) + size_of(&self.session.variables) + self.size_of_callers();
        if bytes > MAX_VARIABLES {
            let message = format!(
                "args would take the variables to {bytes} bytes, and at most {MAX_VARIABLES} are allowed: give less"
            );
            return Err(self.failure(FailureKind::Variables, message));
        }
        Ok(())
    }

    fn size_of_callers(&self) -> usize {
        let frames = self.session.callers.iter().map(|frame| size_of(&frame.variables) + size(&frame.args));
        frames.sum::<usize>() + if self.session.args.is_null() { 0 } else { size(&self.session.args) }
    }
}

fn size_of(variables: &Map<String, Value>) -> usize {
    variables.iter().map(|(name, value)| entry(name, value)).sum::<usize>() + 2
}

/// The size of variables with one of them set.
fn size_with(variables: &Map<String, Value>, name: &str, value: &Value) -> usize {
    let others = variables.iter().filter(|(other, _)| *other != name).map(|(other, value)| entry(other, value));
    others.sum::<usize>() + entry(name, value) + 2
}

fn entry(name: &str, value: &Value) -> usize {
    name.len() + size(value) + 4
}
