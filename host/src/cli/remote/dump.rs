//! `accredit dump` and `accredit restore`: a data file as lines of text, and back from them or from a
//! backup.
//!
//! Not the format of dumps and the copying of rows (the ledger's `dump` and `backup`). Nothing is written
//! to the file that is dumped. Exit codes: 0 done, 1 not, or not wholly.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use accredit_ledger::dump::restore_dump;
use accredit_seams::store::StoreError;
use clap::Args;

use crate::cli::print::output::{EXIT_FAILED, EXIT_OK};
use crate::cli::remote::verify::with_data_file;
use crate::plugins;
use crate::server::backups::{self, BackupSummary};

/// What every data file begins with.
const DATA_FILE_START: &[u8] = b"redb";

/// Options of `dump`.
#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    /// A data file that no server has open.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Write the dump to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Skip and count damaged rows instead of stopping at the first one.
    #[arg(long)]
    skip_damaged: bool,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The data file to create; it must not exist.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// A file that `dump` wrote, or a backup.
    #[arg(value_name = "FILE")]
    source: PathBuf,
}

/// Runs `dump`.
pub(crate) fn run_dump(options: &DumpArguments) -> u8 {
    let done = match &options.out {
        None => write_dump(options, &mut BufWriter::new(std::io::stdout().lock())),
        Some(path) => to_file(options, path),
    };

    match done {
        Ok(0) => EXIT_OK,
        Ok(skipped) => {
            eprintln!("error: {skipped} damaged rows were left out; compare with a backup");
            EXIT_FAILED
        }

        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// Dumps, and gives the number of rows that were left out.
fn write_dump(options: &DumpArguments, out: &mut dyn Write) -> Result<u64, String> {
    let version = env!("CARGO_PKG_VERSION");
    let is_lenient = options.skip_damaged;
    let dumped = with_data_file(&options.data, |ledger| ledger.dump(version, is_lenient, out))?;
    eprintln!("{} rows", dumped.rows);
    Ok(dumped.skipped)
}

/// A dump that ends early leaves no file that looks like one.
fn to_file(options: &DumpArguments, path: &Path) -> Result<u64, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    let file = file.map_err(|error| cannot(&error))?;

    let mut out = BufWriter::new(&file);
    let skipped = write_dump(options, &mut out)?;
    drop(out);
    file.as_file().sync_all().map_err(|error| cannot(&error))?;

    // A dump never takes the place of another file.
    file.persist_noclobber(path).map_err(|error| cannot(&error.error))?;
    Ok(skipped)
}

/// Runs `restore`.
pub(crate) fn run_restore(options: &RestoreArguments) -> u8 {
    match restore_data_file(options) {
        Ok(rows) => {
            eprintln!("{rows} rows; check them with `accredit verify`");
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn restore_data_file(options: &RestoreArguments) -> Result<u64, String> {
    let (data, source) = (&options.data, &options.source);
    let cannot =
        |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());

    if data.to_str().is_some_and(plugins::is_database_address) {
        let what = "restore into a file, then copy it into the database with `accredit migrate`";
        return Err(what.to_owned());
    }
    if data.exists() {
        return Err(cannot(data, &"it already exists; restore into a new file"));
    }

    let mut lines = BufReader::new(File::open(source).map_err(|error| cannot(source, &error))?);
    let begin = lines.fill_buf().map_err(|error| cannot(source, &error))?;
    let is_backup = begin.starts_with(DATA_FILE_START);

    // Under another name until it is whole.
    let folder = data.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = tempfile::tempdir_in(folder.unwrap_or(Path::new(".")));
    let folder = folder.map_err(|error| cannot(data, &error))?;
    let part = folder.path().join("part.redb");
    let rows = if is_backup {
        restore_backup(source, &part)?
    } else {
        let done: Result<_, StoreError> =
            plugins::open_store(&part).and_then(|store| restore_dump(store, &mut lines));
        done.map_err(|error| cannot(source, &error))?.rows
    };

    std::fs::rename(&part, data).map_err(|error| cannot(data, &error))?;

    Ok(rows)
}

/// Copies a backup into a new data file, and compares it with the summary beside the backup.
fn restore_backup(backup: &Path, part: &Path) -> Result<u64, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("`{}`: {error}", backup.display());
    let copied = with_data_file(backup, |ledger| ledger.copy_into(plugins::open_store(part)?))?;

    let summary = backups::summary_path(backup);
    if !summary.is_file() {
        eprintln!("note: `{}` is missing, so nothing was compared with it", summary.display());
        return Ok(copied.rows);
    }
    let text = std::fs::read(&summary).map_err(|error| cannot(&error))?;
    let known: BackupSummary = serde_json::from_slice(&text)
        .map_err(|error| format!("`{}`: {error}", summary.display()))?;
    if known.content != copied {
        return Err(cannot(
            &"it does not have the rows that its summary names: use another backup",
        ));
    }
    eprintln!("as it was on {}, written by accredit {}", known.at, known.version);
    Ok(copied.rows)
}
