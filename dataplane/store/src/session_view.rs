//! Tables `session` and `session_event`, as people and programs look at them: one session, lists of them, how many
//! stand where.

use jiff::Timestamp;
use sqlx::{PgPool, Postgres, QueryBuilder, Row, postgres::PgRow};
use uuid::Uuid;
use wigwag_domain::{ContactId, SessionId, TenantKey};

use crate::{
    Error,
    session::{StoredSession, state},
};

/// A session with who it is with.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// The session.
    pub session: StoredSession,
    /// The contact.
    pub contact: ContactId,
    /// The contact's name, as last told.
    pub name: Option<String>,
    /// Digits of a phone by which the contact is known.
    pub phone: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Which sessions of a tenant to list, newest first. What is not said does not matter.
#[derive(Clone, Debug)]
pub struct Which<'a> {
    /// The tenant.
    pub tenant: &'a TenantKey,
    /// Of this contact.
    pub contact: Option<ContactId>,
    /// Of this Flow.
    pub flow: Option<&'a str>,
    /// Of this revision.
    pub revision: Option<&'a str>,
    /// In this state.
    pub state: Option<&'a str>,
    /// Older than this one.
    pub before: Option<SessionId>,
    /// How many at most.
    pub limit: i64,
}

/// Something that a session took.
#[derive(Clone, Debug)]
pub struct TakenEvent {
    /// Its number within the session.
    pub number: i32,
    /// When it happened.
    pub at: Timestamp,
    /// What sort of event.
    pub kind: String,
    /// What it came from: a message, a call, a signal.
    pub source: Uuid,
}

/// How many open sessions stand at a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their tenant.
    pub tenant: TenantKey,
    /// Their Flow.
    pub flow: String,
    /// Their revision.
    pub revision: String,
    /// The node.
    pub node: String,
    /// How many.
    pub sessions: i64,
}

/// How many sessions could not go on at a node, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errored {
    /// Their tenant.
    pub tenant: TenantKey,
    /// Their Flow.
    pub flow: String,
    /// The node that failed.
    pub node: String,
    /// What failed.
    pub kind: String,
    /// How many.
    pub sessions: i64,
}

/// One session of a tenant.
///
/// # Errors
/// See [`Error::fault`].
pub async fn read(pool: &PgPool, tenant: &TenantKey, id: SessionId) -> Result<Option<SessionView>, Error> {
    let mut query = select(tenant);
    query.push(" AND s.id = ").push_bind(id.0);
    query.build().fetch_optional(pool).await?.as_ref().map(view).transpose()
}

/// Sessions, newest first.
///
/// # Errors
/// See [`Error::fault`].
pub async fn list(pool: &PgPool, which: &Which<'_>) -> Result<Vec<SessionView>, Error> {
    let mut query = select(which.tenant);
    if let Some(contact) = which.contact {
        query.push(" AND s.contact = ").push_bind(contact.0);
    }
    if let Some(flow) = which.flow {
        query.push(" AND s.flow = ").push_bind(flow);
    }
    if let Some(revision) = which.revision {
        query.push(" AND s.revision = ").push_bind(revision);
    }
    if let Some(state) = which.state {
        query.push(" AND s.state = ").push_bind(state);
    }
    if let Some(before) = which.before {
        query.push(" AND s.id < ").push_bind(before.0);
    }
    query.push(" ORDER BY s.id DESC LIMIT ").push_bind(which.limit);
    query.build().fetch_all(pool).await?.iter().map(view).collect()
}

/// What a session took, in order.
///
/// # Errors
/// See [`Error::fault`].
pub async fn events(pool: &PgPool, id: SessionId) -> Result<Vec<TakenEvent>, Error> {
    let rows = sqlx::query(
        "SELECT number, floor(extract(epoch FROM at) * 1000)::int8, kind, source FROM session_event
          WHERE session = $1 ORDER BY session, number",
    )
    .bind(id.0)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(TakenEvent {
                number: row.try_get(0)?,
                at: time(row, 1)?,
                kind: row.try_get(2)?,
                source: row.try_get(3)?,
            })
        })
        .collect()
}

