//! `accredit new source`: the settings of a source of webhooks, and an intake policy with its cases.
//!
//! Not the settings themselves (each connector has its own). Called by `new`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use toml::Table;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK};
use crate::plugins;

/// Options of `new source`.
#[derive(Debug, Args)]
pub(crate) struct NewSourceArguments {
    /// The connector, such as hubspot, salesforce-outbound or standard-webhooks.
    connector: String,
    /// The name of the source: webhooks come in at /hooks/NAME. Without it, the connector's name.
    name: Option<String>,
    /// A customer's directory.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// Runs the verb.
pub(super) fn run(options: &NewSourceArguments) -> u8 {
    let Some(connector) = plugins::find_connector(&options.connector) else {
        let known: Vec<&str> = plugins::connectors().iter().map(|one| one.name()).collect();
        eprintln!("error: `{}` is not one of {}", options.connector, known.join(", "));
        return EXIT_NOTHING;
    };
    let name = options.name.as_deref().unwrap_or(connector.name());
    let is_plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
    if name.is_empty() || !name.chars().all(is_plain) {
        eprintln!("error: `{name}` is not made of small letters, digits and `-`");
        return EXIT_NOTHING;
    }

    let path = options.dir.join("accredit.toml");
    let text = match settings_without(&path, name) {
        Ok(text) => text,
        Err(message) => {
            eprintln!("error: {message}");
            return EXIT_FAILED;
        }
    };

    let starter = connector.starter();
    let mut lines = format!("\n[sources.{name}]\nconnector = \"{}\"\n", connector.name());
    if let Some(policy) = starter.policy {
        let stem = format!("policies/intake/{name}");
        // The cases call the policy by the name that it has in the library.
        let standard = format!("standard/{}", policy.name);
        let cases = policy.cases.replace(&standard, name);
        let files = [
            (format!("{stem}.rhai"), policy.script.to_owned()),
            (format!("{stem}.cases.md"), cases),
        ];
        let code = super::write_new_files(&options.dir, &files);
        if code != EXIT_OK {
            return code;
        }
        lines.push_str(&format!("intake = \"policy:{name}\"\n"));
    }
    lines.push_str(&starter.settings.replace("NAME", name));

    let gap = if text.ends_with('\n') { "" } else { "\n" };
    if let Err(error) = fs::write(&path, format!("{text}{gap}{lines}")) {
        eprintln!("error: `{}`: {error}", path.display());
        return EXIT_FAILED;
    }
    output::print_line(&path.display().to_string());

    let variable = name.to_uppercase().replace('-', "_");
    let steps = starter.next_steps.replace("NAME", name);
    // Names of variables end with the source's.
    eprint!("{}", steps.replace("_…", &format!("_{variable}")));
    if starter.policy.is_some() {
        eprintln!(
            "Read the first lines of policies/intake/{name}.rhai: they name what [fields] must have, such as \
             `updated`, and the filter that plans need. Without it, deals that are not won are credited too."
        );
    }
    EXIT_OK
}

/// The text of the settings, which must not have the source yet.
fn settings_without(path: &Path, name: &str) -> Result<String, String> {
    let cannot = |error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    let document: Table = text.parse().map_err(|error| cannot(&error))?;
    let known = document.get("sources").and_then(|sources| sources.get(name));
    match known {
        Some(_) => Err(cannot(&format!(
            "there is a source `{name}` already; choose another name, or remove `[sources.{name}]`"
        ))),
        None => Ok(text),
    }
}
