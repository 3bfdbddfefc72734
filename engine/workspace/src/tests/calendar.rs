//! `[calendar]` and `organization/periods.csv`: what they read as, and every mistake in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::date;

use crate::{Files, Ruleset};
use accredit_domain::calendar::{Calendar, PeriodKind, PeriodPhase};
use accredit_domain::diagnostic::Diagnostic;

const SETTINGS: &str = "\
[workspace]
name = \"Small\"
[fields]
id = \"id\"
date = \"closed\"
owner = \"rep\"
[calendar]
";

const PERIODS: &str = "organization/periods.csv";

const HALVES: &str = "\
id,parent,from,to
2022,,,
h1,2022,,2022-06-30
winter,h1,2022-01-01,2022-02-28
spring,h1,2022-03-01,2022-06-30
h2,2022,2022-07-01,2022-12-31
";

fn read(calendar: &str, periods: Option<&str>) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(format!("{SETTINGS}{calendar}\n")));
    if let Some(periods) = periods {
        files.insert(PERIODS.to_owned(), Arc::from(periods));
    }
    Ruleset::read(&files, &BTreeSet::new())
}

fn good(calendar: &str, periods: Option<&str>) -> Calendar {
    let (ruleset, findings) = read(calendar, periods);
    assert_eq!(findings, [], "{calendar}");
    ruleset.unwrap().settings.calendar
}

/// The only finding: its code, whether it is an error, line and column; `¦` stands at its place.
fn refused(code: &str, error: bool, calendar: &str, periods: Option<&str>) {
    let plain = |text: &str| text.replace('¦', "");
    let (ruleset, findings) = read(&plain(calendar), periods.map(plain).as_deref());
    let marked = format!("{SETTINGS}{calendar}");
    let texts = [("accredit.toml", marked.as_str()), (PERIODS, periods.unwrap_or(""))];
    let place = texts.into_iter().find_map(|(file, text)| {
        let lines = (1..).zip(text.lines());
        let mut found = lines.filter_map(|(line, text)| Some((line, text.split_once('¦')?.0)));
        found.next().map(|(line, before)| (file, line, before.chars().count() as u32 + 1))
    });
    let place = place.unwrap_or((PERIODS, 0, 0));
    let found: Vec<_> = findings
        .iter()
        .map(|it| {
            (
                it.code.as_str(),
                it.is_error(),
                (it.place.file.as_str(), it.place.line, it.place.column),
            )
        })
        .collect();
    assert_eq!(found, [(code, error, place)], "{calendar} {periods:?} {findings:#?}");
    assert_eq!(ruleset.is_none(), error);
    assert!(findings[0].help.is_some());
}

#[test]
fn calendars() {
    assert_eq!(good("", None), Calendar::default());
    assert_eq!(good("kind = \"monthly\"\nyear_starts = 4", None), Calendar::of_months(4));
    let weeks = good("kind = \"4-4-5\"\nyears = { 2023 = 2023-01-29, 2022 = 2022-01-30 }", None);
    assert_eq!(weeks.find("2022-P02").unwrap().first, date(2022, 2, 27));
    assert_eq!(weeks.find("2023-P01").unwrap().first, date(2023, 1, 29));
    let halves = good("kind = \"periods\"", Some(HALVES));
    let id = |kind| halves.period_on(date(2022, 3, 1), kind).unwrap().id;
    assert_eq!(id(PeriodKind::Leaf), "spring");
    assert_eq!((id(PeriodKind::Quarter), id(PeriodKind::Year)), ("h1".into(), "2022".into()));
}

#[test]
fn finalized_periods() {
    let calendar = good("finalized = { \"2022-01\" = 2022-03-04, 2021 = 2022-01-15 }", None);
    let state = |id: &str, day| calendar.period_phase(&calendar.find(id).unwrap(), day);
    assert_eq!(state("2022-01", date(2022, 3, 4)), PeriodPhase::Ended);
    assert_eq!(state("2022-01", date(2022, 3, 5)), PeriodPhase::Finalized);
    assert_eq!(state("2021-07", date(2022, 3, 5)), PeriodPhase::Finalized);
    assert_eq!(state("2022", date(2022, 3, 5)), PeriodPhase::Open);
}

#[test]
fn closed_periods() {
    let text = "closed = { \"2022-01\" = 2022-02-05 }\nfinalized = { \"2022-01\" = 2022-03-04 }";
    let calendar = good(text, None);
    let state = |day| calendar.period_phase(&calendar.find("2022-01").unwrap(), day);
    assert_eq!(state(date(2022, 2, 5)), PeriodPhase::Ended);
    assert_eq!(state(date(2022, 2, 6)), PeriodPhase::Closed);
    assert_eq!(state(date(2022, 3, 5)), PeriodPhase::Finalized);
}

