//! Folders that go away when all was well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::janitor::{self, Charge};

/// A new folder under the system's folder for temporary files. It is removed with its owner, or at the end of the run;
/// it stays, for a look at it, when its owner is dropped by a panic.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// `/tmp/wigwag-KIND-RANDOM`, or what `TMPDIR` says instead of `/tmp`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(kind: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("wigwag-{kind}-")).tempdir();
        let folder = folder.with_context(|| format!("cannot make a folder in {}", std::env::temp_dir().display()))?;
        let path = folder.keep();
        janitor::add(&Charge::Folder(&path));
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking()
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "cannot remove");
        }
        janitor::remove(&Charge::Folder(&self.path));
    }
}

/// Copies a tree of files and links, by hard links where both are on one file system.
pub(crate) fn link_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            link_tree(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_and_stays_after_a_panic() {
        let folder = Folder::new("test").unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "").unwrap();
        drop(folder);
        assert!(!path.exists());

        let panicked = std::thread::spawn(|| {
            let folder = Folder::new("test").unwrap();
            std::panic::resume_unwind(Box::new(folder.path().to_owned()));
        });
        let path = *panicked.join().unwrap_err().downcast::<PathBuf>().unwrap();
        assert!(path.exists());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_tree_is_copied_with_its_folders_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(from.join("bin/postgres"), "program").unwrap();
        std::os::unix::fs::symlink("bin/postgres", from.join("link")).unwrap();
        link_tree(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("bin/postgres")).unwrap(), "program");
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("bin/postgres"));
    }
}
