//! Plans: a whole crediting scheme each, as rules and settings with every word understood.
//!
//! Not reading of TOML (`workspace::plan` does that) and not deciding. Called by the stages.
//! Source: FORMAT section 3, DOMAIN 2.5 to 2.7, seed 003.
//!
//! **Architecture invariant:** a plan that exists here is whole: every name in it was resolved and
//! every expression has a program; what could not be understood is a diagnostic, not a plan.

pub mod quota;
pub mod reward;

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::calendar::{PeriodKind, Validity};
use crate::hold::Hold;
use crate::keys::{DefinedName, PlanKey};
use crate::money::Unit;
use crate::organization::{Organization, PositionId, Recipient, RelationshipId, TeamId, fold_name};
use crate::policy::ProgramId;
use crate::transaction::NameColumns;

/// A plan, every word of its file understood.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stem of its file.
    pub id: PlanKey,
    /// The name shown to people.
    pub name: String,
    /// When it is in force, by incentive date.
    pub validity: Validity,
    /// The period that its calculations have.
    pub period: PeriodKind,
    /// Who is measured, and so credited.
    pub measure: Measure,
    /// Positions, or teams, that direct credits may go to.
    pub targets: Vec<Selector>,
    /// Lets a transaction in; absent lets everything in.
    pub filter: Option<ProgramId>,
    /// What several recipients without weights mean.
    pub split: Split,
    /// Whether weights must sum to one.
    pub require_total_one: bool,
    /// Whether a hold may end in another fiscal year (D12).
    pub hold_across_years: bool,
    /// Codes that raise an alert; the log has everything.
    pub alerts: BTreeSet<&'static str>,
    /// Direct rules in file order.
    pub direct: Vec<DirectRule>,
    /// Indirect rules in file order.
    pub indirect: Vec<IndirectRule>,
    /// Rewards in file order.
    pub rewards: Vec<reward::Reward>,
    /// Draws and guarantees in file order.
    pub draws: Vec<reward::Draw>,
    /// Where credits that were posted late are rewarded.
    pub late: reward::LateRewards,
    /// The quota of a payee in a period for which no row fits.
    pub quota: Option<ProgramId>,
    /// Whether quotas are reduced to the days in a target position.
    pub prorate: bool,
    /// Whether an amount below zero is carried to the next periods.
    pub carry_negative: bool,
}

impl Plan {
    /// The other plans that this one takes credits from, by id.
    pub fn source_plans(&self) -> BTreeSet<PlanKey> {
        let all = self.indirect.iter().flat_map(|rule| &rule.sources);
        all.copied().filter(|source| *source != self.id).collect()
    }

    /// Whether it pays anybody: by a reward, a draw or a guarantee.
    pub fn pays(&self) -> bool {
        !self.rewards.is_empty() || !self.draws.is_empty()
    }

    /// The crediting policies that its rules name.
    pub fn crediting_policies(&self) -> impl Iterator<Item = ProgramId> {
        self.direct.iter().flat_map(|rule| &rule.assign).filter_map(|assign| match assign {
            Assign::Policy(id) => Some(*id),
            _ => None,
        })
    }
}

/// The alerts a plan can ask for, by key.
pub const ALERTS: [&str; 6] =
    ["unmatched", "ambiguous", "vacant", "over_maximum", "total_not_one", "policy_error"];

/// Who is measured by a plan (seed 001).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// People: credits go to positions.
    Individual,
    /// Teams: credits go to teams.
    Team,
}

impl Measure {
    /// The columns that name recipients where a rule does not say: `tx.default_credit`.
    pub fn default_names(self) -> NameColumns {
        match self {
            Measure::Individual => NameColumns::Owner,
            Measure::Team => NameColumns::Team,
        }
    }
}

/// What several recipients without weights mean (FORMAT section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One recipient only: several park the transaction.
    Refuse,
    /// Every member gets an equal part.
    Equal,
    /// Every member gets the whole.
    Full,
    /// The whole to the first.
    First,
}

/// A selection of positions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// `*`: everything the plan measures.
    All,
    /// `title:`, folded for comparison.
    Title(String),
    /// `position:` by its id.
    Position(PositionId),
    /// `participant:`: the positions that participant holds.
    Participant(crate::organization::ParticipantId),
    /// `team:`: that team; among positions those that its members hold.
    Team(TeamId),
}

/// Whether one of `selectors` means `recipient` on `date`.
pub fn selects_recipient(
    selectors: &[Selector],
    organization: &Organization,
    recipient: Recipient,
    date: Date,
) -> bool {
    // A team is meant by `*` and by its own id alone: titles and people belong to positions.
    selectors.iter().any(|selector| match (selector, recipient) {
        (Selector::All, _) => true,
        (Selector::Team(wanted), Recipient::Team(team)) => *wanted == team,
        (_, Recipient::Team(_)) => false,
        (Selector::Team(wanted), Recipient::Position(position)) => {
            let holder = organization.holder_on(position, date);
            holder.is_some_and(|holder| organization.teams.is_member(*wanted, holder, date))
        }
        (Selector::Position(wanted), Recipient::Position(position)) => *wanted == position,
        (Selector::Participant(wanted), Recipient::Position(position)) => {
            organization.holder_on(position, date) == Some(*wanted)
        }
        (Selector::Title(wanted), Recipient::Position(position)) => organization
            .position_on(position, date)
            .is_some_and(|known| known.exists && is_folded_as(&known.title, wanted)),
    })
}

