//! What libraries make of damaged files and streams.
//!
//! Parquet and Arrow say at which place of the bytes something is, and spreadsheets in which cell:
//! the libraries panic where no writer would have put it. Called by `parquet`, `piped::arrow` and
//! `xlsx`.

use std::fmt::Display;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a library reads; a panic is a reason like every other.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read_damaged<T, E: Display>(
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(found) => found.map_err(|error| error.to_string()),
        Err(_) => Err("it is damaged: lengths and places in it do not fit its bytes".to_owned()),
    }
}

/// Items as a library reads them, up to the first that cannot be read: after it the library is asked
/// for nothing more.
pub(super) fn read_damaged_items<T, E: Display>(
    mut items: impl Iterator<Item = Result<T, E>>,
) -> impl Iterator<Item = Result<T, String>> {
    let mut is_over = false;
    iter::from_fn(move || {
        if is_over {
            return None;
        }
        let item = read_damaged(|| items.next().transpose()).transpose()?;
        is_over = item.is_err();
        Some(item)
    })
}
