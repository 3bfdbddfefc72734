//! Expressions: what kind of value each has, and names of variables.
//!
//! Not judging calls (`calls`) or fields (`fields`). Called by the walk.
//!
//! **Architecture invariant:** an expression is visited whole, whatever is wrong with a part of it.

use rhai::{Expr, Position};

use super::forbidden;
use super::habits;
use super::kinds::expected;
use super::walk::{Tail, Walk};
use crate::fault;
use crate::kind::Kind;
use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::work;

impl Walk<'_> {
    /// An expression whose value may be the program's result.
    pub(super) fn tail_expr(&mut self, expr: &Expr, tail: Tail) {
        if let Expr::Stmt(block) = expr {
            self.statements(block.statements(), tail);
            return;
        }
        let kind = self.expr(expr);
        self.rounded(tail, expr);
        self.rolled(tail, expr);
        self.borne(tail, expr);
        self.multiplied(tail, expr);
        self.result(tail, kind, start(expr));
    }

    pub(super) fn result(&mut self, tail: Tail, kind: Kind, at: Position) {
        let returns = self.program.form.returns();
        if self.is_result && matches!(tail, Tail::Result) && !kind.fits(returns) {
            let (expected, kind) = (expected(returns), kind.word());
            self.error(Code::CR011, at, format!("the result must be {expected}, this is {kind}"));
        }
    }

    /// Visits an expression and tells its kind.
    pub(super) fn expr(&mut self, expr: &Expr) -> Kind {
        work::add(1);

        match expr {
            Expr::BoolConstant(..) => Kind::Bool,
            Expr::IntegerConstant(..) => Kind::Number,
            Expr::CharConstant(..) => Kind::Text,
            Expr::StringConstant(text, at) => {
                self.literal(text, *at);
                self.weighted(expr);
                Kind::Text
            }

            Expr::Unit(_) => Kind::Unit,
            Expr::DynamicConstant(value, _) if value.is_decimal() => Kind::Number,
            Expr::DynamicConstant(value, at) if value.is_fnptr() => {
                let place = self.place(*at);
                self.findings.push(forbidden(place, "|"));
                Kind::Any
            }

            Expr::InterpolatedString(parts, _) => {
                self.joined += 1;
                parts.iter().for_each(|part| _ = self.expr(part));
                self.joined -= 1;
                self.weighted(expr);
                Kind::Text
            }

            Expr::Array(items, at) => {
                self.weighted_list(items, *at);
                items.iter().for_each(|item| _ = self.expr(item));
                Kind::Array
            }
            Expr::Map(entries, _) => {
                entries.0.iter().for_each(|(_, value)| _ = self.expr(value));
                Kind::Map
            }

            Expr::And(items, _) | Expr::Or(items, _) => {
                let sign = if matches!(expr, Expr::And(..)) { "&&" } else { "||" };
                items.iter().for_each(|item| self.condition(sign, item));
                Kind::Bool
            }

            Expr::Coalesce(items, _) => {
                let kinds: Vec<Kind> = items.iter().map(|item| self.expr(item)).collect();
                kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Any)
            }

            Expr::Variable(x, _, at) => self.variable(&x.1, *at),
            Expr::Stmt(block) => {
                self.statements(block.statements(), Tail::Nothing);
                Kind::Any
            }
            Expr::FnCall(call, at) => self.call(call, *at),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr),
            _ => Kind::Any,
        }
    }

    fn chain(&mut self, expr: &Expr) -> Kind {
        let (root, links) = fault::chain(expr);

        let mut kind = self.expr(root);
        for link in links {
            kind = match (link.expr, link.indexed, kind) {
                (Expr::Property(name, at), false, _) => {
                    self.reads.names.insert(name.2.to_string());
                    self.property(kind, &name.2, *at)
                }

                (Expr::MethodCall(call, at), false, _) => self.method(kind, call, *at),
                (Expr::StringConstant(name, at), true, Kind::Transaction) => {
                    self.reads.names.insert(name.to_string());
                    self.column(name, *at)
                }
                (Expr::StringConstant(name, at), true, Kind::Totals) => {
                    self.property(kind, name, *at)
                }

                (index, _, Kind::Credits) => {
                    self.expr(index);
                    Kind::Credit
                }
                (index, ..) => {
                    // A column whose name is computed may be any: every column counts as read.
                    let plain = Expr::is_constant(index) || matches!(index, Expr::Variable(..));
                    self.reads.any |= !plain;
                    self.expr(index);
                    Kind::Any
                }
            };
        }

        kind
    }

    fn variable(&mut self, name: &str, at: Position) -> Kind {
        if let Some(known) = self.scope.iter().rev().find(|known| known.name == name) {
            self.used.places.insert(known.at);
            return known.kind;
        }

        work::add(self.scope.len());
        let known = self.scope.iter().map(|known| known.name.as_str());
        // One letter is near to every short name.
        let near = if name.len() > 1 { did_you_mean(name, known) } else { None };

        let given = self.inside && self.program.form.variables().contains(&name);
        let own = given.then(|| format!("give it to the function as well: `fn name({name})`"));
        let help = near.or(own).or_else(|| habits::variable(name).map(str::to_owned));

        self.error_with_help(Code::CR007, at, format!("unknown variable `{name}`"), help);
        Kind::Any
    }
}

/// Where an expression begins; Rhai places an operation at its sign.
pub(super) fn start(expr: &Expr) -> Position {
    match expr {
        Expr::FnCall(call, at) => match call.args.as_slice() {
            [left, _] if call.is_operator_call() => start(left),
            _ => *at,
        },
        Expr::Dot(x, ..) | Expr::Index(x, ..) => start(&x.lhs),
        _ => expr.start_position(),
    }
}
