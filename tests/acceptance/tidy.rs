//! The tidy test: what a reader may rely on about the tree itself.
//!
//! Limits are a ratchet against drift, not a matter of taste: each failure says what to do instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(String, String)> {
    let root = root();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    files(&root, "rs").iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn top_level_is_what_the_design_says() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "engine",
        "host",
        "plugins",
        "scripts",
        "target",
        "tests",
    ];
    for entry in fs::read_dir(root()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "top level: {name}");
    }
}

/// How many lines count towards a limit.
fn filled<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    // Blank lines are for the reader: a limit that counted them would punish paragraphs.
    lines.filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (name, text) in rust_files() {
        let lines = filled(text.lines());
        assert!(lines <= 500, "{name}: {lines} lines; give each file one subject");
        assert!(text.starts_with("//!") || text.starts_with("#!"), "{name}: no module doc");
        for (number, line) in (1..).zip(text.lines()) {
            let width = line.chars().count();
            assert!(width <= 110, "{name}:{number}: {width} characters; 100 is the measure");
        }
        let banned = ["mod.rs", "utils.rs", "common.rs", "helpers.rs", "types.rs"];
        let last = name.rsplit('/').next().unwrap();
        assert!(!banned.contains(&last), "{name}: name the file after what is in it");
    }
}

#[test]
fn functions_fit_on_a_screen() {
    for (name, text) in rust_files() {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start();
            let words = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "async fn "];
            let starts = words.iter().any(|word| head.starts_with(word))
                || head.starts_with("pub(crate) async fn ");
            if !starts {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let last = lines[number..].iter().position(|line| *line == end).unwrap_or(0);
            let length = filled(lines[number..=number + last].iter().copied());
            assert!(length <= 70, "{name}:{}: a function of {length} lines", number + 1);
        }
    }
}

/// The rows of the map: crate, what it may use, its modules in reading order.
fn map_of_crates() -> Vec<(String, Vec<String>, Vec<String>)> {
    let map = fs::read_to_string(root().join("engine/ARCHITECTURE.md")).unwrap();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut crates: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();

    for line in map.lines() {
        if line.starts_with("## Code map: around the engine") {
            break;
        }
        // A crate is a heading, `### `engine/domain` uses `…``; its modules are the rows under it.
        if let Some(heading) = line.strip_prefix("### `engine/") {
            let (name, rest) = heading.split_once('`').unwrap();
            crates.push((name.to_owned(), names(rest), Vec::new()));
        } else if let Some(row) = line.strip_prefix("| `")
            && let Some((_, _, modules)) = crates.last_mut()
        {
            modules.push(row.split('`').next().unwrap().to_owned());
        }
    }
    crates
}

#[test]
fn the_map_is_true_of_every_crate_of_the_engine() {
    let crates = map_of_crates();
    assert!(crates.len() >= 8, "engine/ARCHITECTURE.md names {} crates", crates.len());

    for (name, uses, modules) in &crates {
        let manifest =
            fs::read_to_string(root().join(format!("engine/{name}/Cargo.toml"))).unwrap();
        let shipped = manifest.split("[dev-dependencies]").next().unwrap();
        let mut found: Vec<&str> =
            shipped.lines().filter_map(|line| line.strip_prefix("accredit-")).collect();
        found.iter_mut().for_each(|line| *line = line.split('.').next().unwrap());
        let mut allowed: Vec<&str> = uses.iter().map(String::as_str).collect();
        found.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(found, allowed, "engine/{name}/Cargo.toml and engine/ARCHITECTURE.md differ");

        let rhai = shipped.lines().any(|line| line.starts_with("rhai"));
        assert!(!rhai || name == "script", "engine/{name}: only `script` may use Rhai");

        for banned in ["axum", "tokio", "hyper", "tower-http"] {
            let named = shipped.lines().any(|line| line.starts_with(banned));
            assert!(!named, "engine/{name}: `{banned}` is for the host alone");
        }

        // These have one subject each: their own documentation lists the parts.
        if ["script", "ledger", "workspace", "cases"].contains(&name.as_str()) {
            continue;
        }
        let lib = fs::read_to_string(root().join(format!("engine/{name}/src/lib.rs"))).unwrap();
        let public = lib.lines().filter_map(|line| line.strip_prefix("pub mod "));
        let mut public: Vec<&str> = public.map(|line| line.trim_end_matches(';')).collect();
        let mut named: Vec<&str> = modules.iter().map(String::as_str).collect();
        public.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, public, "engine/{name}/src/lib.rs and engine/ARCHITECTURE.md differ");
    }
}

