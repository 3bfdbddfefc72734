//! A world as the files of a customer's directory, and its transactions as records.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use accredit_domain::transaction::{Cell, Record, Remark, VoidRemark};
use accredit_workspace::Files;
use jiff::civil::Date;

use super::world::{Calendar, Span, Tx, Value, World};

mod plans;
mod rewards;
mod scripts;
mod tables;

pub(crate) fn files(world: &World) -> Files {
    let mut files = Files::new();
    let mut add = |name: &str, text: String| files.insert(name.to_owned(), Arc::from(text));
    add("accredit.toml", settings(world));
    for plan in &world.plans {
        add(&format!("plans/{}.toml", plan.id), plans::text(world, plan));
        for (path, text) in rewards::policies(plan) {
            add(&path, text);
        }
        for result in plan.indirect.iter().flat_map(|rule| &rule.results) {
            if let Value::Above(limit) = result.value {
                let test = format!("credit.amount > {limit}");
                let body = format!("if {test} {{ credit.amount }} else {{ () }}");
                let text = format!("fn roll(tx, credit, to, existing) {{ {body} }}\n");
                add(&format!("policies/rollup/above-{limit}.rhai"), text);
            }
        }
    }
    let quotas = world.plans.iter().filter_map(tables::quota_policy);
    for (path, text) in tables::all(world).into_iter().chain(quotas) {
        add(&path, text);
    }
    for (path, text) in scripts::all(world) {
        add(&path, text);
    }
    if world.simple {
        add("organization/participants.csv", simple(world));
    } else {
        add("organization/participants.csv", people(world));
        add("organization/positions.csv", seats(world));
        add("organization/assignments.csv", sittings(world));
    }
    if !world.edges.is_empty() {
        add("organization/relationships.csv", edges(world));
    }
    if !world.aliases.is_empty() {
        let mut text = "kind,id,alias\n".to_owned();
        for alias in &world.aliases {
            writeln!(text, "{},{},{}", alias.kind, alias.id, alias.alias).unwrap();
        }
        add("organization/aliases.csv", text);
    }
    if !world.teams.is_empty() {
        add("organization/teams.csv", teams(world));
        add("organization/members.csv", members(world));
    }
    if !world.areas.is_empty() {
        add("organization/territories.csv", areas(world));
    }
    if !world.quotas.is_empty() {
        add("organization/quotas.csv", rewards::quotas(world));
    }
    if !world.rates.is_empty() {
        let mut text = "from_unit,to_unit,rate,from,to\n".to_owned();
        for rate in &world.rates {
            let (from, to) = (&rate.from_unit, &rate.to_unit);
            writeln!(text, "{from},{to},{},{}", rate.rate, span(rate.span)).unwrap();
        }
        add("organization/exchange_rates.csv", text);
    }
    if let Calendar::Periods(rows) = &world.calendar {
        let mut text = "id,parent,from,to\n".to_owned();
        for row in rows {
            writeln!(text, "{},{},{}", row.id, row.parent, span(row.span)).unwrap();
        }
        add("organization/periods.csv", text);
    }
    files
}

/// Columns that are there in every world, and those of some.
const COLUMNS: [&str; 12] = [
    "id",
    "date",
    "amount",
    "owner",
    "owner 2",
    "desk",
    "positions",
    "engineer",
    "station",
    "stage",
    "units",
    "region",
];
const OF_SOME: [&str; 5] = ["item", "country", "zip", "currency", "loaded"];

pub(crate) fn columns(world: &World) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = COLUMNS.into_iter().map(str::to_owned).collect();
    let some = OF_SOME.into_iter().zip(uses(world));
    all.extend(some.filter(|(_, used)| *used).map(|(name, _)| name.to_owned()));
    all
}

/// Which of the columns of some worlds this one has.
fn uses(world: &World) -> [bool; 5] {
    let areas = !world.areas.is_empty();
    let received = world.transactions.iter().any(|tx| tx.received.is_some());
    [areas, areas, areas, world.units.len() > 1, received]
}

pub(crate) fn records(world: &World) -> Vec<Record> {
    world.transactions.iter().map(|tx| record(world, tx)).collect()
}

fn record(world: &World, tx: &Tx) -> Record {
    let date = match tx.date.parse::<Date>() {
        Ok(date) if world.us_dates => date.strftime("%m/%d/%Y").to_string(),
        _ => tx.date.clone(),
    };
    let received = day(tx.received);
    let always = [
        &tx.id,
        &date,
        &tx.amount,
        &tx.owners[0],
        &tx.owners[1],
        &tx.desk,
        &tx.positions,
        &tx.related[0],
        &tx.related[1],
        &tx.stage,
        &tx.units,
        &tx.team,
    ];
    let some = [&tx.product, &tx.geography, &tx.postal, &tx.currency, &received];
    let used = OF_SOME.into_iter().zip(some).zip(uses(world)).filter(|(_, used)| *used);
    let cells = COLUMNS.into_iter().zip(always).chain(used.map(|(cell, _)| cell));
    let cell = |(name, text): (&str, &String)| (name.to_owned(), Cell::Text(text.clone()));
    let mut record = Record { cells: cells.map(cell).collect() };
    if tx.void {
        let (who, reason) = ("an administrator".to_owned(), "cancelled".to_owned());
        let date = tx.received.unwrap_or(Date::constant(2022, 1, 20));
        record.add_remark(&Remark::Void(VoidRemark { date, who, reason }));
    }
    record
}

fn quoted(words: &[String]) -> String {
    format!("{words:?}")
}

