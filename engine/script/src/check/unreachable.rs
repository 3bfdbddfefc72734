//! Statements that are never reached: statements after `return`, `throw`, `break` or `continue`.
//!
//! Not conditions that are always false, which only values could show. Called by the walk.
//!
//! **Architecture invariant:** a statement is reported only when every way to it has ended.

use accredit_domain::diagnostic::Code;
use rhai::{ASTFlags, Expr, Position, Stmt};

use super::expressions::expression_start;
use super::switches::ends_in_every_arm;
use super::walk::ProgramWalk;
use crate::machine::adapter::switch::switch_bodies;

impl ProgramWalk<'_> {
    /// Warns of the first statement that stands behind the end of its block.
    pub(super) fn check_reachability(&mut self, statements: &[Stmt]) {
        for endless in statements.iter().filter(|one| is_endless(one) && !leaves_function(one)) {
            let message = "this loop never ends".to_owned();
            let help = "write a condition, or leave it with `break` or `return`";
            self.report_warning(Code::CR012, endless.position(), message, Some(help.to_owned()));
        }

        let ended = statements.iter().position(ends_block);
        let mut behind = statements.iter().skip(ended.map_or(usize::MAX, |index| index + 1));
        let Some(behind) = behind.find(|statement| !matches!(statement, Stmt::Noop(_))) else {
            return;
        };

        let message = match ended.and_then(|index| statements.get(index)) {
            Some(Stmt::While(..)) => "nothing after a loop without `break` is reached",
            _ => "nothing after `return`, `throw`, `break` or `continue` is reached",
        };

        let help = "remove it, or move it up";
        self.report_warning(
            Code::CR012,
            statement_start(behind),
            message.to_owned(),
            Some(help.to_owned()),
        );
    }
}

/// Whether nothing behind the statement is reached.
pub(super) fn ends_block(statement: &Stmt) -> bool {
    let block = |statements: &[Stmt]| statements.iter().any(ends_block);
    match statement {
        Stmt::Return(..) | Stmt::BreakLoop(..) => true,
        Stmt::While(..) => is_endless(statement),
        Stmt::Block(inner) => block(inner.statements()),
        Stmt::If(flow, _) => block(flow.body.statements()) && block(flow.branch.statements()),
        Stmt::Expr(expr) => match &**expr {
            Expr::Stmt(inner) => block(inner.statements()),
            Expr::Custom(custom, _) => ends_in_every_arm(custom, &block),
            _ => false,
        },
        _ => false,
    }
}

/// Whether it is a loop without a condition and without a `break` of its own.
pub(super) fn is_endless(statement: &Stmt) -> bool {
    let Stmt::While(flow, _) = statement else { return false };
    let always = matches!(flow.expr, Expr::Unit(_) | Expr::BoolConstant(true, _));
    always
        && !any_statement(
            flow.body.statements(),
            false,
            &|one| matches!(one, Stmt::BreakLoop(_, flags, _) if flags.contains(ASTFlags::BREAK)),
        )
}

/// Whether something in it ends the function.
fn leaves_function(statement: &Stmt) -> bool {
    any_statement(std::slice::from_ref(statement), true, &|one| matches!(one, Stmt::Return(..)))
}

/// Whether a statement is as wanted, or one in a block of it; loops are looked into where asked.
fn any_statement(statements: &[Stmt], loops: bool, wanted: &dyn Fn(&Stmt) -> bool) -> bool {
    statements.iter().any(|one| {
        let inside = |block: &[Stmt]| any_statement(block, loops, wanted);
        wanted(one)
            || match one {
                Stmt::If(flow, _) | Stmt::TryCatch(flow, _) => {
                    inside(flow.body.statements()) || inside(flow.branch.statements())
                }
                Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                    loops && inside(flow.body.statements())
                }
                Stmt::For(x, _) => loops && inside(x.2.body.statements()),
                Stmt::Block(block) => inside(block.statements()),
                Stmt::Expr(expr) => {
                    let bodies = switch_bodies(expr).into_iter().chain([&**expr]);
                    let block = |body: &Expr| matches!(body, Expr::Stmt(block) if inside(block.statements()));
                    bodies.into_iter().any(block)
                }
                _ => false,
            }
    })
}

/// Where a statement begins.
fn statement_start(statement: &Stmt) -> Position {
    match statement {
        Stmt::Expr(expr) => expression_start(expr),
        Stmt::Assignment(x) => expression_start(&x.1.lhs),
        statement => statement.position(),
    }
}
