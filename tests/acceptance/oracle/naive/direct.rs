//! Direct credits: condition, recipients, value, shares, maximum, hold, duplication.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::names::{self, Named};
use super::{Codes, Row, Status, amounts, held, holds_true, number, payee, twin};
use crate::oracle::world::{Direct, Outcome, Split, Tx, Value, World};

pub(super) fn credits(
    world: &World,
    tx: &Tx,
    date: Date,
    rows: &mut Vec<Row>,
) -> Result<(), Codes> {
    for rule in &world.plan.direct {
        if !rule.span.has(date) || !holds_true(rule.test, tx).map_err(|code| vec![code])? {
            continue;
        }
        let named = names::named(world, rule, tx, date)?;
        if named.is_empty() {
            continue;
        }
        for result in &rule.results {
            one_result(world, rule, result, tx, date, &named, rows).map_err(|code| vec![code])?;
        }
    }
    Ok(())
}

/// The share and the amount of everybody who is named.
fn shares(world: &World, value: Decimal, named: &[Named]) -> Vec<(Decimal, Decimal)> {
    let scale = world.scale;
    let weights: Vec<Decimal> = named.iter().filter_map(|named| named.weight).collect();
    let count = named.len();
    let (shares, amounts) = if !weights.is_empty() {
        let amounts = amounts::weighted(value, &weights, scale);
        (weights, amounts)
    } else if world.plan.split == Split::Equal {
        let share = Decimal::ONE / Decimal::from(count);
        (vec![share; count], amounts::equal(value, count, scale))
    } else {
        let ones = vec![Decimal::ONE; count];
        let amounts = amounts::full(value, &ones, scale);
        (ones, amounts)
    };
    shares.into_iter().zip(amounts).collect()
}

fn one_result(
    world: &World,
    rule: &Direct,
    result: &Outcome,
    tx: &Tx,
    date: Date,
    named: &[Named],
    rows: &mut Vec<Row>,
) -> Result<(), &'static str> {
    let amount = number(&tx.amount);
    let value = match result.value {
        Value::Default => amount?,
        Value::Amount(factor) | Value::Credit(factor) => amount? * factor,
        Value::Fixed(value) => value,
    };
    let only_first = world.plan.split == Split::First && named[0].weight.is_none();
    for (place, (share, part)) in shares(world, value, named).into_iter().enumerate() {
        let Some(position) = &named[place].position else { continue };
        if only_first && place > 0 {
            continue;
        }
        let mut part = part;
        if let Some(cap) = result.cap {
            let size = amounts::limit(cap, amount, world.scale)?;
            match amounts::cut(part, size) {
                Some(cut) => part = cut,
                None => continue,
            }
        }
        let first_type = || world.credit_types[0].clone();
        let credit_type = result.credit_type.clone().unwrap_or_else(first_type);
        let (mut status, release, other_year) = held(world, result.hold, date);
        if let (Some(first), false) = (twin(rows, position, &credit_type), result.duplicates) {
            status = Status::Suppressed(first);
        }
        rows.push(Row {
            transaction: tx.id.clone(),
            date,
            rule: rule.name.clone(),
            result: result.name.clone(),
            position: position.clone(),
            payee: payee(world, position, date),
            rolled: None,
            share: Some(share),
            credit_type,
            amount: part,
            status,
            release,
            other_year,
            rollable: result.rollable,
            on_reporting: result.on_reporting,
        });
    }
    Ok(())
}
