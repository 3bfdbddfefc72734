//! `plans/*.toml`: a plan's own settings.
//!
//! Not its rules (`rule` reads them). Called by `Ruleset::read` for each file. Source: FORMAT
//! section 3.
//!
//! **Architecture invariant:** what the plan's `policies` say is a default only: a rule or result
//! that says something itself is never overruled by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::rule;
use super::setting::{self, Names, expression};
use super::sources::References;
use super::toml::{Item, Source, Table, Text, choice};
use super::{Columns, Settings};
use crate::calendar::{PeriodKind, Validity};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::organization::{Organization, fold};
use crate::plan::{ALERTS, Plan, Selector, Split};
use crate::policy::{Kind, ProgramId, Use};

/// What the words of a plan may refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// `accredit.toml`.
    pub(super) settings: &'a Settings,
    /// The organisation.
    pub(super) organization: &'a Organization,
    /// Whether all of it was understood: else nobody can be said to be unknown.
    pub(super) whole: bool,
    /// Columns of transactions.
    pub(super) columns: &'a Columns,
    /// Policies and queries.
    pub(super) names: Names<'a>,
    /// The plan that is read.
    pub(super) plan: &'a str,
    /// Plans that rules name.
    pub(super) references: &'a References,
}

/// The plan's policies by kind; a kind whose name was not found has none.
pub(super) type Defaults = BTreeMap<Kind, Option<ProgramId>>;

/// Reads the plan `id`; nothing when it is not TOML.
pub(super) fn read(file: Source<'_>, id: &str, scope: Scope<'_>) -> Option<Plan> {
    let scope = Scope { plan: id, ..scope };
    let document = file.parse()?;
    let mut root = Table::root(file, &document);
    let report = root.report();
    let name = root.need_text("name").map(|name| name.text).unwrap_or_default();
    let validity = validity(&mut root);
    let period = root.text("period").and_then(|text| setting::period(report, &text));
    if let Some(text) = root.text("measure") {
        let words = [("individual", false), ("team", true)];
        if choice(report, &text, &words) == Some(true) {
            report.not_yet(text.place, "`measure = \"team\"`");
        }
    }
    let targets = selectors(&mut root, "targets", scope);
    let splits = [
        ("refuse", Split::Refuse),
        ("equal", Split::Equal),
        ("full", Split::Full),
        ("first", Split::First),
    ];
    let split = root.text("split").and_then(|text| choice(report, &text, &splits));
    let require_total_one = root.flag("require_total_one");
    let hold_across_years = root.flag("hold_across_years");
    let alerts = alerts(&mut root);
    let defaults = root.take("policies").map(|item| policies(&item, scope)).unwrap_or_default();
    let filter = match root.take("filter") {
        Some(item) => expression(&item, Use::Filter, scope.names),
        None => defaults.get(&Kind::Filter).copied().flatten(),
    };
    let (direct, indirect) = rule::read(&mut root, &defaults, scope);
    root.finish(&["reward"]);
    Some(Plan {
        id: Arc::from(id),
        name,
        validity,
        period: period.unwrap_or(PeriodKind::Month),
        targets,
        filter,
        split: split.unwrap_or(Split::Refuse),
        require_total_one,
        hold_across_years,
        alerts,
        direct,
        indirect,
    })
}

/// `from` and `to`, inclusive.
pub(super) fn validity(table: &mut Table<'_>) -> Validity {
    let from = table.date("from");
    let end = table.take("to");
    let to: Option<Date> = end.as_ref().and_then(|item| {
        let day = item.as_date();
        if day.is_none() {
            item.refuse("a day such as 2017-03-31");
        }
        day
    });
    if let (Some(from), Some(to), Some(item)) = (from, to, end)
        && to < from
    {
        let message = format!("`to` is {to}, before `from`, which is {from}");
        item.report().error("CR024", item.place(), message, "both days are included");
    }
    Validity::inclusive(from, to)
}

