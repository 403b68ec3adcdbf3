//! What waits, by contact: pure. A contact's jobs are taken one at a time, lowest `seq` first; contacts take turns,
//! so that one with a thousand messages slows nobody, and messages go before what comes by itself.
//!
//! A contact whose conversation waits for a result is held: its messages wait, anything else is taken.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Instant,
};

use wigwag_domain::{ContactId, JobKind, Lane, TenantKey};
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
    boxes: HashMap<ContactId, Mailbox>,
    /// Whose next job is a message.
    writers: VecDeque<ContactId>,
    /// Whose next job is anything else.
    others: VecDeque<ContactId>,
    jobs: usize,
}

#[derive(Debug, Default)]
struct Mailbox {
    jobs: BTreeMap<i64, Mail>,
    /// Until when messages wait.
    held: Option<Instant>,
    /// Whether it stands in one of the two lines.
    in_line: bool,
}

impl Mailboxes {
    /// Adds a job; one that is here already stays as it is, so that a row that is both handed over and read runs once.
    pub fn add(&mut self, job: ReadyJob, payload: Option<String>) {
        let contact = job.contact;
        let mailbox = self.boxes.entry(contact).or_default();
        if mailbox.jobs.contains_key(&job.seq) {
            return;
        }
        mailbox.jobs.insert(job.seq, Mail { job, payload });
        self.jobs += 1;
        self.line_up(contact);
    }

    /// A contact's messages wait until then; what is no message is taken.
    pub fn hold(&mut self, contact: ContactId, until: Instant) {
        self.boxes.entry(contact).or_default().held = Some(until);
    }

    /// A contact's messages wait no more.
    pub fn free(&mut self, contact: ContactId) {
        if let Some(mailbox) = self.boxes.get_mut(&contact) {
            mailbox.held = None;
            self.line_up(contact);
        }
    }

    /// Frees those whose time is over, and tells when the next will be.
    pub fn free_due(&mut self, now: Instant) -> Option<Instant> {
        let held = self.boxes.iter().filter_map(|(contact, mailbox)| Some((*contact, mailbox.held?)));
        let (due, waiting): (Vec<_>, Vec<_>) = held.partition(|(_, until)| *until <= now);
        for (contact, _) in due {
            self.free(contact);
        }
        waiting.into_iter().map(|(_, until)| until).min()
    }

    /// Takes the first job of each of the next contacts, up to `limit`: messages first, but never all of it.
    pub fn take_heads(&mut self, limit: usize) -> Vec<Mail> {
        let mut heads = Vec::new();
        let mut taken = HashSet::new();
        let spare = (limit / 4).min(self.others.len());
        for (of_messages, most) in [(true, limit - spare), (false, limit), (true, limit)] {
            let turns = if of_messages { self.writers.len() } else { self.others.len() };
            for _ in 0..turns {
                if heads.len() >= most {
                    break;
                }
                let line = if of_messages { &mut self.writers } else { &mut self.others };
                let Some(contact) = line.pop_front() else { break };
                if taken.contains(&contact) {
                    line.push_back(contact);
                    continue;
                }
                let Some(mailbox) = self.boxes.get_mut(&contact) else { continue };
                mailbox.in_line = false;
                let next = mailbox.next();
                if let Some(mail) = next.and_then(|seq| mailbox.jobs.remove(&seq)) {
                    self.jobs -= 1;
                    taken.insert(contact);
                    heads.push(mail);
                }
                self.line_up(contact);
            }
        }
        heads
    }

    /// Forgets what is in lanes that are not ours any more. Who has nothing here is forgotten as well: that their messages
    /// wait is found again with the next, and of a lane that was away it may not be true any more.
    pub fn keep_lanes(&mut self, ours: impl Fn(&TenantKey, Lane) -> bool) {
        let mut lost = HashSet::new();
        for (contact, mailbox) in &self.boxes {
            let Some((_, mail)) = mailbox.jobs.first_key_value() else {
                lost.insert(*contact);
                continue;
            };
            if !ours(&mail.job.tenant, mail.job.lane) {
                lost.insert(*contact);
                self.jobs -= mailbox.jobs.len();
            }
        }
        self.boxes.retain(|contact, _| !lost.contains(contact));
        for line in [&mut self.writers, &mut self.others] {
            line.retain(|contact| !lost.contains(contact));
        }
    }

    /// Contacts of which enough is here, and those whose messages wait.
    #[must_use]
    pub fn full(&self) -> Vec<ContactId> {
        let full = self.boxes.iter().filter(|(_, mailbox)| mailbox.held.is_some() || mailbox.jobs.len() >= ENOUGH);
        full.map(|(contact, _)| *contact).collect()
    }

