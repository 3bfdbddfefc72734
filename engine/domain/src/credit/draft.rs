//! A credit while it is decided, and as scripts see it.
//!
//! Not deciding. Made and changed by the stages; posted as the entries of its decision by [`post_credits`].
//! Source: DESIGN, "Why is a credit that is being decided another struct than one that is posted?".
//!
//! **Architecture invariant:** a credit has no id while it is decided, and its source is known by its place.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::posted::{CreditKind, CreditOrigin, PostedCredit};
use super::{CREDIT_ID_BYTES, CreditId, CreditIds, CreditStatus};
use crate::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, PositionKey, RecipientKey, RulesetHash,
    TeamKey, TransactionKey,
};
use crate::money::{self, Unit};
use crate::organization::Recipient;

/// The direct credit that an indirect one comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CreditSource {
    /// An earlier credit of the same decision, by its place.
    Own(usize),
    /// A credit that the plan takes from another plan.
    Taken(CreditId),
}

/// A credit while it is decided, and as scripts see it. It has no id yet: ids are made when a decision is
/// posted ([`Credit::to_entry`]), or asked for by what is about one credit alone.
#[derive(Debug, Clone)]
pub struct Credit {
    /// The position or team that is credited, in the organisation of the ruleset.
    pub recipient: Recipient,
    /// Title of the position, blank where it has none; none for a team.
    pub title: Option<DefinedName>,
    /// Unit of the amount.
    pub unit: Unit,
    /// Whether the credit may roll up.
    pub rollable: bool,
    /// Whether it may roll to named types from the reporting hierarchy.
    pub rollable_on_reporting: bool,
    /// The direct credit that an indirect one comes from.
    pub source: Option<CreditSource>,
    /// The amount, with the decimals that it was computed with.
    pub amount: Decimal,

    // The others are those of the entry, [`PostedCredit`].
    /// The date of the deal.
    pub incentive_date: Date,
    /// The plan.
    pub plan: PlanKey,
    /// The rule of the plan.
    pub rule: DefinedName,
    /// The result of the rule.
    pub result: DefinedName,
    /// Direct or indirect.
    pub kind: CreditKind,
    /// The position that is credited.
    pub position: Option<PositionKey>,
    /// Who holds it.
    pub payee: Option<ParticipantKey>,
    /// The team that is credited, or through which the position was found.
    pub team: Option<TeamKey>,
    /// The relationship along which it was rolled.
    pub relationship: Option<DefinedName>,
    /// Where the relationship was entered.
    pub via: Option<RecipientKey>,
    /// Steps along the relationship, from 1.
    pub level: Option<u32>,
    /// The weight of a direct credit.
    pub share: Option<Decimal>,
    /// The leaf period of the date.
    pub period: PeriodKey,
    /// The credit type.
    pub credit_type: DefinedName,
    /// The name of the unit.
    pub unit_type: DefinedName,
    /// Whether it counts.
    pub status: CreditStatus,
    /// When a hold ends or ended.
    pub release_date: Option<Date>,
    /// Why it does not count.
    pub reason: Option<String>,
    /// The reason code of the rule or of the person who adjusted it.
    pub reason_code: Option<DefinedName>,
    /// How it came into its period.
    pub origin: CreditOrigin,
    /// The entry that this one takes back.
    pub reverses: Option<CreditId>,
}

impl Credit {
    /// Whether it counts as existing for duplicates and headroom: held ones do (D5).
    pub fn counts_as_existing(&self) -> bool {
        matches!(self.status, CreditStatus::Active | CreditStatus::Held)
    }

    /// Whether it counts in sums.
    pub fn is_active(&self) -> bool {
        self.status == CreditStatus::Active
    }

    /// Whether it comes from the deal itself.
    pub fn is_direct(&self) -> bool {
        self.kind == CreditKind::Direct
    }

    /// Whether a person gave it without a deal: no rule made it.
    pub fn is_by_hand(&self) -> bool {
        self.is_direct() && self.rule.is_empty()
    }

    /// Whether no one is paid by it: no one holds its position.
    pub fn is_vacant(&self) -> bool {
        self.position.is_some() && self.payee.is_none()
    }

    /// Whether `other` is the same for the duplication rule: recipient, period and credit type; the
    /// transaction is that of the decision.
    pub fn is_duplicate_of(&self, other: &Credit) -> bool {
        self.recipient == other.recipient
            && self.period == other.period
            && self.credit_type == other.credit_type
    }

    /// Whether `other` has the same id, among the credits of one decision.
    pub fn has_id_of(&self, other: &Credit) -> bool {
        let is_same_way = || (self.relationship, self.via) == (other.relationship, other.via);
        self.recipient_key() == other.recipient_key()
            && self.rule == other.rule
            && self.result == other.result
            && self.source == other.source
            && is_same_way()
    }

