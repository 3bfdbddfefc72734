//! What Rhai reports, in the words and at the places of the author.
//!
//! Not deciding what a fault does: the stages park or hold. Called by `machine`, and by `check` for
//! syntax errors.
//!
//! **Architecture invariant:** no message shows a Rust type name, and none is longer than
//! [`MESSAGE_BYTES_MAX`].

use rhai::{AST, ASTFlags, ASTNode, EvalAltResult, Expr, Position};

use super::machine::adapter;
use super::runs::ScriptLimit;
use super::sandbox::{
    self, ARRAY_ITEMS_MAX, CALL_LEVELS_MAX, FUNCTIONS_MAX, MAP_KEYS_MAX, SCRIPT_OPERATIONS_MAX,
    STRING_BYTES_MAX, VARIABLES_MAX,
};
use super::value::{ScriptError, ScriptValue};
use super::{ScriptFault, api};
use accredit_domain::policy::Program;

/// Bytes of a message; longer ones are cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 4096;

/// A fault of `program` with this message, at the beginning of its text.
pub(super) fn of_program(program: &Program, message: impl Into<String>) -> ScriptFault {
    ScriptFault {
        message: truncate_message(message.into()),
        policy: program.name.clone(),
        place: program.origin.place.clone(),
        bad_value: false,
    }
}

/// The fault that an error of a function amounts to, at the beginning of the program's text.
pub(super) fn of_function(program: &Program, error: ScriptError) -> ScriptFault {
    ScriptFault { bad_value: error.bad_value, ..of_program(program, error.message) }
}

/// The fault that an error of Rhai amounts to, at the beginning of the program's text.
pub(super) fn of_error(program: &Program, error: &EvalAltResult) -> ScriptFault {
    let inner = error.unwrap_inner();
    let bad_value = adapter::is_bad_value(inner);
    ScriptFault { bad_value, ..of_program(program, error_message(inner)) }
}

/// The fault that an error of a run amounts to.
pub(super) fn of_run(program: &Program, ast: &AST, error: &EvalAltResult) -> ScriptFault {
    let position = match error.unwrap_inner().position() {
        Position::NONE => error.position(),
        position => position,
    };
    let mut fault = of_error(program, error);
    if let Some((line, column)) = line_and_column(name_at(ast, position)) {
        fault.place = program.origin.place_at(line, column);
    }
    fault
}

/// Line and column of a position, if it has one.
pub(super) fn line_and_column(position: Position) -> Option<(u32, u32)> {
    let line = u32::try_from(position.line()?).ok()?;
    let column = u32::try_from(position.position().unwrap_or(1).max(1)).ok()?;
    Some((line, column))
}

/// A link of a chain such as `tx["a"].b(c)`: what follows one dot or bracket.
pub(super) struct ChainLink<'a> {
    /// The name, call or index.
    pub(super) expr: &'a Expr,
    /// Whether it stands in brackets.
    pub(super) indexed: bool,
    /// Where the dot or bracket is.
    pub(super) sign: Position,
}

/// The root of a chain and its links, in order.
pub(super) fn chain_links(expr: &Expr) -> (&Expr, Vec<ChainLink<'_>>) {
    let mut links = Vec::new();

    let (mut node, root) = match expr {
        Expr::Dot(x, ..) | Expr::Index(x, ..) => (expr, &x.lhs),
        _ => return (expr, links),
    };

    loop {
        let (pair, flags, sign, indexed) = match node {
            Expr::Dot(x, flags, sign) => (x, flags, *sign, false),
            Expr::Index(x, flags, sign) => (x, flags, *sign, true),
            _ => return (root, links),
        };

        match &pair.rhs {
            Expr::Dot(next, ..) | Expr::Index(next, ..) if !flags.contains(ASTFlags::BREAK) => {
                links.push(ChainLink { expr: &next.lhs, indexed, sign });
                node = &pair.rhs;
            }
            leaf => {
                links.push(ChainLink { expr: leaf, indexed, sign });
                return (root, links);
            }
        }
    }
}

