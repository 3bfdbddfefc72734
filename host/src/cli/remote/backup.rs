//! `accredit backup`: a copy of a data file, made by the server that has it open, or of a file that
//! none has open.
//!
//! Not when a server makes backups by itself (`serve --backups`). Exit codes: 0 done, 1 not.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value as Json;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::verify::with_data_file;
use crate::server::backups;
use crate::server::clock::HostClock;
use crate::server::config::BackupPlan;

/// Options of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// A data file that no server has open; takes precedence over a server.
    #[arg(long, value_name = "FILE", requires = "out")]
    data: Option<PathBuf>,
    /// The folder for the backup of a data file; a server has its own.
    #[arg(long, value_name = "DIR", requires = "data")]
    out: Option<PathBuf>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Runs the verb.
pub(crate) fn run(options: &BackupArguments) -> u8 {
    let made = match (&options.data, &options.out) {
        (Some(data), Some(folder)) => of_file(data, folder),
        _ => {
            options.server.make_client().and_then(|client| client.post("/v1/backups", &Json::Null))
        }
    };
    match made {
        Ok(summary) => {
            output::print_json(&summary);
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// Backs up a file; older backups in the folder are left alone.
fn of_file(data: &Path, folder: &Path) -> Result<Json, String> {
    let plan = BackupPlan { folder: folder.to_owned(), every: None, keep: usize::MAX };
    let now_ms = HostClock { business_date: None }.now_ms();
    with_data_file(data, |ledger| Ok(backups::make_backup(&ledger, now_ms, &plan)?.0))
        .map(|summary| output::view_json(&summary))
}
