//! Noting what the walk finds, at the author's place.
//!
//! Not deciding what is wrong. Called by the walk and its judges.
//!
//! **Architecture invariant:** every place is shifted by the program's origin here and nowhere else
//! in the walk.

use rhai::Position;

use super::walk::ProgramWalk;
use crate::fault;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

impl ProgramWalk<'_> {
    /// The place of a position of the text.
    pub(super) fn place_of(&self, at: Position) -> Place {
        match fault::line_and_column(at) {
            Some((line, column)) => self.program.origin.place_at(line, column),
            None => self.program.origin.place.clone(),
        }
    }

    /// Notes an error, with general advice.
    pub(super) fn report_error(&mut self, code: Code, at: Position, message: String) {
        self.report_with_help(code, at, message, None);
    }

    /// Notes an error with advice.
    pub(super) fn report_with_help(
        &mut self,
        code: Code,
        at: Position,
        message: String,
        help: Option<String>,
    ) {
        let finding = Diagnostic::error(code, self.place_of(at), message);
        self.findings.push(Diagnostic { help, ..finding });
    }

    /// Notes a warning, with advice if there is some.
    pub(super) fn report_warning(
        &mut self,
        code: Code,
        at: Position,
        message: String,
        help: Option<String>,
    ) {
        let finding = Diagnostic::warning(code, self.place_of(at), message);
        self.findings.push(Diagnostic { help, ..finding });
    }
}
