//! Finds what is wrong with a program when it is saved, all of it in one pass.
//!
//! Not running it: values are not known here, only kinds of some of them, and what is not known is
//! not complained about. Called by `workspace` for every policy and expression.
//!
//! **Architecture invariant:** a program without an error here may still fault when it runs, but
//! every name in it exists, and every finding stands at the first character of the author's word.

mod arguments;
mod calls;
mod entry;
mod expressions;
mod fields;
mod findings;
mod habits;
mod kinds;
mod persons;
mod results;
mod rounding;
mod syntax;
mod unreachable;
mod unused;
mod walk;
mod weights;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use rhai::{AST, LexError, ParseError, ParseErrorType};

use self::walk::Walk;
use super::sandbox::{self, CLOSED_SYMBOLS, FORBIDDEN_FUNCTIONS, SOURCE_BYTES_MAX};
use super::{Known, fault, machine};
use crate::diagnostic::{Diagnostic, Place};
use crate::policy::{Form, Program};

/// The fields that a program may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Every text and every name behind a dot: each may be a column or a mapped field.
    pub names: BTreeSet<String>,
    /// Whether a column's name is computed: then every column may be read.
    pub any: bool,
}

/// Everything that is wrong with `program`, in the order of its text; only the first syntax error.
pub fn check(program: &Program, known: &Known) -> Vec<Diagnostic> {
    if program.source.len() > SOURCE_BYTES_MAX {
        let message = format!("the script has more than {SOURCE_BYTES_MAX} bytes");
        return vec![Diagnostic::error("CR009", program.origin.clone(), message)];
    }
    let ast = match parse(program) {
        Ok(ast) => ast,
        Err(finding) => return vec![finding],
    };
    let mut parameters = walk::Parameters::default();
    // What a function gets is known from its calls, which may stand behind it: look again until
    // calls through calls are known too.
    for _ in 0..ROUNDS {
        let mut walk = Walk::new(program, known, &ast, parameters);
        walk.all();
        parameters = walk.parameters;
    }
    let mut walk = Walk::new(program, known, &ast, parameters);
    walk.all();
    let mut findings = walk.findings;
    if let Form::Policy(kind) = program.form {
        findings.extend(entry::check(program, &ast, kind));
    }
    // What passed so far must also compile where it will run: constants are evaluated there.
    if !findings.iter().any(Diagnostic::is_error)
        && let Some(fault) = machine::compile_fault(program)
    {
        findings.push(Diagnostic::error("CR001", fault.place, fault.message));
    }
    findings.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    findings.dedup();
    findings
}

/// What `program` may read; everything, when it cannot be understood.
pub fn reads(program: &Program) -> Reads {
    let Ok(ast) = parse(program) else { return Reads { any: true, ..Reads::default() } };
    let known = Known { open: true, ..Known::default() };
    let mut walk = Walk::new(program, &known, &ast, walk::Parameters::default());
    walk.all();
    walk.reads
}

/// Rounds over the functions of a script before the one that counts.
const ROUNDS: usize = 3;

fn parse(program: &Program) -> Result<AST, Diagnostic> {
    let read = || {
        let engine = sandbox::parser();
        match program.form {
            Form::Policy(_) => engine.compile(&*program.source),
            Form::Expression(_) => engine.compile_expression(&*program.source),
        }
    };
    match catch_unwind(read) {
        Ok(Ok(ast)) => Ok(ast),
        Ok(Err(error)) => Err(syntax(program, &error)),
        Err(_) => {
            Err(Diagnostic::error("CR001", program.origin.clone(), "the text cannot be read"))
        }
    }
}

fn syntax(program: &Program, error: &ParseError) -> Diagnostic {
    let place = match fault::line_and_column(error.position()) {
        Some((line, column)) => Place::within(line, column, &program.origin),
        None => end(program),
    };
    let word = match error.err_type() {
        ParseErrorType::Reserved(word) => Some(word.as_str()),
        ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) => Some(word.as_str()),
        _ => None,
    };
    if let Some(word) = word.filter(|word| is_closed(word)) {
        return forbidden(place, word);
    }
    let finding = Diagnostic::error("CR001", place, fault::parse_message(error.err_type()));
    Diagnostic { help: syntax::help(program, error), ..finding }
}

fn is_closed(word: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    CLOSED_SYMBOLS.contains(&word) || (!word.is_empty() && word.chars().all(letters))
}

/// A word that policies may not use.
fn forbidden(place: Place, word: &str) -> Diagnostic {
    let finding = Diagnostic::error("CR008", place, format!("policies may not use `{word}`"));
    match word {
        "switch" => finding.help("use `if` and `else if`"),
        "|" => finding.help("write a loop instead of a closure"),
        "print" | "debug" => finding.help("use `throw` to see a value"),
        "import" => finding.help("a policy is one file"),
        _ if habits::reserved(word).is_some() => {
            finding.help(habits::reserved(word).unwrap_or_default())
        }
        _ if FORBIDDEN_FUNCTIONS.contains(&word) => finding,
        _ => finding.help("the word is reserved; use another name"),
    }
}

/// The place behind the last character.
fn end(program: &Program) -> Place {
    let end = Place::of_offset("", &program.source, program.source.len());
    Place::within(end.line, end.column, &program.origin)
}
