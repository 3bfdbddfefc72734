//! `accredit test`: what it prints, writes and answers; decisions of a server kept as cases.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::company;
use crate::server::{Server, TOKEN, binary, run};

const CASES: &str = "# Reps

Said before.

## A deal rolls up

```csv transactions
id,date,owner,amount
D1,2026-03-15,Ann,100
```

| position | amount  |
| -------- | ------- |
| ann      | 100.00  |
| max      | 50.00   |

Said | after.

## Examples

| id | owner | date       | amount | => | position | outcome    |
| -- | ----- | ---------- | ------ | -- | -------- | ---------- |
| D1 | Zoe   | 2026-03-15 | 1      |    |          | uncredited |
";

fn workspace(dir: &Path) -> std::path::PathBuf {
    let workspace = company::write(dir);
    company::put(&workspace, "plans/reps.cases.md", CASES);
    workspace
}

#[test]
fn a_failing_case_is_shown_written_as_junit_and_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path());
    let path = workspace.to_str().unwrap();
    let junit = dir.path().join("junit.xml");
    let (code, out, error) = run(&["test", path, "--junit", junit.to_str().unwrap()]);
    assert_eq!(code, 1, "{out}\n{error}");
    for part in
        ["FAILED plans/reps.cases.md: A deal rolls up", "^^^^^", "D1 in plan reps: credited"]
    {
        assert!(out.contains(part), "`{part}`\n{out}");
    }
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" time=\"0."), "{xml}");
    // The file, its suite and each of its cases have a time, unless it is not wanted.
    assert_eq!(xml.matches(" time=\"").count(), 4, "{xml}");
    let plain = dir.path().join("plain.xml");
    run(&["test", path, "--junit", plain.to_str().unwrap(), "--no-times"]);
    let plain = fs::read_to_string(plain).unwrap();
    assert!(plain.contains("failures=\"1\" errors=\"0\">") && !plain.contains("time="), "{plain}");
    let (code, ..) = run(&["test", path, "--filter", "Examples"]);
    assert_eq!(code, 0);
    let (code, ..) = run(&["test", path, "--filter", "nothing like it"]);
    assert_eq!(code, 3);
    let command = std::process::Command::new(binary())
        .args(["test", path])
        .env("ACCREDIT_UPDATE_CASES", "1")
        .output();
    assert_eq!(command.unwrap().status.code(), Some(0));
    let expected = CASES
        .replace("| max      | 50.00   |\n", "| max      | 100.00  |\n| dee      | 100.00  |\n");
    assert_eq!(fs::read_to_string(workspace.join("plans/reps.cases.md")).unwrap(), expected);
    let (code, ..) = run(&["test", path, "--update"]);
    assert_eq!(code, 0);
    assert_eq!(fs::read_to_string(workspace.join("plans/reps.cases.md")).unwrap(), expected);
}

#[test]
fn coverage_is_a_gate_and_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path());
    let path = workspace.to_str().unwrap();
    run(&["test", path, "--update"]);
    let text = "fn roll(tx, credit, to, existing) {\n    if credit.amount > 1000 {\n        \
                return 1;\n    }\n    credit.amount\n}\n";
    company::put(&workspace, "policies/rollup/share.rhai", text);
    let lcov = dir.path().join("lcov.info");
    let flag = format!("--coverage={}", lcov.display());
    let (code, out, error) = run(&["test", path, &flag, "--profile"]);
    assert_eq!(code, 0, "{out}\n{error}");
    assert!(out.contains("2/3  66%"), "{out}");
    assert!(out.contains("3, 2:5 one way only"), "{out}");
    assert!(out.contains("policies/rollup/share.rhai:2  if credit.amount > 1000 {"), "{out}");
    let lcov = fs::read_to_string(lcov).unwrap();
    let expected = "TN:accredit\nSF:policies/rollup/share.rhai\nBRDA:2,0,0,0\nBRDA:2,0,1,2\n\
                    BRF:2\nBRH:1\nDA:2,2\nDA:3,0\nDA:5,2\nLF:3\nLH:2\nend_of_record\n";
    assert_eq!(lcov, expected);
    let (code, ..) = run(&["test", path, "--threshold", "50"]);
    assert_eq!(code, 0);
    let (code, _, error) = run(&["test", path, "--threshold", "51"]);
    assert_eq!(code, 1);
    assert!(error.contains("50% of branches"), "{error}");
}

#[test]
fn a_decision_of_a_server_is_kept_as_a_case_that_passes_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let held = company::FILES[2].1.replacen(
        "rollable = true",
        "rollable = true\nhold = \"indefinite\"",
        1,
    );
    company::put(&workspace, "plans/reps.toml", &held);
    let server = Server::start(&dir.path().join("keep.redb"), &workspace);
    for (id, owner) in [("D/1 é", "Ann"), ("D2", "Zoe")] {
        let deal = json!({"id": id, "date": "2026-03-15", "amount": "100.00", "owner": owner});
        assert_eq!(server.hook(id.get(..2).unwrap(), &deal.to_string()).unwrap().status, 202);
    }
    server.settle();
    let credit = server.credits("")[0]["id"].as_str().unwrap().to_owned();
    let release = format!("/v1/credits/{credit}/release");
    assert_eq!(server.post(&release, "application/json", "{}").status, 200);
    let verb = |id: &str, more: &[&str]| {
        let to = ["--server", &server.url, "--token", TOKEN];
        run(&[&["keep", id][..], &to, more].concat())
    };
    let mut cases = String::from("# Kept\n");
    for (id, more) in [
        (credit.as_str(), &[][..]),
        ("D/1 é", &["--plan", "reps"]),
        ("D/1 é", &[]),
        ("D2", &["--plan", "reps"]),
    ] {
        let (code, out, error) = verb(id, more);
        assert_eq!(code, 0, "{error}");
        assert!(!out.contains("bob"), "somebody who has no part in it is kept: {out}");
        cases.push_str(&out);
    }
    assert!(cases.contains(&format!("| release | {credit} |")), "{cases}");
    assert!(cases.contains("| D2 | uncredited | crediting | unmatched |"), "{cases}");
    company::put(&workspace, "plans/kept.cases.md", &cases);
    let (code, out, error) = run(&["test", workspace.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}\n{error}");
    assert!(error.contains("4 cases"), "{error}");
    let (code, _, error) = verb("D3", &[]);
    assert_eq!(code, 1);
    assert!(error.contains("transaction not found"), "{error}");
    let (code, _, error) = verb("D2", &["--plan", "none"]);
    assert_eq!(code, 1);
    assert!(error.contains("decision not found"), "{error}");
}
