//! Why a stored decision is as it is: made again from its pins, step by step; or kept as a case.
//!
//! The ruleset is the one that decided, rebuilt from the data file when it is no longer in force;
//! the business date and the releases are those of then. Called by `http::credits` and
//! `http::transactions`.
//!
//! **Architecture invariant:** explaining writes nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use accredit_engine::cases::{self, Kept};
use accredit_engine::credit::CreditId;
use accredit_engine::decision::{Decision, Resolution};
use accredit_engine::explain::{Dropped, Explanation, WhyNot, explain, for_payee};
use accredit_engine::ledger::record::Stored;
use accredit_engine::script::Machine;
use accredit_engine::stage::{self, Action, Inputs};
use accredit_engine::transaction::Decoder;
use accredit_engine::workspace::Ruleset;

use crate::error::Problem;
use crate::service::Service;

/// Rebuilt rulesets that are kept.
const RULESETS_MAX: usize = 8;

/// A release or a hold as the pipeline takes it; none for a row that is not understood.
pub(crate) fn input(row: &Resolution) -> Option<stage::Resolution> {
    let action = match row.action.as_str() {
        "release" => Action::Release,
        "hold" => Action::Hold,
        _ => return None,
    };
    let reason = row.comment.clone().unwrap_or_else(|| format!("held by {}", row.who));
    let (credit, date) = (CreditId::parse(&row.credit)?, row.date.parse().ok()?);
    Some(stage::Resolution { credit, action, date, reason })
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
        let mut machine = Machine::new(&ruleset.programs);
        Ok(explain(&ruleset, plan, &transaction, &inputs, &mut machine))
    }

    /// What came of one stored decision for one person.
    pub(crate) fn why_not(
        &self,
        stored: &Stored,
        decision: &Decision,
        payee: &str,
    ) -> Result<WhyNot, Problem> {
        let ruleset = self.ruleset_of(&decision.ruleset)?;
        let plan = ruleset.plans.get(decision.plan.as_str());
        let plan = plan.ok_or_else(|| Problem::not_found("plan"))?;
        let Some(payee) = ruleset.organization.find_participant(payee) else {
            return Ok(stranger(stored, decision, payee));
        };
        let fields = Arc::clone(&ruleset.settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
        let inputs = self.inputs(stored, decision)?;
        let mut machine = Machine::new(&ruleset.programs);
        Ok(for_payee(&ruleset, plan, &transaction, payee, &inputs, &mut machine))
    }

    /// A stored decision as a case for a case file; absent, those of all plans.
    pub(crate) fn keep(&self, stored: &Stored, plan: Option<&str>) -> Result<String, Problem> {
        let wanted = |decision: &&Decision| plan.is_none_or(|plan| decision.plan == plan);
        let decision = stored.decisions.iter().find(wanted);
        let decision = decision.ok_or_else(|| Problem::not_found("decision"))?;
        let ruleset = self.ruleset_of(&decision.ruleset)?;
        let inputs = self.inputs(stored, decision)?;
        let kept = Kept { ruleset: &ruleset, record: &stored.record, plan, inputs: &inputs };
        cases::keep(&kept).map_err(|message| Problem::unprocessable("no_case", message))
    }

    /// What people and the calendar added to a stored decision.
    fn inputs(&self, stored: &Stored, decision: &Decision) -> Result<Inputs, Problem> {
        let resolutions = self.ledger.resolutions(&stored.id);
        let resolutions = resolutions.map_err(|error| Problem::internal(&error))?;
        let as_of = decision.as_of.as_deref().and_then(|date| date.parse().ok());
        Ok(Inputs { as_of, resolutions: resolutions.iter().filter_map(input).collect() })
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

/// What is said to somebody who was in no file when the deal was decided.
fn stranger(stored: &Stored, decision: &Decision, payee: &str) -> WhyNot {
    let (stage, code) = ("crediting".to_owned(), "no_position".to_owned());
    let message = "you did not take part when this was decided".to_owned();
    WhyNot {
        transaction: stored.id.clone(),
        plan: decision.plan.clone(),
        payee: payee.to_owned(),
        outcome: decision.outcome,
        credits: Vec::new(),
        drops: vec![Dropped { stage, code, rule: None, message }],
        ruleset: decision.ruleset.clone(),
    }
}
