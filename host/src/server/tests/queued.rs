//! Deliveries beside an import: what one waits for, counted in commits and not in time.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use accredit_ledger::inbox::Receipt;
use accredit_redb::RedbStore;
use accredit_redb::failing::FailingDisk;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::{RowChange, Snapshot, Store, StoreError, StoreTable, WriteBatch};

use super::Host;
use crate::server::channels::NotTaken;

/// Rows of a delivery of an import, and bytes of a commit of them, beside one delivery more.
const ROWS_MAX: usize = 250;
const BYTES_MAX: usize = (256 << 10) * 2;

/// Rows of the import.
const ROWS: usize = 20_000;

/// What goes through the gate.
#[derive(Default)]
struct GateState {
    /// Whether commits to the inbox wait.
    is_closed: bool,
    /// Commits that wait.
    waiting: usize,
    /// The bytes of every commit to the inbox, and whether a webhook is in it.
    commits: Vec<(usize, bool)>,
}

/// A store whose commits to the inbox wait for the test.
struct GatedStore {
    store: RedbStore,
    state: Mutex<GateState>,
    changed: Condvar,
}

impl GatedStore {
    fn new() -> Arc<GatedStore> {
        let store = RedbStore::with_backend(FailingDisk::default()).unwrap();
        Arc::new(GatedStore { store, state: Mutex::default(), changed: Condvar::new() })
    }

    fn change(&self, work: impl FnOnce(&mut GateState)) {
        work(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits until a commit stands at the gate.
    fn wait_for_commit(&self) {
        let state = self.state.lock().unwrap();
        let wait = Duration::from_secs(20);
        let found = self.changed.wait_timeout_while(state, wait, |state| state.waiting == 0);
        assert!(!found.unwrap().1.timed_out(), "no commit came");
    }

    fn pass_gate(&self, commit: (usize, bool)) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| state.is_closed).unwrap();
        state.waiting -= 1;
        state.commits.push(commit);
    }
}

impl Store for GatedStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.store.snapshot()
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let to_inbox = batch.changes.iter().filter(|change| change.table == StoreTable::Inbox);
        let sizes = to_inbox.map(|change| change.value.as_ref().map_or(0, Vec::len));
        let sizes: Vec<usize> = sizes.collect();
        let is_webhook = |change: &RowChange| {
            change.table == StoreTable::Deliveries && change.key.starts_with(b"crm")
        };
        if !sizes.is_empty() {
            self.pass_gate((sizes.iter().sum(), batch.changes.iter().any(is_webhook)));
        }
        self.store.commit(batch)
    }
}

fn import_body() -> String {
    let row = |number| format!("I-{number},2026-01-10,100,ann\n");
    "id,closed,amount,owner\n".to_owned() + &(0..ROWS).map(row).collect::<String>()
}

fn delivery(id: &str) -> Delivery {
    let body = super::deal(id, "5", "");
    let mut delivery = Delivery::unverified("crm".to_owned(), 0, body.into());
    delivery.id = id.to_owned();
    delivery
}

/// An import stored up to 8 MiB in one commit, and a delivery that arrived meanwhile waited for all of it.
#[test]
fn a_delivery_waits_for_one_commit_of_an_import_and_its_own() {
    let gate = GatedStore::new();
    let store = Arc::clone(&gate);
    let host = Host::start_on(move |_| Arc::clone(&store));
    gate.change(|state| state.is_closed = true);

    std::thread::scope(|scope| {
        let import = scope.spawn(|| {
            let kind = [("content-type", "text/csv")];
            let reply = host.api("POST", "/v1/transactions", &kind, &import_body());
            assert_eq!(reply.status, 202, "{}", reply.text);
            assert_eq!(reply.json()["deliveries"], ROWS.div_ceil(ROWS_MAX));
        });
        gate.wait_for_commit();

        let stored_before = gate.state.lock().unwrap().commits.len();

        let mut taken = queue_delivery(&host, "D-1");
        gate.change(|state| state.is_closed = false);
        let receipts = host.runtime.block_on(&mut taken).unwrap();
        assert_eq!(receipts.len(), 1);
        import.join().unwrap();

        let commits = &gate.state.lock().unwrap().commits;
        let own = commits.iter().position(|(_, is_webhook)| *is_webhook).unwrap();
        assert!(own <= stored_before + 1, "it waited from commit {stored_before} to {own}");
        let largest = commits.iter().map(|(bytes, _)| *bytes).max().unwrap();
        assert!(largest <= BYTES_MAX, "a commit of {largest} bytes");
        assert!(commits.len() >= 4, "{} commits", commits.len());
    });

    host.drained();
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], ROWS + 1);
}

/// A request to the writer, asked once: it is in the queue.
fn queue_delivery(host: &Host, id: &str) -> TakenDelivery {
    let (writer, delivery) = (host.running().service.writer.clone(), delivery(id));
    let mut taken: TakenDelivery = Box::pin(async move { writer.take(vec![delivery]).await });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(taken.as_mut().poll(&mut context).is_pending());
    taken
}

type TakenDelivery = Pin<Box<dyn Future<Output = Result<Vec<Receipt>, NotTaken>>>>;

/// A commit for each of those who waited would take many times as long.
#[test]
fn those_who_wait_share_a_commit_in_the_order_in_which_they_came() {
    let gate = GatedStore::new();
    let store = Arc::clone(&gate);
    let host = Host::start_on(move |_| Arc::clone(&store));
    gate.change(|state| state.is_closed = true);

    let ids = (0..300).map(|number| format!("D-{}", number % 200));
    let takes: Vec<_> = ids.map(|id| queue_delivery(&host, &id)).collect();
    gate.change(|state| state.is_closed = false);
    let takes = takes.into_iter().map(|take| host.runtime.block_on(take).unwrap());
    let receipts: Vec<Receipt> = takes.flatten().collect();

    for (place, receipt) in receipts.iter().enumerate() {
        assert_eq!(receipt.sequence, place as u64 % 200 + 1, "in the order of arrival");
        assert_eq!(receipt.duplicate, place >= 200, "the first of each is stored");
    }
    let commits = gate.state.lock().unwrap().commits.len();
    assert!(commits <= 2, "{commits} commits");
    host.drained();
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 200);
}
