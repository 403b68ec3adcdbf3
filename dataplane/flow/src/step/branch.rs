//! Nodes that choose a way without a word: conditions and splits.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Failure, ProblemKind,
    run::{Run, Then},
};
use crate::{
    expression::EvaluateError,
    program::{Case, NodeIndex, Test, Way},
    script::{ScriptProblem, World as ScriptWorld},
};

impl<'p> Run<'p> {
    pub(super) fn branch(&mut self, cases: &'p [Case], otherwise: Option<NodeIndex>) -> Result<Then, Failure> {
        for (index, case) in cases.iter().enumerate() {
            let field = || format!("cases[{index}].when");
            let holds = match &case.when {
                Test::Cel(expression) => match self.evaluate(expression, field)? {
                    Some(Value::Bool(holds)) => holds,
                    None => false,
                    Some(_) => {
                        let message = "the expression is neither true nor false: compare it with something";
                        self.problem(field(), ProblemKind::Expression, message.to_owned());
                        false
                    }
                },
                Test::Script(script) => {
                    let scope = self.scope();
                    let zone = self.world.tenant.zone();
                    match script.holds(&ScriptWorld { context: &scope, now: self.at, zone }, &self.fuel) {
                        Ok(holds) => holds,
                        Err(ScriptProblem::Exhausted) => return Err(self.exhausted(&EvaluateError::Exhausted)),
                        Err(problem) => {
                            let message = problem.to_string();
                            self.problem("expression", ProblemKind::Expression, message);
                            false
                        }
                    }
                }
                Test::Never => false,
            };
            if holds {
                return Ok(Then::Go(case.next));
            }
        }
        Ok(Then::Go(otherwise))
    }

    /// A contact's way is the same whenever it comes here.
    pub(super) fn split(&self, ways: &[Way]) -> Option<NodeIndex> {
        let mut hash = Sha256::new();
        for part in [self.world.contact.id.0.as_bytes().as_slice(), self.program.name().as_bytes()] {
            hash.update(part);
        }
        hash.update(self.session.node.as_bytes());
        let digest = hash.finalize();
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let total: u32 = ways.iter().map(|way| way.weight).sum();
        let mut left = (u64::from(number) * u64::from(total)) >> 32;
        for way in ways {
            match left.checked_sub(u64::from(way.weight)) {
                Some(less) => left = less,
                None => return way.next,
            }
        }
        None
    }
}
