//! `accredit audit`: who did what on a server, the whole of it as a file, and a key for checkpoints.
//!
//! Not verifying (`audit::verify`). Exit codes: 0 done and whole, 1 not, or it could not be found out.

mod verify;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret;

use crate::address;
use crate::audit_export::{EXPORT_COLUMNS, export_row};
use crate::checkpoint;
use crate::cli::print::destination::Destination;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::verify::with_data_file;
use crate::tabular;

/// Rows of a data file that are read at a time.
const PAGE_ROWS: usize = 1000;

/// The verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did what and when, newest first.
    List(AuditListArguments),
    /// Write the whole trail, oldest first, so that it can be verified without the server.
    Export(AuditExportArguments),
    /// Verify that no row was changed, removed or inserted, and that the trail is the one of its
    /// checkpoints.
    Verify(verify::AuditVerifyArguments),
    /// Make a key for checkpoints: the private one goes into a file, the public one is printed.
    Key(AuditKeyArguments),
}

/// Options of `audit list`.
#[derive(Debug, Args)]
pub(crate) struct AuditListArguments {
    /// Show only rows of this person.
    #[arg(long)]
    who: Option<String>,
    /// Show only rows with this action: `activated`, `proposed`, `released`.
    #[arg(long)]
    what: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// A format of a whole trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TrailFormat {
    /// A line of JSON a row.
    Ndjson,
    /// For spreadsheets.
    Csv,
}

/// Options of `audit export`.
#[derive(Debug, Args)]
pub(crate) struct AuditExportArguments {
    /// A data file that no server has open; takes precedence over a server.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format of the rows.
    #[arg(long, value_enum, default_value_t = TrailFormat::Ndjson)]
    format: TrailFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `audit key`.
#[derive(Debug, Args)]
pub(crate) struct AuditKeyArguments {
    /// The name of the key, which checkpoints begin with: one for each server, such as acme/accredit.
    name: String,
    /// The file for the private key; it must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(verb: &AuditCommand) -> u8 {
    let done = match verb {
        AuditCommand::List(options) => list_audit(options),
        AuditCommand::Export(options) => export_audit(options),
        AuditCommand::Verify(options) => verify::verify_audit(options),
        AuditCommand::Key(options) => make_key(options),
    };
    done.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        EXIT_FAILED
    })
}

fn list_audit(options: &AuditListArguments) -> Result<u8, String> {
    const COLUMNS: [&str; 6] = ["sequence", "at", "who", "what", "detail", "origin"];
    let part = |key: &str, value: &Option<String>| {
        let value = value.as_deref().map(address::encode_part);
        value.map(|value| format!("&{key}={value}")).unwrap_or_default()
    };

    let (who, what) = (part("who", &options.who), part("what", &options.what));
    let rows =
        options.server.make_client()?.get_all(&format!("/v1/audit?limit=1000{who}{what}"))?;

    match options.format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => output::print_table(&COLUMNS, &rows),
    }

    Ok(EXIT_OK)
}

impl TrailFormat {
    fn media_type(self) -> &'static str {
        match self {
            TrailFormat::Ndjson => "application/x-ndjson",
            TrailFormat::Csv => "text/csv",
        }
    }

    fn format_head(self) -> Result<Vec<u8>, String> {
        if self == TrailFormat::Csv { tabular::csv_header(&EXPORT_COLUMNS) } else { Ok(Vec::new()) }
    }

    fn format_row(self, stored: &[u8]) -> Result<Vec<u8>, String> {
        let row = export_row(stored);
        match self {
            TrailFormat::Csv => tabular::csv_rows(&EXPORT_COLUMNS, &[row]),
            TrailFormat::Ndjson => Ok(format!("{row}\n").into_bytes()),
        }
    }
}

fn export_audit(options: &AuditExportArguments) -> Result<u8, String> {
    let mut out = Destination::open(options.out.as_deref()).map_err(|error| error.to_string())?;
    let cannot = |error: io::Error| format!("the trail was not written: {error}");

    match &options.data {
        None => {
            let client = options.server.make_client()?;
            let mut rows = client.open_stream("/v1/audit", options.format.media_type())?;
            io::copy(&mut rows, &mut out).map_err(cannot)?;
        }
        Some(path) => {
            out.write_all(&options.format.format_head()?).map_err(cannot)?;
            let mut failed = None;
            with_data_file(path, |ledger| {
                let mut from = 1;
                loop {
                    let rows = ledger.trail_rows(from, PAGE_ROWS)?;
                    let Some((last, _)) = rows.last() else { return Ok(()) };
                    from = last.saturating_add(1);
                    for (_, stored) in &rows {
                        let written = options
                            .format
                            .format_row(stored)
                            .and_then(|row| out.write_all(&row).map_err(cannot));
                        if let Err(why) = written {
                            failed = Some(why);
                            return Ok(());
                        }
                    }
                }
            })?;
            if let Some(why) = failed {
                return Err(why);
            }
        }
    }
    out.finish().map_err(cannot)?;
    Ok(EXIT_OK)
}

/// The private key goes into a file that its owner alone may read.
fn make_key(options: &AuditKeyArguments) -> Result<u8, String> {
    use std::os::unix::fs::OpenOptionsExt;

    let path = &options.out;
    let cannot = |error: io::Error| format!("`{}`: {error}", path.display());
    let key = checkpoint::new_key(&options.name)?;
    let public = checkpoint::public_text(&key)?;

    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    writeln!(file, "{}", key.expose_secret()).and_then(|()| file.sync_all()).map_err(cannot)?;

    eprintln!("the private key is in `{}`; `--key` of `accredit audit verify` is:", path.display());
    output::print_line(&public);
    Ok(EXIT_OK)
}
