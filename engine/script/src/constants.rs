//! Constants of a policy, and the values that they are given where the policy is named:
//! `policy:part(0.375)`.
//!
//! Not where a policy may be named (`workspace`). A program with such constants is its text with
//! other literals, so checking, running, tracing and counting all see the values that decide.
//!
//! **Architecture invariant:** only a literal takes the place of a literal of the same kind; nothing
//! that is written in a plan is ever run.

use std::sync::Arc;

use rhai::{AST, ASTFlags, Engine, Expr, ParseError, Stmt};

use super::machine::adapter;
use super::{fault, sandbox};
use accredit_domain::diagnostic::did_you_mean;
use accredit_domain::policy::{PolicyConstant, Program, ProgramForm};

/// The tree of a program, with its constants in their places.
pub(super) fn compile_with_constants(
    engine: &Engine,
    program: &Program,
) -> Result<AST, ParseError> {
    let ast = match program.form {
        ProgramForm::Policy(_) => engine.compile(&*program.source)?,
        ProgramForm::Expression(_) => return engine.compile_expression(&*program.source),
    };

    if program.constants.is_empty() {
        return Ok(ast);
    }

    let mut statements = Vec::new();
    for statement in ast.statements() {
        statements.push(with_constant_value(engine, statement, &program.constants)?);
    }
    Ok(AST::new(statements, Arc::clone(ast.shared_lib())))
}

fn with_constant_value(
    engine: &Engine,
    statement: &Stmt,
    constants: &[PolicyConstant],
) -> Result<Stmt, ParseError> {
    let Stmt::Var(declared, flags, at) = statement else { return Ok(statement.clone()) };
    let (name, old, index) = &**declared;
    let Some(constant) = constants.iter().find(|constant| *constant.name == *name.as_str()) else {
        return Ok(statement.clone());
    };

    let literal = engine.compile_expression(&*constant.literal)?;
    let Some(Stmt::Expr(value)) = literal.statements().first() else {
        return Ok(statement.clone());
    };
    let mut value = (**value).clone();
    // Errors name the line that the author wrote, where the default stands.
    value.set_position(old.start_position());
    Ok(Stmt::Var(Box::new((name.clone(), value, *index)), *flags, *at))
}

/// The constants of `policy` that `text`, the text in brackets after its name, gives values: each
/// by name, or in the order in which the file has them.
///
/// # Errors
/// What does not fit, and what to write instead.
pub fn parse_constants(
    policy: &Program,
    text: &str,
) -> Result<Vec<PolicyConstant>, (String, String)> {
    let declared = declared_constants(policy);
    let mut given: Vec<PolicyConstant> = Vec::new();
    for (index, part) in split_arguments(text).into_iter().enumerate() {
        let (name, written) = match part.split_once('=') {
            Some((name, written)) if is_name(name.trim()) => (name.trim(), written.trim()),
            _ => {
                let name = declared.get(index).map(|(name, _)| name.as_str());
                (name.ok_or_else(|| too_many(&declared))?, part.trim())
            }
        };

        let known = declared.iter().find(|(known, _)| known == name);
        let Some((_, wanted)) = known else { return Err(unknown_constant(name, &declared)) };
        let Some(literal) = parse_literal(written) else { return Err(no_literal(written)) };
        if literal_kind(&literal) != Some(*wanted) {
            let message = format!("`{name}` is a {wanted}, but `{written}` is not");
            return Err((message, format!("write a {wanted}, as the policy has it")));
        }

        if given.iter().any(|known| *known.name == *name) {
            let message = format!("`{name}` has two values");
            return Err((message, "keep one of them".to_owned()));
        }

        given.push(PolicyConstant { name: Arc::from(name), literal: Arc::from(literal) });
    }
    Ok(given)
}

/// Names and kinds of the constants whose value is written out, in the order of the file.
fn declared_constants(policy: &Program) -> Vec<(String, &'static str)> {
    let Ok(ast) = sandbox::new_parser().compile(&*policy.source) else { return Vec::new() };
    let constant = |statement: &Stmt| match statement {
        Stmt::Var(declared, flags, _) if flags.contains(ASTFlags::CONSTANT) => {
            // Those of shared files are the same for every policy.
            let (line, column) = fault::line_and_column(declared.0.pos)?;
            let own = policy.origin.place_at(line, column).file == policy.origin.place.file;
            own.then_some(())?;
            Some((declared.0.as_str().to_owned(), kind_of(&declared.1)?))
        }
        _ => None,
    };
    ast.statements().iter().filter_map(constant).collect()
}

fn kind_of(value: &Expr) -> Option<&'static str> {
    match value {
        Expr::StringConstant(..) | Expr::CharConstant(..) => Some("text"),
        Expr::BoolConstant(..) => Some("bool"),
        other => adapter::literal_number(other).map(|_| "number"),
    }
}

fn literal_kind(literal: &str) -> Option<&'static str> {
    let ast = sandbox::new_parser().compile_expression(literal).ok()?;
    match ast.statements() {
        [Stmt::Expr(value)] => kind_of(value),
        _ => None,
    }
}

/// A literal as the language writes it: texts may stand in single quotes, since plans are TOML.
fn parse_literal(written: &str) -> Option<String> {
    let single = written.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let double = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));

    if let Some(text) = single.or(double) {
        // A text with these signs could be more than a text once it is part of a program.
        let plain = !text.contains(['"', '\'', '\\', '\n', '\r', '`']);
        return plain.then(|| format!("\"{text}\""));
    }

    let digits = written.strip_prefix('-').unwrap_or(written);
    let number = digits.starts_with(|sign: char| sign.is_ascii_digit())
        && digits.ends_with(|sign: char| sign.is_ascii_digit())
        && digits.chars().all(|sign| sign.is_ascii_digit() || sign == '.')
        && digits.matches('.').count() <= 1;
    (number || matches!(written, "true" | "false")).then(|| written.to_owned())
}

/// The parts between the commas, except commas in quotes; nothing where nothing is written.
fn split_arguments(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, sign) in text.char_indices() {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            (None, ',') => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => (),
        }
    }
    parts.extend(text.get(start..));
    if text.trim().is_empty() { Vec::new() } else { parts }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
        && text.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
}

fn known_constants_help(declared: &[(String, &'static str)]) -> String {
    let names: Vec<String> = declared.iter().map(|(name, _)| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "write `const NAME = …;` with a number, a text, true or false into the policy"
            .to_owned(),
        names => format!("its constants are {}", names.join(", ")),
    }
}

fn too_many(declared: &[(String, &'static str)]) -> (String, String) {
    let count = declared.len();
    (
        format!("the policy has {count} constants that can be set, and more are given"),
        known_constants_help(declared),
    )
}

fn unknown_constant(name: &str, declared: &[(String, &'static str)]) -> (String, String) {
    let near = did_you_mean(name, declared.iter().map(|(known, _)| known.as_str()));
    let message = format!("the policy has no constant `{name}` that can be set");
    (message, near.unwrap_or_else(|| known_constants_help(declared)))
}

fn no_literal(written: &str) -> (String, String) {
    let message = format!("`{written}` is no literal");
    (message, "write a number, a text in quotes, true or false".to_owned())
}
