//! Whether what is stored still agrees with itself: the trail with what it speaks of, texts with
//! their hashes, deliveries with theirs, deals with their keys, and what is derived with the deals.
//!
//! Not whether decisions come out alike (the host makes them again). Called by `accredit verify` and
//! `accredit audit verify`. Source: DESIGN section 7, RELIABILITY 3.
//!
//! **Architecture invariant:** looking for damage writes nothing, and damage in one row does not
//! hide damage in others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::audit::{AuditRow, ChainCheck, HEAD_KEY, TrailMark, hash_row};
use super::changes::Proposal;
use super::deal_rows::{BLOCK_TRANSACTIONS, DealRows};
use super::definitions::{Activation, content_hash};
use super::inbox::KnownDelivery;
use super::record::{self, LedgerCounts, TransactionRecord};
use super::statements;
use super::{Ledger, LedgerResult, codec};
use accredit_domain::decision::ResolutionRecord;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::{Snapshot, StoreTable};
use utoipa::ToSchema;

mod by_hand;
mod published;

/// Rows read at a time.
const SCAN_PAGE_ROWS: usize = 1000;

/// What there is to say of the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrailReport {
    /// How many rows it has.
    pub rows: u64,
    /// Hash of its last row: a copy stored elsewhere proves later that nothing before it was
    /// rewritten.
    pub head: String,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

impl Ledger {
    /// The trail checked: every row follows from the one before, and activations, kept changes,
    /// manual resolutions, credits and rewards are as it says. `head`, where one was kept, must be in
    /// it, and the rows that `marks` name must be the ones that they were.
    ///
    /// # Errors
    /// When the data cannot be read at all.
    pub fn check_trail(
        &self,
        head: Option<&str>,
        marks: &[TrailMark],
    ) -> LedgerResult<TrailReport> {
        let snapshot = self.store.lenient_snapshot()?;

        let mut rows: BTreeMap<u64, AuditRow> = BTreeMap::new();
        let mut chain = ChainCheck::new(head, marks);
        for (key, bytes) in snapshot.scan_prefix(StoreTable::Audit, b"", b"", usize::MAX)? {
            let number = codec::key_number(&key);
            if let Some(row) = chain.add_row(Some(number), &bytes) {
                rows.insert(number, row);
            }
        }

        let mut trail = chain.end();
        // Data files of earlier versions of the program have none until something is done.
        let last = snapshot.get(StoreTable::Meta, HEAD_KEY)?;
        if last.is_some_and(|last| last != trail.head.as_bytes()) {
            trail.problems.push("the last row was changed, or rows after it are gone".to_owned());
        }

        check_activations(&*snapshot, &rows, &mut trail.problems)?;
        check_proposals(&*snapshot, &rows, &mut trail.problems)?;
        check_resolutions(&*snapshot, &rows, &mut trail.problems)?;
        let deals = self.deal_rows(&*snapshot);
        by_hand::check_manual_credits(deals, &rows, &mut trail.problems)?;
        by_hand::check_manual_rewards(&*snapshot, &rows, &mut trail.problems)?;
        published::check_published(&*snapshot, &rows, &mut trail.problems)?;

        Ok(trail)
    }

    /// Stored rows that do not agree with others, in words.
    ///
    /// # Errors
    /// When the data cannot be read at all.
    pub fn find_damage(&self) -> LedgerResult<Vec<String>> {
        let mut found = self.store.broken_seals()?;
        // What a row says is compared even where its seal is broken: damage seldom comes alone.
        let snapshot = self.store.lenient_snapshot()?;

        visit_rows(&*snapshot, StoreTable::Sources, |key, text| {
            if content_hash(&String::from_utf8_lossy(text)).as_bytes() != key {
                let name = String::from_utf8_lossy(key);
                found.push(format!("the text of the version `{name}` is not what it was"));
            }
            Ok(())
        })?;

        check_texts(&*snapshot, &mut found)?;
        check_deliveries(&*snapshot, &mut found)?;
        check_names(&*snapshot, &mut found)?;
        check_deals(self.deal_rows(&*snapshot), &mut found)?;

        Ok(found)
    }
}

