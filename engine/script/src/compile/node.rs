//! Compiled programs: nodes over slots.
//!
//! Not making them (`lower`) and not running them (`run`).
//!
//! **Architecture invariant:** a node knows everything that can be known before a run: the slot of a
//! name, the function of a call, the cell of a column. Only the place of a cell depends on the deal,
//! and it is looked up once for all deals that have the same columns.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::NotCompiled;
use super::cells::DealCells;
use crate::api::ScriptFunction;
use crate::value::ScriptValue;

/// A program whose text is compiled as a whole.
#[derive(Debug)]
pub(crate) struct CompiledCode {
    /// The functions that the program can reach; the first one is its entry point.
    pub(super) functions: Vec<CompiledFunction>,
    /// What the entry point takes, and whether it is needed as a value.
    pub(super) inputs: Vec<(HostInput, bool)>,
    /// What it needs of the host, where it reads fields of that alone and keeps nothing in a slot.
    pub(super) plain: Option<PlainInputs>,
    /// The cells of the deal that it reads.
    pub(super) cells: DealCells,
    /// Whether it may read tables, people or periods.
    pub(super) reads_surroundings: bool,
    /// Why some functions that it calls are left to the interpreter.
    pub(super) refused: Vec<NotCompiled>,
}

/// What the host has to give to a program without values of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainInputs {
    pub(super) credit: bool,
    pub(super) receiver: bool,
}

impl PlainInputs {
    /// The inputs of a program that needs none of them as a value; none where it does.
    pub(super) fn of(inputs: &[(HostInput, bool)]) -> Option<PlainInputs> {
        let is_plain =
            |(input, as_value): &(HostInput, bool)| !as_value && *input != HostInput::Other;
        let has = |wanted: HostInput| inputs.iter().any(|(input, _)| *input == wanted);
        inputs.iter().all(is_plain).then(|| PlainInputs {
            credit: has(HostInput::Credit),
            receiver: has(HostInput::Receiver),
        })
    }
}

/// What the host gives to the entry point of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostInput {
    /// The transaction: `tx`.
    Deal,
    /// The credit in question: `credit`.
    Credit,
    /// The recipient: `to`.
    Receiver,
    /// The credits so far: `existing`.
    Existing,
    /// What a reward's program sees, or a delivery.
    Other,
}

impl HostInput {
    /// The input under the name of its variable.
    pub(super) fn from_name(name: &str) -> HostInput {
        match name {
            "tx" => HostInput::Deal,
            "credit" => HostInput::Credit,
            "to" => HostInput::Receiver,
            "existing" => HostInput::Existing,
            _ => HostInput::Other,
        }
    }
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
    /// Its name, where the interpreter runs it: then it has no body.
    pub(super) interpreted: Option<Box<str>>,
}

