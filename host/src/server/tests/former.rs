//! Data files of former versions of the program open, serve the same amounts and verify.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::periods::{CLOSED, PeriodState};
use accredit_ledger::query::CreditQuery;
use accredit_ledger::record::CommitBatch;
use accredit_ledger::scope::ReadScope;
use accredit_operations::verify::{VerifyParams, verify_decisions};
use accredit_redb::RedbStore;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{Host, deal};

/// A file of version 0.1.0: four deals, January finalized and its rewards released.
const VERSION_0_1_0: &[u8] = include_bytes!("../../../../tests/fixtures/former/0.1.0.redb.gz");

/// Rows of version 0.1.0 have no seal; opening the file seals them, once.
#[test]
fn a_file_of_version_0_1_0_opens_with_the_same_amounts_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("former.redb");
    let mut bytes = Vec::new();
    GzDecoder::new(VERSION_0_1_0).read_to_end(&mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();

    for _ in 0..2 {
        let ledger = Ledger::open(Arc::new(RedbStore::open(&path).unwrap())).unwrap();
        let page = ledger
            .credit_page(&CreditQuery { limit: 100, ..CreditQuery::within(ReadScope::All) })
            .unwrap();
        let mut amounts: Vec<(String, String, String)> = page
            .rows
            .into_iter()
            .map(|row| {
                let position = row.position.unwrap_or_default();
                (row.transaction.into(), position.into(), row.amount.to_string())
            })
            .collect();
        amounts.sort();
        let row = |deal: &str, position: &str, amount: &str| {
            (deal.to_owned(), position.to_owned(), amount.to_owned())
        };
        assert_eq!(
            amounts,
            [
                row("OPP-1", "DESK", "6000.00"),
                row("OPP-1", "MGR-1", "6000.00"),
                row("OPP-1", "REP-1", "60000.00"),
                row("OPP-2", "MGR-1", "120.00"),
                row("OPP-2", "REP-2", "1200.00"),
            ]
        );

        let verified = verify_decisions(&ledger, &VerifyParams::default()).unwrap();
        assert_eq!((verified.differing, verified.damage), (0, Vec::new()));
        assert_eq!(ledger.check_trail(None, &[]).unwrap().problems, Vec::<String>::new());
        assert_eq!(ledger.finalized_periods().unwrap().len(), 1);
    }
}

/// A file of version 0.1.0 with ninety deals, two finalized periods, releases, holds, adjustments,
/// changes and an enquiry; its server was killed between the two commits of an adjustment.
const HALF_DONE: &[u8] =
    include_bytes!("../../../../tests/fixtures/former/0.1.0-half-done.redb.gz");

/// What its server answered before: credits, statements by payee, and the credit of the adjustment.
const ANSWERS: &[u8] = include_bytes!("../../../../tests/fixtures/former/0.1.0-half-done.json.gz");

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// The adjustment was in the trail, and the credit never changed, whatever was restarted.
#[test]
fn what_version_0_1_0_recorded_is_carried_out_at_the_start() {
    let answers: Value = serde_json::from_slice(&unpacked(ANSWERS)).unwrap();
    let mut host = Host::start();
    host.stop();
    host.date = jiff::civil::date(2026, 3, 20);
    std::fs::write(host.folder.path().join("acme.redb"), unpacked(HALF_DONE)).unwrap();

    for _ in 0..2 {
        host.run();
        // The worker has done what it does at its start once it answers.
        host.after_redrive();
        let mut expected = by_id(&answers["credits"]);
        let mut found = by_id(&host.get("/v1/credits?limit=1000")["data"]);
        let half_done = answers["half"].as_str().unwrap();
        assert_eq!(found[half_done]["amount"], "7.77");
        // Those of its own deal roll up; `verify` below decides them again.
        expected.retain(|_, row| row["transaction"] != "D14");
        found.retain(|_, row| row["transaction"] != "D14");
        assert_eq!(found, expected);

        for (payee, statements) in answers["statements"].as_object().unwrap() {
            let found = host.get(&format!("/v1/payees/{payee}/statements"));
            assert!(says_all(&found["data"], statements), "{payee}: {found}");
        }
        let verified = host.get("/v1/verify");
        assert_eq!((&verified["differing"], &verified["damage"]), (&json!(0), &json!([])));
        assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
        assert_eq!(host.get("/readyz").as_object().unwrap()["status"], "ready");
        host.stop();
    }
}

/// Whether an answer says everything that it said before; newer versions may say more.
fn says_all(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| says_all(found, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| says_all(found, expected))
        }
        (found, expected) => found == expected,
    }
}

