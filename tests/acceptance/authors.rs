//! What an author of policies works with: a directory to begin with, one policy on one transaction, a
//! line of expressions, the reference, schemas and completions.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::server::{binary, root, run};

/// A new customer's directory.
fn begin(dir: &Path) -> PathBuf {
    let acme = dir.join("acme");
    let (code, out, error) = run(&["new", acme.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}\n{error}");
    acme
}

/// What a verb prints when it does as it should.
fn printed(arguments: &[&str]) -> String {
    let (code, out, error) = run(arguments);
    assert_eq!(code, 0, "{arguments:?}\n{out}\n{error}");
    out
}

#[test]
fn a_new_directory_checks_tests_and_calculates() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    assert_eq!(printed(&["check", path, "--format", "json"]).trim(), "[]");
    printed(&["test", path]);
    let out = printed(&["calculate", path, "--plan", "reps", "--period", "2026-01"]);
    let calculation: Json = serde_json::from_str(&out).unwrap();
    // 60,000 and a tenth of it for the desk, 1,200; a tenth of both owners' credits for the manager.
    let credits = calculation["credits"].as_array().unwrap().iter();
    let credits: Vec<(&str, &str)> = credits
        .map(|credit| (credit["position"].as_str().unwrap(), credit["amount"].as_str().unwrap()))
        .collect();
    let expected = [
        ("REP-1", "60000.00"),
        ("DESK", "6000.00"),
        ("MGR-1", "6000.00"),
        ("REP-2", "1200.00"),
        ("MGR-1", "120.00"),
    ];
    assert_eq!(credits, expected);
    let (code, _, error) = run(&["new", path]);
    assert!(code == 1 && error.contains("already exists"), "{code} {error}");
}

#[test]
fn a_new_policy_of_every_kind_passes_its_own_cases() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    let kinds = "filter crediting value hold duplication rollup reward intake";
    for kind in kinds.split(' ') {
        printed(&["new", "policy", kind, "first", "--dir", path]);
        let cases = acme.join(format!("policies/{kind}/first.cases.md"));
        assert!(cases.is_file(), "{kind}");
    }
    assert_eq!(printed(&["check", path, "--format", "json"]).trim(), "[]");
    printed(&["test", path]);
    // The cases prove something: a policy that says something else fails them.
    let value = acme.join("policies/value/first.rhai");
    let text = fs::read_to_string(&value).unwrap();
    fs::write(&value, text.replace("0.5", "0.4")).unwrap();
    let (code, out, _) = run(&["test", path]);
    assert!(code == 1 && out.contains("Half of the deal counts"), "{out}");
    let (code, ..) = run(&["new", "policy", "hold", "first", "--dir", path]);
    assert_eq!(code, 1);
    let (code, ..) = run(&["new", "policy", "nothing", "second", "--dir", path]);
    assert_eq!(code, 3);
}

