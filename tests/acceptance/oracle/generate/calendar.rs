//! Calendars, what of them is finalized, and currencies.

use rust_decimal::Decimal;

use crate::oracle::features::{Feature, on};
use crate::oracle::naive::periods::{self, Leaf};
use crate::oracle::random::Random;
use crate::oracle::world::{Calendar, PeriodRow, Rate, Span, UnitType, World, day};

pub(super) fn calendar(r: &mut Random) -> Calendar {
    if on(Feature::Calendars) && r.one_in(4) {
        return if r.one_in(2) { weeks(r) } else { listed(r) };
    }
    Calendar::Months(*r.pick(&[1, 1, 1, 1, 7, 2, 12]))
}

/// First days of 2021, 2022 and 2023; the third has a year of 53 weeks.
const YEARS: [[&str; 3]; 3] = [
    ["2021-01-03", "2022-01-02", "2023-01-01"],
    ["2021-01-31", "2022-01-30", "2023-01-29"],
    ["2021-01-31", "2022-02-06", "2023-02-05"],
];

fn weeks(r: &mut Random) -> Calendar {
    let pattern = *r.pick(&[[4, 4, 5], [4, 5, 4], [5, 4, 4]]);
    let days = r.pick(&YEARS);
    let mut years: Vec<(i16, _)> = (2021..2024).zip(days.iter().map(|text| day(text))).collect();
    if r.one_in(4) {
        years.remove(0);
    } else if r.one_in(4) {
        years.pop();
    }
    Calendar::Weeks(pattern, years)
}

/// Three years of which the second has halves or leaves of uneven length.
fn listed(r: &mut Random) -> Calendar {
    let row = |id: &str, parent: &str, span| PeriodRow {
        id: id.to_owned(),
        parent: parent.to_owned(),
        span,
    };
    let span = |from: &str, to: &str| Span { from: Some(day(from)), to: Some(day(to)) };
    let mut all = vec![row("2021", "", span("2021-01-01", "2021-12-31"))];
    all.push(row("2022", "", Span::default()));
    let halves = r.one_in(2);
    if halves {
        all.push(row("first half", "2022", Span::default()));
        all.push(row("second half", "2022", Span::default()));
    }
    let middle = r.word(&["2022-01-31", "2022-03-31", "2022-01-12"]);
    let next = day(middle).tomorrow().unwrap().to_string();
    let (one, two) = if halves { ("first half", "second half") } else { ("2022", "2022") };
    all.push(row("A", one, span("2022-01-01", middle)));
    all.push(row("B", one, span(&next, "2022-06-30")));
    all.push(row("C", two, span("2022-07-01", "2022-12-14")));
    all.push(row("D", two, span("2022-12-15", "2022-12-31")));
    if !r.one_in(4) {
        all.push(row("2023", "", span("2023-01-01", "2023-12-31")));
    }
    Calendar::Periods(all)
}

/// The id of some period of the year 2022 or after it.
pub(super) fn period(r: &mut Random, calendar: &Calendar) -> String {
    let all = periods::leaves(calendar);
    let near: Vec<&Leaf> = all.iter().filter(|l| l.year == "2022" || l.year == "2023").collect();
    let leaf = r.pick(&near);
    r.pick(&[&leaf.id, &leaf.id, &leaf.quarter, &leaf.year]).to_string()
}

/// Some early periods are finalized, on a day after they ended.
pub(super) fn finalized(r: &mut Random, world: &mut World) {
    if !on(Feature::Finalized) || !r.one_in(4) {
        return;
    }
    let all = periods::leaves(&world.calendar);
    let early = |leaf: &&Leaf| leaf.year == "2022" || leaf.year == "2021";
    let mut early: Vec<&Leaf> = all.iter().filter(early).collect();
    early.truncate(early.len() - 1);
    let mut from = early.iter().position(|leaf| leaf.year == "2022").unwrap_or(0);
    for _ in 0..1 + r.below(3) {
        let Some(leaf) = early.get(from) else { return };
        let quarter: Vec<&&Leaf> = early.iter().filter(|l| l.quarter == leaf.quarter).collect();
        let open = all.last().is_some_and(|last| last.quarter == leaf.quarter)
            || all.iter().filter(|l| l.quarter == leaf.quarter).count() > quarter.len();
        let whole = r.one_in(3) && !open && quarter[0].id == leaf.id;
        let (id, last) = match quarter.last() {
            Some(last) if whole => (&leaf.quarter, last.last),
            _ => (&leaf.id, leaf.last),
        };
        from += if whole { quarter.len() } else { 1 + r.below(2) };
        let mut end = last;
        for _ in 0..*r.pick(&[0, 1, 20, 70]) {
            end = end.tomorrow().unwrap();
        }
        if r.one_in(3) {
            world.closed.push(id.clone());
        }
        world.finalized.push((id.clone(), end));
    }
}

/// Unit types other than dollars, and their rates.
pub(super) fn money(r: &mut Random, world: &mut World) {
    if !on(Feature::Currencies) || !r.one_in(3) {
        return;
    }
    for (name, scale) in [("EUR", None), ("JPY", Some(0)), ("PTS", Some(1))] {
        world.units.push(UnitType { name: name.to_owned(), scale });
    }
    if r.one_in(4) {
        let person = r.below(world.people.len());
        world.people[person].currency = Some(r.word(&["EUR", "JPY", "PTS"]).to_owned());
    }
    let pairs = [("USD", "EUR"), ("EUR", "USD"), ("USD", "JPY"), ("JPY", "USD"), ("EUR", "JPY")];
    for (from_unit, to_unit) in pairs {
        if r.one_in(4) {
            continue;
        }
        let cut = day(r.word(&["2022-01-12", "2022-01-31", "2022-06-30"]));
        let until = Span { from: None, to: Some(cut) };
        let after = Span { from: Some(cut.tomorrow().unwrap()), to: None };
        let mut add = |rate: &str, span| {
            let (from_unit, to_unit) = (from_unit.to_owned(), to_unit.to_owned());
            world.rates.push(Rate { from_unit, to_unit, rate: rate.parse().unwrap(), span });
        };
        add(r.word(&["0.90", "1.1", "130.25", "0.0077"]), until);
        if !r.one_in(5) {
            add(r.word(&["0.88", "1.15", "128"]), after);
        }
    }
    debug_assert!(world.rates.iter().all(|rate| rate.rate > Decimal::ZERO));
}
