//! What a deal that a payee has not closed yet would bring them.
//!
//! The deal is decided by the rules in force as if it were delivered. Its credits for the payee are added
//! to those that are published for them, and the rewards of its period are computed with them and
//! without them. Not a projection of deals that exist (`simulation`). Called by `http::me::what_if`.
//! Source: DOMAIN 2.15, 2.18, INV-V1.
//!
//! **Architecture invariant:** nothing here writes, and no stored decision is read: what is known of the
//! payee is what is published for them, and what is said of the deal is about the payee alone.

mod deal;

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::explain::{PayeeFinding, explain_plan_for_payee};
use accredit_crediting::pipeline::{self, ExplainLevel};
use accredit_crediting::reward::{self, NextTier};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::credit::CreditStatus;
use accredit_domain::credit::posted::{CreditKind, PostedCredit};
use accredit_domain::decision::EarnedReward;
use accredit_domain::keys::{DefinedName, PeriodKey, PlanKey, TeamKey};
use accredit_domain::money;
use accredit_domain::organization::ParticipantId;
use accredit_domain::plan::{Measure, Plan};
use accredit_domain::transaction::{Cell, Transaction};
use accredit_ledger::releases::Statement;
use accredit_workspace::Ruleset;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::calculations::own_period;
use crate::context::Context;
use crate::error::OperationError;
use crate::principal::PayeeScope;
use crate::published;

/// A deal that a payee asks about.
#[derive(Debug, Clone, Default)]
pub struct ImaginedDeal {
    /// What it is worth, in its currency.
    pub amount: Decimal,
    /// The plan that decides it; none for every plan.
    pub plan: Option<String>,
    /// Its incentive date; none for the business date.
    pub date: Option<Date>,
    /// Other cells, by column or by the name of a mapped field.
    pub columns: BTreeMap<String, Cell>,
    /// Natural key of a deal of the payee's whose other cells this one has; none for no cells.
    pub like: Option<String>,
}

/// What a deal would bring a payee.
#[derive(Debug, Clone)]
pub struct ImaginedPay {
    /// The incentive date of the deal.
    pub date: Date,
    /// The credits that the payee, or a team of the payee, would get.
    pub credits: Vec<ImaginedCredit>,
    /// The payee's rewards in the periods of the deal that such credits are counted in.
    pub rewards: Vec<ImaginedReward>,
    /// What all of them differ by, in each unit.
    pub total: Vec<PayDifference>,
    /// Why nothing, or nothing more, by plan.
    pub reasons: Vec<(PlanKey, PayeeFinding)>,
}

/// A credit that a payee would get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImaginedCredit {
    /// Id of the plan.
    pub plan: PlanKey,
    /// The plan's name for people.
    pub plan_name: String,
    /// The rule of the plan.
    pub rule: DefinedName,
    /// Direct or indirect.
    pub kind: CreditKind,
    /// The team that is credited; null for a person.
    pub team: Option<TeamKey>,
    /// The credit type.
    pub credit_type: DefinedName,
    /// The amount.
    pub amount: Decimal,
    /// Its unit.
    pub unit_type: DefinedName,
    /// Whether it would wait for its release; its rewards are counted all the same.
    pub held: bool,
    /// When the hold would end; null for one without a date, and without a hold.
    pub held_until: Option<Date>,
}

/// A reward without a deal and with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImaginedReward {
    /// Id of the plan.
    pub plan: PlanKey,
    /// The plan's name for people.
    pub plan_name: String,
    /// The period in which it counts.
    pub period: PeriodKey,
    /// Name of the reward or draw.
    pub reward: DefinedName,
    /// The team whose credits these are; null where people are credited.
    pub team: Option<TeamKey>,
    /// The unit of the amounts.
    pub unit_type: DefinedName,
    /// By what is published.
    pub before: Decimal,
    /// The same with the deal.
    pub after: Decimal,
    /// What the deal adds.
    pub difference: Decimal,
    /// The place of the tier that is reached without the deal, from 0; null without tiers.
    pub tier_before: Option<usize>,
    /// The same with the deal.
    pub tier_after: Option<usize>,
    /// What the tier behind that asks for; null in the last one.
    pub next_tier: Option<NextTier>,
}

/// What the rewards of one unit differ by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PayDifference {
    /// The unit of the amount.
    pub unit_type: DefinedName,
    /// What the deal adds.
    pub difference: Decimal,
}

