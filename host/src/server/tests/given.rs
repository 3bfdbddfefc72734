//! Credits that people give without a deal: approved, released, guarded, and compared with the trail.

use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::sealed::{SEAL_BYTES, with_seal};
use accredit_redb::RedbStore;
use accredit_seams::store::{Store, StoreRow, StoreTable, WriteBatch};
use serde_json::{Value, json};

use super::{Host, Reply, SETTINGS, deal};
use crate::server::credentials::parse_named;

/// A server whose workspace has reason codes.
fn started() -> Host {
    let host = Host::start();
    let codes = "credit_types = [\"booking\"]\nreason_codes = [\"error\"]\n";
    let change = json!({ "files": { "accredit.toml": format!("{codes}{SETTINGS}") } });
    assert_eq!(host.api("POST", "/v1/changes", &[], &change.to_string()).status, 200);
    host
}

fn post(host: &Host, path: &str, body: &Value) -> Reply {
    host.api("POST", path, &[], &body.to_string())
}

fn credit(period: &str, amount: &str) -> Value {
    json!({
        "payee": "ann", "plan": "sellers", "period": period, "amount": amount,
        "reason_code": "error", "comment": "The CRM lost it.",
    })
}

fn given(host: &Host, body: &Value) -> Value {
    let made = post(host, "/v1/credits", body);
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()
}

