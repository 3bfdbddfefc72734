//! Syntax trees of Rhai as nodes over slots.
//!
//! Not checking: what a program may do was said by `check`, and what this cannot compile is left to
//! the interpreter, with the reason. Called by `compile`.
//!
//! **Architecture invariant:** only what means the same in both is compiled. Whatever is rare, or
//! depends on how the interpreter goes about it, is refused.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rhai::{AST, ASTFlags, Dynamic, Expr, FnCallExpr, Position, ScriptFuncDef, Stmt};

use super::node::{Comparison, CompiledCode, CompiledFunction, ForLoop, ItemFunction, Node};
use super::{LINK_ARGUMENTS_MAX, SLOTS_MAX};
use crate::api::{self, ScriptFunction};
use crate::check::body_statements;
use crate::fault::{self, chain_links};
use crate::machine::adapter;
use crate::sandbox::Constants;
use crate::value::ScriptValue;

/// Why a program is not compiled: what it uses, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotCompiled {
    /// What the compiler does not know, in words of the author.
    pub(crate) what: String,
    /// Line and column in the text, where they are known.
    pub(crate) at: Option<(u32, u32)>,
}

type Lowered<T = Node> = Result<T, NotCompiled>;

fn refuse<T>(what: &str, at: Position) -> Lowered<T> {
    Err(NotCompiled { what: what.to_owned(), at: fault::line_and_column(at) })
}

/// Compiles the function `entry` of a policy with so many parameters, and what it calls.
pub(super) fn lower_policy(
    ast: &AST,
    constants: Option<&Constants>,
    (entry, parameters): (&str, usize),
) -> Lowered<CompiledCode> {
    let mut program = ProgramLowering::new(ast, constants);
    if program.function_place(entry, parameters).is_none() {
        return refuse("an entry point that is not there", Position::NONE);
    }
    program.lower_all()
}

/// Compiles an expression that sees `variables`.
pub(super) fn lower_expression(ast: &AST, variables: &[&str]) -> Lowered<CompiledCode> {
    let mut program = ProgramLowering::new(ast, None);
    program.functions.push(CompiledFunction::default());

    let mut lowering = FunctionLowering::new(&mut program);
    variables.iter().for_each(|name| lowering.declare(name, false));
    let body = lowering.lower_statements(ast.statements())?;
    let function = lowering.into_function(variables.len(), body)?;
    program.put_function(0, function);
    program.lower_all()
}

/// A program that is being compiled.
struct ProgramLowering<'a> {
    ast: &'a AST,
    /// Functions of the script, by name and number of parameters.
    known: HashMap<(String, usize), &'a ScriptFuncDef>,
    constants: BTreeMap<&'a str, ScriptValue>,
    /// Places of the functions that are reached.
    places: HashMap<(String, usize), usize>,
    /// Functions that are reached and not compiled yet.
    waiting: Vec<(usize, &'a ScriptFuncDef)>,
    functions: Vec<CompiledFunction>,
}

impl<'a> ProgramLowering<'a> {
    fn new(ast: &'a AST, constants: Option<&'a Constants>) -> Self {
        let known = ast.iter_fn_def().map(|function| {
            ((function.name.to_string(), function.params.len()), function.as_ref())
        });
        let constants = constants.into_iter().flatten();
        let constants =
            constants.map(|(name, value)| (name.as_str(), adapter::from_dynamic(value)));

        ProgramLowering {
            ast,
            known: known.collect(),
            constants: constants.collect(),
            places: HashMap::new(),
            waiting: Vec::new(),
            functions: Vec::new(),
        }
    }

