//! A plan whose direct credits are known from an earlier decision: only the rollup runs.
//!
//! Not whether other rules would make the same direct credits (`affected`): the caller knows that. Called
//! where recorded deals are decided by other rules. Source: DESIGN section 5.
//!
//! **Architecture invariant:** the decision is the one that a full decision would make. Wherever that
//! cannot be told from what is recorded, there is none, and the plan is decided in full.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use accredit_domain::credit::Credit;
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::{PeriodKey, RulesetHash};
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::organization::Recipient;
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

use super::{DecidedPlan, admit, alerts_of, finish_decision, inherit_credits, remark_notes};
use crate::stage::{DealCase, DecisionInputs};

/// A recorded decision whose direct credits the ruleset would make alike of the same transaction and
/// inputs, wherever the plan inherits the same credits. Its rows are those that were decided: nothing
/// was posted elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct KnownDecision<'a> {
    /// The decision.
    pub recorded: &'a Decision,
    /// Whether something that sees its direct credits may show the digits of an amount.
    pub shows_digits: bool,
}

/// The recorded decision of a plan, if its direct credits are known.
pub(super) type KnownDecisions<'a, 'd> = &'a dyn Fn(&str) -> Option<KnownDecision<'d>>;

/// Decides a plan from its known direct credits; none where it has to be decided in full.
pub(super) fn roll_known_credits(
    ruleset: &Ruleset,
    case: (&Plan, &Arc<Transaction>, &DecisionInputs),
    machine: &mut Machine,
    known: KnownDecisions<'_, '_>,
    done: &[DecidedPlan],
) -> Option<DecidedPlan> {
    let (plan, transaction, inputs) = case;
    if plan.direct.is_empty() || transaction.manual_credit().is_some() {
        return None;
    }
    let KnownDecision { recorded, shows_digits } = known(&plan.id)?;
    if (shows_digits && !has_exact_digits(recorded)) || !inherits_alike(plan, known, done) {
        return None;
    }

    let inherits = !plan.source_plans().is_empty();
    match recorded.outcome {
        DecisionOutcome::Filtered => copy_decision(ruleset, inputs, recorded),
        // No credit rolls, neither an own one nor one of a source.
        DecisionOutcome::Uncredited if !inherits => copy_decision(ruleset, inputs, recorded),
        DecisionOutcome::Credited => {
            let rolled = catch_unwind(AssertUnwindSafe(|| {
                roll_recorded(ruleset, (plan, transaction, inputs), machine, recorded, done)
            }));
            rolled.unwrap_or_else(|_| {
                *machine = Machine::new(&ruleset.programs);
                None
            })
        }
        _ => None,
    }
}

/// Whether a plan inherits the credits that it inherited when the recorded decision was made: what is a
/// duplicate among its direct credits may depend on them.
fn inherits_alike(plan: &Plan, known: KnownDecisions<'_, '_>, done: &[DecidedPlan]) -> bool {
    let alike = |(entry, row): (PostedCredit, &PostedCredit)| {
        PostedCredit { ruleset: row.ruleset, ..entry } == *row
    };
    plan.source_plans().iter().all(|source| {
        let decided = done.iter().find(|decided| decided.decision.plan == *source);
        let Some((decided, recorded)) = decided.zip(known(source)) else { return false };
        let recorded = recorded.recorded;
        decided.decision.outcome == recorded.outcome
            && decided.credits.len() == recorded.credits.len()
            && decided.to_entries().into_iter().zip(&recorded.credits).all(alike)
    })
}

/// A decision without credits, under the name of the ruleset.
fn copy_decision(
    ruleset: &Ruleset,
    inputs: &DecisionInputs,
    recorded: &Decision,
) -> Option<DecidedPlan> {
    let is_posted = recorded.log.iter().any(|note| note.stage == NoteStage::Posting);
    if is_posted || !recorded.credits.is_empty() {
        return None;
    }
    let ruleset = RulesetHash::from(&ruleset.hash);
    let decision = Decision { ruleset, as_of: inputs.as_of, ..recorded.clone() };
    Some(DecidedPlan { decision, credits: Vec::new(), trace: Vec::new() })
}

