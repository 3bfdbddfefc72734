//! What goes wrong in the first hour: files that are no text, sheets in another format, misnamed
//! files, cases that know less than the directory; and the verbs that show a policy at work.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::company::put;
use crate::server::{root, run};

/// A new directory with one more column in its rows than in its settings.
fn begin(dir: &Path) -> PathBuf {
    let acme = dir.join("acme");
    assert_eq!(run(&["new", acme.to_str().unwrap()]).0, 0);
    let rows = "id,closed,amount,owner,Order Type\nOPP-1,2026-01-12,60000,Ann Lee,Product\n";
    put(&acme, "transactions/deals.csv", rows);
    acme
}

/// What `check` finds, as `file:line:column code message`; no hints.
fn found(dir: &Path) -> Vec<String> {
    let (_, out, _) = run(&["check", dir.to_str().unwrap(), "--format", "json"]);
    let found: Vec<Json> = serde_json::from_str(&out).unwrap();
    let found = found.iter().filter(|one| one["severity"] != "hint");
    let text = |one: &Json, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let shown = found.map(|one| {
        let (file, code, message) = (text(one, "file"), text(one, "code"), text(one, "message"));
        format!("{file}:{}:{} {code} {message}", one["line"], one["column"])
    });
    shown.collect()
}

#[test]
fn a_file_that_is_no_text_hides_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    // ü in the encoding of an old spreadsheet.
    fs::write(acme.join("organization/aliases.csv"), b"kind,id,alias\nparticipant,ann,M\xfcller\n")
        .unwrap();
    fs::write(acme.join("policies/crediting/two.rhai"), b"\xff\xfef\0n\0").unwrap();
    put(&acme, "policies/filter/odd.rhai", "fn include(tx) {\n  tx.amuont > 1\n}\n");
    assert_eq!(
        found(&acme),
        [
            "organization/aliases.csv:2:18 CR052 from here the file is not UTF-8",
            "policies/crediting/two.rhai:1:1 CR052 the file is UTF-16, not UTF-8",
            "policies/filter/odd.rhai:2:6 CR002 unknown field `amuont`",
        ]
    );
    let (code, _, error) = run(&["calculate", acme.to_str().unwrap(), "--period", "2026-01"]);
    assert!(code == 1 && error.contains("aliases.csv:2:18: from here"), "{code} {error}");
}

#[test]
fn sheets_of_another_format_and_misnamed_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    put(&acme, "organization/teams.csv", "id;name\neast;East\n");
    put(&acme, "organization/members.xlsx", "PK");
    put(&acme, "plans/more.toml.txt", "name = 1");
    put(&acme, "policies/crediting/larg-deals.cases.md", "## A\n\n| amount |\n| --- |\n");
    let rows = "id,closed,amount,owner\nOPP-1,01/12/2026,60000,Ann Lee\nOPP-2,2026-01-12,5,Bob\n";
    put(&acme, "transactions/deals.csv", rows);
    assert_eq!(
        found(&acme),
        [
            "organization/members.xlsx:1:1 CR050 nothing reads `organization/members.xlsx`",
            "organization/teams.csv:1:1 CR030 the cells of this file are separated by semicolons",
            "plans/more.toml.txt:1:1 CR050 nothing reads `plans/more.toml.txt`",
            "policies/crediting/larg-deals.cases.md:1:1 CR050 \
                `policies/crediting/larg-deals.cases.md` has no plan or policy beside it",
        ]
    );
    fs::remove_file(acme.join("organization/teams.csv")).unwrap();
    let cells =
        "transactions:1:1 CR032 `closed` of OPP-1 holds `01/12/2026`, which is not a date: 1 of 2";
    assert!(found(&acme).contains(&cells.to_owned()), "{:#?}", found(&acme));
    put(&acme, "transactions/deals.csv", "id;closed\nOPP-1;2026-01-12;5\n");
    let rows = "transactions/deals.csv:1:1 CR030 cells are separated by semicolons, and not every \
                row has as many as the header";
    assert!(found(&acme).contains(&rows.to_owned()), "{:#?}", found(&acme));
    let file = acme.join("accredit.toml");
    let message = found(&file);
    assert!(message[0].ends_with("this is a file; give the directory that contains accredit.toml"));
}

