//! Which teams a transaction falls to.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Case, teams};
use crate::oracle::world::Area;

/// What the transaction has in the field, and of which type it is.
enum Cell<'a> {
    Text(&'a str),
    Number(&'a str),
    Day(&'a str),
}

fn cell<'a>(case: Case<'a>, field: &str) -> Cell<'a> {
    let tx = case.tx;
    match field {
        "product" => Cell::Text(&tx.product),
        "geography" => Cell::Text(&tx.geography),
        "postal_code" => Cell::Text(&tx.postal),
        "stage" => Cell::Text(&tx.stage),
        "units" => Cell::Number(&tx.units),
        "date" => Cell::Day(&tx.date),
        other => unreachable!("{other}"),
    }
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

fn fits(case: Case<'_>, row: &Area) -> bool {
    let last = if row.through.is_empty() { &row.value } else { &row.through };
    match cell(case, &row.field) {
        Cell::Text(text) | Cell::Number(text) | Cell::Day(text) if text.trim().is_empty() => false,
        Cell::Number(text) => {
            let number = |text: &str| text.trim().parse::<Decimal>().unwrap();
            number(&row.value) <= number(text) && number(text) <= number(last)
        }
        Cell::Day(text) => {
            let day = |text: &str| text.trim().parse::<Date>().unwrap();
            day(&row.value) <= day(text) && day(text) <= day(last)
        }
        Cell::Text(text) if row.through.is_empty() => fold(&row.value) == fold(text),
        Cell::Text(text) => between(&fold(text), &fold(&row.value), &fold(last)),
    }
}

fn between(text: &str, first: &str, last: &str) -> bool {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if digits(text) && digits(first) && digits(last) {
        let whole = |text: &str| text.parse::<u64>().unwrap();
        return whole(first) <= whole(text) && whole(text) <= whole(last);
    }
    let cut: String = text.chars().take(last.chars().count()).collect();
    first <= text && cut.as_str() <= last
}

/// How many fields the team has, and how many were matched without a range; none if it does not.
fn matched(case: Case<'_>, team: &str) -> Option<(usize, usize)> {
    let rows = case.world.areas.iter();
    let rows: Vec<&Area> = rows.filter(|r| r.team == team && r.span.has(case.date)).collect();
    let mut fields: Vec<&str> = rows.iter().map(|row| row.field.as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    let mut exact = 0;
    for field in &fields {
        let mut matching = rows.iter().filter(|row| row.field == *field && fits(case, row));
        let one = matching.next()?;
        if one.through.is_empty() || matching.any(|row| row.through.is_empty()) {
            exact += 1;
        }
    }
    (!fields.is_empty()).then_some((fields.len(), exact))
}

/// The most specific teams that match, in file order; all, or one team and those below it.
pub(super) fn winners(case: Case<'_>, under: Option<&str>) -> Vec<String> {
    let mut all: Vec<(String, (usize, usize))> = Vec::new();
    for team in case.world.teams.iter().filter(|team| team.span.has(case.date)) {
        let looked_at = under.is_none_or(|top| {
            team.id == top || teams::above(case, &team.id).iter().any(|(t, _)| t == top)
        });
        if let (true, Some(found)) = (looked_at, matched(case, &team.id)) {
            all.push((team.id.clone(), found));
        }
    }
    let best = all.iter().map(|(_, found)| *found).max();
    all.retain(|(_, found)| Some(*found) == best);
    let tied: Vec<String> = all.into_iter().map(|(team, _)| team).collect();
    // In a circle everybody is above everybody: nobody is beaten there.
    let lies_above =
        |team: &String, below: &String| teams::above(case, below).iter().any(|(t, _)| t == team);
    let beaten = |team: &String| {
        tied.iter().any(|below| lies_above(team, below) && !lies_above(below, team))
    };
    tied.iter().filter(|team| !beaten(team)).cloned().collect()
}
