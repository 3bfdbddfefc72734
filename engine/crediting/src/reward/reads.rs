//! Which of the variables of a reward its programs may read.
//!
//! A policy names its parameters as it likes and may leave out the last ones, so a variable is known by its
//! place. Not what a variable is (`domain`, `policy`). Called by the book and by the parts of rewards.
//!
//! **Architecture invariant:** the answer errs to one side: what a program may read is never called unread.

use accredit_domain::policy::{Program, ProgramForm, ProgramId};
use accredit_workspace::Ruleset;

/// What earlier periods paid.
pub(super) const PAID: &str = "paid";

/// The place of a claimant among all.
pub(super) const STANDING: &str = "standing";

/// Whether a program may read the variable that expressions call `name`; a name in a comment counts.
pub(super) fn may_read_variable(ruleset: &Ruleset, id: ProgramId, name: &str) -> bool {
    let Some(program) = ruleset.programs.get(id) else { return true };
    match program.form {
        ProgramForm::Expression(_) => count_uses(&program.source, name) > 0,
        ProgramForm::Policy(_) => may_read_parameter(program, name),
    }
}

/// Whether a policy may read the parameter in the place of the variable `name`.
fn may_read_parameter(program: &Program, name: &str) -> bool {
    let variables = program.form.scope_variables();
    let Some(place) = variables.iter().position(|variable| *variable == name) else { return false };

    let mut functions = program.source.split("fn ").skip(1);
    let parameters = functions.find_map(|function| {
        let rest = function.trim_start().strip_prefix("reward")?.trim_start();
        rest.strip_prefix('(')?.split(')').next()
    });
    let Some(parameters) = parameters else { return true };
    let Some(own_name) = parameters.split(',').nth(place).map(str::trim) else { return false };

    let is_name = !own_name.is_empty() && own_name.chars().all(is_name_character);
    !is_name || count_uses(&program.source, own_name) > 1
}

/// How often a name is in a text.
fn count_uses(text: &str, name: &str) -> usize {
    text.split(|character| !is_name_character(character)).filter(|word| *word == name).count()
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
