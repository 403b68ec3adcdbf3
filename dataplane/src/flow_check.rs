//! `wigwag-dataplane flow check`: the check of Flows for people and pipelines, before anything is applied.
//!
//! Each Flow is compiled as the data plane would; then all Flows of one tenant are held against each other and, where
//! its manifest is among the files, against their tenant.

mod advice;
mod lines;
mod report;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use wigwag_crds::{
    FlowSpec, WhatsAppTenantSpec,
    flow::{Finding, Severity},
};
use wigwag_domain::TenantKey;
use wigwag_flow::{Program, compile};

use crate::{
    args::Output,
    config::{
        links,
        manifest::{Content, Document, FlowManifest, TenantManifest, documents},
        typed::Misfit,
    },
    named_files::{Named, named},
};
use advice::{advised, placed};
use lines::Part;
use report::{Found, Kind, Report, Unreadable};

/// Exit code: every Flow can run.
pub const GOOD: u8 = 0;
/// Exit code: a Flow or its tenant has an error.
pub const ERRORS: u8 = 1;
/// Exit code: a file cannot be read, or none holds a Flow.
pub const UNREADABLE: u8 = 2;

/// Everything of the files that is checked.
#[derive(Default)]
struct Input {
    flows: Vec<Flow>,
    tenants: Vec<Tenant>,
    unreadable: Vec<Unreadable>,
}

/// Where a manifest stands.
struct Place {
    file: String,
    document: Option<Part>,
}

struct Flow {
    place: Place,
    name: String,
    tenant: Option<TenantKey>,
    spec: Option<FlowSpec>,
    program: Option<Program>,
    findings: Vec<Finding>,
}

struct Tenant {
    place: Place,
    key: TenantKey,
    /// `None` where its manifest is broken.
    spec: Option<WhatsAppTenantSpec>,
    findings: Vec<Finding>,
}

/// Checks the Flows of these files, and of the manifests of these folders, and returns the exit code.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(paths: &[PathBuf], output: Output, out: &mut impl Write) -> io::Result<u8> {
    let mut input = Input::default();
    paths.iter().for_each(|path| input.read(path));
    if input.flows.is_empty() && input.unreadable.is_empty() {
        input.unreadable.push(no_flow(paths));
    }
    input.compare();
    let report = input.report();
    match output {
        Output::Text => report.print_text(out)?,
        Output::Json => report.print_json(out)?,
    }
    Ok(match (report.unreadable.is_empty() && report.flows > 0, report.errors) {
        (false, _) => UNREADABLE,
        (true, 0) => GOOD,
        (true, _) => ERRORS,
    })
}

// === impl Input ===

