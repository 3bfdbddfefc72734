//! A large commit writes what many small ones write, on any number of threads.

use super::*;

/// Deals of the large commit: three parts, and a fourth that is not full.
const DEALS: usize = 1_700;

/// What is decided of a deal; other amounts and people the second time.
fn decided(number: usize, round: usize) -> Vec<PostedCredit> {
    let id = format!("D{number}");
    let mut credits = Vec::new();
    for place in 0..1 + (number + round) % 4 {
        // A few people have credits in one deal alone, so that every part has new names.
        let position = if number.is_multiple_of(97) && place == 0 {
            format!("only {number}")
        } else {
            format!("rep {}", (number * 7 + place * 3 + round) % 40)
        };
        let status = ["active", "held", "suppressed"][(number + place) % 3];
        let amount = (number as i64 % 90 - 20) * (round as i64 + 1);
        let known =
            credits.iter().any(|one: &PostedCredit| one.position.as_deref() == Some(&position));
        if !known {
            credits.push(credit(&id, &position, amount, status));
        }
    }
    // Every eleventh is parked.
    if number % 11 == round { Vec::new() } else { credits }
}

/// All deals of a round, in commits of so many.
fn commit_in(ledger: &Ledger, round: usize, deals_a_commit: usize) {
    let numbers: Vec<usize> =
        (0..DEALS).filter(|number| number.is_multiple_of(1 + 2 * round)).collect();
    for some in numbers.chunks(deals_a_commit) {
        let mut all = CommitBatch::default();
        for number in some {
            let one = work(&format!("D{number}"), *number as i64, decided(*number, round));
            all.records.extend(one.records);
            all.decisions.extend(one.decisions);
        }
        ledger.commit_batch(&all).unwrap();
    }
}

fn ledger_of(deals_a_commit: usize) -> Ledger {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    // The second time every deal of some has decisions that are replaced.
    (0..2).for_each(|round| commit_in(&ledger, round, deals_a_commit));
    ledger
}

fn rows_of(ledger: &Ledger, table: StoreTable) -> Vec<(Vec<u8>, Vec<u8>)> {
    ledger.snapshot().unwrap().scan_prefix(table, b"", b"", usize::MAX).unwrap()
}

/// Deals of one commit were written one after the other. Prepared in parts, their names got other numbers
/// with every run if the parts were not put together in order.
#[test]
fn a_large_commit_writes_what_many_small_ones_write() {
    let (large, small) = (ledger_of(DEALS), ledger_of(100));
    for (table, name) in StoreTable::ALL {
        // How often something was written is another count.
        if !matches!(table, StoreTable::Meta | StoreTable::Calculations) {
            assert_eq!(rows_of(&large, table), rows_of(&small, table), "table {name}");
        }
    }

    assert_eq!(large.counts().unwrap(), small.counts().unwrap());
    let summaries = |ledger: &Ledger| {
        let known = ledger.calculation_summaries().unwrap().into_iter();
        let without_revision = |mut summary: CalculationSummary| {
            summary.revision = 0;
            summary
        };
        known.map(|(key, summary)| (key, without_revision(summary))).collect::<Vec<_>>()
    };
    assert_eq!(summaries(&large), summaries(&small));
    assert!(large.counts().unwrap().credits > 2_000);
    assert!(rows_of(&large, StoreTable::Names).len() > 50);
}

#[test]
fn the_bytes_of_a_commit_do_not_depend_on_the_number_of_threads() {
    let written = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let ledger = pool.install(|| ledger_of(DEALS));
        StoreTable::ALL.map(|(table, _)| rows_of(&ledger, table))
    };
    assert_eq!(written(1), written(4));
}
