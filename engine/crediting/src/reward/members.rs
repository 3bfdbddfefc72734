//! The people behind a team: who is paid which part of what a team earned.
//!
//! Members are paid for each credit by their weight on its day; a team's manager is the holder on
//! the period's last day. Called by `pay`. Source: REWARDS section 4.
//!
//! **Architecture invariant:** the parts of all members are the team's rounded amount to the last
//! cent; what nobody may have is reported, never spread over the others.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::claim::{self, Claim};
use super::history::EarnedBy;
use super::scope::RewardContext;
use accredit_domain::money::{self, Shares};
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::organization::{ParticipantId, TeamId};

/// Who is paid how much of what a team earned, and what could be paid to nobody.
pub(super) type TeamParts = (Vec<(ParticipantId, Decimal)>, Option<Note>);

/// The parts of the members in what a team earned to date, less what earlier periods of the span
/// paid them.
///
/// # Errors
/// The alert that says why nobody is paid.
pub(super) fn member_parts(
    context: &RewardContext<'_>,
    (claim, team): (&Claim, TeamId),
    earned: Decimal,
    by: &EarnedBy,
) -> Result<TeamParts, Note> {
    let organization = &context.ruleset().organization;
    let id = organization.team_id(team);

    let (people, weights) = weighted_members(context, claim, team)?;
    let parts = money::split_exactly(earned, &Shares::Parts(weights), claim.unit.scale).map_err(
        |error| context.reward_alert(NoteCode::PolicyError, &format!("team `{id}`: {error}")),
    )?;

    let mut due: BTreeMap<ParticipantId, Decimal> = BTreeMap::new();
    let mut nobody = Decimal::ZERO;
    for (person, part) in people.into_iter().zip(parts) {
        match person {
            Some(person) => *due.entry(person).or_default() = part,
            None => nobody = part,
        }
    }

    if context.reward.to_date.is_some() {
        let (span, first) = (context.whole_span(), context.scope.period.first);
        // Those who no longer have a part give back what they had of it.
        for (member, before) in
            context.history.earlier_parts(by, &context.reward.name, (&span, first))
        {
            let Some(person) = organization.find_participant(&member) else { continue };
            let part = due.entry(person).or_default();
            *part = part.saturating_sub(before);
        }
    }

    let warning = (!nobody.is_zero()).then(|| {
        let message = format!(
            "team `{id}` had no member on the day of some credits: {nobody} of what it earned is \
             paid to nobody"
        );
        context.reward_alert(NoteCode::Unmatched, &message)
    });

    Ok((due.into_iter().collect(), warning))
}

/// Members, none for days without one, and what each of them brought in; by their weights on the
/// period's last day where that sums to nothing.
fn weighted_members(
    context: &RewardContext<'_>,
    claim: &Claim,
    team: TeamId,
) -> Result<(Vec<Option<ParticipantId>>, Vec<Decimal>), Note> {
    let whole: Decimal =
        claim.members.values().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    let has_members = claim.members.keys().any(Option::is_some);

    if has_members && !whole.is_zero() {
        // Parts of a negative whole are the same shares of its opposite.
        let sign = if whole.is_sign_negative() { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
        let weights = claim.members.values().map(|weight| *weight * sign).collect();
        return Ok((claim.members.keys().copied().collect(), weights));
    }

    let last = context.scope.last;
    let members = claim::member_weights(context, team, last);
    if members.is_empty() || (!has_members && !whole.is_zero()) {
        let id = context.ruleset().organization.team_id(team);
        let message = format!("team `{id}` has no member on {last}, so nobody is paid");
        return Err(context.reward_alert(NoteCode::Unmatched, &message));
    }
    let (people, weights): (Vec<ParticipantId>, Vec<Decimal>) = members.into_iter().unzip();
    Ok((people.into_iter().map(Some).collect(), weights))
}

/// The holder of a team's manager position on the period's last day.
///
/// # Errors
/// The alert that says why nobody is paid.
pub(super) fn manager_part(
    context: &RewardContext<'_>,
    team: TeamId,
    worth: Decimal,
) -> Result<Vec<(ParticipantId, Decimal)>, Note> {
    let organization = &context.ruleset().organization;

    let (id, last) = (organization.team_id(team), context.scope.last);

    let manager = organization.teams.version_on(team, last).and_then(|version| version.manager);
    let Some(manager) = manager else {
        let message = format!("team `{id}` has no manager on {last}, so nobody is paid");
        return Err(context.reward_alert(NoteCode::Unmatched, &message));
    };

    match context.manager_on(manager, last) {
        Some(holder) => Ok(vec![(holder, worth)]),
        None => {
            let vacant = organization.position_id(manager);
            let message =
                format!("`{vacant}` is vacant on {last}, so nobody gets what `{id}` earned");
            Err(context.reward_alert(NoteCode::Vacant, &message))
        }
    }
}
