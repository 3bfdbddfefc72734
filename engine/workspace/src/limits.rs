//! How much one check may have to do: a limit on what it reads and one on its steps.
//!
//! Not the limits of a single file or script, which their readers name. Called by `Ruleset::read`
//! and by what goes through all programs.
//!
//! **Architecture invariant:** a check that stops at a limit reports an error, so that nothing
//! unchecked comes into force.

use super::report::Findings;
use super::{Files, is_definition};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::work::{self, CHECK_STEPS_MAX};

/// Bytes of all definition files together.
pub(super) const DEFINITION_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Whether the definition files are small enough to be checked; else it is reported.
pub(super) fn fits_limits(files: &Files, report: &Findings) -> bool {
    let definitions = files.iter().filter(|(path, _)| is_definition(path));
    let bytes: usize = definitions.map(|(_, text)| text.len()).sum();
    if bytes <= DEFINITION_BYTES_MAX {
        return true;
    }
    let message = format!(
        "the files have {bytes} bytes, more than {DEFINITION_BYTES_MAX} (DEFINITION_BYTES_MAX)"
    );
    report.push(limit_reached(message));
    false
}

/// Whether the check may go on; the first time that it may not is reported.
pub(super) fn may_continue(report: &Findings, place: &Place) -> bool {
    if !work::is_spent() {
        return true;
    }
    let message = format!(
        "the check took more than {CHECK_STEPS_MAX} steps (CHECK_STEPS_MAX), and stopped at `{}`",
        place.file
    );
    report.push(limit_reached(message));
    false
}

fn limit_reached(message: String) -> Diagnostic {
    let help = "split the directory, or remove some of its files or rows";
    Diagnostic::error(Code::CR092, Place::whole_file(super::SETTINGS), message).with_help(help)
}
