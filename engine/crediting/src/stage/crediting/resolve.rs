//! Who a name means on the incentive date, among the plan's targets.
//!
//! In a plan that measures teams only teams are meant; in any other, positions and people, and
//! teams only if no position or person has the name. Not what becomes of a team then (`members`).
//! Called by `crediting`. Source: FORMAT section 1, DOMAIN 2.8, seed 001, decision D18.

use std::sync::Arc;

use super::STAGE;
use crate::stage::{DealCase, ParkReason, StepEffect};
use accredit_domain::note::NoteCode;
use accredit_domain::organization::{Recipient, TeamId, fold_name};
use accredit_domain::plan::{Assign, DirectRule, Measure, selects_recipient};
use accredit_script::Share;

/// A name, and who it means.
pub(super) struct FoundName {
    pub(super) who: NameMeaning,
    pub(super) share: Share,
}

/// The entity that a name matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameMeaning {
    /// No position, or several that are not targets.
    Unknown,
    /// A recipient who is no target: two names of one outsider are one.
    Outsider(Recipient),
    /// One of the plan's targets.
    Target(Recipient),
    /// A team, in a plan that measures individuals.
    Team(TeamId),
}

impl FoundName {
    /// The one who is meant.
    pub(super) fn as_recipient(&self) -> Option<Recipient> {
        match self.who {
            NameMeaning::Unknown => None,
            NameMeaning::Outsider(recipient) | NameMeaning::Target(recipient) => Some(recipient),
            NameMeaning::Team(team) => Some(Recipient::Team(team)),
        }
    }

    /// Whether another name means the same.
    pub(super) fn means_same(&self, who: NameMeaning, share: &Share) -> bool {
        match (self.who, who) {
            (NameMeaning::Unknown, NameMeaning::Unknown) => {
                fold_name(&self.share.who) == fold_name(&share.who)
            }
            (known, who) => known == who,
        }
    }
}

/// Who `name` means; records a warning if it means no one who can be credited.
///
/// # Errors
/// [`ParkReason`] when it matches several, or a person without a position.
pub(super) fn resolve_name(
    case: &mut DealCase<'_>,
    assign: &Assign,
    name: &str,
) -> Result<NameMeaning, ParkReason> {
    let organization = &case.ruleset.organization;

    match (case.plan.measure, assign) {
        (Measure::Team, _) => {
            let teams = organization.teams.resolve_name(name, case.date);
            let teams: Vec<Recipient> = teams.into_iter().map(Recipient::Team).collect();
            return only_target(case, name, &teams);
        }
        (Measure::Individual, Assign::Team) => {
            let team = one_team(case, name)?;
            return Ok(team.map_or_else(|| warn_unmatched(case, name), NameMeaning::Team));
        }
        (Measure::Individual, _) => (),
    }

    let matches = organization.resolve_name(name, case.date);

    // A person comes before a team of the same name, which is looked up only if no person is found.
    if matches.positions.is_empty() && !matches.without_position {
        let team = one_team(case, name)?;
        return Ok(team.map_or_else(|| warn_unmatched(case, name), NameMeaning::Team));
    }

    if matches.without_position {
        let message = format!("`{name}` holds no position on {}", case.date);
        return Err(ParkReason::new(STAGE, NoteCode::NoPosition, message));
    }

    // Nearly every name means one position, of which no list is made.
    if let [position] = matches.positions.as_slice() {
        return only_target(case, name, &[Recipient::Position(*position)]);
    }
    let meant: Vec<Recipient> =
        matches.positions.iter().copied().map(Recipient::Position).collect();
    only_target(case, name, &meant)
}