#[test]
fn one_policy_on_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    let eval = |policy: &str, transaction: &str, more: &[&str]| {
        let words = ["eval", path, "--policy", policy, "--transaction", transaction];
        run(&[&words, more].concat())
    };
    let large = "crediting/large-deals";
    let (code, out, error) = eval(large, "OPP-1", &["--explain"]);
    assert_eq!(code, 0, "{error}");
    for part in ["=> true", "tx.amount = 60000, LIMIT = 50000", "tx.default_credit = \"Ann Lee\""] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
    let last = out.lines().last().unwrap();
    assert_eq!(last, "[share(\"Ann Lee\", 1), share(\"DESK\", 0.1)]");
    // The limit itself is not large; a transaction may be given as JSON.
    let body = r#"{"id":"X","closed":"2026-01-02","owner":"Bob Ray","amount":50000}"#;
    assert_eq!(eval(large, body, &[]), (0, "\"Bob Ray\"\n".to_owned(), String::new()));
    // A policy of the library, on the first credit of the transaction's own decision.
    let (code, out, _) = eval("hold/standard/hold-large-deals", "OPP-1", &[]);
    assert_eq!((code, out.as_str()), (0, "no_hold()\n"));
    // The receiver is the manager, the credit that of the owner.
    let (code, out, _) = eval("rollup/standard/share-rollup", "OPP-1", &["--explain"]);
    assert_eq!(code, 0);
    assert!(out.contains("credit.amount = 60000.00"), "{out}");
    assert_eq!(out.lines().last().unwrap().trim_end_matches('0'), "30000.");
    let (_, out, _) = eval(large, "OPP-1", &["--explain", "--format", "json"]);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(json["steps"][0]["line"], 8);
    assert_eq!(json["steps"][0]["value"], "true");
    assert_eq!(json["steps"][0]["reads"][1]["value"], "60000");
    for (policy, transaction) in [("crediting/none", "OPP-1"), (large, "OPP-9"), ("x", "OPP-1")] {
        assert_eq!(eval(policy, transaction, &[]).0, 3, "{policy} {transaction}");
    }
    let policy = acme.join("policies/value/odd.rhai");
    fs::create_dir_all(policy.parent().unwrap()).unwrap();
    fs::write(&policy, "fn value(tx, to) {\n    throw \"not today\";\n}\n").unwrap();
    let (code, _, error) = eval("value/odd", "OPP-1", &["--explain"]);
    assert_eq!(code, 1);
    assert!(error.contains("policies/value/odd.rhai:2:5: not today"), "{error}");
}

/// Whatever a loop does, the second look at values changes nothing and ends.
#[test]
fn explaining_a_loop_ends_and_shows_local_values() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let policy = acme.join("policies/value/loop.rhai");
    fs::create_dir_all(policy.parent().unwrap()).unwrap();
    let text = "\
fn value(tx, to) {
    let list = [];
    for n in 1..=3 {
        list.push(n);
    }
    double(sum(list))
}

fn double(x) {
    x * 2
}
";
    fs::write(&policy, text).unwrap();
    let path = acme.to_str().unwrap();
    let words = ["eval", path, "--policy", "value/loop", "--transaction", "OPP-1", "--explain"];
    let out = printed(&words);
    assert_eq!(out.lines().last(), Some("12"), "{out}");
    assert!(out.contains("list = [1, 2, 3]") && out.contains("x = 6"), "{out}");
}

#[test]
fn expressions_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let mut child = Command::new(binary())
        .arg("repl")
        .arg(&acme)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "tx.amount * 0.1\n:tx OPP-2\ntx.owner\ntx.ownr\n1 +\nto.title\n\
                 :fields\n:what\nif tx.amount > (1000\n  + 100) {\n  \"large\"\n} else {\n\
                 \"small\"\n}\n(tx.amount +\n\n:quit\ntx.id\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let out = String::from_utf8(out.stdout).unwrap();
    let expected = [
        "transaction OPP-1",
        "6000.0",
        "transaction OPP-2",
        "\"Bob Ray\"",
        "error: column 4: unknown field `ownr`; did you mean `owner`?",
        "error: column 4: script is incomplete; something is not closed, or a value is missing",
        "\"Sales Rep\"",
        "tx[\"amount\"] = 1200",
        "tx[\"closed\"] = 2026-01-20",
        "tx[\"id\"] = \"OPP-2\"",
        "tx[\"owner\"] = \"Bob Ray\"",
        "beside tx: credit, to",
        "no command `:what`; try :help",
        "\"large\"",
        "error: column 13: script is incomplete; something is not closed, or a value is missing",
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
}

/// What is stored in `scripts/` is what the program says.
#[test]
fn the_reference_and_the_schemas_are_those_of_the_program() {
    let stored =
        |path: &str| fs::read_to_string(root().join("scripts").join(path)).unwrap_or_default();
    for (format, path) in [("md", "api.md"), ("rhai", "api.d.rhai")] {
        let said = printed(&["api", "--format", format]);
        assert_eq!(
            stored(path),
            said,
            "write it with: accredit api --format {format} > scripts/{path}"
        );
    }
    for document in ["settings", "plan", "credit", "calculation"] {
        let path = format!("schema/{document}.json");
        let said = printed(&["schema", document]);
        assert_eq!(
            stored(&path),
            said,
            "write it with: accredit schema {document} > scripts/{path}"
        );
    }
}

