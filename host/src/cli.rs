//! The command line: one verb a file.
//!
//! Not the work of a verb. Exit codes: 0 done, 1 failed, 2 usage.

pub(crate) mod release;
pub(crate) mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Decides who gets credit for a sale.
#[derive(Debug, Parser)]
#[command(name = "accredit", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check a directory and show what is wrong with it.
    Check,
    /// Decide the transactions of a period.
    Calculate,
    /// Show why a transaction was credited as it was.
    Explain,
    /// Run the cases beside policies and plans.
    Test,
    /// A sample company, served.
    Demo,
    /// Receive webhooks and serve the API.
    Serve(serve::Options),
    /// Release held credits on a server.
    Release(release::Options),
    /// Show the version.
    Version,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON document.
    Json,
    /// A header row, then a row each.
    Csv,
    /// For reading.
    Table,
}

/// Runs the verb that the command line names.
pub(crate) fn run() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Serve(options) => serve::run(options),
        Verb::Release(options) => release::run(&options),
        Verb::Version => {
            println!("accredit {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Verb::Check | Verb::Calculate | Verb::Explain | Verb::Test | Verb::Demo => {
            eprintln!("error: this verb is not in this build");
            ExitCode::from(2)
        }
    }
}
