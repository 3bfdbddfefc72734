//! What a statement said before it was published again: kept in the statement that took its place.
//!
//! Not publishing it (`releases`) and not what differs between the two (the operations). Source: DOMAIN
//! 2.14, INV-V1.
//!
//! **Architecture invariant:** a statement keeps one former statement, and only so much of it as says
//! what was credited and paid.

use serde::{Deserialize, Serialize};

use super::releases::{ReleaseStatus, Statement};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::RewardOrigin;
use accredit_domain::keys::{DefinedName, PeriodKey, RewardId, TransactionKey};
use rust_decimal::Decimal;

/// A statement that another one has taken the place of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerStatement {
    /// Whether it could still change.
    pub status: ReleaseStatus,
    /// Business date of its release, ISO.
    pub released: String,
    /// The credits of the payee.
    pub credits: Vec<FormerCredit>,
    /// The rewards of the payee.
    pub rewards: Vec<FormerReward>,
}

/// A credit of a former statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerCredit {
    /// The credit's id.
    pub id: CreditId,
    /// The deal.
    pub transaction: TransactionKey,
    /// The credit type.
    pub credit_type: DefinedName,
    /// Whether it counted.
    pub status: CreditStatus,
    /// The amount.
    pub amount: Decimal,
    /// Its unit.
    pub unit_type: DefinedName,
}

/// A reward of a former statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerReward {
    /// The reward's id.
    pub id: RewardId,
    /// Name of the reward or draw.
    pub reward: DefinedName,
    /// Why the row existed.
    pub origin: RewardOrigin,
    /// The period that it corrected.
    pub corrects: Option<PeriodKey>,
    /// The amount.
    pub amount: Decimal,
    /// Its unit.
    pub unit_type: DefinedName,
}

impl FormerStatement {
    /// So much of a statement as is kept when another one takes its place.
    pub fn of(statement: &Statement) -> FormerStatement {
        let credits = statement.credits.iter().map(|row| FormerCredit {
            id: row.id,
            transaction: row.transaction.clone(),
            credit_type: row.credit_type,
            status: row.status,
            amount: row.amount,
            unit_type: row.unit_type,
        });
        let rewards = statement.rewards.iter().map(|row| FormerReward {
            id: row.id.clone(),
            reward: row.reward,
            origin: row.origin,
            corrects: row.corrects,
            amount: row.amount,
            unit_type: row.unit_type,
        });
        FormerStatement {
            status: statement.status,
            released: statement.released.clone(),
            credits: credits.collect(),
            rewards: rewards.collect(),
        }
    }
}
