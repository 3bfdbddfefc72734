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
mod by_hand;
mod direct;
mod draft;
mod indirect;
mod kept;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use self::kept::KnownDecision;
use crate::stage::{
    DealCase, DecisionInputs, ExplanationStep, ParkReason, StepEffect, adjust, build_note,
    note_at_fault,
};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{self, Credit, CreditSource, laws};
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash, TransactionKey};
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// Credits of a deal for which there is room from the start: those of two people and of their managers.
pub(crate) const CREDITS_A_DEAL: usize = 12;

/// One transaction decided in one plan, with what its explanation and later plans need.
#[derive(Debug)]
pub struct DecidedPlan {
    /// The decision; its credits are beside it until [`DecidedPlan::into_decision`].
    pub decision: Decision,
    /// The credits in the order in which they were made, without ids.
    pub credits: Vec<Credit>,
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
) -> Vec<Decision> {
    let all = PlanSelection { wanted: &|_| true, known: &|_| None };
    decide_selected_plans(ruleset, transaction, inputs, machine, all)
}

/// The plans in which a transaction is decided, and what is known of earlier decisions.
#[derive(Clone, Copy)]
pub struct PlanSelection<'a> {
    /// Whether a plan is decided, by its id.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// The recorded decision of a plan, if its direct credits are known.
    pub known: &'a dyn Fn(&str) -> Option<KnownDecision<'a>>,
}

/// Decides one transaction in the plans that are wanted, which takes deciding it in their sources;
/// decisions of those that are wanted, in order of their ids. Of a plan whose direct credits are known
/// only the rollup runs.
pub fn decide_selected_plans(
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    PlanSelection { wanted, known }: PlanSelection<'_>,
) -> Vec<Decision> {
    let transaction = &adjust::adjust_transaction(inputs, transaction);
    let plans = ruleset.order.iter().filter_map(|id| ruleset.plans.get(id));

    let sources: Vec<PlanKey> = plans
        .clone()
        .filter(|plan| wanted(&plan.id))
        .flat_map(|plan| ruleset.plans_before(plan))
        .collect();

    // Sources are decided as well, since their credits are what a wanted plan rolls.
    let plans = plans.filter(|plan| wanted(&plan.id) || sources.contains(&plan.id));
    let mut done: Vec<DecidedPlan> = Vec::with_capacity(ruleset.plans.len());
    for plan in plans {
        let case = (plan, transaction, inputs);
        let decided = kept::roll_known_credits(ruleset, case, machine, known, &done);
        let decided = decided.unwrap_or_else(|| {
            let no = ExplainLevel::No;
            decide_after_sources(ruleset, plan, transaction, inputs, machine, no, &done)
        });
        done.push(decided);
    }

    let wanted = done.into_iter().filter(|decided| wanted(&decided.decision.plan));
    let mut decisions: Vec<Decision> = wanted.map(DecidedPlan::into_decision).collect();

    // Plans are decided sources first, and listed by id.
    decisions.sort_by_key(|a| a.plan);
    decisions
}

/// Decides one transaction in one plan, which takes deciding it in the plan's sources first.
pub fn decide_plan(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
) -> DecidedPlan {
    let transaction = &adjust::adjust_transaction(inputs, transaction);
    let before = ruleset.plans_before(plan);
    let sources = before.iter().filter_map(|id| ruleset.plans.get(id));
    let done = decide_in_order(ruleset, sources, transaction, inputs, machine);

    decide_after_sources(ruleset, plan, transaction, inputs, machine, explain, &done)
}

/// Decides one transaction in plans that come after the plans that they take credits from.
fn decide_in_order<'r>(
    ruleset: &Ruleset,
    plans: impl Iterator<Item = &'r Plan>,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> Vec<DecidedPlan> {
    let mut done: Vec<DecidedPlan> = Vec::with_capacity(ruleset.plans.len());

    for plan in plans {
        let no = ExplainLevel::No;
        let decided = decide_after_sources(ruleset, plan, transaction, inputs, machine, no, &done);
        done.push(decided);
    }

    done
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
    done: &[DecidedPlan],
) -> DecidedPlan {
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let decide = match transaction.manual_credit() {
            Some(_) => by_hand::decide_manual_credit,
            None => decide_one,
        };
        decide(ruleset, plan, transaction, inputs, machine, explain, done)
    }));

    let mut decided = decided.unwrap_or_else(|_| {
        // A machine that was left in the middle of a call is not used again.
        *machine = Machine::new(&ruleset.programs);
        park_internal_failure(ruleset, plan, transaction, inputs)
    });

    decided.decision.alerts = alerts_of(plan, &decided.decision.log);
    decided
}

