//! Policies and expressions as sources: which kinds there are, what each sees and returns.
//!
//! Not running them: `script` compiles a [`Program`] and is the only module that knows Rhai. Called
//! by `plan`, whose settings refer to programs by number. Source: FORMAT sections 3 and 5.
//!
//! **Architecture invariant:** every piece of Rhai in a customer's directory becomes one [`Program`]
//! here; nothing compiles text anywhere else.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::TextOrigin;

/// A kind of policy: a folder under `policies/`, an entry point, what it sees and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// `include(tx)`: whether a transaction belongs to the plan.
    Filter,
    /// `credit(tx)`: who is credited.
    Crediting,
    /// `value(tx, to)`: the value of the whole deal.
    Value,
    /// `hold(tx, credit)`: how long a credit is held.
    Hold,
    /// `allow_duplicate(tx, credit, existing)`: whether a duplicate is kept.
    Duplication,
    /// `roll(tx, credit, to, existing)`: what a candidate gets.
    Rollup,
    /// `reward(payee, totals, quota)`: what a claimant is paid.
    Reward,
    /// `quota(payee, period)`: what is expected of a payee.
    Quota,
    /// `map(payload)`: transactions out of a delivery's body.
    Intake,
}

/// What a program may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReturnType {
    /// `true` or `false`; nothing else counts as either.
    Bool,
    /// A number, exact.
    Number,
    /// Recipients: text, an array of shares, or `()`.
    Recipients,
    /// A hold; a date means until that day.
    Hold,
    /// A number, `()` or a map with amount, credit_type, hold, maximum.
    Rolled,
    /// Rows: a map or an array of maps.
    Rows,
}

impl PolicyKind {
    /// Every kind, in the order of FORMAT section 5.
    pub const ALL: [PolicyKind; 9] = [
        PolicyKind::Filter,
        PolicyKind::Crediting,
        PolicyKind::Value,
        PolicyKind::Hold,
        PolicyKind::Duplication,
        PolicyKind::Rollup,
        PolicyKind::Reward,
        PolicyKind::Quota,
        PolicyKind::Intake,
    ];

    /// The folder under `policies/`, and the key in a plan's `policies`.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::Filter => "filter",
            PolicyKind::Crediting => "crediting",
            PolicyKind::Value => "value",
            PolicyKind::Hold => "hold",
            PolicyKind::Duplication => "duplication",
            PolicyKind::Rollup => "rollup",
            PolicyKind::Reward => "reward",
            PolicyKind::Quota => "quota",
            PolicyKind::Intake => "intake",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<PolicyKind> {
        PolicyKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The function that a policy of this kind must define.
    pub fn entry_point(self) -> &'static str {
        match self {
            PolicyKind::Filter => "include",
            PolicyKind::Crediting => "credit",
            PolicyKind::Value => "value",
            PolicyKind::Hold => "hold",
            PolicyKind::Duplication => "allow_duplicate",
            PolicyKind::Rollup => "roll",
            PolicyKind::Reward => "reward",
            PolicyKind::Quota => "quota",
            PolicyKind::Intake => "map",
        }
    }

    /// The parameters of the entry point.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            PolicyKind::Filter | PolicyKind::Crediting => &["tx"],
            PolicyKind::Value => &["tx", "to"],
            PolicyKind::Hold => &["tx", "credit"],
            PolicyKind::Duplication => &["tx", "credit", "existing"],
            PolicyKind::Rollup => &["tx", "credit", "to", "existing"],
            PolicyKind::Reward => &["payee", "totals", "quota", "earned", "paid", "standing"],
            PolicyKind::Quota => &["payee", "period"],
            PolicyKind::Intake => &["payload"],
        }
    }

    /// How many parameters the entry point needs at least: the rest may be left out.
    pub fn fewest_parameters(self) -> usize {
        match self {
            // What rewards see of each other came later.
            PolicyKind::Reward => 3,
            kind => kind.parameters().len(),
        }
    }

    /// What the entry point returns.
    pub fn return_type(self) -> ReturnType {
        match self {
            PolicyKind::Filter | PolicyKind::Duplication => ReturnType::Bool,
            PolicyKind::Crediting => ReturnType::Recipients,
            PolicyKind::Value | PolicyKind::Reward | PolicyKind::Quota => ReturnType::Number,
            PolicyKind::Hold => ReturnType::Hold,
            PolicyKind::Rollup => ReturnType::Rolled,
            PolicyKind::Intake => ReturnType::Rows,
        }
    }
}

