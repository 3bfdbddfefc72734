//! Transactions and what was decided about them, packed per block.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Ledger, Result, code, lock};
use crate::credit::transaction_prefix;
use crate::decision::{CreditRow, Decision, Outcome};
use crate::store::{Batch, Error, Snapshot, Table};
use crate::transaction::Record;

/// Transactions a block.
pub(super) const BLOCK: u64 = 64;

/// A transaction as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its number, by first receipt, from 0.
    pub number: u64,
    /// Natural key.
    pub id: String,
    /// 1 for the first content, and one more for every other.
    pub version: u32,
    /// The delivery that brought this content.
    pub delivery: u64,
    /// The row as delivered.
    pub record: Record,
    /// What was decided, a plan each.
    pub decisions: Vec<Decision>,
}

/// A transaction that was decided.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Natural key.
    pub id: String,
    /// The version that the decision was made against; 0 for a transaction that is new.
    pub expected: u32,
    /// The row, when it is new or has new content.
    pub content: Option<(Record, u64)>,
    /// What was decided.
    pub decisions: Vec<Decision>,
}

/// What one round of work found out: recorded together.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Transactions that were decided.
    pub decided: Vec<Decided>,
    /// Versions that came later than a newer one: kept, not applied.
    pub superseded: Vec<(String, Record)>,
    /// Deliveries that are processed.
    pub done: Vec<u64>,
    /// Deliveries that cannot be read, and why.
    pub dead: Vec<(u64, String)>,
    /// Columns that were seen.
    pub columns: BTreeSet<String>,
}

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say what is counted")]
pub struct Counts {
    pub transactions: i64,
    /// Direct and indirect, held ones included, suppressed ones not.
    pub credits: i64,
    pub direct: i64,
    pub indirect: i64,
    pub held: i64,
    pub suppressed: i64,
    pub uncredited: i64,
    pub parked: i64,
    /// Direct credits that are not suppressed, summed by unit type.
    pub credited: BTreeMap<String, Decimal>,
}

impl Counts {
    fn add(&mut self, decisions: &[Decision], sign: i64) {
        for decision in decisions {
            match decision.outcome {
                Outcome::Uncredited => self.uncredited += sign,
                Outcome::Parked => self.parked += sign,
                Outcome::Credited | Outcome::Filtered => (),
            }
            decision.credits.iter().for_each(|credit| self.add_credit(credit, sign));
        }
    }

    fn add_credit(&mut self, credit: &CreditRow, sign: i64) {
        match credit.status.as_str() {
            "suppressed" => return self.suppressed += sign,
            "void" => return,
            "held" => self.held += sign,
            _ => (),
        }
        self.credits += sign;
        if credit.kind == "direct" {
            self.direct += sign;
            let sum = self.credited.entry(credit.unit_type.clone()).or_default();
            *sum += credit.amount.parse::<Decimal>().unwrap_or_default() * Decimal::from(sign);
        } else {
            self.indirect += sign;
        }
    }
}

const COUNTS: &[u8] = b"counts";
const NEXT_NUMBER: &[u8] = b"next_transaction";

/// The key of a transaction's number: what its credits' ids begin with, then its natural key.
pub(super) fn natural_key(id: &str) -> Vec<u8> {
    [&transaction_prefix(id)[..], id.as_bytes()].concat()
}

pub(super) fn block(snapshot: &dyn Snapshot, number: u64) -> Result<Vec<Stored>> {
    let row = snapshot.get(Table::Blocks, &code::key(number))?;
    row.map_or_else(|| Ok(Vec::new()), |row| code::unpack(&row))
}

fn statements(block: &[Stored]) -> BTreeMap<(String, String), Vec<CreditRow>> {
    let mut statements: BTreeMap<(String, String), Vec<CreditRow>> = BTreeMap::new();
    let decisions = block.iter().flat_map(|stored| &stored.decisions);
    for credit in decisions.flat_map(|decision| &decision.credits) {
        if let Some(payee) = &credit.payee {
            let key = (payee.clone(), credit.period.clone());
            statements.entry(key).or_default().push(credit.clone());
        }
    }
    statements
}

fn hold_keys(stored: &Stored) -> BTreeSet<Vec<u8>> {
    let credits = stored.decisions.iter().flat_map(|decision| &decision.credits);
    let held = credits.filter(|credit| credit.status == "held");
    let dates = held.filter_map(|credit| credit.release_date.as_deref());
    dates.map(|date| [date.as_bytes(), &code::key(stored.number)].concat()).collect()
}

fn is_parked(stored: &Stored) -> bool {
    stored.decisions.iter().any(|decision| decision.outcome == Outcome::Parked)
}

