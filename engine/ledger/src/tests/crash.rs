//! The power fails at every write of a small day: what was answered is there, the rest is whole.
//!
//! The library's own tests sync a disk that forgets nothing; this one keeps, of what was written
//! since the last sync, any part in pieces of a sector.

mod campaign;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::{credit, delivery, work};
use crate::alerts::RaisedAlert;
use crate::definitions::Activation;
use crate::manual_credits::ManualCreditAct;
use crate::manual_rewards::ManualReward;
use crate::periods::{FINALIZED, PeriodState};
use crate::record::{CommitBatch, TransactionRecord};
use crate::releases::{Publication, Release, ReleaseAct, Statement};
use crate::voids::DealVoiding;
use crate::{Ledger, LedgerResult};
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{HoldAction, ResolutionAction, ResolutionRecord};
use accredit_domain::files::Files;
use accredit_redb::RedbStore;
use accredit_seams::store::memory::MemoryStore;
use accredit_seams::store::{Store, StoreTable};

const SECTOR_BYTES: usize = 512;

#[derive(Debug, Default)]
struct Platter {
    /// What reads see.
    present: Vec<u8>,
    /// What a sync has made safe.
    safe: Vec<u8>,
    /// Sectors written since: place and bytes.
    loose: Vec<(usize, Vec<u8>)>,
    /// Writes and syncs until the power fails.
    left: Option<u32>,
}

impl Platter {
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => return Err(io::Error::other("the power has failed")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    /// What is on the disk when the power comes back: some of the loose sectors, as `seed` has it.
    fn after_power_failure(&self, mut seed: u64) -> Vec<u8> {
        let mut bytes = self.safe.clone();
        for (place, sector) in &self.loose {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if seed >> 63 == 0 {
                continue;
            }
            let end = place + sector.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[*place..end].copy_from_slice(sector);
        }
        bytes
    }
}

#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platter>>);

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().present.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.0.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let found = platter.present.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        let len = usize::try_from(len).unwrap();
        platter.present.resize(len, 0);
        // The length is taken as safe at once: which sectors are is what this test is about.
        platter.safe.resize(len, 0);
        platter.loose.retain(|(place, sector)| place + sector.len() <= len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        platter.safe = platter.present.clone();
        platter.loose.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.spend()?;
        let start = usize::try_from(offset).unwrap();
        platter.present[start..start + data.len()].copy_from_slice(data);
        for (number, sector) in data.chunks(SECTOR_BYTES).enumerate() {
            platter.loose.push((start + number * SECTOR_BYTES, sector.to_vec()));
        }
        Ok(())
    }
}

type Step = fn(&Ledger) -> LedgerResult<()>;

/// Every row of every table.
type Rows = Vec<(StoreTable, Vec<u8>, Vec<u8>)>;

/// One commit of the day each.
const DAY: &[Step] = &[
    |ledger| ledger.record_activation(&Files::new(), Activation::default()).map(drop),
    |ledger| ledger.receive_deliveries(&[delivery("d1", &"7".repeat(9000))]).map(drop),
    |ledger| {
        let mut all = CommitBatch { done: vec![(1, None)], ..CommitBatch::default() };
        for number in 0..70 {
            let id = format!("T{number}");
            let one = work(&id, 1, vec![credit(&id, "anna", number, "held")]);
            all.records.extend(one.records);
            all.decisions.extend(one.decisions);
        }
        ledger.commit_batch(&all)
    },
    |ledger| {
        let release = ResolutionRecord {
            credit: Some(CreditId::from_parts("T3", &["anna"], 0)),
            ..ResolutionRecord::new(
                ResolutionAction::Wait(HoldAction::Release),
                jiff::civil::date(2026, 4, 1),
                "admin".to_owned(),
            )
        };
        // What was decided with it, in the same commit.
        let decided = work("T3", 9, vec![credit("T3", "berta", 1, "active")]);
        ledger.commit_batch(&CommitBatch { resolutions: vec![(release, 1)], ..decided })
    },
    |ledger| {
        let act = ReleaseAct { who: "admin".to_owned(), ..ReleaseAct::default() };
        let row = credit("T5", "anna", 5, "active");
        let statement = Statement { credits: vec![row.clone()], ..Statement::default() };
        let release =
            Release { plan: "p".to_owned(), period: "2026-03".to_owned(), ..Release::default() };
        let publication = Publication {
            release: Release { payees: BTreeSet::from(["anna".to_owned()]), ..release },
            statements: BTreeMap::from([("anna".to_owned(), statement)]),
            confirmed: vec![("2026-03".to_owned(), "T5".to_owned(), vec![row])],
            alerts: vec![RaisedAlert::new("release", "double_payment", "paid twice")],
            what: "rewards_released",
            ..Publication::default()
        };
        ledger.publish_release(&publication, &act)
    },
    |ledger| {
        let said = PeriodState { state: FINALIZED.to_owned(), ..PeriodState::default() };
        let frozen = vec![("T3".to_owned(), vec![credit("T3", "berta", 1, "active")])];
        let period = Some(("2026-03".to_owned(), said));
        ledger.commit_batch(&CommitBatch { period, frozen, ..CommitBatch::default() })
    },
    |ledger| ledger.add_manual_reward(bonus()).map(drop),
    |ledger| {
        let act =
            DealVoiding { transaction: "T4".to_owned(), version: 2, ..DealVoiding::default() };
        ledger.commit_batch(&CommitBatch { voided: Some(act), ..work("T4", 10, Vec::new()) })
    },
    |ledger| {
        let act = given_credit();
        let id = act.credit.key.to_string();
        let record = act.credit.to_record().unwrap();
        let records = vec![TransactionRecord::first_version(id, record, 0)];
        let manual_credit = Some(act);
        ledger.commit_batch(&CommitBatch { records, manual_credit, ..CommitBatch::default() })
    },
    |ledger| ledger.set_meta("secret", b"abc"),
];

