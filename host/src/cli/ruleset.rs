//! `accredit ruleset`: pin the rules of a directory in one file, and show what such a file has.
//!
//! Not the file (`crate::pinned`). Where it was written goes to standard output, refusals to standard
//! error.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use crate::cli::print::destination::Destination;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::results::calculate::memory;
use crate::pinned::{ENDING, PinnedRuleset};

/// The verbs of `ruleset`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesetCommand {
    /// Write everything that a decision needs into one file: a pinned ruleset, for `worker`.
    Export {
        /// A customer's directory.
        dir: PathBuf,
        /// The file to write; in a folder it is called by the hash of the rules.
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify a pinned ruleset, and show what it has.
    Show {
        /// The pinned ruleset.
        file: PathBuf,
        /// Format on standard output.
        #[arg(long, value_enum, default_value_t = DataFormat::Table)]
        format: DataFormat,
    },
}

/// Runs the verb: exit 1 when it is refused.
pub(crate) fn run(verb: &RulesetCommand) -> u8 {
    let done = match verb {
        RulesetCommand::Export { dir, out } => export_ruleset(dir, out),
        RulesetCommand::Show { file, format } => show_ruleset(file, *format),
    };
    done.map_or_else(
        |refused| {
            eprintln!("error: {refused}");
            EXIT_FAILED
        },
        |()| EXIT_OK,
    )
}

fn export_ruleset(dir: &Path, out: &Path) -> Result<(), String> {
    let room = memory::room_for_deals(None, None);
    let pinned = PinnedRuleset::of_directory(dir, &room).map_err(|error| error.to_string())?;

    let out = match out.is_dir() {
        true => out.join(format!("{}.{ENDING}", pinned.ruleset.hash)),
        false => out.to_owned(),
    };
    let write = || {
        let mut file = Destination::open(Some(&out))?;
        file.write_all(&pinned.to_bytes()?)?;
        file.finish()
    };
    write().map_err(|error| {
        format!("{} cannot be written: {error}; name a file in a folder that exists", out.display())
    })?;

    if out != Path::new("-") {
        output::print_line(&out.display().to_string());
    }
    eprintln!("{}: {} files", pinned.ruleset.hash, pinned.ruleset.files.len());
    Ok(())
}

/// What a pinned ruleset has.
#[derive(Debug, Serialize)]
struct RulesetView<'a> {
    /// The hash of the rules.
    ruleset: &'a str,
    /// The hash of the file's content.
    digest: &'a str,
    /// The version of the language of policies.
    language: &'a str,
    /// Its plans.
    plans: Vec<&'a str>,
    /// The columns that transactions have.
    columns: Vec<&'a str>,
    /// Its files.
    files: Vec<FileView<'a>>,
}

/// A file of a pinned ruleset.
#[derive(Debug, Serialize)]
struct FileView<'a> {
    /// Its path.
    path: &'a str,
    /// Its size.
    bytes: usize,
}

const COLUMNS: [&str; 2] = ["path", "bytes"];

fn show_ruleset(file: &Path, format: DataFormat) -> Result<(), String> {
    let pinned = PinnedRuleset::read(file).map_err(|error| error.to_string())?;
    let ruleset = &pinned.ruleset;
    let files = ruleset.files.iter();
    let view = RulesetView {
        ruleset: &ruleset.hash,
        digest: &pinned.digest,
        language: accredit_workspace::POLICY_LANGUAGE,
        plans: ruleset.plans.keys().map(|plan| &**plan).collect(),
        columns: pinned.columns.iter().map(String::as_str).collect(),
        files: files.map(|(path, text)| FileView { path, bytes: text.len() }).collect(),
    };

    let rows: Vec<_> = view.files.iter().map(output::view_json).collect();
    match format {
        DataFormat::Json => output::print_json(&view),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => {
            let RulesetView { ruleset, digest, language, .. } = &view;
            output::print_line(&format!("ruleset  {ruleset}, language {language}"));
            output::print_line(&format!("digest   {digest}"));
            output::print_line(&format!("plans    {}", view.plans.join(", ")));
            output::print_table(&COLUMNS, &rows);
        }
    }
    Ok(())
}
