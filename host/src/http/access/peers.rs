//! The address of the client of a request, for what is counted by client and for the audit trail.
//!
//! Not how it is found (`server::peers`).

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use crate::server::peers::{AddressRange, client_of};

/// The header in which proxies name who is behind them.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client: of the peer of the connection, or of whom a trusted proxy names. The accept
/// loop puts it into every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

impl PeerAddress {
    /// The one of a request.
    pub(crate) fn of(extensions: &Extensions) -> PeerAddress {
        let known = extensions.get::<PeerAddress>().copied();
        known.unwrap_or(PeerAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

impl<S: Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<PeerAddress, Self::Rejection> {
        Ok(PeerAddress::of(&parts.extensions))
    }
}

/// Who sent a request over a connection of this peer.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &[AddressRange],
) -> IpAddr {
    if proxies.is_empty() {
        return peer;
    }
    // What is not text cannot be skipped: the entries before it are not of a trusted proxy.
    let values: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    client_of(peer, values.into_iter(), proxies)
}
