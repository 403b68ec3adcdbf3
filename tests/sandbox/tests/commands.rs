//! What people run first: `make dev` and `make demo`. Both need Wigwag's binaries beside the sandbox's, which `make test`
//! builds before.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use wigwag_sandbox::eventually;
use wigwag_sandbox::process::{Process, Program};

const SOON: Duration = Duration::from_secs(30);
const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quickstart");

/// A folder for all temporary files of a run, which PostgreSQL's account can pass through.
fn temporary() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn run(args: &[&str], env: BTreeMap<String, String>, temporary: &Path, logs: &Path) -> Process {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut program = Program::new("wigwag-sandbox", env!("CARGO_BIN_EXE_wigwag-sandbox"), args);
    program.env = env;
    program.env.insert("TMPDIR".to_owned(), temporary.display().to_string());
    program.stop_signal = Signal::SIGINT;
    Process::spawn(program, logs).unwrap()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The quickstart with the simulator at `graph`: another checkout may be tested on this machine, too.
fn quickstart_with(graph: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["flow.yaml", "secret.yaml", "tenant.yaml"] {
        let text = fs::read_to_string(Path::new(QUICKSTART).join(file)).unwrap();
        fs::write(folder.path().join(file), text.replace("127.0.0.1:8190", graph)).unwrap();
    }
    folder
}

fn said(process: &Process) -> String {
    fs::read_to_string(process.log()).unwrap()
}

/// What it left behind. Its janitor, if it had work, is a moment behind it.
async fn assert_nothing_is_left(temporary: &Path) {
    eventually!(SOON, fs::read_dir(temporary).unwrap().flatten().map(|it| it.path()).collect::<Vec<_>>(), |left| left
        .is_empty());
}

#[tokio::test]
async fn dev_answers_a_customer_runs_a_changed_flow_and_leaves_nothing_behind() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (temporary, logs) = (temporary(), tempfile::tempdir().unwrap());
    let graph = free_address();
    let folder = quickstart_with(&graph);
    let env = BTreeMap::from([
        ("WIGWAG_LISTEN".to_owned(), free_address()),
        ("WIGWAG_ADMIN_LISTEN".to_owned(), free_address()),
    ]);
    let dev = run(&["dev", folder.path().to_str().unwrap()], env, temporary.path(), logs.path());
    let is_up = async || if said(&dev).contains("You are Ana") { Ok(()) } else { anyhow::bail!("{}", said(&dev)) };
    dev.ready(SOON, is_up).await.unwrap();

    let client = reqwest::Client::new();
    let url = format!("http://{graph}/sim/customers/34600111222/messages");
    let post = async |message: Value| -> Value {
        client.post(&url).json(&message).send().await.unwrap().json().await.unwrap()
    };
    let answer = post(json!({"name": "Ana", "text": "hola", "wait_ms": 20_000})).await;
    assert_eq!(answer["replies"], json!(["Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]"]), "{}", said(&dev));
    post(json!({"tap": "Salir", "wait_ms": 20_000})).await;
    eventually!(SOON, said(&dev), |said| said.matches("sent, delivered, read").count() == 2);

    let flow = folder.path().join("flow.yaml");
    let edited = fs::read_to_string(&flow).unwrap().replace("¿Qué quieres hacer?", "¿Qué te llevas hoy?");
    fs::write(&flow, edited).unwrap();
    eventually!(SOON, said(&dev), |said| said.contains("runs; open conversations stay on theirs."));
    let answer = post(json!({"text": "hola", "wait_ms": 20_000})).await;
    assert_eq!(answer["replies"], json!(["Hola Ana. ¿Qué te llevas hoy? [1 Comprar] [2 Salir]"]));

    dev.stop(SOON).await.unwrap();
    assert_eq!(dev.exit_status().unwrap().code(), Some(0), "{}", said(&dev));
    assert_nothing_is_left(temporary.path()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_demo_plays_to_its_end_and_leaves_nothing_behind() {
    let (temporary, logs) = (temporary(), tempfile::tempdir().unwrap());
    let folder = quickstart_with(&free_address());
    let demo =
        run(&["demo", "--once", folder.path().to_str().unwrap()], BTreeMap::new(), temporary.path(), logs.path());
    let ended = tokio::time::timeout(Duration::from_secs(85), demo.exited()).await;
    assert!(ended.is_ok_and(|status| status.success()), "{}", said(&demo));
    assert_eq!(said(&demo).matches("sent, delivered, read").count(), 6, "{}", said(&demo));
    assert_nothing_is_left(temporary.path()).await;
}
