//! An administrator who changes their mind, and one who means ill: limits, approvals, withdrawals,
//! shadows, and rows of the data file that a person changed by other means.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use accredit_ledger::Ledger;
use accredit_ledger::sealed::{SEAL_BYTES, with_seal};
use accredit_operations::verify::{VerifyParams, verify_decisions};
use accredit_redb::RedbStore;
use accredit_seams::store::{Store, StoreTable, WriteBatch};
use serde_json::{Value, json};

use super::{Host, PLAN, Reply, deal, recredited};
use crate::server::credentials;

const CASES: &str = "# Sellers

## A deal is its owner's

```csv transactions
id,closed,amount,owner
D1,2026-01-12,100,ann
```

| transaction | payee | amount |
| --- | --- | --- |
| D1 | ann | 100.00 |
";

fn files(value: &str) -> Value {
    let text = PLAN.replace("credit_type", &format!("value = \"{value}\"\n  credit_type"));
    json!({ "plans/sellers.toml": text })
}

fn post(host: &Host, path: &str, body: &Value) -> Reply {
    host.api("POST", path, &[], &body.to_string())
}

fn ask(host: &Host, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    host.call(method, path, &[("authorization", &bearer)], body.to_string().as_bytes())
}

fn with_deal() -> Host {
    let host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    host
}

/// A change was sent with `max_total`, kept as a draft or until a person approved it, and then
/// activated without a limit: the stop-loss was forgotten with the request.
#[test]
fn a_limit_holds_when_the_change_is_activated_later() {
    let host = with_deal();
    let body = |most: &str| {
        let files = files("tx.amount * 2");
        json!({ "files": files, "effective": "recredit", "max_total": most, "draft": true })
    };
    for (most, status) in [("99.99", 409), ("100", 200)] {
        let kept = post(&host, "/v1/changes", &body(most)).json();
        assert_eq!(kept["state"], "checked", "a draft may exceed it: {kept}");
        let path = format!("/v1/changes/{}/activate", kept["change"]);
        let done = post(&host, &path, &json!({}));
        assert_eq!(done.status, status, "{most}: {}", done.text);
    }
    // Deals that arrive while a change waits count when it is approved.
    let host = Host::start_with(|config| {
        config.four_eyes = true;
        config.credentials.tokens =
            credentials::parse_named("eva:author:token-of-eva-0123 ida:approver:token-of-ida-0123")
                .unwrap();
    });
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    let mut body = body("150");
    body["draft"] = json!(false);
    let waiting = ask(&host, "token-of-eva-0123", "POST", "/v1/changes", &body).json();
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    host.deliver("msg_2", &deal("D-2", "51", ""));
    host.drained();
    let path = format!("/v1/changes/{}/approve", waiting["change"]);
    let refused =
        ask(&host, "token-of-ida-0123", "POST", &path, &json!({})).problem(409, "stop_loss");
    assert!(refused["detail"].as_str().unwrap().contains("151"), "{refused}");
    assert_eq!(host.get("/v1/activations")["data"].as_array().unwrap().len(), 1);
}

/// Two who approve and withdraw at the same moment: a change that was withdrawn came into force,
/// because its state was read before its turn.
#[test]
fn what_was_withdrawn_never_comes_into_force() {
    let host = with_deal();
    for round in 0..12 {
        let text = files(&format!("tx.amount * {}", round + 2));
        let body = json!({ "files": text, "draft": true });
        let id = post(&host, "/v1/changes", &body).json()["change"].clone();
        let (one, other) = (format!("/v1/changes/{id}/activate"), format!("/v1/changes/{id}"));
        let (activated, withdrawn) = std::thread::scope(|scope| {
            let activate = scope.spawn(|| post(&host, &one, &json!({})).status);
            let withdraw = scope.spawn(|| host.api("DELETE", &other, &[], "").status);
            (activate.join().unwrap(), withdraw.join().unwrap())
        });
        let state = host.get(&other)["state"].clone();
        let expected = match (activated, withdrawn) {
            (200, 409) => "active",
            (409, 200) => "withdrawn",
            both => panic!("{both:?} {state}"),
        };
        assert_eq!(state, expected);
        post(&host, &one, &json!({})).problem(409, "not_waiting");
    }
}

