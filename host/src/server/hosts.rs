//! Several hosts on one database: which of them decides, and what each of the others does meanwhile.
//!
//! Not the lease itself (the store's). The host that has the lease is a whole server. The others take
//! webhooks, answer what only reads, and pass everything else on to it (`http::forward`). A role lasts as
//! long as a server runs: a host whose role changes starts its server anew inside the same process, on the
//! same socket, with everything in memory read from the database.
//!
//! **Architecture invariant:** every commit of a server is of the term that its role began with: what a
//! server of an earlier term still does is refused by the store.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use accredit_operations::activation::follow;
use accredit_seams::store::StoreError;
use accredit_seams::store::shared::{DecidingLease, LeaseClaim, SharedStore};
use tokio::sync::watch;

use crate::server::accounts::Accounts;
use crate::server::host_role::HostRole;
use crate::server::state::Service;

/// A lease is renewed so often before it would end.
const RENEWALS: u32 = 5;

/// How often the host that decides looks for what other hosts have received.
const DECIDER_LOOKS_EVERY: Duration = Duration::from_millis(50);

/// How often the others look for what was recorded.
const FOLLOWER_LOOKS_EVERY: Duration = Duration::from_millis(250);

/// What a server runs on, where that is not a data file of its own.
pub(crate) struct HostPlace {
    /// What it does.
    pub(crate) role: HostRole,
    /// The socket, which outlives a change of the role: clients wait meanwhile, and none is refused.
    pub(crate) listener: TcpListener,
}

/// Takes and renews the lease on a thread of its own, so that no other work delays it.
pub(crate) struct LeaseKeeper {
    store: Arc<dyn SharedStore>,
    lease: watch::Receiver<DecidingLease>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LeaseKeeper {
    /// Looks who decides, and keeps looking.
    ///
    /// # Errors
    /// When the database cannot be reached, or there is no thread.
    pub(crate) fn start(
        store: Arc<dyn SharedStore>,
        claim: LeaseClaim,
    ) -> Result<LeaseKeeper, String> {
        let first = store.claim_lease(&claim).map_err(|error| error.to_string())?;
        let (sender, lease) = watch::channel(first);
        let stop = Arc::new(AtomicBool::new(false));
        let (claimed, stopped) = (Arc::clone(&store), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("lease".to_owned());
        let thread = thread.spawn(move || keep_lease(&*claimed, &claim, &sender, &stopped));
        let thread = thread.map_err(|error| format!("no thread for the lease: {error}"))?;
        Ok(LeaseKeeper { store, lease, stop, thread: Some(thread) })
    }

    /// Who decides now.
    pub(crate) fn current(&self) -> DecidingLease {
        self.lease.borrow().clone()
    }

    /// Who decides, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<DecidingLease> {
        self.lease.clone()
    }

    /// Lets another host decide at once, and ends the thread.
    pub(crate) fn release(mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It panicked if it has no end of its own; the lease then ends by its time.
            let _ = thread.join();
        }
        if let DecidingLease::Held(term) = self.current()
            && let Err(error) = self.store.release_lease(term)
        {
            tracing::warn!(error.cause = %error, "the lease was not released and ends by itself");
        }
    }
}

fn keep_lease(
    store: &dyn SharedStore,
    claim: &LeaseClaim,
    lease: &watch::Sender<DecidingLease>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Acquire) {
        std::thread::park_timeout(claim.duration / RENEWALS);
        if stop.load(Ordering::Acquire) {
            return;
        }
        match store.claim_lease(claim) {
            Ok(found) => {
                lease.send_if_modified(|known| {
                    let is_new = *known != found;
                    *known = found;
                    is_new
                });
            }
            // The store refuses commits of a term that is over, so that nothing has to end here.
            Err(error) => {
                tracing::error!(error.cause = %error, "who decides is not known at the moment");
            }
        }
    }
}

/// Waits until the role that began with a lease is over.
pub(crate) async fn role_is_over(begun: &DecidingLease, mut lease: watch::Receiver<DecidingLease>) {
    let is_over = |now: &DecidingLease| match (begun, now) {
        (DecidingLease::Held(begun), DecidingLease::Held(now)) => begun != now,
        (DecidingLease::Elsewhere(_), DecidingLease::Elsewhere(_)) => false,
        _ => true,
    };
    // The keeper is gone only at the end of the process.
    let _ = lease.wait_for(is_over).await;
}

/// Looks for what other hosts have committed, until the server stops.
pub(crate) fn follow_others(service: &Arc<Service>) {
    let wait = match service.role {
        HostRole::Alone => return,
        HostRole::Deciding => DECIDER_LOOKS_EVERY,
        HostRole::Following(_) => FOLLOWER_LOOKS_EVERY,
    };
    let mut known = None;
    while !service.stopping.load(Ordering::Acquire) {
        match service.context.ledger.notice_commits() {
            Ok(count) if count != known => {
                // What cannot be read now is looked at again.
                if take_notice(service).is_ok() {
                    known = count;
                }
            }
            Ok(_) | Err(_) => (),
        }
        std::thread::sleep(wait);
    }
}

/// Something was committed, perhaps by another host.
fn take_notice(service: &Service) -> Result<(), StoreError> {
    if !service.role.is_following() {
        service.orders.wake();
        return Ok(());
    }
    follow::follow_data_file(&service.context);
    service.context.forget_locked_periods();
    let accounts = Accounts::load(&service.context.ledger)?;
    service.accounts.take_recorded(accounts);
    Ok(())
}
