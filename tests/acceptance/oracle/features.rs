//! What the worlds may have, in groups, and how often each thing was reached.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::naive::posting::Entry;
use super::naive::{Decided, Decision, Row, Status};
use super::world::{Assign, Calendar, World};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Feature {
    /// Lists in `assign`.
    Lists,
    /// Plans that take credits from others.
    Sources,
    Teams,
    Territories,
    /// Week calendars and listed periods.
    Calendars,
    /// Finalized periods, and rows that arrive later.
    Finalized,
    /// Unit types, a currency of transactions, exchange rates.
    Currencies,
    /// `[[reward]]` and quotas.
    Rewards,
    /// Policies as scripts, of plans and by name.
    Policies,
    /// Tables, attributes, people by name.
    Tables,
}

/// The groups that generated worlds have.
const ENABLED: &[Feature] = &[
    Feature::Lists,
    Feature::Sources,
    Feature::Teams,
    Feature::Territories,
    Feature::Calendars,
    Feature::Finalized,
    Feature::Currencies,
    Feature::Rewards,
    Feature::Policies,
    Feature::Tables,
];

pub(crate) fn on(feature: Feature) -> bool {
    ENABLED.contains(&feature)
}

/// How many worlds reached what.
#[derive(Debug, Default)]
pub(crate) struct Reached(Mutex<BTreeMap<&'static str, usize>>);

impl Reached {
    pub(crate) fn count(&self, names: &[&'static str]) {
        let mut all = self.0.lock().unwrap();
        for name in names {
            *all.entry(name).or_default() += 1;
        }
    }

    /// Prints the numbers and names what no world reached.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let all = self.0.lock().unwrap();
        for (name, count) in all.iter() {
            println!("{count:>7} {name}");
        }
        let wanted = |(_, group): &&(&str, Option<Feature>)| group.is_none_or(on);
        let of_scripts = OF_SCRIPTS.iter().map(|name| (*name, Some(Feature::Policies)));
        let of_tables = OF_TABLES.iter().map(|name| (*name, Some(Feature::Tables)));
        let paid = super::paid::WANTED.iter().map(|name| (*name, Some(Feature::Rewards)));
        let wanted_all: Vec<_> =
            WANTED.iter().copied().chain(of_scripts).chain(of_tables).chain(paid).collect();
        let wanted = wanted_all.iter().filter(wanted).map(|(name, _)| *name);
        wanted.filter(|name| !all.contains_key(name)).collect()
    }
}

/// What some world must reach, and the group that it needs.
const WANTED: &[(&str, Option<Feature>)] = &[
    ("credited", None),
    ("uncredited", None),
    ("parked", None),
    ("filtered", None),
    ("suppressed", None),
    ("held", None),
    ("held, policy error", None),
    ("held, other year", None),
    ("vacant", None),
    ("several plans", None),
    ("Reporting", None),
    ("Related Order (Person)", None),
    ("Related Order (Position)", None),
    ("declared relationship", None),
    ("declared relationship via an ancestor", None),
    ("30 positions", None),
    ("from another plan", Some(Feature::Sources)),
    ("suppressed by another plan", Some(Feature::Sources)),
    ("list of words", Some(Feature::Lists)),
    ("team plan", Some(Feature::Teams)),
    ("Parent Team", Some(Feature::Teams)),
    ("Team", Some(Feature::Teams)),
    ("members: Equal", Some(Feature::Teams)),
    ("members: Weight", Some(Feature::Teams)),
    ("members: Full", Some(Feature::Teams)),
    ("members: Manager", Some(Feature::Teams)),
    ("territory", Some(Feature::Territories)),
    ("week calendar", Some(Feature::Calendars)),
    ("listed periods", Some(Feature::Calendars)),
    ("a closed period", Some(Feature::Finalized)),
    ("a void deal", None),
    ("reversed", Some(Feature::Finalized)),
    ("late", Some(Feature::Finalized)),
    ("exchanged", Some(Feature::Currencies)),
    ("without a rate", Some(Feature::Currencies)),
    ("another unit above", Some(Feature::Currencies)),
];

/// What policies must have done in some world.
const OF_SCRIPTS: &[&str] = &[
    "script: filter by plan",
    "script: filter lets in",
    "script: filter keeps out",
    "script: crediting by plan",
    "script: crediting by name",
    "script: crediting text",
    "script: crediting nobody",
    "script: crediting shares",
    "script: value by plan",
    "script: value by name",
    "script: hold by plan",
    "script: hold by name",
    "script: hold beaten by a word",
    "script: hold until no period",
    "script: duplication by plan",
    "script: duplication by name",
    "script: duplication beaten by a word",
    "script: duplicate kept",
    "script: duplicate suppressed",
    "script: rollup by plan",
    "script: rollup by name",
    "script: rollup nothing",
    "script: map with a maximum",
    "script: map with a hold",
    "script: map with a credit type",
    "script: filter fails",
    "script: crediting fails",
    "script: value fails",
    "script: hold fails",
    "script: duplication fails",
    "script: rollup fails",
    "script: unlike kinds",
    "script: throw",
    "script: for",
    "script: len",
    "script: const",
    "script: helper",
    "share",
    "no_hold",
    "hold_for",
    "hold_until",
    "hold_until_period",
    "hold_until_next",
    "hold_indefinitely",
];

/// What tables, attributes and names must have come to in some world.
const OF_TABLES: &[&str] = &[
    "table: any key",
    "table: a named key",
    "table: one of two keys",
    "table: two named keys",
    "table: a lower bound",
    "table: dates",
    "table: several values",
    "table: no row",
    "table: found nothing",
    "attribute: of a person",
    "attribute: of a position",
    "attribute: of a team",
    "attribute: none",
    "who: nobody",
    "who: several",
    "who: a person in a position",
    "who: a person without a position",
    "who: a vacant position",
    "an expression of tables or people",
    "tiers from a table",
    "a quota of the plan",
    "a quota of the plan by days",
    "a quota of parts",
    "a quota of parts by days",
    "due: an amount",
    "due: a fault",
];

/// What a world has, whatever becomes of it.
pub(crate) fn of_world(world: &World) -> Vec<&'static str> {
    let mut all = Vec::new();
    all.extend((world.plans.len() > 1).then_some("several plans"));
    let places: BTreeSet<&String> = world.seats.iter().map(|seat| &seat.id).collect();
    all.extend((places.len() == 30).then_some("30 positions"));
    all.extend((!world.closed.is_empty()).then_some("a closed period"));
    all.extend(world.transactions.iter().any(|tx| tx.void).then_some("a void deal"));
    match &world.calendar {
        Calendar::Months(_) => (),
        Calendar::Weeks(..) => all.push("week calendar"),
        Calendar::Periods(_) => all.push("listed periods"),
    }
    all
}

