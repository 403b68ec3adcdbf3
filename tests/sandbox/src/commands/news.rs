//! What a data plane tells when its files change: which revision runs now, and why it is not the newest.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;
use wigwag_crds::configz::{Configz, FlowReport, TenantReport};
use wigwag_crds::flow::Severity;

/// Time between two looks; shorter than it takes to go from the editor to the prompt.
const EVERY: Duration = Duration::from_millis(250);

/// A look at `/configz`, again and again.
#[derive(Debug)]
pub(super) struct News {
    client: reqwest::Client,
    url: String,
    seen: Configz,
}

impl News {
    /// Begins with what the data plane at `admin` runs now.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn begin(admin: SocketAddr) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(EVERY * 4).build()?;
        let url = format!("http://{admin}/configz");
        let seen = look(&client, &url).await.with_context(|| url.clone())?;
        Ok(Self { client, url, seen })
    }

    /// What it ran when it was looked at last.
    pub(super) fn seen(&self) -> &Configz {
        &self.seen
    }

    /// Waits for a change, and tells it in lines.
    pub(super) async fn next(&mut self) -> Vec<String> {
        loop {
            sleep(EVERY).await;
            // One that is busy or ends is none of the news here.
            let Ok(now) = look(&self.client, &self.url).await else { continue };
            let lines = difference(&self.seen, &now);
            self.seen = now;
            if !lines.is_empty() {
                return lines;
            }
        }
    }
}

/// What a data plane tells of itself when it has started: the Flows that run, with what to look at, and its problems.
pub(super) fn at_start(now: &Configz) -> Vec<String> {
    let none = FlowReport::default();
    let flows = now.tenants.values().flat_map(|tenant| &tenant.flows);
    let flows = flows.flat_map(|(name, flow)| {
        let runs = (!flow.revision.is_empty()).then(|| format!("flow {name}: revision {} runs", flow.revision));
        runs.into_iter().chain(warnings(name, &none, flow))
    });
    flows.chain(now.problems.iter().cloned()).collect()
}

async fn look(client: &reqwest::Client, url: &str) -> Result<Configz> {
    Ok(client.get(url).send().await?.error_for_status()?.json().await?)
}

fn difference(before: &Configz, now: &Configz) -> Vec<String> {
    let mut lines: Vec<_> = now.problems.iter().filter(|line| !before.problems.contains(line)).cloned().collect();
    if !lines.is_empty() {
        lines.push("What ran before goes on.".to_owned());
    }
    let nothing = TenantReport::default();
    for (tenant, report) in &now.tenants {
        let old = before.tenants.get(tenant).unwrap_or(&nothing);
        let flows = flows(old, report);
        if old.revision != report.revision && flows.is_empty() {
            lines.push(format!("tenant {tenant}: revision {} runs.", report.revision));
        }
        lines.extend(flows);
        for (provider, channel) in &report.channels {
            let old = old.channels.get(provider).cloned().unwrap_or_default();
            if let Some(reason) = channel.paused.as_ref().filter(|_| channel.paused != old.paused) {
                lines.push(format!("tenant {tenant}: sending through {provider} is paused: {reason}"));
            }
        }
    }
    let gone = before.tenants.keys().filter(|tenant| !now.tenants.contains_key(*tenant));
    lines.extend(gone.map(|tenant| format!("tenant {tenant} is gone.")));
    if lines.is_empty() && now.problems.is_empty() && !before.problems.is_empty() {
        lines.push("All is well again; what runs is what the files say.".to_owned());
    }
    if before.database.ready && !now.database.ready {
        lines.push(format!("database: {}", now.database.message));
    }
    lines
}

fn flows(before: &TenantReport, now: &TenantReport) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, flow) in &now.flows {
        let old = before.flows.get(name).cloned().unwrap_or_default();
        if flow.revision != old.revision && !flow.revision.is_empty() {
            lines.push(format!("flow {name}: revision {} runs; open conversations stay on theirs.", flow.revision));
        }
        lines.extend(warnings(name, &old, flow));
    }
    let gone = before.flows.keys().filter(|name| !now.flows.contains_key(*name));
    lines.extend(gone.map(|name| format!("flow {name} is gone; open conversations go on.")));
    lines
}

/// What the check found beside errors, and had not found before.
fn warnings(name: &str, before: &FlowReport, now: &FlowReport) -> Vec<String> {
    // Errors are problems, which are told already, and the cause of most warnings beside them.
    let is_broken = now.findings.iter().any(|finding| finding.severity == Severity::Error);
    let new = now.findings.iter().filter(|finding| !is_broken && !before.findings.contains(finding));
    new.map(|finding| format!("flow {name}: warning: {finding}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn configz(revision: &str, problems: &[&str]) -> Configz {
        serde_json::from_value(json!({
            "replica": "dev",
            "database": {"ready": true, "message": ""},
            "tenants": {"default/acme": {
                "revision": format!("of {revision}"),
                "flows": {"welcome": {"revision": revision, "findings": []}},
                "secrets": {},
                "channels": {"primary": {"credentials": true}},
            }},
            "problems": problems,
        }))
        .unwrap()
    }

    #[test]
    fn a_new_revision_of_a_flow_is_told_once() {
        let (before, now) = (configz("1", &[]), configz("2", &[]));
        assert_eq!(difference(&before, &now), ["flow welcome: revision 2 runs; open conversations stay on theirs."]);
        assert!(difference(&now, &now).is_empty());
    }

    #[test]
    fn warnings_are_told_at_the_start_and_only_new_ones_behind_it() {
        let mut first = configz("1", &["tenant.yaml: no YAML"]);
        let finding = |field: &str| json!({"severity": "Warning", "node": "ask", "field": field, "message": "why"});
        let warn = |configz: &mut Configz, fields: &[&str]| {
            let tenant = configz.tenants.values_mut().next().unwrap();
            let flow = tenant.flows.get_mut("welcome").unwrap();
            flow.findings = fields.iter().map(|field| serde_json::from_value(finding(field)).unwrap()).collect();
        };
        warn(&mut first, &["text"]);
        let warning = "flow welcome: warning: node \"ask\", text: why";
        assert_eq!(at_start(&first), ["flow welcome: revision 1 runs", warning, "tenant.yaml: no YAML"]);
        let mut then = first.clone();
        warn(&mut then, &["text", "next"]);
        assert_eq!(difference(&first, &then), ["flow welcome: warning: node \"ask\", next: why"]);
    }

    #[test]
    fn a_problem_is_told_when_it_comes_and_when_it_went() {
        let (well, ill) = (configz("1", &[]), configz("1", &["flow.yaml: no YAML"]));
        assert_eq!(difference(&well, &ill), ["flow.yaml: no YAML", "What ran before goes on."]);
        assert_eq!(difference(&ill, &well), ["All is well again; what runs is what the files say."]);
    }
}
