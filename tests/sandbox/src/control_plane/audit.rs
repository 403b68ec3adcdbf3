//! What the API server answered to whom: the truth about RBAC, and about who writes how much.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// The API server's audit log, level `Metadata`, one entry for each request that was answered.
#[derive(Debug, Clone)]
pub struct AuditLog {
    path: PathBuf,
}

/// One request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Who asked.
    pub user: AuditUser,
    /// What was asked for; none for paths such as `/readyz`.
    pub object_ref: Option<AuditObject>,
    /// How it was answered.
    pub response_status: Option<AuditStatus>,
    /// What the API server noted, `authorization.k8s.io/decision` among it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Who asked.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditUser {
    /// `system:serviceaccount:NAMESPACE:NAME` for a service account.
    pub username: String,
}

/// The object of a request; fields that do not apply are empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuditObject {
    /// Plural, such as `deployments`.
    pub resource: String,
    /// Such as `status`.
    pub subresource: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// Empty for the core group.
    pub api_group: String,
}

/// The answer to a request.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditStatus {
    /// HTTP status.
    pub code: u16,
}

impl AuditEntry {
    /// Whether RBAC refused it. A create in a namespace that is being deleted is answered 403, too, but was allowed.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.annotations.get("authorization.k8s.io/decision").is_some_and(|decision| decision == "forbid")
    }

    /// Whether it could change something, whatever came of it.
    #[must_use]
    pub fn is_write(&self) -> bool {
        ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str())
    }
}

impl AuditLog {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The present end of the log, for [`AuditLog::since`].
    #[must_use]
    pub fn mark(&self) -> u64 {
        self.path.metadata().map(|file| file.len()).unwrap_or_default()
    }

    /// All entries.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn entries(&self) -> Result<Vec<AuditEntry>> {
        self.since(0)
    }

    /// The entries after `mark`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn since(&self, mark: u64) -> Result<Vec<AuditEntry>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        file.seek(SeekFrom::Start(mark))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A line that is being written has no end yet.
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole.lines().map(|line| serde_json::from_str(line).with_context(|| format!("audit entry {line}"))).collect()
    }

    /// What RBAC refused `user`, a name such as `system:serviceaccount:NAMESPACE:NAME`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn forbidden_by(&self, user: &str) -> Result<Vec<AuditEntry>> {
        let mut entries = self.entries()?;
        entries.retain(|entry| entry.user.username == user && entry.is_forbidden());
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    const ENTRY: &str = r#"{"kind":"Event","verb":"list","requestURI":"/api/v1/secrets","user":{"username":"operator"},
        "objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":403},
        "annotations":{"authorization.k8s.io/decision":"DECISION"}}"#;

    #[test]
    fn only_what_rbac_refused_that_user_counts_as_forbidden() {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog::at(folder.path().join("audit.jsonl"));
        assert!(log.entries().unwrap().is_empty());

        let entry = ENTRY.replace('\n', "");
        let mut file = File::create(log.path()).unwrap();
        writeln!(file, "{}", entry.replace("DECISION", "allow")).unwrap();
        let mark = log.mark();
        writeln!(file, "{}", entry.replace("DECISION", "forbid")).unwrap();
        write!(file, "{{\"verb\":\"unfinish").unwrap();

        assert_eq!(log.entries().unwrap().len(), 2);
        assert_eq!(log.since(mark).unwrap().len(), 1);
        let forbidden = log.forbidden_by("operator").unwrap();
        assert_eq!(forbidden.len(), 1);
        assert_eq!(forbidden[0].object_ref.as_ref().unwrap().resource, "secrets");
        assert_eq!(forbidden[0].response_status.as_ref().unwrap().code, 403);
        assert!(log.forbidden_by("somebody else").unwrap().is_empty());
    }
}
