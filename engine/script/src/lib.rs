//! Everything that touches Rhai: checking programs when they are saved, running them when deals
//! arrive, one table of the functions they may call.
//!
//! Not deciding: the stages ask a [`Machine`] for an answer and handle its [`ScriptFault`]. Called
//! by `workspace` (check) and by the stages (run). Source: DESIGN section 4, RELIABILITY 2.
//!
//! **Architecture invariant:** only `script` names `rhai`; all other crates see [`ScriptAnswer`]
//! and [`ScriptFault`], so a compiler can take the interpreter's place behind [`Machine::run`].
//! Values are an own type, `ScriptValue`, with which the functions of [`api`] compute. Only these
//! files name Rhai, and a test holds the list:
//!
//! - Running: `sandbox`, `machine/interpreter`, `machine/ending`, `machine/adapter/callbacks`,
//!   `machine/adapter/switch`, and `machine/adapter`, which turns its values into ours and back.
//! - Syntax trees: `check` with its folder, `compile`, `compile/lower`, `compile/lower/calls`,
//!   `compile/lower/chains`, `compile/lower/statements`, `compile/lower/values`,
//!   `compile/lower/variables`, `constants`, `shared`, `coverage`.
//! - Both: `trace`, `workbench`, and `fault`, which words its errors.

pub mod api;
pub mod check;
mod compile;
pub mod constants;
pub mod coverage;
mod existing;
mod fault;
pub mod kind;
pub mod library;
pub mod machine;
pub mod pool;
pub mod reference;
pub mod runs;
mod sandbox;
pub mod shared;
pub mod surroundings;
pub mod trace;
mod value;
pub mod workbench;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use accredit_domain::credit::Credit;
use accredit_domain::declared::DeclaredKind;
use accredit_domain::diagnostic::Place;
use accredit_domain::hold::Hold;
use accredit_domain::keys::{DefinedName, ParticipantKey, PositionKey, RecipientKey, TeamKey};
use accredit_domain::tables::TableShape;
use accredit_domain::transaction::{Fields, NameColumns, Transaction};

pub use check::{check, field_reads};
pub use existing::{ExistingCredits, SharedCredits};
pub use machine::Machine;
pub use sandbox::is_timeout;
pub use surroundings::ReferenceData;

/// What a program sees; which of it depends on its form.
#[derive(Debug, Clone, Copy)]
pub struct ScriptArguments<'a> {
    /// The transaction that is decided.
    pub tx: &'a Arc<Transaction>,
    /// The columns that name whom the plan credits where it names nobody: `tx.default_credit`.
    pub default_names: NameColumns,
    /// What programs read beside the transaction.
    pub reference: &'a Arc<ReferenceData>,
    /// The credit in question: the candidate's source, or the credit to hold or to compare.
    pub credit: Option<&'a Credit>,
    /// The recipient or receiver.
    pub to: Option<&'a ReceiverView>,
    /// Earlier credits of the transaction in this plan, in order.
    pub existing: ExistingCredits<'a>,
}

impl<'a> ScriptArguments<'a> {
    /// A transaction without a credit and a receiver, as a filter sees it.
    pub fn of_transaction(
        tx: &'a Arc<Transaction>,
        reference: &'a Arc<ReferenceData>,
        default_names: NameColumns,
    ) -> Self {
        ScriptArguments {
            tx,
            default_names,
            reference,
            credit: None,
            to: None,
            existing: ExistingCredits::default(),
        }
    }
}

/// A recipient or receiver as scripts see it: FORMAT section 5.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are those of `to` in FORMAT section 5")]
pub struct ReceiverView {
    pub position: Option<PositionKey>,
    pub title: Option<DefinedName>,
    pub payee: Option<ParticipantKey>,
    pub team: Option<TeamKey>,
    pub relationship: Option<DefinedName>,
    pub via: Option<RecipientKey>,
    pub level: Option<u32>,
}

/// What a reward's program sees.
#[derive(Debug, Clone, Copy)]
pub struct RewardArguments<'a> {
    /// The claimant of the reward.
    pub payee: &'a Arc<PayeeView>,
    /// What was credited to the claimant.
    pub totals: &'a Arc<TotalsView>,
    /// What was expected; `()` without a quota.
    pub quota: Option<Decimal>,
    /// What earlier rewards of the plan earned in the period.
    pub earned: &'a Arc<EarnedView>,
    /// What earlier periods of the fiscal year paid.
    pub paid: &'a Arc<EarnedView>,
    /// The place among all who have a claim to the reward.
    pub standing: &'a Arc<StandingView>,
}

