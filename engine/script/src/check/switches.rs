//! `switch`: labels that no value has, labels that are never reached, and what its arms give.
//!
//! Not what a `switch` is (`machine::adapter::switch`). Called by the walk.
//!
//! **Architecture invariant:** a label that is refused here could never decide: either its kind is
//! not that of the value, or an arm before it takes every value that it stands for.

use std::collections::HashMap;
use std::sync::Arc;

use rhai::{CustomExpr, Expr, Position, Stmt};
use rust_decimal::Decimal;

use super::expressions::expression_start;
use super::walk::{ProgramWalk, Tail};
use crate::kind::ValueKind;
use crate::machine::adapter::switch::{SwitchArm, label_value, switch_parts};
use crate::trace::show_value;
use crate::value::ScriptValue;
use accredit_domain::diagnostic::Code;
use accredit_domain::work;

/// A label that stands for one value.
#[derive(Debug, PartialEq, Eq, Hash)]
enum SingleLabel {
    Unit,
    Bool(bool),
    Number(Decimal),
    Text(Arc<str>),
}

/// Where a label stands first.
#[derive(Debug, Clone, Copy)]
struct FirstLabel {
    line: u32,
    /// The number of its last arm.
    arm: usize,
    /// Whether one of its arms has no condition.
    always: bool,
}

/// The values that arms before the present one certainly take.
#[derive(Debug, Default)]
struct TakenValues {
    /// Single labels, by what is known of their first place.
    singles: HashMap<SingleLabel, FirstLabel>,
    /// Ranges of arms without a condition: the first value, the last, and whether that belongs to
    /// it. None touches another.
    ranges: Vec<(i64, i64, bool)>,
}