/// A policy may read a column that the rows of a case do not have, as long as the directory's do.
#[test]
fn cases_know_the_columns_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    let policy = "fn include(tx) {\n    tx[\"Order Type\"] != \"Service\"\n}\n";
    put(&acme, "policies/filter/product.rhai", policy);
    let (code, out, _) = run(&["test", path]);
    assert_eq!(code, 0, "{out}");
    // A column that no row has is as wrong as it is for `check`.
    put(&acme, "policies/filter/product.rhai", &policy.replace("Type", "Tpye"));
    let (code, out, _) = run(&["test", path]);
    assert!(code == 1 && out.contains("did you mean `Order Type`?"), "{out}");
}

#[test]
fn every_kind_of_policy_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = acme.to_str().unwrap();
    let list =
        "fn credit(tx) {\n    let all = [];\n    all.push(share(tx.owner, 0.5));\n    all\n}\n";
    put(&acme, "policies/crediting/list.rhai", list);
    let ask = |policy: &str, transaction: &str| {
        let (code, out, error) =
            run(&["eval", path, "--policy", policy, "--transaction", transaction, "--explain"]);
        (code, format!("{out}{error}"))
    };
    let (code, said) = ask("crediting/list", "OPP-1");
    assert!(code == 0 && said.ends_with("[share(\"Ann Lee\", 0.5)]\n"), "{said}");
    assert_eq!(run(&["new", "policy", "reward", "tenth", "--dir", path]).0, 0);
    let words = ["eval", path, "--policy", "reward/tenth", "--explain", "--credited", "80000"];
    let (code, said, error) = run(&words);
    assert!(code == 0 && said.contains("totals.credited = 80000"), "{said}{error}");
    assert!(said.ends_with("8000.0\n"), "{said}");
    assert_eq!(run(&["new", "policy", "intake", "crm", "--dir", path]).0, 0);
    let body = "{\"deals\": [{\"id\": \"D1\", \"closed\": \"2026-01-02\", \"owner\": \"ann\", \
                \"amount\": 5.50}]}";
    let (code, said) = ask("intake/crm", body);
    assert_eq!(code, 0, "{said}");
    let last = said.lines().last().unwrap();
    let row: Json = serde_json::from_str(last).unwrap();
    assert!(last.contains("\"amount\":5.5"), "{last}");
    assert_eq!(row["closed"], "2026-01-02");
    let (code, said) = ask("large-deals", "OPP-1");
    assert!(code == 3 && said.contains("did you mean `crediting/large-deals`?"), "{said}");
}

/// Scripts as people write them who know the language: nothing is said about any of them.
#[test]
fn what_is_right_is_left_alone() {
    let folder = root().join("tests/fixtures/idiomatic");
    let dir = tempfile::tempdir().unwrap();
    let settings = fs::read_to_string(folder.join("accredit.toml")).unwrap();
    put(dir.path(), "accredit.toml", &settings);
    let header =
        "Order,Invoice Date,Net Value,Rep #1,Rep #2,Product Line,Order Type,Discount,Renewal\n";
    put(dir.path(), "transactions/orders.csv", header);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((kind, _)) = name.split_once('-') else { continue };
        let text = fs::read_to_string(entry.path()).unwrap();
        put(dir.path(), &format!("policies/{kind}/{name}"), &text);
        count += 1;
    }
    assert!(count >= 40, "{count}");
    assert_eq!(found(dir.path()), Vec::<String>::new());
}

/// The page for authors shows the policy and the case that `accredit new` writes.
#[test]
fn the_page_quotes_the_files_of_a_new_directory() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path()).join("policies/crediting");
    let page = fs::read_to_string(root().join("scripts/README.md")).unwrap();
    let policy = fs::read_to_string(acme.join("large-deals.rhai")).unwrap();
    assert!(page.contains(&policy), "scripts/README.md quotes another policy");
    let cases = fs::read_to_string(acme.join("large-deals.cases.md")).unwrap();
    let first = cases.split("## ").nth(1).unwrap().trim();
    assert!(page.contains(first), "scripts/README.md quotes another case");
}
