//! What is changed alone is recalculated: deals, an alias, a rollup policy, on a ledger in a file.
//!
//! Changed deals are held against a bare commit of as many rows; a changed policy, alias or manager
//! against a change that makes every deal be decided again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use accredit_domain::decision::Decision;
use accredit_domain::transaction::read;
use accredit_ledger::Ledger;
use accredit_ledger::definitions::{Activation, Effective};
use accredit_operations::context::{Context, Surroundings};
use accredit_operations::decide::{batch, recredit};
use accredit_operations::error::OperationError;
use accredit_operations::intake::{IMPORT, IntakeMachine};
use accredit_redb::RedbStore;
use accredit_seams::connector::Connector;
use accredit_seams::delivery::Delivery;
use accredit_workspace::{Files, Ruleset};
use jiff::civil::{Date, date};
use redb::{Database, TableDefinition};

use crate::Outcome;
use crate::company::rule_files;
use crate::report::Finding;
use crate::rounds::{Side, Spent, Times, alternate, time};
use crate::settings::Settings;

const ROUNDS: usize = 5;

/// Numbers of changed deals, each a comparison.
const CHANGED: [usize; 3] = [1, 1_000, 10_000];

/// Deals of a delivery.
const DELIVERED: usize = 2_000;

/// Bytes of a row of the bare table: about what a deal of the company needs with its credits.
const ROW_BYTES: usize = 256;

const ROWS: TableDefinition<u64, &[u8]> = TableDefinition::new("rows");

/// What a host provides, as far as the measure needs it.
struct Host(AtomicI64);

impl Surroundings for Host {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn business_date(&self, _zone: &str) -> Date {
        date(2026, 6, 30)
    }

    fn connector(&self, _name: &str) -> Option<&'static dyn Connector> {
        None
    }

    fn connectors(&self) -> &'static [&'static dyn Connector] {
        &[]
    }

    fn secrets_of<'a>(
        &'a self,
        _ledger: &Ledger,
        _ruleset: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, OperationError> {
        Ok(Box::new(|| ()))
    }

    fn note_activation(&self) {}

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn note_commit(&self, _decisions: &[(String, Vec<Decision>)], _took: Duration) {}

    fn note_refusal(&self) {}
}

/// A ledger with the company's deals, decided.
struct Server {
    context: Context,
    machines: IntakeMachine,
    /// The rows of the deals by their columns.
    deals: Vec<BTreeMap<String, String>>,
    sent: u64,
}

/// Compares changes of deals, of the rollup policy, of an alias and of a manager.
pub fn compare(settings: &Settings, outcome: &mut Outcome) {
    let folder = settings.company(settings.deals);
    let mut server = Server::open(&folder, &settings.folder.path().join("incremental.redb"));
    let bare = Database::create(settings.folder.path().join("bare.redb")).unwrap();
    let deals = server.deals.len();
    println!("incremental: a ledger of {deals} deals is imported");
    write_rows(&bare, deals, deals, 0);

    for count in CHANGED.into_iter().filter(|count| *count <= deals) {
        compare_deals(&mut server, &bare, count, outcome);
    }
    compare_rules(&server, outcome);
}