/// The trail said neither why something was activated nor who approved it, and nothing of shadows;
/// a shadow went on beside the very rules that it had become.
#[test]
fn the_trail_says_who_did_what_and_why() {
    let mut host = with_deal();
    let started = post(&host, "/v1/shadow", &json!({ "files": files("tx.amount * 2") })).json();
    let first = started["change"].clone();
    // One that fails on some deals, and takes the place of the first.
    let failing = json!({ "files": files("100 / (tx.amount - 7)"), "comment": "try it" });
    let second = post(&host, "/v1/shadow", &failing).json()["change"].clone();
    for (id, amount) in [("D-2", "7"), ("D-3", "107")] {
        host.deliver(id, &deal(id, amount, ""));
    }
    host.drained();
    let started = Instant::now();
    while host.get("/v1/shadow")["impact"]["transactions"] != 2 {
        assert!(started.elapsed() < Duration::from_secs(20), "{}", host.get("/v1/shadow"));
        std::thread::sleep(Duration::from_millis(10));
    }
    let shadow = host.get("/v1/shadow");
    // 7 is lost, since the deal would be parked; 107 would be 1.
    assert_eq!(shadow["impact"]["total"][0]["difference"], "-113.00", "{shadow}");
    assert_eq!((&shadow["missed"], &shadow["change"]), (&json!(0), &second));
    host.stop();
    host.run();
    assert_eq!(host.get("/v1/shadow")["impact"], shadow["impact"], "over a restart");
    let done = post(&host, &format!("/v1/changes/{second}/activate"), &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
    host.api("GET", "/v1/shadow", &[], "").problem(404, "not_found");
    post(&host, "/v1/shadow", &json!({ "change": first }));
    assert_eq!(host.api("DELETE", &format!("/v1/changes/{first}"), &[], "").status, 200);
    host.api("GET", "/v1/shadow", &[], "").problem(404, "not_found");
    let trail = host.get("/v1/audit");
    let mut rows: Vec<&Value> = trail["data"].as_array().unwrap().iter().collect();
    rows.reverse();
    let said: Vec<(&str, &Value)> = rows
        .iter()
        .map(|row| (row["what"].as_str().unwrap(), &row["detail"]["change"]))
        .filter(|(what, _)| !matches!(*what, "finalized"))
        .collect();
    let expected = [
        ("activated", &Value::Null),
        ("proposed", &first),
        ("shadow_started", &first),
        ("proposed", &second),
        ("shadow_ended", &first),
        ("shadow_started", &second),
        ("activated", &second),
        ("shadow_ended", &second),
        ("shadow_started", &first),
        ("withdrawn", &first),
        ("shadow_ended", &first),
    ];
    assert_eq!(said, expected, "{trail}");
    let activated = rows[6];
    assert_eq!(activated["detail"]["why"], "try it");
    assert_eq!(activated["detail"]["approved_by"], "admin");
    assert_eq!(rows[7]["detail"]["total"][0]["difference"], "-113.00");
    let page = host.get("/v1/audit?what=proposed&limit=1");
    assert_eq!(page["data"][0]["detail"]["change"], second);
    let next =
        format!("/v1/audit?what=proposed&limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(host.get(&next)["data"][0]["detail"]["change"], first);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

#[test]
fn tokens_that_would_approve_each_other_are_refused() {
    let cases = [
        ("eva:author:one-0123456789abc ida:approver:two-0123456789abc", None),
        (
            "eva:author:one-0123456789abc ida:approver:one-0123456789abc",
            Some("have the same token"),
        ),
        (
            "eva:author:one-0123456789abc Eva:approver:two-0123456789abc",
            Some("must be listed once"),
        ),
        ("Admin:approver:one-0123456789abc", Some("reserved for the server itself")),
        ("eva:boss:one-0123456789abc", Some("is not a role")),
        ("eva:author:short", Some("at least 16 characters")),
        ("eva:author", Some("expected `name:role:token`")),
    ];
    for (text, expected) in cases {
        let refused = credentials::parse_named(text).err();
        assert_eq!(refused.is_some(), expected.is_some(), "{text}");
        let told = refused.unwrap_or_default();
        assert!(told.contains(expected.unwrap_or_default()), "{text}: {told}");
        assert!(!told.contains("two"), "tokens are not repeated: {told}");
    }
}

/// Both administrators read the same ruleset; one changed a case file alone, which no ruleset's hash
/// covers, and the other's whole directory took it back without a word.
#[test]
fn a_case_file_that_changed_in_between_is_seen() {
    let host = with_deal();
    let set = host.get("/v1/definitions")["set"].clone();
    let base = host.get("/v1/status")["ruleset"].clone();
    let path = "plans/sellers.cases.md";
    let cases = json!({ "files": { path: CASES } });
    let done = post(&host, "/v1/changes", &cases);
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(host.get("/v1/status")["ruleset"], base, "no rule changed");
    let mut stale = json!({ "base": base, "set": set, "files": files("tx.amount * 1") });
    post(&host, "/v1/changes", &stale).problem(409, "base_moved");
    stale["set"] = host.get("/v1/definitions")["set"].clone();
    stale["ruleset"] = json!("rs_0");
    post(&host, "/v1/changes", &stale).problem(409, "other_ruleset");
    let hash = host.get("/v1/definitions/plans/sellers.toml/versions")["data"][0]["hash"].clone();
    let restore = "/v1/definitions/plans/sellers.toml/restore";
    let body = json!({ "hash": hash }).to_string();
    let condition = [("if-match", "\"another\"")];
    host.api("POST", restore, &condition, &body).problem(412, "precondition_failed");
}

/// The way back led to the first set of files with that ruleset: cases that were written later under
/// the same rules were gone after a rollback.
#[test]
fn a_rollback_brings_back_the_files_as_they_last_were() {
    let host = with_deal();
    let cases = json!({ "files": { "plans/sellers.cases.md": CASES } });
    assert_eq!(post(&host, "/v1/changes", &cases).status, 200);
    let before = host.get("/v1/definitions");
    let change = json!({ "files": files("tx.amount + 0"), "effective": "recredit" });
    assert_eq!(post(&host, "/v1/changes", &change).status, 200);
    let back = post(&host, "/v1/rollback", &json!({ "effective": "recredit" }));
    assert_eq!(back.status, 200, "{}", back.text);
    recredited(&host);
    assert_eq!(host.get("/v1/definitions"), before);
    assert_eq!(host.get("/v1/verify")["differing"], 0);
}

/// What is found in the data file now: decisions that come out otherwise, damage, trail.
fn found(store: RedbStore) -> (u64, Vec<String>, Vec<String>) {
    let ledger = Ledger::new(std::sync::Arc::new(store));
    let verified = verify_decisions(&ledger, &VerifyParams::default()).unwrap();
    (verified.differing, verified.damage, ledger.check_trail(None, &[]).unwrap().problems)
}

/// A data file with rows in every table that is tampered with.
fn rich() -> Host {
    let mut host = with_deal();
    for number in 2..90 {
        let more = if number % 9 == 0 { r#","hold":"month""# } else { "" };
        let more = if number % 31 == 0 { r#","hold":"yes""# } else { more };
        host.deliver(&format!("msg_{number}"), &deal(&format!("D-{number}"), "10.50", more));
    }
    let held = host.credits("D-31")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(host.api("POST", &format!("/v1/credits/{held}/release"), &[], "").status, 200);
    let change = json!({ "files": files("tx.amount * 2"), "effective": "recredit" });
    assert_eq!(post(&host, "/v1/changes", &change).status, 200);
    recredited(&host);
    let draft = json!({ "files": files("tx.amount * 3"), "draft": true });
    post(&host, "/v1/changes", &draft);
    host.stop();
    host
}

/// Whoever can write the data file by other means is found out, row by row: nothing but decisions
/// was compared before, so a changed statement, activation or text passed.
#[test]
fn a_row_that_was_changed_by_other_means_is_found() {
    let host = rich();
    let path = host.folder.path().join("acme.redb");
    let open = || RedbStore::open(&path).unwrap();
    assert_eq!(found(open()), (0, Vec::new(), Vec::new()));
    let tables = [
        StoreTable::Sources,
        StoreTable::Activations,
        StoreTable::Changes,
        StoreTable::Inbox,
        StoreTable::Deliveries,
        StoreTable::Names,
        StoreTable::Deals,
        StoreTable::PayeeDeals,
        StoreTable::Keys,
        StoreTable::Holds,
        StoreTable::Resolutions,
        StoreTable::Audit,
    ];
    let mut seen = BTreeMap::new();
    for table in tables {
        let rows = open().snapshot().unwrap().scan_prefix(table, b"", b"", usize::MAX).unwrap();
        assert!(!rows.is_empty(), "{table:?}");
        for (key, sealed) in rows.iter().step_by(rows.len() / 4 + 1) {
            // Changed by a person who can compute the seal: what rows say of each other shows it.
            let value = &sealed[..sealed.len() - SEAL_BYTES];
            // Of a delivery, its body: the rest of the row is what the sender was told.
            let last = value.len().saturating_sub(1);
            let places = if table == StoreTable::Inbox {
                [value.len() / 2; 2]
            } else {
                [value.len() / 3, last]
            };
            let flips = places.into_iter().filter(|place| *place < value.len()).map(|place| {
                let mut flipped = value.to_vec();
                flipped[place] ^= 1;
                Some(flipped)
            });
            // And a row that is gone.
            for tampered in flips.chain([None]) {
                let write = |value: Option<Vec<u8>>| {
                    let mut batch = WriteBatch::default();
                    match value {
                        Some(value) => {
                            batch.put_row(table, key.clone(), with_seal(table, key, &value));
                        }
                        None => batch.delete_row(table, key.clone()),
                    }
                    open().commit(&batch).unwrap();
                };
                let gone = tampered.is_none();
                write(tampered);
                let (differing, damage, trail) = found(open());
                let missed = differing == 0 && damage.is_empty() && trail.is_empty();
                assert!(!missed, "{table:?} {key:?}, gone: {gone}");
                *seen.entry(table.table_name()).or_insert(0) += 1;
                write(Some(value.to_vec()));
            }
        }
    }
    assert_eq!(seen.len(), tables.len());
    assert_eq!(found(open()), (0, Vec::new(), Vec::new()));
    let ledger = Ledger::new(std::sync::Arc::new(open()));
    let head = ledger.check_trail(None, &[]).unwrap().head;
    assert_eq!(ledger.check_trail(Some(&head), &[]).unwrap().problems, Vec::<String>::new());
    assert_eq!(ledger.check_trail(Some("another"), &[]).unwrap().problems.len(), 1);
}
