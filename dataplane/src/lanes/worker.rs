//! The work: takes the next job of each contact that has one, steps their conversations, and commits what they lead
//! to in one fenced statement; then the next.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use wigwag_domain::{JobKind, SessionId};
use wigwag_flow::{Session, What};
use wigwag_store::{
    Error, Fault, LaneEpoch, ReadyJob,
    effects::{self, Committed, JobEffects, JobFailure},
    job_ready, timer,
};

use super::{
    crash_loop,
    fence::Fence,
    hint::{Hints, NewJobs},
    mailbox::{Mail, Mailboxes},
    ownership::Ownership,
    reading::{self, Matter, Ready},
    rows::{Known, Stepped},
};
use crate::{
    calls::Calls,
    config::Config,
    dispatch::Dispatch,
    metrics::Metrics,
    programs::Programs,
    router::{self, Happened, Occurrence, OpenSession, Routed, Routes, Routing},
};

/// Jobs of one commit.
const BATCH: usize = 64;
/// Jobs that are read of each lane at once.
const LOOK: i64 = 64;
/// Mailboxes are filled from the table up to here.
const ROOM: usize = 8192;
/// Time between looks into the table when nobody calls.
const EVERY: Duration = Duration::from_secs(1);
/// Timers that are made jobs at once: what customers write does not wait behind more.
const TIMERS: usize = 128;

/// Why a session ends whose job the database refuses.
const REFUSED: &str = "refused-by-database";
/// How long the jobs of a tenant wait that is not configured here.
const UNCONFIGURED: SignedDuration = SignedDuration::from_millis(250);

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
    pub programs: Arc<Programs>,
    /// Who sends.
    pub dispatch: Dispatch,
    /// Who calls endpoints.
    pub calls: Calls,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// Where a job led.
enum Worked {
    Stepped(Box<Stepped>),
    /// It waits, with all messages of its contact, until then.
    Held(Mail, Timestamp),
    /// It is looked at again then.
    PutOff(Mail, Timestamp),
}

impl Worker {
    /// Works until told to stop; a batch that has begun is finished.
    pub async fn run(self, mut new_jobs: mpsc::Receiver<NewJobs>, stop: CancellationToken) {
        let mut mailboxes = Mailboxes::default();
        let mut changed = self.ownership.subscribe();
        let mut looked = Instant::now();
        let (mut more, mut more_timers) = (true, true);
        loop {
            let mut look = more && mailboxes.jobs() < ROOM / 2;
            let freed = mailboxes.free_due(Instant::now());
            if mailboxes.is_idle() && !look && !more_timers {
                let wake = (looked + EVERY).min(freed.unwrap_or(looked + EVERY));
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    Some(new) = new_jobs.recv() => add(&mut mailboxes, new),
                    Ok(()) = changed.changed() => look = true,
                    () = self.hints.look() => look = true,
                    () = tokio::time::sleep_until(wake.into()) => {}
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
                more_timers = true;
                looked = Instant::now();
            }
            if more_timers && mailboxes.others() < TIMERS {
                more_timers = self.fire_timers(&mut mailboxes).await;
            }
            let batch = mailboxes.take_heads(BATCH);
            if batch.is_empty() {
                continue;
            }
            if let Err((error, batch)) = self.handle(batch, &mut mailboxes).await {
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
                let before = mailboxes.jobs();
                let read = jobs.len();
                for job in jobs {
                    mailboxes.add(job, None);
                }
                // Where all that was read was here already, reading again finds the same.
                read >= usize::try_from(LOOK).unwrap_or(usize::MAX) && mailboxes.jobs() > before
            }
            Err(error) => {
                warn!(%error, "could not look for jobs");
                false
            }
        }
    }

    /// Makes timers jobs that are due; tells whether there are more.
    async fn fire_timers(&self, mailboxes: &mut Mailboxes) -> bool {
        let lanes = self.ownership.all();
        if lanes.is_empty() {
            return false;
        }
        let limit = i64::try_from(TIMERS).unwrap_or(i64::MAX);
        let fired = async {
            match timer::is_any_due(&self.pool, &lanes).await? {
                true => self.fence.run(async |connection| timer::fire(connection, &lanes, limit).await).await,
                false => Ok(vec![]),
            }
        };
        let with_messages = async {
            let fired = fired.await?;
            let contacts: Vec<_> = fired.iter().map(|job| job.contact).collect();
            // What a customer wrote in time is answered first, also where nobody has told us of it yet.
            let messages = match contacts.as_slice() {
                [] => vec![],
                contacts => job_ready::first_messages(&self.pool, contacts).await?,
            };
            Ok::<_, Error>((fired, messages))
        };
        match with_messages.await {
            Ok((jobs, messages)) => {
                let fired = jobs.len();
                for job in messages.into_iter().chain(jobs) {
                    mailboxes.add(job, None);
                }
                fired >= TIMERS
            }
            Err(error) => {
                warn!(%error, "could not look for timers");
                false
            }
        }
    }

