//! What `accredit check` and a calculation say of cells as spreadsheets and CRMs write them.

use std::path::Path;

use serde_json::Value as Json;

use crate::company;
use crate::server::{SECRET, Server, now, run};

/// Findings about the small company with these settings, this plan condition and these rows, as
/// `code severity message`.
fn findings(settings: &str, condition: &str, rows: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let workspace = write(dir.path(), settings, condition, rows);
    let (_, out, error) = run(&["check", workspace.to_str().unwrap(), "--format", "json"]);
    let found: Vec<Json> = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{error}"));
    let text = |found: &Json, key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let shown = found.iter().map(|found| {
        let (code, severity) = (text(found, "code"), text(found, "severity"));
        format!("{code} {severity} {} | {}", text(found, "message"), text(found, "help"))
    });
    shown.filter(|found| !found.contains("CR051")).collect()
}

fn write(dir: &Path, settings: &str, condition: &str, rows: &str) -> std::path::PathBuf {
    let workspace = company::write(dir);
    let old = company::FILES[0].1;
    let (date, rest) = settings.split_once('|').unwrap_or(("date = \"date\"", settings));
    let text = old
        .replace("date = \"date\"", date)
        .replace("owner = [\"owner\"]\n", &format!("owner = [\"owner\"]\n{rest}\n"));
    company::put(&workspace, "accredit.toml", &text);
    let plan = company::FILES[2].1;
    let rule = format!("name = \"Booking\"\ncondition = '{condition}'\n");
    company::put(&workspace, "plans/reps.toml", &plan.replacen("name = \"Booking\"\n", &rule, 1));
    company::put(&workspace, "transactions/deals.csv", rows);
    workspace
}

#[track_caller]
fn check(settings: &str, condition: &str, rows: &str, expected: &[&str]) {
    let found = findings(settings, condition, rows);
    let matches = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| expected.split(" … ").all(|part| found.contains(part)));
    assert!(matches, "expected {expected:#?}\nfound {found:#?}");
}

const HEADER: &str = "id,date,amount,owner";

/// Clocks were compared as text, and `check` was silent.
#[test]
fn a_clock_that_cannot_be_read_is_an_error_with_the_format_to_write() {
    let rows = format!(
        "{HEADER},changed\nD1,2026-01-31,5,Ann,12/31/2025 10:00 PM\nD1,2026-01-31,7,Ann,1/2/2026 9:00 AM\n"
    );
    let expected = "CR070 error `changed` of D1 holds `12/31/2025 10:00 PM` … 2 of 2 … \
                    format = \"%m/%d/%Y %I:%M %p\" }`";
    let contradicts = "CR077 warning 2 rows are 1 deal … `D1` (2 rows)";
    check("updated = \"changed\"", "true", &rows, &[expected, contradicts]);
    let format = "updated = { field = \"changed\", format = \"%m/%d/%Y %I:%M %p\" }";
    check(format, "true", &rows, &[]);

    // The later version counts, although it comes first.
    let swapped = format!(
        "{HEADER},changed\nD1,2026-01-31,7,Ann,1/2/2026 9:00 AM\nD1,2026-01-31,5,Ann,12/31/2025 10:00 PM\n"
    );
    for rows in [&rows, &swapped] {
        let dir = tempfile::tempdir().unwrap();
        let workspace = write(dir.path(), format, "true", rows);
        let verb =
            ["calculate", workspace.to_str().unwrap(), "--plan", "reps", "--period", "2026-01"];
        let (code, out, error) = run(&verb);
        assert_eq!(code, 0, "{error}");
        let all: Json = serde_json::from_str(&out).unwrap();
        assert_eq!(all["credits"][0]["amount"], "7.00", "{out}");
    }
}

#[test]
fn dates_of_another_format_are_named() {
    let rows = "id,date,amount,owner\nD1,31.01.2026,5,Ann\nD2,28.02.2026,5,Ann\n";
    let expected = "CR032 warning `date` of D1 holds `31.01.2026` … format = \"%d.%m.%Y\"";
    check("", "true", rows, &[expected]);
    let short = "id,date,amount,owner\nD1,01/31/26,5,Ann\n";
    let format = "date = { field = \"date\", format = \"%m/%d/%Y\" }|";
    check(format, "true", short, &["CR074 warning `date` of D1 is in the year 26 … \"%m/%d/%y\""]);
    let both = "date = { field = \"date\", formats = [\"%m/%d/%y\", \"iso\"] }|";
    let mixed = "id,date,amount,owner\nD1,01/31/26,5,Ann\nD2,2026-1-31,5,Ann\n";
    check(both, "true", mixed, &[]);
}

#[test]
fn values_that_differ_only_by_case_are_a_hint() {
    let rows = format!("{HEADER},stage\nD1,2026-01-31,5,Ann,Won\nD2,2026-01-31,5,Ann,WON\n");
    let hint = "CR071 hint `stage` also holds `WON`";
    check("product = \"stage\"", "tx.product == \"Won\"", &rows, &[hint]);
    check("", "tx[\"stage\"] == \"Won\"", &rows, &[hint]);
    check("", "tx[\"stage\"] in [\"Won\", \"WON\"]", &rows, &[]);
    check("", "to_lower(tx[\"stage\"]) == \"won\"", &rows, &[]);
    let spaces = format!("{HEADER}, stage \nD1,2026-01-31,5,Ann,Won\u{a0}\n");
    check("", "tx[\"stage\"] == \"Won\"", &spaces, &[]);
}

