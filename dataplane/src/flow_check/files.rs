//! The files that are named: files, and the manifests of folders, as `kubectl apply` takes them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file, or the manifests of the folder by name. Hidden files are editors' own; folders within are not read.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().filter(|file| is_manifest(file)).collect();
    files.sort();
    Ok(files)
}

fn is_manifest(file: &Path) -> bool {
    let is_yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    is_yaml && !is_hidden && !file.is_dir()
}
