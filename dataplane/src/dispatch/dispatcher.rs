//! Decides what is sent when, marks it, and has it sent.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use wigwag_domain::{Body, InboundId, OutboundId};
use wigwag_providers::{Outcome, Provider};
use wigwag_store::{Error, LaneEpoch, contact, inbound, outbound, outbox, settle::SendResult};

use super::{
    Dispatch, Letter, Outgoing, WINDOW,
    in_flight::InFlight,
    limits::Limits,
    outcome,
    queues::Queues,
    sender::Sender,
    settler::Finished,
    traffic::{Account, Traffic},
    window,
};
use crate::{
    channels::{Channels, Gate},
    config::{Channel, Config},
    lanes::{fence::Fence, ownership::Ownership},
    metrics::Metrics,
    parts::Parts,
};

/// Messages of one mark.
const MARKS: usize = 32;
/// Sends of one account that wait for their answer at once: a provider that hangs holds no more than these.
const IN_FLIGHT: usize = 64;
/// Messages that are read of each lane at once.
const LOOK: i64 = 64;
/// Time between looks into the table.
const EVERY: Duration = Duration::from_secs(1);
/// Meta's code for a message outside of the window; ours where we do not even try.
const WINDOW_SHUT: i32 = 131_047;
/// Decides what is sent when.
pub struct Dispatcher {
    /// The tenants.
    pub config: Arc<ArcSwap<Config>>,
    /// For reading.
    pub pool: PgPool,
    /// For marking.
    pub fence: Arc<Fence>,
    /// What is ours.
    pub ownership: Arc<Ownership>,
    /// Which accounts take messages.
    pub channels: Channels,
    /// What comes in.
    pub traffic: Arc<Traffic>,
    /// Who sends.
    pub sender: Sender,
    /// Who writes what became of it.
    pub finished: mpsc::UnboundedSender<Finished>,
    /// What waits for its answer.
    pub in_flight: Arc<InFlight>,
    /// How long a send whose answer was lost holds its contact's next.
    pub unknown_hold: Duration,
    /// Who runs sends.
    pub parts: Parts,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// What the dispatcher remembers between rounds.
struct State {
    queues: Queues,
    limits: HashMap<Account, Limits>,
    busy: HashMap<Account, usize>,
    /// Marks of which it is not known whether they were committed. None of them was sent.
    unsure: Vec<Outgoing>,
}

/// A message that may go now.
struct Pick {
    message: Outgoing,
    letter: Letter,
    adapter: Arc<dyn Provider>,
}

impl Dispatcher {
    /// Sends until told to stop.
    pub async fn run(
        self,
        way: Dispatch,
        mut committed: mpsc::Receiver<Vec<Outgoing>>,
        mut settled: mpsc::UnboundedReceiver<(Outgoing, SendResult)>,
        stop: CancellationToken,
    ) {
        let mut state =
            State { queues: Queues::default(), limits: HashMap::new(), busy: HashMap::new(), unsure: vec![] };
        let mut changed = self.ownership.subscribe();
        let mut looked: Option<Instant> = None;
        let mut wake = Instant::now();
        loop {
            let next_look = looked.map_or_else(Instant::now, |looked| looked + EVERY);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some((message, result)) = settled.recv() => self.settled(&mut state, message, &result),
                Some(messages) = committed.recv() => {
                    if !state.queues.add(messages, Instant::now()) {
                        looked = None;
                    }
                }
                () = way.lost() => {
                    state.queues.incomplete();
                    looked = None;
                }
                Ok(()) = changed.changed() => looked = None,
                () = tokio::time::sleep_until(next_look.min(wake).into()) => {}
            }
            while let Ok((message, result)) = settled.try_recv() {
                self.settled(&mut state, message, &result);
            }
            while let Ok(messages) = committed.try_recv() {
                if !state.queues.add(messages, Instant::now()) {
                    looked = None;
                }
            }
            if looked.is_none_or(|looked| looked.elapsed() >= EVERY) {
                if let Err(error) = self.look(&mut state).await {
                    warn!(%error, "could not look for messages to send");
                }
                looked = Some(Instant::now());
            }
            wake = self.round(&mut state).await;
        }
    }

