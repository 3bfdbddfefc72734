//! Indirect credits: the paths of the reference roll, then one credit a path, rule and result.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Row, Status, amounts, exists, held, holds_true, number, payee, selected, twin};
use crate::oracle::world::{Indirect, Outcome, Tx, Value, World};

struct Path {
    receiver: String,
    relationship: String,
    via: String,
    level: u32,
}

/// Ancestors bottom-up, each with its distance.
fn ancestors(world: &World, position: &str, date: Date) -> Vec<(String, u32)> {
    let mut found: Vec<(String, u32)> = Vec::new();
    let mut at = position.to_owned();
    loop {
        let seat = world.seats.iter().find(|seat| seat.id == at && seat.span.has(date));
        let Some(manager) = seat.and_then(|seat| seat.manager.clone()) else { return found };
        if !exists(world, &manager, date) {
            return found;
        }
        found.push((manager.clone(), found.len() as u32 + 1));
        at = manager;
    }
}

/// Everything reachable inside one named type, nearest first.
fn reach(world: &World, kind: &str, position: &str, date: Date) -> Vec<(String, u32)> {
    let mut found: Vec<(String, u32)> = Vec::new();
    let mut front = vec![position.to_owned()];
    let mut level = 0;
    while !front.is_empty() {
        level += 1;
        let mut next: Vec<String> = Vec::new();
        for at in &front {
            for edge in &world.edges {
                let live = edge.kind == kind && edge.source == *at && edge.span.has(date);
                let new = edge.target != position && !found.iter().any(|f| f.0 == edge.target);
                if live && new && exists(world, &edge.target, date) {
                    found.push((edge.target.clone(), level));
                    next.push(edge.target.clone());
                }
            }
        }
        front = next;
    }
    found
}

fn paths(world: &World, root: &Row, date: Date) -> Vec<Path> {
    let mut all: Vec<Path> = Vec::new();
    let mut add = |found: Vec<(String, u32)>, relationship: &str, via: &str| {
        for (receiver, level) in found {
            let known =
                all.iter().any(|p| p.receiver == receiver && p.relationship == relationship);
            if !known {
                let (relationship, via) = (relationship.to_owned(), via.to_owned());
                all.push(Path { receiver, relationship, via, level });
            }
        }
    };
    if !root.rollable || root.status != Status::Active {
        return Vec::new();
    }
    let above = ancestors(world, &root.position, date);
    add(above.clone(), "Reporting", &root.position);
    for kind in &world.kinds {
        add(reach(world, kind, &root.position, date), kind, &root.position);
    }
    if root.on_reporting {
        for (ancestor, _) in &above {
            for kind in &world.kinds {
                add(reach(world, kind, ancestor, date), kind, ancestor);
            }
        }
    }
    all
}

pub(super) fn credits(
    world: &World,
    tx: &Tx,
    date: Date,
    root: usize,
    rows: &mut Vec<Row>,
) -> Result<(), &'static str> {
    for path in paths(world, &rows[root], date) {
        for rule in &world.plan.indirect {
            let fits = rule.relationship == path.relationship
                && rule.span.has(date)
                && selected(world, &rule.receivers, &path.receiver, date);
            if !fits || !holds_true(rule.test, tx)? {
                continue;
            }
            for result in &rule.results {
                let row = one_result(world, rule, result, tx, (root, &path), rows)?;
                rows.extend(row);
            }
        }
    }
    Ok(())
}

fn one_result(
    world: &World,
    rule: &Indirect,
    result: &Outcome,
    tx: &Tx,
    (root, path): (usize, &Path),
    rows: &[Row],
) -> Result<Option<Row>, &'static str> {
    let (source, amount) = (&rows[root], number(&tx.amount));
    let value = match result.value {
        Value::Default => source.amount,
        Value::Amount(factor) => amount? * factor,
        Value::Credit(factor) => source.amount * factor,
        Value::Fixed(value) => value,
    };
    let mut part = amounts::round(value, world.scale);
    let credit_type = result.credit_type.clone().unwrap_or_else(|| source.credit_type.clone());
    let (mut status, mut release, mut other_year) = held(world, result.hold, source.date);
    let twin = twin(rows, &path.receiver, &credit_type).filter(|_| !result.duplicates);
    if let Some(first) = twin {
        (status, release, other_year) = (Status::Suppressed(first), None, false);
    } else if let Some(cap) = result.cap {
        let mut left = amounts::limit(cap, amount, world.scale)?;
        for row in rows {
            let counts = row.rule == rule.name
                && row.result == result.name
                && row.rolled.is_some()
                && !matches!(row.status, Status::Suppressed(_))
                && (result.per_item || row.position == path.receiver);
            if counts {
                left -= row.amount.abs();
            }
        }
        match amounts::cut(part, left.max(Decimal::ZERO)) {
            Some(cut) => part = cut,
            None => return Ok(None),
        }
    }
    Ok(Some(Row {
        transaction: tx.id.clone(),
        date: source.date,
        rule: rule.name.clone(),
        result: result.name.clone(),
        position: path.receiver.clone(),
        payee: payee(world, &path.receiver, source.date),
        rolled: Some((path.relationship.clone(), path.via.clone(), path.level, root)),
        share: None,
        credit_type,
        amount: part,
        status,
        release,
        other_year,
        rollable: false,
        on_reporting: false,
    }))
}
