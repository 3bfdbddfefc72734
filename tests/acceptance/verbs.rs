//! The command line: check, test, calculate, explain, demo.

use std::fs;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::company;
use crate::server::{root, run};

#[test]
fn case_files_of_the_library_and_the_goldens_pass() {
    for folder in ["scripts", "tests/fixtures/goldens"] {
        let path = root().join(folder);
        let (code, out, error) = run(&["test", path.to_str().unwrap()]);
        assert_eq!(code, 0, "{folder}\n{out}\n{error}");
    }
}

/// Thirty broken policies, each refused with the right code at the right place.
#[test]
fn broken_policies_are_refused_where_they_are_broken() {
    let mut count = 0;
    let folder = root().join("tests/fixtures/broken");
    let settings = fs::read_to_string(folder.join("accredit.toml")).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".rhai") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let header = |key: &str| {
            let prefix = format!("// {key}: ");
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(&prefix));
            lines.next().unwrap_or_else(|| panic!("{name}: no `{prefix}`")).trim().to_owned()
        };
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path();
        company::put(workspace, "accredit.toml", &settings);
        company::put(
            workspace,
            "transactions/seen.csv",
            "id,date,amount,Rep,Rep #1,deal_stage,Renewal\n",
        );
        company::put(workspace, &format!("policies/{}/{name}", header("kind")), &text);
        let (code, out, error) = run(&["check", workspace.to_str().unwrap(), "--format", "json"]);
        let found: Vec<Json> = serde_json::from_str(&out).unwrap();
        let found: Vec<String> = found
            .iter()
            .filter(|d| d["file"].as_str().unwrap().ends_with(&name))
            .map(|d| format!("{} {}:{}", d["code"].as_str().unwrap(), d["line"], d["column"]))
            .collect();
        assert!(found.contains(&header("expect")), "{name}: {found:?}\n{out}\n{error}");
        assert_eq!(code, 1, "{name}");
        count += 1;
    }
    assert!(count >= 30, "{count} broken policies");
}

#[test]
fn check_is_clean_on_a_good_directory_and_says_what_does_not_fit_together() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let path = workspace.to_str().unwrap();
    let (code, out, error) = run(&["check", path, "--format", "json"]);
    assert_eq!((code, out.trim()), (0, "[]"), "{error}");
    let plan =
        company::FILES[2].1.replace("name = \"Reps\"\n", "name = \"Reps\"\nmeasure = \"team\"\n");
    company::put(&workspace, "plans/reps.toml", &plan);
    let (code, out, _) = run(&["check", path, "--format", "json"]);
    assert_eq!(code, 1, "{out}");
    let found: Vec<Json> = serde_json::from_str(&out).unwrap();
    assert_eq!((&found[0]["code"], &found[0]["line"]), (&"CR024".into(), &3.into()), "{out}");
    assert!(found[0]["message"].as_str().unwrap().contains("measures teams"), "{out}");
}

#[test]
fn calculate_is_the_same_on_one_thread_and_on_four() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let deals = company::deals(500).join("\n");
    company::put(&workspace, "transactions/deals.ndjson", &deals);
    let path = workspace.to_str().unwrap();
    let calculate = |threads| {
        let (code, out, error) =
            run(&["calculate", path, "--period", "2026", "--threads", threads]);
        assert_eq!(code, 0, "{error}");
        out
    };
    let one = calculate("1");
    assert_eq!(one, calculate("4"));
    let all: Json = serde_json::from_str(&one).unwrap();
    let all = all.as_array().unwrap();
    let length =
        |key: &str| all.iter().map(|one| one[key].as_array().unwrap().len()).sum::<usize>();
    let transactions = all.iter().map(|one| one["transactions"].as_u64().unwrap());
    assert_eq!(transactions.sum::<u64>(), 500);
    assert!(length("credits") > 500);
    assert_eq!(length("uncredited") + length("parked"), 0);
}

#[test]
fn explain_says_why_and_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let rows = "id,date,amount,owner\nD1,2026-03-15,100,Ann\nD2,2026-03-15,100,Zoe\n";
    company::put(&workspace, "transactions/deals.csv", rows);
    let path = workspace.to_str().unwrap();
    let (code, out, error) = run(&["explain", path, "D1"]);
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("credited") && out.contains("100.00"), "{out}");
    let (code, out, _) = run(&["explain", path, "D2"]);
    assert_eq!(code, 0);
    assert!(out.contains("no alias matches `Zoe`"), "{out}");
    let (code, ..) = run(&["explain", path, "D3"]);
    assert_eq!(code, 3);
}

