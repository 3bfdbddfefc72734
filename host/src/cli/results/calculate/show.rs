//! What `accredit calculate` shows of a calculation: which of its lists, in which columns.
//!
//! Not the formats (`cli::output`, `tabular`). Called by `calculate`. Source: FORMAT section 6.
//!
//! **Architecture invariant:** without `--show`, JSON is the whole object and CSV is credits, column by
//! column as FORMAT has them.

use std::collections::HashSet;
use std::io::{self, Write};

use accredit_crediting::calculation::Calculation;
use accredit_domain::credit::fields::CREDIT_COLUMNS;
use accredit_domain::decision::REWARD_COLUMNS;
use accredit_domain::note::{NOTE_COLUMNS, Note};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value as Json;

use super::output::ResultFormat;
use crate::cli::print::destination::Destination;
use crate::cli::print::output;

/// A list of a calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShownList {
    /// The credits.
    Credits,
    /// The rewards.
    Rewards,
    /// Deals without a credit, and why.
    Uncredited,
    /// Deals that could not be decided, and why.
    Parked,
    /// What a person should look at.
    Alerts,
}

/// Lists that a table shows when none is asked for.
const TABLE_LISTS: [ShownList; 5] = [
    ShownList::Credits,
    ShownList::Rewards,
    ShownList::Uncredited,
    ShownList::Parked,
    ShownList::Alerts,
];

impl ShownList {
    /// Its key in JSON, and its heading.
    fn list_name(self) -> (&'static str, &'static str) {
        match self {
            ShownList::Credits => ("credits", "Credits"),
            ShownList::Rewards => ("rewards", "Rewards"),
            ShownList::Uncredited => ("uncredited", "Uncredited"),
            ShownList::Parked => ("parked", "Parked"),
            ShownList::Alerts => ("alerts", "Alerts"),
        }
    }

    /// Every column, in the order of FORMAT section 6.
    fn all_columns(self) -> &'static [&'static str] {
        match self {
            ShownList::Credits => &CREDIT_COLUMNS,
            ShownList::Rewards => &REWARD_COLUMNS,
            ShownList::Uncredited | ShownList::Parked | ShownList::Alerts => &NOTE_COLUMNS,
        }
    }

    /// Columns that fit on a screen.
    fn screen_columns(self) -> &'static [&'static str] {
        match self {
            ShownList::Credits => &[
                "transaction",
                "incentive_date",
                "rule",
                "kind",
                "position",
                "payee",
                "team",
                "relationship",
                "amount",
                "status",
            ],

            ShownList::Rewards => &[
                "reward",
                "payee",
                "team",
                "credited",
                "quota",
                "attainment",
                "amount",
                "unit_type",
            ],

            ShownList::Uncredited | ShownList::Parked | ShownList::Alerts => {
                &["transaction", "stage", "code", "message"]
            }
        }
    }

    fn rows(self, calculations: &[Calculation]) -> Vec<Json> {
        fn rows<'a, T: Serialize + 'a>(lists: impl Iterator<Item = &'a Vec<T>>) -> Vec<Json> {
            lists.flatten().filter_map(|row| serde_json::to_value(row).ok()).collect()
        }

        let all = calculations.iter();
        match self {
            ShownList::Credits => rows(all.map(|one| &one.credits)),
            ShownList::Rewards => rows(all.map(|one| &one.rewards)),
            ShownList::Uncredited => note_rows(all.map(|one| &one.uncredited)),
            ShownList::Parked => note_rows(all.map(|one| &one.parked)),
            ShownList::Alerts => note_rows(all.map(|one| &one.alerts)),
        }
    }

    /// The columns of a table: plan and period where there are several, no column for teams without
    /// any.
    fn table_columns(self, rows: &[Json], calculations: &[Calculation]) -> Vec<&'static str> {
        let first = calculations.first();
        let plans =
            calculations.iter().any(|one| first.is_some_and(|first| one.plan != first.plan));
        let periods =
            calculations.iter().any(|one| first.is_some_and(|first| one.period != first.period));

        let teams = rows.iter().any(|row| !row["team"].is_null());
        let plan = plans.then_some("plan");
        let period = (periods && self.all_columns().contains(&"period")).then_some("period");
        let narrow = self.screen_columns().iter().copied();
        let narrow = narrow.filter(|column| teams || *column != "team");
        plan.into_iter().chain(period).chain(narrow).collect()
    }
}

