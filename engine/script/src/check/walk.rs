//! The walk over a syntax tree: functions, scopes and statements.
//!
//! Not expressions (`expressions`), calls (`calls`) or fields (`fields`). Called by `check`.
//!
//! **Architecture invariant:** every node is visited, also behind a finding, so that one pass
//! reports everything.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rhai::{AST, ASTFlags, ASTNode, Expr, FlowControl, Position, ScriptFuncDef, Stmt};

use super::FieldReads;
use super::expressions::expression_start;
use super::unreachable::ends_block;
use super::unused::{NameUsage, assigned_names};
use crate::CheckContext;
use crate::fault::chain_links;
use crate::kind::ValueKind;
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::policy::{Program, ProgramForm};

/// One walk over one program.
pub(super) struct ProgramWalk<'a> {
    pub(super) program: &'a Program,
    pub(super) known: &'a CheckContext,
    ast: &'a AST,
    /// What functions of the script are given.
    pub(super) parameters: ParameterKinds,
    /// What was found so far.
    pub(super) findings: Vec<Diagnostic>,
    /// What the program may read.
    pub(super) reads: FieldReads,
    /// Variables in scope, inner ones last.
    pub(super) scope: Vec<Variable>,
    /// Names that the function in which the walk is assigns to: their kinds may change.
    pub(super) assigned: BTreeSet<String>,
    /// What was used, by where it was declared; functions by name.
    pub(super) used: NameUsage,
    /// Whether the walk is in a function, which sees nothing but what it is given.
    pub(super) inside: bool,
    /// Texts that are being joined: none of them is whole.
    pub(super) joined: usize,
    /// Whether the result of the function in which the walk is, is the program's.
    pub(super) is_result: bool,
}

/// A variable in scope.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    /// Its name in the script.
    pub(super) name: String,
    /// The kind of what it holds.
    pub(super) kind: ValueKind,
    /// Whether it is a `const`.
    pub(super) constant: bool,
    /// Where it was declared; nowhere when the host supplies it.
    pub(super) at: Position,
}

impl Variable {
    /// One that the host or a loop supplies.
    pub(super) fn with_kind(name: &str, kind: ValueKind) -> Variable {
        Variable { name: name.to_owned(), kind, constant: false, at: Position::NONE }
    }
}

/// Kinds of the arguments of the script's own functions, by name and number.
#[derive(Debug, Default)]
pub(super) struct ParameterKinds(HashMap<(String, usize), Vec<ValueKind>>);

impl ParameterKinds {
    /// A call of `name` with arguments of these kinds.
    pub(super) fn note_call(&mut self, name: &str, kinds: &[ValueKind]) {
        let known = self.0.entry((name.to_owned(), kinds.len())).or_insert_with(|| kinds.to_vec());
        for (known, kind) in known.iter_mut().zip(kinds) {
            *known = known.or(*kind);
        }
    }

    fn kinds_of_call(&self, name: &str, count: usize) -> Vec<ValueKind> {
        let known = self.0.get(&(name.to_owned(), count));
        known.cloned().unwrap_or_else(|| vec![ValueKind::Any; count])
    }
}

impl<'a> ProgramWalk<'a> {
    /// A walk that starts with what is known of parameters.
    pub(super) fn new(
        program: &'a Program,
        known: &'a CheckContext,
        ast: &'a AST,
        parameters: ParameterKinds,
    ) -> Self {
        let (findings, reads, scope) = (Vec::new(), FieldReads::default(), Vec::new());
        let (assigned, used) = (BTreeSet::new(), NameUsage::default());

        ProgramWalk {
            program,
            known,
            ast,
            parameters,
            findings,
            reads,
            scope,
            assigned,
            used,
            joined: 0,
            inside: false,
            is_result: false,
        }
    }

    /// Walks over the whole program.
    pub(super) fn visit_program(&mut self) {
        let ast = self.ast;

        if let ProgramForm::Expression(place) = self.program.form {
            let variables = place.scope_variables().iter();
            let given = |name: &&str| Variable::with_kind(name, self.host_variable_kind(name));
            let variables: Vec<Variable> = variables.map(given).collect();
            self.scope.extend(variables);
            self.is_result = true;
            self.visit_statements(ast.statements(), Tail::Result);
            return;
        }

        for statement in ast.statements() {
            let constant = match statement {
                Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
                statement => matches!(statement, Stmt::Noop(_)),
            };

            if !constant {
                let message = "only constants and functions may stand at the top level".to_owned();
                let help = "write `const` for a fixed value, and put the rest into a function";
                let help = Some(help.to_owned());
                self.report_with_help(Code::CR001, statement.position(), message, help);
            }

            self.visit_statement(statement, Tail::Nothing);
            // What may not stand here is reported: that nothing uses it says nothing more.
            if !constant {
                self.used.declared.clear();
            }
        }

        // A function sees constants of a policy, and nothing of what an expression sees.
        let is_policy = matches!(self.program.form, ProgramForm::Policy(_));
        let globals = if is_policy { self.scope.clone() } else { Vec::new() };
        let functions: Vec<_> = ast.iter_fn_def().collect();
        for function in functions {
            self.scope.clone_from(&globals);
            self.visit_function_body(function);
        }

        self.check_unused_names();
    }