impl Ledger {
    /// Records a round of work in one commit.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a transaction is no longer at the version that was expected.
    pub fn record(&self, work: &Recorded) -> Result<()> {
        let _one_at_a_time = lock(&self.records);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();
        let counts = snapshot.get(Table::Meta, COUNTS)?;
        let mut counts: Counts =
            counts.map(|row| code::unpack(&row)).transpose()?.unwrap_or_default();
        let next = snapshot.get(Table::Meta, NEXT_NUMBER)?;
        let mut next = next.map_or(0, |row| code::number(&row));
        let mut blocks: BTreeMap<u64, (Vec<Stored>, Vec<Stored>)> = BTreeMap::new();
        let mut fresh: BTreeMap<&str, u64> = BTreeMap::new();
        for decided in &work.decided {
            let key = natural_key(&decided.id);
            let known = snapshot.get(Table::Keys, &key)?.map(|row| code::number(&row));
            let known = known.or_else(|| fresh.get(decided.id.as_str()).copied());
            let number = known.unwrap_or(next);
            if known.is_none() {
                batch.put(Table::Keys, key, code::key(number));
                fresh.insert(&decided.id, number);
                next += 1;
                counts.transactions += 1;
            }
            let (_, after) = match blocks.entry(number / BLOCK) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let before = block(&*snapshot, number / BLOCK)?;
                    entry.insert((before.clone(), before))
                }
            };
            replace(after, number, decided, &mut batch)?;
        }
        for (number, (before, after)) in &blocks {
            write_block(*number, before, after, &mut counts, &mut batch)?;
        }
        batch.put(Table::Meta, COUNTS, code::pack(&counts)?);
        batch.put(Table::Meta, NEXT_NUMBER, code::key(next));
        finish(work, &mut batch)?;
        self.store.commit(&batch)
    }

    /// How many there are of everything.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        let row = self.snapshot()?.get(Table::Meta, COUNTS)?;
        Ok(row.map(|row| code::unpack(&row)).transpose()?.unwrap_or_default())
    }
}

/// Puts a decided transaction into its block; its former content goes to the history.
fn replace(
    after: &mut Vec<Stored>,
    number: u64,
    decided: &Decided,
    batch: &mut Batch,
) -> Result<()> {
    let place = after.iter().position(|stored| stored.number == number);
    let old = place.and_then(|place| after.get(place));
    if old.map_or(0, |old| old.version) != decided.expected {
        return Err(Error::Conflict);
    }
    let (record, delivery, version) = match (&decided.content, old) {
        (Some((record, delivery)), old) => {
            if let Some(old) = old {
                let key = [&code::key(number)[..], &old.version.to_be_bytes()].concat();
                batch.put(Table::History, key, code::pack(&old.record)?);
            }
            (record.clone(), *delivery, decided.expected + 1)
        }
        (None, Some(old)) => (old.record.clone(), old.delivery, old.version),
        (None, None) => return Err(Error::Conflict),
    };
    let id = decided.id.clone();
    let decisions = decided.decisions.clone();
    let stored = Stored { number, id, version, delivery, record, decisions };
    match place.and_then(|place| after.get_mut(place)) {
        Some(slot) => *slot = stored,
        None => after.push(stored),
    }
    Ok(())
}

/// Writes a block, its statements, holds and parked transactions, and counts the difference.
fn write_block(
    number: u64,
    before: &[Stored],
    after: &[Stored],
    counts: &mut Counts,
    batch: &mut Batch,
) -> Result<()> {
    batch.put(Table::Blocks, code::key(number), code::pack(&after)?);
    let key = |(payee, period): &(String, String)| {
        [code::parts(&[payee, period]), code::key(number).to_vec()].concat()
    };
    let (old, new) = (statements(before), statements(after));
    for gone in old.keys().filter(|statement| !new.contains_key(*statement)) {
        batch.delete(Table::Segments, key(gone));
    }
    for (statement, rows) in &new {
        if old.get(statement) != Some(rows) {
            batch.put(Table::Segments, key(statement), code::pack(rows)?);
        }
    }
    for stored in before {
        counts.add(&stored.decisions, -1);
        hold_keys(stored).into_iter().for_each(|key| batch.delete(Table::Holds, key));
        batch.delete(Table::Parked, code::key(stored.number));
    }
    for stored in after {
        counts.add(&stored.decisions, 1);
        hold_keys(stored).into_iter().for_each(|key| batch.put(Table::Holds, key, ""));
        if is_parked(stored) {
            batch.put(Table::Parked, code::key(stored.number), "");
        }
    }
    Ok(())
}

fn finish(work: &Recorded, batch: &mut Batch) -> Result<()> {
    for (id, record) in &work.superseded {
        let hash = blake3::hash(&code::pack(record)?);
        let key = [natural_key(id), b"\0late\0".to_vec(), hash.as_bytes().to_vec()].concat();
        batch.put(Table::History, key, code::pack(record)?);
    }
    for sequence in &work.done {
        batch.delete(Table::Pending, code::key(*sequence));
    }
    for (sequence, reason) in &work.dead {
        batch.delete(Table::Pending, code::key(*sequence));
        batch.put(Table::Dead, code::key(*sequence), reason.as_str());
    }
    for column in &work.columns {
        batch.put(Table::Columns, column.as_str(), "");
    }
    Ok(())
}