/// One administrator alone does not give credits, nor does one approver.
#[test]
fn a_credit_by_hand_waits_for_another_person() {
    let mut host = started();
    host.stop();
    host.also = Box::new(|config| {
        config.four_eyes = true;
        let tokens = "max:admin:token-of-max-0001 ida:approver:token-of-ida-0001";
        config.credentials.tokens = parse_named(tokens).unwrap();
    });
    host.run();
    let ask = |who: &str, path: &str, body: &Value| {
        let bearer = format!("Bearer token-of-{who}-0001");
        let headers = [("authorization", bearer.as_str())];
        host.call("POST", path, &headers, body.to_string().as_bytes())
    };

    ask("ida", "/v1/credits", &credit("2026-01", "5")).problem(403, "forbidden");
    let kept = ask("max", "/v1/credits", &credit("2026-01", "5"));
    assert_eq!((kept.status, &host.get("/v1/credits")["data"]), (202, &json!([])));
    let approve = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    ask("max", &approve, &json!({})).problem(403, "four_eyes");
    let done = ask("ida", &approve, &json!({}));
    assert_eq!(done.json()["answer"]["approved"]["who"], "ida", "{}", done.text);
    let rows = host.get("/v1/credits?origin=manual")["data"].clone();
    assert_eq!((&rows[0]["amount"], &rows[1]), (&json!("5.00"), &Value::Null));
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

/// What takes a released credit back was an alert of a second payment of the same deal.
#[test]
fn a_released_credit_by_hand_is_taken_back_without_an_alert_of_a_second_payment() {
    let host = started();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    let given = given(&host, &credit("2026-01", "80"));
    let force = json!({ "what": "rewards", "force": true, "reason": "early" });
    let released = post(&host, "/v1/calculations/sellers/2026-01/release", &force);
    assert_eq!(released.status, 200, "{}", released.text);
    let force = json!({ "force": true, "reason": "early" });
    assert_eq!(post(&host, "/v1/periods/2026-01/finalize", &force).status, 200);

    let back = json!({ "reverses": given["credit"]["id"], "reason_code": "error" });
    assert_eq!(post(&host, "/v1/credits", &back).json()["credit"]["period"], "2026-02");
    let release = json!({ "what": "rewards", "force": true, "reason": "early" });
    let released = post(&host, "/v1/calculations/sellers/2026-02/release", &release);
    assert_eq!(released.status, 200, "{}", released.text);
    assert_eq!(host.get("/v1/alerts?code=double_payment")["data"], json!([]));
    let csv = host.api("GET", "/v1/credits?origin=manual", &[("accept", "text/csv")], "");
    assert!(csv.text.contains("80.00") && csv.text.contains("-80.00"), "{}", csv.text);
    assert_eq!(host.get("/v1/verify")["damage"], json!([]));
}

/// A plan with manual credits alone could be removed, and what was given in it went.
#[test]
fn a_plan_with_manual_credits_stays() {
    let host = started();
    given(&host, &credit("2026-01", "80"));
    let change = json!({ "files": { "plans/sellers.toml": null } });
    let refused = post(&host, "/v1/changes", &change);
    let detail = refused.problem(409, "has_credits")["detail"].to_string();
    assert!(detail.contains("manual credits"), "{detail}");
}

/// A deal is counted, a credit that a person gave is not: a contest for the most deals was won by
/// corrections.
#[test]
fn a_credit_by_hand_is_no_deal_for_rewards() {
    let host = started();
    let reward = "\n[[reward]]\nname = \"Deals\"\nvalue = \"totals.count * 10\"\n";
    let plan = format!("{}{reward}", super::PLAN);
    let change = json!({ "files": { "plans/sellers.toml": plan } });
    assert_eq!(post(&host, "/v1/changes", &change).status, 200);
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    given(&host, &credit("2026-01", "80"));
    let rewards = host.get("/v1/rewards")["data"].clone();
    assert_eq!(
        (&rewards[0]["amount"], &rewards[0]["credited"]),
        (&json!("10.00"), &json!("180.00"))
    );
}

/// A row that was changed or removed by a person who can compute its seal does not fit the trail; a
/// manual reward that was changed in a frozen period alone did.
#[test]
fn what_people_gave_is_as_the_trail_says() {
    let mut host = started();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    host.drained();
    given(&host, &credit("2026-01", "250"));
    let bonus = post(&host, "/v1/rewards", &credit("2026-01", "250"));
    assert_eq!(bonus.status, 200, "{}", bonus.text);
    let force = json!({ "what": "rewards", "force": true, "reason": "early" });
    assert_eq!(post(&host, "/v1/calculations/sellers/2026-01/release", &force).status, 200);
    host.stop();

    let store = Arc::new(RedbStore::open(&host.folder.path().join("acme.redb")).unwrap());
    let ledger = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
    let problems = || ledger.check_trail(None, &[]).unwrap().problems;
    assert_eq!(problems(), Vec::<String>::new());

    let first = |table| -> StoreRow {
        store.snapshot().unwrap().scan_prefix(table, b"", b"", 1).unwrap().remove(0)
    };
    let write = |table, key: &[u8], value: Option<&[u8]>| {
        let mut batch = WriteBatch::default();
        match value {
            Some(value) => batch.put_row(table, key, with_seal(table, key, value)),
            None => batch.delete_row(table, key),
        }
        store.commit(&batch).unwrap();
    };

    let tables = [
        (StoreTable::ManualCredits, "manual credit"),
        (StoreTable::ManualRewards, "manual reward"),
        (StoreTable::FrozenRewards, "frozen manual reward"),
    ];
    for (table, name) in tables {
        let (key, row) = first(table);
        let value = row[..row.len() - SEAL_BYTES].to_vec();
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains("250.00"), "{text}");

        write(table, &key, Some(text.replace("250.00", "260.00").as_bytes()));
        assert!(problems().iter().any(|one| one.contains(name)), "{name}: {:?}", problems());
        if table == StoreTable::FrozenRewards {
            let mut frozen: Value = serde_json::from_str(&text).unwrap();
            frozen["rows"] = json!([]);
            write(table, &key, Some(frozen.to_string().as_bytes()));
        } else {
            write(table, &key, None);
        }
        assert!(problems().iter().any(|one| one.contains("is gone")), "{name}: {:?}", problems());
        write(table, &key, Some(&value));
        assert_eq!(problems(), Vec::<String>::new());
    }
}
