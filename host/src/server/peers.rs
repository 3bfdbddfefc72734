//! Who sends a request: the peer of its connection, or the client that a trusted proxy names.
//!
//! Not what a peer may do. Called by the accept loop; limits count by [`network_of`].
//!
//! **Architecture invariant:** a header counts only from a peer that the administrator trusts, and of it
//! only what trusted proxies have added: any sender may write the rest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Bits of an IPv6 address that one customer of a network provider has: the others are the customer's own
/// to choose.
const CUSTOMER_BITS: u8 = 64;

/// An address, or a network of them: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressRange {
    first: IpAddr,
    bits: u8,
}

impl FromStr for AddressRange {
    type Err = String;

    /// Reads an address, with the bits of the network or without.
    ///
    /// # Errors
    /// What was expected.
    fn from_str(text: &str) -> Result<AddressRange, String> {
        let expected =
            || "expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8".to_owned();
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| expected())?.to_canonical();
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), |bits| bits.parse().map_err(|_| expected()))?;
        if bits > bits_max {
            return Err(format!("expected at most {bits_max} bits behind the slash"));
        }
        Ok(AddressRange { first: masked(address, bits), bits })
    }
}

impl AddressRange {
    /// The network of IPv4 that begins with these bits of an address.
    pub(crate) const fn of_v4([a, b, c, d]: [u8; 4], bits: u8) -> AddressRange {
        AddressRange { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    /// The network of IPv6 that begins with these bits of an address, of which two groups are named.
    pub(crate) const fn of_v6([a, b]: [u16; 2], bits: u8) -> AddressRange {
        AddressRange { first: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), bits }
    }

    /// Whether it holds this address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && masked(address, self.bits) == self.first
    }
}

/// The address with its first bits alone.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

/// What peers are counted by: an address, or the network of a customer for IPv6, whose addresses cost
/// nothing.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    let bits = if address.is_ipv4() { 32 } else { CUSTOMER_BITS };
    masked(address, bits)
}

/// Whether one of these has the address.
pub(crate) fn is_trusted(proxies: &[AddressRange], address: IpAddr) -> bool {
    proxies.iter().any(|range| range.contains(address))
}

/// Who sent a request that came from `peer`, with the values of its `X-Forwarded-For` in their order: the
/// last address there that is not of a trusted proxy. Each entry is decoded alone, because a
/// client writes what it wants in front of those of the proxies.
pub(crate) fn client_of<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    proxies: &[AddressRange],
) -> IpAddr {
    let mut client = peer.to_canonical();
    for entry in forwarded.rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        if !is_trusted(proxies, client) {
            break;
        }
        // What is no address hides who is behind the proxy that wrote it.
        let Ok(text) = std::str::from_utf8(entry) else { break };
        let Some(named) = read_address(text.trim()) else { break };
        client = named;
    }
    client
}

/// An address as proxies write it, some with a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(with_port).or_else(bracketed);
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let proxies: Vec<AddressRange> = proxies.iter().map(|one| one.parse().unwrap()).collect();
        let forwarded = forwarded.iter().map(|value| value.as_bytes());
        client_of(ip(peer), forwarded, &proxies).to_string()
    }

    /// Limits that took the first entry were bypassed by a header that the client wrote.
    #[test]
    fn what_a_client_writes_does_not_count() {
        let forged = ["1.2.3.4, 5.6.7.8"];
        assert_eq!(client("9.9.9.9", &forged, &[]), "9.9.9.9");
        assert_eq!(client("9.9.9.9", &forged, &["10.0.0.0/8"]), "9.9.9.9");
        assert_eq!(client("10.0.0.1", &forged, &["10.0.0.0/8"]), "5.6.7.8");
        let chain = ["1.2.3.4, 5.6.7.8", "10.0.0.9 , 10.1.1.1"];
        assert_eq!(client("10.0.0.1", &chain, &["10.0.0.0/8"]), "5.6.7.8");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, nonsense"], &["10.0.0.1"]), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1", &["1.2.3.4, unknown, 10.0.0.2"], &["10.0.0.0/8"]),
            "10.0.0.2"
        );
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.1"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3,10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.3");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (written, read) in [
            ("1.2.3.4:567", "1.2.3.4"),
            ("[2001:db8::1]:567", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(client("::ffff:10.0.0.1", &[written], &["10.0.0.1"]), read);
        }
    }

    #[test]
    fn a_network_has_its_addresses() {
        let has = |range: &str, address: &str| {
            range.parse::<AddressRange>().unwrap().contains(ip(address))
        };
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.1.2.3", "10.1.2.3") && !has("10.1.2.3", "10.1.2.4"));
        assert!(has("0.0.0.0/0", "1.2.3.4") && !has("0.0.0.0/0", "::1"));
        assert!(has("2001:db8::/32", "2001:db8:9::1") && has("::/0", "::1"));
        for wrong in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/x", "proxy"] {
            assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
        }
        assert_eq!(network_of(ip("2001:db8::7:1")), ip("2001:db8::"));
        assert_eq!(network_of(ip("10.1.2.3")), ip("10.1.2.3"));
    }
}
