//! A data plane process of a shop: started, killed, frozen, started again under the same name.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wigwag_sandbox::process::{Process, Program};

use crate::{binary::binary, shop::Clock};

/// A replica of the data plane.
#[derive(Debug)]
pub struct Replica {
    /// The process.
    pub process: Process,
    /// Where webhooks go.
    pub listen: SocketAddr,
    /// Where probes go.
    pub admin: SocketAddr,
    client: reqwest::Client,
}

impl Replica {
    /// Starts a replica; it need not be ready yet.
    ///
    /// # Errors
    /// When the binary is not there, or no port is free.
    pub fn start(name: &str, shop: &Path, database_url: &str, clock: Clock) -> Result<Self> {
        let (listen, admin) = (free_address()?, free_address()?);
        let args = [
            ("--config-dir", shop.join("config").display().to_string()),
            ("--secrets-dir", shop.join("secrets").display().to_string()),
            ("--listen", listen.to_string()),
            ("--admin-listen", admin.to_string()),
            ("--replica", name.to_owned()),
            ("--lane-lease", millis(clock.lease)),
            ("--send-timeout", millis(clock.send_timeout)),
            ("--unknown-hold", millis(clock.unknown_hold)),
            ("--log-format", "text".to_owned()),
            ("--log", "info,wigwag_dataplane=debug".to_owned()),
        ];
        let args = args.into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
        let args = std::iter::once("serve".to_owned()).chain(args).collect();
        let mut program = Program::new(name, binary("wigwag-dataplane")?, args);
        program.env.insert("WIGWAG_DATABASE_URL".to_owned(), database_url.to_owned());
        let process = Process::spawn(program, &shop.join("logs"))?;
        Ok(Self { process, listen, admin, client: reqwest::Client::new() })
    }

    /// Waits until it takes webhooks.
    ///
    /// # Errors
    /// When it does not within 20 s, or ended.
    pub async fn ready(&self) -> Result<()> {
        let probe = async || {
            let answer = self.admin_get("/readyz").await?;
            ensure!(answer.0 == 200, "{}", answer.1);
            Ok(())
        };
        self.process.ready(Duration::from_secs(20), probe).await
    }

    /// `GET` on the admin port: status and body.
    ///
    /// # Errors
    /// When nobody answers within a second.
    pub async fn admin_get(&self, path: &str) -> Result<(u16, String)> {
        let url = format!("http://{}{path}", self.admin);
        let answer = self.client.get(url).timeout(Duration::from_secs(1)).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// `/configz`.
    ///
    /// # Errors
    /// When nobody answers, or not with JSON.
    pub async fn configz(&self) -> Result<Value> {
        let (_, body) = self.admin_get("/configz").await?;
        serde_json::from_str(&body).context("/configz")
    }

    /// Kills it without a word, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go.
    pub async fn kill(&self) -> Result<()> {
        self.process.kill().await
    }

    /// Starts it again, under the same name and on the same ports.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart(&self) -> Result<()> {
        self.process.start()?;
        self.ready().await
    }
}

fn millis(span: Duration) -> String {
    format!("{}ms", span.as_millis())
}

fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
