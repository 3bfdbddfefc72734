//! `sources` of indirect rules: which plan takes credits from which.
//!
//! Not taking them (the pipeline). Called by `rule` for each list, and by `Ruleset::read` when all
//! plans are read. Source: FORMAT section 3.
//!
//! **Architecture invariant:** a ruleset's order of plans has no plan before one of its sources.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::report::Findings;
use super::toml::{PlacedText, TomlTable};
use accredit_domain::diagnostic::Code;
use accredit_domain::keys::PlanKey;
use accredit_domain::plan::Plan;

/// Every plan that a rule names, with its place.
#[derive(Debug, Default)]
pub(super) struct PlanReferences(RefCell<Vec<PlanReference>>);

#[derive(Debug)]
struct PlanReference {
    /// The plan of the rule.
    plan: PlanKey,
    /// The plan that is named.
    source: PlacedText,
}

impl PlanReferences {
    /// The sources of a rule of `plan`; its own plan where it names none.
    pub(super) fn read_sources(&self, rule: &mut TomlTable<'_>, plan: &str) -> BTreeSet<PlanKey> {
        let own = PlanKey::from(plan);
        let Some(item) = rule.take("sources") else { return BTreeSet::from([own]) };
        let Some(items) = item.expect_list() else { return BTreeSet::new() };
        if items.is_empty() {
            item.refuse("a list of at least one plan's id");
        }

        let named: Vec<PlacedText> = items.iter().filter_map(|item| item.expect_text()).collect();

        let sources = named.iter().map(|source| PlanKey::from(&source.text)).collect();
        let references = named.into_iter().map(|source| PlanReference { plan: own, source });

        self.0.borrow_mut().extend(references);

        sources
    }

    /// The order in which plans are decided; sources that do not exist, and cycles, are reported.
    /// `ids` are all plans, read or not.
    pub(super) fn decision_order(
        &self,
        plans: &BTreeMap<PlanKey, Plan>,
        ids: &[&str],
        report: &Findings,
    ) -> Vec<PlanKey> {
        let references = self.0.borrow();

        for PlanReference { source, .. } in references.iter() {
            if !ids.contains(&source.text.as_str()) {
                let named = ("plan", source.text.as_str());
                report.report_unknown(
                    Code::CR025,
                    source.place.clone(),
                    named,
                    ids.iter().copied(),
                );
            }
        }

        report_measure_mismatch(&references, plans, report);

        let mut order: Vec<PlanKey> = Vec::with_capacity(plans.len());
        let ready = |order: &[PlanKey], plan: &Plan| {
            // A source that could not be read is missing already, and must not hold up the others.
            let known = |source: &PlanKey| order.contains(source) || !plans.contains_key(source);
            !order.contains(&plan.id) && plan.source_plans().iter().all(known)
        };

        while let Some(next) = plans.values().find(|plan| ready(&order, plan)) {
            order.push(next.id);
        }

        let stuck = |id: &str| plans.contains_key(id) && !order.iter().any(|done| **done == *id);

        for PlanReference { plan, source } in references.iter() {
            // A plan that only waits for a cycle is not part of it.
            if stuck(plan)
                && takes_credits_from(plans, &source.text, plan)
                && **plan != *source.text
            {
                let message =
                    format!("plan `{plan}` takes credits from itself, by way of `{}`", source.text);
                let help = "plans are decided one after the other: break the cycle";
                report.error(Code::CR028, source.place.clone(), message, help);
            }
        }

        order
    }
}

/// Reports plans that take credits from one that measures the others.
fn report_measure_mismatch(
    references: &[PlanReference],
    plans: &BTreeMap<PlanKey, Plan>,
    report: &Findings,
) {
    for PlanReference { plan, source } in references {
        let (own, other) = (plans.get(plan), plans.get(source.text.as_str()));
        let Some((own, other)) = own.zip(other) else { continue };
        if own.measure != other.measure {
            let message = format!("`{}` does not measure what `{plan}` does", source.text);
            let help = "credits of teams roll to teams, and credits of positions to positions";
            report.error(Code::CR024, source.place.clone(), message, help);
        }
    }
}

/// Whether `from` takes credits from `to`, over however many plans.
fn takes_credits_from(plans: &BTreeMap<PlanKey, Plan>, from: &str, to: &str) -> bool {
    let from = PlanKey::from(from);
    let mut seen = BTreeSet::from([from]);
    let mut front = vec![from];
    while let Some(id) = front.pop() {
        if id == to {
            return true;
        }
        let sources = plans.get(&id).map(Plan::source_plans).unwrap_or_default();
        front.extend(sources.into_iter().filter(|source| seen.insert(*source)));
    }
    false
}
