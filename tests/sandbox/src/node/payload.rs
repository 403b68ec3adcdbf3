//! A volume's files, swapped all at once as the kubelet does it.
//!
//! Files lie in a folder of their own; `..data` links to it, and each file's name links through `..data`. An update
//! writes a new folder and then moves the link, so that a reader sees all of the old files or all of the new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path};

use jiff::Timestamp;

/// Files by their path inside the volume.
pub(super) type Payload = BTreeMap<String, PayloadFile>;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadFile {
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
}

const DATA: &str = "..data";

/// Makes `folder` hold `payload` and nothing else; whether that changed anything.
///
/// # Errors
/// When a path leaves the volume, or a file cannot be written.
pub(super) fn write(folder: &Path, payload: &Payload) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    let old = fs::read_link(folder.join(DATA)).ok();
    if old.is_some() && read(folder, payload.keys())?.as_ref() == Some(payload) && names(folder)? == tops(payload) {
        return Ok(false);
    }
    let new = format!("..{}", Timestamp::now().strftime("%Y_%m_%d_%H_%M_%S.%9f"));
    for (path, file) in payload {
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(io::Error::other(format!("path {path:?} leaves the volume")));
        }
        let target = folder.join(&new).join(path);
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        fs::write(&target, &file.bytes)?;
        fs::set_permissions(&target, fs::Permissions::from_mode(file.mode))?;
    }
    fs::create_dir_all(folder.join(&new))?;
    symlink(&new, folder.join("..data_tmp"))?;
    fs::rename(folder.join("..data_tmp"), folder.join(DATA))?;

    let (had, wanted) = (names(folder)?, tops(payload));
    for name in wanted.difference(&had) {
        symlink(Path::new(DATA).join(name), folder.join(name))?;
    }
    for name in had.difference(&wanted) {
        fs::remove_file(folder.join(name))?;
    }
    if let Some(old) = old {
        fs::remove_dir_all(folder.join(old))?;
    }
    Ok(true)
}

/// The files of a volume, or `None` if one of `paths` is missing.
fn read<'a>(folder: &Path, paths: impl Iterator<Item = &'a String>) -> io::Result<Option<Payload>> {
    let mut payload = Payload::new();
    for path in paths {
        let file = folder.join(DATA).join(path);
        match fs::read(&file) {
            Ok(bytes) => {
                let mode = file.metadata()?.permissions().mode() & 0o777;
                payload.insert(path.clone(), PayloadFile { bytes, mode });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(payload))
}

/// The names that a reader of the volume sees.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("..") {
            names.insert(name);
        }
    }
    Ok(names)
}

/// The first part of every path.
fn tops(payload: &Payload) -> BTreeSet<String> {
    payload.keys().filter_map(|path| path.split('/').next()).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn payload(files: &[(&str, &str)]) -> Payload {
        let file = |text: &str| PayloadFile { bytes: text.into(), mode: 0o644 };
        files.iter().map(|(path, text)| ((*path).into(), file(text))).collect()
    }

    #[test]
    fn files_appear_change_and_go_with_one_move_of_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("config");
        assert!(write(&volume, &payload(&[("tenant.yaml", "a"), ("flows/hello.yaml", "b")])).unwrap());
        assert_eq!(fs::read_to_string(volume.join("tenant.yaml")).unwrap(), "a");
        assert_eq!(fs::read_to_string(volume.join("flows/hello.yaml")).unwrap(), "b");
        let before = fs::read_link(volume.join(DATA)).unwrap();

        assert!(write(&volume, &payload(&[("tenant.yaml", "c")])).unwrap());
        assert_eq!(fs::read_link(volume.join("tenant.yaml")).unwrap(), Path::new("..data/tenant.yaml"));
        assert_eq!(fs::read_to_string(volume.join("tenant.yaml")).unwrap(), "c");
        assert!(!volume.join("flows").exists());
        assert!(!volume.join(before).exists(), "the old files are still there");
    }

    #[test]
    fn the_same_files_move_no_link_so_that_no_watcher_wakes() {
        let folder = tempfile::tempdir().unwrap();
        let files = payload(&[("a", "1"), ("b/c", "2")]);
        assert!(write(folder.path(), &files).unwrap());
        let before = fs::read_link(folder.path().join(DATA)).unwrap();
        assert!(!write(folder.path(), &files).unwrap());
        assert_eq!(fs::read_link(folder.path().join(DATA)).unwrap(), before);
    }

    #[test]
    fn an_empty_payload_is_an_empty_volume() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &payload(&[("a", "1")])).unwrap();
        assert!(write(folder.path(), &payload(&[])).unwrap());
        assert!(names(folder.path()).unwrap().is_empty());
        assert!(!write(folder.path(), &payload(&[])).unwrap());
    }

    #[test]
    fn no_path_leaves_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(&folder.path().join("v"), &payload(&[("../out", "1")])).is_err());
        assert!(!folder.path().join("out").exists());
    }
}
