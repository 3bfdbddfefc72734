//! The record of a decision: the credits of one transaction in one plan, the outcome, and why; the
//! rewards of a period; what people decide manually.
//!
//! Everything here is named by key, so it outlives the organisation that it was made from; it is what
//! FORMAT section 6 shows and what the store keeps. Not deciding. Called by the pipeline, the ledger,
//! the host and case files.
//!
//! **Architecture invariant:** a transaction in a plan has exactly one [`DecisionOutcome`], and
//! every outcome but `credited` and `filtered` carries at least one [`Note`] that says why.

mod earned;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::credit::CreditId;
use crate::credit::posted::PostedCredit;
use crate::keys::{DefinedName, PeriodKey, PlanKey, RulesetHash, TransactionKey};
use crate::note::Note;
use crate::words::words;

pub use self::earned::{
    BALANCE_COLUMNS, EarnedReward, FrozenRewards, PayeeBalance, REWARD_COLUMNS, RewardOrigin,
};

/// What became of a transaction in a plan (FORMAT section 4).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DecisionOutcome {
    /// The plan does not claim it.
    Filtered,
    /// The deal has at least one credit.
    Credited,
    /// Decided, without a credit.
    Uncredited,
    /// In the plan, but no decision could be made.
    Parked,
}

/// Everything decided about one transaction in one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// The plan.
    pub plan: PlanKey,
    /// The deal.
    pub transaction: TransactionKey,
    /// Leaf period of the incentive date; none when it has none.
    pub period: Option<PeriodKey>,
    /// The ruleset that decided.
    pub ruleset: RulesetHash,
    /// The business date of the decision; none when nothing was released.
    pub as_of: Option<Date>,
    /// The outcome of the decision.
    pub outcome: DecisionOutcome,
    /// Credits in order, suppressed ones included.
    pub credits: Vec<PostedCredit>,
    /// Why it was not credited or is parked: one or more unless credited or filtered.
    pub reasons: Vec<Note>,
    /// Alerts that the plan asks for.
    pub alerts: Vec<Note>,
    /// Everything worth a warning, asked for or not.
    pub log: Vec<Note>,
}

/// Codes of reasons that the organisation may change.
const UNMATCHED_CODES: [&str; 3] = ["unmatched", "nobody", "team_without_members"];

impl Decision {
    /// Whether it could not be made, or not wholly: it is tried again when its cause may have gone.
    pub fn is_incomplete(&self) -> bool {
        self.outcome == DecisionOutcome::Parked
            || self.credits.iter().any(PostedCredit::awaits_policy)
    }

    /// Whether the deal was decided, and no one is credited.
    pub fn is_uncredited(&self) -> bool {
        self.outcome == DecisionOutcome::Uncredited
    }

    /// Whether no one is credited for a reason that the organisation may change: a name meant no one,
    /// or a team had no members.
    pub fn is_unmatched(&self) -> bool {
        let codes = |note: &Note| UNMATCHED_CODES.contains(&note.code.as_str());
        self.is_uncredited() && self.reasons.iter().any(codes)
    }

    /// The part of it that belongs to periods that are `inside`: a transaction of another period
    /// whose credits are posted there comes as filtered, with nothing but those credits; none where
    /// there is nothing.
    pub fn within_periods(mut self, inside: impl Fn(&str) -> bool) -> Option<Decision> {
        let own =
            self.outcome != DecisionOutcome::Filtered && self.period.as_deref().is_none_or(&inside);
        self.credits.retain(|row| inside(&row.period));
        if !own {
            self.outcome = DecisionOutcome::Filtered;
            [&mut self.reasons, &mut self.alerts, &mut self.log].into_iter().for_each(Vec::clear);
        }
        (own || !self.credits.is_empty()).then_some(self)
    }
}

/// The approval of a second person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// The number of the request that ends with the commit this is part of; none in the commits
    /// before the last one of an act that takes several.
    pub request: Option<u64>,
    /// The user who approved it.
    pub who: String,
}

