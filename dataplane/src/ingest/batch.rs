//! Webhooks' updates as rows: pure, but for ids and the time in them.

use uuid::Uuid;
use wigwag_domain::{DeadLetter, DedupeKey, InboundId, Item, ProviderName, TenantKey};
use wigwag_store::{
    dead_letter::StoredDeadLetter,
    flush::{Flush, NewInbound},
};

/// Why a row that the database will never take became a dead letter.
pub(super) const REFUSED_BY_DATABASE: &str = "refused-by-database";

/// One update as a row.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Message(Box<NewInbound>),
    Receipt(TenantKey, wigwag_domain::Receipt),
    Dead(DedupeKey, StoredDeadLetter),
}

/// Where a webhook came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) tenant: &'a TenantKey,
    pub(super) provider: &'a ProviderName,
    pub(super) adapter: &'static str,
}

impl Origin<'_> {
    /// An update as a row.
    pub(super) fn row(&self, item: Item) -> Row {
        match item {
            Item::Message(message) => {
                let key = DedupeKey::of_message(self.tenant, self.adapter, &message.channel, &message.provider_id);
                let (sender, provider) = (message.from.clone(), message.provider.clone());
                let (provider_id, kind) = (message.provider_id.clone(), message.content.kind());
                let payload = message.into_payload(self.tenant);
                match serde_json::to_string(&payload) {
                    Ok(payload) => Row::Message(Box::new(NewInbound {
                        id: InboundId::now(),
                        key,
                        tenant: self.tenant.clone(),
                        sender,
                        provider,
                        provider_id,
                        kind,
                        payload,
                    })),
                    Err(error) => self.dead("unwritable", error.to_string(), provider_id.into_bytes()),
                }
            }
            Item::Receipt(receipt) => Row::Receipt(self.tenant.clone(), receipt),
            Item::Dead(DeadLetter { reason, detail, raw }) => self.dead(reason, detail, raw),
        }
    }

    fn dead(&self, reason: &'static str, detail: String, raw: Vec<u8>) -> Row {
        let key = DedupeKey::of_bytes(self.tenant, self.adapter, &raw);
        Row::Dead(key, self.letter(reason, detail, raw))
    }

    fn letter(&self, reason: &'static str, detail: String, raw: Vec<u8>) -> StoredDeadLetter {
        StoredDeadLetter {
            id: Uuid::now_v7(),
            tenant: self.tenant.clone(),
            provider: self.provider.clone(),
            stage: "ingest",
            reason,
            detail,
            raw,
        }
    }

    /// What is kept of a row that the database will never take. `None` where nothing of it can be.
    pub(super) fn refused(&self, row: &Row, why: &str) -> Option<Row> {
        let raw = match row {
            Row::Message(message) => message.payload.clone().into_bytes(),
            Row::Receipt(_, receipt) => format!("{receipt:?}").into_bytes(),
            Row::Dead(..) => return None,
        };
        Some(self.dead(REFUSED_BY_DATABASE, why.to_owned(), raw))
    }
}

/// Rows as what one transaction stores.
pub(super) fn flush<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Flush {
    let mut flush = Flush::default();
    for row in rows {
        match row {
            Row::Message(message) => flush.messages.push((**message).clone()),
            Row::Receipt(tenant, receipt) => flush.receipts.push((tenant.clone(), receipt.clone())),
            Row::Dead(key, letter) => flush.dead.push((*key, letter.clone())),
        }
    }
    flush
}
