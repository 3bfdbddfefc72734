//! Data files of former versions of the program open, serve the same amounts and verify.

use std::io::Read;
use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::query::CreditQuery;
use accredit_redb::Redb;
use flate2::read::GzDecoder;

use crate::operations::verify::{Wanted, verify};

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
        let ledger = Ledger::open(Arc::new(Redb::open(&path).unwrap())).unwrap();
        let page = ledger.credits(&CreditQuery { limit: 100, ..CreditQuery::default() }).unwrap();
        let mut amounts: Vec<(String, String, String)> = page
            .rows
            .into_iter()
            .map(|row| (row.transaction, row.position.unwrap_or_default(), row.amount))
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

        let verified = verify(&ledger, &Wanted::default()).unwrap();
        assert_eq!((verified.differing, verified.damage), (0, Vec::new()));
        assert_eq!(ledger.check_trail(None).unwrap().problems, Vec::<String>::new());
        assert_eq!(ledger.finalized().unwrap().len(), 1);
    }
}
