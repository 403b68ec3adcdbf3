//! Every difference between a container and a local process, in one place. Manifests stay what a real cluster gets.
//!
//! - An image becomes a local program, by the last word of its repository.
//! - A `mountPath` in arguments and variables becomes the folder that its volume lies in; a folder above several of them
//!   becomes one with links to theirs.
//! - `0.0.0.0` and `[::]` become the Pod's address, so that Pods may listen on the same port.
//! - A service account's volume becomes a `KUBECONFIG`, which every client looks at before the in-cluster files, with
//!   the API server's real address.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use k8s_openapi::api::core::v1::Container;
use serde_json::{Value, json};

/// Local programs by the last word of an image's repository: `wigwag-dataplane` for
/// `ghcr.io/wigwag/wigwag-dataplane:0.1.0`.
pub type Images = BTreeMap<String, PathBuf>;

/// Where Kubernetes mounts a service account's token, with the API server's certificate.
const SERVICE_ACCOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The program of a container, and its arguments as they stand in the manifest.
///
/// # Errors
/// When there is no program for the image, or `command` names another one.
pub(super) fn program<'a>(images: &'a Images, container: &'a Container) -> Result<(&'a Path, Vec<&'a str>), String> {
    let image = container.image.as_deref().unwrap_or_default();
    let Some(program) = images.get(image_name(image)) else {
        let known: Vec<_> = images.keys().map(String::as_str).collect();
        return Err(format!("no local program stands for image {image:?}; there are: {}", known.join(", ")));
    };
    let command = container.command.as_deref().unwrap_or_default();
    let own_name = program.file_name().unwrap_or_default();
    if let Some(named) = command.first()
        && Path::new(named).file_name() != Some(own_name)
    {
        return Err(format!("command {named:?} is not the program of image {image:?}, {}", own_name.display()));
    }
    let arguments = command.iter().skip(1).chain(container.args.iter().flatten());
    Ok((program, arguments.map(String::as_str).collect()))
}

/// `REGISTRY:PORT/PATH/NAME:TAG@DIGEST` -> `NAME`.
fn image_name(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split(['@', ':']).next().unwrap_or(name)
}

/// The path that a client of the API server finds its certificate and token at, where `container` has them.
pub(super) fn service_account_volume(container: &Container) -> Option<&str> {
    let mounts = container.volume_mounts.iter().flatten();
    mounts.into_iter().find(|mount| mount.mount_path == SERVICE_ACCOUNT_PATH).map(|mount| mount.name.as_str())
}

