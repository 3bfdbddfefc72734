//! Credits as lines that both sides are written as, and what else must be the same.

use std::collections::HashMap;

use jiff::civil::Date;
use serde_json::Value;

use super::naive::periods;
use super::naive::posting::{self, Entry};
use super::naive::{self, Codes, Decided, Decision, Row, Status};
use super::world::{Plan, World};

/// The fiscal year that is compared.
pub(crate) const YEAR: &str = "2022";

/// What a plan's calculation of the year must show.
pub(crate) struct Expected {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn expected(world: &World, plan: &Plan) -> Expected {
    let leaves = periods::leaves(&world.calendar);
    let mut decisions = naive::decisions(&posting::today(world), &leaves, plan);
    // What has no period is in every calculation.
    decisions.retain(|d| d.leaf.as_ref().is_none_or(|leaf| leaf.year == YEAR));
    let mut entries = posting::entries(world, &leaves, plan);
    entries.retain(|entry| entry.year == YEAR);
    Expected { decisions, entries }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// The keys of credits by their ids, over all plans.
#[derive(Default)]
pub(crate) struct Keys(HashMap<String, (String, String)>);

impl Keys {
    /// Of the engine's credits; the root of each comes before it.
    pub(crate) fn of(results: &[Value]) -> Keys {
        let mut keys = Keys::default();
        let all = || results.iter().flat_map(|result| result["credits"].as_array().unwrap());
        for direct in [true, false] {
            for credit in all().filter(|credit| (text(credit, "source").is_empty()) == direct) {
                let key = keys.build(credit);
                let found = (key, text(credit, "period").to_owned());
                keys.0.insert(text(credit, "id").to_owned(), found);
            }
        }
        keys
    }

    pub(crate) fn get(&self, id: &str) -> String {
        self.0.get(id).map_or_else(|| format!("nothing called {id}"), |(key, _)| key.clone())
    }

    /// Whether some credit stands that has the key.
    pub(crate) fn stands(&self, key: &str) -> bool {
        self.0.values().any(|(known, _)| known == key)
    }

