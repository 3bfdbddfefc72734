//! A world as the files of a customer's directory, and its transactions as records.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use accredit_engine::transaction::{Cell, Record};
use accredit_engine::workspace::Files;
use jiff::civil::Date;

use super::world::{Assign, Cap, Direct, Hold, Indirect, Outcome, Span, Split, Test, Tx, Value};
use super::world::{Plan, World};

pub(crate) const PLAN: &str = "sales";

pub(crate) fn files(world: &World) -> Files {
    let mut files = Files::new();
    let mut add = |name: &str, text: String| files.insert(name.to_owned(), Arc::from(text));
    add("accredit.toml", settings(world));
    add("plans/sales.toml", plan(world));
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
    files
}

pub(crate) fn columns() -> BTreeSet<String> {
    let names = ["id", "date", "amount", "owner", "owner 2", "desk", "positions", "stage", "units"];
    names.into_iter().map(str::to_owned).collect()
}

pub(crate) fn records(world: &World) -> Vec<Record> {
    world.transactions.iter().map(|tx| record(world, tx)).collect()
}

fn record(world: &World, tx: &Tx) -> Record {
    let date = match tx.date.parse::<Date>() {
        Ok(date) if world.us_dates => date.strftime("%m/%d/%Y").to_string(),
        _ => tx.date.clone(),
    };
    let cells = [
        ("id", &tx.id),
        ("date", &date),
        ("amount", &tx.amount),
        ("owner", &tx.owners[0]),
        ("owner 2", &tx.owners[1]),
        ("desk", &tx.desk),
        ("positions", &tx.positions),
        ("stage", &tx.stage),
        ("units", &tx.units),
    ];
    let cell = |(name, text): (&str, &String)| (name.to_owned(), Cell::Text(text.clone()));
    Record { cells: cells.into_iter().map(cell).collect() }
}

fn quoted(words: &[String]) -> String {
    format!("{words:?}")
}

