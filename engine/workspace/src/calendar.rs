//! `[calendar]` and `organization/periods.csv`: which periods there are, and which are finalized.
//!
//! Not the arithmetic (`domain::calendar`). Called by `settings`. Source: FORMAT section 2, DOMAIN
//! 2.11, INV-L2.
//!
//! **Architecture invariant:** a calendar whose periods contradict each other is an error; what is
//! read in its place is the calendar of months, so that the rest of the directory can be checked.

use jiff::civil::Date;

use super::Files;
use super::csv::{Row, Sheet};
use super::report::{Report, hint};
use super::toml::{Item, Source, Table, Text, choice};
use accredit_domain::calendar::{Calendar, Listed, Named, Period};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// The file of a customer's own periods.
pub(super) const PERIODS: &str = "organization/periods.csv";

/// What `kind` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Monthly,
    /// Weeks of the three periods of a quarter.
    Weeks([i64; 3]),
    Periods,
}

/// Reads the calendar of a workspace.
pub(super) fn read(root: &mut Table<'_>, files: &Files) -> Calendar {
    let mut kind = Kind::Monthly;
    let mut calendar = None;
    let report = root.report();

    if let Some(mut table) = root.table("calendar") {
        let text = table.text("kind");
        kind = text.as_ref().and_then(|text| parse(report, text)).unwrap_or(Kind::Monthly);

        // Asked for whatever the kind, so that a key that belongs to another kind is named as
        // unused.
        let starts = table.take("year_starts");
        let years = table.take("years");
        let used = [(starts, kind == Kind::Monthly), (years, matches!(kind, Kind::Weeks(_)))];
        used.into_iter()
            .filter(|(_, used)| !used)
            .for_each(|(item, _)| unused(item, text.as_ref()));

        calendar = match (kind, text) {
            (Kind::Weeks(weeks), Some(text)) => self::weeks(report, weeks, years, &text),
            (Kind::Periods, Some(text)) => periods(report, files, &text),
            _ => months(starts),
        };

        let finalized = table.take("finalized");
        table.finish();
        calendar = calendar.map(|calendar| finalize(calendar, finalized));
    }

    if kind != Kind::Periods && files.contains_key(PERIODS) {
        let message = format!("`{PERIODS}` is read only where the calendar is made of periods");
        let unread = Diagnostic::warning(Code::CR063, Place::file(PERIODS), message);
        report.push(unread.help("write `kind = \"periods\"` under [calendar], or remove the file"));
    }

    calendar.unwrap_or_default()
}

fn parse(report: &Report, text: &Text) -> Option<Kind> {
    let words = [
        ("monthly", Kind::Monthly),
        ("4-4-5", Kind::Weeks([4, 4, 5])),
        ("4-5-4", Kind::Weeks([4, 5, 4])),
        ("5-4-4", Kind::Weeks([5, 4, 4])),
        ("periods", Kind::Periods),
    ];
    choice(report, text, &words)
}

/// Warns of a setting that the kind of calendar has no use for.
fn unused(item: Option<Item<'_>>, kind: Option<&Text>) {
    let Some(item) = item else { return };
    let kind = kind.map_or("monthly", |kind| kind.text.as_str());
    let message = format!("a calendar of the kind `{kind}` has no use for `{}`", item.key());
    let help = "`year_starts` is for months, `years` for weeks";
    item.report().push(Diagnostic::warning(Code::CR063, item.place(), message).help(help));
}

fn months(starts: Option<Item<'_>>) -> Option<Calendar> {
    let month = starts.and_then(|item| item.integer(1..=12));
    Some(Calendar::months(month.and_then(|month| i8::try_from(month).ok()).unwrap_or(1)))
}

