//! `accredit check` as its users meet it: text with a caret, SARIF, and again on every change.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value as Json;

use crate::company;
use crate::server::{binary, root, run};

const HEADER: &str = "id,date,amount,Rep,Rep #1,deal_stage,Renewal\n";

/// What `check` prints for one policy of `folder`, in a workspace with the folder's settings.
fn rendered(folder: &Path, name: &str) -> (i32, String) {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let kind = text.lines().find_map(|line| line.strip_prefix("// kind: ")).unwrap().trim();
    let dir = tempfile::tempdir().unwrap();
    let settings = fs::read_to_string(folder.join("accredit.toml")).unwrap();
    company::put(dir.path(), "accredit.toml", &settings);
    company::put(dir.path(), "transactions/seen.csv", HEADER);
    for file in ["participants.csv", "teams.csv"] {
        if let Ok(text) = fs::read_to_string(folder.join(file)) {
            company::put(dir.path(), &format!("organization/{file}"), &text);
        }
    }
    company::put(dir.path(), &format!("policies/{kind}/{name}"), &text);
    let (code, out, _) = run(&["check", dir.path().to_str().unwrap()]);
    // Hints about declared columns are the same for all: the policies share their settings.
    (code, out.split("[CR051]").next().unwrap().trim_end().to_owned() + "\n")
}

/// The text beside each policy was read by a person: the caret stands under the word that is wrong.
/// A policy without its text fails.
#[test]
fn every_finding_is_shown_with_its_line_and_a_caret() {
    for (folder, code, least) in [("broken", 1, 55), ("doubtful", 0, 14)] {
        let folder = root().join("tests/fixtures").join(folder);
        let mut count = 0;
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".rhai") {
                continue;
            }
            count += 1;
            let beside = folder.join(name.replace(".rhai", ".txt"));
            let found = rendered(&folder, &name);
            let expected = fs::read_to_string(&beside).unwrap_or_else(|_| {
                panic!("{}: missing; it must say\n{}", beside.display(), found.1)
            });
            assert_eq!(found, (code, expected.clone()), "{name}");
            let place = expected.lines().find_map(|line| line.trim().strip_prefix("╭─[ "));
            let text = fs::read_to_string(folder.join(&name)).unwrap();
            let wanted = text.lines().find_map(|line| line.strip_prefix("// expect: "));
            let wanted = wanted.unwrap_or_else(|| panic!("{name}: no `// expect: `"));
            let (wanted_code, wanted_place) = wanted.trim().split_once(' ').unwrap();
            let place = place.unwrap_or_else(|| panic!("{name}: no place in {expected}"));
            assert!(place.contains(&format!("{name}:{wanted_place} ]")), "{name}: {place}");
            assert!(expected.starts_with(&format!("[{wanted_code}]")), "{name}: {expected}");
        }
        assert!(count >= least, "{count} policies in {}", folder.display());
    }
}

#[test]
fn sarif_names_the_rule_the_file_and_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    company::put(&workspace, "policies/filter/odd.rhai", "fn include(tx) {\n  tx.amuont > 1\n}\n");
    let (code, out, error) = run(&["check", workspace.to_str().unwrap(), "--format", "sarif"]);
    assert_eq!(code, 1, "{error}");
    let log: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"CR002".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "policies/filter/odd.rhai");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(place["region"]["startColumn"], 6);
}

/// What the compiler does not know runs in the interpreter with the same answer, so nothing but these two
/// verbs shows why a calculation is slow.
#[test]
fn a_function_that_is_not_compiled_is_named_by_check_and_eval() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let policy = "fn value(tx, to) {\n    let part = 0.1;\n    \
                  try { part = 1 / (tx.amount - 200); } catch { part = 0.5; }\n    tx.amount * part\n}\n";
    company::put(&workspace, "policies/value/odd.rhai", policy);
    let deal = "id,date,amount,owner\nD1,2026-01-05,200,ann\n";
    company::put(&workspace, "transactions/deals.csv", deal);
    let path = workspace.to_str().unwrap();

    let (code, out, error) = run(&["check", path, "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let found: Json = serde_json::from_str(&out).unwrap();
    let hint = found.as_array().unwrap().iter().find(|one| one["code"] == "CR100").unwrap();
    assert_eq!(hint["file"], "policies/value/odd.rhai");
    assert_eq!((&hint["severity"], &hint["line"]), (&"hint".into(), &3.into()), "{hint}");
    let message = hint["message"].as_str().unwrap();
    assert!(message.starts_with("`value` is not compiled") && message.contains("`try`"), "{hint}");

    let verb = ["eval", path, "--policy", "value/odd", "--transaction", "D1", "--explain"];
    let (code, out, error) = run(&verb);
    assert_eq!((code, out.lines().last()), (0, Some("100.0")), "{error}");
    assert!(error.contains("odd.rhai:3:5: `value` is not compiled"), "{error}");

    let (code, out, error) = run(&[&verb[..], &["--format", "json"]].concat());
    assert_eq!(code, 0, "{error}");
    let shown: Json = serde_json::from_str(&out).unwrap();
    let [refused] = shown["not_compiled"].as_array().unwrap().as_slice() else { panic!("{out}") };
    assert_eq!((&refused["function"], &refused["reason"]), (&"value".into(), &"`try`".into()));
}

/// The first look finds nothing, a saved mistake is reported, and its correction as well.
#[test]
fn watching_checks_again_on_every_change() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let mut child = Command::new(binary())
        .args(["check", "--watch", "--format", "json"])
        .arg(&workspace)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (said, says) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(said.send(line))));
    let wait = |wanted: &str| loop {
        let line = says.recv_timeout(Duration::from_secs(30));
        let line = line.unwrap_or_else(|_| panic!("nothing said `{wanted}`"));
        if line.contains(wanted) {
            break;
        }
    };
    wait("[]");
    company::put(&workspace, "policies/filter/odd.rhai", "fn include(tx) { tx.amuont > 1 }\n");
    wait("CR002");
    company::put(&workspace, "policies/filter/odd.rhai", "fn include(tx) { tx.amount > 1 }\n");
    wait("[]");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The output of `check` of a directory, and whether it ended by itself within 20 seconds.
#[cfg(unix)]
fn check_that_ends(workspace: &Path) -> Option<(i32, String)> {
    let mut child = Command::new(binary())
        .arg("check")
        .arg(workspace)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }

    let output = child.wait_with_output().unwrap();
    Some((output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap()))
}

/// Two links to the folder that they are in were followed without end, and a pipe was read until
/// somebody wrote into it.
#[test]
#[cfg(unix)]
fn a_check_ends_at_links_to_their_own_folder_and_at_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let policies = workspace.join("policies");
    for name in ["one", "two"] {
        std::os::unix::fs::symlink(".", policies.join(name)).unwrap();
    }
    let (code, out) = check_that_ends(&workspace).expect("it ends at links");
    assert_eq!(code, 0, "{out}");

    let pipe = policies.join("hold/pipe.rhai");
    fs::create_dir_all(pipe.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, out) = check_that_ends(&workspace).expect("it ends at a pipe");
    assert!(code == 1 && out.contains("pipe.rhai"), "{out}");
}
