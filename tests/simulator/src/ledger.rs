//! What really happened, in order: sends that were accepted, calls that were refused, what customers wrote, and every
//! webhook POST with its attempts. Tests hold it against what the data plane believes.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Offered, Subject, Template, render,
    webhook::{customer_key, same_customer},
};

/// The record of one simulator. [`crate::Platform::ledger`] gives a copy.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ledger {
    next: u64,
    /// Accepted sends, in the order of acceptance.
    pub sends: Vec<Sent>,
    /// Calls to the send endpoint that were not accepted.
    pub refused: Vec<Refused>,
    /// Messages marked read by the business, and typing indicators.
    pub read_marks: Vec<ReadMark>,
    /// What customers wrote.
    pub customer_messages: Vec<CustomerMessage>,
    /// Every webhook that was posted, with its attempts.
    pub deliveries: Vec<Delivery>,
    /// Updates that a rule dropped.
    pub dropped: Vec<Subject>,
    /// Calls to `/http/*`.
    pub endpoint_calls: Vec<EndpointCall>,
    #[serde(skip)]
    by_wamid: HashMap<String, usize>,
}

/// An accepted send.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Its place among everything that happened here.
    pub order: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// The number that it went through.
    pub phone_number_id: String,
    /// `to` or `recipient` as the call had it.
    pub to: String,
    /// Whom it went to: phone digits, or a business-scoped id.
    pub customer: String,
    /// Phone digits, if it went to a phone.
    pub wa_id: Option<String>,
    /// Business-scoped id, where it is known.
    pub user_id: Option<String>,
    /// `to` had no `+`, so that Meta put the business's country code before it: most likely the wrong person.
    pub wrong_country: bool,
    /// The id that the answer gave.
    pub wamid: String,
    /// The sender's own id for it.
    pub biz_opaque_callback_data: Option<String>,
    /// The whole body.
    pub body: Value,
    /// The registered template that it used.
    pub template: Option<Template>,
    /// Receipts that were posted, in order, each status once.
    pub receipts: Vec<Receipt>,
}

impl Sent {
    /// What it says, without buttons: text, body or caption.
    pub fn text(&self) -> String {
        render::text_of(&self.body)
    }

    /// What it says in one line, with its buttons: `Hola. [1 Comprar] [2 Salir]`.
    pub fn line(&self) -> String {
        render::line_with(&self.body, &self.options())
    }

    /// What the customer can tap, in the order in which it is shown.
    pub fn options(&self) -> Vec<Offered> {
        match &self.template {
            Some(template) => render::quick_replies(&self.body, template),
            None => render::options_of(&self.body),
        }
    }
}

/// A receipt of a sent message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// `sent`, `delivered`, `read`, `played` or `failed`.
    pub status: String,
    /// Its webhook was answered 200.
    pub acknowledged: bool,
}

/// A call that was not accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// The id in the URL.
    pub phone_number_id: String,
    /// The answer's HTTP status; `None` if there was no answer.
    pub status: Option<u16>,
    /// Graph error code, if the answer had one.
    pub code: Option<i64>,
    /// Why, in words.
    pub reason: String,
    /// The call's body, null if it was no JSON.
    pub body: Value,
}

/// A message that the business marked as read.
#[derive(Clone, Debug, Serialize)]
pub struct ReadMark {
    /// Its place among everything that happened here.
    pub order: u64,
    /// The customer's message.
    pub message_id: String,
    /// It asked for a typing indicator too.
    pub typing: bool,
}

/// A message that a customer wrote.
#[derive(Clone, Debug, Serialize)]
pub struct CustomerMessage {
    /// Its place among everything that happened here.
    pub order: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The number that it went to.
    pub phone_number_id: String,
    /// Phone digits, or business-scoped id.
    pub customer: String,
    /// The profile's name.
    pub name: String,
    /// Its wamid.
    pub id: String,
    /// What it says in one line.
    pub text: String,
}

/// One webhook POST and its repetitions.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// The number whose webhook it went to.
    pub phone_number_id: String,
    /// What it told of, in the order of the body.
    pub subjects: Vec<Subject>,
    /// Every attempt, with its answer.
    pub attempts: Vec<Attempt>,
    /// When it was first answered 200.
    pub acknowledged_at: Option<Timestamp>,
    /// It will be posted no more: acknowledged or given up.
    pub ended: bool,
    /// The raw bytes.
    #[serde(skip)]
    pub body: Bytes,
}

/// One attempt of a webhook POST.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// From begin to answer or failure, in milliseconds.
    pub took_ms: u64,
    /// Where it went, when not where DNS says.
    pub address: Option<String>,
    /// The answer's HTTP status; `None` if there was none.
    pub status: Option<u16>,
    /// What went wrong: the body of an answer that is not 200, or why there was none.
    pub problem: Option<String>,
}

/// A call to `/http/*`.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointCall {
    /// Its place among everything that happened here.
    pub order: u64,
    /// When it was there.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path behind `/http`.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Option<String>,
    /// Its headers by name in lower case; values of a repeated one with commas between.
    pub headers: BTreeMap<String, String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Its body was read too.
    pub read: bool,
    /// JSON, else text; null without one.
    pub body: Value,
    /// The answer's HTTP status; `None` while and if there is none.
    pub answered: Option<u16>,
}

