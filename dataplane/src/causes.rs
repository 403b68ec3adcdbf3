//! An error with all that led to it, in one line: errors of HTTP clients keep what matters in their sources.

/// The error, and after a colon each what caused it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
