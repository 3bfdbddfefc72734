//! Variables, constants and functions that nothing uses: most often a name that was misspelt
//! elsewhere, or a part of an earlier version.
//!
//! Not columns that nothing reads (`workspace::unused`). Called by the walk.
//!
//! **Architecture invariant:** a name that begins with `_` is meant to be unused.

use std::collections::{BTreeSet, HashSet};

use rhai::{Expr, Position, Stmt};

use super::walk::ProgramWalk;
use crate::api;
use accredit_domain::diagnostic::Code;
use accredit_domain::policy::ProgramForm;

/// What was declared and what was used.
#[derive(Debug, Default)]
pub(super) struct NameUsage {
    /// Variables and constants, with their places.
    pub(super) declared: Vec<(String, Position)>,
    /// Places of those that were used.
    pub(super) places: HashSet<Position>,
    /// Functions that were called.
    pub(super) functions: BTreeSet<String>,
}

impl ProgramWalk<'_> {
    /// Warns of everything that was declared and is not used.
    pub(super) fn check_unused_names(&mut self) {
        let ProgramForm::Policy(kind) = self.program.form else { return };
        // A name that is unknown elsewhere says it already.
        if self.findings.iter().any(|found| found.code == Code::CR007) {
            return;
        }
        let help = "remove it, or begin its name with `_`";

        let declared = std::mem::take(&mut self.used.declared);
        for (name, at) in declared {
            let shared = self.is_shared(at);
            if !shared && !self.used.places.contains(&at) && !name.starts_with('_') {
                let message = format!("nothing uses `{name}`");
                self.report_warning(Code::CR017, at, message, Some(help.to_owned()));
            }
        }

        let functions = self.own_functions();
        // Without its entry point a policy is never called, which is reported already.
        if !functions.iter().any(|function| function.name == kind.entry_point()) {
            return;
        }

        for function in functions {
            let name = function.name.as_str();
            let called = self.used.functions.contains(name) || name == kind.entry_point();
            let at = self.function_name_position(&function);
            let meant = name.starts_with('_') || name.starts_with("anon$") || self.is_shared(at);
            let arity = function.params.len();
            let of_language = api::find_function(name);
            if of_language.is_some_and(|known| known.arities.contains(&arity)) && !meant {
                let message =
                    format!("`{name}` is a function of the language, and this one takes its place");
                let help = "give it another name".to_owned();
                self.report_warning(Code::CR026, at, message, Some(help));
            }

            if !called && !meant {
                let message = format!("nothing calls `{name}`");
                self.report_warning(Code::CR017, at, message, Some(help.to_owned()));
            }
        }
    }

    /// Whether it stands in a shared file, of which a policy may use a part.
    fn is_shared(&self, at: Position) -> bool {
        self.place_of(at).file != self.program.origin.place.file
    }
}

/// Names that the statements assign to, blocks in them included.
pub(super) fn assigned_names(statements: &[Stmt]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();

    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path| {
            if let Some(rhai::ASTNode::Stmt(Stmt::Assignment(x))) = path.last()
                && let Expr::Variable(variable, ..) = &x.1.lhs
            {
                names.insert(variable.1.to_string());
            }
            true
        });
    }

    names
}