/// Every row of a table, in order.
fn visit_rows(
    snapshot: &dyn Snapshot,
    table: StoreTable,
    mut row: impl FnMut(&[u8], &[u8]) -> LedgerResult<()>,
) -> LedgerResult<()> {
    let mut from = Vec::new();

    loop {
        let rows = snapshot.scan_prefix(table, b"", &from, SCAN_PAGE_ROWS)?;
        for (key, value) in &rows {
            row(key, value)?;
        }

        match rows.last() {
            // The next key after this one.
            Some((key, _)) if rows.len() == SCAN_PAGE_ROWS => {
                from = [key.as_slice(), &[0]].concat()
            }
            _ => return Ok(()),
        }
    }
}

fn detail_number(row: &AuditRow, key: &str) -> Option<u64> {
    row.detail.get(key).and_then(serde_json::Value::as_u64)
}

fn check_activations(
    snapshot: &dyn Snapshot,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let said = rows.values().filter(|row| row.what == "activated");
    let mut said: BTreeMap<u64, &AuditRow> =
        said.filter_map(|row| Some((detail_number(row, "activation")?, row))).collect();

    visit_rows(snapshot, StoreTable::Activations, |key, bytes| {
        let number = codec::key_number(key);
        let Some(row) = said.remove(&number) else {
            problems.push(format!("activation {number} is not in the trail"));
            return Ok(());
        };

        let text = |key: &str| row.detail.get(key).and_then(serde_json::Value::as_str);
        // Trails of earlier versions of the program have no hash of the record.
        let changed = text("record").is_some_and(|known| known != hash_row(bytes));

        let same = codec::from_json::<Activation>(bytes).is_ok_and(|one| {
            one.sequence == number
                && text("ruleset") == Some(&one.ruleset)
                && text("effective") == Some(&one.terms.effective.to_string())
                && (one.terms.who == row.who && one.at_ms == row.at_ms)
        });

        if changed || !same {
            problems.push(format!("activation {number} is not as the trail says"));
        }
        Ok(())
    })?;

    problems.extend(said.keys().map(|gone| format!("activation {gone} of the trail is gone")));

    Ok(())
}

fn check_proposals(
    snapshot: &dyn Snapshot,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let said = rows.values().filter(|row| row.what == "proposed");
    let mut said: BTreeMap<u64, &AuditRow> =
        said.filter_map(|row| Some((detail_number(row, "change")?, row))).collect();

    visit_rows(snapshot, StoreTable::Changes, |key, bytes| {
        let number = codec::key_number(key);
        let kept = codec::from_json::<Proposal>(bytes);

        let same = said.remove(&number).zip(kept.ok()).is_some_and(|(row, kept)| {
            let base = row.detail.get("base").and_then(serde_json::Value::as_str);
            // Rows of earlier versions do not name it.
            let ruleset = row.detail.get("ruleset").map(serde_json::Value::as_str);
            let same_rules = ruleset.is_none_or(|named| named == kept.ruleset.as_deref());
            // A change that was kept before this was has no contents that it replaces.
            let replaces = kept.replaces.as_ref();
            let same_paths = replaces.is_none_or(|them| them.keys().eq(kept.files.keys()));

            let same_act = kept.terms.who == row.who && kept.at_ms == row.at_ms;
            let same_sets = base == Some(&*kept.base) && same_rules;
            kept.id == number && same_act && same_paths && same_sets
        });

        if !same {
            problems.push(format!("change {number} is not as the trail says"));
        }
        Ok(())
    })?;

    problems.extend(said.keys().map(|gone| format!("change {gone} of the trail is gone")));

    Ok(())
}

