//! Who has a claim to a reward, and from which credits.
//!
//! Everybody who was credited has one, and every target with a quota, or all targets where the
//! reward is for everyone. Not what it is worth (`pay`). Called by `book`. Source: REWARDS section 4.
//!
//! **Architecture invariant:** a credit counts in one claim of a reward at most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::history::EarnedBy;
use super::parts::recipient_key;
use super::quota;
use super::scope::RewardContext;
use super::targets::TargetDays;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::keys::TransactionKey;
use accredit_domain::money::Unit;
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::organization::{ParticipantId, PositionId, TeamId};
use accredit_domain::plan::Selector;
use accredit_domain::plan::reward::RewardRecipient;
use accredit_script::Machine;

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
    /// The deals of those credits.
    pub(super) deals: BTreeSet<TransactionKey>,
    /// Sum of those credits; none when it does not fit a decimal.
    pub(super) credited: Option<Decimal>,
    /// Sums by credit type, of credits that count or not.
    pub(super) totals: BTreeMap<Arc<str>, Decimal>,
    /// The positions by which the claimant has it, with the incentive dates of the credits.
    pub(super) seats: Vec<(PositionId, Date)>,
    /// What each member of a credited team brought in by their weight on the day of each credit;
    /// no member for credits of days on which the team had none.
    pub(super) members: BTreeMap<Option<ParticipantId>, Decimal>,
}

impl Claim {
    /// A claim from no credit yet.
    pub(super) fn new(claimant: Claimant, unit: Unit) -> Claim {
        Claim {
            claimant,
            unit,
            credits: Vec::new(),
            deals: BTreeSet::new(),
            credited: Some(Decimal::ZERO),
            totals: BTreeMap::new(),
            seats: Vec::new(),
            members: BTreeMap::new(),
        }
    }

    /// The account in which its earnings are recorded.
    pub(super) fn account(&self, context: &RewardContext<'_>) -> EarnedBy {
        let unit = Arc::from(context.ruleset().settings.units.name(self.unit));
        let is_team = matches!(self.claimant, Claimant::Team(..));
        EarnedBy { is_team, id: Arc::clone(self.claimant.id()), unit }
    }
}

/// The claims to a reward, by claimant and unit.
pub(super) fn collect_claims(
    context: &RewardContext<'_>,
    mut machine: Option<&mut Machine>,
    alerts: &mut Vec<Note>,
) -> Vec<Claim> {
    let mut found = claims_of_credits(context, alerts);
    found.retain(|(claimant, _), claim| !claim.credits.is_empty() && is_meant(context, claimant));

    let mut claims: Vec<Claim> = found.into_values().collect();
    for claim in claims_without_credits(context, &claims) {
        // A quota that cannot be computed is reported when the claim is paid.
        let quota = quota::find_quota(context, &claim, machine.as_deref_mut());
        if context.reward.everyone || !matches!(quota, Ok(None)) {
            claims.push(claim);
        }
    }

    claims.sort_by(|a, b| (&a.claimant, a.unit).cmp(&(&b.claimant, b.unit)));
    claims
}

fn claims_of_credits(
    context: &RewardContext<'_>,
    alerts: &mut Vec<Note>,
) -> BTreeMap<(Claimant, Unit), Claim> {
    let settings = &context.ruleset().settings;
    let mut found: BTreeMap<(Claimant, Unit), Claim> = BTreeMap::new();
    // What a person gave, and what rolled from it, is no deal.
    let given = context.credits_to_date().filter(|credit| credit.is_by_hand());
    let given: BTreeSet<&TransactionKey> = given.map(|credit| &credit.transaction).collect();

    for credit in context.credits_to_date() {
        let unit = settings.units.find(&credit.unit_type);
        let (amount, date) = (credit.amount, credit.incentive_date);
        // Of several parts that have the credit, the one of its recipient reports it.
        let reports = context.scope.wants_claimant(recipient_key(credit));
        let Some(unit) = unit else {
            let what = format!("{} {}", credit.amount, credit.unit_type);
            let message = format!("credit `{}` of `{what}` cannot be counted", credit.id);
            let alert = context.reward_alert(NoteCode::PolicyError, &message);
            alerts.extend(Some(alert).filter(|_| reports));
            continue;
        };

        // Credits of other types earn nothing, and are shown to programs in the totals.
        let counts = context.reward.credit_types.iter().any(|known| **known == *credit.credit_type);
        let Some((claimant, seat)) =
            claimant_of(context, credit, date, (counts && reports).then_some(&mut *alerts))
        else {
            continue;
        };
        if !context.scope.wants_claimant(claimant.id()) {
            continue;
        }

        let key = (claimant.clone(), unit);
        let claim = found.entry(key).or_insert_with(|| Claim::new(claimant, unit));

        let sum = claim.totals.entry(Arc::from(credit.credit_type.as_str())).or_default();
        // Totals are only shown: they may stop at the largest decimal, unlike what is paid by.
        *sum = sum.saturating_add(amount);
        if counts {
            claim.credits.push(credit.id);
            if !given.contains(&credit.transaction) {
                claim.deals.insert(credit.transaction.clone());
            }
            claim.credited = claim.credited.and_then(|sum| sum.checked_add(amount));
            claim.seats.extend(seat.map(|seat| (seat, date)));
            add_member_parts(context, claim, amount, date);
        }
    }

    found
}

