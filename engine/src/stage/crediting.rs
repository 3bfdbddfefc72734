//! Crediting: who gets the direct credits of a rule, and what part of the deal each.
//!
//! Names come from the transaction or from a crediting policy and are resolved on the incentive
//! date among the plan's targets. Not the amount of a credit's cap and not its hold. Called by the
//! pipeline. Source: DOMAIN 2.5, 2.8, 3.4, decisions D8, D9, D15, D18.
//!
//! **Architecture invariant:** shares are computed over all who are named, so the share of an
//! unknown name is nobody's, never somebody else's.

use rust_decimal::Decimal;

use crate::money::Shares;
use crate::organization::{PositionId, Recipient, fold};
use crate::plan::{Assign, DirectRule, Split, selects};
use crate::script::{Answer, Share};
use crate::stage::{Case, Park, Seen, names};
use crate::transaction::{Field, Names, Value};

const STAGE: &str = "crediting";

/// The recipients of a rule: all who are named, in order, found or not, and their parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipients {
    /// One a name; none where nobody of that name is a target.
    pub found: Vec<Option<Recipient>>,
    /// Their parts.
    pub shares: Shares,
}

/// Finds the recipients of `rule`; none when the decision is that there are none.
///
/// # Errors
/// [`Park`] when the names do not allow a decision.
pub fn recipients(case: &mut Case<'_>, rule: &DirectRule) -> Result<Option<Recipients>, Park> {
    let Some(shares) = named(case, rule)? else { return Ok(None) };
    let mut found: Vec<Found> = Vec::new();
    for share in shares {
        let (position, target) = resolve(case, &share.who)?;
        let same = found.iter_mut().find(|known| match (known.position, position) {
            (Some(known), Some(position)) => known == position,
            (None, None) => fold(&known.share.who) == fold(&share.who),
            _ => false,
        });
        match same {
            Some(known) => known.share.weight = added(&known.share, &share)?,
            None => found.push(Found { position, target, share }),
        }
    }
    let weights: Vec<Option<Decimal>> = found.iter().map(|found| found.share.weight).collect();
    let mut positions: Vec<Option<PositionId>> =
        found.iter().map(|found| found.position.filter(|_| found.target)).collect();
    if case.plan.split == Split::First && weights.iter().all(Option::is_none) {
        // The others are not recipients of nothing: they are none.
        positions.iter_mut().skip(1).for_each(|position| *position = None);
    }
    if positions.iter().all(Option::is_none) {
        let name = &rule.rule.name;
        let names: Vec<&str> = found.iter().map(|found| found.share.who.as_str()).collect();
        let message = format!("rule `{name}`: nobody matches `{}`", names.join(";"));
        case.reason(STAGE, "unmatched", message);
        return Ok(None);
    }
    let shares = divide(case, &weights)?;
    let recipients = positions.into_iter().map(|position| position.map(Recipient::Position));
    Ok(Some(Recipients { found: recipients.collect(), shares }))
}

/// A name, and who it means.
struct Found {
    /// The one position that it means, a target or not: two names of one outsider are one.
    position: Option<PositionId>,
    /// Whether that position is among the plan's targets.
    target: bool,
    share: Share,
}

/// Who is named, before anybody asks who that is.
fn named(case: &mut Case<'_>, rule: &DirectRule) -> Result<Option<Vec<Share>>, Park> {
    let name = rule.rule.name.clone();
    let (text, from) = match &rule.assign {
        Assign::Owner => (case.tx.transaction.names(Names::Owner), "the owner".to_owned()),
        Assign::Column(column) => (text_of(case.tx.transaction.get(column)), format!("`{column}`")),
        Assign::Preassigned => {
            let value = case.tx.transaction.field(Field::Preassigned);
            (value.map(text_of).unwrap_or_default(), "the preassigned positions".to_owned())
        }
        Assign::Policy(program) => {
            let answer = case.run(*program, Seen::default());
            match answer.map_err(|fault| Park::fault(STAGE, fault))? {
                Answer::Text(text) => (text, "the policy's text".to_owned()),
                Answer::Shares(shares) if !shares.is_empty() => return valid(shares).map(Some),
                _ => {
                    let message = format!("rule `{name}`: the policy credits nobody");
                    case.reason(STAGE, "nobody", message);
                    return Ok(None);
                }
            }
        }
    };
    let shares = names::parse(&text).map_err(|message| {
        let code =
            if matches!(rule.assign, Assign::Policy(_)) { "policy_error" } else { "bad_value" };
        Park::new(STAGE, code, message)
    })?;
    case.step(STAGE, || format!("rule `{name}`: {from} is `{text}`"));
    if shares.is_empty() {
        let message = format!("rule `{name}`: {from} is blank");
        case.reason(STAGE, "unmatched", message.clone());
        case.warn(STAGE, "unmatched", message);
        return Ok(None);
    }
    Ok(Some(shares))
}

