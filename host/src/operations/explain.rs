//! Why a stored decision is as it is: made again from its pins, step by step; or kept as a case.
//!
//! The ruleset is the one that decided, rebuilt from the data file when it is no longer in force;
//! the business date and the releases are those of then. Called by `http::credits` and
//! `http::transactions`.
//!
//! **Architecture invariant:** explaining writes nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use accredit_cases::{self as cases, Kept};
use accredit_crediting::explain::{Explanation, WhyNot, explain, for_payee};
use accredit_crediting::stage::adjust::{Change, Target};
use accredit_crediting::stage::{self, Action, Adjustment, Inputs};
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{Decision, Resolution};
use accredit_domain::transaction::Decoder;
use accredit_ledger::record::Stored;
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use crate::http::problem::Problem;
use crate::server::state::Service;

/// Rebuilt rulesets that are kept.
const RULESETS_MAX: usize = 8;

/// A release or a hold as the pipeline takes it; none for a row that is not understood.
fn input(row: &Resolution) -> Option<stage::Resolution> {
    let action = match row.action.as_str() {
        "release" => Action::Release,
        "hold" => Action::Hold,
        _ => return None,
    };
    let reason = row.comment.clone().unwrap_or_else(|| format!("held by {}", row.who));
    let (credit, date) = (CreditId::parse(&row.credit)?, row.date.parse().ok()?);
    Some(stage::Resolution { credit, action, date, reason })
}

/// An adjustment as the pipeline takes it; none for a row that is not understood.
fn adjustment(row: &Resolution) -> Option<Adjustment> {
    let amount = || row.amount.as_deref()?.parse().ok();
    let change = match row.action.as_str() {
        "adjust_to" => Change::To(amount()?),
        "adjust_by" => Change::By(amount()?),
        "reset" => Change::Reset,
        _ => return None,
    };
    let target = match (row.credit.as_str(), &row.transaction) {
        ("", Some(transaction)) => Target::Transaction(Arc::from(transaction.as_str())),
        (credit, _) => Target::Credit(CreditId::parse(credit)?),
    };
    let reason_code = row.reason_code.as_deref().map(Arc::from);
    Some(Adjustment { target, change, reason_code })
}

/// What people and the calendar add to decisions.
pub(crate) fn inputs(as_of: Option<Date>, rows: &[Resolution]) -> Inputs {
    let resolutions = rows.iter().filter_map(input).collect();
    let adjustments = rows.iter().filter_map(adjustment).collect();
    Inputs { as_of, resolutions, adjustments }
}

impl Service {
    /// The steps of one stored decision.
    pub(crate) fn explain(
        &self,
        stored: &Stored,
        decision: &Decision,
    ) -> Result<Explanation, Problem> {
        let ruleset = self.ruleset_of(&decision.ruleset)?;
        let plan = ruleset.plans.get(decision.plan.as_str());
        let plan = plan.ok_or_else(|| Problem::not_found("plan"))?;
        let fields = Arc::clone(&ruleset.settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
        let inputs = self.inputs(stored, decision)?;
        let steps = |machine: &mut Machine| explain(&ruleset, plan, &transaction, &inputs, machine);
        Ok(ruleset.with_machine(steps))
    }

    /// What `payee` got of a stored decision, and why nothing more; none when the plan is gone.
    pub(crate) fn for_payee(
        &self,
        stored: &Stored,
        decision: &Decision,
        payee: &str,
    ) -> Result<Option<WhyNot>, Problem> {
        let ruleset = self.ruleset_of(&decision.ruleset)?;
        let Some(plan) = ruleset.plans.get(decision.plan.as_str()) else { return Ok(None) };
        let fields = Arc::clone(&ruleset.settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
        let inputs = self.inputs(stored, decision)?;
        // The id of a participant and nothing else: a name is not tried for somebody who is unknown.
        let known = ruleset.organization.find_participant(payee).is_some();
        let payee = if known { payee } else { "" };
        let why_not = ruleset.with_machine(|machine| {
            for_payee(&ruleset, plan, &transaction, &inputs, machine, payee)
        });
        Ok(Some(why_not))
    }

    /// A stored decision as a case for a case file; absent, those of all plans.
    pub(crate) fn keep(&self, stored: &Stored, plan: Option<&str>) -> Result<String, Problem> {
        let wanted = |decision: &&Decision| plan.is_none_or(|plan| decision.plan == plan);
        let decision = stored.decisions.iter().find(wanted);
        let decision = decision.ok_or_else(|| Problem::not_found("decision"))?;
        let ruleset = self.ruleset_of(&decision.ruleset)?;
        let inputs = self.inputs(stored, decision)?;
        if !inputs.adjustments.is_empty() {
            let detail = "an amount was set by hand, which a case cannot say";
            return Err(Problem::unprocessable("no_case", detail));
        }
        let kept = Kept { ruleset: &ruleset, record: &stored.record, plan, inputs: &inputs };
        cases::keep(&kept).map_err(|message| Problem::unprocessable("no_case", message))
    }

    /// What people and the calendar added to a stored decision.
    fn inputs(&self, stored: &Stored, decision: &Decision) -> Result<Inputs, Problem> {
        let resolutions = self.ledger.resolutions(&stored.id);
        let resolutions = resolutions.map_err(|error| Problem::internal(&error))?;
        let as_of = decision.as_of.as_deref().and_then(|date| date.parse().ok());
        Ok(inputs(as_of, &resolutions))
    }

    /// The ruleset of this name: in force, or rebuilt from what was in force then.
    pub(crate) fn ruleset_of(&self, hash: &str) -> Result<Arc<Ruleset>, Problem> {
        let current = self.ruleset.load_full();
        if *current.hash == *hash {
            return Ok(current);
        }
        let mut known = self.rulesets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ruleset) = known.iter().find(|ruleset| *ruleset.hash == *hash) {
            return Ok(Arc::clone(ruleset));
        }
        let files = self.ledger.files_of(hash).map_err(|error| Problem::internal(&error))?;
        let files = files.ok_or_else(|| Problem::not_found("ruleset"))?;
        let (ruleset, _) = Ruleset::read(&files, &BTreeSet::new());
        let ruleset = ruleset.map(Arc::new).ok_or_else(|| Problem::not_found("ruleset"))?;
        known.push_front(Arc::clone(&ruleset));
        known.truncate(RULESETS_MAX);
        Ok(ruleset)
    }
}
