//! Who has a claim to a reward, and from which credits.
//!
//! Not what it is worth (`pay`). Called by `reward`.
//!
//! **Architecture invariant:** a credit counts in one claim of a reward at most.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::stage::build_note;
use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::money::Unit;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::organization::{ParticipantId, PositionId, TeamId, fold_name};
use accredit_domain::plan::reward::{Reward, RewardRecipient};
use accredit_domain::plan::{Plan, Selector};
use accredit_workspace::Ruleset;

/// The inputs for the computation of one reward.
#[derive(Clone, Copy)]
pub(super) struct RewardContext<'a> {
    pub(super) ruleset: &'a Ruleset,
    pub(super) plan: &'a Plan,
    pub(super) reward: &'a Reward,
    pub(super) period: &'a Period,
    /// The period's last day.
    pub(super) last: Date,
}

impl RewardContext<'_> {
    /// Who holds a manager position on `date`; none if it is vacant or does not exist on that day.
    pub(super) fn manager_on(&self, position: PositionId, date: Date) -> Option<ParticipantId> {
        let organization = &self.ruleset.organization;
        organization.version_on(position, date).and_then(|_| organization.holder_on(position, date))
    }

    /// An alert about the reward; it is about no transaction.
    pub(super) fn reward_alert(&self, code: NoteCode, message: &str) -> Note {
        let message = format!("reward `{}` in {}: {message}", self.reward.name, self.period.id);
        build_note("", &self.plan.id, NoteStage::Reward, code, message)
    }
}

/// The payee whose attainment is measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claimant {
    /// A participant who was credited, or who managed a credited participant.
    Participant(Arc<str>, ParticipantId),
    /// A team that was credited.
    Team(Arc<str>, TeamId),
}

impl Claimant {
    /// The id in the files.
    pub(super) fn id(&self) -> &Arc<str> {
        match self {
            Claimant::Participant(id, _) | Claimant::Team(id, _) => id,
        }
    }
}

/// The credits of one claimant in one unit.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) claimant: Claimant,
    pub(super) unit: Unit,
    /// Ids of the credits that count.
    pub(super) credits: Vec<CreditId>,
    /// Sum of those; none when it does not fit a decimal.
    pub(super) credited: Option<Decimal>,
    /// Sums by credit type, of credits that count or not.
    pub(super) totals: BTreeMap<Arc<str>, Decimal>,
    /// The positions by which the claimant has it, with the incentive dates of the credits.
    pub(super) seats: Vec<(PositionId, Date)>,
}

/// The claims to a reward, by claimant and unit.
pub(super) fn collect_claims<'a>(
    desk: &RewardContext<'_>,
    credits: impl Iterator<Item = &'a PostedCredit>,
    alerts: &mut Vec<Note>,
) -> Vec<Claim> {
    let settings = &desk.ruleset.settings;
    let mut found: BTreeMap<(Claimant, Unit), Claim> = BTreeMap::new();
    for credit in credits.filter(|credit| credit.is_active()) {
        let unit = settings.units.find(&credit.unit_type);
        let (amount, date) = (credit.amount, credit.incentive_date);
        let Some(unit) = unit else {
            let what = format!("{} {}", credit.amount, credit.unit_type);
            let message = format!("credit `{}` of `{what}` cannot be counted", credit.id);
            alerts.push(desk.reward_alert(NoteCode::PolicyError, &message));
            continue;
        };

        // Credits of other types earn nothing, and are shown to programs in the totals.
        let counts = desk.reward.credit_types.iter().any(|known| **known == *credit.credit_type);
        let Some((claimant, seat)) =
            claimant_of(desk, credit, date, counts.then_some(&mut *alerts))
        else {
            continue;
        };

        let claim = found.entry((claimant.clone(), unit)).or_insert_with(|| Claim {
            claimant,
            unit,
            credits: Vec::new(),
            credited: Some(Decimal::ZERO),
            totals: BTreeMap::new(),
            seats: Vec::new(),
        });

        let sum = claim.totals.entry(Arc::from(credit.credit_type.as_str())).or_default();
        // Totals are only shown: they may stop at the largest decimal, unlike what is paid by.
        *sum = sum.saturating_add(amount);
        if counts {
            claim.credits.push(credit.id);
            claim.credited = claim.credited.and_then(|sum| sum.checked_add(amount));
            claim.seats.extend(seat.map(|seat| (seat, date)));
        }
    }

    found.into_values().filter(|claim| !claim.credits.is_empty()).collect()
}

