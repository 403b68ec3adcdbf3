//! Tables `contact` and `contact_identity`: who is known, and by which identities.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;
use wigwag_domain::{ContactId, Recipient, Sender, TenantKey};

use crate::Error;

/// A way to know a person, within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The tenant.
    pub tenant: TenantKey,
    /// `phone` or `bsuid`.
    pub kind: &'static str,
    /// Digits, or the opaque id.
    pub value: String,
}

/// A contact as the lane's owner reads it.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The contact.
    pub id: ContactId,
    /// Profile name as last told.
    pub name: Option<String>,
    /// JSON object, at most 16 KiB.
    pub attributes: String,
    /// Digits of a phone by which it is known.
    pub phone: Option<String>,
}

/// Who sent each of a batch of messages.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The contact of each sender, in the order asked.
    pub contacts: Vec<ContactId>,
    /// Senders whose phone belongs to one contact and whose user id to another. Nothing was merged.
    pub conflicts: u64,
}

const PHONE: &str = "phone";
const BSUID: &str = "bsuid";

/// The identities of a sender, the one that decides first.
fn identities(tenant: &TenantKey, sender: &Sender) -> Vec<Identity> {
    [(BSUID, &sender.user_id), (PHONE, &sender.phone)]
        .into_iter()
        .filter_map(|(kind, value)| Some(Identity { tenant: tenant.clone(), kind, value: value.clone()? }))
        .collect()
}

/// Finds or makes the contact of each sender. A user id decides; its phone is linked where it is free.
///
/// # Errors
/// See [`Error::fault`].
pub async fn resolve(connection: &mut PgConnection, senders: &[(TenantKey, Sender)]) -> Result<Resolved, Error> {
    let wanted: BTreeSet<Identity> = senders.iter().flat_map(|(tenant, sender)| identities(tenant, sender)).collect();
    let mut known = look_up(connection, wanted.iter()).await?;
    if known.len() < wanted.len() {
        let missing = missing(senders, &known);
        insert(connection, &missing).await?;
        // Another replica may have inserted the same in between: what stands there counts.
        known = look_up(connection, wanted.iter()).await?;
        insert_contacts(connection, &missing, &known).await?;
    }
    let mut resolved = Resolved::default();
    for (tenant, sender) in senders {
        let mut owners = identities(tenant, sender).into_iter().filter_map(|identity| known.get(&identity).copied());
        let first = owners.next().ok_or_else(|| Error::Unreadable {
            table: "contact_identity",
            detail: "a sender has neither phone nor user id".to_owned(),
        })?;
        resolved.conflicts += u64::from(owners.any(|other| other != first));
        resolved.contacts.push(first);
    }
    Ok(resolved)
}

/// Each identity that is not known, with the contact that it shall lead to: that of the sender's other identity
/// where there is one, else a new one.
fn missing(senders: &[(TenantKey, Sender)], known: &HashMap<Identity, ContactId>) -> BTreeMap<Identity, ContactId> {
    let mut missing = BTreeMap::new();
    for (tenant, sender) in senders {
        let identities = identities(tenant, sender);
        let owner = identities
            .iter()
            .find_map(|identity| known.get(identity).or_else(|| missing.get(identity)).copied())
            .unwrap_or_else(ContactId::random);
        for identity in identities {
            if !known.contains_key(&identity) {
                missing.entry(identity).or_insert(owner);
            }
        }
    }
    missing
}

