//! `switch`: a syntax of ours in the place of Rhai's own, which matches labels by hash and kind, so
//! that `1.0` never has the label `1`.
//!
//! Not judging labels, which `check` does when a program is saved. Called by `sandbox` for every
//! engine, and by what looks into trees.
//!
//! **Architecture invariant:** an arm is taken if and only if the chain of `if` that it stands for
//! takes it: the value is computed once, labels are compared in order by our own `==`, and every
//! label that is compared counts as an operation.

use rhai::{
    Blob, CustomExpr, Dynamic, Engine, EvalContext, Expr, Expression, ImmutableString, ParseError,
    ParseErrorType, Position,
};
use rust_decimal::Decimal;

use super::{Answer, from_dynamic, literal_number, raised};
use crate::value::{ScriptValue, label_holds, raise};

/// The word that begins it.
const SWITCH: &str = "switch";
/// What Rhai is asked to read next: an expression.
const EXPRESSION: &str = "$expr$";
/// Statements in braces.
const BLOCK: &str = "$block$";

/// An arm with labels, as it is kept beside the tree.
const PLAIN_ARM: u8 = b'l';
/// An arm with labels and a condition.
const GUARDED_ARM: u8 = b'g';
/// The arm `_`.
const DEFAULT_ARM: u8 = b'_';

/// One arm of a `switch`: `"A" | "B" if condition => body`.
pub(crate) struct SwitchArm<'a> {
    /// Its labels; none of the arm `_`.
    pub(crate) labels: Vec<&'a Expr>,
    /// What must be true as well.
    pub(crate) guard: Option<&'a Expr>,
    /// What the arm gives.
    pub(crate) body: &'a Expr,
}

/// The value that a `switch` looks at, and its arms in order; none for other syntax.
pub(crate) fn switch_parts(custom: &CustomExpr) -> Option<(&Expr, Vec<SwitchArm<'_>>)> {
    if custom.tokens.first().is_none_or(|word| word != SWITCH) {
        return None;
    }
    let inputs: Vec<&Expr> = custom.inputs.iter().collect();
    split_inputs(&inputs, &custom.state)
}

/// The bodies of a `switch`; none of other expressions.
pub(crate) fn switch_bodies(expr: &Expr) -> Vec<&Expr> {
    let Expr::Custom(custom, _) = expr else { return Vec::new() };
    let arms = switch_parts(custom).map(|(_, arms)| arms).unwrap_or_default();
    arms.into_iter().map(|arm| arm.body).collect()
}

/// The value of a label that is written out; none where it is anything else.
pub(crate) fn label_value(label: &Expr) -> Option<ScriptValue> {
    match label {
        Expr::Unit(_) => Some(ScriptValue::Unit),
        Expr::BoolConstant(flag, _) => Some(ScriptValue::Bool(*flag)),
        Expr::StringConstant(text, _) => Some(ScriptValue::from(text.as_str())),
        Expr::CharConstant(letter, _) => Some(ScriptValue::from(letter.to_string())),
        Expr::FnCall(call, _) => match (call.name.as_str(), call.args.as_slice()) {
            ("-", [number]) => Some(ScriptValue::Number(-literal_number(number)?)),
            ("..", [from, to]) => Some(ScriptValue::Range(whole_number(from)?..whole_number(to)?)),
            ("..=", [from, to]) => {
                Some(ScriptValue::RangeInclusive(whole_number(from)?..=whole_number(to)?))
            }
            _ => None,
        },
        number => literal_number(number).map(ScriptValue::Number),
    }
}

fn whole_number(expr: &Expr) -> Option<i64> {
    let number: Decimal = match label_value(expr)? {
        ScriptValue::Number(number) => number,
        _ => return None,
    };
    ScriptValue::Number(number).as_whole_number()
}

/// Makes `switch` known to an engine.
pub(crate) fn register_switch(engine: &mut Engine) {
    engine.disable_symbol(SWITCH);
    engine.register_custom_syntax_with_state_raw(SWITCH, next_symbol, false, run_switch);
}

/// What must follow the symbols that were read so far, with one symbol seen ahead.
fn next_symbol(
    symbols: &[ImmutableString],
    ahead: &str,
    arms: &mut Dynamic,
) -> Result<Option<ImmutableString>, ParseError> {
    let mut latest = symbols.iter().rev().map(ImmutableString::as_str);
    let (last, before) = (latest.next().unwrap_or_default(), latest.next().unwrap_or_default());

    let symbol = match (before, last) {
        (_, SWITCH) => {
            *arms = Dynamic::from_blob(Blob::new());
            EXPRESSION
        }
        (SWITCH, EXPRESSION) => "{",

        (_, BLOCK) if ahead == "," => ",",
        (_, "{" | "," | BLOCK) => return begin_arm(ahead, arms).map(|next| Some(next.into())),

        (_, "_") if ahead == "if" => return refuse(ParseErrorType::WrongSwitchCaseCondition),
        (_, "_") | ("if", EXPRESSION) => "=>",

        (_, "=>") if ahead == "{" => BLOCK,
        (_, "=>" | "if") => EXPRESSION,
        ("=>", EXPRESSION) if ahead == "}" => "}",
        ("=>", EXPRESSION) => ",",

        (_, EXPRESSION) if ahead == "if" => {
            change_arms(arms, |arms| {
                arms.pop();
                arms.push(GUARDED_ARM);
            });
            "if"
        }
        (_, EXPRESSION) => "=>",

        _ => return Ok(None),
    };
    Ok(Some(symbol.into()))
}

