//! What the binary is made of: every dependency has a licence that `.cargo/deny.toml` allows, comes from
//! the registry, and stands in `host/THIRD-PARTY.md`, which goes out with the binary.
//!
//! `ACCREDIT_UPDATE_THIRD_PARTY=1` writes that file anew.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value as Json;

use crate::server::root;

/// The packages of the lock file that come from outside.
fn foreign_packages() -> Vec<Json> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    packages.into_iter().filter(|package| !package["source"].is_null()).collect()
}

fn text<'a>(package: &'a Json, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// The licences that `.cargo/deny.toml` allows everybody.
fn allowed_licences() -> Vec<String> {
    let settings = fs::read_to_string(root().join(".cargo/deny.toml")).unwrap();
    let list = settings.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether one alternative of a licence expression is allowed as a whole.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    let alternatives = flat.split(" OR ");
    let mut judged = alternatives.map(|alternative| {
        alternative.split(" AND ").all(|licence| allowed.iter().any(|word| word == licence.trim()))
    });
    judged.any(|is_fine| is_fine)
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let allowed = allowed_licences();
    assert!(allowed.len() > 8, "the list of .cargo/deny.toml was not read: {allowed:?}");
    assert!(is_allowed("MIT/Apache-2.0", &allowed) && !is_allowed("GPL-3.0", &allowed));
    assert!(!is_allowed("MIT AND GPL-3.0", &allowed));

    for package in foreign_packages() {
        let (name, licence) = (text(&package, "name"), text(&package, "license"));
        // The one exception of .cargo/deny.toml: in the tree through rhai, which no longer uses it.
        let is_exception = name == "smartstring" && licence == "MPL-2.0+";
        assert!(is_exception || is_allowed(licence, &allowed), "{name}: licence {licence}");
        let source = text(&package, "source");
        assert!(source.starts_with("registry+"), "{name}: comes from {source}");
    }
}

#[test]
fn the_notices_of_third_parties_are_complete() {
    let mut rows = BTreeMap::new();
    for package in foreign_packages() {
        let (name, version) = (text(&package, "name"), text(&package, "version"));
        let (licence, home) = (text(&package, "license"), text(&package, "repository"));
        let row = format!("| {name} | {version} | {licence} | {home} |");
        rows.insert((name.to_owned(), version.to_owned()), row);
    }

    let rows: Vec<String> = rows.into_values().collect();
    let expected = format!(
        "# Third-party software\n\nThe libraries that accredit is built from, on any platform, with their \
         licences.\nA test writes this file from the lock file: run it with \
         `ACCREDIT_UPDATE_THIRD_PARTY=1`.\n\n| library | version | licence | source |\n\
         | --- | --- | --- | --- |\n{}\n",
        rows.join("\n")
    );

    let path = root().join("host/THIRD-PARTY.md");
    if std::env::var_os("ACCREDIT_UPDATE_THIRD_PARTY").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "host/THIRD-PARTY.md is not up to date; see this file's first lines"
    );
}
