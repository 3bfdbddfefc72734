//! The process ends between any two commits of what people do: afterwards it was done wholly or not
//! at all, and the trail and the credits tell the same.
//!
//! A store that refuses everything after some commits leaves behind what a kill would.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use accredit_operations::explain;
use accredit_seams::store::memory::MemoryStore;
use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};
use serde_json::{Value, json};

use super::{Host, PLAN, Reply, SETTINGS, deal, recredited};

/// A store that ends after some commits; without a number, never.
struct Ending {
    memory: MemoryStore,
    left: Mutex<Option<u32>>,
}

impl Ending {
    /// A store with the rows of another.
    fn with_rows_of(other: &dyn Store) -> Arc<Ending> {
        let memory = MemoryStore::default();
        let (snapshot, mut batch) = (other.snapshot().unwrap(), WriteBatch::default());
        for (table, _) in StoreTable::ALL {
            for (key, value) in snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap() {
                batch.put_row(table, key, value);
            }
        }
        memory.commit(&batch).unwrap();
        Arc::new(Ending { memory, left: Mutex::new(None) })
    }
}

impl Store for Ending {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.memory.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        if let Some(left) = self.left.lock().unwrap().as_mut() {
            *left = left.checked_sub(1).ok_or_else(|| StoreError::Failed("the end".to_owned()))?;
        }
        self.memory.commit(batch)
    }
}

/// A server on a store, also after it was stopped.
fn begun_on(store: &Arc<Ending>) -> Host {
    let store = Arc::clone(store);
    Host::start_on(move |_| Arc::clone(&store))
}

fn post(host: &Host, path: &str, body: &Value) -> Reply {
    host.api("POST", path, &[], &body.to_string())
}

/// What is done, and whether it needs more than one commit.
type Act = (&'static str, fn(&Host) -> Reply);

fn credit_of(host: &Host, transaction: &str) -> String {
    let page = host.get(&format!("/v1/credits?transaction={transaction}"));
    page["data"][0]["id"].as_str().unwrap().to_owned()
}

const ACTS: [Act; 11] = [
    ("adjust a credit", |host| {
        let credit = credit_of(host, "D-1");
        let body = json!({"action": "adjust_to", "amount": "7.50", "reason_code": "Other"});
        post(host, &format!("/v1/credits/{credit}/adjustments"), &body)
    }),
    ("adjust a deal", |host| {
        let body = json!({"action": "adjust_by", "amount": "5", "reason_code": "Other"});
        post(host, "/v1/transactions/D-2/adjustments", &body)
    }),
    ("void a deal", |host| {
        let body = json!({"reason": "cancelled"}).to_string();
        host.api("DELETE", "/v1/transactions/D-4", &[], &body)
    }),
    ("add a reward", |host| {
        let body = json!({
            "payee": "ann", "plan": "sellers", "period": "2026-01", "amount": "5",
            "reason_code": "Other",
        });
        host.api("POST", "/v1/rewards", &[("idempotency-key", "bonus")], &body.to_string())
    }),
    ("release a hold", |host| {
        let credit = credit_of(host, "D-3");
        post(host, &format!("/v1/credits/{credit}/release"), &json!({"comment": "paid"}))
    }),
    ("hold", |host| {
        let credit = credit_of(host, "D-1");
        post(host, &format!("/v1/credits/{credit}/hold"), &json!({"reason": "look"}))
    }),
    ("release all holds", |host| post(host, "/v1/holds/release", &json!({"plan": "sellers"}))),
    ("release credits", |host| {
        post(host, "/v1/calculations/sellers/2026-01/release", &json!({"what": "credits"}))
    }),
    ("release rewards", |host| {
        let body = json!({"what": "rewards", "force": true, "reason": "early"});
        post(host, "/v1/calculations/sellers/2026-01/release", &body)
    }),
    ("finalize", |host| {
        post(host, "/v1/periods/2026-01/finalize", &json!({"force": true, "reason": "early"}))
    }),
    ("apply", |host| {
        let plan = PLAN.replace("credit_type", "value = \"tx.amount * 2\"\n  credit_type");
        let body = json!({"files": {"plans/sellers.toml": plan}, "effective": "recredit"});
        post(host, "/v1/changes", &body)
    }),
];

/// Everything that people see of it: credits, statements, periods, and who did what.
fn state(host: &Host) -> Value {
    let rows = |path: &str| host.get(path)["data"].clone();
    let mut credits = rows("/v1/credits?limit=1000");
    for credit in credits.as_array_mut().unwrap() {
        // The set of files is the same; its activation is in the trail.
        credit.as_object_mut().unwrap().remove("ruleset");
    }
    let trail = rows("/v1/audit?limit=1000");
    let trail = trail.as_array().unwrap().iter().rev();
    // Some tests wait with a redrive.
    let trail = trail.map(|row| row["what"].clone()).filter(|what| what != "parked_redriven");
    let trail: Vec<Value> = trail.collect();
    let states = rows("/v1/periods");
    let states = states.as_array().unwrap().iter().map(|row| row["state"].clone());
    json!({
        "credits": credits,
        "rewards": rows("/v1/rewards"),
        "trail": trail,
        "periods": states.collect::<Vec<_>>(),
        "statements": rows("/v1/payees/ann/statements").as_array().unwrap().len(),
    })
}

/// What nothing may contradict after a restart.
fn agrees(host: &Host, what: &str) {
    let verified = host.get("/v1/verify");
    assert_eq!(verified["differing"], 0, "{what}: {verified}");
    assert_eq!(verified["damage"], json!([]), "{what}");
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]), "{what}");
}

