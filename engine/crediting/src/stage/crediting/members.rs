//! What becomes of a team that an individual plan finds: its members, with which weights, or its
//! manager.
//!
//! Not amounts (`parts`). Called by `crediting` for each team. Source: FORMAT section 3 (`members`),
//! DOMAIN 2.8 (team fallback modes), 3.4 g, seed 001.
//!
//! **Architecture invariant:** parts are computed over all members of the day, so the part of a
//! member who is not a target stays uncredited and never goes to another member.

use accredit_domain::note::NoteCode;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::STAGE;
use crate::stage::{DealCase, ParkReason, StepEffect};
use accredit_domain::money::Shares;
use accredit_domain::organization::{PositionId, Recipient, TeamId};
use accredit_domain::plan::{DirectRule, Members, selects_recipient};

/// A team's part, passed to positions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PassedPart {
    /// The team whose part it is.
    pub(super) team: TeamId,
    /// Who gets it, a member each: at least one position, without duplicates; none for a member who
    /// is no target.
    pub(super) positions: Vec<Option<PositionId>>,
    /// What part of the team's amount each gets.
    pub(super) shares: Shares,
}

/// Who gets the part of `team`; none if it stays uncredited, which is recorded.
///
/// # Errors
/// [`ParkReason`] when a member holds several targets, or the weights are too large.
pub(super) fn pass_part(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    team: TeamId,
) -> Result<Option<PassedPart>, ParkReason> {
    let id = case.ruleset.organization.team_id(team);
    let name = &rule.rule.name;

    let passed = match rule.members {
        None => {
            let message = format!("rule `{name}`: `{id}` is a team, and the rule has no `members`");
            case.add_reason(STAGE, NoteCode::TeamWithoutMembers, message.clone());
            case.warn(STAGE, NoteCode::Unmatched, message);
            return Ok(None);
        }

        Some(Members::Manager) => {
            let position = managing_position(case, team);
            position.map(|position| (vec![Some(position)], Shares::Full(1)))
        }

        Some(members) => {
            let counting = counting_members(case, rule, team)?;
            let (positions, weights): (Vec<Option<PositionId>>, Vec<Decimal>) =
                counting.into_iter().unzip();
            // Weights that are all zero divide nothing: the members share equally.
            let shares = match members {
                Members::Weight if weights.iter().any(|weight| !weight.is_zero()) => {
                    Shares::Parts(weights)
                }
                Members::Full => Shares::Full(positions.len()),
                _ => Shares::Equal(positions.len()),
            };
            positions.iter().any(Option::is_some).then_some((positions, shares))
        }
    };

    let Some((positions, shares)) = passed else {
        let what = if rule.members == Some(Members::Manager) { "manager" } else { "member" };
        let date = case.date;
        let message = format!("no {what} of the team `{id}` is among the plan's targets on {date}");
        case.warn_with_effect(
            STAGE,
            NoteCode::Unmatched,
            message,
            StepEffect::TeamMembers(Vec::new()),
        );
        return Ok(None);
    };

    case.trace_effect(STAGE, || {
        let organization = &case.ruleset.organization;
        let part = |(index, position): (usize, &Option<PositionId>)| {
            let id = position.map(|position| organization.position_id(position))?;
            Some(format!("{id} ({})", shares.shown_weight(index)))
        };

        let parts: Vec<String> = positions.iter().enumerate().filter_map(part).collect();
        let who = positions.iter().copied().flatten().map(Recipient::Position).collect();
        (
            StepEffect::TeamMembers(who),
            format!("rule `{name}`: the team `{id}` is {}", parts.join(", ")),
        )
    });

    Ok(Some(PassedPart { team, positions, shares }))
}

/// The position that manages a team, when it is a target.
fn managing_position(case: &DealCase<'_>, team: TeamId) -> Option<PositionId> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let position = organization.teams.version_on(team, date)?.manager?;
    organization.version_on(position, date)?;
    let target =
        selects_recipient(&case.plan.targets, organization, Recipient::Position(position), date);
    target.then_some(position)
}

/// A member's position, none when it is no target, and the member's weight.
type CountingMembers = Vec<(Option<PositionId>, Decimal)>;

/// The members of the day in file order; a position that two rows reach is one. A note says that
/// the part of a member who is not a target stays uncredited while others get theirs.
fn counting_members(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    team: TeamId,
) -> Result<CountingMembers, ParkReason> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let mut counting: CountingMembers = Vec::new();
    let mut outsiders: Vec<Arc<str>> = Vec::new();

    for member in organization.existing_members(team, date) {
        let mut held = organization.positions_held_by(member.participant, date);
        // Two assignments to one position are one seat.
        held.dedup();
        held.retain(|position| {
            selects_recipient(
                &case.plan.targets,
                organization,
                Recipient::Position(*position),
                date,
            )
        });

        let position = match held.as_slice() {
            // The part of a member who is no target is counted, so that the others do not get it.
            [] => {
                counting.push((None, member.weight));
                outsiders.push(organization.participant_id(member.participant).into());
                continue;
            }
            [position] => *position,
            several => {
                let who = organization.participant_id(member.participant);
                let team = organization.team_id(team);
                let ids: Vec<_> = several.iter().map(|p| organization.position_id(*p)).collect();
                let ids = ids.join(", ");
                let message = format!("`{who}` of the team `{team}` holds several targets: {ids}");
                return Err(ParkReason::new(STAGE, NoteCode::AmbiguousAlias, message));
            }
        };

        match counting.iter_mut().find(|(known, _)| *known == Some(position)) {
            None => counting.push((Some(position), member.weight)),
            Some((_, weight)) => {
                let sum = weight.checked_add(member.weight);
                *weight = sum.ok_or_else(|| {
                    ParkReason::new(STAGE, NoteCode::BadValue, "a weight is too large")
                })?;
            }
        }
    }

    // `full` gives each the whole: nothing is left over. Without any target, the note below covers
    // the whole.
    let is_divided = rule.members != Some(Members::Full);
    if is_divided && counting.iter().any(|(position, _)| position.is_some()) {
        let (id, name) = (organization.team_id(team), &rule.rule.name);
        for who in outsiders {
            let message = format!(
                "rule `{name}`: `{who}` of the team `{id}` is not among the plan's targets on {date}; \
                 that part stays uncredited"
            );
            case.warn(STAGE, NoteCode::Unmatched, message);
        }
    }
    Ok(counting)
}
