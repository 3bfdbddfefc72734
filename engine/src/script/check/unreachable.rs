//! Statements that are never reached: what stands behind `return`, `throw`, `break` or `continue`.
//!
//! Not conditions that are always false, which only values could show. Called by the walk.
//!
//! **Architecture invariant:** a statement is reported only when every way to it has ended.

use rhai::{Expr, Position, Stmt};

use super::expressions::start;
use super::walk::Walk;

impl Walk<'_> {
    /// Warns of the first statement that stands behind the end of its block.
    pub(super) fn unreachable(&mut self, statements: &[Stmt]) {
        let ended = statements.iter().position(ends);
        let mut behind = statements.iter().skip(ended.map_or(usize::MAX, |index| index + 1));
        let Some(behind) = behind.find(|statement| !matches!(statement, Stmt::Noop(_))) else {
            return;
        };
        let message = "nothing behind `return`, `throw`, `break` or `continue` is reached";
        let help = "take it out, or put it before";
        self.warning("CR012", first(behind), message.to_owned(), Some(help.to_owned()));
    }
}

/// Whether nothing behind the statement is reached.
fn ends(statement: &Stmt) -> bool {
    let block = |statements: &[Stmt]| statements.iter().any(ends);
    match statement {
        Stmt::Return(..) | Stmt::BreakLoop(..) => true,
        Stmt::Block(inner) => block(inner.statements()),
        Stmt::If(flow, _) => block(flow.body.statements()) && block(flow.branch.statements()),
        Stmt::Expr(expr) => matches!(&**expr, Expr::Stmt(inner) if block(inner.statements())),
        _ => false,
    }
}

/// Where a statement begins.
fn first(statement: &Stmt) -> Position {
    match statement {
        Stmt::Expr(expr) => start(expr),
        Stmt::Assignment(x) => start(&x.1.lhs),
        statement => statement.position(),
    }
}
