//! The ledger on memory and on redb: deliveries, replacement, pages, restarts, recounts.

mod crash;
mod moved;
mod mutated;
mod outbox;
mod packed;
mod parts;
mod processes;
mod wishes;

use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;

use super::calculations::CalculationSummary;
use super::query::CreditQuery;
use super::record::{CommitBatch, LedgerCounts, TransactionRecord};
use super::scope::ReadScope;
use super::sealed::{SEAL_BYTES, with_seal};
use super::*;
use accredit_domain::credit::posted::{CreditKind, CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::{Decision, DecisionOutcome, ResolutionRecord};
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::{NoteCode, NoteStage};
use accredit_domain::transaction::{Cell, Record};
use accredit_redb::RedbStore;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::memory::MemoryStore;

fn delivery(id: &str, body: &str) -> Delivery {
    Delivery {
        source: "crm".to_owned(),
        id: id.to_owned(),
        received_ms: 1,
        body: body.into(),
        transactions: vec![body.to_owned()],
    }
}

fn record(id: &str, amount: i64) -> Record {
    let cell = |text: String| Cell::Text(text);
    Record {
        cells: vec![("id".into(), cell(id.into())), ("amount".into(), cell(amount.to_string()))],
    }
}

fn credit(id: &str, position: &str, amount: i64, status: &str) -> PostedCredit {
    PostedCredit {
        id: CreditId::from_parts(id, &[position], 0),
        transaction: id.into(),
        incentive_date: date(2026, 3, 15),
        plan: "p".into(),
        rule: "r".into(),
        result: "c".into(),
        kind: CreditKind::Direct,
        position: Some(position.into()),
        payee: Some(position.into()),
        team: None,
        relationship: None,
        via: None,
        level: None,
        source: None,
        share: Some(Decimal::ONE),
        period: "2026-03".into(),
        credit_type: "credit".into(),
        unit_type: "USD".into(),
        amount: dollars(amount),
        status: status.parse().unwrap(),
        release_date: (status == "held").then(|| date(2026, 4, 1)),
        reason: None,
        reason_code: None,
        origin: CreditOrigin::Calculated,
        reverses: None,
        ruleset: "rs".into(),
    }
}

fn dollars(amount: i64) -> Decimal {
    Decimal::new(amount * 100, 2)
}

fn decision(id: &str, outcome: DecisionOutcome, credits: Vec<PostedCredit>) -> Decision {
    Decision {
        plan: "p".into(),
        transaction: id.into(),
        period: Some("2026-03".into()),
        ruleset: "rs".into(),
        as_of: None,
        outcome,
        credits,
        reasons: Vec::new(),
        alerts: Vec::new(),
        log: Vec::new(),
    }
}

fn work(id: &str, amount: i64, credits: Vec<PostedCredit>) -> CommitBatch {
    let outcome =
        if credits.is_empty() { DecisionOutcome::Parked } else { DecisionOutcome::Credited };
    let mut decision = decision(id, outcome, credits);
    if outcome == DecisionOutcome::Parked {
        decision.reasons = vec![accredit_crediting::stage::build_note(
            id,
            "p",
            NoteStage::Filter,
            NoteCode::BadValue,
            "bad",
        )];
    }
    let records = vec![TransactionRecord::first_version(id.to_owned(), record(id, amount), 1)];
    let decisions = vec![(id.to_owned(), vec![decision])];
    CommitBatch { records, decisions, ..CommitBatch::default() }
}

/// The row of a delivery is written by position: a field that moves makes every stored one unreadable.
#[test]
fn the_row_of_a_delivery_keeps_its_bytes() {
    let row = codec::pack_row(&delivery("m1", "{}")).unwrap();
    assert_eq!(row, b"\x02\x03crm\x02m1\x02\x02{}\x01\x02{}");
}

/// A request of last week that was verified today made a source look silent since last week.
#[test]
fn the_last_delivery_of_a_source_does_not_go_back() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let at = |id: &str, received_ms: i64| Delivery { received_ms, ..delivery(id, id) };
    let last = || ledger.last_deliveries().unwrap()["crm"];

    ledger.receive_deliveries(&[at("a", 2000), at("b", 1500)]).unwrap();
    assert_eq!(last(), 2000);
    ledger.receive_deliveries(&[at("c", 1000)]).unwrap();
    assert_eq!(last(), 2000);
    ledger.receive_deliveries(&[at("d", 3000)]).unwrap();
    assert_eq!(last(), 3000);
}

