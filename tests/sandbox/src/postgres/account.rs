//! The account that PostgreSQL runs as: ours, or `nobody` where we are root, which PostgreSQL refuses.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use nix::unistd::{Uid, User};

/// An account without rights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Account {
    /// `nobody` where we are root, else none: our own will do.
    pub(super) fn unprivileged() -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let nobody = User::from_name("nobody")?.context(
            "PostgreSQL refuses to run as root, and this machine has no account \"nobody\" for it: add one, run as \
             somebody else, or set DATABASE_URL",
        )?;
        Ok(Some(Self { user: nobody.uid.as_raw(), group: nobody.gid.as_raw() }))
    }

    /// Runs `command` as this account.
    pub(super) fn run(self, command: &mut Command) -> io::Result<Output> {
        command.uid(self.user).gid(self.group).env("HOME", "/").output()
    }
}
