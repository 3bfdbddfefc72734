//! Laws that take a second run: of other rows, in other ways, on another day.

use std::slice::from_ref;

use accredit_crediting::calculation::{self, books};
use accredit_crediting::pipeline::row;
use accredit_crediting::stage::{CreditResolution, DecisionInputs};
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{Decision, HoldAction};
use accredit_domain::note::NoteStage;
use accredit_domain::transaction::Record;
use accredit_workspace::Ruleset;
use serde_json::Value;

use super::text;
use crate::oracle::files;
use crate::oracle::naive::periods;
use crate::oracle::naive::posting::today;
use crate::oracle::world::{World, day};

/// The engine on the files of a world.
struct Engine {
    ruleset: Ruleset,
}

impl Engine {
    fn of(world: &World) -> Option<Engine> {
        let (ruleset, _) = Ruleset::read(&files::files(world), &files::columns(world));
        Some(Engine { ruleset: ruleset? })
    }

    /// Everything decided about the rows, over all periods, sorted by plan and transaction.
    fn decide(&self, world: &World, records: &[Record], threads: usize) -> Vec<Decision> {
        let books = books::build_books(&self.ruleset, records, world.as_of, threads);
        let plans = world.plans.iter();
        let mut all: Vec<Decision> =
            plans.flat_map(|plan| books.period_decisions(&plan.id, None)).collect();
        all.sort_by(|a, b| (&a.plan, &a.transaction).cmp(&(&b.plan, &b.transaction)));
        all
    }
}

/// The first law that a second run breaks.
pub(crate) fn check(world: &World) -> Result<(), String> {
    // The comparison says what is refused.
    let Some(engine) = Engine::of(world) else { return Ok(()) };
    let records = files::records(world);
    let first = engine.decide(world, &records, 1);
    on_threads(world, &engine, &records, &first)?;
    same_rows_twice(world, &engine, &records, &first)?;
    one_at_a_time(world, &engine, &first)?;
    without_a_transaction(world, &engine, &first)?;
    if world.transactions.iter().all(|tx| tx.received.is_none()) {
        only_last_versions(world, &engine, &first)?;
    }
    if !world.finalized.is_empty() {
        finalized_stays(world, &engine, &first)?;
        return sums_as_clean(world, &first);
    }
    without_indirect_rules(world, &first)?;
    released_twice(world, &engine, &records, &first)
}

fn same(law: &str, first: &[Decision], second: &[Decision]) -> Result<(), String> {
    if first == second {
        return Ok(());
    }
    Err(format!("{law} is broken: first {first:#?}\nthen {second:#?}"))
}

/// INV-G2.
fn on_threads(
    world: &World,
    engine: &Engine,
    records: &[Record],
    first: &[Decision],
) -> Result<(), String> {
    let second = engine.decide(world, records, 4);
    let bytes = |all: &[Decision]| serde_json::to_string(all).unwrap();
    if bytes(first) == bytes(&second) { Ok(()) } else { same("INV-G2", first, &second) }
}

/// INV-T1.
fn same_rows_twice(
    world: &World,
    engine: &Engine,
    records: &[Record],
    first: &[Decision],
) -> Result<(), String> {
    let twice: Vec<Record> =
        records.iter().flat_map(|record| [record.clone(), record.clone()]).collect();
    same("INV-T1", first, &engine.decide(world, &twice, 1))
}

/// INV-T2: as if older versions had never come.
fn only_last_versions(world: &World, engine: &Engine, first: &[Decision]) -> Result<(), String> {
    let mut last = world.clone();
    last.transactions.reverse();
    let mut seen: Vec<String> = Vec::new();
    last.transactions.retain(|tx| {
        let new = !seen.contains(&tx.id);
        seen.push(tx.id.clone());
        new
    });
    // That rows contradicted each other is said of them all, and of no row that came alone.
    let second = engine.decide(world, &files::records(&last), 1);
    same("INV-T2", &without_remarks(first), &without_remarks(&second))
}

/// Decisions without what is to be known about how their rows arrived.
fn without_remarks(decisions: &[Decision]) -> Vec<Decision> {
    let mut decisions = decisions.to_vec();
    for decision in &mut decisions {
        decision.alerts.retain(|note| note.stage != NoteStage::Intake);
        decision.log.retain(|note| note.stage != NoteStage::Intake);
    }
    decisions
}

/// INV-G1, INV-C1: nothing depends on what else is calculated.
fn one_at_a_time(world: &World, engine: &Engine, first: &[Decision]) -> Result<(), String> {
    let mut ids: Vec<&String> = world.transactions.iter().map(|tx| &tx.id).collect();
    ids.sort();
    ids.dedup();
    let mut all: Vec<Decision> = Vec::new();
    for id in ids {
        let mut alone = world.clone();
        alone.transactions.retain(|tx| tx.id == *id);
        all.extend(engine.decide(world, &files::records(&alone), 1));
    }
    all.sort_by(|a, b| (&a.plan, &a.transaction).cmp(&(&b.plan, &b.transaction)));
    same("INV-G1, INV-C1", first, &all)
}

/// INV-I3.
fn without_a_transaction(world: &World, engine: &Engine, first: &[Decision]) -> Result<(), String> {
    let gone = world.transactions[0].id.clone();
    let mut rest = world.clone();
    rest.transactions.retain(|tx| tx.id != gone);
    let expected: Vec<Decision> =
        first.iter().filter(|decision| decision.transaction != gone).cloned().collect();
    same("INV-I3", &expected, &engine.decide(world, &files::records(&rest), 1))
}

