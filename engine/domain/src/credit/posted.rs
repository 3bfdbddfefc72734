//! Credits as they are posted: what the ledger keeps, calculations add up and people read.
//!
//! A [`PostedCredit`] names everything by key, so it outlives the ruleset. While it is decided, a
//! [`Credit`](super::Credit) holds it together with its places in the ruleset. Not deciding and not
//! posting (`crediting`). Source: FORMAT section 6.
//!
//! **Architecture invariant:** every field has a type of its own, and is text only where bytes are
//! read and written. A row that cannot be read is an error there; it never becomes a zero or a blank.

use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{CreditId, CreditIds, CreditStatus};
use crate::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, PositionKey, RecipientKey, RulesetHash,
    TeamKey, TransactionKey,
};
use crate::words::words;

/// Whether a credit comes from the deal itself or from another credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CreditKind {
    /// From the deal, by a rule.
    Direct,
    /// Rolled along a relationship from a direct credit.
    Indirect,
}

/// How an entry came into its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CreditOrigin {
    /// Decided by the rules, in its own period.
    Calculated,
    /// The amount was set manually.
    Manual,
    /// Decided by the rules after its own period was finalized; posted in a later one.
    Late,
    /// Corrects an entry of a finalized period: a reversal, or what replaces the reversed.
    Retro,
}

/// One entry of the books: who is credited with how much, for which deal, in which period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostedCredit {
    /// The credit's id; entries that correct it have ids of their own.
    pub id: CreditId,
    /// The deal.
    pub transaction: TransactionKey,
    /// The date of the deal that decides everything else.
    pub incentive_date: Date,
    /// The plan.
    pub plan: PlanKey,
    /// The rule of the plan.
    pub rule: DefinedName,
    /// The result of the rule.
    pub result: DefinedName,
    /// Direct or indirect.
    pub kind: CreditKind,
    /// The position that is credited; none for a team.
    pub position: Option<PositionKey>,
    /// Who holds the position on the incentive date; none when it is vacant, or for a team.
    pub payee: Option<ParticipantKey>,
    /// The team that is credited, or through which the position was found.
    pub team: Option<TeamKey>,
    /// The relationship along which an indirect credit was rolled.
    pub relationship: Option<DefinedName>,
    /// Where the relationship was entered.
    pub via: Option<RecipientKey>,
    /// Steps along the relationship, from 1.
    pub level: Option<u32>,
    /// The direct credit that an indirect one comes from.
    pub source: Option<CreditId>,
    /// The weight of a direct credit.
    pub share: Option<Decimal>,
    /// The leaf period in which it is posted.
    pub period: PeriodKey,
    /// The credit type.
    pub credit_type: DefinedName,
    /// The unit of the amount.
    pub unit_type: DefinedName,
    /// The amount; its scale is the unit's, and every digit of it is kept.
    pub amount: Decimal,
    /// The status, which says whether the credit counts.
    pub status: CreditStatus,
    /// When a hold ends or ended; none for a hold without a date.
    pub release_date: Option<Date>,
    /// Why it does not count: `duplicate_of:crd_…`, or the hold's reason.
    pub reason: Option<String>,
    /// The reason code of the rule or of the person who adjusted it.
    pub reason_code: Option<DefinedName>,
    /// How it came into its period.
    pub origin: CreditOrigin,
    /// The entry that this one takes back: a correction its own former entry, the reversal of a
    /// manual credit that credit.
    pub reverses: Option<CreditId>,
    /// The ruleset that decided it.
    pub ruleset: RulesetHash,
}

/// The reason of a credit that is held since its release would move it into another fiscal year.
pub const OTHER_YEAR: &str = "release_in_other_year";

/// Why a credit that waits, waits: its reason when a policy failed.
pub const POLICY_ERROR: &str = "policy_error";

impl PostedCredit {
    /// Whether it counts in sums.
    pub fn is_active(&self) -> bool {
        self.status == CreditStatus::Active
    }

    /// Whether it waits for its release.
    pub fn is_held(&self) -> bool {
        self.status == CreditStatus::Held
    }

    /// Whether it comes from the deal itself.
    pub fn is_direct(&self) -> bool {
        self.kind == CreditKind::Direct
    }

    /// Whether it is held because a policy failed.
    pub fn awaits_policy(&self) -> bool {
        self.reason.as_deref() == Some(POLICY_ERROR)
    }

    /// Whether a person gave it without a deal: no rule made it.
    pub fn is_by_hand(&self) -> bool {
        self.is_direct() && self.rule.is_empty()
    }

    /// The former entry of the same credit that this correction takes back.
    pub fn corrected_entry(&self) -> Option<CreditId> {
        self.reverses.filter(|_| self.origin == CreditOrigin::Retro)
    }

