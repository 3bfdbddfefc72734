//! Credits that people give without a deal, and take back: checked, decided and recorded in one commit.
//!
//! Not what such a credit comes to (`crediting::pipeline`) and not its postings (`crediting::posting`).
//! Runs on the worker's thread. Source: REWARDS section 7.
//!
//! **Architecture invariant:** an act is recorded with the entries that follow from it, or not at all;
//! a credit is taken back once.

use std::sync::Arc;

use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Actor, Decision, DecisionOutcome};
use accredit_domain::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, PositionKey, TransactionKey,
};
use accredit_domain::plan::{Measure, Plan};
use accredit_domain::transaction::{CreditAct, Decoder, ManualCredit, Record};
use accredit_ledger::manual_credits::ManualCreditAct;
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::by_hand::checked_amount;
use crate::calculations;
use crate::context::Context;
use crate::decide::{add_postings, decide_transactions, write_work};
use crate::error::OperationError;

/// A credit that is to be given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewCredit {
    /// Id of the participant who is credited; without one, the holder of the position.
    pub payee: Option<String>,
    /// Id of the position that is credited; without one, the only one that the payee holds.
    pub position: Option<String>,
    /// Id of the plan.
    pub plan: String,
    /// Id of the plan's period; its last day is the incentive date if none is given.
    pub period: Option<String>,
    /// The incentive date.
    pub incentive_date: Option<Date>,
    /// One of the workspace's credit types; the only one if none is named.
    pub credit_type: Option<String>,
    /// The amount, negative allowed.
    pub amount: Decimal,
    /// Its unit; the workspace's currency if none.
    pub unit_type: Option<String>,
    /// Whether it rolls up as credits of deals do.
    #[serde(default)]
    pub rolls_up: bool,
}

/// What an act about a manual credit is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualCreditSubject {
    /// A new credit.
    New(NewCredit),
    /// The manual credit with this id, which is taken back with what rolled from it.
    Reversal(String),
}

/// A request to give a credit, or to take one back.
#[derive(Debug, Clone)]
pub struct ManualCreditOrder {
    /// What it is about.
    pub subject: ManualCreditSubject,
    /// One of the workspace's reason codes.
    pub reason_code: String,
    /// Why, if given.
    pub comment: Option<String>,
    /// What the sender names the request by.
    pub request_key: Option<String>,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// An act, with the entry that it made as it is posted.
#[derive(Debug, Clone)]
pub struct PostedAct {
    /// The act.
    pub act: ManualCreditAct,
    /// The entry; none when rules that came into force since left none.
    pub credit: Option<PostedCredit>,
}

/// Gives a credit, or takes one back. A request that was kept before under its key gives what was
/// kept then.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such plan, period or credit,
/// [`OperationError::Invalid`] for a payee, position, type, unit, date or amount that is not possible,
/// [`OperationError::Conflict`] when the credit was taken back before, or no period is open.
pub fn add_credit(
    context: &Context,
    order: ManualCreditOrder,
) -> Result<PostedAct, OperationError> {
    let known = context.ledger.manual_credits()?;
    let same_key = |one: &&ManualCreditAct| {
        order.request_key.is_some() && one.request_key == order.request_key
    };
    if let Some(kept) = known.iter().find(same_key) {
        return posted_act(context, kept.clone());
    }

    let ManualCreditOrder { subject, reason_code, comment, request_key, by } = order;
    let act = CreditAct {
        date: context.business_date(),
        who: by.who,
        reason_code: DefinedName::from(reason_code),
        comment,
    };

    let ruleset = context.ruleset.load_full();
    let number = known.last().map_or(0, |last| last.number) + 1;
    let change = match &subject {
        ManualCreditSubject::New(new) => give_credit(context, &ruleset, new, (number, act))?,
        ManualCreditSubject::Reversal(id) => take_back(context, id, act)?,
    };

    let decoded = Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&change.stored.record);
    let decided = decide_transactions(context, &ruleset, &[Arc::new(decoded)], &[])?;
    let (entry, reverses) = made_entry(&decided, &change.credit)?;

    let mut work = CommitBatch {
        records: vec![change.stored],
        history: change.former.into_iter().collect(),
        decisions: decided,
        ..CommitBatch::default()
    };
    add_postings(context, &mut work.decisions)?;
    refuse_undecided(&work.decisions, &change.credit)?;

    let act = ManualCreditAct {
        number,
        credit: change.credit,
        entry,
        requested_period: change.requested_period,
        reverses,
        request_key,
        at_ms: context.now_ms(),
        approved: by.approved,
    };
    work.manual_credit = Some(act.clone());
    write_work(context, &mut work)?;
    posted_act(context, act)
}

/// The row in place of a deal as an act leaves it.
struct ChangedCredit {
    credit: ManualCredit,
    stored: TransactionRecord,
    /// The former version of the row, with its key and delivery.
    former: Option<(String, u64, Record)>,
    requested_period: Option<PeriodKey>,
}

