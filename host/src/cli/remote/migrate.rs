//! `accredit migrate`: every row of a store in another one, of the same or of another kind.
//!
//! Not the copying itself (the ledger's `backup`), which reads the copy again and compares a digest of all
//! rows. Exit codes: 0 done, 1 not.

use std::path::Path;

use accredit_ledger::Ledger;
use accredit_ledger::backup::CopySummary;
use accredit_seams::store::shared::{DecidingLease, HandlePurpose, LeaseClaim};
use clap::Args;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::verify::with_data_file;
use crate::cli::run::hosts::database_address;
use crate::plugins;
use crate::server::config::LEASE_OF_COPY;

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// The store with the rows: redb:FILE, or postgres://user@host/database. No server may use it.
    #[arg(long, value_name = "STORE")]
    from: String,
    /// The store to fill: a file that does not exist, or an empty database.
    #[arg(long, value_name = "STORE")]
    to: String,
}

/// Runs the verb.
pub(crate) fn run(options: &MigrateArguments) -> u8 {
    match copy_store(&options.from, &options.to) {
        Ok(summary) => {
            output::print_json(&output::view_json(&summary));
            eprintln!("{} rows, each of them read again", summary.rows);
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// What a store is called on the command line, without the name of its kind.
fn store_path(text: &str) -> &Path {
    Path::new(text.strip_prefix("redb:").unwrap_or(text))
}

fn copy_store(from: &str, to: &str) -> Result<CopySummary, String> {
    if plugins::is_database_address(from) {
        refuse_deciding_host(from)?;
    }
    with_source(store_path(from), |source| match plugins::is_database_address(to) {
        true => into_database(source, to),
        false => into_file(source, store_path(to)),
    })
}

/// Lets `copy` read a store; its own message is an error as well.
fn with_source(
    path: &Path,
    copy: impl FnOnce(&Ledger) -> Result<CopySummary, String>,
) -> Result<CopySummary, String> {
    let mut copied = Err(String::new());
    with_data_file(path, |ledger| {
        copied = copy(&ledger);
        Ok(())
    })?;
    copied
}

/// What a host that runs goes on receiving would be missing in the copy.
fn refuse_deciding_host(from: &str) -> Result<(), String> {
    let store = plugins::open_database(&database_address(from)?, false);
    let store = store.map_err(|error| error.to_string())?;
    let claim = LeaseClaim { address: "a copy".to_owned(), duration: LEASE_OF_COPY };
    match store.claim_lease(&claim).map_err(|error| error.to_string())? {
        DecidingLease::Held(term) => store.release_lease(term).map_err(|error| error.to_string()),
        DecidingLease::Elsewhere(address) => Err(format!(
            "the host at {address} decides on the database: stop all its hosts, then copy"
        )),
    }
}

fn into_database(source: &Ledger, to: &str) -> Result<CopySummary, String> {
    let address = database_address(to)?;
    let failed = |error: accredit_seams::store::StoreError| format!("`{address}`: {error}");
    let target = plugins::open_database(&address, true).map_err(failed)?;
    let store = target.open_handle(HandlePurpose::Alone);
    if accredit_ledger::backup::has_rows(&*store).map_err(failed)? {
        return Err(format!("`{address}` already has rows; copy into an empty database"));
    }
    target.begin_copy().map_err(failed)?;
    let copied = source.copy_into(store).map_err(failed)?;
    target.end_copy().map_err(failed)?;
    Ok(copied)
}

fn into_file(source: &Ledger, data: &Path) -> Result<CopySummary, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("`{}`: {error}", data.display());
    if data.exists() {
        return Err(cannot(&"it already exists; copy into a new file"));
    }
    // Under another name until it is whole.
    let folder = data.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = tempfile::tempdir_in(folder.unwrap_or(Path::new(".")));
    let folder = folder.map_err(|error| cannot(&error))?;
    let part = folder.path().join("part.redb");
    let store = plugins::open_store(&part).map_err(|error| cannot(&error))?;
    let copied = source.copy_into(store).map_err(|error| cannot(&error))?;
    plugins::compact_store(&part).map_err(|error| cannot(&error))?;
    std::fs::rename(&part, data).map_err(|error| cannot(&error))?;
    Ok(copied)
}