    /// The id of the entry `ordinal` of the credit that it belongs to.
    pub fn entry_id(&self, ordinal: u32) -> CreditId {
        self.make_entry_id(&mut CreditIds::of_transaction(&self.transaction), ordinal)
    }

    /// The same with `ids` of its transaction, for many entries of one deal.
    pub fn make_entry_id(&self, ids: &mut CreditIds, ordinal: u32) -> CreditId {
        let relationship = self.relationship.as_deref().unwrap_or("");
        let via = self.via.as_deref().unwrap_or("");
        let source = self.source.map(|source| source.to_text());
        let source = source.as_ref().map(|text| std::str::from_utf8(text));
        let source = source.and_then(Result::ok).unwrap_or("");

        let recipient = self.recipient();
        let parts = [&*self.plan, &self.rule, &self.result, recipient, relationship, via, source];
        ids.make_id(&parts, ordinal)
    }

    /// The position or team that is credited.
    pub fn recipient(&self) -> &str {
        match (&self.position, &self.team) {
            (Some(position), _) => position,
            (None, Some(team)) => team,
            (None, None) => "",
        }
    }
}

impl CreditKind {
    /// The words, as the schema lists them.
    pub const WORDS: [&str; 2] = [CreditKind::Direct.as_str(), CreditKind::Indirect.as_str()];

    /// The word in FORMAT section 6.
    pub const fn as_str(self) -> &'static str {
        match self {
            CreditKind::Direct => "direct",
            CreditKind::Indirect => "indirect",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<CreditKind> {
        let all = [CreditKind::Direct, CreditKind::Indirect];
        all.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl CreditOrigin {
    /// The words, as the schema lists them.
    pub const WORDS: [&str; 4] = [
        CreditOrigin::Calculated.as_str(),
        CreditOrigin::Retro.as_str(),
        CreditOrigin::Late.as_str(),
        CreditOrigin::Manual.as_str(),
    ];

    /// The word in FORMAT section 6.
    pub const fn as_str(self) -> &'static str {
        match self {
            CreditOrigin::Calculated => "calculated",
            CreditOrigin::Manual => "manual",
            CreditOrigin::Late => "late",
            CreditOrigin::Retro => "retro",
        }
    }

    /// The origin with this name.
    pub fn parse(name: &str) -> Option<CreditOrigin> {
        let all = [
            CreditOrigin::Calculated,
            CreditOrigin::Manual,
            CreditOrigin::Late,
            CreditOrigin::Retro,
        ];
        all.into_iter().find(|origin| origin.as_str() == name)
    }
}

words! {
    CreditKind, "a kind of credit";
    CreditOrigin, "an origin of a credit";
    CreditStatus, "a status of a credit";
}

impl PartialSchema for CreditId {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.pattern(Some("^crd_[0-9a-f]{32}$")).into()
    }
}

impl ToSchema for CreditId {}

impl FromStr for CreditId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        CreditId::parse(text).ok_or_else(|| format!("`{text}` is not the id of a credit"))
    }
}

impl Serialize for CreditId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CreditId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn stored() -> Value {
        json!({
            "id": format!("crd_{}", "0".repeat(32)), "transaction": "crm:D1",
            "incentive_date": "2026-03-15", "plan": "p", "rule": "r", "result": "c",
            "kind": "direct", "position": "P1", "payee": "ann", "team": null,
            "relationship": null, "via": null, "level": null, "source": null, "share": "0.50",
            "period": "2026-03", "credit_type": "credit", "unit_type": "USD", "amount": "-12.50",
            "status": "held", "release_date": null, "reason": null, "reason_code": null,
            "origin": "late", "reverses": null, "ruleset": "rs",
        })
    }

    #[test]
    fn a_credit_is_written_as_it_was_read_to_the_last_digit() {
        let credit: PostedCredit = serde_json::from_value(stored()).unwrap();
        assert_eq!(serde_json::to_value(&credit).unwrap(), stored());
    }

    /// An amount that could not be read was counted as 0.00, and unknown words decided nothing: a
    /// credit is read whole, or its row is damaged.
    #[test]
    fn what_cannot_be_read_is_an_error() {
        for (field, texts) in [
            ("amount", &["", " ", "1,5", "1e3e", "NaN"][..]),
            ("share", &["", "half"]),
            ("status", &["", "Active", "released"]),
            ("kind", &["", "rolled"]),
            ("origin", &["", "by hand"]),
            ("incentive_date", &["", "2026-02-30"]),
            ("id", &["", "crd_1", "rwd_00000000000000000000000000000000"]),
        ] {
            for text in texts {
                let mut row = stored();
                row[field] = json!(text);
                assert!(serde_json::from_value::<PostedCredit>(row).is_err(), "{field}: {text}");
            }
        }
    }
}
