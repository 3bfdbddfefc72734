//! `accredit test`: what it prints, writes and answers; decisions of a server kept as cases.

use std::fs;
use std::path::Path;

use crate::company;
use crate::server::{binary, run};

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
    let xml = fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    let (code, ..) = run(&["test", path, "--filter", "Examples"]);
    assert_eq!(code, 0);
    let (code, ..) = run(&["test", path, "--filter", "nothing like it"]);
    assert_eq!(code, 3);
    let command =
        std::process::Command::new(binary()).args(["test", path]).env("UPDATE_CASES", "1").output();
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
