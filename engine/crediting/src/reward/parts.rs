//! Rewards in parts: which credits a part of the payees needs, and which plans have no parts.
//!
//! A claim to a reward is worked out from the credits of one claimant, so claimants can be spread over
//! processes. A credit goes to everyone whose claim may count it. Not how keys are spread, and not a
//! transport. Called by the command line.
//!
//! **Architecture invariant:** the rewards of all parts together are those of the whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reads::{STANDING, may_read_variable};
use super::scope::manager_on;
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::{PayoutFormula, RewardRecipient};
use accredit_workspace::Ruleset;

/// The key of the one who is credited: a participant, else a team, else a position.
pub(super) fn recipient_key(credit: &PostedCredit) -> &str {
    let keys = [credit.payee.as_deref(), credit.team.as_deref(), credit.position.as_deref()];
    keys.into_iter().flatten().next().unwrap_or_default()
}

/// Everyone whose claim to a reward of the plan may count `credit`, and its recipient: ids of
/// participants and teams.
///
/// # Errors
/// Why the credit is for one process alone.
pub fn claim_keys(
    ruleset: &Ruleset,
    plan: &Plan,
    credit: &PostedCredit,
) -> Result<BTreeSet<Arc<str>>, String> {
    if credit.is_by_hand() {
        let message = "a person gave it, and what rolled from it counts as no deal for anyone";
        return Err(message.to_owned());
    }
    if matches!(credit.origin, CreditOrigin::Late | CreditOrigin::Retro) {
        return Err("it was posted after its period was closed or finalized".to_owned());
    }

    let mut keys = BTreeSet::from([Arc::from(recipient_key(credit))]);
    for reward in &plan.rewards {
        let key: Option<Arc<str>> = match reward.to {
            RewardRecipient::Credited => payee_key(ruleset, credit),
            RewardRecipient::Members | RewardRecipient::TeamManagers => team_key(ruleset, credit),
            RewardRecipient::UserManagers => manager_key(ruleset, credit),
        };
        keys.extend(key);
    }
    Ok(keys)
}

/// The payee, by the id of today.
fn payee_key(ruleset: &Ruleset, credit: &PostedCredit) -> Option<Arc<str>> {
    let organization = &ruleset.organization;
    let payee = organization.find_participant(credit.payee.as_deref()?)?;
    Some(Arc::from(&*organization.participant_id(payee)))
}

/// The team, by the id of today.
fn team_key(ruleset: &Ruleset, credit: &PostedCredit) -> Option<Arc<str>> {
    let organization = &ruleset.organization;
    let team = organization.teams.find(credit.team.as_deref()?)?;
    Some(Arc::from(&*organization.team_id(team)))
}

/// The manager of the position that is credited.
fn manager_key(ruleset: &Ruleset, credit: &PostedCredit) -> Option<Arc<str>> {
    let organization = &ruleset.organization;
    let date = credit.incentive_date;
    let position = organization.find_position(credit.position.as_deref()?)?;
    let manager = organization.version_on(position, date)?.manager?;
    let holder = manager_on(organization, manager, date)?;
    Some(Arc::from(&*organization.participant_id(holder)))
}

/// Why the rewards of a plan are not worked out in parts; none where they can be.
pub fn why_undivided(ruleset: &Ruleset, plan: &Plan) -> Option<String> {
    for reward in &plan.rewards {
        let worth = match reward.worth {
            PayoutFormula::Program(program) => Some(program),
            PayoutFormula::Tiers(_) | PayoutFormula::TableTiers(_) => None,
        };
        let mut programs = worth.into_iter().chain(reward.maximum);
        if programs.any(|program| may_read_variable(ruleset, program, STANDING)) {
            let name = &reward.name;
            return Some(format!(
                "reward `{name}` reads `standing`, the place among all claimants"
            ));
        }
    }

    // What members are paid of a team's claim is set off against what they earned themselves.
    let of_teams = plan.rewards.iter().find(|reward| reward.to.of_teams());
    let settles = (!plan.draws.is_empty(), plan.carry_negative);
    let name = of_teams.map(|reward| &reward.name)?;
    match settles {
        (true, _) => Some(format!("draws are set off against what teams earn by reward `{name}`")),
        (_, true) => Some(format!(
            "`carry_negative` sums up what teams earn by reward `{name}` with the rest"
        )),
        _ => None,
    }
}
