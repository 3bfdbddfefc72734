//! Notes: one thing to know about a transaction in a plan, with the stage that found it and its code.
//!
//! Not diagnostics of authors (`diagnostic`). Made by crediting, kept with decisions.
//!
//! **Architecture invariant:** stages and codes are closed lists; people, rows and JSON see them as the
//! words that `as_str` gives, and none is ever renamed.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::words::words;

/// The part of the work that a note comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum NoteStage {
    /// What arrived: rows that contradict each other, columns that are gone.
    Intake,
    /// Whether the plan sees the deal at all.
    Filter,
    /// Who is credited.
    Crediting,
    /// What the deal is worth.
    Value,
    /// How long a credit waits.
    Hold,
    /// Which of several equal credits counts.
    Duplication,
    /// Who else gets a part.
    Rollup,
    /// The most that a credit may be.
    Maximum,
    /// How a credit enters the books of its period.
    Posting,
    /// Amounts that a person changed.
    Adjustment,
    /// What a payee earns in a period.
    Reward,
}

impl NoteStage {
    /// Every stage.
    const ALL: [NoteStage; 11] = [
        NoteStage::Intake,
        NoteStage::Filter,
        NoteStage::Crediting,
        NoteStage::Value,
        NoteStage::Hold,
        NoteStage::Duplication,
        NoteStage::Rollup,
        NoteStage::Maximum,
        NoteStage::Posting,
        NoteStage::Adjustment,
        NoteStage::Reward,
    ];

    /// The word in FORMAT section 4.
    pub fn as_str(self) -> &'static str {
        match self {
            NoteStage::Intake => "intake",
            NoteStage::Filter => "filter",
            NoteStage::Crediting => "crediting",
            NoteStage::Value => "value",
            NoteStage::Hold => "hold",
            NoteStage::Duplication => "duplication",
            NoteStage::Rollup => "rollup",
            NoteStage::Maximum => "maximum",
            NoteStage::Posting => "posting",
            NoteStage::Adjustment => "adjustment",
            NoteStage::Reward => "reward",
        }
    }

    /// The stage with this word.
    pub fn parse(word: &str) -> Option<NoteStage> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What a note says, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum NoteCode {
    /// No recipient has the name.
    Unmatched,
    /// A policy named no recipient.
    Nobody,
    /// No rule applies.
    NoRule,
    /// The condition of a rule is false.
    Condition,
    /// A position has no holder.
    Vacant,
    /// A team has no member to credit.
    TeamWithoutMembers,
    /// A maximum cut a credit, or left nothing of it.
    OverMaximum,
    /// The parts of the recipients are not 1 in all.
    TotalNotOne,
    /// A name means several recipients, and the deal is parked.
    AmbiguousAlias,
    /// The alert for a name that means several recipients.
    Ambiguous,
    /// Several recipients are named where one is expected.
    SeveralRecipients,
    /// Some recipients have a weight and others have none.
    MixedWeights,
    /// A person holds no position on the day.
    NoPosition,
    /// No period has the incentive date.
    NoPeriod,
    /// A cell cannot be read as its type.
    BadValue,
    /// A policy or an expression gave no answer.
    PolicyError,
    /// The deal names no currency.
    NoCurrency,
    /// There is no rate between two currencies.
    NoExchangeRate,
    /// A hold would end in another fiscal year.
    ReleaseInOtherYear,
    /// Entries of a closed period stand in a later one.
    ClosedPeriod,
    /// Two rows of the deal contradict each other.
    Conflict,
    /// The latest row has lost columns that the deal had.
    ColumnsMissing,
    /// An adjustment has no credit to change.
    AdjustmentNotApplied,
    /// A payee has no quota that the tiers are shares of.
    NoQuota,
    /// A frozen period would pay something else by what is known now.
    ConfirmedDiffers,
    /// A payee has left and still owes something.
    OpenBalance,
    /// A person declared the deal void.
    Void,
}