/// What entries of finalized periods there are.
pub(crate) fn of_entries(entries: &[Entry]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for entry in entries {
        all.extend(entry.reverses.is_some().then_some("reversed"));
        all.extend((entry.origin == "late").then_some("late"));
    }
    all
}

/// What a decision of a plan reached.
pub(crate) fn of_decision(world: &World, plan: usize, found: &Decision) -> Vec<&'static str> {
    let mut all = Vec::new();
    let tx = world.transactions.iter().rev().find(|tx| tx.id == found.transaction).unwrap();
    match &found.decided {
        Decided::Filtered => all.push("filtered"),
        Decided::Uncredited => all.push("uncredited"),
        Decided::Parked(codes) => {
            all.push("parked");
            let exchanged = codes.contains(&"bad_value") && tx.currency == "JPY";
            all.extend(
                (exchanged && tx.units != "x" && tx.amount != "12x").then_some("without a rate"),
            );
        }
        Decided::Credited(rows) => {
            all.push("credited");
            for row in rows {
                of_row(world, plan, row, &mut all);
                let other = !tx.currency.is_empty() && tx.currency != row.unit && row.unit != "PTS";
                all.extend((other && row.rolled.is_none()).then_some("exchanged"));
                let root = rows.iter().find(|root| root.rolled.is_none());
                let above = root.is_some_and(|root| root.unit != row.unit);
                all.extend((above && row.rolled.is_some()).then_some("another unit above"));
            }
        }
    }
    all
}

fn of_row(world: &World, plan: usize, row: &Row, all: &mut Vec<&'static str>) {
    let plan = &world.plans[plan];
    match &row.status {
        Status::Active => (),
        Status::Held => all.push("held"),
        Status::Suppressed(first) => {
            all.push("suppressed");
            if !first.starts_with(&format!("{}:", plan.id)) {
                all.push("suppressed by another plan");
            }
        }
    }
    match row.reason {
        "policy_error" => all.push("held, policy error"),
        "release_in_other_year" => all.push("held, other year"),
        _ => (),
    }
    let named =
        |name: &str| WANTED.iter().map(|(wanted, _)| *wanted).find(|wanted| *wanted == name);
    let rule = plan.direct.iter().find(|rule| rule.name == row.rule && row.rolled.is_none());
    if let (Some(rule), Some(_), false) = (rule, &row.team, plan.teams) {
        all.extend(rule.members.and_then(|members| named(&format!("members: {members:?}"))));
    }
    if let Some(rule) = rule {
        let area = |assign: &Assign| matches!(assign, Assign::Territory(_));
        let only = !rule.assign.is_empty() && rule.assign.iter().all(area);
        all.extend(only.then_some("territory"));
        all.extend((rule.assign.len() > 1).then_some("list of words"));
    }
    if plan.teams {
        all.push("team plan");
    } else if row.payee.is_none() {
        all.push("vacant");
    }
    if let Some(rolled) = &row.rolled {
        let other = world.kinds.contains(&rolled.relationship);
        all.extend(named(&rolled.relationship));
        all.extend(other.then_some("declared relationship"));
        let from = rolled.source.split(' ').collect::<Vec<_>>();
        let above = other && !from.contains(&rolled.via.as_str());
        all.extend(above.then_some("declared relationship via an ancestor"));
        let elsewhere = !rolled.source.starts_with(&format!("{}:", plan.id));
        all.extend(elsewhere.then_some("from another plan"));
    }
}
