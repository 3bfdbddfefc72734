//! Step 1: the filter, then the dates, then everything that must be readable.
//!
//! The filter comes before anything needs a date or an amount, so that open deals without either
//! are simply not let in. Source: FORMAT section 4.

use accredit_domain::note::{NoteCode, NoteStage};
use std::sync::Arc;

use super::CREDITS_A_DEAL;
use crate::stage::{
    DealCase, DecisionInputs, ExplanationStep, ParkReason, ProgramRefusal, ScriptContext,
};
use accredit_domain::money::{self, Unit};
use accredit_domain::plan::Plan;
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::{Field, Transaction, UnreadableField, Value};
use accredit_script::{Machine, ScriptAnswer, ScriptArguments, SharedCredits};
use accredit_workspace::Ruleset;

/// The transaction as a case of the plan; `None` if the plan does not admit it. `steps` then
/// explain why, if they are requested.
///
/// # Errors
/// [`ParkReason`] when it is let in and cannot be read.
pub(super) fn admit_transaction<'a>(
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    transaction: &Arc<Transaction>,
    inputs: &'a DecisionInputs,
    machine: &'a mut Machine,
    steps: &mut Option<Vec<ExplanationStep>>,
) -> Result<Option<DealCase<'a>>, ParkReason> {
    let seen = ScriptContext::default().to_arguments(ruleset, plan, transaction);

    if let Some(filter) = plan.filter
        && !passes_filter(machine, filter, &seen)?
    {
        if let (Some(steps), Some(program)) = (steps, ruleset.programs.get(filter)) {
            let refusal = ProgramRefusal::new(program, &seen);
            let message = format!("the filter {refusal}");
            let step = ExplanationStep::plan_end(NoteStage::Filter, "filtered", message);
            steps.push(ExplanationStep { refusal: Some(refusal), ..step });
        }
        return Ok(None);
    }

    open_case(ruleset, plan, transaction, inputs, machine, steps)
}

/// The same for a transaction that passes the filter.
///
/// # Errors
/// [`ParkReason`] when it is let in and cannot be read.
pub(super) fn open_case<'a>(
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    transaction: &Arc<Transaction>,
    inputs: &'a DecisionInputs,
    machine: &'a mut Machine,
    steps: &mut Option<Vec<ExplanationStep>>,
) -> Result<Option<DealCase<'a>>, ParkReason> {
    let date = transaction.incentive_date();
    let date = date.map_err(|why| unreadable_reason(&why, NoteCode::NoPeriod))?;
    // The plan does not claim deals outside its own dates.
    if !plan.validity.contains(date) {
        if let Some(steps) = steps {
            let message = format!("the plan is not in force on {date}");
            steps.push(ExplanationStep::plan_end(NoteStage::Filter, "filtered", message));
        }
        return Ok(None);
    }

    let Some(period) = ruleset.settings.calendar.leaf_id_on(date) else {
        return Err(ParkReason::new(
            NoteStage::Filter,
            NoteCode::NoPeriod,
            format!("no period holds {date}"),
        ));
    };
    // Any bad cell parks, whether a rule reads it or not: the sender's intent is unknown.
    if let Some(why) = transaction.bad_value() {
        return Err(unreadable_reason(&why, NoteCode::BadValue));
    }
    check_amount_limit(transaction)?;
    check_natural_key(ruleset, transaction)?;

    let currency = transaction_currency(ruleset, transaction)?;
    let mut case = DealCase {
        ruleset,
        plan,
        tx: Arc::clone(transaction),
        date,
        period,
        currency,
        inputs,
        machine,
        inherited: Vec::new(),
        credits: Vec::with_capacity(CREDITS_A_DEAL),
        shared: SharedCredits::default(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        rule: None,
        trace: None,
    };

    warn_of_no_currency(&mut case);
    Ok(Some(case))
}

/// Warns of a deal whose currency is mapped and blank.
fn warn_of_no_currency(case: &mut DealCase<'_>) {
    let column = case.tx.column_of(Field::Currency);
    if let Some(column) = column.filter(|_| case.currency.is_none()) {
        let message = format!("`{column}` is blank: the amount counts in the unit of each result");
        case.warn(NoteStage::Filter, NoteCode::NoCurrency, message);
    }
}

fn passes_filter(
    machine: &mut Machine,
    filter: ProgramId,
    seen: &ScriptArguments<'_>,
) -> Result<bool, ParkReason> {
    match machine
        .run(filter, seen)
        .map_err(|fault| ParkReason::from_fault(NoteStage::Filter, fault))?
    {
        ScriptAnswer::Bool(included) => Ok(included),
        _ => {
            Err(ParkReason::new(NoteStage::Filter, NoteCode::PolicyError, "expected true or false"))
        }
    }
}

/// Refuses a deal without a natural key.
fn check_natural_key(ruleset: &Ruleset, transaction: &Transaction) -> Result<(), ParkReason> {
    if !transaction.id.is_empty() {
        return Ok(());
    }
    let key = ruleset.settings.fields.id.join("`, `");
    let message = format!("the natural key `{key}` is blank");
    Err(ParkReason::new(NoteStage::Filter, NoteCode::BadValue, message))
}

/// Parks a deal whose amount is beyond the limit. Its currency is not asked: the decimals depend on
/// the unit of each result.
fn check_amount_limit(transaction: &Transaction) -> Result<(), ParkReason> {
    let Ok(amount) = transaction.amount() else { return Ok(()) };
    let Err(too_large) = money::within_limit(amount, 0) else { return Ok(()) };

    let column = transaction.column_of(Field::Amount).unwrap_or_default();
    Err(ParkReason::new(NoteStage::Filter, NoteCode::BadValue, format!("`{column}`: {too_large}")))
}

/// The currency that the transaction names, which must be a unit type.
fn transaction_currency(
    ruleset: &Ruleset,
    transaction: &Transaction,
) -> Result<Option<Unit>, ParkReason> {
    let Some(Value::Text(cell)) = transaction.field_value(Field::Currency) else { return Ok(None) };
    let name = cell.trim();
    if name.is_empty() {
        return Ok(None);
    }

    let found = ruleset.settings.units.find_any_case(name);
    let column = transaction.column_of(Field::Currency).unwrap_or_default();

    let park = || {
        let message = format!("`{column}` holds `{name}`, which is not a unit type");
        ParkReason::new(NoteStage::Filter, NoteCode::BadValue, message)
    };

    found.map(Some).ok_or_else(park)
}

/// A field that cannot be read, as a park with `blank_code` when it is only blank.
pub(super) fn unreadable_reason(why: &UnreadableField, blank_code: NoteCode) -> ParkReason {
    match why {
        UnreadableField::Bad { column, cell, expected } => {
            let message = format!("`{column}` holds `{cell}`, which is not a {expected}");
            ParkReason::new(NoteStage::Filter, NoteCode::BadValue, message)
        }
        UnreadableField::Blank(column) => {
            ParkReason::new(NoteStage::Filter, blank_code, format!("`{column}` is blank"))
        }
        UnreadableField::Unmapped => {
            ParkReason::new(NoteStage::Filter, blank_code, "no column is mapped to it")
        }
    }
}
