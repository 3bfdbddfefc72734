//! `accredit aliases`: every alias of a directory, when it holds and what it means.
//!
//! Source: seed 001 ("How can I view all aliases").

use std::path::PathBuf;

use accredit_domain::organization::aliases::ALIAS_COLUMNS;
use serde_json::Value as Json;

use crate::cli::print::output::{self, EXIT_NOTHING, EXIT_OK, Format};
use crate::cli::results::calculate::Input;

/// Lists aliases.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// Only aliases, ids and names that contain this, in any case.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those of a participant, position or team.
    #[arg(long, value_parser = ["participant", "position", "team"])]
    kind: Option<String>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let input = Input { dir: arguments.dir.clone(), plan: None, as_of: None, transactions: None };
    let loaded = match input.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let mut all = loaded.ruleset.organization.aliases();
    all.retain(|row| row.fits(arguments.search.as_deref(), arguments.kind.as_deref()));

    let rows =
        || -> Vec<Json> { all.iter().filter_map(|row| serde_json::to_value(row).ok()).collect() };

    match arguments.format {
        Format::Json => output::json(&all),
        Format::Csv => output::csv(&ALIAS_COLUMNS, &rows()),
        Format::Table => output::table(&ALIAS_COLUMNS, &rows()),
    }

    if all.is_empty() { EXIT_NOTHING } else { EXIT_OK }
}
