//! Random days whose power fails again and again: at any write, while the file is opened again, and behind
//! that. `ACCREDIT_CRASHES` says how many days; `ACCREDIT_CRASH_SEED` lives one of them again.

use std::sync::{Arc, Mutex};

use super::super::{credit, delivery, work};
use super::{Disk, Platter, Rows, dump};
use crate::record::CommitBatch;
use crate::{Ledger, LedgerResult};
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{HoldAction, ResolutionAction, ResolutionRecord};
use accredit_redb::RedbStore;
use accredit_seams::store::Store;
use accredit_seams::store::memory::MemoryStore;

/// Days of an ordinary run.
const DAYS: u64 = 500;

/// Failures of a day at most, before one life without.
const FAILURES_MAX: u64 = 4;

/// Writes and syncs until the power fails, at most: a commit has about ten.
const WRITES_MAX: u64 = 90;

const PEOPLE: [&str; 3] = ["anna", "berta", "cora"];

/// Numbers that look random and are the same for a seed.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A number of a deal.
    fn deal(&mut self) -> String {
        format!("T{}", self.below(40))
    }
}

/// What one commit does.
#[derive(Debug)]
enum Act {
    /// Deliveries arrive, with bodies of so many bytes.
    Deliver(Vec<(String, usize)>),
    /// Deals are decided, each with an amount and a person.
    Decide(Vec<(String, i64, &'static str)>),
    /// A person releases a credit, and the deal is decided again.
    Release(String, i64),
    /// A row of so many bytes is written.
    Note(usize, u64),
}

impl Act {
    /// An act that changes something, whatever was before it: `number` is new.
    fn random(chance: &mut Chance, number: u64) -> Act {
        let amount = i64::try_from(number).unwrap();
        match chance.below(8) {
            0..=2 => {
                let count = 1 + chance.below(4);
                let bytes = [3, 300, 9000].into_iter().cycle().zip(0..count);
                let one = |(bytes, place)| (format!("d{number}.{place}"), bytes);
                Act::Deliver(bytes.map(one).collect())
            }
            3..=5 => {
                // Large batches divide pages of the file.
                let count = [1, 5, 120][chance.below(3) as usize];
                let deals = (0..count).map(|place| {
                    let id = if count > 5 { format!("B{number}.{place}") } else { chance.deal() };
                    (id, amount, PEOPLE[chance.below(3) as usize])
                });
                Act::Decide(deals.collect())
            }
            6 => Act::Release(chance.deal(), amount),
            _ => Act::Note([10, 5_000, 70_000][chance.below(3) as usize], number),
        }
    }

    fn commit(&self, ledger: &Ledger) -> LedgerResult<()> {
        match self {
            Act::Deliver(bodies) => {
                let of = |(id, bytes): &(String, usize)| delivery(id, &"7".repeat(*bytes));
                let deliveries: Vec<_> = bodies.iter().map(of).collect();
                ledger.receive_deliveries(&deliveries).map(drop)
            }
            Act::Decide(deals) => {
                let mut all = CommitBatch::default();
                for (id, amount, who) in deals {
                    let one = work(id, *amount, vec![credit(id, who, *amount, "held")]);
                    all.records.extend(one.records);
                    all.decisions.extend(one.decisions);
                }
                ledger.commit_batch(&all)
            }
            Act::Release(id, amount) => {
                let act = ResolutionAction::Wait(HoldAction::Release);
                let release = ResolutionRecord {
                    credit: Some(CreditId::from_parts(id, &["anna"], 0)),
                    ..ResolutionRecord::new(act, jiff::civil::date(2026, 4, 1), "admin".to_owned())
                };
                let decided = work(id, *amount, vec![credit(id, "anna", *amount, "active")]);
                ledger.commit_batch(&CommitBatch { resolutions: vec![(release, 1)], ..decided })
            }
            Act::Note(bytes, number) => {
                let mut row = number.to_be_bytes().to_vec();
                row.resize(*bytes, 7);
                ledger.set_meta(&format!("note {}", number % 5), &row)
            }
        }
    }
}

/// A day: its acts, and every row that is there before the first and behind each.
struct Day {
    seed: u64,
    acts: Vec<Act>,
    states: Vec<Rows>,
}

impl Day {
    fn random(seed: u64, chance: &mut Chance) -> Day {
        let count = 6 + chance.below(14);
        let acts: Vec<Act> = (1..=count).map(|number| Act::random(chance, number)).collect();

        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
        let mut states = vec![dump(&*store)];
        for act in &acts {
            act.commit(&ledger).unwrap();
            states.push(dump(&*store));
        }
        assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "{seed}: an act changes nothing");
        Day { seed, acts, states }
    }

    /// How many acts are there, of which all that were answered must be, and at most the one whose outcome
    /// was not known.
    fn find_place(&self, store: &dyn Store, (answered, is_unknown): (usize, bool)) -> usize {
        let found = dump(store);
        let place = self.states.iter().position(|state| *state == found);
        let place = place.unwrap_or_else(|| panic!("{}: half a commit is there", self.seed));
        let known = place == answered || (is_unknown && place == answered + 1);
        assert!(known, "{}: {place} acts are there, {answered} were answered", self.seed);
        place
    }
}

/// What is on a disk whose power has failed.
fn disk_after_failure(disk: &Disk, seed: u64, left: Option<u32>) -> Disk {
    let bytes = disk.0.lock().unwrap().after_power_failure(seed);
    let platter = Platter { safe: bytes.clone(), present: bytes, left, ..Platter::default() };
    Disk(Arc::new(Mutex::new(platter)))
}

/// Lives a day with this seed; how often the power failed in an act, and while the file was opened.
fn live_day(seed: u64) -> (u32, u32) {
    let mut chance = Chance(seed);
    let day = Day::random(seed, &mut chance);
    let (mut in_acts, mut in_opening) = (0, 0);

    // The file is there before anything fails.
    let disk = Disk::default();
    drop(RedbStore::with_backend(disk.clone()).unwrap());
    let mut disk = disk_after_failure(&disk, 0, None);
    let mut known = (0, false);

    for _ in 0..1 + chance.below(FAILURES_MAX) {
        let writes = u32::try_from(chance.below(WRITES_MAX)).unwrap();
        disk.0.lock().unwrap().left = Some(writes);

        match RedbStore::with_backend(disk.clone()) {
            Err(error) => {
                let has_failed = disk.0.lock().unwrap().left == Some(0);
                assert!(has_failed, "{seed}: {error}");
                in_opening += 1;
            }
            Ok(store) => {
                let store = Arc::new(store);
                let mut place = day.find_place(&*store, known);
                let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
                let failed = day.acts[place..].iter().any(|act| {
                    let failed = act.commit(&ledger).is_err();
                    place += usize::from(!failed);
                    failed
                });
                in_acts += u32::from(failed);
                known = (place, failed);
            }
        }
        disk = disk_after_failure(&disk, chance.below(u64::MAX), None);
    }

    let store = Arc::new(RedbStore::with_backend(disk).unwrap());
    let place = day.find_place(&*store, known);
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    day.acts[place..].iter().for_each(|act| act.commit(&ledger).unwrap());
    assert!(Some(&dump(&*store)) == day.states.last(), "{seed}: the day ends otherwise");
    (in_acts, in_opening)
}

#[test]
fn random_days_survive_failures_of_the_power() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = number("ACCREDIT_CRASH_SEED") {
        live_day(seed);
        return;
    }

    let days = number("ACCREDIT_CRASHES").unwrap_or(DAYS);
    let lived: Vec<(u32, u32)> = (0..days).map(live_day).collect();
    let in_acts: u32 = lived.iter().map(|day| day.0).sum();
    let in_opening: u32 = lived.iter().map(|day| day.1).sum();
    println!(
        "{days} days, the power failed {in_acts} times in a commit, {in_opening} while opening"
    );
    // A campaign in which nothing fails proves nothing.
    assert!(
        days < 100 || (u64::from(in_acts) > days / 2 && in_opening > 0),
        "{in_acts} {in_opening}"
    );
}