    /// The place of a function of the script; it is compiled later.
    fn function_place(&mut self, name: &str, count: usize) -> Option<usize> {
        let key = (name.to_owned(), count);
        let function = *self.known.get(&key)?;
        if let Some(place) = self.places.get(&key) {
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

    fn put_function(&mut self, place: usize, function: CompiledFunction) {
        if let Some(slot) = self.functions.get_mut(place) {
            *slot = function;
        }
    }

    fn lower_all(mut self) -> Lowered<CompiledCode> {
        while let Some((place, function)) = self.waiting.pop() {
            let ast = self.ast;
            let mut lowering = FunctionLowering::new(&mut self);
            function.params.iter().for_each(|name| lowering.declare(name, false));
            let body = lowering.lower_statements(&body_statements(ast, function))?;
            let lowered = lowering.into_function(function.params.len(), body)?;
            self.put_function(place, lowered);
        }
        Ok(CompiledCode { functions: self.functions })
    }
}

/// A function that is being compiled.
struct FunctionLowering<'p, 'a> {
    program: &'p mut ProgramLowering<'a>,
    /// Names in scope with their slots, inner ones last.
    scope: Vec<ScopeName>,
    /// Slots that exist at a time at most.
    slots: usize,
    weight: u32,
    /// In how many lists of arguments the lowering is.
    arguments: u32,
}

struct ScopeName {
    name: String,
    constant: bool,
}

impl<'p, 'a> FunctionLowering<'p, 'a> {
    fn new(program: &'p mut ProgramLowering<'a>) -> Self {
        FunctionLowering { program, scope: Vec::new(), slots: 0, weight: 0, arguments: 0 }
    }

    fn declare(&mut self, name: &str, constant: bool) {
        self.scope.push(ScopeName { name: name.to_owned(), constant });
        self.slots = self.slots.max(self.scope.len());
    }

    /// The slot of the innermost variable with a name, and whether it may change.
    fn find_slot(&self, name: &str) -> Option<(usize, bool)> {
        let slot = self.scope.iter().rposition(|known| known.name == name)?;
        Some((slot, self.scope.get(slot).is_some_and(|known| !known.constant)))
    }

    fn into_function(self, parameters: usize, body: Vec<Node>) -> Lowered<CompiledFunction> {
        if self.slots > SLOTS_MAX {
            return refuse("more variables than the compiler takes", Position::NONE);
        }
        Ok(CompiledFunction { parameters, slots: self.slots, body, weight: self.weight })
    }

    /// Statements in a scope of their own.
    fn lower_block(&mut self, statements: &[Stmt]) -> Lowered<Box<[Node]>> {
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

    fn lower_statements(&mut self, statements: &[Stmt]) -> Lowered<Vec<Node>> {
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
                let condition = match &flow.expr {
                    Expr::Unit(_) => None,
                    condition => Some(Box::new(self.lower(condition)?)),
                };
                let (body, weight) = self.lower_round(flow.body.statements())?;
                Node::While(condition, body, weight)
            }

            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                let items = self.lower(&flow.expr)?;
                let outer = self.scope.len();

                // The counter comes first in the scope of Rhai too.
                let counter = counter.as_ref().map(|counter| {
                    self.declare(counter.as_str(), false);
                    self.scope.len() - 1
                });
                self.declare(item.as_str(), false);
                let slot = self.scope.len() - 1;

                let round = self.lower_round(flow.body.statements());
                self.scope.truncate(outer);
                let (body, weight) = round?;
                Node::For(Box::new(ForLoop { slot, counter, items, body, weight }))
            }

            Stmt::Var(declared, flags, _) => {
                let (name, value, _) = &**declared;
                let value = Box::new(self.lower(value)?);
                self.declare(name.as_str(), flags.contains(ASTFlags::CONSTANT));
                Node::Set(self.scope.len() - 1, value)
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

            other => {
                return refuse("a statement that only the interpreter knows", other.position());
            }
        })
    }

    fn lower_assignment(&mut self, assignment: &(rhai::OpAssignment, rhai::BinaryExpr)) -> Lowered {
        let (operation, sides) = assignment;
        let at = operation.position();
        self.refuse_among_arguments(at)?;
        let Expr::Variable(name, ..) = &sides.lhs else {
            return refuse("an assignment to an item or a key", at);
        };
        let Some((slot, true)) = self.find_slot(&name.1) else {
            return refuse("an assignment to what is constant", at);
        };

        let value = Box::new(self.lower(&sides.rhs)?);
        let Some((.., sign)) = operation.get_op_assignment_info() else {
            return Ok(Node::Set(slot, value));
        };
        let function = api::find_function(sign).ok_or_else(|| unknown(sign, at))?;
        Ok(Node::Change(slot, function, value))
    }

