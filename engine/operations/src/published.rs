//! What a payee may see: published statements, what a maximum cut, and why they got nothing.
//!
//! Not the publishing (`release`) and not how it is written for them (the host). Source: DOMAIN 2.14,
//! 2.18, INV-V1.
//!
//! **Architecture invariant:** everything is read through the scope of one payee, by that payee's own ids;
//! a payee who is not known is answered like one of whom nothing is published, and a credit of another
//! person like none.

use std::collections::BTreeSet;

use accredit_crediting::explain::{PayeeFinding, WhyNot};
use accredit_crediting::stage::maximum;
use accredit_crediting::stage::names::parse_shares;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::money;
use accredit_domain::note::Note;
use accredit_domain::organization::Entity;
use accredit_domain::plan::Assign;
use accredit_domain::transaction::{Cell, Field};
use accredit_ledger::record::TransactionRecord;
use accredit_ledger::releases::Statement;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

use crate::context::Context;
use crate::error::OperationError;
use crate::explain;
use crate::principal::PayeeScope;

/// The published results of a payee, including those under former ids.
///
/// # Errors
/// When the data cannot be read.
pub fn published_statements(
    context: &Context,
    scope: &PayeeScope,
    period: Option<&str>,
) -> Result<Vec<Statement>, OperationError> {
    let mut found = Vec::new();
    for id in scope.ids() {
        found.extend(context.ledger.payee_statements(id, period)?);
    }
    found.retain(|statement| scope.covers(context, statement));
    Ok(found)
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
    scope: &PayeeScope,
    transaction: &str,
) -> Result<PublicWhyNot, OperationError> {
    let published = published_statements(context, scope, None)?;

    // An unknown deal has no decisions, and no plans are listed for it.
    let Some(stored) = context.ledger.find_transaction(transaction)? else {
        return Ok(PublicWhyNot { known: false, plans: Vec::new() });
    };

    let mut plans = Vec::new();
    for decision in &stored.decisions {
        if let Some(why) = explain::explain_for_payee(context, &stored, decision, scope.payee())? {
            let decided = has_credit(decision, scope);
            plans.push(public_plan(why, (decided, &decision.log), &published));
        }
    }
    Ok(PublicWhyNot { known: true, plans })
}

/// Why a payee who asks for themselves got what they got of a transaction that concerns them. Any other
/// transaction is answered like one that does not exist: a payee learns nothing of the deals of others.
///
/// # Errors
/// When the data cannot be read, or a decision cannot be made again.
pub fn own_why_not(
    context: &Context,
    scope: &PayeeScope,
    transaction: &str,
) -> Result<PublicWhyNot, OperationError> {
    let stored = context.ledger.find_transaction(transaction)?;
    match stored.filter(|stored| concerns_payee(context, scope, stored)) {
        Some(stored) => why_not(context, scope, &stored.id),
        None => Ok(PublicWhyNot { known: false, plans: Vec::new() }),
    }
}

/// Whether a deal has a credit for the payee, or names the payee or a position that the payee has held.
fn concerns_payee(context: &Context, scope: &PayeeScope, stored: &TransactionRecord) -> bool {
    let credits = stored.decisions.iter().flat_map(|decision| &decision.credits);
    let mut payees = credits.filter_map(|row| row.payee.as_deref());
    if payees.any(|payee| scope.has_id(payee)) {
        return true;
    }

    let ruleset = context.ruleset.load();
    let organization = &ruleset.organization;
    let Some(payee) = organization.find_participant(scope.payee()) else { return false };
    let means_payee = |entity: Entity| match entity {
        Entity::Participant(participant) => participant == payee,
        Entity::Position(position) => organization.all_holders(position).contains(&payee),
    };
    // Other columns are not looked at: a number or a customer may be spelled like a person.
    let columns = name_columns(&ruleset);
    let cells = stored.record.delivered_cells().iter();
    let cells = cells.filter(|(column, _)| columns.contains(column.as_str()));
    let texts = cells.filter_map(|(_, cell)| match cell {
        Cell::Text(text) => Some(text.as_str()),
        Cell::Null | Cell::Number(_) | Cell::Bool(_) | Cell::Nested(_) => None,
    });
    let names = texts.flat_map(|text| {
        let listed = parse_shares(text).unwrap_or_default();
        let listed = listed.into_iter().map(|share| share.who.to_string());
        // A name may look like a list.
        std::iter::once(text.to_owned()).chain(listed)
    });
    names.flat_map(|name| organization.entities_named(&name)).any(means_payee)
}

/// The columns in which plans look for those to whom a deal belongs.
fn name_columns(ruleset: &Ruleset) -> BTreeSet<&str> {
    let fields = &ruleset.settings.fields;
    let mapped = fields.names.values().flatten().chain(fields.mapped.get(&Field::Preassigned));
    let rules = ruleset.plans.values().flat_map(|plan| &plan.direct);
    let named = rules.flat_map(|rule| &rule.assign).filter_map(|assign| match assign {
        Assign::Columns(columns) => Some(columns),
        Assign::Owner
        | Assign::Team
        | Assign::Preassigned
        | Assign::Territory(_)
        | Assign::Policy(_) => None,
    });
    mapped.chain(named.flatten()).map(String::as_str).collect()
}

/// Whether the decision gives a credit to the payee, held or not.
fn has_credit(decision: &Decision, scope: &PayeeScope) -> bool {
    decision.credits.iter().any(|row| {
        row.payee.as_ref().is_some_and(|payee| scope.has_id(payee))
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
