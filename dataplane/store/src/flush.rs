//! What came in, committed before it is answered: one transaction for all that was waiting when the flusher came by.
//!
//! Orders that two replicas must share, or they deadlock: dedupe keys, identities and orphans by key, messages of
//! ours by id. Jobs are inserted in the order of arrival, which becomes the order of their `seq`.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;
use wigwag_domain::{ContactId, DedupeKey, InboundId, ProviderName, Receipt, Sender, TenantKey};

use crate::{
    Error, ReadyJob, contact,
    dead_letter::{self, StoredDeadLetter},
    dedupe,
    job_ready::{columns, ready_job},
    outbound::{self, Changed},
    receipt,
};

/// Earlier jobs that are told of each contact; where there are more, the owner reads them itself.
const EARLIER: i64 = 32;

/// A message to store.
#[derive(Clone, Debug)]
pub struct NewInbound {
    /// Its id, and its job's.
    pub id: InboundId,
    /// The key by which a repetition is known.
    pub key: DedupeKey,
    /// Its tenant.
    pub tenant: TenantKey,
    /// Who wrote.
    pub sender: Sender,
    /// By which account it came in.
    pub provider: ProviderName,
    /// The provider's id of it.
    pub provider_id: String,
    /// Short word for what it is.
    pub kind: &'static str,
    /// JSON of [`wigwag_domain::Payload`].
    pub payload: String,
}

/// What one transaction stores.
#[derive(Clone, Debug, Default)]
pub struct Flush {
    /// Messages, in the order of arrival.
    pub messages: Vec<NewInbound>,
    /// Receipts, in the order of arrival.
    pub receipts: Vec<(TenantKey, Receipt)>,
    /// What could not be handled, with the key by which a repetition is known.
    pub dead: Vec<(DedupeKey, StoredDeadLetter)>,
}

/// What it led to.
#[derive(Debug, Default)]
pub struct Flushed {
    /// The messages that are new, in order, each after the earlier ones of its contact that still wait.
    pub jobs: Vec<ReadyJob>,
    /// Messages that were stored before.
    pub duplicates: u64,
    /// Messages of ours whose status a receipt changed.
    pub changed: Vec<Changed>,
    /// Senders whose phone is another contact's than their user id.
    pub identity_conflicts: u64,
    /// Dead letters that are new.
    pub dead: u64,
}

/// Stores everything, or nothing.
///
/// # Errors
/// See [`Error::fault`]; [`crate::Fault::Value`] means that one of the items can never be stored.
pub async fn commit(connection: &mut PgConnection, flush: &Flush) -> Result<Flushed, Error> {
    let mut transaction = connection.begin().await?;
    let mut flushed = Flushed::default();
    let new = new_keys(&mut transaction, flush).await?;
    if !flush.messages.is_empty() {
        let messages = first_of_each(flush, &new);
        flushed.duplicates = (flush.messages.len() - messages.len()) as u64;
        store_messages(&mut transaction, &messages, &mut flushed).await?;
    }
    if !flush.receipts.is_empty() {
        let receipts: Vec<_> = flush.receipts.iter().map(|(tenant, receipt)| (tenant, receipt)).collect();
        let applied = outbound::apply_receipts(&mut transaction, &receipts).await?;
        if !applied.orphans.is_empty() {
            let orphans: Vec<_> = applied.orphans.iter().map(|at| receipts[*at]).collect();
            receipt::keep(&mut transaction, &orphans).await?;
        }
        flushed.changed = applied.changed;
        flushed.jobs.extend(applied.jobs);
    }
    let dead: Vec<StoredDeadLetter> = flush
        .dead
        .iter()
        .filter(|(_, letter)| new.contains(&InboundId(letter.id)))
        .map(|(_, letter)| letter.clone())
        .collect();
    if !dead.is_empty() {
        dead_letter::insert(&mut transaction, &dead).await?;
        flushed.dead = dead.len() as u64;
    }
    transaction.commit().await?;
    Ok(flushed)
}