/// The decision about a transaction that the engine itself cannot decide.
fn park_internal_failure(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Transaction,
    inputs: &DecisionInputs,
) -> DecidedPlan {
    let mut decided = DecidedPlan::new(ruleset, plan, transaction, inputs);
    decided.decision.period = own_period(ruleset, transaction);

    let message = "an internal error stopped this decision; it is repeated after an update";
    park_for_reason(
        &mut decided,
        ParkReason::new(NoteStage::Crediting, NoteCode::PolicyError, message),
    );
    decided
}

/// The leaf period in which a transaction belongs though it was parked before its dates were asked
/// for.
fn own_period(ruleset: &Ruleset, transaction: &Transaction) -> Option<PeriodKey> {
    let date = transaction.incentive_date().ok()?;
    let period = ruleset.settings.calendar.period_on(date, PeriodKind::Leaf)?;
    Some(period.id)
}

impl DecidedPlan {
    /// A plan that has let nothing in yet.
    fn new(
        ruleset: &Ruleset,
        plan: &Plan,
        transaction: &Transaction,
        inputs: &DecisionInputs,
    ) -> DecidedPlan {
        let decision = Decision {
            plan: PlanKey::from(&plan.id),
            transaction: TransactionKey::from(&transaction.id),
            period: None,
            ruleset: RulesetHash::from(&ruleset.hash),
            as_of: inputs.as_of,
            outcome: DecisionOutcome::Filtered,
            credits: Vec::new(),
            reasons: Vec::new(),
            alerts: Vec::new(),
            log: Vec::new(),
        };
        DecidedPlan { decision, credits: Vec::new(), trace: Vec::new() }
    }

    /// The decision with its credits, as it is stored and shown.
    pub fn into_decision(self) -> Decision {
        let credits = self.to_entries();
        Decision { credits, ..self.decision }
    }

    /// Its credits as they are stored and shown, with their ids.
    pub fn to_entries(&self) -> Vec<PostedCredit> {
        let Decision { transaction, ruleset, .. } = &self.decision;
        credit::post_credits(transaction, *ruleset, &self.credits)
    }
}

fn decide_one(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
    explain: ExplainLevel,
    done: &[DecidedPlan],
) -> DecidedPlan {
    let mut decided = DecidedPlan::new(ruleset, plan, transaction, inputs);
    decided.decision.log = remark_notes(plan, transaction);

    let mut trace = (explain == ExplainLevel::Steps).then(Vec::new);

    if transaction.is_void() {
        return filter_void_deal(decided);
    }

    match admit::admit_transaction(ruleset, plan, transaction, inputs, machine, &mut trace) {
        Ok(None) => {
            // Columns that are gone may be why the plan no longer sees the deal.
            decided.decision.log.retain(|note| note.code == NoteCode::ColumnsMissing);
            decided.trace = trace.unwrap_or_default();
        }
        Ok(Some(mut case)) => {
            case.trace = trace;
            adjust::explain_adjustment(&mut case);
            decided.decision.period = Some(PeriodKey::from(&case.period));

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
                decided.decision.period = None;
                return decided;
            }

            let result = credit_transaction(&mut case);
            finish_decision(&mut decided, case, result);
        }

        Err(park) => {
            decided.decision.period = own_period(ruleset, transaction);
            park_for_reason(&mut decided, park);
        }
    }

    decided
}

