//! Rows as sources export them: repeated keys, broken cells, every format; checked by the real program.
//!
//! Not what is wrong with definitions (`directory`).

use std::io::Write;
use std::path::Path;

use serde_json::Value as Json;

use crate::company;
use crate::server::run;

/// A sound directory with these files under `transactions/`.
fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let settings = "[workspace]\nname = \"Acme\"\n\n[fields]\nid = \"id\"\ndate = \"date\"\n\
                    amount = \"amount\"\nowner = \"owner\"\n";
    company::put(dir.path(), "accredit.toml", settings);
    company::put(dir.path(), "organization/participants.csv", "id,title\nann,Rep\nbob,Rep\n");
    let plan = "name = \"Deals\"\n[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"R\"\n";
    company::put(dir.path(), "plans/deals.toml", plan);
    for (name, bytes) in files {
        let path = dir.path().join("transactions").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    dir
}

/// What the check finds, a line each: severity, code, place and message.
fn findings(dir: &Path) -> Vec<String> {
    let (_, out, error) = run(&["check", dir.to_str().unwrap(), "--format", "json"]);
    let found: Vec<Json> = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    let shown = found.iter().map(|finding| {
        let [severity, code, file, message] =
            ["severity", "code", "file", "message"].map(|key| finding[key].as_str().unwrap());
        format!("{severity} {code} {file}:{} {message}", finding["line"])
    });
    shown.collect()
}

/// Amounts credited in January, and the codes of alerts.
fn calculated(dir: &Path) -> (Vec<String>, Vec<String>) {
    let (code, out, error) =
        run(&["calculate", dir.to_str().unwrap(), "--period", "2022-01", "--plan", "deals"]);
    assert_eq!(code, 0, "{error}");
    let json: Json = serde_json::from_str(&out).unwrap();
    let texts = |list: &str, key: &str| {
        let rows = json[list].as_array().unwrap_or_else(|| panic!("{out}")).iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    (texts("credits", "amount"), texts("alerts", "code"))
}

#[test]
fn keys_that_repeat_are_counted_and_named() {
    // A file of 346 rows was 156 deals, since its id was the name of the deal, and nothing said so.
    let rows = "id,date,owner,amount\nA,2022-01-12,ann,1000\nB,2022-01-12,ann,7\n\
                A,2022-01-12,ann,5\nB,2022-01-12,ann,7\n";
    let dir = directory(&[("deals.csv", rows.as_bytes())]);
    let found = findings(dir.path());
    assert_eq!(found.len(), 1, "{found:#?}");
    let expected = "warning CR077 transactions/deals.csv:4 4 rows are 2 deals: rows of one natural \
                    key contradict each other, and no clock says which counts: `A` (2 rows)";
    assert_eq!(found[0], expected);
    let (amounts, alerts) = calculated(dir.path());
    assert_eq!((amounts, alerts), (vec!["5.00".into(), "7.00".into()], vec!["conflict".into()]));
}

#[test]
fn later_exports_come_later() {
    // `export-10` was read before `export-9`, and the older amount counted.
    let row = |amount: u32| format!("id,date,owner,amount\nA,2022-01-12,ann,{amount}\n");
    let (old, new) = (row(100), row(200));
    for names in [["export-9.csv", "export-10.csv"], ["deals.csv", "deals (1).csv"]] {
        let dir = directory(&[(names[1], new.as_bytes()), (names[0], old.as_bytes())]);
        let (amounts, alerts) = calculated(dir.path());
        assert_eq!(
            (amounts, alerts),
            (vec!["200.00".into()], vec!["conflict".into()]),
            "{names:?}"
        );
        let found = findings(dir.path());
        assert!(found[0].starts_with(&format!("warning CR077 transactions/{}:2", names[1])));
    }
}

#[test]
fn suspicious_rows_are_named() {
    // Each was silent, and deals were missing, merged or without an owner.
    let check = |rows: &str, expected: &[&str]| {
        let dir = directory(&[("deals.csv", rows.as_bytes())]);
        let found = findings(dir.path());
        let found: Vec<&String> = found.iter().filter(|one| one.contains("CR0")).collect();
        assert_eq!(found.len(), expected.len(), "{rows}: {found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}\n{expected}");
        }
    };
    let header = "id,date,owner,amount\n";
    let swallowed = "A,2022-01-12,\"ann,100\nB,2022-01-12,bob\",200\n";
    let broken = "warning CR078 transactions/deals.csv:2 `owner` holds line breaks";
    check(&format!("{header}{swallowed}"), &[broken]);
    let rounded = "1.23457E+11,2022-01-12,ann,1\n";
    check(
        &format!("{header}{rounded}"),
        &["warning CR079 transactions/deals.csv:2 the id `1.23457"],
    );
    check(
        &format!("{header}A,2022-01-12,ann,1\n,2022-01-12,ann,1\n"),
        &["warning CR080 transactions/deals.csv:3 the natural key `id` is blank in 1 row"],
    );
    check(
        &format!("{header}A,2022-01-12,ann,1\n\0B,2022-01-12,a\0nn,1\n"),
        &[
            "warning CR078 transactions/deals.csv:3 `id`",
            "warning CR078 transactions/deals.csv:3 `own",
        ],
    );

    let first = format!("{header}A,2022-01-12,ann,1\n");
    let second = "Id,date,owner,amount\nB,2022-01-12,ann,1\n";
    let dir = directory(&[("a.csv", first.as_bytes()), ("b.csv", second.as_bytes())]);
    let found = findings(dir.path()).join("\n");
    assert!(found.contains("CR081 transactions/b.csv:1 this file has a column `Id`"), "{found}");
    assert!(found.contains("CR080 transactions/b.csv:2"), "{found}");
}