/// Rolls the direct credits of a recorded decision.
fn roll_recorded(
    ruleset: &Ruleset,
    (plan, transaction, inputs): (&Plan, &Arc<Transaction>, &DecisionInputs),
    machine: &mut Machine,
    recorded: &Decision,
    done: &[DecidedPlan],
) -> Option<DecidedPlan> {
    let mut decided = DecidedPlan::new(ruleset, plan, transaction, inputs);
    decided.decision.log = remark_notes(plan, transaction);

    let opened = admit::open_case(ruleset, plan, transaction, inputs, machine, &mut None);
    let mut case = opened.ok()??;
    decided.decision.period = Some(PeriodKey::from(&case.period));
    if decided.decision.period != recorded.period || inherit_credits(&mut case, done).is_some() {
        return None;
    }

    case.credits = direct_credits(&case, recorded)?;
    case.warnings.extend(direct_notes(&case, &recorded.log)?);
    let first_rolled = case.warnings.len();
    // A decision that cannot be made says why in the words of a full one.
    super::roll_direct_credits(&mut case).ok()?;

    let rolled = case.warnings.get(first_rolled..).unwrap_or_default();
    let shows_amounts =
        rolled.iter().any(|note| note.stage == NoteStage::Maximum || note.stage == NoteStage::Hold);
    if shows_amounts && !has_exact_digits(recorded) {
        return None;
    }

    finish_decision(&mut decided, case, Ok(()));
    decided.decision.alerts = alerts_of(plan, &decided.decision.log);
    Some(decided)
}

/// Whether the amounts of all direct credits of a decision had the decimals of their unit when they
/// were made. A recorded amount has them in any case: 5.00 may have been 5, which a text shows.
fn has_exact_digits(recorded: &Decision) -> bool {
    let mut direct = recorded.credits.iter().filter(|row| row.is_direct());
    direct.all(|row| {
        let amount = row.amount;
        !amount.is_zero() && amount.normalize().scale() == amount.scale()
    })
}

/// The direct credits of a recorded decision as they were made; none where there are none, or where
/// the recorded rows are not those that were made.
fn direct_credits(case: &DealCase<'_>, recorded: &Decision) -> Option<Vec<Credit>> {
    let rows = &recorded.credits;
    let count = rows.iter().take_while(|row| row.is_direct()).count();
    let (direct, rolled) = rows.split_at_checked(count)?;
    if direct.is_empty() || rolled.iter().any(PostedCredit::is_direct) {
        return None;
    }
    direct.iter().map(|row| direct_credit(case, row)).collect()
}

fn direct_credit(case: &DealCase<'_>, row: &PostedCredit) -> Option<Credit> {
    let is_as_made = matches!(row.origin, CreditOrigin::Calculated | CreditOrigin::Manual)
        && row.reverses.is_none()
        && row.period == case.period
        && row.incentive_date == case.date;
    if !is_as_made {
        return None;
    }

    let rule = case.plan.direct.iter().find(|rule| rule.rule.name == row.rule)?;
    let result = rule.results.iter().find(|result| result.output.name == row.result)?;

    let organization = &case.ruleset.organization;
    let recipient = match (row.position, row.team) {
        (Some(position), _) => Recipient::Position(organization.find_position(&position)?),
        (None, Some(team)) => Recipient::Team(organization.teams.find(&team)?),
        (None, None) => return None,
    };
    // An id of before may be found as well, and the credit then has another one.
    if &*case.recipient_id(recipient) != row.recipient() {
        return None;
    }

    let credit = Credit {
        rollable: result.rollable,
        rollable_on_reporting: result.rollable_on_reporting,
        ..Credit::of_direct_entry(row, recipient, case.position_title(recipient), result.unit)
    };
    // Its id is made again with the decision, and must be the one that it has.
    (case.credit_id(&credit) == row.id).then_some(credit)
}

/// The notes of a recorded decision that were made before anything rolled, without those that the
/// caller makes again; none where that cannot be told of one.
fn direct_notes(case: &DealCase<'_>, log: &[Note]) -> Option<Vec<Note>> {
    // Each vacant recipient has a note, and those of direct credits come first.
    let mut vacant = case.credits.iter().filter(|credit| credit.is_vacant()).count();

    let mut direct = Vec::new();
    let mut rolls = false;
    for note in log {
        let of_direct_stage = match (note.stage, note.code) {
            // Made again with the case.
            (NoteStage::Intake | NoteStage::Filter, _) => continue,
            (NoteStage::Crediting, NoteCode::Vacant) => {
                let first = vacant > 0;
                vacant = vacant.saturating_sub(1);
                first
            }
            (NoteStage::Crediting, _) => true,
            (NoteStage::Maximum, NoteCode::OverMaximum) => is_of_direct_rule(case, &note.message)?,
            (NoteStage::Rollup, _) => false,
            _ => return None,
        };

        if of_direct_stage && rolls {
            return None;
        }
        rolls |= !of_direct_stage;
        direct.extend(of_direct_stage.then(|| note.clone()));
    }
    (vacant == 0).then_some(direct)
}

/// Whether a message about a maximum names a direct rule: names are unique among the rules of a plan.
fn is_of_direct_rule(case: &DealCase<'_>, message: &str) -> Option<bool> {
    // Of the rule and of the recipient, each between two: a name with one in it could be two names.
    if message.matches('`').count() != 4 {
        return None;
    }
    let name = message.strip_prefix("rule `")?.split('`').next()?;
    Some(case.plan.direct.iter().any(|rule| *rule.rule.name == *name))
}