fn alerts(root: &mut Table<'_>) -> BTreeSet<&'static str> {
    let Some(items) = root.list("alerts") else { return ALERTS.into_iter().collect() };
    let words = ALERTS.map(|alert| (alert, alert));
    let texts = items.iter().filter_map(Item::text);
    texts.filter_map(|text| choice(root.report(), &text, &words)).collect()
}

/// Kinds that a plan may choose a policy of.
const CHOSEN: [(Kind, &str); 6] = [
    (Kind::Filter, "filter"),
    (Kind::Crediting, "crediting"),
    (Kind::Value, "value"),
    (Kind::Hold, "hold"),
    (Kind::Duplication, "duplication"),
    (Kind::Rollup, "rollup"),
];

fn policies(item: &Item<'_>, scope: Scope<'_>) -> Defaults {
    let mut defaults = Defaults::new();
    let Some(mut table) = item.table() else { return defaults };
    for (kind, key) in CHOSEN {
        let Some(item) = table.take(key) else { continue };
        let found = item.text().and_then(|text| match text.text.strip_prefix("policy:") {
            Some(name) => {
                let message = format!("`{}` is more than a name", text.text);
                let help = format!("write `{}`", name.trim());
                item.report().error("CR024", text.place, message, &help);
                None
            }
            None => {
                let name = (text.text.trim(), &text.place);
                scope.names.policies.find(item.report(), kind, name)
            }
        });
        defaults.insert(kind, found);
    }
    table.finish(&["reward"]);
    defaults
}

/// The positions that `key` selects; absent selects all.
pub(super) fn selectors(
    table: &mut Table<'_>,
    key: &'static str,
    scope: Scope<'_>,
) -> Vec<Selector> {
    let Some(item) = table.take(key) else { return vec![Selector::All] };
    let items = item.list().unwrap_or_default();
    if item.is_list() && items.is_empty() {
        item.refuse("a list of at least one selector, such as [\"*\"]");
    }
    let texts = items.iter().filter_map(Item::text);
    texts.filter_map(|text| selector(table, &text, scope)).collect()
}

fn selector(table: &Table<'_>, text: &Text, scope: Scope<'_>) -> Option<Selector> {
    let report = table.report();
    let place = text.place.clone();
    if text.text == "*" {
        return Some(Selector::All);
    }
    let Some((word, name)) = text.text.split_once(':') else {
        let message = format!("`{}` selects nothing", text.text);
        let help = "write `*`, `title:NAME`, `position:ID` or `participant:ID`";
        report.error("CR024", place, message, help);
        return None;
    };
    let name = name.trim();
    let organization = scope.organization;
    match word {
        "title" => {
            let versions = organization.positions().flat_map(|(_, known)| &known.versions);
            let titles: BTreeSet<&str> = versions.map(|version| version.title.as_ref()).collect();
            if scope.whole && !titles.iter().any(|title| fold(title) == fold(name)) {
                let message = format!("no position has the title `{name}`");
                let help = did_you_mean(name, titles.iter().copied())
                    .unwrap_or_else(|| "titles stand in organization/positions.csv".to_owned());
                report.push(Diagnostic::warning("CR025", place, message).help(help));
            }
            Some(Selector::Title(fold(name)))
        }
        "position" => {
            let found = organization.find_position(name).map(Selector::Position);
            if found.is_none() && scope.whole {
                let known = organization.positions().map(|(_, known)| known.id.as_ref());
                report.unknown("CR025", place, ("position", name), known);
            }
            found
        }
        "participant" => {
            let found = organization.find_participant(name).map(Selector::Participant);
            if found.is_none() && scope.whole {
                let known = organization.participants().map(|(_, known)| known.id.as_ref());
                report.unknown("CR025", place, ("participant", name), known);
            }
            found
        }
        "team" => {
            report.not_yet(place, "the selector `team:`");
            None
        }
        _ => {
            let words = [("title", ()), ("position", ()), ("participant", ())];
            let word = Text { text: word.to_owned(), ..text.clone() };
            choice(report, &word, &words);
            None
        }
    }
}
