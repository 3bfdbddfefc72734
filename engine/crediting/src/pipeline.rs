//! The only place that orders things: one transaction in one plan, from filter to rolled credits.
//!
//! Not batches (`calculation`) and not storing (`ledger`). Pure: the same ruleset, transaction and
//! inputs give the same decision. Called by calculations, by the server's worker and by case files.
//! Source: FORMAT section 4, DOMAIN 2.5 to 2.10.
//!
//! **Architecture invariant:** every transaction that a plan lets in is credited, uncredited with a
//! reason, or parked with a reason; and the laws of `credit::laws` hold after every
//! stage.

mod admit;
mod direct;
mod draft;
mod indirect;
pub mod row;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::civil::Date;

use crate::stage::{
    DealCase, DecisionInputs, ExplanationStep, ParkReason, StepEffect, adjust, build_note,
    note_at_fault,
};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::{Credit, CreditStatus, laws};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// What was decided about one transaction in one plan, in terms of its ruleset.
#[derive(Debug)]
pub struct PlanDecision {
    /// Id of the plan.
    pub plan: Arc<str>,
    /// The transaction's natural key.
    pub transaction: Arc<str>,
    /// Incentive date, once it is known.
    pub date: Option<Date>,
    /// Leaf period of the incentive date, once it is known.
    pub period: Option<Arc<str>>,
    /// The business date that was given.
    pub as_of: Option<Date>,
    /// The outcome of the decision.
    pub outcome: DecisionOutcome,
    /// The credits in the order in which they were made.
    pub credits: Vec<Credit>,
    /// Why not credited, or why parked.
    pub reasons: Vec<Note>,
    /// Warnings; those that the plan asks for are alerts.
    pub warnings: Vec<Note>,
    /// The explanation, when it was asked for.
    pub trace: Vec<ExplanationStep>,
}

/// Whether an explanation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainLevel {
    /// No explanation, which costs nothing.
    No,
    /// Every step with the values seen.
    Steps,
}

/// Decides one transaction in every plan of the ruleset; decisions in order of the plans' ids.
pub fn decide_all_plans(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> Vec<PlanDecision> {
    let transaction = &adjust::adjust_transaction(inputs, transaction);
    let mut done: Vec<PlanDecision> = Vec::with_capacity(ruleset.plans.len());

    for plan in ruleset.order.iter().filter_map(|id| ruleset.plans.get(id)) {
        let decided = decide_after_sources(
            ruleset,
            plan,
            transaction,
            inputs,
            machine,
            ExplainLevel::No,
            &done,
        );
        done.push(decided);
    }

    // Plans are decided sources first, and listed by id.
    done.sort_by(|a, b| a.plan.cmp(&b.plan));

    done
}

/// Decides one transaction in the plans that are `wanted` by their ids, which takes deciding it in
/// their sources; decisions of those that are wanted, in order of their ids.
pub fn decide_selected_plans(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<PlanDecision> {
    let transaction = &adjust::adjust_transaction(inputs, transaction);
    let plans = ruleset.order.iter().filter_map(|id| ruleset.plans.get(id));

    let sources: Vec<&Arc<str>> = plans
        .clone()
        .filter(|plan| wanted(&plan.id))
        .flat_map(|plan| ruleset.plans_before(plan))
        .collect();

    // Sources are decided as well, since their credits are what a wanted plan rolls.
    let mut done: Vec<PlanDecision> = Vec::with_capacity(ruleset.plans.len());
    for plan in plans.filter(|plan| wanted(&plan.id) || sources.contains(&&plan.id)) {
        let decided = decide_after_sources(
            ruleset,
            plan,
            transaction,
            inputs,
            machine,
            ExplainLevel::No,
            &done,
        );
        done.push(decided);
    }

    done.retain(|decided| wanted(&decided.plan));
    done.sort_by(|a, b| a.plan.cmp(&b.plan));
    done
}

/// Decides one transaction in one plan, which takes deciding it in the plan's sources first.
pub fn decide_plan(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
) -> PlanDecision {
    let transaction = &adjust::adjust_transaction(inputs, transaction);
    let mut done: Vec<PlanDecision> = Vec::new();
    let before = ruleset.plans_before(plan);

    for source in before.iter().filter_map(|id| ruleset.plans.get(*id)) {
        let decided = decide_after_sources(
            ruleset,
            source,
            transaction,
            inputs,
            machine,
            ExplainLevel::No,
            &done,
        );
        done.push(decided);
    }

    decide_after_sources(ruleset, plan, transaction, inputs, machine, explain, &done)
}

/// Decides one transaction in one plan, after the plans that it takes credits from. What fails
/// inside the engine parks this transaction alone.
fn decide_after_sources(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
    done: &[PlanDecision],
) -> PlanDecision {
    let decided = catch_unwind(AssertUnwindSafe(|| {
        decide_one(ruleset, plan, transaction, inputs, machine, explain, done)
    }));

    decided.unwrap_or_else(|_| {
        // A machine that was left in the middle of a call is not used again.
        *machine = Machine::new(&ruleset.programs);
        park_internal_failure(ruleset, plan, transaction, inputs)
    })
}

/// The decision about a transaction that the engine itself cannot decide.
fn park_internal_failure(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Transaction,
    inputs: &DecisionInputs,
) -> PlanDecision {
    let mut decided = new_decision(plan, transaction, inputs);
    decided.date = transaction.incentive_date().ok();
    let calendar = &ruleset.settings.calendar;
    let period = decided.date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));
    decided.period = period.map(|period| Arc::from(period.id));

    let message = "an internal error stopped this decision; it is repeated after an update";
    park_for_reason(
        &mut decided,
        ParkReason::new(NoteStage::Crediting, NoteCode::PolicyError, message),
    );
    decided
}

