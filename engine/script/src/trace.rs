//! A program run with its values written down, line by line, and single expressions evaluated: for
//! `accredit eval --explain` and `accredit repl`.
//!
//! Not what decides: [`Machine`](super::Machine) does, without looking over its own shoulder. Called
//! by the command line.
//!
//! **Architecture invariant:** looking changes nothing: every value is computed a second time by a
//! second engine on a copy of the variables, under the same limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{
    AST, ASTFlags, ASTNode, CallFnOptions, Dynamic, Engine, Expr, FnCallExpr, Position, Scope, Stmt,
};

use super::api::fields::read_field;
use super::api::lookups::PERSON_FIELDS;
use super::constants;
use super::machine::adapter::switch::{switch_bodies, switch_parts};
use super::machine::adapter::{from_dynamic, to_dynamic};
use super::machine::interpreter::entry_parameters;
use super::machine::{self, bind_arguments, bind_reward};
use super::sandbox::{self, Constants, Deadline};
use super::value::ScriptValue;
use super::workbench::Workbench;
use super::{
    RewardArguments, RollupAnswer, ScriptAnswer, ScriptArguments, ScriptFault, Share, fault,
};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm};

/// Steps that are written down; a loop may have many more.
const STEPS_MAX: usize = 500;

/// Values that say nothing by themselves.
const VIEW_KINDS: [&str; 7] =
    ["transaction", "credit", "receiver", "payee", "totals", "range", "something else"];

/// One expression that a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceStep {
    /// Line in the program's file, from 1.
    pub line: u32,
    /// That line of the text, without the space around it; behind the path of its file where that
    /// is a shared one.
    pub text: String,
    /// Whether the line is one of a shared file.
    pub shared: bool,
    /// What was read on the way: `tx.amount` and its value.
    pub reads: Vec<(String, String)>,
    /// The value of the line's expression; none where it gave no answer.
    pub value: Option<String>,
}

/// The steps of one run of `program`, as far as it came.
///
/// # Errors
/// When the program does not compile, or an argument that it sees is missing.
pub fn trace_steps(
    program: &Program,
    arguments: &ScriptArguments<'_>,
) -> Result<Vec<TraceStep>, ScriptFault> {
    let _surroundings = arguments.open_surroundings();
    run_traced(program, bind_arguments(program, arguments)?)
}

/// The same of an intake policy, on the body of a delivery.
///
/// # Errors
/// When the program does not compile, or a number of the body fits no decimal.
pub fn trace_delivery(
    program: &Program,
    payload: &serde_json::Value,
) -> Result<Vec<TraceStep>, ScriptFault> {
    let body = machine::intake::value_from_json(payload);
    run_traced(program, vec![body.map_err(|message| fault::of_program(program, message))?])
}

/// The steps of one run of a reward's program.
///
/// # Errors
/// When the program does not compile, or is not a reward program.
pub fn trace_reward(
    program: &Program,
    seen: &RewardArguments<'_>,
) -> Result<Vec<TraceStep>, ScriptFault> {
    if program.form.scope_variables() != PolicyKind::Reward.parameters() {
        return Err(fault::of_program(program, "this is not a reward program".to_owned()));
    }
    let _surroundings = seen.open_surroundings();
    run_traced(program, bind_reward(seen))
}

fn run_traced(program: &Program, values: Vec<ScriptValue>) -> Result<Vec<TraceStep>, ScriptFault> {
    // The machine that decides pays nothing for an explanation: this is another engine.
    let (mut plain, deadline) = sandbox::new_engine();
    sandbox::limit_values(&mut plain, program.form);

    let plain = Arc::new(plain);
    let ast = constants::compile_with_constants(&plain, program)
        .map_err(|error| fault::of_program(program, fault::parse_message(error.err_type())))?;

    let values = values.into_iter().map(to_dynamic);
    let mut scope = Scope::new();
    deadline.start();

    if let ProgramForm::Policy(_) = program.form {
        let top = plain.eval_ast_with_scope::<Dynamic>(&mut scope, &ast);
        drop(top.map_err(|error| fault::of_error(program, &error))?);
    }

    let constants: Constants =
        scope.iter_raw().map(|(name, _, value)| (name.to_owned(), value.clone())).collect();

    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = watched_engine(program, &ast, &plain, (&constants, &seen));
    // What it answers, or which fault it meets, is asked of the machine that decides.
    match program.form {
        ProgramForm::Policy(kind) => {
            let options = CallFnOptions::new().eval_ast(false).with_tag(Arc::new(constants));
            let mut empty = Scope::new();
            let run = watched.call_fn_with_options::<Dynamic>(
                options,
                &mut empty,
                &ast,
                kind.entry_point(),
                // The last values of an entry point may be left out.
                values.take(entry_parameters(program, &ast)).collect::<Vec<_>>(),
            );
            drop(run);
        }
        ProgramForm::Expression(_) => {
            for (name, value) in program.form.scope_variables().iter().zip(values) {
                scope.push_dynamic(*name, value);
            }
            drop(watched.eval_ast_with_scope::<Dynamic>(&mut scope, &ast));
        }
    }

    let mut steps = seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *steps))
}

