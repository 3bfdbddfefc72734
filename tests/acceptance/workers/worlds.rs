//! Generated worlds, which have what no template has: several plans, teams, draws, late rows, locks.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_domain::transaction::Cell;
use serde_json::{Map, Value as Json};

use super::Company;
use crate::oracle::world::{Plan, World};
use crate::oracle::{files, generate};

const WORLDS: usize = 20;
const THREADS: usize = 2;

pub(crate) fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// A world as a directory.
pub(crate) fn company(world: &World, dir: &std::path::Path) -> Company {
    for (path, text) in files::files(world) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &*text).unwrap();
    }
    let rows = files::records(world).into_iter().map(|record| {
        let cells = record.cells.into_iter().map(|(name, cell)| match cell {
            Cell::Text(text) => (name, Json::String(text)),
            other => panic!("{name} is {other:?}"),
        });
        Json::Object(cells.collect::<Map<String, Json>>()).to_string()
    });
    let deals: Vec<String> = rows.collect();
    fs::create_dir_all(dir.join("transactions")).unwrap();
    fs::write(dir.join("transactions/rows.ndjson"), deals.join("\n")).unwrap();

    let as_of = world.as_of.map(|day| ["--as-of".to_owned(), day.to_string()]);
    Company {
        dir: dir.to_owned(),
        deals,
        id: "id",
        options: as_of.into_iter().flatten().collect(),
        period: "2022",
        transactions: None,
    }
}

pub(crate) fn pays(seed: u64) -> bool {
    let world = generate::world(seed);
    world.finalized.is_empty() && world.plans.iter().any(Plan::pays)
}

#[test]
fn generated_worlds_come_to_the_same_in_parts() {
    let (seed, count) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_WORKER_WORLDS", WORLDS));
    println!("ACCREDIT_SEED={seed} ACCREDIT_WORKER_WORLDS={count}");
    // Three of four pay something that workers do not refuse.
    let seeds: Vec<u64> =
        (seed as u64..).filter(|seed| seed % 4 == 0 || pays(*seed)).take(count).collect();
    let (next, paid, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.get(index) else { return };
                    let mut world = generate::world(*seed);
                    // A person declares a deal void on a server, and no row brings it.
                    world.transactions.iter_mut().for_each(|deal| deal.void = false);
                    let dir = tempfile::tempdir().unwrap();
                    println!("ACCREDIT_SEED={seed} ACCREDIT_WORKER_WORLDS=1");
                    match company(&world, dir.path()).check() {
                        Ok(rewards) => paid.fetch_add(rewards, Ordering::Relaxed),
                        Err(why) => {
                            assert!(!world.finalized.is_empty(), "{why}");
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            });
        }
    });

    let (paid, refused) = (paid.into_inner(), refused.into_inner());
    println!("{paid} rewards, {refused} of {count} worlds with locked periods");
    assert!(count < WORLDS || paid > 0 && refused > 0, "{paid} {refused}");
}

/// The worlds of [`generated_worlds_come_to_the_same_in_parts`] that pay, for a test in another
/// language: a folder each, with the arguments for its business date in a file.
#[test]
#[ignore = "it writes files: tests/spark/run and tests/ballista/run ask for it"]
fn worlds_are_written() {
    let folder =
        std::env::var("ACCREDIT_WORLDS_FOLDER").expect("ACCREDIT_WORLDS_FOLDER names a folder");
    let (seed, count) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_WORKER_WORLDS", WORLDS));
    for seed in (seed as u64..).filter(|seed| pays(*seed)).take(count) {
        let mut world = generate::world(seed);
        world.transactions.iter_mut().for_each(|deal| deal.void = false);
        let company = company(&world, &std::path::Path::new(&folder).join(format!("world-{seed}")));
        fs::write(company.dir.join("as-of"), company.options.join(" ")).unwrap();
    }
}
