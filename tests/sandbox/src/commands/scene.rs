//! What stands around an example: the answers of somebody else's endpoint, which the simulator gives in their place, and
//! what is worth writing. It lies in a folder of its own, `test/dev.yaml`, for it is no manifest.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use wigwag_simulator::EndpointRule;

/// What a folder of manifests has beside them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    /// What is worth writing, a line each.
    #[serde(default)]
    pub(super) write: Vec<String>,
    /// What calls to the simulator's `/http/…` get.
    #[serde(default)]
    pub(super) endpoint: Vec<EndpointRule>,
}

impl Scene {
    /// The scene of a folder; an empty one where it has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let path = folder.join("test/dev.yaml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        serde_saphyr::from_str(&text).with_context(|| format!("{} is no scene", path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_example_has_a_scene_that_reads_or_none() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let folders = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let scenes: Vec<Scene> = folders.map(|folder| Scene::of(&folder).unwrap()).collect();
        assert!(scenes.iter().any(|scene| !scene.endpoint.is_empty() && !scene.write.is_empty()), "{scenes:?}");
    }

    #[test]
    fn a_scene_that_does_not_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("test")).unwrap();
        fs::write(folder.path().join("test/dev.yaml"), "endpont: []").unwrap();
        let error = format!("{:#}", Scene::of(folder.path()).unwrap_err());
        assert!(error.contains("test/dev.yaml is no scene") && error.contains("endpont"), "{error}");
    }
}