/// Amounts by reward, in the unit of the credits: `earned["Commission"]`, `earned.total`.
#[derive(Debug, Clone, Default)]
pub struct EarnedView {
    /// What each reward came to; 0 where it came to nothing.
    pub by_reward: BTreeMap<Arc<str>, Decimal>,
    /// The sum of all.
    pub total: Decimal,
}

/// A place among those who have a claim: `standing.rank`, `standing.of`.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandingView {
    /// The place, from 1; equal sums share the better one.
    pub rank: u32,
    /// How many have a claim.
    pub of: u32,
}

/// The payee for which a reward is computed: a participant or a team.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of `payee` in scripts/README.md")]
pub struct PayeeView {
    pub id: Arc<str>,
    pub name: Arc<str>,
    pub position: Option<PositionKey>,
    pub title: Option<DefinedName>,
    pub team: Option<Arc<str>>,
    pub period: Arc<str>,
    pub unit_type: Arc<str>,
    /// The last day of the period, on which attributes and tables are read.
    pub last_day: Option<Date>,
    /// The tables and people that programs look up.
    pub reference: Arc<ReferenceData>,
}

/// A person, or a vacant position, as `who(name)` gives it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of `who` in scripts/README.md")]
pub struct PersonView {
    pub position: Option<PositionKey>,
    pub title: Option<DefinedName>,
    pub payee: Option<ParticipantKey>,
    pub manager: Option<PositionKey>,
    pub teams: Vec<TeamKey>,
}

/// Sums of active credits in one unit and period.
#[derive(Debug, Clone)]
pub struct TotalsView {
    /// Over the credit types of the reward.
    pub credited: Decimal,
    /// Over each credit type of the workspace.
    pub by_credit_type: BTreeMap<Arc<str>, Decimal>,
    /// Number of deals behind the credits of the reward.
    pub count: usize,
}

/// A recipient as a crediting policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// A name or an alias.
    pub who: Arc<str>,
    /// The part of the deal, as it was written.
    pub weight: Option<Decimal>,
}

/// What a program returned, already of the kind that its form returns.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptAnswer {
    /// The unit value `()`, which means no credit or no recipient.
    Nothing,
    /// True or false.
    Bool(bool),
    /// A number, exact.
    Number(Decimal),
    /// Recipients as text, in the grammar of FORMAT section 1.
    Text(Arc<str>),
    /// Recipients as shares, each with its weight.
    Shares(Vec<Share>),
    /// How long a credit is held.
    Hold(Hold),
    /// What a candidate gets, as a map.
    Rolled(RollupAnswer),
}

/// The map that a rollup policy may return.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RollupAnswer {
    /// The amount, which every map must have.
    pub amount: Decimal,
    /// Instead of the result's credit type.
    pub credit_type: Option<String>,
    /// Instead of the result's hold.
    pub hold: Option<Hold>,
    /// Instead of the result's maximum.
    pub maximum: Option<Decimal>,
}

/// A program that gave no answer: the transaction is parked, or the credit held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScriptFault {
    /// The error message: the value that the script threw, or the message of the host.
    pub message: String,
    /// The policy's name, blank for an expression.
    pub policy: Arc<str>,
    /// Where in the author's file.
    pub place: Place,
    /// Whether a cell that does not parse was read: parks as `bad_value`.
    pub bad_value: bool,
}

/// What `check` knows of a workspace: which fields a script may read.
#[derive(Debug, Clone, Default)]
pub struct CheckContext {
    /// What columns mean: `[fields]` and `[columns]`.
    pub fields: Arc<Fields>,
    /// Headers of the files under `transactions/`, and columns that were received.
    pub columns: BTreeSet<String>,
    /// Whether there may be columns that were not seen yet: then no column is unknown.
    pub open: bool,
    /// Names, ids and aliases of people, folded: they do not belong into a program.
    pub people: BTreeSet<String>,
    /// Everything that recipients may be called, folded; none while that is not known.
    pub recipients: BTreeSet<String>,
    /// The workspace's credit types; none while they are not known.
    pub credit_types: BTreeSet<String>,
    /// Whether no unit of the workspace has decimals.
    pub whole_units: bool,
    /// Whether a plan that uses the program wants weights to sum to one.
    pub total_one: bool,
    /// Functions of `policies/shared/`, which expressions may not call.
    pub shared: BTreeSet<String>,
    /// The columns of tables, by the name of the table.
    pub tables: BTreeMap<String, TableShape>,
    /// The kinds of attributes, by name.
    pub attributes: BTreeMap<String, DeclaredKind>,
}

#[cfg(test)]
mod tests;