/// Rows by id, without what says which set of files decided.
fn by_id(rows: &Value) -> BTreeMap<String, Value> {
    let rows = rows.as_array().unwrap().iter().cloned();
    let rows = rows.map(|mut row| {
        row.as_object_mut().unwrap().remove("ruleset");
        (row["id"].as_str().unwrap().to_owned(), row)
    });
    rows.collect()
}

/// A file whose deals stand in blocks of 64, with every credit a second time for its payee: a released
/// and finalized month, holds, an adjustment, a credit and a reward by hand, a void deal, a late change.
const IN_BLOCKS: &[u8] = include_bytes!("../../../../tests/fixtures/former/0.1.0-blocks.redb.gz");

/// The same file with a row for each deal, in which every credit has its id and names what it has in
/// common with the position before.
const IN_ROWS: &[u8] = include_bytes!("../../../../tests/fixtures/former/0.1.0-rows.redb.gz");

/// What its server answered.
const IN_BLOCKS_ANSWERS: &[u8] =
    include_bytes!("../../../../tests/fixtures/former/0.1.0-blocks.json.gz");

/// The rows are written anew at the start, and every answer stays the same, in the same order.
#[test]
fn what_stood_in_blocks_is_answered_as_before() {
    check_answers_of_blocks(IN_BLOCKS);
}

/// Rows of the version before are read as they are, and written as those of today when their deals change.
#[test]
fn what_stood_in_former_rows_is_answered_as_before() {
    check_answers_of_blocks(IN_ROWS);
}

/// Checks that a file is answered as the one in blocks was.
fn check_answers_of_blocks(file: &[u8]) {
    let answers = without_rulesets(serde_json::from_slice(&unpacked(IN_BLOCKS_ANSWERS)).unwrap());
    let mut host = Host::start();
    host.stop();
    host.date = jiff::civil::date(2026, 3, 20);
    std::fs::write(host.folder.path().join("acme.redb"), unpacked(file)).unwrap();

    for _ in 0..2 {
        host.run();
        host.after_redrive();
        let check = |path: &str, expected: &Value| {
            let mut found = without_rulesets(host.get(path)["data"].clone());
            // The test itself asked for these.
            found.as_array_mut().unwrap().retain(|row| row["what"] != "parked_redriven");
            assert!(says_all(&found, expected), "{path}: {found} for {expected}");
        };

        check("/v1/transactions?limit=1000", &answers["deals"]);
        for list in ["credits", "rewards", "parked", "audit"] {
            check(&format!("/v1/{list}?limit=1000"), &answers[list]);
        }
        for list in ["calculations", "periods"] {
            check(&format!("/v1/{list}"), &answers[list]);
        }
        for (payee, lists) in answers["payees"].as_object().unwrap() {
            check(&format!("/v1/credits?payee={payee}&limit=1000"), &lists["credits"]);
            let march = format!("/v1/credits?payee={payee}&period=2026-03&status=active&limit=5");
            check(&march, &lists["march"]);
            check(&format!("/v1/payees/{payee}/statements"), &lists["statements"]);
        }

        let verified = host.get("/v1/verify");
        assert_eq!((&verified["differing"], &verified["damage"]), (&json!(0), &json!([])));
        assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
        host.stop();
    }
}

/// An answer without what says which set of files decided.
fn without_rulesets(answer: Value) -> Value {
    match answer {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(name, _)| name != "ruleset");
            Value::Object(members.map(|(name, member)| (name, without_rulesets(member))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_rulesets).collect(),
        other => other,
    }
}

/// Version 0.1.0 froze nothing when it closed a period: read as a closed one of today, its entries
/// would have been posted in the next period, as if they were late.
#[test]
fn what_version_0_1_0_closed_is_frozen_at_the_start() {
    let mut host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    assert_eq!(host.credits("D-1")[0]["period"], "2026-01");
    host.stop();

    let store = Arc::new(RedbStore::open(&host.folder.path().join("acme.redb")).unwrap());
    let ledger = Ledger::open(store).unwrap();
    let said =
        PeriodState { state: CLOSED.to_owned(), who: "max".to_owned(), ..PeriodState::default() };
    let period = Some(("2026-01".to_owned(), said));
    ledger.commit_batch(&CommitBatch { period, ..CommitBatch::default() }).unwrap();
    drop(ledger);

    host.run();
    host.deliver("msg_2", &deal("D-2", "50", ""));
    host.deliver("msg_3", &deal("D-1", "70", ""));
    assert_eq!(host.credits("D-2")[0]["period"], "2026-02");
    let rows = host.credits("D-1");
    let stands = |row: &Value| format!("{} {}", row["period"], row["amount"]).replace('"', "");
    let stands: Vec<String> = rows.iter().map(stands).collect();
    assert_eq!(stands, ["2026-01 100.00", "2026-02 -100.00", "2026-02 70.00"]);
    assert_eq!(host.get("/v1/verify")["differing"], 0);
}
