//! The work: takes the first job of each contact that has one, steps their conversations, and commits what they lead
//! to in one fenced statement; then the next.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::FutureExt;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use wigwag_domain::{ContactId, Payload, Recipient};
use wigwag_flow::Session;
use wigwag_store::{
    Error, Fault, LaneEpoch, contact,
    effects::{self, Committed, ContactChange, JobEffects, JobFailure, NewMessage},
    inbound, job_ready, session,
    session::StoredSession,
};

use super::{
    fence::Fence,
    hint::{Hints, NewJobs},
    mailbox::{Mail, Mailboxes},
    ownership::Ownership,
};
use crate::{
    config::Config,
    dispatch::{Dispatch, Outgoing},
    metrics::Metrics,
    programs::Programs,
    router::{self, OpenSession, Routed},
};

/// Jobs of one commit.
const BATCH: usize = 64;
/// Jobs that are read of each lane at once.
const LOOK: i64 = 64;
/// Mailboxes are filled from the table up to here.
const ROOM: usize = 8192;
/// Time between looks into the table when nobody calls.
const EVERY: Duration = Duration::from_secs(1);

/// Works on the lanes of this process.
pub struct Worker {
    /// The tenants.
    pub config: Arc<ArcSwap<Config>>,
    /// For reading.
    pub pool: PgPool,
    /// For committing.
    pub fence: Arc<Fence>,
    /// What is ours.
    pub ownership: Arc<Ownership>,
    /// Who calls.
    pub hints: Hints,
    /// Compiled revisions.
    pub programs: Programs,
    /// Who sends.
    pub dispatch: Dispatch,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// A job with what its step needs.
struct Ready {
    mail: Mail,
    payload: Result<Payload, String>,
    contact: contact::Contact,
    open: Vec<StoredSession>,
}

/// A job with what it led to, for the log and for dispatch.
struct Stepped {
    effects: JobEffects,
    outgoing: Vec<Outgoing>,
    state: &'static str,
    took: Duration,
}

impl Worker {
    /// Works until told to stop; a batch that has begun is finished.
    pub async fn run(self, mut new_jobs: mpsc::Receiver<NewJobs>, stop: CancellationToken) {
        let mut mailboxes = Mailboxes::default();
        let mut changed = self.ownership.subscribe();
        let mut looked = Instant::now();
        let mut more = true;
        loop {
            let mut look = more && mailboxes.len() < ROOM / 2;
            if mailboxes.is_empty() && !look {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    Some(new) = new_jobs.recv() => add(&mut mailboxes, new),
                    Ok(()) = changed.changed() => look = true,
                    () = self.hints.look() => look = true,
                    () = tokio::time::sleep_until((looked + EVERY).into()) => look = true,
                }
            } else if stop.is_cancelled() {
                return;
            }
            while let Ok(new) = new_jobs.try_recv() {
                add(&mut mailboxes, new);
            }
            // What calls while there is work is heard too: one busy contact must not keep the others unseen.
            look |= changed.has_changed().unwrap_or(false)
                || looked.elapsed() >= EVERY
                || self.hints.look().now_or_never().is_some();
            if look {
                changed.mark_unchanged();
                mailboxes.keep_lanes(|tenant, lane| self.ownership.epoch(tenant, lane).is_some());
                more = self.look(&mut mailboxes).await;
                looked = Instant::now();
            }
            let batch = mailboxes.take_heads(BATCH);
            if batch.is_empty() {
                continue;
            }
            if let Err((error, batch)) = self.handle(batch).await {
                warn!(%error, jobs = batch.len(), "jobs wait for the database");
                for mail in batch {
                    mailboxes.add(mail.job, mail.payload);
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
    }

    /// Reads what stands in the table; tells whether there is more.
    async fn look(&self, mailboxes: &mut Mailboxes) -> bool {
        let lanes = self.ownership.all();
        if lanes.is_empty() {
            return false;
        }
        match job_ready::due(&self.pool, &lanes, &mailboxes.full(), LOOK).await {
            Ok(jobs) => {
                let before = mailboxes.len();
                let read = jobs.len();
                for job in jobs {
                    mailboxes.add(job, None);
                }
                // Where all that was read was here already, reading again finds the same.
                read >= usize::try_from(LOOK).unwrap_or(usize::MAX) && mailboxes.len() > before
            }
            Err(error) => {
                warn!(%error, "could not look for jobs");
                false
            }
        }
    }

    /// Steps a batch and commits it. On an error of the database the batch comes back: nothing of it is lost.
    async fn handle(&self, batch: Vec<Mail>) -> Result<(), (Error, Vec<Mail>)> {
        let ready = match self.read(&batch).await {
            Ok(ready) => ready,
            Err(error) => return Err((error, batch)),
        };
        let mut stepped = Vec::with_capacity(ready.len());
        for one in ready {
            match self.step(one).await {
                Ok(one) => stepped.push(one),
                Err(error) => return Err((error, batch)),
            }
        }
        let lanes = self.ownership.of(batch.iter().map(|mail| (&mail.job.tenant, mail.job.lane)));
        let effects: Vec<JobEffects> = stepped.iter().map(|one| one.effects.clone()).collect();
        match self.commit(&lanes, &effects).await {
            Ok(committed) => {
                self.committed(stepped, &committed);
                Ok(())
            }
            Err(error) if error.fault() == Fault::Value => {
                for one in stepped {
                    if let Err(error) = self.commit_alone(&lanes, one).await {
                        // What is committed by now falls out when it is tried again.
                        return Err((error, batch));
                    }
                }
                Ok(())
            }
            Err(error) => Err((error, batch)),
        }
    }

    /// Everything that the steps need, in three reads.
    async fn read(&self, batch: &[Mail]) -> Result<Vec<Ready>, Error> {
        let contacts: Vec<ContactId> = batch.iter().map(|mail| mail.job.contact).collect();
        let unread: Vec<_> = batch.iter().filter(|mail| mail.payload.is_none()).map(|mail| mail.job.job).collect();
        let payloads =
            async { if unread.is_empty() { Ok(HashMap::new()) } else { inbound::payloads(&self.pool, &unread).await } };
        let (mut payloads, mut known, mut open) =
            tokio::try_join!(payloads, contact::read(&self.pool, &contacts), session::open(&self.pool, &contacts))?;
        let mut ready = Vec::with_capacity(batch.len());
        for mail in batch {
            let (job, id) = (mail.job.job, mail.job.contact);
            let text = mail.payload.clone().or_else(|| payloads.remove(&job)).unwrap_or_default();
            let payload = serde_json::from_str(&text).map_err(|error| error.to_string());
            let contact = known.remove(&id).unwrap_or_else(|| contact::Contact {
                id,
                name: None,
                attributes: "{}".to_owned(),
                phone: None,
            });
            ready.push(Ready { mail: mail.clone(), payload, contact, open: open.remove(&id).unwrap_or_default() });
        }
        Ok(ready)
    }

    async fn step(&self, ready: Ready) -> Result<Stepped, Error> {
        let begun = Instant::now();
        let Ready { mail, payload, contact, open } = ready;
        let payload = match payload {
            Ok(payload) => payload,
            Err(error) => return Ok(unreadable(mail, &error, begun)),
        };
        let config = self.config.load();
        // A tenant that was removed leaves its lanes soon; what is left of its jobs is stored, and that is all.
        let Some(tenant) = config.tenants.get(&mail.job.tenant) else {
            return Ok(stored_only(mail, begun));
        };
        let mut sessions = Vec::with_capacity(open.len());
        for stored in open {
            let program = self.programs.get(&self.pool, tenant, &stored.flow, &stored.revision).await?;
            match Session::from_json(&stored.context) {
                Ok(session) => sessions.push(OpenSession { session, program }),
                Err(error) => {
                    error!(session = %stored.id, %error, "a stored session does not read; it is left as it is")
                }
            }
        }
        let programs: Vec<_> = tenant.flows.iter().map(|loaded| loaded.program.clone()).collect();
        let name = payload.contact_name.clone().or_else(|| contact.name.clone());
        let attributes = serde_json::from_str(&contact.attributes).unwrap_or_default();
        let phone = contact.phone.as_ref().map(|digits| format!("+{digits}"));
        let view = wigwag_flow::Contact { id: contact.id, name: name.clone(), phone, attributes };
        let routed = router::route(&programs, sessions, &view, mail.job.job, &payload);
        for (flow, problem) in &routed.problems {
            self.metrics.flow_error(&mail.job.tenant, flow, &problem.node, problem.kind.as_str());
            debug!(tenant = %mail.job.tenant, flow, node = problem.node, field = problem.field, problem = problem.message, "flow");
        }
        Ok(stepped(mail, &payload, &contact, name, routed, begun))
    }

    async fn commit(&self, lanes: &[LaneEpoch], effects: &[JobEffects]) -> Result<Committed, Error> {
        self.fence.run(async |connection| effects::commit(connection, lanes, effects).await).await
    }

    /// One job of a batch holds a value that the database will never take: it fails, its neighbours do not.
    async fn commit_alone(&self, lanes: &[LaneEpoch], mut one: Stepped) -> Result<(), Error> {
        let mut result = self.commit(lanes, std::slice::from_ref(&one.effects)).await;
        if let Err(error) = &result
            && error.fault() == Fault::Value
        {
            error!(tenant = %one.effects.job.tenant, job = %one.effects.job.job, %error, "the database does not take what this job led to");
            one.effects.messages.clear();
            one.effects.sessions.clear();
            one.effects.contact = None;
            one.effects.failure = Some(JobFailure { node: None, reason: format!("refused-by-database: {error}") });
            one.outgoing.clear();
            one.state = "failed";
            result = self.commit(lanes, std::slice::from_ref(&one.effects)).await;
        }
        self.committed(vec![one], &result?);
        Ok(())
    }

    /// Tells dispatch and the log.
    fn committed(&self, stepped: Vec<Stepped>, committed: &Committed) {
        let places: HashMap<_, _> = committed.queued.iter().copied().collect();
        for one in stepped {
            let job = &one.effects.job;
            if !committed.jobs.contains(&job.job) {
                debug!(tenant = %job.tenant, job = %job.job, "job was done before, or its lane is not ours any more");
                continue;
            }
            self.metrics.job(&job.tenant, one.state);
            info!(
                tenant = %job.tenant,
                contact = %job.contact,
                job = %job.job,
                session = one.effects.sessions.last().map(|session| session.id.to_string()),
                flow = one.effects.sessions.last().map(|session| session.flow.as_str()),
                state = one.state,
                sends = one.effects.messages.len(),
                failed_at = one.effects.failure.as_ref().and_then(|failure| failure.node.as_deref()),
                us = u64::try_from(one.took.as_micros()).unwrap_or(u64::MAX),
                "job done"
            );
            let outgoing = one.outgoing.into_iter().filter_map(|mut message| {
                message.queued.seq = *places.get(&message.queued.id)?;
                Some(message)
            });
            self.dispatch.send(outgoing.collect());
        }
    }
}

fn add(mailboxes: &mut Mailboxes, new: NewJobs) {
    let NewJobs { jobs, mut payloads } = new;
    for job in jobs {
        let payload = payloads.remove(&job.job);
        mailboxes.add(job, payload);
    }
}

fn stored_only(mail: Mail, begun: Instant) -> Stepped {
    let effects = JobEffects { job: mail.job, sessions: vec![], messages: vec![], contact: None, failure: None };
    Stepped { effects, outgoing: vec![], state: "stored", took: begun.elapsed() }
}

/// A payload that this version does not read fails its job alone.
fn unreadable(mail: Mail, error: &str, begun: Instant) -> Stepped {
    let failure = Some(JobFailure { node: None, reason: format!("unreadable-payload: {error}") });
    let effects = JobEffects { job: mail.job, sessions: vec![], messages: vec![], contact: None, failure };
    Stepped { effects, outgoing: vec![], state: "failed", took: begun.elapsed() }
}

/// What a step led to, as rows.
fn stepped(
    mail: Mail,
    payload: &Payload,
    contact: &contact::Contact,
    name: Option<String>,
    routed: Routed,
    begun: Instant,
) -> Stepped {
    let state = match (&routed.failure, routed.sessions.last()) {
        (Some(_), _) => "failed",
        (None, Some(session)) => session.status().as_str(),
        (None, None) => "stored",
    };
    let sessions = routed
        .sessions
        .iter()
        .map(|session| StoredSession {
            id: session.id,
            flow: session.flow.clone(),
            revision: session.revision.clone(),
            state: session.status().as_str(),
            context: session.to_json(),
        })
        .collect();
    let recipient = recipient(payload);
    let mut messages = Vec::with_capacity(routed.sends.len());
    let mut outgoing = Vec::with_capacity(routed.sends.len());
    for (session, id, body) in routed.sends {
        let text = serde_json::to_string(&body).unwrap_or_default();
        outgoing.push(Outgoing::new(id, &mail.job, payload.provider.clone(), body, recipient.clone()));
        messages.push(NewMessage { id, session, provider: payload.provider.clone(), body: text });
    }
    let attributes = routed.contact_attributes.and_then(|attributes| serde_json::to_string(&attributes).ok());
    let change = (name != contact.name || attributes.is_some())
        .then(|| ContactChange { name, attributes: attributes.unwrap_or_else(|| contact.attributes.clone()) });
    let failure = routed.failure.map(|(node, reason)| JobFailure { node: Some(node), reason });
    let effects = JobEffects { job: mail.job, sessions, messages, contact: change, failure };
    Stepped { effects, outgoing, state, took: begun.elapsed() }
}

/// The answer goes to where the message came from.
fn recipient(payload: &Payload) -> Recipient {
    match payload.from.strip_prefix('+') {
        Some(digits) => Recipient::Phone(digits.to_owned()),
        None => Recipient::UserId(payload.from.clone()),
    }
}