/// Values that are kept of one run.
const READS_MAX: usize = 12;

/// How a run came to its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerTrace {
    /// The line of the author's file at which it ended, from 1; none where the run had more steps
    /// than are written down.
    pub line: Option<u32>,
    /// What it read, each value once: `tx.amount` and its value.
    pub reads: Vec<(String, String)>,
}

/// How a run of `program` came to its answer.
pub fn trace_answer(program: &Program, arguments: &ScriptArguments<'_>) -> AnswerTrace {
    let steps = trace_steps(program, arguments).unwrap_or_default();
    let whole = steps.len() < STEPS_MAX;
    let line = steps.iter().rfind(|step| whole && !step.shared).map(|step| step.line);

    let mut reads: Vec<(String, String)> = Vec::new();
    for read in steps.into_iter().flat_map(|step| step.reads) {
        if reads.len() < READS_MAX && !reads.contains(&read) {
            reads.push(read);
        }
    }
    AnswerTrace { line, reads }
}

/// The value of an expression that may use `tx` and, where they are there, `credit` and `to`.
///
/// # Errors
/// Why it has none.
pub fn evaluate_expression(
    source: &str,
    arguments: &ScriptArguments<'_>,
) -> Result<String, String> {
    Workbench::default().evaluate(source, arguments)
}

thread_local! {
    /// What tries calls that are written out; a check may meet many of them.
    static TRYING: (Engine, Arc<Deadline>) = sandbox::new_engine();
}

/// Whether a function of the table takes arguments that are written out; why not, if it does not.
pub(super) fn try_call(call: &FnCallExpr, at: Position) -> Result<(), String> {
    let expr = Expr::FnCall(Box::new(call.clone()), at);
    let ast = AST::new([Stmt::Expr(Box::new(expr))], Arc::default());
    let tried = TRYING.with(|(engine, deadline)| {
        deadline.start();
        engine.eval_ast::<Dynamic>(&ast)
    });
    tried.map(drop).map_err(|error| fault::error_message(error.unwrap_inner()))
}

/// An engine that records a step at each expression of a statement.
fn watched_engine(
    program: &Program,
    ast: &AST,
    plain: &Arc<Engine>,
    (constants, seen): (&Constants, &Arc<Mutex<Vec<TraceStep>>>),
) -> Engine {
    let expressions = expressions_by_position(ast);
    let (ast, plain, seen) = (ast.clone(), Arc::clone(plain), Arc::clone(seen));
    let (constants, source) = (constants.clone(), Arc::clone(&program.source));

    let origin = program.origin.clone();
    let (mut engine, deadline) = sandbox::new_engine();
    sandbox::limit_values(&mut engine, program.form);
    deadline.start();

    #[expect(deprecated, reason = "Rhai marks the callback as unstable; the version is pinned")]
    engine.register_debugger(
        |_, debugger| debugger,
        move |context, event, _, _, position| {
            // The end of a call is an event too, with the variables of the callee.
            if !matches!(event, DebuggerEvent::Start | DebuggerEvent::Step) {
                return Ok(DebuggerCommand::StepInto);
            }
            let mut steps = seen.lock().unwrap_or_else(PoisonError::into_inner);
            // Inside a chain the same place is met again, without the variables.
            let known = |expr: &&Expr| scope_depth(expr) <= context.scope().len();
            let found = expressions.get(&position).filter(|_| steps.len() < STEPS_MAX);
            if let (Some(expr), Some((line, _))) =
                (found.filter(known), fault::line_and_column(position))
            {
                let text = source.lines().nth(line as usize - 1).unwrap_or_default();
                let place = origin.place_at(line, 1);
                let shared = place.file != origin.place.file;
                let text = text.trim();
                let text = if shared { format!("{}: {text}", place.file) } else { text.to_owned() };
                let look = ValueProbe { plain: &plain, ast: &ast, constants: &constants };
                let scope = context.scope();
                let step = TraceStep {
                    line: place.line,
                    shared,
                    text,
                    reads: look.values_read(expr, scope),
                    value: look.value_of(expr, scope),
                };
                if steps.last() != Some(&step) {
                    steps.push(step);
                }
            }

            Ok(DebuggerCommand::StepInto)
        },
    );

    engine
}

