//! An activation that outlives its process or its answer: parked deals are tried again after a
//! restart, and what became durable late is what memory serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use accredit_seams::store::memory::MemoryStore;
use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};
use serde_json::json;

use super::{HOLD, Host, PLAN, deal};

/// How long after its answer a late commit is made: longer than an activation is looked up at once.
const LATE: Duration = Duration::from_millis(900);

/// A store that ends after some commits, or that makes a commit of an activation late.
struct Late {
    memory: Arc<MemoryStore>,
    /// Commits that are still made.
    left: AtomicU64,
    /// Whether the next activation is committed after its outcome was reported as unknown.
    late: AtomicBool,
}

impl Late {
    fn new() -> Arc<Late> {
        let (left, late) = (AtomicU64::new(u64::MAX), AtomicBool::new(false));
        Arc::new(Late { memory: Arc::default(), left, late })
    }
}

impl Store for Late {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.memory.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(StoreError::Failed("the end".to_owned()));
        }
        self.left.store(left - 1, Ordering::SeqCst);

        let activates = batch.changes.iter().any(|change| change.table == StoreTable::Activations);
        if activates && self.late.swap(false, Ordering::SeqCst) {
            let (memory, batch) = (Arc::clone(&self.memory), batch.clone());
            std::thread::spawn(move || {
                std::thread::sleep(LATE);
                memory.commit(&batch).unwrap();
            });
            return Err(StoreError::Unknown("it is slow".to_owned()));
        }
        self.memory.commit(batch)
    }
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn host_on(store: &Arc<Late>) -> Host {
    let store = Arc::clone(store);
    Host::start_on(move |_| Arc::clone(&store))
}

/// The request to try parked deals again was in memory alone: a process that ended right after an
/// activation left them parked until the next one.
#[test]
fn parked_deals_are_tried_again_by_the_next_process() {
    let store = Late::new();
    let mut host = host_on(&store);
    host.deliver("msg_1", &deal("D-1", "100", ",\"hold\":\"broken\""));
    assert_eq!(host.credits("D-1")[0]["reason"], "policy_error");
    host.after_redrive();

    // The commit of the activation is the last one of this process.
    store.left.store(1, Ordering::SeqCst);
    let mended = HOLD.replace("throw \"not yet\";", "return no_hold();");
    let body = json!({ "files": { "policies/hold/asked.rhai": mended } }).to_string();
    assert_eq!(host.api("POST", "/v1/changes", &[], &body).status, 200);
    host.stop();

    store.left.store(u64::MAX, Ordering::SeqCst);
    host.run();
    eventually("it is decided again", || host.credits("D-1")[0]["status"] == "active");

    // Done once, it is not asked for again.
    eventually("the request is over", || {
        matches!(host.running().service.context.ledger.redrive_request(), Ok(None))
    });
}

/// An activation that became durable after it was reported as unknown left memory on the ruleset from
/// before, until a restart.
#[test]
fn memory_follows_an_activation_that_becomes_durable_late() {
    let store = Late::new();
    let host = host_on(&store);
    host.deliver("msg_1", &deal("D-1", "100", ""));
    assert_eq!(host.credits("D-1")[0]["amount"], "100.00");
    let before = host.get("/v1/status")["ruleset"].clone();

    store.late.store(true, Ordering::SeqCst);
    let plan = PLAN.replace("credit_type", "value = \"tx.amount * 2\"\n  credit_type");
    let body = json!({ "files": { "plans/sellers.toml": plan } }).to_string();
    let answer = host.api("POST", "/v1/changes", &[], &body);
    assert_ne!(answer.status, 200, "nobody knows: {}", answer.text);
    assert_eq!(host.get("/v1/status")["ruleset"], before);

    eventually("it is in force", || host.get("/v1/status")["ruleset"] != before);
    let recorded = host.get("/v1/activations")["data"][0]["ruleset"].clone();
    assert_eq!(host.get("/v1/status")["ruleset"], recorded);
    host.deliver("msg_2", &deal("D-2", "100", ""));
    assert_eq!(host.credits("D-2")[0]["amount"], "200.00");

    // One that fails after all leaves everything as it is.
    store.left.store(0, Ordering::SeqCst);
    let body = json!({ "files": { "plans/sellers.toml": PLAN } }).to_string();
    assert_ne!(host.api("POST", "/v1/changes", &[], &body).status, 200);
    store.left.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(host.get("/v1/status")["ruleset"], recorded);
}
