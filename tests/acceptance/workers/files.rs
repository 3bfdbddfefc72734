//! Pinned rulesets, and what workers refuse.

use std::fs;

use serde_json::{Value as Json, json};

use super::{feed, part_of};
use crate::company;
use crate::server::run;

const REWARD: &str = "\n[[reward]]\nname = \"Commission\"\ntiers = [{ rate = \"10%\" }]\n";

/// A small company, and the file of its rules.
fn pinned(reward: &str, more: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in company::FILES.iter().chain(more) {
        company::put(dir.path(), path, text);
    }
    company::put(dir.path(), "policies/rollup/share.rhai", &company::rollup(50));
    let plan = fs::read_to_string(dir.path().join("plans/reps.toml")).unwrap();
    company::put(dir.path(), "plans/reps.toml", &(plan + reward));
    company::put(dir.path(), "transactions/seen.csv", "id,date,amount,owner\n");

    let file = dir.path().join("small.ruleset").to_str().unwrap().to_owned();
    let (code, _, error) =
        run(&["ruleset", "export", dir.path().to_str().unwrap(), "--out", &file]);
    assert_eq!(code, 0, "{error}");
    (dir, file)
}

fn deal(id: &str, owner: &str) -> String {
    json!({ "id": id, "date": "2026-03-04", "amount": "100", "owner": owner }).to_string() + "\n"
}

