//! Customers writing continuously: what fault tests keep running while they kill things. Every message's id is recorded
//! with whether its webhook was ever answered 200.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures::{
    StreamExt as _,
    future::{join_all, ready},
    stream,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Customer, Inbound, Platform};

/// Who writes how much.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadPlan {
    /// The number that they write to.
    pub phone_number_id: String,
    /// How many customers.
    #[serde(default = "hundred")]
    pub contacts: usize,
    /// Messages of each; `None`: until stopped.
    #[serde(default)]
    pub messages: Option<usize>,
    /// Webhooks in flight at most.
    #[serde(default = "sixteen")]
    pub concurrency: usize,
    /// A customer's next message is posted only after the one before was answered 200. Otherwise as fast as
    /// `concurrency` lets them.
    #[serde(default = "yes")]
    pub in_order: bool,
    /// The first customer's phone; the others follow it.
    #[serde(default = "first_phone")]
    pub first_phone: u64,
    /// What they write; `{n}` becomes the message's place among the customer's, from 0.
    #[serde(default = "text")]
    pub text: String,
}

fn hundred() -> usize {
    100
}
fn sixteen() -> usize {
    16
}
fn yes() -> bool {
    true
}
fn first_phone() -> u64 {
    34_600_000_000
}
fn text() -> String {
    "message {n}".to_owned()
}

impl LoadPlan {
    /// So many contacts with so many messages each, 16 webhooks in flight, in order.
    pub fn new(phone_number_id: impl Into<String>, contacts: usize, messages: Option<usize>) -> Self {
        Self {
            phone_number_id: phone_number_id.into(),
            contacts,
            messages,
            concurrency: sixteen(),
            in_order: true,
            first_phone: first_phone(),
            text: text(),
        }
    }
}

/// A message of the load.
#[derive(Clone, Debug, Serialize)]
pub struct LoadMessage {
    /// The customer's phone digits.
    pub customer: String,
    /// Its place among the customer's messages, from 0.
    pub place: usize,
    /// Its wamid.
    pub id: String,
    /// Its webhook was answered 200, at whichever attempt.
    pub acknowledged: bool,
    /// How often it was posted.
    pub attempts: usize,
}

/// What became of a load.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Every message that was posted, in the order in which they ended.
    pub messages: Vec<LoadMessage>,
    /// From begin to end.
    pub took: Duration,
}

impl LoadReport {
    /// Messages that were answered 200.
    pub fn acknowledged(&self) -> impl Iterator<Item = &LoadMessage> {
        self.messages.iter().filter(|m| m.acknowledged)
    }
}

/// A load that runs. Dropped, it goes on until its plan is done.
#[derive(Debug)]
pub struct Load {
    done: Arc<Mutex<Vec<LoadMessage>>>,
    stop: CancellationToken,
    task: JoinHandle<Option<Duration>>,
}

impl Platform {
    /// Begins a load in the background.
    ///
    /// # Errors
    /// When the number is not registered.
    pub fn load(self: &Arc<Self>, plan: LoadPlan) -> anyhow::Result<Load> {
        let customers = (0..plan.contacts as u64)
            .map(|n| {
                let phone = plan.first_phone + n;
                self.customer(&plan.phone_number_id, &format!("+{phone}"), &format!("Contact {n}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let done = Arc::new(Mutex::new(Vec::new()));
        let stop = CancellationToken::new();
        let run =
            Arc::new(Run { permits: Semaphore::new(plan.concurrency), plan, stop: stop.clone(), done: done.clone() });
        let task = self.spawn(async move {
            let begun = Instant::now();
            join_all(customers.into_iter().map(|customer| run.one_customer(customer))).await;
            begun.elapsed()
        });
        Ok(Load { done, stop, task })
    }
}

impl Load {
    /// What ended so far.
    pub fn progress(&self) -> Vec<LoadMessage> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the plan is done.
    ///
    /// # Errors
    /// When the simulator was stopped.
    pub async fn finish(self) -> anyhow::Result<LoadReport> {
        let took = self.task.await?.context("the simulator was stopped")?;
        let messages = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(LoadReport { messages, took })
    }

    /// Lets the customers write no more, and waits until what they wrote was answered 200 or given up.
    ///
    /// # Errors
    /// When the simulator was stopped.
    pub async fn stop(self) -> anyhow::Result<LoadReport> {
        self.stop.cancel();
        self.finish().await
    }
}

struct Run {
    plan: LoadPlan,
    permits: Semaphore,
    stop: CancellationToken,
    done: Arc<Mutex<Vec<LoadMessage>>>,
}

impl Run {
    async fn one_customer(&self, customer: Customer) {
        let (customer, given_up) = (&customer, &AtomicBool::new(false));
        let at_once = if self.plan.in_order { 1 } else { self.plan.concurrency };
        stream::iter(0..self.plan.messages.unwrap_or(usize::MAX))
            .take_until(self.stop.cancelled())
            .take_while(|_| ready(!given_up.load(Ordering::SeqCst)))
            .for_each_concurrent(at_once, |place| async move {
                let _permit = self.permits.acquire().await;
                // In order, nothing may follow a message that did not get through.
                if !self.post(customer, place).await && self.plan.in_order {
                    given_up.store(true, Ordering::SeqCst);
                }
            })
            .await;
    }

    async fn post(&self, customer: &Customer, place: usize) -> bool {
        let text = self.plan.text.replace("{n}", &place.to_string());
        let Ok(posted) = customer.post(Inbound::text(text)).await else { return false };
        let message = LoadMessage {
            customer: customer.key(),
            place,
            id: posted.id,
            acknowledged: posted.acknowledged,
            attempts: posted.attempts.len(),
        };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        posted.acknowledged
    }
}
