//! A child process with a log file: started, waited for, frozen, killed, started again.
//!
//! Every part of the sandbox that is not a task is one of these. It runs in a process group of its own (so that Ctrl-C
//! in a terminal reaches us first), its output goes to a file, and it ends with its [`Process`], or with the run.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::janitor::{self, Charge};
use crate::{eventually, logs};

/// How long a process may take to end once it was killed.
const END_OF_KILLED: Duration = Duration::from_secs(5);

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Program {
    /// Names the process in messages, and its log file.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its variables, beside ours or instead of them.
    pub env: BTreeMap<String, String>,
    /// Whether it gets our variables too.
    pub inherits_env: bool,
    /// The folder that it starts in; ours by default.
    pub folder: Option<PathBuf>,
    /// User and group id to run as; only root may set it.
    pub user: Option<(u32, u32)>,
    /// What makes it end in order.
    pub stop_signal: Signal,
    /// What ends it at once and still lets it take its traces along. KILL leaves it no time.
    pub end_signal: Signal,
}

impl Program {
    /// A program that inherits our variables, stops on TERM and is ended by KILL.
    #[must_use]
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>, args: Vec<String>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            args,
            env: BTreeMap::new(),
            inherits_env: true,
            folder: None,
            user: None,
            stop_signal: Signal::SIGTERM,
            end_signal: Signal::SIGKILL,
        }
    }

    fn command(&self, log: &File) -> Result<Command> {
        let mut command = Command::new(&self.path);
        command.args(&self.args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        command.process_group(0);
        if !self.inherits_env {
            command.env_clear();
        }
        command.envs(&self.env);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        Ok(command)
    }
}

/// A program that runs, ran, or can run again. All methods take `&self`: tests share it with its owner.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    program: Program,
    life: Option<Life>,
    /// Descendants that are frozen: they hear nothing, not even that their parent is gone.
    frozen: Vec<Pid>,
    closed: bool,
}

/// One run of the program.
#[derive(Debug, Clone)]
struct Life {
    pid: Pid,
    /// A thread waits for the process, not a task, so that it may outlive the runtime that it was started from.
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    /// A process that does not run yet; its output will be added to `log_folder/NAME.log`.
    #[must_use]
    pub fn new(program: Program, log_folder: &Path) -> Self {
        Self {
            name: program.name.clone(),
            log: log_folder.join(format!("{}.log", program.name)),
            state: Mutex::new(State { program, life: None, frozen: Vec::new(), closed: false }),
        }
    }

