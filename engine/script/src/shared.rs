//! Functions and constants that policies of a directory share: `policies/shared/*.rhai`.
//!
//! Not which policy gets them (`workspace`): a policy that calls them is one program with them, so
//! checking, running, tracing and counting see a single text.
//!
//! **Architecture invariant:** a shared text is whole: nothing in it reaches into the text behind it.

use std::sync::Arc;

use rhai::{ASTFlags, Stmt};

use super::check::{self, entry};
use super::sandbox::SOURCE_BYTES_MAX;
use super::{api, fault};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm};

/// A name that a text defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedName {
    /// The name of a function or constant.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// Whether it is a function.
    pub function: bool,
}

/// The text between two texts: it ends a comment and a last constant.
pub const SEAM: &str = "\n;\n";

/// Lines from the last one of a text to the first one behind the seam.
pub const SEAM_LINES: u32 = 2;

/// The name by which it is seen that a text is whole.
const END_MARKER: &str = "behind_the_last_line";

/// What the file at `path` defines for all policies.
///
/// # Errors
/// Why it cannot be shared: a syntax error, statements outside functions, or a name that has a
/// meaning already.
pub fn read_shared_file(path: &str, text: &Arc<str>) -> Result<Vec<DefinedName>, Vec<Diagnostic>> {
    if text.len() > SOURCE_BYTES_MAX {
        let message = format!("the file has more than {SOURCE_BYTES_MAX} bytes (SOURCE_BYTES_MAX)");
        let finding = Diagnostic::error(Code::CR009, Place::new(path, 1, 1), message);
        return Err(vec![finding.with_help("split it into several files")]);
    }

    let program = shared_program(path, text);
    let ast = check::parse_program(&program).map_err(|finding| vec![finding])?;

    let whole = format!("{text}{SEAM}fn {END_MARKER}() {{}}");
    let behind = check::parse_program(&self::shared_program(path, &Arc::from(whole)));
    let is_whole =
        behind.is_ok_and(|behind| behind.iter_fn_def().any(|function| function.name == END_MARKER));
    if !is_whole {
        let message = "a comment or text of this file does not end, or it has too many functions";
        let finding = Diagnostic::error(Code::CR001, Place::new(path, 1, 1), message);
        return Err(vec![finding.with_help("look for `/*` without `*/`")]);
    }

    let mut findings = Vec::new();
    for statement in ast.statements() {
        let constant = match statement {
            Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
            statement => matches!(statement, Stmt::Noop(_)),
        };
        if !constant {
            let (line, column) = fault::line_and_column(statement.position()).unwrap_or((1, 1));
            let message = "only constants and functions may stand at the top level";
            let finding = Diagnostic::error(Code::CR001, Place::new(path, line, column), message);
            findings.push(finding.with_help("write `const` for a fixed value"));
        }
    }

    let defined = defined_names(path, text);
    for one in defined.iter().filter(|one| one.function) {
        let name = &one.name;
        // A name may be both; one finding is enough.
        let entry = PolicyKind::ALL.into_iter().find(|kind| kind.entry_point() == name);
        let message = match entry {
            Some(kind) => format!("`{name}` is what {} policies begin with", kind.as_str()),
            None if api::find_function(name).is_some() => {
                format!("`{name}` is a function that exists already")
            }
            None => continue,
        };

        let finding = Diagnostic::error(Code::CR026, one.place.clone(), message);
        findings.push(finding.with_help("give the shared function another name"));
    }

    if findings.is_empty() { Ok(defined) } else { Err(findings) }
}

/// The functions and top-level constants of a file of policies; none where it cannot be read.
pub fn defined_names(path: &str, text: &Arc<str>) -> Vec<DefinedName> {
    let Ok(ast) = check::parse_program(&shared_program(path, text)) else { return Vec::new() };

    let functions = ast.iter_fn_def().map(|function| {
        let place = entry::place_in_text(text, function);
        let place = Place::new(path, place.line, place.column);
        DefinedName { name: function.name.to_string(), place, function: true }
    });
    let functions = functions.filter(|one| !one.name.starts_with("anon$"));

    let constants = ast.statements().iter().filter_map(|statement| {
        let Stmt::Var(declared, ..) = statement else { return None };
        let (line, column) = fault::line_and_column(declared.0.pos)?;
        let place = Place::new(path, line, column);
        Some(DefinedName { name: declared.0.as_str().to_owned(), place, function: false })
    });

    let mut defined: Vec<DefinedName> = functions.chain(constants).collect();
    defined.sort_by(|one, other| one.place.cmp(&other.place));
    defined
}

fn shared_program(path: &str, text: &Arc<str>) -> Program {
    Program {
        form: ProgramForm::Policy(PolicyKind::Value),
        source: Arc::clone(text),
        name: Arc::from(path),
        origin: Place::new(path, 1, 1).into(),
        constants: Vec::new(),
    }
}
