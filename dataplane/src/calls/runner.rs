//! Decides which call goes when, marks it, and has it made.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wigwag_domain::{CallFailure, CallResult, EffectId, HttpCall, TenantKey};
use wigwag_store::{
    Error, LaneEpoch,
    connection::Database,
    effect::{self, Marked, Overdue},
};

use super::{
    Calls, Endpoint, NewCall,
    caller::{Caller, NotSent},
    failed, lost_with_its_process,
    policy::CallPolicy,
    queue::Queue,
    stored,
    under_way::UnderWay,
    writer::{Ended, Writer},
};
use crate::{
    lanes::{fence::Fence, hint::Hints, ownership::Ownership},
    metrics::Metrics,
    parts::Parts,
};

/// Calls of one mark.
const MARKS: usize = 64;
/// Calls that are looked at in each lane at once.
const LOOK: i64 = 1024;
/// Time between looks into the table.
const EVERY: Duration = Duration::from_secs(1);
/// Time before something is tried again that the database did not do.
const AGAIN: Duration = Duration::from_millis(200);
/// A call that has less time than this until its deadline does not go out: it would do its work, and nobody would hear
/// of it.
const LEAST: Duration = Duration::from_secs(1);
/// How long after its deadline a call is given up that an owner before us made, and who may still store its answer.
const GRACE: Duration = Duration::from_secs(5);

/// What a tenant's calls may do; `None` where the tenant is not configured, and its calls wait.
pub type Policies = Arc<dyn Fn(&TenantKey) -> Option<Arc<CallPolicy>> + Send + Sync>;

