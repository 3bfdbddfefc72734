//! Statements as nodes: blocks, branches, loops, variables and assignments.
//!
//! Not values (`values`). Called by `lower`.
//!
//! **Architecture invariant:** a name is in scope in its block alone, and a block that ends gives its
//! slots back.

use rhai::{ASTFlags, Expr, FlowControl, Position, Stmt};

use super::chains::has_optional_link;
use super::variables::FunctionLowering;
use super::{Lowered, refuse, unknown};
use crate::api;
use crate::compile::node::{ForLoop, ItemChange, Node, PathLink};
use crate::fault::chain_links;
use crate::value::ScriptValue;

impl FunctionLowering<'_, '_> {
    /// Statements in a scope of their own.
    pub(super) fn lower_block(&mut self, statements: &[Stmt]) -> Lowered<Box<[Node]>> {
        let outer = self.scope.len();
        let body = self.lower_statements(statements);
        self.scope.truncate(outer);
        body.map(Vec::into_boxed_slice)
    }

    /// The body of a loop, with the number of its nodes.
    fn lower_round(&mut self, statements: &[Stmt]) -> Lowered<(Box<[Node]>, u32)> {
        let before = self.weight;
        let body = self.lower_block(statements)?;
        Ok((body, self.weight.saturating_sub(before).saturating_add(1)))
    }

    pub(super) fn lower_statements(&mut self, statements: &[Stmt]) -> Lowered<Vec<Node>> {
        statements.iter().map(|statement| self.lower_statement(statement)).collect()
    }

    fn lower_statement(&mut self, statement: &Stmt) -> Lowered {
        self.weight = self.weight.saturating_add(1);

        Ok(match statement {
            Stmt::Noop(_) => Node::Constant(ScriptValue::Unit),
            Stmt::Expr(expr) => return self.lower(expr),
            Stmt::FnCall(call, at) => return self.lower_call(call, *at),
            Stmt::Block(block) => Node::Block(self.lower_block(block.statements())?),

            Stmt::If(flow, _) => {
                let condition = Box::new(self.lower(&flow.expr)?);
                let then = self.lower_block(flow.body.statements())?;
                let other = self.lower_block(flow.branch.statements())?;
                Node::If(condition, then, other)
            }

            Stmt::While(flow, _) => {
                let before = self.weight;
                let condition = match &flow.expr {
                    Expr::Unit(_) => None,
                    condition => Some(Box::new(self.lower(condition)?)),
                };
                let (body, _) = self.lower_round(flow.body.statements())?;
                Node::While(condition, body, self.weight_since(before))
            }

            Stmt::Do(flow, flags, _) => {
                let before = self.weight;
                let (body, _) = self.lower_round(flow.body.statements())?;
                let condition = Box::new(self.lower(&flow.expr)?);
                let ends_with = flags.contains(ASTFlags::NEGATED);
                Node::Do(condition, ends_with, body, self.weight_since(before))
            }

            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                let counter = counter.as_ref().map(|counter| counter.as_str());
                return self.lower_for((item.as_str(), counter), flow);
            }

            Stmt::Var(declared, flags, _) => {
                let (name, value, _) = &**declared;
                let constant = flags.contains(ASTFlags::CONSTANT);
                return self.lower_variable((name.as_str(), constant), value);
            }

            Stmt::Assignment(assignment) => return self.lower_assignment(assignment),

            Stmt::BreakLoop(None, flags, _) if flags.contains(ASTFlags::BREAK) => Node::Break,
            Stmt::BreakLoop(None, _, _) => Node::Continue,

            // What is thrown is thrown by the interpreter, which knows the place.
            Stmt::Return(_, flags, _) if flags.contains(ASTFlags::BREAK) => Node::Throw,
            Stmt::Return(value, _, _) => {
                let value = value.as_ref().map(|value| self.lower(value)).transpose()?;
                Node::Return(value.map(Box::new))
            }

            Stmt::TryCatch(_, at) => return refuse("`try`", *at),
            Stmt::BreakLoop(Some(_), _, at) => return refuse("`break` with a value", *at),
            other => {
                return refuse("a statement that only the interpreter knows", other.position());
            }
        })
    }

    fn weight_since(&self, before: u32) -> u32 {
        self.weight.saturating_sub(before).saturating_add(1)
    }

    fn lower_for(&mut self, (item, counter): (&str, Option<&str>), flow: &FlowControl) -> Lowered {
        let items = self.lower(&flow.expr)?;
        let outer = self.scope.len();

        // The counter comes first in the scope of Rhai too.
        let counter = counter.map(|counter| self.declare(counter, false));
        let slot = self.declare(item, false);

        let round = self.lower_round(flow.body.statements());
        self.scope.truncate(outer);
        let (body, weight) = round?;
        Ok(Node::For(Box::new(ForLoop { slot, counter, items, body, weight })))
    }

    fn lower_variable(&mut self, (name, constant): (&str, bool), value: &Expr) -> Lowered {
        let value = self.lower(value)?;

        // The text of a cell is not copied into a variable that only reads it.
        if let Node::Cell(cell) = value
            && self.is_never_changed(name)
        {
            self.declare_cell(name, cell);
            return Ok(Node::CellReadable(cell));
        }
        Ok(Node::Set(self.declare(name, constant), Box::new(value)))
    }

    fn lower_assignment(&mut self, assignment: &(rhai::OpAssignment, rhai::BinaryExpr)) -> Lowered {
        let (operation, sides) = assignment;
        let at = operation.position();
        self.refuse_among_arguments(at)?;

        if has_optional_link(&sides.lhs) {
            return refuse("an assignment behind `?.` or `?[`", at);
        }
        let (root, links) = chain_links(&sides.lhs);
        let Expr::Variable(name, ..) = root else {
            return refuse("an assignment to what is no variable", at);
        };
        let Some(slot) = self.find_changeable(&name.1) else {
            return refuse("an assignment to what is constant", at);
        };
        self.need_value(slot);

        let value = self.lower(&sides.rhs)?;
        let operator = match operation.get_op_assignment_info() {
            Some((.., sign)) => Some(api::find_function(sign).ok_or_else(|| unknown(sign, at))?),
            None => None,
        };

        if links.is_empty() {
            let value = Box::new(value);
            return Ok(match operator {
                Some(operator) => Node::Change(slot, operator, value),
                None => Node::Set(slot, value),
            });
        }

        let path = links.iter().map(|link| self.lower_link((link.expr, link.indexed), at));
        let path = path.collect::<Lowered<Box<[PathLink]>>>()?;
        Ok(Node::ChangeItem(Box::new(ItemChange { slot, path, operator, value })))
    }

    /// A link on the way to what is assigned to.
    fn lower_link(&mut self, (link, indexed): (&Expr, bool), at: Position) -> Lowered<PathLink> {
        match link {
            Expr::Property(property, _) if !indexed => {
                Ok(PathLink::Key(property.2.as_str().into()))
            }
            index if indexed => Ok(PathLink::Index(self.lower_argument(index)?)),
            _ => refuse("an assignment to what a function gives", at),
        }
    }
}
