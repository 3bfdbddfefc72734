//! `accredit new`: a customer's directory to begin with, small or from a template, or one more plan
//! or policy with its cases.
//!
//! Not an upgrade of something that is there: no file is ever overwritten.

mod plan;
mod policy;
mod source;
mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use accredit_workspace::schema::document_schema;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};

/// Creates a customer's directory, or a plan, policy or source in one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct NewArguments {
    #[command(subcommand)]
    what: Option<NewCommand>,
    /// The directory to create.
    #[arg(required = true)]
    dir: Option<PathBuf>,
    /// Begin with a whole customer: plans, organisation, deals and cases.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(template::names()))]
    template: Option<String>,
}

#[derive(Debug, Subcommand)]
enum NewCommand {
    /// Create a plan with a credit rule, a manager rule and a commission, and a case file beside it.
    Plan(plan::NewPlanArguments),
    /// Create a policy of a kind, with a case file beside it.
    Policy(policy::NewPolicyArguments),
    /// Create a source of webhooks: its settings, and an intake policy with its cases.
    Source(source::NewSourceArguments),
}

/// The files of a new directory without a template.
const STARTER: &[(&str, &str)] = &[
    ("accredit.toml", include_str!("new/starter/accredit.toml")),
    ("organization/participants.csv", include_str!("new/starter/participants.csv")),
    ("organization/positions.csv", include_str!("new/starter/positions.csv")),
    ("organization/assignments.csv", include_str!("new/starter/assignments.csv")),
    ("plans/reps.toml", include_str!("new/starter/plan.toml")),
    ("policies/crediting/large-deals.rhai", include_str!("new/starter/policy.rhai")),
    ("policies/crediting/large-deals.cases.md", include_str!("new/starter/policy.cases.md")),
    ("transactions/deals.csv", include_str!("new/starter/deals.csv")),
];

/// Settings of an editor, beside the files of every new directory; schemas are written beside them.
const EDITOR: &[(&str, &str)] = &[
    (".vscode/settings.json", include_str!("new/starter/vscode-settings.json")),
    (".vscode/extensions.json", include_str!("new/starter/vscode-extensions.json")),
];

/// Where an editor finds what may stand in a file: the lines `#:schema` name these.
const SCHEMAS: [(&str, &str); 2] =
    [(".schema/settings.json", "settings"), (".schema/plan.json", "plan")];

/// Runs the verb: exit 1 when something is there already.
pub(crate) fn run(arguments: &NewArguments) -> u8 {
    match (&arguments.what, &arguments.dir) {
        (Some(NewCommand::Plan(options)), _) => plan::run(options),
        (Some(NewCommand::Policy(options)), _) => policy::run(options),
        (Some(NewCommand::Source(options)), _) => source::run(options),

        (None, Some(dir)) => {
            let name = dir.file_name().map_or("Acme".into(), |name| name.to_string_lossy());
            let name = name.replace(['"', '\\'], "");
            let template = arguments.template.as_deref().and_then(template::find_template);
            let files = template.map_or(STARTER, |template| template.files).iter().chain(EDITOR);
            let files =
                files.map(|(path, text)| (*path, text.replace("\"NAME\"", &format!("{name:?}"))));

            let schemas = SCHEMAS.iter().filter_map(|(path, document)| {
                let text = serde_json::to_string_pretty(&document_schema(document)?).ok()?;
                Some((*path, format!("{text}\n")))
            });
            let files: Vec<(&str, String)> = files.chain(schemas).collect();

            write_new_files(dir, &files)
        }

        (None, None) => EXIT_FAILED,
    }
}

/// Writes files that must not be there yet, and says which.
fn write_new_files(dir: &Path, files: &[(impl AsRef<str>, String)]) -> u8 {
    let there = files.iter().find(|(path, _)| dir.join(path.as_ref()).exists());
    if let Some((path, _)) = there {
        eprintln!("error: `{}` already exists", dir.join(path.as_ref()).display());
        return EXIT_FAILED;
    }

    for (path, text) in files {
        let path = dir.join(path.as_ref());
        if let Err(error) = create_file(&path, text) {
            eprintln!("error: `{}`: {error}", path.display());
            return EXIT_FAILED;
        }
        output::print_line(&path.display().to_string());
    }

    EXIT_OK
}

fn create_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
