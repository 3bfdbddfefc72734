//! Panics of redb become errors: on a file that others have changed it does not always fail softly.
//!
//! Not panics of anything else. The message of such a panic is not printed: what is wrong is in the
//! error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use accredit_seams::store::StoreError;

thread_local! {
    /// Whether this thread is inside redb.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Keeps panics inside redb silent; all others are printed as before.
fn install_hook() {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !INSIDE.try_with(Cell::get).unwrap_or(false) {
                before(panic);
            }
        }));
    });
}

/// Does something with redb; a panic is damage.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    install_hook();

    let outer = INSIDE.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(outer);

    done.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        let line = text.lines().next().unwrap_or_default();
        Err(StoreError::Damaged(format!("its pages do not fit together ({line})")))
    })
}
