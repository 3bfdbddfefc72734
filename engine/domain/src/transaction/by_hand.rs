//! A credit that a person gives without a deal, kept as a row of its own.
//!
//! It goes the way of a deal: it is decided again, posted, frozen and compared by `verify` as deals are.
//! Not how it is decided (`crediting`, `pipeline/by_hand`) and not the act (the ledger). Source:
//! REWARDS section 7.
//!
//! **Architecture invariant:** only this program writes such a row. No reader lets the sign into the
//! name of a column, so no delivery brings one.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cell, Record};
use crate::keys::{
    DefinedName, ParticipantKey, PlanKey, PositionKey, RecipientKey, TransactionKey,
};

/// The column of the row's only cell.
const COLUMN: &str = "\0manual_credit";

/// The result that a manual credit shows.
pub const MANUAL_RESULT: &str = "Manual credit";

/// The result of the entry that takes a manual credit back.
pub const REVERSAL_RESULT: &str = "Reversal";

/// Who gave or took back a credit, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditAct {
    /// Business date of the act.
    pub date: Date,
    /// The user who asked for it.
    pub who: String,
    /// One of the workspace's reason codes.
    pub reason_code: DefinedName,
    /// Why, if given.
    pub comment: Option<String>,
}

/// A credit that a person gives without a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManualCredit {
    /// What stands in place of the deal's natural key.
    pub key: TransactionKey,
    /// The plan.
    pub plan: PlanKey,
    /// The incentive date.
    pub incentive_date: Date,
    /// The position that is credited.
    pub position: PositionKey,
    /// The participant who was named; without one the credit is that of the position's holder.
    pub payee: Option<ParticipantKey>,
    /// The credit type.
    pub credit_type: DefinedName,
    /// The unit of the amount.
    pub unit_type: DefinedName,
    /// The amount at the scale of its unit, negative allowed.
    pub amount: Decimal,
    /// Whether it rolls up as credits of deals do.
    pub rolls_up: bool,
    /// Who gave it, when and why.
    pub given: CreditAct,
    /// Who took it back, when and why.
    pub reversed: Option<CreditAct>,
}

impl CreditAct {
    /// The act in words, after what was done.
    fn describe(&self, done: &str) -> String {
        let CreditAct { date, who, reason_code, comment } = self;
        let why = comment.as_deref().map(|comment| format!(", \"{comment}\"")).unwrap_or_default();
        format!("manual: `{who}` {done} on {date}, reason `{reason_code}`{why}")
    }
}

impl ManualCredit {
    /// What is credited, for people.
    pub fn recipient(&self) -> RecipientKey {
        RecipientKey::from(self.position.shared())
    }

    /// The acts in words, for explanations.
    pub fn describe_acts(&self) -> Vec<String> {
        let given = self.given.describe("gave this credit");
        let reversed = self.reversed.iter().map(|act| act.describe("took this credit back"));
        std::iter::once(given).chain(reversed).collect()
    }

    /// The row that keeps it.
    ///
    /// # Errors
    /// When it cannot be written as text, which no value of these types is known to cause.
    pub fn to_record(&self) -> Result<Record, serde_json::Error> {
        let text = serde_json::to_string(self)?;
        Ok(Record { cells: vec![(COLUMN.to_owned(), Cell::Text(text))] })
    }
}

impl Record {
    /// The credit that a person gave; none of a deal.
    pub fn manual_credit(&self) -> Option<ManualCredit> {
        let (_, cell) = self.cells.iter().find(|(column, _)| column == COLUMN)?;
        let Cell::Text(text) = cell else { return None };
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_manual_credit_is_read_as_it_was_written_and_is_no_cell() {
        let given = CreditAct {
            date: date(2026, 2, 3),
            who: "max".to_owned(),
            reason_code: DefinedName::from("error"),
            comment: Some("two\nlines".to_owned()),
        };
        let credit = ManualCredit {
            key: TransactionKey::from("manual:1"),
            plan: PlanKey::from("reps"),
            incentive_date: date(2026, 1, 31),
            position: PositionKey::from("P1"),
            payee: None,
            credit_type: DefinedName::from("booking"),
            unit_type: DefinedName::from("USD"),
            amount: Decimal::new(-1250, 2),
            rolls_up: true,
            given: given.clone(),
            reversed: Some(CreditAct { comment: None, ..given }),
        };

        let record = credit.to_record().unwrap();
        assert_eq!(record.manual_credit(), Some(credit.clone()));
        assert!(record.delivered_cells().is_empty());
        assert!(record.to_json().is_empty());
        assert!(Record::default().manual_credit().is_none());
        assert_eq!(credit.describe_acts().len(), 2);
    }
}