/// The kubeconfig of a service account whose volume lies in `folder`. The token is read from its file again and again,
/// as in a cluster, so that it may be renewed.
pub(super) fn kubeconfig(server: &str, folder: &Path, namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": folder.join("ca.crt")}}],
        "users": [{"name": "u", "user": {"tokenFile": folder.join("token")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        "current-context": "c",
    })
}

/// What stands for what in the texts of one container.
#[derive(Debug)]
pub(super) struct Translation {
    /// Longest first, so that `/etc/wigwag/secrets` is found before `/etc/wigwag`.
    mounts: Vec<(String, PathBuf)>,
    /// Holds a link for each mount, at its path.
    tree: PathBuf,
    address: Ipv4Addr,
}

impl Translation {
    /// For a container of the Pod at `address`, whose volumes lie in `volumes`.
    pub(super) fn of(container: &Container, volumes: &Path, address: Ipv4Addr) -> Self {
        let mounts = container.volume_mounts.iter().flatten();
        let mut mounts: Vec<_> = mounts
            .into_iter()
            .map(|mount| (mount.mount_path.trim_end_matches('/').to_owned(), volumes.join(&mount.name)))
            .filter(|(path, _)| !path.is_empty())
            .collect();
        mounts.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        let tree = volumes.with_file_name("mounts").join(&container.name);
        Self { mounts, tree, address }
    }

    /// Makes the links at which the folders above mounts find these.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(super) fn link_mounts(&self) -> io::Result<()> {
        for (path, folder) in
            self.mounts.iter().filter(|(path, _)| !self.mounts.iter().any(|(it, _)| is_above(it, path)))
        {
            let link = self.tree.join(path.trim_start_matches('/'));
            fs::create_dir_all(link.parent().unwrap_or(&self.tree))?;
            match std::os::unix::fs::symlink(folder, link) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// An argument or a variable's value as the local process needs it. Not to be applied twice: a folder may begin with
    /// another volume's `mountPath`, such as `/tmp`.
    pub(super) fn text(&self, text: &str) -> String {
        let mut translated = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let before = text[..text.len() - rest.len()].chars().next_back();
            let path = || self.mount_at(before, rest).or_else(|| self.above_mounts_at(before, rest));
            match path().or_else(|| self.wildcard_at(before, rest)) {
                Some((length, instead)) => {
                    translated.push_str(&instead);
                    rest = &rest[length..];
                }
                None => {
                    translated.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        translated
    }

    fn mount_at(&self, before: Option<char>, rest: &str) -> Option<(usize, String)> {
        if before.is_some_and(|letter| of_a_name(letter) || letter == '/') {
            return None;
        }
        let ends = |path: &str| !rest[path.len()..].starts_with(of_a_name);
        let found = self.mounts.iter().find(|(path, _)| rest.starts_with(path.as_str()) && ends(path));
        found.map(|(path, folder)| (path.len(), folder.display().to_string()))
    }

    /// A folder above mounts, and nothing in it: what else a container has there is no business of ours.
    fn above_mounts_at(&self, before: Option<char>, rest: &str) -> Option<(usize, String)> {
        if before.is_some_and(|letter| of_a_name(letter) || letter == '/') {
            return None;
        }
        let end = rest.find(|letter| !of_a_name(letter) && letter != '/').unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches('/');
        let is_above_mounts = self.mounts.iter().any(|(mount, _)| is_above(path, mount));
        is_above_mounts.then(|| (path.len(), format!("{}{path}", self.tree.display())))
    }

    fn wildcard_at(&self, before: Option<char>, rest: &str) -> Option<(usize, String)> {
        let of_an_address = |letter: char| letter.is_ascii_digit() || letter == '.';
        let wildcard = ["0.0.0.0", "[::]"].into_iter().find(|wildcard| rest.starts_with(wildcard))?;
        // A network such as 0.0.0.0/0 is nothing to listen on.
        let goes_on = rest[wildcard.len()..].starts_with(|letter| of_an_address(letter) || letter == '/');
        let ends = !before.is_some_and(of_an_address) && !goes_on;
        ends.then(|| (wildcard.len(), self.address.to_string()))
    }
}

fn of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || "_.-".contains(letter)
}

fn is_above(path: &str, other: &str) -> bool {
    !path.is_empty() && other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn container(manifest: Value) -> Container {
        serde_json::from_value(manifest).unwrap()
    }

    fn translation(mounts: &[(&str, &str)]) -> Translation {
        let mounts: Vec<_> = mounts.iter().map(|(path, name)| json!({"mountPath": path, "name": name})).collect();
        let container = container(json!({"name": "c", "volumeMounts": mounts}));
        Translation::of(&container, Path::new("/tmp/pod/volumes"), Ipv4Addr::new(127, 20, 3, 4))
    }

    #[test]
    fn an_image_is_known_by_the_last_word_of_its_repository() {
        let images = Images::from([("wigwag-dataplane".into(), "/target/debug/wigwag-dataplane".into())]);
        for image in ["wigwag-dataplane", "ghcr.io/w/wigwag-dataplane:1.2", "r:5000/wigwag-dataplane:1@sha256:ab"] {
            let container = container(json!({"name": "c", "image": image, "args": ["serve"]}));
            let (program, arguments) = program(&images, &container).unwrap();
            assert_eq!((program, arguments), (Path::new("/target/debug/wigwag-dataplane"), vec!["serve"]), "{image}");
        }
        let unknown = container(json!({"name": "c", "image": "nginx:1"}));
        assert!(program(&images, &unknown).unwrap_err().contains("there are: wigwag-dataplane"));
    }

    #[test]
    fn a_command_may_name_the_images_own_program_and_no_other() {
        let images = Images::from([("op".into(), "/target/op".into())]);
        let own = container(json!({"name": "c", "image": "op", "command": ["/usr/bin/op", "run"], "args": ["-v"]}));
        assert_eq!(program(&images, &own).unwrap().1, ["run", "-v"]);
        let other = container(json!({"name": "c", "image": "op", "command": ["sh", "-c", "op"]}));
        assert!(program(&images, &other).unwrap_err().contains("\"sh\" is not the program"));
    }

    #[test]
    fn a_mount_path_becomes_the_volumes_folder_wherever_a_path_may_stand() {
        let translation = translation(&[("/etc/wigwag", "config"), ("/etc/wigwag/secrets", "secrets")]);
        for (text, expected) in [
            ("/etc/wigwag", "/tmp/pod/volumes/config"),
            ("--config-dir=/etc/wigwag/", "--config-dir=/tmp/pod/volumes/config/"),
            ("/etc/wigwag/secrets/meta/token", "/tmp/pod/volumes/secrets/meta/token"),
            ("file:/etc/wigwag,/etc/wigwag/a", "file:/tmp/pod/volumes/config,/tmp/pod/volumes/config/a"),
            ("/etc/wigwag-old", "/etc/wigwag-old"),
            ("/var/etc/wigwag", "/var/etc/wigwag"),
            ("https://example.com/etc/wigwag", "https://example.com/etc/wigwag"),
        ] {
            assert_eq!(translation.text(text), expected);
        }
    }

    #[test]
    fn a_folder_above_mounts_becomes_one_with_links_to_them() {
        let pod = tempfile::tempdir().unwrap();
        let mounts =
            [("/etc/wigwag/secrets/acme", "one"), ("/etc/wigwag/secrets/acme/deep", "two"), ("/run/c", "three")];
        let mounts: Vec<_> = mounts.iter().map(|(path, name)| json!({"mountPath": path, "name": name})).collect();
        let container = container(json!({"name": "c", "volumeMounts": mounts}));
        let translation = Translation::of(&container, &pod.path().join("volumes"), Ipv4Addr::LOCALHOST);
        translation.link_mounts().unwrap();
        translation.link_mounts().unwrap();
        let folder = translation.text("--secrets-dir=/etc/wigwag/secrets/");
        let folder = folder.strip_prefix("--secrets-dir=").unwrap();
        assert_eq!(fs::read_link(Path::new(folder).join("acme")).unwrap(), pod.path().join("volumes/one"));
        for untouched in ["/etc/wigwag/config", "/etc/wigwag/secrets-old", "/etcetera", "/"] {
            assert_eq!(translation.text(untouched), untouched);
        }
    }

    #[test]
    fn a_folder_that_begins_with_a_mount_path_is_not_translated_again() {
        let translation = translation(&[("/tmp", "scratch"), ("/etc/wigwag", "config")]);
        assert_eq!(translation.text("/etc/wigwag:/tmp"), "/tmp/pod/volumes/config:/tmp/pod/volumes/scratch");
    }

    #[test]
    fn wildcard_addresses_become_the_pods_and_other_addresses_stay() {
        let translation = translation(&[]);
        for (text, expected) in [
            ("0.0.0.0:8080", "127.20.3.4:8080"),
            ("--listen=[::]:8080", "--listen=127.20.3.4:8080"),
            ("http://0.0.0.0", "http://127.20.3.4"),
            ("10.0.0.0:80", "10.0.0.0:80"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("añb 0.0.0.0", "añb 127.20.3.4"),
        ] {
            assert_eq!(translation.text(text), expected);
        }
    }

    #[test]
    fn a_service_account_volume_is_known_by_its_path() {
        let mount = json!({"name": "kube-api-access-x", "mountPath": SERVICE_ACCOUNT_PATH});
        let with = container(json!({"name": "c", "volumeMounts": [mount]}));
        assert_eq!(service_account_volume(&with), Some("kube-api-access-x"));
        assert_eq!(service_account_volume(&container(json!({"name": "c"}))), None);
        let kubeconfig = kubeconfig("https://127.0.0.1:6443", Path::new("/v"), "acme");
        assert_eq!(kubeconfig["users"][0]["user"]["tokenFile"], "/v/token");
        assert_eq!(kubeconfig["clusters"][0]["cluster"]["server"], "https://127.0.0.1:6443");
    }
}
