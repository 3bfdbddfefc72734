//! What may be written in case files, outside of their blocks, and in the header of a CSV file.

use accredit_domain::credit::fields::CREDIT_COLUMNS;

use super::CompletionKind::{Column, Key, Plan, Value};
use super::{CompletionScope, ProposedItem};
use crate::names::SETTINGS;

/// Settings of a case, with what they mean.
const CASE_SETTINGS: &[(&str, &str)] = &[
    ("as-of", "The business date, such as 2026-01-31."),
    ("period", "Only credits of this period are listed, and its rewards."),
    ("plan", "Only this plan is listed."),
    ("order", "`order: any`: the rows of tables may come in any order."),
    ("finalized", "Periods that are finalized and on which day, or `none`."),
];

/// Columns of tables of a case that are no columns of a credit.
const CASE_COLUMNS: [&str; 6] = ["outcome", "code", "message", "alert", "action", "reason"];

/// Languages of blocks with the paths that they may have.
const BLOCKS: [(&str, &str); 5] = [
    ("csv transactions", "Deals as CSV."),
    ("ndjson transactions", "Deals as JSON, a line each."),
    ("toml accredit.toml", "Settings in place of the customer's own."),
    ("toml plans/NAME.toml", "A plan in place of the customer's own."),
    ("rhai policies/KIND/NAME.rhai", "A policy in place of the customer's own."),
];

/// What may be written in a case file.
pub(super) fn case_proposals(scope: &CompletionScope<'_>) -> (String, Vec<ProposedItem>) {
    let before = scope.before;

    if let Some(info) = before.trim_start().strip_prefix("```") {
        let fixed = BLOCKS.iter();
        let fixed = fixed.map(|(info, about)| ProposedItem::new(*info, Value).about(*about));
        let own = scope.workspace.files.keys().filter_map(|path| {
            let language = match path.rsplit('.').next()? {
                "csv" => "csv",
                "toml" => "toml",
                "rhai" => "rhai",
                _ => return None,
            };
            Some(ProposedItem::new(format!("{language} {path}"), Value))
        });
        return (info.to_owned(), fixed.chain(own).collect());
    }

    if before.starts_with('|') {
        let cell = before.rsplit('|').next().unwrap_or_default().trim_start();
        let columns = CREDIT_COLUMNS.iter().copied().chain(CASE_COLUMNS);
        let columns =
            ["transaction"].into_iter().chain(columns.filter(|one| *one != "transaction"));
        let items = columns.map(|name| ProposedItem::new(name, Column).detail("column of a case"));
        return (cell.to_owned(), items.collect());
    }

    match before.split_once(':') {
        Some(("plan", typed)) => {
            let plans = scope.workspace.files.keys().filter_map(|path| {
                path.strip_prefix("plans/")?.strip_suffix(".toml").map(str::to_owned)
            });
            let items = plans.map(|plan| ProposedItem::new(plan, Plan));
            (typed.trim_start().to_owned(), items.collect())
        }
        None if before.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-') => {
            let settings = CASE_SETTINGS.iter().map(|(name, about)| {
                ProposedItem::new(*name, Key).about(*about).insert(format!("{name}: "))
            });
            (before.to_owned(), settings.collect())
        }
        _ => (String::new(), Vec::new()),
    }
}

/// What may be written in a CSV file: the columns that a table declares, in its header.
pub(super) fn row_proposals(scope: &CompletionScope<'_>) -> (String, Vec<ProposedItem>) {
    let typed = scope.before.rsplit(',').next().unwrap_or_default().trim_start();
    let typed = typed.trim_start_matches('"').to_owned();
    let path = scope.edited.path;

    if let Some(table) = scope.names.tables.iter().find(|table| table.path() == path)
        && scope.edited.at.line == 1
    {
        let item = |name: &str, detail: &str| {
            let about = format!("Declared in [tables.{}] of {SETTINGS}.", table.name);
            ProposedItem::new(name, Column).detail(detail).about(about)
        };
        let keys = table.keys.iter().map(|name| item(name, "key"));
        let ranges = table.ranges.iter().map(|name| item(name, "lower bound"));
        let values = table.values.iter().map(|(name, kind)| item(name, kind));
        let dates = ["from", "to"].map(|name| item(name, "day"));
        return (typed, keys.chain(ranges).chain(values).chain(dates).collect());
    }
    (typed, Vec::new())
}
