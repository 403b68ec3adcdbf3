//! What waits to be sent, by contact: pure. A contact's messages go in order, one in flight at a time; the next waits
//! while one is in flight, in retry, or held because its answer was lost.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Instant,
};

use wigwag_domain::{ContactId, Lane, OutboundId, TenantKey};

use super::Outgoing;

/// Messages that are kept of one contact before it is left out of further looks into the table.
const ENOUGH: usize = 16;

/// All queues of a process.
#[derive(Debug, Default)]
pub struct Queues {
    contacts: HashMap<ContactId, Queue>,
    /// Lanes of which everything that stands in the table is here. Of others nothing may be added from elsewhere than
    /// the table: it could overtake what is still there.
    complete: HashSet<(TenantKey, Lane)>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<i64, Waiting>,
    in_flight: Option<i64>,
}

#[derive(Debug)]
struct Waiting {
    message: Outgoing,
    due: Instant,
}

impl Queues {
    /// Adds messages that were committed just now. Returns false where one was left out because its lane was not
    /// read from the table yet.
    pub fn add(&mut self, messages: Vec<Outgoing>, now: Instant) -> bool {
        let mut all = true;
        for message in messages {
            if self.complete.contains(&(message.queued.tenant.clone(), message.queued.lane)) {
                self.insert(message, now);
            } else {
                all = false;
            }
        }
        all
    }

    /// Takes over what was read of these lanes: everything in it is here now, and what is not in it and not in
    /// flight is gone. `limit` is how many were read of a lane at most: where as many came, there may be more.
    pub fn read(&mut self, lanes: &[(TenantKey, Lane)], messages: Vec<Outgoing>, limit: usize, now: Instant) {
        let mut counts: HashMap<(TenantKey, Lane), usize> = HashMap::new();
        let mut there: HashSet<OutboundId> = HashSet::new();
        for message in messages {
            *counts.entry((message.queued.tenant.clone(), message.queued.lane)).or_default() += 1;
            there.insert(message.queued.id);
            self.insert(message, now);
        }
        self.complete =
            lanes.iter().filter(|lane| counts.get(lane).is_none_or(|count| *count < limit)).cloned().collect();
        let full: HashSet<ContactId> = self.full().into_iter().collect();
        for (contact, queue) in &mut self.contacts {
            if full.contains(contact) {
                continue;
            }
            let complete = &self.complete;
            queue.waiting.retain(|seq, waiting| {
                let queued = &waiting.message.queued;
                queue.in_flight == Some(*seq)
                    || there.contains(&queued.id)
                    || !complete.contains(&(queued.tenant.clone(), queued.lane))
            });
        }
        self.contacts.retain(|_, queue| !queue.waiting.is_empty());
    }

    /// Everything must be read from the table again before anything is added.
    pub fn incomplete(&mut self) {
        self.complete.clear();
    }

    fn insert(&mut self, message: Outgoing, now: Instant) {
        let queue = self.contacts.entry(message.queued.contact).or_default();
        let due = now + message.queued.wait;
        queue.waiting.entry(message.queued.seq).or_insert(Waiting { message, due });
    }

    /// The messages that are first in their queue, due and not in flight, and when the next one will be due.
    pub fn heads(&mut self, now: Instant) -> (Vec<&mut Outgoing>, Option<Instant>) {
        let mut next: Option<Instant> = None;
        let mut heads = vec![];
        for queue in self.contacts.values_mut().filter(|queue| queue.in_flight.is_none()) {
            // A message whose answer was lost held the others; its time is over.
            queue.waiting.retain(|_, waiting| !(waiting.message.queued.unknown && waiting.due <= now));
            let Some((_, first)) = queue.waiting.iter_mut().next() else { continue };
            if first.due > now || first.message.queued.unknown {
                next = Some(next.map_or(first.due, |next| next.min(first.due)));
            } else {
                heads.push(&mut first.message);
            }
        }
        // Answers go before what comes by itself: whoever has just written is waiting.
        heads.sort_by_key(|message| {
            let answers = message.letter.as_ref().is_some_and(|letter| letter.job.is_some());
            (!answers, message.queued.seq)
        });
        (heads, next)
    }

    /// A message is being handed over.
    pub fn begin(&mut self, message: &Outgoing) {
        if let Some(queue) = self.contacts.get_mut(&message.queued.contact) {
            queue.in_flight = Some(message.queued.seq);
        }
    }

    /// A message is settled: the next may go.
    pub fn done(&mut self, message: &Outgoing) {
        if let Some(queue) = self.end(message) {
            queue.waiting.remove(&message.queued.seq);
            if queue.waiting.is_empty() {
                self.contacts.remove(&message.queued.contact);
            }
        }
    }

    /// A message stays first in its queue, until `due`: it is sent again then, with the letter that it has now, or, where
    /// its answer was lost, its place is given up.
    pub fn hold(&mut self, message: &Outgoing, due: Instant, unknown: bool) {
        if let Some(queue) = self.end(message)
            && let Some(waiting) = queue.waiting.get_mut(&message.queued.seq)
        {
            waiting.due = due;
            waiting.message.queued.unknown = unknown;
            waiting.message.queued.attempt = message.queued.attempt;
            waiting.message.letter.clone_from(&message.letter);
        }
    }