fn new_decision(plan: &Plan, transaction: &Transaction, inputs: &DecisionInputs) -> PlanDecision {
    PlanDecision {
        plan: Arc::clone(&plan.id),
        transaction: Arc::clone(&transaction.id),
        date: None,
        period: None,
        as_of: inputs.as_of,
        outcome: DecisionOutcome::Filtered,
        credits: Vec::new(),
        reasons: Vec::new(),
        warnings: Vec::new(),
        trace: Vec::new(),
    }
}

fn decide_one(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
    done: &[PlanDecision],
) -> PlanDecision {
    let mut decided = new_decision(plan, transaction, inputs);
    decided.warnings = remark_notes(plan, transaction);

    let mut trace = (explain == ExplainLevel::Steps).then(Vec::new);

    // No plan admits a void deal; what else is remarked about its row no longer matters.
    if transaction.is_void() {
        decided.warnings.retain(|note| note.code == NoteCode::Void);
        let why = decided.warnings.first().map(|note| note.message.clone()).unwrap_or_default();
        decided.trace = vec![ExplanationStep::plan_end(NoteStage::Filter, "void", why)];
        return decided;
    }

    match admit::admit_transaction(ruleset, plan, transaction, inputs, machine, &mut trace) {
        Ok(None) => {
            // Columns that are gone may be why the plan no longer sees the deal.
            decided.warnings.retain(|note| note.code == NoteCode::ColumnsMissing);
            decided.trace = trace.unwrap_or_default();
        }
        Ok(Some(mut case)) => {
            case.trace = trace;
            adjust::explain_adjustment(&mut case);
            decided.date = Some(case.date);
            decided.period = Some(Arc::clone(&case.period));

            if let Some(source) = inherit_credits(&mut case, done) {
                park_for_source(&mut decided, source);
                return decided;
            }
            if filtered_by_sources(plan, done) {
                case.trace_effect(NoteStage::Filter, || {
                    let message = "the plans that it takes credits from filter it out".to_owned();
                    (StepEffect::Rejected("filtered".to_owned()), message)
                });
                decided.trace = case.trace.take().unwrap_or_default();
                return PlanDecision { date: None, period: None, ..decided };
            }

            let result = credit_transaction(&mut case);
            decided.reasons = std::mem::take(&mut case.reasons);
            decided.warnings.append(&mut case.warnings);
            decided.trace = case.trace.take().unwrap_or_default();
            let credits = std::mem::take(&mut case.credits);
            // A parked transaction drops the credits that were made before it was parked.
            match result {
                Err(park) => park_for_reason(&mut decided, park),
                Ok(()) if credits.is_empty() => decided.outcome = DecisionOutcome::Uncredited,
                Ok(()) => {
                    decided.outcome = DecisionOutcome::Credited;
                    decided.credits = credits;
                    decided.reasons.clear();
                }
            }
        }

        Err(park) => {
            // Parked before its dates were asked for: its period is still where it belongs.
            decided.date = transaction.incentive_date().ok();
            let calendar = &ruleset.settings.calendar;
            let period = decided.date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));
            decided.period = period.map(|period| Arc::from(period.id));
            park_for_reason(&mut decided, park);
        }
    }

    decided
}

/// Whether a plan without rules of its own for deals takes credits only from plans that the deal is
/// not in: then it is not in this plan either.
fn filtered_by_sources(plan: &Plan, done: &[PlanDecision]) -> bool {
    let sources = plan.source_plans();
    let mut decided = done.iter().filter(|decided| sources.contains(&decided.plan)).peekable();
    plan.direct.is_empty()
        && decided.peek().is_some()
        && decided.all(|decided| decided.outcome == DecisionOutcome::Filtered)
}

/// Gives the case the credits of its plan's sources; a source that is parked instead.
fn inherit_credits<'d>(
    case: &mut DealCase<'d>,
    done: &'d [PlanDecision],
) -> Option<&'d PlanDecision> {
    for source in case.plan.source_plans() {
        let Some(decided) = done.iter().find(|decided| decided.plan == *source) else { continue };
        if decided.outcome == DecisionOutcome::Parked {
            return Some(decided);
        }
        let count = decided.credits.len();
        case.trace_step(NoteStage::Rollup, || format!("plan `{source}` has {count} credits of it"));
        case.inherited.extend(&decided.credits);
    }
    None
}