fn check_resolutions(
    snapshot: &dyn Snapshot,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    const WORDS: [&str; 4] = ["held", "released", "adjusted", "adjustment_reset"];
    let said = rows.iter().filter(|(_, row)| WORDS.contains(&row.what.as_str()));
    // Releases of whole calculations are rows of their own table, and name no credit.
    let said = said.filter(|(_, row)| row.detail.get("credit").is_some());
    let mut said: BTreeMap<u64, &AuditRow> = said.map(|(number, row)| (*number, row)).collect();

    visit_rows(snapshot, StoreTable::Resolutions, |key, bytes| {
        let number = codec::key_number(key);
        let made = codec::from_json::<ResolutionRecord>(bytes).ok();

        let same = said.remove(&number).zip(made).is_some_and(|(row, made)| {
            // The trail shows it as it was stored, so both are compared as JSON.
            let Ok(made_json) = serde_json::to_value(&made) else { return false };
            let said_alike = |key: &str| row.detail.get(key) == made_json.get(key);

            made.who == row.who
                && said_alike("credit")
                && said_alike("date")
                && (!made.is_adjustment() || said_alike("amount"))
        });

        if !same {
            problems.push(format!(
                "the manual act of row {number} of the trail is not as the trail says"
            ));
        }
        Ok(())
    })?;

    let gone = |gone: &u64| format!("the manual act of row {gone} of the trail is gone");
    problems.extend(said.keys().map(gone));

    Ok(())
}

/// Every version that an activation or a kept change names is there.
fn check_texts(snapshot: &dyn Snapshot, found: &mut Vec<String>) -> LedgerResult<()> {
    let mut named: BTreeSet<String> = BTreeSet::new();

    visit_rows(snapshot, StoreTable::Activations, |_, row| {
        let changed =
            codec::from_json::<Activation>(row).map(|one| one.changed).unwrap_or_default();
        named.extend(changed.into_values().flatten());
        Ok(())
    })?;

    visit_rows(snapshot, StoreTable::Changes, |_, row| {
        let kept = codec::from_json::<Proposal>(row).unwrap_or_default();
        let replaced = kept.replaces.unwrap_or_default();
        named.extend(kept.files.into_values().chain(replaced.into_values()).flatten());
        Ok(())
    })?;

    for hash in named {
        if snapshot.get(StoreTable::Sources, hash.as_bytes())?.is_none() {
            found.push(format!("the text of the version `{hash}` is gone"));
        }
    }

    Ok(())
}

fn check_deliveries(snapshot: &dyn Snapshot, found: &mut Vec<String>) -> LedgerResult<()> {
    visit_rows(snapshot, StoreTable::Deliveries, |_, row| {
        let Ok(known) = codec::unpack_row::<KnownDelivery>(row) else {
            found.push("a row of the deliveries cannot be read".to_owned());
            return Ok(());
        };

        let body = snapshot.get(StoreTable::Inbox, &codec::number_key(known.sequence))?;
        let body = body.and_then(|body| codec::unpack_row::<Delivery>(&body).ok());
        if body.is_none_or(|body| *blake3::hash(&body.body).as_bytes() != known.body_hash) {
            found.push(format!("delivery {} is not what it was", known.sequence));
        }
        Ok(())
    })?;

    visit_rows(snapshot, StoreTable::Inbox, |key, row| {
        let number = codec::key_number(key);
        let Ok(delivery) = codec::unpack_row::<Delivery>(row) else {
            found.push(format!("delivery {number} cannot be read"));
            return Ok(());
        };

        let known = codec::parts_key(&[&delivery.source, &delivery.id]);
        if snapshot.get(StoreTable::Deliveries, &known)?.is_none() {
            found.push(format!("delivery {number} is not known by its id: it could come twice"));
        }
        Ok(())
    })
}

/// What is derived from deals.
#[derive(Default)]
struct DerivedRows {
    statements: BTreeMap<Vec<u8>, Vec<u64>>,
    holds: BTreeSet<Vec<u8>>,
    parked: BTreeSet<u64>,
    counts: LedgerCounts,
}

impl DerivedRows {
    /// Adds a deal; they come in the order of their numbers.
    fn add_transaction(&mut self, stored: &TransactionRecord) {
        for key in statements::statement_keys(&stored.decisions, stored.number) {
            self.statements.entry(key).or_default().push(stored.number);
        }

        self.holds.extend(record::hold_keys(stored.number, &stored.decisions));
        if record::is_parked(&stored.decisions) {
            self.parked.insert(stored.number);
        }

        self.counts.transactions += 1;
        self.counts.add_decisions(&stored.decisions, 1);
    }
}