    fn end(&mut self, message: &Outgoing) -> Option<&mut Queue> {
        let queue = self.contacts.get_mut(&message.queued.contact)?;
        if queue.in_flight == Some(message.queued.seq) {
            queue.in_flight = None;
        }
        Some(queue)
    }

    /// Takes messages out that are settled.
    pub fn remove(&mut self, settled: &HashSet<OutboundId>) {
        for queue in self.contacts.values_mut() {
            let in_flight = queue.in_flight;
            queue
                .waiting
                .retain(|seq, waiting| in_flight == Some(*seq) || !settled.contains(&waiting.message.queued.id));
        }
        self.contacts.retain(|_, queue| !queue.waiting.is_empty());
    }

    /// Forgets what is in lanes that are not ours any more.
    pub fn keep_lanes(&mut self, ours: impl Fn(&TenantKey, Lane) -> bool) {
        self.contacts.retain(|_, queue| {
            queue.waiting.values().next().is_some_and(|w| ours(&w.message.queued.tenant, w.message.queued.lane))
        });
        self.complete.retain(|(tenant, lane)| ours(tenant, *lane));
    }

    /// Contacts of which enough is here.
    #[must_use]
    pub fn full(&self) -> Vec<ContactId> {
        self.contacts.iter().filter(|(_, queue)| queue.waiting.len() >= ENOUGH).map(|(contact, _)| *contact).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;
    use wigwag_store::outbox::Queued;

    use super::*;

    const LIMIT: usize = 64;

    fn message(seq: i64, contact: u128) -> Outgoing {
        let contact = ContactId(Uuid::from_u128(contact));
        let queued = Queued {
            id: OutboundId(Uuid::from_u128(u128::from(seq.unsigned_abs()))),
            seq,
            tenant: TenantKey::new(None, "acme"),
            lane: contact.lane(),
            contact,
            attempt: 0,
            unknown: false,
            wait: Duration::ZERO,
        };
        Outgoing { queued, letter: None }
    }

    fn lanes(messages: &[Outgoing]) -> Vec<(TenantKey, Lane)> {
        messages.iter().map(|m| (m.queued.tenant.clone(), m.queued.lane)).collect()
    }

    fn heads(queues: &mut Queues, now: Instant) -> Vec<i64> {
        queues.heads(now).0.iter().map(|message| message.queued.seq).collect()
    }

    #[test]
    fn one_message_of_a_contact_is_in_flight() {
        let (now, mut queues) = (Instant::now(), Queues::default());
        let all = [message(1, 1), message(2, 1), message(3, 2)];
        queues.read(&lanes(&all), all.to_vec(), LIMIT, now);
        assert_eq!(heads(&mut queues, now), [1, 3]);
        queues.begin(&all[0]);
        assert_eq!(heads(&mut queues, now), [3]);
        queues.done(&all[0]);
        assert_eq!(heads(&mut queues, now), [2, 3]);
    }

    #[test]
    fn what_was_just_committed_does_not_overtake_what_stands_in_the_table() {
        let (now, mut queues) = (Instant::now(), Queues::default());
        assert!(!queues.add(vec![message(2, 1)], now), "the lane was not read yet");
        assert!(heads(&mut queues, now).is_empty());
        let table = vec![message(1, 1), message(2, 1)];
        queues.read(&lanes(&table), table, LIMIT, now);
        assert_eq!(heads(&mut queues, now), [1]);
        assert!(queues.add(vec![message(3, 1)], now));
    }

    #[test]
    fn a_retry_keeps_its_place() {
        let (now, mut queues) = (Instant::now(), Queues::default());
        let all = [message(1, 1), message(2, 1)];
        queues.read(&lanes(&all), all.to_vec(), LIMIT, now);
        queues.begin(&all[0]);
        let due = now + Duration::from_secs(5);
        queues.hold(&all[0], due, false);
        assert_eq!(queues.heads(now).1, Some(due));
        assert!(heads(&mut queues, now).is_empty());
        assert_eq!(heads(&mut queues, due), [1]);
    }

    #[test]
    fn a_lost_answer_holds_the_next_message_for_a_while_and_is_never_sent_again() {
        let (now, mut queues) = (Instant::now(), Queues::default());
        let all = [message(1, 1), message(2, 1)];
        queues.read(&lanes(&all), all.to_vec(), LIMIT, now);
        queues.begin(&all[0]);
        let due = now + Duration::from_secs(30);
        queues.hold(&all[0], due, true);
        assert!(heads(&mut queues, now).is_empty());
        assert_eq!(heads(&mut queues, due), [2]);
    }

    #[test]
    fn what_is_gone_from_the_table_is_gone_here_but_for_what_is_in_flight() {
        let (now, mut queues) = (Instant::now(), Queues::default());
        let all = [message(1, 1), message(2, 2), message(3, 2)];
        queues.read(&lanes(&all), all.to_vec(), LIMIT, now);
        queues.begin(&all[0]);
        queues.read(&lanes(&all), vec![message(3, 2)], LIMIT, now);
        assert_eq!(heads(&mut queues, now), [3]);
        queues.done(&all[0]);
        assert_eq!(heads(&mut queues, now), [3]);
    }
}