    /// Its id; `source` is the text of the id of its source, blank where it has none.
    fn make_id(&self, ids: &mut CreditIds, source: &str) -> CreditId {
        let who = self.recipient_key();
        let parts = [
            self.plan.as_str(),
            &self.rule,
            &self.result,
            &who,
            self.relationship.as_deref().unwrap_or(""),
            self.via.as_deref().unwrap_or(""),
            source,
        ];
        ids.make_id(&parts, 0)
    }

    /// The position or team that is credited, as the outside knows it.
    pub fn recipient_key(&self) -> RecipientKey {
        match (self.position, self.team) {
            (Some(position), _) => position.into(),
            (None, Some(team)) => team.into(),
            (None, None) => RecipientKey::default(),
        }
    }

    /// The credit that was posted as `entry`, which is a direct one; it does not roll.
    pub fn of_direct_entry(
        entry: &PostedCredit,
        recipient: Recipient,
        title: Option<DefinedName>,
        unit: Unit,
    ) -> Credit {
        Credit {
            recipient,
            title,
            unit,
            rollable: false,
            rollable_on_reporting: false,
            source: None,
            amount: entry.amount,
            incentive_date: entry.incentive_date,
            plan: entry.plan,
            rule: entry.rule,
            result: entry.result,
            kind: entry.kind,
            position: entry.position,
            payee: entry.payee,
            team: entry.team,
            relationship: entry.relationship,
            via: entry.via,
            level: entry.level,
            share: entry.share,
            period: entry.period,
            credit_type: entry.credit_type,
            unit_type: entry.unit_type,
            status: entry.status,
            release_date: entry.release_date,
            reason: entry.reason.clone(),
            reason_code: entry.reason_code,
            origin: entry.origin,
            reverses: entry.reverses,
        }
    }

    /// The entry that it becomes under this id, its amount at the scale of its unit.
    pub fn to_entry(
        &self,
        transaction: &TransactionKey,
        ruleset: RulesetHash,
        (id, source): (CreditId, Option<CreditId>),
    ) -> PostedCredit {
        PostedCredit {
            id,
            transaction: transaction.clone(),
            incentive_date: self.incentive_date,
            plan: self.plan,
            rule: self.rule,
            result: self.result,
            kind: self.kind,
            position: self.position,
            payee: self.payee,
            team: self.team,
            relationship: self.relationship,
            via: self.via,
            level: self.level,
            source,
            share: self.share,
            period: self.period,
            credit_type: self.credit_type,
            unit_type: self.unit_type,
            amount: money::at_scale(self.amount, self.unit.scale),
            status: self.status,
            release_date: self.release_date,
            reason: self.reason.clone(),
            reason_code: self.reason_code,
            origin: self.origin,
            reverses: self.reverses,
            ruleset,
        }
    }
}

/// The entries of a decision's credits, in their order, with their ids.
pub fn post_credits(
    transaction: &TransactionKey,
    ruleset: RulesetHash,
    credits: &[Credit],
) -> Vec<PostedCredit> {
    if credits.is_empty() {
        return Vec::new();
    }
    let mut ids = CreditIds::of_transaction(transaction);
    let mut entries: Vec<PostedCredit> = Vec::with_capacity(credits.len());
    // Most credits have the source of the one before.
    let mut latest = SourceText::default();
    for credit in credits {
        // A source comes before all that comes from it, which `laws::check_one_root` asserts.
        let source = credit.source.and_then(|source| match source {
            CreditSource::Own(place) => entries.get(place).map(|entry| entry.id),
            CreditSource::Taken(id) => Some(id),
        });
        let id = credit.make_id(&mut ids, latest.text_of(source));
        entries.push(credit.to_entry(transaction, ruleset, (id, source)));
    }
    entries
}

/// The id of `credit`, of which `earlier` are the credits that were made before it in its decision.
pub fn find_id(ids: &mut CreditIds, credit: &Credit, earlier: &[Credit]) -> CreditId {
    let source = credit.source.and_then(|source| match source {
        CreditSource::Own(place) => Some(earlier.get(place)?.make_id(ids, "")),
        CreditSource::Taken(id) => Some(id),
    });
    credit.make_id(ids, SourceText::default().text_of(source))
}

/// The text of an id, kept for the next one that is the same.
#[derive(Default)]
struct SourceText(Option<(CreditId, [u8; CREDIT_ID_BYTES])>);

