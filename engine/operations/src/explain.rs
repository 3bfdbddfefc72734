//! Why a stored decision is as it is: made again from its pins, step by step; or kept as a case.
//!
//! The ruleset is the one that decided, rebuilt from the data file when it is no longer in force;
//! the business date and the releases are those of then. Called by `http::credits` and
//! `http::transactions`.
//!
//! **Architecture invariant:** explaining writes nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use accredit_cases::{self as cases, CaseExport};
use accredit_crediting::explain::{Explanation, WhyNot, explain_in_plan, explain_plan_for_payee};
use accredit_crediting::stage::adjust::{AdjustmentTarget, AmountChange};
use accredit_crediting::stage::{self, Adjustment, DecisionInputs};
use accredit_domain::decision::{Decision, ResolutionAction, ResolutionRecord};
use accredit_domain::transaction::Decoder;
use accredit_ledger::Ledger;
use accredit_ledger::record::TransactionRecord;
use accredit_script::Machine;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use crate::context::{Context, keep_ruleset};
use crate::error::OperationError;

/// What people did to a transaction or to one of its credits, as the pipeline takes it.
enum ManualInput {
    Resolution(stage::CreditResolution),
    Adjustment(Adjustment),
}

/// One row of what people did. A row that makes no sense is an error: it says what people are paid.
fn parse_input(row: &ResolutionRecord) -> Result<ManualInput, StoreError> {
    let damaged = |what: &str| {
        StoreError::Damaged(format!("`{}` by `{}` has no {what}", row.action, row.who))
    };
    let amount = || row.amount.ok_or_else(|| damaged("amount"));

    let change = match row.action {
        ResolutionAction::Wait(action) => {
            let credit = row.credit.ok_or_else(|| damaged("credit"))?;
            let reason = row.comment.clone().unwrap_or_else(|| format!("held by {}", row.who));
            let date = row.date;
            return Ok(ManualInput::Resolution(stage::CreditResolution {
                credit,
                action,
                date,
                reason,
            }));
        }

        ResolutionAction::AdjustTo => AmountChange::To(amount()?),
        ResolutionAction::AdjustBy => AmountChange::By(amount()?),
        ResolutionAction::Reset => AmountChange::Reset,
    };

    let target = match (row.credit, &row.transaction) {
        (Some(credit), _) => AdjustmentTarget::Credit(credit),
        (None, Some(transaction)) => AdjustmentTarget::Transaction(Arc::from(transaction.as_str())),
        (None, None) => return Err(damaged("credit and no transaction")),
    };

    let reason_code = row.reason_code.as_deref().map(Arc::from);
    Ok(ManualInput::Adjustment(Adjustment { target, change, reason_code }))
}

/// What people and the calendar add to decisions.
///
/// # Errors
/// [`StoreError::Damaged`] when a row of `rows` is not understood.
pub fn decision_inputs(
    as_of: Option<Date>,
    rows: &[ResolutionRecord],
) -> Result<DecisionInputs, StoreError> {
    let mut inputs = DecisionInputs { as_of, ..DecisionInputs::default() };
    for row in rows {
        match parse_input(row)? {
            ManualInput::Resolution(resolution) => inputs.resolutions.push(resolution),
            ManualInput::Adjustment(adjustment) => inputs.adjustments.push(adjustment),
        }
    }
    Ok(inputs)
}

/// The ruleset of this hash, built again from the files of then; none when they are not known, or
/// when this version of the program builds another one from them.
///
/// # Errors
/// When the data cannot be read.
pub fn rebuild_ruleset(ledger: &Ledger, hash: &str) -> Result<Option<Arc<Ruleset>>, StoreError> {
    let files = ledger.files_of(hash)?;
    let ruleset = files.and_then(|files| Ruleset::read(&files, &BTreeSet::new()).0);
    Ok(ruleset.filter(|ruleset| *ruleset.hash == *hash).map(Arc::new))
}

