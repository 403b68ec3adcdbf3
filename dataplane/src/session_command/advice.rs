//! What to do after a refusal: the API tells what was wrong, to programs too; a person at a terminal is told which
//! command helps.

use super::{Error, What};

/// The error with the next step, where there is one.
pub(super) fn with(what: &What, error: Error) -> Error {
    match advice(what, &error) {
        Some(advice) => Error::Advised { refused: Box::new(error), advice },
        None => error,
    }
}

fn advice(what: &What, error: &Error) -> Option<String> {
    let Error::Refused { details, .. } = error else { return None };
    let session = what.session()?;
    if let Some(waits) = details["waitsFor"].as_str() {
        return Some(format!(
            "it waits for {waits}: `session show {session}` tells where, `session move {session} NODE` takes it elsewhere"
        ));
    }
    details["status"].is_string().then(|| {
        format!(
            "`session show {session}` tells how it ended, `session list --status Paused` which ones wait; the customer \
             begins a new one by writing, a program by POST /api/webhook?flowId=FLOW"
        )
    })
}

impl What {
    /// The session that is steered.
    fn session(&self) -> Option<&str> {
        match self {
            Self::Restart { session } | Self::Move { session, .. } | Self::Release { session, .. } => Some(session),
            Self::End { session, .. } => session.as_deref(),
            Self::List { .. } | Self::Show { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(what: &What, details: Value) -> String {
        let refused = Error::Refused {
            message: "no".to_owned(),
            code: "CONFLICT".to_owned(),
            request: "r-1".to_owned(),
            details: Box::new(details),
        };
        with(what, refused).to_string()
    }

    #[test]
    fn a_refusal_tells_which_command_helps() {
        let release = What::Release { session: "s-1".to_owned(), to: "next".to_owned(), variables: vec![] };
        assert_eq!(
            said(&release, json!({"waitsFor": "answer"})),
            "no (CONFLICT, request r-1)\nit waits for answer: `session show s-1` tells where, `session move s-1 NODE` \
             takes it elsewhere"
        );
        let restart = What::Restart { session: "s-1".to_owned() };
        assert!(said(&restart, json!({"status": "Completed"})).contains("\n`session show s-1` tells how it ended, "));
        assert_eq!(said(&restart, json!({})), "no (CONFLICT, request r-1)");
        assert_eq!(said(&restart, Value::Null), "no (CONFLICT, request r-1)");
    }
}
