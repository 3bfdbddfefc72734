//! Who a name means on the incentive date, among the plan's targets.
//!
//! In a plan that measures teams only teams are meant; in any other, positions and people, and only
//! when a name is none of theirs, teams. Not what becomes of a team then (`members`). Called by
//! `crediting`. Source: FORMAT section 1, DOMAIN 2.8, seed 001, decision D18.

use super::STAGE;
use crate::stage::{Case, Park, Says};
use accredit_domain::organization::{Recipient, TeamId, fold};
use accredit_domain::plan::{Assign, DirectRule, Measure, selects};
use accredit_script::Share;

/// A name, and who it means.
pub(super) struct Found {
    pub(super) who: Who,
    pub(super) share: Share,
}

/// Who a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody, or several who are no targets.
    Unknown,
    /// A recipient who is no target: two names of one outsider are one.
    Outsider(Recipient),
    /// One of the plan's targets.
    Target(Recipient),
    /// A team, in a plan that measures individuals.
    Team(TeamId),
}

impl Found {
    /// The one who is meant.
    pub(super) fn recipient(&self) -> Option<Recipient> {
        match self.who {
            Who::Unknown => None,
            Who::Outsider(recipient) | Who::Target(recipient) => Some(recipient),
            Who::Team(team) => Some(Recipient::Team(team)),
        }
    }

    /// Whether another name means the same.
    pub(super) fn same(&self, who: Who, share: &Share) -> bool {
        match (self.who, who) {
            (Who::Unknown, Who::Unknown) => fold(&self.share.who) == fold(&share.who),
            (known, who) => known == who,
        }
    }
}

/// Who `name` means; a warning when it is nobody who can be credited.
///
/// # Errors
/// [`Park`] when it means several, or somebody who sits nowhere.
pub(super) fn resolve(case: &mut Case<'_>, assign: &Assign, name: &str) -> Result<Who, Park> {
    let organization = &case.ruleset.organization;

    match (case.plan.measure, assign) {
        (Measure::Team, _) => {
            let teams = organization.teams.resolve(name, case.date);
            return target(case, name, teams.into_iter().map(Recipient::Team).collect());
        }
        (Measure::Individual, Assign::Team) => {
            let team = one_team(case, name)?;
            return Ok(team.map_or_else(|| unmatched(case, name), Who::Team));
        }
        (Measure::Individual, _) => (),
    }

    let matches = organization.resolve(name, case.date);

    // A person comes before a team of the same name, which is asked for only where nobody is found.
    if matches.positions.is_empty() && !matches.without_position {
        let team = one_team(case, name)?;
        return Ok(team.map_or_else(|| unmatched(case, name), Who::Team));
    }

    if matches.without_position {
        let message = format!("`{name}` holds no position on {}", case.date);
        return Err(Park::new(STAGE, "no_position", message));
    }

    target(case, name, matches.positions.into_iter().map(Recipient::Position).collect())
}

/// The one target among those whom a name means.
fn target(case: &mut Case<'_>, name: &str, meant: Vec<Recipient>) -> Result<Who, Park> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let is_target = |who: &&Recipient| selects(&case.plan.targets, organization, **who, date);
    let targets: Vec<Recipient> = meant.iter().filter(is_target).copied().collect();

    match (targets.as_slice(), meant.as_slice()) {
        ([target], _) => Ok(Who::Target(*target)),
        ([], []) => Ok(unmatched(case, name)),
        ([], outsiders) => {
            let who = match outsiders {
                // Kept by id: two names of one outsider have one part, like two names of a target.
                [outsider] => Who::Outsider(*outsider),
                _ => Who::Unknown,
            };

            let message = format!("`{name}` is not among the plan's targets on {date}");
            let says = Says::EndsFor("not_target".to_owned(), outsiders.to_vec());
            case.warn_that(STAGE, "unmatched", message, says);
            Ok(who)
        }
        (several, _) => {
            let ids: Vec<_> = several.iter().map(|who| case.recipient_id(*who)).collect();
            let message = format!("`{name}` means several targets: {}", ids.join(", "));
            Err(Park::new(STAGE, "ambiguous_alias", message))
        }
    }
}

fn unmatched(case: &mut Case<'_>, name: &str) -> Who {
    let message = format!("no alias matches `{name}` on {}", case.date);
    case.warn_that(STAGE, "unmatched", message, Says::Ends("unmatched".to_owned()));
    Who::Unknown
}

/// The one team that a name means in a plan that measures individuals.
fn one_team(case: &Case<'_>, name: &str) -> Result<Option<TeamId>, Park> {
    let teams = case.ruleset.organization.teams.resolve(name, case.date);
    match teams.as_slice() {
        [] => Ok(None),
        [team] => Ok(Some(*team)),
        several => {
            let organization = &case.ruleset.organization;
            let ids: Vec<_> = several.iter().map(|team| organization.team_id(*team)).collect();
            let message = format!("`{name}` means several teams: {}", ids.join(", "));
            Err(Park::new(STAGE, "ambiguous_alias", message))
        }
    }
}

/// The teams to whose territory the deal belongs; none when there are none, which is said.
pub(super) fn territory(
    case: &mut Case<'_>,
    rule: &DirectRule,
    within: Option<TeamId>,
) -> Option<Vec<Found>> {
    let (organization, date) = (&case.ruleset.organization, case.date);
    let transaction = &case.tx.transaction;
    let teams = organization.territories.find(transaction, date, within, &organization.teams);
    let name = &rule.rule.name;

    if teams.is_empty() {
        let of = within.map(|team| format!(" of `{}`", organization.team_id(team)));
        let of = of.unwrap_or_default();
        let message = format!("rule `{name}`: the deal is in no territory{of} on {date}");
        case.reason(STAGE, "unmatched", message.clone());
        case.warn(STAGE, "unmatched", message);
        return None;
    }

    let mut found = Vec::new();
    for team in teams {
        let who = organization.team_id(team).to_string();
        case.step(STAGE, || format!("rule `{name}`: the deal is in the territory of `{who}`"));
        let recipient = Recipient::Team(team);
        let target = selects(&case.plan.targets, organization, recipient, date);

        let meant = match case.plan.measure {
            Measure::Individual => Who::Team(team),
            Measure::Team if target => Who::Target(recipient),
            Measure::Team => {
                let message = format!("`{who}` is not among the plan's targets on {date}");
                let says = Says::EndsFor("not_target".to_owned(), vec![recipient]);
                case.warn_that(STAGE, "unmatched", message, says);
                Who::Outsider(recipient)
            }
        };

        found.push(Found { who: meant, share: Share { who, weight: None } });
    }

    Some(found)
}
