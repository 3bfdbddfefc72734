//! `accredit bundle`: pack, install, upgrade, list, remove.
//!
//! Not the work (`crate::bundle`). What was done goes to standard output, refusals to standard error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::bundle::{self, Archive, BundleError, BundleLock, InstallRequest};
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_NOTHING, EXIT_OK};
use crate::cli::print::report;

/// The verbs of `bundle`.
#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Pack a directory with a plugin.toml into one file, once its cases pass.
    Pack {
        /// The bundle's directory.
        dir: PathBuf,
        /// The bundle file to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// A file with an ed25519 key for the signature: 32 random bytes in base64.
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
    },
    /// Install a bundle into a customer's directory.
    Install(InstallArguments),
    /// Replace an installed bundle by another version of it.
    Upgrade(InstallArguments),
    /// Show the bundles of a customer's directory.
    List {
        /// A customer's directory.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
        /// Format on standard output.
        #[arg(long, value_enum, default_value_t = DataFormat::Table)]
        format: DataFormat,
    },
    /// Remove a bundle from a customer's directory.
    Remove {
        /// The bundle's name.
        name: String,
        /// A customer's directory.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
        /// Remove it even if files were edited or are still needed.
        #[arg(long)]
        force: bool,
    },
}

/// What is installed, where and how.
#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    /// The bundle file.
    file: PathBuf,
    /// A customer's directory.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Require a signature with this public key, in base64 or in a file.
    #[arg(long, value_name = "PUBKEY")]
    verify: Option<String>,
    /// Set a constant that the bundle declares as a setting.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    /// Overwrite edited files and files of others, and allow an older version.
    #[arg(long)]
    force: bool,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs the verb: exit 1 when it is refused, 3 when there is no bundle to list.
pub(crate) fn run(verb: &BundleCommand) -> u8 {
    let done = match verb {
        BundleCommand::Pack { dir, output, sign } => pack_directory(dir, output, sign.as_deref()),
        BundleCommand::Install(change) => install_archive(change, false),
        BundleCommand::Upgrade(change) => install_archive(change, true),
        BundleCommand::List { dir, format } => list_bundles(dir, *format),
        BundleCommand::Remove { name, dir, force } => remove_installed(dir, name, *force),
    };
    done.unwrap_or_else(|refused| {
        eprint!("{}", report::render_report(&refused.files, &refused.diagnostics));
        eprintln!("error: {refused}");
        EXIT_FAILED
    })
}

fn pack_directory(dir: &Path, out: &Path, sign: Option<&Path>) -> Result<u8, BundleError> {
    let archive = bundle::pack_bundle(dir, out, sign)?;
    let (title, count) = (archive.title(), archive.files.len());
    output::print_line(&format!("{title}: {count} files in {}, {}", out.display(), archive.signed));
    Ok(EXIT_OK)
}

fn install_archive(change: &InstallArguments, upgrade: bool) -> Result<u8, BundleError> {
    let archive = Archive::read(&change.file, change.verify.as_deref())?;
    let settings: BTreeMap<String, String> = change.set.iter().cloned().collect();
    let wish = InstallRequest { upgrade, force: change.force, settings };
    let written = bundle::install_bundle(&change.dir, &archive, &wish)?;

    // Paths go to standard output, for programs; what people read does not.
    written.iter().for_each(|path| output::print_line(path));
    eprintln!("{} is installed, {}", archive.title(), archive.signed);

    for (name, setting) in &archive.manifest.settings {
        let (kind, description) = (setting.kind.name(), &setting.description);
        eprintln!("  --set {name}={kind}  {description}");
    }
    Ok(EXIT_OK)
}

const COLUMNS: [&str; 7] =
    ["name", "version", "description", "signed", "files", "edited", "settings"];

/// A bundle that is installed.
#[derive(Debug, Serialize)]
struct BundleView<'a> {
    /// Its name.
    name: &'a str,
    /// Its version.
    version: String,
    /// What it is for.
    description: &'a str,
    /// `no`, or the key that signed it and whether the signature was verified.
    signed: String,
    /// Its files.
    files: BundleFilesView<'a>,
    /// The paths of files that were edited since, with blanks between them.
    edited: String,
    /// `NAME=VALUE` of each setting, with blanks between them.
    settings: String,
}

/// The files of a bundle.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum BundleFilesView<'a> {
    /// Their paths, for programs.
    Paths(Vec<&'a String>),
    /// How many, for people.
    Count(usize),
}

fn list_bundles(dir: &Path, format: DataFormat) -> Result<u8, BundleError> {
    let lock = BundleLock::read(dir)?;
    let rows = lock.bundle.iter().map(|one| {
        let signed = match (&one.signed, one.verified) {
            (None, _) => "no".to_owned(),
            (Some(key), true) => format!("{key} (verified)"),
            (Some(key), false) => format!("{key} (not verified)"),
        };

        let settings: Vec<String> =
            one.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let files: Vec<&String> = one.files.keys().collect();

        let files = match format {
            DataFormat::Json => BundleFilesView::Paths(files),
            DataFormat::Csv | DataFormat::Table => BundleFilesView::Count(files.len()),
        };

        output::view_json(&BundleView {
            name: &one.name,
            version: one.version.to_string(),
            description: &one.description,
            signed,
            files,
            edited: bundle::edited_files(dir, one).join(" "),
            settings: settings.join(" "),
        })
    });

    let rows: Vec<_> = rows.collect();
    match format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => output::print_table(&COLUMNS, &rows),
    }

    Ok(if rows.is_empty() { EXIT_NOTHING } else { EXIT_OK })
}

fn remove_installed(dir: &Path, name: &str, force: bool) -> Result<u8, BundleError> {
    let removed = bundle::remove_bundle(dir, name, force)?;
    removed.iter().for_each(|path| output::print_line(path));
    eprintln!("{name} is removed");
    Ok(EXIT_OK)
}
