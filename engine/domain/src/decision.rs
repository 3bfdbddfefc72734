//! The record of a decision: the credits of one transaction in one plan, the outcome, and why.
//!
//! Rows here are what FORMAT section 6 shows and what the store keeps: they name positions, payees
//! and rules by id, so they outlive the organisation they were made from. Not deciding. Called by
//! the pipeline, the ledger, the host and case files.
//!
//! **Architecture invariant:** a transaction in a plan has exactly one [`Outcome`], and every
//! outcome but `credited` and `filtered` carries at least one [`Note`] that says why.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What became of a transaction in a plan (FORMAT section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The plan does not claim it.
    Filtered,
    /// At least one credit.
    Credited,
    /// Decided, and nobody is credited.
    Uncredited,
    /// In the plan, but no decision could be made.
    Parked,
}

/// A credit as it goes out and as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `credit` in FORMAT section 6")]
pub struct CreditRow {
    pub id: String,
    pub transaction: String,
    pub incentive_date: String,
    pub plan: String,
    pub rule: String,
    pub result: String,
    pub kind: String,
    pub position: Option<String>,
    pub payee: Option<String>,
    pub team: Option<String>,
    pub relationship: Option<String>,
    pub via: Option<String>,
    pub level: Option<u32>,
    pub source: Option<String>,
    pub share: Option<String>,
    pub period: String,
    pub credit_type: String,
    pub unit_type: String,
    pub amount: String,
    pub status: String,
    pub release_date: Option<String>,
    pub reason: Option<String>,
    pub reason_code: Option<String>,
    pub origin: String,
    pub reverses: Option<String>,
    pub ruleset: String,
}

impl CreditRow {
    /// The amount as a number.
    ///
    /// # Errors
    /// When the row was changed elsewhere and holds none; it never counts as zero.
    pub fn amount(&self) -> Result<Decimal, String> {
        let amount = self.amount.parse();
        amount.map_err(|_| format!("`{}` is no amount ({})", self.amount, self.id))
    }
}

impl RewardRow {
    /// The amount as a number.
    ///
    /// # Errors
    /// When the row was changed elsewhere and holds none; it never counts as zero.
    pub fn amount(&self) -> Result<Decimal, String> {
        let amount = self.amount.parse();
        amount.map_err(|_| format!("`{}` is no amount ({})", self.amount, self.id))
    }
}

/// The columns of a credit, in the order of FORMAT section 6.
pub const CREDIT_COLUMNS: [&str; 26] = [
    "id",
    "transaction",
    "incentive_date",
    "plan",
    "rule",
    "result",
    "kind",
    "position",
    "payee",
    "team",
    "relationship",
    "via",
    "level",
    "source",
    "share",
    "period",
    "credit_type",
    "unit_type",
    "amount",
    "status",
    "release_date",
    "reason",
    "reason_code",
    "origin",
    "reverses",
    "ruleset",
];

/// A reward as it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardRow {
    /// `rwd_` and 32 hexadecimal digits: a hash of plan, period, reward, payee, team and the unit of
    /// the credits, so that a re-run renames nothing.
    pub id: String,
    /// Id of the plan.
    pub plan: String,
    /// The period of the calculation.
    pub period: String,
    /// Name of the reward.
    pub reward: String,
    /// Id of the participant who is paid.
    pub payee: String,
    /// The team whose credits these are; none where people are credited.
    pub team: Option<String>,
    /// The credit types that count, joined by `;`.
    pub credit_type: String,
    /// The sum of their active credits, in `credited_unit_type`.
    pub credited: String,
    /// The unit of the credits.
    pub credited_unit_type: String,
    /// What was expected, in the unit of the credits; none without a quota.
    pub quota: Option<String>,
    /// `credited` as a share of the quota, four decimals.
    pub attainment: Option<String>,
    /// What is paid, in `unit_type`.
    pub amount: String,
    /// The payee's currency; the unit of the credits where it cannot be exchanged or none is said.
    pub unit_type: String,
    /// Ids of the credits that count, in order.
    pub credits: Vec<String>,
}

/// The columns of a reward, in order.
pub const REWARD_COLUMNS: [&str; 14] = [
    "id",
    "plan",
    "period",
    "reward",
    "payee",
    "team",
    "credit_type",
    "credited",
    "credited_unit_type",
    "quota",
    "attainment",
    "amount",
    "unit_type",
    "credits",
];

/// One thing to know about a transaction in a plan: why it got nothing, or an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Natural key; blank, and null in JSON, of what is about no transaction.
    #[serde(serialize_with = "blank_as_null", deserialize_with = "null_as_blank")]
    pub transaction: String,
    /// Id of the plan.
    pub plan: String,
    /// `filter`, `crediting`, `value`, `hold`, `duplication`, `rollup` or `maximum`.
    pub stage: String,
    /// `unmatched`, `condition`, `policy_error` and so on.
    pub code: String,
    /// What is to be known, in one sentence.
    pub message: String,
    /// The policy's name, if one was running.
    pub policy: Option<String>,
    /// The author's file, if a script was running.
    pub file: Option<String>,
    /// Line in it, from 1.
    pub line: Option<u32>,
    /// Column in it, from 1.
    pub column: Option<u32>,
}

