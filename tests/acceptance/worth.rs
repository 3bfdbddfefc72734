//! Rewards on the command line: shown, tried, simulated.
//!
//! Expectations are derived by hand from FORMAT sections 3, 5 and 6: Ann sells 100 and 60, Bob 30; Max
//! manages both and gets the whole of what rolls up.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::company;
use crate::server::run;

const REWARD: &str = "\n[[reward]]\nname = \"Commission\"\nvalue = \"policy:steps\"\n";

/// A tenth, and a fifth once the quota is reached.
const STEPS: &str = "fn reward(payee, totals, quota) {
    let rate = if totals.credited >= quota { 0.2 } else { 0.1 };
    totals.credited * rate
}
";

const DEALS: &str = "id,date,amount,owner
D1,2026-03-10,100,Ann
D2,2026-03-11,60,Ann
D3,2026-03-12,30,Bob
D4,2026-03-13,30,Zoe
D5,2026-03-14,x,Bob
";

fn acme(dir: &Path) -> std::path::PathBuf {
    let workspace = company::write(dir);
    let put = |path: &str, text: &str| company::put(&workspace, path, text);
    put("plans/reps.toml", &format!("{}{REWARD}", company::FILES[2].1));
    put("policies/reward/steps.rhai", STEPS);
    let quotas = "plan,target,period,amount\nreps,title:Rep,2026-03,150\nreps,max,2026-03,500\n";
    put("organization/quotas.csv", quotas);
    put("transactions/deals.csv", DEALS);
    workspace
}

/// Standard output of a run that is fine.
fn printed(words: &[&str]) -> String {
    let (code, out, error) = run(words);
    assert_eq!(code, 0, "{words:?}\n{out}\n{error}");
    out
}

#[test]
fn calculate_shows_every_list() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = acme(dir.path());
    let path = workspace.to_str().unwrap();
    let verb = ["calculate", path, "--plan", "reps", "--period", "2026-03"];
    let shown = |more: &[&str]| printed(&[&verb, more].concat());
    let all: Json = serde_json::from_str(&shown(&[])).unwrap();

    // CSV is credits, unless something else is asked for; the columns are those of the contract.
    let csv = shown(&["--format", "csv"]);
    assert!(csv.starts_with("id,transaction,incentive_date,plan,rule,result,kind,"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + 9, "three deals, each for a rep, Max and Dee");
    assert_eq!(csv, shown(&["--format", "csv", "--show", "credits"]));
    let rewards = shown(&["--format", "csv", "--show", "rewards"]);
    let mut lines = rewards.lines();
    assert_eq!(
        lines.next(),
        Some(
            "id,plan,period,reward,payee,team,credit_type,credited,credited_unit_type,quota,\
             attainment,amount,unit_type,credits,origin,corrects"
        )
    );
    // Ann: 160 of 150, a fifth. Bob: 30 of 150, a tenth. Max: 190 of 500, a tenth. Dee: no quota.
    let cells: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let paid: Vec<[&str; 4]> = cells.iter().map(|row| [row[4], row[7], row[9], row[11]]).collect();
    let expected = [
        ["ann", "160.00", "150.00", "32.00"],
        ["bob", "30.00", "150.00", "3.00"],
        ["max", "190.00", "500.00", "19.00"],
    ];
    assert_eq!(paid, expected);
    let credits: Vec<&str> = cells[0][13].split(';').collect();
    assert_eq!(credits.len(), 2);
    assert_eq!(json!(credits), all["rewards"][0]["credits"]);
    let notes = shown(&["--format", "csv", "--show", "parked"]);
    assert_eq!(notes.lines().count(), 2, "{notes}");
    assert!(notes.lines().nth(1).unwrap().starts_with("D5,reps,"), "{notes}");
    let alerts = shown(&["--format", "csv", "--show", "alerts"]);
    assert!(alerts.contains("for `dee`"), "{alerts}");
    let (code, out, error) =
        run(&[&verb[..], &["--format", "csv", "--show", "credits,rewards"]].concat());
    assert_eq!((code, out.as_str()), (2, ""), "{error}");

    // A table has all that there is; JSON is narrowed to what is asked for.
    let table = shown(&["--format", "table"]);
    for word in
        ["Credits", "Rewards", "Uncredited", "Parked", "Alerts", "32.00", "nobody matches `Zoe`"]
    {
        assert!(table.contains(word), "no `{word}` in\n{table}");
    }
    let table = shown(&["--format", "table", "--show", "rewards"]);
    assert!(table.contains("1.0667") && !table.contains("D1") && !table.contains("Rewards"));
    let some: Json = serde_json::from_str(&shown(&["--show", "rewards,parked"])).unwrap();
    assert_eq!((&some["rewards"], &some["parked"]), (&all["rewards"], &all["parked"]));
    assert_eq!((some.get("credits"), &some["revision"]), (None, &json!(1)));
}