#[test]
fn currencies_are_looked_at() {
    let units = "currency = \"cur\"";
    let rows = |currency: &str| format!("{HEADER},cur\nD1,2026-01-31,5,Ann,{currency}\n");
    check(units, "true", &rows("usd"), &[]);
    check(units, "true", &rows("EURO"), &["CR072 warning `cur` of D1 holds `EURO`"]);
    check(units, "true", &rows(""), &["CR072 warning `cur` of D1 is blank"]);
    let hint = "CR073 hint … tx.amount_in(\"USD\")";
    check(units, "tx.amount > 5000", &rows("USD"), &[hint]);
    check(units, "tx.amount > 0", &rows("USD"), &[]);
    check(units, "tx.amount_in(\"USD\") > 5000", &rows("USD"), &[]);
    check("", "tx.amount > 5000", &format!("{HEADER}\nD1,2026-01-31,5,Ann\n"), &[]);
}

#[test]
fn digits_that_change_money_are_a_warning() {
    let rows = |amount: &str| format!("{HEADER}\nD1,2026-01-31,{amount},Ann\n");
    check("", "true", &rows("1.0000000000000000000000000000000000000001"), &[]);
    let amount = "0.0049999999999999999999999999999999999999";
    check("", "true", &rows(amount), &["CR075 warning"]);
}

/// Blanks, numbers with thousands and a second date column, as a spreadsheet has them.
#[test]
fn a_spreadsheet_is_read_as_its_settings_say() {
    let settings = "date = { fields = [\"original\", \"invoice\"], formats = [\"%d.%m.%Y\", \"excel\"] }|\
                    [columns]\namount = { number = \"1.234,56 €\" }\n[transactions]\nblanks = [\"NULL\"]";
    let rows = "\u{feff}id, original ,invoice,amount,owner\n\
                D1,NULL,31.01.2026,\"1.234,56 €\",Ann\nD2,46052,NULL,\"(99,50)\",Ann\nD3,1.1.2026,,5,null\n";
    check(settings, "true", rows, &[]);
    let dir = tempfile::tempdir().unwrap();
    let workspace = write(dir.path(), settings, "true", rows);
    let verb = ["calculate", workspace.to_str().unwrap(), "--plan", "reps", "--period", "2026-01"];
    let (_, out, error) = run(&[&verb[..], &["--format", "csv"]].concat());
    let shown = |text: &str| assert!(out.contains(text), "{text}: {out}\n{error}");
    shown("D1,2026-01-31");
    shown("1234.56");
    shown("D2,2026-01-30");
    shown("-99.50");
    assert!(!out.contains("D3"), "a blank owner names nobody: {out}");
}

/// A webhook brings 18 characters, and an import of a report 15: the deal was credited twice.
#[test]
fn two_forms_of_an_id_are_one_deal() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = company::FILES[0].1;
    let id = "id = { field = \"id\", as = \"salesforce\" }";
    company::put(&workspace, "accredit.toml", &settings.replace("id = \"id\"", id));
    let server = Server::start(&dir.path().join("ids.redb"), &workspace);
    let deal = |id: &str| {
        format!(
            "\u{feff}{{\"id\": \"{id}\", \"date\": \"2026-03-15\", \"amount\": 100, \"owner\": \"Ann\"}}"
        )
    };
    for (message, id) in [("m1", "006A0000000abcdIAA"), ("m2", "006A0000000abcd")] {
        let reply = server.hook_at(message, now(), SECRET, &deal(id)).unwrap();
        assert_eq!(reply.status, 202, "{}", reply.body);
    }
    server.settle();
    let credits = server.credits("");
    let direct: Vec<&Json> = credits.iter().filter(|row| row["kind"] == "direct").collect();
    assert_eq!(direct.len(), 1, "{credits:?}");
    assert_eq!(direct[0]["transaction"], "006A0000000abcdIAA");
}

/// Deals near the largest decimal stopped whatever added them up; the deals behind them were never
/// decided.
#[test]
fn absurd_amounts_park_and_the_others_are_credited() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("absurd.redb"), &workspace);
    let deal = |id: &str, amount: &str| {
        format!(
            "{{\"id\": \"{id}\", \"date\": \"2026-03-15\", \"amount\": {amount}, \"owner\": \"Ann\"}}"
        )
    };
    let absurd =
        ["79228162514264337593543950335", "-79228162514264337593543950335", "1e28", "5e15"];
    for (index, amount) in absurd.iter().enumerate() {
        server.hook(&format!("a{index}"), &deal(&format!("A{index}"), amount)).unwrap();
    }
    for index in 0..3 {
        server.hook(&format!("n{index}"), &deal(&format!("N{index}"), "10")).unwrap();
    }
    server.settle();
    let credits = server.credits("");
    let direct = credits.iter().filter(|row| row["kind"] == "direct").count();
    assert_eq!(direct, 3, "{credits:?}");
    assert_eq!(server.get("/v1/dead-letters").json()["data"].as_array().unwrap().len(), 0);
    let calculation = server.get("/v1/calculations").json();
    assert!(calculation["data"].is_array(), "{calculation}");
}