/// What is to be known about the row of a transaction, as notes.
fn remark_notes(plan: &Plan, transaction: &Transaction) -> Vec<Note> {
    let remarks = transaction.row_remarks().iter();
    let notes = remarks.map(|remark| {
        let (code, message) = (remark.alert_code(), remark.alert_message());
        build_note(&transaction.id, &plan.id, NoteStage::Intake, code, message)
    });
    notes.collect()
}

/// Parks a transaction since a source of its plan is parked.
fn park_for_source(decided: &mut PlanDecision, source: &PlanDecision) {
    let Some(reason) = source.reasons.first() else { return };
    let message = format!(
        "plan `{}`, which it takes credits from, is parked: {}",
        source.plan, reason.message
    );
    let reason = Note { plan: decided.plan.to_string(), message, ..reason.clone() };
    // The alert of a park is the last of its warnings.
    let code = source.warnings.last().map_or(reason.code, |alert| alert.code);
    park_with_note(decided, NoteStage::Rollup, reason, code);
}

fn park_for_reason(decided: &mut PlanDecision, park: ParkReason) {
    let (transaction, plan) = (&decided.transaction, &decided.plan);
    let mut reason = build_note(transaction, plan, park.stage, park.code, park.message.clone());
    if let Some(fault) = &park.fault {
        reason = note_at_fault(reason, fault);
    }
    let alert = park.alert_code();
    self::park_with_note(decided, park.stage, reason, alert);
}

fn park_with_note(decided: &mut PlanDecision, stage: NoteStage, reason: Note, alert: NoteCode) {
    let message = format!("parked: {}", reason.message);
    decided.trace.push(ExplanationStep::plan_end(stage, reason.code.as_str(), message));
    decided.warnings.push(Note { code: alert, ..reason.clone() });
    decided.reasons = vec![reason];
    decided.credits.clear();
    decided.outcome = DecisionOutcome::Parked;
}

/// Runs steps 2 to 4 of the pipeline for one case.
fn credit_transaction(case: &mut DealCase<'_>) -> Result<(), ParkReason> {
    let plan = case.plan;
    for rule in &plan.direct {
        case.rule = Some(Arc::clone(&rule.rule.name));
        direct::add_direct_credits(case, rule)?;
    }
    case.rule = None;

    // Only direct credits roll, those of source plans included.
    let inherited = case.inherited.iter().copied().filter(|credit| credit.is_direct());
    let roots = case.credits.iter().chain(inherited);
    let roots = roots.filter(|credit| credit.rollable && credit.status == CreditStatus::Active);
    let roots: Vec<Credit> = roots.cloned().collect();

    reason_without_rule(case, &roots);
    trace_unrolled_credits(case, &roots);

    for root in &roots {
        indirect::roll_credit(case, root)?;
    }

    case.rule = None;
    if case.credits.is_empty() && case.reasons.is_empty() {
        let message = "nobody gets a part of the credits that the plan takes from others";
        case.add_reason(NoteStage::Rollup, NoteCode::NoRule, message.to_owned());
    }

    // The laws hold in release builds as well: a broken one parks instead of paying.
    laws::check_one_root(&case.inherited, &case.credits)
        .map_err(|broken| ParkReason::new(NoteStage::Rollup, NoteCode::PolicyError, broken))
}

/// Records that no direct rule found a recipient and that no credit of another plan rolls.
fn reason_without_rule(case: &mut DealCase<'_>, roots: &[Credit]) {
    let plan = case.plan;
    if plan.direct.iter().any(|rule| rule.rule.validity.contains(case.date)) {
        return;
    }

    let message = match (plan.direct.is_empty(), plan.indirect.is_empty()) {
        (true, true) => "the plan has no rule".to_owned(),
        (true, false) if roots.is_empty() => {
            "the plans it takes credits from have none that rolls".to_owned()
        }
        (true, false) => return,
        _ => format!("no direct rule is active on {}", case.date),
    };

    case.add_reason(NoteStage::Crediting, NoteCode::NoRule, message);
}

/// Says which direct credits do not roll where something could.
fn trace_unrolled_credits(case: &mut DealCase<'_>, roots: &[Credit]) {
    if case.trace.is_none() || case.plan.indirect.is_empty() {
        return;
    }

    let inherited = case.inherited.iter().copied().filter(|credit| credit.is_direct());
    let resting = case.credits.iter().chain(inherited);
    let resting = resting.filter(|credit| roots.iter().all(|root| root.id != credit.id));
    let mut messages: Vec<String> = Vec::new();

    for credit in resting {
        let who = case.recipient_id(credit.recipient);
        let why = if credit.rollable { credit.status.as_str() } else { "not rollable" };
        messages.push(format!("the credit to `{who}` does not roll: it is {why}"));
    }

    if messages.is_empty() && roots.is_empty() {
        messages.push("there is no direct credit that could roll".to_owned());
    }

    for message in messages {
        case.trace_effect(NoteStage::Rollup, || {
            (StepEffect::Rejected("not_rolled".to_owned()), message)
        });
    }
}
