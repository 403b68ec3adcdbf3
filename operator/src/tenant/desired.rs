//! All that a tenant should be made of, and the one place where it is brought about.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Service, ServiceAccount},
    networking::v1::Ingress,
};
use kube::{Client, ResourceExt};
use wigwag_crds::labels::DATABASE;

use super::{
    build::{
        config::{Config, Plan},
        deployment::deployment,
        ingress::ingress,
        service::service,
        service_account::service_account,
    },
    observe::{Credentials, Observed},
};
use crate::{
    apply::{Applied, Child, apply, remove},
    error::Error,
    replicas::Expected,
};

/// The objects, before they are compared with what stands.
#[derive(Debug)]
pub struct Desired {
    /// The files, or why they cannot be given.
    pub plan: Plan,
    /// What the replicas should come to run.
    pub expected: Expected,
    service_account: ServiceAccount,
    config_map: Option<ConfigMap>,
    service: Service,
    ingress: Option<Ingress>,
    deployment: Deployment,
}

/// What became of each object.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Outcome {
    pub service_account: Applied<ServiceAccount>,
    pub config_map: Applied<ConfigMap>,
    pub service: Applied<Service>,
    pub ingress: Applied<Ingress>,
    pub deployment: Applied<Deployment>,
}

// === impl Desired ===

impl Desired {
    /// What the tenant should be made of. Pure.
    ///
    /// # Errors
    /// When a manifest cannot be written as YAML.
    pub fn build(observed: &Observed, image: &str) -> Result<Self, Error> {
        let Observed { tenant, owner, spec, flows, live, .. } = observed;
        let last = live.config_map.as_ref().filter(|standing| owner.owns(*standing)).and_then(Config::read);
        let plan = Config::plan(tenant, flows, last)?;
        // The older tenant keeps a host that two ask for.
        let route = spec.route.as_ref().filter(|_| observed.rival.is_none());
        Ok(Self {
            expected: expected(observed, plan.given()),
            service_account: service_account(owner),
            config_map: match &plan {
                Plan::Give(config) => Some(config.config_map(owner)),
                Plan::TooLarge { .. } => None,
            },
            service: service(owner),
            ingress: ingress(owner, route),
            deployment: deployment(owner, spec, image, database_mark(observed).as_deref()),
            plan,
        })
    }

    /// Brings it about, in an order in which each object finds what it names. An object that is refused or another's
    /// does not keep the rest from being made.
    ///
    /// # Errors
    /// When the API server does not answer; what was done until then stays done.
    pub async fn apply(&self, client: &Client, observed: &Observed) -> Result<Outcome, Error> {
        let Observed { owner, live, .. } = observed;
        Ok(Outcome {
            service_account: apply(client, owner, live.service_account.as_ref(), &self.service_account).await?,
            config_map: match &self.config_map {
                Some(wanted) => apply(client, owner, live.config_map.as_ref(), wanted).await?,
                None => kept(observed),
            },
            service: apply(client, owner, live.service.as_ref(), &self.service).await?,
            ingress: match &self.ingress {
                Some(wanted) => apply(client, owner, live.ingress.as_ref(), wanted).await?,
                None => remove(client, owner, live.ingress.as_ref()).await?,
            },
            deployment: apply(client, owner, live.deployment.as_ref(), &self.deployment).await?,
        })
    }
}

/// A configuration that does not fit leaves the ConfigMap as it is.
fn kept(observed: &Observed) -> Applied<ConfigMap> {
    match observed.live.config_map.clone().filter(|standing| observed.owner.owns(standing)) {
        Some(config_map) => Applied::Stands(config_map),
        None => Applied::Absent,
    }
}

fn expected(observed: &Observed, config: Option<&Config>) -> Expected {
    let salt = &observed.owner.uid;
    let empty_mark = Credentials::default().mark(salt);
    let secrets = observed.spec.loaded_secrets().into_iter().map(|name| {
        let content = observed.secret(name);
        (name.to_owned(), content.map_or_else(|| empty_mark.clone(), |content| content.mark(salt)))
    });
    let names = observed.flows.iter().map(|(flow, _)| flow.name_any());
    let given = |name: &str| config.and_then(|config| config.flows.get(name).cloned());
    Expected {
        revision: config.map(|config| config.revision.clone()).unwrap_or_default(),
        flows: names.map(|name| (name.clone(), given(&name))).collect(),
        secrets: secrets.collect(),
        empty_mark,
        targets: observed.replicas.iter().map(|replica| replica.target.clone()).collect(),
    }
}

/// Mark of the database's URL. Where the Secret is missing the old mark stays: taking it away would be a rollout into
/// Pods that cannot start, while those that run are fine.
fn database_mark(observed: &Observed) -> Option<String> {
    let secret = &observed.spec.database.secret_ref;
    let content = observed.secret(&secret.name);
    let mark = content.and_then(|content| content.mark_of(&observed.owner.uid, &secret.key));
    mark.or_else(|| {
        let template = &observed.live.deployment.as_ref()?.spec.as_ref()?.template;
        template.metadata.as_ref()?.annotations.as_ref()?.get(DATABASE).cloned()
    })
}

// === impl Outcome ===

