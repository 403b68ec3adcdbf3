//! Looking for programs on the machine.

use std::env;
use std::path::PathBuf;

/// The first `name` in PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}