/// The row of a new credit.
fn give_credit(
    context: &Context,
    ruleset: &Ruleset,
    new: &NewCredit,
    (number, given): (u64, CreditAct),
) -> Result<ChangedCredit, OperationError> {
    let (plan, date) = plan_and_date(context, ruleset, new)?;
    let (position, payee) = receiver_of(ruleset, new, date)?;

    let settings = &ruleset.settings;
    let found = match &new.credit_type {
        Some(name) => settings.find_credit_type(name),
        None => settings.only_credit_type(),
    };
    let credit_type = found.ok_or_else(|| {
        let detail = match &new.credit_type {
            Some(name) => format!("`{name}` is not one of the workspace's credit types"),
            None => "the workspace has several credit types: send `credit_type`".to_owned(),
        };
        OperationError::invalid("unknown_credit_type", detail)
    })?;
    let unit = match &new.unit_type {
        None => settings.currency,
        Some(name) => settings.units.find(name).ok_or_else(|| {
            let detail = format!("`{name}` is not one of the workspace's unit types");
            OperationError::invalid("unknown_unit_type", detail)
        })?,
    };

    let credit = ManualCredit {
        key: free_key(context, number)?,
        plan: PlanKey::from(&plan.id),
        incentive_date: date,
        position,
        payee,
        credit_type,
        unit_type: settings.units.shared_name(unit),
        amount: checked_amount(new.amount, unit.scale)?,
        rolls_up: new.rolls_up,
        given,
        reversed: None,
    };
    let record = record_of(&credit)?;
    let stored = TransactionRecord::first_version(credit.key.to_string(), record, 0);
    let requested_period = new.period.as_deref().map(PeriodKey::from);
    Ok(ChangedCredit { credit, stored, former: None, requested_period })
}

/// The plan, and the incentive date: the one that is given, or the last day of the period.
fn plan_and_date<'r>(
    context: &Context,
    ruleset: &'r Ruleset,
    new: &NewCredit,
) -> Result<(&'r Plan, Date), OperationError> {
    let plan = ruleset.plans.get(new.plan.as_str());
    let plan = plan.ok_or_else(|| OperationError::not_found("plan"))?;
    if plan.measure == Measure::Team {
        let detail = "the plan measures teams, and a manual credit is given to a position";
        return Err(OperationError::invalid("team_plan", detail));
    }

    let asked: Option<Period> = match &new.period {
        Some(period) => Some(calculations::release_scope(context, &new.plan, period)?.period),
        None => None,
    };

    let refused = |detail: String| Err(OperationError::invalid("bad_incentive_date", detail));
    let date = match (new.incentive_date, &asked) {
        (Some(date), Some(period)) if !period.contains(date) => {
            return refused(format!("{date} is not a day of {}", period.id));
        }
        (Some(date), _) => date,
        (None, Some(period)) => period.end.yesterday().unwrap_or(period.first),
        (None, None) => {
            return refused("a manual credit needs `period` or `incentive_date`".to_owned());
        }
    };
    if !plan.validity.contains(date) {
        return refused(format!("plan `{}` is not in force on {date}", plan.id));
    }
    Ok((plan, date))
}

/// The position that is credited, and the participant who was named.
fn receiver_of(
    ruleset: &Ruleset,
    new: &NewCredit,
    date: Date,
) -> Result<(PositionKey, Option<ParticipantKey>), OperationError> {
    let organization = &ruleset.organization;

    let payee = new.payee.as_deref().map(|name| {
        organization.find_participant(name).ok_or_else(|| {
            let detail = format!("`{name}` is not the id of a participant");
            OperationError::invalid("unknown_payee", detail)
        })
    });
    let payee = payee.transpose()?;
    let payee_key = payee.map(|payee| organization.participant_id(payee));

    if let Some(name) = &new.position {
        let position = organization.find_position(name).ok_or_else(|| {
            let detail = format!("`{name}` is not the id of a position");
            OperationError::invalid("unknown_position", detail)
        })?;
        return Ok((organization.position_id(position), payee_key));
    }

    let needed = |detail: String| OperationError::invalid("position_needed", detail);
    let payee =
        payee.ok_or_else(|| needed("a manual credit needs `payee` or `position`".to_owned()))?;
    let held = organization.positions_held_by(payee, date);
    let names: Vec<PositionKey> = held.iter().map(|one| organization.position_id(*one)).collect();
    match names.as_slice() {
        [only] => Ok((PositionKey::from(only), payee_key)),
        [] => Err(needed(format!(
            "the payee holds no position on {date}: send `position`, or an `incentive_date` on which \
             the payee holds one"
        ))),
        several => Err(needed(format!(
            "the payee holds `{}` on {date}: send `position`",
            several.join("`, `")
        ))),
    }
}

