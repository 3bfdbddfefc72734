//! Health that tells the truth: threads that panic, stores that fail, deliveries that do not move.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use accredit_ledger::Ledger;
use accredit_redb::RedbStore;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};
use serde_json::json;

use super::{Host, deal, recredited};
use crate::server::health::ServerPart;
use crate::server::supervise;

/// A store that panics or refuses when a block with a certain text is written.
struct Moody {
    inner: RedbStore,
    panics_at: Mutex<Option<&'static str>>,
    refuses: AtomicBool,
}

impl Moody {
    fn contains(batch: &WriteBatch, text: &str) -> bool {
        let blocks = batch.changes.iter().filter(|change| change.table == StoreTable::Deals);
        let mut values = blocks.filter_map(|change| change.value.as_ref());
        values.any(|value| value.windows(text.len()).any(|part| part == text.as_bytes()))
    }
}

impl Store for Moody {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.inner.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let panics_at = *self.panics_at.lock().unwrap();
        assert!(!panics_at.is_some_and(|text| Moody::contains(batch, text)), "a bug of ours");
        let blocks = batch.changes.iter().any(|change| change.table == StoreTable::Deals);
        if blocks && self.refuses.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("refused".to_owned()));
        }
        self.inner.commit(batch)
    }
}

/// A server on a store with moods.
fn moody() -> (Host, Arc<Moody>) {
    let made: Arc<Mutex<Option<Arc<Moody>>>> = Arc::default();
    let kept = Arc::clone(&made);
    let host = Host::start_on(move |config| {
        let inner = RedbStore::open(&config.data).unwrap();
        let (panics_at, refuses) = (Mutex::default(), AtomicBool::default());
        let store = Arc::new(Moody { inner, panics_at, refuses });
        *kept.lock().unwrap() = Some(Arc::clone(&store));
        store
    });
    let store = made.lock().unwrap().clone().unwrap();
    (host, store)
}

fn ready(host: &Host) -> bool {
    host.call("GET", "/readyz", &[], b"").status == 200
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The code and the message of every alert.
fn alerts(host: &Host) -> Vec<(String, String)> {
    let page = host.get("/v1/alerts");
    let text = |alert: &serde_json::Value, key: &str| alert[key].as_str().unwrap_or("").to_owned();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|alert| (text(alert, "code"), text(alert, "message"))).collect()
}

/// A sum overflowed while the batch of one deal was recorded: the worker's thread was gone, and the
/// server went on saying that it was ready.
#[test]
fn a_delivery_that_panics_is_set_aside_with_an_alert() {
    let (host, store) = moody();
    *store.panics_at.lock().unwrap() = Some("BAD-1");
    host.deliver("msg_1", &deal("A-1", "100", ""));
    host.deliver("msg_2", &deal("BAD-1", "100", ""));
    host.deliver("msg_3", &deal("A-2", "100", ""));

    assert_eq!(host.credits("A-1").len(), 1);
    assert_eq!(host.credits("A-2").len(), 1);
    assert!(host.credits("BAD-1").is_empty());
    assert!(ready(&host));

    let codes: Vec<String> = alerts(&host).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["dead_letter"]);
    assert_eq!(host.get("/v1/status")["dead_letters"], 1);
    let metric = || host.call("GET", "/metrics", &[], b"").text;
    eventually("the metric", || metric().contains("accredit_dead_letters 1\n"));

    *store.panics_at.lock().unwrap() = None;
    let letter = host.get("/v1/dead-letters")["data"][0]["sequence"].clone();
    let redrive = host.api("POST", &format!("/v1/dead-letters/{letter}/redrive"), &[], "");
    assert_eq!(redrive.status, 202);
    assert_eq!(host.credits("BAD-1").len(), 1);
}