    /// Reads what stands in the table, and takes away there what is settled.
    async fn look(&self, state: &mut State) -> Result<(), Error> {
        self.channels.refresh().await?;
        let now = Instant::now();
        let lanes = self.ownership.all();
        state.queues.keep_lanes(|tenant, lane| self.ownership.epoch(tenant, lane).is_some());
        self.follow_config(state, now);
        if lanes.is_empty() {
            return Ok(());
        }
        let swept: HashSet<OutboundId> = outbox::sweep(&self.pool, &lanes).await?.into_iter().collect();
        state.queues.remove(&swept);
        let rows = outbox::queued(&self.pool, &lanes, &state.queues.full(), LOOK).await?;
        let messages = rows.into_iter().map(|queued| Outgoing { queued, letter: None }).collect();
        let keys: Vec<_> = lanes.into_iter().map(|lane| (lane.tenant, lane.lane)).collect();
        state.queues.read(&keys, messages, usize::try_from(LOOK).unwrap_or(usize::MAX), Instant::now());
        Ok(())
    }

    /// Throughputs, and our share of each, as they are now.
    fn follow_config(&self, state: &mut State, now: Instant) {
        let config = self.config.load();
        state.limits.retain(|(tenant, provider), limits| {
            limits.forget_idle(now);
            config.tenants.get(tenant).is_some_and(|tenant| tenant.channels.contains_key(provider))
        });
        for (key, tenant) in &config.tenants {
            let share = share(self.ownership.count(key));
            for (name, channel) in &tenant.channels {
                let rate = f64::from(channel.throughput) * share;
                let account = (key.clone(), name.clone());
                let limits = state.limits.entry(account).or_insert_with(|| Limits::new(rate, now));
                limits.set_rate(rate, now);
            }
        }
    }

    /// Sends what may go now; returns when to come again.
    async fn round(&self, state: &mut State) -> Instant {
        let patience = Instant::now() + EVERY;
        for (account, messages) in self.traffic.take() {
            if let Some(limits) = state.limits.get_mut(&account) {
                limits.received(messages, Instant::now());
            }
        }
        if !state.unsure.is_empty() && self.unmark(state).await.is_err() {
            return Instant::now() + Duration::from_millis(200);
        }
        if let Err(error) = self.read_letters(state).await {
            warn!(%error, "messages wait for the database");
            return Instant::now() + Duration::from_millis(200);
        }
        if let Err(error) = self.look_for_windows(state).await {
            warn!(%error, "messages wait for the database");
            return Instant::now() + Duration::from_millis(200);
        }
        let (picks, wake) = self.pick(state).await;
        if picks.is_empty() {
            return wake.unwrap_or(patience).min(patience);
        }
        self.hand_over(state, picks).await;
        Instant::now()
    }

    /// Reads the text and the recipient of heads that have none.
    async fn read_letters(&self, state: &mut State) -> Result<(), Error> {
        let (heads, _) = state.queues.heads(Instant::now());
        let mut unread: Vec<_> = heads.into_iter().filter(|m| m.letter.is_none()).take(256).collect();
        if unread.is_empty() {
            return Ok(());
        }
        let ids: Vec<OutboundId> = unread.iter().map(|message| message.queued.id).collect();
        let contacts: Vec<_> = unread.iter().map(|message| message.queued.contact).collect();
        let (mut texts, recipients) =
            tokio::try_join!(outbound::to_send(&self.pool, &ids), contact::recipients(&self.pool, &contacts))?;
        let mut gone = HashSet::new();
        for message in &mut unread {
            let id = message.queued.id;
            let letter = texts.remove(&id).and_then(|text| {
                let body = serde_json::from_str(&text.body).ok()?;
                let fallback = text.fallback.and_then(|template| serde_json::from_str(&template).ok());
                let to = recipients.get(&message.queued.contact)?.clone();
                let window = text.job.map(window);
                Some(Letter { job: text.job, provider: text.provider, body, fallback, window, to })
            });
            if letter.is_none() {
                error!(tenant = %message.queued.tenant, message = %id, "a message in the outbox has no readable text or no recipient; it is left");
                gone.insert(id);
            }
            message.letter = letter;
        }
        state.queues.remove(&gone);
        Ok(())
    }

