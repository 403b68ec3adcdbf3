//! Calls that this process has marked and has no answer of yet. When it goes down for good they are given up, so that
//! nobody waits for what will never come: whoever has the lanes then repeats them, or their sessions go on by `unknown`.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sqlx::PgPool;
use tracing::warn;
use wigwag_domain::EffectId;
use wigwag_store::{
    Error, ReadyJob,
    effect::{self, CutShort},
};

use super::lost_with_its_process;

/// Calls under way, by id.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashMap<EffectId, CutShort>>);

impl UnderWay {
    /// A call is about to go out.
    pub(super) fn begin(&self, id: EffectId, attempt: i32) {
        self.calls().insert(id, CutShort { id, attempt, sent: true });
    }

    /// Nothing of it went out; its mark is yet to be taken back.
    pub(super) fn not_sent(&self, id: EffectId) {
        if let Some(call) = self.calls().get_mut(&id) {
            call.sent = false;
        }
    }

    /// Its answer is written, or its mark taken back.
    pub(super) fn end(&self, id: EffectId) {
        self.calls().remove(&id);
    }

    /// Gives up what is left. Returns the jobs that bring it to their sessions.
    ///
    /// # Errors
    /// When the database does not do it; their deadlines end them then.
    pub async fn give_up(&self, pool: &PgPool) -> Result<Vec<ReadyJob>, Error> {
        let left: Vec<CutShort> = self.calls().values().copied().collect();
        if left.is_empty() {
            return Ok(vec![]);
        }
        warn!(calls = left.len(), "calls were cut short: they are repeated where they may be");
        effect::cut_short(pool, &left, &lost_with_its_process()).await
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<EffectId, CutShort>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