#[test]
fn the_same_directory_is_the_same_bytes_and_named_by_its_rules() {
    let (dir, file) = pinned("", &[]);
    let bytes = fs::read(&file).unwrap();
    let (code, out, _) = run(&[
        "ruleset",
        "export",
        dir.path().to_str().unwrap(),
        "--out",
        dir.path().to_str().unwrap(),
    ]);
    assert_eq!(code, 0);
    let named = out.trim();
    assert!(fs::read(named).unwrap() == bytes);

    let (code, out, error) = run(&["ruleset", "show", &file, "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let shown: Json = serde_json::from_str(&out).unwrap();
    assert!(named.ends_with(&format!("{}.ruleset", shown["ruleset"].as_str().unwrap())), "{named}");
    assert_eq!(shown["columns"], json!(["amount", "date", "id", "owner"]));
    let paths: Vec<&str> = shown["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    let expected = [
        "accredit.toml",
        "organization/participants.csv",
        "plans/reps.toml",
        "policies/rollup/share.rhai",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_file_that_is_cut_off_or_changed_is_refused() {
    let (_dir, file) = pinned("", &[]);
    let text = fs::read_to_string(&file).unwrap();
    let changed = [
        (text[..text.len() / 2].to_owned(), "not a whole pinned ruleset"),
        (text.replace("PERCENT = 50", "PERCENT = 51"), "the digest differs"),
        (text.replace("\"owner\"", "\"payer\""), "the digest differs"),
        (
            text.replace("\"accredit_ruleset\": 1", "\"accredit_ruleset\": 2"),
            "format 2 is not known",
        ),
    ];
    for (changed, why) in changed {
        assert_ne!(changed, text, "{why}");
        fs::write(&file, changed).unwrap();
        for verb in [&["ruleset", "show", &file][..], &["worker", "--ruleset", &file]] {
            let (code, out, error) = feed(verb, b"");
            assert_eq!((code, out.len()), (1, 0), "{error}");
            assert!(error.contains(why) && error.contains(&file), "{error}");
            assert!(error.contains("accredit ruleset export"), "{error}");
        }
    }
}

#[test]
fn a_directory_with_errors_has_no_ruleset_to_pin() {
    let (dir, file) = pinned("", &[]);
    fs::remove_file(&file).unwrap();
    company::put(dir.path(), "policies/rollup/share.rhai", "fn roll(");
    let (code, _, error) =
        run(&["ruleset", "export", dir.path().to_str().unwrap(), "--out", &file]);
    assert_eq!(code, 1);
    assert!(error.contains("share.rhai") && error.contains("accredit check"), "{error}");
    assert!(!fs::exists(&file).unwrap());
}

/// A version in another part would be credited beside this one.
#[test]
fn a_deal_and_a_credit_of_another_part_are_refused() {
    let (_dir, file) = pinned(REWARD, &[]);
    let mine = part_of("D1", 2);
    let (own, other) = (format!("{mine}/2"), format!("{}/2", 1 - mine));
    let rows = deal(" D1 ", "Ann");

    let worker = ["worker", "--ruleset", &file];
    let (code, credits, error) = feed(&[&worker[..], &["--part", &own]].concat(), rows.as_bytes());
    assert_eq!(code, 0, "{error}");
    let (code, out, error) = feed(&[&worker[..], &["--part", &other]].concat(), rows.as_bytes());
    assert_eq!((code, out.len()), (1, 0));
    assert!(error.contains(&format!("deal `D1` is of part {mine} of 2")), "{error}");

    let rewards = [&worker[..], &["--rewards", "--period", "2026-03"]].concat();
    let first = credits.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    let (own, other) = (part_of("ann", 2), 1 - part_of("ann", 2));
    for (number, expected) in [(own, 0), (other, 1)] {
        let number = format!("{number}/2");
        let arguments = [&rewards[..], &["--part", &number]].concat();
        let (code, _, error) = feed(&arguments, first);
        assert_eq!(code, expected, "{error}");
        assert!(code == 0 || error.contains(&format!("`ann` is of part {own} of 2")), "{error}");
    }
}

#[test]
fn credits_of_other_rules_are_refused() {
    let (_dir, file) = pinned(REWARD, &[]);
    let (_other, other_file) = pinned("", &[]);
    let (code, credits, error) =
        feed(&["worker", "--ruleset", &other_file], deal("D1", "Ann").as_bytes());
    assert_eq!(code, 0, "{error}");
    let (code, _, error) =
        feed(&["worker", "--ruleset", &file, "--rewards", "--period", "2026-03"], &credits);
    assert_eq!(code, 1);
    assert!(error.contains("use the one that decided it"), "{error}");
}

/// The place among all needs all of them: one part has the whole plan, and its rewards are right.
#[test]
fn a_plan_whose_rewards_compare_payees_is_worked_out_in_one_part() {
    let policy = "fn reward(payee, totals, quota, earned, paid, place) { 100 - place.rank }\n";
    let reward = "\n[[reward]]\nname = \"Rank\"\nvalue = \"policy:rank\"\n";
    let (_dir, file) = pinned(reward, &[("policies/reward/rank.rhai", policy)]);

    let deals = deal("D1", "Ann") + &deal("D2", "Bob") + &deal("D3", "Bob");
    let worker = ["worker", "--ruleset", &file];
    let (_, credits, _) = feed(&worker, deals.as_bytes());
    let (code, routed, error) = feed(&[&worker[..], &["--routes", "4"]].concat(), &credits);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("one part has all rewards of plan `reps`"), "{error}");
    let routed = String::from_utf8(routed).unwrap();

    let mut paid: Vec<(u32, String)> = Vec::new();
    for part in 0..4 {
        let number = format!("{part}/4");
        let start = format!("{{\"part\":{part},");
        let mine: String = routed
            .lines()
            .filter(|line| line.starts_with(&start))
            .map(|line| line.to_owned() + "\n")
            .collect();
        let rewards = ["--rewards", "--period", "2026-03", "--part", &number];
        let (code, out, error) = feed(&[&worker[..], &rewards].concat(), mine.as_bytes());
        assert_eq!(code, 0, "{error}");
        for row in super::lines(&out) {
            paid.push((part, format!("{} {}", row["payee"].as_str().unwrap(), row["amount"])));
        }
    }
    assert!(paid.iter().all(|(part, _)| *part == paid[0].0), "{paid:?}");
    let of = |who: &str| paid.iter().find(|(_, row)| row.starts_with(who)).unwrap().1.clone();
    assert_ne!(of("ann").split(' ').nth(1), of("bob").split(' ').nth(1));
}

/// A credit that a payee's and a manager's part both need was paid twice where its two copies met, and nobody
/// was told.
#[test]
fn a_routed_credit_counts_in_its_own_part_alone_and_once() {
    let (_dir, file) = pinned(REWARD, &[]);
    let rewards = |part: &[&str], credits: &str| {
        let arguments = ["worker", "--ruleset", &file, "--rewards", "--period", "2026-03"];
        feed(&[&arguments[..], part].concat(), credits.as_bytes())
    };
    let (code, credits, error) =
        feed(&["worker", "--ruleset", &file], deal("D1", "ann").as_bytes());
    assert_eq!(code, 0, "{error}");
    let credits = String::from_utf8(credits).unwrap();
    let (code, routed, error) =
        feed(&["worker", "--ruleset", &file, "--routes", "4"], credits.as_bytes());
    assert_eq!(code, 0, "{error}");
    let routed = String::from_utf8(routed).unwrap();
    let first = routed.lines().next().unwrap();
    let part = serde_json::from_str::<Json>(first).unwrap()["part"].to_string();

    // Its own part of as many.
    assert_eq!(rewards(&["--part", &format!("{part}/4")], first).0, 0);
    // None, or a part of another number of parts.
    let (code, _, error) = rewards(&[], first);
    assert_eq!(code, 1);
    assert!(error.contains(&format!("give --part {part}/4, or credits without")), "{error}");
    assert_eq!(rewards(&["--part", &format!("{part}/8")], first).0, 1);

    // Twice.
    let (code, _, error) = rewards(&[], &format!("{credits}{credits}"));
    assert_eq!(code, 1);
    assert!(error.contains("came before: each is to come once"), "{error}");
}

/// A reader of notes that went away ended the credits in the middle, and the exit code was 0.
#[test]
fn notes_that_cannot_be_written_are_a_fault() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let (_dir, file) = pinned("", &[]);
    let mut command = Command::new(crate::server::binary());
    command.args(["worker", "--ruleset", &file]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(deal("D1", "nobody at all").as_bytes()).unwrap();
    drop(pipe);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
}
