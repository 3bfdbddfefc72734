//! From where the work under way came, carried from a request to the thread that does its work.
//!
//! Not what an origin is (the ledger's `audit`) and not who calls. `http::bearer` begins one around each
//! request, and the few ways to another thread (`state`) take it along, so that no handler has to.

use accredit_ledger::audit::{AuditOrigin, act_from};

tokio::task_local! {
    static ORIGIN: AuditOrigin;
}

/// Does the work of a request.
pub(crate) async fn within<F: Future>(origin: AuditOrigin, work: F) -> F::Output {
    ORIGIN.scope(origin, work).await
}

/// The same as long as the origin of the caller is known; without one the server acts by itself.
pub(crate) async fn continue_within<F: Future>(origin: Option<AuditOrigin>, work: F) -> F::Output {
    match origin {
        Some(origin) => within(origin, work).await,
        None => work.await,
    }
}

/// The origin of the work under way; none where no request asked for it.
pub(crate) fn current() -> Option<AuditOrigin> {
    ORIGIN.try_with(Clone::clone).ok()
}

/// `work` for another thread, where it has the origin that the caller has now.
pub(crate) fn carried<A, T>(work: impl FnOnce(A) -> T) -> impl FnOnce(A) -> T {
    let origin = current();
    move |given| act_from(origin, || work(given))
}