    /// Jobs in all mailboxes.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// Jobs that are no messages and may be taken now.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// Whether nothing may be taken now.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.writers.is_empty() && self.others.is_empty()
    }

    /// Puts a contact into the line of its next job, if it has one that may be taken.
    fn line_up(&mut self, contact: ContactId) {
        let Some(mailbox) = self.boxes.get_mut(&contact) else { return };
        if mailbox.jobs.is_empty() && mailbox.held.is_none() {
            self.boxes.remove(&contact);
            return;
        }
        if mailbox.in_line {
            return;
        }
        let Some(next) = mailbox.next().and_then(|seq| mailbox.jobs.get(&seq)) else { return };
        let line = if next.job.kind == JobKind::Message { &mut self.writers } else { &mut self.others };
        line.push_back(contact);
        mailbox.in_line = true;
    }
}

impl Mailbox {
    /// The job that may be taken next.
    fn next(&self) -> Option<i64> {
        let mut jobs = self.jobs.iter();
        let next = match self.held {
            Some(_) => jobs.find(|(_, mail)| mail.job.kind != JobKind::Message),
            None => jobs.next(),
        };
        next.map(|(seq, _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use uuid::Uuid;
    use wigwag_domain::JobId;

    use super::*;

    fn job(seq: i64, contact: u128) -> ReadyJob {
        let contact = ContactId(Uuid::from_u128(contact));
        ReadyJob {
            seq,
            job: JobId(Uuid::from_u128(u128::from(seq.unsigned_abs()))),
            kind: JobKind::Message,
            run_at: Timestamp::UNIX_EPOCH,
            tenant: TenantKey::new(None, "acme"),
            lane: contact.lane(),
            contact,
        }
    }

    fn result(seq: i64, contact: u128) -> ReadyJob {
        ReadyJob { kind: JobKind::Result, ..job(seq, contact) }
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
        assert!(mailboxes.is_idle());
    }

    #[test]
    fn a_job_that_is_handed_over_and_read_runs_once() {
        let mut mailboxes = Mailboxes::default();
        mailboxes.add(job(1, 1), Some("payload".to_owned()));
        mailboxes.add(job(1, 1), None);
        assert_eq!(mailboxes.jobs(), 1);
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
    fn messages_go_first_and_leave_room_for_the_rest() {
        let mut mailboxes = Mailboxes::default();
        for contact in 0..100 {
            mailboxes.add(result(i64::try_from(contact).unwrap_or_default(), contact + 1), None);
        }
        for contact in 200..300 {
            mailboxes.add(job(i64::try_from(contact).unwrap_or_default(), contact + 1), None);
        }
        let taken = heads(&mut mailboxes, 64);
        assert_eq!(taken.len(), 64);
        assert_eq!(taken.iter().filter(|seq| **seq >= 200).count(), 48, "three quarters are messages");
        assert_eq!(taken[..48].iter().min(), Some(&200), "and they are first");
    }

    #[test]
    fn a_held_contact_takes_what_it_waits_for_and_keeps_its_messages_in_order() {
        let mut mailboxes = Mailboxes::default();
        let contact = job(1, 1).contact;
        let now = Instant::now();
        mailboxes.hold(contact, now + Duration::from_secs(60));
        for seq in [1, 2] {
            mailboxes.add(job(seq, 1), None);
        }
        mailboxes.add(job(3, 2), None);
        assert_eq!(heads(&mut mailboxes, 10), [3], "the others go on");
        assert!(mailboxes.is_idle());
        mailboxes.add(result(4, 1), None);
        assert_eq!(heads(&mut mailboxes, 10), [4], "past the messages before it");
        mailboxes.free(contact);
        assert_eq!((heads(&mut mailboxes, 10), heads(&mut mailboxes, 10)), (vec![1], vec![2]));
    }

    #[test]
    fn a_hold_ends_with_its_time() {
        let mut mailboxes = Mailboxes::default();
        let now = Instant::now();
        mailboxes.hold(job(1, 1).contact, now + Duration::from_secs(60));
        mailboxes.add(job(1, 1), None);
        assert_eq!(mailboxes.free_due(now), Some(now + Duration::from_secs(60)));
        assert_eq!(heads(&mut mailboxes, 10), [0; 0]);
        assert_eq!(mailboxes.free_due(now + Duration::from_secs(60)), None);
        assert_eq!(heads(&mut mailboxes, 10), [1]);
    }

    #[test]
    fn lost_lanes_take_their_mail_with_them() {
        let mut mailboxes = Mailboxes::default();
        mailboxes.add(job(1, 1), None);
        mailboxes.add(job(2, 2), None);
        // Held, and nothing here.
        let three = job(3, 3).contact;
        mailboxes.hold(three, Instant::now() + Duration::from_secs(60));
        let kept = job(1, 1).lane;
        mailboxes.keep_lanes(|_, lane| lane == kept);
        assert_eq!(heads(&mut mailboxes, 10), [1]);
        assert!(mailboxes.is_idle());
        assert_eq!(mailboxes.full(), []);
    }
}