/// Sets the outcome of a case that was credited, with what was made and remarked on the way.
fn finish_decision(decided: &mut DecidedPlan, case: DealCase<'_>, result: Result<(), ParkReason>) {
    let DealCase { credits, reasons, mut warnings, trace, .. } = case;
    let decision = &mut decided.decision;
    decision.reasons = reasons;
    decision.log.append(&mut warnings);
    decided.trace = trace.unwrap_or_default();

    // A parked transaction drops the credits that were made before it was parked.
    match result {
        Err(park) => park_for_reason(decided, park),
        Ok(()) if credits.is_empty() => decision.outcome = DecisionOutcome::Uncredited,
        Ok(()) => {
            decision.outcome = DecisionOutcome::Credited;
            decision.reasons.clear();
            decided.credits = credits;
        }
    }
}

/// Warnings that are always alerts, in every plan: a hold that lost its date, an amount without a
/// currency, and rows that contradict each other or have lost columns.
const STANDING_ALERTS: [NoteCode; 4] = [
    NoteCode::ReleaseInOtherYear,
    NoteCode::NoCurrency,
    NoteCode::Conflict,
    NoteCode::ColumnsMissing,
];

/// The warnings that the plan asks for as alerts, and those that always are.
fn alerts_of(plan: &Plan, log: &[Note]) -> Vec<Note> {
    let wanted = |note: &&Note| {
        STANDING_ALERTS.contains(&note.code) || plan.alerts.contains(note.code.as_str())
    };
    log.iter().filter(wanted).cloned().collect()
}

/// The decision about a void deal, which no plan admits: what else is remarked about its row no
/// longer matters.
fn filter_void_deal(mut decided: DecidedPlan) -> DecidedPlan {
    decided.decision.log.retain(|note| note.code == NoteCode::Void);
    let why = decided.decision.log.first().map(|note| note.message.clone()).unwrap_or_default();
    decided.trace = vec![ExplanationStep::plan_end(NoteStage::Filter, "void", why)];
    decided
}

/// Whether a plan without rules of its own for deals takes credits only from plans that the deal is
/// not in: then it is not in this plan either.
fn filtered_by_sources(plan: &Plan, done: &[DecidedPlan]) -> bool {
    let sources = plan.source_plans();
    let decided = done.iter().map(|decided| &decided.decision);
    let mut decided =
        decided.filter(|decision| sources.iter().any(|id| decision.plan == *id)).peekable();
    plan.direct.is_empty()
        && decided.peek().is_some()
        && decided.all(|decision| decision.outcome == DecisionOutcome::Filtered)
}

