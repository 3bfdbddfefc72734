//! Indirect credits: one credit a path, rule and result.

use rust_decimal::Decimal;

use super::rolling::{self, Path};
use super::{Case, Rolled, Row, Status, amounts, money, payee, receives, settings, twin};
use crate::oracle::world::{Indirect, Outcome, Value};

pub(super) fn credits(case: Case<'_>, root: &Row, rows: &mut Vec<Row>) -> Result<(), &'static str> {
    for path in rolling::paths(case, root)? {
        for rule in &case.plan.indirect {
            let fits = rule.relationship == path.relationship
                && rule.span.has(case.date)
                && rolling::sees(case, rule, &root.plan)
                && receives(case, &rule.receivers, &path.receiver);
            if !fits || !settings::holds_true(rule.test, case.tx)? {
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
    part: Decimal,
    rows: &[Row],
) -> Result<Option<Decimal>, &'static str> {
    let Some(cap) = result.cap else { return Ok(Some(part)) };
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
    let Some(mut value) = settings::value(result, case.tx, Some(source))? else { return Ok(None) };
    if result.value == Value::Default {
        value = money::exchanged(case, value, &source.unit, &unit)?;
    }
    let mut part = amounts::round(value, case.world.scale_of(&unit));
    let credit_type = result.credit_type.clone().unwrap_or_else(|| source.credit_type.clone());
    let twin = twin(rows, &path.receiver, &credit_type);
    let twin =
        twin.filter(|_| !settings::kept(result.duplicates, part, false, super::existing(rows)));
    let (status, release, reason) = match twin {
        Some(first) => (Status::Suppressed(first.key()), None, ""),
        None => {
            let whose = (path.receiver.as_str(), unit.as_str());
            match capped(case, (rule, result), whose, part, rows)? {
                Some(cut) => part = cut,
                None => return Ok(None),
            }
            settings::held(case, &result.hold, part)
        }
    };
    let team = if case.plan.teams { Some(path.receiver.clone()) } else { path.team.clone() };
    Ok(Some(Row {
        plan: case.plan.id.clone(),
        transaction: case.tx.id.clone(),
        date: source.date,
        rule: rule.name.clone(),
        result: result.name.clone(),
        payee: payee(case, &path.receiver),
        receiver: path.receiver.clone(),
        of_team: case.plan.teams,
        team,
        rolled: Some(Rolled {
            relationship: path.relationship.clone(),
            via: path.via.clone(),
            level: path.level,
            source: source.key(),
        }),
        share: None,
        credit_type,
        unit,
        amount: part,
        status,
        release,
        reason,
        rollable: false,
        on_reporting: false,
    }))
}