#[test]
fn settings_that_are_refused() {
    let weeks = "kind = \"4-4-5\"\nyears";
    let error = |code, calendar: &str| refused(code, true, calendar, None);
    error("CR024", "kind = ¦\"mothly\"");
    error("CR023", "kind = ¦\"4-4-5\"");
    error("CR024", &format!("{weeks} = ¦{{}}"));
    error("CR024", &format!("{weeks} = {{ ¦22 = 2022-01-30, 2023 = 2023-01-29 }}"));
    error("CR024", &format!("{weeks} = {{ 2022 = ¦\"2022-01-30\", 2023 = 2023-01-29 }}"));
    error("CR061", &format!("{weeks} = {{ ¦2022 = 2022-01-30, 2023 = 2023-01-30 }}"));
    error("CR061", &format!("{weeks} = {{ ¦2022 = 2022-01-30, 2024 = 2024-02-04 }}"));
    error("CR061", &format!("{weeks} = {{ ¦2022 = 2023-01-29, 2023 = 2022-01-30 }}"));
    error("CR061", &format!("{weeks} = {{ ¦9999 = 9999-12-01 }}"));
    error("CR024", "finalized = ¦3");
    error("CR024", "finalized = { \"2022-01\" = ¦\"2022-03-04\" }");
    error("CR025", "finalized = { ¦\"2022-13\" = 2022-03-04 }");
    error("CR025", "closed = { ¦\"2022-13\" = 2022-03-04 }");
    let one = format!("{weeks} = {{ 2022 = 2022-01-30 }}\nfinalized");
    error("CR025", &format!("{one} = {{ ¦\"2022-01\" = 2022-03-04 }}"));
    error("CR062", &format!("{one} = {{ ¦\"2022-P12\" = 2023-03-04 }}"));
    error("CR062", &format!("{one} = {{ ¦2022 = 2023-03-04 }}"));
    let warning = |code, calendar: &str| refused(code, false, calendar, None);
    warning("CR062", "closed = { ¦\"2022-01\" = 2022-01-31 }");
    warning("CR062", "finalized = { ¦\"2022-01\" = 2022-01-31 }");
    warning("CR063", "years = ¦{ 2022 = 2022-01-30 }");
    warning("CR063", &format!("{weeks} = {{ 2022 = 2022-01-30 }}\nyear_starts = ¦7"));
}

#[test]
fn periods_that_are_refused() {
    refused("CR063", false, "", Some("id\n"));
    let (_, findings) = read("kind = \"periods\"", None);
    assert_eq!((findings[0].code.as_str(), findings[0].place.line), ("CR023", 8));
    let error = |code, rows: &str| refused(code, true, "kind = \"periods\"", Some(rows));
    error("CR060", "id,parent,from,to\n");
    let row = |code, old: &str, new: &str| {
        assert!(HALVES.contains(old), "{old}");
        error(code, &HALVES.replacen(old, new, 1));
    };
    row("CR060", "spring,h1,2022-03-01", "¦spring,h1,2022-03-02");
    row("CR060", "spring,h1,2022-03-01", "¦spring,h1,2022-02-28");
    row("CR060", "spring,h1,2022-03-01,2022-06-30", "¦spring,h1,2022-03-01,");
    row("CR060", "h1,2022,,2022-06-30", "¦h1,2022,2022-01-01,2022-06-29");
    row("CR060", "h1,2022,,2022-06-30", "¦h1,2022,,2022-06-29");
    row("CR060", "2022,,,\n", "2022,,,\n¦odd,odd,,\n");
    row("CR033", "h2,2022", "h2,¦2021");
    row("CR026", "spring,", "¦winter,");
    row("CR032", "2022-07-01", "¦7/1/2022");
    row("CR032", "winter,", "¦,");
    row("CR031", "parent", "¦part");
    // The parts of a period must be neighbours.
    let mixed = HALVES
        .replace("spring,h1", "spring,h2")
        .replace("2022-07-01", "")
        .replace("h2,2022,,2022-12-31\n", "h2,2022,,\nsummer,h2,2022-07-01,2022-12-31\n");
    let mixed = mixed.replace("h1,2022,,2022-06-30", "h1,2022,,");
    assert_eq!(read("kind = \"periods\"", Some(&mixed)).1, []);
    error("CR060", &mixed.replace("summer,h2", "¦summer,h1"));
}