impl Input {
    fn read(&mut self, path: &Path) {
        match named(path) {
            Ok(Named { files, .. }) => files.iter().for_each(|file| self.read_file(file, path.is_dir())),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.unreadable.push(Unreadable { file: path.display().to_string(), line: None, message });
            }
        }
    }

    fn read_file(&mut self, path: &Path, is_of_folder: bool) {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
        let read = text.and_then(|text| Ok((documents(&file, &text)?, lines::documents(&text))));
        match read {
            Err(message) => self.unreadable.push(Unreadable { file, line: None, message }),
            // A list in a folder is a script of `flow simulate`.
            Ok((_, parts)) if is_of_folder && parts.first().is_some_and(Part::is_list) => {}
            Ok((documents, parts)) => {
                let parts = parts.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
                for (document, part) in documents.into_iter().zip(parts) {
                    self.add(document, Place { file: file.clone(), document: part });
                }
            }
        }
    }

    fn add(&mut self, document: Document, place: Place) {
        let Document { content, misfits } = document;
        match content {
            Content::Flow(manifest) => self.flows.push(Flow::read(*manifest, place)),
            Content::Tenant(manifest) => self.tenants.push(Tenant::read(*manifest, &misfits, place)),
            Content::BrokenTenant(key) => {
                let findings = misfits.iter().map(|misfit| finding(Severity::Error, misfit)).collect();
                self.tenants.push(Tenant { place, key, spec: None, findings });
            }
            Content::Unreadable => {
                let messages = match &place.document {
                    Some(part) if part.is_editors() => {
                        vec!["this is what the editor saves: put it under spec.definition of a Flow".to_owned()]
                    }
                    _ => {
                        misfits.iter().map(|misfit| format!("{}: {}", misfit.field, advised(&misfit.message))).collect()
                    }
                };
                let line = place.document.as_ref().map(Part::line);
                let unreadable = |message| Unreadable { file: place.file.clone(), line, message };
                self.unreadable.extend(messages.into_iter().map(unreadable));
            }
            Content::Secret(_) | Content::Foreign => {}
        }
    }

    /// Adds what is found between the manifests of each tenant.
    fn compare(&mut self) {
        let mut names = BTreeMap::<&TenantKey, BTreeSet<&str>>::new();
        let mut programs = BTreeMap::<&TenantKey, Vec<&Program>>::new();
        for (flow, tenant) in self.flows.iter().filter_map(|flow| Some((flow, flow.tenant.as_ref()?))) {
            names.entry(tenant).or_default().insert(&flow.name);
            programs.entry(tenant).or_default().extend(&flow.program);
        }
        let mut found = Vec::new();
        for (tenant, programs) in programs {
            let between = links::between(&programs).into_iter();
            found.extend(between.map(|(name, finding)| (tenant.clone(), name, finding)));
            let spec = self.tenants.iter().find(|other| other.key == *tenant).and_then(|tenant| tenant.spec.as_ref());
            for flow in self.flows.iter().filter(|flow| flow.tenant.as_ref() == Some(tenant)) {
                let Some(of_flow) = flow.spec.as_ref().map(|flow| links::of_flow(flow, &names[tenant], spec)) else {
                    continue;
                };
                found.extend(of_flow.into_iter().map(|finding| (tenant.clone(), flow.name.clone(), finding)));
            }
        }
        let none = BTreeSet::new();
        let of_tenants = self.tenants.iter().map(|tenant| {
            let names = names.get(&tenant.key).unwrap_or(&none);
            tenant.spec.as_ref().map(|spec| links::of_tenant(spec, names)).unwrap_or_default()
        });
        let of_tenants: Vec<_> = of_tenants.collect();
        for (tenant, findings) in self.tenants.iter_mut().zip(of_tenants) {
            tenant.findings.extend(findings);
        }
        for (tenant, name, finding) in found {
            let of = |flow: &&mut Flow| flow.name == name && flow.tenant.as_ref() == Some(&tenant);
            if let Some(flow) = self.flows.iter_mut().find(of) {
                flow.findings.push(finding);
            }
        }
    }

    fn report(self) -> Report {
        let mut report = Report { flows: self.flows.len(), unreadable: self.unreadable, ..Report::default() };
        let mut files = BTreeMap::<String, usize>::new();
        for place in self.flows.iter().map(|flow| &flow.place).chain(self.tenants.iter().map(|tenant| &tenant.place)) {
            *files.entry(place.file.clone()).or_default() += 1;
        }
        let found = |place: &Place, kind, name: &str, finding: Finding| Found {
            file: place.file.clone(),
            line: place.document.as_ref().map(|part| part.line_of(finding.node.as_deref(), &finding.field)),
            kind,
            name: name.to_owned(),
            is_alone: files[&place.file] == 1,
            finding,
        };
        let mut all = Vec::new();
        for Tenant { place, key, findings, .. } in self.tenants {
            all.extend(findings.into_iter().map(|finding| found(&place, Kind::WhatsAppTenant, key.name(), finding)));
        }
        for Flow { place, name, findings, .. } in self.flows {
            all.extend(findings.into_iter().map(|finding| found(&place, Kind::Flow, &name, finding)));
        }
        report.add(all);
        report
    }
}

// === impl Flow ===

impl Flow {
    fn read(manifest: FlowManifest, place: Place) -> Self {
        let FlowManifest { name, tenant, revision, spec, text, .. } = manifest;
        let (spec, program, findings) = match spec {
            Ok(spec) => {
                let compiled = compile(&name, &revision, &spec);
                (Some(spec), compiled.program, compiled.findings)
            }
            Err(findings) => {
                let written = serde_json::from_str(&text).unwrap_or_default();
                (None, None, findings.into_iter().map(|finding| placed(finding, &written)).collect())
            }
        };
        Self { place, name, tenant, spec, program, findings }
    }
}

// === impl Tenant ===

impl Tenant {
    fn read(manifest: TenantManifest, misfits: &[Misfit], place: Place) -> Self {
        let (_, findings) = wigwag_flow::Tenant::compile(&manifest.spec);
        // What the tenant does not know stops nothing of it.
        let unknown = misfits.iter().map(|misfit| finding(Severity::Warning, misfit));
        let findings = unknown.chain(findings).collect();
        Self { place, key: manifest.key, spec: Some(manifest.spec), findings }
    }
}

fn finding(severity: Severity, misfit: &Misfit) -> Finding {
    Finding { severity, node: None, field: misfit.field.clone(), message: advised(&misfit.message) }
}

/// What is said where all can be read, and nothing of it is a Flow.
fn no_flow(paths: &[PathBuf]) -> Unreadable {
    let file = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let folders = match paths.iter().any(|path| path.is_dir()) {
        true => ", and folders within a folder are not read",
        false => "",
    };
    Unreadable { file, line: None, message: format!("there is no Flow in these files{folders}: name one with a Flow") }
}