/// The first `limit` open sessions of a Flow behind `after`, by id, with their contacts; of one revision where it is
/// named.
///
/// # Errors
/// See [`Error::fault`].
pub async fn open_of_flow(
    pool: &PgPool,
    tenant: &TenantKey,
    flow: &str,
    revision: Option<&str>,
    after: SessionId,
    limit: i64,
) -> Result<Vec<(SessionId, ContactId)>, Error> {
    let rows = sqlx::query(
        "SELECT id, contact FROM session
          WHERE tenant = $1 AND flow = $2 AND is_open AND id > $4
            AND ($3::text IS NULL OR revision = $3)
          ORDER BY tenant, flow, id LIMIT $5",
    )
    .bind(tenant.as_str())
    .bind(flow)
    .bind(revision)
    .bind(after.0)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((SessionId(row.try_get(0)?), ContactId(row.try_get(1)?)))).collect()
}

/// Where the open sessions of these tenants stand.
///
/// # Errors
/// See [`Error::fault`].
pub async fn standing(pool: &PgPool, tenants: &[TenantKey]) -> Result<Vec<Standing>, Error> {
    let rows = sqlx::query(
        "SELECT s.tenant, s.flow, s.revision, s.node, count(*)
           FROM unnest($1::text[]) AS u(tenant)
           JOIN session s ON s.tenant = u.tenant AND s.is_open
          GROUP BY s.tenant, s.flow, s.revision, s.node",
    )
    .bind(tenants.iter().map(TenantKey::as_str).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                tenant: TenantKey::from_stored(row.try_get(0)?),
                flow: row.try_get(1)?,
                revision: row.try_get(2)?,
                node: row.try_get(3)?,
                sessions: row.try_get(4)?,
            })
        })
        .collect()
}

/// Which sessions of these tenants could not go on in the last 24 hours, of each tenant's last 1,000.
///
/// # Errors
/// See [`Error::fault`].
pub async fn errored(pool: &PgPool, tenants: &[TenantKey]) -> Result<Vec<Errored>, Error> {
    let rows = sqlx::query(
        "SELECT u.tenant, s.flow, coalesce(s.error ->> 'node', s.node) AS at, coalesce(s.error ->> 'kind', '') AS why, count(*)
           FROM unnest($1::text[]) AS u(tenant)
           JOIN LATERAL (SELECT flow, node, context::jsonb -> 'error' AS error FROM session s
                          WHERE s.tenant = u.tenant AND s.state = 'Errored'
                            AND s.updated_at > clock_timestamp() - interval '24 hours'
                          ORDER BY s.updated_at DESC LIMIT 1000) AS s ON true
          GROUP BY u.tenant, s.flow, at, why
          ORDER BY count(*) DESC, at, why",
    )
    .bind(tenants.iter().map(TenantKey::as_str).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Errored {
                tenant: TenantKey::from_stored(row.try_get(0)?),
                flow: row.try_get(1)?,
                node: row.try_get(2)?,
                kind: row.try_get(3)?,
                sessions: row.try_get(4)?,
            })
        })
        .collect()
}

fn select(tenant: &TenantKey) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT s.id, s.flow, s.revision, s.state, s.context, s.node, s.pinned, s.contact, c.name, p.value,
                floor(extract(epoch FROM s.created_at) * 1000)::int8,
                floor(extract(epoch FROM s.updated_at) * 1000)::int8
           FROM session s
           LEFT JOIN LATERAL (SELECT name FROM contact c WHERE c.id = s.contact) AS c ON true
           LEFT JOIN LATERAL (SELECT i.value FROM contact_identity i
                               WHERE i.contact = s.contact AND i.kind = 'phone' ORDER BY i.value LIMIT 1) AS p ON true
          WHERE s.tenant = ",
    );
    query.push_bind(tenant.as_str().to_owned());
    query
}

fn view(row: &PgRow) -> Result<SessionView, Error> {
    let session = StoredSession {
        id: SessionId(row.try_get(0)?),
        flow: row.try_get(1)?,
        revision: row.try_get(2)?,
        state: state(row.try_get(3)?),
        context: row.try_get(4)?,
        node: row.try_get(5)?,
        pinned: row.try_get(6)?,
    };
    Ok(SessionView {
        session,
        contact: ContactId(row.try_get(7)?),
        name: row.try_get(8)?,
        phone: row.try_get(9)?,
        created_at: time(row, 10)?,
        updated_at: time(row, 11)?,
    })
}

/// A column of whole milliseconds since 1970.
fn time(row: &PgRow, column: usize) -> Result<Timestamp, Error> {
    let unreadable = |_| Error::Unreadable { table: "session", detail: format!("a time in column {column}") };
    Timestamp::from_millisecond(row.try_get(column)?).map_err(unreadable)
}
