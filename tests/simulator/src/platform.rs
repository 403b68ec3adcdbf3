//! The shared state behind the server: numbers, faults, the ledger, and the clock-and-task plumbing of every module.
//!
//! There is one lock. It is held for a few lines at a time and never across an await; whoever changes the ledger does it
//! through [`Platform::change`], which wakes everyone who waits in [`Platform::wait_for`].

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use anyhow::Context as _;
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::{Notify, broadcast, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    EndpointRule, Event, Ledger, Number, Receipts, RetryClock, Rule, SendFault, Spread, Template, WebhookFault,
    client::Client,
    delivery::Batches,
    faults::Rules,
    hold::Held,
    server::Gate,
    webhook::{Profile, same_customer},
};

/// How a simulator starts. Everything but `listen`, `retry`, `receipt_gap` and `seed` can be changed while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 lets the operating system choose.
    pub listen: SocketAddr,
    /// The numbers that it knows from the start.
    pub numbers: Vec<Number>,
    /// Host of a webhook URL -> the addresses that it is posted to, instead of asking DNS.
    pub connect: HashMap<String, Vec<SocketAddr>>,
    /// What several addresses of one host mean.
    pub spread: Spread,
    /// Which receipts follow an accepted send by themselves.
    pub receipts: Receipts,
    /// The pause before `delivered`, and again before `read`.
    pub receipt_gap: Duration,
    /// When a webhook that was not answered 200 is posted again.
    pub retry: RetryClock,
    /// Seeds the draws of rules with a probability. The draws are the same for the same seed; which call meets which draw
    /// depends on the order in which calls arrive.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            numbers: Vec::new(),
            connect: HashMap::new(),
            spread: Spread::RoundRobin,
            receipts: Receipts::All,
            receipt_gap: Duration::from_millis(20),
            retry: RetryClock::default(),
            seed: 0,
        }
    }
}

/// All that the simulator knows and does; reached through [`crate::Simulator`].
#[derive(Debug)]
pub struct Platform {
    address: SocketAddr,
    pub(crate) retry: RetryClock,
    pub(crate) receipt_gap: Duration,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    pub(crate) events: broadcast::Sender<Event>,
    /// Told whenever a webhook was answered 200: what a reordered update waits for.
    pub(crate) overtaken: Notify,
    pub(crate) round_robin: AtomicUsize,
    pub(crate) client: Client,
    pub(crate) gate: Gate,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) numbers: HashMap<String, Number>,
    pub(crate) connect: HashMap<String, Vec<SocketAddr>>,
    pub(crate) spread: Spread,
    pub(crate) receipts: Receipts,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) ledger: Ledger,
    pub(crate) sends: Rules<SendFault>,
    pub(crate) messages: Rules<WebhookFault>,
    pub(crate) statuses: Rules<WebhookFault>,
    pub(crate) templates: Vec<Template>,
    pub(crate) endpoint: Vec<EndpointRule>,
    pub(crate) held: Vec<Held>,
    pub(crate) batches: Batches,
    pub(crate) random: StdRng,
}

impl State {
    /// The customer with this phone or business-scoped id, if they ever wrote.
    pub(crate) fn profile(&self, identity: &str) -> Option<&Profile> {
        self.profiles.iter().find(|p| {
            p.phone.as_deref().is_some_and(|phone| same_customer(phone, identity))
                || p.user_id.as_deref() == Some(identity)
        })
    }
}

// === Setting up ===

