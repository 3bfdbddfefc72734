//! Finds what is wrong with a program when it is saved, all of it in one pass.
//!
//! Not running it: values are not known here, only kinds of some of them, and what is not known is
//! not complained about. Called by `workspace` for every policy and expression.
//!
//! **Architecture invariant:** a program without an error here may still fault when it runs, but
//! every name in it exists, and every finding stands at the first character of the author's word.

mod arguments;
mod calls;
mod compared;
mod doubts;
pub(crate) mod entry;
mod expressions;
mod fields;
mod findings;
mod foreign_syntax;
mod in_words;
mod kinds;
mod lookups;
mod persons;
mod results;
mod rounding;
mod switches;
mod syntax;
mod unreachable;
mod unused;
mod walk;
mod weights;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use rhai::{AST, LexError, ParseError, ParseErrorType};

pub use self::compared::{ColumnComparison, near_miss};
pub use self::in_words::program_in_words;
use self::walk::ProgramWalk;
pub(crate) use self::walk::body_statements;
use super::sandbox::{self, CLOSED_SYMBOLS, FORBIDDEN_FUNCTIONS, SOURCE_BYTES_MAX};
use super::{CheckContext, constants, fault, machine};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::policy::{Program, ProgramForm, ReturnType};

/// The fields that a program may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldReads {
    /// Every text and every name behind a dot: each may be a column or a mapped field.
    pub names: BTreeSet<String>,
    /// Names behind a dot or in brackets of a deal, or of a value that may be one.
    pub of_deals: BTreeSet<String>,
    /// Whether a column's name is computed: then every column may be read.
    pub any: bool,
    /// Whether what stands in brackets is a variable: the deal itself may then say which column is read.
    pub by_variable: bool,
    /// Columns that are compared with a text that is written out.
    pub compared: Vec<ColumnComparison>,
}

/// Everything that is wrong with `program`, in the order of its text; only the first syntax error.
pub fn check(program: &Program, known: &CheckContext) -> Vec<Diagnostic> {
    let findings = collect_findings(program, known).into_iter();
    let advised =
        findings.map(|finding| match (&finding.help, general_help(finding.code, program)) {
            (None, Some(advice)) => finding.with_help(advice),
            _ => finding,
        });
    advised.collect()
}

/// What to do about a finding for which there is no advice of its own.
fn general_help(code: Code, program: &Program) -> Option<String> {
    if let (Code::CR007, ProgramForm::Expression(place)) = (code, program.form) {
        return Some(format!(
            "what can be read here is `{}`",
            place.scope_variables().join("`, `")
        ));
    }
    let policy = matches!(program.form, ProgramForm::Policy(_));

    let advice = match code {
        Code::CR001 if policy && parse_program(program).is_ok() => {
            "constants are computed on saving: fix the expression"
        }
        Code::CR001 if policy => "look for a missing bracket, quote or semicolon here or before",
        Code::CR001 => {
            "an expression is one value, such as `tx.amount * 2`; steps belong in a policy"
        }
        Code::CR002 => {
            "write the name as the header has it; declare it in [columns] before rows have it"
        }
        Code::CR003 => "scripts/api.md lists the functions that exist",
        Code::CR004 => "give it as many arguments as it takes",
        Code::CR005 => "write it at the left margin of this file, beside other functions",
        Code::CR007 => "make it with `let` first; constants of the top level see only each other",
        Code::CR009 => "split it into several policies",
        Code::CR010 => "make them alike: `number(text)`, `to_text(x)` or `date(text)`",
        Code::CR011 => match program.form.return_type() {
            ReturnType::Bool => "compare something, such as `tx.amount > 0`",
            ReturnType::Number => "end with an amount, such as `tx.amount`",
            ReturnType::Recipients => {
                "end with names, such as `tx.default_credit`, or `[share(who, 0.5)]`"
            }
            ReturnType::Hold => "end with a hold, such as `hold_for(30, \"days\")` or `no_hold()`",
            ReturnType::Rolled => {
                "end with an amount, such as `credit.amount`, or with `()` for none"
            }
            ReturnType::Rows => "end with a map of columns, such as `#{ id: payload.id }`",
        },
        _ => return None,
    };

    Some(advice.to_owned())
}