/// The items that were not stored before, by id: of equal keys the first counts.
async fn new_keys(connection: &mut PgConnection, flush: &Flush) -> Result<HashSet<InboundId>, Error> {
    let mut keys = BTreeMap::new();
    let messages = flush.messages.iter().map(|message| (message.key, message.id));
    let dead = flush.dead.iter().map(|(key, letter)| (*key, InboundId(letter.id)));
    for (key, id) in messages.chain(dead) {
        keys.entry(key).or_insert(id);
    }
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<_> = keys.into_iter().collect();
    Ok(dedupe::insert(connection, &keys).await?.into_iter().collect())
}

fn first_of_each<'a>(flush: &'a Flush, new: &HashSet<InboundId>) -> Vec<&'a NewInbound> {
    flush.messages.iter().filter(|message| new.contains(&message.id)).collect()
}

async fn store_messages(
    connection: &mut PgConnection,
    messages: &[&NewInbound],
    flushed: &mut Flushed,
) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let senders: Vec<_> = messages.iter().map(|m| (m.tenant.clone(), m.sender.clone())).collect();
    let resolved = contact::resolve(connection, &senders).await?;
    flushed.identity_conflicts = resolved.conflicts;
    let jobs = insert(connection, messages, &resolved.contacts).await?;
    flushed.jobs = with_earlier(connection, jobs).await?;
    Ok(())
}

/// The messages and their jobs, in the order of arrival.
async fn insert(
    connection: &mut PgConnection,
    messages: &[&NewInbound],
    contacts: &[ContactId],
) -> Result<Vec<ReadyJob>, Error> {
    let rows = sqlx::query(concat!(
        "WITH u AS (
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int2[], $5::text[], $6::text[], $7::text[],
                                $8::text[])
                  WITH ORDINALITY AS u(id, tenant, contact, lane, provider, provider_id, kind, payload, ord)
         ), stored AS (
           INSERT INTO inbound (id, tenant, contact, provider, provider_id, kind, payload)
           SELECT id, tenant, contact, provider, provider_id, kind, payload FROM u
         )
         INSERT INTO job_ready AS j (job, tenant, lane, contact)
         SELECT id, tenant, lane, contact FROM u ORDER BY ord
         RETURNING ",
        columns!(),
    ))
    .bind(messages.iter().map(|m| m.id.0).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.tenant.as_str()).collect::<Vec<_>>())
    .bind(contacts.iter().map(|c| c.0).collect::<Vec<_>>())
    .bind(contacts.iter().map(|c| c.lane().0).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.provider.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.provider_id.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.kind).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.payload.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(ready_job).collect::<Result<_, _>>()?)
}

/// Puts the jobs in front that already wait for the same contacts. An earlier message that was answered 200 before
/// this one was posted is visible here, so whoever is handed this list runs them in order. A contact with too many is
/// left out: its owner reads it from the table.
async fn with_earlier(connection: &mut PgConnection, jobs: Vec<ReadyJob>) -> Result<Vec<ReadyJob>, Error> {
    let mut first: HashMap<ContactId, i64> = HashMap::new();
    for job in &jobs {
        first.entry(job.contact).or_insert(job.seq);
    }
    let (contacts, seqs): (Vec<Uuid>, Vec<i64>) = first.iter().map(|(contact, seq)| (contact.0, *seq)).unzip();
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM unnest($1::uuid[], $2::int8[]) AS u(contact, seq)
           JOIN LATERAL (SELECT * FROM job_ready j WHERE j.contact = u.contact AND j.seq < u.seq
                          ORDER BY j.contact, j.seq LIMIT $3) AS j ON true",
    ))
    .bind(contacts)
    .bind(seqs)
    .bind(EARLIER)
    .fetch_all(connection)
    .await?;
    if rows.is_empty() {
        return Ok(jobs);
    }
    let mut counts: HashMap<ContactId, i64> = HashMap::new();
    let mut all = Vec::with_capacity(rows.len() + jobs.len());
    for row in &rows {
        let job = ready_job(row)?;
        *counts.entry(job.contact).or_default() += 1;
        all.push(job);
    }
    all.extend(jobs);
    all.retain(|job| counts.get(&job.contact).is_none_or(|count| *count < EARLIER));
    all.sort_by_key(|job| job.seq);
    Ok(all)
}
