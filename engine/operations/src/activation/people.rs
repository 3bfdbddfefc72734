//! People with credits or rewards stay in the organisation: who would go, and who would lose pay.
//!
//! Not rules (`guards`). Called by the door, in its turn, and by previews. Source: DESIGN section 5.
//!
//! **Architecture invariant:** no row that money depends on disappears unnoticed: it is ended,
//! renamed by an alias, or removed with a reason that the audit log keeps.

use std::collections::{BTreeMap, BTreeSet};

use accredit_workspace::Ruleset;
use serde::Serialize;
use utoipa::ToSchema;

use super::ChangeRequest;
use crate::context::Context;
use crate::error::OperationError;
use crate::losses::{self, RewardLoss};

/// Names that a message lists.
const LISTED_MAX: usize = 5;

/// A participant, position or team with credits that would go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct RemovedEntity {
    /// `participant`, `position` or `team`.
    kind: &'static str,
    /// The id of the removed row.
    id: String,
    /// How many credits it has.
    credits: u64,
}

/// What a change means for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeopleReport {
    /// Who would be removed and has credits.
    pub gone: Vec<RemovedEntity>,
    /// Who would be paid less of rewards.
    pub losing: Vec<RewardLoss>,
}

/// What one ruleset has and another one has not, by id.
#[derive(Debug, Default)]
struct RemovedIds {
    participants: BTreeSet<String>,
    positions: BTreeSet<String>,
    teams: BTreeSet<String>,
    /// People whose seat or membership goes, though they stay.
    moved: BTreeSet<String>,
}

impl RemovedIds {
    /// What `old` has and `new` has not, not even under an alias.
    fn between_rulesets(old: &Ruleset, new: &Ruleset) -> RemovedIds {
        let (old, new) = (&old.organization, &new.organization);
        let mut removed = RemovedIds::default();

        let people = old.participants().map(|(_, known)| &known.id);
        let people = people.filter(|id| new.find_participant(id).is_none());
        removed.participants = people.map(ToString::to_string).collect();

        // Credits from before a renaming depend on the alias for the old id.
        let former = old.participants().flat_map(|(who, _)| old.former_ids(who));
        let former = former.filter(|id| old.find_participant(id).is_some());
        let former = former.filter(|id| new.find_participant(id).is_none());
        removed.participants.extend(former.map(str::to_owned));

        let positions = old.positions().map(|(_, known)| &known.id);
        let positions = positions.filter(|id| new.find_position(id).is_none());
        // Where each person has a position of the same id, the person says it.
        let positions = positions.map(ToString::to_string);
        removed.positions = positions.filter(|id| !removed.participants.contains(id)).collect();

        let teams = old.teams.iter().map(|(_, known)| &known.id);
        let teams = teams.filter(|id| new.teams.find(id).is_none());
        removed.teams = teams.map(ToString::to_string).collect();

        let seats: BTreeSet<_> = new.all_assignments().collect();
        for (position, participant) in old.all_assignments() {
            let id = old.participant_id(participant);
            let there = new.find_position(&old.position_id(position));
            let kept =
                there.zip(new.find_participant(&id)).is_some_and(|seat| seats.contains(&seat));
            if !kept {
                removed.moved.insert(id.to_string());
            }
        }

        let members: BTreeSet<_> = new.teams.all_memberships().collect();
        for (team, participant) in old.teams.all_memberships() {
            let id = old.participant_id(participant);
            let there = new.teams.find(&old.team_id(team));
            let kept =
                there.zip(new.find_participant(&id)).is_some_and(|row| members.contains(&row));
            if !kept {
                removed.moved.insert(id.to_string());
            }
        }

        removed
    }

    fn has_ids(&self) -> bool {
        !(self.participants.is_empty() && self.positions.is_empty() && self.teams.is_empty())
    }
}

/// All people and objects with credits that would be removed.
pub fn removed_with_credits(
    context: &Context,
    old: &Ruleset,
    new: &Ruleset,
) -> Result<Vec<RemovedEntity>, OperationError> {
    let removed = RemovedIds::between_rulesets(old, new);
    if !removed.has_ids() {
        return Ok(Vec::new());
    }

    let mut found: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
    let read = context.ledger.visit_transactions(None, &mut |stored| {
        for credit in stored.decisions.iter().flat_map(|decision| &decision.credits) {
            let named = [
                ("participant", credit.payee.as_deref(), &removed.participants),
                ("position", credit.position.as_deref(), &removed.positions),
                ("team", credit.team.as_deref(), &removed.teams),
            ];
            for (kind, id, removed) in named {
                if let Some(id) = id.filter(|id| removed.contains(*id)) {
                    *found.entry((kind, id.to_owned())).or_default() += 1;
                }
            }
        }
        Ok(())
    });

    read?;
    let found = found.into_iter();
    Ok(found.map(|((kind, id), credits)| RemovedEntity { kind, id, credits }).collect())
}

/// What a preview says about people: who would go, and who would be paid less.
pub fn people_report(
    context: &Context,
    old: &Ruleset,
    new: &Ruleset,
) -> Result<PeopleReport, OperationError> {
    let gone = removed_with_credits(context, old, new)?;
    let losing = losses::reward_losses(context, old, new)?;
    Ok(PeopleReport { gone, losing })
}

/// Refuses to remove people, positions, teams or memberships that money depends on.
pub(super) fn keeps_people(
    context: &Context,
    old: &Ruleset,
    new: &Ruleset,
    change: &ChangeRequest,
) -> Result<(), OperationError> {
    if change.terms.force.is_some() {
        return Ok(());
    }

    let gone = removed_with_credits(context, old, new)?;
    if !gone.is_empty() {
        let names = gone.iter().map(|one| format!("{} `{}`", one.kind, one.id));
        let detail = format!(
            "{} would be removed but has credits: keep the row and end it with `to`; if the id was \
                 renamed, add the old id as an alias of the new one to organization/aliases.csv; or \
                 apply the change with `force` and a reason",
            list_names(names)
        );
        let errors = gone.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
        return Err(OperationError::conflict("has_credits", detail).with_findings(errors));
    }

    let mut removed = RemovedIds::between_rulesets(old, new);
    removed.moved.extend(std::mem::take(&mut removed.participants));
    if removed.moved.is_empty() {
        return Ok(());
    }

    let mut losses = losses::reward_losses(context, old, new)?;
    losses.retain(|loss| removed.moved.contains(&loss.payee));

    if losses.is_empty() {
        return Ok(());
    }

    let names = losses.iter().map(|loss| {
        let (payee, plan, period) = (&loss.payee, &loss.plan, &loss.period);
        let (before, after, unit) = (&loss.before, &loss.after, &loss.unit_type);
        format!("`{payee}` gets {after} instead of {before} {unit} of plan `{plan}` in {period}")
    });

    let detail = format!(
        "rows that rewards depend on would be removed: {}; keep the rows and end them with `to`, or apply \
             the change with `force` and a reason",
        list_names(names)
    );

    let errors = losses.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
    Err(OperationError::conflict("has_rewards", detail).with_findings(errors))
}

/// The first of `names`, and how many more there are.
fn list_names(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let shown: Vec<&str> = names.iter().take(LISTED_MAX).map(String::as_str).collect();
    match names.len().saturating_sub(LISTED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
