//! One container: a local process that is started, probed, and started again when it ends.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{self, Pod};
use kube::ResourceExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Host;
use super::environment;
use super::events::Events;
use super::probe::HttpProbe;
use super::status::{Ended, Observed, Phase};
use super::translate::{self, Translation};
use crate::process::{Process, Program};

/// A container that ended is started again after this, and each time after twice as long.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(10);
/// A run of this length makes the back-off begin anew.
const LONG_RUN: Duration = Duration::from_secs(10);
/// Until its first yes a container is asked this often, whatever its probe says: nobody likes to wait.
const IMPATIENCE: Duration = Duration::from_millis(100);

/// How long a start waits for the API server, which may be frozen.
const API_ANSWER: Duration = Duration::from_secs(2);

/// Our variables that every process needs, wherever it runs.
const INHERITED: [&str; 5] = ["PATH", "RUST_BACKTRACE", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR"];

/// A container of a Pod that the node runs.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) spec: v1::Container,
    pub(super) process: Arc<Process>,
    address: Ipv4Addr,
    volumes: PathBuf,
    readiness: Option<HttpProbe>,
    liveness: Option<HttpProbe>,
    observed: watch::Sender<Observed>,
}

impl Container {
    /// The container `spec` of `pod` at `address`, whose volumes lie in `volumes`. The Pod was admitted, so its probes
    /// can be asked.
    pub(super) fn new(host: &Host, pod: &Pod, spec: v1::Container, address: Ipv4Addr, volumes: &Path) -> Self {
        let probe = |probe: &Option<v1::Probe>| HttpProbe::of(probe.as_ref()?, &spec, address).ok();
        let (readiness, liveness) = (probe(&spec.readiness_probe), probe(&spec.liveness_probe));
        let name = format!("{}.{}.{}", pod.namespace().unwrap_or_default(), pod.name_any(), spec.name);
        // The program is settled at each start.
        let mut program = Program::new(name, "", Vec::new());
        program.inherits_env = false;
        let process = Arc::new(Process::new(program, &host.logs));
        let observed = watch::Sender::new(Observed::creating());
        Self { spec, process, address, volumes: volumes.to_owned(), readiness, liveness, observed }
    }

    /// What it does now.
    pub(super) fn observed(&self) -> Observed {
        self.observed.borrow().clone()
    }

    /// Wakes when it does something else.
    pub(super) fn changes(&self) -> watch::Receiver<Observed> {
        self.observed.subscribe()
    }

