//! Decisions as rows: ids instead of places in a ruleset.
//!
//! Called where a decision leaves the engine. Source: FORMAT section 6.

use crate::pipeline::Decided;
use accredit_domain::credit::Credit;
use accredit_domain::decision::{CreditRow, Decision, Note};
use accredit_domain::money;
use accredit_workspace::Ruleset;

/// A decision as it is stored and shown.
pub fn decision(ruleset: &Ruleset, decided: &Decided) -> Decision {
    Decision {
        plan: decided.plan.to_string(),
        transaction: decided.transaction.to_string(),
        period: decided.period.as_ref().map(ToString::to_string),
        ruleset: ruleset.hash.to_string(),
        as_of: decided.as_of.map(|date| date.to_string()),
        outcome: decided.outcome,
        credits: decided.credits.iter().map(|credit| row(ruleset, credit)).collect(),
        reasons: decided.reasons.clone(),
        alerts: alerts(ruleset, decided),
        log: decided.warnings.clone(),
    }
}

/// Warnings that are alerts whatever a plan asks for: a hold that lost its date, an amount whose
/// currency nobody said, and rows that contradict each other or have lost columns.
const ALWAYS: [&str; 4] = ["release_in_other_year", "no_currency", "conflict", "columns_missing"];

/// The warnings that the plan asks for as alerts, and those that always are.
fn alerts(ruleset: &Ruleset, decided: &Decided) -> Vec<Note> {
    let plan = ruleset.plans.get(&decided.plan);
    let wanted = |note: &&Note| {
        ALWAYS.contains(&note.code.as_str())
            || plan.is_some_and(|plan| plan.alerts.contains(note.code.as_str()))
    };
    decided.warnings.iter().filter(wanted).cloned().collect()
}

/// A credit as it goes out.
pub fn row(ruleset: &Ruleset, credit: &Credit) -> CreditRow {
    let organization = &ruleset.organization;
    let settings = &ruleset.settings;
    let rolled = credit.rolled.as_ref();

    CreditRow {
        id: credit.id.to_string(),
        transaction: credit.transaction.to_string(),
        incentive_date: credit.incentive_date.to_string(),
        plan: credit.plan.to_string(),
        rule: credit.rule.to_string(),
        result: credit.result.to_string(),
        kind: if rolled.is_none() { "direct" } else { "indirect" }.to_owned(),
        position: credit
            .recipient
            .position()
            .map(|position| organization.position_id(position).to_string()),
        payee: credit.payee.map(|payee| organization.participant_id(payee).to_string()),
        team: credit.team.map(|team| organization.team_id(team).to_string()),
        relationship: rolled.map(|r| settings.relationship_name(r.relationship).to_string()),
        via: rolled.map(|rolled| organization.recipient_id(rolled.via).to_string()),
        level: rolled.map(|rolled| rolled.level),
        source: rolled.map(|rolled| rolled.source.to_string()),
        share: credit.share.map(|share| share.to_string()),
        period: credit.period.to_string(),
        credit_type: credit.credit_type.to_string(),
        unit_type: settings.units.name(credit.unit).to_owned(),
        amount: money::text(credit.amount, credit.unit.scale),
        status: credit.status.name().to_owned(),
        release_date: credit.release_date.map(|date| date.to_string()),
        reason: credit.reason.clone(),
        reason_code: credit.reason_code.as_ref().map(ToString::to_string),
        origin: if credit.manual { "manual" } else { "calculated" }.to_owned(),
        reverses: None,
        ruleset: ruleset.hash.to_string(),
    }
}
