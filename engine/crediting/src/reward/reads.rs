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

    // A comment can be in the middle of anything.
    let source = &*program.source;
    if source.contains("/*") {
        return true;
    }
    // Of several functions of the name the longest is called; one in a comment only errs to one side.
    let mut lists = parameter_lists(source).peekable();
    lists.peek().is_none() || lists.any(|list| may_read_place(source, list, place))
}

/// What is between the brackets behind every `fn reward`.
fn parameter_lists(source: &str) -> impl Iterator<Item = &str> {
    source.match_indices("reward").filter_map(|(at, word)| {
        let (before, from) = source.split_at(at);
        let is_function =
            before.trim_end().ends_with("fn") && before.ends_with(char::is_whitespace);
        let behind = from.get(word.len()..)?.trim_start();
        behind.strip_prefix('(').filter(|_| is_function)?.split(')').next()
    })
}

/// Whether the parameter at `place` of a list is more than a name that stands nowhere else.
fn may_read_place(source: &str, list: &str, place: usize) -> bool {
    if list.contains("//") {
        return true;
    }
    let Some(own_name) = list.split(',').nth(place).map(str::trim) else { return false };
    let is_name = !own_name.is_empty() && own_name.chars().all(is_name_character);
    !is_name || count_uses(source, own_name) > 1
}

/// How often a name is in a text.
fn count_uses(text: &str, name: &str) -> usize {
    text.split(|character| !is_name_character(character)).filter(|word| *word == name).count()
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_domain::diagnostic::Place;
    use accredit_domain::policy::PolicyKind;

    use super::*;

    #[track_caller]
    fn check(source: &str, paid: bool, standing: bool) {
        let program = Program {
            form: ProgramForm::Policy(PolicyKind::Reward),
            source: Arc::from(source),
            name: Arc::from("reward/test"),
            origin: Place::new("policies/reward/test.rhai", 1, 1).into(),
            constants: Vec::new(),
        };
        let found = [PAID, STANDING].map(|name| may_read_parameter(&program, name));
        assert_eq!(found, [paid, standing], "{source}");
    }

    /// A plan whose policy was called unread paid March as if nothing had been paid before, and ranked each
    /// part of the payees alone.
    #[test]
    fn a_parameter_is_known_by_its_place_whatever_is_around_it() {
        check("fn reward(payee, totals, quota) { totals.credited }", false, false);
        check("fn reward(p, t, q, e, before) { 50 - before.total }", true, false);
        check("fn reward(p, t, q, e, before, place) { place.rank }", false, true);
        check("fn reward(p, t, q, e, before, place) { 1 }", false, false);
        check("fn\n reward (p, t, q, e,\n before) { before.total }", true, false);
        // The longest of several functions is called.
        check(
            "fn reward(a, p) { a / p.rank }\nfn reward(p, t, q, e, b, place) { reward(1, place) }",
            false,
            true,
        );
        // Comments are not understood.
        check("// was: fn reward(p, t, q)\nfn reward(p, t, q, e, b) { b.total }", true, false);
        check("fn reward(p, t, q, // a, b\n e, b, place) { place.rank }", true, true);
        check("fn reward(p, t, q, /* a, b */ e, b) { b.total }", true, true);
        check("fn other(p) { 1 }", true, true);
    }
}