impl SourceText {
    /// The text of the id; blank for none.
    fn text_of(&mut self, id: Option<CreditId>) -> &str {
        let Some(id) = id else { return "" };
        if self.0.is_none_or(|(known, _)| known != id) {
            self.0 = Some((id, id.to_text()));
        }
        let text = self.0.as_ref().map(|(_, text)| text.as_slice()).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws;
    use super::*;
    use crate::organization::PositionId;

    fn credit(position: &str, source: Option<CreditSource>) -> Credit {
        let rolled = source.is_some();
        Credit {
            recipient: Recipient::Position(PositionId(0)),
            title: None,
            unit: Unit { index: 0, scale: 2 },
            rollable: !rolled,
            rollable_on_reporting: false,
            source,
            amount: Decimal::new(5, 0),
            incentive_date: Date::constant(2026, 3, 15),
            plan: "p".into(),
            rule: "r".into(),
            result: "c".into(),
            kind: if rolled { CreditKind::Indirect } else { CreditKind::Direct },
            position: Some(position.into()),
            payee: None,
            team: None,
            relationship: rolled.then(|| "Reporting".into()),
            via: rolled.then(|| RecipientKey::from("P1")),
            level: rolled.then_some(1),
            share: None,
            period: "2026-03".into(),
            credit_type: "credit".into(),
            unit_type: "USD".into(),
            status: CreditStatus::Active,
            release_date: None,
            reason: None,
            reason_code: None,
            origin: CreditOrigin::Calculated,
            reverses: None,
        }
    }

    /// Ids are made when a decision is posted: each is that of its entry, and a source is named by its own.
    #[test]
    fn posted_credits_have_their_ids_and_those_of_their_sources() {
        let taken = CreditId([7; 16]);
        let credits = [
            credit("P1", None),
            credit("P2", None),
            credit("M1", Some(CreditSource::Own(0))),
            credit("M1", Some(CreditSource::Own(1))),
            credit("M1", Some(CreditSource::Taken(taken))),
            credit("V1", Some(CreditSource::Own(0))),
        ];
        let entries = post_credits(&"crm:D1".into(), "rs".into(), &credits);

        let (first, second) = (entries[0].id, entries[1].id);
        let sources: Vec<Option<CreditId>> = entries.iter().map(|entry| entry.source).collect();
        let expected = [None, None, Some(first), Some(second), Some(taken), Some(first)];
        assert_eq!(sources, expected);
        assert_eq!(entries[5].amount.to_string(), "5.00");

        let mut ids = CreditIds::of_transaction("crm:D1");
        for (credit, entry) in credits.iter().zip(&entries) {
            assert_eq!(entry.id, entry.entry_id(0));
            assert_eq!(entry.id, find_id(&mut ids, credit, &credits));
            let same = credits.iter().filter(|other| other.has_id_of(credit)).count();
            assert_eq!(same, 1, "{entry:?}");
        }
        assert_eq!(laws::check_one_root(&credits[..4], &[]), Ok(()));
    }

    /// What no stage makes parks the deal instead of being paid.
    #[test]
    fn a_broken_law_is_found() {
        let (direct, own) = (credit("P1", None), Some(CreditSource::Own(0)));
        let resting = Credit { rollable: false, ..direct.clone() };
        let held = Credit { status: CreditStatus::Held, ..direct.clone() };
        let fine = Credit { amount: Decimal::new(5_000, 3), ..direct.clone() };
        assert_eq!(laws::check_one_root(&[fine], &[]), Ok(()));

        let far = Credit { amount: Decimal::new(5_001, 3), ..direct.clone() };
        let taken = Some(CreditSource::Taken(CreditId([7; 16])));
        for broken in [
            vec![direct.clone(), direct.clone()],
            vec![far],
            vec![credit("M1", own)],
            vec![resting, credit("M1", own)],
            vec![held, credit("M1", own)],
            vec![direct.clone(), credit("M1", Some(CreditSource::Own(1)))],
            vec![direct.clone(), credit("M1", own), credit("V1", Some(CreditSource::Own(1)))],
            vec![direct.clone(), credit("M1", taken)],
        ] {
            assert!(laws::check_one_root(&broken, &[]).is_err(), "{broken:?}");
        }

        let from_taken = [credit("M1", taken)];
        let id = CreditId([7; 16]);
        let resting = Credit { rollable: false, ..direct.clone() };
        assert_eq!(laws::check_one_root(&from_taken, &[(id, &direct)]), Ok(()));
        assert!(laws::check_one_root(&from_taken, &[(id, &resting)]).is_err());
        assert!(laws::check_one_root(&from_taken, &[(CreditId([8; 16]), &direct)]).is_err());

        // Many credits are looked up by their recipients.
        let many = (0..40).map(|number| credit(&format!("P{number}"), None));
        let mut many: Vec<Credit> = many.collect();
        assert_eq!(laws::check_one_root(&many, &[]), Ok(()));
        many.push(credit("P7", None));
        assert!(laws::check_one_root(&many, &[]).is_err());
    }
}
