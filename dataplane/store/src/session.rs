//! Table `session`: conversations. Written by [`crate::effects`] only; people look at them by [`crate::session_view`].

use std::collections::HashMap;

use sqlx::{PgPool, Row};
use wigwag_domain::{ContactId, SessionId};

use crate::Error;

/// A conversation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The session.
    pub id: SessionId,
    /// Name of its Flow.
    pub flow: String,
    /// The revision that it runs for life.
    pub revision: String,
    /// Revisions of the flows that it may call, `name@revision`.
    pub pinned: Vec<String>,
    /// `Active`, `Paused`, `Completed` or `Errored`.
    pub state: &'static str,
    /// The node of its Flow where it stands: while it is in a called Flow, the one that called.
    pub node: String,
    /// The engine's own JSON.
    pub context: String,
}

/// The open sessions of contacts. `OFFSET 0` has them looked up contact by contact: without it a planner that knows of
/// few open sessions reads all of them instead, and keeps to that when they have become many.
///
/// # Errors
/// See [`Error::fault`].
pub async fn open(pool: &PgPool, contacts: &[ContactId]) -> Result<HashMap<ContactId, Vec<StoredSession>>, Error> {
    let rows = sqlx::query(
        "SELECT s.contact, s.id, s.flow, s.revision, s.state, s.context, s.node, s.pinned
           FROM unnest($1::uuid[]) AS u(contact)
           JOIN LATERAL (SELECT * FROM session s
                          WHERE s.contact = u.contact AND s.state IN ('Active', 'Paused') OFFSET 0) AS s ON true",
    )
    .bind(contacts.iter().map(|c| c.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut sessions: HashMap<ContactId, Vec<StoredSession>> = HashMap::new();
    for row in &rows {
        sessions.entry(ContactId(row.try_get(0)?)).or_default().push(StoredSession {
            id: SessionId(row.try_get(1)?),
            flow: row.try_get(2)?,
            revision: row.try_get(3)?,
            state: state(row.try_get(4)?),
            context: row.try_get(5)?,
            node: row.try_get(6)?,
            pinned: row.try_get(7)?,
        });
    }
    Ok(sessions)
}

pub(crate) fn state(word: &str) -> &'static str {
    ["Active", "Paused", "Completed"].into_iter().find(|known| *known == word).unwrap_or("Errored")
}
