//! What authors try before they save: the prompt, a reward policy on one payee, a simulation.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::company;
use crate::server::{Server, TOKEN, binary, run};

/// What the prompt answers to these lines.
fn repl(dir: &Path, lines: &str) -> Vec<String> {
    let mut child = Command::new(binary())
        .arg("repl")
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

const KICKER: &str = "/// Half above the limit.
const LIMIT = 50;

fn extra(amount) {
    if amount > LIMIT { amount * 0.5 } else { 0 }
}

fn value(tx, to) {
    extra(tx.amount)
}
";

/// The prompt knew expressions alone: no variable, no saved query and no function of a policy.
#[test]
fn the_prompt_keeps_variables_and_calls_queries_and_policies() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    let settings = company::FILES.iter().find(|(path, _)| *path == "accredit.toml").unwrap().1;
    let queries = "\n[queries]\nlarge = 'tx.amount > 1000'\neligible = 'tx.amount > 1'\n";
    company::put(&acme, "accredit.toml", &format!("{settings}{queries}"));
    company::put(&acme, "policies/value/kicker.rhai", KICKER);
    company::put(&acme, "transactions/deals.csv", "id,date,amount,owner\nD1,2026-03-10,100,Ann\n");
    let lines = "let base = tx.amount * 2\nbase + 1\nlet base = base * 10;\nbase\nquery:large\n\
                 let q = query:eligible\nq\nquery:larg\nextra(base)\n:policy value/kicker\n\
                 extra(base)\nLIMIT\nvalue(tx, to)\nlet tx = 1\nlet LIMIT = 1\nlet bad = bas\n\
                 bad\nextra(1, 2)\n:policy value/kick\n";
    let expected = [
        "transaction D1",
        "base = 200",
        "201",
        "base = 2000",
        "2000",
        "false",
        "q = true",
        "true",
        "error: there is no query `larg`; did you mean `large`?",
        "error: column 1: unknown function `extra`; `value/kicker` has it: `:policy value/kicker` \
         lets you call it",
        "value/kicker: extra(amount), value(tx, to)",
        "1000.0",
        "50",
        "50.0",
        "error: `tx` has a meaning already; use another name",
        "error: `LIMIT` has a meaning already; use another name",
    ];
    let found = repl(&acme, lines);
    assert_eq!(found[..expected.len()], expected);
    let rest = &found[expected.len()..];
    assert_eq!(rest.len(), 4, "{rest:#?}");
    assert!(rest.iter().all(|line| line.starts_with("error: ")), "{rest:#?}");
    assert!(rest[0].contains("unknown variable `bas`"), "{rest:#?}");
}

/// Two credit types count, and the policy reads each.
const BY_TYPE: &str = "fn reward(payee, totals, quota) {
    totals.acv * 0.1 + totals.services * 0.01
}
";