/// The steps of one stored decision.
pub fn explain_decision(
    context: &Context,
    stored: &TransactionRecord,
    decision: &Decision,
) -> Result<Explanation, OperationError> {
    let ruleset = ruleset_of(context, &decision.ruleset)?;
    let plan = ruleset.plans.get(decision.plan.as_str());
    let plan = plan.ok_or_else(|| OperationError::not_found("plan"))?;
    let fields = Arc::clone(&ruleset.settings.fields);
    let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
    let inputs = recorded_inputs(context, stored, decision)?;
    let steps =
        |machine: &mut Machine| explain_in_plan(&ruleset, plan, &transaction, &inputs, machine);
    Ok(ruleset.with_machine(steps))
}

/// What `payee` got of a stored decision, and why nothing more; none when the plan is gone.
pub fn explain_for_payee(
    context: &Context,
    stored: &TransactionRecord,
    decision: &Decision,
    payee: &str,
) -> Result<Option<WhyNot>, OperationError> {
    let ruleset = ruleset_of(context, &decision.ruleset)?;
    let Some(plan) = ruleset.plans.get(decision.plan.as_str()) else { return Ok(None) };

    let fields = Arc::clone(&ruleset.settings.fields);
    let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
    let inputs = recorded_inputs(context, stored, decision)?;

    // The id of a participant and nothing else: a name is not tried for a person who is unknown.
    let known = ruleset.organization.find_participant(payee).is_some();
    let payee = if known { payee } else { "" };

    let why_not = ruleset.with_machine(|machine| {
        explain_plan_for_payee(&ruleset, plan, &transaction, &inputs, machine, payee)
    });

    Ok(Some(why_not))
}

/// A stored decision as a case for a case file; absent, those of all plans.
pub fn keep_as_case(
    context: &Context,
    stored: &TransactionRecord,
    plan: Option<&str>,
) -> Result<String, OperationError> {
    let wanted = |decision: &&Decision| plan.is_none_or(|plan| decision.plan == plan);
    let decision = stored.decisions.iter().find(wanted);
    let decision = decision.ok_or_else(|| OperationError::not_found("decision"))?;
    let ruleset = ruleset_of(context, &decision.ruleset)?;
    if stored.record.void_remark().is_some() {
        let detail = "the deal is void, which a case cannot express";
        return Err(OperationError::invalid("no_case", detail));
    }

    if stored.record.manual_credit().is_some() {
        let detail = "a person gave this credit without a deal, which a case cannot express";
        return Err(OperationError::invalid("no_case", detail));
    }

    let inputs = recorded_inputs(context, stored, decision)?;
    if !inputs.adjustments.is_empty() {
        let detail = "an amount was set manually, which a case cannot express";
        return Err(OperationError::invalid("no_case", detail));
    }
    let kept = CaseExport { ruleset: &ruleset, record: &stored.record, plan, inputs: &inputs };
    cases::export_case(&kept).map_err(|message| OperationError::invalid("no_case", message))
}

/// What people and the calendar added to a stored decision.
fn recorded_inputs(
    context: &Context,
    stored: &TransactionRecord,
    decision: &Decision,
) -> Result<DecisionInputs, OperationError> {
    let resolutions = context.ledger.transaction_resolutions(&stored.id);
    decision_inputs(decision.as_of, &resolutions?).map_err(OperationError::from)
}

/// The ruleset of this name: in force, or rebuilt from what was in force then.
pub fn ruleset_of(context: &Context, hash: &str) -> Result<Arc<Ruleset>, OperationError> {
    let current = context.ruleset.load_full();
    if *current.hash == *hash {
        return Ok(current);
    }

    let mut known = context.rulesets.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ruleset) = known.iter().find(|ruleset| *ruleset.hash == *hash) {
        return Ok(Arc::clone(ruleset));
    }

    let ruleset = rebuild_ruleset(&context.ledger, hash)?;
    let ruleset = ruleset.ok_or_else(|| {
        let detail = format!(
            "this version of the program cannot rebuild the ruleset `{hash}` that decided it: \
                 activate the rules of today with `effective: recredit`"
        );
        OperationError::conflict("ruleset_not_rebuilt", detail)
    })?;

    keep_ruleset(&mut known, Arc::clone(&ruleset));
    Ok(ruleset)
}
