//! Why, and why not: a decision made again with every step written down.
//!
//! A run is deterministic, so the long explanation is recomputed on request and costs nothing
//! before that. Called by `accredit explain` and by the explain endpoints. Source: DESIGN sections
//! 6 and 7.
//!
//! **Architecture invariant:** an explanation is made by the pipeline that decided, never by a
//! second reading of the rules.

mod payee;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::pipeline::{self, ExplainLevel};
use crate::stage::{DecisionInputs, ExplanationStep, StepEffect};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::note::Note;
use accredit_domain::plan::Plan;
use accredit_domain::transaction::Transaction;
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use utoipa::ToSchema;

pub use payee::{PayeeFinding, WhyNot, explain_plan_for_payee, find_payee};

/// One transaction in one plan, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// Natural key of the transaction.
    pub transaction: String,
    /// Id of the plan.
    pub plan: String,
    /// The outcome of the decision.
    pub outcome: DecisionOutcome,
    /// Every step in order, with the values seen.
    pub steps: Vec<ExplanationLine>,
    /// Why it was not credited or is parked.
    pub reasons: Vec<Note>,
    /// The credits as they would be stored now.
    pub credits: Vec<PostedCredit>,
    /// The ruleset that it was recomputed with.
    pub ruleset: String,
}

/// One step of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExplanationLine {
    /// The stage that took the step, such as `crediting` or `hold`.
    pub stage: String,
    /// What happened, in one sentence with the values seen.
    pub message: String,
}

/// Decides `transaction` in `plan` again and says why.
pub fn explain_in_plan(
    ruleset: &Ruleset,
    plan: &Plan,
    transaction: &Arc<Transaction>,
    inputs: &DecisionInputs,
    machine: &mut Machine,
) -> Explanation {
    let decided =
        pipeline::decide_plan(ruleset, plan, transaction, inputs, machine, ExplainLevel::Steps);

    let steps = trace_lines(&decided.trace);
    let decision = decided.into_decision();

    Explanation {
        transaction: transaction.id.to_string(),
        plan: plan.id.to_string(),
        outcome: decision.outcome,
        steps,
        reasons: decision.reasons,
        credits: decision.credits,
        ruleset: ruleset.hash.to_string(),
    }
}

/// The steps as they are shown: each once, though two stages may say the same; two credits that
/// read alike are two lines.
fn trace_lines(trace: &[ExplanationStep]) -> Vec<ExplanationLine> {
    let mut known = BTreeSet::new();
    let once = trace.iter().filter(|step| {
        let first = known.insert((step.stage, step.message.as_str()));
        first || step.says == StepEffect::CreditMade
    });
    let line = |step: &ExplanationStep| ExplanationLine {
        stage: step.stage.to_string(),
        message: step.message.clone(),
    };
    once.map(line).collect()
}

#[cfg(test)]
mod tests;
