//! The log: one line for each webhook, step and send, in JSON or text, on standard error.
//!
//! Lines name tenants, contacts (a random id), jobs and durations; never secrets, phone numbers or what people wrote.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use crate::args::{Log, LogFormat};

/// Starts the log.
///
/// # Errors
/// When the filter does not parse.
pub fn start(log: &Log) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter: EnvFilter = log.log.parse()?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
