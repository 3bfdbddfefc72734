//! Step 1: the filter, then the dates, then everything that must be readable.
//!
//! The filter comes before anything needs a date or an amount, so that open deals without either
//! are simply not let in. Source: FORMAT section 4.

use std::sync::Arc;

use crate::stage::{Case, Inputs, Park, Refusal, Step};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::money::{self, Unit};
use accredit_domain::plan::Plan;
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::{Field, Transaction, Unreadable, Value};
use accredit_script::{Answer, Arguments, Machine, TransactionView};
use accredit_workspace::Ruleset;

/// The transaction as a case of the plan; none when it is not let in, which `steps` say when
/// somebody asks.
///
/// # Errors
/// [`Park`] when it is let in and cannot be read.
pub(super) fn admit<'a>(
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    transaction: &Arc<Transaction>,
    inputs: &'a Inputs,
    machine: &'a mut Machine,
    steps: &mut Option<Vec<Step>>,
) -> Result<Option<Case<'a>>, Park> {
    let date = transaction.date();
    // The period comes first, so that the filter can read it; a date that is missing parks later.
    let calendar = &ruleset.settings.calendar;
    let period = date.as_ref().ok().and_then(|date| calendar.period(*date, PeriodKind::Month));
    let period: Option<Arc<str>> = period.map(|period| Arc::from(period.id));

    let view = view(ruleset, plan, transaction, period.clone());

    if let Some(filter) = plan.filter
        && !included(machine, filter, &view)?
    {
        if let (Some(steps), Some(program)) = (steps, ruleset.programs.get(filter)) {
            let refusal = Refusal::new(program, &arguments(&view));
            let message = format!("the filter {refusal}");
            let step = Step::end("filter", "filtered", message);
            steps.push(Step { refusal: Some(refusal), ..step });
        }
        return Ok(None);
    }

    let date = date.map_err(|why| unreadable(&why, "no_period"))?;
    // The plan does not claim deals outside its own dates.
    if !plan.validity.contains(date) {
        if let Some(steps) = steps {
            let message = format!("the plan is not in force on {date}");
            steps.push(Step::end("filter", "filtered", message));
        }
        return Ok(None);
    }

    let Some(period) = period else {
        return Err(Park::new("filter", "no_period", format!("no period holds {date}")));
    };
    // Any bad cell parks, whether a rule reads it or not: nobody knows what the sender meant.
    if let Some(why) = transaction.bad_value() {
        return Err(unreadable(&why, "bad_value"));
    }
    large(transaction)?;
    if transaction.id.is_empty() {
        let key = ruleset.settings.fields.id.join("`, `");
        return Err(Park::new("filter", "bad_value", format!("the natural key `{key}` is blank")));
    }

    let currency = currency(ruleset, transaction)?;
    let mut case = Case {
        ruleset,
        plan,
        tx: view,
        date,
        period,
        currency,
        inputs,
        machine,
        inherited: Vec::new(),
        credits: Vec::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        rule: None,
        trace: None,
    };

    warn_of_no_currency(&mut case);
    Ok(Some(case))
}

/// Warns of a deal whose currency is mapped and blank.
fn warn_of_no_currency(case: &mut Case<'_>) {
    let column = case.tx.transaction.column_of(Field::Currency);
    if let Some(column) = column.filter(|_| case.currency.is_none()) {
        let message = format!("`{column}` is blank: the amount counts in the unit of each result");
        case.warn("filter", "no_currency", message);
    }
}

/// A transaction as scripts see it.
fn view(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    period: Option<Arc<str>>,
) -> Arc<TransactionView> {
    Arc::new(TransactionView {
        transaction: Arc::clone(transaction),
        period,
        default_credit: Arc::from(transaction.names(plan.measure.default_names())),
        exchange: Arc::clone(&ruleset.exchange),
    })
}

fn included(
    machine: &mut Machine,
    filter: ProgramId,
    tx: &Arc<TransactionView>,
) -> Result<bool, Park> {
    match machine.run(filter, &arguments(tx)).map_err(|fault| Park::fault("filter", fault))? {
        Answer::Bool(included) => Ok(included),
        _ => Err(Park::new("filter", "policy_error", "expected true or false")),
    }
}

fn arguments(tx: &Arc<TransactionView>) -> Arguments<'_> {
    Arguments { tx, credit: None, to: None, existing: &[] }
}

/// Parks a deal whose amount is beyond the limit. Its currency is not asked: the decimals of the
/// unit that its value comes to are a matter of each result.
fn large(transaction: &Transaction) -> Result<(), Park> {
    let Ok(amount) = transaction.amount() else { return Ok(()) };
    let Err(too_large) = money::within_limit(amount, 0) else { return Ok(()) };

    let column = transaction.column_of(Field::Amount).unwrap_or_default();
    Err(Park::new("filter", "bad_value", format!("`{column}`: {too_large}")))
}

/// The currency that the transaction names, which must be a unit type.
fn currency(ruleset: &Ruleset, transaction: &Transaction) -> Result<Option<Unit>, Park> {
    let Some(Value::Text(cell)) = transaction.field(Field::Currency) else { return Ok(None) };
    let name = cell.trim();
    if name.is_empty() {
        return Ok(None);
    }

    let found = ruleset.settings.units.find_any_case(name);
    let column = transaction.column_of(Field::Currency).unwrap_or_default();

    let park = || {
        let message = format!("`{column}` holds `{name}`, which is not a unit type");
        Park::new("filter", "bad_value", message)
    };

    found.map(Some).ok_or_else(park)
}

/// A field that cannot be read, as a park with `blank_code` when it is only blank.
pub(super) fn unreadable(why: &Unreadable, blank_code: &'static str) -> Park {
    match why {
        Unreadable::Bad { column, cell, expected } => {
            let message = format!("`{column}` holds `{cell}`, which is not a {expected}");
            Park::new("filter", "bad_value", message)
        }
        Unreadable::Blank(column) => {
            Park::new("filter", blank_code, format!("`{column}` is blank"))
        }
        Unreadable::Unmapped => Park::new("filter", blank_code, "no column is mapped to it"),
    }
}
