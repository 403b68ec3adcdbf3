//! The story as a person would read it: events while they happen, and one customer's conversation so far.

use jiff::Timestamp;
use serde::Serialize;

use crate::Platform;

/// Something that happened, as it happens.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// A customer wrote; the webhook is about to be posted.
    CustomerMessage {
        /// The number that they wrote to.
        phone_number_id: String,
        /// Phone digits, or business-scoped id.
        customer: String,
        /// The profile's name.
        name: String,
        /// Its wamid.
        id: String,
        /// What it says in one line.
        text: String,
    },
    /// A send was accepted.
    BotMessage {
        /// The number that it went through.
        phone_number_id: String,
        /// Phone digits, or business-scoped id.
        customer: String,
        /// Its wamid.
        wamid: String,
        /// What it says in one line, with buttons.
        text: String,
    },
    /// A receipt was posted; again for each repetition.
    Receipt {
        /// The message that it is about.
        wamid: String,
        /// Phone digits, or business-scoped id.
        customer: String,
        /// `sent`, `delivered`, `read`, `played` or `failed`.
        status: String,
        /// What the webhook answered; `None` if nothing.
        answered: Option<u16>,
    },
    /// A call to the send endpoint was refused.
    Refused {
        /// The id in the URL.
        phone_number_id: String,
        /// Why.
        reason: String,
    },
}

/// A line of a conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The customer's name, or `bot`.
    pub from: String,
    /// What it says in one line, with buttons.
    pub text: String,
    /// Its wamid.
    pub id: String,
    /// Receipts that were answered 200, in order; empty for what the customer wrote.
    pub receipts: Vec<String>,
}

impl Platform {
    /// What this customer (phone or business-scoped id) and the business wrote to each other, in order.
    pub fn conversation(&self, identity: &str) -> Vec<Line> {
        let state = self.state();
        let from_customer = state.ledger.messages_of(identity).map(|m| {
            let line =
                Line { at: m.at, from: m.name.clone(), text: m.text.clone(), id: m.id.clone(), receipts: Vec::new() };
            (m.order, line)
        });
        let from_business = state.ledger.sends_to(identity).into_iter().map(|s| {
            let acknowledged = s.receipts.iter().filter(|r| r.acknowledged);
            let line = Line {
                at: s.at,
                from: "bot".to_owned(),
                text: s.line(),
                id: s.wamid.clone(),
                receipts: acknowledged.map(|r| r.status.clone()).collect(),
            };
            (s.order, line)
        });
        let mut lines: Vec<_> = from_customer.chain(from_business).collect();
        lines.sort_by_key(|(order, _)| *order);
        lines.into_iter().map(|(_, line)| line).collect()
    }
}