    fn lower(&mut self, expr: &Expr) -> Lowered {
        self.weight = self.weight.saturating_add(1);

        Ok(match expr {
            Expr::Unit(_) => Node::Constant(ScriptValue::Unit),
            Expr::BoolConstant(flag, _) => Node::Constant((*flag).into()),
            Expr::IntegerConstant(whole, _) => Node::Constant((*whole).into()),
            Expr::StringConstant(text, _) => Node::Constant(text.as_str().into()),
            Expr::CharConstant(letter, _) => Node::Constant(letter.to_string().into()),
            Expr::DynamicConstant(value, at) => Node::Constant(constant_value(value, *at)?),
            Expr::InterpolatedString(parts, _) => Node::Text(self.lower_each(parts.iter())?),
            Expr::Array(items, _) => Node::Array(self.lower_each(items.iter())?),

            Expr::Map(entries, _) => {
                let entries = entries.0.iter().map(|(key, value)| {
                    self.lower(value).map(|value| (Arc::from(key.as_str()), value))
                });
                Node::Map(entries.collect::<Lowered<_>>()?)
            }

            Expr::Variable(name, _, at) => match self.find_slot(&name.1) {
                Some((slot, _)) => Node::Slot(slot),
                None => match self.program.constants.get(name.1.as_str()) {
                    Some(value) => Node::Constant(value.clone()),
                    None => return Err(unknown(&name.1, *at)),
                },
            },

            Expr::And(terms, _) => Node::And(self.lower_each(terms.iter())?),
            Expr::Or(terms, _) => Node::Or(self.lower_each(terms.iter())?),
            Expr::FnCall(call, at) => return self.lower_call(call, *at),
            Expr::Stmt(block) => Node::Block(self.lower_block(block.statements())?),
            Expr::Dot(..) | Expr::Index(..) => return self.lower_chain(expr),
            other => {
                return refuse("an expression that only the interpreter knows", other.position());
            }
        })
    }