/// A changed rate changed the January that had been paid, and the numbers were taken for what was paid.
#[test]
fn a_calculation_with_closed_periods_says_that_it_is_recomputed() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let (path, settings) = (workspace.to_str().unwrap(), company::FILES[0].1);
    company::put(&workspace, "transactions/1.csv", "id,date,amount,owner\nD1,2022-01-12,100,Ann\n");
    let lock =
        |text: &str| company::put(&workspace, "accredit.toml", &format!("{settings}\n{text}"));
    let calculate = |more: &[&str]| {
        let (code, out, error) = run(&[&["calculate", path, "--period", "2022-02"], more].concat());
        assert_eq!(code, 0, "{error}");
        (out, error)
    };
    let said = "recomputed from today's files, not what was paid";

    // Nothing is locked, or not yet on the business date.
    let dated = ["--as-of", "2022-02-01"];
    lock("");
    let plain = calculate(&[]);
    lock("[calendar]\nfinalized = { \"2022-01\" = 2022-02-10 }\n");
    for (out, error) in [plain.clone(), calculate(&dated)] {
        assert!(!out.contains(said) && !out.contains("\"note\"") && !error.contains(said), "{out}");
    }

    let note = format!("{said} (finalized: 2022-01)");
    let (out, error) = calculate(&[]);
    let json: Json = serde_json::from_str(&out).unwrap();
    for object in json.as_array().unwrap() {
        assert_eq!(object["note"], note.as_str());
        assert!(object["credits"].is_array() && object["rewards"].is_array(), "{object}");
    }
    assert!(!error.contains(said), "once is enough: {error}");
    let (out, _) = calculate(&["--show", "rewards"]);
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(json[0]["note"], note.as_str());

    let (out, _) = calculate(&["--format", "table"]);
    assert_eq!(out.lines().last(), Some(note.as_str()), "{out}");

    let (out, error) = calculate(&["--format", "csv"]);
    assert!(!out.contains(said) && error.contains(&format!("note: {note}\n")), "{out}{error}");

    lock(
        "[calendar]\nfinalized = { \"2022-01\" = 2022-02-10 }\nclosed = { \"2022-02\" = 2022-03-08 }\n",
    );
    let (out, _) = calculate(&["--format", "table"]);
    assert!(out.ends_with(&format!("{said} (finalized: 2022-01; closed: 2022-02)\n")), "{out}");
}

