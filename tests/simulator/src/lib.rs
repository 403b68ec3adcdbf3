//! Meta's WhatsApp Cloud API in a box: an independent reading of the protocol, for tests, `make dev` and the demo.
//!
//! ```text
//!  customer --Inbound--> delivery --signed POST, retried until 200--> the data plane's webhook
//!                           ^                                              |
//!                           +-- receipts <-- ledger <-- graph <--POST /{version}/{phone-number-id}/messages
//! ```
//!
//! One [`Simulator`] is one HTTP server on one port: the Graph API that a tenant's `cloudApi.baseUrl` names, and
//! `/sim/*` to drive it with curl ([`admin`]), and `/http/*`, which is no part of Graph: somebody else's service, for
//! flows that call out ([`EndpointRule`]). Customers write through [`Customer`]; what the data plane sends is
//! checked as Graph checks it and kept in the [`Ledger`], which tests hold against what the data plane believes it
//! sent. [`Rule`]s of faults disturb sends and webhooks, once or by probability. Nothing in here depends on Wigwag.

pub mod admin;
mod client;
mod conversation;
mod customer;
mod delivery;
mod endpoint;
mod faults;
mod graph;
mod graph_error;
mod hold;
mod inbound;
mod ledger;
mod load;
mod number;
mod platform;
mod receipts;
mod render;
mod server;
mod shape;
mod template;
mod webhook;

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::DropGuard;

pub use client::Answer;
pub use conversation::{Event, Line};
pub use customer::{Choice, Customer};
pub use delivery::{Posted, RetryClock, Spread};
pub use endpoint::{EndpointAnswer, EndpointRule};
pub use faults::{Rule, SendFault, WebhookFault};
pub use hold::Hold;
pub use inbound::Inbound;
pub use ledger::{Attempt, CustomerMessage, Delivery, EndpointCall, Ledger, ReadMark, Receipt, Refused, Sent};
pub use load::{Load, LoadMessage, LoadPlan, LoadReport};
pub use number::Number;
pub use platform::{Platform, Settings};
pub use receipts::{Receipts, Status};
pub use render::{Offered, Tappable, line_of, options_of, text_of};
pub use server::Backlog;
pub use template::{ParameterFormat, Template, TemplateButton, TemplatePart};
pub use webhook::{Subject, Update, sign};

/// A running simulator. All that can be asked of it are methods of [`Platform`], which it dereferences to.
/// It stops when dropped: its port is closed and webhooks in retry are given up.
#[derive(Debug)]
pub struct Simulator {
    platform: Arc<Platform>,
    _stop_on_drop: DropGuard,
}

impl Simulator {
    /// Starts on `settings.listen`; port 0 lets the operating system choose.
    ///
    /// # Errors
    /// When the address cannot be bound, or one of the numbers is not usable.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}: choose another address, or port 0", settings.listen))?;
        let address: SocketAddr = listener.local_addr()?;

        let platform = Arc::new(Platform::new(settings, address)?);
        let router = graph::router(platform.clone())
            .nest("/sim", admin::router(platform.clone()))
            .nest("/http", endpoint::router(platform.clone()));
        server::start(&platform, listener, router)?;

        let stop_on_drop = platform.stop.clone().drop_guard();
        Ok(Self { platform, _stop_on_drop: stop_on_drop })
    }

    /// Stops and waits until every connection and every webhook in flight has ended.
    pub async fn stop(self) {
        self.platform.stop.cancel();
        self.platform.tasks.close();
        self.platform.tasks.wait().await;
    }
}

impl Deref for Simulator {
    type Target = Arc<Platform>;

    fn deref(&self) -> &Self::Target {
        &self.platform
    }
}
