//! What can go wrong, and when: a [`Rule`] says which fault meets which calls, how often and with what probability.
//! Sends are disturbed in `graph`, webhooks in `delivery`.

use std::time::Duration;

use rand::{Rng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::webhook::same_customer;

/// What happens to a call of the send endpoint whose token and shape were right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendFault {
    /// Refused with this HTTP status; with Graph's error envelope if `code` is there, else with a plain page as a proxy
    /// would send it. Not in the ledger's sends.
    Refuse {
        /// HTTP status. 0 with a code: the status that Graph gives with it.
        #[serde(default)]
        status: u16,
        /// Graph error code.
        #[serde(default)]
        code: Option<i64>,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The request is read and never answered; not accepted.
    Hang,
    /// The connection is closed without an answer; not accepted.
    Close,
    /// Accepted, and the answer held until the test releases it (see [`crate::Hold`]).
    HoldAnswer,
    /// Accepted, and the connection closed without an answer.
    AcceptAndClose,
    /// As if the customer had not written for 24 hours: refused with 131047, unless it is a template.
    ShutWindow,
    /// Accepted and answered; later a `failed` receipt with this code comes instead of the others.
    AcceptAndFail {
        /// Graph error code.
        code: i64,
    },
}

impl SendFault {
    /// 429 with `Retry-After` and no Graph body.
    pub fn throttle(retry_after_seconds: u32) -> Self {
        Self::Refuse { status: 429, code: None, retry_after: Some(retry_after_seconds) }
    }

    /// A Graph error envelope with this code, under the HTTP status that Graph gives with it.
    pub fn graph(code: i64) -> Self {
        Self::Refuse { status: 0, code: Some(code), retry_after: None }
    }

    /// Whether it meets a message of this type.
    pub(crate) fn meets(&self, kind: &str) -> bool {
        *self != Self::ShutWindow || kind != "template"
    }

    /// A 500 without a Graph error body, after which nobody knows what happened.
    pub fn server_error() -> Self {
        Self::Refuse { status: 500, code: None, retry_after: None }
    }
}

/// What happens to one update on its way to the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFault {
    /// Gathered with the other updates of the number that meet a batch rule within the window, and posted as one (up to
    /// 1000 a POST), spread over this many entries.
    Batch {
        /// How long to gather, in milliseconds, from the first update on.
        window_ms: u64,
        /// How many `entry` objects the POST has.
        entries: usize,
    },
    /// Posted this often, all at once.
    Duplicate {
        /// Two or more.
        copies: usize,
    },
    /// Posted after a later update was answered 200, or after a second if none comes.
    Reorder,
    /// Posted so much later.
    Delay {
        /// In milliseconds.
        ms: u64,
    },
    /// Never posted.
    Drop,
}

/// When a fault strikes. Without further words: every call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<F> {
    /// What happens.
    pub fault: F,
    /// Only for this phone number id.
    #[serde(default)]
    pub number: Option<String>,
    /// Only to or from this customer: phone or business-scoped id.
    #[serde(default)]
    pub customer: Option<String>,
    /// So often, then no more.
    #[serde(default)]
    pub times: Option<u32>,
    /// 0 to 1, drawn with the simulator's seed.
    #[serde(default = "certainly")]
    pub probability: f64,
}

fn certainly() -> f64 {
    1.0
}

impl<F> Rule<F> {
    /// Strikes every call until the faults are cleared.
    pub fn always(fault: F) -> Self {
        Self { fault, number: None, customer: None, times: None, probability: 1.0 }
    }

    /// Strikes the next call.
    pub fn once(fault: F) -> Self {
        Self::always(fault).times(1)
    }

    /// Strikes each call with this probability.
    pub fn sometimes(probability: f64, fault: F) -> Self {
        Self { probability, ..Self::always(fault) }
    }

    /// Strikes so many calls.
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only calls to or from this customer: phone or business-scoped id.
    pub fn customer(self, identity: impl Into<String>) -> Self {
        Self { customer: Some(identity.into()), ..self }
    }

    /// Only calls of this phone number id.
    pub fn number(self, phone_number_id: impl Into<String>) -> Self {
        Self { number: Some(phone_number_id.into()), ..self }
    }

    fn meets(&self, number: &str, customers: &[&str]) -> bool {
        self.number.as_deref().is_none_or(|n| n == number)
            && self.customer.as_deref().is_none_or(|wanted| customers.iter().any(|c| same_customer(c, wanted)))
    }
}

/// The rules of one kind of call, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Rules<F> {
    next_id: u64,
    rules: Vec<(u64, Rule<F>)>,
}

impl<F> Default for Rules<F> {
    fn default() -> Self {
        Self { next_id: 0, rules: Vec::new() }
    }
}

impl<F: Clone> Rules<F> {
    pub(crate) fn push(&mut self, rule: Rule<F>) -> u64 {
        self.next_id += 1;
        self.rules.push((self.next_id, rule));
        self.next_id
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.rules.retain(|(known, _)| *known != id);
    }

    /// The fault of the first rule that meets this call. `customers`: every name that the customer goes by; `meets`:
    /// whether a fault means this call at all.
    pub(crate) fn draw(
        &mut self,
        number: &str,
        customers: &[&str],
        meets: impl Fn(&F) -> bool,
        random: &mut StdRng,
    ) -> Option<F> {
        let struck = self.rules.iter().position(|(_, rule)| {
            rule.meets(number, customers)
                && meets(&rule.fault)
                && (rule.probability >= 1.0 || random.random_bool(rule.probability.max(0.0)))
        })?;
        let rule = &mut self.rules[struck].1;
        let fault = rule.fault.clone();
        if let Some(left) = &mut rule.times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.rules.remove(struck);
            }
        }
        Some(fault)
    }
}

/// How long a reordered update waits to be overtaken.
pub(crate) const OVERTAKE_WITHIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn draws(seed: u64) -> Vec<bool> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut rules = Rules::default();
        rules.push(Rule::sometimes(0.3, "x"));
        (0..200).map(|_| rules.draw("1", &["34"], |_| true, &mut random).is_some()).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let struck = draws(7).iter().filter(|hit| **hit).count();
        assert!((30..=90).contains(&struck), "{struck} of 200 at 0.3");
    }

    #[test]
    fn a_rule_strikes_only_its_calls_and_only_so_often() {
        let mut random = StdRng::seed_from_u64(0);
        let mut rules = Rules::default();
        rules.push(Rule::always("ana").times(2).customer("+34 600").number("1"));
        rules.push(Rule::once("anyone"));
        assert_eq!(rules.draw("2", &["34600"], |_| true, &mut random), Some("anyone"));
        assert_eq!(rules.draw("1", &["34601"], |_| true, &mut random), None);
        assert_eq!(rules.draw("1", &["ES.9", "34600"], |_| true, &mut random), Some("ana"));
        assert_eq!(rules.draw("1", &["34600"], |_| true, &mut random), Some("ana"));
        assert_eq!(rules.draw("1", &["34600"], |_| true, &mut random), None);
    }
}