fn settings(world: &World) -> String {
    let mut text = format!("unit_types = [{{ name = \"USD\", scale = {} }}]\n", world.scale);
    if !world.credit_types.is_empty() {
        writeln!(text, "credit_types = {}", quoted(&world.credit_types)).unwrap();
    }
    if !world.kinds.is_empty() {
        writeln!(text, "relationship_types = {}", quoted(&world.kinds)).unwrap();
    }
    text.push_str("\n[workspace]\nname = \"Small\"\ncurrency = \"USD\"\n\n[fields]\nid = \"id\"\n");
    text.push_str(if world.us_dates {
        "date = { field = \"date\", format = \"%m/%d/%Y\" }\n"
    } else {
        "date = \"date\"\n"
    });
    text.push_str("amount = \"amount\"\nowner = [\"owner\", \"owner 2\"]\n");
    text.push_str("preassigned = \"positions\"\n\n[columns]\nunits = \"number\"\n");
    if world.year_starts != 1 {
        writeln!(text, "\n[calendar]\nyear_starts = {}", world.year_starts).unwrap();
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
    let mut text = "id,name,email\n".to_owned();
    for person in &world.people {
        writeln!(text, "{},{},{}", person.id, person.name, person.email).unwrap();
    }
    text
}

fn simple(world: &World) -> String {
    let mut text = "id,name,email,title,manager,from,to\n".to_owned();
    for seat in &world.seats {
        let person = world.people.iter().find(|person| person.id == seat.id).unwrap();
        let manager = seat.manager.as_deref().unwrap_or("");
        let (name, email, title) = (&person.name, &person.email, &seat.title);
        writeln!(text, "{},{name},{email},{title},{manager},{}", seat.id, span(seat.span)).unwrap();
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

fn dates(text: &mut String, span: Span) {
    for (key, date) in [("from", span.from), ("to", span.to)] {
        if let Some(date) = date {
            writeln!(text, "{key} = {date}").unwrap();
        }
    }
}

fn test(text: &mut String, key: &str, test: Test) {
    match test {
        Test::Always => Ok(()),
        Test::Over(limit) => writeln!(text, "{key} = 'tx.amount > {limit}'"),
        Test::Won => writeln!(text, "{key} = 'tx[\"stage\"] == \"Won\"'"),
    }
    .unwrap();
}

fn plan(world: &World) -> String {
    let plan: &Plan = &world.plan;
    let split = match plan.split {
        Split::Refuse => "refuse",
        Split::Equal => "equal",
        Split::Full => "full",
        Split::First => "first",
    };
    let mut text = format!("name = \"Sales\"\nsplit = \"{split}\"\n");
    writeln!(text, "targets = {}", quoted(&plan.targets)).unwrap();
    writeln!(text, "require_total_one = {}", plan.total_one).unwrap();
    writeln!(text, "hold_across_years = {}", plan.across_years).unwrap();
    dates(&mut text, plan.span);
    test(&mut text, "filter", plan.filter);
    for rule in &plan.direct {
        direct(&mut text, rule);
    }
    for rule in &plan.indirect {
        indirect(&mut text, rule);
    }
    text
}

fn direct(text: &mut String, rule: &Direct) {
    let word = |assign: &Assign| match assign {
        Assign::Owner => "owner".to_owned(),
        Assign::Preassigned => "preassigned".to_owned(),
        Assign::Desk => "field:desk".to_owned(),
    };
    writeln!(text, "\n[[direct]]\nname = \"{}\"", rule.name).unwrap();
    dates(text, rule.span);
    test(text, "condition", rule.test);
    let words: Vec<String> = rule.assign.iter().map(word).collect();
    match words.as_slice() {
        [only] => writeln!(text, "assign = \"{only}\"").unwrap(),
        all => writeln!(text, "assign = {}", quoted(all)).unwrap(),
    }
    for result in &rule.results {
        writeln!(text, "[[direct.results]]").unwrap();
        outcome(text, result);
        writeln!(text, "rollable = {}", result.rollable).unwrap();
        writeln!(text, "rollable_on_reporting = {}", result.on_reporting).unwrap();
    }
}

fn indirect(text: &mut String, rule: &Indirect) {
    writeln!(text, "\n[[indirect]]\nname = \"{}\"", rule.name).unwrap();
    writeln!(text, "relationship = \"{}\"", rule.relationship).unwrap();
    writeln!(text, "receivers = {}", quoted(&rule.receivers)).unwrap();
    dates(text, rule.span);
    test(text, "condition", rule.test);
    for result in &rule.results {
        writeln!(text, "[[indirect.results]]").unwrap();
        outcome(text, result);
        if result.per_item {
            writeln!(text, "maximum_scope = \"item\"").unwrap();
        }
    }
}

fn outcome(text: &mut String, result: &Outcome) {
    writeln!(text, "name = \"{}\"", result.name).unwrap();
    match result.value {
        Value::Default => (),
        Value::Amount(factor) => writeln!(text, "value = \"tx.amount * {factor}\"").unwrap(),
        Value::Credit(factor) => writeln!(text, "value = \"credit.amount * {factor}\"").unwrap(),
        Value::Fixed(value) => writeln!(text, "value = \"{value}\"").unwrap(),
    }
    match result.cap {
        None => (),
        Some(Cap::Amount) => writeln!(text, "maximum = \"tx.amount\"").unwrap(),
        Some(Cap::Fixed(value)) => writeln!(text, "maximum = \"{value}\"").unwrap(),
    }
    let hold = match result.hold {
        Hold::None => None,
        Hold::Indefinite => Some("indefinite".to_owned()),
        Hold::Days(count) => Some(format!("days:{count}")),
        Hold::Months(count) => Some(format!("months:{count}")),
        Hold::Quarters(count) => Some(format!("quarters:{count}")),
        Hold::Years(count) => Some(format!("years:{count}")),
        Hold::On(date) => Some(format!("date:{date}")),
        Hold::NextQuarter => Some("next:quarter".to_owned()),
    };
    if let Some(hold) = hold {
        writeln!(text, "hold = \"{hold}\"").unwrap();
    }
    if let Some(credit_type) = &result.credit_type {
        writeln!(text, "credit_type = \"{credit_type}\"").unwrap();
    }
    writeln!(text, "duplicates = {}", result.duplicates).unwrap();
}