impl ProgramWalk<'_> {
    /// A `switch` whose value may be the program's result; its kind, as far as it is known.
    pub(super) fn visit_switch(
        &mut self,
        custom: &CustomExpr,
        at: Position,
        tail: Tail,
    ) -> ValueKind {
        let Some((value, arms)) = switch_parts(custom) else { return ValueKind::Any };

        let value_kind = self.visit_expression(value);
        let is_complete = self.check_labels(value, value_kind, &arms, at);

        let mut kind: Option<ValueKind> = if is_complete { None } else { Some(ValueKind::Unit) };
        for arm in &arms {
            if let Some(guard) = arm.guard {
                self.visit_condition("if", guard);
            }
            let of_arm = match tail {
                Tail::Nothing => self.visit_expression(arm.body),
                Tail::Result => {
                    self.visit_tail_expression(arm.body, tail);
                    ValueKind::Any
                }
            };
            kind = Some(kind.map_or(of_arm, |kind| kind.or(of_arm)));
        }

        if !is_complete {
            self.report_missing_result(tail, at);
        }
        kind.unwrap_or(ValueKind::Any)
    }

    /// Judges the labels of all arms; whether one arm is always taken.
    fn check_labels(
        &mut self,
        value: &Expr,
        kind: ValueKind,
        arms: &[SwitchArm<'_>],
        at: Position,
    ) -> bool {
        if arms.iter().all(|arm| arm.labels.is_empty()) {
            let help = "write `switch value { \"A\" => 1, _ => 0 }`".to_owned();
            let message = "this `switch` has no label".to_owned();
            self.report_with_help(Code::CR095, at, message, Some(help));
            return true;
        }
        let can_be_compared = self.check_switched_kind(value, kind);

        let (mut taken, mut common) = (TakenValues::default(), None);
        for (number, arm) in arms.iter().enumerate() {
            if arm.labels.is_empty() && taken.covers_bool(kind) {
                let at = expression_start(arm.body);
                let message = "this arm is never reached: true and false have arms".to_owned();
                self.report_with_help(Code::CR096, at, message, Some("remove it".to_owned()));
            }

            for label in &arm.labels {
                work::add_steps(1 + taken.ranges.len());
                let Some(known) = self.check_label_literal(label) else { continue };

                if can_be_compared {
                    let wanted = common.get_or_insert(kind);
                    let of = if kind == ValueKind::Any { "the first label" } else { "the value" };
                    self.check_label_kind(label, &known, (wanted, of));
                    self.note_comparison(value, label);
                }
                self.check_label_reached(label, &known, (&taken, number));
                let line = self.place_of(label.start_position()).line;
                taken.add(&known, FirstLabel { line, arm: number, always: arm.guard.is_none() });
            }
        }

        let has_default = arms.last().is_some_and(|arm| arm.labels.is_empty());
        has_default || taken.covers_bool(kind)
    }

    /// Whether values of this kind have labels.
    fn check_switched_kind(&mut self, value: &Expr, kind: ValueKind) -> bool {
        let help = match kind.when_there() {
            ValueKind::Any
            | ValueKind::Unit
            | ValueKind::Text
            | ValueKind::Number
            | ValueKind::Bool => return true,
            ValueKind::Date => {
                "write `switch month(x)`, or compare: `if x == date(\"2026-01-31\") { … }`"
            }
            _ => "write a text, a number, or true or false behind `switch`",
        };
        let message = format!("`switch` cannot be used with {}: no label is one", kind.word());
        self.report_with_help(Code::CR095, expression_start(value), message, Some(help.to_owned()));
        false
    }

    /// The value of a label; none where it is not written out or stands for nothing.
    fn check_label_literal(&mut self, label: &Expr) -> Option<ScriptValue> {
        let at = expression_start(label);
        let Some(known) = label_value(label) else {
            let message = "a label is a text, a number, true, false, `()` or a range of whole \
                           numbers, written out";
            let help = "write the value itself; for a name, a date or a calculation use `if` and \
                        `else if`";
            self.report_with_help(Code::CR095, at, message.to_owned(), Some(help.to_owned()));
            // What it reads counts as used.
            self.visit_expression(label);
            return None;
        };

        if range_of(&known)
            .is_some_and(|(from, to, with_last)| from > to || (from == to && !with_last))
        {
            let message = format!("no number is in the range {}", label_text(&known));
            let help = "write the smaller number first; `1..=5` includes 5, `1..5` does not";
            self.report_with_help(Code::CR095, at, message, Some(help.to_owned()));
            return None;
        }
        Some(known)
    }

    /// A label of a kind that the value, or the first label, does not have.
    fn check_label_kind(
        &mut self,
        label: &Expr,
        known: &ScriptValue,
        (wanted, of): (&mut ValueKind, &str),
    ) {
        let at = expression_start(label);
        let kind = label_kind(known);
        if kind == ValueKind::Unit {
            if wanted.is_plain() {
                let message = "no value has this label: the value is never ()".to_owned();
                let help = "remove it; ask tx.has(\"…\") before for a column".to_owned();
                self.report_with_help(Code::CR095, at, message, Some(help));
            }
            return;
        }

        match wanted.when_there() {
            // All labels have the kind of the first one: a value has only one kind.
            ValueKind::Any => *wanted = kind.or_nothing(),
            ValueKind::Unit => (),
            plain if plain == kind => (),
            plain => {
                let (is, label) = (plain.word(), kind.word());
                let message = format!("no value has this label: it is {label}, {of} is {is}");
                let help = match (plain, kind) {
                    (ValueKind::Number, ValueKind::Text) => {
                        "write the number without quotes, or declare the column as text"
                    }
                    (ValueKind::Text, ValueKind::Number) => {
                        "write the label in quotes, or `switch number(text)`"
                    }
                    (ValueKind::Bool, _) => "write `true` and `false` as labels",
                    _ => "give every label the kind that the value has",
                };
                self.report_with_help(Code::CR095, at, message, Some(help.to_owned()));
            }
        }
    }

    /// A label all of whose values an earlier arm takes, or that its own arm `number` has twice.
    fn check_label_reached(
        &mut self,
        label: &Expr,
        known: &ScriptValue,
        (taken, number): (&TakenValues, usize),
    ) {
        let at = expression_start(label);
        let written = label_text(known);
        let message = match taken.find_single(known) {
            Some(first) if first.always || first.arm == number => {
                format!("{written} has an arm already, in line {}", first.line)
            }
            _ if taken.has_in_range(known) => {
                format!("{written} is never reached: a range before it takes it")
            }
            _ => return,
        };

        let help = "remove it, or give the arm before it a condition: `1 if tx.amount > 0 => …`";
        self.report_with_help(Code::CR096, at, message, Some(help.to_owned()));
    }
}

