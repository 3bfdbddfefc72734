//! `accredit migrate`: every row of a store in another one, of the same or of another kind.
//!
//! Not the copying itself (the ledger's `backup`), which reads the copy again and compares a digest of all
//! rows. Exit codes: 0 done, 1 not.

use std::path::Path;
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::backup::CopySummary;
use accredit_seams::store::shared::{DecidingLease, HandlePurpose, LeaseClaim, SharedStore};
use accredit_seams::store::{Store, StoreError};
use clap::Args;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::verify::{look_at_store, with_data_file};
use crate::cli::run::hosts::database_address;
use crate::plugins;
use crate::server::config::LEASE_OF_COPY;
use crate::server::hosts::LeaseKeeper;

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

/// A database with the rows, whose lease this process holds: no host decides on it meanwhile.
struct HeldSource {
    store: Arc<dyn SharedStore>,
    keeper: LeaseKeeper,
    term: u64,
    /// Its address, without the password.
    shown: String,
}

impl HeldSource {
    /// # Errors
    /// When a host decides on it, or it cannot be reached.
    fn take(from: &str) -> Result<HeldSource, String> {
        let address = database_address(from)?;
        let store = plugins::open_database(&address, false).map_err(|error| error.to_string())?;
        let claim = LeaseClaim { address: "a copy".to_owned(), duration: LEASE_OF_COPY };
        let keeper = LeaseKeeper::start(Arc::clone(&store), claim)?;
        match keeper.current() {
            DecidingLease::Held(term) => {
                Ok(HeldSource { store, keeper, term, shown: address.to_string() })
            }
            DecidingLease::Elsewhere(decider) => {
                keeper.release();
                Err(format!(
                    "the host at {decider} decides on the database: stop all its hosts, then copy"
                ))
            }
        }
    }

    fn open_handle(&self) -> Arc<dyn Store> {
        self.store.open_handle(HandlePurpose::Term(self.term))
    }

    /// How many commits there were, those that take the lease included.
    fn count_commits(&self) -> Result<Option<u64>, String> {
        let count = self.open_handle().shared_commit_count();
        count.map_err(|error| format!("`{}`: {error}", self.shown))
    }
}

fn copy_store(from: &str, to: &str) -> Result<CopySummary, String> {
    if !plugins::is_database_address(from) {
        let path = store_path(from);
        return copy_looked_at(to, |look| with_data_file(path, look), &|| Ok(None));
    }
    let source = HeldSource::take(from)?;
    let look_at =
        |look: LookAt<'_>| look_at_store(&source.shown, || Ok(source.open_handle()), look);
    let copied = copy_looked_at(to, look_at, &|| source.count_commits());
    source.keeper.release();
    copied
}

/// What a copy does with the ledger of its source.
type LookAt<'a> = Box<dyn FnOnce(Ledger) -> Result<(), StoreError> + 'a>;

/// Copies what `look_at` shows; `count` counts the commits in a source that others may write.
fn copy_looked_at(
    to: &str,
    look_at: impl FnOnce(LookAt<'_>) -> Result<(), String>,
    count: &dyn Fn() -> Result<Option<u64>, String>,
) -> Result<CopySummary, String> {
    // The message of a copy that fails is an error as well.
    let mut copied = Err(String::new());
    look_at(Box::new(|ledger: Ledger| {
        copied = copy_ledger(&ledger, to, count);
        Ok(())
    }))?;
    copied
}

fn copy_ledger(
    source: &Ledger,
    to: &str,
    count: &dyn Fn() -> Result<Option<u64>, String>,
) -> Result<CopySummary, String> {
    let known = count()?;
    // What a host goes on receiving would be missing in the copy.
    let require_unchanged = || match count()? == known {
        true => Ok(()),
        false => Err(
            "the database was written meanwhile: stop all its hosts, then copy into a new place"
                .to_owned(),
        ),
    };
    match plugins::is_database_address(to) {
        true => into_database(source, to, &require_unchanged),
        false => into_file(source, store_path(to), &require_unchanged),
    }
}

fn into_database(
    source: &Ledger,
    to: &str,
    require_unchanged: &dyn Fn() -> Result<(), String>,
) -> Result<CopySummary, String> {
    let address = database_address(to)?;
    let failed = |error: StoreError| format!("`{address}`: {error}");
    let target = plugins::open_database(&address, true).map_err(failed)?;
    let store = target.open_handle(HandlePurpose::Alone);
    if accredit_ledger::backup::has_rows(&*store).map_err(failed)? {
        return Err(format!("`{address}` already has rows; copy into an empty database"));
    }
    target.begin_copy().map_err(failed)?;
    let copied = source.copy_into(store).map_err(failed)?;
    require_unchanged()?;
    target.end_copy().map_err(failed)?;
    Ok(copied)
}

fn into_file(
    source: &Ledger,
    data: &Path,
    require_unchanged: &dyn Fn() -> Result<(), String>,
) -> Result<CopySummary, String> {
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
    require_unchanged()?;
    plugins::compact_store(&part).map_err(|error| cannot(&error))?;
    std::fs::rename(&part, data).map_err(|error| cannot(&error))?;
    Ok(copied)
}