#[test]
fn rows_are_read_in_every_format() {
    // Packed files, other delimiters and pretty-printed JSON were refused, or one column.
    let csv = "id,date,owner,amount\nA,2022-01-12,ann,100\n";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(csv.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let semicolons = csv.replace(',', ";");
    let tabs = csv.replace(',', "\t");
    let json = "{\"id\": \"A\", \"date\": \"2022-01-12\", \"owner\": \"ann\", \"amount\": 100}";
    let pretty = json.replace(", ", ",\n  ");
    let array = format!("[{json}]");
    let files: [(&str, &[u8]); 7] = [
        ("deals.csv.gz", &packed),
        ("deals.csv", semicolons.as_bytes()),
        ("deals.tsv", tabs.as_bytes()),
        ("deals.ndjson", pretty.as_bytes()),
        ("array.ndjson", array.as_bytes()),
        ("deals.json", pretty.as_bytes()),
        ("two.csv", b"id|date|owner|amount\nA|2022-01-12|ann|100\n"),
    ];
    for file in files {
        let dir = directory(&[file]);
        let (amounts, _) = calculated(dir.path());
        assert_eq!(amounts, ["100.00"], "{}", file.0);
        let found = findings(dir.path());
        assert!(found.iter().all(|one| one.starts_with("hint CR083")), "{}: {found:?}", file.0);
    }
}

#[test]
fn a_spreadsheet_is_read_as_it_is_saved() {
    // The first sheet is empty; dates are serial numbers with a style, and rows are missing.
    let sheet = include_bytes!("../fixtures/formats/deals.xlsx");
    let dir = directory(&[("deals.xlsx", sheet)]);
    let (mut amounts, _) = calculated(dir.path());
    amounts.sort();
    assert_eq!(amounts, ["0.10", "200.00"]);
    assert_eq!(findings(dir.path()), Vec::<String>::new());
    let dir = directory(&[("deals.xlsx", b"no spreadsheet")]);
    assert!(findings(dir.path())[0].starts_with("error CR030 transactions/deals.xlsx:1"));
}
