//! Direct credits: condition, recipients, value, shares, maximum, hold, duplication.

use rust_decimal::Decimal;

use super::names::{self, Named};
use super::{Case, Codes, Row, Status, amounts, money, policies, settings, twin};
use crate::oracle::world::{Direct, Members, Outcome, Split};

pub(super) fn credits(case: Case<'_>, rows: &mut Vec<Row>) -> Result<(), Codes> {
    for rule in &case.plan.direct {
        let holds = settings::holds_true((case.world, case.plan), rule.test, case.tx);
        if !rule.span.has(case.date) || !holds.map_err(|code| vec![code])? {
            continue;
        }
        let named = names::named(case, rule)?;
        if named.is_empty() {
            continue;
        }
        for result in &rule.results {
            one_result(case, rule, result, &named, rows).map_err(|code| vec![code])?;
        }
    }
    Ok(())
}

/// The share and the amount of everybody who is named.
fn shares(split: Split, value: Decimal, named: &[Named], scale: u32) -> Vec<(Decimal, Decimal)> {
    let weights: Vec<Decimal> = named.iter().filter_map(|named| named.weight).collect();
    let count = named.len();
    let (shares, amounts) = if !weights.is_empty() {
        let amounts = amounts::weighted(value, &weights, scale);
        (weights, amounts)
    } else if split == Split::Equal {
        let share = amounts::ten_decimals(Decimal::ONE / Decimal::from(count));
        (vec![share; count], amounts::equal(value, count, scale))
    } else {
        let ones = vec![Decimal::ONE; count];
        let amounts = amounts::full(value, &ones, scale);
        (ones, amounts)
    };
    shares.into_iter().zip(amounts).collect()
}

/// What one receiver gets.
struct Part {
    receiver: String,
    team: Option<String>,
    share: Decimal,
    amount: Decimal,
}

/// The parts of a name: one, or those of a team's members.
fn parts(mode: Option<Members>, named: &Named, of: (Decimal, Decimal), scale: u32) -> Vec<Part> {
    let (share, amount) = of;
    let weights: Vec<Decimal> = named.takers.iter().map(|(_, weight)| *weight).collect();
    let count = weights.len();
    let whole = named.team.is_none() || matches!(mode, Some(Members::Full | Members::Manager));
    let amounts = if whole || count < 2 {
        vec![amount; count]
    } else {
        amounts::shared(amount, &weights, scale)
    };
    let sum: Decimal = weights.iter().sum();
    let part = |weight: Decimal| {
        if whole || count < 2 {
            Decimal::ONE
        } else if mode == Some(Members::Weight) && !sum.is_zero() {
            amounts::ten_decimals(weight / sum)
        } else {
            amounts::ten_decimals(Decimal::ONE / Decimal::from(count))
        }
    };
    let takers = named.takers.iter().zip(amounts);
    let one = |((receiver, weight), amount): (&(String, Decimal), Decimal)| Part {
        receiver: receiver.clone(),
        team: named.team.clone(),
        share: amounts::ten_decimals(share * part(*weight)),
        amount,
    };
    // The part of a member who is no target is nobody's.
    takers.filter(|((receiver, _), _)| !receiver.is_empty()).map(one).collect()
}

/// One part for each receiver, in the order of their first appearance.
fn merged(all: Vec<Part>) -> Vec<Part> {
    let mut merged: Vec<Part> = Vec::new();
    for part in all {
        match merged.iter_mut().find(|known| known.receiver == part.receiver) {
            Some(known) => {
                known.amount += part.amount;
                known.share += part.share;
                known.team = known.team.take().filter(|_| part.team.is_some());
            }
            None => merged.push(part),
        }
    }
    merged
}

fn one_result(
    case: Case<'_>,
    rule: &Direct,
    result: &Outcome,
    named: &[Named],
    rows: &mut Vec<Row>,
) -> Result<(), &'static str> {
    let (world, tx) = (case.world, case.tx);
    let unit = result.unit.clone().unwrap_or_else(|| "USD".to_owned());
    let scale = world.scale_of(&unit);
    let only_first = case.plan.split == Split::First && named[0].weight.is_none();
    let credited = if only_first { &named[..1] } else { named };
    let value = policies::deal(case, result, credited)?;
    let value = money::exchanged(case, value, &tx.currency, &unit)?;
    let shares = shares(case.plan.split, value, named, scale);
    let all = credited.iter().zip(shares);
    let all = all.flat_map(|(named, of)| parts(rule.members, named, of, scale)).collect();
    for part in merged(all) {
        let mut amount = part.amount;
        if let Some(cap) = result.cap {
            let size = amounts::limit(cap, settings::number(&tx.amount), scale)?;
            match amounts::cut(amount, size) {
                Some(cut) => amount = cut,
                None => continue,
            }
        }
        let first_type = || world.credit_types[0].clone();
        let credit_type = result.credit_type.clone().unwrap_or_else(first_type);
        let mut row = Row {
            rule: rule.name.clone(),
            result: result.name.clone(),
            team: part.team,
            share: Some(part.share),
            credit_type,
            unit: unit.clone(),
            amount,
            rollable: result.rollable,
            on_reporting: result.on_reporting,
            ..policies::blank(case, &part.receiver)
        };
        (row.status, row.release, row.reason) = policies::held(case, &result.hold, None, &row);
        if let Some(first) = twin(rows, &row.receiver, &row.credit_type)
            && !policies::kept(case, result.duplicates, &row, rows)?
        {
            (row.status, row.release, row.reason) = (Status::Suppressed(first.key()), None, "");
        }
        rows.push(row);
    }
    Ok(())
}
