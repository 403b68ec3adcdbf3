//! A webhook's envelope: entries, changes, and in each change's value the updates (Meta, "Webhooks", 2026-09). Up to
//! 1000 updates come in one POST, of several numbers, in any mixture.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use wigwag_domain::{DeadLetter, Item, ProviderName, cut};

use super::{
    message::{self, Contacts, Number},
    object::{Fault, Object},
    repair::repair,
    status,
};
use crate::reason;

/// More than Meta's 1000, and little enough that a POST of millions of empty updates costs nobody anything.
const MAX_UPDATES: usize = 4_000;

/// All updates of a webhook.
pub(super) fn parse(numbers: &BTreeMap<String, ProviderName>, body: &[u8], received: Timestamp) -> Vec<Item> {
    let text = repair(body);
    let mut reader = Reader { numbers, received, body, text: &text, items: Vec::new() };
    match reader.read() {
        Err(fault) => vec![reader.dead(&text, "body", &fault)],
        Ok(()) if reader.items.len() > MAX_UPDATES => {
            let fault = Fault::new(reason::TOO_MANY_UPDATES, format!("more than {MAX_UPDATES} updates"));
            vec![reader.dead(&text, "body", &fault)]
        }
        Ok(()) => reader.items,
    }
}

struct Reader<'a> {
    numbers: &'a BTreeMap<String, ProviderName>,
    received: Timestamp,
    /// As it came.
    body: &'a [u8],
    /// Repaired; each byte lies where it lies in `body`.
    text: &'a str,
    items: Vec<Item>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), Fault> {
        let unreadable = |fault: Fault| Fault::new(reason::UNREADABLE, fault.detail);
        let root = Object::read(self.text).map_err(unreadable)?;
        if root.need::<String>("object").map_err(unreadable)? != "whatsapp_business_account" {
            return Err(Fault::new(reason::UNREADABLE, "`object` is not whatsapp_business_account"));
        }
        let entries: Vec<&RawValue> = root.need("entry").map_err(unreadable)?;
        for (e, entry) in entries.into_iter().enumerate() {
            let place = format!("entry[{e}]");
            if let Err(fault) = self.entry(entry, &place) {
                self.bury(entry, &place, &fault);
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &'a RawValue, place: &str) -> Result<(), Fault> {
        let changes: Vec<&RawValue> = Object::read(entry.get())?.need("changes")?;
        for (c, change) in changes.into_iter().enumerate() {
            let place = format!("{place}.changes[{c}]");
            if let Err(fault) = self.change(change, &place) {
                self.bury(change, &place, &fault);
            }
        }
        Ok(())
    }

    fn change(&mut self, change: &'a RawValue, place: &str) -> Result<(), Fault> {
        let change = Object::read(change.get())?;
        let field: String = change.need("field")?;
        if field != "messages" {
            return Err(Fault::new(reason::UNKNOWN_FIELD, cut(&field, 100)));
        }
        let value: Object<'a> = change.need("value")?;
        let number = self.number(&value.need("metadata")?)?;
        let contacts = Contacts::read(&value);
        let mut has_updates = false;
        for (key, list) in value.entries() {
            match key {
                "messages" | "statuses" | "errors" => {}
                "messaging_product" | "metadata" | "contacts" => continue,
                // Updates come as lists: a list that we do not know holds some that we do not know.
                _ if list.get().starts_with('[') => {}
                _ => continue,
            }
            has_updates = true;
            let place = format!("{place}.value.{}", cut(key, 100));
            let Ok(updates) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
                self.bury(list, &place, &Fault::shape("not a list"));
                continue;
            };
            for (u, update) in updates.into_iter().enumerate() {
                let item = match key {
                    "messages" => message::read(update, &number, &contacts, self.received),
                    "statuses" => status::read(update, self.received),
                    "errors" => Err(status::provider_error(update)),
                    _ => Err(Fault::shape("in a list that we do not know")),
                };
                match item {
                    Ok(item) => self.push(item),
                    Err(fault) => self.bury(update, &format!("{place}[{u}]"), &fault),
                }
            }
        }
        if has_updates { Ok(()) } else { Err(Fault::shape("`value` holds no messages, statuses or errors")) }
    }

    fn number(&self, metadata: &Object<'_>) -> Result<Number<'a>, Fault> {
        let id: String = metadata.need("phone_number_id")?;
        let Some((id, provider)) = self.numbers.get_key_value(&id) else {
            let detail = format!("phone number id {:?} is of no provider of the tenant", cut(&id, 100));
            return Err(Fault::new(reason::FOREIGN_NUMBER, detail));
        };
        Ok(Number { id, provider, display: metadata.adornment("display_phone_number") })
    }

    fn bury(&mut self, piece: &RawValue, place: &str, fault: &Fault) {
        let dead = self.dead(piece.get(), place, fault);
        self.push(dead);
    }

    fn push(&mut self, item: Item) {
        // One over the limit tells that there were more; the rest is not needed.
        if self.items.len() <= MAX_UPDATES {
            self.items.push(item);
        }
    }

    /// The dead letter of a piece of the text, with the bytes that stood in its place.
    fn dead(&self, piece: &str, place: &str, fault: &Fault) -> Item {
        let start = (piece.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let original = self.body.get(start..start.saturating_add(piece.len()));
        Item::Dead(DeadLetter {
            reason: fault.reason,
            detail: format!("{place}: {}", fault.detail),
            raw: original.unwrap_or(piece.as_bytes()).to_vec(),
        })
    }
}
