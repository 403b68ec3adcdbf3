//! Has anything changed? Both folders are looked at five times a second, by what the file system tells without reading
//! a file. Polling works where notifications do not: on network file systems, and through the symlinks by which a
//! ConfigMap's volume swaps all its files at once.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    sync::watch::{self, Receiver},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(200);

/// Watches both folders from now on, in a task that ends with the receiver: call it before the first
/// [`load`](super::load()), so that no change falls between.
#[must_use]
pub fn watch(config_dir: &Path, secrets_dir: &Path) -> Receiver<()> {
    let folders = [config_dir.to_owned(), secrets_dir.to_owned()];
    let mut last = signature(&folders);
    let (tell, told) = watch::channel(());
    tokio::spawn(async move {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = tell.closed() => return,
            }
            let folders = folders.clone();
            let Ok(now) = spawn_blocking(move || signature(&folders)).await else { return };
            if now != last {
                last = now;
                tell.send_replace(());
            }
        }
    });
    told
}

/// Names, sizes, times, inodes and symlinks of the files in both folders; of the Secrets' folder one level deeper.
fn signature([config, secrets]: &[PathBuf; 2]) -> u64 {
    let mut hash = DefaultHasher::new();
    add_folder(config, 0, &mut hash);
    add_folder(secrets, 1, &mut hash);
    hash.finish()
}

fn add_folder(dir: &Path, deeper: u32, hash: &mut DefaultHasher) {
    let Ok(entries) = fs::read_dir(dir) else {
        return "unreadable".hash(hash);
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        path.hash(hash);
        fs::read_link(&path).ok().hash(hash);
        let Ok(file) = fs::metadata(&path) else { continue };
        (file.len(), file.ino(), file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()).hash(hash);
        if deeper > 0 && file.is_dir() {
            add_folder(&path, deeper - 1, hash);
        }
    }
}