/// A second look at what a run sees.
struct ValueProbe<'a> {
    plain: &'a Engine,
    ast: &'a AST,
    constants: &'a Constants,
}

impl ValueProbe<'_> {
    /// Every variable and chain of `expr` with its value, in order; what has no value is left out.
    fn values_read(&self, expr: &Expr, scope: &Scope<'_>) -> Vec<(String, String)> {
        let mut found = Vec::new();

        let (mut links, mut asked) = (Vec::new(), Vec::new());
        expr.walk(&mut Vec::new(), &mut |path| {
            if let Some(ASTNode::Expr(part)) = path.last()
                && !links.contains(&part.position())
                && let Some(name) = name_of(part)
            {
                let (_, parts) = fault::chain_links(part);
                links.extend(parts.iter().map(|link| link.sign));
                if let Some(before) = self.value_before_method(&name, &parts, scope) {
                    asked.push(before.0.clone());
                    found.push(before);
                }
                if let Some(value) = self.value_of(part, scope) {
                    found.push((name, value));
                }
            }
            true
        });

        // A chain begins with a variable that says less than the whole of it.
        let whole: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let longer = |name: &str| {
            let begins = |other: &&String| {
                other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            whole.iter().any(|other| begins(&other))
        };

        found.retain(|(name, _)| asked.contains(name) || !longer(name));
        found.retain(|(_, value)| !VIEW_KINDS.contains(&value.as_str()));
        found.dedup();
        found
    }

    /// The text before the last method of a chain, if it is complete on its own: of
    /// `tx["stage"].contains("Won")` a reader wants to know what the stage is.
    fn value_before_method(
        &self,
        name: &str,
        parts: &[fault::ChainLink<'_>],
        scope: &Scope<'_>,
    ) -> Option<(String, String)> {
        let Some(Expr::MethodCall(call, _)) = parts.last().map(|link| link.expr) else {
            return None;
        };

        if parts.len() < 2 {
            return None;
        }

        let before = name.rfind(&format!(".{}(", call.name)).and_then(|end| name.get(..end))?;
        let expr = self.plain.compile_expression(before).ok()?;
        let value = self.plain.eval_ast_with_scope::<Dynamic>(&mut self.copy_scope(scope), &expr);
        value.ok().map(|value| (before.to_owned(), show_value(&from_dynamic(&value))))
    }

    fn value_of(&self, expr: &Expr, scope: &Scope<'_>) -> Option<String> {
        let mut copy = self.copy_scope(scope);
        let value =
            self.plain.eval_ast_with_scope::<Dynamic>(&mut copy, &self.standalone_program(expr));
        value.ok().map(|value| show_value(&from_dynamic(&value)))
    }

    /// The variables of a run, for a second look.
    fn copy_scope(&self, scope: &Scope<'_>) -> Scope<'static> {
        // Places of variables count from the end of the scope: constants go in front.
        let mut copy = Scope::new();
        for (name, value) in self.constants {
            copy.push_dynamic(name.clone(), value.clone());
        }
        // Inner ones come first.
        let variables: Vec<_> = scope.iter_raw().collect();
        for (name, _, value) in variables.into_iter().rev() {
            copy.push_dynamic(name.to_owned(), value.clone());
        }
        copy
    }

    /// The expression as a program of its own, with the functions of the script.
    fn standalone_program(&self, expr: &Expr) -> AST {
        let statement = Stmt::Expr(Box::new(expr.clone()));
        AST::new([statement], Arc::clone(self.ast.shared_lib()))
    }
}

/// The expressions of every statement, by where a run meets them.
fn expressions_by_position(ast: &AST) -> HashMap<Position, Expr> {
    let mut found = HashMap::new();
    ast.walk(&mut |path| {
        let exprs: Vec<Expr> = match path.last() {
            Some(ASTNode::Stmt(statement)) => statement_expression(statement).into_iter().collect(),
            Some(ASTNode::Expr(expr)) => switch_bodies(expr).into_iter().cloned().collect(),
            _ => Vec::new(),
        };

        for expr in exprs.into_iter().filter(|expr| !matches!(expr, Expr::Stmt(_))) {
            let expr = computed_first(expr);
            found.entry(expr.position()).or_insert(expr);
        }
        true
    });

    found
}

/// The expression itself; of a `switch` the value that it looks at, since one arm alone is computed.
fn computed_first(expr: Expr) -> Expr {
    match &expr {
        Expr::Custom(custom, _) => {
            let value = switch_parts(custom).map(|(value, _)| value.clone());
            value.unwrap_or(expr)
        }
        _ => expr,
    }
}

/// How many variables must be in scope for `expr` to find its own.
fn scope_depth(expr: &Expr) -> usize {
    let mut depth = 0;
    expr.walk(&mut Vec::new(), &mut |path| {
        if let Some(ASTNode::Expr(Expr::Variable(variable, short, _))) = path.last() {
            let index = short.map(|index| usize::from(index.get()));
            let index = index.or_else(|| variable.0.map(std::num::NonZeroUsize::get));
            depth = depth.max(index.unwrap_or(0));
        }
        true
    });
    depth
}

/// The expression that a statement computes before anything else.
fn statement_expression(statement: &Stmt) -> Option<Expr> {
    Some(match statement {
        Stmt::Var(x, flags, _) if !flags.contains(ASTFlags::CONSTANT) => x.1.clone(),
        Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) => flow.expr.clone(),
        Stmt::For(x, _) => x.2.expr.clone(),
        Stmt::Assignment(x) => x.1.rhs.clone(),
        Stmt::FnCall(call, at) => Expr::FnCall(call.clone(), *at),
        Stmt::Expr(expr) => (**expr).clone(),
        Stmt::Return(Some(expr), ..) => (**expr).clone(),
        Stmt::Return(None, _, at) => Expr::Unit(*at),
        _ => return None,
    })
}

/// `tx.amount`, `tx["Rep #1"]`, `tx.has("amount")`, `share`: what a reader would look up.
fn name_of(expr: &Expr) -> Option<String> {
    let (root, links) = fault::chain_links(expr);

    let Expr::Variable(variable, ..) = root else { return None };
    let mut name = variable.1.to_string();

    for link in &links {
        match link.expr {
            Expr::Property(property, _) => name.push_str(&format!(".{}", property.2)),
            Expr::StringConstant(column, _) if link.indexed => {
                name.push_str(&format!("[\"{column}\"]"));
            }
            Expr::IntegerConstant(index, _) if link.indexed => name.push_str(&format!("[{index}]")),
            Expr::MethodCall(call, _) => match call.args.as_slice() {
                [] => name.push_str(&format!(".{}()", call.name)),
                [Expr::StringConstant(text, _)] => {
                    name.push_str(&format!(".{}(\"{text}\")", call.name));
                }
                _ => return None,
            },
            _ => return None,
        }
    }

    Some(name)
}

/// A value as an author would write it.
pub(super) fn show_value(value: &ScriptValue) -> String {
    match value {
        ScriptValue::Text(text) => format!("{text:?}"),
        ScriptValue::Share(share) => share_text(share),
        ScriptValue::Hold(hold) => hold.script_text(),
        ScriptValue::Array(items) => {
            format!("[{}]", items.iter().map(show_value).collect::<Vec<_>>().join(", "))
        }
        ScriptValue::Map(entries) => {
            let entries =
                entries.iter().map(|(key, value)| format!("{key}: {}", show_value(value)));
            format!("#{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        ScriptValue::Person(_) => {
            let fields = PERSON_FIELDS.iter().filter_map(|name| {
                Some(format!("{name}: {}", show_value(&read_field(value, name).ok()?)))
            });
            format!("#{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => match other.to_text() {
            Some(text) => text.to_string(),
            None => other.kind_word().to_owned(),
        },
    }
}

fn share_text(share: &Share) -> String {
    let weight = share.weight.map(|weight| format!(", {weight}")).unwrap_or_default();
    format!("share({:?}{weight})", share.who)
}

/// What a program answered, as an author would write it.
pub fn show_answer(answer: &ScriptAnswer) -> String {
    match answer {
        ScriptAnswer::Nothing => "()".to_owned(),
        ScriptAnswer::Bool(flag) => flag.to_string(),
        ScriptAnswer::Number(number) => number.to_string(),
        ScriptAnswer::Text(text) => format!("{text:?}"),
        ScriptAnswer::Shares(shares) => {
            format!("[{}]", shares.iter().map(share_text).collect::<Vec<_>>().join(", "))
        }
        ScriptAnswer::Hold(hold) => hold.script_text(),
        ScriptAnswer::Rolled(rolled) => rolled_text(rolled),
    }
}

fn rolled_text(rolled: &RollupAnswer) -> String {
    let mut entries = vec![format!("amount: {}", rolled.amount)];
    entries.extend(rolled.credit_type.iter().map(|kind| format!("credit_type: {kind:?}")));
    entries.extend(rolled.hold.iter().map(|hold| format!("hold: {}", hold.script_text())));
    entries.extend(rolled.maximum.iter().map(|maximum| format!("maximum: {maximum}")));
    format!("#{{{}}}", entries.join(", "))
}