/// The one target among those that a name means.
fn only_target(
    case: &mut DealCase<'_>,
    name: &str,
    meant: &[Recipient],
) -> Result<NameMeaning, ParkReason> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let is_target =
        |who: &&Recipient| selects_recipient(&case.plan.targets, organization, **who, date);
    let mut targets = meant.iter().filter(is_target);

    match (targets.next(), targets.next(), meant) {
        (Some(target), None, _) => Ok(NameMeaning::Target(*target)),
        (None, _, []) => Ok(warn_unmatched(case, name)),
        (None, _, outsiders) => {
            let who = match outsiders {
                // Kept by id: two names of one outsider have one part, like two names of a target.
                [outsider] => NameMeaning::Outsider(*outsider),
                _ => NameMeaning::Unknown,
            };

            let message = format!("`{name}` is not among the plan's targets on {date}");
            let says = StepEffect::RejectedFor("not_target".to_owned(), outsiders.to_vec());
            case.warn_with_effect(STAGE, NoteCode::Unmatched, message, says);
            Ok(who)
        }
        (Some(_), Some(_), _) => {
            let several = meant.iter().filter(is_target);
            let ids: Vec<_> = several.map(|who| case.recipient_id(*who)).collect();
            let message = format!("`{name}` means several targets: {}", ids.join(", "));
            Err(ParkReason::new(STAGE, NoteCode::AmbiguousAlias, message))
        }
    }
}

fn warn_unmatched(case: &mut DealCase<'_>, name: &str) -> NameMeaning {
    let message = format!("no alias matches `{name}` on {}", case.date);
    case.warn_with_effect(
        STAGE,
        NoteCode::Unmatched,
        message,
        StepEffect::Rejected("unmatched".to_owned()),
    );
    NameMeaning::Unknown
}

/// The one team that a name means in a plan that measures individuals.
fn one_team(case: &DealCase<'_>, name: &str) -> Result<Option<TeamId>, ParkReason> {
    let teams = case.ruleset.organization.teams.resolve_name(name, case.date);
    match teams.as_slice() {
        [] => Ok(None),
        [team] => Ok(Some(*team)),
        several => {
            let organization = &case.ruleset.organization;
            let ids: Vec<_> = several.iter().map(|team| organization.team_id(*team)).collect();
            let message = format!("`{name}` means several teams: {}", ids.join(", "));
            Err(ParkReason::new(STAGE, NoteCode::AmbiguousAlias, message))
        }
    }
}

/// The teams to whose territory the deal belongs; none if there are none, which is recorded.
pub(super) fn territory_teams(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
    within: Option<TeamId>,
) -> Option<Vec<FoundName>> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let transaction = &case.tx;
    let teams = organization.territories.find_teams(transaction, date, within, &organization.teams);
    let name = &rule.rule.name;

    if teams.is_empty() {
        let of = within.map(|team| format!(" of `{}`", organization.team_id(team)));
        let of = of.unwrap_or_default();
        let message = format!("rule `{name}`: the deal is in no territory{of} on {date}");
        case.add_reason(STAGE, NoteCode::Unmatched, message.clone());
        case.warn(STAGE, NoteCode::Unmatched, message);
        return None;
    }

    let mut found = Vec::new();
    for team in teams {
        let who = organization.team_id(team);
        case.trace_step(STAGE, || {
            format!("rule `{name}`: the deal is in the territory of `{who}`")
        });
        let recipient = Recipient::Team(team);
        let target = selects_recipient(&case.plan.targets, organization, recipient, date);

        let meant = match case.plan.measure {
            Measure::Individual => NameMeaning::Team(team),
            Measure::Team if target => NameMeaning::Target(recipient),
            Measure::Team => {
                let message = format!("`{who}` is not among the plan's targets on {date}");
                let says = StepEffect::RejectedFor("not_target".to_owned(), vec![recipient]);
                case.warn_with_effect(STAGE, NoteCode::Unmatched, message, says);
                NameMeaning::Outsider(recipient)
            }
        };

        found.push(FoundName {
            who: meant,
            share: Share { who: Arc::clone(who.shared()), weight: None },
        });
    }

    Some(found)
}