    fn build(&self, credit: &Value) -> String {
        let rolled = match text(credit, "source") {
            "" => String::new(),
            source => {
                let (relationship, via) = (text(credit, "relationship"), text(credit, "via"));
                format!("{relationship} via {via} of ({})", self.get(source))
            }
        };
        let receiver = match text(credit, "position") {
            "" => text(credit, "team"),
            position => position,
        };
        let (plan, rule) = (text(credit, "plan"), text(credit, "rule"));
        let whose = format!("{plan}: {rule}/{}", text(credit, "result"));
        format!("{whose} {} {receiver} {rolled}", text(credit, "transaction"))
    }
}

fn or_blank(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

pub(crate) fn line(world: &World, entry: &Entry) -> String {
    let row: &Row = &entry.row;
    let scale = world.scale_of(&row.unit) as usize;
    let (status, release) = match &row.status {
        Status::Active => ("active".to_owned(), row.release),
        Status::Held => ("held".to_owned(), row.release),
        Status::Suppressed(first) => (format!("suppressed by {first}"), None),
    };
    let level = row.rolled.as_ref().map_or("null".to_owned(), |rolled| rolled.level.to_string());
    let held = row.status == Status::Held;
    let release = release.map(|date: Date| date.to_string()).unwrap_or_default();
    let last =
        entry.reverses.as_ref().map(|(_, period)| format!(" of {period}")).unwrap_or_default();
    let retro = entry.origin == "retro";
    format!(
        "{} | {} level {level} ({}) team {:?} share {} {} {} {:.scale$} {status} {} {} | {} {}{last}",
        row.date,
        row.key(),
        or_blank(row.payee.as_ref()),
        or_blank(row.team.as_ref()),
        row.share.map(|share| share.normalize().to_string()).unwrap_or_default(),
        row.credit_type,
        row.unit,
        row.amount,
        if retro { "" } else { &release },
        if held { row.reason } else { "" },
        entry.period,
        entry.origin,
    )
}

pub(crate) fn engine_line(credit: &Value, keys: &Keys) -> String {
    let reason = text(credit, "reason");
    let (status, release) = match reason.strip_prefix("duplicate_of:") {
        Some(id) => (format!("{} by {}", text(credit, "status"), keys.get(id)), ""),
        None => (text(credit, "status").to_owned(), text(credit, "release_date")),
    };
    let own = ["release_in_other_year", "policy_error"];
    let last = match text(credit, "reverses") {
        "" => String::new(),
        id => keys.0.get(id).map_or(id.to_owned(), |(_, period)| format!(" of {period}")),
    };
    let share = text(credit, "share");
    let origin = text(credit, "origin");
    format!(
        "{} | {} level {} ({}) team {:?} share {} {} {} {} {status} {} {} | {} {origin}{last}",
        text(credit, "incentive_date"),
        keys.build(credit),
        credit["level"],
        text(credit, "payee"),
        text(credit, "team"),
        share
            .parse()
            .map(|share: rust_decimal::Decimal| share.normalize().to_string())
            .unwrap_or_default(),
        text(credit, "credit_type"),
        text(credit, "unit_type"),
        text(credit, "amount"),
        if origin == "retro" { "" } else { release },
        if own.contains(&reason) { reason } else { "" },
        text(credit, "period"),
    )
}

/// The expected rows of a plan and the engine's, line by line; `None` when they agree.
pub(crate) fn difference(
    world: &World,
    plan: &Plan,
    (expected, result): (&Expected, &Value),
    keys: &Keys,
) -> Option<String> {
    let theirs = result["credits"].as_array().unwrap();
    let mut left: Vec<String> = expected.entries.iter().map(|entry| line(world, entry)).collect();
    let mut right: Vec<String> = theirs.iter().map(|credit| engine_line(credit, keys)).collect();
    if !world.finalized.is_empty() {
        // The one that came first may stand in no period.
        let rest = |line: &mut String| {
            if let Some((start, rest)) = line.split_once(" by ") {
                *line = format!("{start} {}", rest.rsplit(" | ").next().unwrap_or(""));
            }
        };
        left.iter_mut().for_each(rest);
        right.iter_mut().for_each(rest);
        left.sort();
        right.sort();
    }
    if left == right && others(&expected.decisions, result) {
        return None;
    }
    let decided = expected.decisions.iter();
    let decided = decided.filter(|d| !matches!(d.decided, Decided::Credited(_)));
    let decided: Vec<String> =
        decided.map(|d| format!("{} {:?}", d.transaction, d.decided)).collect();
    Some(format!(
        "plan {}\nnaive:\n  {}\n  {decided:?}\nengine:\n  {}\n  {} uncredited: {}\n  parked: {}\n",
        plan.id,
        left.join("\n  "),
        right.join("\n  "),
        result["transactions"],
        result["uncredited"],
        result["parked"],
    ))
}

/// Whether the uncredited are the same, and the parked with one of the codes that fit.
fn others(expected: &[Decision], result: &Value) -> bool {
    let mut uncredited: Vec<&str> = Vec::new();
    let mut parked: Vec<(&str, &Codes)> = Vec::new();
    for decision in expected {
        match &decision.decided {
            Decided::Uncredited => uncredited.push(&decision.transaction),
            Decided::Parked(codes) => parked.push((&decision.transaction, codes)),
            _ => (),
        }
    }
    let list = |key: &str| {
        let mut list: Vec<&Value> = result[key].as_array().unwrap().iter().collect();
        list.sort_by_key(|note| text(note, "transaction"));
        list
    };
    uncredited.sort_unstable();
    parked.sort_unstable();
    let mut named: Vec<&str> = list("uncredited").iter().map(|n| text(n, "transaction")).collect();
    named.dedup();
    let found = list("parked");
    let fits = |((id, codes), note): (&(&str, &Codes), &&Value)| {
        *id == text(note, "transaction") && codes.contains(&text(note, "code"))
    };
    let filtered = |d: &&Decision| d.decided != Decided::Filtered;
    uncredited == named
        && parked.len() == found.len()
        && parked.iter().zip(&found).all(fits)
        && result["transactions"].as_u64() == Some(expected.iter().filter(filtered).count() as u64)
}