/// What comes out has exactly the properties that its schema says.
#[test]
fn a_calculation_is_as_its_schema_says() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    let out = printed(&["calculate", path, "--plan", "reps", "--period", "2026"]);
    let mut all: Vec<Json> = serde_json::from_str(&out).unwrap();
    assert_eq!(all.len(), 12, "a calculation a month");
    let mut calculation = all.remove(0);
    for one in &all {
        for list in ["credits", "uncredited", "alerts", "log"] {
            let rows = one[list].as_array().unwrap().clone();
            calculation[list].as_array_mut().unwrap().extend(rows);
        }
    }
    let schema: Json = serde_json::from_str(&printed(&["schema", "calculation"])).unwrap();
    let keys = |object: &Json| -> BTreeSet<String> {
        object.as_object().unwrap().keys().cloned().collect()
    };
    // No period of this directory is finalized, so that nothing elsewhere corrects it.
    let mut known = keys(&schema["properties"]);
    assert!(known.remove("corrections"));
    assert_eq!(keys(&calculation), known);
    for list in ["credits", "uncredited", "alerts", "log"] {
        let rows = calculation[list].as_array().unwrap();
        assert!(!rows.is_empty(), "{list}");
        for row in rows {
            let properties = &schema["properties"][list]["items"]["properties"];
            assert_eq!(keys(row), keys(properties), "{list}");
            for (key, value) in row.as_object().unwrap() {
                let kind = &properties[key]["type"];
                let name = match value {
                    Json::Null => "null",
                    Json::Number(_) => "integer",
                    _ => "string",
                };
                let fits = kind.as_str() == Some(name)
                    || kind.as_array().is_some_and(|kinds| kinds.contains(&name.into()))
                    || properties[key]["enum"].as_array().is_some_and(|e| e.contains(value));
                assert!(fits, "{list}: {key} is {value}");
            }
        }
    }
}

#[test]
fn the_api_of_a_server_is_printed_without_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(printed(&["openapi"]) == kept, "scripts/openapi.json is not what is printed");
}

#[test]
fn completions_know_every_verb() {
    for shell in ["bash", "zsh", "fish"] {
        let text = printed(&["completions", shell]);
        for verb in ["check", "new", "eval", "repl", "schema", "api"] {
            assert!(text.contains(verb), "{shell}: no `{verb}`");
        }
    }
}

/// A new directory had no schemas, so that an editor completed nothing until somebody set it up.
#[test]
fn a_new_directory_tells_editors_what_may_stand_in_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    for (file, document) in [("accredit.toml", "settings"), ("plans/reps.toml", "plan")] {
        let text = fs::read_to_string(acme.join(file)).unwrap();
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).unwrap();
        let schema = acme.join(file).parent().unwrap().join(named);
        let schema = fs::read_to_string(&schema).unwrap_or_else(|error| panic!("{named}: {error}"));
        assert_eq!(schema, printed(&["schema", document]));
        // Every key that the file uses is one that the schema knows.
        let schema: Json = serde_json::from_str(&schema).unwrap();
        let tables = text.lines().filter_map(|line| line.strip_prefix('['));
        for table in tables {
            let key = table.trim_start_matches('[').split([']', '.']).next().unwrap();
            assert!(schema["properties"].get(key).is_some(), "{file}: {key}");
        }
    }
    for file in [".vscode/settings.json", ".vscode/extensions.json"] {
        let text = fs::read_to_string(acme.join(file)).unwrap();
        serde_json::from_str::<Json>(&text).unwrap();
    }
    // What is for editors is no part of the directory.
    let (code, out, error) = run(&["check", acme.to_str().unwrap()]);
    assert_eq!(
        (code, out.contains("0 warnings") || error.contains("0 warnings")),
        (0, true),
        "{out}{error}"
    );
}
