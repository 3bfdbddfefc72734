//! Indirect credits: one credit a path, rule and result.

use rust_decimal::Decimal;

use super::rolling::{self, Path};
use super::{Case, Rolled, Row, Status, amounts, money, policies, receives, settings, twin};
use crate::oracle::world::{Cap, Indirect, Outcome, Value};

pub(super) fn credits(case: Case<'_>, root: &Row, rows: &mut Vec<Row>) -> Result<(), &'static str> {
    for path in rolling::paths(case, root)? {
        for rule in &case.plan.indirect {
            let fits = rule.relationship == path.relationship
                && rule.span.has(case.date)
                && rolling::sees(case, rule, &root.plan)
                && receives(case, &rule.receivers, &path.receiver);
            if !fits || !settings::holds_true((case.world, case.plan), rule.test, case.tx)? {
                continue;
            }
            for result in &rule.results {
                let row = one_result(case, rule, result, (root, &path), rows)?;
                rows.extend(row);
            }
        }
    }
    Ok(())
}

/// What the maximum leaves of the amount; nothing when it leaves nothing.
fn capped(
    case: Case<'_>,
    (rule, result): (&Indirect, &Outcome),
    (receiver, unit): (&str, &str),
    (part, own): (Decimal, Option<Decimal>),
    rows: &[Row],
) -> Result<Option<Decimal>, &'static str> {
    // What stands on the result is nearer than what a policy says.
    let Some(cap) = result.cap.or(own.map(Cap::Fixed)) else { return Ok(Some(part)) };
    let amount = settings::number(&case.tx.amount);
    let mut left = amounts::limit(cap, amount, case.world.scale_of(unit))?;
    for row in rows {
        let counts = row.plan == case.plan.id
            && row.rule == rule.name
            && row.result == result.name
            && row.unit == unit
            && row.rolled.is_some()
            && !row.status.is_suppressed()
            && (result.per_item || row.receiver == receiver);
        if counts {
            left -= row.amount.abs();
        }
    }
    Ok(amounts::cut(part, left.max(Decimal::ZERO)))
}

fn one_result(
    case: Case<'_>,
    rule: &Indirect,
    result: &Outcome,
    (source, path): (&Row, &Path),
    rows: &[Row],
) -> Result<Option<Row>, &'static str> {
    let unit = result.unit.clone().unwrap_or_else(|| source.unit.clone());
    let worth = policies::candidate(case, result, (source, path), rows)?;
    let Some(worth) = worth else { return Ok(None) };
    let mut value = worth.amount;
    if result.value == Value::Default && !worth.by_policy {
        value = money::exchanged(case, value, &source.unit, &unit)?;
    }
    let written = result.credit_type.clone().or(worth.credit_type);
    let mut row = Row {
        rule: rule.name.clone(),
        result: result.name.clone(),
        team: if case.plan.teams { Some(path.receiver.clone()) } else { path.team.clone() },
        rolled: Some(Rolled {
            relationship: path.relationship.clone(),
            via: path.via.clone(),
            level: path.level,
            source: source.key(),
        }),
        credit_type: written.unwrap_or_else(|| source.credit_type.clone()),
        amount: amounts::round(value, case.world.scale_of(&unit)),
        unit,
        ..policies::blank(case, &path.receiver)
    };
    if let Some(first) = twin(rows, &row.receiver, &row.credit_type)
        && !policies::kept(case, result.duplicates, &row, rows)?
    {
        row.status = Status::Suppressed(first.key());
        return Ok(Some(row));
    }
    let (whose, amount) = ((row.receiver.as_str(), row.unit.as_str()), row.amount);
    match capped(case, (rule, result), whose, (amount, worth.maximum), rows)? {
        Some(cut) => row.amount = cut,
        None => return Ok(None),
    }
    (row.status, row.release, row.reason) = policies::held(case, &result.hold, worth.hold, &row);
    Ok(Some(row))
}
