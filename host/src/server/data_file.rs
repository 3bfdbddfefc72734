//! Whether a data file may be made: at a first start, and never in place of one that was lost.
//!
//! Not what is in it. A marker beside the file, `acme.redb.made`, remembers that there was one, also
//! for a server whose unit file always says `--create`.
//!
//! **Architecture invariant:** a file that is gone is an error, not an empty ledger.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_seams::store::Store;

use crate::plugins;
use crate::server::config::Config;

const MARKER: &str = "This file records that a data file was made here. While it exists, a \
    missing data file is not silently replaced: restore it from a backup, or \
                      delete this file to begin with an empty one.\n";

fn marker_path(data: &Path) -> PathBuf {
    let mut name = OsString::from(data);
    name.push(".made");
    PathBuf::from(name)
}

/// Opens the data file, or makes it where that was asked for.
///
/// # Errors
/// Why there is none, and what to do about it.
pub(crate) fn open(config: &Config) -> Result<Arc<dyn Store>, String> {
    let (path, marker) = (&config.data, marker_path(&config.data));
    let data = path.display();
    let length = std::fs::metadata(path).map(|metadata| metadata.len()).ok();

    if length.unwrap_or(0) == 0 && marker.exists() {
        let state = if length.is_none() { "gone" } else { "empty" };
        let marker = marker.display();
        return Err(format!(
            "`{data}` is {state}, and `{marker}` says that there was a data file: restore it from a \
             backup, or delete `{marker}` to begin with an empty one"
        ));
    }

    if length.is_none() && !config.create {
        // A first start names the directory that fills the file; without one there is nothing to begin.
        if config.workspace.is_none() {
            return Err(format!(
                "there is no data file `{data}`: name the directory that fills a new one with \
                 `--workspace`; if there was a file before, check whether its disk is mounted"
            ));
        }
        eprintln!("note: there was no data file `{data}`; a new one was created");
    }

    let store = plugins::open_store(path);
    let store = store.map_err(|error| format!("`{data}` cannot be opened: {error}"))?;
    #[cfg(feature = "crash-points")]
    let store = match config.crash_point {
        Some(point) => point.watch_store(store),
        None => store,
    };

    if !marker.exists()
        && let Err(error) = std::fs::write(&marker, MARKER)
    {
        tracing::warn!(error.cause = %error, "the marker beside the data file was not written");
    }

    Ok(store)
}
