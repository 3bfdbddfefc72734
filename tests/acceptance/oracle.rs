//! The semantics twice: the engine against a naive reading of the specification, world by world.
//!
//! `ACCREDIT_WORLDS` is the number of random worlds, `ACCREDIT_SEED` the number of the first.

mod exhaustive;
mod files;
mod generate;
mod naive;
mod shrink;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_engine::calculation;
use accredit_engine::stage::Inputs;
use accredit_engine::workspace::Ruleset;
use naive::{Decided, Row, Status};
use rust_decimal::Decimal;
use serde_json::Value;
use world::World;

const THREADS: usize = 2;
const WORLDS: usize = 20_000;

/// The engine's result of the fiscal year 2022, or why it refuses the files.
fn calculate(world: &World) -> Result<Value, String> {
    let (ruleset, diagnostics) = Ruleset::read(&files::files(world), &files::columns());
    let Some(ruleset) = ruleset else { return Err(format!("refused: {diagnostics:#?}")) };
    let as_of = world.as_of;
    let transactions = calculation::latest(&ruleset, &files::records(world), as_of);
    let inputs = Inputs { as_of, resolutions: Vec::new() };
    let decided = calculation::decide_all(&ruleset, &transactions, &inputs, 1);
    let period = ruleset.settings.calendar.find("2022").ok_or("no year 2022")?;
    let result = calculation::assemble(&ruleset, files::PLAN, &period, &decided);
    serde_json::to_value(&result).map_err(|error| error.to_string())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// The expected rows and the engine's, line by line; `None` when they agree.
fn difference(world: &World) -> Option<String> {
    let expected = naive::expected(world);
    let result = match calculate(world) {
        Ok(result) => result,
        Err(refused) => return Some(refused),
    };
    let mine: Vec<&Row> = credited(&expected).flatten().collect();
    let theirs = result["credits"].as_array().unwrap();
    let lines = |lines: Vec<String>| lines.join("\n  ");
    let (left, right) = (
        credited(&expected).flat_map(|rows| rows.iter().map(|row| line(world, row, rows))),
        theirs.iter().map(|credit| engine_line(credit, theirs)),
    );
    let (left, right): (Vec<String>, Vec<String>) = (left.collect(), right.collect());
    let shares = mine.iter().zip(theirs).all(|(row, credit)| same_share(row, credit));
    if left == right && shares && others(&expected, &result) {
        return None;
    }
    let decided = expected.iter().filter(|(_, decided)| !matches!(decided, Decided::Credited(_)));
    Some(format!(
        "naive:\n  {}\n  {:?}\nengine:\n  {}\n  uncredited: {}\n  parked: {}\n",
        lines(left),
        decided.collect::<Vec<_>>(),
        lines(right),
        result["uncredited"],
        result["parked"],
    ))
}

fn credited(expected: &[(String, Decided)]) -> impl Iterator<Item = &Vec<Row>> {
    expected.iter().filter_map(|(_, decided)| match decided {
        Decided::Credited(rows) => Some(rows),
        _ => None,
    })
}

/// Whether the uncredited are the same, and the parked with one of the codes that fit.
fn others(expected: &[(String, Decided)], result: &Value) -> bool {
    let mut uncredited: Vec<&str> = Vec::new();
    let mut parked: Vec<(&str, &naive::Codes)> = Vec::new();
    for (id, decided) in expected {
        match decided {
            Decided::Uncredited => uncredited.push(id),
            Decided::Parked(codes) => parked.push((id, codes)),
            _ => (),
        }
    }
    let list = |key: &str| {
        let mut list: Vec<&Value> = result[key].as_array().unwrap().iter().collect();
        list.sort_by_key(|note| text(note, "transaction"));
        list
    };
    uncredited.sort_unstable();
    parked.sort_unstable();
    let named: Vec<&str> = list("uncredited").iter().map(|n| text(n, "transaction")).collect();
    let found = list("parked");
    let fits = |((id, codes), note): (&(&str, &naive::Codes), &&Value)| {
        *id == text(note, "transaction") && codes.contains(&text(note, "code"))
    };
    uncredited == named
        && parked.len() == found.len()
        && parked.iter().zip(&found).all(fits)
        && result["transactions"].as_u64() == Some(expected.len() as u64)
}

/// Shares are shown with ten decimals at most.
fn same_share(row: &Row, credit: &Value) -> bool {
    let share = credit["share"].as_str().map(|share| share.parse::<Decimal>().unwrap());
    match (row.share, share) {
        (Some(a), Some(b)) => (a - b).abs() < Decimal::new(1, 9),
        (a, b) => a == b,
    }
}

fn line(world: &World, row: &Row, rows: &[Row]) -> String {
    let place = |place: usize| format!("{place} ({})", rows[place].position);
    let rolled = row.rolled.as_ref().map(|(relationship, via, level, source)| {
        format!("{relationship} via {via} level {level} of {}", place(*source))
    });
    let scale = world.scale as usize;
    let (status, release) = match row.status {
        Status::Active => ("active".to_owned(), row.release),
        Status::Held => ("held".to_owned(), row.release),
        Status::Suppressed(first) => (format!("suppressed by {}", place(first)), None),
    };
    let other_year = row.other_year && row.status == Status::Held;
    format!(
        "{} {} {}/{}: {} {} ({}) {} {} USD {:.scale$} {status} {} {}",
        row.transaction,
        row.date,
        row.rule,
        row.result,
        if rolled.is_some() { "indirect" } else { "direct" },
        row.position,
        row.payee.as_deref().unwrap_or(""),
        rolled.unwrap_or_default(),
        row.credit_type,
        row.amount,
        release.map(|date| date.to_string()).unwrap_or_default(),
        if other_year { "release_in_other_year" } else { "" },
    )
}

fn engine_line(credit: &Value, all: &[Value]) -> String {
    let mine: Vec<&Value> =
        all.iter().filter(|c| c["transaction"] == credit["transaction"]).collect();
    let place = |id: &str| match mine.iter().position(|c| text(c, "id") == id) {
        Some(place) => format!("{place} ({})", text(mine[place], "position")),
        None => format!("nothing called {id}"),
    };
    let rolled = match text(credit, "source") {
        "" => String::new(),
        source => format!(
            "{} via {} level {} of {}",
            text(credit, "relationship"),
            text(credit, "via"),
            credit["level"],
            place(source)
        ),
    };
    let reason = text(credit, "reason");
    let (status, release) = match reason.strip_prefix("duplicate_of:") {
        Some(id) => (format!("{} by {}", text(credit, "status"), place(id)), ""),
        None => (text(credit, "status").to_owned(), text(credit, "release_date")),
    };
    let other_year = reason == "release_in_other_year";
    format!(
        "{} {} {}/{}: {} {} ({}) {rolled} {} {} {} {status} {release} {}",
        text(credit, "transaction"),
        text(credit, "incentive_date"),
        text(credit, "rule"),
        text(credit, "result"),
        text(credit, "kind"),
        text(credit, "position"),
        text(credit, "payee"),
        text(credit, "credit_type"),
        text(credit, "unit_type"),
        text(credit, "amount"),
        if other_year { reason } else { "" },
    )
}

/// The smallest world that fails in the same way, as files, with both results.
fn report(name: &str, world: World) -> String {
    let refused = |world: &World| difference(world).is_some_and(|text| text.starts_with("refused"));
    let was_refused = refused(&world);
    let fails = |world: &World| match difference(world) {
        Some(text) => text.starts_with("refused") == was_refused,
        None => false,
    };
    let world = shrink::smallest(world, fails);
    let mut out = format!("{name}, as of {:?}\n", world.as_of);
    for (path, text) in files::files(&world) {
        out.push_str(&format!("--- {path}\n{text}"));
    }
    out.push_str("--- transactions\n");
    for record in files::records(&world) {
        out.push_str(&format!("{:?}\n", record.cells));
    }
    out.push_str(&difference(&world).unwrap_or_default());
    out
}

/// Compares `count` worlds on a few threads; stops at the first that differs.
fn compare(
    count: usize,
    name: impl Fn(usize) -> String + Sync,
    of: impl Fn(usize) -> World + Sync,
) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            if difference(&of(index)).is_some() {
                next.store(count, Ordering::Relaxed);
                panic!("{}", report(&name(index), of(index)));
            }
        }
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let failed = all.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(failed, 0, "engine and specification differ: see above");
    });
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_worlds_are_decided_as_specified() {
    let seed = number("ACCREDIT_SEED", 1);
    let name = |index| format!("ACCREDIT_SEED={} ACCREDIT_WORLDS=1", seed + index);
    compare(number("ACCREDIT_WORLDS", WORLDS), name, |index| {
        generate::world((seed + index) as u64)
    });
}

#[test]
fn every_small_world_is_decided_as_specified() {
    let all = exhaustive::worlds();
    compare(all.len(), |index| format!("small world {index}"), |index| all[index].clone());
}