/// Notes of several calculations: a deal without a period is in each of them, and is shown once.
fn note_rows<'a>(lists: impl Iterator<Item = &'a Vec<Note>>) -> Vec<Json> {
    let mut known: HashSet<String> = HashSet::new();
    let mut shown = Vec::new();
    for list in lists {
        let rows = list.iter().filter_map(|row| serde_json::to_value(row).ok());
        let fresh: Vec<Json> = rows.filter(|row| !known.contains(&row.to_string())).collect();
        known.extend(fresh.iter().map(Json::to_string));
        shown.extend(fresh);
    }
    shown
}

/// What is printed: calculations, and what must be said about them.
pub(crate) struct NotedCalculations<'a> {
    /// The calculations that were asked for.
    pub(crate) calculations: &'a [Calculation],
    /// One sentence about all of them.
    pub(crate) note: Option<&'a str>,
    /// Whether the one calculation is an object in JSON; several are an array.
    pub(crate) alone: bool,
}

/// A calculation as an object of JSON, with its note as the last key.
#[derive(Serialize)]
struct NotedCalculation<'a> {
    #[serde(flatten)]
    calculation: &'a Calculation,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Writes calculations: the note is a key of every object in JSON, a line below tables, and on
/// standard error beside the other formats, which have no room for it.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn write_calculations(
    out: &mut Destination,
    (format, show): (ResultFormat, &[ShownList]),
    shown: NotedCalculations<'_>,
) -> io::Result<()> {
    let (calculations, note) = (shown.calculations, shown.note);
    match format {
        ResultFormat::Json => {
            let noted =
                calculations.iter().map(|calculation| NotedCalculation { calculation, note });
            if show.is_empty() {
                write_objects(out, &noted.collect::<Vec<_>>(), shown.alone)
            } else {
                let selected = noted.map(|noted| selected_lists(&noted, show));
                write_objects(out, &selected.collect::<Vec<_>>(), shown.alone)
            }
        }

        ResultFormat::Csv | ResultFormat::Ndjson | ResultFormat::Parquet => {
            if let Some(note) = note {
                eprintln!("note: {note}");
            }
            let one = show.first().copied().unwrap_or(ShownList::Credits);
            let rows = one.rows(calculations);
            if format == ResultFormat::Csv {
                return output::write_csv(out, one.all_columns(), &rows);
            }
            rows.iter().try_for_each(|row| output::write_json(&mut *out, row, false))
        }

        ResultFormat::Table => {
            write_tables(out, show, calculations)?;
            note.map_or(Ok(()), |note| writeln!(out, "{note}"))
        }
    }
}

/// One object `alone`, or an array of them.
fn write_objects<T: Serialize>(
    out: &mut Destination,
    objects: &[T],
    alone: bool,
) -> io::Result<()> {
    let pretty = out.is_terminal();
    match objects {
        [object] if alone => output::write_json(out, object, pretty),
        objects => output::write_json(out, &objects, pretty),
    }
}

/// The lists one below the other; those that are not asked for by name only where they hold
/// something, credits always.
fn write_tables(
    out: &mut Destination,
    show: &[ShownList],
    calculations: &[Calculation],
) -> io::Result<()> {
    let asked = !show.is_empty();
    let lists = if asked { show } else { &TABLE_LISTS };

    let lists = lists.iter().map(|list| {
        let mut rows = list.rows(calculations);
        // Of the alerts, those that say why a row is missing that no other list has.
        rows.retain(|row| asked || *list != ShownList::Alerts || row["stage"] == "reward");
        (*list, rows)
    });

    let lists =
        lists.filter(|(list, rows)| asked || *list == ShownList::Credits || !rows.is_empty());
    let lists: Vec<(ShownList, Vec<Json>)> = lists.collect();

    for (list, rows) in &lists {
        if lists.len() > 1 {
            writeln!(out, "{}", list.list_name().1)?;
        }
        output::write_table(&mut *out, &list.table_columns(rows, calculations), rows)?;
    }
    Ok(())
}

/// The object, with no other lists than those asked for.
fn selected_lists(calculation: &NotedCalculation<'_>, show: &[ShownList]) -> Json {
    const LISTS: [&str; 6] = ["credits", "uncredited", "parked", "alerts", "log", "rewards"];
    let mut all = serde_json::to_value(calculation).unwrap_or_default();
    if let Some(object) = all.as_object_mut() {
        let wanted = |key: &str| show.iter().any(|list| list.list_name().0 == key);
        object.retain(|key, _| !LISTS.contains(&key.as_str()) || wanted(key));
    }
    all
}
