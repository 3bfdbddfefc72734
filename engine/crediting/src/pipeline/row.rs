//! Decisions as rows: ids instead of places in a ruleset.
//!
//! Called where a decision leaves the engine. Source: FORMAT section 6.

use crate::pipeline::PlanDecision;
use accredit_domain::credit::Credit;
use accredit_domain::credit::posted::{CreditKind, CreditOrigin, PostedCredit};
use accredit_domain::decision::Decision;
use accredit_domain::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, PositionKey, RecipientKey, RulesetHash,
    TeamKey, TransactionKey,
};
use accredit_domain::money;
use accredit_domain::note::{Note, NoteCode};
use accredit_workspace::Ruleset;

/// A decision as it is stored and shown.
pub fn stored_decision(ruleset: &Ruleset, decided: &PlanDecision) -> Decision {
    Decision {
        plan: PlanKey::from(&decided.plan),
        transaction: TransactionKey::from(&decided.transaction),
        period: decided.period.as_ref().map(PeriodKey::from),
        ruleset: RulesetHash::from(&ruleset.hash),
        as_of: decided.as_of,
        outcome: decided.outcome,
        credits: decided.credits.iter().map(|credit| credit_row(ruleset, credit)).collect(),
        reasons: decided.reasons.clone(),
        alerts: decision_alerts(ruleset, decided),
        log: decided.warnings.clone(),
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
fn decision_alerts(ruleset: &Ruleset, decided: &PlanDecision) -> Vec<Note> {
    let plan = ruleset.plans.get(&decided.plan);
    let wanted = |note: &&Note| {
        STANDING_ALERTS.contains(&note.code)
            || plan.is_some_and(|plan| plan.alerts.contains(note.code.as_str()))
    };
    decided.warnings.iter().filter(wanted).cloned().collect()
}

/// A credit as it goes out.
pub fn credit_row(ruleset: &Ruleset, credit: &Credit) -> PostedCredit {
    let organization = &ruleset.organization;
    let settings = &ruleset.settings;
    let rolled = credit.rolled.as_ref();
    let position = credit.recipient.position();

    PostedCredit {
        id: credit.id,
        transaction: TransactionKey::from(&credit.transaction),
        incentive_date: credit.incentive_date,
        plan: PlanKey::from(&credit.plan),
        rule: DefinedName::from(&credit.rule),
        result: DefinedName::from(&credit.result),
        kind: if rolled.is_none() { CreditKind::Direct } else { CreditKind::Indirect },
        position: position.map(|id| PositionKey::from(organization.position_id(id))),
        payee: credit.payee.map(|id| ParticipantKey::from(organization.participant_id(id))),
        team: credit.team.map(|id| TeamKey::from(organization.team_id(id))),
        relationship: rolled
            .map(|rolled| DefinedName::from(settings.relationship_name(rolled.relationship))),
        via: rolled.map(|rolled| RecipientKey::from(organization.recipient_id(rolled.via))),
        level: rolled.map(|rolled| rolled.level),
        source: rolled.map(|rolled| rolled.source),
        share: credit.share,
        period: PeriodKey::from(&credit.period),
        credit_type: DefinedName::from(&credit.credit_type),
        unit_type: DefinedName::from(settings.units.name(credit.unit)),
        amount: money::at_scale(credit.amount, credit.unit.scale),
        status: credit.status,
        release_date: credit.release_date,
        reason: credit.reason.clone(),
        reason_code: credit.reason_code.as_ref().map(DefinedName::from),
        origin: if credit.manual { CreditOrigin::Manual } else { CreditOrigin::Calculated },
        reverses: None,
        ruleset: RulesetHash::from(&ruleset.hash),
    }
}