    /// Steps a batch and commits it. On an error of the database the batch comes back: nothing of it is lost.
    async fn handle(&self, batch: Vec<Mail>, mailboxes: &mut Mailboxes) -> Result<(), (Error, Vec<Mail>)> {
        let ready = match reading::read(&self.pool, &batch).await {
            Ok(ready) => ready,
            Err(error) => return Err((error, batch)),
        };
        let mut stepped = Vec::with_capacity(ready.len());
        let mut put_off = Vec::new();
        for one in ready {
            match self.step(one).await {
                Ok(Worked::Stepped(one)) => stepped.push(*one),
                Ok(Worked::Held(mail, until)) => {
                    mailboxes.hold(mail.job.contact, instant(until));
                    mailboxes.add(mail.job, mail.payload);
                }
                Ok(Worked::PutOff(mail, until)) => put_off.push((mail.job, until)),
                Err(error) => return Err((error, batch)),
            }
        }
        if !put_off.is_empty()
            && let Err(error) = self.put_off(&put_off).await
        {
            // They are read again, and put off again.
            warn!(%error, "jobs were not put off");
        }
        if stepped.is_empty() {
            return Ok(());
        }
        let lanes = self.ownership.of(stepped.iter().map(|one| (&one.effects.job.tenant, one.effects.job.lane)));
        let effects: Vec<JobEffects> = stepped.iter().map(|one| one.effects.clone()).collect();
        match self.commit(&lanes, &effects).await {
            Ok(committed) => {
                self.committed(stepped, &committed, mailboxes);
                Ok(())
            }
            Err(error) if error.fault() == Fault::Value => {
                for one in stepped {
                    if let Err(error) = self.commit_alone(&lanes, one, mailboxes).await {
                        // What is committed by now falls out when it is tried again.
                        return Err((error, batch));
                    }
                }
                Ok(())
            }
            Err(error) => Err((error, batch)),
        }
    }

    async fn put_off(&self, jobs: &[(ReadyJob, Timestamp)]) -> Result<(), Error> {
        let lanes = self.ownership.of(jobs.iter().map(|(job, _)| (&job.tenant, job.lane)));
        let jobs: Vec<_> = jobs.iter().map(|(job, until)| (job, *until)).collect();
        self.fence.run(async |connection| job_ready::put_off(connection, &lanes, &jobs).await).await
    }

    async fn step(&self, ready: Ready) -> Result<Worked, Error> {
        let begun = Instant::now();
        let Ready { mail, matter, contact, open } = ready;
        let config = self.config.load();
        let done = |stepped: Stepped| Ok(Worked::Stepped(Box::new(stepped)));
        // The configuration is not read yet, or the tenant was removed and leaves its lanes soon: nothing of it may be
        // taken for done, nor out of its order.
        let Some(tenant) = config.tenants.get(&mail.job.tenant) else {
            let soon = clock().saturating_add(UNCONFIGURED).unwrap_or(mail.job.run_at);
            return Ok(match mail.job.kind {
                JobKind::Message => Worked::Held(mail, soon),
                _ => Worked::PutOff(mail, soon),
            });
        };
        let mut body = None;
        let (payload, happened) = match &matter {
            Matter::Message(payload, quoted) => (Some(&**payload), Happened::Message(payload, *quoted)),
            Matter::Timer(session) => (None, Happened::Event(*session, What::Timer)),
            Matter::Result { session, effect, result, text } => {
                body = Some(text.clone());
                (None, Happened::Event(*session, What::Result(*effect, result)))
            }
            Matter::Told { id, session, told } => (None, Happened::Told(*id, *session, told)),
            Matter::Failure { session, message, code, error } => {
                body = Some(json!({"code": code, "error": error}).to_string());
                (None, Happened::Event(*session, What::SendFailed(*message, *code, error)))
            }
            Matter::Gone => return done(Stepped::nothing(mail, "gone", begun)),
            Matter::Unreadable(error) => return done(Stepped::unreadable(mail, error, begun)),
        };
        let mut sessions = Vec::with_capacity(open.len());
        for stored in open {
            match Session::from_json(&stored.context) {
                Ok(session) => {
                    let programs = self.programs.linked(&self.pool, tenant, &session).await?;
                    sessions.push(OpenSession { session, programs });
                }
                Err(error) => {
                    error!(session = %stored.id, %error, "a stored session does not read; it is left as it is")
                }
            }
        }
        let flows: Vec<_> = tenant.flows.iter().map(|loaded| loaded.program.clone()).collect();
        let brought = match &matter {
            Matter::Told { told, .. } => told.message(),
            _ => payload,
        };
        let name = brought.and_then(|message| message.contact_name.clone()).or_else(|| contact.name.clone());
        let attributes = serde_json::from_str(&contact.attributes).unwrap_or_default();
        let phone = contact.phone.as_ref().map(|digits| format!("+{digits}"));
        let view = wigwag_flow::Contact { id: contact.id, name: name.clone(), phone: phone.clone(), attributes };
        let routes = Routes { flows: &flows, tenant: &tenant.conversation };
        // The database's clock made the job; the one here may be behind.
        let at = clock().max(mail.job.run_at);
        let occurrence = Occurrence { source: mail.job.job.0, came: matter.came(&mail), at, what: happened };
        let routed = match router::route(routes, sessions, view, occurrence) {
            Routing::Done(routed) => *routed,
            Routing::Hold(until) => return Ok(Worked::Held(mail, until)),
            Routing::PutOff(until) => return Ok(Worked::PutOff(mail, until)),
        };
        self.count(&mail, &routed);
        let known = Known { stored: contact, name, phone };
        done(Stepped::of(mail, payload, body, known, routed, begun))
    }