/// Adds what each member of the team of a claim brings in by a credit.
fn add_member_parts(context: &RewardContext<'_>, claim: &mut Claim, amount: Decimal, date: Date) {
    let Claimant::Team(_, team) = &claim.claimant else { return };
    if context.reward.to != RewardRecipient::Members {
        return;
    }

    let weights = member_weights(context, *team, date);
    if weights.is_empty() {
        let nobody = claim.members.entry(None).or_default();
        *nobody = nobody.saturating_add(amount);
        return;
    }

    let whole: Decimal = weights.values().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    for (member, weight) in weights {
        let part = amount.checked_mul(weight).and_then(|part| part.checked_div(whole));
        let sum = claim.members.entry(Some(member)).or_default();
        *sum = sum.saturating_add(part.unwrap_or_default());
    }
}

/// The members of a team on a day with their weights. Two rows of one person are one member with
/// the sum of both; weights that are all zero divide nothing, so the members share equally.
pub(super) fn member_weights(
    context: &RewardContext<'_>,
    team: TeamId,
    date: Date,
) -> BTreeMap<ParticipantId, Decimal> {
    let mut weights: BTreeMap<ParticipantId, Decimal> = BTreeMap::new();
    for member in context.ruleset().organization.existing_members(team, date) {
        let sum = weights.entry(member.participant).or_default();
        *sum = sum.saturating_add(member.weight);
    }

    if weights.values().all(Decimal::is_zero) {
        weights.values_mut().for_each(|weight| *weight = Decimal::ONE);
    }
    weights
}

/// Whether the reward is for a claimant: a target of the reward on any day of the period.
fn is_meant(context: &RewardContext<'_>, claimant: &Claimant) -> bool {
    let targets = &context.reward.targets;
    if targets.iter().any(|target| matches!(target, Selector::All)) {
        return true;
    }

    let organization = &context.ruleset().organization;
    let days = TargetDays::find(organization, targets, context.scope.period);
    match claimant {
        Claimant::Participant(_, person) => days.has_person(*person),
        Claimant::Team(_, team) => days.has_team(*team),
    }
}

/// Claims of the plan's targets who have none in any unit: in the workspace's currency.
fn claims_without_credits(context: &RewardContext<'_>, known: &[Claim]) -> Vec<Claim> {
    let (ruleset, plan) = (context.ruleset(), context.scope.plan);
    let measured = plan.quota.is_some() || ruleset.quotas.has_quota(&plan.id);
    let by_manager =
        matches!(context.reward.to, RewardRecipient::UserManagers | RewardRecipient::TeamManagers);
    // Managers are no targets of the plan: they have claims from the credits of others alone.
    if by_manager || !(context.reward.everyone || measured) {
        return Vec::new();
    }

    let days = context.scope.plan_targets(context.scope.period);
    let organization = &ruleset.organization;
    let people = days.people().map(|(person, seats)| {
        let claimant = Claimant::Participant(organization.participant_id(person).into(), person);
        (claimant, seats.to_vec())
    });
    let teams = days
        .teams()
        .map(|team| (Claimant::Team(organization.team_id(team).into(), team), Vec::new()));

    let of_teams = context.reward.to.of_teams();
    let all: Vec<(Claimant, Vec<(PositionId, Date)>)> =
        if of_teams { teams.collect() } else { people.collect() };

    let blank = all.into_iter().filter(|(claimant, _)| {
        let has_claim = known.iter().any(|claim| claim.claimant == *claimant);
        let is_wanted = context.scope.wants_claimant(claimant.id());
        is_wanted && !has_claim && is_meant(context, claimant)
    });
    let blank = blank.map(|(claimant, seats)| Claim {
        seats,
        ..Claim::new(claimant, ruleset.settings.currency)
    });
    blank.collect()
}

/// Who has the claim from a credit, and by which position. A vacant manager position is reported to
/// `alerts`, if given.
fn claimant_of(
    context: &RewardContext<'_>,
    credit: &PostedCredit,
    date: Date,
    alerts: Option<&mut Vec<Note>>,
) -> Option<(Claimant, Option<PositionId>)> {
    let organization = &context.ruleset().organization;
    let person =
        |id: ParticipantId| Claimant::Participant(organization.participant_id(id).into(), id);
    let position = credit.position.as_deref().and_then(|id| organization.find_position(id));

    match context.reward.to {
        RewardRecipient::Credited => {
            let id = credit.payee.as_deref()?;
            let Some(payee) = organization.find_participant(id) else {
                let message = format!(
                    "`{id}` was credited and is not in the organisation, so nobody gets it"
                );
                add_alert(context.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            };
            Some((person(payee), position))
        }
        RewardRecipient::UserManagers => {
            if let (None, Some(id)) = (position, &credit.position) {
                let message = format!(
                    "`{id}` was credited and is not in the organisation, so its manager gets nothing"
                );
                add_alert(context.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            }
            let manager = organization.version_on(position?, date)?.manager?;
            let Some(holder) = context.manager_on(manager, date) else {
                let vacant = organization.position_id(manager);
                let message = format!("`{vacant}` is vacant on {date}, so nobody gets its part");

                add_alert(context.reward_alert(NoteCode::Vacant, &message), alerts);
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
                add_alert(context.reward_alert(NoteCode::Unmatched, &message), alerts);
                return None;
            };
            Some((Claimant::Team(organization.team_id(team).into(), team), None))
        }
    }
}

/// Adds an alert once, where alerts are asked for.
fn add_alert(alert: Note, alerts: Option<&mut Vec<Note>>) {
    if let Some(alerts) = alerts.filter(|alerts| !alerts.contains(&alert)) {
        alerts.push(alert);
    }
}
