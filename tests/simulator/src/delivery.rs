//! Posting updates to a number's webhook: disturbed by the rules, signed, and repeated until 200 as Meta does it.
//!
//! [`Platform::publish`] is the way of everything that happens by itself; it goes on when nobody waits for it.
//! [`Platform::post_batch`] and [`Platform::post_raw`] are for tests that want these bytes now.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    Answer, Attempt, Event, Number, Platform, Subject, Update, WebhookFault,
    faults::OVERTAKE_WITHIN,
    webhook::{self, BATCH_LIMIT, sign},
};

/// When a webhook that was not answered 200 is posted again: at once, then after `base`, doubling up to `max`.
/// Meta's own clock runs up to 7 days; this one is for tests.
#[derive(Clone, Copy, Debug)]
pub struct RetryClock {
    /// The pause before the third attempt.
    pub base: Duration,
    /// The longest pause.
    pub max: Duration,
    /// No attempt begins later than this after the first.
    pub give_up_after: Duration,
    /// How long one attempt waits for its answer.
    pub attempt_timeout: Duration,
}

impl Default for RetryClock {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            max: Duration::from_secs(2),
            give_up_after: Duration::from_secs(120),
            attempt_timeout: Duration::from_secs(5),
        }
    }
}

impl RetryClock {
    fn pause_after(&self, attempts: u32) -> Duration {
        match attempts {
            0 | 1 => Duration::ZERO,
            n => self.base.saturating_mul(2_u32.saturating_pow(n - 2)).min(self.max),
        }
    }
}

/// What several addresses of one webhook host mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Each attempt goes to the next one, as behind a load balancer.
    #[default]
    RoundRobin,
    /// Every webhook goes to all of them at once, each repeated on its own.
    All,
}

/// What became of an update that was posted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Posted {
    /// The wamid of the message, or of the message that the receipt is about; empty for batches and other fields.
    pub id: String,
    /// Every copy of it was answered 200. False too when a rule dropped it.
    pub acknowledged: bool,
    /// The attempts of all copies.
    pub attempts: Vec<Attempt>,
}

/// Updates that wait for the end of their batch's window.
#[derive(Debug, Default)]
pub(crate) struct Batches(HashMap<String, Vec<(Update, oneshot::Sender<Posted>)>>);

impl Platform {
    /// Posts an update, in the background, through the rules.
    pub(crate) fn publish(self: &Arc<Self>, update: Update) -> JoinHandle<Option<Posted>> {
        let platform = self.clone();
        self.spawn(async move {
            let id = update.subject.id().to_owned();
            let posted = platform.publish_through_rules(update).await;
            Posted { id, ..posted }
        })
    }

    async fn publish_through_rules(self: &Arc<Self>, update: Update) -> Posted {
        let updates = std::slice::from_ref(&update);
        match self.fault_for(&update) {
            None => self.deliver(updates, 1).await,
            Some(WebhookFault::Drop) => {
                self.change(|s| s.ledger.dropped.push(update.subject.clone()));
                Posted::default()
            }
            Some(WebhookFault::Delay { ms }) => {
                sleep(Duration::from_millis(ms)).await;
                self.deliver(updates, 1).await
            }
            Some(WebhookFault::Duplicate { copies }) => {
                together(join_all((0..copies.max(2)).map(|_| self.deliver(updates, 1))).await)
            }
            Some(WebhookFault::Reorder) => {
                // Not overtaken in time is fine: then there was nothing to be reordered with.
                let _ = timeout(OVERTAKE_WITHIN, self.overtaken.notified()).await;
                self.deliver(updates, 1).await
            }
            Some(WebhookFault::Batch { window_ms, entries }) => self.join_batch(update, window_ms, entries).await,
        }
    }

    fn fault_for(&self, update: &Update) -> Option<WebhookFault> {
        let mut guard = self.state();
        let state = &mut *guard;
        let (rules, customer) = match &update.subject {
            Subject::Message { customer, .. } => (&mut state.messages, customer),
            Subject::Status { customer, .. } => (&mut state.statuses, customer),
            Subject::Other => return None,
        };
        rules.draw(&update.number, &[customer], |_| true, &mut state.random)
    }

