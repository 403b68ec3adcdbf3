//! The whole installation: PostgreSQL, control plane, node and edge, in one folder that goes away when all was well.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::control_plane::ControlPlane;
use crate::edge::Edge;
use crate::folder::Folder;
use crate::logs::LogsOnFailure;
use crate::node::{Images, Node};
use crate::postgres::Postgres;

/// Which parts a sandbox has; the default has none.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `DATABASE_URL`, or a PostgreSQL of its own.
    pub postgres: bool,
    /// etcd, API server and controllers.
    pub control_plane: bool,
    /// A node that runs these images; it needs the control plane.
    pub node: Option<Images>,
    /// An edge on this port of 127.0.0.1, 0 for a free one; it needs the control plane.
    pub edge: Option<u16>,
}

/// An installation on this machine. Its parts end with it, in order; when it is dropped by a panic, it prints the end of
/// every log and leaves its folder to be looked at.
#[derive(Debug)]
pub struct Sandbox {
    _logs_on_failure: LogsOnFailure,
    // In the order in which they end: nobody misses what he still needs.
    edge: Option<Edge>,
    node: Option<Node>,
    control_plane: Option<ControlPlane>,
    postgres: Option<Postgres>,
    folder: Folder,
}

impl Sandbox {
    /// Starts the parts that `options` names, one after the other.
    ///
    /// # Errors
    /// When a part does not start; its message names the ways out.
    pub async fn start(options: Options) -> Result<Self> {
        let mut sandbox = Self::empty()?;
        if options.postgres {
            sandbox.start_postgres().await?;
        }
        if options.control_plane {
            sandbox.start_control_plane().await?;
        }
        if let Some(images) = options.node {
            sandbox.start_node(images).await?;
        }
        if let Some(port) = options.edge {
            sandbox.start_edge(port).await?;
        }
        Ok(sandbox)
    }

    /// A sandbox without parts.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn empty() -> Result<Self> {
        let folder = Folder::new("sandbox")?;
        let logs = folder.path().join("logs");
        fs::create_dir(&logs)?;
        Ok(Self {
            _logs_on_failure: LogsOnFailure::new(logs, folder.path()),
            edge: None,
            node: None,
            control_plane: None,
            postgres: None,
            folder,
        })
    }

    /// Adds PostgreSQL: `DATABASE_URL`, or one of its own.
    ///
    /// # Errors
    /// As [`Postgres::given_or_own`].
    pub async fn start_postgres(&mut self) -> Result<&Postgres> {
        let postgres = Postgres::given_or_own(&self.logs()).await?;
        Ok(self.postgres.insert(postgres))
    }

    /// Adds the control plane.
    ///
    /// # Errors
    /// As [`ControlPlane::start`].
    pub async fn start_control_plane(&mut self) -> Result<&ControlPlane> {
        let control_plane = ControlPlane::start(&self.subfolder("control-plane")?, &self.logs()).await?;
        Ok(self.control_plane.insert(control_plane))
    }

    /// Adds a node that runs `images`.
    ///
    /// # Errors
    /// Without a control plane, or as [`Node::start`].
    pub async fn start_node(&mut self, images: Images) -> Result<&Node> {
        let kubeconfig = self.control_plane()?.kubeconfig();
        let node = Node::start(&kubeconfig, images, &self.subfolder("pods")?, &self.logs()).await?;
        Ok(self.node.insert(node))
    }

    /// Adds an edge on `port` of 127.0.0.1; 0 takes a free one.
    ///
    /// # Errors
    /// Without a control plane, or as [`Edge::start`].
    pub async fn start_edge(&mut self, port: u16) -> Result<&Edge> {
        let edge = Edge::start(&self.control_plane()?.kubeconfig(), port).await?;
        Ok(self.edge.insert(edge))
    }

    /// Its PostgreSQL.
    ///
    /// # Errors
    /// When it was started without.
    pub fn postgres(&self) -> Result<&Postgres> {
        self.postgres.as_ref().context("this sandbox was started without PostgreSQL")
    }

    /// Its control plane.
    ///
    /// # Errors
    /// When it was started without.
    pub fn control_plane(&self) -> Result<&ControlPlane> {
        self.control_plane.as_ref().context("this sandbox was started without a control plane")
    }

    /// Its node.
    ///
    /// # Errors
    /// When it was started without.
    pub fn node(&self) -> Result<&Node> {
        self.node.as_ref().context("this sandbox was started without a node")
    }

    /// Its edge.
    ///
    /// # Errors
    /// When it was started without.
    pub fn edge(&self) -> Result<&Edge> {
        self.edge.as_ref().context("this sandbox was started without an edge")
    }

    /// The folder that all of it lies in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of all logs, one file for each process.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Prints the end of every log, and keeps the folder, when the test that holds this panics: for a sandbox that many
    /// tests share, which does not end with the one that failed.
    pub fn logs_on_failure(&self) -> LogsOnFailure {
        LogsOnFailure::new(self.logs(), self.folder())
    }

    fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}