/// Decides which call goes when.
pub struct Runner {
    /// For reading.
    pub pool: PgPool,
    /// For marking.
    pub fence: Arc<Fence>,
    /// For results.
    pub database: Database,
    /// What is ours.
    pub ownership: Arc<Ownership>,
    /// Who takes the jobs that results are.
    pub hints: Hints,
    /// What the tenants allow.
    pub policies: Policies,
    /// Who makes calls.
    pub caller: Caller,
    /// What has no answer yet.
    pub under_way: Arc<UnderWay>,
    /// Who runs them.
    pub parts: Parts,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// What the runner remembers between rounds.
#[derive(Default)]
struct State {
    queue: Queue,
    /// Marks to take back: it is not known whether they were committed, or nothing was sent after all.
    unsent: Vec<NewCall>,
}

/// Where a call's end is told.
#[derive(Clone)]
struct Ends {
    results: mpsc::UnboundedSender<Ended>,
    unsent: mpsc::UnboundedSender<NewCall>,
}

impl Runner {
    /// Makes calls until told to stop. Those that are under way then end by themselves, and their results are stored
    /// for as long as the process lives.
    pub async fn run(self, way: Calls, mut committed: mpsc::Receiver<Vec<NewCall>>, stop: CancellationToken) {
        let (results, ended) = mpsc::unbounded_channel();
        let (written_sender, mut written) = mpsc::unbounded_channel();
        let (unsent_sender, mut unsent) = mpsc::unbounded_channel();
        let writer = Writer {
            database: self.database.clone(),
            under_way: self.under_way.clone(),
            hints: self.hints.clone(),
            written: written_sender,
        };
        self.parts.start("writer of results", writer.run(ended));
        let ends = Ends { results, unsent: unsent_sender };

        let mut state = State::default();
        let mut changed = self.ownership.subscribe();
        let mut look = Instant::now();
        let mut wake = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(id) = written.recv() => state.queue.end(id),
                Some(call) = unsent.recv() => state.unsent.push(call),
                Some(calls) = committed.recv() => calls.into_iter().for_each(|call| state.queue.add(call)),
                () = way.lost() => look = Instant::now(),
                Ok(()) = changed.changed() => look = Instant::now(),
                () = tokio::time::sleep_until(wake.unwrap_or(look).min(look).into()) => {}
            }
            while let Ok(id) = written.try_recv() {
                state.queue.end(id);
            }
            while let Ok(calls) = committed.try_recv() {
                calls.into_iter().for_each(|call| state.queue.add(call));
            }
            if look <= Instant::now() {
                if let Err(error) = self.look(&mut state).await {
                    warn!(%error, "could not look for calls to make");
                }
                look = Instant::now() + EVERY;
            }
            wake = self.round(&mut state, &ends).await.is_err().then(|| Instant::now() + AGAIN);
        }
    }

    /// Reads what waits in the table, and ends there what is overdue.
    async fn look(&self, state: &mut State) -> Result<(), Error> {
        state.queue.retain(|call| self.ownership.epoch(&call.tenant, call.lane).is_some());
        let lanes = self.ownership.all();
        if lanes.is_empty() {
            return Ok(());
        }
        let jobs = effect::expire(&self.pool, &lanes, &state.queue.under_way(), &overdue(), GRACE).await?;
        if !jobs.is_empty() {
            warn!(calls = jobs.len(), "calls got no answer before their deadline");
            let over: HashSet<EffectId> = jobs.iter().map(|job| EffectId(job.job.0)).collect();
            state.queue.retain(|call| !over.contains(&call.id));
            jobs.iter().for_each(|job| self.metrics.http_call(&job.tenant, "overdue"));
            self.hints.new_jobs(jobs, HashMap::new());
        }
        let waiting = effect::queued(&self.pool, &lanes, LOOK).await?;
        let unread: Vec<EffectId> = waiting.into_iter().filter(|id| !state.queue.knows(*id)).collect();
        if unread.is_empty() {
            return Ok(());
        }
        for row in effect::read(&self.pool, &unread).await? {
            let url = serde_json::from_str::<HttpCall>(&row.request).map(|call| call.url).unwrap_or_default();
            let endpoint = Endpoint::of(&row.tenant, &url);
            let call = NewCall { id: row.id, tenant: row.tenant, lane: row.lane, session: row.session, endpoint };
            state.queue.add(call);
        }
        Ok(())
    }

    /// Makes the calls that may be made now.
    async fn round(&self, state: &mut State, ends: &Ends) -> Result<(), Error> {
        self.unmark(state).await.inspect_err(|error| warn!(%error, "calls wait for the database"))?;
        loop {
            let picks = state.queue.pick(MARKS);
            if picks.is_empty() {
                return Ok(());
            }
            // Those of a tenant that is not configured wait in the table.
            let (picks, strangers): (Vec<_>, Vec<_>) =
                picks.into_iter().partition(|call| (self.policies)(&call.tenant).is_some());
            strangers.iter().for_each(|call| state.queue.end(call.id));
            self.hand_over(state, picks, ends).await?;
        }
    }

    /// Marks calls, and has those made whose mark is committed.
    async fn hand_over(&self, state: &mut State, picks: Vec<NewCall>, ends: &Ends) -> Result<(), Error> {
        let lanes = self.lanes(&picks);
        let rows: Vec<_> = picks.iter().map(|call| (call.id, &call.tenant, call.lane)).collect();
        let marked =
            self.fence.run(async |connection| effect::mark_sending(connection, &lanes, &rows, LEAST).await).await;
        let mut marked: HashMap<EffectId, Marked> = match marked {
            Ok(marked) => marked.into_iter().map(|mark| (mark.id, mark)).collect(),
            Err(error) => {
                warn!(%error, calls = picks.len(), "calls were not marked, so they are not made");
                state.unsent.extend(picks);
                return Err(error);
            }
        };
        for call in picks {
            match (marked.remove(&call.id), (self.policies)(&call.tenant)) {
                (Some(mark), Some(policy)) => self.spawn(call, mark, policy, ends.clone()),
                (Some(_), None) => state.unsent.push(call),
                // Its lane is not ours any more, its time is over or nearly so, or it has its result.
                (None, _) => state.queue.end(call.id),
            }
        }
        Ok(())
    }

    /// Takes marks back of calls that were not made.
    async fn unmark(&self, state: &mut State) -> Result<(), Error> {
        if state.unsent.is_empty() {
            return Ok(());
        }
        let lanes = self.lanes(&state.unsent);
        let ids: Vec<EffectId> = state.unsent.iter().map(|call| call.id).collect();
        self.fence.run(async |connection| effect::unmark(connection, &lanes, &ids).await).await?;
        for call in state.unsent.drain(..) {
            self.under_way.end(call.id);
            state.queue.end(call.id);
        }
        Ok(())
    }

    fn lanes(&self, calls: &[NewCall]) -> Vec<LaneEpoch> {
        self.ownership.of(calls.iter().map(|call| (&call.tenant, call.lane)))
    }

    fn spawn(&self, call: NewCall, mark: Marked, policy: Arc<CallPolicy>, ends: Ends) {
        let (caller, ownership, metrics) = (self.caller.clone(), self.ownership.clone(), self.metrics.clone());
        let under_way = self.under_way.clone();
        under_way.begin(call.id, mark.attempt);
        self.parts.start("call", async move {
            let begun = Instant::now();
            let result = match serde_json::from_str::<HttpCall>(&mark.request) {
                Ok(request) => {
                    let patience = Duration::from_millis(request.timeout_ms).min(mark.left);
                    let may_send = || ownership.is_valid();
                    caller.call(call.id, &request, &policy, patience, may_send).await
                }
                Err(error) => Ok(failed(CallFailure::Invalid, &format!("the stored call does not read: {error}"))),
            };
            // Writer and runner are gone only when the process ends.
            match result {
                Ok(result) => {
                    metrics.http_call(&call.tenant, outcome(&result));
                    metrics.http_call_ended(begun.elapsed());
                    log(&call, mark.attempt, &result, begun);
                    let _ = ends.results.send(Ended { id: call.id, attempt: mark.attempt, result });
                }
                Err(NotSent) => {
                    under_way.not_sent(call.id);
                    let _ = ends.unsent.send(call);
                }
            }
        });
    }
}

/// Results of calls whose time is over.
fn overdue() -> Overdue {
    let unsent = "was never sent: too many calls to this endpoint were waiting, or nobody was there to make it";
    let late = "its answer was lost with the process that made it, and there was no time to repeat it";
    Overdue {
        unsent: stored(&failed(CallFailure::Timeout, unsent)),
        late: stored(&failed(CallFailure::Timeout, late)),
        unknown: lost_with_its_process(),
    }
}

/// The outcome as a metric's label.
fn outcome(result: &CallResult) -> &'static str {
    match result {
        CallResult::Answered { status: 200..=299, .. } => "2xx",
        CallResult::Answered { status: 300..=399, .. } => "3xx",
        CallResult::Answered { status: 400..=499, .. } => "4xx",
        CallResult::Answered { .. } => "5xx",
        CallResult::Failed { class, .. } => class.as_str(),
    }
}

/// One line for each call. Neither its path nor its query, which hold what the customer wrote.
fn log(call: &NewCall, attempt: i32, result: &CallResult, begun: Instant) {
    let (status, why) = match result {
        CallResult::Answered { status, .. } => (Some(*status), None),
        CallResult::Failed { message, .. } => (None, Some(message.as_str())),
    };
    info!(
        tenant = %call.tenant,
        session = %call.session,
        call = %call.id,
        host = call.endpoint.host,
        attempt,
        outcome = outcome(result),
        status,
        why,
        ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "call"
    );
}