async fn look_up(
    connection: &mut PgConnection,
    wanted: impl Iterator<Item = &Identity> + Clone,
) -> Result<HashMap<Identity, ContactId>, Error> {
    // LATERAL over the primary key: without statistics a join by `= any` is planned as a scan.
    let rows = sqlx::query(
        "SELECT u.ord, i.contact
           FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS u(tenant, kind, value, ord)
           JOIN LATERAL (SELECT contact FROM contact_identity c
                          WHERE c.tenant = u.tenant AND c.kind = u.kind AND c.value = u.value) AS i ON true",
    )
    .bind(wanted.clone().map(|i| i.tenant.as_str()).collect::<Vec<_>>())
    .bind(wanted.clone().map(|i| i.kind).collect::<Vec<_>>())
    .bind(wanted.clone().map(|i| i.value.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let wanted: Vec<_> = wanted.collect();
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let ord: i64 = row.try_get(0)?;
        if let Some(identity) = usize::try_from(ord - 1).ok().and_then(|at| wanted.get(at)) {
            found.insert((*identity).clone(), ContactId(row.try_get(1)?));
        }
    }
    Ok(found)
}

async fn insert(connection: &mut PgConnection, missing: &BTreeMap<Identity, ContactId>) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO contact_identity (tenant, kind, value, contact)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u(tenant, kind, value, contact)
          ORDER BY u.tenant, u.kind, u.value
         ON CONFLICT DO NOTHING",
    )
    .bind(missing.keys().map(|i| i.tenant.as_str()).collect::<Vec<_>>())
    .bind(missing.keys().map(|i| i.kind).collect::<Vec<_>>())
    .bind(missing.keys().map(|i| i.value.as_str()).collect::<Vec<_>>())
    .bind(missing.values().map(|c| c.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The rows of contacts that an identity of ours really leads to now.
async fn insert_contacts(
    connection: &mut PgConnection,
    missing: &BTreeMap<Identity, ContactId>,
    known: &HashMap<Identity, ContactId>,
) -> Result<(), Error> {
    let new: BTreeMap<ContactId, &TenantKey> = missing
        .iter()
        .filter(|(identity, contact)| known.get(identity) == Some(contact))
        .map(|(identity, contact)| (*contact, &identity.tenant))
        .collect();
    sqlx::query(
        "INSERT INTO contact (id, tenant, lane)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::int2[]) AS u(id, tenant, lane) ORDER BY u.id
         ON CONFLICT DO NOTHING",
    )
    .bind(new.keys().map(|c| c.0).collect::<Vec<_>>())
    .bind(new.values().map(|t| t.as_str()).collect::<Vec<_>>())
    .bind(new.keys().map(|c| c.lane().0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Who is known by this phone (digits) or this business-scoped user id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn find(pool: &PgPool, tenant: &TenantKey, sender: &Sender) -> Result<Option<ContactId>, Error> {
    let mut connection = pool.acquire().await?;
    let identities = identities(tenant, sender);
    let known = look_up(&mut connection, identities.iter()).await?;
    Ok(identities.iter().find_map(|identity| known.get(identity).copied()))
}

/// Reads contacts by id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn read(pool: &PgPool, ids: &[ContactId]) -> Result<HashMap<ContactId, Contact>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, c.name, c.attributes, p.value
           FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT name, attributes FROM contact c WHERE c.id = u.id) AS c ON true
           LEFT JOIN LATERAL (SELECT i.value FROM contact_identity i
                               WHERE i.contact = u.id AND i.kind = 'phone' ORDER BY i.value LIMIT 1) AS p ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let id = ContactId(row.try_get(0)?);
            Ok((id, Contact { id, name: row.try_get(1)?, attributes: row.try_get(2)?, phone: row.try_get(3)? }))
        })
        .collect()
}

/// To whom a message to a contact goes: its phone, else its user id.
///
/// # Errors
/// See [`Error::fault`].
pub async fn recipients(pool: &PgPool, ids: &[ContactId]) -> Result<HashMap<ContactId, Recipient>, Error> {
    let rows = sqlx::query(
        "SELECT u.id, i.kind, i.value
           FROM unnest($1::uuid[]) AS u(id)
           JOIN LATERAL (SELECT kind, value FROM contact_identity i
                          WHERE i.contact = u.id ORDER BY (i.kind = 'phone') DESC, i.value LIMIT 1) AS i ON true",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let (id, kind, value): (Uuid, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let recipient = if kind == PHONE { Recipient::Phone(value) } else { Recipient::UserId(value) };
            Ok((ContactId(id), recipient))
        })
        .collect()
}
