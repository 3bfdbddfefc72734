//! Expressions: what kind of value each has, and names of variables.
//!
//! Not judging calls (`calls`) or fields (`fields`). Called by the walk.
//!
//! **Architecture invariant:** an expression is visited whole, even if a part of it is wrong.

use rhai::{Expr, Position};

use super::forbidden_word;
use super::foreign_syntax;
use super::kinds::expected_in_words;
use super::walk::{ProgramWalk, Tail};
use crate::api::lookups::PERSON_FIELDS;
use crate::api::{CREDIT_FIELDS, PAYEE_FIELDS, RECEIVER_FIELDS};
use crate::fault;
use crate::kind::ValueKind;
use crate::machine::adapter::literal_number;
use accredit_domain::diagnostic::{Code, did_you_mean};
use accredit_domain::work;

impl ProgramWalk<'_> {
    /// An expression whose value may be the program's result.
    pub(super) fn visit_tail_expression(&mut self, expr: &Expr, tail: Tail) {
        if let Expr::Stmt(block) = expr {
            self.visit_statements(block.statements(), tail);
            return;
        }
        if let Expr::Custom(custom, at) = expr {
            self.visit_switch(custom, *at, tail);
            return;
        }
        let kind = self.visit_expression(expr);
        self.check_rounded_result(tail, expr);
        self.check_rollup_map(tail, expr);
        self.check_named_recipients(tail, expr);
        self.check_multiplied_result(tail, expr);
        self.check_result(tail, kind, expression_start(expr));
    }

    pub(super) fn check_result(&mut self, tail: Tail, kind: ValueKind, at: Position) {
        let returns = self.program.form.return_type();
        if self.is_result && matches!(tail, Tail::Result) && !kind.fits(returns) {
            let (expected, kind) = (expected_in_words(returns), kind.word());
            self.report_error(
                Code::CR011,
                at,
                format!("the result must be {expected}, this is {kind}"),
            );
        }
    }

    /// Visits an expression and tells its kind.
    pub(super) fn visit_expression(&mut self, expr: &Expr) -> ValueKind {
        work::add_steps(1);

        match expr {
            Expr::BoolConstant(..) => ValueKind::Bool,
            Expr::IntegerConstant(..) => ValueKind::Number,
            Expr::CharConstant(..) => ValueKind::Text,
            Expr::StringConstant(text, at) => {
                self.check_text_literal(text, *at);
                self.check_recipient_weights(expr);
                ValueKind::Text
            }

            Expr::Unit(_) => ValueKind::Unit,
            Expr::DynamicConstant(..) if literal_number(expr).is_some() => ValueKind::Number,
            Expr::DynamicConstant(value, at) if value.is_fnptr() => {
                let place = self.place_of(*at);
                self.findings.push(forbidden_word(place, "|"));
                ValueKind::Any
            }

            Expr::InterpolatedString(parts, _) => {
                self.joined += 1;
                parts.iter().for_each(|part| _ = self.visit_expression(part));
                self.joined -= 1;
                self.check_recipient_weights(expr);
                ValueKind::Text
            }

            Expr::Array(items, at) => {
                self.check_share_weights(items, *at);
                items.iter().for_each(|item| _ = self.visit_expression(item));
                ValueKind::Array
            }
            Expr::Map(entries, _) => {
                entries.0.iter().for_each(|(_, value)| _ = self.visit_expression(value));
                ValueKind::Map
            }

            Expr::And(items, _) | Expr::Or(items, _) => {
                let sign = if matches!(expr, Expr::And(..)) { "&&" } else { "||" };
                items.iter().for_each(|item| self.visit_condition(sign, item));
                ValueKind::Bool
            }

            Expr::Coalesce(items, _) => {
                let kinds: Vec<ValueKind> =
                    items.iter().map(|item| self.visit_expression(item)).collect();
                kinds.into_iter().reduce(ValueKind::or).unwrap_or(ValueKind::Any)
            }

            Expr::Variable(x, _, at) => self.visit_variable(&x.1, *at),
            Expr::Stmt(block) => {
                self.visit_statements(block.statements(), Tail::Nothing);
                ValueKind::Any
            }
            Expr::FnCall(call, at) => self.visit_call(call, *at),
            Expr::Dot(..) | Expr::Index(..) => self.visit_chain(expr),
            Expr::Custom(custom, at) => self.visit_switch(custom, *at, Tail::Nothing),
            _ => ValueKind::Any,
        }
    }

    fn visit_chain(&mut self, expr: &Expr) -> ValueKind {
        let (root, links) = fault::chain_links(expr);

        let mut kind = self.visit_expression(root);
        if links
            .iter()
            .any(|link| matches!(link.expr, Expr::MethodCall(call, _) if call.name == "push"))
        {
            self.check_constant_changed(root);
        }

        for link in links {
            kind = match (link.expr, link.indexed, kind) {
                (Expr::Property(name, at), false, _) => {
                    self.reads.names.insert(name.2.to_string());
                    if matches!(kind, ValueKind::Transaction | ValueKind::Any) {
                        self.reads.of_deals.insert(name.2.to_string());
                    }
                    self.visit_property(kind, &name.2, *at)
                }

                (Expr::MethodCall(call, at), false, _) => self.visit_method(kind, call, *at),
                (Expr::StringConstant(name, at), true, ValueKind::Transaction) => {
                    self.reads.names.insert(name.to_string());
                    self.reads.of_deals.insert(name.to_string());
                    self.visit_column(name, *at)
                }
                (Expr::StringConstant(name, at), true, ValueKind::Totals | ValueKind::Earned) => {
                    self.visit_property(kind, name, *at)
                }

                (Expr::StringConstant(name, at), true, _)
                    if fields_with_attributes(kind).is_some() =>
                {
                    let fields = fields_with_attributes(kind).unwrap_or_default();
                    self.reads.names.insert(name.to_string());
                    self.visit_attribute(fields, name, *at)
                }

                (index, _, ValueKind::Credits) => {
                    self.visit_expression(index);
                    ValueKind::Credit
                }
                (index, _, base) => {
                    // In a function of the script a deal may stand behind any parameter.
                    if let (Expr::StringConstant(name, _), ValueKind::Any) = (index, base) {
                        self.reads.of_deals.insert(name.to_string());
                    }
                    // A column whose name is computed may be any: every column counts as read.
                    let plain = Expr::is_constant(index) || matches!(index, Expr::Variable(..));
                    self.reads.any |= !plain;
                    self.reads.by_variable |= matches!(index, Expr::Variable(..));
                    self.visit_expression(index);
                    ValueKind::Any
                }
            };
        }

        kind
    }

    fn visit_variable(&mut self, name: &str, at: Position) -> ValueKind {
        if let Some(known) = self.scope.iter().rev().find(|known| known.name == name) {
            self.used.places.insert(known.at);
            return known.kind;
        }

        work::add_steps(self.scope.len());
        let known = self.scope.iter().map(|known| known.name.as_str());
        // One letter is near to every short name.
        let near = if name.len() > 1 { did_you_mean(name, known) } else { None };

        let given = self.inside && self.program.form.scope_variables().contains(&name);
        let own = given.then(|| format!("give it to the function as well: `fn name({name})`"));
        let help =
            near.or(own).or_else(|| foreign_syntax::help_for_variable(name).map(str::to_owned));

        self.report_with_help(Code::CR007, at, format!("unknown variable `{name}`"), help);
        ValueKind::Any
    }
}

/// The fields of a value whose attributes stand in brackets; none for other values.
fn fields_with_attributes(kind: ValueKind) -> Option<&'static [&'static str]> {
    match kind {
        ValueKind::Credit => Some(CREDIT_FIELDS),
        ValueKind::Receiver | ValueKind::Candidate => Some(RECEIVER_FIELDS),
        ValueKind::Payee => Some(PAYEE_FIELDS),
        ValueKind::MaybePerson => Some(PERSON_FIELDS),
        _ => None,
    }
}

/// Where an expression begins; Rhai places an operation at its sign.
pub(super) fn expression_start(expr: &Expr) -> Position {
    match expr {
        Expr::FnCall(call, at) => match call.args.as_slice() {
            [left, _] if call.is_operator_call() => expression_start(left),
            _ => *at,
        },
        Expr::Dot(x, ..) | Expr::Index(x, ..) => expression_start(&x.lhs),
        _ => expr.start_position(),
    }
}