    /// The kind of what the host supplies under this name.
    fn host_variable_kind(&self, name: &str) -> ValueKind {
        match ValueKind::of_variable(name) {
            ValueKind::Receiver if self.program.form.sees_rollup() => ValueKind::Candidate,
            kind => kind,
        }
    }

    fn visit_function_body(&mut self, function: &ScriptFuncDef) {
        let mut kinds = self.parameters.kinds_of_call(&function.name, function.params.len());
        (self.is_result, self.inside) = (false, true);

        if let ProgramForm::Policy(kind) = self.program.form {
            let given = kind.parameters();
            let counts = kind.fewest_parameters()..=given.len();
            if function.name == kind.entry_point() && counts.contains(&function.params.len()) {
                let given = given.iter().take(function.params.len());
                kinds = given.map(|name| self.host_variable_kind(name)).collect();
                self.is_result = true;
            }
        }

        let names = function.params.iter().zip(kinds);
        self.scope.extend(names.map(|(name, kind)| Variable::with_kind(name, kind)));

        let body = body_statements(self.ast, function);
        self.assigned = assigned_names(&body);

        // An empty body is no statement that could be pointed at.
        if body.is_empty() && self.is_result {
            self.report_missing_result(Tail::Result, self.function_name_position(function));
        }

        self.visit_statements(&body, Tail::Result);
    }

    /// Statements in a scope of their own.
    pub(super) fn visit_statements(&mut self, statements: &[Stmt], tail: Tail) {
        let depth = self.scope.len();

        self.check_reachability(statements);
        // What is never reached answers nothing.
        let ended = statements.iter().position(ends_block).unwrap_or(usize::MAX);

        for (index, statement) in statements.iter().enumerate() {
            let is_last = index + 1 == statements.len() && index <= ended;
            if is_last {
                self.check_last_statement(tail, statement);
            } else if index < ended {
                self.check_unused_value(statement);
            }

            self.visit_statement(statement, if is_last { tail } else { Tail::Nothing });
        }

        self.scope.truncate(depth);
    }

