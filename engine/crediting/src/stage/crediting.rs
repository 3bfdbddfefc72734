//! Crediting: who gets the direct credits of a rule, and what part of the deal each: by the plan's
//! `split`, or by weights.
//!
//! Names come from the transaction, from territories or from a crediting policy and are resolved on
//! the incentive date among the plan's targets (`named`, `resolve`); a team that an individual plan
//! finds becomes its members (`members`); what all of them get of a value is `parts`. Not the amount
//! of a credit's cap and not its hold. Called by the pipeline. Source: DOMAIN 2.5, 2.8, 3.4, seed
//! 001, decisions D8, D9, D15, D18.
//!
//! **Architecture invariant:** shares are computed over all who are named, so the share of an
//! unknown name stays uncredited and never goes to another recipient.

mod members;
mod named;
mod parts;
mod resolve;

use accredit_domain::note::{NoteCode, NoteStage};
use rust_decimal::Decimal;

use self::members::PassedPart;
pub use self::parts::RecipientPart;
use self::resolve::{FoundName, NameMeaning};
use crate::stage::{DealCase, ParkReason, StepEffect};
use accredit_domain::money::Shares;
use accredit_domain::organization::{Recipient, TeamId};
use accredit_domain::plan::{Assign, DirectRule, Split};
use accredit_script::Share;

const STAGE: NoteStage = NoteStage::Crediting;

/// The recipients of a rule: all who are named, in order, found or not, and their parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipients {
    /// What becomes of each name.
    named: Vec<NamedPart>,
    /// What part of the deal each name has.
    pub shares: Shares,
}

/// What becomes of the part of one name.
#[derive(Debug, Clone, PartialEq)]
enum NamedPart {
    /// The part has no recipient and stays uncredited.
    Nobody,
    /// The share belongs to this recipient.
    Recipient(Recipient),
    /// It is a team's, and passed to positions.
    Team(PassedPart),
}

impl Recipients {
    /// The first who is credited, with the team through which they were found.
    pub fn first_recipient(&self) -> Option<(Recipient, Option<TeamId>)> {
        self.named.iter().find_map(|named| match named {
            NamedPart::Nobody => None,
            NamedPart::Recipient(recipient) => Some((*recipient, recipient.team())),
            NamedPart::Team(passed) => {
                let first = passed.positions.iter().copied().flatten().next()?;
                Some((Recipient::Position(first), Some(passed.team)))
            }
        })
    }
}

