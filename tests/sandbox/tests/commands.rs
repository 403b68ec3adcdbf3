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
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

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

/// An example with the simulator at `graph`: another checkout may be tested on this machine, too.
fn example_with(name: &str, graph: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("test")).unwrap();
    for file in ["flow.yaml", "secret.yaml", "tenant.yaml", "test/dev.yaml"] {
        if let Ok(text) = fs::read_to_string(Path::new(EXAMPLES).join(name).join(file)) {
            fs::write(folder.path().join(file), text.replace("127.0.0.1:8190", graph)).unwrap();
        }
    }
    folder
}

/// Starts `dev` with a folder, and waits until a customer can write.
async fn dev(folder: &TempDir, temporary: &Path, logs: &Path) -> Process {
    let env = BTreeMap::from([
        ("WIGWAG_LISTEN".to_owned(), free_address()),
        ("WIGWAG_ADMIN_LISTEN".to_owned(), free_address()),
    ]);
    let dev = run(&["dev", folder.path().to_str().unwrap()], env, temporary, logs);
    let is_up = async || if said(&dev).contains("You are Ana") { Ok(()) } else { anyhow::bail!("{}", said(&dev)) };
    dev.ready(SOON, is_up).await.unwrap();
    dev
}

/// Writes as Ana and returns what comes back.
async fn write(graph: &str, mut message: Value) -> Value {
    message["wait_ms"] = json!(20_000);
    let url = format!("http://{graph}/sim/customers/34600111222/messages");
    let answer = reqwest::Client::new().post(&url).json(&message).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["replies"].clone()
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
    let folder = example_with("quickstart", &graph);
    let dev = dev(&folder, temporary.path(), logs.path()).await;

    let replies = write(&graph, json!({"name": "Ana", "text": "hola"})).await;
    assert_eq!(replies, json!(["Hola Ana. ¿Qué quieres hacer? [1 Comprar] [2 Salir]"]), "{}", said(&dev));
    write(&graph, json!({"tap": "Salir"})).await;
    eventually!(SOON, said(&dev), |said| said.matches("sent, delivered, read").count() == 2);

    let flow = folder.path().join("flow.yaml");
    let edited = fs::read_to_string(&flow).unwrap().replace("¿Qué quieres hacer?", "¿Qué te llevas hoy?");
    fs::write(&flow, edited).unwrap();
    eventually!(SOON, said(&dev), |said| said.contains("runs; open conversations stay on theirs."));
    let replies = write(&graph, json!({"text": "hola"})).await;
    assert_eq!(replies, json!(["Hola Ana. ¿Qué te llevas hoy? [1 Comprar] [2 Salir]"]));

    dev.stop(SOON).await.unwrap();
    assert_eq!(dev.exit_status().unwrap().code(), Some(0), "{}", said(&dev));
    assert_nothing_is_left(temporary.path()).await;
}

/// Starts an example, says some things, of which each gets an answer, and returns what comes back to the last.
async fn last_answer(name: &str, messages: &[&str]) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (temporary, logs) = (temporary(), tempfile::tempdir().unwrap());
    let graph = free_address();
    let folder = example_with(name, &graph);
    let dev = dev(&folder, temporary.path(), logs.path()).await;
    assert!(said(&dev).contains("\n  Write "), "it says what to write: {}", said(&dev));
    let mut replies = Value::Null;
    for message in messages {
        replies = write(&graph, json!({"name": "Ana", "text": message})).await;
        assert_ne!(replies, json!([]), "{message}: {}", said(&dev));
    }
    dev.stop(SOON).await.unwrap();
    replies.to_string()
}

#[tokio::test]
async fn the_example_of_orders_looks_one_up_with_its_secret() {
    let answer = last_answer("order-status", &["¿dónde está mi pedido?", "el 1042"]).await;
    assert!(answer.contains("Tu pedido 1042 va de camino con Correos"), "{answer}");
}

#[tokio::test]
async fn the_example_of_appointments_books_one() {
    let messages =
        ["turno", "Ana Pérez", "ana@ejemplo.com", "mañana", "a las 10", "reservar", "mañana", "11:30", "reservar"];
    let answer = last_answer("appointment", &messages).await;
    assert!(answer.contains("¡Listo! Turno T-27"), "{answer}");
}

#[tokio::test]
async fn the_example_of_the_editor_answers() {
    let answer = last_answer("editor", &["hola"]).await;
    assert!(answer.contains("¡Hola! Esta es la librería El Faro."), "{answer}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_demo_plays_to_its_end_and_leaves_nothing_behind() {
    let (temporary, logs) = (temporary(), tempfile::tempdir().unwrap());
    let folder = example_with("quickstart", &free_address());
    let demo =
        run(&["demo", "--once", folder.path().to_str().unwrap()], BTreeMap::new(), temporary.path(), logs.path());
    let ended = tokio::time::timeout(Duration::from_secs(85), demo.exited()).await;
    assert!(ended.is_ok_and(|status| status.success()), "{}", said(&demo));
    assert_eq!(said(&demo).matches("sent, delivered, read").count(), 6, "{}", said(&demo));
    assert_nothing_is_left(temporary.path()).await;
}
