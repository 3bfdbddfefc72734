//! The walk over a syntax tree: functions, scopes and statements.
//!
//! Not expressions (`expressions`), calls (`calls`) or fields (`fields`). Called by `check`.
//!
//! **Architecture invariant:** every node is visited, also behind a finding, so that one pass
//! reports everything.

use std::collections::HashMap;

use rhai::{AST, ASTFlags, ASTNode, Expr, FlowControl, ScriptFuncDef, Stmt};

use super::Reads;
use super::expressions::start;
use super::kinds::Kind;
use crate::diagnostic::Diagnostic;
use crate::policy::{Form, Program};
use crate::script::Known;
use crate::script::fault::chain;

/// One walk over one program.
pub(super) struct Walk<'a> {
    pub(super) program: &'a Program,
    pub(super) known: &'a Known,
    ast: &'a AST,
    /// What functions of the script are given.
    pub(super) parameters: Parameters,
    /// What was found so far.
    pub(super) findings: Vec<Diagnostic>,
    /// What the program may read.
    pub(super) reads: Reads,
    /// Variables in scope, inner ones last.
    pub(super) scope: Vec<(String, Kind)>,
    /// Whether the result of the function in which the walk is, is the program's.
    pub(super) is_result: bool,
}

/// Kinds of the arguments of the script's own functions, by name and number.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<(String, usize), Vec<Kind>>);

impl Parameters {
    /// A call of `name` with arguments of these kinds.
    pub(super) fn note(&mut self, name: &str, kinds: &[Kind]) {
        let known = self.0.entry((name.to_owned(), kinds.len())).or_insert_with(|| kinds.to_vec());
        for (known, kind) in known.iter_mut().zip(kinds) {
            *known = known.or(*kind);
        }
    }

    fn of(&self, name: &str, count: usize) -> Vec<Kind> {
        let known = self.0.get(&(name.to_owned(), count));
        known.cloned().unwrap_or_else(|| vec![Kind::Any; count])
    }
}

impl<'a> Walk<'a> {
    /// A walk that starts with what is known of parameters.
    pub(super) fn new(
        program: &'a Program,
        known: &'a Known,
        ast: &'a AST,
        parameters: Parameters,
    ) -> Self {
        let (findings, reads, scope) = (Vec::new(), Reads::default(), Vec::new());
        Walk { program, known, ast, parameters, findings, reads, scope, is_result: false }
    }

    /// Walks over the whole program.
    pub(super) fn all(&mut self) {
        let ast = self.ast;
        if let Form::Expression(place) = self.program.form {
            let variables = place.variables().iter();
            self.scope.extend(variables.map(|name| ((*name).to_owned(), Kind::of_variable(name))));
            self.is_result = true;
            self.statements(ast.statements(), Tail::Result);
            return;
        }
        for statement in ast.statements() {
            let constant = match statement {
                Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
                statement => matches!(statement, Stmt::Noop(_)),
            };
            if !constant {
                let message = "only constants and functions may stand at the top level";
                let help = Some("move it into the function that needs it".to_owned());
                self.error_with_help("CR001", statement.position(), message.to_owned(), help);
            }
            self.statement(statement, Tail::Nothing);
        }
        let globals = self.scope.clone();
        let functions: Vec<_> = ast.iter_fn_def().collect();
        for function in functions {
            // The bodies of closures are refused where they stand.
            if !function.name.starts_with("anon$") {
                self.scope.clone_from(&globals);
                self.function_body(function);
            }
        }
    }

    fn function_body(&mut self, function: &ScriptFuncDef) {
        let mut kinds = self.parameters.of(&function.name, function.params.len());
        self.is_result = false;
        if let Form::Policy(kind) = self.program.form {
            let given = kind.parameters();
            if function.name == kind.entry() && function.params.len() == given.len() {
                kinds = given.iter().map(|name| Kind::of_variable(name)).collect();
                self.is_result = true;
            }
        }
        let names = function.params.iter().map(ToString::to_string);
        self.scope.extend(names.zip(kinds));
        let body = body(self.ast, function);
        if body.is_empty() {
            self.result(Tail::Result, Kind::Unit, function.body.start_position());
        }
        self.statements(&body, Tail::Result);
    }

    /// Statements in a scope of their own.
    pub(super) fn statements(&mut self, statements: &[Stmt], tail: Tail) {
        let depth = self.scope.len();
        self.unreachable(statements);
        let mut gone = false;
        for (index, statement) in statements.iter().enumerate() {
            let is_last = index + 1 == statements.len();
            self.statement(statement, if is_last && !gone { tail } else { Tail::Nothing });
            gone |= matches!(statement, Stmt::Return(..));
        }
        self.scope.truncate(depth);
    }

