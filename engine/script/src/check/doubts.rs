//! Programs that answer and are hardly meant: values that go nowhere, recipients whom nobody is
//! called, amounts that are many times what was credited.
//!
//! Not what faults (`results`). Called by the walk.
//!
//! **Architecture invariant:** only what is written out is judged; a value that is computed may be
//! anything.

use rhai::{Expr, Position, Stmt};
use rust_decimal::Decimal;

use super::expressions::start;
use super::walk::{Tail, Walk};
use crate::api::{self, Function};
use crate::kind::Kind;
use crate::{fault, value};
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::fold;
use accredit_domain::policy::{Form, Kind as Policy, Returns, Use};

/// Functions that change what they are given: their value may be left.
const CHANGING: [&str; 6] = ["push", "pop", "insert", "remove", "clear", "sort"];

impl Walk<'_> {
    /// Warns of a statement before the last one that has a value, and of an `if` whose blocks end
    /// with one: the program goes on, and the value is nobody's.
    pub(super) fn lost(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, _) => {
                let ends = [flow.body.statements().last(), flow.branch.statements().last()];
                ends.into_iter().flatten().for_each(|last| self.lost(last));
            }

            Stmt::Block(block) => {
                block.statements().last().into_iter().for_each(|last| self.lost(last));
            }
            Stmt::Expr(expr) => match &**expr {
                Expr::Stmt(block) => {
                    block.statements().last().into_iter().for_each(|last| self.lost(last));
                }
                expr if has_value(expr) => self.goes_nowhere(start(expr)),
                _ => (),
            },
            Stmt::FnCall(call, at) if gives(call.name.as_str()) => self.goes_nowhere(*at),
            _ => (),
        }
    }

    fn goes_nowhere(&mut self, at: Position) {
        let message = "this value goes nowhere: the program goes on behind it".to_owned();
        let help = "write `return …;` where the answer is meant, or give the `if` an `else` with what \
                    follows";
        self.warning(Code::CR091, at, message, Some(help.to_owned()));
    }

    /// Recipients of a crediting policy that are written out and that nobody is called.
    pub(super) fn borne(&mut self, tail: Tail, expr: &Expr) {
        if self.is_result && matches!(tail, Tail::Result) {
            match expr {
                Expr::Array(items, _) => items.iter().for_each(|item| self.bears(item)),
                expr => self.bears(expr),
            }
        }
    }

    /// A text that names recipients.
    pub(super) fn bears(&mut self, expr: &Expr) {
        let known = &self.known.recipients;
        let asked = self.program.form.returns() == Returns::Recipients && !known.is_empty();
        let Expr::StringConstant(text, at) = expr else { return };

        if !asked {
            return;
        }

        // Both separators of names count: `;` and `||`.
        let names = text.split(';').flat_map(|part| part.split("||"));
        let names = names.map(|part| part.split_once('[').map_or(part, |(name, _)| name).trim());
        let unknown: Vec<&str> =
            names.filter(|name| !name.is_empty() && !known.contains(&fold(name))).collect();

        for name in unknown {
            let message = format!("nobody is called `{name}`");
            let help = accredit_domain::diagnostic::did_you_mean(
                name,
                self.known.recipients.iter().map(String::as_str),
            );

            let general = "its share would be nobody's: name a position, a team or an alias of one";
            let help = help.unwrap_or_else(|| general.to_owned());
            self.warning(Code::CR069, *at, message, Some(help));
        }
    }

    /// Warns of a result that is what was credited times a number above 1.
    pub(super) fn multiplied(&mut self, tail: Tail, expr: &Expr) {
        let judged = match self.program.form {
            Form::Policy(kind) => matches!(kind, Policy::Rollup | Policy::Reward),
            Form::Expression(place) => matches!(place, Use::IndirectValue | Use::Reward),
        };

        if !judged || !self.is_result || !matches!(tail, Tail::Result) {
            return;
        }

        match expr {
            Expr::Map(entries, _) => {
                let amounts = entries.0.iter().filter(|(key, _)| key.name == "amount");
                amounts.for_each(|(_, value)| self.above_all(value));
            }
            expr => self.above_all(expr),
        }
    }

    fn above_all(&mut self, expr: &Expr) {
        let Expr::FnCall(call, _) = expr else { return };
        let [x, y] = call.args.as_slice() else { return };
        if call.name != "*" {
            return;
        }

        let factor = |factor: &Expr, of: &Expr| {
            let written = self.constant(factor).unwrap_or(factor);
            number(written).filter(|number| *number > Decimal::ONE && is_credited(of))
        };
        let Some(factor) = factor(x, y).or_else(|| factor(y, x)) else { return };

        let percent = factor.saturating_mul(Decimal::ONE_HUNDRED).normalize();
        let message = format!("this is {percent} % of what is credited");

        let help = format!(
            "write `* {} / 100` for {} %, or `* {percent} / 100` where so much is meant",
            factor.normalize(),
            factor.normalize()
        );
        self.warning(Code::CR064, start(expr), message, Some(help));
    }
}

/// Whether computing it has no other use than its value.
fn has_value(expr: &Expr) -> bool {
    match expr {
        Expr::Dot(..) | Expr::Index(..) => {
            let (_, links) = fault::chain(expr);
            !links.iter().any(|link| matches!(link.expr, Expr::MethodCall(..)))
        }
        Expr::FnCall(call, _) => call.is_operator_call() || gives(call.name.as_str()),
        Expr::Variable(..) | Expr::Map(..) | Expr::Array(..) => true,
        Expr::InterpolatedString(..) => true,
        Expr::Unit(_) => false,
        expr => expr.is_constant(),
    }
}

/// Whether the function of the table is called for its value alone.
fn gives(name: &str) -> bool {
    let gives_value = |function: &Function| function.returns() != Kind::Any;
    api::find(name).is_some_and(gives_value) && !CHANGING.contains(&name)
}

fn number(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::IntegerConstant(whole, _) => Some(Decimal::from(*whole)),
        Expr::DynamicConstant(number, _) => value::number(number),
        _ => None,
    }
}

/// Whether it is an amount that was credited: `credit.amount`, `totals.credited`, `totals["booking"]`.
fn is_credited(expr: &Expr) -> bool {
    let (Expr::Variable(name, ..), links) = fault::chain(expr) else { return false };
    match (name.1.as_str(), links.as_slice()) {
        ("credit", [link]) => {
            matches!(link.expr, Expr::Property(property, _) if property.2 == "amount")
        }
        ("totals", [_]) => true,
        _ => false,
    }
}
