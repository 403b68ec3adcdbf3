//! Programs of the revisions that sessions run: of the configuration where it has them, else compiled from the text
//! that the database keeps.

use std::{collections::HashMap, num::NonZeroUsize, sync::Mutex};

use sqlx::PgPool;
use tracing::error;
use wigwag_crds::FlowSpec;
use wigwag_domain::TenantKey;
use wigwag_flow::{Linked, Program, Session};
use wigwag_store::{Error, flow_revision};

use crate::config::Tenant;

/// Revisions of the past that are kept compiled.
const KEPT: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// A revision of a Flow of a tenant.
type Key = (TenantKey, String, String);

/// Compiled revisions of the past.
#[derive(Debug, Default)]
pub struct Programs {
    kept: Mutex<HashMap<Key, Program>>,
}

impl Programs {
    /// The programs that a session runs for life; `None` where the text of its own is lost or does not compile any
    /// more. One that it may call and that is lost is left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn linked(&self, pool: &PgPool, tenant: &Tenant, session: &Session) -> Result<Option<Linked>, Error> {
        let Some(root) = self.get(pool, tenant, &session.flow, &session.revision).await? else { return Ok(None) };
        let mut called = HashMap::new();
        for (flow, revision) in &session.pinned {
            if let Some(program) = self.get(pool, tenant, flow, revision).await? {
                called.insert(flow.as_str(), program);
            }
        }
        Ok(Some(Linked::new(root, |name| called.get(name).cloned())))
    }

    /// The program of a revision.
    async fn get(&self, pool: &PgPool, tenant: &Tenant, flow: &str, revision: &str) -> Result<Option<Program>, Error> {
        let current = tenant.flows.iter().map(|loaded| &loaded.program);
        if let Some(program) = current.into_iter().find(|p| p.name() == flow && p.revision() == revision) {
            return Ok(Some(program.clone()));
        }
        let key = (tenant.key.clone(), flow.to_owned(), revision.to_owned());
        if let Some(program) = self.lock().get(&key) {
            return Ok(Some(program.clone()));
        }
        let spec = flow_revision::spec(pool, &tenant.key, flow, revision).await?;
        // What is lost is not remembered: it may come back with the Flow.
        let Some(program) = spec.and_then(|spec| compile(flow, revision, &spec)) else { return Ok(None) };
        let mut kept = self.lock();
        if kept.len() >= KEPT.get() {
            kept.clear();
        }
        kept.insert(key, program.clone());
        Ok(Some(program))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Program>> {
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn compile(flow: &str, revision: &str, spec: &str) -> Option<Program> {
    match serde_json::from_str::<FlowSpec>(spec) {
        Ok(spec) => wigwag_flow::compile(flow, revision, &spec).program,
        Err(error) => {
            error!(flow, revision, %error, "the kept text of a revision does not read");
            None
        }
    }
}