    /// A new process, running.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn spawn(program: Program, log_folder: &Path) -> Result<Self> {
        let process = Self::new(program, log_folder);
        process.start()?;
        Ok(process)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The id of the running process.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.running().map(|life| life.pid.as_raw())
    }

    /// How its last run ended; `None` while it runs or before its first run.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.state().life.as_ref().and_then(|life| *life.exit.borrow())
    }

    /// Starts the program, again or for the first time.
    ///
    /// # Errors
    /// When it runs already, was ended for good, or cannot be executed.
    pub fn start(&self) -> Result<()> {
        self.start_as(|_| {})
    }

    /// Starts the program after `change`: another port, other arguments.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_as(&self, change: impl FnOnce(&mut Program)) -> Result<()> {
        let mut state = self.state();
        if state.closed {
            bail!("{} was ended for good", self.name);
        }
        if let Some(life) = &state.life
            && life.exit.borrow().is_none()
        {
            bail!("{} runs already, as process {}", self.name, life.pid);
        }
        change(&mut state.program);
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write the log {}", self.log.display()))?;
        let program = &state.program;
        let child = program.command(&log)?.spawn();
        let child = child.with_context(|| format!("cannot run {} ({})", program.path.display(), self.name))?;
        state.life = Some(Life::of(child, program.end_signal)?);
        Ok(())
    }

    /// Waits until `probe` succeeds, and gives what it gave.
    ///
    /// # Errors
    /// When the process ends before, or `within` is over; the end of its log is in the message.
    pub async fn ready<T>(&self, within: Duration, probe: impl AsyncFn() -> Result<T>) -> Result<T> {
        let what = format!("{} ready", self.name);
        let ready = eventually::until(within, &what, probe);
        let made = tokio::select! {
            ready = ready => ready,
            status = self.exited() => Err(anyhow::anyhow!("{} ended before it was ready: {status}", self.name)),
        };
        made.map_err(|error| {
            anyhow::anyhow!("{error:#}\nend of {}:\n{}", self.log.display(), logs::tail(&self.log, 20))
        })
    }

    /// Waits until the present run is over. A process that never ran has ended, too.
    pub async fn exited(&self) -> ExitStatus {
        let Some(mut life) = self.state().life.clone() else { return ExitStatus::default() };
        let status = life.exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.unwrap_or_else(|| ExitStatus::from_raw(Signal::SIGKILL as i32))
    }

    /// Sends `signal` to the process itself; one that does not run is left alone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let Some(life) = self.running() else { return Ok(()) };
        kill(life.pid, signal).or_else(gone_is_fine).with_context(|| format!("cannot send {signal} to {}", self.name))
    }

    /// Ends it in order: its stop signal, `grace`, then KILL.
    ///
    /// # Errors
    /// When it is still there after KILL.
    pub async fn stop(&self, grace: Duration) -> Result<()> {
        let stop_signal = self.state().program.stop_signal;
        self.signal(stop_signal)?;
        if tokio::time::timeout(grace, self.exited()).await.is_ok() {
            return Ok(());
        }
        self.kill().await
    }

    /// KILL, to it and to all that it started, and waits for its end.
    ///
    /// # Errors
    /// When it is still there 5 s later.
    pub async fn kill(&self) -> Result<()> {
        self.signal_all(Signal::SIGKILL);
        let gone = tokio::time::timeout(END_OF_KILLED, self.exited()).await;
        gone.map(drop).with_context(|| format!("{} does not end, though it was killed", self.name))
    }

    /// STOP, to it and to all that it started: it lives, holds its sockets and files, and does nothing.
    pub fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// CONT, to it and to all that it started.
    pub fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    /// Ends it for good, at once, and waits for its end. Dropping does the same.
    pub fn close(&self) {
        let end_signal = {
            let mut state = self.state();
            state.closed = true;
            state.program.end_signal
        };
        if end_signal != Signal::SIGKILL && self.signal(end_signal).is_ok() {
            self.thaw();
            if self.wait_blocking(END_OF_KILLED / 2) {
                return;
            }
        }
        self.signal_all(Signal::SIGKILL);
        if !self.wait_blocking(END_OF_KILLED) {
            tracing::error!(process = self.name, "does not end, though it was killed");
        }
    }

    fn wait_blocking(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.running().is_some() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Its group and its descendants, which may have left the group (PostgreSQL's do). It is stopped first, so that it
    /// starts no more of them meanwhile.
    fn signal_all(&self, signal: Signal) {
        let Some(life) = self.running() else { return };
        if signal != Signal::SIGCONT {
            let _ = kill(life.pid, Signal::SIGSTOP);
        }
        let descendants = descendants(life.pid);
        for descendant in &descendants {
            let _ = kill(*descendant, signal);
        }
        let _ = killpg(life.pid, signal);

        let now_frozen = if signal == Signal::SIGSTOP { descendants } else { Vec::new() };
        let of = |pid: &Pid| Charge::Group(pid.as_raw(), Signal::SIGKILL);
        now_frozen.iter().for_each(|pid| janitor::add(&of(pid)));
        let were_frozen = std::mem::replace(&mut self.state().frozen, now_frozen);
        were_frozen.iter().for_each(|pid| janitor::remove(&of(pid)));
    }

    fn running(&self) -> Option<Life> {
        self.state().life.clone().filter(|life| life.exit.borrow().is_none())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
    }
}

impl Life {
    fn of(mut child: Child, end_signal: Signal) -> Result<Self> {
        let id = i32::try_from(child.id())?;
        let (tell, exit) = watch::channel(None);
        janitor::add(&Charge::Group(id, end_signal));
        std::thread::Builder::new().name(format!("wait for {id}")).spawn(move || {
            let status = child.wait();
            // What it left behind in its group goes with it, as in a container.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
            janitor::remove(&Charge::Group(id, end_signal));
            tell.send_replace(Some(status.unwrap_or_default()));
        })?;
        Ok(Self { pid: Pid::from_raw(id), exit })
    }
}

fn gone_is_fine(error: Errno) -> nix::Result<()> {
    if error == Errno::ESRCH { Ok(()) } else { Err(error) }
}

/// The children of `ancestor`, their children, and so on, as `/proc` tells. None where there is no `/proc` (macOS).
fn descendants(ancestor: Pid) -> Vec<Pid> {
    let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(Pid, Pid)> = folder
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // "PID (NAME) STATE PARENT ...", and the name may hold anything.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((Pid::from_raw(pid), Pid::from_raw(parent)))
        })
        .collect();
    let mut found = Vec::new();
    let mut unvisited = vec![ancestor];
    while let Some(visited) = unvisited.pop() {
        let children = parents.iter().filter(|(_, parent)| *parent == visited).map(|(pid, _)| *pid);
        unvisited.extend(children.clone());
        found.extend(children);
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::eventually;

    const SOON: Duration = Duration::from_secs(10);

    fn shell(script: &str, folder: &Path) -> Process {
        let program = Program::new("shell", "/bin/sh", vec!["-c".into(), script.into()]);
        Process::spawn(program, folder).unwrap()
    }

    fn lives(pid: i32) -> bool {
        // A zombie whose parent is init for a moment is dead, too.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[tokio::test]
    async fn output_goes_to_the_log_and_a_second_run_adds_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("echo out; echo err >&2; exit 3", folder.path());
        assert_eq!(process.exited().await.code(), Some(3));
        process.start().unwrap();
        process.exited().await;
        assert_eq!(std::fs::read_to_string(process.log()).unwrap(), "out\nerr\nout\nerr\n");
    }

    #[tokio::test]
    async fn a_process_that_ends_before_it_is_ready_says_so_at_once_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("echo no such flag; exit 1", folder.path());
        let ready = process.ready(Duration::from_secs(60), async || -> Result<()> { bail!("not yet") });
        let error = format!("{:#}", ready.await.unwrap_err());
        assert!(error.contains("ended before it was ready") && error.contains("no such flag"), "{error}");
    }

    #[tokio::test]
    async fn stop_sends_term_and_kills_what_does_not_heed_it() {
        let folder = tempfile::tempdir().unwrap();
        let heeds = shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done", folder.path());
        eventually!(SOON, std::fs::read_to_string(heeds.log()).is_ok_and(|log| log.contains("up")));
        heeds.stop(SOON).await.unwrap();
        assert_eq!(heeds.exit_status().unwrap().code(), Some(7));

        let deaf = shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done", folder.path());
        eventually!(SOON, std::fs::read_to_string(deaf.log()).is_ok_and(|log| log.contains("deaf")));
        deaf.stop(Duration::from_millis(100)).await.unwrap();
        assert_eq!(deaf.exit_status().unwrap().signal(), Some(9));
    }

    #[tokio::test]
    async fn kill_and_freeze_reach_a_grandchild_that_left_the_group() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("setsid sh -c 'echo $$; while :; do sleep 0.05; done' & wait", folder.path());
        let read = || std::fs::read_to_string(process.log()).ok()?.trim().parse::<i32>().ok();
        let grandchild = eventually!(SOON, read());
        let state = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        process.freeze();
        eventually!(SOON, state(grandchild).contains(") T "));
        process.thaw();
        eventually!(SOON, !state(grandchild).contains(") T "));
        process.kill().await.unwrap();
        eventually!(SOON, !lives(grandchild));
    }

    #[tokio::test]
    async fn dropping_ends_a_frozen_process_and_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("sleep 60 & echo $!; wait", folder.path());
        let read = || std::fs::read_to_string(process.log()).ok()?.trim().parse::<i32>().ok();
        let child = eventually!(SOON, read());
        let pid = process.pid().unwrap();
        process.freeze();
        drop(process);
        assert!(!lives(pid));
        eventually!(SOON, !lives(child));
    }

    #[tokio::test]
    async fn a_process_outlives_the_runtime_that_it_was_started_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let process = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { shell("sleep 60", &path) })
        });
        let process = process.join().unwrap();
        assert!(lives(process.pid().unwrap()));
        process.kill().await.unwrap();
        assert_eq!(process.exited().await.signal(), Some(9));
    }
}
