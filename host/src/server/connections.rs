//! Places for connections: so many in all, and so many of one peer.
//!
//! Not the accept loop (`listener`), which asks for them.
//!
//! **Architecture invariant:** one peer that opens all the connections it can leaves half of them to
//! others; trusted proxies, which stand for many, have no limit of their own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections at a time; more wait in the kernel's queue.
pub(crate) const CONNECTIONS_MAX: usize = 1024;

/// Connections of one peer at a time; one more is closed at once.
pub(crate) const CONNECTIONS_PEER_MAX: usize = CONNECTIONS_MAX / 2;

/// How many connections each peer has.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerConnections(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct PeerPlace {
    peer: IpAddr,
    all: PeerConnections,
}

impl PeerConnections {
    /// A place for one more connection of a peer; none where it has as many as it may.
    pub(crate) fn enter(&self, peer: IpAddr) -> Option<PeerPlace> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = known.entry(peer).or_default();
        if *count >= CONNECTIONS_PEER_MAX {
            return None;
        }
        *count += 1;
        Some(PeerPlace { peer, all: self.clone() })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut known = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = known.get_mut(&self.peer) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            known.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_half_of_the_places() {
        let all = PeerConnections::default();
        let (peer, other) = (IpAddr::from([1, 2, 3, 4]), IpAddr::from([1, 2, 3, 5]));
        let mut places: Vec<_> = (0..CONNECTIONS_PEER_MAX).map(|_| all.enter(peer)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(all.enter(peer).is_none());
        assert!(all.enter(other).is_some());
        places.pop();
        assert!(all.enter(peer).is_some());
        drop(places);
        assert!(all.0.lock().unwrap().is_empty(), "nothing is kept of who has gone");
    }
}
