//! What a payee may see: published statements, what a maximum cut, and why they got nothing.
//!
//! Not the publishing (`release`) and not how it is written for them (the host). Source: DOMAIN 2.14,
//! 2.18, INV-V1.
//!
//! **Architecture invariant:** everything is read by the payee's own ids; a payee who is not known is
//! answered like one of whom nothing is published, and a credit of another person like none.

use accredit_crediting::explain::{PayeeFinding, WhyNot};
use accredit_crediting::stage::maximum;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::money;
use accredit_domain::note::Note;
use accredit_ledger::releases::Statement;
use rust_decimal::Decimal;

use crate::context::Context;
use crate::error::OperationError;
use crate::explain;

/// The published results of a payee, including those under former ids.
///
/// # Errors
/// When the data cannot be read.
pub fn published_statements(
    context: &Context,
    payee: &str,
    period: Option<&str>,
) -> Result<Vec<Statement>, OperationError> {
    let mut found = Vec::new();
    for id in payee_ids(context, payee) {
        found.extend(context.ledger.payee_statements(&id, period)?);
    }
    Ok(found)
}

/// The ids of a payee: the one that is asked for, and those that it was renamed from.
fn payee_ids(context: &Context, payee: &str) -> Vec<String> {
    let ruleset = context.ruleset.load();
    let organization = &ruleset.organization;
    let known = organization.find_participant(payee);
    // Only the id of now shows what was published under the former ones.
    let known = known.filter(|known| *organization.participant_id(*known) == *payee);
    let former = known.into_iter().flat_map(|known| organization.former_ids(known));
    let others = former.filter(|id| *id != payee).map(str::to_owned);
    std::iter::once(payee.to_owned()).chain(others).collect()
}

/// The sums of the credits of a statement that count, as credit type, unit and amount, in the order
/// of the credits.
pub fn statement_totals(statement: &Statement) -> Vec<(&str, &str, Decimal)> {
    let mut totals: Vec<(&str, &str, Decimal)> = Vec::new();
    for row in statement.credits.iter().filter(|row| row.is_active()) {
        let key = (row.credit_type.as_str(), row.unit_type.as_str());
        match totals.iter_mut().find(|(kind, unit, _)| (*kind, *unit) == key) {
            Some((.., sum)) => money::add_to_total(sum, row.amount),
            None => totals.push((key.0, key.1, row.amount)),
        }
    }
    totals
}

/// What a published credit would be without the maximum that cut it; none where nothing did, or
/// where the credit was decided otherwise since.
///
/// # Errors
/// When the data cannot be read.
pub fn before_maximum(
    context: &Context,
    row: &PostedCredit,
) -> Result<Option<String>, OperationError> {
    let stored = context.ledger.find_transaction(&row.transaction)?;
    let decisions = stored.iter().flat_map(|stored| &stored.decisions);
    let mut decided = decisions.filter(|decision| {
        let same = |now: &PostedCredit| now.id == row.id && now.amount == row.amount;
        decision.plan == row.plan && decision.credits.iter().any(same)
    });
    Ok(decided.find_map(|decision| maximum::before_maximum(&decision.log, row)))
}

/// Why a payee got what they got of a transaction.
#[derive(Debug, Clone)]
pub struct PublicWhyNot {
    /// Whether there is such a transaction.
    pub known: bool,
    /// Every plan that decided it.
    pub plans: Vec<PublicPlanWhyNot>,
}

/// What a payee got of a transaction in one plan, and why nothing more.
#[derive(Debug, Clone)]
pub struct PublicPlanWhyNot {
    /// Id of the plan.
    pub plan: String,
    /// Why nothing, or nothing more, in the order of the steps.
    pub findings: Vec<PayeeFinding>,
    /// Their published credits, each with what it would be without the maximum that cut it.
    pub credits: Vec<(PostedCredit, Option<String>)>,
}

/// Why a payee got nothing of a transaction, plan by plan; where they got something that is
/// published, what.
///
/// # Errors
/// When the data cannot be read, or a decision cannot be made again.
pub fn why_not(
    context: &Context,
    payee: &str,
    transaction: &str,
) -> Result<PublicWhyNot, OperationError> {
    let published = published_statements(context, payee, None)?;
    let ids = payee_ids(context, payee);

    // An unknown deal has no decisions, and no plans are listed for it.
    let Some(stored) = context.ledger.find_transaction(transaction)? else {
        return Ok(PublicWhyNot { known: false, plans: Vec::new() });
    };

    let mut plans = Vec::new();
    for decision in &stored.decisions {
        if let Some(why) = explain::explain_for_payee(context, &stored, decision, payee)? {
            let decided = has_credit(decision, &ids);
            plans.push(public_plan(why, (decided, &decision.log), &published));
        }
    }
    Ok(PublicWhyNot { known: true, plans })
}

/// Whether the decision gives a credit to one of these ids, held or not.
fn has_credit(decision: &Decision, ids: &[String]) -> bool {
    decision.credits.iter().any(|row| {
        row.payee.as_ref().is_some_and(|payee| ids.iter().any(|id| payee == id))
            && (row.is_active() || row.is_held())
    })
}

/// What a payee may read: of their own credits, those that are published.
fn public_plan(
    why: WhyNot,
    (decided, log): (bool, &[Note]),
    published: &[Statement],
) -> PublicPlanWhyNot {
    let statements = published.iter().filter(|one| one.plan == why.plan);
    let credits = statements.flat_map(|one| &one.credits);

    let credits = credits.filter(|row| row.transaction == why.transaction).map(|row| {
        let unchanged = why.credits.iter().any(|now| now.id == row.id && now.amount == row.amount);
        let before = unchanged.then(|| maximum::before_maximum(log, row)).flatten();
        (row.clone(), before)
    });
    let credits: Vec<_> = credits.collect();

    // What was decided since the release is not for the payee: not even why.
    let unchanged = why.credits.iter().all(|now| {
        let same = |row: &PostedCredit| row.id == now.id && row.amount == now.amount;
        published.iter().any(|one| one.credits.iter().any(same))
    });

    let cut = |finding: &PayeeFinding| unchanged && finding.code == "over_maximum";

    let findings = match (credits.is_empty(), decided) {
        (false, _) => why.findings.into_iter().filter(cut).collect(),
        (true, false) => why.findings,
        (true, true) => vec![PayeeFinding {
            stage: "release".to_owned(),
            code: "not_released".to_owned(),
            message: "the calculation that it belongs to is not released".to_owned(),
            ..PayeeFinding::default()
        }],
    };

    PublicPlanWhyNot { plan: why.plan, findings, credits }
}
