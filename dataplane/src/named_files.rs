//! What commands about Flows are given: files, or folders of manifests, as `kubectl apply` takes them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a path names, by name. Hidden files and folders are editors' own.
#[derive(Debug, Default)]
pub struct Named {
    /// The file itself, or the manifests of the folder.
    pub files: Vec<PathBuf>,
    /// Folders in the folder. They are not read: scripts lie there, and what else is no manifest.
    pub folders: Vec<PathBuf>,
}

/// The file, or what the folder holds.
///
/// # Errors
/// When the folder cannot be read.
pub fn named(path: &Path) -> io::Result<Named> {
    if !path.is_dir() {
        return Ok(Named { files: vec![path.to_owned()], folders: vec![] });
    }
    let mut named = Named::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if entry.is_dir() {
            named.folders.push(entry);
        } else if entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            named.files.push(entry);
        }
    }
    named.files.sort();
    named.folders.sort();
    Ok(named)
}