impl Ledger {
    /// Accepted sends to this customer (phone in any writing, or business-scoped id), in order.
    pub fn sends_to(&self, identity: &str) -> Vec<&Sent> {
        let key = customer_key(identity);
        let is_to = |s: &&Sent| s.customer == key || s.user_id.as_deref() == Some(identity);
        self.sends.iter().filter(is_to).collect()
    }

    /// The accepted send with this wamid.
    pub fn sent(&self, wamid: &str) -> Option<&Sent> {
        self.sends.get(*self.by_wamid.get(wamid)?)
    }

    /// Every `biz_opaque_callback_data` that was accepted more than once, with the wamids: messages sent twice.
    pub fn duplicates(&self) -> Vec<(String, Vec<String>)> {
        let mut by_own_id: HashMap<&str, Vec<String>> = HashMap::new();
        for sent in &self.sends {
            if let Some(own_id) = &sent.biz_opaque_callback_data {
                by_own_id.entry(own_id).or_default().push(sent.wamid.clone());
            }
        }
        by_own_id.retain(|_, wamids| wamids.len() > 1);
        by_own_id.into_iter().map(|(own_id, wamids)| (own_id.to_owned(), wamids)).collect()
    }

    /// Calls to this path behind `/http`, in order.
    pub fn calls_to(&self, path: &str) -> Vec<&EndpointCall> {
        self.endpoint_calls.iter().filter(|call| call.path == path).collect()
    }

    /// How often each `Idempotency-Key` was used at `/http/*`.
    pub fn calls_by_key(&self) -> BTreeMap<&str, usize> {
        let mut calls = BTreeMap::new();
        for key in self.endpoint_calls.iter().filter_map(|call| call.idempotency_key.as_deref()) {
            *calls.entry(key).or_default() += 1;
        }
        calls
    }

    /// Ids of the customer messages whose webhook was answered 200.
    pub fn acknowledged_messages(&self) -> impl Iterator<Item = &str> {
        self.deliveries.iter().filter(|d| d.acknowledged_at.is_some()).flat_map(|d| &d.subjects).filter_map(|subject| {
            match subject {
                Subject::Message { id, .. } => Some(id.as_str()),
                _ => None,
            }
        })
    }

    /// Webhooks that are still in flight or waiting for their next attempt.
    pub fn pending_webhooks(&self) -> usize {
        self.deliveries.iter().filter(|d| !d.ended).count()
    }

    /// How far it got, in one line, for failure messages.
    pub fn summary(&self) -> String {
        let last = self.deliveries.last().and_then(|d| d.attempts.last());
        let webhook = match last {
            Some(Attempt { status: Some(status), .. }) => format!("last webhook answered {status}"),
            Some(Attempt { problem: Some(problem), .. }) => format!("last webhook failed: {problem}"),
            _ => "no webhook answered".to_owned(),
        };
        let refused = self.refused.last().map(|r| format!(", last refused: {}", r.reason)).unwrap_or_default();
        format!(
            "customers wrote {}, the business sent {}, refused {}{refused}, webhooks pending {}, {webhook}",
            self.customer_messages.len(),
            self.sends.len(),
            self.refused.len(),
            self.pending_webhooks(),
        )
    }
}

// === Writing it ===

impl Ledger {
    pub(crate) fn next_order(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn accept(&mut self, sent: Sent) {
        self.by_wamid.insert(sent.wamid.clone(), self.sends.len());
        self.sends.push(sent);
    }

    /// The place of the new delivery.
    pub(crate) fn begin_delivery(&mut self, number: &str, body: Bytes, subjects: &[Subject]) -> usize {
        for subject in subjects {
            if let Some(receipts) = self.receipts_of(subject)
                && let Subject::Status { status, .. } = subject
                && !receipts.iter().any(|r| r.status == *status)
            {
                receipts.push(Receipt { status: status.clone(), acknowledged: false });
            }
        }
        self.deliveries.push(Delivery {
            phone_number_id: number.to_owned(),
            subjects: subjects.to_vec(),
            attempts: Vec::new(),
            acknowledged_at: None,
            ended: false,
            body,
        });
        self.deliveries.len() - 1
    }

    pub(crate) fn attempted(&mut self, delivery: usize, attempt: Attempt, last: bool) {
        let delivery = &mut self.deliveries[delivery];
        delivery.ended = last;
        let acknowledged = attempt.status == Some(200);
        delivery.attempts.push(attempt);
        if !acknowledged {
            return;
        }
        delivery.acknowledged_at = Some(Timestamp::now());
        for subject in delivery.subjects.clone() {
            let Subject::Status { status, .. } = &subject else { continue };
            for receipt in self.receipts_of(&subject).into_iter().flatten().filter(|r| r.status == *status) {
                receipt.acknowledged = true;
            }
        }
    }

    fn receipts_of(&mut self, subject: &Subject) -> Option<&mut Vec<Receipt>> {
        let Subject::Status { id, .. } = subject else { return None };
        Some(&mut self.sends.get_mut(*self.by_wamid.get(id)?)?.receipts)
    }

    pub(crate) fn messages_of(&self, identity: &str) -> impl Iterator<Item = &CustomerMessage> {
        self.customer_messages.iter().filter(move |m| same_customer(&m.customer, identity))
    }
}
