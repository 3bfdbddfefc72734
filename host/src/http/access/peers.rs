//! The address of the client of a request, for what is counted by client and for the audit trail.
//!
//! Not how it is found (`server::peers`).

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};

use crate::server::peers::{AddressRange, client_of};

/// The header in which proxies name who is behind them.
pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

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
    let values = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    client_of(peer, values, proxies)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client of a request by a trusted proxy with these values of the header.
    fn client(values: &[&[u8]]) -> String {
        let proxies: [AddressRange; 1] = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        client_address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), &headers, &proxies).to_string()
    }

    /// One byte that is no text blanked the whole header, so a client that wrote one had the address of the
    /// proxy, and all clients behind it shared a limit with that client.
    #[test]
    fn what_is_no_text_hides_no_entry_behind_it() {
        assert_eq!(client(&[b"\xff, 7.7.7.7"]), "7.7.7.7");
        assert_eq!(client(&[b"\xff,7.7.7.7, 10.0.0.2"]), "7.7.7.7");
        assert_eq!(client(&[b"\xc3", b"7.7.7.7"]), "7.7.7.7");

        // Who is in front of an entry that cannot be read was written by nobody trusted.
        assert_eq!(client(&[b"7.7.7.7, \xff"]), "10.0.0.1");
        assert_eq!(client(&[b"7.7.7.7, \xff, 10.0.0.2"]), "10.0.0.2");
    }
}