/// Who has the claim from a credit, and by which position. A vacant manager position is reported to
/// `alerts`, if given.
fn claimant_of(
    desk: &RewardContext<'_>,
    credit: &PostedCredit,
    date: Date,
    alerts: Option<&mut Vec<Note>>,
) -> Option<(Claimant, Option<PositionId>)> {
    let organization = &desk.ruleset.organization;
    let person = |id: ParticipantId| Claimant::Participant(organization.participant_id(id), id);
    let position = credit.position.as_deref().and_then(|id| organization.find_position(id));

    match desk.reward.to {
        RewardRecipient::Credited => {
            let id = credit.payee.as_deref()?;
            let Some(payee) = organization.find_participant(id) else {
                let message = format!(
                    "`{id}` was credited and is not in the organisation, so nobody gets it"
                );
                add_alert(desk.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            };
            Some((person(payee), position))
        }
        RewardRecipient::UserManagers => {
            if let (None, Some(id)) = (position, &credit.position) {
                let message = format!(
                    "`{id}` was credited and is not in the organisation, so its manager gets nothing"
                );
                add_alert(desk.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            }
            let manager = organization.version_on(position?, date)?.manager?;
            let Some(holder) = desk.manager_on(manager, date) else {
                let vacant = organization.position_id(manager);
                let message = format!("`{vacant}` is vacant on {date}, so nobody gets its part");

                add_alert(desk.reward_alert(NoteCode::Vacant, &message), alerts);
                return None;
            };
            Some((person(holder), Some(manager)))
        }
        RewardRecipient::Members | RewardRecipient::TeamManagers => {
            let id = credit.team.as_deref()?;
            let Some(team) = organization.teams.find(id) else {
                let message = format!(
                    "the team `{id}` was credited and is not in the organisation, so nobody gets it"
                );
                add_alert(desk.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            };
            Some((Claimant::Team(organization.team_id(team), team), None))
        }
    }
}

/// Adds an alert once, where alerts are asked for.
fn add_alert(alert: Note, alerts: Option<&mut Vec<Note>>) {
    if let Some(alerts) = alerts.filter(|alerts| !alerts.contains(&alert)) {
        alerts.push(alert);
    }
}

impl Claim {
    /// What was expected of the claimant in the period.
    pub(super) fn find_quota(&self, desk: &RewardContext<'_>) -> Option<Decimal> {
        let organization = &desk.ruleset.organization;
        let leaves = desk.ruleset.settings.calendar.leaf_periods(desk.period);
        let leaves: Vec<String> = leaves.into_iter().map(|leaf| leaf.id).collect();

        let titled = |title: &str| {
            self.seats.iter().any(|(seat, date)| {
                let version = organization.version_on(*seat, *date);
                version.is_some_and(|version| fold_name(&version.title) == *title)
            })
        };

        let fits = |target: &Selector| match (target, &self.claimant) {
            (Selector::All, _) => true,
            (Selector::Team(team), Claimant::Team(_, own)) => team == own,
            (_, Claimant::Team(..)) => false,
            (Selector::Participant(who), Claimant::Participant(_, own)) => who == own,
            (Selector::Position(wanted), _) => self.seats.iter().any(|(seat, _)| seat == wanted),
            (Selector::Title(title), _) => titled(title),
            // A member who has left is measured with the team of their last day.
            (Selector::Team(team), Claimant::Participant(_, own)) => {
                let there = organization.last_day(*own, desk.last);
                organization.teams.is_member(*team, *own, there)
            }
        };

        desk.ruleset.quotas.find(&desk.plan.id, &desk.period.id, &leaves, fits)
    }
}