/// For people a blank is null; stored rows, which are no text, keep it.
fn blank_as_null<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() && serializer.is_human_readable() {
        return serializer.serialize_none();
    }
    serializer.serialize_str(text)
}

fn null_as_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    if deserializer.is_human_readable() {
        return Ok(Option::deserialize(deserializer)?.unwrap_or_default());
    }
    String::deserialize(deserializer)
}

/// The columns of a note, in the order of FORMAT section 6.
pub const NOTE_COLUMNS: [&str; 9] =
    ["transaction", "plan", "stage", "code", "message", "policy", "file", "line", "column"];

/// Everything decided about one transaction in one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Id of the plan.
    pub plan: String,
    /// Natural key of the transaction.
    pub transaction: String,
    /// Leaf period of the incentive date; none when it has none.
    pub period: Option<String>,
    /// The ruleset that decided.
    pub ruleset: String,
    /// The business date of the decision, ISO; none when nothing was released.
    pub as_of: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Credits in order, suppressed ones included.
    pub credits: Vec<CreditRow>,
    /// Why it was not credited or is parked: one or more unless credited or filtered.
    pub reasons: Vec<Note>,
    /// Alerts that the plan asks for.
    pub alerts: Vec<Note>,
    /// Everything worth a warning, asked for or not.
    pub log: Vec<Note>,
}

impl Decision {
    /// Whether it could not be made, or not wholly: it is tried again when its cause may have gone.
    pub fn stopped(&self) -> bool {
        let mut reasons = self.credits.iter().map(|credit| credit.reason.as_deref());
        self.outcome == Outcome::Parked || reasons.any(|reason| reason == Some("policy_error"))
    }

    /// The part of it that belongs to periods that are `inside`: a transaction of another period
    /// whose credits are posted there comes as filtered, with nothing but those credits; none where
    /// there is nothing.
    pub fn within(mut self, inside: impl Fn(&str) -> bool) -> Option<Decision> {
        let own = self.outcome != Outcome::Filtered && self.period.as_deref().is_none_or(&inside);
        self.credits.retain(|row| inside(&row.period));
        if !own {
            self.outcome = Outcome::Filtered;
            [&mut self.reasons, &mut self.alerts, &mut self.log].into_iter().for_each(Vec::clear);
        }
        (own || !self.credits.is_empty()).then_some(self)
    }
}

/// The approval of a second person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The number of the request that ends with the commit this is part of; none in the commits
    /// before the last one of an act that takes several.
    pub request: Option<u64>,
    /// Who approved it.
    pub who: String,
}

impl Approved {
    /// The same for a commit that is not the last one of the act.
    pub fn in_part(&self) -> Approved {
        Approved { request: None, who: self.who.clone() }
    }
}

/// What people decided about credits: inputs of a decision (FORMAT section 4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Credit id; blank for an adjustment of the transaction itself.
    pub credit: String,
    /// `release` or `hold`; or of an amount `adjust_to`, `adjust_by` or `reset`.
    pub action: String,
    /// Business date on which it was done, ISO.
    pub date: String,
    /// The token or person that did it.
    pub who: String,
    /// The reason as it was given.
    pub comment: Option<String>,
    /// Natural key of the transaction, of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Plan of the credit, of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The amount of an adjustment, a decimal as text; none of a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The reason code of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
}

impl Resolution {
    /// Whether it is about an amount.
    pub fn is_adjustment(&self) -> bool {
        matches!(self.action.as_str(), "adjust_to" | "adjust_by" | "reset")
    }

    /// Whether both are about the same thing: the amount of one target, or whether it waits.
    pub fn same_target(&self, other: &Resolution) -> bool {
        let of_deal = |one: &Resolution| one.transaction.clone().filter(|_| one.credit.is_empty());
        self.credit == other.credit
            && of_deal(self) == of_deal(other)
            && self.is_adjustment() == other.is_adjustment()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alerts of rewards are about no transaction, and said that it was `""`.
    #[test]
    fn a_note_about_no_transaction_has_none() {
        let note = |transaction: &str| Note {
            transaction: transaction.to_owned(),
            plan: "p".to_owned(),
            stage: "reward".to_owned(),
            code: "policy_error".to_owned(),
            message: String::new(),
            policy: None,
            file: None,
            line: None,
            column: None,
        };
        for (transaction, shown) in [("", serde_json::Value::Null), ("D1", "D1".into())] {
            let json = serde_json::to_value(note(transaction)).unwrap();
            assert_eq!(json["transaction"], shown);
            assert_eq!(serde_json::from_value::<Note>(json).unwrap(), note(transaction));
        }
    }

    #[test]
    fn an_amount_is_a_decimal_or_an_error() {
        let row = |amount: &str| RewardRow {
            id: "rwd_1".to_owned(),
            plan: String::new(),
            period: String::new(),
            reward: String::new(),
            payee: String::new(),
            team: None,
            credit_type: String::new(),
            credited: String::new(),
            credited_unit_type: String::new(),
            quota: None,
            attainment: None,
            amount: amount.to_owned(),
            unit_type: String::new(),
            credits: Vec::new(),
        };
        assert_eq!(row("12.50").amount().unwrap(), Decimal::new(1250, 2));
        for amount in ["", " ", "1,5", "1e3e", "NaN"] {
            assert!(row(amount).amount().unwrap_err().contains("rwd_1"), "{amount}");
        }
    }
}