/// Whether `name` folds to `wanted`, which is folded.
fn is_folded_as(name: &str, wanted: &str) -> bool {
    // Folding makes letters small, so that names which differ in nothing else need not be folded.
    name.eq_ignore_ascii_case(wanted) || fold_name(name) == wanted
}

/// What direct and indirect rules share.
#[derive(Debug, Clone)]
pub struct RuleBase {
    /// Name, at most 64 characters.
    pub name: DefinedName,
    /// A free description, shown to people.
    pub description: String,
    /// Labels to search by.
    pub tags: Vec<String>,
    /// When it is active, by incentive date.
    pub validity: Validity,
    /// The expression that must be true; without one the rule always applies.
    pub condition: Option<ProgramId>,
}

/// A rule that credits the recipients that a deal names.
#[derive(Debug, Clone)]
pub struct DirectRule {
    /// What it shares with other rules.
    pub rule: RuleBase,
    /// The sources of recipients. They are tried in order until one finds a recipient.
    pub assign: Vec<Assign>,
    /// What becomes of a team that an individual plan finds; absent, its share is uncredited.
    pub members: Option<Members>,
    /// Whether a deal without a recipient raises an alert.
    pub required: bool,
    /// What it credits, at least one.
    pub results: Vec<DirectResult>,
}

/// Where the recipients of a direct rule come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assign {
    /// The mapped owner columns.
    Owner,
    /// The mapped team columns: teams only, in an individual plan too.
    Team,
    /// Columns, joined in order.
    Columns(Vec<String>),
    /// The mapped column of positions named on the transaction.
    Preassigned,
    /// The team to whose territory the deal belongs; of one team and those below it, if one is
    /// named.
    Territory(Option<TeamId>),
    /// The recipients that a crediting policy returns.
    Policy(ProgramId),
}

/// Who is credited for a team that an individual plan finds (DOMAIN 2.8, 3.4 g).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// Its members in equal parts.
    Equal,
    /// Its members by their weights.
    Weight,
    /// Each of its members with the whole.
    Full,
    /// The position that manages it.
    Manager,
}

/// A rule that credits the receivers that a credit reaches.
#[derive(Debug, Clone)]
pub struct IndirectRule {
    /// What it shares with other rules.
    pub rule: RuleBase,
    /// The relationship it follows.
    pub relationship: Relationship,
    /// Positions that hold this rule.
    pub receivers: Vec<Selector>,
    /// The plans whose direct credits it sees, by id; its own plan among them when it is listed.
    pub sources: BTreeSet<PlanKey>,
    /// What it credits, at least one.
    pub results: Vec<IndirectResult>,
}

/// A relationship that credit follows, in the order in which credit rolls (DOMAIN 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relationship {
    /// The manager of the position, and so on upwards.
    Reporting,
    /// The position that a person named on the transaction holds on the date.
    RelatedPerson,
    /// A position named on the transaction.
    RelatedPosition,
    /// The other members of the teams that the position's holder belongs to (DOMAIN 3.5).
    Team,
    /// The team above, and so on upwards, in plans that measure teams.
    ParentTeam,
    /// A user-defined type, in declared order.
    Named(RelationshipId),
}

/// What the results of both sorts of rule share.
#[derive(Debug, Clone)]
pub struct ResultBase {
    /// Name, never renamed, since ids of credits hold it.
    pub name: DefinedName,
    /// The most that a credit may be, without its sign.
    pub maximum: Option<ProgramId>,
    /// How long a credit is held.
    pub hold: HoldSetting,
    /// Whether the result sets it itself, and not the plan: then a rollup policy does not decide
    /// it.
    pub own_hold: bool,
    /// Whether a duplicate is kept.
    pub duplicates: DuplicateSetting,
    /// One of the workspace's reason codes.
    pub reason_code: Option<DefinedName>,
}

/// A result of a direct rule.
#[derive(Debug, Clone)]
pub struct DirectResult {
    /// Name, maximum, hold, duplicates, reason code.
    pub output: ResultBase,
    /// The value of the whole deal; absent is `tx.amount`.
    pub value: Option<ProgramId>,
    /// Unit of the credit.
    pub unit: Unit,
    /// One of the workspace's credit types.
    pub credit_type: DefinedName,
    /// Whether it may roll at all.
    pub rollable: bool,
    /// Whether it may roll to named types from the reporting hierarchy.
    pub rollable_on_reporting: bool,
}

/// A result of an indirect rule.
#[derive(Debug, Clone)]
pub struct IndirectResult {
    /// Name, maximum, hold, duplicates, reason code.
    pub output: ResultBase,
    /// A value expression or a rollup policy; absent is `credit.amount`.
    pub value: Option<ProgramId>,
    /// Unit of the credit; absent is the source credit's.
    pub unit: Option<Unit>,
    /// Credit type; absent is the source credit's.
    pub credit_type: Option<DefinedName>,
    /// Whose credits share the maximum.
    pub maximum_scope: MaximumScope,
}

/// Whose credits share an indirect maximum (D6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaximumScope {
    /// Each receiver has the whole maximum.
    Receiver,
    /// All receivers of the transaction.
    Item,
}

/// How long the credits of a result are held (DOMAIN 2.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldSetting {
    /// The same for every credit.
    Fixed(Hold),
    /// An expression or a hold policy.
    Program(ProgramId),
}

/// Whether a duplicate is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DuplicateSetting {
    /// The same for every credit.
    Fixed(bool),
    /// An expression or a duplication policy.
    Program(ProgramId),
}