    /// Runs it, and runs it again, until this future is dropped. The process is left as it is then.
    pub(super) async fn supervise(&self, host: &Host, pod: &watch::Receiver<Arc<Pod>>, events: &Events) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            let pod = pod.borrow().clone();
            if let Err(error) = self.start(host, &pod).await {
                let message = format!("{error:#}");
                events.warning(&pod, "Failed", &message).await;
                self.change(|observed| {
                    observed.phase = Phase::Waiting { reason: "CreateContainerConfigError", message };
                });
                sleep(FIRST_BACKOFF).await;
                continue;
            }
            let (began, since) = (Instant::now(), Timestamp::now());
            let pid = self.process.pid().unwrap_or_default();
            self.change(|observed| {
                observed.phase = Phase::Running { since, pid };
                observed.ready = self.readiness.is_none();
                observed.restarts += i32::from(observed.last.is_some());
            });
            tokio::select! {
                _ = self.process.exited() => {}
                () = self.watch_readiness() => {}
                why = self.until_not_alive() => {
                    events.warning(&pod, "Unhealthy", &format!("Liveness probe failed: {why}")).await;
                    let _ = self.process.stop(grace(&pod)).await;
                }
            }
            let ended = ended(self.process.exited().await, since);
            if began.elapsed() >= LONG_RUN {
                backoff = FIRST_BACKOFF;
            }
            let message =
                format!("back-off {backoff:?} restarting {}, which ended with {}", self.spec.name, ended.code);
            events.warning(&pod, "BackOff", &message).await;
            self.change(|observed| {
                observed.phase = Phase::Waiting { reason: "CrashLoopBackOff", message };
                observed.ready = false;
                observed.last = Some(ended);
            });
            sleep(backoff).await;
            backoff = (backoff * 2).min(LAST_BACKOFF);
        }
    }

    /// TERM, `grace`, KILL.
    pub(super) async fn terminate(&self, grace: Duration) {
        let since = match self.observed().phase {
            Phase::Running { since, .. } => since,
            Phase::Waiting { .. } | Phase::Terminated(_) => Timestamp::now(),
        };
        if let Err(error) = self.process.stop(grace).await {
            tracing::error!(container = self.process.name(), "{error:#}");
        }
        self.process.close();
        let Some(status) = self.process.exit_status() else { return };
        self.change(|observed| {
            observed.phase = Phase::Terminated(ended(status, since));
            observed.ready = false;
        });
    }

    async fn start(&self, host: &Host, pod: &Pod) -> Result<()> {
        let namespace = pod.namespace().unwrap_or_default();
        let (path, arguments) = translate::program(&host.images, &self.spec).map_err(anyhow::Error::msg)?;
        let translation = Translation::of(&self.spec, &self.volumes, self.address);
        translation.link_mounts()?;
        let fetched = timeout(API_ANSWER, environment::fetch(&host.client, &namespace, &self.spec)).await;
        let sources = match fetched.context("the API server does not answer").flatten() {
            Ok(sources) => sources,
            // As a kubelet: with the API server down it starts again with what it knew.
            Err(_) if self.observed().last.is_some() => return self.process.start(),
            Err(error) => return Err(error),
        };
        let resolved = environment::resolve(pod, self.address, &self.spec, &sources, &translation);
        let mut env = resolved.map_err(anyhow::Error::msg)?;
        let args = arguments.iter().map(|text| environment::expand(&translation.text(text), &env)).collect();

        let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        for (name, value) in inherited.chain([("HOSTNAME".to_owned(), pod.name_any())]) {
            env.entry(name).or_insert(value);
        }
        if let Some(volume) = translate::service_account_volume(&self.spec) {
            let kubeconfig = translate::kubeconfig(&host.server, &self.volumes.join(volume), &namespace);
            let file = self.volumes.with_file_name("kubeconfig");
            fs::write(&file, serde_json::to_vec_pretty(&kubeconfig)?)?;
            env.insert("KUBECONFIG".into(), file.display().to_string());
        }
        let started = self.process.start_as(|program| {
            program.path = path.to_owned();
            program.args = args;
            program.env = env;
            program.folder = self.volumes.parent().map(Path::to_owned);
        });
        started.context("the container's program does not start")
    }

    /// Keeps `ready` true to the readiness probe; never ends.
    async fn watch_readiness(&self) {
        let Some(probe) = &self.readiness else { return std::future::pending().await };
        let (mut was_ready, mut in_a_row, mut last) = (false, 0, false);
        sleep(probe.delay).await;
        loop {
            let asked = Instant::now();
            let yes = probe.ask().await.is_ok();
            in_a_row = if yes == last { in_a_row + 1 } else { 1 };
            last = yes;
            if in_a_row >= if yes { probe.successes } else { probe.failures } {
                was_ready |= yes;
                self.change(|observed| observed.ready = yes);
            }
            let period = if was_ready { probe.period } else { probe.period.min(IMPATIENCE) };
            tokio::time::sleep_until(asked + period).await;
        }
    }

    /// Ends when the liveness probe failed too often in a row, with what it said last.
    async fn until_not_alive(&self) -> String {
        let Some(probe) = &self.liveness else { return std::future::pending().await };
        let mut failures = 0;
        sleep(probe.delay).await;
        loop {
            let asked = Instant::now();
            match probe.ask().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    if failures >= probe.failures {
                        return format!("{error:#}");
                    }
                }
            }
            tokio::time::sleep_until(asked + probe.period).await;
        }
    }

    /// Wakes nobody where nothing changed.
    fn change(&self, change: impl FnOnce(&mut Observed)) {
        self.observed.send_if_modified(|observed| {
            let before = observed.clone();
            change(observed);
            *observed != before
        });
    }
}

/// How long the containers of `pod` may take to end in order.
pub(super) fn grace(pod: &Pod) -> Duration {
    let spec = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    let seconds = pod.metadata.deletion_grace_period_seconds.or(spec).unwrap_or(30);
    Duration::from_secs(seconds.try_into().unwrap_or_default())
}

fn ended(status: ExitStatus, began: Timestamp) -> Ended {
    let signal = status.signal();
    // As shells and container runtimes say it.
    let code = status.code().unwrap_or_else(|| 128 + signal.unwrap_or_default());
    Ended { code, signal, began, ended: Timestamp::now() }
}