/// What `deal`, closed by the payee, would bring.
///
/// # Errors
/// When there is no such plan, the deal that it is like is not published for the payee, a cell cannot be
/// given, or the data cannot be read.
pub fn imagine_deal(
    context: &Context,
    scope: &PayeeScope,
    deal: &ImaginedDeal,
) -> Result<ImaginedPay, OperationError> {
    let ruleset = context.ruleset.load_full();
    let today = context.business_date();
    let date = deal.date.unwrap_or(today);

    let wanted = |plan: &&Plan| deal.plan.as_deref().is_none_or(|wanted| *plan.id == *wanted);
    let plans: Vec<&Plan> = ruleset.plans.values().filter(wanted).collect();
    if plans.is_empty() && deal.plan.is_some() {
        return Err(OperationError::not_found("plan"));
    }

    let payee = ruleset.organization.find_participant(scope.payee());
    let statements = published::published_statements(context, scope, None)?;
    let like = cells_of_own_deal(context, &statements, deal.like.as_deref())?;
    let asked = deal::AskedDeal { ruleset: &ruleset, plans: &plans, payee, date, like: &like };
    let transaction = Arc::new(asked.transaction(deal)?);

    let imagining = Imagining {
        ruleset: &ruleset,
        payee,
        date,
        transaction,
        inputs: DecisionInputs { as_of: Some(today), ..DecisionInputs::default() },
        statements: &statements,
    };
    Ok(imagining.all_plans(&plans))
}

/// The cells of a deal that the payee has a published direct credit of, as they were delivered.
fn cells_of_own_deal(
    context: &Context,
    statements: &[Statement],
    like: Option<&str>,
) -> Result<Vec<(String, Cell)>, OperationError> {
    let Some(like) = like else { return Ok(Vec::new()) };
    let mut credits = statements.iter().flat_map(|statement| &statement.credits);
    if !credits.any(|row| row.kind == CreditKind::Direct && row.transaction == *like) {
        return Err(OperationError::not_found("transaction"));
    }
    let recorded = context.ledger.find_transaction(like)?;
    let recorded = recorded.ok_or_else(|| OperationError::not_found("transaction"))?;
    Ok(recorded.record.delivered_cells().to_vec())
}

/// A deal that is being decided for one payee.
struct Imagining<'a> {
    ruleset: &'a Ruleset,
    /// None where the payee is not in the organisation.
    payee: Option<ParticipantId>,
    date: Date,
    transaction: Arc<Transaction>,
    inputs: DecisionInputs,
    statements: &'a [Statement],
}