fn valid(shares: Vec<Share>) -> Result<Vec<Share>, Park> {
    let negative = |share: &&Share| share.weight.is_some_and(|w| !names::valid_weight(&w));
    match shares.iter().find(negative) {
        Some(share) => {
            let message = format!("the weight of `{}` is below 0", share.who);
            Err(Park::new(STAGE, "policy_error", message))
        }
        None => Ok(shares),
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::Text(text) | Value::Bad(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Blank => String::new(),
    }
}

/// The position that a name means, and whether it is a target; a warning when nobody is.
fn resolve(case: &mut Case<'_>, name: &str) -> Result<(Option<PositionId>, bool), Park> {
    let organization = &case.ruleset.organization;
    let matches = organization.resolve(name, case.date);
    let all = matches.positions.len();
    let outsider = matches.positions.first().copied().filter(|_| all == 1);
    let mut targets = matches.positions;
    targets.retain(|position| {
        selects(&case.plan.targets, organization, Recipient::Position(*position), case.date)
    });
    match targets.as_slice() {
        [position] => return Ok((Some(*position), true)),
        [] => (),
        several => {
            let ids: Vec<_> = several.iter().map(|p| organization.position_id(*p)).collect();
            let message = format!("`{name}` means several targets: {}", ids.join(", "));
            return Err(Park::new(STAGE, "ambiguous_alias", message));
        }
    }
    if matches.without_position {
        let message = format!("`{name}` holds no position on {}", case.date);
        return Err(Park::new(STAGE, "no_position", message));
    }
    let message = if all > 0 {
        format!("`{name}` is not among the plan's targets on {}", case.date)
    } else {
        format!("no alias matches `{name}` on {}", case.date)
    };
    case.warn(STAGE, "unmatched", message);
    Ok((outsider, false))
}

/// The weight of a name that is named twice: weights add up, without weights it counts once.
fn added(known: &Share, again: &Share) -> Result<Option<Decimal>, Park> {
    match (known.weight, again.weight) {
        (None, None) => Ok(None),
        (Some(a), Some(b)) => match a.checked_add(b) {
            Some(sum) => Ok(Some(sum)),
            None => Err(Park::new(STAGE, "bad_value", "a weight is too large")),
        },
        _ => Err(mixed(&known.who)),
    }
}

fn mixed(who: &str) -> Park {
    let message = format!("some names have a weight and some have none, such as `{who}`");
    Park::new(STAGE, "mixed_weights", message)
}

/// What part each gets, by the plan's `split` and by weights, which override it.
fn divide(case: &Case<'_>, weights: &[Option<Decimal>]) -> Result<Shares, Park> {
    if weights.len() > 1 && case.plan.split == Split::Refuse {
        let message =
            format!("{} recipients are named, the plan's split is `refuse`", weights.len());
        return Err(Park::new(STAGE, "several_recipients", message));
    }
    let given: Vec<Decimal> = weights.iter().flatten().copied().collect();
    if given.is_empty() {
        return Ok(match case.plan.split {
            Split::Full => Shares::Full(weights.len()),
            Split::Refuse | Split::Equal => Shares::Equal(weights.len()),
            Split::First => {
                let rest = weights.iter().skip(1).map(|_| Decimal::ZERO);
                Shares::Weights(std::iter::once(Decimal::ONE).chain(rest).collect())
            }
        });
    }
    if given.len() < weights.len() {
        let message = "some names have a weight and some have none";
        return Err(Park::new(STAGE, "mixed_weights", message));
    }
    let total = given.iter().copied().try_fold(Decimal::ZERO, Decimal::checked_add);
    if case.plan.require_total_one && total != Some(Decimal::ONE) {
        let total = total.unwrap_or(Decimal::MAX).normalize();
        let message = format!("weights sum to {total}, and the plan has `require_total_one`");
        return Err(Park::new(STAGE, "policy_error", message));
    }
    Ok(Shares::Weights(given))
}