impl NoteCode {
    /// Every code.
    const ALL: [NoteCode; 27] = [
        NoteCode::Unmatched,
        NoteCode::Nobody,
        NoteCode::NoRule,
        NoteCode::Condition,
        NoteCode::Vacant,
        NoteCode::TeamWithoutMembers,
        NoteCode::OverMaximum,
        NoteCode::TotalNotOne,
        NoteCode::AmbiguousAlias,
        NoteCode::Ambiguous,
        NoteCode::SeveralRecipients,
        NoteCode::MixedWeights,
        NoteCode::NoPosition,
        NoteCode::NoPeriod,
        NoteCode::BadValue,
        NoteCode::PolicyError,
        NoteCode::NoCurrency,
        NoteCode::NoExchangeRate,
        NoteCode::ReleaseInOtherYear,
        NoteCode::ClosedPeriod,
        NoteCode::Conflict,
        NoteCode::ColumnsMissing,
        NoteCode::AdjustmentNotApplied,
        NoteCode::NoQuota,
        NoteCode::ConfirmedDiffers,
        NoteCode::OpenBalance,
        NoteCode::Void,
    ];

    /// The word in FORMAT section 4.
    pub fn as_str(self) -> &'static str {
        match self {
            NoteCode::Unmatched => "unmatched",
            NoteCode::Nobody => "nobody",
            NoteCode::NoRule => "no_rule",
            NoteCode::Condition => "condition",
            NoteCode::Vacant => "vacant",
            NoteCode::TeamWithoutMembers => "team_without_members",
            NoteCode::OverMaximum => "over_maximum",
            NoteCode::TotalNotOne => "total_not_one",
            NoteCode::AmbiguousAlias => "ambiguous_alias",
            NoteCode::Ambiguous => "ambiguous",
            NoteCode::SeveralRecipients => "several_recipients",
            NoteCode::MixedWeights => "mixed_weights",
            NoteCode::NoPosition => "no_position",
            NoteCode::NoPeriod => "no_period",
            NoteCode::BadValue => "bad_value",
            NoteCode::PolicyError => "policy_error",
            NoteCode::NoCurrency => "no_currency",
            NoteCode::NoExchangeRate => "no_exchange_rate",
            NoteCode::ReleaseInOtherYear => "release_in_other_year",
            NoteCode::ClosedPeriod => "closed_period",
            NoteCode::Conflict => "conflict",
            NoteCode::ColumnsMissing => "columns_missing",
            NoteCode::AdjustmentNotApplied => "adjustment_not_applied",
            NoteCode::NoQuota => "no_quota",
            NoteCode::ConfirmedDiffers => "confirmed_differs",
            NoteCode::OpenBalance => "open_balance",
            NoteCode::Void => "void",
        }
    }

    /// The code with this word.
    pub fn parse(word: &str) -> Option<NoteCode> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

words! {
    NoteStage, "a stage of a note";
    NoteCode, "the code of a note";
}

/// One thing to know about a transaction in a plan: why it got nothing, or an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Natural key; blank, and null in JSON, of what is about no transaction.
    #[serde(serialize_with = "blank_as_null", deserialize_with = "null_as_blank")]
    #[schema(value_type = Option<String>)]
    pub transaction: String,
    /// Id of the plan.
    pub plan: String,
    /// The stage that it comes from.
    pub stage: NoteStage,
    /// What it says, as one word.
    pub code: NoteCode,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Alerts of rewards are about no transaction, and said that it was `""`.
    #[test]
    fn a_note_about_no_transaction_has_none() {
        let note = |transaction: &str| Note {
            transaction: transaction.to_owned(),
            plan: "p".to_owned(),
            stage: NoteStage::Reward,
            code: NoteCode::PolicyError,
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

    /// Stages and codes were free text: the words are stored and must be read back as they are.
    #[test]
    fn every_word_of_a_note_is_read_back() {
        for stage in NoteStage::ALL {
            assert_eq!(NoteStage::parse(stage.as_str()), Some(stage));
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
        for code in NoteCode::ALL {
            assert_eq!(NoteCode::parse(code.as_str()), Some(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert_eq!(NoteCode::parse("misspelt"), None);
    }
}
