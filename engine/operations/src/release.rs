//! Release credits, release rewards: what payees see of a calculation, and since when it is certain.
//!
//! Not the statements themselves (the ledger's) and not the release of held credits (`resolve`).
//! Runs on the worker's thread, so that what is published is one state of the calculation. Source:
//! DOMAIN 2.14, 3.8, INV-V1.
//!
//! **Architecture invariant:** amounts are certain only when everything was decided after the end of
//! the period, or when a person says why they are certain all the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use accredit_crediting::calculation::Calculation;
use accredit_crediting::posting;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::decision::{Actor, EarnedReward, FrozenRewards};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash};
use accredit_domain::organization::Organization;
use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::releases::{Publication, Release, ReleaseAct, ReleaseStatus, Statement};
use accredit_ledger::request_keys::is_key_kept;
use accredit_seams::store::StoreError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calculations::{self, CalculationScope};
use crate::context::Context;
use crate::error::OperationError;
use crate::rewards;

/// The part of a calculation that is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseKind {
    /// Credits and rewards so far, as pending.
    Credits,
    /// Rewards, as confirmed.
    Rewards,
}

/// A request to publish a calculation.
#[derive(Debug, Clone)]
pub struct PublishOrder {
    /// The part that is released.
    pub what: ReleaseKind,
    /// Whether rewards may be certain before the period has ended; it needs the reason.
    pub force: bool,
    /// Why, if given.
    pub reason: Option<String>,
    /// What the sender names the request by.
    pub request_key: Option<String>,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// Publishes a calculation; the release as it is then. Rewards twice is once, and so are credits under
/// one key: the answer to the first request may have been lost.
///
/// # Errors
/// [`OperationError::Conflict`] when its rewards are released, or the period has not ended and it is not
/// forced.
pub fn publish_calculation(
    context: &Context,
    wanted: &CalculationScope,
    order: PublishOrder,
) -> Result<Release, OperationError> {
    let what = order.what;
    let ledger = &context.ledger;
    let known = ledger.find_release(&wanted.plan, &wanted.period.id)?;
    let mut release = known.unwrap_or_else(|| Release {
        plan: wanted.plan.clone(),
        period: wanted.period.id.into(),
        ..Release::default()
    });

    if release.status == ReleaseStatus::Confirmed {
        return match what {
            ReleaseKind::Rewards => Ok(release),
            ReleaseKind::Credits => {
                let detail = "its rewards are released; changes are corrected in an open period \
                    once this one is finalized";
                Err(OperationError::conflict("already_confirmed", detail))
            }
        };
    }

    if what == ReleaseKind::Credits && is_repeated(context, &release, &order) {
        return Ok(release);
    }

    let forced = what == ReleaseKind::Rewards && is_early(context, wanted, order.force)?;
    let calculation = rewards::read_calculation(context, wanted)?;
    let act = ReleaseAct {
        date: context.business_date().to_string(),
        who: order.by.who,
        at_ms: context.now_ms(),
        revision: calculation.revision,
        forced,
        reason: order.reason,
        approved: order.by.approved,
    };

    release.publications += 1;
    release.request_key = order.request_key;
    match what {
        ReleaseKind::Credits => {
            release.status = ReleaseStatus::Pending;
            release.credits = Some(act.clone());
        }
        ReleaseKind::Rewards => {
            release.status = ReleaseStatus::Confirmed;
            release.rewards = Some(act.clone());
        }
    }

    let publication = build_publication(context, wanted, release, &calculation)?;
    context.ledger.publish_release(&publication, &act)?;
    Ok(publication.release)
}

/// Whether the same person published it last, under the same key.
fn is_repeated(context: &Context, release: &Release, order: &PublishOrder) -> bool {
    let is_same = order.request_key.is_some() && order.request_key == release.request_key;
    let is_theirs =
        |act: &ReleaseAct| act.who == order.by.who && is_key_kept(act.at_ms, context.now_ms());
    is_same && release.last_act().is_some_and(is_theirs)
}

/// Whether the last run was before the end of the period; refused unless it is forced.
fn is_early(
    context: &Context,
    wanted: &CalculationScope,
    force: bool,
) -> Result<bool, OperationError> {
    let run = context.last_run()?;
    if run.is_some_and(|run| run >= wanted.period.end) {
        return Ok(false);
    }

    if force {
        return Ok(true);
    }

    let last = wanted.period.end.yesterday().unwrap_or(wanted.period.end);
    let run = run.map_or_else(|| "never".to_owned(), |run| format!("as of {run}"));
    let detail = format!(
        "the last run was {run}, and the period lasts until {last}: run it after that day, or \
             force it with a reason"
    );

    Err(OperationError::conflict("before_period_end", detail))
}

/// A request to take back what a calculation published.
#[derive(Debug, Clone)]
pub struct UnpublishOrder {
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// Whether it is taken back though payees rely on it.
    pub force: bool,
    /// Why; needed where it is forced.
    pub reason: Option<String>,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// Takes back what a calculation published; whether there was something.
///
/// # Errors
/// [`OperationError::Conflict`] when payees rely on it and it is not forced.
pub fn unpublish_calculation(
    context: &Context,
    order: &UnpublishOrder,
) -> Result<bool, OperationError> {
    let (plan, period) = (order.plan.as_str(), order.period.as_str());
    let wanted = calculations::release_scope(context, plan, period)?;
    if !order.force {
        refuse_certain(context, &wanted)?;
    }

    let removed = context.ledger.unpublish_release(
        (plan, period),
        &wanted.leaves,
        (&order.by.who, context.now_ms()),
        (order.reason.as_deref(), order.by.approved.as_ref()),
    );
    Ok(removed?)
}

/// Refuses to take back what payees were told is certain, or what is frozen.
fn refuse_certain(context: &Context, wanted: &CalculationScope) -> Result<(), OperationError> {
    let release = context.ledger.find_release(&wanted.plan, &wanted.period.id)?;
    let Some(release) = release.filter(|release| release.status != ReleaseStatus::Deleted) else {
        return Ok(());
    };
    let finalized = context.ledger.finalized_periods()?;

    let what = if release.status == ReleaseStatus::Confirmed {
        "its rewards are released"
    } else if !finalized.is_disjoint(&wanted.leaves) {
        "its period is finalized"
    } else {
        return Ok(());
    };
    let detail = format!(
        "{what}, and payees rely on it: use `force` with a reason, which the audit trail keeps"
    );
    Err(OperationError::conflict("calculation_certain", detail))
}

/// Everything that is written with a release.
fn build_publication(
    context: &Context,
    wanted: &CalculationScope,
    mut release: Release,
    calculation: &Calculation,
) -> Result<Publication, StoreError> {
    let statements = payee_statements(&wanted.ruleset.organization, &release, calculation);
    release.payees = statements.keys().cloned().collect();
    let certain = release.status == ReleaseStatus::Confirmed;
    let what = if certain { "rewards_released" } else { "credits_released" };

    let mut publication = Publication { release, statements, what, ..Publication::default() };
    if !certain {
        return Ok(publication);
    }

    publication.frozen = Some(FrozenRewards {
        plan: PlanKey::from(&wanted.plan),
        period: PeriodKey::from(&wanted.period.id),
        ruleset: RulesetHash::from(&wanted.ruleset.hash),
        at_ms: context.now_ms(),
        rows: calculation.rewards.clone(),
        balances: calculation.balances.clone(),
    });

    let mut confirmed: BTreeMap<(PeriodKey, String), Vec<PostedCredit>> = BTreeMap::new();
    for leaf in &wanted.leaves {
        for row in posting::rows_to_freeze(&calculation.credits, leaf) {
            let key = (*leaf, row.transaction.to_string());
            confirmed.entry(key).or_default().push(row.clone());
        }
    }
    let confirmed = confirmed.into_iter().map(|((leaf, id), rows)| (leaf.into(), id, rows));
    publication.confirmed = confirmed.collect();

    for row in calculation.credits.iter().filter(|row| row.is_active()) {
        // A correction takes back what it replaces, and so does the reversal of a manual credit: that is
        // no second payment.
        let first = row.origin != CreditOrigin::Retro && row.reverses.is_none();
        let Some(payee) = row.payee.filter(|_| first) else {
            continue;
        };

        let paid = (payee.to_string(), row.transaction.to_string(), row.credit_type.to_string());
        publication.paid.insert(paid);
    }

    for (payee, transaction, kind) in &publication.paid {
        let before = context.ledger.paid_periods((payee, transaction, kind))?;
        let before = before
            .into_iter()
            .filter(|(plan, period)| *plan != wanted.plan || *period != wanted.period.id);
        publication.alerts.extend(
            before.map(|before| double_payment(wanted, (payee, transaction, kind), &before)),
        );
    }

    Ok(publication)
}

fn double_payment(
    wanted: &CalculationScope,
    (payee, transaction, kind): (&str, &str, &str),
    (plan, period): &(String, String),
) -> RaisedAlert {
    let message = format!("`{payee}` is paid for `{kind}` of it in plan `{plan}` for {period} too");
    RaisedAlert {
        transaction: Some(transaction.to_owned()),
        plan: Some(wanted.plan.clone()),
        period: Some(wanted.period.id.into()),
        payee: Some(payee.to_owned()),
        ..RaisedAlert::new("release", "double_payment", message)
    }
}

/// What each payee sees: credits that count or wait, those of their teams, and rewards with the credits
/// behind them.
fn payee_statements(
    organization: &Organization,
    release: &Release,
    calculation: &Calculation,
) -> BTreeMap<String, Statement> {
    let act = release.last_act().cloned().unwrap_or_default();
    let blank = Statement {
        plan: release.plan.clone(),
        period: release.period.clone(),
        status: release.status,
        revision: act.revision,
        released: act.date,
        ruleset: RulesetHash::from(&calculation.ruleset),
        ..Statement::default()
    };

    let mut statements: BTreeMap<String, Statement> = BTreeMap::new();
    let shown = |row: &&PostedCredit| row.is_active() || row.is_held();
    for row in calculation.credits.iter().filter(shown) {
        if let Some(payee) = &row.payee {
            // A person whose id was renamed since sees one statement, under the id of now.
            let known = organization.find_participant(payee);
            let payee = known.map_or_else(
                || payee.to_string(),
                |known| organization.participant_id(known).to_string(),
            );
            let statement = statements.entry(payee).or_insert_with(|| blank.clone());
            statement.credits.push(row.clone());
        }

        for member in team_members(organization, row) {
            let statement = statements.entry(member).or_insert_with(|| blank.clone());
            statement.team_credits.push(row.clone());
        }
    }

    let by_id: HashMap<CreditId, &PostedCredit> =
        calculation.credits.iter().map(|row| (row.id, row)).collect();

    for reward in &calculation.rewards {
        let statement = statements.entry(reward.payee.to_string()).or_insert_with(|| blank.clone());
        statement.rewards.push(reward.clone());
        show_behind(statement, reward, &by_id);
    }

    for balance in &calculation.balances {
        let statement =
            statements.entry(balance.payee.to_string()).or_insert_with(|| blank.clone());
        statement.balances.push(balance.clone());
    }

    statements
}

/// Shows a manager the credits that a reward is computed from: they are nobody's own there.
fn show_behind(
    statement: &mut Statement,
    reward: &EarnedReward,
    by_id: &HashMap<CreditId, &PostedCredit>,
) {
    let known = statement.credits.iter().chain(&statement.team_credits);
    let known: HashSet<CreditId> = known.map(|row| row.id).collect();
    let behind = reward.credits.iter().filter(|id| !known.contains(*id));
    let behind = behind.filter_map(|id| by_id.get(id).copied());
    statement.team_credits.extend(behind.cloned());
}

/// Who belongs on the incentive date to the team that is credited, where no position is.
fn team_members(organization: &Organization, row: &PostedCredit) -> Vec<String> {
    let team = row.team.as_deref().filter(|_| row.position.is_none());
    let team = team.and_then(|id| organization.teams.find(id));
    let Some(team) = team else { return Vec::new() };
    let date = row.incentive_date;
    let members = organization.existing_members(team, date);
    members.map(|member| organization.participant_id(member.participant).to_string()).collect()
}
