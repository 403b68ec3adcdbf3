//! The smallest thing that a Pod can be: the sandbox's own tests run it on their node, to see what a process really
//! gets there. It is no part of Wigwag.
//!
//! `wigwag-sandbox-echo --listen ADDRESS:PORT --dir FOLDER` answers `/args` and `/env` with what it was given,
//! `/file/NAME` with a file of the folder, `POST /echo` with the request's body under the Host that it was sent to, and
//! `/livez` with 200 until `POST /die-slowly`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, StatusCode, header};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    listen: String,
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let listener = tokio::net::TcpListener::bind(&args.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    let alive = Arc::new(AtomicBool::new(true));
    let app = Router::new()
        .route("/args", get(async || Json(std::env::args().skip(1).collect::<Vec<_>>())))
        .route("/env", get(async || Json(std::env::vars().collect::<BTreeMap<_, _>>())))
        .route("/file/{*name}", get(file).with_state(args.dir))
        .route("/echo", post(echo))
        .route("/livez", get(livez).with_state(alive.clone()))
        .route("/die-slowly", post(async move || alive.store(false, Ordering::Relaxed)));
    axum::serve(listener, app).await?;
    Ok(())
}

async fn file(State(folder): State<PathBuf>, Path(name): Path<String>) -> impl IntoResponse {
    std::fs::read_to_string(folder.join(name)).map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))
}

async fn echo(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let host = headers.get(header::HOST).cloned();
    ([("x-host", host.unwrap_or_else(|| http::HeaderValue::from_static("")))], body)
}

async fn livez(State(alive): State<Arc<AtomicBool>>) -> StatusCode {
    if alive.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}
