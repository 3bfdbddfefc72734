//! `accredit compact`: a data file without the room that replaced and deleted rows left in it.
//!
//! For after a large import, and after the first start with a file of an earlier version. Exit codes:
//! 0 done, 1 not.

use std::path::{Path, PathBuf};

use accredit_ledger::Ledger;
use accredit_seams::store::StoreError;
use clap::Args;

use crate::cli::print::output::{EXIT_FAILED, EXIT_OK};
use crate::plugins;

/// Options of `compact`.
#[derive(Debug, Args)]
pub(crate) struct CompactArguments {
    /// A data file that no server has open.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(options: &CompactArguments) -> u8 {
    match compact_data_file(&options.data) {
        Ok((before, after)) => {
            eprintln!("{before} bytes before, {after} bytes after");
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// Compacts a file; gives its bytes before and after.
fn compact_data_file(path: &Path) -> Result<(u64, u64), String> {
    let cannot = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    if path.to_str().is_some_and(plugins::is_database_address) {
        return Err("a database gives room back by itself: `VACUUM` does it at once".to_owned());
    }
    if !path.is_file() {
        return Err(cannot(&"the file does not exist"));
    }
    let bytes = || std::fs::metadata(path).map(|file| file.len()).map_err(|error| cannot(&error));

    let before = bytes()?;
    let compacted: Result<(), StoreError> = plugins::open_store(path).and_then(|store| {
        // Rows of an earlier version become those of today first, or their room would stay.
        drop(Ledger::open(store)?);
        plugins::compact_store(path)
    });
    compacted.map_err(|error| cannot(&error))?;
    Ok((before, bytes()?))
}
