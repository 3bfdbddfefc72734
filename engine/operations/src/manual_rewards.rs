//! Rewards that people add by hand: checked, placed in a period that is open, kept.
//!
//! Not the book that they become part of (`crediting::reward`) and not the keeping (the ledger). Runs
//! on the worker's thread, so that no period is frozen meanwhile. Source: REWARDS section 7.
//!
//! **Architecture invariant:** a reward counts in a period that was open when it was added, and a
//! second reward alone takes it back.

use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{Actor, EarnedReward, RewardOrigin};
use accredit_domain::keys::{DefinedName, ParticipantKey, PeriodKey, PlanKey, RewardId};
use accredit_domain::money;
use accredit_ledger::manual_rewards::ManualReward;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::by_hand::checked_amount;
use crate::calculations::{self, CalculationScope, leaf_ids, own_period};
use crate::context::Context;
use crate::error::OperationError;

/// What a manual reward is called where it has no name.
const NAME_DEFAULT: &str = "Manual reward";

/// A reward that is to be added.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewReward {
    /// Id of the participant who is paid.
    pub payee: String,
    /// Id of the plan.
    pub plan: String,
    /// Id of the plan's period in which it is to count.
    pub period: String,
    /// The amount, negative allowed.
    pub amount: Decimal,
    /// Its unit; the workspace's currency if none.
    pub unit_type: Option<String>,
    /// What the row is called.
    pub name: Option<String>,
}

/// What a manual reward is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualRewardSubject {
    /// A new reward.
    New(NewReward),
    /// The manual reward with this id, which is taken back.
    Reversal(String),
}

/// A request to add a reward, or to take one back.
#[derive(Debug, Clone)]
pub struct ManualRewardOrder {
    /// What is added.
    pub subject: ManualRewardSubject,
    /// One of the workspace's reason codes.
    pub reason_code: String,
    /// Why, if given.
    pub comment: Option<String>,
    /// What the sender names the request by.
    pub request_key: Option<String>,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// Adds a reward, or takes one back. A request that was kept before under its key, and a second
/// reversal of the same reward, give what was kept then.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such plan, period or reward,
/// [`OperationError::Invalid`] for a payee, unit or amount that is not possible,
/// [`OperationError::Conflict`] when no period is open.
pub fn add_reward(
    context: &Context,
    order: ManualRewardOrder,
) -> Result<ManualReward, OperationError> {
    let known = context.ledger.manual_rewards()?;
    let same_key =
        |one: &&ManualReward| order.request_key.is_some() && one.request_key == order.request_key;
    if let Some(kept) = known.iter().find(same_key) {
        return Ok(kept.clone());
    }

    let (row, requested_period, reverses) = match &order.subject {
        ManualRewardSubject::New(new) => {
            let (row, period) = new_row(context, new)?;
            (row, period, None)
        }
        ManualRewardSubject::Reversal(id) => {
            let reversed = known.iter().find(|one| *one.row.id == **id);
            let reversed = reversed.ok_or_else(|| OperationError::not_found("manual reward"))?;
            let again = known.iter().find(|one| one.reverses.as_ref() == Some(&reversed.row.id));
            if let Some(kept) = again {
                return Ok(kept.clone());
            }

            let (row, period) = reversal_row(context, reversed)?;
            (row, period, Some(reversed.row.id.clone()))
        }
    };

    let Actor { who, approved } = order.by;
    let reward = ManualReward {
        number: 0,
        row,
        requested_period,
        reason_code: DefinedName::from(order.reason_code),
        comment: order.comment,
        reverses,
        request_key: order.request_key,
        date: context.business_date(),
        who,
        at_ms: context.now_ms(),
        approved,
    };
    Ok(context.ledger.add_manual_reward(reward)?)
}

/// The row of a new reward, and the period that was asked for.
fn new_row(
    context: &Context,
    new: &NewReward,
) -> Result<(EarnedReward, PeriodKey), OperationError> {
    let wanted = calculations::release_scope(context, &new.plan, &new.period)?;
    let CalculationScope { ruleset, plan, period: asked, .. } = wanted;

    let payee = ruleset.organization.find_participant(&new.payee).ok_or_else(|| {
        let detail = format!("`{}` is not the id of a participant", new.payee);
        OperationError::invalid("unknown_payee", detail)
    })?;
    let payee = ruleset.organization.participant_id(payee).to_string();

    let units = &ruleset.settings.units;
    let unit = match &new.unit_type {
        None => ruleset.settings.currency,
        Some(name) => units.find(name).ok_or_else(|| {
            let detail = format!("`{name}` is not one of the workspace's unit types");
            OperationError::invalid("unknown_unit_type", detail)
        })?,
    };
    let amount = checked_amount(new.amount, unit.scale)?;

    let period = open_period(context, &ruleset, &plan, &asked)?;
    let unit_type = DefinedName::from(units.name(unit));
    let row = EarnedReward {
        id: RewardId::from(String::new()),
        plan: PlanKey::from(plan),
        period: period.id,
        reward: DefinedName::from(new.name.as_deref().unwrap_or(NAME_DEFAULT)),
        payee: ParticipantKey::from(payee),
        team: None,
        credit_type: DefinedName::from(String::new()),
        credited: Decimal::ZERO,
        credited_unit_type: unit_type,
        quota: None,
        attainment: None,
        amount,
        unit_type,
        credits: Vec::<CreditId>::new(),
        origin: RewardOrigin::Manual,
        corrects: None,
    };
    Ok((row, asked.id))
}

/// The row that takes a reward back, in its period if that is open.
fn reversal_row(
    context: &Context,
    reversed: &ManualReward,
) -> Result<(EarnedReward, PeriodKey), OperationError> {
    let ruleset = context.ruleset.load_full();
    let asked = ruleset.settings.calendar.find(&reversed.row.period);
    let asked = asked.ok_or_else(|| OperationError::not_found("period"))?;
    let period = open_period(context, &ruleset, &reversed.row.plan, &asked)?;

    let row = EarnedReward {
        period: period.id,
        amount: money::negated(reversed.row.amount),
        ..reversed.row.clone()
    };
    Ok((row, asked.id))
}

/// The period of the plan in which something added now counts: the one that is asked for, or the
/// earliest later one that is open.
fn open_period(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    asked: &Period,
) -> Result<Period, OperationError> {
    let frozen = context.ledger.frozen_rewards(plan)?;
    let locked = context.locked_periods()?;
    let is_open = |period: &Period| {
        let is_frozen = frozen.iter().any(|known| *known.period == *period.id);
        !is_frozen && leaf_ids(ruleset, period).iter().any(|leaf| !locked.contains(leaf))
    };

    let later = |period: &Period| {
        own_period(ruleset, plan, period.end).filter(|next| next.first > period.first)
    };
    let open = std::iter::successors(Some(*asked), later).find(is_open);
    open.ok_or_else(|| {
        let detail = format!("no period of plan `{plan}` is open from {} on", asked.first);
        OperationError::conflict("no_open_period", detail)
    })
}

/// The rows of a plan that people added.
pub(crate) fn rows_of(context: &Context, plan: &str) -> Result<Vec<EarnedReward>, StoreError> {
    let known = context.ledger.manual_rewards()?.into_iter();
    Ok(known.map(|one| one.row).filter(|row| row.plan == plan).collect())
}
