//! Keys of Secrets: files of the Secrets' folder, `DIR/<name>/<key>`, as a cluster mounts them; where a Secret has no
//! folder, a manifest beside the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use super::manifest::SecretManifest;

/// A Secret's keys and values, as they are.
#[derive(Clone, Default)]
pub(crate) struct Data(pub(crate) BTreeMap<String, Vec<u8>>);

/// Where Secrets come from.
pub(super) struct Secrets<'a> {
    dir: &'a Path,
    /// By namespace and name.
    manifests: &'a BTreeMap<(String, String), SecretManifest>,
    /// Names that tenants of several namespaces use: a file of theirs could be anyone's.
    ambiguous: BTreeSet<String>,
}

impl<'a> Secrets<'a> {
    /// Secrets for tenants that refer to them by these pairs of namespace and name.
    pub(super) fn new<'r>(
        dir: &'a Path,
        manifests: &'a BTreeMap<(String, String), SecretManifest>,
        references: impl Iterator<Item = (&'r str, &'r str)>,
    ) -> Self {
        let mut namespaces = BTreeMap::<&str, BTreeSet<&str>>::new();
        for (namespace, name) in references {
            namespaces.entry(name).or_default().insert(namespace);
        }
        let ambiguous = namespaces.into_iter().filter(|(_, namespaces)| namespaces.len() > 1);
        Self { dir, manifests, ambiguous: ambiguous.map(|(name, _)| name.to_owned()).collect() }
    }

    /// A Secret with at least one key.
    ///
    /// # Errors
    /// Why it cannot be read, or that nobody knows whose it is.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Result<Option<Data>, String> {
        let folder = self.dir.join(name);
        let files = read(&folder).map_err(|error| format!("{}: cannot be read: {error}", folder.display()))?;
        if files.0.is_empty() {
            return Ok(self
                .manifests
                .get(&(namespace.to_owned(), name.to_owned()))
                .map(|manifest| manifest.data.clone()));
        }
        if self.ambiguous.contains(name) {
            return Err(format!(
                "{}: tenants of several namespaces name a Secret {name:?}, and files do not tell which it is: rename \
                 one, or give each namespace a folder of its own",
                folder.display()
            ));
        }
        Ok(Some(files))
    }
}

impl Data {
    /// A key's one line of text, without the newline that editors and `echo` put at its end.
    ///
    /// # Errors
    /// What is wrong with it, in parentheses; empty where the key is missing.
    pub(super) fn line(&self, key: &str) -> Result<String, &'static str> {
        if !self.0.contains_key(key) {
            return Err("");
        }
        match self.text(key).ok_or(" (no text)")? {
            "" => Err(" (empty)"),
            line if line.contains(char::is_control) => Err(" (more than one line of text)"),
            line => Ok(line.to_owned()),
        }
    }

    /// A key's text, without the newline that editors and `echo` put at its end; `None` where there is none.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.0.get(key)?).ok()?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Some(text.strip_suffix('\r').unwrap_or(text))
    }
}

/// The files of a Secret's folder; none where there is no folder. Names that begin with `..` are the volume's own.
fn read(folder: &Path) -> io::Result<Data> {
    let mut data = Data::default();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(data),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("..") || !path.is_file() {
            continue;
        }
        data.0.insert(name, fs::read(&path)?);
    }
    Ok(data)
}
