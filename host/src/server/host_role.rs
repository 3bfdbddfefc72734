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
