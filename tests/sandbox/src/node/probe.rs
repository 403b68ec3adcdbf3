//! httpGet probes: is a container ready, is it alive.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::{HeaderMap, HeaderName, HeaderValue};
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::http_get;

/// A probe with Kubernetes's defaults filled in.
#[derive(Debug, Clone)]
pub(super) struct HttpProbe {
    address: SocketAddr,
    path: String,
    headers: HeaderMap,
    timeout: Duration,
    /// How long after its start a container is left alone.
    pub(super) delay: Duration,
    /// Time from one probe to the next.
    pub(super) period: Duration,
    /// Failures in a row that mean no.
    pub(super) failures: u32,
    /// Successes in a row that mean yes.
    pub(super) successes: u32,
}

impl HttpProbe {
    /// The probe of a container of the Pod at `address`.
    ///
    /// # Errors
    /// For a port that the container does not name, or a header that is none.
    pub(super) fn of(probe: &Probe, container: &Container, address: Ipv4Addr) -> Result<Self> {
        let get = probe.http_get.as_ref().context("a probe without httpGet")?;
        let seconds = |value: Option<i32>, default: u32| {
            Duration::from_secs(value.and_then(|value| value.try_into().ok()).unwrap_or(default).into())
        };
        let times = |value: Option<i32>, default: u32| value.and_then(|value| value.try_into().ok()).unwrap_or(default);
        let mut headers = HeaderMap::new();
        for header in get.http_headers.iter().flatten() {
            headers.insert(HeaderName::try_from(&header.name)?, HeaderValue::try_from(&header.value)?);
        }
        Ok(Self {
            address: SocketAddr::from((address, port(&get.port, container)?)),
            path: get.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".into()),
            headers,
            timeout: seconds(probe.timeout_seconds, 1),
            delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            failures: times(probe.failure_threshold, 3),
            successes: times(probe.success_threshold, 1),
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// Without an answer, and for one that is not 200 to 399.
    pub(super) async fn ask(&self) -> Result<()> {
        let status = http_get::status(self.address, &self.path, &self.headers, self.timeout).await?;
        if !(200..400).contains(&status.as_u16()) {
            bail!("HTTP probe failed with statuscode: {}", status.as_u16());
        }
        Ok(())
    }
}

/// A port by number or by its name in the container.
fn port(port: &IntOrString, container: &Container) -> Result<u16> {
    let name = match port {
        IntOrString::Int(number) => return u16::try_from(*number).context("a port above 65535"),
        IntOrString::String(name) => name,
    };
    let mut ports = container.ports.iter().flatten();
    let named = ports.find(|port| port.name.as_ref() == Some(name));
    let named = named.with_context(|| format!("container {:?} has no port named {name:?}", container.name))?;
    u16::try_from(named.container_port).context("a port above 65535")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_probe_finds_its_port_by_name_and_has_kubernetes_defaults() {
        let ports = json!([{"containerPort": 9090, "name": "admin"}]);
        let container: Container = serde_json::from_value(json!({"name": "c", "ports": ports})).unwrap();
        let of = |port: serde_json::Value| {
            let probe = serde_json::from_value(json!({"httpGet": {"port": port}})).unwrap();
            HttpProbe::of(&probe, &container, Ipv4Addr::new(127, 0, 0, 9))
        };
        let probe = of(json!("admin")).unwrap();
        assert_eq!((probe.address.to_string().as_str(), probe.path.as_str()), ("127.0.0.9:9090", "/"));
        assert_eq!((probe.period, probe.timeout), (Duration::from_secs(10), Duration::from_secs(1)));
        assert_eq!((probe.failures, probe.successes), (3, 1));
        assert_eq!(of(json!(80)).unwrap().address.port(), 80);
        assert!(of(json!("http")).unwrap_err().to_string().contains("no port named \"http\""));
    }
}