impl Platform {
    pub(crate) fn new(settings: Settings, address: SocketAddr) -> anyhow::Result<Self> {
        let state = State {
            numbers: HashMap::new(),
            connect: settings.connect,
            spread: settings.spread,
            receipts: settings.receipts,
            profiles: Vec::new(),
            ledger: Ledger::default(),
            sends: Rules::default(),
            messages: Rules::default(),
            statuses: Rules::default(),
            templates: Vec::new(),
            endpoint: Vec::new(),
            held: Vec::new(),
            batches: Batches::default(),
            random: StdRng::seed_from_u64(settings.seed),
        };
        let platform = Self {
            address,
            retry: settings.retry,
            receipt_gap: settings.receipt_gap,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            events: broadcast::Sender::new(4096),
            overtaken: Notify::new(),
            round_robin: AtomicUsize::new(0),
            client: Client::new(),
            gate: Gate::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        for number in settings.numbers {
            platform.register(number)?;
        }
        Ok(platform)
    }

    /// What a tenant's `cloudApi.baseUrl` gets: `http://ADDRESS:PORT`, no slash at the end.
    pub fn graph_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Registers a number, or replaces the one with the same id.
    ///
    /// # Errors
    /// When its webhook URL cannot be posted to.
    pub fn register(&self, number: Number) -> anyhow::Result<()> {
        number.check()?;
        self.change(|s| s.numbers.insert(number.phone_number_id.clone(), number));
        Ok(())
    }

    /// The registered number with this id.
    ///
    /// # Errors
    /// When there is none.
    pub fn number(&self, phone_number_id: &str) -> anyhow::Result<Number> {
        let state = self.state();
        state.numbers.get(phone_number_id).cloned().with_context(|| {
            let known: Vec<_> = state.numbers.keys().collect();
            format!("no number {phone_number_id:?} is registered (there are {known:?}): register it first")
        })
    }

    /// The id of the number that is meant where none is named.
    pub(crate) fn only_number(&self) -> anyhow::Result<String> {
        let state = self.state();
        let mut ids = state.numbers.keys();
        match (ids.next(), ids.next()) {
            (Some(id), None) => Ok(id.clone()),
            (None, _) => anyhow::bail!("no number is registered: register one first"),
            _ => anyhow::bail!("several numbers are registered: say which one is meant"),
        }
    }

    /// Posts webhooks for `host` to these addresses from now on, whatever DNS says; the `Host` header stays `host`.
    /// Retries of earlier webhooks go there too.
    pub fn connect(&self, host: &str, addresses: &[SocketAddr]) {
        self.change(|s| s.connect.insert(host.to_owned(), addresses.to_vec()));
    }

    /// What several addresses of one host mean, from now on.
    pub fn set_spread(&self, spread: Spread) {
        self.change(|s| s.spread = spread);
    }

    /// Which receipts follow the next accepted sends by themselves.
    pub fn set_receipts(&self, receipts: Receipts) {
        self.change(|s| s.receipts = receipts);
    }
}

// === Faults ===

impl Platform {
    /// Disturbs calls to the send endpoint. Rules are tried in the order in which they came.
    pub fn fail_sends(&self, rule: Rule<SendFault>) {
        self.change(|s| s.sends.push(rule));
    }

    /// Disturbs webhooks that bring customer messages.
    pub fn disturb_messages(&self, rule: Rule<WebhookFault>) {
        self.change(|s| s.messages.push(rule));
    }

    /// Disturbs webhooks that bring receipts.
    pub fn disturb_statuses(&self, rule: Rule<WebhookFault>) {
        self.change(|s| s.statuses.push(rule));
    }

    /// Forgets all rules. What is held stays held until it is released.
    pub fn clear_faults(&self) {
        self.change(|s| {
            s.sends = Rules::default();
            s.messages = Rules::default();
            s.statuses = Rules::default();
        });
    }
}

// === Looking and waiting ===

impl Platform {
    /// A copy of the ledger as it stands.
    pub fn ledger(&self) -> Ledger {
        self.state().ledger.clone()
    }

    /// Everything that happens from now on; a reader that falls 4096 events behind loses the oldest.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Waits until `look` finds what it looks for in the ledger.
    ///
    /// # Errors
    /// After `deadline`, naming `what` and how far the ledger got.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut look: impl FnMut(&Ledger) -> Option<T>,
    ) -> anyhow::Result<T> {
        self.wait(what, deadline, |state| look(&state.ledger)).await
    }

    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut look: impl FnMut(&State) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut changes = self.changed.subscribe();
        let found = timeout(deadline, async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = look(&self.state()) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        });
        match found.await {
            Ok(Some(found)) => Ok(found),
            _ => anyhow::bail!("{what}: not within {deadline:?}; {}", self.state().ledger.summary()),
        }
    }
}

// === Plumbing ===

impl Platform {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.send_modify(|version| *version += 1);
        result
    }

    /// Runs a task that ends with the simulator; `None` when it was cut off by that.
    pub(crate) fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(task).await })
    }

    pub(crate) fn tell(&self, event: Event) {
        // No one listening is fine: events are for the demo and for logs.
        let _ = self.events.send(event);
    }
}
