//! Bits of the data file change by themselves: what is served is what was stored, or an error that
//! says that the file is damaged; never another amount, never a panic.

use std::path::Path;
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::query::CreditQuery;
use accredit_ledger::scope::ReadScope;
use accredit_operations::verify::{VerifyParams, verify_decisions};
use accredit_redb::RedbStore;
use accredit_seams::store::{Store, StoreError, StoreTable};
use serde_json::json;

use super::{Host, deal};
use crate::cli::remote::verify::with_data_file;

/// Flips a run; a longer campaign sets `ACCREDIT_FLIPS`.
fn flips() -> u64 {
    std::env::var("ACCREDIT_FLIPS").ok().and_then(|flips| flips.parse().ok()).unwrap_or(120)
}

/// A data file with something in every table that shows amounts, and the bytes of it.
fn file() -> (tempfile::TempDir, Vec<u8>) {
    let mut host = Host::start();
    for number in 1..60 {
        let more = if number % 9 == 0 { r#","hold":"month""# } else { "" };
        host.deliver(&format!("m{number}"), &deal(&format!("D-{number}"), "12345.07", more));
    }
    host.drained();
    let release = |what: &str| {
        let body = json!({"what": what, "force": true, "reason": "early"}).to_string();
        let path = "/v1/calculations/sellers/2026-01/release";
        assert_eq!(host.api("POST", path, &[], &body).status, 200);
    };
    release("credits");
    release("rewards");
    let body = json!({"force": true, "reason": "early"}).to_string();
    assert_eq!(host.api("POST", "/v1/periods/2026-01/finalize", &[], &body).status, 200);
    host.stop();

    let bytes = std::fs::read(host.folder.path().join("acme.redb")).unwrap();
    (tempfile::tempdir().unwrap(), bytes)
}

/// What the ledger says of money, or the first error.
fn served(ledger: &Ledger) -> Result<String, StoreError> {
    let mut query = CreditQuery { limit: 25, ..CreditQuery::within(ReadScope::All) };
    let mut said = Vec::new();
    loop {
        let page = ledger.credit_page(&query)?;
        said.push(json!(page.rows));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    query.payee = Some("ann".to_owned());
    said.push(json!(ledger.credit_page(&query)?.rows));
    said.push(json!(ledger.payee_statements("ann", None)?));
    said.push(json!(ledger.list_releases()?));
    for number in 1..60 {
        let id = format!("D-{number}");
        said.push(json!(ledger.frozen_credits(&id)?));
        said.push(json!(ledger.confirmed_credits("sellers", "2026-01", &id)?));
        said.push(json!(ledger.paid_periods(("ann", &id, "booking"))?));
        said.push(json!(ledger.find_transaction(&id)?.map(|stored| stored.decisions)));
    }
    said.push(json!([ledger.counts()?, ledger.period_states()?]));
    said.push(json!(ledger.verified_trail()?));
    Ok(json!(said).to_string())
}

fn opened(path: &Path) -> Result<String, StoreError> {
    served(&Ledger::open(Arc::new(RedbStore::open(path)?))?)
}

/// Where rows are: most of a small file is empty pages.
fn places(bytes: &[u8]) -> Vec<usize> {
    let piece = 512;
    let used = bytes.chunks(piece).enumerate();
    let used = used.filter(|(_, piece)| piece.iter().any(|byte| *byte != 0));
    used.flat_map(|(number, _)| number * piece..(number + 1) * piece).collect()
}

/// Of 500 flips 101 served wrong credits, 17 were "bad cursor", 3 were seen by nothing, and
/// `verify` panicked at some.
#[test]
fn a_flipped_bit_changes_no_amount_and_is_called_damage() {
    let (dir, bytes) = file();
    let path = dir.path().join("flipped.redb");
    std::fs::write(&path, &bytes).unwrap();
    let expected = opened(&path).unwrap();
    let places = places(&bytes);

    let (mut seed, mut found) = (9_u64, 0);
    for flip in 0..flips() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = places[usize::try_from(seed >> 33).unwrap() % places.len()];
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (flip % 8);
        std::fs::write(&path, &flipped).unwrap();

        // Looked at first, since a file that is opened to be written may be repaired.
        let verified = with_data_file(&path, |ledger| {
            Ok((
                verify_decisions(&ledger, &VerifyParams::default())?,
                ledger.check_trail(None, &[])?,
            ))
        });
        assert_eq!(std::fs::read(&path).unwrap(), flipped, "looking writes nothing");
        let is_clean = match &verified {
            Ok((decisions, trail)) => {
                let clean = decisions.differing == 0 && decisions.damage.is_empty();
                clean && trail.problems.is_empty()
            }
            Err(message) => {
                assert!(message.contains("damaged"), "{place}: {message}");
                false
            }
        };

        match opened(&path) {
            Ok(served) => assert_eq!(served, expected, "the bit {flip} at {place}"),
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "{place}: {error}");
                assert!(!is_clean, "{place}: {error}");
                found += 1;
            }
        }
    }
    assert!(found > 0, "no flip met a row");
}

