//! Tables, attributes, and amounts by payee as their files.

use std::fmt::Write;

use super::span;
use crate::oracle::tables::{Due, NUMBERS, Table};
use crate::oracle::world::{Plan, Span, World};

/// Declarations in `accredit.toml`.
pub(super) fn settings(world: &World) -> String {
    let mut text = String::new();
    for table in &world.tables {
        writeln!(text, "\n[tables.{}]\nkeys = {:?}", table.name, table.keys).unwrap();
        if let Some(range) = table.range {
            writeln!(text, "ranges = [\"{range}\"]").unwrap();
        }
        let value = |(name, kind): &(&str, &str)| format!("{name} = \"{kind}\"");
        let values: Vec<String> = table.values.iter().map(value).collect();
        writeln!(text, "values = {{ {} }}", values.join(", ")).unwrap();
    }
    let used = |name: &&'static str| world.attributes.iter().any(|row| row.name == *name);
    let declared: Vec<&str> = NUMBERS.into_iter().filter(|name| used(name)).collect();
    if !declared.is_empty() {
        text.push_str("\n[attributes]\n");
        declared.iter().for_each(|name| writeln!(text, "{name} = \"number\"").unwrap());
    }
    text
}

/// Paths and texts of the tables and of the attributes.
pub(super) fn all(world: &World) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = world.tables.iter().map(table).collect();
    if !world.attributes.is_empty() {
        let mut text = "kind,id,name,value,from,to\n".to_owned();
        for row in &world.attributes {
            let (kind, id, name, value) = (row.kind, &row.id, row.name, &row.value);
            writeln!(text, "{kind},{id},{name},{value},{}", span(row.span)).unwrap();
        }
        files.push(("organization/attributes.csv".to_owned(), text));
    }
    files
}

fn table(table: &Table) -> (String, String) {
    let dated = table.rows.iter().any(|row| row.span != Span::default());
    let mut columns: Vec<&str> = table.keys.clone();
    columns.extend(table.range);
    columns.extend(table.values.iter().map(|(name, _)| *name));
    columns.extend(dated.then_some(["from", "to"]).into_iter().flatten());
    let mut text = columns.join(",") + "\n";
    for row in &table.rows {
        let mut cells: Vec<&str> = row.keys.iter().map(String::as_str).collect();
        cells.extend(table.range.map(|_| row.bound.as_str()));
        cells.extend(row.values.iter().map(String::as_str));
        let dates = span(row.span);
        cells.extend(dated.then_some(dates.as_str()));
        text += &(cells.join(",") + "\n");
    }
    (format!("tables/{}.csv", table.name), text)
}

/// The expression; it is the body of a policy as well.
pub(super) fn due(due: &Due) -> String {
    match due {
        Due::Fixed(amount) => format!("{amount}"),
        Due::Rep(amount, other) => {
            format!("if payee.title == \"Rep\" {{ {amount} }} else {{ {other} }}")
        }
        Due::Period(id, amount, other) => {
            format!("if period == \"{id}\" {{ {amount} }} else {{ {other} }}")
        }
        Due::Level(factor) => format!("payee[\"level\"] * {factor}"),
        Due::Row(key) => format!("lookup(\"bonus\", {})", key.text()),
        Due::Found(key, other) => format!("find(\"bonus\", {}) ?? {other}", key.text()),
    }
}

/// The plan's `quota`.
pub(super) fn quota(text: &mut String, plan: &Plan) {
    match &plan.quota {
        None => (),
        Some((_, true)) => writeln!(text, "quota = 'policy:{}-quota'", plan.id).unwrap(),
        Some((body, false)) => writeln!(text, "quota = '{}'", due(body)).unwrap(),
    }
}

/// The path and the text of the plan's quota policy.
pub(super) fn quota_policy(plan: &Plan) -> Option<(String, String)> {
    let (body, _) = plan.quota.as_ref().filter(|(_, named)| *named)?;
    let text = format!("fn quota(payee, period) {{ {} }}\n", due(body));
    Some((format!("policies/quota/{}-quota.rhai", plan.id), text))
}
