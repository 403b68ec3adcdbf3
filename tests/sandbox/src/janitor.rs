//! Ends what a killed test run could not end itself.
//!
//! One shell of this process reads a pipe that nobody else holds. When this process ends, in whatever way, the pipe
//! closes, and the shell kills the process groups and removes the folders that are still on its list. `process` and
//! `sandbox` put their things on the list when they begin and take them off when they ended in order, so that a normal
//! run leaves it nothing to do. Things that live in a `static` and are never dropped are ended in this way alone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::signal::Signal;

/// The list has one entry a line: `QUIT:123` is a process group and the signal it ends on, `/tmp/x` a folder.
/// A group that is frozen is thawed, so that it hears its signal; one that outlives it by a second is killed.
const SCRIPT: &str = r#"
set -f
trap '' INT TERM HUP
newline='
'
list=
while IFS=' ' read -r verb entry; do
  case $verb in
    add) list="$list$newline$entry" ;;
    remove)
      IFS=$newline; rest=
      for kept in $list; do [ "$kept" = "$entry" ] || rest="$rest$newline$kept"; done
      list=$rest ;;
  esac
done
[ -n "$list" ] || exit 0
IFS=$newline
for entry in $list; do
  case $entry in /*) ;; *) kill -s "${entry%:*}" -- "-${entry#*:}"; kill -s CONT -- "-${entry#*:}" ;; esac
done
sleep 1
for entry in $list; do
  case $entry in /*) ;; *) kill -s KILL -- "-${entry#*:}" ;; esac
done
for entry in $list; do
  case $entry in /*) rm -rf -- "$entry" ;; esac
done
"#;

static PIPE: OnceLock<Option<Mutex<ChildStdin>>> = OnceLock::new();

/// Something that must not outlive this process.
pub(crate) enum Charge<'a> {
    /// A process group, and the signal that ends it cleanly and at once.
    Group(i32, Signal),
    /// A folder.
    Folder(&'a Path),
}

/// Puts `charge` on the list.
pub(crate) fn add(charge: &Charge<'_>) {
    tell("add", charge);
}

/// Takes `charge` off the list: it has ended, or is to stay.
pub(crate) fn remove(charge: &Charge<'_>) {
    tell("remove", charge);
}

/// A janitor that cannot be told is no reason to fail: everything is still ended by its owner's `Drop`.
fn tell(verb: &str, charge: &Charge<'_>) {
    let Some(pipe) = PIPE.get_or_init(|| hire().ok().map(Mutex::new)) else { return };
    let line = match charge {
        Charge::Group(group, signal) => format!("{verb} {}:{group}\n", signal.as_str().trim_start_matches("SIG")),
        Charge::Folder(folder) => format!("{verb} {}\n", folder.display()),
    };
    let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = pipe.write_all(line.as_bytes()) {
        tracing::warn!(%error, "the janitor is gone: a killed run may leave processes behind");
    }
}

fn hire() -> std::io::Result<ChildStdin> {
    let mut shell = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "wigwag-janitor"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()?;
    shell.stdin.take().ok_or_else(|| std::io::Error::other("the shell has no stdin"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, Instant};

    use super::*;

    /// The script alone, over a pipe that this test closes.
    #[test]
    fn what_is_left_on_the_list_ends_when_the_pipe_closes_and_nothing_else_does() {
        let folder = tempfile::Builder::new().prefix("wigwag janitor").tempdir().unwrap();
        let kept = tempfile::tempdir().unwrap();
        let sleep = || Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let (mut left, mut taken_off) = (sleep(), sleep());

        let mut shell = Command::new("/bin/sh").args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = shell.stdin.take().unwrap();
        writeln!(pipe, "add TERM:{}\nadd TERM:{}", left.id(), taken_off.id()).unwrap();
        writeln!(pipe, "add {}\nadd {}", folder.path().display(), kept.path().display()).unwrap();
        writeln!(pipe, "remove TERM:{}\nremove {}", taken_off.id(), kept.path().display()).unwrap();
        drop(pipe);

        let deadline = Instant::now() + Duration::from_secs(10);
        while shell.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the janitor does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(left.try_wait().unwrap().is_some(), "the group on the list lives on");
        assert!(taken_off.try_wait().unwrap().is_none(), "a group off the list was killed");
        assert!(!folder.path().exists(), "the folder on the list is still there");
        assert!(kept.path().exists(), "a folder off the list was removed");
        taken_off.kill().unwrap();
        taken_off.wait().unwrap();
    }
}