/// Rhai points at a dot or bracket; authors look at the name behind it.
fn name_at(ast: &AST, position: Position) -> Position {
    if position.is_none() {
        return position;
    }

    let mut found = position;

    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expr)) = path.last() {
            let (_, links) = chain_links(expr);
            if let Some(link) = links.iter().find(|link| link.sign == position) {
                found = link.expr.start_position();
                return false;
            }
        }
        true
    });

    found
}

/// The words for an error.
pub(super) fn error_message(error: &EvalAltResult) -> String {
    // Every message says what to do in words of the author; Rhai's own speak of its inner workings.
    match error {
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            thrown_message(&adapter::from_dynamic(value))
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            format!("more than {SCRIPT_OPERATIONS_MAX} operations (SCRIPT_OPERATIONS_MAX)")
        }
        EvalAltResult::ErrorTooManyVariables(_) => {
            format!("more than {VARIABLES_MAX} variables (VARIABLES_MAX)")
        }
        EvalAltResult::ErrorStackOverflow(_) => format!(
            "functions call each other more than {CALL_LEVELS_MAX} levels deep (CALL_LEVELS_MAX)"
        ),

        EvalAltResult::ErrorDataTooLarge(what, _) => too_large(what),

        EvalAltResult::ErrorVariableNotFound(name, _) => format!("unknown variable `{name}`"),
        EvalAltResult::ErrorPropertyNotFound(name, _) => {
            format!("the map has no key `{name}`; ask has(\"{name}\") first")
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => function_not_found(signature),
        EvalAltResult::ErrorDotExpr(text, _) => unknown_property(text),
        EvalAltResult::ErrorIndexingType(..) => "this value cannot be indexed like that".to_owned(),

        EvalAltResult::ErrorMismatchDataType(expected, actual, _) if expected.is_empty() => {
            format!("{} does not fit here", type_word(actual))
        }
        EvalAltResult::ErrorMismatchDataType(expected, actual, _)
            if type_word(expected) == type_word(actual) =>
        {
            "expected a whole number; floor(x) makes one".to_owned()
        }
        EvalAltResult::ErrorMismatchDataType(expected, actual, _) => {
            format!("expected {}, not {}", type_word(expected), type_word(actual))
        }

        EvalAltResult::ErrorArrayBounds(length, index, _) => {
            format!("there is no item {index} in an array of {length}")
        }
        EvalAltResult::ErrorStringBounds(length, index, _) => {
            format!("there is no character {index} in a text of {length}")
        }

        EvalAltResult::ErrorFor(_) => "`for` goes through arrays and ranges only".to_owned(),
        EvalAltResult::ErrorAssignmentToConstant(name, _) => {
            format!("`{name}` is constant and cannot be changed")
        }
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            format!("`{name}` cannot change a constant")
        }
        EvalAltResult::ErrorUnboundThis(_) => "`this` means nothing here".to_owned(),

        EvalAltResult::ErrorArithmetic(..) => "the number is too large".to_owned(),
        EvalAltResult::ErrorParsing(kind, _) => lower_first(&kind.to_string()),
        EvalAltResult::LoopBreak(..) => "`break` and `continue` need a loop".to_owned(),
        _ => "the script cannot continue here".to_owned(),
    }
}

/// What the author threw.
fn thrown_message(thrown: &ScriptValue) -> String {
    let told = match thrown {
        ScriptValue::Map(entries) => entries.get("message").and_then(ScriptValue::to_text),
        _ => None,
    };
    match told.or_else(|| thrown.to_text()) {
        Some(text) => text.to_string(),
        None => format!("the script threw {}", thrown.kind_word()),
    }
}

fn too_large(what: &str) -> String {
    match size_limit(what) {
        ScriptLimit::TextBytes => {
            format!("a text of more than {STRING_BYTES_MAX} bytes (STRING_BYTES_MAX)")
        }
        ScriptLimit::MapKeys => format!("a map of more than {MAP_KEYS_MAX} keys (MAP_KEYS_MAX)"),
        _ => format!("an array of more than {ARRAY_ITEMS_MAX} items (ARRAY_ITEMS_MAX)"),
    }
}