/// Names have the numbers from 0 on, and none has two.
fn check_names(snapshot: &dyn Snapshot, found: &mut Vec<String>) -> LedgerResult<()> {
    let (mut next, mut texts) = (0, BTreeSet::new());
    visit_rows(snapshot, StoreTable::Names, |key, text| {
        let number = codec::key_number(key);
        if number != next || !texts.insert(text.to_vec()) {
            found.push(format!("the name with number {number} is not what it was"));
        }
        next = number.saturating_add(1);
        Ok(())
    })
}

fn check_deals(deals: DealRows<'_>, found: &mut Vec<String>) -> LedgerResult<()> {
    let mut derived = DerivedRows::default();
    let mut whole = true;

    visit_rows(deals.snapshot, StoreTable::Blocks, |key, _| {
        whole = false;
        let first = codec::key_number(key).saturating_mul(BLOCK_TRANSACTIONS);
        let last = first.saturating_add(BLOCK_TRANSACTIONS - 1);
        found.push(format!("the block of transactions {first} to {last} is not what it was"));
        Ok(())
    })?;

    visit_rows(deals.snapshot, StoreTable::Deals, |key, row| {
        let number = codec::key_number(key);
        let Ok(stored) = deals.unpack_row(&(key.to_vec(), row.to_vec())) else {
            whole = false;
            found.push(format!("the transaction with number {number} is not what it was"));
            return Ok(());
        };

        let known = deals.snapshot.get(StoreTable::Keys, &record::natural_key(&stored.id))?;
        if known.map(|known| codec::key_number(&known)) != Some(number) {
            found.push(format!("transaction `{}` is not found by its key", stored.id));
        }
        derived.add_transaction(&stored);
        Ok(())
    })?;

    // What is derived from a damaged row says nothing more.
    if whole {
        compare_derived(deals.snapshot, derived, found)?;
    }

    Ok(())
}

fn compare_derived(
    snapshot: &dyn Snapshot,
    mut derived: DerivedRows,
    found: &mut Vec<String>,
) -> LedgerResult<()> {
    visit_rows(snapshot, StoreTable::PayeeDeals, |key, row| {
        let numbers = statements::unpack_numbers(key, row).ok();
        if derived.statements.remove(key) != numbers || numbers.is_none() {
            found.push(format!("the list of deals {} is not what it was", readable_key(key)));
        }
        Ok(())
    })?;

    let gone = derived.statements.keys();
    found.extend(gone.map(|key| format!("the list of deals {} is gone", readable_key(key))));

    visit_rows(snapshot, StoreTable::Holds, |key, _| {
        if !derived.holds.remove(key) {
            found.push(format!(
                "a date of release stands for no held credit: {}",
                readable_key(key)
            ));
        }
        Ok(())
    })?;

    let gone = derived.holds.iter();
    found.extend(
        gone.map(|key| format!("a held credit has no date of release: {}", readable_key(key))),
    );

    let mut parked = BTreeSet::new();
    visit_rows(snapshot, StoreTable::Parked, |key, _| {
        parked.insert(codec::key_number(key));
        Ok(())
    })?;

    if parked != derived.parked {
        found.push("the list of what is parked is not that of the transactions".to_owned());
    }

    let counts = snapshot.get(StoreTable::Meta, record::COUNTS_KEY)?;
    let counts =
        counts.and_then(|row| codec::unpack_row::<LedgerCounts>(&row).ok()).unwrap_or_default();

    let plain = |mut counts: LedgerCounts| {
        counts.credited.retain(|_, sum| !sum.is_zero());
        counts
    };

    if plain(counts) != plain(derived.counts) {
        found.push("the counts are not those of the transactions".to_owned());
    }

    Ok(())
}

/// A key of text and numbers, to be read.
fn readable_key(key: &[u8]) -> String {
    let text = key.get(..key.len().saturating_sub(8)).unwrap_or_default();
    let parts = text.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    let parts: Vec<_> = parts.map(String::from_utf8_lossy).collect();
    format!("`{}`", parts.join(" "))
}