/// What an activation, a redrive, a day and a run do again panics for one deal of several: it stays
/// as it is with an alert, the others are decided.
#[test]
fn a_deal_that_panics_keeps_no_other_from_being_decided_again() {
    let (host, store) = moody();
    for id in ["A-1", "BAD-1", "A-2"] {
        host.deliver(id, &deal(id, "100", ",\"hold\":\"broken\""));
    }
    assert_eq!(host.credits("BAD-1")[0]["reason"], "policy_error");
    let statuses = |host: &Host| {
        ["A-1", "BAD-1", "A-2"].map(|id| host.credits(id)[0]["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(statuses(&host), ["held", "held", "held"]);

    // Deals of one batch are written together: the bad one alone must be found among them.
    *store.panics_at.lock().unwrap() = Some("asked again");
    let hold = super::HOLD.replace(
        "throw \"not yet\"",
        "if tx[\"id\"] == \"BAD-1\" { return hold_indefinitely(\"asked again\"); } return no_hold()",
    );
    let body = json!({
        "files": { "policies/hold/asked.rhai": hold },
        "effective": "recredit",
    });
    let reply = host.api("POST", "/v1/changes", &[], &body.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text);
    recredited(&host);
    host.after_redrive();

    assert_eq!(statuses(&host), ["active", "held", "active"]);
    let found = alerts(&host);
    let aside = found.iter().filter(|(code, _)| code == "not_decided");
    assert_eq!(aside.count(), 1, "{found:?}");
    assert!(ready(&host));
}

#[test]
fn a_thread_that_panics_is_started_again_and_the_server_is_not_ready_meanwhile() {
    let host = Host::start();
    let service = Arc::clone(&host.running().service);
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let thread = supervise::start_supervised(&service, ServerPart::Watcher, move |_| {
        let run = counted.fetch_add(1, Ordering::Relaxed);
        assert!(run >= 3, "run {run}");
    });
    eventually("it is not ready in between", || !ready(&host));
    thread.unwrap().join().unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 4);
    assert!(ready(&host));
}

/// Deliveries were acknowledged and never decided, and the server said that it was ready.
#[test]
fn deliveries_that_do_not_move_make_the_server_unready() {
    let (host, store) = moody();
    store.refuses.store(true, Ordering::Relaxed);
    let sent = Instant::now();
    assert_eq!(host.deliver("msg_1", &deal("A-1", "100", "")).status, 202);
    eventually("it notices", || !ready(&host));
    assert!(sent.elapsed() < Duration::from_secs(9), "{:?}", sent.elapsed());

    let status = host.get("/v1/status");
    assert_eq!(status["faults"][0]["part"], "deliveries", "{status}");
    assert!(status["oldest_undecided_seconds"].as_i64().unwrap() >= 4, "{status}");

    store.refuses.store(false, Ordering::Relaxed);
    eventually("it is ready again", || ready(&host));
    assert_eq!(host.credits("A-1").len(), 1);
    assert_eq!(host.get("/v1/status")["oldest_undecided_seconds"], json!(null));
}

/// Ends a stream, also when its test fails.
struct EndOnDrop(Arc<AtomicBool>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A release, an adjustment and a finalization waited for an empty inbox, which never came under a
/// stream of deliveries.
#[test]
fn a_release_ends_under_a_stream_that_never_pauses() {
    let host = Host::start();
    host.deliver("msg_h", &deal("H-1", "100", ",\"hold\":\"yes\""));
    let held = host.credits("H-1")[0]["id"].as_str().unwrap().to_owned();

    let service = Arc::clone(&host.running().service);
    let ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&ended);
    let stream = std::thread::spawn(move || {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let deliveries: Vec<Delivery> = (0..2)
                .map(|_| {
                    number += 1;
                    let body = deal(&format!("S-{number}"), "1", "").into_bytes();
                    let (source, id) = ("crm".to_owned(), format!("s_{number}"));
                    Delivery { source, id, body, received_ms: 0, transactions: Vec::new() }
                })
                .collect();
            service.context.ledger.receive_deliveries(&deliveries).unwrap();
            service.orders.wake();
            std::thread::sleep(Duration::from_millis(5));
        }
        number
    });

    // Each of these looks at what had come before it.
    let unknown = "/v1/credits/crd_00000000000000000000000000000000/release";
    let calls = [
        ("/v1/holds/release".to_owned(), json!({ "transaction": "H-1" }), 200),
        (unknown.to_owned(), json!({}), 404),
        ("/v1/transactions/none/adjustments".to_owned(), json!({ "action": "reset" }), 404),
        ("/v1/calculations/sellers/2026-01/release".to_owned(), json!({ "what": "credits" }), 200),
        (
            "/v1/periods/2025-12/finalize".to_owned(),
            json!({ "force": true, "reason": "test" }),
            200,
        ),
        (format!("/v1/credits/{held}/hold"), json!({}), 200),
    ];
    let _end = EndOnDrop(Arc::clone(&ended));
    for (path, body, status) in calls {
        let asked = Instant::now();
        let reply = host.api("POST", &path, &[], &body.to_string());
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        assert!(asked.elapsed() < Duration::from_secs(15), "{path}: {:?}", asked.elapsed());
    }
    ended.store(true, Ordering::Relaxed);
    assert!(stream.join().unwrap() > 20);
}

/// A finalization behind a slow batch was answered 408 after 30 seconds, and finalized all the same.
#[test]
fn what_waits_behind_slow_work_is_a_task_or_is_not_done_at_all() {
    let host = Host::start();
    host.deliver("msg_1", &deal("A-1", "100", ""));
    let credit = host.credits("A-1")[0]["id"].as_str().unwrap().to_owned();
    let service = Arc::clone(&host.running().service);
    let slow = host.runtime.spawn(async move {
        let work = |_: &mut dyn crate::server::channels::WorkerTurn| {
            std::thread::sleep(Duration::from_secs(4));
            Ok(())
        };
        service.ask_patiently(work).await
    });
    std::thread::sleep(Duration::from_millis(200));

    let body = json!({ "force": true, "reason": "test" }).to_string();
    let finalize = "/v1/periods/2025-12/finalize";
    let later = host.api("POST", finalize, &[("prefer", "wait=1")], &body);
    assert_eq!(later.status, 202, "{}", later.text);
    let place = later.header("location").to_owned();

    // An act on one credit is given up, and not done later.
    let hold = host.api("POST", &format!("/v1/credits/{credit}/hold"), &[], "");
    hold.problem(503, "unavailable");

    assert!(host.runtime.block_on(slow).unwrap().is_ok());
    eventually("the task ends", || host.get(&place)["state"] == "done");
    assert_eq!(host.get(&place)["answer"]["state"], "finalized");
    assert_eq!(host.credits("A-1")[0]["status"], "active");
}

/// `done` was true right after an activation, before what was parked had been decided again.
#[test]
fn progress_is_not_done_while_parked_deals_wait_for_their_next_try() {
    let host = Host::start();
    let done = || host.get("/v1/calculations")["progress"]["done"].clone();
    // The first activation asked for a try as well, which the worker may only have begun.
    eventually("the first try is over", || done() == true);
    let service = Arc::clone(&host.running().service);
    let slow = host.runtime.spawn(async move {
        let work = |_: &mut dyn crate::server::channels::WorkerTurn| {
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        };
        service.ask_patiently(work).await
    });
    std::thread::sleep(Duration::from_millis(200));

    let body = json!({ "files": { "policies/hold/asked.rhai": format!("{}\n", super::HOLD) } });
    let reply = host.api("POST", "/v1/changes", &[], &body.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(done(), false);
    assert!(host.runtime.block_on(slow).unwrap().is_ok());
    eventually("it is done", || done() == true);
}

/// A delivery that needs more memory than there is ended the process, again at every start.
#[test]
fn a_delivery_that_ended_the_process_again_and_again_is_a_dead_letter() {
    let mut host = Host::start();
    host.stop();
    let data = host.folder.path().join("acme.redb");
    let count = |count: u32| {
        let ledger = Ledger::open(Arc::new(RedbStore::open(&data).unwrap())).unwrap();
        let delivery = |id: &str| Delivery {
            source: "crm".to_owned(),
            id: id.to_owned(),
            body: deal(id, "100", "").into_bytes(),
            received_ms: 0,
            transactions: Vec::new(),
        };
        let first =
            ledger.receive_deliveries(&[delivery("K-1"), delivery("K-2")]).unwrap()[0].sequence;
        let note = json!({ "what": "deliveries", "from": first, "many": false, "count": count });
        ledger.set_meta("attempt", note.to_string().as_bytes()).unwrap();
    };

    count(3);
    host.run();
    assert!(host.credits("K-1").is_empty());
    assert_eq!(host.credits("K-2").len(), 1, "the next one is decided");
    let letter = host.get("/v1/dead-letters")["data"][0]["reason"].clone();
    assert!(letter.as_str().unwrap().contains("ATTEMPTS_MAX"), "{letter}");
    assert_eq!(alerts(&host)[0].0, "dead_letter");
}

/// A stop waited 30 seconds for bodies that did not come.
#[test]
fn a_stop_takes_five_seconds_at_most_with_stalled_bodies() {
    let mut host = Host::start();
    let address = host.running().url.trim_start_matches("http://").to_owned();
    let mut stalled = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = "POST /hooks/crm HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).unwrap();
        stalled.push(stream);
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    host.stop();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

/// An adjustment to an amount that no sum can hold made a dead letter of every later deal.
#[test]
fn an_absurd_adjustment_is_refused_with_the_name_of_the_limit() {
    let host = Host::start();
    let head = "reason_codes = [\"Other\"]\ncredit_types = [\"booking\"]\n";
    let settings = json!({"files": {"accredit.toml": format!("{head}{}", super::SETTINGS)}});
    assert_eq!(host.api("POST", "/v1/changes", &[], &settings.to_string()).status, 200);
    host.deliver("msg_1", &deal("A-1", "100", ""));
    host.drained();
    for amount in ["79228162514264337593543950335", "-1000000000000001"] {
        for action in ["adjust_to", "adjust_by"] {
            let body = json!({ "action": action, "amount": amount, "reason_code": "Other" });
            let body = body.to_string();
            let reply = host.api("POST", "/v1/transactions/A-1/adjustments", &[], &body);
            let problem = reply.problem(422, "bad_amount");
            assert!(problem["detail"].as_str().unwrap().contains("AMOUNT_MAX"), "{problem}");
        }
    }
    host.deliver("msg_2", &deal("A-2", "100", ""));
    assert_eq!(host.credits("A-2")[0]["amount"], "100.00");
    assert_eq!(host.credits("A-1")[0]["amount"], "100.00");
}

/// One absurd amount, delivered or computed, made dead letters of all later deals or ended the worker.
#[test]
fn absurd_amounts_park_one_deal_and_the_others_go_on() {
    let host = Host::start();
    host.deliver("msg_1", &deal("X-1", "79228162514264337593543950335", ""));
    for number in 1..4 {
        host.deliver(&format!("n_{number}"), &deal(&format!("N-{number}"), "100", ""));
    }
    assert!(host.credits("X-1").is_empty());
    assert_eq!(host.credits("N-3")[0]["amount"], "100.00");
    assert_eq!(host.get("/v1/status")["parked"], 1);
    assert_eq!(host.get("/v1/status")["dead_letters"], 0);

    let value = "credit_type = \"booking\"\n  value = \"tx.amount * 1000000000000000000000000000\"";
    let plan = super::PLAN.replace("credit_type = \"booking\"", value);
    let body = json!({ "files": { "plans/sellers.toml": plan }, "effective": "recredit" });
    let reply = host.api("POST", "/v1/changes", &[], &body.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text);
    recredited(&host);
    host.after_redrive();
    assert_eq!(host.get("/v1/status")["parked"], 4);
    assert!(ready(&host));

    let reply =
        host.api("POST", "/v1/rollback", &[], &json!({"effective": "recredit"}).to_string());
    assert_eq!(reply.status, 200, "{}", reply.text);
    recredited(&host);
    host.after_redrive();
    assert_eq!(host.credits("N-3")[0]["amount"], "100.00");
}
