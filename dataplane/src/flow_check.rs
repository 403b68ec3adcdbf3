//! `wigwag-dataplane flow check`: the check of Flows for people and pipelines, before anything is applied.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use wigwag_crds::flow::{Finding, Severity};
use wigwag_domain::TenantKey;
use wigwag_flow::{Program, compare_triggers, compile};

use crate::config::manifest::{Content, FlowManifest, documents};

/// Exit code: every Flow can run.
pub const GOOD: u8 = 0;
/// Exit code: a Flow cannot run.
pub const ERRORS: u8 = 1;
/// Exit code: a file cannot be read, or none holds a Flow.
pub const UNREADABLE: u8 = 2;

/// What is wrong with one Flow.
struct Checked {
    file: String,
    name: String,
    tenant: Option<TenantKey>,
    program: Option<Program>,
    findings: Vec<Finding>,
}

/// Checks the Flows of these files, errors first, and returns the exit code.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(files: &[PathBuf], out: &mut impl Write) -> io::Result<u8> {
    let mut flows = Vec::new();
    let mut unreadable = false;
    for path in files {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
        match text.and_then(|text| documents(&file, &text)) {
            Err(why) => {
                writeln!(out, "{file}: {why}")?;
                unreadable = true;
            }
            Ok(documents) => {
                for document in documents {
                    match document.content {
                        Content::Flow(manifest) => flows.push(check(manifest)),
                        Content::Unreadable => {
                            unreadable = true;
                            for misfit in document.misfits {
                                writeln!(out, "{file}: {misfit}")?;
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    add_ties(&mut flows);
    let errors = print(&flows, Severity::Error, "", out)?;
    let warnings = print(&flows, Severity::Warning, "warning: ", out)?;
    writeln!(
        out,
        "{} checked: {}, {}",
        count(flows.len(), "Flow"),
        count(errors, "error"),
        count(warnings, "warning")
    )?;
    Ok(match (unreadable || flows.is_empty(), errors) {
        (true, _) => UNREADABLE,
        (false, 0) => GOOD,
        (false, _) => ERRORS,
    })
}

fn check(manifest: FlowManifest) -> Checked {
    let (program, findings) = match &manifest.spec {
        Ok(spec) => {
            let compiled = compile(&manifest.name, &manifest.revision, spec);
            (compiled.program, compiled.findings)
        }
        Err(findings) => (None, findings.clone()),
    };
    Checked { file: manifest.file, name: manifest.name, tenant: manifest.tenant, program, findings }
}

/// Two Flows of a tenant that match a message equally well: found in both.
fn add_ties(flows: &mut [Checked]) {
    let mut tenants = BTreeMap::<TenantKey, Vec<Program>>::new();
    for flow in &*flows {
        if let (Some(tenant), Some(program)) = (&flow.tenant, &flow.program) {
            tenants.entry(tenant.clone()).or_default().push(program.clone());
        }
    }
    for (tenant, programs) in tenants {
        for (name, finding) in compare_triggers(&programs.iter().collect::<Vec<_>>()) {
            let of = |flow: &&mut Checked| flow.name == name && flow.tenant.as_ref() == Some(&tenant);
            if let Some(flow) = flows.iter_mut().find(of) {
                flow.findings.push(finding);
            }
        }
    }
}

/// Prints the findings of a severity and returns how many there are. A Flow is named where its file holds several.
fn print(flows: &[Checked], severity: Severity, label: &str, out: &mut impl Write) -> io::Result<usize> {
    let mut printed = 0;
    for flow in flows {
        let is_alone = flows.iter().filter(|other| other.file == flow.file).count() == 1;
        let name = if is_alone { String::new() } else { format!("flow {:?}, ", flow.name) };
        for finding in flow.findings.iter().filter(|finding| finding.severity == severity) {
            writeln!(out, "{}: {label}{name}{finding}", flow.file)?;
            printed += 1;
        }
    }
    Ok(printed)
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD_FLOW: &str = "
apiVersion: wigwag.dev/v1alpha1
kind: Flow
metadata: {name: welcome}
spec:
  tenantRef: {name: acme}
  triggers: [{keyword: hola}]
  start: hi
  nodes:
  - {name: hi, message: {text: Hola}}
";

    fn check(files: &[(&str, &str)]) -> (u8, String) {
        let dir = tempfile::tempdir().unwrap();
        let write = |(name, text): &(&str, &str)| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let paths: Vec<_> = files.iter().map(write).collect();
        let mut out = Vec::new();
        let code = run(&paths, &mut out).unwrap();
        let folder = format!("{}/", dir.path().display());
        (code, String::from_utf8(out).unwrap().replace(&folder, ""))
    }

    #[test]
    fn a_good_flow_is_good() {
        assert_eq!(check(&[("a.yaml", GOOD_FLOW)]), (GOOD, "1 Flow checked: 0 errors, 0 warnings\n".to_owned()));
    }

    #[test]
    fn an_error_names_file_node_and_field() {
        let dangling = GOOD_FLOW.replace("text: Hola}", "text: Hola, next: nowhere}");
        let (code, out) = check(&[("good.yaml", GOOD_FLOW), ("a.yaml", &dangling)]);
        assert_eq!(code, ERRORS);
        assert!(out.starts_with("a.yaml: node \"hi\", next: "), "{out}");
        let misspelt = GOOD_FLOW.replace("text:", "txt:");
        let (code, out) = check(&[("a.yaml", &misspelt)]);
        assert_eq!(code, ERRORS);
        assert!(out.contains("a.yaml: spec.nodes[0].message.txt: unknown field"), "{out}");
    }

    #[test]
    fn two_flows_that_match_equally_well_are_told_of_each_other() {
        let other = GOOD_FLOW.replace("name: welcome", "name: hello");
        let (code, out) = check(&[("two.yaml", &format!("{GOOD_FLOW}---{other}"))]);
        assert_eq!(code, GOOD);
        assert!(out.contains("two.yaml: warning: flow \"welcome\", "), "{out}");
        assert!(out.contains("two.yaml: warning: flow \"hello\", "), "{out}");
        let elsewhere = other.replace("tenantRef: {name: acme}", "tenantRef: {name: beta}");
        assert_eq!(
            check(&[("a.yaml", GOOD_FLOW), ("b.yaml", &elsewhere)]).1,
            "2 Flows checked: 0 errors, 0 warnings\n"
        );
    }

    #[test]
    fn what_cannot_be_read_is_no_good_flow() {
        assert_eq!(check(&[("a.yaml", "{")]).0, UNREADABLE);
        assert_eq!(check(&[("a.yaml", "apiVersion: wigwag.dev/v1alpha1\nkind: Flwo")]).0, UNREADABLE);
        assert_eq!(check(&[("a.yaml", "")]), (UNREADABLE, "0 Flows checked: 0 errors, 0 warnings\n".to_owned()));
        let mut out = Vec::new();
        assert_eq!(run(&[PathBuf::from("/nowhere/a.yaml")], &mut out).unwrap(), UNREADABLE);
        assert!(String::from_utf8(out).unwrap().starts_with("/nowhere/a.yaml: cannot be read: "));
    }
}
