//! What replicas counted at nodes: the metric `wigwag_flow_node_total`, as they serve it.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use url::Url;
use wigwag_domain::TenantKey;

use crate::tls;

/// The metric.
const METRIC: &str = "wigwag_flow_node_total{";
/// For an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Counts by tenant, Flow, node and event.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<[String; 4], u64>);

impl Counts {
    /// Adds what a replica counted.
    ///
    /// # Errors
    /// When it does not answer with metrics.
    pub async fn add(&mut self, url: &Url) -> Result<(), String> {
        let text =
            fetch(url).await.map_err(|why| format!("--counts {url}: {why}: is it the admin port's /metrics?"))?;
        self.read(&text);
        Ok(())
    }

    fn read(&mut self, text: &str) {
        for line in text.lines() {
            let Some((labels, count)) = line.strip_prefix(METRIC).and_then(labels) else { continue };
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            *self.0.entry(["tenant", "flow", "node", "event"].map(label)).or_default() += count;
        }
    }

    /// What happened at a node, in words; nothing where nothing was counted.
    pub fn of(&self, tenant: Option<&TenantKey>, flow: &str, node: &str) -> Option<String> {
        let count = |event: &str| -> u64 {
            let is_meant = |key: &[String; 4]| {
                tenant.is_none_or(|tenant| tenant.as_str() == key[0])
                    && (key[1].as_str(), key[2].as_str(), key[3].as_str()) == (flow, node, event)
            };
            self.0.iter().filter(|(key, _)| is_meant(key)).map(|(_, count)| count).sum()
        };
        let events =
            [("entered", "entered"), ("answered", "answered"), ("no_match", "no match"), ("timed_out", "timed out")];
        let counted: Vec<_> = events
            .iter()
            .map(|(event, words)| (count(event), words))
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        (!counted.is_empty()).then(|| counted.join(", "))
    }
}

/// The labels of a sample, from behind its `{`, and its value.
fn labels(text: &str) -> Option<(HashMap<&str, String>, u64)> {
    let mut labels = HashMap::new();
    let mut rest = text;
    loop {
        let (name, behind) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()? {
                    (_, 'n') => value.push('\n'),
                    (_, letter) => value.push(letter),
                },
                (_, letter) => value.push(letter),
            }
        };
        labels.insert(name, value);
        rest = &behind[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let count = rest.strip_prefix('}')?.split_whitespace().next()?.parse().ok()?;
    Some((labels, count))
}

async fn fetch(url: &Url) -> Result<String, String> {
    let tls = tls::client().map_err(|error| error.to_string())?;
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(url.as_str()).body(Full::default()).map_err(|error| error.to_string())?;
    let answer = async {
        let response = client.request(request).await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
        String::from_utf8(body.to_bytes().to_vec()).map_err(|_| "it answered with no text".to_owned())
    };
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| format!("no answer in {} s", PATIENCE.as_secs()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_several_replicas_are_added_up_and_other_tenants_left_out() {
        let sample = |tenant: &str, node: &str, event: &str, count: u32| {
            format!(
                "wigwag_flow_node_total{{tenant=\"{tenant}\",flow=\"sizes\",node=\"{node}\",event=\"{event}\"}} {count}\n"
            )
        };
        let mut counts = Counts::default();
        let text = format!(
            "# TYPE wigwag_flow_node counter\n{}{}{}wigwag_jobs_total{{tenant=\"a\"}} 3\n# EOF\n",
            sample("default/acme", "as\\\"k, \\\\ x}", "entered", 3),
            sample("default/acme", "as\\\"k, \\\\ x}", "no_match", 1),
            sample("default/beta", "as\\\"k, \\\\ x}", "entered", 50),
        );
        counts.read(&text);
        counts.read(&text);
        let acme = TenantKey::new(None, "acme");
        assert_eq!(counts.of(Some(&acme), "sizes", "as\"k, \\ x}").as_deref(), Some("6 entered, 2 no match"));
        assert_eq!(counts.of(None, "sizes", "as\"k, \\ x}").as_deref(), Some("106 entered, 2 no match"));
        assert_eq!(counts.of(Some(&acme), "sizes", "thanks"), None);
    }
}
