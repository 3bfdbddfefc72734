//! Syntax trees of Rhai as nodes over slots.
//!
//! Not checking: what a program may do was said by `check`, and what this cannot compile is left to
//! the interpreter, with the reason. Called by `compile`.
//!
//! **Architecture invariant:** only what means the same in both is compiled. Whatever is rare, or
//! depends on how the interpreter goes about it, is refused.

mod answers;
mod calls;
mod chains;
mod statements;
mod values;
mod variables;

use std::collections::{BTreeMap, HashMap};

use rhai::{AST, Position, ScriptFuncDef, Stmt};

use self::variables::FunctionLowering;
use super::SLOTS_MAX;
use super::cells::DealCells;
use super::node::{CompiledCode, CompiledFunction, HostInput, Node, PlainInputs};
use crate::check::body_statements;
use crate::fault;
use crate::machine::adapter;
use crate::sandbox::Constants;
use crate::value::ScriptValue;
use accredit_domain::policy::ReturnType;

/// Why a function of a program is not compiled: what it uses, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotCompiled {
    /// The function; blank for an expression.
    pub(crate) function: String,
    /// What the compiler does not know, in words of the author.
    pub(crate) what: String,
    /// Line and column in the text, where they are known.
    pub(crate) at: Option<(u32, u32)>,
}

type Lowered<T = Node> = Result<T, NotCompiled>;

/// How Rhai's names of functions without a name begin.
const FN_ANONYMOUS: &str = "anon$";

fn refuse<T>(what: &str, at: Position) -> Lowered<T> {
    let (what, at) = (what.to_owned(), fault::line_and_column(at));
    Err(NotCompiled { function: String::new(), what, at })
}

fn unknown(name: &str, at: Position) -> NotCompiled {
    let at = fault::line_and_column(at);
    NotCompiled { function: String::new(), what: format!("`{name}`"), at }
}

/// Compiles the function `entry` of a policy, which takes `inputs`, and what it calls.
pub(super) fn lower_policy(
    ast: &AST,
    constants: Option<&Constants>,
    (entry, inputs): (&str, &[&str]),
    returns: ReturnType,
) -> Result<CompiledCode, Vec<NotCompiled>> {
    let lower = |inputs: Inputs| {
        let mut program = ProgramLowering::new(ast, constants, inputs, returns);
        if program.function_place(entry, program.inputs.len()).is_none() {
            return Err(refuse_all("an entry point that is not there"));
        }
        program.lower_all()
    };

    let code = lower(Inputs::read_from_host(inputs))?;
    match code {
        Some(code) => Ok(code),
        // A function that calls the entry point gives it other values than the host does.
        None => lower(Inputs::as_values(inputs))?.ok_or_else(|| refuse_all("a call of itself")),
    }
}

fn refuse_all(what: &str) -> Vec<NotCompiled> {
    vec![NotCompiled { function: String::new(), what: what.to_owned(), at: None }]
}

/// Compiles an expression that sees `variables`.
pub(super) fn lower_expression(
    ast: &AST,
    variables: &[&str],
    returns: ReturnType,
) -> Result<CompiledCode, Vec<NotCompiled>> {
    let inputs = Inputs::read_from_host(variables);
    let mut program = ProgramLowering::new(ast, None, inputs, returns);
    program.functions.push(CompiledFunction::default());

    let lowered = program.lower_function(0, variables.iter().copied(), ast.statements());
    lowered.map_err(|refused| vec![refused])?;
    program.lower_all()?.ok_or_else(|| refuse_all("a call of itself"))
}

/// What the entry point takes.
struct Inputs {
    names: Vec<(String, HostInput)>,
    /// Whether nodes may read them where they are.
    from_host: bool,
}

impl Inputs {
    fn read_from_host(names: &[&str]) -> Inputs {
        let names = names.iter().map(|name| ((*name).to_owned(), HostInput::from_name(name)));
        Inputs { names: names.collect(), from_host: true }
    }

    fn as_values(names: &[&str]) -> Inputs {
        Inputs { from_host: false, ..Inputs::read_from_host(names) }
    }
}

/// A program that is being compiled.
struct ProgramLowering<'a> {
    ast: &'a AST,
    returns: ReturnType,
    /// Functions of the script, by name and number of parameters.
    known: HashMap<(String, usize), &'a ScriptFuncDef>,
    constants: BTreeMap<&'a str, ScriptValue>,
    /// Places of the functions that are reached.
    places: HashMap<(String, usize), usize>,
    /// Functions that are reached and not compiled yet.
    waiting: Vec<(usize, &'a ScriptFuncDef)>,
    functions: Vec<CompiledFunction>,
    /// What the entry point takes, and whether it is needed as a value.
    inputs: Vec<(HostInput, bool)>,
    inputs_from_host: bool,
    cells: DealCells,
    reads_surroundings: bool,
    /// Whether a function calls the entry point.
    calls_entry: bool,
}