fn begin_arm(ahead: &str, arms: &mut Dynamic) -> Result<&'static str, ParseError> {
    if ahead == "}" {
        return Ok("}");
    }

    let (arm, symbol) = if ahead == "_" { (DEFAULT_ARM, "_") } else { (PLAIN_ARM, EXPRESSION) };
    let mut behind = false;
    change_arms(arms, |arms| {
        behind = arms.last() == Some(&DEFAULT_ARM);
        arms.push(arm);
    });
    if behind { refuse(ParseErrorType::WrongSwitchDefaultCase) } else { Ok(symbol) }
}

fn change_arms(arms: &mut Dynamic, change: impl FnOnce(&mut Blob)) {
    if let Some(mut arms) = arms.write_lock::<Blob>() {
        change(&mut arms);
    }
}

/// An error at the symbol ahead, where Rhai puts it.
fn refuse<T>(error: ParseErrorType) -> Result<T, ParseError> {
    Err(ParseError(Box::new(error), Position::NONE))
}

/// The inputs of the syntax, sorted: the value, then of each arm its labels, condition and body.
fn split_inputs<'a>(inputs: &[&'a Expr], arms: &Dynamic) -> Option<(&'a Expr, Vec<SwitchArm<'a>>)> {
    let mut inputs = inputs.iter().copied();
    let value = inputs.next()?;

    let shapes = arms.read_lock::<Blob>()?;
    let mut split = Vec::with_capacity(shapes.len());
    for shape in shapes.iter() {
        let labels =
            if *shape == DEFAULT_ARM { Vec::new() } else { labels_between_bars(inputs.next()?) };
        let guard = if *shape == GUARDED_ARM { Some(inputs.next()?) } else { None };
        split.push(SwitchArm { labels, guard, body: inputs.next()? });
    }
    Some((value, split))
}

/// The labels of `"A" | "B" | "C"`, in order.
fn labels_between_bars(expr: &Expr) -> Vec<&Expr> {
    let (mut labels, mut rest) = (Vec::new(), expr);
    // The last label is the outermost one.
    while let Expr::FnCall(call, _) = rest
        && call.is_operator_call()
        && let ("|", [left, right]) = (call.name.as_str(), call.args.as_slice())
    {
        labels.push(right);
        rest = left;
    }
    labels.push(rest);
    labels.reverse();
    labels
}

/// Runs a `switch`: the value once, then arm after arm.
fn run_switch(
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    inputs: &[Expression<'_>],
    arms: &Dynamic,
) -> Answer {
    let inputs: Vec<&Expr> = inputs.iter().map(|input| &**input).collect();
    let Some((value, arms)) = split_inputs(&inputs, arms) else {
        return raise("this `switch` cannot be read").map_err(raised);
    };
    let value = from_dynamic(&context.eval_expression_tree(&Expression::from(value))?);

    for arm in arms {
        if has_label(context, &arm, &value)? && is_guard_true(context, &arm)? {
            return context.eval_expression_tree(&Expression::from(arm.body));
        }
    }
    Ok(Dynamic::UNIT)
}

/// Whether the value has one of the arm's labels, which the arm `_` does not ask.
fn has_label(
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    arm: &SwitchArm<'_>,
    value: &ScriptValue,
) -> Answer<bool> {
    for label in &arm.labels {
        let at = label.start_position();
        let Some(known) = label_value(label) else {
            return placed(raise("a label must be written out"), at);
        };

        // A literal is computed only to be counted as an operation.
        drop(context.eval_expression_tree(&Expression::from(*label))?);
        if placed(label_holds(value, &known), at)? {
            return Ok(true);
        }
    }
    Ok(arm.labels.is_empty())
}

fn is_guard_true(
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    arm: &SwitchArm<'_>,
) -> Answer<bool> {
    let Some(guard) = arm.guard else { return Ok(true) };
    let given = from_dynamic(&context.eval_expression_tree(&Expression::from(guard))?);

    let is_true = match given.as_bool() {
        Some(is_true) => Ok(is_true),
        None => raise(format!("`if` needs true or false, this is {}", given.kind_word())),
    };
    placed(is_true, guard.start_position())
}

/// The error of an outcome at its place.
fn placed<T>(outcome: crate::value::Outcome<T>, at: Position) -> Answer<T> {
    outcome.map_err(|error| {
        let mut error = raised(error);
        error.set_position(at);
        error
    })
}