/// A part of a program that has a value.
#[derive(Debug)]
pub(super) enum Node {
    /// A value that is written out.
    Constant(ScriptValue),
    /// A variable, or what the host gives.
    Slot(usize),
    /// A variable that is not read again: its value leaves it.
    LastUse(usize),
    /// A cell of the deal, by its number among the cells that the program reads.
    Cell(usize),
    /// Whether a cell of the deal is there: `tx.has("…")`.
    CellThere(usize),
    /// A variable that stands for a cell of the deal begins: the cell must have a value.
    CellReadable(usize),
    /// `credit.amount`.
    CreditAmount,
    /// `to.level`.
    ReceiverLevel,
    /// Another field of the credit or of the recipient.
    InputField(HostInput, Arc<str>),
    /// A function of the table, or an operator.
    Call(&'static ScriptFunction, Box<[Node]>),
    /// Two values that are compared.
    Compare(Comparison, Box<[Node; 2]>),
    /// A cell of the deal that is compared with what is written out.
    CompareCell(Comparison, usize, ScriptValue),
    /// `credit.amount`, compared with a number that is written out.
    CompareAmount(Comparison, Decimal),
    /// `to.level`, compared with a number that is written out.
    CompareLevel(Comparison, Decimal),
    /// Two values that are added, subtracted or multiplied.
    Calculate(Calculation, Box<[Node; 2]>),
    /// `!`.
    Not(Box<Node>),
    /// `is_empty`.
    IsEmpty(&'static ScriptFunction, Box<Node>),
    /// `contains`, and `in`, whose sides are turned around.
    Contains(&'static ScriptFunction, Box<[Node; 2]>),
    /// What is behind a dot.
    Field(Box<Node>, Arc<str>),
    /// What is behind a bracket with a text that is written out.
    Column(Box<Node>, Arc<str>),
    /// An item of an array, a key of a map, or a column whose name is computed.
    Item(Box<[Node; 2]>),
    /// A value behind which stands `?.` or `?[`: the chain ends with it where it is nothing.
    There(Box<Node>),
    /// A chain that may end early.
    Chain(Box<Node>),
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
    /// `??`: the first that is not nothing.
    Coalesce(Box<[Node]>),
    /// A function of the script, by its place.
    Own(usize, Box<[Node]>),
    /// A function of the script that is called for each item of an array.
    EachItem(ItemFunction, Box<Node>, usize),
    /// Statements, of which the last one has the value.
    Block(Box<[Node]>),
    /// `if`; without `else` the other branch is empty.
    If(Box<Node>, Box<[Node]>, Box<[Node]>),
    /// `switch`.
    Switch(Box<SwitchNode>),
    /// `let` and `const`, and `=`.
    Set(usize, Box<Node>),
    /// `+=` and its like, by the operator.
    Change(usize, &'static ScriptFunction, Box<Node>),
    /// An assignment to an item of an array, or to a key of a map.
    ChangeItem(Box<ItemChange>),
    /// `push` of an array in a variable.
    Push(usize, Box<Node>),
    /// `while`, or `loop` without a condition.
    While(Option<Box<Node>>, Box<[Node]>, u32),
    /// `do`, until the condition has this value.
    Do(Box<Node>, bool, Box<[Node]>, u32),
    /// `for` with the slot of its variable, and that of its counter.
    For(Box<ForLoop>),
    /// `return`.
    Return(Option<Box<Node>>),
    /// The answer of a crediting policy: shares, of which no values are made.
    Shares(Box<[ShareNode]>),
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

/// A `switch` and its arms.
#[derive(Debug)]
pub(super) struct SwitchNode {
    /// What is looked at.
    pub(super) value: Node,
    /// The arms in order; the arm `_` has no labels.
    pub(super) arms: Box<[ArmNode]>,
    /// The arm of each text, where all labels are texts and no arm has a condition.
    pub(super) texts: Option<HashMap<Arc<str>, usize>>,
    /// The arm of all other texts.
    pub(super) other: Option<usize>,
}

/// An arm of a `switch`.
#[derive(Debug)]
pub(super) struct ArmNode {
    /// Its labels; none of the arm `_`.
    pub(super) labels: Box<[ScriptValue]>,
    /// What must be true as well.
    pub(super) guard: Option<Node>,
    /// What it gives.
    pub(super) body: Node,
}

/// `a[0] = x`, `m.key += x`.
#[derive(Debug)]
pub(super) struct ItemChange {
    /// The variable.
    pub(super) slot: usize,
    /// The way to the item, link by link.
    pub(super) path: Box<[PathLink]>,
    /// The operator of `+=` and its like.
    pub(super) operator: Option<&'static ScriptFunction>,
    /// What is assigned.
    pub(super) value: Node,
}

/// A link on the way to an item.
#[derive(Debug)]
pub(super) enum PathLink {
    /// A name behind a dot.
    Key(Arc<str>),
    /// What is in brackets.
    Index(Node),
}

/// A share of an answer: `share(who, weight)`.
#[derive(Debug)]
pub(super) struct ShareNode {
    pub(super) who: Node,
    pub(super) weight: Option<Node>,
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

    /// Whether it holds for two values in this order.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// A calculation with two numbers, and the function of the table for all other values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calculation {
    pub(super) kind: CalculationKind,
    pub(super) function: &'static ScriptFunction,
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CalculationKind {
    Add,
    Subtract,
    Multiply,
}

impl CalculationKind {
    /// The calculation with this sign.
    pub(super) fn from_sign(sign: &str) -> Option<CalculationKind> {
        Some(match sign {
            "+" => CalculationKind::Add,
            "-" => CalculationKind::Subtract,
            "*" => CalculationKind::Multiply,
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