    fn count(&self, mail: &Mail, routed: &Routed) {
        let tenant = &mail.job.tenant;
        for (flow, problem) in &routed.problems {
            self.metrics.flow_error(tenant, flow, &problem.node, problem.kind.as_str());
            debug!(%tenant, flow, node = problem.node, field = problem.field, problem = problem.message, "flow");
        }
        for (flow, node, kind) in &routed.errors {
            self.metrics.flow_error(tenant, flow, node, kind);
        }
        for passage in &routed.passages {
            self.metrics.passage(tenant, passage);
        }
    }

    async fn commit(&self, lanes: &[LaneEpoch], effects: &[JobEffects]) -> Result<Committed, Error> {
        self.fence.run(async |connection| effects::commit(connection, lanes, effects).await).await
    }

    /// One job of a batch holds a value that the database will never take: it fails, its neighbours do not.
    async fn commit_alone(
        &self,
        lanes: &[LaneEpoch],
        mut one: Stepped,
        mailboxes: &mut Mailboxes,
    ) -> Result<(), Error> {
        let mut result = self.commit(lanes, std::slice::from_ref(&one.effects)).await;
        if let Err(error) = &result
            && error.fault() == Fault::Value
        {
            error!(tenant = %one.effects.job.tenant, job = %one.effects.job.job, %error, "the database does not take what this job led to");
            let failure = Some(JobFailure { node: None, reason: format!("{REFUSED}: {error}") });
            let stepped: Vec<SessionId> = one.effects.sessions.iter().map(|session| session.id).collect();
            let nothing = JobEffects { failure, ..JobEffects::nothing(one.effects.job) };
            let sessions = crash_loop::abandoned(&self.pool, nothing.job.contact, &stepped, REFUSED).await?;
            one.effects = JobEffects { sessions, ..nothing };
            one.outgoing.clear();
            one.calls.clear();
            one.state = "failed";
            result = self.commit(lanes, std::slice::from_ref(&one.effects)).await;
        }
        self.committed(vec![one], &result?, mailboxes);
        Ok(())
    }

    /// Tells the next stages and the log.
    fn committed(&self, stepped: Vec<Stepped>, committed: &Committed, mailboxes: &mut Mailboxes) {
        let places: HashMap<_, _> = committed.queued.iter().copied().collect();
        for one in stepped {
            let job = &one.effects.job;
            if !committed.jobs.contains(&job.seq) {
                debug!(tenant = %job.tenant, job = %job.job, "job was done before, or its lane is not ours any more");
                continue;
            }
            match one.hold {
                Some(until) => mailboxes.hold(job.contact, instant(until)),
                None => mailboxes.free(job.contact),
            }
            self.metrics.job(&job.tenant, one.state);
            info!(
                tenant = %job.tenant,
                contact = %job.contact,
                job = %job.job,
                kind = job.kind.as_str(),
                session = one.effects.sessions.last().map(|session| session.id.to_string()),
                flow = one.effects.sessions.last().map(|session| session.flow.as_str()),
                state = one.state,
                sends = one.effects.messages.len(),
                calls = one.effects.calls.len(),
                failed_at = one.effects.failure.as_ref().and_then(|failure| failure.node.as_deref()),
                us = u64::try_from(one.took.as_micros()).unwrap_or(u64::MAX),
                "job done"
            );
            let left = one.effects.messages.len() > one.outgoing.len();
            let outgoing = one.outgoing.into_iter().filter_map(|mut message| {
                message.queued.seq = *places.get(&message.queued.id)?;
                Some(message)
            });
            self.dispatch.send(outgoing.collect());
            if left {
                self.dispatch.look();
            }
            self.calls.begin(one.calls);
            if !one.effects.awaited.is_empty() || one.effects.wake {
                self.hints.look_again();
            }
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

/// The wall clock, in whole microseconds: what `session_event` keeps of it is all of it, so that a step can be run again.
fn clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// A time of the wall clock by the monotonic one.
fn instant(at: Timestamp) -> Instant {
    let left = at.duration_since(Timestamp::now());
    Instant::now() + Duration::try_from(left).unwrap_or_default()
}