fn given_credit() -> ManualCreditAct {
    let act = serde_json::json!({
        "number": 1, "entry": format!("crd_{}", "0".repeat(32)), "requested_period": "2026-03",
        "reverses": null, "request_key": "first", "at_ms": 1, "approved": null,
        "credit": {
            "key": "manual:1", "plan": "p", "incentive_date": "2026-03-31", "position": "P1",
            "payee": "anna", "credit_type": "credit", "unit_type": "EUR", "amount": "5.00",
            "rolls_up": false, "reversed": null, "given": {
                "date": "2026-03-02", "who": "admin", "reason_code": "error", "comment": null,
            },
        },
    });
    serde_json::from_value(act).unwrap()
}

fn bonus() -> ManualReward {
    let row = serde_json::json!({
        "id": "", "plan": "p", "period": "2026-03", "reward": "Bonus", "payee": "anna",
        "team": null, "credit_type": "", "credited": "0", "credited_unit_type": "EUR",
        "quota": null, "attainment": null, "amount": "5.00", "unit_type": "EUR", "credits": [],
        "origin": "manual",
    });
    let reward = serde_json::json!({
        "number": 0, "row": row, "requested_period": "2026-03", "reason_code": "error",
        "comment": null, "reverses": null, "request_key": null, "date": "2026-03-02",
        "who": "admin", "at_ms": 1, "approved": null,
    });
    serde_json::from_value(reward).unwrap()
}

fn dump(store: &dyn Store) -> Rows {
    let snapshot = store.snapshot().unwrap();
    let mut rows = Vec::new();
    for (table, _) in StoreTable::ALL {
        let found = snapshot.scan_prefix(table, b"", b"", usize::MAX).unwrap();
        rows.extend(found.into_iter().map(|(key, value)| (table, key, value)));
    }
    rows
}

/// Lives the day until the power fails after `writes` writes; whether it got to its end.
fn live(writes: u32, expected: &[Rows]) -> bool {
    let disk = Disk::default();
    let store = Arc::new(RedbStore::with_backend(disk.clone()).unwrap());
    disk.0.lock().unwrap().left = Some(writes);
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    let answered = DAY.iter().take_while(|step| step(&ledger).is_ok()).count();
    if answered < DAY.len() {
        // What follows a failed commit is refused as well: nothing is written on top of it.
        assert!(ledger.set_meta("after", b"1").is_err());
    }
    drop((ledger, store));
    for seed in 0..4 {
        let bytes = disk.0.lock().unwrap().after_power_failure(seed * 77 + u64::from(writes));
        let platter = Platter { safe: bytes.clone(), present: bytes, ..Platter::default() };
        let store = RedbStore::with_backend(Disk(Arc::new(Mutex::new(platter))));
        let store = Arc::new(store.unwrap_or_else(|error| panic!("after {writes}: {error}")));
        let found = dump(&*store);
        let place = expected.iter().position(|state| *state == found);
        let place = place.unwrap_or_else(|| panic!("after {writes}: half a commit is there"));
        assert!(place == answered || place == answered + 1, "after {writes}: {place}, {answered}");
        // The one whose outcome is not known can be asked for again, and the day goes on.
        let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
        DAY.iter().skip(place).for_each(|step| step(&ledger).unwrap());
        assert_eq!(dump(&*store), *expected.last().unwrap());
    }
    answered == DAY.len()
}

#[test]
fn a_power_failure_loses_nothing_that_was_answered() {
    let store = Arc::new(MemoryStore::default());
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    let mut expected = vec![dump(&*store)];
    for step in DAY {
        step(&ledger).unwrap();
        expected.push(dump(&*store));
    }
    let mut writes = 0;
    while !live(writes, &expected) {
        writes += 1;
    }
    assert!(writes > 50, "the day has {writes} writes");
}
