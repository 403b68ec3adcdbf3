//! What may depend on what: Cargo holds the picture, and this holds Cargo.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{collections::BTreeSet, process::Command};

/// The crates that a crate really pulls in. Not `cargo metadata`: that unifies the features of the whole workspace and
/// shows crates which this one does not have.
fn tree(of: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", of, "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<_> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(crates.contains(of), "{crates:?}");
    crates
}

fn lacks(of: &str, banned: &[&str]) {
    let crates = tree(of);
    let found: Vec<_> = banned.iter().filter(|banned| crates.contains(**banned)).collect();
    assert!(found.is_empty(), "{of} must not depend on {found:?}");
}

const IO: [&str; 5] = ["tokio", "sqlx", "reqwest", "hyper", "kube-client"];
const TESTS: [&str; 4] = ["wigwag-sandbox", "wigwag-simulator", "wigwag-e2e", "wigwag-bench"];

#[test]
fn domain_and_flow_do_no_io() {
    lacks("wigwag-domain", &IO);
    lacks("wigwag-flow", &IO);
    lacks("wigwag-crds", &IO);
    lacks("wigwag-providers", &IO);
}

#[test]
fn the_data_plane_has_no_client_of_kubernetes() {
    lacks("wigwag-store", &["kube-client", "kube-runtime"]);
    lacks("wigwag-dataplane", &["kube-client", "kube-runtime"]);
}

#[test]
fn the_operator_speaks_no_sql() {
    lacks("wigwag-operator", &["sqlx", "sqlx-core"]);
}

#[test]
fn nothing_outside_tests_depends_on_a_crate_in_it() {
    for product in [
        "wigwag-crds",
        "wigwag-operator",
        "wigwag-dataplane",
        "wigwag-domain",
        "wigwag-flow",
        "wigwag-providers",
        "wigwag-store",
    ] {
        lacks(product, &TESTS);
    }
}