fn weeks(
    report: &Report,
    weeks: [i64; 3],
    item: Option<Item<'_>>,
    kind: &Text,
) -> Option<Calendar> {
    let Some(item) = item else {
        let message = format!("a calendar of the kind `{}` needs `years`", kind.text);
        let help = "add their first days: `years = { 2022 = 2022-01-30, 2023 = 2023-01-29 }`";
        report.error(Code::CR023, kind.place.clone(), message, help);
        return None;
    };

    let before = report.len();
    let mut years: Vec<(String, Date, Place)> = Vec::new();
    for (name, item) in item.table()?.entries() {
        let Some(first) = item.day() else { continue };
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

    match Listed::weeks(weeks, &named) {
        Ok(listed) => Some(Calendar::listed(listed)),
        Err(fault) => {
            let place = years.get(fault.row).map(|(.., place)| place.clone());
            let help = "a year ends where the next one begins, after 52 or 53 weeks";
            report.error(Code::CR061, place.unwrap_or_default(), fault.message, help);
            None
        }
    }
}

fn periods(report: &Report, files: &Files, kind: &Text) -> Option<Calendar> {
    let Some(text) = files.get(PERIODS) else {
        let message = format!("`{PERIODS}` is missing");
        let help = "list the periods there: id,parent,from,to";
        report.error(Code::CR023, kind.place.clone(), message, help);
        return None;
    };

    let source = Source::new(PERIODS, text, report);
    let sheet = Sheet::read(source, &["id", "parent", "from", "to"], &["id"]);

    let before = report.len();
    let mut rows: Vec<Row<'_, '_>> = Vec::new();
    let mut named: Vec<Named> = Vec::new();
    for row in sheet.rows() {
        let Some(period) = period(row) else { continue };
        if named.iter().any(|known| known.id == period.id) {
            let message = format!("the period `{}` is listed twice", period.id);
            row.error(Code::CR026, row.offset("id"), message, "keep one of the two");
        }
        rows.push(row);
        named.push(period);
    }

    // With a row left out every later fault would be about the gap that it left.
    if !sheet.whole() || report.len() > before {
        return None;
    }

    if named.is_empty() {
        let help = "list at least one: id,parent,from,to";
        report.error(Code::CR060, Place::file(PERIODS), "there are no periods".to_owned(), help);
        return None;
    }

    let faults = match Listed::tree(&named) {
        Ok(listed) => return Some(Calendar::listed(listed)),
        Err(faults) => faults,
    };

    let ids: Vec<&str> = named.iter().map(|period| period.id.as_str()).collect();
    for fault in faults {
        let Some(row) = rows.get(fault.row) else { continue };
        let parent = row.text("parent");
        if !parent.is_empty() && !ids.contains(&parent) {
            row.error(
                Code::CR033,
                row.offset("parent"),
                fault.message,
                &hint(parent, "period", &ids),
            );
        } else {
            let help =
                "periods without parts need `from` and `to`, and follow each other day by day";
            row.error(Code::CR060, row.offset("id"), fault.message, help);
        }
    }

    None
}

/// A row of the periods; nothing where something is wrong with it, which is reported.
fn period(row: Row<'_, '_>) -> Option<Named> {
    let id = row.need("id")?.text.clone();
    let days = row.validity()?;
    let parent = row.get("parent").map(|cell| cell.text.clone());
    Some(Named { id, parent, days })
}

/// `finalized`: periods and the days at whose end they were finalized.
fn finalize(calendar: Calendar, item: Option<Item<'_>>) -> Calendar {
    let Some(table) = item.and_then(|item| item.table()) else { return calendar };
    let report = table.report();

    let mut finalized = calendar.clone();
    for (name, item) in table.entries() {
        let Some(day) = item.day() else { continue };
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

        possible(report, &calendar, &period, day, name.place);
        // Reported and finalized all the same, so that the rest of the file is read as it is meant.
        finalized = finalized.finalize(&period, day);
    }

    finalized
}

/// Reports a finalization after which nothing could be posted, or of a period that went on.
fn possible(report: &Report, calendar: &Calendar, period: &Period, day: Date, place: Place) {
    let leaves = calendar.leaves(period);
    if leaves.last().is_none_or(|last| calendar.after(last).is_none()) {
        let message = format!("`{}` is the last period: none would be open", period.id);
        report.error(Code::CR062, place, message, "add the periods that come after it first");
    } else if day < period.end {
        let message = format!("`{}` was finalized on {day}, before it ended", period.id);
        let help = "is the year of that day right?";
        report.push(Diagnostic::warning(Code::CR062, place, message).help(help));
    }
}
