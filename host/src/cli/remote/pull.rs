//! `accredit pull`: the definitions of a server written into a directory, the inverse of `apply`.
//!
//! Files that define nothing, such as transactions, are left alone. Exit codes: 0 the directory has what is
//! in force, 1 not.

use std::fs;
use std::path::{Path, PathBuf};

use accredit_ledger::definitions::content_hash;
use clap::Args;
use serde_json::Value as Json;

use crate::address;
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;
use crate::directory::watch::read_directory;

/// Options of `pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArguments {
    /// The directory to write; it may be new, empty, or an earlier one.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Replace files that differ from those in force, and remove definitions that the server does not have.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    server: ServerAddress,
}

/// What differs between a directory and a server.
struct PullPlan {
    /// Paths and texts that are not in the directory.
    new: Vec<(String, String)>,
    /// Paths and texts of files that the directory has otherwise.
    replaced: Vec<(String, String)>,
    /// Definitions of the directory that the server does not have.
    removed: Vec<String>,
}

/// Runs the verb.
pub(crate) fn run(options: &PullArguments) -> u8 {
    match pull(options) {
        Ok(written) => {
            eprintln!("{written} files changed: the directory has the definitions in force");
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn pull(options: &PullArguments) -> Result<usize, String> {
    let (client, dir) = (options.server.make_client()?, &options.dir);
    let plan = plan_pull(&client, dir)?;
    let conflicts: Vec<&str> = plan
        .replaced
        .iter()
        .map(|(path, _)| path.as_str())
        .chain(plan.removed.iter().map(String::as_str))
        .collect();
    if !conflicts.is_empty() && !options.force {
        return Err(format!(
            "the directory has other definitions, and nothing was written: {}; see them with `accredit \
             preview`, or replace them with `--force`",
            conflicts.join(", ")
        ));
    }

    let cannot =
        |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let written = plan.new.len() + plan.replaced.len() + plan.removed.len();
    for (path, text) in plan.new.iter().chain(&plan.replaced) {
        let file = dir.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
        }
        fs::write(&file, text).map_err(|error| cannot(&file, &error))?;
        output::print_line(path);
    }
    for path in &plan.removed {
        let file = dir.join(path);
        fs::remove_file(&file).map_err(|error| cannot(&file, &error))?;
        output::print_line(&format!("removed {path}"));
    }
    Ok(written)
}

/// Compares a directory with the files of a server, and reads those that differ.
fn plan_pull(client: &Client, dir: &Path) -> Result<PullPlan, String> {
    let listed = client.get("/v1/definitions")?;
    let rows = listed.get("data").and_then(Json::as_array).cloned().unwrap_or_default();
    let there = if dir.exists() { read_directory(dir)? } else { Default::default() };

    let mut plan = PullPlan { new: Vec::new(), replaced: Vec::new(), removed: Vec::new() };
    let mut in_force = Vec::with_capacity(rows.len());
    for row in &rows {
        let text_of = |key: &str| row.get(key).and_then(Json::as_str);
        let (Some(path), Some(hash)) = (text_of("path"), text_of("hash")) else {
            return Err("the server's list of definitions is not understood".to_owned());
        };
        check_path(path)?;
        in_force.push(path);
        let own = there.get(path);
        if own.is_some_and(|text| content_hash(text) == hash) {
            continue;
        }

        let encoded: Vec<String> =
            path.split('/').map(|part| address::encode_part(part).to_string()).collect();
        let text = client.get_text(&format!("/v1/definitions/{}", encoded.join("/")))?;
        if content_hash(&text) != hash {
            return Err(format!("`{path}` changed on the server meanwhile; pull again"));
        }
        let list = if own.is_some() { &mut plan.replaced } else { &mut plan.new };
        list.push((path.to_owned(), text));
    }

    plan.removed = there.into_keys().filter(|path| !in_force.contains(&path.as_str())).collect();
    Ok(plan)
}

/// Whether a path stays inside the directory: a server is not believed blindly.
fn check_path(path: &str) -> Result<(), String> {
    let plain = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
    };
    match path.split('/').all(plain) {
        true => Ok(()),
        false => Err(format!("the server names a file `{path}`, which is no path of a directory")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_directory() {
        assert!(check_path("policies/hold/x.rhai").is_ok());
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", ".ssh/key", "a\\b", "C:/x"] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }
}
