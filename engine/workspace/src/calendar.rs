//! `[calendar]` and `organization/periods.csv`: which periods there are, and which are closed
//! or finalized.
//!
//! Not the arithmetic (`domain::calendar`). Called by `settings`. Source: FORMAT section 2, DOMAIN
//! 2.11, INV-L2.
//!
//! **Architecture invariant:** a calendar whose periods contradict each other is an error; what is
//! read in its place is the calendar of months, so that the rest of the directory can be checked.

use jiff::civil::Date;

use super::Files;
use super::csv::{DefinitionRow, DefinitionSheet};
use super::report::{Findings, suggest_names};
use super::toml::{DefinitionText, PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::calendar::{Calendar, ListedPeriod, Period, PeriodList};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// The file of a customer's own periods.
pub(super) const PERIODS: &str = "organization/periods.csv";

/// The values of `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CalendarKind {
    Monthly,
    /// Weeks of the three periods of a quarter.
    Weeks([i64; 3]),
    Periods,
}

/// Reads the calendar of a workspace.
pub(super) fn read(root: &mut TomlTable<'_>, files: &Files) -> Calendar {
    let mut kind = CalendarKind::Monthly;
    let mut calendar = None;
    let report = root.report();

    if let Some(mut table) = root.take_table("calendar") {
        let text = table.take_text("kind");
        kind = text
            .as_ref()
            .and_then(|text| parse_kind(report, text))
            .unwrap_or(CalendarKind::Monthly);

        // Read for every kind, so that a key of another kind is reported as unused.
        let starts = table.take("year_starts");
        let years = table.take("years");
        let used = [
            (starts, kind == CalendarKind::Monthly),
            (years, matches!(kind, CalendarKind::Weeks(_))),
        ];
        used.into_iter()
            .filter(|(_, used)| !used)
            .for_each(|(item, _)| warn_unused_setting(item, text.as_ref()));

        calendar = match (kind, text) {
            (CalendarKind::Weeks(weeks), Some(text)) => {
                self::weeks_calendar(report, weeks, years, &text)
            }
            (CalendarKind::Periods, Some(text)) => periods_calendar(report, files, &text),
            _ => months_calendar(starts),
        };

        let (closed, finalized) = (table.take("closed"), table.take("finalized"));
        table.finish();
        calendar = calendar.map(|calendar| {
            let calendar = read_locks(calendar, closed, PeriodLock::Closed);
            read_locks(calendar, finalized, PeriodLock::Finalized)
        });
    }

    if kind != CalendarKind::Periods && files.contains_key(PERIODS) {
        let message = format!("`{PERIODS}` is read only where the calendar is made of periods");
        let unread = Diagnostic::warning(Code::CR063, Place::whole_file(PERIODS), message);
        report.push(
            unread.with_help("write `kind = \"periods\"` under [calendar], or remove the file"),
        );
    }

    calendar.unwrap_or_default()
}

fn parse_kind(report: &Findings, text: &PlacedText) -> Option<CalendarKind> {
    let words = [
        ("monthly", CalendarKind::Monthly),
        ("4-4-5", CalendarKind::Weeks([4, 4, 5])),
        ("4-5-4", CalendarKind::Weeks([4, 5, 4])),
        ("5-4-4", CalendarKind::Weeks([5, 4, 4])),
        ("periods", CalendarKind::Periods),
    ];
    parse_choice(report, text, &words)
}

/// Warns of a setting that the kind of calendar has no use for.
fn warn_unused_setting(item: Option<TomlItem<'_>>, kind: Option<&PlacedText>) {
    let Some(item) = item else { return };
    let kind = kind.map_or("monthly", |kind| kind.text.as_str());
    let message = format!("a calendar of the kind `{kind}` does not use `{}`", item.key());
    let help = "`year_starts` is for months, `years` for weeks";
    item.report().push(Diagnostic::warning(Code::CR063, item.place(), message).with_help(help));
}

fn months_calendar(starts: Option<TomlItem<'_>>) -> Option<Calendar> {
    let month = starts.and_then(|item| item.expect_integer(1..=12));
    Some(Calendar::of_months(month.and_then(|month| i8::try_from(month).ok()).unwrap_or(1)))
}

fn weeks_calendar(
    report: &Findings,
    weeks: [i64; 3],
    item: Option<TomlItem<'_>>,
    kind: &PlacedText,
) -> Option<Calendar> {
    let Some(item) = item else {
        let message = format!("a calendar of the kind `{}` needs `years`", kind.text);
        let help = "add their first days: `years = { 2022 = 2022-01-30, 2023 = 2023-01-29 }`";
        report.error(Code::CR023, kind.place.clone(), message, help);
        return None;
    };

    let before = report.len();
    let mut years: Vec<(String, Date, Place)> = Vec::new();
    for (name, item) in item.expect_table()?.entries() {
        let Some(first) = item.expect_date() else { continue };
        if name.text.len() == 4 && name.text.chars().all(|digit| digit.is_ascii_digit()) {
            years.push((name.text, first, name.place));
        } else {
            let message = format!("`{}` is not a year", name.text);
            report.error(Code::CR024, name.place, message, "write four digits, such as 2022");
        }
    }

    if years.is_empty() {
        if report.len() == before {
            item.refuse("a table of at least one year and its first day");
        }
        return None;
    }

    // In order of their names, which is the order of time: a year ends where the next one begins.
    years.sort();
    let named: Vec<(String, Date)> =
        years.iter().map(|(name, first, _)| (name.clone(), *first)).collect();

    match PeriodList::from_weeks(weeks, &named) {
        Ok(listed) => Some(Calendar::of_periods(listed)),
        Err(fault) => {
            let place = years.get(fault.row).map(|(.., place)| place.clone());
            let help = "a year ends where the next one begins, after 52 or 53 weeks";
            report.error(Code::CR061, place.unwrap_or_default(), fault.message, help);
            None
        }
    }
}

