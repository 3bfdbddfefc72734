//! `accredit lsp`: the language server of an editor, over standard input and output, until the editor leaves.

use std::io::{self, BufReader};

use crate::cli::print::output::{EXIT_FAILED, EXIT_OK};
use crate::language_server::session;

/// Serves an editor over standard input and output.
#[derive(Debug, clap::Args)]
pub(crate) struct LspArguments {
    /// Accepted, since editors add it: there is no other way.
    #[arg(long)]
    stdio: bool,
}

/// Runs the verb: exit 1 when the editor left without `shutdown`.
pub(crate) fn run(_arguments: &LspArguments) -> u8 {
    match session::serve(BufReader::new(io::stdin()), io::stdout()) {
        Ok(true) => EXIT_OK,
        Ok(false) => EXIT_FAILED,
        Err(error) => {
            eprintln!("error: the editor's messages cannot be read or answered: {error}");
            EXIT_FAILED
        }
    }
}