    fn lower_each<'e>(&mut self, items: impl Iterator<Item = &'e Expr>) -> Lowered<Box<[Node]>> {
        self.arguments += 1;
        let lowered = items.map(|item| self.lower(item)).collect();
        self.arguments -= 1;
        lowered
    }

    /// The interpreter reads a variable that is the first argument after the other arguments, so a
    /// change among them would be seen there and not here.
    fn refuse_among_arguments(&self, at: Position) -> Lowered<()> {
        if self.arguments > 0 {
            return refuse("a change of a variable inside an argument", at);
        }
        Ok(())
    }

    fn lower_call(&mut self, call: &FnCallExpr, at: Position) -> Lowered {
        let name = call.name.as_str();

        // A function of the script comes before one of the table.
        if let Some(place) = self.program.function_place(name, call.args.len()) {
            return Ok(Node::Own(place, self.lower_each(call.args.iter())?));
        }

        if let (Some(function), [items, Expr::DynamicConstant(each, _)]) =
            (ItemFunction::from_name(name), call.args.as_slice())
        {
            let items = Box::new(self.lower(items)?);
            return self.each_item(function, items, each, at);
        }

        if name == "push" {
            let [Expr::Variable(array, ..), item] = call.args.as_slice() else {
                return refuse("`push` of what is no variable", at);
            };
            return self.lower_push(&array.1, item, at);
        }

        let arguments = self.lower_each(call.args.iter())?;
        table_call(name, arguments, at)
    }

    fn each_item(
        &mut self,
        function: ItemFunction,
        items: Box<Node>,
        each: &Dynamic,
        at: Position,
    ) -> Lowered {
        let name = adapter::function_name(each);
        let place = name.and_then(|name| self.program.function_place(&name, 1));
        match place {
            Some(place) => Ok(Node::EachItem(function, items, place)),
            None => refuse("a function that is not known here", at),
        }
    }

    fn lower_push(&mut self, array: &str, item: &Expr, at: Position) -> Lowered {
        self.refuse_among_arguments(at)?;
        let Some((slot, true)) = self.find_slot(array) else {
            return refuse("`push` of what is constant", at);
        };
        Ok(Node::Push(slot, Box::new(self.lower(item)?)))
    }

    /// `tx["Rep #1"].trim()`: a value, and what is read of it link by link.
    fn lower_chain(&mut self, expr: &Expr) -> Lowered {
        if has_optional_link(expr) {
            return refuse("`?.` and `?[`", expr.position());
        }

        let (root, links) = chain_links(expr);
        let mut value = match (root, links.as_slice()) {
            // `push` changes its variable, so it is no value of a chain.
            (Expr::Variable(name, ..), [link]) if is_push(link.expr) => {
                let Expr::MethodCall(call, at) = link.expr else {
                    return refuse("`push` without a call", link.sign);
                };
                let [item] = call.args.as_slice() else {
                    return refuse("`push` of several items", *at);
                };
                return self.lower_push(&name.1, item, *at);
            }
            (root, _) => self.lower(root)?,
        };

        for link in links {
            value = match link.expr {
                Expr::Property(property, _) if !link.indexed => {
                    Node::Field(Box::new(value), Arc::from(property.2.as_str()))
                }
                Expr::MethodCall(call, at) if !link.indexed => {
                    self.lower_method(value, call, *at)?
                }
                Expr::StringConstant(name, _) if link.indexed => {
                    Node::Column(Box::new(value), Arc::from(name.as_str()))
                }
                index if link.indexed => {
                    let index = self.lower_each(std::iter::once(index))?;
                    let [index] =
                        *<Box<[Node; 1]>>::try_from(index).map_err(|_| unknown("[]", link.sign))?;
                    Node::Item(Box::new([value, index]))
                }
                other => return refuse("this after a dot", other.position()),
            };
        }
        Ok(value)
    }

    fn lower_method(&mut self, value: Node, call: &FnCallExpr, at: Position) -> Lowered {
        let name = call.name.as_str();
        // Called behind a dot, a function of a script would see the value as `this`.
        if self.program.has_function(name) || name == "push" {
            return refuse("a function of the script behind a dot", at);
        }

        if let (Some(function), [Expr::DynamicConstant(each, _)]) =
            (ItemFunction::from_name(name), call.args.as_slice())
        {
            return self.each_item(function, Box::new(value), each, at);
        }

        if call.args.len() > LINK_ARGUMENTS_MAX {
            return refuse("so many arguments", at);
        }
        let mut arguments = vec![value];
        arguments.extend(self.lower_each(call.args.iter())?);
        table_call(name, arguments.into_boxed_slice(), at)
    }
}

fn table_call(name: &str, arguments: Box<[Node]>, at: Position) -> Lowered {
    let function: Option<&'static ScriptFunction> = api::find_function(name);
    let function = function.filter(|function| function.arities.contains(&arguments.len()));
    let Some(function) = function else { return Err(unknown(name, at)) };

    if let Some(comparison) = Comparison::from_sign(name) {
        let sides: Result<Box<[Node; 2]>, _> = arguments.try_into();
        return sides.map(|sides| Node::Compare(comparison, sides)).map_err(|_| unknown(name, at));
    }
    Ok(Node::Call(function, arguments))
}

fn unknown(name: &str, at: Position) -> NotCompiled {
    NotCompiled { what: format!("`{name}`"), at: fault::line_and_column(at) }
}

fn is_push(expr: &Expr) -> bool {
    matches!(expr, Expr::MethodCall(call, _) if call.name == "push")
}

/// Whether a link of a chain may find nothing.
fn has_optional_link(expr: &Expr) -> bool {
    match expr {
        Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _) => {
            flags.contains(ASTFlags::NEGATED)
                || (!flags.contains(ASTFlags::BREAK) && has_optional_link(&pair.rhs))
        }
        _ => false,
    }
}

fn constant_value(value: &Dynamic, at: Position) -> Lowered<ScriptValue> {
    match adapter::from_dynamic(value) {
        ScriptValue::Unknown => refuse("a value that only the interpreter knows", at),
        known => Ok(known),
    }
}