#[test]
fn the_same_delivery_twice_is_one_and_another_body_is_a_conflict() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let first = ledger
        .receive_deliveries(&[delivery("a", "1"), delivery("b", "2"), delivery("a", "1")])
        .unwrap();
    let flags = |receipts: &[inbox::Receipt]| -> Vec<(u64, bool, bool)> {
        receipts.iter().map(|r| (r.sequence, r.duplicate, r.conflict)).collect()
    };
    assert_eq!(flags(&first), [(1, false, false), (2, false, false), (1, true, false)]);
    let again = ledger.receive_deliveries(&[delivery("b", "2"), delivery("b", "other")]).unwrap();
    assert_eq!(flags(&again), [(2, true, false), (3, true, true)]);
    assert_eq!(ledger.pending_deliveries(9).unwrap().len(), 2);
    assert_eq!(ledger.dead_letters(0, 9).unwrap().len(), 1);
    let done = vec![(1, None), (2, Some("odd".to_owned()))];
    let work = CommitBatch { done, ..CommitBatch::default() };
    ledger.commit_batch(&work).unwrap();
    assert_eq!(ledger.pending_count().unwrap(), 0);
    assert!(ledger.redrive_dead_letter(2).unwrap() && !ledger.redrive_dead_letter(2).unwrap());
    assert!(!ledger.redrive_dead_letter(3).unwrap(), "a conflict was processed");
    assert_eq!(ledger.pending_deliveries(9).unwrap()[0].1, delivery("b", "2"));
}

#[test]
fn a_replaced_decision_leaves_nothing_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.redb");
    let open = || Ledger::new(Arc::new(RedbStore::open(&path).unwrap()));
    let ledger = open();
    ledger.commit_batch(&work("D1", 5, vec![credit("D1", "ann", 5, "held")])).unwrap();
    assert_eq!(ledger.due_holds(date(2026, 3, 31)).unwrap().len(), 0);
    assert_eq!(ledger.due_holds(date(2026, 4, 1)).unwrap().len(), 1);
    let mut next = work("D1", 6, vec![credit("D1", "bob", 6, "active")]);
    next.records[0].version = 2;
    ledger.commit_batch(&next).unwrap();
    drop(ledger);
    let ledger = open();
    let of = |payee: &str| {
        let payee = Some(payee.to_owned());
        ledger
            .credit_page(&CreditQuery { payee, limit: 9, ..CreditQuery::within(ReadScope::All) })
            .unwrap()
            .rows
    };
    assert_eq!((of("ann").len(), of("bob").len()), (0, 1));
    assert_eq!(ledger.due_holds(date(2026, 4, 1)).unwrap().len(), 0);
    let credit =
        |who: &str| ledger.find_credit(&CreditId::from_parts("D1", &[who], 0).to_string()).unwrap();
    assert_eq!(credit("bob").unwrap().amount, dollars(6));
    assert_eq!(credit("ann"), None);
    assert_eq!(ledger.find_transaction("D1").unwrap().unwrap().version, 2);
}

/// Records a decision made by a user. The same decision twice in a row is recorded once.
fn resolve(ledger: &Ledger, resolution: &ResolutionRecord, at_ms: i64) -> ResolutionRecord {
    if let Some(known) = ledger.resolved_before(resolution).unwrap() {
        return known;
    }
    let resolutions = vec![(resolution.clone(), at_ms)];
    ledger.commit_batch(&CommitBatch { resolutions, ..CommitBatch::default() }).unwrap();
    resolution.clone()
}

#[test]
fn a_release_twice_is_once_and_the_trail_shows_tampering() {
    let store = Arc::new(MemoryStore::default());
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    let id = CreditId::from_parts("D1", &["ann"], 0);
    let resolution = |action: &str, date: &str| ResolutionRecord {
        credit: Some(id),
        ..ResolutionRecord::new(action.parse().unwrap(), date.parse().unwrap(), "admin".to_owned())
    };
    let first = resolution("release", "2026-04-01");
    assert_eq!(resolve(&ledger, &first, 1), first);
    let later = resolution("release", "2026-05-01");
    assert_eq!(resolve(&ledger, &later, 2), first);
    resolve(&ledger, &resolution("hold", "2026-05-02"), 3);
    resolve(&ledger, &later, 4);
    assert_eq!(ledger.transaction_resolutions("D1").unwrap().len(), 3);
    assert_eq!(ledger.verified_trail().unwrap().len(), 3);
    // The forger can compute the seal, so only the chain reveals the change.
    let (key, mut row) =
        store.snapshot().unwrap().scan_prefix(StoreTable::Audit, b"", b"", 1).unwrap().remove(0);
    row.truncate(row.len() - SEAL_BYTES);
    let changed = String::from_utf8(row).unwrap().replace("admin", "other");
    let mut batch = accredit_seams::store::WriteBatch::default();
    let sealed = with_seal(StoreTable::Audit, &key, changed.as_bytes());
    batch.put_row(StoreTable::Audit, key, sealed);
    store.commit(&batch).unwrap();
    assert!(ledger.verified_trail().is_err());
}

/// What the ledger should hold, the simplest way.
type Model = BTreeMap<String, Vec<PostedCredit>>;

