//! What waits, by contact: pure. A contact's jobs are taken one at a time, lowest `seq` first; contacts take turns,
//! so that one with a thousand messages slows nobody.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use wigwag_domain::{ContactId, Lane, TenantKey};
use wigwag_store::ReadyJob;

/// Jobs that are kept of one contact before it is left out of further looks into the table.
const ENOUGH: usize = 32;

/// A job, with its payload where it came by a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The job.
    pub job: ReadyJob,
    /// Its payload, if it is at hand.
    pub payload: Option<String>,
}

/// All mailboxes of a process.
#[derive(Debug, Default)]
pub struct Mailboxes {
    boxes: HashMap<ContactId, BTreeMap<i64, Mail>>,
    turns: VecDeque<ContactId>,
    jobs: usize,
}

impl Mailboxes {
    /// Adds a job; one that is here already stays as it is, so that a row that is both handed over and read runs once.
    pub fn add(&mut self, job: ReadyJob, payload: Option<String>) {
        let contact = job.contact;
        let mailbox = self.boxes.entry(contact).or_insert_with(|| {
            self.turns.push_back(contact);
            BTreeMap::new()
        });
        if mailbox.contains_key(&job.seq) {
            return;
        }
        mailbox.insert(job.seq, Mail { job, payload });
        self.jobs += 1;
    }

    /// Takes the first job of each of the next contacts, up to `limit`.
    pub fn take_heads(&mut self, limit: usize) -> Vec<Mail> {
        let mut heads = Vec::new();
        for _ in 0..limit.min(self.turns.len()) {
            let Some(contact) = self.turns.pop_front() else { break };
            let Some(mailbox) = self.boxes.get_mut(&contact) else { continue };
            if let Some((_, mail)) = mailbox.pop_first() {
                self.jobs -= 1;
                heads.push(mail);
            }
            if mailbox.is_empty() {
                self.boxes.remove(&contact);
            } else {
                self.turns.push_back(contact);
            }
        }
        heads
    }

    /// Forgets what is in lanes that are not ours any more.
    pub fn keep_lanes(&mut self, ours: impl Fn(&TenantKey, Lane) -> bool) {
        let mut lost = HashSet::new();
        for (contact, mailbox) in &self.boxes {
            let kept = mailbox.first_key_value().is_some_and(|(_, mail)| ours(&mail.job.tenant, mail.job.lane));
            if !kept {
                lost.insert(*contact);
                self.jobs -= mailbox.len();
            }
        }
        self.boxes.retain(|contact, _| !lost.contains(contact));
        self.turns.retain(|contact| !lost.contains(contact));
    }

    /// Contacts of which enough is here.
    #[must_use]
    pub fn full(&self) -> Vec<ContactId> {
        self.boxes.iter().filter(|(_, mailbox)| mailbox.len() >= ENOUGH).map(|(contact, _)| *contact).collect()
    }

    /// Jobs in all mailboxes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs == 0
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wigwag_domain::InboundId;

    use super::*;

    fn job(seq: i64, contact: u128) -> ReadyJob {
        let contact = ContactId(Uuid::from_u128(contact));
        ReadyJob {
            seq,
            job: InboundId(Uuid::from_u128(u128::from(seq.unsigned_abs()))),
            tenant: TenantKey::new(None, "acme"),
            lane: contact.lane(),
            contact,
        }
    }

    fn heads(mailboxes: &mut Mailboxes, limit: usize) -> Vec<i64> {
        mailboxes.take_heads(limit).into_iter().map(|mail| mail.job.seq).collect()
    }

    #[test]
    fn a_contact_has_one_job_in_a_batch_and_its_earliest() {
        let mut mailboxes = Mailboxes::default();
        for (seq, contact) in [(3, 1), (2, 2), (1, 1)] {
            mailboxes.add(job(seq, contact), None);
        }
        assert_eq!(heads(&mut mailboxes, 10), [1, 2]);
        assert_eq!(heads(&mut mailboxes, 10), [3]);
        assert!(mailboxes.is_empty());
    }

    #[test]
    fn a_job_that_is_handed_over_and_read_runs_once() {
        let mut mailboxes = Mailboxes::default();
        mailboxes.add(job(1, 1), Some("payload".to_owned()));
        mailboxes.add(job(1, 1), None);
        assert_eq!(mailboxes.len(), 1);
        assert_eq!(mailboxes.take_heads(1)[0].payload.as_deref(), Some("payload"));
    }

    #[test]
    fn a_contact_with_a_thousand_messages_takes_turns_with_the_others() {
        let mut mailboxes = Mailboxes::default();
        for seq in 0..1000 {
            mailboxes.add(job(seq, 1), None);
        }
        mailboxes.add(job(2000, 2), None);
        assert_eq!(heads(&mut mailboxes, 1), [0]);
        assert_eq!(heads(&mut mailboxes, 1), [2000], "the other contact is next");
    }

    #[test]
    fn lost_lanes_take_their_mail_with_them() {
        let mut mailboxes = Mailboxes::default();
        mailboxes.add(job(1, 1), None);
        mailboxes.add(job(2, 2), None);
        let kept = job(1, 1).lane;
        mailboxes.keep_lanes(|_, lane| lane == kept);
        assert_eq!(heads(&mut mailboxes, 10), [1]);
        assert!(mailboxes.is_empty());
    }
}
