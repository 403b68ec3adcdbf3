//! Changes are noticed, however they come about.

use std::time::Duration;

use tokio::{sync::watch::Receiver, time::timeout};

use super::*;

async fn is_told(changes: &mut Receiver<()>) {
    timeout(Duration::from_secs(10), changes.changed()).await.expect("told within ten seconds").unwrap();
}

#[tokio::test]
async fn edits_of_manifests_and_of_secrets_are_noticed() {
    let bed = Bed::acme();
    let mut changes = watch(&bed.config, &bed.secrets);
    bed.write("flow-welcome.yaml", &flow("welcome", "acme", "Adios"));
    is_told(&mut changes).await;
    bed.secret("acme-meta", "app-secret", b"another");
    is_told(&mut changes).await;
    bed.secret("new-secret", "key", b"value");
    is_told(&mut changes).await;
    bed.remove("flow-welcome.yaml");
    is_told(&mut changes).await;
}

/// Loads whenever it is told, as the data plane does, until this holds: a volume's swap has several steps.
async fn loads_until(
    bed: &Bed,
    changes: &mut Receiver<()>,
    before: &Config,
    holds: impl Fn(&Config) -> bool,
) -> Config {
    loop {
        is_told(changes).await;
        let config = bed.load(Some(before));
        assert_eq!(config.problems, Vec::<String>::new());
        assert!(acme(&config).channels[&ProviderName::new("primary")].adapter.is_some());
        if holds(&config) {
            return config;
        }
    }
}

#[tokio::test]
async fn a_volumes_swap_is_noticed_and_at_no_time_is_anything_missing() {
    let bed = Bed::new();
    let volume = |version: &str, text: &str| {
        mount(&bed.config, version, &[("tenant.yaml", ACME), ("flow-welcome.yaml", &flow("welcome", "acme", text))]);
    };
    let secret = |version: &str, token: &str| {
        let files = [("access-token", token), ("app-secret", "b"), ("verify-token", "c")];
        mount(&bed.secrets.join("acme-meta"), version, &files);
    };
    volume("..2026_11_21", "Hola");
    secret("..1", "a");
    let mut changes = watch(&bed.config, &bed.secrets);
    let before = bed.load(None);

    volume("..2026_11_22", "Adios");
    let edited = loads_until(&bed, &mut changes, &before, |c| acme(c).revision != acme(&before).revision).await;
    fs::remove_dir_all(bed.config.join("..2026_11_21")).unwrap();
    secret("..2", "x");
    loads_until(&bed, &mut changes, &edited, |c| acme(c).secret_marks != acme(&edited).secret_marks).await;
}

#[tokio::test]
async fn the_watch_ends_with_its_receiver() {
    let bed = Bed::acme();
    let changes = watch(&bed.config, &bed.secrets);
    let running = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(running(), 1);
    drop(changes);
    let ended = async {
        while running() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), ended).await.expect("ended within ten seconds");
}