fn compare_deals(server: &mut Server, bare: &Database, count: usize, outcome: &mut Outcome) {
    let deals = server.deals.len();
    let mut round = 0;
    let mut ours = || {
        round += 1;
        let rows = server.changed_rows(count, round);
        time(|| server.deliver(&rows))
    };
    let mut written = 0;
    let mut rival = || {
        written += 1;
        time(|| write_rows(bare, deals, count, written))
    };
    let sides: &mut [Side<'_>] = &mut [Box::new(&mut ours), Box::new(&mut rival)];
    let times = alternate(ROUNDS, sides);

    let what = format!("{count} of {deals} deals changed, decided and durable");
    let key = format!("incremental/deals/{count}");
    add(outcome, (&key, &what, "a bare commit of as many rows"), &times);
}

/// Changes of the rollup policy, of an alias and of a manager, against one after which all is decided
/// again. Each is made to the files in force, so that nothing else changes with it.
fn compare_rules(server: &Server, outcome: &mut Outcome) {
    let first = server.context.ruleset.load().files.clone();
    let with = |path: &str, text: String| {
        let mut files = server.context.ruleset.load().files.clone();
        files.insert(path.to_owned(), Arc::from(text));
        files
    };
    let policy = |path: &str, from: &str, to: String| with(path, first[path].replace(from, &to));

    let mut round = 0;
    let mut change = |kind: usize| {
        round += 1;
        let files = match kind {
            0 => policy("policies/hold/large.rhai", "50000", format!("{}", 50_000 + round)),
            1 => policy("policies/rollup/share.rhai", "* 0.5", format!("* 0.{}", 50 + round)),
            2 => {
                let rows = format!("kind,id,alias\nposition,r1,Alias {round}\n");
                with("organization/aliases.csv", rows)
            }
            _ => policy(
                "organization/participants.csv",
                "r7,Rep 7,Rep,m7\n",
                format!("r7,Rep 7,Rep,m{}\n", 10 + round),
            ),
        };
        server.change(files)
    };
    let change = std::cell::RefCell::new(&mut change);
    let mut sides: Vec<Side<'_>> = Vec::new();
    for kind in 0..4 {
        let change = &change;
        sides.push(Box::new(move || (change.borrow_mut())(kind)));
    }
    let times = alternate(ROUNDS, &mut sides);
    drop(sides);

    let deals = server.deals.len();
    let rival = "all decided again";
    let pair = |which: usize| [times[which].clone(), times[0].clone()];
    let what = format!("rollup policy changed, {deals} deals recalculated and durable");
    add(outcome, ("incremental/rollup", &what, rival), &pair(1));
    let what = format!("one alias more among {deals} deals, recalculated and durable");
    add(outcome, ("incremental/alias", &what, rival), &pair(2));
    let what = format!("another manager of one rep among {deals} deals, recalculated and durable");
    add(outcome, ("incremental/manager", &what, rival), &pair(3));
}

fn add(outcome: &mut Outcome, (key, what, rival): (&str, &str, &str), times: &[Times]) {
    let (ours, other) = (&times[0], &times[1]);
    let detail = format!("{:.2} ms to {:.2} ms", ours.median() * 1e3, other.median() * 1e3);
    println!("{what}: {detail}");
    outcome.findings.push(Finding::of_ratio(key, what, rival, ours.ratio_to(other), detail));
}

/// Writes `count` rows of the bare table, spread over `all`, in one durable commit.
fn write_rows(database: &Database, all: usize, count: usize, round: u64) {
    let transaction = database.begin_write().unwrap();
    {
        let mut rows = transaction.open_table(ROWS).unwrap();
        for place in places(all, count, round) {
            let mut row = [0_u8; ROW_BYTES];
            row[..8].copy_from_slice(&(place as u64 ^ round).to_be_bytes());
            rows.insert(place as u64, row.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// `count` different places below `all`, spread over it.
fn places(all: usize, count: usize, round: u64) -> impl Iterator<Item = usize> {
    let step = all / count;
    (0..count).map(move |index| (index * step + round as usize * 7) % all)
}

impl Server {
    fn open(folder: &Path, data: &Path) -> Server {
        let text = std::fs::read_to_string(folder.join("transactions/deals.csv")).unwrap();
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let deal = |line: &str| -> BTreeMap<String, String> {
            let cells = header.iter().zip(line.split(','));
            cells.map(|(column, cell)| ((*column).to_owned(), cell.to_owned())).collect()
        };
        let deals: Vec<_> = lines.map(deal).collect();

        let files = rule_files(folder);
        let columns: BTreeSet<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let (ruleset, findings) = Ruleset::read(&files, &columns);
        let ruleset = Arc::new(ruleset.unwrap_or_else(|| panic!("{findings:#?}")));

        let ledger = Ledger::open(Arc::new(RedbStore::open(data).unwrap())).unwrap();
        record_activation(&ledger, &ruleset, Effective::Now);
        let host = Box::new(Host(AtomicI64::new(1)));
        let context = Context::new(ledger, ruleset, host).unwrap();
        let mut server = Server { context, machines: IntakeMachine::default(), deals, sent: 0 };
        let rows = server.deals.clone();
        rows.chunks(DELIVERED).for_each(|rows| server.deliver(rows));
        server
    }

    /// Deals with other amounts.
    fn changed_rows(&mut self, count: usize, round: u64) -> Vec<BTreeMap<String, String>> {
        let places: Vec<usize> = places(self.deals.len(), count, round).collect();
        for (index, place) in places.iter().enumerate() {
            let amount = format!("{}.5", 100 + index as u64 + round);
            self.deals[*place].insert("Amount".to_owned(), amount);
        }
        places.into_iter().map(|place| self.deals[place].clone()).collect()
    }

    /// Takes deals in and decides them until that is durable.
    fn deliver(&mut self, rows: &[BTreeMap<String, String>]) {
        let mut deliveries = Vec::new();
        for rows in rows.chunks(DELIVERED) {
            self.sent += 1;
            let records = read::read_json(&serde_json::to_vec(rows).unwrap()).unwrap();
            deliveries.push(Delivery {
                source: IMPORT.to_owned(),
                id: format!("msg_{}", self.sent),
                received_ms: 0,
                body: serde_json::to_vec(&records).unwrap(),
                transactions: Vec::new(),
            });
        }
        self.context.ledger.receive_deliveries(&deliveries).unwrap();
        let limit = (512, 64 << 20);
        let mut decide = || batch::decide_batch(&self.context, &mut self.machines, limit).unwrap();
        while decide().deliveries > 0 {}
    }

    /// Puts other files in force and decides again what they ask for; the time of the deciding.
    fn change(&self, files: Files) -> Spent {
        let current = self.context.ruleset.load_full();
        let known = current.settings.fields.named_columns().map(str::to_owned);
        let (ruleset, findings) = Ruleset::read(&files, &known.collect());
        let ruleset = Arc::new(ruleset.unwrap_or_else(|| panic!("{findings:#?}")));
        record_activation(&self.context.ledger, &ruleset, Effective::Recredit);
        self.context.put_in_force(ruleset);
        time(|| {
            while let Some(wish) = self.context.ledger.pending_recredit().unwrap() {
                recredit::decide_some(&self.context, wish).unwrap();
            }
        })
    }
}

fn record_activation(ledger: &Ledger, ruleset: &Ruleset, effective: Effective) {
    let mut row = Activation {
        ruleset: ruleset.hash.to_string(),
        at_ms: 1,
        files: ruleset.files.keys().cloned().collect(),
        plans: ruleset.plan_hashes(),
        ..Activation::default()
    };
    row.terms.effective = effective;
    ledger.record_activation(&ruleset.files, row).unwrap();
}
