//! Which addresses events may be sent to: those of the internet, and private ones that were allowed.
//!
//! Not which destinations there are (the ruleset). Source: the registries of special-purpose addresses of
//! IANA for IPv4 and IPv6.
//!
//! **Architecture invariant:** a name is looked up once for a connection, and only addresses that passed here
//! are connected to: a name that means another address a moment later changes nothing.

use std::net::{IpAddr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::server::peers::AddressRange;

/// Addresses of IPv4 that are not of the internet.
const SPECIAL_V4: [AddressRange; 14] = [
    AddressRange::of_v4([0, 0, 0, 0], 8),
    AddressRange::of_v4([10, 0, 0, 0], 8),
    AddressRange::of_v4([100, 64, 0, 0], 10),
    AddressRange::of_v4([127, 0, 0, 0], 8),
    AddressRange::of_v4([169, 254, 0, 0], 16),
    AddressRange::of_v4([172, 16, 0, 0], 12),
    AddressRange::of_v4([192, 0, 0, 0], 24),
    AddressRange::of_v4([192, 0, 2, 0], 24),
    AddressRange::of_v4([192, 88, 99, 0], 24),
    AddressRange::of_v4([192, 168, 0, 0], 16),
    AddressRange::of_v4([198, 18, 0, 0], 15),
    AddressRange::of_v4([198, 51, 100, 0], 24),
    AddressRange::of_v4([203, 0, 113, 0], 24),
    // Groups, reserved addresses and the broadcast.
    AddressRange::of_v4([224, 0, 0, 0], 3),
];

/// All addresses of IPv6 that are of the internet, but for the ranges below.
const GLOBAL_V6: AddressRange = AddressRange::of_v6([0x2000, 0], 3);

/// Ranges within them that are for tunnels, protocols and documentation: a tunnel can lead anywhere.
const SPECIAL_V6: [AddressRange; 4] = [
    AddressRange::of_v6([0x2001, 0], 23),
    AddressRange::of_v6([0x2001, 0xdb8], 32),
    AddressRange::of_v6([0x2002, 0], 16),
    AddressRange::of_v6([0x3fff, 0], 20),
];

/// Whether an address is one of the internet.
fn is_global(address: IpAddr) -> bool {
    let is_in = |ranges: &[AddressRange]| ranges.iter().any(|range| range.contains(address));
    match address {
        IpAddr::V4(_) => !is_in(&SPECIAL_V4),
        // An address of IPv4 in the form of IPv6 is not in the range either.
        IpAddr::V6(_) => GLOBAL_V6.contains(address) && !is_in(&SPECIAL_V6),
    }
}

/// Finds the addresses of destinations, and refuses those that may not be called.
#[derive(Debug)]
pub(crate) struct GuardedResolver {
    /// Private ranges that an administrator allowed.
    allowed: Vec<AddressRange>,
    /// How names are looked up.
    names: DefaultResolver,
}

impl GuardedResolver {
    /// A resolver for the internet and these ranges.
    pub(crate) fn new(allowed: &[AddressRange]) -> GuardedResolver {
        GuardedResolver { allowed: allowed.to_vec(), names: DefaultResolver::default() }
    }

    /// Whether events may be sent to an address over a URL with this scheme.
    fn admits(&self, address: IpAddr, is_protected: bool) -> bool {
        let is_allowed = self.allowed.iter().any(|range| range.contains(address));
        // Without TLS, each network on the way could read what is paid.
        is_allowed || (is_protected && is_global(address))
    }
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let is_protected = uri.scheme_str() == Some("https");
        let admitted = |address: &&SocketAddr| self.admits(address.ip(), is_protected);

        let mut addresses = self.empty();
        for address in found.iter().filter(admitted) {
            addresses.push(*address);
        }

        if addresses.is_empty() {
            return Err(ureq::Error::Other(Box::new(RefusedAddress { is_protected })));
        }
        Ok(addresses)
    }
}

/// Why no address of a destination is called.
#[derive(Debug, thiserror::Error)]
#[error(
    "the destination has a private address{}; an administrator can allow it with \
     `serve --private-destinations`", if *is_protected { "" } else { ", or is not reached by https://" }
)]
pub(crate) struct RefusedAddress {
    is_protected: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(allowed: &[&str], address: &str, is_protected: bool) -> bool {
        let allowed: Vec<AddressRange> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        GuardedResolver::new(&allowed).admits(address.parse().unwrap(), is_protected)
    }

    #[test]
    fn only_addresses_of_the_internet_are_called_unasked() {
        for public in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00::1"] {
            assert!(admits(&[], public, true), "{public}");
            assert!(!admits(&[], public, false), "{public} without TLS");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!admits(&[], private, true), "{private}");
        }
    }

    #[test]
    fn an_administrator_can_allow_ranges() {
        assert!(admits(&["127.0.0.0/8"], "127.0.0.1", false));
        assert!(admits(&["10.0.0.0/8", "fd00::/8"], "fd12::1", true));
        assert!(admits(&["192.168.1.7"], "192.168.1.7", true));
        assert!(!admits(&["192.168.1.7"], "192.168.1.8", true));
        assert!(!admits(&["10.0.0.0/8"], "11.0.0.1", false));
        for wrong in ["", "10.0.0.0/33", "10.0.0", "a.example", "10.0.0.0/", "::/129"] {
            assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
        }
    }
}
