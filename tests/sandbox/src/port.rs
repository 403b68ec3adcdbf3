//! Ports of 127.0.0.1.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// A port that nobody listened on a moment ago. Whoever passes it on to a process repeats the start on a clash.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("this machine gives no port of 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Whether somebody listens on `port`.
pub(crate) fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