    async fn join_batch(self: &Arc<Self>, update: Update, window_ms: u64, entries: usize) -> Posted {
        let (tell, told) = oneshot::channel();
        let number = update.number.clone();
        let first = self.change(|s| {
            let batch = s.batches.0.entry(number.clone()).or_default();
            batch.push((update, tell));
            batch.len() == 1
        });
        if first {
            let platform = self.clone();
            self.spawn(async move {
                sleep(Duration::from_millis(window_ms)).await;
                let batch = platform.change(|s| s.batches.0.remove(&number)).unwrap_or_default();
                let (updates, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                let posted = platform.deliver(&updates, entries).await;
                for waiter in waiting {
                    let _ = waiter.send(posted.clone());
                }
            });
        }
        told.await.unwrap_or_default()
    }

    /// Posts these updates of one number as one webhook with so many entries, past all rules, repeated until 200.
    ///
    /// # Errors
    /// For no updates, more than 1000, or updates of several numbers, none of which Meta would put into one POST of ours.
    pub async fn post_batch(self: &Arc<Self>, updates: Vec<Update>, entries: usize) -> anyhow::Result<Posted> {
        let first = updates.first().context("a batch needs an update")?.number.clone();
        ensure!(updates.len() <= BATCH_LIMIT, "{} updates: Meta posts at most {BATCH_LIMIT}", updates.len());
        ensure!(updates.iter().all(|u| u.number == first), "updates of several numbers: post one batch for each");
        let platform = self.clone();
        let posted = self.spawn(async move { platform.deliver(&updates, entries).await });
        posted.await?.context("the simulator was stopped")
    }

    /// Posts any body once, with `Content-Type: application/json` and these headers, signed only if you put
    /// `X-Hub-Signature-256` (see [`sign`]) among them. Not repeated, not in the ledger.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn post_raw(
        &self,
        phone_number_id: &str,
        body: impl Into<Bytes>,
        headers: &[(String, String)],
    ) -> anyhow::Result<Answer> {
        let number = self.number(phone_number_id)?;
        let address = self.address_for(&number, None);
        let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
        all.extend_from_slice(headers);
        let within = self.retry.attempt_timeout;
        self.client.send(Method::POST, &number.webhook_url, address, &all, body.into(), within).await
    }

    /// The GET handshake with the number's own verify token.
    ///
    /// # Errors
    /// When the webhook did not give the challenge back with 200.
    pub async fn verify(&self, phone_number_id: &str) -> anyhow::Result<()> {
        let token = self.number(phone_number_id)?.verify_token;
        let challenge = (uuid::Uuid::new_v4().as_u128() >> 96).to_string();
        let answer = self.challenge(phone_number_id, "subscribe", &token, &challenge).await?;
        ensure!(
            answer.status == 200 && answer.body == challenge,
            "the webhook of {phone_number_id} did not give the challenge {challenge} back: {answer:?}"
        );
        Ok(())
    }

    /// The GET handshake with anything in it.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn challenge(
        &self,
        phone_number_id: &str,
        mode: &str,
        verify_token: &str,
        challenge: &str,
    ) -> anyhow::Result<Answer> {
        let number = self.number(phone_number_id)?;
        let url = format!(
            "{}?hub.mode={}&hub.challenge={}&hub.verify_token={}",
            number.webhook_url,
            escaped(mode),
            escaped(challenge),
            escaped(verify_token)
        );
        let address = self.address_for(&number, None);
        self.client.send(Method::GET, &url, address, &[], Bytes::new(), self.retry.attempt_timeout).await
    }
}

// === Until it is answered 200 ===

