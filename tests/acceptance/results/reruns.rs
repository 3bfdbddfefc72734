//! Runs by the rules in force and by those that decided, dry and recorded (DOMAIN 2.13).
//!
//! Max and Dee get the whole of what Ann is credited, or half of it by the other rollup policy.

use serde_json::{Value as Json, json};

use super::{Office, amounts, deal, done, post, refused};
use crate::company;
use crate::server::Server;

const RUN: &str = "/v1/calculations/reps/2026-03/run";

fn run(server: &Server, body: Json) -> Json {
    done(&post(server, RUN, &body))
}

/// Activates one file from now on.
fn change(server: &Server, path: &str, text: &str) {
    done(&post(server, "/v1/changes", &json!({"files": {path: text}})));
    server.wait("what waited is decided", || {
        server.get("/v1/calculations").json()["progress"]["done"] == true
    });
}

fn sent(server: &Server, id: &str, owner: &str) {
    let deal = json!({"id": id, "date": "2026-03-10", "amount": "100", "owner": owner});
    assert_eq!(server.hook(&format!("m-{id}"), &deal.to_string()).unwrap().status, 202);
    server.settle();
}

fn credited(server: &Server, transaction: &str) -> Vec<String> {
    amounts(&json!(server.credits(&format!("transaction={transaction}"))))
}

/// Payees with the difference of each.
fn differences(run: &Json) -> Vec<String> {
    let lines = run["by_payee"].as_array().unwrap().iter();
    lines.map(|line| format!("{} {}", line["name"], line["difference"]).replace('"', "")).collect()
}

/// A rule was edited and everything run again, and nothing changed: a run had decided by the rules
/// of then alone.
#[test]
fn a_run_by_the_rules_in_force_says_what_it_changes() {
    let office = Office::new();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "100");
    deal(&server, "m2", "D2", "2026-02-10", "100");
    change(&server, "policies/rollup/share.rhai", &company::rollup(50));

    let pinned = run(&server, json!({"mode": "full", "rules": "pinned"}));
    let counts = json!([pinned["decided"], pinned["differing"], pinned["rules"]]);
    assert_eq!(counts, json!([1, 0, "pinned"]), "{pinned}");
    assert_eq!(run(&server, json!({"mode": "full"}))["differing"], 0, "D1 has its credits");

    let halved = ["dee -50.00", "max -50.00"];
    let dry = run(&server, json!({"mode": "full", "rules": "in_force", "dry_run": true}));
    assert_eq!(
        (&dry["differing"], differences(&dry)),
        (&json!(1), halved.map(str::to_owned).to_vec())
    );
    assert_eq!(dry["total"][0]["difference"], "-100.00", "{dry}");
    assert_eq!(credited(&server, "D1"), ["100.00", "100.00", "100.00"], "nothing is recorded");

    let made = run(&server, json!({"mode": "incremental", "rules": "in_force"}));
    assert_eq!(
        (&made["differing"], differences(&made)),
        (&json!(1), halved.map(str::to_owned).to_vec())
    );
    assert_eq!(credited(&server, "D1"), ["100.00", "50.00", "50.00"]);
    assert_eq!(credited(&server, "D2"), ["100.00", "100.00", "100.00"], "another period");

    let again = run(&server, json!({"mode": "full", "rules": "in_force"}));
    assert_eq!((&again["differing"], &again["by_payee"]), (&json!(0), &json!([])), "{again}");
    assert_eq!(run(&server, json!({"mode": "incremental", "rules": "in_force"}))["decided"], 0);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

/// Deals that other rules have left out of the plan, or that a plan is newer than, are decided too.
#[test]
fn a_run_by_the_rules_in_force_finds_what_was_left_out() {
    let office = Office::with(|workspace| {
        let plan = format!("filter = \"tx.amount > 500\"\n{}", company::FILES[2].1);
        company::put(workspace, "plans/reps.toml", &plan);
    });
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "100");
    assert_eq!(credited(&server, "D1"), Vec::<String>::new());

    change(&server, "plans/reps.toml", company::FILES[2].1);
    change(&server, "plans/second.toml", company::FILES[2].1);
    assert_eq!(run(&server, json!({"mode": "full"}))["decided"], 0, "it is of no plan");

    let made = run(&server, json!({"mode": "full", "rules": "in_force"}));
    let all = ["ann 100.00", "dee 100.00", "max 100.00"].map(str::to_owned).to_vec();
    assert_eq!((&made["differing"], differences(&made)), (&json!(1), all.clone()), "{made}");
    let second = post(
        &server,
        "/v1/calculations/second/2026-03/run",
        &json!({"mode": "full", "rules": "in_force"}),
    );
    assert_eq!(differences(&done(&second)), all);
    assert_eq!(credited(&server, "D1").len(), 6);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

