//! Tables of which two rows count at once are refused, and no others.

use std::collections::BTreeSet;

use accredit_domain::diagnostic::{Code, Severity};
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::exhaustive;
use super::random::Random;
use super::tables::{Table, TableRow};
use super::world::{Span, World, day};
use super::{files, number};

/// What a cell names; none matches anything.
fn named(cell: &str) -> Option<String> {
    let cell = cell.trim().to_lowercase();
    (!matches!(cell.as_str(), "" | "*")).then_some(cell)
}

fn keys(row: &TableRow) -> Vec<Option<String>> {
    row.keys.iter().map(|cell| named(cell)).collect()
}

/// Below every bound that rows have.
fn bound(row: &TableRow) -> Decimal {
    if row.bound.is_empty() { Decimal::from(-1_000) } else { row.bound.parse().unwrap() }
}

/// Whether neither of two rows counts before the other, at some point at which both match and no
/// other row counts before them.
fn two_count(rows: &[TableRow]) -> bool {
    let cells = |place: usize| -> Vec<String> {
        let all = rows.iter().filter_map(|row| named(&row.keys[place]));
        let all: BTreeSet<String> = all.chain(["none".to_owned()]).collect();
        all.into_iter().collect()
    };
    let bounds: BTreeSet<Decimal> = rows.iter().map(bound).collect();
    let starts = rows.iter().filter_map(|row| row.span.from);
    let ends = rows.iter().filter_map(|row| row.span.to.map(|to| to.tomorrow().unwrap()));
    let days: BTreeSet<Date> = starts.chain(ends).chain([day("2000-01-01")]).collect();
    for one in &cells(0) {
        for two in &cells(1) {
            for number in &bounds {
                if days.iter().any(|day| two_at(rows, [one, two], *number, *day)) {
                    return true;
                }
            }
        }
    }
    false
}

/// The same at one point.
fn two_at(rows: &[TableRow], point: [&String; 2], number: Decimal, day: Date) -> bool {
    let matches = |row: &&TableRow| {
        let mut cells = keys(row).into_iter().zip(point);
        row.span.has(day)
            && bound(row) <= number
            && cells.all(|(cell, key)| cell.is_none_or(|cell| cell == *key))
    };
    let all: Vec<&TableRow> = rows.iter().filter(matches).collect();
    let count = |row: &&&TableRow| keys(row).into_iter().flatten().count();
    let Some(most) = all.iter().map(|row| count(&row)).max() else { return false };
    let best: Vec<&&TableRow> = all.iter().filter(|row| count(row) == most).collect();
    let largest = best.iter().map(|row| bound(row)).max();
    let same = best.iter().all(|row| keys(row) == keys(best[0]));
    !same || best.iter().filter(|row| Some(bound(row)) == largest).count() > 1
}

fn row(r: &mut Random) -> TableRow {
    let key = |r: &mut Random| r.word(&["*", "", "a", "A ", "b"]).to_owned();
    let days = ["2022-01-01", "2022-01-31", "2022-06-30"];
    let (from, to) = (r.one_in(3), r.one_in(3));
    let mut span =
        Span { from: from.then(|| day(r.word(&days))), to: to.then(|| day(r.word(&days))) };
    if span.from.zip(span.to).is_some_and(|(from, to)| to < from) {
        span.to = None;
    }
    let bound = r.word(&["", "", "", "0", "10"]).to_owned();
    TableRow { keys: vec![key(r), key(r)], bound, values: vec!["1".to_owned()], span }
}

/// Whether the world with a table of these rows is refused for that.
fn refused(world: &World, rows: Vec<TableRow>) -> bool {
    let mut world = world.clone();
    let values = vec![("rate", "number")];
    let keys = vec!["one", "two"];
    world.tables = vec![Table { name: "points", keys, range: Some("least"), values, rows }];
    let all = files::files(&world);
    let (_, diagnostics) = Ruleset::read(&all, &files::columns(&world));
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.iter().all(|error| error.code == Code::CR094), "{errors:#?}");
    !errors.is_empty()
}

/// The check of a table looks at pairs of rows, and a look-up at points. Both must come to the same,
/// or a deal could have two rates.
#[test]
fn tables_are_refused_where_two_rows_count() {
    let seed = number("ACCREDIT_SEED", 1) as u64;
    let world = exhaustive::worlds().remove(0);
    let mut found = [0; 2];
    for n in 0..1_000 {
        let mut random = Random(seed + n);
        let rows: Vec<TableRow> = (0..2 + random.below(4)).map(|_| row(&mut random)).collect();
        let two = two_count(&rows);
        assert_eq!(refused(&world, rows.clone()), two, "seed {}: {rows:#?}", seed + n);
        found[usize::from(two)] += 1;
    }
    assert!(found.iter().all(|count| *count > 100), "{found:?}");
}