/// Gives the case the credits of its plan's sources; a source that is parked instead.
fn inherit_credits<'d>(case: &mut DealCase<'d>, done: &'d [DecidedPlan]) -> Option<&'d Decision> {
    for source in case.plan.source_plans() {
        let found = done.iter().find(|decided| decided.decision.plan == source);
        let Some(decided) = found else { continue };
        if decided.decision.outcome == DecisionOutcome::Parked {
            return Some(&decided.decision);
        }
        let count = decided.credits.len();
        case.trace_step(NoteStage::Rollup, || format!("plan `{source}` has {count} credits of it"));
        case.inherited.push(&decided.credits);
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
fn park_for_source(decided: &mut DecidedPlan, source: &Decision) {
    let Some(reason) = source.reasons.first() else { return };
    let message = format!(
        "plan `{}`, which it takes credits from, is parked: {}",
        source.plan, reason.message
    );
    let reason = Note { plan: decided.decision.plan.to_string(), message, ..reason.clone() };
    // The alert of a park is the last of its warnings.
    let code = source.log.last().map_or(reason.code, |alert| alert.code);
    park_with_note(decided, NoteStage::Rollup, reason, code);
}

fn park_for_reason(decided: &mut DecidedPlan, park: ParkReason) {
    let Decision { transaction, plan, .. } = &decided.decision;
    let mut reason = build_note(transaction, plan, park.stage, park.code, park.message.clone());
    if let Some(fault) = &park.fault {
        reason = note_at_fault(reason, fault);
    }
    let alert = park.alert_code();
    self::park_with_note(decided, park.stage, reason, alert);
}

fn park_with_note(decided: &mut DecidedPlan, stage: NoteStage, reason: Note, alert: NoteCode) {
    let message = format!("parked: {}", reason.message);
    decided.trace.push(ExplanationStep::plan_end(stage, reason.code.as_str(), message));
    decided.credits.clear();

    let decision = &mut decided.decision;
    decision.log.push(Note { code: alert, ..reason.clone() });
    decision.reasons = vec![reason];
    decision.outcome = DecisionOutcome::Parked;
}

/// Runs steps 2 to 4 of the pipeline for one case.
fn credit_transaction(case: &mut DealCase<'_>) -> Result<(), ParkReason> {
    let plan = case.plan;
    for rule in &plan.direct {
        case.rule = Some(rule.rule.name);
        direct::add_direct_credits(case, rule)?;
    }
    case.rule = None;

    roll_direct_credits(case)
}

/// Runs steps 3 and 4 once the direct credits are there.
fn roll_direct_credits(case: &mut DealCase<'_>) -> Result<(), ParkReason> {
    let roots = rolling_credits(case);
    reason_without_rule(case, &roots);
    trace_unrolled_credits(case, &roots);
    roll_roots(case, &roots)?;

    if case.credits.is_empty() && case.reasons.is_empty() {
        let message = "nobody gets a part of the credits that the plan takes from others";
        case.add_reason(NoteStage::Rollup, NoteCode::NoRule, message.to_owned());
    }

    check_credits(case)
}

/// A credit that rolls, under the name by which those that come from it know it.
type RollingCredit = (CreditSource, Credit);

/// The credits that roll: only direct ones, those of source plans included, and none that takes
/// another one back.
fn rolling_credits(case: &DealCase<'_>) -> Vec<RollingCredit> {
    let rolls =
        |credit: &Credit| credit.rollable && credit.is_active() && credit.reverses.is_none();
    let own = case.credits.iter().enumerate().filter(|(_, credit)| rolls(credit));
    let own = own.map(|(place, credit)| (CreditSource::Own(place), credit.clone()));

    let inherited = case.inherited_credits().filter(|credit| credit.is_direct() && rolls(credit));
    let inherited =
        inherited.map(|credit| (CreditSource::Taken(case.credit_id(credit)), credit.clone()));
    own.chain(inherited).collect()
}

/// Rolls credits to everybody whom they reach.
fn roll_roots(case: &mut DealCase<'_>, roots: &[RollingCredit]) -> Result<(), ParkReason> {
    for (source, root) in roots {
        indirect::roll_credit(case, (*source, root))?;
    }
    case.rule = None;
    Ok(())
}

/// Rolls every credit that rolls.
fn roll_credits(case: &mut DealCase<'_>) -> Result<(), ParkReason> {
    let roots = rolling_credits(case);
    roll_roots(case, &roots)
}

/// The laws hold in release builds as well: a broken one parks instead of paying.
fn check_credits(case: &DealCase<'_>) -> Result<(), ParkReason> {
    let is_taken = |credit: &Credit| matches!(credit.source, Some(CreditSource::Taken(_)));
    let mut taken = Vec::new();
    // Ids are made only where something comes from another plan's credits.
    if case.credits.iter().any(is_taken) {
        let roots = case.inherited_credits().filter(|credit| credit.is_direct());
        taken.extend(roots.map(|credit| (case.credit_id(credit), credit)));
    }

    laws::check_one_root(&case.credits, &taken)
        .map_err(|broken| ParkReason::new(NoteStage::Rollup, NoteCode::PolicyError, broken))
}

/// Records that no direct rule found a recipient and that no credit of another plan rolls.
fn reason_without_rule(case: &mut DealCase<'_>, roots: &[RollingCredit]) {
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
fn trace_unrolled_credits(case: &mut DealCase<'_>, roots: &[RollingCredit]) {
    if case.trace.is_none() || case.plan.indirect.is_empty() {
        return;
    }

    let inherited = case.inherited_credits().filter(|credit| credit.is_direct());
    let resting = case.credits.iter().chain(inherited);
    let rolls = |credit: &Credit| {
        let mut same = roots.iter().filter(|(_, root)| root.plan == credit.plan);
        same.any(|(_, root)| root.has_id_of(credit))
    };
    let resting = resting.filter(|credit| !rolls(credit));
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
