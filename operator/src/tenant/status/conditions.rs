//! One function a condition. Each message says what is wrong, where, and what to do next.

use std::collections::BTreeSet;

use wigwag_crds::{
    condition::{Reason, Truth, Verdict, tenant},
    configz::Configz,
    tenant::{SHORTEST_TOKEN, cloud_api_keys},
};

use super::Facts;
use crate::{
    replicas::Lag,
    tenant::{
        build::{
            config::{LIMIT, Plan},
            service::SERVICE_PORT,
        },
        desired::{Obstacle, obstacle},
    },
    words::{quoted, sentence},
};

/// Are all Secrets and keys there, of the providers, the Flows' calls and the API?
pub fn credentials_valid(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(tenant::CREDENTIALS_VALID, status, reason, message);
    let causes: Vec<_> = of_providers(facts).into_iter().chain(of_calls(facts)).chain(of_tokens(facts)).collect();
    match causes.as_slice() {
        [] => verdict(Truth::True, Reason::CredentialsFound, "All Secrets are there.".to_owned()),
        causes => verdict(Truth::False, Reason::SecretMissing, causes.join(" ")),
    }
}

/// What the providers lack, and which receive all the same.
fn of_providers(facts: Facts<'_>) -> Option<String> {
    let (broken, working) = providers(facts);
    if broken.is_empty() {
        return None;
    }
    let causes: BTreeSet<_> = broken.iter().map(|(_, cause)| cause.as_str()).collect();
    let causes: Vec<_> = causes.into_iter().collect();
    let (word, names) = (if broken.len() == 1 { "provider" } else { "providers" }, quoted(broken.iter().map(|b| b.0)));
    let others = match working.as_slice() {
        [] => String::new(),
        [one] => format!("; {one:?} works"),
        many => format!("; {} work", quoted(many.iter().copied())),
    };
    Some(format!("{} Until then webhooks of {word} {names} get 503{others}.", causes.join(" ")))
}

/// The Secrets that calls cannot send.
fn of_calls(facts: Facts<'_>) -> Option<String> {
    let names = facts.observed.spec.sendable_secrets().map(|secret| secret.name.as_str());
    let missing: Vec<_> = names.filter(|name| facts.observed.secret(name).is_none()).collect();
    let what = match missing.as_slice() {
        [] => return None,
        [one] => format!("Secret {one:?} does not exist: create it. Until then calls with it"),
        many => {
            format!("Secrets {} do not exist: create them. Until then calls with them", quoted(many.iter().copied()))
        }
    };
    Some(format!("{what} fail; receiving goes on."))
}

/// Why the API has no token.
fn of_tokens(facts: Facts<'_>) -> Option<String> {
    let name = facts.observed.spec.tokens_secret()?;
    let what = match facts.observed.secret(name) {
        Some(content) if content.has_lines(SHORTEST_TOKEN) => return None,
        Some(_) => "has no token: add one",
        None => "does not exist: create it with a token",
    };
    Some(format!(
        "Secret {name:?} {what} of at least {SHORTEST_TOKEN} characters, under any key. Until then the API refuses \
         everybody; receiving goes on."
    ))
}

/// Does the data plane reach its database?
pub fn database_ready(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(tenant::DATABASE_READY, status, reason, message);
    let secret = &facts.observed.spec.database.secret_ref;
    let (name, key) = (&secret.name, &secret.key);
    const URL: &str = "the database's URL (postgres://user:password@host:5432/name)";
    let missing = match facts.observed.secret(name) {
        None => Some(format!("Secret {name:?} does not exist: create it with {URL} under key {key:?}.")),
        Some(content) if !content.has(key) => Some(format!("Secret {name:?} has no key {key:?}: add it with {URL}.")),
        Some(_) => None,
    };
    if let Some(missing) = missing {
        return verdict(Truth::False, Reason::SecretMissing, format!("{missing} Until then no replica can start."));
    }
    let unreachable = facts.view.answers().find(|(_, configz)| !configz.database.ready);
    match (unreachable, silence(facts)) {
        (Some((pod, configz)), _) => {
            let cause = sentence(&configz.database.message);
            let next = format!("Check that the database runs and that Secret {name:?} has its URL under {key:?}.");
            verdict(Truth::False, Reason::DatabaseUnreachable, format!("Replica {pod:?}: {cause} {next}"))
        }
        (None, Some(silence)) => verdict(Truth::Unknown, Reason::NoReplicaReports, silence),
        (None, None) => {
            verdict(Truth::True, Reason::DatabaseConnected, "All replicas are connected to the database.".to_owned())
        }
    }
}

