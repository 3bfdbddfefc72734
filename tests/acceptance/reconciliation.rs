//! Deals that no webhook brought are found in a list of closed deals, and taken from it once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::company;
use crate::server::{Server, TOKEN, comparable, run};

/// Deals of the list, and which of their webhooks get lost: one of twenty.
const DEALS: usize = 400;

fn is_lost(number: usize) -> bool {
    number * 7 % 20 == 3
}

fn reconcile(server: &Server, list: &Path, more: &[&str]) -> (i32, Value) {
    let list = list.to_str().unwrap();
    let verb = [&["reconcile", list, "--server", &server.url, "--token", TOKEN], more].concat();
    let (code, out, talk) = run(&verb);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{talk}")))
}

/// Vendors give up after minutes, hours or a day: a lost webhook was a lost credit.
#[test]
fn lost_webhooks_are_named_and_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let deals = company::deals(DEALS);
    let whole = Server::start(&dir.path().join("whole.redb"), &workspace);
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    for (number, deal) in deals.iter().enumerate() {
        let id = format!("delivery-{number}");
        assert_eq!(whole.hook(&id, deal).unwrap().status, 202);
        if !is_lost(number) {
            assert_eq!(server.hook(&id, deal).unwrap().status, 202);
        }
    }
    whole.settle();
    server.settle();

    let list = dir.path().join("closed.ndjson");
    std::fs::write(&list, deals.join("\n")).unwrap();
    let (code, found) = reconcile(&server, &list, &["--import"]);
    let named: BTreeSet<&str> = found["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    let lost: Vec<String> =
        (0..DEALS).filter(|number| is_lost(*number)).map(|number| format!("D{number}")).collect();
    assert_eq!(lost.len(), DEALS / 20);
    assert_eq!(named, lost.iter().map(String::as_str).collect());
    assert_eq!((code, &found["different_count"]), (1, &Value::from(0)));

    server.settle();
    let (code, found) = reconcile(&server, &list, &["--unlisted"]);
    assert_eq!((code, &found["same"]), (0, &Value::from(DEALS)), "{found}");
    assert_eq!((&found["missing_count"], &found["unlisted_count"]), (&0.into(), &0.into()));
    assert!(comparable(&server.credits("")) == comparable(&whole.credits("")));
}

#[test]
fn other_values_and_deals_that_the_list_does_not_have_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let rows =
        "id,date,amount,owner\nA,2026-03-01,100,ann\nB,2026-03-02,200.0,bob\nC,2026-03-31,1,ann\n";
    server.post("/v1/transactions", "text/csv", rows);
    server.settle();

    // An amount with other digits is the same amount; a column that the list does not have is no difference.
    let list = dir.path().join("closed.csv");
    std::fs::write(
        &list,
        "id,date,amount\nA,2026-03-01,100.00\nB,2026-04-02,250\nA,2026-03-01,7\n",
    )
    .unwrap();
    let (code, found) = reconcile(&server, &list, &["--unlisted"]);
    assert_eq!((code, &found["listed"], &found["same"]), (1, &2.into(), &1.into()), "{found}");
    let different = serde_json::json!([{ "id": "B", "columns": {
        "amount": { "listed": "250", "recorded": "200" },
        "date": { "listed": "2026-04-02", "recorded": "2026-03-02" },
    } }]);
    assert_eq!(found["different"], different);
    assert_eq!(found["unlisted"], serde_json::json!(["C"]));
    // A row that contradicts an earlier one of its deal was passed over without a word.
    assert_eq!(found["conflicting"], serde_json::json!(["A"]));
    let rows = "id,date,amount\nA,2026-03-01,100\nA,2026-03-01,100.0\nB,2026-03-02,200\n";
    std::fs::write(&list, rows).unwrap();
    let (code, found) = reconcile(&server, &list, &[]);
    assert_eq!((code, &found["conflicting_count"], &found["listed"]), (0, &0.into(), &2.into()));
}

/// Only 2,000 rows were compared: a longer list that said nothing new was stored again, row by row.
#[test]
fn a_long_import_that_says_nothing_new_is_a_duplicate() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let mut deals = company::deals(2_300);
    let import = |deals: &[String]| {
        let reply = server.post("/v1/transactions", "application/x-ndjson", &deals.join("\n"));
        assert_eq!(reply.status, 202, "{}", reply.body);
        let answer = reply.json();
        server.settle();
        (answer["duplicate"].as_bool().unwrap(), answer["deliveries"].as_u64().unwrap())
    };
    assert!(!import(&deals).0);
    assert_eq!(import(&deals), (true, 0));
    // One of the last rows says something else.
    deals[2_250] = deals[2_250].replace("\"owner\":\"", "\"owner\":\"bob;");
    assert!(!import(&deals).0);
    assert_eq!(import(&deals), (true, 0));
}

/// The list had fewer columns than the deals: importing all of it took the owner from deals that were
/// recorded rightly, and their credits with it.
#[test]
fn an_import_of_what_is_missing_leaves_recorded_deals_alone() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let rows = "id,date,amount,owner\nA,2026-03-01,100,ann\nV,2026-03-02,5,ann\n";
    server.post("/v1/transactions", "text/csv", rows);
    server.settle();
    let before = comparable(&server.credits("transaction=A"));
    let list = dir.path().join("closed.csv");
    std::fs::write(&list, "id,date,amount\nA,2026-03-01,100\nN,2026-03-03,7\n,2026-03-04,9\n")
        .unwrap();
    let (code, found) = reconcile(&server, &list, &[]);
    assert_eq!((code, &found["missing_count"], &found["without_key"]), (1, &1.into(), &1.into()));
    std::fs::write(&list, "id,date,amount\nA,2026-03-01,100\nN,2026-03-03,7\n").unwrap();
    assert_eq!(reconcile(&server, &list, &["--import"]).0, 1);
    server.settle();
    assert_eq!(reconcile(&server, &list, &[]).0, 0);
    assert!(!before.is_empty() && comparable(&server.credits("transaction=A")) == before);

    // A deal that a person made void is not as the list says.
    let void = ["transaction", "void", "V", "--reason", "a test", "--server", &server.url];
    assert_eq!(run(&[&void[..], &["--token", TOKEN]].concat()).0, 0);
    std::fs::write(&list, "id,date,amount\nV,2026-03-02,5\n").unwrap();
    let (code, found) = reconcile(&server, &list, &[]);
    assert_eq!((code, &found["different"][0]["columns"]["void"]["recorded"]), (1, &"true".into()));

    // A list of other columns is no list without differences.
    std::fs::write(&list, "Deal Id,Closed\nV,2026-03-02\n").unwrap();
    let list = list.to_str().unwrap();
    let (code, _, talk) = run(&["reconcile", list, "--server", &server.url, "--token", TOKEN]);
    assert!(code == 1 && talk.contains("natural key"), "{talk}");
}