/// INV-D2, where both runs decide.
fn without_indirect_rules(world: &World, first: &[Decision]) -> Result<(), String> {
    if world.plans.iter().flat_map(|plan| &plan.indirect).any(|rule| !rule.sources.is_empty()) {
        return Ok(());
    }
    let mut plain = world.clone();
    plain.plans.iter_mut().for_each(|plan| plan.indirect.clear());
    let second = Engine::of(&plain).unwrap().decide(&plain, &files::records(&plain), 1);
    let direct = |decision: &Decision| -> Vec<Value> {
        let all = serde_json::to_value(&decision.credits).unwrap();
        let mut all = all.as_array().cloned().unwrap();
        all.retain(|credit| text(credit, "kind") == "direct");
        all.iter_mut().for_each(|credit| credit["ruleset"] = Value::Null);
        all
    };
    for (with, without) in first.iter().zip(&second) {
        if !with.credits.is_empty() && direct(with) != direct(without) {
            return same("INV-D2", from_ref(with), from_ref(without));
        }
    }
    Ok(())
}

/// INV-O2.
fn released_twice(
    world: &World,
    engine: &Engine,
    records: &[Record],
    first: &[Decision],
) -> Result<(), String> {
    let held: Vec<CreditId> = first
        .iter()
        .flat_map(|decision| &decision.credits)
        .filter(|credit| credit.is_held() && credit.is_direct())
        .map(|credit| credit.id)
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let release = |credit: &CreditId| CreditResolution {
        credit: *credit,
        action: HoldAction::Release,
        date: day("2022-07-01"),
        reason: String::new(),
    };
    let once: Vec<CreditResolution> = held.iter().map(release).collect();
    let twice: Vec<CreditResolution> = once.iter().cloned().chain(once.iter().cloned()).collect();
    let transactions = calculation::latest_versions(&engine.ruleset, records, world.as_of);
    let decide = |resolutions| -> Vec<Decision> {
        let inputs =
            DecisionInputs { as_of: world.as_of, resolutions, ..DecisionInputs::default() };
        let all = calculation::decide_all(&engine.ruleset, &transactions, &inputs, 1);
        all.iter().flatten().map(|decided| row::stored_decision(&engine.ruleset, decided)).collect()
    };
    let (once, twice) = (decide(once), decide(twice));
    let stuck = |credit: &&accredit_domain::credit::posted::PostedCredit| {
        credit.is_held() && held.contains(&credit.id)
    };
    if let Some(credit) = once.iter().flat_map(|decision| &decision.credits).find(stuck) {
        return Err(format!("INV-O2 is broken: released, and still held: {credit:#?}"));
    }
    same("INV-O2", &once, &twice)
}

/// The leaves that are finalized before the business date.
fn closed(world: &World) -> Vec<String> {
    let leaves = periods::leaves(&world.calendar);
    let now = today(world).as_of;
    let counts = |day| world.as_of.is_none() || now.is_some_and(|now| day < now);
    let all = world.finalized.iter().filter(|(_, day)| counts(*day));
    all.flat_map(|(id, _)| periods::meant(&leaves, id)).map(|leaf| leaf.id.clone()).collect()
}

/// INV-L1: what arrives later changes nothing in a finalized period.
fn finalized_stays(world: &World, engine: &Engine, first: &[Decision]) -> Result<(), String> {
    let closed = closed(world);
    let last = world.finalized.iter().map(|(_, day)| *day).max();
    let mut early = world.clone();
    early.transactions.retain(|tx| tx.received <= last);
    let rows = |all: &[Decision]| -> Vec<Value> {
        let credits = all.iter().flat_map(|decision| &decision.credits);
        let credits = credits.filter(|credit| closed.iter().any(|leaf| credit.period == *leaf));
        credits.map(|credit| serde_json::to_value(credit).unwrap()).collect()
    };
    let second = engine.decide(world, &files::records(&early), 1);
    if rows(first) == rows(&second) { Ok(()) } else { same("INV-L1", first, &second) }
}

/// INV-R1: per plan, transaction, recipient, credit type and unit.
fn sums_as_clean(world: &World, first: &[Decision]) -> Result<(), String> {
    let clean = World { finalized: Vec::new(), ..today(world) };
    let second = Engine::of(&clean).unwrap().decide(&clean, &files::records(&clean), 1);
    let (posted, expected) = (sums(first), sums(&second));
    if posted == expected { Ok(()) } else { same("INV-R1", first, &second) }
}

fn sums(all: &[Decision]) -> Vec<(String, rust_decimal::Decimal)> {
    let mut sums = std::collections::BTreeMap::new();
    for credit in all.iter().flat_map(|decision| &decision.credits) {
        if !credit.is_active() {
            continue;
        }
        let value = serde_json::to_value(credit).unwrap();
        let of = |key| text(&value, key);
        let whose = [of("plan"), of("transaction"), of("position"), of("team"), of("payee")];
        let key = format!("{whose:?} {} {}", of("credit_type"), of("unit_type"));
        let amount = credit.amount;
        *sums.entry(key).or_default() += amount;
    }
    let sums = sums.into_iter().filter(|(_, sum): &(String, rust_decimal::Decimal)| !sum.is_zero());
    sums.collect()
}
