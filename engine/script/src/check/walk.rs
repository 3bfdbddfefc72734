//! The walk over a syntax tree: functions, scopes and statements.
//!
//! Not expressions (`expressions`), calls (`calls`) or fields (`fields`). Called by `check`.
//!
//! **Architecture invariant:** every node is visited, also behind a finding, so that one pass
//! reports everything.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rhai::{AST, ASTFlags, ASTNode, Expr, FlowControl, Position, ScriptFuncDef, Stmt};

use super::Reads;
use super::expressions::start;
use super::unreachable::ends;
use super::unused::{Used, assigned};
use crate::Known;
use crate::fault::chain;
use crate::kind::Kind;
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::policy::{Form, Program};

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
    pub(super) scope: Vec<Variable>,
    /// Names that the function in which the walk is assigns to: their kinds may change.
    pub(super) assigned: BTreeSet<String>,
    /// What was used, by where it was declared; functions by name.
    pub(super) used: Used,
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
    pub(super) kind: Kind,
    /// Whether it is a `const`.
    pub(super) constant: bool,
    /// Where it was declared; nowhere when the host supplies it.
    pub(super) at: Position,
}

impl Variable {
    /// One that the host or a loop supplies.
    pub(super) fn given(name: &str, kind: Kind) -> Variable {
        Variable { name: name.to_owned(), kind, constant: false, at: Position::NONE }
    }
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
        let (assigned, used) = (BTreeSet::new(), Used::default());

