//! What differs between a published statement and the one before it.
//!
//! Not what was decided since (INV-V1): both were published. Called by `http::me::republished`. Source:
//! DOMAIN 2.14, 2.18.
//!
//! **Architecture invariant:** a row is in the answer if and only if the two statements differ in it.

use std::collections::BTreeMap;

use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::RewardOrigin;
use accredit_domain::keys::{DefinedName, PeriodKey, RewardId, TransactionKey};
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_ledger::republished::{FormerCredit, FormerReward, FormerStatement};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of a row of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Gone,
    /// Its amount or its status is another one.
    Changed,
}

/// What differs between a statement and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatementDifference {
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// Whether the statement may still change.
    pub status: ReleaseStatus,
    /// Business date of its release.
    #[schema(format = Date)]
    pub released: String,
    /// Whether the one before it could still change.
    pub status_before: ReleaseStatus,
    /// Business date of the release before.
    #[schema(format = Date)]
    pub released_before: String,
    /// The credits that differ, by deal.
    pub credits: Vec<CreditDifference>,
    /// The rewards that differ, by name.
    pub rewards: Vec<RewardDifference>,
}

/// A credit that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreditDifference {
    /// What became of it.
    pub what: DifferenceKind,
    /// Natural key of the deal.
    pub transaction: TransactionKey,
    /// The credit's id.
    pub id: CreditId,
    /// The credit type.
    pub credit_type: DefinedName,
    /// The unit of the amounts.
    pub unit_type: DefinedName,
    /// The amount on the statement before.
    pub before: Option<Decimal>,
    /// The amount now.
    pub after: Option<Decimal>,
    /// The status on the statement before.
    pub status_before: Option<CreditStatus>,
    /// The status now.
    pub status_after: Option<CreditStatus>,
}

/// A reward that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RewardDifference {
    /// What became of it.
    pub what: DifferenceKind,
    /// Name of the reward or draw.
    pub reward: DefinedName,
    /// The reward's id.
    pub id: RewardId,
    /// Why the row exists.
    pub origin: RewardOrigin,
    /// The period that it corrects.
    pub corrects: Option<PeriodKey>,
    /// The unit of the amounts.
    pub unit_type: DefinedName,
    /// The amount on the statement before.
    pub before: Option<Decimal>,
    /// The amount now.
    pub after: Option<Decimal>,
}

/// What differs between a statement and the one before it; none of one that was published once.
pub fn statement_changes(statement: &Statement) -> Option<StatementDifference> {
    let former = statement.former.as_ref()?;
    let present = FormerStatement::of(statement);

    let credits = paired(&former.credits, &present.credits, |row: &FormerCredit| {
        (row.transaction.clone(), row.id)
    });
    let credits = credits.into_iter().filter_map(|((transaction, id), (old, new))| {
        let any = new.or(old)?;
        Some(CreditDifference {
            what: row_change(old, new)?,
            transaction,
            id,
            credit_type: any.credit_type,
            unit_type: any.unit_type,
            before: old.map(|row| row.amount),
            after: new.map(|row| row.amount),
            status_before: old.map(|row| row.status),
            status_after: new.map(|row| row.status),
        })
    });

    let rewards = paired(&former.rewards, &present.rewards, |row: &FormerReward| {
        (row.reward, row.id.clone())
    });
    let rewards = rewards.into_iter().filter_map(|((reward, id), (old, new))| {
        let any = new.or(old)?;
        Some(RewardDifference {
            what: row_change(old, new)?,
            reward,
            id,
            origin: any.origin,
            corrects: any.corrects,
            unit_type: any.unit_type,
            before: old.map(|row| row.amount),
            after: new.map(|row| row.amount),
        })
    });

    Some(StatementDifference {
        plan: statement.plan.clone(),
        period: statement.period.clone(),
        status: statement.status,
        released: statement.released.clone(),
        status_before: former.status,
        released_before: former.released.clone(),
        credits: credits.collect(),
        rewards: rewards.collect(),
    })
}

/// A row of the statement before and the same row now; none where there is none.
type BothRows<'a, Row> = (Option<&'a Row>, Option<&'a Row>);

/// Rows of two statements by what names them.
fn paired<'a, Row, Key: Ord>(
    before: &'a [Row],
    after: &'a [Row],
    key_of: impl Fn(&Row) -> Key,
) -> BTreeMap<Key, BothRows<'a, Row>> {
    let mut pairs: BTreeMap<Key, BothRows<'a, Row>> = BTreeMap::new();
    for row in before {
        pairs.entry(key_of(row)).or_default().0 = Some(row);
    }
    for row in after {
        pairs.entry(key_of(row)).or_default().1 = Some(row);
    }
    pairs
}

/// What became of a row; none where it is as it was.
fn row_change<Row: PartialEq>(before: Option<&Row>, after: Option<&Row>) -> Option<DifferenceKind> {
    match (before, after) {
        (None, _) => Some(DifferenceKind::Added),
        (_, None) => Some(DifferenceKind::Gone),
        (Some(before), Some(after)) => (before != after).then_some(DifferenceKind::Changed),
    }
}