/// Finds the recipients of `rule`; none when the decision is that there are none.
///
/// # Errors
/// [`ParkReason`] when the names do not allow a decision.
pub fn find_recipients(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
) -> Result<Option<Recipients>, ParkReason> {
    let (reasons, warnings) = (case.reasons.len(), case.warnings.len());
    for assign in &rule.assign {
        let failed = (case.reasons.len(), case.warnings.len());
        if let Some(found) = assigned_recipients(case, rule, assign)? {
            // Once a recipient is found, the findings of earlier sources do not matter.
            case.reasons.drain(reasons..failed.0);
            case.warnings.drain(warnings..failed.1);
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The recipients that one word of `assign` finds.
fn assigned_recipients(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Recipients>, ParkReason> {
    let Some(found) = resolve_names(case, rule, assign)? else { return Ok(None) };

    let weights: Vec<Option<Decimal>> = found.iter().map(|found| found.share.weight).collect();
    let first_only = case.plan.split == Split::First && weights.iter().all(Option::is_none);
    let mut named: Vec<NamedPart> = Vec::new();
    // A team without members gives its own reason, which is more exact than the one below.
    let reasons = case.reasons.len();

    for (index, found) in found.iter().enumerate() {
        named.push(match found.who {
            // The others are not recipients of nothing: they are none.
            _ if first_only && index > 0 => {
                trace_later_name(case, rule, found);
                NamedPart::Nobody
            }
            NameMeaning::Unknown | NameMeaning::Outsider(_) => NamedPart::Nobody,
            NameMeaning::Target(recipient) => NamedPart::Recipient(recipient),
            NameMeaning::Team(team) => {
                members::pass_part(case, rule, team)?.map_or(NamedPart::Nobody, NamedPart::Team)
            }
        });
    }

    if named.iter().all(|named| *named == NamedPart::Nobody) {
        if case.reasons.len() == reasons {
            let name = &rule.rule.name;
            let names: Vec<&str> = found.iter().map(|found| &*found.share.who).collect();
            let message = format!("rule `{name}`: nobody matches `{}`", names.join(";"));
            case.add_reason(STAGE, NoteCode::Unmatched, message);
        }
        return Ok(None);
    }

    let shares = divide_shares(case, &weights)?;
    // A policy may credit a person on top of the deal; a text that does so is more likely a typo.
    if !matches!(assign, Assign::Policy(_)) {
        check_weight_total(case, rule, &found);
    }

    Ok(Some(Recipients { named, shares }))
}

/// Who is named, once each, and who that is.
fn resolve_names(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    assign: &Assign,
) -> Result<Option<Vec<FoundName>>, ParkReason> {
    if let Assign::Territory(within) = assign {
        let found = resolve::territory_teams(case, rule, *within);
        found.iter().for_each(|found| trace_meaning(case, rule, found));
        return Ok(found);
    }
    let Some(shares) = named::named_shares(case, rule, assign)? else { return Ok(None) };

    let mut found: Vec<FoundName> = Vec::new();
    for share in shares {
        let who = resolve::resolve_name(case, assign, &share.who)?;
        match found.iter_mut().find(|known| known.means_same(who, &share)) {
            Some(known) => known.share.weight = add_weights(&known.share, &share)?,
            None => found.push(FoundName { who, share }),
        }
    }

    trace_meaning(case, rule, &found);
    Ok(Some(found))
}

/// Adds a step that shows which recipients the names matched.
fn trace_meaning(case: &mut DealCase<'_>, rule: &DirectRule, found: &[FoundName]) {
    let organization = &case.ruleset.organization;
    case.trace_effect(STAGE, || {
        let one = |found: &FoundName| match found.as_recipient() {
            Some(who) => format!("`{}` is `{}`", found.share.who, organization.recipient_id(who)),
            None => format!("`{}` is nobody", found.share.who),
        };
        let all: Vec<String> = found.iter().map(one).collect();
        let who = found.iter().filter_map(FoundName::as_recipient).collect();
        (StepEffect::OnlyThese(who), format!("rule `{}`: {}", rule.rule.name, all.join(", ")))
    });
}

/// Says that a name comes after the first, where only that one is credited.
fn trace_later_name(case: &mut DealCase<'_>, rule: &DirectRule, found: &FoundName) {
    case.trace_effect(STAGE, || {
        let (name, who) = (&rule.rule.name, &found.share.who);
        let message =
            format!("rule `{name}`: `{who}` is not the first, the plan's split is `first`");
        (
            StepEffect::RejectedFor("split".to_owned(), found.as_recipient().into_iter().collect()),
            message,
        )
    });
}

/// The weight of a name that is named twice: weights add up, without weights it counts once.
fn add_weights(known: &Share, again: &Share) -> Result<Option<Decimal>, ParkReason> {
    match (known.weight, again.weight) {
        (None, None) => Ok(None),
        (Some(a), Some(b)) => match a.checked_add(b) {
            Some(sum) => Ok(Some(sum)),
            None => Err(ParkReason::new(STAGE, NoteCode::BadValue, "a weight is too large")),
        },
        _ => Err(mixed_weights(&known.who)),
    }
}

fn mixed_weights(who: &str) -> ParkReason {
    let message = format!("some names have a weight and some have none, such as `{who}`");
    ParkReason::new(STAGE, NoteCode::MixedWeights, message)
}

/// Warns when the weights of a text do not sum to one (DOMAIN 3.4 i): part of the deal stays
/// uncredited, or more than the deal is credited.
fn check_weight_total(case: &mut DealCase<'_>, rule: &DirectRule, found: &[FoundName]) {
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
    case.warn(STAGE, NoteCode::TotalNotOne, message);
}

/// What part each gets, by the plan's `split` and by weights, which override it.
fn divide_shares(case: &DealCase<'_>, weights: &[Option<Decimal>]) -> Result<Shares, ParkReason> {
    if weights.len() > 1 && case.plan.split == Split::Refuse {
        let message =
            format!("{} recipients are named, the plan's split is `refuse`", weights.len());
        return Err(ParkReason::new(STAGE, NoteCode::SeveralRecipients, message));
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
        return Err(ParkReason::new(STAGE, NoteCode::MixedWeights, message));
    }

    let total = given.iter().copied().try_fold(Decimal::ZERO, Decimal::checked_add);
    if case.plan.require_total_one && total != Some(Decimal::ONE) {
        let total = total.unwrap_or(Decimal::MAX).normalize();
        let message = format!("weights sum to {total}, and the plan has `require_total_one`");
        return Err(ParkReason::new(STAGE, NoteCode::PolicyError, message));
    }

    Ok(Shares::Weights(given))
}