/// The functions of scripts and their values know no interpreter, so that another one can call them.
#[test]
fn rhai_is_named_in_the_files_that_the_crate_lists() {
    let source = root().join("engine/script/src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    // A list in the documentation of the crate: `machine/adapter` is a file, `check` also a folder.
    let doc: String = lib.lines().filter(|line| line.starts_with("//!")).collect();
    let (_, list) = doc.split_once("//! - ").unwrap();
    let listed: BTreeSet<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();

    let mut naming = BTreeSet::new();
    for path in files(&source, "rs") {
        let name = path.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if !name.starts_with("tests") && code.into_iter().any(|line| line.contains("rhai::")) {
            let module = if name.starts_with("check/") { "check" } else { &name };
            naming.insert(module.trim_end_matches(".rs").to_owned());
        }
    }

    assert_eq!(naming, listed, "engine/script/src/lib.rs lists the files that may name Rhai");
}

#[test]
fn modules_of_one_crate_follow_the_reading_order() {
    let crates = map_of_crates();
    for (name, text) in rust_files() {
        let Some((_, path)) = name.split_once("/src/") else { continue };
        let Some((_, _, order)) =
            crates.iter().find(|(known, _, _)| name.starts_with(&format!("engine/{known}/src/")))
        else {
            continue;
        };
        let place = |module: &str| order.iter().position(|known| known == module);
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(mine) = place(module) else { continue };

        for (number, line) in (1..).zip(text.lines()) {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for part in line.split("crate::").skip(1) {
                let used: String =
                    part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let later = place(&used).is_some_and(|other| other > mine);
                assert!(!later, "{name}:{number}: `{module}` may not use the later `{used}`");
            }
        }
    }
}

#[test]
fn every_diagnostic_has_a_page_and_every_page_a_diagnostic() {
    let table = fs::read_to_string(root().join("engine/domain/src/diagnostic/code.rs")).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("    CR"));
    let mut codes: Vec<String> =
        rows.filter_map(|row| Some(format!("CR{}", row.get(..3)?))).collect();
    let pages = files(&root().join("scripts/errors"), "md");
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<String> = pages.iter().map(stem).collect();
    codes.sort();
    found.sort();
    assert_eq!(codes, found, "scripts/errors/ and the codes of diagnostic/code.rs differ");
}

/// The titles were written twice, by hand, and the list was out of order.
/// `ACCREDIT_UPDATE_ERRORS=1` writes it anew.
#[test]
fn the_list_of_diagnostics_is_written_from_the_codes() {
    const HEAD: &str = "| code | what it means |\n| --- | --- |\n";

    let codes = fs::read_to_string(root().join("engine/domain/src/diagnostic/code.rs")).unwrap();
    let rows = codes.lines().filter_map(|line| line.strip_prefix("    CR")).map(|row| {
        let (number, title) = row.split_once(' ').unwrap();
        let title = title.trim_end_matches(';').trim_matches('"');
        format!("| [CR{number}](errors/CR{number}.md) | {title} |\n")
    });
    let rows: String = rows.collect();

    let path = root().join("scripts/errors.md");
    let written = fs::read_to_string(&path).unwrap();
    let (introduction, _) = written.split_once(HEAD).unwrap();
    let expected = format!("{introduction}{HEAD}{rows}");

    if std::env::var_os("ACCREDIT_UPDATE_ERRORS").is_some() {
        fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        written == expected,
        "scripts/errors.md is not up to date: run this test with ACCREDIT_UPDATE_ERRORS=1"
    );
}

#[test]
fn every_policy_of_the_library_has_cases() {
    for path in files(&root().join("scripts"), "rhai") {
        if path.ends_with("api.d.rhai") {
            continue;
        }
        let cases = path.with_extension("cases.md");
        assert!(cases.is_file(), "{}: no case file beside it", path.display());
    }
}

/// The modules of the server that each module of the server names.
fn server_modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in rust_files() {
        let Some(path) = name.strip_prefix("host/src/server/") else { continue };
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        if module == "tests" {
            continue;
        }

        let text = text.split("#[cfg(test)]").next().unwrap();
        let named = text.split("crate::server::").skip(1).map(|rest| {
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        });
        let named = named.filter(|used| used != module);
        uses.entry(module.to_owned()).or_default().extend(named);
    }
    uses
}

/// The state owned every thread's queue, and every thread knew the state: fifteen modules in one circle,
/// of which none could be read or tested alone.
#[test]
fn the_modules_of_the_server_form_no_circle() {
    let mut uses = server_modules();
    assert!(uses.len() > 15 && uses["state"].contains("channels"), "{uses:?}");

    // Take away what uses nothing that is left, until nothing can be taken away.
    while let Some(free) = uses.iter().find(|(_, used)| used.is_empty()).map(|(one, _)| one.clone())
    {
        uses.remove(&free);
        for used in uses.values_mut() {
            used.remove(&free);
        }
    }
    assert!(uses.is_empty(), "these modules of host/src/server use each other: {uses:?}");
}
