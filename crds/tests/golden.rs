//! What stands in the repository is what the types say: the YAML beside the crate, the chart's copies of it, and the
//! tables of fields in the reference of Flows.

#![allow(clippy::panic, missing_docs)]

use std::{fs, path::Path};

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}: run `make crds`", path.display()))
}

#[test]
fn the_committed_definitions_are_those_that_the_types_generate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, definition) in wigwag_crds::definitions() {
        let generated = wigwag_crds::manifest::to_yaml(&definition).expect("a definition is YAML");
        assert!(read(&folder.join(name)) == generated, "crds/{name} is not what the types generate: run `make crds`");
    }
}

#[test]
fn the_chart_installs_the_committed_definitions_and_no_others() {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chart = crds.join("../charts/wigwag/files/crds");
    let mut copies: Vec<_> = fs::read_dir(&chart)
        .expect("the chart's folder of definitions")
        .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
        .collect();
    copies.sort();
    let mut names: Vec<_> = wigwag_crds::definitions().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(copies, names);
    for name in names {
        assert!(
            read(&chart.join(name)) == read(&crds.join(name)),
            "charts/wigwag/files/crds/{name} is not crds/{name}: run `make crds`"
        );
    }
}

#[test]
fn the_reference_lists_every_field_of_a_flow_as_the_types_have_it() {
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/flows.md"));
    let filled = wigwag_crds::reference::fill(&page).unwrap_or_else(|error| panic!("docs/flows.md: {error}"));
    assert!(page == filled, "docs/flows.md is not what the types say: run `make crds`");
    let mut left_out = wigwag_crds::reference::left_out(&page);
    left_out.retain(|path| path.starts_with("Flow."));
    assert!(left_out.is_empty(), "docs/flows.md has no table of {left_out:?}: add one");
}