impl Outcome {
    /// The first object without which the data plane cannot run, and which is not as it should be.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle<'_>> {
        obstacle(&self.service_account)
            .or_else(|| obstacle(&self.config_map))
            .or_else(|| obstacle(&self.service))
            .or_else(|| obstacle(&self.deployment))
    }

    /// Whether any object is not as it should be.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.obstacle().is_some() || obstacle(&self.ingress).is_some()
    }
}

/// Why an object is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// An object of this kind, with the name that we need, is another's.
    Taken(String),
    /// The API server refuses an object of this kind, in these words.
    Refused(String, &'a str),
}

/// What is in the way of this object.
pub fn obstacle<K: Child>(applied: &Applied<K>) -> Option<Obstacle<'_>> {
    match applied {
        Applied::Taken => Some(Obstacle::Taken(K::kind(&()).into_owned())),
        Applied::Refused(words) => Some(Obstacle::Refused(K::kind(&()).into_owned(), words)),
        Applied::Stands(_) | Applied::Absent => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use wigwag_crds::revision::secret_mark;

    use super::*;
    use crate::{
        flow::check::check,
        raw::Raw,
        tenant::{build::Owner, observe::Live},
    };

    fn observed() -> Observed {
        let spec = json!({
            "providers": [{"name": "p", "cloudApi": {"phoneNumberId": "1", "credentialsSecretRef": {"name": "meta"}}}],
            "route": {"host": "acme.example.com", "ingress": {}},
            "database": {"secretRef": {"name": "database", "key": "url"}},
        });
        let tenant = Raw::of("acme", spec);
        let flow = |name: &str, next: &str| {
            let nodes = json!([{"name": "a", "message": {"text": "Hola", "next": next}}, {"name": "b", "end": {}}]);
            let triggers = json!([{"keyword": name}]);
            Raw::of(name, json!({"tenantRef": {"name": "acme"}, "triggers": triggers, "start": "a", "nodes": nodes}))
        };
        let flows = [flow("good", "b"), flow("broken", "nowhere")].map(|flow| (check(&flow), flow));
        Observed {
            owner: Owner::of(&tenant),
            spec: tenant.read_spec().unwrap(),
            tenant,
            flows: flows.into_iter().map(|(checked, flow)| (flow, checked)).collect(),
            secrets: BTreeMap::from([
                ("meta".to_owned(), None),
                ("database".to_owned(), Some(Credentials::of(&[("url", "postgres://a"), ("other", "x")]))),
            ]),
            live: Live::default(),
            replicas: Vec::new(),
            rival: None,
        }
    }

    fn build(observed: &Observed) -> Desired {
        Desired::build(observed, "image").unwrap()
    }

    fn mark_in(deployment: &Deployment) -> Value {
        let deployment = serde_json::to_value(deployment).unwrap();
        deployment["spec"]["template"]["metadata"]["annotations"][DATABASE].clone()
    }

    #[test]
    fn replicas_are_expected_to_run_the_flows_that_compile_and_to_have_the_secrets_that_are_there() {
        let mut observed = observed();
        let expected = build(&observed).expected;
        assert!(expected.flows["good"].is_some());
        assert_eq!(expected.flows["broken"], None);
        assert_eq!(expected.secrets["meta"], secret_mark("uid-of-acme", []));
        observed.secrets.insert("meta".into(), Some(Credentials::of(&[("app-secret", "s")])));
        let expected = build(&observed).expected;
        assert_eq!(expected.secrets["meta"], secret_mark("uid-of-acme", [("app-secret", b"s".as_slice())]));
        assert!(!expected.secrets.contains_key("database"), "the data plane does not load it");
    }

    #[test]
    fn only_another_url_of_the_database_is_a_rollout_and_a_lost_secret_is_none() {
        let mut observed = observed();
        let first = build(&observed).deployment;
        assert!(mark_in(&first).is_string());
        let more = Credentials::of(&[("url", "postgres://a"), ("other", "y")]);
        observed.secrets.insert("database".into(), Some(more));
        assert_eq!(mark_in(&build(&observed).deployment), mark_in(&first));
        observed.live.deployment = Some(first.clone());
        observed.secrets.insert("database".into(), None);
        assert_eq!(mark_in(&build(&observed).deployment), mark_in(&first));
        observed.secrets.insert("database".into(), Some(Credentials::of(&[("url", "postgres://b")])));
        assert_ne!(mark_in(&build(&observed).deployment), mark_in(&first));
    }

    #[test]
    fn a_host_that_is_another_tenants_gets_no_ingress() {
        let mut observed = observed();
        assert!(build(&observed).ingress.is_some());
        observed.rival = Some("shop/older".into());
        assert!(build(&observed).ingress.is_none());
    }

    #[test]
    fn a_config_map_of_somebody_else_is_no_last_good_configuration() {
        let mut observed = observed();
        let mut theirs = build(&observed).config_map.unwrap();
        let text = theirs.data.as_ref().unwrap()["flow-good.yaml"].replace("name: good", "name: broken");
        theirs.data.as_mut().unwrap().insert("flow-broken.yaml".into(), text);
        observed.live.config_map = Some(theirs.clone());
        assert!(build(&observed).expected.flows["broken"].is_some(), "ours: the broken Flow keeps its last good text");
        theirs.metadata.owner_references = None;
        observed.live.config_map = Some(theirs);
        assert_eq!(build(&observed).expected.flows["broken"], None);
    }
}