        Walk {
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
    pub(super) fn all(&mut self) {
        let ast = self.ast;

        if let Form::Expression(place) = self.program.form {
            let variables = place.variables().iter();
            let given = |name: &&str| Variable::given(name, self.given(name));
            let variables: Vec<Variable> = variables.map(given).collect();
            self.scope.extend(variables);
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
                let message = "only constants and functions may stand at the top level".to_owned();
                let help = "write `const` for a fixed value, and put the rest into a function";
                let help = Some(help.to_owned());
                self.error_with_help(Code::CR001, statement.position(), message, help);
            }

            self.statement(statement, Tail::Nothing);
            // What may not stand here is reported: that nothing uses it says nothing more.
            if !constant {
                self.used.declared.clear();
            }
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

        self.unused();
    }

    /// The kind of what the host supplies under this name.
    fn given(&self, name: &str) -> Kind {
        match Kind::of_variable(name) {
            Kind::Receiver if self.program.form.rolls() => Kind::Candidate,
            kind => kind,
        }
    }

    fn function_body(&mut self, function: &ScriptFuncDef) {
        let mut kinds = self.parameters.of(&function.name, function.params.len());
        (self.is_result, self.inside) = (false, true);

        if let Form::Policy(kind) = self.program.form {
            let given = kind.parameters();
            if function.name == kind.entry() && function.params.len() == given.len() {
                kinds = given.iter().map(|name| self.given(name)).collect();
                self.is_result = true;
            }
        }

        let names = function.params.iter().zip(kinds);
        self.scope.extend(names.map(|(name, kind)| Variable::given(name, kind)));

        let body = body(self.ast, function);
        self.assigned = assigned(&body);

        // An empty body is no statement that could be pointed at.
        if body.is_empty() && self.is_result {
            self.nothing(Tail::Result, self.name_of_function(function));
        }

        self.statements(&body, Tail::Result);
    }

    /// Statements in a scope of their own.
    pub(super) fn statements(&mut self, statements: &[Stmt], tail: Tail) {
        let depth = self.scope.len();

        self.unreachable(statements);
        // What is never reached answers nothing.
        let ended = statements.iter().position(ends).unwrap_or(usize::MAX);

        for (index, statement) in statements.iter().enumerate() {
            let is_last = index + 1 == statements.len() && index <= ended;
            if is_last {
                self.without_result(tail, statement);
            } else if index < ended {
                self.lost(statement);
            }

            self.statement(statement, if is_last { tail } else { Tail::Nothing });
        }

        self.scope.truncate(depth);
    }

    fn statement(&mut self, statement: &Stmt, tail: Tail) {
        match statement {
            Stmt::If(flow, _) => {
                self.condition("if", &flow.expr);
                self.statements(flow.body.statements(), tail);
                self.statements(flow.branch.statements(), tail);
            }

            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                if !matches!(flow.expr, Expr::Unit(_)) {
                    self.condition("while", &flow.expr);
                }
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
                // A variable that is assigned to later may hold anything by then.
                let kind = if self.assigned.contains(name.as_str()) { Kind::Any } else { kind };
                let (name, at) = (name.as_str().to_owned(), name.pos);
                self.used.declared.push((name.clone(), at));
                self.scope.push(Variable { name, kind, constant, at });
            }

            Stmt::Assignment(x) => self.assignment(&x.1.lhs, &x.1.rhs),
            Stmt::FnCall(call, at) => {
                let kind = self.call(call, *at);

                let whole = Expr::FnCall(call.clone(), *at);
                self.rounded(tail, &whole);
                self.multiplied(tail, &whole);
                self.result(tail, kind, *at);
            }

            Stmt::Block(block) => self.statements(block.statements(), tail),
            Stmt::TryCatch(flow, _) => self.try_catch(flow),
            Stmt::Expr(expr) => self.tail_expr(expr, tail),
            Stmt::BreakLoop(Some(expr), ..) => {
                self.expr(expr);
            }
            Stmt::Return(None, flags, at) if !flags.contains(ASTFlags::BREAK) => {
                self.nothing(Tail::Result, *at);
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
        self.scope.extend(counter.map(|counter| Variable::given(counter, Kind::Number)));
        self.scope.push(Variable::given(name, kind));
        self.statements(flow.body.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn try_catch(&mut self, flow: &FlowControl) {
        self.statements(flow.body.statements(), Tail::Nothing);
        let depth = self.scope.len();
        if let Some(name) = name_of(&flow.expr) {
            self.scope.push(Variable::given(name, Kind::Any));
        }
        self.statements(flow.branch.statements(), Tail::Nothing);
        self.scope.truncate(depth);
    }

    fn assignment(&mut self, target: &Expr, value: &Expr) {
        self.expr(value);
        let Some(name) = name_of(target) else {
            self.expr(target);
            let (root, links) = chain(target);
            if let (Some(name), false) = (name_of(root), links.is_empty()) {
                let known = self.scope.iter().rev().find(|variable| variable.name == name);
                if known.is_some_and(|variable| variable.kind.is_view()) {
                    let message = format!("`{name}` cannot be changed");
                    self.error(Code::CR008, start(target), message);
                }
            }
            return;
        };

        match self.scope.iter().rev().find(|variable| variable.name == name) {
            None => {
                let message = format!("unknown variable `{name}`");
                let help = format!("write `let {name} = …` the first time");
                self.error_with_help(Code::CR007, target.start_position(), message, Some(help));
                // One finding is enough.
                self.scope.push(Variable::given(name, Kind::Any));
            }
            Some(variable) if variable.constant => {
                let message = format!("`{name}` is constant and cannot be changed");
                let help = format!("take another name: `let other = {name};`");
                self.used.places.insert(variable.at);
                self.error_with_help(Code::CR016, target.start_position(), message, Some(help));
            }
            Some(_) => _ = self.expr(target),
        }
    }

    /// Numbers of parameters of the script's own functions of this name.
    pub(super) fn arities(&self, name: &str) -> Vec<usize> {
        let named = self.ast.iter_fn_def().filter(|function| function.name == name);
        let mut arities: Vec<usize> = named.map(|function| function.params.len()).collect();
        arities.sort_unstable();
        arities
    }

    /// The script's own functions.
    pub(super) fn functions(&self) -> Vec<Arc<ScriptFuncDef>> {
        self.ast.iter_fn_def().map(Arc::clone).collect()
    }

    /// What the name of a top-level constant stands for.
    pub(super) fn constant(&self, name: &Expr) -> Option<&Expr> {
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