    fn visit_statement(&mut self, statement: &Stmt, tail: Tail) {
        match statement {
            Stmt::If(flow, _) => {
                self.visit_condition("if", &flow.expr);
                self.visit_statements(flow.body.statements(), tail);
                self.visit_statements(flow.branch.statements(), tail);
            }

            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                if !matches!(flow.expr, Expr::Unit(_)) {
                    self.visit_condition("while", &flow.expr);
                }
                self.visit_statements(flow.body.statements(), Tail::Nothing);
            }

            Stmt::For(x, _) => {
                let (name, counter, flow) = &**x;
                let counter = counter.as_ref().map(|counter| counter.as_str());
                self.visit_for_loop(name.as_str(), counter, flow);
            }

            Stmt::Var(x, flags, _) => {
                let (name, value, _) = &**x;
                let kind = self.visit_expression(value);
                let constant = flags.contains(ASTFlags::CONSTANT);
                // A variable that is assigned to later may hold anything by then.
                let kind =
                    if self.assigned.contains(name.as_str()) { ValueKind::Any } else { kind };
                let (name, at) = (name.as_str().to_owned(), name.pos);
                self.used.declared.push((name.clone(), at));
                self.scope.push(Variable { name, kind, constant, at });
            }

            Stmt::Assignment(x) => self.visit_assignment(&x.1.lhs, &x.1.rhs),
            Stmt::FnCall(call, at) => {
                let kind = self.visit_call(call, *at);

                let whole = Expr::FnCall(call.clone(), *at);
                self.check_rounded_result(tail, &whole);
                self.check_multiplied_result(tail, &whole);
                self.check_result(tail, kind, *at);
            }

            Stmt::Block(block) => self.visit_statements(block.statements(), tail),
            Stmt::TryCatch(flow, _) => self.visit_try_catch(flow),
            Stmt::Expr(expr) => self.visit_tail_expression(expr, tail),
            Stmt::BreakLoop(Some(expr), ..) => {
                self.visit_expression(expr);
            }
            Stmt::Return(None, flags, at) if !flags.contains(ASTFlags::BREAK) => {
                self.report_missing_result(Tail::Result, *at);
            }
            Stmt::Return(Some(expr), flags, _) => {
                let thrown = flags.contains(ASTFlags::BREAK);
                self.visit_tail_expression(expr, if thrown { Tail::Nothing } else { Tail::Result });
            }
            _ => (),
        }
    }

    fn visit_for_loop(&mut self, name: &str, counter: Option<&str>, flow: &FlowControl) {
        let kind = match self.visit_expression(&flow.expr) {
            ValueKind::Credits => ValueKind::Credit,
            _ => ValueKind::Any,
        };
        let depth = self.scope.len();
        self.scope.extend(counter.map(|counter| Variable::with_kind(counter, ValueKind::Number)));
        self.scope.push(Variable::with_kind(name, kind));
        self.visit_statements(flow.body.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn visit_try_catch(&mut self, flow: &FlowControl) {
        self.visit_statements(flow.body.statements(), Tail::Nothing);
        let depth = self.scope.len();
        if let Some(name) = name_of(&flow.expr) {
            self.scope.push(Variable::with_kind(name, ValueKind::Any));
        }
        self.visit_statements(flow.branch.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn visit_assignment(&mut self, target: &Expr, value: &Expr) {
        self.visit_expression(value);
        let Some(name) = name_of(target) else {
            self.visit_expression(target);
            let (root, links) = chain_links(target);
            if let (Some(name), false) = (name_of(root), links.is_empty()) {
                let known = self.scope.iter().rev().find(|variable| variable.name == name);
                if known.is_some_and(|variable| variable.kind.is_view()) {
                    let message = format!("`{name}` cannot be changed");
                    self.report_error(Code::CR008, expression_start(target), message);
                }
                self.check_constant_changed(root);
            }
            return;
        };

        match self.scope.iter().rev().find(|variable| variable.name == name) {
            None => {
                let message = format!("unknown variable `{name}`");
                let help = format!("write `let {name} = …` the first time");
                self.report_with_help(Code::CR007, target.start_position(), message, Some(help));
                // One finding is enough.
                self.scope.push(Variable::with_kind(name, ValueKind::Any));
            }
            Some(variable) if variable.constant => {
                let message = format!("`{name}` is constant and cannot be changed");
                let help = format!("use another name: `let other = {name};`");
                self.used.places.insert(variable.at);
                self.report_with_help(Code::CR016, target.start_position(), message, Some(help));
            }
            Some(_) => _ = self.visit_expression(target),
        }
    }

    /// A change of what a name stands for: a constant keeps its value, and the change would be lost.
    pub(super) fn check_constant_changed(&mut self, root: &Expr) {
        let Some(name) = name_of(root) else { return };
        let known = self.scope.iter().rev().find(|variable| variable.name == name);
        if known.is_some_and(|variable| variable.constant) {
            let message = format!("`{name}` is constant and cannot be changed");
            let help = format!("change a copy: `let copy = {name};`");
            self.report_with_help(Code::CR016, root.start_position(), message, Some(help));
        }
    }

    /// Numbers of parameters of the script's own functions of this name.
    pub(super) fn own_arities(&self, name: &str) -> Vec<usize> {
        let named = self.ast.iter_fn_def().filter(|function| function.name == name);
        let mut arities: Vec<usize> = named.map(|function| function.params.len()).collect();
        arities.sort_unstable();
        arities
    }

    /// The script's own functions.
    pub(super) fn own_functions(&self) -> Vec<Arc<ScriptFuncDef>> {
        self.ast.iter_fn_def().map(Arc::clone).collect()
    }

    /// What the name of a top-level constant stands for.
    pub(super) fn constant_value(&self, name: &Expr) -> Option<&Expr> {
        let name = name_of(name)?;
        let local = self.scope.iter().rev().find(|variable| variable.name == name)?;
        self.ast.statements().iter().find_map(|statement| match statement {
            Stmt::Var(x, flags, _) if flags.contains(ASTFlags::CONSTANT) => {
                (x.0.pos == local.at).then_some(&x.1)
            }
            _ => None,
        })
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
pub(crate) fn body_statements(ast: &AST, function: &ScriptFuncDef) -> Vec<Stmt> {
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