/// Waits until nothing is left to do from before.
fn at_rest(host: &Host) {
    recredited(host);
    let started = Instant::now();
    while host.get("/v1/calculations")["progress"]["last_run"].is_null() {
        assert!(started.elapsed() < Duration::from_secs(20), "the daily run does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    host.after_redrive();
}

/// A store with deals that all of it can be done to, at rest.
fn prepared() -> Arc<Ending> {
    let store = Ending::with_rows_of(&MemoryStore::default());
    let host = begun_on(&store);
    let head = "reason_codes = [\"Other\"]\ncredit_types = [\"booking\"]\n";
    let settings = json!({"files": {"accredit.toml": format!("{head}{SETTINGS}")}});
    assert_eq!(post(&host, "/v1/changes", &settings).status, 200);
    for number in 1..8 {
        let more = if number % 3 == 0 { r#","hold":"yes""# } else { "" };
        host.deliver(&format!("m{number}"), &deal(&format!("D-{number}"), "100.10", more));
    }
    at_rest(&host);
    store
}

/// An adjustment was recorded and audited in one commit and decided in the next: after a kill
/// between the two it was in the trail, and the credit never changed. So it was with releases.
#[test]
fn whatever_people_do_is_done_wholly_or_not_at_all() {
    let prepared = prepared();
    for (what, act) in ACTS {
        let (mut before, mut after) = (None, None);
        // From no end at all down to one at each commit, in their order.
        for commits in [None].into_iter().chain((0..).map(Some)) {
            let store = Ending::with_rows_of(&*prepared);
            let mut host = begun_on(&store);
            at_rest(&host);
            let known = state(&host);
            assert_eq!(*before.get_or_insert_with(|| known.clone()), known);

            *store.left.lock().unwrap() = commits;
            let reply = act(&host);
            if commits.is_none() {
                assert_eq!(reply.status, 200, "{what}: {}", reply.text);
                at_rest(&host);
                let done = state(&host);
                assert_ne!(before.as_ref(), Some(&done), "{what} does nothing");
                after = Some(done);
                agrees(&host, what);
                continue;
            }
            let started = Instant::now();
            while !is_at_end(&store) && started.elapsed() < Duration::from_millis(700) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let is_whole = !is_at_end(&store);
            host.stop();

            *store.left.lock().unwrap() = None;
            host.run();
            at_rest(&host);
            let found = state(&host);
            let is_known = Some(&found) == before.as_ref() || Some(&found) == after.as_ref();
            assert!(is_known, "{what}, ended after {commits:?} commits: {found:#}");
            assert!(reply.status != 200 || Some(&found) == after.as_ref(), "{what} was answered");
            agrees(&host, what);
            if is_whole {
                assert_eq!(Some(&found), after.as_ref(), "{what}");
                break;
            }
        }
    }
}

/// A server under four eyes on a store; what a person asks for, `ida` approves.
fn begun_with_four_eyes(store: &Arc<Ending>) -> Host {
    let store = Arc::clone(store);
    let tokens = "ida:approver:token-of-ida-0001";
    let four_eyes = move |config: &mut crate::server::config::Config| {
        config.four_eyes = true;
        config.credentials.tokens = crate::server::credentials::parse_named(tokens).unwrap();
    };
    let make: super::MakeStore = Box::new(move |_| Arc::clone(&store) as Arc<dyn Store>);
    Host::begin_on(false, Box::new(four_eyes), Some(make))
}

/// Where a request that was kept is found.
fn place_of(kept: &Reply) -> String {
    assert_eq!(kept.status, 202, "{}", kept.text);
    match kept.json().get("change") {
        Some(change) => format!("/v1/changes/{change}"),
        None => kept.header("location").to_owned(),
    }
}

fn approve(host: &Host, place: &str) -> Reply {
    let ida = [("authorization", "Bearer token-of-ida-0001")];
    host.call("POST", &format!("{place}/approve"), &ida, b"{}")
}

/// Acts that take several commits, or that need another act before them.
const LONGER_ACTS: [Act; 3] = [
    ("close a quarter", |host| {
        post(host, "/v1/periods/2026-Q1/close", &json!({"force": true, "reason": "early"}))
    }),
    ("finalize a quarter", |host| {
        post(host, "/v1/periods/2026-Q1/finalize", &json!({"force": true, "reason": "early"}))
    }),
    ("delete a calculation", |host| {
        let released =
            post(host, "/v1/calculations/sellers/2026-01/release", &json!({"what": "credits"}));
        assert_eq!(approve(host, &place_of(&released)).status, 200);
        host.api("DELETE", "/v1/calculations/sellers/2026-01", &[], "{}")
    }),
];

/// What an act brings about, without the trail: it tells of each commit.
fn outcome(host: &Host) -> Value {
    let mut state = state(host);
    state.as_object_mut().unwrap().remove("trail");
    state
}

/// An approval is recorded in the last commit of what was approved: before it the request waits and can
/// be approved again, behind it everything is done.
#[test]
fn an_approved_act_is_done_or_still_waits() {
    let prepared = prepared();
    for (what, act) in ACTS.into_iter().chain(LONGER_ACTS) {
        let mut after = None;
        for commits in [None].into_iter().chain((0..).map(Some)) {
            let store = Ending::with_rows_of(&*prepared);
            let mut host = begun_with_four_eyes(&store);
            at_rest(&host);
            let place = place_of(&act(&host));
            let before = outcome(&host);

            *store.left.lock().unwrap() = commits;
            let reply = approve(&host, &place);
            if commits.is_none() {
                assert_eq!(reply.status, 200, "{what}: {}", reply.text);
                at_rest(&host);
                after = Some(outcome(&host));
                assert_ne!(after.as_ref(), Some(&before), "{what} does nothing");
                continue;
            }

            let started = Instant::now();
            while !is_at_end(&store) && started.elapsed() < Duration::from_millis(700) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let is_whole = !is_at_end(&store);
            host.stop();

            *store.left.lock().unwrap() = None;
            host.run();
            at_rest(&host);
            let ended = format!("{what}, ended after {commits:?} commits");
            if host.get(&place)["state"] == "waiting" {
                assert_ne!(reply.status, 200, "{ended}: it was answered");
                assert_ne!(Some(outcome(&host)), after, "{ended}: it was done, and still waits");
                let again = approve(&host, &place);
                assert_eq!(again.status, 200, "{ended}: {}", again.text);
                at_rest(&host);
            }

            assert_eq!(Some(outcome(&host)), after, "{ended}");
            approve(&host, &place).problem(409, "not_waiting");
            agrees(&host, &ended);
            if is_whole {
                break;
            }
        }
    }
}

/// Whether there is no commit left.
fn is_at_end(store: &Ending) -> bool {
    *store.left.lock().unwrap() == Some(0)
}

/// Releases and holds whose word is not known were left out, and adjustments whose amount cannot be
/// read counted as none: a row that says what people are paid makes sense or is an error.
#[test]
fn what_people_did_is_understood_or_an_error() {
    let credit = format!("crd_{}", "0".repeat(32));
    let understood = |action: &str, amount: Option<&str>, credit: &str, date: &str| {
        let mut row = json!({"credit": credit, "action": action, "date": date, "who": "eva"});
        if let Some(amount) = amount {
            row["amount"] = json!(amount);
        }
        let row = serde_json::from_value(row).map_err(|error| error.to_string())?;
        let inputs = explain::decision_inputs(None, &[row]);
        inputs.map(drop).map_err(|error| error.to_string())
    };

    for (action, amount) in
        [("release", None), ("hold", None), ("adjust_to", Some("1.5")), ("reset", None)]
    {
        assert_eq!(understood(action, amount, &credit, "2026-01-31"), Ok(()), "{action}");
        for broken in ["crd_x", ""] {
            assert!(understood(action, amount, broken, "2026-01-31").is_err(), "{action}");
        }
    }

    for (action, amount) in [
        ("realease", None),
        ("", None),
        ("adjust_to", None),
        ("adjust_by", Some("")),
        ("adjust_to", Some("1,5")),
        ("adjust_to", Some("NaN")),
    ] {
        assert!(understood(action, amount, &credit, "2026-01-31").is_err(), "{action} {amount:?}");
    }
    assert!(understood("hold", None, &credit, "today").is_err());
}

/// A confirmed calculation of a finalized period was deleted without a question.
#[test]
fn what_is_certain_is_deleted_with_a_reason_alone() {
    let host = begun_on(&prepared());
    let path = "/v1/calculations/sellers/2026-01";
    let delete = |query: &str, body: &str| host.api("DELETE", &format!("{path}{query}"), &[], body);
    let released = |what: &str| {
        let body = json!({"what": what, "force": true, "reason": "early"});
        assert_eq!(post(&host, &format!("{path}/release"), &body).status, 200);
    };
    released("credits");
    assert_eq!(delete("", "").json()["deleted"], true, "it was pending");

    released("rewards");
    delete("", "").problem(409, "calculation_certain");
    delete("?force=true", "").problem(422, "reason_needed");
    delete("?why=1", "").problem(400, "bad_request");
    let deleted = delete("", &json!({"force": true, "reason": "wrong period"}).to_string());
    assert_eq!(deleted.json()["deleted"], true);
    let last = &host.get("/v1/audit?limit=1")["data"][0];
    assert_eq!(last["what"], "calculation_deleted");
    assert_eq!(last["detail"]["reason"], "wrong period");

    let body = json!({"force": true, "reason": "early"});
    assert_eq!(post(&host, "/v1/periods/2026-01/finalize", &body).status, 200);
    released("credits");
    delete("", "").problem(409, "calculation_certain");
    assert_eq!(delete("?force=true&reason=late", "").json()["deleted"], true);
    agrees(&host, "after deletions");
}