/// A key that no deal has.
fn free_key(context: &Context, number: u64) -> Result<TransactionKey, OperationError> {
    for suffix in 0_u32.. {
        let key = match suffix {
            0 => format!("manual:{number}"),
            suffix => format!("manual:{number}-{suffix}"),
        };
        if context.ledger.find_transaction(&key)?.is_none() {
            return Ok(TransactionKey::from(key));
        }
    }
    Err(OperationError::Internal("no key is left for a manual credit".to_owned()))
}

/// The next version of the row of a credit, which is taken back with it.
fn take_back(context: &Context, id: &str, act: CreditAct) -> Result<ChangedCredit, OperationError> {
    let row = context.ledger.find_credit(id)?;
    let row = row.ok_or_else(|| OperationError::not_found("credit"))?;
    let stored = context.ledger.find_transaction(&row.transaction)?;
    let stored = stored.ok_or_else(|| OperationError::not_found("credit"))?;

    let credit = stored.record.manual_credit().ok_or_else(|| {
        let detail = "the credit comes from a deal: adjust it, or make the deal void";
        OperationError::invalid("not_manual", detail)
    })?;
    if let Some(before) = &credit.reversed {
        let detail = format!("`{}` took it back on {} already", before.who, before.date);
        return Err(OperationError::conflict("already_reversed", detail));
    }

    let credit = ManualCredit { reversed: Some(act), ..credit };
    let mut changed = TransactionRecord { decisions: Vec::new(), ..stored };
    let delivery = changed.delivery;
    let (delivery, former) = changed.replace_content(record_of(&credit)?, delivery);
    let former = Some((changed.id.clone(), delivery, former));
    Ok(ChangedCredit { credit, stored: changed, former, requested_period: None })
}

fn record_of(credit: &ManualCredit) -> Result<Record, OperationError> {
    credit.to_record().map_err(|error| OperationError::Internal(error.to_string()))
}

/// The decision in the credit's own plan.
fn own_decision<'d>(
    decided: &'d [(String, Vec<Decision>)],
    credit: &ManualCredit,
) -> Option<&'d Decision> {
    let mut all = decided.iter().flat_map(|(_, decisions)| decisions);
    all.find(|decision| decision.plan == credit.plan)
}

/// The direct entry that the act makes, and the one that it takes back.
fn made_entry(
    decided: &[(String, Vec<Decision>)],
    credit: &ManualCredit,
) -> Result<(CreditId, Option<CreditId>), OperationError> {
    refuse_undecided(decided, credit)?;
    let credits = own_decision(decided, credit).map(|decision| &decision.credits);
    let mut direct = credits.into_iter().flatten().filter(|row| row.is_by_hand());

    let is_made = |row: &&PostedCredit| row.reverses.is_some() == credit.reversed.is_some();
    let made = direct.find(is_made).map(|row| (row.id, row.reverses));
    made.ok_or_else(|| OperationError::Internal("a manual credit has no entry".to_owned()))
}

/// Refuses an act that no decision follows from: nothing of it is kept.
fn refuse_undecided(
    decided: &[(String, Vec<Decision>)],
    credit: &ManualCredit,
) -> Result<(), OperationError> {
    let parked = decided.iter().flat_map(|(_, decisions)| decisions);
    let mut parked = parked.filter(|decision| decision.outcome == DecisionOutcome::Parked);
    if let Some(decision) = parked.next() {
        let why = decision.reasons.first().map(|note| note.message.as_str()).unwrap_or_default();
        let detail = format!("plan `{}` cannot decide the credit: {why}", decision.plan);
        return Err(OperationError::conflict("credit_not_decided", detail));
    }

    if own_decision(decided, credit).is_none() {
        let detail = format!("plan `{}` is no longer in force", credit.plan);
        return Err(OperationError::conflict("credit_not_decided", detail));
    }
    Ok(())
}

fn posted_act(context: &Context, act: ManualCreditAct) -> Result<PostedAct, OperationError> {
    let credit = context.ledger.find_credit(&act.entry.to_string())?;
    Ok(PostedAct { act, credit })
}

/// Every act by which people gave credits or took them back, oldest first.
pub fn list_acts(context: &Context) -> Result<Vec<PostedAct>, OperationError> {
    let known = context.ledger.manual_credits()?.into_iter();
    known.map(|act| posted_act(context, act)).collect()
}

/// Refuses what people do to deals where there is no deal.
pub(crate) fn refuse_manual(stored: &TransactionRecord) -> Result<(), OperationError> {
    if stored.record.manual_credit().is_some() { Err(manual_credit()) } else { Ok(()) }
}

/// Refuses to change an entry that a person made. What rolled from a manual credit may be held,
/// released and adjusted as what rolls from deals.
pub(crate) fn refuse_manual_entry(row: &PostedCredit) -> Result<(), OperationError> {
    let takes_back = row.reverses.is_some() && row.corrected_entry().is_none();
    if row.is_by_hand() || takes_back { Err(manual_credit()) } else { Ok(()) }
}

fn manual_credit() -> OperationError {
    let detail = "this is a manual credit: take it back with `reverses`, and add another one";
    OperationError::conflict("manual_credit", detail)
}