/// Does the host lead to the data plane?
pub fn route_programmed(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(tenant::ROUTE_PROGRAMMED, status, reason, message);
    let name = facts.observed.owner.child_name();
    let Some(route) = &facts.observed.spec.route else {
        let message = format!("No route is asked for: within the cluster, Service {name:?} has port {SERVICE_PORT}.");
        return verdict(Truth::True, Reason::NoRoute, message);
    };
    let host = &route.host;
    if let Some(rival) = &facts.observed.rival {
        let message = format!("Host {host:?} is that of tenant {rival:?}, which is older: choose another route.host.");
        return verdict(Truth::False, Reason::HostConflict, message);
    }
    let Some(wanted) = &route.ingress else {
        let message = format!(
            "No Ingress is asked for (route.ingress): bring {host:?} to port {SERVICE_PORT} of Service {name:?} yourself."
        );
        return verdict(Truth::True, Reason::NoRoute, message);
    };
    if let Some(obstacle) = obstacle(&facts.outcome.ingress) {
        return in_the_way(tenant::ROUTE_PROGRAMMED, &obstacle, &name);
    }
    let status = facts.outcome.ingress.object().and_then(|ingress| ingress.status.as_ref());
    let addresses = status.and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    if addresses.is_some_and(|addresses| !addresses.is_empty()) {
        return verdict(Truth::True, Reason::RouteProgrammed, format!("Host {host:?} leads to the data plane."));
    }
    let class = match &wanted.class_name {
        Some(class) => format!("of IngressClass {class:?}"),
        None => "of the cluster's default IngressClass".to_owned(),
    };
    let message =
        format!("Ingress {name:?} has no address yet: the controller {class} gives it one; check that it runs.");
    verdict(Truth::False, Reason::RoutePending, message)
}

/// Do as many replicas run as were asked for?
pub fn worker_available(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(tenant::WORKER_AVAILABLE, status, reason, message);
    if let Some(obstacle) = facts.outcome.obstacle() {
        return in_the_way(tenant::WORKER_AVAILABLE, &obstacle, &facts.observed.owner.child_name());
    }
    let (ready, wanted) = (ready_replicas(facts), facts.observed.spec.data_plane.replicas);
    if wanted == 0 {
        let message = "Nothing runs: spec.dataPlane.replicas is 0. Set it to 1 or more.".to_owned();
        return verdict(Truth::False, Reason::NoReplicas, message);
    }
    let counted = format!("{ready} of {wanted} replicas are ready");
    if ready >= wanted {
        return verdict(Truth::True, Reason::ReplicasReady, format!("{counted}."));
    }
    let message = match trouble(facts) {
        Some(trouble) => format!("{counted}. {}", sentence(&trouble)),
        None => format!("{counted}; the others are starting."),
    };
    verdict(Truth::False, Reason::ReplicasUnready, message)
}

/// Do the providers take what we send?
pub fn send_ready(facts: Facts<'_>) -> Verdict {
    let verdict = |status, reason, message| Verdict::new(tenant::SEND_READY, status, reason, message);
    let (broken, _) = providers(facts);
    if let Some((provider, _)) = broken.first() {
        let message = format!("Provider {provider:?} cannot send without its credentials; see CredentialsValid.");
        return verdict(Truth::False, Reason::SecretMissing, message);
    }
    if let Some(silence) = silence(facts) {
        return verdict(Truth::Unknown, Reason::NoReplicaReports, silence);
    }
    for provider in &facts.observed.spec.providers {
        let paused = facts
            .view
            .answers()
            .find_map(|(_, configz)| tenant_report(facts, configz)?.channels.get(&provider.name)?.paused.clone());
        if let (Some(cause), Some(api)) = (paused, &provider.cloud_api) {
            let message = format!(
                "Sending by provider {:?} waits: {} Put a valid token under key {:?} of Secret {:?}; receiving goes on.",
                provider.name,
                sentence(&cause),
                cloud_api_keys::ACCESS_TOKEN,
                api.credentials_secret_ref.name
            );
            return verdict(Truth::False, Reason::TokenRefused, message);
        }
    }
    verdict(Truth::True, Reason::ProvidersAccept, "All providers take our messages.".to_owned())
}

/// Only for the summary: does the configuration fit?
pub fn fits(facts: Facts<'_>) -> Option<Verdict> {
    let Plan::TooLarge { size, largest: (file, largest), kept } = facts.plan else { return None };
    let kib = |bytes: usize| bytes.div_ceil(1 << 10);
    let runs = match kept {
        Some(config) => format!("Configuration {} goes on running.", config.revision),
        None => "Nothing runs until then.".to_owned(),
    };
    let message = format!(
        "The tenant and its Flows take {} KiB, a ConfigMap holds {} KiB: shorten the Flows or move some to another \
         tenant; the largest file is {file} with {} KiB. {runs}",
        kib(*size),
        kib(LIMIT),
        kib(*largest)
    );
    Some(Verdict::new(tenant::READY, Truth::False, Reason::ConfigTooLarge, message))
}

