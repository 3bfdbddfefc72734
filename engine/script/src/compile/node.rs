//! Compiled programs: nodes over slots.
//!
//! Not making them (`lower`) and not running them (`run`).
//!
//! **Architecture invariant:** a node knows everything that can be known before a run: the slot of a
//! name, the function of a call, the text of a field. Nothing is looked up by name later.

use std::sync::Arc;

use crate::api::ScriptFunction;
use crate::value::ScriptValue;

/// A program whose text is compiled as a whole.
#[derive(Debug)]
pub(crate) struct CompiledCode {
    /// The functions that the program can reach; the first one is its entry point.
    pub(super) functions: Vec<CompiledFunction>,
}

/// A function of a script.
#[derive(Debug, Default)]
pub(super) struct CompiledFunction {
    /// How many of its slots are filled by the caller.
    pub(super) parameters: usize,
    /// Values that it holds at a time at most.
    pub(super) slots: usize,
    /// What it does.
    pub(super) body: Vec<Node>,
    /// The number of its nodes.
    pub(super) weight: u32,
}

/// A part of a program that has a value.
#[derive(Debug)]
pub(super) enum Node {
    /// A value that is written out.
    Constant(ScriptValue),
    /// A variable, or what the host gives.
    Slot(usize),
    /// A function of the table, or an operator.
    Call(&'static ScriptFunction, Box<[Node]>),
    /// Two values that are compared.
    Compare(Comparison, Box<[Node; 2]>),
    /// What is behind a dot.
    Field(Box<Node>, Arc<str>),
    /// What is behind a bracket with a text that is written out.
    Column(Box<Node>, Arc<str>),
    /// An item of an array, a key of a map, or a column whose name is computed.
    Item(Box<[Node; 2]>),
    /// A text with values in it.
    Text(Box<[Node]>),
    /// An array.
    Array(Box<[Node]>),
    /// A map.
    Map(Box<[(Arc<str>, Node)]>),
    /// `&&`: false as soon as one is false.
    And(Box<[Node]>),
    /// `||`: true as soon as one is true.
    Or(Box<[Node]>),
    /// A function of the script, by its place.
    Own(usize, Box<[Node]>),
    /// A function of the script that is called for each item of an array.
    EachItem(ItemFunction, Box<Node>, usize),
    /// Statements, of which the last one has the value.
    Block(Box<[Node]>),
    /// `if`; without `else` the other branch is empty.
    If(Box<Node>, Box<[Node]>, Box<[Node]>),
    /// `let` and `const`, and `=`.
    Set(usize, Box<Node>),
    /// `+=` and its like, by the operator.
    Change(usize, &'static ScriptFunction, Box<Node>),
    /// `push` of an array in a variable.
    Push(usize, Box<Node>),
    /// `while`, or `loop` without a condition.
    While(Option<Box<Node>>, Box<[Node]>, u32),
    /// `for` with the slot of its variable, and that of its counter.
    For(Box<ForLoop>),
    /// `return`.
    Return(Option<Box<Node>>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `throw`: the interpreter throws.
    Throw,
}

/// A loop over items.
#[derive(Debug)]
pub(super) struct ForLoop {
    /// The slot of the item.
    pub(super) slot: usize,
    /// The slot of its number, from 0.
    pub(super) counter: Option<usize>,
    /// The array or range.
    pub(super) items: Node,
    /// What is done for each.
    pub(super) body: Box<[Node]>,
    /// The number of nodes of a round.
    pub(super) weight: u32,
}

/// A comparison of two values of one kind, each the sign of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with this sign.
    pub(super) fn from_sign(sign: &str) -> Option<Comparison> {
        Some(match sign {
            "==" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// A function of the table that takes an array and a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemFunction {
    Filter,
    Map,
    Any,
    All,
    SortBy,
    SumBy,
}

impl ItemFunction {
    /// The function with this name.
    pub(super) fn from_name(name: &str) -> Option<ItemFunction> {
        Some(match name {
            "filter" => ItemFunction::Filter,
            "map" => ItemFunction::Map,
            "any" => ItemFunction::Any,
            "all" => ItemFunction::All,
            "sort_by" => ItemFunction::SortBy,
            "sum_by" => ItemFunction::SumBy,
            _ => return None,
        })
    }
}