fn settings(world: &World) -> String {
    let unit = |unit: &super::world::UnitType| match unit.scale {
        None => format!("\"{}\"", unit.name),
        Some(scale) => format!("{{ name = \"{}\", scale = {scale} }}", unit.name),
    };
    let units: Vec<String> = world.units.iter().map(unit).collect();
    let mut text = format!("unit_types = [{}]\n", units.join(", "));
    if !world.credit_types.is_empty() {
        writeln!(text, "credit_types = {}", quoted(&world.credit_types)).unwrap();
    }
    if !world.kinds.is_empty() {
        writeln!(text, "relationship_types = {}", quoted(&world.kinds)).unwrap();
    }
    text.push_str("\n[workspace]\nname = \"Small\"\ncurrency = \"USD\"\n");
    writeln!(text, "scale = {}\n\n[fields]\nid = \"id\"", world.scale).unwrap();
    text.push_str(if world.us_dates {
        "date = { field = \"date\", format = \"%m/%d/%Y\" }\n"
    } else {
        "date = \"date\"\n"
    });
    text.push_str("amount = \"amount\"\nowner = [\"owner\", \"owner 2\"]\n");
    text.push_str("team = \"region\"\npreassigned = \"positions\"\n");
    text.push_str("related_person = \"engineer\"\nrelated_position = \"station\"\n");
    let fields = ["product", "geography", "postal_code", "currency", "received"];
    for ((field, column), used) in fields.into_iter().zip(OF_SOME).zip(uses(world)) {
        if used {
            writeln!(text, "{field} = \"{column}\"").unwrap();
        }
    }
    text.push_str("\n[columns]\nunits = \"number\"\n");
    calendar(&mut text, world);
    text.push_str(&tables::settings(world));
    text.push_str("\n[queries]\nwon = 'tx[\"stage\"] == \"Won\"'\n");
    text
}

fn calendar(text: &mut String, world: &World) {
    text.push_str("\n[calendar]\n");
    match &world.calendar {
        Calendar::Months(starts) => writeln!(text, "year_starts = {starts}").unwrap(),
        Calendar::Weeks(pattern, years) => {
            let [a, b, c] = pattern;
            writeln!(text, "kind = \"{a}-{b}-{c}\"").unwrap();
            let all: Vec<String> = years.iter().map(|(y, day)| format!("{y} = {day}")).collect();
            writeln!(text, "years = {{ {} }}", all.join(", ")).unwrap();
        }
        Calendar::Periods(_) => text.push_str("kind = \"periods\"\n"),
    }
    for (key, closed) in [("finalized", false), ("closed", true)] {
        let mut all = world.finalized.clone();
        all.retain(|(id, _)| world.closed.contains(id) == closed);
        let all: Vec<String> = all.iter().map(|(id, day)| format!("\"{id}\" = {day}")).collect();
        if !all.is_empty() {
            writeln!(text, "{key} = {{ {} }}", all.join(", ")).unwrap();
        }
    }
}

fn teams(world: &World) -> String {
    let mut text = "id,name,parent,manager,from,to\n".to_owned();
    for team in &world.teams {
        let parent = team.parent.as_deref().unwrap_or("");
        let manager = team.manager.as_deref().unwrap_or("");
        let (id, name, span) = (&team.id, &team.name, span(team.span));
        writeln!(text, "{id},{name},{parent},{manager},{span}").unwrap();
    }
    text
}

fn members(world: &World) -> String {
    let mut text = "team,participant,weight,from,to\n".to_owned();
    for member in &world.members {
        let (team, person, weight) = (&member.team, &member.person, &member.weight);
        writeln!(text, "{team},{person},{weight},{}", span(member.span)).unwrap();
    }
    text
}

fn areas(world: &World) -> String {
    let mut text = "team,field,value,through,from,to\n".to_owned();
    for area in &world.areas {
        let (team, field, value) = (&area.team, &area.field, &area.value);
        writeln!(text, "{team},{field},{value},{},{}", area.through, span(area.span)).unwrap();
    }
    text
}

fn day(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn span(span: Span) -> String {
    format!("{},{}", day(span.from), day(span.to))
}

fn people(world: &World) -> String {
    let mut text = "id,name,email,currency\n".to_owned();
    for person in &world.people {
        let currency = person.currency.as_deref().unwrap_or("");
        writeln!(text, "{},{},{},{currency}", person.id, person.name, person.email).unwrap();
    }
    text
}

fn simple(world: &World) -> String {
    let mut text = "id,name,email,currency,title,manager,from,to\n".to_owned();
    for seat in &world.seats {
        let person = world.people.iter().find(|person| person.id == seat.id).unwrap();
        let manager = seat.manager.as_deref().unwrap_or("");
        let (name, email, title) = (&person.name, &person.email, &seat.title);
        let currency = person.currency.as_deref().unwrap_or("");
        let whose = format!("{},{name},{email},{currency}", seat.id);
        writeln!(text, "{whose},{title},{manager},{}", span(seat.span)).unwrap();
    }
    text
}

fn seats(world: &World) -> String {
    let mut text = "id,title,manager,from,to\n".to_owned();
    for seat in &world.seats {
        let manager = seat.manager.as_deref().unwrap_or("");
        writeln!(text, "{},{},{manager},{}", seat.id, seat.title, span(seat.span)).unwrap();
    }
    text
}

fn sittings(world: &World) -> String {
    let mut text = "position,participant,from,to\n".to_owned();
    for sitting in &world.sittings {
        writeln!(text, "{},{},{}", sitting.seat, sitting.person, span(sitting.span)).unwrap();
    }
    text
}

fn edges(world: &World) -> String {
    let mut text = "type,source,target,from,to\n".to_owned();
    for edge in &world.edges {
        writeln!(text, "{},{},{},{}", edge.kind, edge.source, edge.target, span(edge.span))
            .unwrap();
    }
    text
}