    /// Looks up when the customer wrote last, where what goes next needs that and it is not known to be recent. Where
    /// the window is shut, the template goes instead, or the message fails.
    async fn look_for_windows(&self, state: &mut State) -> Result<(), Error> {
        let now = Timestamp::now();
        let (heads, _) = state.queues.heads(Instant::now());
        let unsure = heads.into_iter().filter(|message| {
            let letter = message.letter.as_ref();
            letter.is_some_and(|letter| letter.body.needs_open_window() && letter.window.is_none_or(|end| end <= now))
        });
        let unsure: Vec<&mut Outgoing> = unsure.take(256).collect();
        if unsure.is_empty() {
            return Ok(());
        }
        let by = |message: &Outgoing| Some((message.queued.contact, message.letter.as_ref()?.provider.clone()));
        let of: Vec<_> = unsure.iter().filter_map(|message| by(message)).collect();
        let newest = inbound::newest(&self.pool, &of, now.saturating_sub(WINDOW).unwrap_or(now)).await?;
        let mut shut = Vec::new();
        for message in unsure {
            let Some(key) = by(message) else { continue };
            let Some(letter) = &mut message.letter else { continue };
            letter.window = newest.get(&key).copied().map(window);
            if letter.window.is_some_and(|end| end > now) {
                continue;
            }
            if !take_template(&self.pool, message.queued.id, letter).await? {
                shut.push(message.clone());
            }
        }
        for message in shut {
            self.fail_unsent(state, message);
        }
        Ok(())
    }

    /// A message that may not go out at all.
    fn fail_unsent(&self, state: &mut State, message: Outgoing) {
        let Some(letter) = message.letter.clone() else { return };
        let title = "the customer has not written for 24 hours, and the message has no template".to_owned();
        *state.busy.entry((message.queued.tenant.clone(), letter.provider)).or_default() += 1;
        state.queues.begin(&message);
        let flight = self.in_flight.begin(message.queued.tenant.clone(), message.queued.lane);
        let result = SendResult::Failed { code: WINDOW_SHUT, title };
        // The settler is gone only when the process ends.
        let _ = self.finished.send(Finished { message, result, flight });
    }

    /// The messages that may go now, and when the next may.
    async fn pick(&self, state: &mut State) -> (Vec<Pick>, Option<Instant>) {
        let now = Instant::now();
        let config = self.config.load_full();
        let (heads, mut wake) = state.queues.heads(now);
        let mut picks = vec![];
        for message in heads {
            if picks.len() == MARKS {
                wake = Some(now);
                break;
            }
            let Some(letter) = &message.letter else { continue };
            let account = (message.queued.tenant.clone(), letter.provider.clone());
            let channel = config.tenants.get(&account.0).and_then(|tenant| tenant.channels.get(&account.1));
            // Without its credentials, or its provider, a message waits until they are back.
            let Some(Channel { adapter: Some(adapter), .. }) = channel else { continue };
            if state.busy.get(&account).copied().unwrap_or_default() >= IN_FLIGHT {
                continue;
            }
            let gate = self.channels.gate(&account.0, &account.1);
            if gate == Gate::Shut {
                continue;
            }
            let Some(limits) = state.limits.get_mut(&account) else { continue };
            if let Err(wait) = limits.take(message.queued.contact, now) {
                let due = now + wait;
                wake = Some(wake.map_or(due, |wake| wake.min(due)));
                continue;
            }
            if gate == Gate::Probe && !self.channels.take_probe(&account.0, &account.1).await {
                continue;
            }
            *state.busy.entry(account).or_default() += 1;
            picks.push(Pick { message: message.clone(), letter: letter.clone(), adapter: adapter.clone() });
        }
        (picks, wake)
    }

    /// Marks messages, and has those sent whose mark is committed.
    async fn hand_over(&self, state: &mut State, picks: Vec<Pick>) {
        for pick in &picks {
            state.queues.begin(&pick.message);
        }
        let rows: Vec<_> = picks.iter().map(|pick| pick.message.queued.clone()).collect();
        let lanes = self.lanes(&rows);
        let marked = self.fence.run(async |connection| outbox::mark_sending(connection, &lanes, &rows).await).await;
        let marked: HashMap<OutboundId, i32> = match marked {
            Ok(marked) => marked.into_iter().map(|mark| (mark.id, mark.attempt)).collect(),
            Err(error) => {
                warn!(%error, messages = picks.len(), "messages were not marked, so they are not sent");
                for pick in picks {
                    release(state, &pick.message, &pick.letter);
                    state.unsure.push(pick.message);
                }
                return;
            }
        };
        for mut pick in picks {
            let Some(attempt) = marked.get(&pick.message.queued.id) else {
                // Its lane is not ours any more, or somebody settled it.
                release(state, &pick.message, &pick.letter);
                state.queues.done(&pick.message);
                continue;
            };
            pick.message.queued.attempt = *attempt;
            self.spawn(pick);
        }
    }

