//! Policies and expressions as sources: which kinds there are, what each sees and returns.
//!
//! Not running them: `script` compiles a [`Program`] and is the only module that knows Rhai. Called
//! by `plan`, whose settings refer to programs by number. Source: FORMAT sections 3 and 5.
//!
//! **Architecture invariant:** every piece of Rhai in a customer's directory becomes one [`Program`]
//! here; nothing compiles text anywhere else.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::Origin;

/// A kind of policy: a folder under `policies/`, an entry point, what it sees and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
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
    /// `map(payload)`: transactions out of a delivery's body.
    Intake,
}

/// What a program may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Returns {
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

impl Kind {
    /// Every kind, in the order of FORMAT section 5.
    pub const ALL: [Kind; 8] = [
        Kind::Filter,
        Kind::Crediting,
        Kind::Value,
        Kind::Hold,
        Kind::Duplication,
        Kind::Rollup,
        Kind::Reward,
        Kind::Intake,
    ];

    /// The folder under `policies/`, and the key in a plan's `policies`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Filter => "filter",
            Kind::Crediting => "crediting",
            Kind::Value => "value",
            Kind::Hold => "hold",
            Kind::Duplication => "duplication",
            Kind::Rollup => "rollup",
            Kind::Reward => "reward",
            Kind::Intake => "intake",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The function that a policy of this kind must define.
    pub fn entry(self) -> &'static str {
        match self {
            Kind::Filter => "include",
            Kind::Crediting => "credit",
            Kind::Value => "value",
            Kind::Hold => "hold",
            Kind::Duplication => "allow_duplicate",
            Kind::Rollup => "roll",
            Kind::Reward => "reward",
            Kind::Intake => "map",
        }
    }

    /// The parameters of the entry point.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Kind::Filter | Kind::Crediting => &["tx"],
            Kind::Value => &["tx", "to"],
            Kind::Hold => &["tx", "credit"],
            Kind::Duplication => &["tx", "credit", "existing"],
            Kind::Rollup => &["tx", "credit", "to", "existing"],
            Kind::Reward => &["payee", "totals", "quota"],
            Kind::Intake => &["payload"],
        }
    }

    /// What the entry point returns.
    pub fn returns(self) -> Returns {
        match self {
            Kind::Filter | Kind::Duplication => Returns::Bool,
            Kind::Crediting => Returns::Recipients,
            Kind::Value | Kind::Reward => Returns::Number,
            Kind::Hold => Returns::Hold,
            Kind::Rollup => Returns::Rolled,
            Kind::Intake => Returns::Rows,
        }
    }
}

/// Where an expression of a plan stands: what it sees and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
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
}

impl Use {
    /// The variables in scope.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Use::Filter | Use::Condition => &["tx"],
            Use::Value | Use::Maximum => &["tx", "to"],
            Use::IndirectCondition | Use::IndirectValue | Use::IndirectMaximum => {
                &["tx", "credit", "to"]
            }
            Use::Hold => &["tx", "credit"],
            Use::Duplicates => &["tx", "credit", "existing"],
            Use::Reward => Kind::Reward.parameters(),
        }
    }

    /// What the expression returns.
    pub fn returns(self) -> Returns {
        match self {
            Use::Filter | Use::Condition | Use::IndirectCondition | Use::Duplicates => {
                Returns::Bool
            }
            Use::Value | Use::Maximum | Use::IndirectValue | Use::IndirectMaximum | Use::Reward => {
                Returns::Number
            }
            Use::Hold => Returns::Hold,
        }
    }
}

/// A policy script or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A file with an entry point.
    Policy(Kind),
    /// An expression of a plan.
    Expression(Use),
}

impl Form {
    /// Names in scope: the entry point's parameters, or the expression's variables.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Form::Policy(kind) => kind.parameters(),
            Form::Expression(place) => place.variables(),
        }
    }

    /// Whether something rolls up to the `to` that it sees.
    pub fn rolls(self) -> bool {
        use Use::{IndirectCondition, IndirectMaximum, IndirectValue};
        match self {
            Form::Policy(kind) => kind == Kind::Rollup,
            Form::Expression(place) => {
                matches!(place, IndirectCondition | IndirectValue | IndirectMaximum)
            }
        }
    }

    /// What such a program must return.
    pub fn returns(self) -> Returns {
        match self {
            Form::Policy(kind) => kind.returns(),
            Form::Expression(place) => place.returns(),
        }
    }
}

/// A program: its text and where the text stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// Whether it is a policy or an expression, and which.
    pub form: Form,
    /// The text of the program.
    pub source: Arc<str>,
    /// `rollup/manager-override`, `rollup/standard/full-rollup`; blank for an expression.
    pub name: Arc<str>,
    /// Where the text begins.
    pub origin: Origin,
    /// Constants of the text that have another value where the policy is named, in order.
    pub constants: Vec<Constant>,
}

/// A constant of a policy with its value where the policy is named: `policy:part(SHARE = 0.375)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constant {
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
