//! Signing in slowed down: an account after some failures from one network, and an account or a peer after
//! many.
//!
//! Not the password (`passwords`). An account that does not exist is counted like one that does. Called by
//! the sign-in before it hashes anything.
//!
//! **Architecture invariant:** what is counted fits in bounded memory, a lock ends by itself, and
//! a few failures from one network lock no account for another network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::server::peers::network_of;

/// Failures of an account from one network after which it is locked for that network.
const NETWORK_FAILURES: u32 = 5;

/// Failures of an account from all networks after which it is locked for all.
const ACCOUNT_FAILURES: u32 = 100;

/// Failures of a peer after which it is locked: a proxy is one peer for all behind it.
const PEER_FAILURES: u32 = 100;

/// The first lock; each failure after it doubles the next.
const LOCK_MS: i64 = 30_000;

/// The longest lock, and the time after which failures are forgotten.
const LOCK_MS_MAX: i64 = 15 * 60_000;

/// Accounts, peers and pairs of them that are counted at a time.
const COUNTED_MAX: usize = 30_000;

/// Who failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Failing {
    /// An account, tried from one network.
    AccountFrom([u8; 32], IpAddr),
    /// The hash of an address of mail: it may be of any length, and belongs to a person.
    Account([u8; 32]),
    /// The network of a peer.
    Peer(IpAddr),
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last_ms: i64,
    locked_until_ms: i64,
}

/// Failures to sign in.
#[derive(Default)]
pub(crate) struct Lockout(Mutex<HashMap<Failing, Failures>>);

impl Lockout {
    /// For how many milliseconds nobody may try this account from this peer; none where the try may go on.
    /// It counts as failed until it is said to have succeeded, so that many at once are counted.
    pub(crate) fn begin_try(&self, account: &str, peer: IpAddr, now_ms: i64) -> Option<i64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failing = counted_of(account, peer);

        let locked = failing.iter().filter_map(|(one, _)| known.get(one));
        let left = locked.map(|failures| failures.locked_until_ms - now_ms).max();
        if let Some(left) = left.filter(|left| *left > 0) {
            return Some(left);
        }

        if known.len() + failing.len() > COUNTED_MAX {
            known.retain(|_, failures| now_ms - failures.last_ms < LOCK_MS_MAX);
        }
        // An attacker with that many addresses does not lock everybody else out.
        if known.len() + failing.len() > COUNTED_MAX {
            known.clear();
        }

        for (one, allowed) in failing {
            let failures = known.entry(one).or_default();
            if now_ms - failures.last_ms.max(failures.locked_until_ms) >= LOCK_MS_MAX {
                *failures = Failures::default();
            }
            failures.count += 1;
            failures.last_ms = now_ms;
            if failures.count >= allowed {
                let doublings = (failures.count - allowed).min(10);
                let lock = (LOCK_MS << doublings).min(LOCK_MS_MAX);
                failures.locked_until_ms = now_ms + lock;
            }
        }
        None
    }

    /// The try succeeded: the account has no failures, here and over all networks, and the peer one fewer.
    pub(crate) fn end_try(&self, account: &str, peer: IpAddr) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [(from_here, _), (account, _), (peer, allowed)] = counted_of(account, peer);
        known.remove(&from_here);
        known.remove(&account);
        if let Some(failures) = known.get_mut(&peer) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count < allowed {
                failures.locked_until_ms = 0;
            }
        }
    }
}

/// The account from this network, the account, and the network, with how often each may fail.
fn counted_of(account: &str, peer: IpAddr) -> [(Failing, u32); 3] {
    let account = *blake3::hash(account.as_bytes()).as_bytes();
    let network = network_of(peer);
    [
        (Failing::AccountFrom(account, network), NETWORK_FAILURES),
        (Failing::Account(account), ACCOUNT_FAILURES),
        (Failing::Peer(network), PEER_FAILURES),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[test]
    fn an_account_is_locked_after_five_failures_for_longer_each_time() {
        let lockout = Lockout::default();
        for number in 0..5 {
            assert_eq!(lockout.begin_try("ann@x", peer(9), 0), None, "{number}");
        }
        assert_eq!(lockout.begin_try("ann@x", peer(9), 1), Some(29_999));
        assert_eq!(lockout.begin_try("bob@x", peer(9), 1), None, "others may");
        assert_eq!(lockout.begin_try("ann@x", peer(9), 30_000), None);
        assert_eq!(lockout.begin_try("ann@x", peer(9), 30_001), Some(59_999));

        // A success ends it, and so does time.
        assert_eq!(lockout.begin_try("ann@x", peer(9), 90_000), None);
        lockout.end_try("ann@x", peer(9));
        assert_eq!(lockout.begin_try("ann@x", peer(9), 90_001), None);
    }

    /// Five failures from any addresses locked an account for everybody, so a stranger who knew its address
    /// of mail kept an administrator out.
    #[test]
    fn a_stranger_does_not_lock_an_account_for_other_networks() {
        let lockout = Lockout::default();
        let fail_five_times = |network: u8, now_ms: i64| {
            for number in 0..5 {
                let left = lockout.begin_try("ann@x", peer(network), now_ms);
                assert_eq!(left, None, "{network} {number}");
            }
        };
        (0..19).for_each(|network| fail_five_times(network, 0));
        assert!(lockout.begin_try("ann@x", peer(0), 1).is_some());
        assert_eq!(lockout.begin_try("ann@x", peer(200), 1), None, "her own network");
        lockout.end_try("ann@x", peer(200));
        assert!(lockout.begin_try("ann@x", peer(0), 1).is_some(), "the stranger stays out");

        // A hundred failures lock it for all.
        (20..40).for_each(|network| fail_five_times(network, 2));
        assert_eq!(lockout.begin_try("ann@x", peer(200), 2), Some(LOCK_MS));
        assert_eq!(lockout.begin_try("bob@x", peer(200), 2), None, "others may");
        assert_eq!(lockout.begin_try("ann@x", peer(200), 2 + LOCK_MS), None);
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let lockout = Lockout::default();
        for number in 0..COUNTED_MAX {
            let address = std::net::Ipv4Addr::from(u32::try_from(number).unwrap());
            lockout.begin_try(&format!("{number}@x"), IpAddr::V4(address), 0);
            let counted = lockout.0.lock().unwrap().len();
            assert!(counted <= COUNTED_MAX, "{counted}");
        }
    }

    #[test]
    fn a_peer_that_tries_many_accounts_is_locked() {
        let lockout = Lockout::default();
        for number in 0..100 {
            assert_eq!(lockout.begin_try(&format!("{number}@x"), peer(1), 0), None, "{number}");
        }
        assert!(lockout.begin_try("new@x", peer(1), 1).is_some());
        assert_eq!(lockout.begin_try("new@x", peer(2), 1), None);
        assert_eq!(lockout.begin_try("other@x", peer(1), LOCK_MS), None);
    }
}