impl Imagining<'_> {
    fn all_plans(&self, plans: &[&Plan]) -> ImaginedPay {
        let mut found = ImaginedPay {
            date: self.date,
            credits: Vec::new(),
            rewards: Vec::new(),
            total: Vec::new(),
            reasons: Vec::new(),
        };

        for plan in plans {
            let (credits, findings) = self.credits_in(plan);
            let counted: Vec<PostedCredit> = credits.iter().filter_map(as_released).collect();
            found.credits.extend(counted_credits(plan, &credits));
            found.reasons.extend(findings.into_iter().map(|finding| (plan.id, finding)));

            if !counted.is_empty() && plan.pays() {
                let changes = self.rewards_in(plan, counted);
                if changes.is_empty() {
                    found.reasons.push((plan.id, no_reward()));
                }
                found.rewards.extend(changes);
            }
        }

        // Where something is credited, other plans that credit nothing need no excuse.
        if !found.credits.is_empty() {
            let tells = |code: &str| ["over_maximum", NO_REWARD].contains(&code);
            found.reasons.retain(|(_, finding)| tells(&finding.code));
        }
        found.total = total_of(&found.rewards);
        found
    }

    /// The credits of the payee and of the payee's teams in a plan, and why nothing more.
    fn credits_in(&self, plan: &Plan) -> (Vec<PostedCredit>, Vec<PayeeFinding>) {
        let organization = &self.ruleset.organization;
        // The id of a participant and nothing else: a name is not tried for a person who is unknown.
        let id = self.payee.map(|payee| organization.participant_id(payee)).unwrap_or_default();

        self.ruleset.with_machine(|machine| {
            let (tx, inputs) = (&self.transaction, &self.inputs);
            let why = explain_plan_for_payee(self.ruleset, plan, tx, inputs, machine, &id);
            let mut credits = why.credits;

            if plan.measure == Measure::Team {
                let teams = self.payee.map(|one| organization.teams.teams_of(one, self.date));
                let teams: Vec<TeamKey> =
                    teams.into_iter().flatten().map(|team| organization.team_id(team)).collect();
                let no = ExplainLevel::No;
                let decided = pipeline::decide_plan(self.ruleset, plan, tx, inputs, machine, no);
                let of_teams = decided.to_entries().into_iter().filter(|row| {
                    row.payee.is_none() && row.team.is_some_and(|team| teams.contains(&team))
                });
                credits.extend(of_teams);
            }
            (credits, why.findings)
        })
    }

    /// The payee's rewards in a plan without `credits` and with them.
    fn rewards_in(&self, plan: &Plan, credits: Vec<PostedCredit>) -> Vec<ImaginedReward> {
        let Some(period) = own_period(self.ruleset, &plan.id, self.date) else { return Vec::new() };
        let Some(payee) = self.payee else { return Vec::new() };
        let id = self.ruleset.organization.participant_id(payee);

        let of_plan = self.statements.iter().filter(|one| *one.plan == *plan.id);
        let published = of_plan.flat_map(|one| one.credits.iter().chain(&one.team_credits));
        let mut known: Vec<PostedCredit> = published.cloned().collect();

        let rows_of = |credits: &[PostedCredit]| {
            let all = reward::compute_rewards(self.ruleset, plan, &period, credits);
            let own = all.rows.into_iter().filter(|row| row.payee == id);
            own.collect::<Vec<EarnedReward>>()
        };
        let tier_of = |row: Option<&EarnedReward>, credits: &[PostedCredit]| {
            row.and_then(|row| reward::reached_tier(self.ruleset, row, credits))
        };

        let before = rows_of(&known);
        let before: BTreeMap<_, _> = before.iter().map(|row| (key_of(row), row)).collect();
        let tiers: BTreeMap<_, _> = before
            .iter()
            .filter_map(|(key, row)| Some((*key, tier_of(Some(*row), &known)?.index)))
            .collect();
        known.extend(credits);
        let after = rows_of(&known);
        let after: BTreeMap<_, _> = after.iter().map(|row| (key_of(row), row)).collect();

        let mut keys: Vec<RewardKey> = before.keys().chain(after.keys()).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let changes = keys.into_iter().map(|key| {
            let (old, new) = (before.get(&key).copied(), after.get(&key).copied());
            let amount = |row: Option<&EarnedReward>| row.map(|row| row.amount);
            let none = amount(old.or(new)).map(|one| one.saturating_sub(one)).unwrap_or_default();
            let (old_amount, new_amount) =
                (amount(old).unwrap_or(none), amount(new).unwrap_or(none));
            let reached = tier_of(new, &known);

            let (reward, team, unit_type) = key;
            ImaginedReward {
                plan: plan.id,
                plan_name: plan.name.clone(),
                period: period.id,
                reward,
                team,
                unit_type,
                before: old_amount,
                after: new_amount,
                difference: new_amount.saturating_sub(old_amount),
                tier_before: tiers.get(&key).copied(),
                tier_after: reached.as_ref().map(|one| one.index),
                next_tier: reached.and_then(|one| one.next),
            }
        });
        changes.collect()
    }
}

/// What two rows of one reward have in common.
type RewardKey = (DefinedName, Option<TeamKey>, DefinedName);

fn key_of(row: &EarnedReward) -> RewardKey {
    (row.reward, row.team, row.unit_type)
}

/// A credit as it counts once it is released; none of one that never does.
fn as_released(credit: &PostedCredit) -> Option<PostedCredit> {
    let counts = credit.is_active() || credit.is_held();
    counts.then(|| PostedCredit { status: CreditStatus::Active, ..credit.clone() })
}

/// The credits that count, or will, as they are shown.
fn counted_credits(plan: &Plan, credits: &[PostedCredit]) -> Vec<ImaginedCredit> {
    let counted = credits.iter().filter(|credit| credit.is_active() || credit.is_held());
    let shown = counted.map(|credit| ImaginedCredit {
        plan: plan.id,
        plan_name: plan.name.clone(),
        rule: credit.rule,
        kind: credit.kind,
        team: credit.team.filter(|_| credit.payee.is_none()),
        credit_type: credit.credit_type,
        amount: credit.amount,
        unit_type: credit.unit_type,
        held: credit.is_held(),
        held_until: credit.release_date.filter(|_| credit.is_held()),
    });
    shown.collect()
}

/// The code of a plan that pays nothing for a credit.
const NO_REWARD: &str = "no_reward";

fn no_reward() -> PayeeFinding {
    let (stage, code) = ("reward".to_owned(), NO_REWARD.to_owned());
    PayeeFinding { stage, code, ..PayeeFinding::default() }
}

fn total_of(rewards: &[ImaginedReward]) -> Vec<PayDifference> {
    let mut total: BTreeMap<DefinedName, Decimal> = BTreeMap::new();
    for change in rewards {
        money::add_to_total(total.entry(change.unit_type).or_default(), change.difference);
    }
    let total = total.into_iter();
    total.map(|(unit_type, difference)| PayDifference { unit_type, difference }).collect()
}