/// The limit of a size, by Rhai's word for the value that is too large.
fn size_limit(what: &str) -> ScriptLimit {
    if what.contains("string") {
        ScriptLimit::TextBytes
    } else if what.contains("map") {
        ScriptLimit::MapKeys
    } else {
        ScriptLimit::ArrayItems
    }
}

/// The limit that a run met, if one ended it.
pub(super) fn limit_of(error: &EvalAltResult) -> Option<ScriptLimit> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTooManyOperations(_) => Some(ScriptLimit::Operations),
        EvalAltResult::ErrorTerminated(value, _) => {
            let message = thrown_message(&adapter::from_dynamic(value));
            let is_late = sandbox::is_timeout(&message);
            Some(if is_late { ScriptLimit::Time } else { ScriptLimit::Operations })
        }
        EvalAltResult::ErrorTooManyVariables(_) => Some(ScriptLimit::Variables),
        EvalAltResult::ErrorStackOverflow(_) => Some(ScriptLimit::CallDepth),
        EvalAltResult::ErrorDataTooLarge(what, _) => Some(size_limit(what)),
        // A function of the table reports its own limit, before it makes the text.
        EvalAltResult::ErrorRuntime(value, _) => {
            let message = thrown_message(&adapter::from_dynamic(value));
            message.ends_with("(STRING_BYTES_MAX)").then_some(ScriptLimit::TextBytes)
        }
        _ => None,
    }
}

/// `name (type, type)`, as Rhai writes it.
fn function_not_found(signature: &str) -> String {
    let (name, rest) = signature.split_once(" (").unwrap_or((signature, ")"));
    let kinds = rest.trim_end_matches(')').split(", ").filter(|kind| !kind.is_empty());
    let kinds: Vec<&str> = kinds.map(type_word).collect();
    match api::find_function(name) {
        None => format!("unknown function `{name}`"),
        Some(_) => api::arguments_message(name, &kinds),
    }
}

/// `Unknown property 'x' - a getter is not registered for type 'y'`.
fn unknown_property(text: &str) -> String {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    match (quoted.next(), quoted.next()) {
        (Some(name), Some(kind)) => format!("{} has no field `{name}`", type_word(kind)),
        _ => "unknown field".to_owned(),
    }
}

/// The author's word for a type as Rhai calls it.
fn type_word(kind: &str) -> &str {
    match kind {
        "i64" | "decimal" | "rust_decimal::decimal::Decimal" => "number",
        "char" | "string" => "text",
        kind if kind.contains("ImmutableString") || kind.contains("alloc::string") => "text",
        kind if kind.contains("Decimal") => "number",
        kind if kind.contains("::") => "something else",
        kind => kind,
    }
}

/// With a small first letter, as messages begin.
pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// At most [`MESSAGE_BYTES_MAX`] bytes, cut between characters.
pub(super) fn truncate_message(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// Rhai's words for limits of the parser, with ours.
pub(super) fn parse_message(error: &rhai::ParseErrorType) -> String {
    use rhai::ParseErrorType::{ExprTooDeep, TooManyFunctions};
    match error {
        ExprTooDeep => "expressions are nested too deep".to_owned(),
        TooManyFunctions => format!("more than {FUNCTIONS_MAX} functions (FUNCTIONS_MAX)"),
        other => lower_first(&other.to_string().replace('\'', "`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call that took too long and one of too many operations end alike in Rhai.
    #[test]
    fn what_ended_a_run_is_told_apart() {
        let ended = |message: &str| {
            limit_of(&EvalAltResult::ErrorTerminated(message.to_owned().into(), Position::NONE))
        };
        assert_eq!(ended("took longer than 10000 ms"), Some(ScriptLimit::Time));
        let operations = "more than 200000 operations (SCRIPT_OPERATIONS_MAX)";
        assert_eq!(ended(operations), Some(ScriptLimit::Operations));
        let thrown = EvalAltResult::ErrorRuntime("no".into(), Position::NONE);
        assert_eq!(limit_of(&thrown), None);
    }
}
