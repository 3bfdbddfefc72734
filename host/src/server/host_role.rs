//! What a server does among the hosts on its data.
//!
//! Not how a host gets its role (`hosts`). Read by everything that only the host that decides may do.

use accredit_seams::store::shared::DecidingLease;
use tokio::sync::watch;

/// What a server does among those on its data.
#[derive(Debug, Clone, Default)]
pub(crate) enum HostRole {
    /// It has the data file for itself.
    #[default]
    Alone,
    /// It decides, and others take webhooks beside it.
    Deciding,
    /// It takes webhooks and answers what only reads.
    Following(watch::Receiver<DecidingLease>),
}

impl HostRole {
    /// Whether it has the data file for itself.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, HostRole::Alone)
    }

    /// Whether another host decides.
    pub(crate) fn is_following(&self) -> bool {
        matches!(self, HostRole::Following(_))
    }

    /// Waits until it is no longer the host at an address that decides; at once where this one does.
    pub(crate) async fn decider_changes(&self, address: &str) {
        let HostRole::Following(lease) = self else { return };
        let is_other = |now: &DecidingLease| match now {
            DecidingLease::Elsewhere(known) => known != address,
            DecidingLease::Held(_) => true,
        };
        // The keeper of the lease is gone only at the end of the process.
        let mut lease = lease.clone();
        let _ = lease.wait_for(is_other).await;
    }

    /// The address of the host that decides; none where this one does, blank where it is not known.
    pub(crate) fn decider_address(&self) -> Option<String> {
        match self {
            HostRole::Alone | HostRole::Deciding => None,
            HostRole::Following(lease) => Some(match &*lease.borrow() {
                DecidingLease::Elsewhere(address) => address.clone(),
                // This host is about to take over.
                DecidingLease::Held(_) => String::new(),
            }),
        }
    }
}
