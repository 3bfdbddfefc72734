//! The address of the peer of a connection, for requests that are counted by peer.
//!
//! Headers that name another address are not read: any sender may write them. Behind a proxy all
//! requests have its address.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The address of the peer; the accept loop puts it into every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<PeerAddress, Self::Rejection> {
        let known = parts.extensions.get::<PeerAddress>().copied();
        Ok(known.unwrap_or(PeerAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}