impl TakenValues {
    fn add(&mut self, label: &ScriptValue, here: FirstLabel) {
        if let Some(single) = single_of(label) {
            let known = self.singles.entry(single).or_insert(here);
            known.arm = here.arm;
            known.always |= here.always;
        }
        let Some(mut range) = range_of(label).filter(|_| here.always) else { return };

        // Ranges that touch become one.
        self.ranges.retain(|other| {
            let apart = other.0 > range.1 || range.0 > other.1;
            if !apart {
                range.0 = range.0.min(other.0);
                (range.1, range.2) = (range.1, range.2).max((other.1, other.2));
            }
            apart
        });
        self.ranges.push(range);
    }

    fn find_single(&self, label: &ScriptValue) -> Option<FirstLabel> {
        self.singles.get(&single_of(label)?).copied()
    }

    /// Whether a number, or a whole range, lies in one of the ranges.
    fn has_in_range(&self, label: &ScriptValue) -> bool {
        if let Some((from, to, with_last)) = range_of(label) {
            let within =
                |range: &(i64, i64, bool)| range.0 <= from && (to, with_last) <= (range.1, range.2);
            return self.ranges.iter().any(within);
        }
        let Some(number) = label.as_number() else { return false };
        self.ranges.iter().any(|(from, to, with_last)| {
            let (from, to) = (Decimal::from(*from), Decimal::from(*to));
            from <= number && (number < to || (*with_last && number == to))
        })
    }

    /// Whether both flags have arms without a condition, and the value is always one of them.
    fn covers_bool(&self, kind: ValueKind) -> bool {
        let has =
            |flag| self.singles.get(&SingleLabel::Bool(flag)).is_some_and(|known| known.always);
        kind == ValueKind::Bool && has(true) && has(false)
    }
}

fn single_of(label: &ScriptValue) -> Option<SingleLabel> {
    match label {
        ScriptValue::Unit => Some(SingleLabel::Unit),
        ScriptValue::Bool(flag) => Some(SingleLabel::Bool(*flag)),
        ScriptValue::Text(text) => Some(SingleLabel::Text(Arc::clone(text))),
        number => number.as_number().map(SingleLabel::Number),
    }
}

/// The first value of a range, its last, and whether that belongs to it.
fn range_of(label: &ScriptValue) -> Option<(i64, i64, bool)> {
    match label {
        ScriptValue::Range(range) => Some((range.start, range.end, false)),
        ScriptValue::RangeInclusive(range) => Some((*range.start(), *range.end(), true)),
        _ => None,
    }
}

fn label_kind(label: &ScriptValue) -> ValueKind {
    match label {
        ScriptValue::Unit => ValueKind::Unit,
        ScriptValue::Bool(_) => ValueKind::Bool,
        ScriptValue::Text(_) => ValueKind::Text,
        _ => ValueKind::Number,
    }
}

fn label_text(label: &ScriptValue) -> String {
    match range_of(label) {
        Some((from, to, true)) => format!("`{from}..={to}`"),
        Some((from, to, false)) => format!("`{from}..{to}`"),
        None => format!("`{}`", show_value(label)),
    }
}

/// Whether every way through a `switch` ends its block, where `ends` tells it of statements.
pub(super) fn ends_in_every_arm(custom: &CustomExpr, ends: &dyn Fn(&[Stmt]) -> bool) -> bool {
    let Some((_, arms)) = switch_parts(custom) else { return false };
    let has_default = arms.last().is_some_and(|arm| arm.labels.is_empty());
    has_default
        && arms.iter().all(|arm| matches!(arm.body, Expr::Stmt(block) if ends(block.statements())))
}
