//! Words for what the customer does not see.

use jiff::{Timestamp, tz::TimeZone};
use wigwag_flow::{Problem, Session, SessionStatus};

/// A time as an author reads it.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S").to_string()
}

/// What did not work out at a node.
pub(super) fn of_problem(problem: &Problem) -> String {
    let Problem { node, field, kind, message } = problem;
    match field.as_str() {
        "" => format!("problem at {node:?} ({}): {message}", kind.as_str()),
        field => format!("problem at {node:?}, {field}: {message}"),
    }
}

/// Where a session stands, if it waits for anything but an answer or a call; how it ended, if it did.
pub(super) fn of_session(session: &Session, failure: Option<&str>, zone: &TimeZone) -> Vec<String> {
    let context = session.context();
    let word = |key: &str| context[key].as_str().filter(|word| !word.is_empty());
    let until = session.due().map(|due| clock(due, zone)).unwrap_or_default();
    let note = match (session.status(), session.waits_for()) {
        (SessionStatus::Completed, _) => {
            format!(
                "Flow {:?} ended: {}",
                session.flow,
                word("endReason").unwrap_or("there is no node behind this one")
            )
        }
        (SessionStatus::Errored, _) => {
            let failure = failure.unwrap_or("it could not go on");
            format!("Flow {:?} failed at {:?}: {failure}", session.flow, session.node)
        }
        (_, Some("delay")) => format!("pauses until {until}"),
        (_, Some("resume")) => format!("waits at {:?} for a program, until {until}", session.node),
        (_, Some("people")) => {
            let queue = word("handoffQueue").map(|queue| format!(", queue {queue:?}")).unwrap_or_default();
            let note = word("handoffNote").map(|note| format!(", note {note:?}")).unwrap_or_default();
            format!("people take over until {until}{queue}{note}")
        }
        _ => return vec![],
    };
    vec![note]
}