    fn statement(&mut self, statement: &Stmt, tail: Tail) {
        match statement {
            Stmt::If(flow, _) => {
                self.expr(&flow.expr);
                self.statements(flow.body.statements(), tail);
                self.statements(flow.branch.statements(), tail);
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expr(&flow.expr);
                self.statements(flow.body.statements(), Tail::Nothing);
            }
            Stmt::For(x, _) => {
                let (name, counter, flow) = &**x;
                let counter = counter.as_ref().map(|counter| counter.as_str());
                self.for_loop(name.as_str(), counter, flow);
            }
            Stmt::Var(x, flags, _) => {
                let (name, value, _) = &**x;
                let kind = self.expr(value);
                let constant = flags.contains(ASTFlags::CONSTANT);
                let kind = if constant || kind.is_view() { kind } else { Kind::Any };
                self.scope.push((name.as_str().to_owned(), kind));
                self.result(tail, Kind::Unit, name.pos);
            }
            Stmt::Assignment(x) => {
                self.assignment(&x.1.lhs, &x.1.rhs);
                self.result(tail, Kind::Unit, start(&x.1.lhs));
            }
            Stmt::FnCall(call, at) => {
                let kind = self.call(call, *at);
                self.rounded(tail, &Expr::FnCall(call.clone(), *at));
                self.result(tail, kind, *at);
            }
            Stmt::Block(block) => self.statements(block.statements(), tail),
            Stmt::TryCatch(flow, _) => self.try_catch(flow),
            Stmt::Expr(expr) => self.tail_expr(expr, tail),
            Stmt::BreakLoop(Some(expr), ..) => {
                self.expr(expr);
            }
            Stmt::Return(Some(expr), flags, _) => {
                let thrown = flags.contains(ASTFlags::BREAK);
                self.tail_expr(expr, if thrown { Tail::Nothing } else { Tail::Result });
            }
            _ => (),
        }
    }

    fn for_loop(&mut self, name: &str, counter: Option<&str>, flow: &FlowControl) {
        let kind = match self.expr(&flow.expr) {
            Kind::Credits => Kind::Credit,
            _ => Kind::Any,
        };
        let depth = self.scope.len();
        self.scope.extend(counter.map(|counter| (counter.to_owned(), Kind::Number)));
        self.scope.push((name.to_owned(), kind));
        self.statements(flow.body.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn try_catch(&mut self, flow: &FlowControl) {
        self.statements(flow.body.statements(), Tail::Nothing);
        let depth = self.scope.len();
        if let Some(name) = name_of(&flow.expr) {
            self.scope.push((name.to_owned(), Kind::Any));
        }
        self.statements(flow.branch.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn assignment(&mut self, target: &Expr, value: &Expr) {
        self.expr(value);
        self.expr(target);
        let (root, links) = chain(target);
        if let (Some(name), false) = (name_of(root), links.is_empty()) {
            let known = self.scope.iter().rev().find(|(known, _)| known == name);
            if known.is_some_and(|(_, kind)| kind.is_view()) {
                let message = format!("`{name}` cannot be changed");
                self.error("CR008", start(target), message);
            }
        }
        if let Some(name) = name_of(target) {
            for (known, kind) in &mut self.scope {
                if known == name {
                    *kind = Kind::Any;
                }
            }
        }
    }

    /// Numbers of parameters of the script's own functions of this name.
    pub(super) fn arities(&self, name: &str) -> Vec<usize> {
        let named = self.ast.iter_fn_def().filter(|function| function.name == name);
        let mut arities: Vec<usize> = named.map(|function| function.params.len()).collect();
        arities.sort_unstable();
        arities
    }

    /// Names of the script's own functions.
    pub(super) fn function_names(&self) -> Vec<String> {
        self.ast.iter_fn_def().map(|function| function.name.to_string()).collect()
    }
}

/// What becomes of the value of the last statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tail {
    /// It is the result of the function or expression.
    Result,
    /// Nothing, or nothing that is known.
    Nothing,
}

/// The name of a variable.
fn name_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(x, ..) => Some(&x.1),
        _ => None,
    }
}

/// The statements of a function's body; Rhai shows them only by walking.
fn body(ast: &AST, function: &ScriptFuncDef) -> Vec<Stmt> {
    // The filtering clone of Rhai 1.27 does not filter.
    let mut alone = ast.clone_functions_only();
    alone.retain_functions(|_, _, name, count| {
        name == function.name.as_str() && count == function.params.len()
    });
    let mut statements = Vec::new();
    alone.walk(&mut |path| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}
