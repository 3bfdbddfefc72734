//! Crediting: who gets the direct credits of a rule, and what part of the deal each.
//!
//! Names come from the transaction, from territories or from a crediting policy and are resolved on
//! the incentive date among the plan's targets (`named`, `resolve`); a team that an individual plan
//! finds becomes its members (`members`); what all of them get of a value is `parts`. Not the amount
//! of a credit's cap and not its hold. Called by the pipeline. Source: DOMAIN 2.5, 2.8, 3.4, seed
//! 001, decisions D8, D9, D15, D18.
//!
//! **Architecture invariant:** shares are computed over all who are named, so the share of an
//! unknown name is nobody's, never somebody else's.

mod members;
mod named;
mod parts;
mod resolve;

use rust_decimal::Decimal;

use self::members::Passed;
pub use self::parts::Part;
use self::resolve::{Found, Who};
use crate::stage::{Case, Park, Says};
use accredit_domain::money::Shares;
use accredit_domain::organization::{Recipient, TeamId};
use accredit_domain::plan::{Assign, DirectRule, Split};
use accredit_script::Share;

const STAGE: &str = "crediting";

/// The recipients of a rule: all who are named, in order, found or not, and their parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipients {
    /// What becomes of each name.
    named: Vec<Named>,
    /// What part of the deal each name has.
    pub shares: Shares,
}

/// What becomes of the part of one name.
#[derive(Debug, Clone, PartialEq)]
enum Named {
    /// Nobody has it, and it stays uncredited.
    Nobody,
    /// It is this recipient's.
    Recipient(Recipient),
    /// It is a team's, and passed to positions.
    Team(Passed),
}

impl Recipients {
    /// The first who is credited, with the team through which they were found.
    pub fn first(&self) -> Option<(Recipient, Option<TeamId>)> {
        self.named.iter().find_map(|named| match named {
            Named::Nobody => None,
            Named::Recipient(recipient) => Some((*recipient, recipient.team())),
            Named::Team(passed) => {
                let first = passed.positions.iter().copied().flatten().next()?;
                Some((Recipient::Position(first), Some(passed.team)))
            }
        })
    }
}

/// Finds the recipients of `rule`; none when the decision is that there are none.
///
/// # Errors
/// [`Park`] when the names do not allow a decision.
pub fn recipients(case: &mut Case<'_>, rule: &DirectRule) -> Result<Option<Recipients>, Park> {
    let (reasons, warnings) = (case.reasons.len(), case.warnings.len());
    for assign in &rule.assign {
        let failed = (case.reasons.len(), case.warnings.len());
        if let Some(found) = assigned(case, rule, assign)? {
            // What the earlier ones did not find is of no interest once somebody is found.
            case.reasons.drain(reasons..failed.0);
            case.warnings.drain(warnings..failed.1);
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The recipients that one word of `assign` finds.
fn assigned(
    case: &mut Case<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Recipients>, Park> {
    let Some(found) = found(case, rule, assign)? else { return Ok(None) };

    let weights: Vec<Option<Decimal>> = found.iter().map(|found| found.share.weight).collect();
    let first_only = case.plan.split == Split::First && weights.iter().all(Option::is_none);
    let mut named: Vec<Named> = Vec::new();
    // A team without members gives its own reason, which is more exact than the one below.
    let reasons = case.reasons.len();

    for (index, found) in found.iter().enumerate() {
        named.push(match found.who {
            // The others are not recipients of nothing: they are none.
            _ if first_only && index > 0 => {
                later(case, rule, found);
                Named::Nobody
            }
            Who::Unknown | Who::Outsider(_) => Named::Nobody,
            Who::Target(recipient) => Named::Recipient(recipient),
            Who::Team(team) => members::pass(case, rule, team)?.map_or(Named::Nobody, Named::Team),
        });
    }

    if named.iter().all(|named| *named == Named::Nobody) {
        if case.reasons.len() == reasons {
            let name = &rule.rule.name;
            let names: Vec<&str> = found.iter().map(|found| found.share.who.as_str()).collect();
            let message = format!("rule `{name}`: nobody matches `{}`", names.join(";"));
            case.reason(STAGE, "unmatched", message);
        }
        return Ok(None);
    }

    let shares = divide(case, &weights)?;
    // A policy may credit somebody on top of the deal; a text that does is more likely a slip.
    if !matches!(assign, Assign::Policy(_)) {
        check_total(case, rule, &found);
    }

    Ok(Some(Recipients { named, shares }))
}

/// Who is named, once each, and who that is.
fn found(
    case: &mut Case<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Vec<Found>>, Park> {
    if let Assign::Territory(within) = assign {
        let found = resolve::territory(case, rule, *within);
        found.iter().for_each(|found| meant(case, rule, found));
        return Ok(found);
    }
    let Some(shares) = named::named(case, rule, assign)? else { return Ok(None) };

    let mut found: Vec<Found> = Vec::new();
    for share in shares {
        let who = resolve::resolve(case, assign, &share.who)?;
        match found.iter_mut().find(|known| known.same(who, &share)) {
            Some(known) => known.share.weight = added(&known.share, &share)?,
            None => found.push(Found { who, share }),
        }
    }

    meant(case, rule, &found);
    Ok(Some(found))
}

/// Says who is meant.
fn meant(case: &mut Case<'_>, rule: &DirectRule, found: &[Found]) {
    let organization = &case.ruleset.organization;
    case.tell(STAGE, || {
        let one = |found: &Found| match found.recipient() {
            Some(who) => format!("`{}` is `{}`", found.share.who, organization.recipient_id(who)),
            None => format!("`{}` is nobody", found.share.who),
        };
        let all: Vec<String> = found.iter().map(one).collect();
        let who = found.iter().filter_map(Found::recipient).collect();
        (Says::Only(who), format!("rule `{}`: {}", rule.rule.name, all.join(", ")))
    });
}

/// Says that a name comes after the first, where only that one is credited.
fn later(case: &mut Case<'_>, rule: &DirectRule, found: &Found) {
    case.tell(STAGE, || {
        let (name, who) = (&rule.rule.name, &found.share.who);
        let message =
            format!("rule `{name}`: `{who}` is not the first, the plan's split is `first`");
        (Says::EndsFor("split".to_owned(), found.recipient().into_iter().collect()), message)
    });
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

/// Warns when the weights of a text do not sum to one (DOMAIN 3.4 i): part of the deal is nobody's, or
/// more than the deal is credited.
fn check_total(case: &mut Case<'_>, rule: &DirectRule, found: &[Found]) {
    let weights = found.iter().map(|found| found.share.weight);

    let Some(weights) = weights.collect::<Option<Vec<Decimal>>>() else { return };
    let total = weights.iter().copied().try_fold(Decimal::ZERO, Decimal::checked_add);
    let Some(total) = total.filter(|total| *total != Decimal::ONE) else { return };

    let name = &rule.rule.name;
    let mut message = format!("rule `{name}`: the weights sum to {}, not to 1", total.normalize());
    let is_percent = total == Decimal::ONE_HUNDRED;
    if is_percent || weights.iter().any(|weight| *weight > Decimal::TEN) {
        message.push_str("; are they percentages? write 40 percent as [0.4]");
    }
    case.warn(STAGE, "total_not_one", message);
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
            // The others are still named, with a weight of nothing, so that `parts` sees as many as
            // there are.
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