/// The same, with advice only where the finding itself tells what to do.
pub(super) fn collect_findings(program: &Program, known: &CheckContext) -> Vec<Diagnostic> {
    if program.source.len() > SOURCE_BYTES_MAX {
        let message = format!("the script has more than {SOURCE_BYTES_MAX} bytes");
        return vec![Diagnostic::error(Code::CR009, program.origin.place.clone(), message)];
    }

    let ast = match parse_program(program) {
        Ok(ast) => ast,
        Err(finding) => return vec![finding],
    };

    let mut parameters = walk::ParameterKinds::default();
    // What a function gets is known from its calls, which may stand behind it: look again until
    // calls through calls are known too.
    for _ in 0..PARAMETER_ROUNDS {
        let mut walk = ProgramWalk::new(program, known, &ast, parameters);
        walk.visit_program();
        parameters = walk.parameters;
    }

    let mut walk = ProgramWalk::new(program, known, &ast, parameters);
    walk.visit_program();
    let mut findings = walk.findings;

    if let ProgramForm::Policy(kind) = program.form {
        findings.extend(entry::check(program, &ast, kind));
    }
    // What passed so far must also compile where it will run: constants are evaluated there.
    if !findings.iter().any(Diagnostic::is_error)
        && let Some(fault) = machine::compile_fault(program)
    {
        findings.push(Diagnostic::error(Code::CR001, fault.place, fault.message));
    }

    findings.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
    // Some parts of a program are visited more than once.
    findings.dedup();

    findings
}

/// What `program` may read; everything, when it cannot be understood.
pub fn field_reads(program: &Program) -> FieldReads {
    let Ok(ast) = parse_program(program) else {
        return FieldReads { any: true, ..FieldReads::default() };
    };
    let known = CheckContext { open: true, ..CheckContext::default() };
    let mut walk = ProgramWalk::new(program, &known, &ast, walk::ParameterKinds::default());
    walk.visit_program();
    walk.reads
}

/// Rounds over the functions of a script before the one that counts.
const PARAMETER_ROUNDS: usize = 3;

pub(crate) fn parse_program(program: &Program) -> Result<AST, Diagnostic> {
    let read = || constants::compile_with_constants(&sandbox::new_parser(), program);

    match catch_unwind(read) {
        Ok(Ok(ast)) => Ok(ast),
        Ok(Err(error)) => Err(syntax_diagnostic(program, &error)),
        Err(_) => Err(Diagnostic::error(
            Code::CR001,
            program.origin.place.clone(),
            "the text cannot be read",
        )),
    }
}

fn syntax_diagnostic(program: &Program, error: &ParseError) -> Diagnostic {
    let place = match fault::line_and_column(error.position()) {
        Some((line, column)) => program.origin.place_at(line, column),
        None => end_place(program),
    };

    let word = match error.err_type() {
        ParseErrorType::Reserved(word) => Some(word.as_str()),
        ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) => Some(word.as_str()),
        _ => None,
    };

    if let Some(word) = word.filter(|word| is_closed(word)) {
        let finding = forbidden_word(place, word);
        let column = syntax::column_behind(program, error, word);
        return Diagnostic { help: column.or(finding.help), ..finding };
    }

    let finding = Diagnostic::error(Code::CR001, place, fault::parse_message(error.err_type()));
    Diagnostic { help: syntax::syntax_help(program, error), ..finding }
}

fn is_closed(word: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    CLOSED_SYMBOLS.contains(&word) || (!word.is_empty() && word.chars().all(letters))
}

/// A word that policies may not use.
fn forbidden_word(place: Place, word: &str) -> Diagnostic {
    let finding = Diagnostic::error(Code::CR008, place, format!("policies may not use `{word}`"));
    match word {
        "|" => finding
            .with_help("a function stands in a call alone, such as `filter(items, |x| x > 0)`"),
        "print" | "debug" => finding.with_help("use `throw` to see a value"),
        "import" => finding.with_help("put shared functions into `policies/shared/`"),
        _ if foreign_syntax::help_for_reserved_word(word).is_some() => {
            finding.with_help(foreign_syntax::help_for_reserved_word(word).unwrap_or_default())
        }
        _ if FORBIDDEN_FUNCTIONS.contains(&word) => finding,
        _ => finding.with_help("the word is reserved; use another name"),
    }
}

/// The place behind the last character.
fn end_place(program: &Program) -> Place {
    let end = Place::of_offset("", &program.source, program.source.len());
    program.origin.place_at(end.line, end.column)
}
