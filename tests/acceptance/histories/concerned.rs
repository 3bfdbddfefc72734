//! A change of the organisation decides the deals again that it concerns, and reads no others: the deals of
//! a name are known without reading all.

use accredit_ledger::definitions::Effective;
use accredit_workspace::Files;
use serde_json::{Value, json};

use super::office::{Office, files_of, ruleset_of};

const SETTINGS: &str = r#"
[workspace]
name = "Concerned"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"
"#;

const PLAN: &str = r#"
name = "Sellers"

[[direct]]
name = "Order"
  [[direct.results]]
  name = "Credit"
  rollable = true

[[indirect]]
name = "Manager"
relationship = "Reporting"
  [[indirect.results]]
  name = "Override"
  value = "credit.amount * 0.1"
"#;

const BY_SIZE: &str = r#"
fn credit(tx) { if tx.amount > 1000 { "Large deals" } else { "bob" } }
"#;

/// The same, where the deal says which column is read.
const BY_COLUMN: &str = r#"
fn credit(tx) {
    let column = tx["owner"];
    if tx[column] > 1000 { "Large deals" } else { "bob" }
}
"#;

const PEOPLE: &str =
    "id,title,manager\nann,Rep,mia\nbob,Rep,mia\ncid,Rep,zoe\nmia,Manager,\nzoe,Manager,\n";

const ALIASES: &str = "kind,id,alias\n";

fn files(plan: &str, people: &str, aliases: &str) -> Files {
    files_of(&[
        ("accredit.toml", SETTINGS.to_owned()),
        ("plans/sellers.toml", plan.to_owned()),
        ("organization/participants.csv", people.to_owned()),
        ("organization/aliases.csv", aliases.to_owned()),
    ])
}

fn deal(id: usize, owner: &str) -> Value {
    json!({"id": format!("D{id}"), "date": "2026-03-05", "amount": "100", "owner": owner})
}

/// The rules or people change; how many deals are read for it, and how many of these are decided again.
fn change(office: &Office, files: &Files) -> (u64, u64) {
    assert!(office.change(files, Effective::Recredit));
    let trail = office.context.ledger.verified_trail().unwrap();
    let row = trail.iter().rfind(|row| row.what == "recredited").unwrap();
    let number = |name: &str| row.detail[name].as_u64().unwrap();
    (number("looked_at"), number("transactions"))
}

/// After one more alias every deal was read, and written again under the name of the new rules.
#[test]
fn the_deals_of_others_are_neither_read_nor_decided_again() {
    let office = &mut Office::open(&ruleset_of(&files(PLAN, PEOPLE, ALIASES)));
    let owners = ["ann", "bob", "cid", "Ann Lee", "nobody"];
    let deals = (0..500).map(|id| deal(id, owners[id % owners.len()]));
    office.deliver(&deals.collect::<Vec<_>>());

    // Nothing is known yet, so that all are read. What matched no one was tried again before.
    let named = "kind,id,alias\nparticipant,ann,Ann Lee\n";
    assert_eq!(change(office, &files(PLAN, PEOPLE, named)), (500, 0));

    // Another manager concerns who reports to him, by any name.
    let moved = PEOPLE.replace("ann,Rep,mia", "ann,Rep,zoe");
    assert_eq!(change(office, &files(PLAN, &moved, named)), (200, 200));

    // A name that no deal has concerns none, and other rules concern all that are credited.
    let unused = format!("{named}participant,bob,Bobby\n");
    assert_eq!(change(office, &files(PLAN, &moved, &unused)), (0, 0));
    let other = PLAN.replace("0.1", "0.2");
    assert_eq!(change(office, &files(&other, &moved, &unused)), (500, 400));

    // What came and changed in between is known as well; a name that a deal had is not forgotten.
    office.deliver(&[deal(500, "bob"), deal(1, "cid"), deal(2, "bob")]);
    let alone = moved.replace("bob,Rep,mia", "bob,Rep,");
    assert_eq!(change(office, &files(&other, &alone, &unused)), (102, 101));
    office.check_rules_in_force(&|_| false).unwrap();
}

/// A deal that stays under its former rules is decided by them when its amount is adjusted, and may then name
/// another person than the new rules do.
#[test]
fn a_deal_whose_amount_names_recipients_is_put_under_the_new_rules() {
    for policy in [BY_SIZE, BY_COLUMN] {
        check_amount_policy(policy);
    }
}

fn check_amount_policy(policy: &str) {
    let plan = PLAN.replace("name = \"Order\"", "name = \"Order\"\nassign = \"policy:by-size\"");
    let with = |who: &str| {
        let aliases = format!("kind,id,alias\nparticipant,{who},Large deals\n");
        let mut files = files(&plan, PEOPLE, &aliases);
        files.extend(files_of(&[("policies/crediting/by-size.rhai", policy.to_owned())]));
        files
    };
    let office = &mut Office::open(&ruleset_of(&with("ann")));
    office.deliver(&[deal(1, "amount"), deal(2, "amount")]);

    assert_eq!(change(office, &with("cid")), (2, 2), "{policy}");
    office.adjust("D1", 5000);
    let stored = office.context.ledger.find_transaction("D1").unwrap().unwrap();
    let direct = &stored.decisions[0].credits[0];
    assert_eq!(direct.position.as_deref(), Some("cid"), "{policy}");
    office.check_rules_in_force(&|_| false).unwrap();
}