/// DOMAIN 3.9 on a directory alone: 100 in a finalized January becomes 92 in March.
#[test]
fn a_finalized_january_never_changes() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = company::FILES[0].1.replace("owner = [", "received = \"loaded\"\nowner = [");
    let finalized = "{ \"2022-01\" = 2022-02-10, \"2022-02\" = 2022-03-08 }";
    let settings = format!("{settings}\n[calendar]\nfinalized = {finalized}\n");
    company::put(&workspace, "accredit.toml", &settings);
    let path = workspace.to_str().unwrap();
    let credits = |period: &str| -> Vec<Json> {
        let (code, out, error) = run(&["calculate", path, "--period", period, "--plan", "reps"]);
        assert_eq!(code, 0, "{error}");
        let calculation: Json = serde_json::from_str(&out).unwrap();
        calculation["credits"].as_array().unwrap().clone()
    };
    let first = "id,date,amount,owner,loaded\nD1,2022-01-12,100,Ann,2022-01-13\n";
    company::put(&workspace, "transactions/1.csv", first);
    let january = credits("2022-01");
    assert_eq!((january.len(), credits("2022-03").len()), (3, 0));
    let second = "id,date,amount,owner,loaded\nD1,2022-01-12,92,Ann,2022-03-15\n";
    company::put(&workspace, "transactions/2.csv", second);
    assert_eq!(credits("2022-01"), january);
    let march = credits("2022-03");
    // Ann, Max and Dee: a reversal of what January says, and what it is now.
    let amounts: Vec<&str> = march.iter().map(|row| row["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["-100.00", "92.00"].repeat(3));
    for (old, new) in january.iter().zip(march.chunks(2)) {
        assert_eq!((&new[0]["reverses"], &new[1]["reverses"]), (&old["id"], &Json::Null));
        assert!(new.iter().all(|row| row["origin"] == "retro" && row["status"] == "active"));
        let ids = [&old["id"], &new[0]["id"], &new[1]["id"]];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    }
    let (_, out, _) = run(&["explain", path, "D1"]);
    let reversed = january[0]["id"].as_str().unwrap();
    assert!(out.contains(&format!("100.00 USD in 2022-01 is frozen: {reversed}")), "{out}");
    assert!(out.contains(&format!("-100.00 USD in 2022-03 takes back {reversed}")), "{out}");
}

#[test]
fn the_demo_counts_what_it_sent() {
    let (code, out, error) = run(&["demo", "--once", "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let summary: Json = serde_json::from_str(&out).unwrap();
    let number = |key: &str| summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {out}"));
    assert_eq!(number("transactions"), 5000);
    assert_eq!(number("credits"), number("direct") + number("indirect"));
    for key in ["held", "suppressed", "uncredited", "parked", "elapsed_ms"] {
        assert!(number(key) > 0, "{key}: {out}");
    }
    let total: Decimal = summary["credited_total"].as_str().unwrap().parse().unwrap();
    assert!(total > Decimal::ZERO && total.scale() == 2);
    check_tour(&summary);
}

/// The tour of the demo, worked out by hand. The quota is 10,000 a month, the commission 10 % to the
/// quota and 20 % above it. The fees are 400 for a Gauge, 250 for a Sensor and 100 for others.
///
/// January: Nora has 6,000 + 2,000 = 8,000, which is 0.8 of the quota: 800, and fees of 400 + 250.
/// Omar has 3,000: 300, a fee of 100, and a draw of 1,500 - 300 = 1,200, which he owes.
/// February: Omar has 18,000: 10 % of 10,000 + 20 % of 8,000 = 2,600. Above 1,500 that is 1,100,
/// which pays back all but 100 of the draw.
/// Preview: a fee of 500 is 100 more for one Gauge each; rewards that change are shown. Nora in
/// January: 800 + 650 = 1,450, then 1,550. Omar in February: 2,600 + 400 - 1,100 = 1,900, then 2,000.
/// Correction: with 7,000 instead of 2,000 January is 13,000: 1,000 + 20 % of 3,000 = 1,600. Of
/// that 800 was paid, so 800 is the difference in February.
fn check_tour(summary: &Json) {
    let lines: Vec<String> = summary["tour"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "nora Commission 800.00, credited 8000.00 of a quota of 10000.00 (attainment 0.8000)",
        "omar Commission 300.00, credited 3000.00 of a quota of 10000.00 (attainment 0.3000)",
        "nora Set-up 650.00, credited 650.00",
        "omar Set-up 100.00, credited 100.00",
        "omar Newcomer's draw 1200.00",
        "omar Commission 2600.00, credited 18000.00 of a quota of 10000.00 (attainment 1.8000)",
        "omar Newcomer's draw -1100.00",
        "omar owes 1200.00 of \"Newcomer's draw\" at the end of 2026-01",
        "omar owes 100.00 of \"Newcomer's draw\" at the end of 2026-02",
        "nora 1550.00 instead of 1450.00: 100.00",
        "omar 2000.00 instead of 1900.00: 100.00",
        "nora Commission 800.00, corrects 2026-01",
    ];
    for line in expected {
        assert!(lines.iter().any(|known| known == line), "no `{line}` in {lines:#?}");
    }
    let last = lines.last().unwrap();
    assert!(last.starts_with("rule `Service`: the owner is `Nora Quist`"), "{last}");
}

/// DOMAIN 2.15: ten deals of the first half of April, and the same again in the second; refused with
/// one deal less. What comes out calls itself a simulation, and calculate knows nothing of it.
#[test]
fn simulate_fills_the_rest_of_a_month() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let path = workspace.to_str().unwrap();
    let deals = |count: usize| {
        let rows = (0..count).map(|deal| format!("D{deal},2026-04-{:02},100,Ann\n", deal + 1));
        let rows = format!("id,date,amount,owner\n{}", rows.collect::<String>());
        company::put(&workspace, "transactions/deals.csv", &rows);
    };
    let verb = ["simulate", path, "--plan", "reps", "--period", "2026-04", "--as-of", "2026-04-15"];
    deals(0);
    let (code, out, error) = run(&verb);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("has no deals"), "{error}");
    // Fewer than ten are repeated with a warning.
    for (count, warned) in [(1, true), (9, true), (10, false)] {
        deals(count);
        let (code, _, error) = run(&verb);
        assert_eq!((code, error.contains("warning: ")), (0, warned), "{count}: {error}");
    }
    deals(10);
    let (code, out, error) = run(&verb);
    assert_eq!(code, 0, "{error}");
    let simulated: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(simulated["simulation"], true);
    let counts = serde_json::json!({ "so_far": 10, "projected": 20 });
    assert_eq!(simulated["transactions"], counts);
    let sums = simulated["credits"].as_array().unwrap();
    let ann = sums.iter().find(|sum| sum["payee"] == "ann").unwrap();
    assert_eq!((&ann["so_far"], &ann["projected"]), (&"1000.00".into(), &"2000.00".into()));
    let (_, out, _) = run(&["calculate", path, "--plan", "reps", "--period", "2026-04"]);
    assert!(!out.contains('~') && !out.contains("simulation"), "{out}");
}
