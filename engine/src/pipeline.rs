//! The only place that orders things: one transaction in one plan, from filter to rolled credits.
//!
//! Not batches (`calculation`) and not storing (`ledger`). Pure: the same ruleset, transaction and
//! inputs give the same decision. Called by calculations, by the server's worker and by case files.
//! Source: FORMAT section 4, DOMAIN 2.5 to 2.10.
//!
//! **Architecture invariant:** every transaction that a plan lets in is credited, uncredited with a
//! reason, or parked with a reason; and the laws of `credit::laws` hold after every stage.

mod admit;
mod direct;
mod draft;
mod indirect;
pub mod row;

use std::sync::Arc;

use jiff::civil::Date;

use crate::calendar::PeriodKind;
use crate::credit::{Credit, Status, laws};
use crate::decision::{Note, Outcome};
use crate::plan::Plan;
use crate::script::Machine;
use crate::stage::{Case, Inputs, Park, Step, note};
use crate::transaction::Transaction;
use crate::workspace::Ruleset;

/// What was decided about one transaction in one plan, in terms of its ruleset.
#[derive(Debug)]
pub struct Decided {
    /// The plan.
    pub plan: Arc<str>,
    /// The transaction's natural key.
    pub transaction: Arc<str>,
    /// Incentive date, once it is known.
    pub date: Option<Date>,
    /// Leaf period of the incentive date, once it is known.
    pub period: Option<Arc<str>>,
    /// The business date that was given.
    pub as_of: Option<Date>,
    /// What became of it.
    pub outcome: Outcome,
    /// Credits in order.
    pub credits: Vec<Credit>,
    /// Why not credited, or why parked.
    pub reasons: Vec<Note>,
    /// Warnings; those that the plan asks for are alerts.
    pub warnings: Vec<Note>,
    /// The explanation, when it was asked for.
    pub trace: Vec<Step>,
}

/// Whether an explanation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// No: costs nothing.
    No,
    /// Every step with the values seen.
    Steps,
}

/// Decides one transaction in every plan of the ruleset, plans in order of their ids.
pub fn decide(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
) -> Vec<Decided> {
    let plans = ruleset.plans.values();
    plans
        .map(|plan| decide_plan(ruleset, plan, transaction, inputs, machine, Explain::No))
        .collect()
}

/// Decides one transaction in one plan.
pub fn decide_plan(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    explain: Explain,
) -> Decided {
    let mut decided = Decided {
        plan: Arc::clone(&plan.id),
        transaction: Arc::clone(&transaction.id),
        date: None,
        period: None,
        as_of: inputs.as_of,
        outcome: Outcome::Filtered,
        credits: Vec::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        trace: Vec::new(),
    };
    match admit::admit(ruleset, plan, transaction, inputs, machine) {
        Ok(None) => (),
        Ok(Some(mut case)) => {
            case.trace = (explain == Explain::Steps).then(Vec::new);
            decided.date = Some(case.date);
            decided.period = Some(Arc::clone(&case.period));
            let result = credit(&mut case);
            decided.reasons = std::mem::take(&mut case.reasons);
            decided.warnings = std::mem::take(&mut case.warnings);
            decided.trace = case.trace.take().unwrap_or_default();
            let credits = std::mem::take(&mut case.credits);
            match result {
                Err(park) => parked(&mut decided, park),
                Ok(()) if credits.is_empty() => decided.outcome = Outcome::Uncredited,
                Ok(()) => {
                    decided.outcome = Outcome::Credited;
                    decided.credits = credits;
                    decided.reasons.clear();
                }
            }
        }
        Err(park) => {
            // Parked before its dates were asked for: its period is still where it belongs.
            decided.date = transaction.date().ok();
            let calendar = &ruleset.settings.calendar;
            let period = decided.date.and_then(|date| calendar.period(date, PeriodKind::Month));
            decided.period = period.map(|period| Arc::from(period.id));
            parked(&mut decided, park);
        }
    }
    decided
}

fn parked(decided: &mut Decided, park: Park) {
    let (transaction, plan) = (&decided.transaction, &decided.plan);
    let mut reason = note(transaction, plan, park.stage, park.code, park.message.clone());
    if let Some(fault) = &park.fault {
        reason.policy = (!fault.policy.is_empty()).then(|| fault.policy.to_string());
        reason.file = Some(fault.place.file.clone());
        reason.line = Some(fault.place.line);
        reason.column = Some(fault.place.column);
    }
    let alert = Note { code: park.alert().to_owned(), ..reason.clone() };
    decided.trace.push(Step { stage: park.stage, message: format!("parked: {}", park.message) });
    decided.warnings.push(alert);
    decided.reasons = vec![reason];
    decided.credits.clear();
    decided.outcome = Outcome::Parked;
}

/// Steps 2 to 4.
fn credit(case: &mut Case<'_>) -> Result<(), Park> {
    let plan = case.plan;
    for rule in &plan.direct {
        direct::direct(case, rule)?;
    }
    if plan.direct.iter().all(|rule| !rule.rule.validity.contains(case.date)) {
        let message = format!("no direct rule is active on {}", case.date);
        case.reason("crediting", "no_rule", message);
    }
    let roots: Vec<Credit> = case
        .credits
        .iter()
        .filter(|credit| credit.rollable && credit.status == Status::Active)
        .cloned()
        .collect();
    for root in &roots {
        indirect::roll(case, root)?;
    }
    laws::check(&case.credits).map_err(|broken| Park::new("rollup", "policy_error", broken))
}
