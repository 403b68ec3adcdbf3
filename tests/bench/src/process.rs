//! What processes cost, as Linux tells it in `/proc`: CPU time and memory.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Linux tells user space 100 ticks a second, whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);

/// The parts of a `stat` line that are used, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    own: u32,
    /// Of children that have ended.
    reaped: u32,
}

/// Memory of a process that is in RAM, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// All of it.
    pub all: u64,
    /// Of that, what is not a file's (the program's text is).
    pub anonymous: u64,
}

/// CPU time of a process and all its descendants since they began, in user space and kernel; of PostgreSQL's first
/// process, that is all of PostgreSQL.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn cpu(pid: i32) -> Result<Duration> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").context("the bench reads /proc, which only Linux has")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // It may have ended by now.
        let Ok(line) = fs::read_to_string(entry.path().join("stat")) else { continue };
        all.insert(pid, stat(&line)?);
    }
    ensure!(all.contains_key(&pid), "process {pid} is gone");
    let ticks = all.iter().filter(|(member, _)| is_of_family(**member, pid, &all));
    Ok(TICK * ticks.map(|(_, stat)| stat.own + stat.reaped).sum())
}

/// CPU time of this process, without those that it started.
///
/// # Errors
/// Where there is no `/proc`.
pub fn own_cpu() -> Result<Duration> {
    own("self")
}

/// CPU time of this thread.
///
/// # Errors
/// Where there is no `/proc`.
pub fn thread_cpu() -> Result<Duration> {
    own("thread-self")
}

/// Memory of a process.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn resident(pid: i32) -> Result<Resident> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let bytes = |field: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(field)).context("a field of /proc/PID/status")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        anyhow::Ok(kilobytes * 1024)
    };
    Ok(Resident { all: bytes("VmRSS:")?, anonymous: bytes("RssAnon:")? })
}

fn own(who: &str) -> Result<Duration> {
    let line =
        fs::read_to_string(format!("/proc/{who}/stat")).context("the bench reads /proc, which only Linux has")?;
    Ok(TICK * stat(&line)?.own)
}

fn is_of_family(pid: i32, ancestor: i32, all: &HashMap<i32, Stat>) -> bool {
    pid == ancestor || all.get(&pid).is_some_and(|stat| stat.parent != pid && is_of_family(stat.parent, ancestor, all))
}

/// `PID (NAME) STATE PARENT …`, and the name may hold anything.
fn stat(line: &str) -> Result<Stat> {
    let fields: Vec<&str> =
        line.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let field = |at: usize| fields.get(at).with_context(|| format!("no stat line of a process: {line:?}"));
    let ticks = |at: usize| anyhow::Ok(field(at)?.parse::<u32>()?);
    Ok(Stat { parent: field(1)?.parse()?, own: ticks(11)? + ticks(12)?, reaped: ticks(13)? + ticks(14)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_process_is_called() {
        let line = "77 (a) b (c) S 5 77 77 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 99 1 2";
        assert_eq!(stat(line).unwrap(), Stat { parent: 5, own: 120, reaped: 7 });
        assert!(stat("77 (a").is_err());
    }

    #[test]
    fn what_a_child_used_is_told_while_it_runs_and_after_it_ended() {
        let me = i32::try_from(std::process::id()).unwrap();
        let before = cpu(me).unwrap();
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read line";
        let mut child = std::process::Command::new("sh")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut said).unwrap();
        let own = cpu(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(own >= TICK * 2, "{own:?}");
        assert!(cpu(me).unwrap() >= before + own);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(cpu(me).unwrap() >= before + own, "it is among the ended children now");
    }
}