/// An alias was added for a deal that matched no one, effective from now on: neither the activation
/// nor a full run decided the deal again.
#[test]
fn what_has_no_credit_is_decided_by_the_rules_in_force() {
    let office = Office::new();
    let server = office.open("2026-03-20");
    sent(&server, "D1", "Annie");
    sent(&server, "D2", "Ann");
    assert_eq!(credited(&server, "D1"), Vec::<String>::new());

    let aliases = "kind,id,alias\nparticipant,ann,Annie\n";
    let share = company::rollup(50);
    let files = json!({"organization/aliases.csv": aliases, "policies/rollup/share.rhai": share});
    let shown = done(&post(&server, "/v1/preview", &json!({"files": files})));
    assert_eq!(shown["booked"]["total"][0]["difference"], "200.00", "{shown}");

    change(&server, "organization/aliases.csv", aliases);
    assert_eq!(credited(&server, "D1"), ["100.00", "100.00", "100.00"], "at once");
    assert_eq!(run(&server, json!({"mode": "full"}))["differing"], 0);

    // What a rule left uncredited waits for a run, or for the next day.
    let small = company::FILES[2]
        .1
        .replace("name = \"Booking\"\n", "name = \"Booking\"\ncondition = \"tx.amount > 500\"\n");
    change(&server, "plans/reps.toml", &small);
    sent(&server, "D3", "Ann");
    sent(&server, "D4", "Ann");
    change(&server, "plans/reps.toml", company::FILES[2].1);
    assert_eq!(credited(&server, "D3"), Vec::<String>::new());
    let one = run(&server, json!({"mode": "selected", "transactions": ["D3"]}));
    let all = ["ann 100.00", "dee 100.00", "max 100.00"].map(str::to_owned).to_vec();
    assert_eq!(differences(&one), all);
    assert_eq!(credited(&server, "D4"), Vec::<String>::new());
    server.kill();

    let server = office.open("2026-03-21");
    assert_eq!(credited(&server, "D4"), ["100.00", "100.00", "100.00"], "the daily run");
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

#[test]
fn a_run_of_payees_is_about_their_deals() {
    let office = Office::new();
    let server = office.open("2026-03-20");
    sent(&server, "D1", "Ann");
    sent(&server, "D2", "Bob");
    let payees = |ids: Json| json!({"mode": "selected", "payees": ids});
    assert_eq!(run(&server, payees(json!(["bob"])))["decided"], 1);
    assert_eq!(run(&server, payees(json!(["max"])))["decided"], 2, "he is credited for both");
    let both = json!({"mode": "selected", "payees": ["bob"], "transactions": ["D1"]});
    assert_eq!(run(&server, both)["decided"], 2);

    let problem = refused(&post(&server, RUN, &payees(json!(["bob", "zoe"]))), 404, "not_found");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("unknown payees: `zoe`"), "{detail}");
    refused(&post(&server, RUN, &json!({"mode": "selected"})), 422, "unknown_mode");
    assert_eq!(post(&server, RUN, &json!({"mode": "full", "rules": "new"})).status, 400);
}

/// New rules of a closed month are posted after it, and a dry run shows no other difference.
#[test]
fn a_run_of_a_closed_month_posts_after_it() {
    let office = Office::new();
    let server = office.open("2026-04-02");
    deal(&server, "m1", "D1", "2026-03-10", "100");
    done(&post(&server, "/v1/periods/2026-03/close", &json!({})));
    change(&server, "policies/rollup/share.rhai", &company::rollup(50));

    let wanted = |dry: bool| json!({"mode": "full", "rules": "in_force", "dry_run": dry});
    let (dry, made) = (run(&server, wanted(true)), run(&server, wanted(false)));
    assert_eq!(differences(&dry), ["dee -50.00", "max -50.00"]);
    assert_eq!(dry["by_payee"], made["by_payee"]);
    assert_eq!(credited(&server, "D1").len(), 7, "three frozen, and two corrections");
    assert_eq!(server.credits("period=2026-03").len(), 3);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

/// A dry run says of rewards what the run then changes; a finalized month is corrected elsewhere.
#[test]
fn a_run_says_what_it_changes_in_rewards() {
    let reward = "[[reward]]\nname = \"Commission\"\ntiers = [{ rate = \"10%\" }]\n";
    let office = Office::with(|workspace| {
        let plan = format!("{}\n{reward}", company::FILES[2].1);
        company::put(workspace, "plans/reps.toml", &plan);
    });
    let server = office.open("2026-04-02");
    deal(&server, "m1", "D1", "2026-03-10", "100");
    change(&server, "policies/rollup/share.rhai", &company::rollup(50));

    let lost = ["dee -5.00", "max -5.00"].map(str::to_owned).to_vec();
    let of_rewards = |run: &Json| differences(&json!({"by_payee": run["rewards"]}));
    let wanted = |dry: bool| json!({"mode": "full", "rules": "in_force", "dry_run": dry});
    assert_eq!(of_rewards(&run(&server, wanted(true))), lost);
    assert_eq!(of_rewards(&run(&server, wanted(true))), lost, "nothing is recorded");
    assert_eq!(of_rewards(&run(&server, wanted(false))), lost);
    assert_eq!(of_rewards(&run(&server, wanted(false))), Vec::<String>::new());

    done(&post(&server, "/v1/periods/2026-03/finalize", &json!({})));
    change(&server, "policies/rollup/share.rhai", &company::rollup(80));
    let gained = ["dee 3.00", "max 3.00"].map(str::to_owned).to_vec();
    assert_eq!(of_rewards(&run(&server, wanted(true))), gained);
    assert_eq!(of_rewards(&run(&server, wanted(false))), gained);
}
