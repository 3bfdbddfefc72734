//! Policies as small programs, plain data: what the files say and what the naive reading evaluates.

use rust_decimal::Decimal;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Filter,
    Crediting,
    Value,
    Hold,
    Duplication,
    Rollup,
}

impl Kind {
    /// The folder, and the key in a plan's `policies`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Filter => "filter",
            Kind::Crediting => "crediting",
            Kind::Value => "value",
            Kind::Hold => "hold",
            Kind::Duplication => "duplication",
            Kind::Rollup => "rollup",
        }
    }

    /// The function and its parameters.
    pub(crate) fn entry(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Kind::Filter => ("include", &["tx"]),
            Kind::Crediting => ("credit", &["tx"]),
            Kind::Value => ("value", &["tx", "to"]),
            Kind::Hold => ("hold", &["tx", "credit"]),
            Kind::Duplication => ("allow_duplicate", &["tx", "credit", "existing"]),
            Kind::Rollup => ("roll", &["tx", "credit", "to", "existing"]),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Number(Decimal),
    Text(String),
    Bool(bool),
    /// `()`
    Nothing,
    /// A constant, a variable or a parameter.
    Name(&'static str),
    /// `credit.amount`: a field of a variable.
    Field(&'static str, &'static str),
    /// `tx["units"]`
    Column(&'static str),
    /// `to["grade"]`: an attribute.
    Attribute(Box<Expr>, &'static str),
    /// `lookup(…).factor`: a field of what a call gives.
    Dot(Box<Expr>, &'static str),
    /// The same, and nothing of nothing: `who(…)?.title`
    Maybe(Box<Expr>, &'static str),
    /// `tx.has("units")`
    Has(&'static str),
    /// `existing.len()`, of a variable.
    Len(&'static str),
    /// Two sides and what stands between them.
    Op(&'static str, Box<Expr>, Box<Expr>),
    /// Only where a value begins: last, behind `=` and behind `return`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function of the host or a helper.
    Call(&'static str, Vec<Expr>),
    Array(Vec<Expr>),
    Map(Vec<(&'static str, Expr)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Let(&'static str, Expr),
    Set(&'static str, Expr),
    /// `if C { return E; }`
    ReturnIf(Expr, Expr),
    /// `if C { throw "no"; }`
    ThrowIf(Expr),
    If(Expr, Vec<Step>),
    /// `for V in existing { … }`
    Each(&'static str, Vec<Step>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) steps: Vec<Step>,
    pub(crate) last: Expr,
}

/// A function beside the one that is called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Helper {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Script {
    pub(crate) kind: Kind,
    pub(crate) constants: Vec<(&'static str, Expr)>,
    pub(crate) helpers: Vec<Helper>,
    pub(crate) body: Body,
}
