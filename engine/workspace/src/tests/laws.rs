//! Laws of what a directory may say, over generated directories: versions of one object do not
//! overlap (DOMAIN INV-P2), leaf periods neither overlap nor leave gaps (INV-L2).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::small::SETTINGS;
use crate::{Files, Ruleset};
use accredit_domain::calendar::{Calendar, PeriodKind};
use accredit_domain::diagnostic::Diagnostic;

fn read(settings: &str, tables: &[(&str, &str)]) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(format!("{SETTINGS}{settings}")));
    for (file, text) in tables {
        files.insert(format!("organization/{file}.csv"), Arc::from(*text));
    }
    Ruleset::read(&files, &BTreeSet::new())
}

/// Days of 2026 by number, from 0.
fn day(number: u16) -> Date {
    date(2026, 1, 1).checked_add(i64::from(number).days()).unwrap()
}

/// First and last day of a version, blank where it has none.
type Span = (Option<u16>, Option<u16>);

fn cells((from, to): Span) -> String {
    let cell = |number: Option<u16>| number.map(|it| day(it).to_string()).unwrap_or_default();
    format!("{},{}", cell(from), cell(to))
}

/// Whether some day lies in both; the naive way, day by day, one beyond each end.
fn share_a_day(one: Span, other: Span) -> bool {
    let inside = |(from, to): Span, day: i32| {
        from.is_none_or(|from| i32::from(from) <= day) && to.is_none_or(|to| day <= i32::from(to))
    };
    (-1..=61).any(|day| inside(one, day) && inside(other, day))
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let end = || prop::option::weighted(0.8, 0..60_u16);
    let span = (end(), end()).prop_map(|span| match span {
        (Some(from), Some(to)) if from > to => (Some(to), Some(from)),
        span => span,
    });
    prop::collection::vec(span, 1..5)
}

/// The tables of objects that have versions, with a row before its dates.
const TABLES: [(&str, &str, &str); 5] = [
    ("positions", "id,title,manager,from,to", "P,Rep,,"),
    ("participants", "id,name,email,currency,from,to", "p,Pat,,,"),
    ("assignments", "position,participant,from,to", "P,p,"),
    ("teams", "id,name,parent,manager,from,to", "T,Team,,,"),
    ("members", "team,participant,weight,from,to", "T,p,1,"),
];

fn tiles(calendar: &Calendar, days: &[Date]) -> Result<(), TestCaseError> {
    for day in days {
        for kind in [PeriodKind::Leaf, PeriodKind::Quarter, PeriodKind::Year] {
            let Some(period) = calendar.period_on(*day, kind) else { continue };
            prop_assert!(period.contains(*day), "{day}: {period:?}");
            prop_assert_eq!(calendar.find(&period.id), Some(period));
            // Its leaves follow each other from its first day to its last.
            let leaves = calendar.leaf_periods(&period);
            let mut from = period.first;
            for leaf in &leaves {
                prop_assert_eq!(leaf.first, from, "{} leaves a gap or overlaps", &leaf.id);
                prop_assert!(leaf.first < leaf.end);
                from = leaf.end;
            }
            prop_assert_eq!(from, period.end);
            let holding = leaves.iter().filter(|leaf| leaf.contains(*day)).count();
            prop_assert_eq!(holding, 1, "{}", day);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn versions_that_overlap_are_refused_and_no_others(which in 0..5_usize, spans in spans()) {
        let (wanted, ..) = TABLES[which];
        let table = |(file, header, row): (&str, &str, &str)| {
            let mut text = format!("{header}\n");
            let always = [(None, None)];
            let spans = if file == wanted { spans.as_slice() } else { &always };
            for span in spans {
                writeln!(text, "{row}{}", cells(*span)).unwrap();
            }
            text
        };
        let texts: Vec<(&str, String)> = TABLES.iter().map(|one| (one.0, table(*one))).collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (*file, text.as_str())).collect();
        let (_, findings) = read("", &texts);
        let refused = findings.iter().any(|finding| finding.code == "CR034");
        let pairs = (0..spans.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let overlap = pairs.into_iter().any(|(one, other)| share_a_day(spans[one], spans[other]));
        prop_assert_eq!(refused, overlap, "{:?}: {:?}", texts, findings);
    }

    #[test]
    fn leaves_tile_the_time(
        kind in prop::sample::select(vec!["monthly", "4-4-5", "4-5-4", "5-4-4"]),
        start in 1..13_i8,
        first in 0..360_u16,
        weeks in prop::collection::vec(52..54_i64, 1..4),
        days in prop::collection::vec(0..900_u16, 1..20),
    ) {
        let mut settings = format!("[calendar]\nkind = \"{kind}\"\n");
        if kind == "monthly" {
            writeln!(settings, "year_starts = {start}").unwrap();
        } else {
            let mut year = day(first);
            settings.push_str("years = { ");
            for (number, weeks) in (2026..).zip(&weeks) {
                write!(settings, "{number} = {year}, ").unwrap();
                year = year.checked_add((weeks * 7).days()).unwrap();
            }
            write!(settings, "{} = {year} }}", 2026 + weeks.len()).unwrap();
        }
        let (ruleset, findings) = read(&settings, &[]);
        let calendar = ruleset.map(|ruleset| ruleset.settings.calendar);
        prop_assert!(calendar.is_some(), "{}: {:?}", settings, findings);
        let days: Vec<Date> = days.into_iter().map(day).collect();
        tiles(&calendar.unwrap(), &days)?;
    }
}