/// Where an expression of a plan stands: what it sees and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpressionUse {
    /// A plan's filter, or a saved query.
    Filter,
    /// A direct rule's condition.
    Condition,
    /// A direct result's value.
    Value,
    /// A direct result's maximum.
    Maximum,
    /// An indirect rule's condition.
    IndirectCondition,
    /// An indirect result's value.
    IndirectValue,
    /// An indirect result's maximum.
    IndirectMaximum,
    /// The hold of any result.
    Hold,
    /// The `duplicates` of any result.
    Duplicates,
    /// A reward's value or maximum.
    Reward,
    /// A number for a payee in a period: a plan's quota, the amount of a draw.
    PayeeNumber,
}

impl ExpressionUse {
    /// The variables in scope.
    pub fn scope_variables(self) -> &'static [&'static str] {
        match self {
            ExpressionUse::Filter | ExpressionUse::Condition => &["tx"],
            ExpressionUse::Value | ExpressionUse::Maximum => &["tx", "to"],
            ExpressionUse::IndirectCondition
            | ExpressionUse::IndirectValue
            | ExpressionUse::IndirectMaximum => &["tx", "credit", "to"],
            ExpressionUse::Hold => &["tx", "credit"],
            ExpressionUse::Duplicates => &["tx", "credit", "existing"],
            ExpressionUse::Reward => &["payee", "totals", "quota", "earned", "paid", "standing"],
            ExpressionUse::PayeeNumber => PolicyKind::Quota.parameters(),
        }
    }

    /// What the expression returns.
    pub fn return_type(self) -> ReturnType {
        match self {
            ExpressionUse::Filter
            | ExpressionUse::Condition
            | ExpressionUse::IndirectCondition
            | ExpressionUse::Duplicates => ReturnType::Bool,
            ExpressionUse::Value
            | ExpressionUse::Maximum
            | ExpressionUse::IndirectValue
            | ExpressionUse::IndirectMaximum
            | ExpressionUse::Reward
            | ExpressionUse::PayeeNumber => ReturnType::Number,
            ExpressionUse::Hold => ReturnType::Hold,
        }
    }
}

/// A policy script or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProgramForm {
    /// A file with an entry point.
    Policy(PolicyKind),
    /// An expression of a plan.
    Expression(ExpressionUse),
}

impl ProgramForm {
    /// Names in scope: the entry point's parameters, or the expression's variables.
    pub fn scope_variables(self) -> &'static [&'static str] {
        match self {
            ProgramForm::Policy(kind) => kind.parameters(),
            ProgramForm::Expression(place) => place.scope_variables(),
        }
    }

    /// Whether something rolls up to the `to` that it sees.
    pub fn sees_rollup(self) -> bool {
        use ExpressionUse::{IndirectCondition, IndirectMaximum, IndirectValue};
        match self {
            ProgramForm::Policy(kind) => kind == PolicyKind::Rollup,
            ProgramForm::Expression(place) => {
                matches!(place, IndirectCondition | IndirectValue | IndirectMaximum)
            }
        }
    }

    /// What such a program must return.
    pub fn return_type(self) -> ReturnType {
        match self {
            ProgramForm::Policy(kind) => kind.return_type(),
            ProgramForm::Expression(place) => place.return_type(),
        }
    }
}

/// A program: its text and where the text stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// Whether it is a policy or an expression, and which.
    pub form: ProgramForm,
    /// The text of the program.
    pub source: Arc<str>,
    /// `rollup/manager-override`, `rollup/standard/full-rollup`; blank for an expression.
    pub name: Arc<str>,
    /// Where the text begins.
    pub origin: TextOrigin,
    /// Constants of the text that have another value where the policy is named, in order.
    pub constants: Vec<PolicyConstant>,
}

/// A constant of a policy with its value where the policy is named: `policy:part(SHARE = 0.375)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyConstant {
    /// Its name in the text.
    pub name: Arc<str>,
    /// A literal of the language: a number, a text in double quotes, `true` or `false`.
    pub literal: Arc<str>,
}

/// A program's number in [`Programs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramId(pub u32);

/// Every program of a ruleset.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    list: Vec<Arc<Program>>,
    known: HashMap<Arc<Program>, ProgramId>,
}

impl Programs {
    /// The number of a program, new or known.
    pub fn add(&mut self, program: Program) -> ProgramId {
        if let Some(known) = self.known.get(&program) {
            return *known;
        }
        let id = ProgramId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let program = Arc::new(program);
        self.list.push(Arc::clone(&program));
        self.known.insert(program, id);
        id
    }

    /// The program with this number.
    pub fn get(&self, id: ProgramId) -> Option<&Arc<Program>> {
        self.list.get(id.0 as usize)
    }

    /// All programs in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (ProgramId, &Arc<Program>)> {
        (0..).map(ProgramId).zip(&self.list)
    }
}
