//! The record as a Lease object (`coordination.k8s.io/v1`), over a client of its own: renewals must neither queue
//! behind the controllers' requests nor be retried for longer than they are good for.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client, Config,
    api::{ObjectMeta, PostParams},
};

use super::{LeaseStore, Record};
use crate::error::Error;

/// Name of the Lease in the operator's namespace.
const NAME: &str = "wigwag-operator";

/// The Lease in the API server.
#[derive(Clone, Debug)]
pub struct KubeLease {
    api: Api<Lease>,
}

impl KubeLease {
    /// A Lease in this namespace; `patience` bounds each request.
    ///
    /// # Errors
    /// When the configuration holds no usable credentials.
    pub fn new(mut config: Config, namespace: &str, patience: Duration) -> Result<Self, Error> {
        config.default_retry = false;
        config.connect_timeout = Some(patience);
        config.read_timeout = Some(patience);
        config.write_timeout = Some(patience);
        config.reset_reader_on_write = true;
        let client = Client::try_from(config).map_err(|error| Error::NoCluster(error.to_string()))?;
        Ok(Self { api: Api::namespaced(client, namespace) })
    }
}

impl LeaseStore for KubeLease {
    async fn read(&self) -> Result<Option<Record>, Error> {
        let lease = self.api.get_opt(NAME).await.map_err(Error::api("reading the Lease"))?;
        Ok(lease.map(record))
    }

    async fn write(&self, record: Record, over: Option<String>) -> Result<bool, Error> {
        let creates = over.is_none();
        let lease = lease(record, over, Timestamp::now());
        let written = if creates {
            self.api.create(&PostParams::default(), &lease).await
        } else {
            self.api.replace(NAME, &PostParams::default(), &lease).await
        };
        match written {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(Error::api("writing the Lease")(error)),
        }
    }
}

fn record(lease: Lease) -> Record {
    let spec = lease.spec.unwrap_or_default();
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        lease: Duration::from_secs(spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(0)),
        transitions: spec.lease_transitions.unwrap_or(0),
        version: lease.metadata.resource_version,
    }
}

fn lease(record: Record, over: Option<String>, now: Timestamp) -> Lease {
    Lease {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), resource_version: over, ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some(record.holder.unwrap_or_default()),
            lease_duration_seconds: Some(i32::try_from(record.lease.as_secs()).unwrap_or(i32::MAX)),
            lease_transitions: Some(record.transitions),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        }),
    }
}
