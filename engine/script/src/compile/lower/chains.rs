//! Chains as nodes: what is behind dots and brackets, link by link.
//!
//! Not the functions in a chain (`calls`). Called by `values`.
//!
//! **Architecture invariant:** what a chain reads of the deal, the credit and the recipient is read
//! where the host has it, so that no value is made of the whole.

use std::sync::Arc;

use rhai::{ASTFlags, Expr};

use super::variables::FunctionLowering;
use super::{Lowered, refuse};
use crate::api::{CREDIT_FIELDS, RECEIVER_FIELDS, TRANSACTION_FIELDS};
use crate::compile::cells::DealCell;
use crate::compile::node::{HostInput, Node};
use crate::fault::{ChainLink, chain_links};
use crate::value::ScriptValue;

impl FunctionLowering<'_, '_> {
    /// `tx["Rep #1"].trim()`: a value, and what is read of it link by link.
    pub(super) fn lower_chain(&mut self, expr: &Expr) -> Lowered {
        let optional = optional_links(expr);
        let (root, links) = chain_links(expr);

        // `push` changes its variable, so it is no value of a chain.
        if let (Expr::Variable(name, ..), [link]) = (root, links.as_slice())
            && let Expr::MethodCall(call, at) = link.expr
            && call.name == "push"
        {
            let [item] = call.args.as_slice() else {
                return refuse("`push` of several items", *at);
            };
            return self.lower_push(&name.1, item, *at);
        }

        let mut optional = optional.into_iter();
        let mut may_end = false;
        let (mut value, rest) = match self.lower_input_link(root, &links) {
            Some(value) if optional.as_slice().first() == Some(&false) => {
                optional.next();
                (value, links.get(1..).unwrap_or_default())
            }
            _ => (self.lower(root)?, links.as_slice()),
        };

        for (link, optional) in rest.iter().zip(optional) {
            if optional {
                may_end = true;
                value = Node::There(Box::new(value));
            }
            value = self.lower_chain_link(value, link, may_end)?;
        }
        Ok(if may_end { Node::Chain(Box::new(value)) } else { value })
    }

    fn lower_chain_link(&mut self, value: Node, link: &ChainLink<'_>, may_end: bool) -> Lowered {
        Ok(match link.expr {
            Expr::Property(property, _) if !link.indexed => {
                let name = property.2.as_str();
                self.program.reads_surroundings |= !is_plain_field(name);
                Node::Field(Box::new(value), Arc::from(name))
            }
            Expr::MethodCall(call, at) if !link.indexed => {
                // The interpreter computes arguments also where the chain ends before them.
                if may_end && !call.args.iter().all(is_written_out) {
                    return refuse("an argument behind `?.` that is computed", *at);
                }
                return self.lower_method(value, call, *at);
            }
            Expr::StringConstant(name, _) if link.indexed => {
                self.program.reads_surroundings = true;
                Node::Column(Box::new(value), Arc::from(name.as_str()))
            }
            index if link.indexed => {
                if may_end && !is_written_out(index) {
                    return refuse("a place behind `?.` that is computed", link.sign);
                }
                let index = self.lower_argument(index)?;
                self.program.reads_surroundings |=
                    !matches!(index, Node::Constant(ScriptValue::Whole(_)));
                Node::Item(Box::new([value, index]))
            }
            other => return refuse("this behind a dot", other.position()),
        })
    }

    /// The first link of a chain, where it reads what the host gives.
    fn lower_input_link(&mut self, root: &Expr, links: &[ChainLink<'_>]) -> Option<Node> {
        let Expr::Variable(variable, ..) = root else { return None };
        let link = links.first()?;

        match (self.find_input(&variable.1)?, link.expr) {
            (HostInput::Deal, Expr::StringConstant(name, _)) if link.indexed => {
                let cell = DealCell::Column(Arc::from(name.as_str()));
                Some(Node::Cell(self.program.cells.number_of(cell)))
            }
            (HostInput::Deal, Expr::Property(property, _)) if !link.indexed => {
                let cell = named_cell(property.2.as_str())?;
                Some(Node::Cell(self.program.cells.number_of(cell)))
            }
            (HostInput::Deal, Expr::MethodCall(call, _)) if !link.indexed => {
                match (call.name.as_str(), call.args.as_slice()) {
                    ("has", [Expr::StringConstant(name, _)]) => self.cell_there(&variable.1, name),
                    _ => None,
                }
            }
            (HostInput::Credit, Expr::Property(property, _)) if !link.indexed => {
                match property.2.as_str() {
                    "amount" => Some(Node::CreditAmount),
                    name => input_field(HostInput::Credit, CREDIT_FIELDS, name),
                }
            }
            (HostInput::Receiver, Expr::Property(property, _)) if !link.indexed => {
                match property.2.as_str() {
                    "level" => Some(Node::ReceiverLevel),
                    name => input_field(HostInput::Receiver, RECEIVER_FIELDS, name),
                }
            }
            _ => None,
        }
    }

    /// `tx.has("Rep #1")`, unless it asks for what is no cell.
    pub(super) fn cell_there(&mut self, of: &str, name: &str) -> Option<Node> {
        if self.program.has_function("has") || self.find_input(of)? != HostInput::Deal {
            return None;
        }
        let cell = named_cell(name)?;
        Some(Node::CellThere(self.program.cells.number_of(cell)))
    }
}

/// The cell that `tx.name` reads; none for what is in no cell.
fn named_cell(name: &str) -> Option<DealCell> {
    match TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name) {
        Some((known, Some(field))) => Some(DealCell::Mapped(*field, known)),
        Some((_, None)) => None,
        None => Some(DealCell::Column(Arc::from(name))),
    }
}

fn input_field(input: HostInput, fields: &[&str], name: &str) -> Option<Node> {
    fields.contains(&name).then(|| Node::InputField(input, Arc::from(name)))
}

/// Whether a name behind a dot is read without what surrounds the run, whatever it is read of.
fn is_plain_field(name: &str) -> bool {
    let of_deals =
        TRANSACTION_FIELDS.iter().any(|(known, field)| *known == name && field.is_some());
    let of_views = CREDIT_FIELDS.contains(&name) || RECEIVER_FIELDS.contains(&name);
    (of_deals || of_views) && name != "period"
}

fn is_written_out(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Unit(_)
            | Expr::BoolConstant(..)
            | Expr::IntegerConstant(..)
            | Expr::StringConstant(..)
            | Expr::CharConstant(..)
            | Expr::DynamicConstant(..)
    )
}

pub(super) fn is_push(expr: &Expr) -> bool {
    matches!(expr, Expr::MethodCall(call, _) if call.name == "push")
}

/// Of each link of a chain, whether it is behind `?.` or `?[`.
fn optional_links(expr: &Expr) -> Vec<bool> {
    let mut optional = Vec::new();
    let mut node = expr;

    while let Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _) = node {
        optional.push(flags.contains(ASTFlags::NEGATED));
        if flags.contains(ASTFlags::BREAK) {
            break;
        }
        node = &pair.rhs;
    }
    optional
}

/// Whether a link of a chain may find nothing.
pub(super) fn has_optional_link(expr: &Expr) -> bool {
    optional_links(expr).contains(&true)
}
