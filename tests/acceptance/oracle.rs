//! The semantics twice: the engine against a naive reading of the specification, world by world.
//!
//! `ACCREDIT_WORLDS` is the number of random worlds, `ACCREDIT_SEED` the number of the first.
//!
//! What worlds do not have, or what is not compared, and why:
//!
//! - A void deal that counted before: a directory has no act that voids a deal. A deal of one version
//!   is void, and others are cancelled by their stage, which plans ask for.
//! - Manual credits and rewards, reopened periods, releases by people: these are acts on a server.
//! - Draws without a first day, and `carry_negative` with rows for everybody or with a quota of the
//!   plan: the documents do not say since when such rows are paid, and so not what is owed.
//! - Alerts of frozen periods, which are not worked out again, and the alert about those who have left
//!   with a balance: the documents do not say on which day a payee has left.
//! - Which credit a duplicate repeats, after a finalization: it may stand in no period.
//! - Which of several faults parks a deal: the documents do not order them, and one that fits is
//!   enough.
//! - Values of one sign under a maximum over deals and returns: what they leave is not said.
//! - Territories by date where dates are written as in the United States.
//! - The last periods of a calendar as finalized: what comes late needs an open period.

mod affected;
mod exhaustive;
mod features;
pub(crate) mod files;
pub(crate) mod generate;
mod laws;
mod lines;
mod naive;
mod paid;
mod random;
mod refusals;
mod rewards;
mod rolled;
mod scripts;
mod shrink;
mod tables;
pub(crate) mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_crediting::calculation::books;
use accredit_domain::diagnostic::Severity;
use accredit_workspace::Ruleset;
use features::Reached;
use lines::Keys;
use serde_json::Value;
use world::World;

const THREADS: usize = 2;
const WORLDS: usize = 6_000;
/// One world in so many is run a second time.
const LAWFUL: usize = 20;
/// So many worlds must reach everything.
const ENOUGH: usize = 5_000;

/// What the engine says of a world: calculations of the fiscal year, one a plan, those of the plan's
/// own periods in it, and the keys of all credits.
struct Results {
    year: Vec<Value>,
    periods: Vec<Vec<Value>>,
    keys: Keys,
}

/// The engine's results; or why it refuses the files.
fn calculate(world: &World) -> Result<Results, String> {
    let (ruleset, diagnostics) = Ruleset::read(&files::files(world), &files::columns(world));
    let Some(ruleset) = ruleset else {
        let errors: Vec<_> =
            diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        return Err(format!("refused: {errors:#?}"));
    };
    let books = books::build_books(&ruleset, &files::records(world), world.as_of, 1);
    let of = |id: &str| -> Option<Vec<Value>> {
        let period = ruleset.settings.calendar.find(id)?;
        let plans = world.plans.iter();
        plans
            .map(|plan| serde_json::to_value(books.calculation_of(&plan.id, &period)).ok())
            .collect()
    };
    let year = of(lines::YEAR).ok_or("refused: no year 2022")?;
    let mut all = year.clone();
    if !world.finalized.is_empty() {
        all.extend(["2021", "2023"].into_iter().filter_map(of).flatten());
    }
    let within = |plan: &world::Plan| -> Vec<Value> {
        let Some(year) = ruleset.settings.calendar.find(lines::YEAR) else { return Vec::new() };
        let all = books.calculations_within(&plan.id, &year).into_iter();
        all.map(|calculation| serde_json::to_value(calculation).unwrap()).collect()
    };
    let paying = |plan| if world::Plan::pays(plan) { within(plan) } else { Vec::new() };
    let periods = world.plans.iter().map(paying).collect();
    Ok(Results { keys: Keys::of(&all), year, periods })
}

/// How the engine and the specification differ, and what the world reached.
fn compared(world: &World) -> Found {
    let mut reached = features::of_world(world);
    let results = match calculate(world) {
        Ok(found) => found,
        Err(refused) => return (Some(refused), reached),
    };
    for (place, (plan, result)) in world.plans.iter().zip(&results.year).enumerate() {
        let expected = lines::expected(world, plan);
        for decision in &expected.decisions {
            reached.extend(features::of_decision(world, place, decision));
        }
        reached.extend(features::of_entries(&expected.entries));
        let different = lines::difference(world, plan, (&expected, result), &results.keys);
        let paid = || paid::difference(world, place, &results, &mut reached);
        if let Some(text) = different.or_else(paid) {
            return (Some(text), reached);
        }
    }
    reached.extend(naive::scripts::reached());
    reached.sort_unstable();
    reached.dedup();
    (laws::check(world, &results.year).err(), reached)
}

/// The first complaint about the files; none when they were understood.
fn refusal(text: &str) -> Option<&str> {
    text.starts_with("refused").then(|| text.lines().find(|line| line.contains("message:")))?
}

/// What is wrong with a world, and what it reached.
type Found = (Option<String>, Vec<&'static str>);

/// The smallest world that fails in the same way, as files, with both results.
fn report(name: &str, world: World, check: impl Fn(&World) -> Found) -> String {
    let first = check(&world).0.unwrap_or_default();
    let refused = refusal(&first);
    let fails = |world: &World| check(world).0.is_some_and(|text| refusal(&text) == refused);
    let world = shrink::smallest(world, fails);
    let mut out = format!("{name}, as of {:?}\n", world.as_of);
    for (path, text) in files::files(&world) {
        out.push_str(&format!("--- {path}\n{text}"));
    }
    out.push_str("--- transactions\n");
    for record in files::records(&world) {
        out.push_str(&format!("{:?}\n", record.cells));
    }
    out.push_str(&check(&world).0.unwrap_or_default());
    out
}

/// Compares `count` worlds on a few threads; stops at the first that differs.
fn compare(
    count: usize,
    name: impl Fn(usize) -> String + Sync,
    check: impl Fn(&World) -> Found + Sync,
    of: impl Fn(usize) -> World + Sync,
) -> Reached {
    let (next, all) = (AtomicUsize::new(0), Reached::default());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let (different, reached) = check(&of(index));
            all.count(&reached);
            if different.is_some() {
                next.store(count, Ordering::Relaxed);
                panic!("{}", report(&name(index), of(index), &check));
            }
        }
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let failed = all.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(failed, 0, "engine and specification differ: see above");
    });
    all
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_worlds_are_decided_as_specified() {
    let (seed, count) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_WORLDS", WORLDS));
    println!("ACCREDIT_SEED={seed} ACCREDIT_WORLDS={count}");
    let name = |index| format!("ACCREDIT_SEED={} ACCREDIT_WORLDS=1", seed + index);
    let reached = compare(count, name, compared, |index| generate::world((seed + index) as u64));
    let missing = reached.missing();
    assert!(count < ENOUGH || missing.is_empty(), "never reached: {missing:?}");
}

#[test]
fn laws_hold_in_a_second_run() {
    let (seed, count) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_WORLDS", WORLDS) / LAWFUL);
    let name = |index| format!("ACCREDIT_SEED={} ACCREDIT_WORLDS={LAWFUL}", seed + index);
    let broken = |world: &World| (laws::again::check(world).err(), Vec::new());
    compare(count, name, broken, |index| generate::world((seed + index) as u64));
}

#[test]
fn every_small_world_is_decided_as_specified() {
    let mut all = exhaustive::worlds();
    if features::on(features::Feature::Teams) {
        all.extend(exhaustive::teams());
    }
    let name = |index| format!("small world {index}");
    compare(all.len(), name, compared, |index| all[index].clone());
}
