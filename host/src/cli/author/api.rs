//! `accredit api`: the reference of the policy language, for people and for editors.

use accredit_script::reference;
use clap::{Args, ValueEnum};

use crate::cli::print::output::{self, EXIT_OK};

/// Shows the fields and functions that policies can use.
#[derive(Debug, Args)]
pub(crate) struct ApiArguments {
    /// The format: `rhai` for editors, `md` for people.
    #[arg(long, value_enum, default_value_t = ApiReader::Md)]
    format: ApiReader,
}

/// Formats of the reference.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ApiReader {
    /// Editors: a Rhai definition file.
    Rhai,
    /// People: Markdown.
    Md,
}

/// Runs the verb.
pub(crate) fn run(arguments: &ApiArguments) -> u8 {
    let text = match arguments.format {
        ApiReader::Rhai => reference::rhai_definitions(),
        ApiReader::Md => reference::markdown(),
    };
    output::print_line(text.trim_end());
    EXIT_OK
}
