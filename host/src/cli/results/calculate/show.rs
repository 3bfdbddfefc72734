//! What `accredit calculate` prints of a calculation: which of its lists, in which columns.
//!
//! Not the formats (`cli::output`). Called by `calculate`. Source: FORMAT section 6.
//!
//! **Architecture invariant:** without `--show`, JSON is the whole object and CSV is credits, column by
//! column as FORMAT has them.

use accredit_crediting::calculation::Calculation;
use accredit_domain::credit::posted::CREDIT_COLUMNS;
use accredit_domain::decision::{NOTE_COLUMNS, REWARD_COLUMNS};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value as Json;

use crate::cli::print::output::{self, Format};

/// A list of a calculation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// Who gets credit for what.
    Credits,
    /// What the credits are worth.
    Rewards,
    /// Deals that nobody is credited with, and why.
    Uncredited,
    /// Deals that could not be decided, and why.
    Parked,
    /// What somebody should look at.
    Alerts,
}

/// Lists that a table shows when none is asked for.
const TABLE: [Show; 5] =
    [Show::Credits, Show::Rewards, Show::Uncredited, Show::Parked, Show::Alerts];

impl Show {
    /// Its key in JSON, and its heading.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Show::Credits => ("credits", "Credits"),
            Show::Rewards => ("rewards", "Rewards"),
            Show::Uncredited => ("uncredited", "Uncredited"),
            Show::Parked => ("parked", "Parked"),
            Show::Alerts => ("alerts", "Alerts"),
        }
    }

    /// Every column, in the order of FORMAT section 6.
    fn columns(self) -> &'static [&'static str] {
        match self {
            Show::Credits => &CREDIT_COLUMNS,
            Show::Rewards => &REWARD_COLUMNS,
            Show::Uncredited | Show::Parked | Show::Alerts => &NOTE_COLUMNS,
        }
    }

    /// Columns that fit on a screen.
    fn narrow(self) -> &'static [&'static str] {
        match self {
            Show::Credits => &[
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

            Show::Rewards => &[
                "reward",
                "payee",
                "team",
                "credited",
                "quota",
                "attainment",
                "amount",
                "unit_type",
            ],

            Show::Uncredited | Show::Parked | Show::Alerts => {
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
            Show::Credits => rows(all.map(|one| &one.credits)),
            Show::Rewards => rows(all.map(|one| &one.rewards)),
            Show::Uncredited => rows(all.map(|one| &one.uncredited)),
            Show::Parked => rows(all.map(|one| &one.parked)),
            Show::Alerts => rows(all.map(|one| &one.alerts)),
        }
    }

    /// The columns of a table: the plan where there are several, no column for teams without any.
    fn table(self, rows: &[Json], plans: usize) -> Vec<&'static str> {
        let teams = rows.iter().any(|row| !row["team"].is_null());
        let plan = (plans > 1).then_some("plan");
        let narrow = self.narrow().iter().copied();
        plan.into_iter().chain(narrow.filter(|column| teams || *column != "team")).collect()
    }
}

/// Whether `format` can hold what is asked for.
///
/// # Errors
/// What to tell the user.
pub(crate) fn fits(format: Format, show: &[Show]) -> Result<(), &'static str> {
    if format == Format::Csv && show.len() > 1 {
        return Err("a CSV file has one list: write one word after --show");
    }
    Ok(())
}

/// Prints calculations; one `alone` is an object in JSON, several are an array.
pub(crate) fn print((format, show): (Format, &[Show]), calculations: &[Calculation], alone: bool) {
    match (format, calculations) {
        (Format::Json, [one]) if alone && show.is_empty() => output::json(one),
        (Format::Json, all) if show.is_empty() => output::json(&all),

        (Format::Json, _) => {
            let all = calculations.iter().map(|calculation| narrowed(calculation, show));
            let all: Vec<Json> = all.collect();
            match all.as_slice() {
                [calculation] if alone => output::json(calculation),
                all => output::json(&all),
            }
        }

        (Format::Csv, _) => {
            let one = show.first().copied().unwrap_or(Show::Credits);
            output::csv(one.columns(), &one.rows(calculations));
        }

        (Format::Table, _) => tables(show, calculations),
    }
}

/// The lists one below the other; those that are not asked for by name only where they hold
/// something, credits always.
fn tables(show: &[Show], calculations: &[Calculation]) {
    let asked = !show.is_empty();
    let lists = if asked { show } else { &TABLE };

    let lists = lists.iter().map(|list| {
        let mut rows = list.rows(calculations);
        // Of the alerts, those that say why a row is missing that no other list has.
        rows.retain(|row| asked || *list != Show::Alerts || row["stage"] == "reward");
        (*list, rows)
    });

    let lists = lists.filter(|(list, rows)| asked || *list == Show::Credits || !rows.is_empty());
    let lists: Vec<(Show, Vec<Json>)> = lists.collect();

    for (list, rows) in &lists {
        if lists.len() > 1 {
            output::line(list.name().1);
        }
        output::table(&list.table(rows, calculations.len()), rows);
    }
}

/// The object, with no other lists than those asked for.
fn narrowed(calculation: &Calculation, show: &[Show]) -> Json {
    const LISTS: [&str; 6] = ["credits", "uncredited", "parked", "alerts", "log", "rewards"];
    let mut all = serde_json::to_value(calculation).unwrap_or_default();
    if let Some(object) = all.as_object_mut() {
        let wanted = |key: &str| show.iter().any(|list| list.name().0 == key);
        object.retain(|key, _| !LISTS.contains(&key.as_str()) || wanted(key));
    }
    all
}