impl<'a> ProgramLowering<'a> {
    fn new(
        ast: &'a AST,
        constants: Option<&'a Constants>,
        inputs: Inputs,
        returns: ReturnType,
    ) -> Self {
        let known = ast.iter_fn_def().map(|function| {
            ((function.name.to_string(), function.params.len()), function.as_ref())
        });
        let constants = constants.into_iter().flatten();
        let constants =
            constants.map(|(name, value)| (name.as_str(), adapter::from_dynamic(value)));

        ProgramLowering {
            ast,
            returns,
            known: known.collect(),
            constants: constants.collect(),
            places: HashMap::new(),
            waiting: Vec::new(),
            functions: Vec::new(),
            inputs: inputs.names.iter().map(|(_, input)| (*input, !inputs.from_host)).collect(),
            inputs_from_host: inputs.from_host,
            cells: DealCells::default(),
            reads_surroundings: !inputs.from_host,
            calls_entry: false,
        }
    }

    /// The place of a function of the script; it is compiled later.
    fn function_place(&mut self, name: &str, count: usize) -> Option<usize> {
        let key = (name.to_owned(), count);
        let function = *self.known.get(&key)?;
        if let Some(place) = self.places.get(&key) {
            self.calls_entry |= *place == 0;
            return Some(*place);
        }

        let place = self.functions.len();
        self.functions.push(CompiledFunction::default());
        self.places.insert(key, place);
        self.waiting.push((place, function));
        Some(place)
    }

    fn has_function(&self, name: &str) -> bool {
        self.known.keys().any(|(known, _)| *known == name)
    }

    /// Compiles the body of the function at `place`.
    fn lower_function<'n>(
        &mut self,
        place: usize,
        parameters: impl ExactSizeIterator<Item = &'n str>,
        statements: &[Stmt],
    ) -> Lowered<()> {
        let count = parameters.len();
        let mut lowering = FunctionLowering::new(self, place, statements);
        for name in parameters {
            lowering.declare(name, false);
        }

        let mut body = lowering.lower_statements(statements)?;
        if lowering.slots > SLOTS_MAX {
            return refuse("more variables than the compiler takes", Position::NONE);
        }
        let (slots, weight) = (lowering.slots, lowering.weight);

        answers::finish_function(&mut body, place == 0 && self.inputs_from_host, self.returns);
        if let Some(function) = self.functions.get_mut(place) {
            *function =
                CompiledFunction { parameters: count, slots, body, weight, interpreted: None };
        }
        Ok(())
    }

    /// Compiles what is reached; none where the entry point is called, so that its inputs are values like
    /// others. A function that only the interpreter knows is left to it, with what it calls.
    ///
    /// # Errors
    /// Every reason why a function is not compiled, if the entry point is one of them.
    fn lower_all(mut self) -> Result<Option<CompiledCode>, Vec<NotCompiled>> {
        let (mut refused, mut needs_all) = (Vec::new(), false);
        while let Some((place, function)) = self.waiting.pop() {
            let statements = body_statements(self.ast, function);
            let parameters = function.params.iter().map(|name| name.as_str());
            if let Err(reason) = self.lower_function(place, parameters, &statements) {
                refused.push(NotCompiled { function: function.name.to_string(), ..reason });
                needs_all |= place == 0 || !self.leave_to_interpreter(place, function);
            }
        }

        refused.sort_by_key(|reason| reason.at);
        if needs_all {
            return Err(refused);
        }
        if self.calls_entry && self.inputs_from_host {
            return Ok(None);
        }
        let has_slots = match self.functions.as_slice() {
            [only] => !self.inputs_from_host || only.slots > only.parameters,
            _ => true,
        };
        let plain = PlainInputs::of(&self.inputs).filter(|_| !has_slots);
        Ok(Some(CompiledCode {
            functions: self.functions,
            plain,
            inputs: self.inputs,
            cells: self.cells,
            // What the interpreter reads is not known.
            reads_surroundings: self.reads_surroundings || !refused.is_empty(),
            refused,
        }))
    }

    /// Lets the interpreter run a function; whether it can be called by its name, unlike `|x| …`.
    fn leave_to_interpreter(&mut self, place: usize, function: &ScriptFuncDef) -> bool {
        let (name, parameters) = (function.name.as_str(), function.params.len());
        if let Some(left) = self.functions.get_mut(place) {
            let interpreted = Some(Box::from(name));
            *left = CompiledFunction { parameters, interpreted, ..CompiledFunction::default() };
        }
        !name.starts_with(FN_ANONYMOUS)
    }
}