/// Eight bytes of a statement that was released were changed in the file: its payee was shown
/// 92,345.07 for 12,345.07, and `verify` found nothing.
#[test]
fn an_amount_that_was_changed_in_the_file_is_not_shown() {
    let (dir, bytes) = file();
    let path = dir.path().join("changed.redb");
    let (amount, other) = (b"12345.07", b"92345.07");
    let found = bytes.windows(amount.len()).enumerate().filter(|(_, part)| part == amount);
    let places: Vec<usize> = found.map(|(place, _)| place).collect();
    assert!(places.len() > 100, "{} places", places.len());

    let mut changed = bytes;
    for place in places {
        changed[place..place + amount.len()].copy_from_slice(other);
    }
    std::fs::write(&path, changed).unwrap();
    match opened(&path) {
        Ok(served) => assert!(!served.contains("92345.07"), "it is shown"),
        Err(error) => assert!(error.to_string().contains("damaged"), "{error}"),
    }
}

/// The same in the rows themselves, whatever the pages below them say: every table, and every
/// answer that there is.
#[test]
fn a_changed_row_is_never_an_answer() {
    let (dir, bytes) = file();
    let path = dir.path().join("rows.redb");
    std::fs::write(&path, &bytes).unwrap();
    let store = Arc::new(RedbStore::open(&path).unwrap());
    let expected = served(&Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap()).unwrap();

    let snapshot = store.snapshot().unwrap();
    let (mut seed, mut damaged) = (5_usize, 0);
    for (table, name) in StoreTable::ALL {
        for (key, row) in
            snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap().iter().step_by(7)
        {
            seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let mut changed = row.clone();
            changed[seed % row.len()] ^= 1;
            let put = |row: &[u8]| {
                let mut batch = accredit_seams::store::WriteBatch::default();
                batch.put_row(table, key.clone(), row);
                store.commit(&batch).unwrap();
            };

            put(&changed);
            let served = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).and_then(|ledger| {
                let served = served(&ledger);
                assert_eq!(served.is_err(), ledger.health().is_err(), "{name}: it is told");
                assert!(!ledger.find_damage().unwrap().is_empty(), "{name}: verify finds it");
                served
            });
            match served {
                Ok(served) => assert_eq!(served, expected, "{name} {}", key.escape_ascii()),
                Err(error) => {
                    assert!(error.to_string().contains("damaged"), "{name}: {error}");
                    damaged += 1;
                }
            }
            put(row);
        }
    }
    assert!(damaged > 10, "{damaged}");
}

/// A statement that was changed by a person who can compute its seal does not fit the trail.
#[test]
fn a_statement_is_what_the_trail_released() {
    use accredit_ledger::sealed::{SEAL_BYTES, with_seal};

    let (dir, bytes) = file();
    let path = dir.path().join("forged.redb");
    for table in [StoreTable::Published, StoreTable::Confirmed, StoreTable::Releases] {
        std::fs::write(&path, &bytes).unwrap();
        let store = Arc::new(RedbStore::open(&path).unwrap());
        let (key, row) =
            store.snapshot().unwrap().scan_prefix(table, b"", b"", 1).unwrap().remove(0);
        let value = &row[..row.len() - SEAL_BYTES];
        let place =
            value.windows(4).position(|bytes| bytes == b"2345" || bytes == b"conf").unwrap();
        let mut forged = value.to_vec();
        forged[place] ^= 1;
        let mut batch = accredit_seams::store::WriteBatch::default();
        batch.put_row(table, key.clone(), with_seal(table, &key, &forged));
        store.commit(&batch).unwrap();

        let ledger = Ledger::open(store).unwrap();
        let problems = ledger.check_trail(None, &[]).unwrap().problems;
        assert_eq!(problems.len(), 1, "{table:?}: {problems:?}");
    }
}
