//! Two processes on one store: what one of them read may have changed, and nothing is overwritten.

use std::sync::Mutex;

use super::*;
use crate::alerts::RaisedAlert;
use crate::recredit::RedriveRequest;
use crate::runs::CalculationRun;
use accredit_domain::files::Files;
use accredit_seams::store::{Snapshot, Store, StoreError, WriteBatch};

/// A store on which another process commits between what this one reads and its commit.
struct Raced {
    store: Arc<MemoryStore>,
    other: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for Raced {
    fn snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
        self.store.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> LedgerResult<()> {
        let other = self.other.lock().unwrap().take();
        if let Some(other) = other {
            other();
        }
        self.store.commit(batch)
    }
}

type Act = fn(&Ledger, &str) -> LedgerResult<()>;

fn receive(ledger: &Ledger, who: &str) -> LedgerResult<()> {
    ledger.receive_deliveries(&[delivery("same", who)]).map(drop)
}

fn record_a_round(ledger: &Ledger, who: &str) -> LedgerResult<()> {
    let amount = if who == "first" { 1 } else { 2 };
    ledger.commit_batch(&work("D1", amount, vec![credit("D1", "ann", amount, "active")]))
}

fn begin_run(ledger: &Ledger, who: &str) -> LedgerResult<()> {
    ledger.begin_run(CalculationRun { plan: who.to_owned(), ..CalculationRun::default() }).map(drop)
}

fn raise_alert(ledger: &Ledger, who: &str) -> LedgerResult<()> {
    ledger.raise_alert(&RaisedAlert::new("worker", "not_decided", who), 0)
}

fn activate(ledger: &Ledger, who: &str) -> LedgerResult<()> {
    let activation = crate::definitions::Activation {
        ruleset: who.to_owned(),
        ..crate::definitions::Activation::default()
    };
    ledger.record_activation(&Files::new(), activation).map(drop)
}

/// The locks of a ledger hold inside one process only: a second one on the same store overwrote
/// what the first had written since.
#[test]
fn what_another_process_wrote_meanwhile_is_a_conflict() {
    let acts: [(&str, Act); 5] = [
        ("receive", receive),
        ("record", record_a_round),
        ("begin_run", begin_run),
        ("raise_alert", raise_alert),
        ("activate", activate),
    ];

    for (name, act) in acts {
        let store = Arc::new(MemoryStore::default());
        let other = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
        let race = move || act(&other, "first").unwrap();
        let raced = Raced { store: Arc::clone(&store), other: Mutex::new(Some(Box::new(race))) };

        let ledger = Ledger::new(Arc::new(raced));
        assert!(matches!(act(&ledger, "second"), Err(StoreError::Conflict)), "{name}");

        // Reading again sees what the other one did, and nothing stands in the way.
        assert!(act(&ledger, "second").is_ok(), "{name}");
    }
}

#[test]
fn a_request_that_was_renewed_meanwhile_stays() {
    let store = Arc::new(MemoryStore::default());
    let other = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    activate(&other, "first").unwrap();
    let request: RedriveRequest = other.redrive_request().unwrap().unwrap();

    let race = move || activate(&other, "second").unwrap();
    let raced = Raced { store: Arc::clone(&store), other: Mutex::new(Some(Box::new(race))) };
    let ledger = Ledger::new(Arc::new(raced));
    assert!(matches!(ledger.redriven(&request), Err(StoreError::Conflict)));

    let waiting = ledger.redrive_request().unwrap().unwrap();
    assert_eq!(waiting.ruleset, "second");
}
