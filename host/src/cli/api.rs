//! `accredit api`: the reference of the policy language, for people and for editors.

use accredit_script::reference;
use clap::{Args, ValueEnum};

use crate::cli::output::{self, EXIT_OK};

/// Shows what policies see and call.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// For whom.
    #[arg(long, value_enum, default_value_t = Reader::Md)]
    format: Reader,
}

/// Who reads the reference.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reader {
    /// Editors: a Rhai definition file.
    Rhai,
    /// People: Markdown.
    Md,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let text = match arguments.format {
        Reader::Rhai => reference::definitions(),
        Reader::Md => reference::markdown(),
    };
    output::line(text.trim_end());
    EXIT_OK
}
