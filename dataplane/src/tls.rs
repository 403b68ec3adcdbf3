//! TLS to the outside, trusting the machine's root certificates.

use hyper_rustls::ConfigBuilderExt;
use rustls::ClientConfig;

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS: {0}: install the system's root certificates (package ca-certificates)")]
pub struct NoTls(String);

/// A client's TLS.
///
/// # Errors
/// When the machine has no root certificates.
pub fn client() -> Result<ClientConfig, NoTls> {
    let roots = ClientConfig::builder().with_native_roots().map_err(|error| NoTls(error.to_string()))?;
    Ok(roots.with_no_client_auth())
}