    /// Marks that may have been committed are taken back: nothing of them was sent.
    async fn unmark(&self, state: &mut State) -> Result<(), Error> {
        let rows: Vec<_> = state.unsure.iter().map(|message| message.queued.clone()).collect();
        let (lanes, ids) = (self.lanes(&rows), rows.iter().map(|row| row.id).collect::<Vec<_>>());
        self.fence.run(async |connection| outbox::unmark(connection, &lanes, &ids).await).await?;
        for message in state.unsure.drain(..) {
            state.queues.hold(&message, Instant::now(), false);
        }
        Ok(())
    }

    fn lanes(&self, rows: &[outbox::Queued]) -> Vec<LaneEpoch> {
        self.ownership.of(rows.iter().map(|row| (&row.tenant, row.lane)))
    }

    fn spawn(&self, pick: Pick) {
        let Pick { message, mut letter, adapter } = pick;
        let flight = self.in_flight.begin(message.queued.tenant.clone(), message.queued.lane);
        let (sender, finished) = (self.sender.clone(), self.finished.clone());
        let (metrics, channels, hold) = (self.metrics.clone(), self.channels.clone(), self.unknown_hold);
        let pool = self.pool.clone();
        self.parts.start("send", async move {
            let begun = Instant::now();
            if let Some(job) = letter.job
                && message.queued.attempt == 1
            {
                metrics.first_send(since(job));
            }
            let outcome = sender.send(adapter.as_ref(), message.queued.id, &letter).await;
            let tenant = &message.queued.tenant;
            metrics.send(tenant, outcome::word(&outcome));
            outcome::log(&message, &letter, &outcome, begun);
            match &outcome {
                Outcome::Paused { reason, .. } => channels.pause(tenant, &letter.provider, reason).await,
                Outcome::Accepted { .. } => channels.accepted(tenant, &letter.provider).await,
                _ => {}
            }
            // By the provider's clock, which counts.
            let is_shut = matches!(outcome, Outcome::Failed { code: WINDOW_SHUT, .. });
            let result = if is_shut && letter.fallback.is_some() {
                let taken = take_template(&pool, message.queued.id, &mut letter).await;
                let after = if taken.is_ok() { Duration::ZERO } else { Duration::from_secs(1) };
                SendResult::Again { after, code: WINDOW_SHUT, title: "the template goes instead".to_owned() }
            } else {
                outcome::result(outcome, message.queued.attempt, hold)
            };
            let message = Outgoing { letter: Some(letter), ..message };
            // The settler is gone only when the process ends.
            let _ = finished.send(Finished { message, result, flight });
        });
    }

    fn settled(&self, state: &mut State, message: Outgoing, result: &SendResult) {
        let now = Instant::now();
        let Some(letter) = message.letter.clone() else { return };
        release(state, &message, &letter);
        let account = (message.queued.tenant.clone(), letter.provider);
        let limits = state.limits.get_mut(&account);
        match result {
            SendResult::Accepted { .. } => {
                if let Some(limits) = limits {
                    limits.accepted(message.queued.contact);
                }
                state.queues.done(&message);
            }
            SendResult::Failed { .. } => state.queues.done(&message),
            SendResult::Again { after, code, .. } => {
                let mut due = now + *after;
                if let Some(limits) = limits {
                    match *code {
                        outcome::THROUGHPUT => limits.throttled(now),
                        outcome::PAIR_RATE => due = now + limits.pair_refused(message.queued.contact, now),
                        _ => {}
                    }
                }
                state.queues.hold(&message, due, false);
            }
            SendResult::Unknown { hold } => state.queues.hold(&message, now + *hold, true),
        }
    }
}

/// Puts a message's template in its place; `false` where it has none.
async fn take_template(pool: &PgPool, id: OutboundId, letter: &mut Letter) -> Result<bool, Error> {
    let Some(template) = letter.fallback.clone() else { return Ok(false) };
    let body = Body::Template(template);
    outbound::replace_body(pool, id, &serde_json::to_string(&body).unwrap_or_default()).await?;
    (letter.body, letter.fallback) = (body, None);
    Ok(true)
}

fn release(state: &mut State, message: &Outgoing, letter: &Letter) {
    let account = (message.queued.tenant.clone(), letter.provider.clone());
    if let Some(busy) = state.busy.get_mut(&account) {
        *busy = busy.saturating_sub(1);
    }
}

/// Our share of a number is our share of the lanes.
fn share(lanes: usize) -> f64 {
    f64::from(u32::try_from(lanes).unwrap_or(u32::MAX)) / f64::from(wigwag_domain::LANES)
}

fn since(job: InboundId) -> f64 {
    let millis = jiff::Timestamp::now().as_millisecond() - job.millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or_default()).as_secs_f64()
}