#[test]
fn a_reward_policy_is_tried_on_one_payee() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = acme(dir.path());
    let path = workspace.to_str().unwrap();
    let eval = |more: &[&str]| run(&[&["eval", path, "--policy", "reward/steps"], more].concat());
    let ann = ["--payee", "Ann", "--period", "2026-03"];
    let (code, out, error) = eval(&[&ann[..], &["--explain"]].concat());
    assert_eq!(code, 0, "{error}");
    for part in ["totals.credited = 160", "quota = 150", "=> 0.2"] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
    assert_eq!(out.lines().last().unwrap().trim_end_matches('0'), "32.");
    assert!(error.contains("ann 2026-03: credited 160.00 USD, quota 150"), "{error}");
    // Given values take the place of those of the period, or stand alone.
    let (_, out, _) = eval(&[&ann[..], &["--credited", "100"]].concat());
    assert_eq!(out.trim_end().trim_end_matches('0'), "10.");
    let (_, out, _) = eval(&["--credited", "-100", "--quota", "50"]);
    assert_eq!(out.trim_end().trim_end_matches('0'), "-10.");
    let (_, out, _) = eval(&["--total", "credit=40", "--quota", "40"]);
    assert_eq!(out.trim_end().trim_end_matches('0'), "8.");
    let (code, out, _) = eval(&[&ann[..], &["--format", "json", "--explain"]].concat());
    let json: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    let seen = json!([json["payee"], json["plan"], json["quota"], json["credited"]]);
    assert_eq!(seen, json!(["ann", "reps", "150", "160.00"]));
    assert_eq!(json["steps"][0]["line"], 2);
    // What it throws is a failure with a place; what is not there is nothing to run it on.
    let (code, _, error) = eval(&["--payee", "dee", "--period", "2026-03"]);
    assert_eq!(code, 1);
    assert!(error.contains("policies/reward/steps.rhai:2:"), "{error}");
    for words in [&["--payee", "zoe", "--period", "2026-03"][..], &["--payee", "ann"], &[]] {
        assert_eq!(eval(words).0, 3, "{words:?}");
    }
    // A policy that no plan names yet sees whoever was credited.
    company::put(&workspace, "policies/reward/new.rhai", STEPS);
    let words = ["eval", path, "--policy", "reward/new", "--payee", "bob", "--period", "2026-03"];
    assert_eq!(printed(&words).trim_end().trim_end_matches('0'), "3.");
    // Every other kind still needs a transaction.
    assert_eq!(run(&["eval", path, "--policy", "rollup/share"]).0, 2);
}

/// What is late or corrected in an open month is part of a simulation, apart from what is repeated.
#[test]
fn a_simulation_has_what_is_posted() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = company::FILES[0].1.replace("owner = [", "received = \"loaded\"\nowner = [");
    let finalized = "[calendar]\nfinalized = { \"2026-03\" = 2026-04-05 }\n";
    company::put(&workspace, "accredit.toml", &format!("{settings}\n{finalized}"));
    let mut rows = "id,date,amount,owner,loaded\nL1,2026-03-20,30,Ann,2026-04-07\n".to_owned();
    for day in 1..=10 {
        rows.push_str(&format!("D{day},2026-04-{day:02},10,Ann,2026-04-{day:02}\n"));
    }
    company::put(&workspace, "transactions/deals.csv", &rows);
    let path = workspace.to_str().unwrap();
    let verb = ["simulate", path, "--plan", "reps", "--period", "2026-04", "--as-of", "2026-04-15"];
    let simulated: Json = serde_json::from_str(&printed(&verb)).unwrap();
    let sums = simulated["credits"].as_array().unwrap();
    let ann = sums.iter().find(|sum| sum["payee"] == "ann").unwrap();
    let seen = json!([ann["so_far"], ann["posted"], ann["repeated"], ann["projected"]]);
    assert_eq!(seen, json!(["130.00", "30.00", "100.00", "230.00"]));
    let csv = printed(&[&verb[..], &["--format", "csv"]].concat());
    assert!(
        csv.starts_with("simulated,name,payee,team,unit_type,so_far,posted,repeated,projected")
    );
}
