//! Flows that call flows: a called one is a frame of its caller's session, with variables of its own.

use serde_json::{Map, Value, json};

use super::{
    Failure, FailureKind,
    run::{Run, Then},
};
use crate::{
    Program, SessionStatus,
    expression::Expression,
    program::{Kind, Node},
    session::Frame,
};

/// How deep flows may call each other.
const MAX_CALLS: usize = 5;

impl<'p> Run<'p> {
    pub(super) fn call_flow(&mut self, flow: &str, args: &[(String, Expression)]) -> Result<Then, Failure> {
        let Some(program) = self.programs.get(flow) else {
            let message = format!("Flow {flow:?} was not there when this session began: add it");
            return Err(self.failure(FailureKind::Call, message));
        };
        if self.session.callers.len() >= MAX_CALLS {
            let message = format!("flows call each other deeper than {MAX_CALLS}: let one of them end first");
            return Err(self.failure(FailureKind::Call, message));
        }
        let mut given = Map::new();
        for (name, value) in args {
            if let Some(value) = self.evaluate(value, || format!("args.{name}"))? {
                given.insert(name.clone(), value);
            }
        }
        let given = Value::Object(given);
        self.fits_with_callers(&given)?;
        let frame = Frame {
            called: self.session.called.replace(flow.to_owned()),
            node: self.session.node.clone(),
            variables: std::mem::take(&mut self.session.variables),
            args: std::mem::replace(&mut self.session.args, given),
        };
        self.session.callers.push(frame);
        self.program = program;
        self.write_resume_urls();
        Ok(Then::Go(Some(program.start())))
    }

    /// The end of a flow: a called one goes back to its caller, any other ends the session.
    pub(super) fn go_back(&mut self) -> Result<Then, Failure> {
        let result = std::mem::take(&mut self.result);
        if !self.pop_caller() {
            self.session.end(SessionStatus::Completed);
            return Ok(Then::Wait);
        }
        let Some(Node { kind: Kind::Call { into, next, .. }, .. }) = self.stands_at() else { return Err(self.lost()) };
        let result = if result.is_null() { json!({}) } else { result };
        self.keep_and_go(into.as_ref(), result, *next)
    }

    /// Ends the called flow without a result; its caller is where the session stands. False where nobody called.
    pub(super) fn pop_caller(&mut self) -> bool {
        let Some(Frame { called, node, variables, args }) = self.session.callers.pop() else { return false };
        self.program = self.flow_of(called.as_deref());
        self.session.called = called;
        self.session.node = node;
        self.session.variables = variables;
        self.session.args = args;
        self.write_resume_urls();
        true
    }

    /// Ends called flows until so many callers are left.
    pub(super) fn leave_calls(&mut self, callers: usize) {
        while self.session.callers.len() > callers && self.pop_caller() {}
    }

    /// The flow of a frame: a called one, or the one that was started.
    pub(super) fn flow_of(&self, called: Option<&str>) -> &'p Program {
        called.and_then(|flow| self.programs.get(flow)).unwrap_or(self.programs.root())
    }
}
