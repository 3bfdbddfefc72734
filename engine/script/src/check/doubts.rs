//! Programs that answer and are hardly meant: unused values, unknown recipients, amounts that are
//! many times the credited amount.
//!
//! Not what faults (`results`). Called by the walk.
//!
//! **Architecture invariant:** only what is written out is judged; a value that is computed may be
//! anything.

use rhai::{Expr, Position, Stmt};
use rust_decimal::Decimal;

use super::expressions::expression_start;
use super::walk::{ProgramWalk, Tail};
use crate::api::{self, ScriptFunction};
use crate::fault;
use crate::kind::ValueKind;
use crate::machine::adapter::literal_number;
use crate::machine::adapter::switch::switch_bodies;
use accredit_domain::diagnostic::Code;
use accredit_domain::organization::fold_name;
use accredit_domain::policy::{ExpressionUse, PolicyKind as Policy, ProgramForm, ReturnType};

/// Functions that change what they are given: their value may be left.
const MUTATING_FUNCTIONS: [&str; 6] = ["push", "pop", "insert", "remove", "clear", "sort"];

impl ProgramWalk<'_> {
    /// Warns of a statement before the last one that has a value, and of an `if` whose blocks end
    /// with one: the program continues, and the value is lost.
    pub(super) fn check_unused_value(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, _) => {
                let ends = [flow.body.statements().last(), flow.branch.statements().last()];
                ends.into_iter().flatten().for_each(|last| self.check_unused_value(last));
            }

            Stmt::Block(block) => {
                block
                    .statements()
                    .last()
                    .into_iter()
                    .for_each(|last| self.check_unused_value(last));
            }
            Stmt::Expr(expr) => match &**expr {
                Expr::Stmt(block) => {
                    block
                        .statements()
                        .last()
                        .into_iter()
                        .for_each(|last| self.check_unused_value(last));
                }
                Expr::Custom(..) => {
                    for body in switch_bodies(expr) {
                        self.check_unused_value(&Stmt::Expr(Box::new(body.clone())));
                    }
                }
                expr if has_value(expr) => self.report_unused_value(expression_start(expr)),
                _ => (),
            },
            Stmt::FnCall(call, at) if returns_value(call.name.as_str()) => {
                self.report_unused_value(*at)
            }
            _ => (),
        }
    }

    fn report_unused_value(&mut self, at: Position) {
        let message = "this value is not used: the program continues after it".to_owned();
        let help = "write `return …;` where the answer is meant, or give the `if` an `else` with what \
                    follows";
        self.report_warning(Code::CR091, at, message, Some(help.to_owned()));
    }

    /// Literal recipients of a crediting policy that do not exist.
    pub(super) fn check_named_recipients(&mut self, tail: Tail, expr: &Expr) {
        if self.is_result && matches!(tail, Tail::Result) {
            match expr {
                Expr::Array(items, _) => {
                    items.iter().for_each(|item| self.check_recipient_text(item))
                }
                expr => self.check_recipient_text(expr),
            }
        }
    }

    /// A text that names recipients.
    pub(super) fn check_recipient_text(&mut self, expr: &Expr) {
        let known = &self.known.recipients;
        let asked = self.program.form.return_type() == ReturnType::Recipients && !known.is_empty();
        let Expr::StringConstant(text, at) = expr else { return };

        if !asked {
            return;
        }

        // Both separators of names count: `;` and `||`.
        let names = text.split(';').flat_map(|part| part.split("||"));
        let names = names.map(|part| part.split_once('[').map_or(part, |(name, _)| name).trim());
        let unknown: Vec<&str> =
            names.filter(|name| !name.is_empty() && !known.contains(&fold_name(name))).collect();

        for name in unknown {
            let message = format!("no position, team or alias is called `{name}`");
            let help = accredit_domain::diagnostic::did_you_mean(
                name,
                self.known.recipients.iter().map(String::as_str),
            );

            let general = "its share would be lost: name a position, a team or an alias";
            let help = help.unwrap_or_else(|| general.to_owned());
            self.report_warning(Code::CR069, *at, message, Some(help));
        }
    }

    /// Warns of a result that is what was credited times a number above 1.
    pub(super) fn check_multiplied_result(&mut self, tail: Tail, expr: &Expr) {
        let judged = match self.program.form {
            ProgramForm::Policy(kind) => matches!(kind, Policy::Rollup | Policy::Reward),
            ProgramForm::Expression(place) => {
                matches!(place, ExpressionUse::IndirectValue | ExpressionUse::Reward)
            }
        };

        if !judged || !self.is_result || !matches!(tail, Tail::Result) {
            return;
        }

        match expr {
            Expr::Map(entries, _) => {
                let amounts = entries.0.iter().filter(|(key, _)| key.name == "amount");
                amounts.for_each(|(_, value)| self.check_factor(value));
            }
            expr => self.check_factor(expr),
        }
    }

    fn check_factor(&mut self, expr: &Expr) {
        let Expr::FnCall(call, _) = expr else { return };
        let [x, y] = call.args.as_slice() else { return };
        if call.name != "*" {
            return;
        }

        let factor = |factor: &Expr, of: &Expr| {
            let written = self.constant_value(factor).unwrap_or(factor);
            literal_number(written).filter(|number| *number > Decimal::ONE && is_credited(of))
        };
        let Some(factor) = factor(x, y).or_else(|| factor(y, x)) else { return };

        let percent = factor.saturating_mul(Decimal::ONE_HUNDRED).normalize();
        let message = format!("this is {percent} % of what is credited");

        let help = format!(
            "write `* {} / 100` for {} %, or `* {percent} / 100` if that is intended",
            factor.normalize(),
            factor.normalize()
        );
        self.report_warning(Code::CR064, expression_start(expr), message, Some(help));
    }
}

/// Whether computing it has no other use than its value.
fn has_value(expr: &Expr) -> bool {
    match expr {
        Expr::Dot(..) | Expr::Index(..) => {
            let (_, links) = fault::chain_links(expr);
            !links.iter().any(|link| matches!(link.expr, Expr::MethodCall(..)))
        }
        Expr::FnCall(call, _) => call.is_operator_call() || returns_value(call.name.as_str()),
        Expr::Variable(..) | Expr::Map(..) | Expr::Array(..) => true,
        Expr::InterpolatedString(..) => true,
        Expr::Unit(_) => false,
        expr => expr.is_constant(),
    }
}

/// Whether the function of the table is called for its value alone.
fn returns_value(name: &str) -> bool {
    let gives_value = |function: &ScriptFunction| function.returns() != ValueKind::Any;
    api::find_function(name).is_some_and(gives_value) && !MUTATING_FUNCTIONS.contains(&name)
}

/// Whether it is an amount that was credited: `credit.amount`, `totals.credited`, `totals["booking"]`.
fn is_credited(expr: &Expr) -> bool {
    let (Expr::Variable(name, ..), links) = fault::chain_links(expr) else { return false };
    match (name.1.as_str(), links.as_slice()) {
        ("credit", [link]) => {
            matches!(link.expr, Expr::Property(property, _) if property.2 == "amount")
        }
        ("totals", [_]) => true,
        _ => false,
    }
}
