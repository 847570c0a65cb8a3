//! What answers others over the network.

use std::{io, net::TcpListener};

use super::effect;

/// Takes an address, to answer on it.
pub(crate) fn bind(name: &'static str, address: &str) -> io::Result<TcpListener> {
    effect(name, || TcpListener::bind(address))
}
