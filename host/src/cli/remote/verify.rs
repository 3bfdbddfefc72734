//! `accredit verify`: every recorded decision made again and compared, on a data file or a server.
//!
//! Exit codes: 0 all come out alike, 1 some do not or cannot be read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_operations::verify::{VerifyParams, verify_decisions};
use accredit_seams::store::shared::HandlePurpose;
use accredit_seams::store::{Store, StoreError};
use clap::Args;
use serde_json::Value as Json;

use crate::address;
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::run::hosts::database_address;
use crate::plugins;

/// Options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// A data file that no server has open; takes precedence over a server.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    server: ServerAddress,
    /// Verify only decisions of this plan.
    #[arg(long)]
    plan: Option<String>,
    /// Verify only decisions of this period: a month, a quarter or a year.
    #[arg(long)]
    period: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(options: &VerifyArguments) -> u8 {
    let verified = match &options.data {
        Some(path) => on_file(path, options),
        None => on_server(options),
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(message) => {
            eprintln!("error: {message}");
            return EXIT_FAILED;
        }
    };

    let count = |key: &str| verified.get(key).and_then(Json::as_u64).unwrap_or_default();
    let (decisions, differing) = (count("decisions"), count("differing"));

    output::print_json(&verified);

    let damage = verified.get("damage").and_then(Json::as_array).map_or(0, Vec::len);
    eprintln!("{decisions} decisions and {} rewards, {differing} differ", count("rewards"));

    if damage > 0 {
        eprintln!("the data file is damaged: {damage} stored rows were changed");
    }

    if differing == 0 && damage == 0 { EXIT_OK } else { EXIT_FAILED }
}

/// Looks at a data file that no server has open, or at a database; nothing is written to it. Any failure
/// on a damaged file, also in libraries, becomes an error message.
pub(crate) fn with_data_file<T>(
    path: &Path,
    look: impl FnOnce(Ledger) -> Result<T, StoreError>,
) -> Result<T, String> {
    let database = path.to_str().filter(|path| plugins::is_database_address(path));
    let database = database.map(database_address).transpose()?;
    let shown = match &database {
        Some(address) => address.to_string(),
        None => path.display().to_string(),
    };
    let cannot = |error: &dyn std::fmt::Display| format!("`{shown}`: {error}");
    if database.is_none() && !path.is_file() {
        return Err(cannot(&"the file does not exist"));
    }

    let open = || -> Result<Arc<dyn Store>, StoreError> {
        match &database {
            // Hosts may go on meanwhile.
            Some(address) => {
                Ok(plugins::open_database(address, false)?.open_handle(HandlePurpose::Alone))
            }
            None => plugins::open_store_read_only(path),
        }
    };
    look_at_store(&shown, open, look)
}

/// Looks at a store that `open` opens, shown as `shown`, as [`with_data_file`] does.
pub(crate) fn look_at_store<T>(
    shown: &str,
    open: impl FnOnce() -> Result<Arc<dyn Store>, StoreError>,
    look: impl FnOnce(Ledger) -> Result<T, StoreError>,
) -> Result<T, String> {
    // The words are the error; the place of a panic in the program would be of no use.
    std::panic::set_hook(Box::new(|_| ()));

    let looked = catch_unwind(AssertUnwindSafe(|| look(Ledger::open(open()?)?)));

    // The hook of a program that continues, such as a test.
    drop(std::panic::take_hook());

    let fell = |_| Err(StoreError::Damaged("the program failed while reading it".to_owned()));
    looked.unwrap_or_else(fell).map_err(|error| format!("`{shown}`: {error}"))
}

fn on_file(path: &Path, options: &VerifyArguments) -> Result<Json, String> {
    let wanted = VerifyParams { plan: options.plan.clone(), period: options.period.clone() };
    with_data_file(path, |ledger| verify_decisions(&ledger, &wanted))
        .map(|verified| output::view_json(&verified))
}

fn on_server(options: &VerifyArguments) -> Result<Json, String> {
    let client = options.server.make_client()?;
    let part = |key: &str, value: &Option<String>| {
        Some(format!("{key}={}", address::encode_part(value.as_deref()?)))
    };
    let parts = [part("plan", &options.plan), part("period", &options.period)];
    let query: Vec<String> = parts.into_iter().flatten().collect();
    client.get(&format!("/v1/verify?{}", query.join("&")))
}
