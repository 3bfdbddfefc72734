//! `accredit schema`: JSON Schemas, for editors and for anyone who reads what comes out.

use accredit_workspace::schema::{DOCUMENTS, document_schema};
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::cli::print::output::{self, EXIT_NOTHING, EXIT_OK};

/// Shows a JSON Schema.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The document: `settings` is accredit.toml, `calculation` is the output of `calculate
    /// --plan`.
    #[arg(value_parser = PossibleValuesParser::new(DOCUMENTS))]
    document: String,
}

/// Runs the verb.
pub(crate) fn run(arguments: &SchemaArguments) -> u8 {
    let Some(schema) = document_schema(&arguments.document) else { return EXIT_NOTHING };
    output::print_line(&serde_json::to_string_pretty(&schema).unwrap_or_default());
    EXIT_OK
}