fn periods_calendar(report: &Findings, files: &Files, kind: &PlacedText) -> Option<Calendar> {
    let Some(text) = files.get(PERIODS) else {
        let message = format!("`{PERIODS}` is missing");
        let help = "list the periods there: id,parent,from,to";
        report.error(Code::CR023, kind.place.clone(), message, help);
        return None;
    };

    let source = DefinitionText::new(PERIODS, text, report);
    let sheet = DefinitionSheet::read(source, &["id", "parent", "from", "to"], &["id"]);

    let before = report.len();
    let mut rows: Vec<DefinitionRow<'_, '_>> = Vec::new();
    let mut named: Vec<ListedPeriod> = Vec::new();
    for row in sheet.rows() {
        let Some(period) = read_period(row) else { continue };
        if named.iter().any(|known| known.id == period.id) {
            let message = format!("the period `{}` is listed twice", period.id);
            row.report_error(Code::CR026, row.cell_offset("id"), message, "keep one of the two");
        }
        rows.push(row);
        named.push(period);
    }

    // With a row left out every later fault would be about the gap that it left.
    if !sheet.is_whole() || report.len() > before {
        return None;
    }

    if named.is_empty() {
        let help = "list at least one: id,parent,from,to";
        report.error(
            Code::CR060,
            Place::whole_file(PERIODS),
            "there are no periods".to_owned(),
            help,
        );
        return None;
    }

    let faults = match PeriodList::from_tree_rows(&named) {
        Ok(listed) => return Some(Calendar::of_periods(listed)),
        Err(faults) => faults,
    };

    let ids: Vec<&str> = named.iter().map(|period| period.id.as_str()).collect();
    for fault in faults {
        let Some(row) = rows.get(fault.row) else { continue };
        let parent = row.text("parent");
        if !parent.is_empty() && !ids.contains(&parent) {
            row.report_error(
                Code::CR033,
                row.cell_offset("parent"),
                fault.message,
                &suggest_names(parent, "period", &ids),
            );
        } else {
            let help =
                "periods without parts need `from` and `to`, and follow each other day by day";
            row.report_error(Code::CR060, row.cell_offset("id"), fault.message, help);
        }
    }

    None
}

/// A row of the periods; nothing where something is wrong with it, which is reported.
fn read_period(row: DefinitionRow<'_, '_>) -> Option<ListedPeriod> {
    let id = row.need_cell("id")?.text.clone();
    let days = row.read_validity()?;
    let parent = row.get("parent").map(|cell| cell.text.clone());
    Some(ListedPeriod { id, parent, days })
}

/// What makes a period take no new entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeriodLock {
    Closed,
    Finalized,
}

/// `closed` and `finalized`: periods and the days at whose end they were closed or finalized.
fn read_locks(calendar: Calendar, item: Option<TomlItem<'_>>, lock: PeriodLock) -> Calendar {
    let Some(table) = item.and_then(|item| item.expect_table()) else { return calendar };
    let report = table.report();

    let mut locked = calendar.clone();
    for (name, item) in table.entries() {
        let Some(day) = item.expect_date() else { continue };
        let Some(period) = calendar.find(&name.text) else {
            let message = format!("there is no period `{}`", name.text);
            report.error(
                Code::CR025,
                name.place,
                message,
                "write the id of a period of this calendar",
            );
            continue;
        };

        check_lock(report, &calendar, (&period, day), (lock, name.place));
        // Reported and locked all the same, so that the rest of the file is read as it is meant.
        locked = match lock {
            PeriodLock::Closed => locked.with_closed(&period, day),
            PeriodLock::Finalized => locked.with_finalized(&period, day),
        };
    }

    locked
}

/// Reports a lock that leaves no period to post to, or one of a period that has not ended.
fn check_lock(
    report: &Findings,
    calendar: &Calendar,
    (period, day): (&Period, Date),
    (lock, place): (PeriodLock, Place),
) {
    let leaves = calendar.leaf_periods(period);
    let word = if lock == PeriodLock::Closed { "closed" } else { "finalized" };
    if leaves.last().is_none_or(|last| calendar.next_leaf(last).is_none()) {
        let message = format!("`{}` is the last period: none would be open", period.id);
        report.error(Code::CR062, place, message, "add the periods that come after it first");
    } else if day < period.end {
        let message = format!("`{}` was {word} on {day}, before it ended", period.id);
        let help = "check the year of that day";
        report.push(Diagnostic::warning(Code::CR062, place, message).with_help(help));
    }
}
