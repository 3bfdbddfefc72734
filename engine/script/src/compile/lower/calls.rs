//! Calls as nodes: operators, functions of the table, functions of the script.
//!
//! Not methods behind a dot, whose value comes from a chain (`chains`). Called by `values`.
//!
//! **Architecture invariant:** a function of the script comes before one of the table, as in the
//! interpreter.

use rhai::{Dynamic, Expr, FnCallExpr, Position};

use super::variables::FunctionLowering;
use super::{Lowered, refuse, unknown};
use crate::api::{self, ScriptFunction};
use crate::compile::LINK_ARGUMENTS_MAX;
use crate::compile::node::{Calculation, CalculationKind, Comparison, ItemFunction, Node};
use crate::compile::run::is_bounded;
use crate::machine::adapter;
use crate::value::ScriptValue;

/// Functions that read what surrounds a run.
const SURROUNDED_FUNCTIONS: [&str; 5] = ["lookup", "find", "who", "amount_in", "has"];

impl FunctionLowering<'_, '_> {
    pub(super) fn lower_call(&mut self, call: &FnCallExpr, at: Position) -> Lowered {
        let name = call.name.as_str();

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

        if let ("has", [Expr::Variable(of, ..), Expr::StringConstant(field, _)]) =
            (name, call.args.as_slice())
            && let Some(node) = self.cell_there(&of.1, field)
        {
            return Ok(node);
        }

        let arguments = self.lower_each(call.args.iter())?;
        self.table_call(name, arguments, at)
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

    pub(super) fn lower_push(&mut self, array: &str, item: &Expr, at: Position) -> Lowered {
        self.refuse_among_arguments(at)?;
        let Some(slot) = self.find_changeable(array) else {
            return refuse("`push` of what is constant", at);
        };
        self.need_value(slot);
        Ok(Node::Push(slot, Box::new(self.lower(item)?)))
    }

    /// A function behind a dot, with the value before it.
    pub(super) fn lower_method(&mut self, value: Node, call: &FnCallExpr, at: Position) -> Lowered {
        let name = call.name.as_str();
        // Called behind a dot, a function of a script would see the value as `this`.
        if self.program.has_function(name) {
            return refuse("a function of the script behind a dot", at);
        }
        if name == "push" {
            return refuse("`push` of what is no variable", at);
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
        self.table_call(name, arguments.into_boxed_slice(), at)
    }

    fn table_call(&mut self, name: &str, arguments: Box<[Node]>, at: Position) -> Lowered {
        let function: Option<&'static ScriptFunction> = api::find_function(name);
        let function = function.filter(|function| function.arities.contains(&arguments.len()));
        let Some(function) = function else { return Err(unknown(name, at)) };

        if SURROUNDED_FUNCTIONS.contains(&name) {
            self.program.reads_surroundings = true;
        }
        if let Some(value) = known_value(function, &arguments) {
            return Ok(Node::Constant(value));
        }

        Ok(match <Box<[Node; 2]>>::try_from(arguments) {
            Ok(sides) => two_sides(function, sides),
            Err(arguments) => match <Box<[Node; 1]>>::try_from(arguments) {
                Ok(only) => one_side(function, *only),
                Err(more) => Node::Call(function, more),
            },
        })
    }
}

fn two_sides(function: &'static ScriptFunction, sides: Box<[Node; 2]>) -> Node {
    if let Some(comparison) = Comparison::from_sign(function.name) {
        return compared_sides(comparison, *sides);
    }
    if let Some(kind) = CalculationKind::from_sign(function.name) {
        return Node::Calculate(Calculation { kind, function }, sides);
    }

    match function.name {
        "contains" => Node::Contains(function, sides),
        _ => Node::Call(function, sides),
    }
}

/// A comparison. What the host gives is compared where it is with a value that is written out.
fn compared_sides(comparison: Comparison, sides: [Node; 2]) -> Node {
    let [_, right] = &sides;
    let known_number = match right {
        Node::Constant(known) => known.as_number(),
        _ => None,
    };

    match (sides, known_number) {
        ([Node::CreditAmount, _], Some(number)) => Node::CompareAmount(comparison, number),
        ([Node::ReceiverLevel, _], Some(number)) => Node::CompareLevel(comparison, number),
        ([Node::Cell(cell), Node::Constant(known)], _) => {
            Node::CompareCell(comparison, cell, compared_number(known))
        }
        (sides, _) => Node::Compare(comparison, Box::new(sides)),
    }
}

/// A whole number as the decimal with which cells are compared.
fn compared_number(known: ScriptValue) -> ScriptValue {
    match known {
        ScriptValue::Whole(whole) => ScriptValue::Number(whole.into()),
        other => other,
    }
}

fn one_side(function: &'static ScriptFunction, [value]: [Node; 1]) -> Node {
    match function.name {
        "!" => Node::Not(Box::new(value)),
        "is_empty" => Node::IsEmpty(function, Box::new(value)),
        _ => Node::Call(function, Box::new([value])),
    }
}

/// The value of a call that depends on nothing but values that are written out; none where it is an
/// error, which the interpreter reports if the run comes there.
fn known_value(function: &ScriptFunction, arguments: &[Node]) -> Option<ScriptValue> {
    let known = arguments.iter().map(|argument| match argument {
        Node::Constant(value) => Some(value.clone()),
        _ => None,
    });
    let known = known.collect::<Option<Vec<ScriptValue>>>()?;
    if !api::is_pure(function.name) {
        return None;
    }
    (function.call)(&known).ok().filter(is_bounded)
}
