//! A deal tried out: decided by a ruleset that need not be in force, with every step; and the same as a
//! case.
//!
//! Not a recorded decision, and nothing is recorded. Called by the routes under `/v1/editor`.

use std::sync::Arc;

use accredit_cases::{CaseExport, export_case};
use accredit_crediting::explain::{Explanation, explain_in_plan};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::plan::Plan;
use accredit_domain::transaction::{Decoder, Record};
use accredit_workspace::Ruleset;

/// A deal, and what people and the calendar add to its decision.
#[derive(Debug, Clone)]
pub struct DealTrial {
    /// The row as delivered.
    pub record: Record,
    /// The business date, and what people decided.
    pub inputs: DecisionInputs,
    /// The only plan; absent, all of them.
    pub plan: Option<String>,
}

impl DealTrial {
    /// What each plan decides about the deal, in the order in which plans are decided.
    ///
    /// # Errors
    /// When there is no such plan.
    pub fn decide(&self, ruleset: &Ruleset) -> Result<Vec<Explanation>, String> {
        let transaction = Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&self.record);
        let transaction = Arc::new(transaction);

        let plans = ruleset.order.iter().filter_map(|id| ruleset.plans.get(id));
        let plans = plans.filter(|plan| self.plan.as_deref().is_none_or(|id| id == &*plan.id));
        let plans: Vec<&Plan> = plans.collect();
        if let (Some(plan), true) = (&self.plan, plans.is_empty()) {
            return Err(format!("there is no plan `{plan}`"));
        }

        Ok(ruleset.with_machine(|machine| {
            let explained = plans
                .iter()
                .map(|plan| explain_in_plan(ruleset, plan, &transaction, &self.inputs, machine));
            explained.collect()
        }))
    }

    /// The deal and what comes of it as a case, in Markdown, for the end of a case file.
    ///
    /// # Errors
    /// Why it cannot be said as a case.
    pub fn write_case(&self, ruleset: &Ruleset) -> Result<String, String> {
        if self.record.void_remark().is_some() {
            return Err("the deal is void, which a case cannot express".to_owned());
        }
        if self.record.manual_credit().is_some() {
            let message = "a person gave this credit without a deal, which a case cannot express";
            return Err(message.to_owned());
        }
        if !self.inputs.adjustments.is_empty() {
            return Err("an amount was set manually, which a case cannot express".to_owned());
        }

        let (plan, inputs) = (self.plan.as_deref(), &self.inputs);
        export_case(&CaseExport { ruleset, record: &self.record, plan, inputs })
    }
}