/// Only for the summary: does the configuration run everywhere?
pub fn configured(facts: Facts<'_>) -> Option<Verdict> {
    let verdict = |reason, message| Some(Verdict::new(tenant::READY, Truth::False, reason, message));
    if let Some((pod, configz)) = facts.view.answers().find(|(_, configz)| !configz.problems.is_empty()) {
        let more = match configz.problems.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let cause = sentence(&configz.problems[0]);
        return verdict(
            Reason::ConfigRefused,
            format!("Replica {pod:?} does not run all that it was given: {cause}{more}"),
        );
    }
    let expected = &facts.view.expected;
    let counted = || {
        let (acknowledged, ready) = (acknowledged(facts).count(), facts.view.ready_targets());
        format!("{acknowledged} of {ready} replicas run configuration {}", expected.revision)
    };
    facts.view.expected.targets.iter().filter(|target| target.ready).find_map(|target| {
        let report = facts.view.reports.get(&target.pod);
        let pod = &target.pod;
        let Some(Ok(configz)) = report else {
            let cause = report.map_or("it was not asked yet", |report| report.as_ref().err().map_or("", |e| e));
            return verdict(Reason::ConfigPending, format!("{}; {pod:?} did not tell: {cause}.", counted()));
        };
        match expected.lag(tenant_report(facts, configz)) {
            Lag::None => None,
            Lag::Config(_) => verdict(Reason::ConfigPending, format!("{}; {pod:?} has yet to load it.", counted())),
            Lag::Secret(name) => verdict(Reason::ConfigPending, format!("{pod:?} has yet to load Secret {name:?}.")),
        }
    })
}

/// Ready replicas that run the configuration that they were given.
pub fn acknowledged(facts: Facts<'_>) -> impl Iterator<Item = &str> {
    let revision = &facts.view.expected.revision;
    let runs = move |configz| tenant_report(facts, configz).is_some_and(|report| report.revision == *revision);
    facts.view.ready().filter(move |(_, configz)| runs(configz)).map(|(pod, _)| pod)
}

/// Ready replicas, never more than were asked for: a rollout has one too many for a while.
pub fn ready_replicas(facts: Facts<'_>) -> i32 {
    let status = facts.outcome.deployment.object().and_then(|deployment| deployment.status.as_ref());
    let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
    ready.min(facts.observed.spec.data_plane.replicas)
}

/// Providers without their credentials, each with the cause as a sentence, and the names of the others.
fn providers(facts: Facts<'_>) -> (Vec<(&str, String)>, Vec<&str>) {
    let (mut broken, mut working) = (Vec::new(), Vec::new());
    for provider in &facts.observed.spec.providers {
        let Some(api) = &provider.cloud_api else { continue };
        let secret = &api.credentials_secret_ref.name;
        let cause = match facts.observed.secret(secret) {
            None => {
                let keys = quoted(cloud_api_keys::ALL);
                Some(format!("Secret {secret:?} does not exist: create it with the keys {keys}."))
            }
            Some(content) => {
                let missing: Vec<_> = cloud_api_keys::ALL.into_iter().filter(|key| !content.has(key)).collect();
                match missing.as_slice() {
                    [] => None,
                    [one] => Some(format!("Secret {secret:?} has no key {one:?}: add it.")),
                    many => Some(format!("Secret {secret:?} has no keys {}: add them.", quoted(many.iter().copied()))),
                }
            }
        };
        match cause {
            Some(cause) => broken.push((provider.name.as_str(), cause)),
            None => working.push(provider.name.as_str()),
        }
    }
    (broken, working)
}

/// Why nothing is known of the replicas, if nothing is.
fn silence(facts: Facts<'_>) -> Option<String> {
    if facts.view.answers().next().is_some() {
        return None;
    }
    let cause =
        facts.view.reports.iter().find_map(|(pod, report)| Some(format!("{pod:?}: {}", report.as_ref().err()?)));
    Some(cause.map_or_else(|| "No replica runs yet.".to_owned(), |cause| format!("No replica tells: {cause}.")))
}

/// What keeps replicas from running: a Pod's own trouble, else that of the Deployment, which may not be able to make any.
fn trouble(facts: Facts<'_>) -> Option<String> {
    let pods = &facts.observed.replicas;
    let pod = pods.iter().find_map(|pod| Some(format!("Pod {:?}: {}", pod.target.pod, pod.trouble.as_ref()?)));
    pod.or_else(|| {
        let status = facts.outcome.deployment.object()?.status.as_ref()?;
        let failure = status.conditions.iter().flatten().find(|c| c.type_ == "ReplicaFailure" && c.status == "True")?;
        failure.message.clone()
    })
}

fn in_the_way(type_: &'static str, obstacle: &Obstacle<'_>, name: &str) -> Verdict {
    match obstacle {
        Obstacle::Taken(kind) => {
            let message = format!("{kind} {name:?} exists and is not this tenant's: delete or rename it.");
            Verdict::new(type_, Truth::False, Reason::NameTaken, message)
        }
        Obstacle::Refused(kind, words) => {
            let message = format!("The API server refuses {kind} {name:?}: {}", sentence(words));
            Verdict::new(type_, Truth::False, Reason::ObjectRefused, message)
        }
    }
}

fn tenant_report<'a>(facts: Facts<'_>, configz: &'a Configz) -> Option<&'a wigwag_crds::configz::TenantReport> {
    configz.tenants.get(&facts.observed.owner.key().to_string())
}
