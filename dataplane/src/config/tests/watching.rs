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

#[tokio::test]
async fn a_volumes_swap_is_noticed_and_read_whole() {
    let bed = Bed::new();
    let volume = |version: &str, text: &str| {
        mount(&bed.config, version, &[("tenant.yaml", ACME), ("flow-welcome.yaml", &flow("welcome", "acme", text))]);
    };
    volume("..2026_11_21", "Hola");
    mount(&bed.secrets.join("acme-meta"), "..1", &[("access-token", "a"), ("app-secret", "b"), ("verify-token", "c")]);
    let mut changes = watch(&bed.config, &bed.secrets);
    let before = bed.load(None);
    assert!(acme(&before).channels[&ProviderName::new("primary")].adapter.is_some());

    volume("..2026_11_22", "Adios");
    is_told(&mut changes).await;
    fs::remove_dir_all(bed.config.join("..2026_11_21")).unwrap();
    let after = bed.load(Some(&before));
    assert_eq!(after.problems, Vec::<String>::new());
    assert_ne!(acme(&after).revision, acme(&before).revision);

    is_told(&mut changes).await;
    mount(&bed.secrets.join("acme-meta"), "..2", &[("access-token", "x"), ("app-secret", "b"), ("verify-token", "c")]);
    is_told(&mut changes).await;
    let rotated = bed.load(Some(&after));
    assert_ne!(acme(&rotated).secret_marks, acme(&after).secret_marks);
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
