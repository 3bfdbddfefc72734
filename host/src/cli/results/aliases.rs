//! `accredit aliases`: every alias of a directory, when it holds and what it means.
//!
//! Source: seed 001 ("How can I view all aliases").

use std::path::PathBuf;

use accredit_domain::organization::aliases::ALIAS_COLUMNS;
use serde_json::Value as Json;

use crate::cli::print::output::{self, DataFormat, EXIT_NOTHING, EXIT_OK};
use crate::cli::results::calculate::{InputArguments, InputOptions};

/// Lists aliases.
#[derive(Debug, clap::Args)]
pub(crate) struct AliasesArguments {
    /// A customer's directory.
    dir: PathBuf,
    /// List only aliases, ids and names that contain this text, ignoring case.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// List only aliases of this kind.
    #[arg(long, value_parser = ["participant", "position", "team"])]
    kind: Option<String>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// Runs the verb.
pub(crate) fn run(arguments: &AliasesArguments) -> u8 {
    let input = InputArguments { dir: arguments.dir.clone(), options: InputOptions::default() };
    let loaded = match input.load_directory() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let mut all = loaded.ruleset.organization.all_aliases();
    all.retain(|row| row.matches_filter(arguments.search.as_deref(), arguments.kind.as_deref()));

    let rows =
        || -> Vec<Json> { all.iter().filter_map(|row| serde_json::to_value(row).ok()).collect() };

    match arguments.format {
        DataFormat::Json => output::print_json(&all),
        DataFormat::Csv => output::print_csv(&ALIAS_COLUMNS, &rows()),
        DataFormat::Table => output::print_table(&ALIAS_COLUMNS, &rows()),
    }

    if all.is_empty() { EXIT_NOTHING } else { EXIT_OK }
}