impl Approval {
    /// The same for a commit that is not the last one of the act.
    pub fn in_part(&self) -> Approval {
        Approval { request: None, who: self.who.clone() }
    }
}

/// Who carries an act out, and who approved it.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user who asked for it.
    pub who: String,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

/// A manual decision about whether a credit is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldAction {
    /// Its hold ends: it counts from now on.
    Release,
    /// It waits until it is released.
    Hold,
}

impl HoldAction {
    /// The word in FORMAT section 4.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldAction::Release => "release",
            HoldAction::Hold => "hold",
        }
    }

    /// The action with this name.
    pub fn parse(name: &str) -> Option<HoldAction> {
        [HoldAction::Release, HoldAction::Hold].into_iter().find(|action| action.as_str() == name)
    }
}

/// A manual action on a credit, or on the amount of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResolutionAction {
    /// A release or a hold.
    Wait(HoldAction),
    /// The amount becomes this one.
    AdjustTo,
    /// The amount changes by this one.
    AdjustBy,
    /// Earlier adjustments of the amount end.
    Reset,
}

impl ResolutionAction {
    /// Every action.
    const ALL: [ResolutionAction; 5] = [
        ResolutionAction::Wait(HoldAction::Release),
        ResolutionAction::Wait(HoldAction::Hold),
        ResolutionAction::AdjustTo,
        ResolutionAction::AdjustBy,
        ResolutionAction::Reset,
    ];

    /// The word in FORMAT section 4.
    pub fn as_str(self) -> &'static str {
        match self {
            ResolutionAction::Wait(action) => action.as_str(),
            ResolutionAction::AdjustTo => "adjust_to",
            ResolutionAction::AdjustBy => "adjust_by",
            ResolutionAction::Reset => "reset",
        }
    }

    /// The action with this name.
    pub fn parse(name: &str) -> Option<ResolutionAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Whether it is about an amount.
    pub fn is_adjustment(self) -> bool {
        !matches!(self, ResolutionAction::Wait(_))
    }
}

impl PartialSchema for ResolutionAction {
    fn schema() -> RefOr<Schema> {
        let words = Self::ALL.map(ResolutionAction::as_str);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
    }
}

impl ToSchema for ResolutionAction {}

words! {
    HoldAction, "a release or a hold";
    ResolutionAction, "something that can be done to a credit";
}

/// What people decided about credits: inputs of a decision (FORMAT section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolutionRecord {
    /// The credit; none, and blank where it is stored, for an adjustment of the transaction itself.
    #[serde(serialize_with = "none_as_blank", deserialize_with = "blank_as_none")]
    pub credit: Option<CreditId>,
    /// The action that was taken.
    pub action: ResolutionAction,
    /// Business date on which it was done.
    pub date: Date,
    /// The token or person that did it.
    pub who: String,
    /// The reason as it was given.
    pub comment: Option<String>,
    /// The transaction, of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionKey>,
    /// Plan of the credit, of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanKey>,
    /// The amount of an adjustment, as a decimal; none for a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The reason code of an adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<DefinedName>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
}

fn none_as_blank<S: Serializer>(id: &Option<CreditId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_str(""),
    }
}

fn blank_as_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CreditId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl ResolutionRecord {
    /// What `who` did on a business date, of nothing yet: the credit or the transaction is to be set.
    pub fn new(action: ResolutionAction, date: Date, who: String) -> ResolutionRecord {
        ResolutionRecord {
            credit: None,
            action,
            date,
            who,
            comment: None,
            transaction: None,
            plan: None,
            amount: None,
            reason_code: None,
            approved: None,
        }
    }

    /// Whether it is about an amount.
    pub fn is_adjustment(&self) -> bool {
        self.action.is_adjustment()
    }

    /// Whether both are about the same thing: the amount of one target, or whether it waits.
    pub fn same_target(&self, other: &ResolutionRecord) -> bool {
        let of_deal =
            |one: &ResolutionRecord| one.transaction.clone().filter(|_| one.credit.is_none());
        self.credit == other.credit
            && of_deal(self) == of_deal(other)
            && self.is_adjustment() == other.is_adjustment()
    }
}