/// A position ran with a blank title, and one amount for two credit types left both totals at 0: the
/// answer was 0 and looked like a result.
#[test]
fn a_reward_is_tried_with_what_is_known_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    let settings = company::FILES.iter().find(|(path, _)| *path == "accredit.toml").unwrap().1;
    let settings = format!("credit_types = [\"acv\", \"services\"]\n{settings}");
    company::put(&acme, "accredit.toml", &settings);
    let plan = company::FILES.iter().find(|(path, _)| path.starts_with("plans/")).unwrap().1;
    let plan = plan.replace(" credit\"\n", " credit\"\ncredit_type = \"acv\"\n");
    company::put(&acme, "plans/reps.toml", &plan);
    company::put(&acme, "policies/reward/by-type.rhai", BY_TYPE);
    company::put(
        &acme,
        "organization/positions.csv",
        "id,title,manager\nREP-1,Rep,\nREP-2,Rep,\nREP-3,Rep,\n",
    );
    company::put(
        &acme,
        "organization/assignments.csv",
        "position,participant,from,to\nREP-1,ann,2026-01-01,\nREP-2,ann,2025-01-01,2025-12-31\n\
         REP-2,bob,2026-01-01,\n",
    );
    company::put(
        &acme,
        "organization/participants.csv",
        "id,name\nann,Ann\nbob,Bob\nmax,Max\ndee,Dee\n",
    );
    let path = acme.to_str().unwrap();
    let eval = |more: &[&str]| run(&[&["eval", path, "--policy", "reward/by-type"], more].concat());

    let (code, out, error) = eval(&["--payee", "REP-1", "--total", "acv=100"]);
    assert_eq!((code, out.as_str()), (3, ""), "{error}");
    assert!(error.contains("`REP-1` is a position; its payee is `ann`"), "{error}");
    let (code, _, error) = eval(&["--payee", "REP-2", "--total", "acv=100"]);
    assert!(code == 3 && error.contains("held by `ann`, `bob`"), "{error}");
    let (code, _, error) = eval(&["--payee", "REP-3", "--total", "acv=100"]);
    assert!(code == 3 && error.contains("nobody has held"), "{error}");
    let (code, _, error) = eval(&["--payee", "REP-3", "--period", "2026-03", "--total", "acv=100"]);
    assert!(code == 3 && error.contains("nobody holds"), "{error}");
    // With a period the position means its holder on the last day.
    let (code, out, error) = eval(&[
        "--payee", "REP-2", "--period", "2026-03", "--total", "acv=100", "--format", "json",
    ]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(serde_json::from_str::<Json>(&out).unwrap()["payee"], "bob");

    let (code, out, error) = eval(&["--credited", "500000"]);
    assert_eq!((code, out.as_str()), (3, ""), "{error}");
    assert!(error.contains("write --total acv=AMOUNT --total services=AMOUNT"), "{error}");
    let (code, out, error) = eval(&["--total", "acv=500000", "--total", "services=100"]);
    assert_eq!((code, out.trim_end().trim_end_matches('0')), (0, "50001."), "{error}");
    // A policy that reads nothing but the whole needs no types.
    company::put(
        &acme,
        "policies/reward/by-type.rhai",
        "fn reward(payee, totals, quota) {\n    totals.credited * 0.1\n}\n",
    );
    let (code, out, error) = eval(&["--credited", "500000"]);
    assert_eq!((code, out.trim_end().trim_end_matches('0')), (0, "50000."), "{error}");
}

/// One deal was too few to simulate, and a server could not at all.
#[test]
fn a_simulation_works_from_one_deal_and_on_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    company::put(&acme, "transactions/deals.csv", "id,date,amount,owner\nD1,2026-04-10,100,Ann\n");
    let path = acme.to_str().unwrap();
    let about = ["--plan", "reps", "--period", "2026-04"];
    let (code, out, error) =
        run(&[&["simulate", path][..], &about, &["--as-of", "2026-04-15"]].concat());
    assert_eq!(code, 0, "{error}");
    let directory: Json = serde_json::from_str(&out).unwrap();
    assert!(error.contains("warning: this is based on only 1 deal of 15 days"), "{error}");

    let data = dir.path().join("acme.redb");
    let env = [("ACCREDIT_BUSINESS_DATE", "2026-04-15")];
    let server = Server::start_with(&data, &acme, &[], &env);
    let deal = r#"{"id":"D1","date":"2026-04-10","amount":100,"owner":"Ann"}"#;
    assert_eq!(server.hook("msg_1", deal).unwrap().status, 202);
    server.settle();
    let asked = ["--server", &server.url, "--token", TOKEN];
    let (code, out, error) = run(&[&["simulate"][..], &about, &asked].concat());
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("warning: this is based on only 1 deal"), "{error}");
    let on_server: Json = serde_json::from_str(&out).unwrap();
    for key in ["transactions", "credits", "rewards", "as_of", "days", "parked"] {
        assert_eq!(on_server[key], directory[key], "{key}");
    }
    // Neither a directory nor a server is wrong usage.
    let (code, ..) = run(&[&["simulate"][..], &about].concat());
    assert_eq!(code, 2);
}