impl Platform {
    async fn deliver(&self, updates: &[Update], entries: usize) -> Posted {
        let Some(first) = updates.first() else { return Posted::default() };
        let Ok(number) = self.number(&first.number) else { return Posted::default() };
        let spread = self.state().spread;
        let copies = match spread {
            Spread::RoundRobin => vec![None],
            Spread::All => (0..self.addresses(&number).len().max(1)).map(Some).collect(),
        };
        let posts = updates.chunks(BATCH_LIMIT).flat_map(|updates| {
            let body = webhook::body(&number, updates, entries);
            let subjects: Vec<_> = updates.iter().map(|u| u.subject.clone()).collect();
            copies.iter().map(move |copy| (body.clone(), subjects.clone(), *copy))
        });
        let posts = posts.map(|(body, subjects, copy)| self.repeat_until_200(&first.number, body, subjects, copy));
        together(join_all(posts).await)
    }

    async fn repeat_until_200(&self, number: &str, body: Bytes, subjects: Vec<Subject>, copy: Option<usize>) -> Posted {
        let id = self.change(|s| s.ledger.begin_delivery(number, body.clone(), &subjects));
        let begun = Instant::now();
        let mut attempts = Vec::new();
        loop {
            let attempt = self.attempt(number, body.clone(), copy).await;
            let acknowledged = attempt.status == Some(200);
            attempts.push(attempt.clone());
            for subject in &subjects {
                if let Subject::Status { id, status, customer } = subject {
                    self.tell(Event::Receipt {
                        wamid: id.clone(),
                        customer: customer.clone(),
                        status: status.clone(),
                        answered: attempt.status,
                    });
                }
            }
            let pause = self.retry.pause_after(attempts.len() as u32);
            let last = acknowledged || begun.elapsed() + pause > self.retry.give_up_after;
            self.change(|s| s.ledger.attempted(id, attempt, last));
            if acknowledged {
                self.overtaken.notify_waiters();
            }
            if last {
                return Posted { id: String::new(), acknowledged, attempts };
            }
            sleep(pause).await;
        }
    }

    /// The number is looked up for each attempt: a replica that came back elsewhere gets the retries too.
    async fn attempt(&self, number: &str, body: Bytes, copy: Option<usize>) -> Attempt {
        let at = Timestamp::now();
        let begun = Instant::now();
        let (address, answer) = match self.number(number) {
            Err(error) => (None, Err(error)),
            Ok(number) => {
                let address = self.address_for(&number, copy);
                let headers = [
                    ("content-type".to_owned(), "application/json".to_owned()),
                    ("user-agent".to_owned(), "facebookexternalua".to_owned()),
                    ("x-hub-signature-256".to_owned(), sign(&number.app_secret, &body)),
                ];
                let within = self.retry.attempt_timeout;
                let sent = self.client.send(Method::POST, &number.webhook_url, address, &headers, body, within);
                (address, sent.await)
            }
        };
        Attempt {
            at,
            took_ms: begun.elapsed().as_millis() as u64,
            address: address.map(|a| a.to_string()),
            status: answer.as_ref().ok().map(|a| a.status),
            problem: match answer {
                Ok(answer) if answer.status == 200 => None,
                Ok(answer) => Some(answer.body),
                Err(error) => Some(format!("{error:#}")),
            },
        }
    }

    /// `None`: as DNS says.
    fn address_for(&self, number: &Number, copy: Option<usize>) -> Option<SocketAddr> {
        let addresses = self.addresses(number);
        let turn = copy.unwrap_or_else(|| self.round_robin.fetch_add(1, Ordering::Relaxed));
        addresses.get(turn.checked_rem(addresses.len())?).copied()
    }

    fn addresses(&self, number: &Number) -> Vec<SocketAddr> {
        let url: Option<Uri> = number.webhook_url.parse().ok();
        let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
        self.state().connect.get(host).cloned().unwrap_or_default()
    }
}

fn together(copies: Vec<Posted>) -> Posted {
    Posted {
        id: String::new(),
        acknowledged: !copies.is_empty() && copies.iter().all(|c| c.acknowledged),
        attempts: copies.into_iter().flat_map(|c| c.attempts).collect(),
    }
}

fn escaped(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_pauses_double_up_to_the_longest() {
        let clock = RetryClock::default();
        let pauses: Vec<_> = (1..=8).map(|n| clock.pause_after(n).as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(clock.pause_after(4_000_000_000).as_millis(), 2000);
    }
}