fn every_credit(ledger: &Ledger, query: &CreditQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut ids = Vec::new();
    loop {
        let page = ledger.credit_page(&query).unwrap();
        ids.extend(page.rows.into_iter().map(|row| format!("{} {}", row.id, row.amount)));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    ids.sort();
    ids
}

/// Summaries without their revisions; those of nothing left out.
fn content(ledger: &Ledger) -> Vec<((String, String), CalculationSummary)> {
    let rows = ledger.calculation_summaries().unwrap().into_iter();
    let rows = rows.map(|(key, mut row)| {
        row.revision = 0;
        (key, row)
    });
    rows.filter(|(_, row)| row.counts.transactions > 0).collect()
}

/// A ledger that has seen nothing but the end.
fn recounted(model: &Model) -> Ledger {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    for (id, credits) in model {
        ledger.commit_batch(&work(id, 1, credits.clone())).unwrap();
    }
    ledger
}

/// The same again is no revision, another amount or status is one, another ruleset is none.
#[test]
fn a_revision_is_a_change_of_content() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let key = ("p".to_owned(), "2026-03".to_owned());
    let check = |credits: Vec<PostedCredit>, expected: u32| {
        ledger.commit_batch(&work("D1", 1, credits)).unwrap();
        assert_eq!(ledger.calculation_summaries().unwrap()[&key].revision, expected);
    };
    let row = credit("D1", "ann", 5, "active");
    check(vec![row.clone()], 1);
    check(vec![PostedCredit { ruleset: "other".into(), ..row.clone() }], 1);
    check(vec![PostedCredit { amount: dollars(6), ..row.clone() }], 2);
    check(vec![PostedCredit { status: CreditStatus::Held, ..row.clone() }], 3);
    check(vec![row], 4);
    check(Vec::new(), 5);
    let seen = |leaf: &str| {
        let mut count = 0;
        let leaves = BTreeSet::from([PeriodKey::from(leaf)]);
        let mut look = |_| {
            count += 1;
            Ok(())
        };
        ledger.visit_transactions(Some(&leaves), &mut look).unwrap();
        count
    };
    assert_eq!((seen("2026-03"), seen("2026-04")), (1, 0));
}

fn agree(ledger: &Ledger, model: &Model) {
    let all = || model.values().flatten();
    let ids = |keep: &dyn Fn(&PostedCredit) -> bool| {
        let kept = all().filter(|credit| keep(credit));
        let mut ids: Vec<String> = kept.map(|row| format!("{} {}", row.id, row.amount)).collect();
        ids.sort();
        ids
    };
    let query = CreditQuery { limit: 3, ..CreditQuery::within(ReadScope::All) };
    assert_eq!(every_credit(ledger, &query), ids(&|_| true));
    for payee in ["ann", "bob", "cid"] {
        let query = CreditQuery { payee: Some(payee.to_owned()), ..query.clone() };
        assert_eq!(every_credit(ledger, &query), ids(&|c| c.payee.as_deref() == Some(payee)));
    }
    let query = CreditQuery { status: Some(CreditStatus::Held), ..query };
    assert_eq!(every_credit(ledger, &query), ids(&|credit| credit.is_held()));
    let mut counts = LedgerCounts { transactions: model.len() as i64, ..LedgerCounts::default() };
    counts.parked = model.values().filter(|credits| credits.is_empty()).count() as i64;
    counts.held = all().filter(|credit| credit.is_held()).count() as i64;
    counts.suppressed =
        all().filter(|credit| credit.status == CreditStatus::Suppressed).count() as i64;
    counts.direct = all().count() as i64 - counts.suppressed;
    counts.credits = counts.direct;
    let mut actual = ledger.counts().unwrap();
    let total = actual.credited.remove("USD").unwrap_or_default();
    let counted = all().filter(|credit| credit.status != CreditStatus::Suppressed);
    let expected: Decimal = counted.map(|credit| credit.amount).sum();
    assert_eq!((actual, total), (counts, expected));
    assert_eq!(content(ledger), content(&recounted(model)), "the order of arrival is content");
    assert_eq!(ledger.parked_notes().unwrap().len(), ledger.counts().unwrap().parked as usize);
    let (mut notes, mut from) = (Vec::new(), Some(0));
    while let Some(number) = from {
        let page = ledger.parked_page(number, 1).unwrap();
        notes.extend(page.0);
        from = page.1;
    }
    assert_eq!(notes, ledger.parked_notes().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// After any sequence of decisions every question has the answer of a naive recount.
    #[test]
    fn queries_equal_a_recount(steps in prop::collection::vec(
        (0..150_usize, prop::collection::vec((0..3_usize, 0..3_usize, 0..900_i64), 0..4)), 1..60
    )) {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let mut model = Model::new();
        for (deal, wanted) in steps {
            let id = format!("D{deal}");
            let mut credits: Vec<PostedCredit> = Vec::new();
            for (who, status, amount) in wanted {
                let (who, status) = (["ann", "bob", "cid"][who], ["active", "held", "suppressed"][status]);
                let row = credit(&id, who, amount, status);
                if !credits.iter().any(|known| known.id == row.id) {
                    credits.push(row);
                }
            }
            ledger.commit_batch(&work(&id, 1, credits.clone())).unwrap();
            model.insert(id, credits);
        }
        agree(&ledger, &model);
    }
}
