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
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::civil::Date;

use crate::stage::{Case, Inputs, Park, Says, Step, adjust, at_fault, note};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::{Credit, Status, laws};
use accredit_domain::decision::{Note, Outcome};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// What was decided about one transaction in one plan, in terms of its ruleset.
#[derive(Debug)]
pub struct Decided {
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
    /// What became of it.
    pub outcome: Outcome,
    /// The credits in the order in which they were made.
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
    /// No explanation, which costs nothing.
    No,
    /// Every step with the values seen.
    Steps,
}

/// Decides one transaction in every plan of the ruleset; decisions in order of the plans' ids.
pub fn decide(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
) -> Vec<Decided> {
    let transaction = &adjust::transaction(inputs, transaction);
    let mut done: Vec<Decided> = Vec::with_capacity(ruleset.plans.len());

    for plan in ruleset.order.iter().filter_map(|id| ruleset.plans.get(id)) {
        let decided = after(ruleset, plan, transaction, inputs, machine, Explain::No, &done);
        done.push(decided);
    }

    // Plans are decided sources first, and listed by id.
    done.sort_by(|a, b| a.plan.cmp(&b.plan));

    done
}

/// Decides one transaction in the plans that are `wanted` by their ids, which takes deciding it in
/// their sources; decisions of those that are wanted, in order of their ids.
pub fn decide_some(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Decided> {
    let transaction = &adjust::transaction(inputs, transaction);
    let plans = ruleset.order.iter().filter_map(|id| ruleset.plans.get(id));

    let sources: Vec<&Arc<str>> = plans
        .clone()
        .filter(|plan| wanted(&plan.id))
        .flat_map(|plan| ruleset.before(plan))
        .collect();

    // Sources are decided as well, since their credits are what a wanted plan rolls.
    let mut done: Vec<Decided> = Vec::with_capacity(ruleset.plans.len());
    for plan in plans.filter(|plan| wanted(&plan.id) || sources.contains(&&plan.id)) {
        let decided = after(ruleset, plan, transaction, inputs, machine, Explain::No, &done);
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
    inputs: &Inputs,
    machine: &mut Machine,
    explain: Explain,
) -> Decided {
    let transaction = &adjust::transaction(inputs, transaction);
    let mut done: Vec<Decided> = Vec::new();
    let before = ruleset.before(plan);

    for source in before.iter().filter_map(|id| ruleset.plans.get(*id)) {
        let decided = after(ruleset, source, transaction, inputs, machine, Explain::No, &done);
        done.push(decided);
    }

    after(ruleset, plan, transaction, inputs, machine, explain, &done)
}

/// Decides one transaction in one plan, after the plans that it takes credits from. What fails
/// inside the engine parks this transaction alone.
fn after(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    explain: Explain,
    done: &[Decided],
) -> Decided {
    let decided = catch_unwind(AssertUnwindSafe(|| {
        decide_one(ruleset, plan, transaction, inputs, machine, explain, done)
    }));

    decided.unwrap_or_else(|_| {
        // A machine that was left in the middle of a call is not used again.
        *machine = Machine::new(&ruleset.programs);
        failed_inside(ruleset, plan, transaction, inputs)
    })
}

/// The decision about a transaction that the engine itself cannot decide.
fn failed_inside(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Transaction,
    inputs: &Inputs,
) -> Decided {
    let mut decided = undecided(plan, transaction, inputs);
    decided.date = transaction.date().ok();
    let calendar = &ruleset.settings.calendar;
    let period = decided.date.and_then(|date| calendar.period(date, PeriodKind::Month));
    decided.period = period.map(|period| Arc::from(period.id));

    let message = "deciding it failed inside the engine, which is an error of ours: it is decided \
                   again after an update";
    parked(&mut decided, Park::new("crediting", "policy_error", message));
    decided
}

fn undecided(plan: &Plan, transaction: &Transaction, inputs: &Inputs) -> Decided {
    Decided {
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
    }
}

fn decide_one(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &Inputs,
    machine: &mut Machine,
    explain: Explain,
    done: &[Decided],
) -> Decided {
    let mut decided = undecided(plan, transaction, inputs);
    let remarks = transaction.remarks().iter();
    let remarks = remarks
        .map(|remark| note(&transaction.id, &plan.id, "intake", remark.code(), remark.message()));
    decided.warnings = remarks.collect();

    let mut trace = (explain == Explain::Steps).then(Vec::new);

    match admit::admit(ruleset, plan, transaction, inputs, machine, &mut trace) {
        Ok(None) => {
            // Columns that are gone may be why the plan no longer sees the deal.
            decided.warnings.retain(|note| note.code == "columns_missing");
            decided.trace = trace.unwrap_or_default();
        }
        Ok(Some(mut case)) => {
            case.trace = trace;
            adjust::explain(&mut case);
            decided.date = Some(case.date);
            decided.period = Some(Arc::clone(&case.period));

            if let Some(source) = inherit(&mut case, done) {
                parked_by(&mut decided, source);
                return decided;
            }

            let result = credit(&mut case);
            decided.reasons = std::mem::take(&mut case.reasons);
            decided.warnings.append(&mut case.warnings);
            decided.trace = case.trace.take().unwrap_or_default();
            let credits = std::mem::take(&mut case.credits);
            // A transaction that parks keeps none of the credits that were made before it did.
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

/// Gives the case the credits of its plan's sources; a source that is parked instead.
fn inherit<'d>(case: &mut Case<'d>, done: &'d [Decided]) -> Option<&'d Decided> {
    for source in case.plan.sources() {
        let Some(decided) = done.iter().find(|decided| decided.plan == *source) else { continue };
        if decided.outcome == Outcome::Parked {
            return Some(decided);
        }
        let count = decided.credits.len();
        case.step("rollup", || format!("plan `{source}` has {count} credits of it"));
        case.inherited.extend(&decided.credits);
    }
    None
}

/// Parks a transaction since a source of its plan is parked.
fn parked_by(decided: &mut Decided, source: &Decided) {
    let Some(reason) = source.reasons.first() else { return };
    let message = format!(
        "plan `{}`, which it takes credits from, is parked: {}",
        source.plan, reason.message
    );
    let reason = Note { plan: decided.plan.to_string(), message, ..reason.clone() };
    // The alert of a park is the last of its warnings.
    let code = source.warnings.last().map_or_else(|| reason.code.clone(), |a| a.code.clone());
    park(decided, "rollup", reason, code);
}

fn parked(decided: &mut Decided, park: Park) {
    let (transaction, plan) = (&decided.transaction, &decided.plan);
    let mut reason = note(transaction, plan, park.stage, park.code, park.message.clone());
    if let Some(fault) = &park.fault {
        reason = at_fault(reason, fault);
    }
    let alert = park.alert().to_owned();
    self::park(decided, park.stage, reason, alert);
}

fn park(decided: &mut Decided, stage: &'static str, reason: Note, alert: String) {
    let message = format!("parked: {}", reason.message);
    decided.trace.push(Step::end(stage, &reason.code, message));
    decided.warnings.push(Note { code: alert, ..reason.clone() });
    decided.reasons = vec![reason];
    decided.credits.clear();
    decided.outcome = Outcome::Parked;
}

/// Steps 2 to 4.
fn credit(case: &mut Case<'_>) -> Result<(), Park> {
    let plan = case.plan;
    for rule in &plan.direct {
        case.rule = Some(Arc::clone(&rule.rule.name));
        direct::direct(case, rule)?;
    }
    case.rule = None;

    // Only direct credits roll, those of source plans included.
    let inherited = case.inherited.iter().copied().filter(|credit| credit.is_direct());
    let roots = case.credits.iter().chain(inherited);
    let roots = roots.filter(|credit| credit.rollable && credit.status == Status::Active);
    let roots: Vec<Credit> = roots.cloned().collect();

    without_rule(case, &roots);
    still(case, &roots);

    for root in &roots {
        indirect::roll(case, root)?;
    }

    case.rule = None;
    if case.credits.is_empty() && case.reasons.is_empty() {
        let message = "nobody gets a part of the credits that the plan takes from others";
        case.reason("rollup", "no_rule", message.to_owned());
    }

    // The laws hold in release builds as well: a broken one parks instead of paying.
    laws::check(&case.inherited, &case.credits)
        .map_err(|broken| Park::new("rollup", "policy_error", broken))
}

/// Records that no direct rule could credit anybody, where nothing of another plan rolls either.
fn without_rule(case: &mut Case<'_>, roots: &[Credit]) {
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

    case.reason("crediting", "no_rule", message);
}

/// Says which direct credits do not roll where something could.
fn still(case: &mut Case<'_>, roots: &[Credit]) {
    if case.trace.is_none() || case.plan.indirect.is_empty() {
        return;
    }

    let inherited = case.inherited.iter().copied().filter(|credit| credit.is_direct());
    let resting = case.credits.iter().chain(inherited);
    let resting = resting.filter(|credit| roots.iter().all(|root| root.id != credit.id));
    let mut messages: Vec<String> = Vec::new();

    for credit in resting {
        let who = case.recipient_id(credit.recipient);
        let why = if credit.rollable { credit.status.name() } else { "not rollable" };
        messages.push(format!("the credit to `{who}` does not roll: it is {why}"));
    }

    if messages.is_empty() && roots.is_empty() {
        messages.push("there is no direct credit that could roll".to_owned());
    }

    for message in messages {
        case.tell("rollup", || (Says::Ends("not_rolled".to_owned()), message));
    }
}
