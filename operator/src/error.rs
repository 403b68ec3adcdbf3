//! What can go wrong in a reconcile so that it has to be tried again. What is wrong with a user's objects is no error:
//! it is a condition.

use std::time::Duration;

/// A reconcile, or the operator itself, did not get through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server did not do what it was asked.
    #[error("{doing}: {}", words(.source))]
    Api {
        /// What was tried, for example `reading Secret "shop/acme-meta"`.
        doing: String,
        /// Its answer.
        source: Box<kube::Error>,
    },
    /// A reconcile took too long; what it had done stays done.
    #[error("not done after {} s: the API server is slow or gone", .0.as_secs())]
    Timeout(Duration),
    /// A manifest cannot be written as YAML or JSON.
    #[error("writing {what}: {cause}")]
    Manifest {
        /// The object.
        what: String,
        /// Why.
        cause: String,
    },
    /// The address for probes and metrics is taken or not ours.
    #[error("listening on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// Neither a kubeconfig nor a service account.
    #[error("finding the API server: {0}")]
    NoCluster(String),
    /// The Lease is another's, or could not be renewed in time.
    #[error("lost the lease: {0}; another replica takes over")]
    LeaseLost(&'static str),
    /// A controller's stream ended, which it never should.
    #[error("a controller stopped")]
    ControllerStopped,
}

impl Error {
    /// Turns an answer of the API server into an error that says what was tried.
    pub fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        |source| Self::Api { doing: doing.into(), source: Box::new(source) }
    }

    /// Label of metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Api { .. } => "api",
            Self::Timeout(_) => "timeout",
            Self::Manifest { .. } => "manifest",
            Self::Listen { .. } => "listen",
            Self::NoCluster(_) => "no_cluster",
            Self::LeaseLost(_) => "lease_lost",
            Self::ControllerStopped => "controller_stopped",
        }
    }

    /// Whether the API server says that the object itself is at fault, so that its owner has to be told.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let Self::Api { source, .. } = self else { return None };
        let kube::Error::Api(status) = source.as_ref() else { return None };
        (status.is_invalid() || status.is_forbidden() || status.code == 400).then(|| status.message.clone())
    }
}

/// kube prints a refusal twice, once as Rust's debug form.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}
