//! The entry point of a policy: that it is there and takes what it is given.
//!
//! Not what it returns (the walk sees that). Called by `check`.
//!
//! **Architecture invariant:** names of parameters are free, only their number counts.

use std::sync::Arc;

use rhai::{AST, ImmutableString, Position, ScriptFuncDef};

use crate::fault;
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_domain::policy::{PolicyKind, Program};

/// What is wrong with the entry point.
pub(super) fn check(program: &Program, ast: &AST, kind: PolicyKind) -> Option<Diagnostic> {
    let needed = kind.parameters();
    let form = format!("fn {}({})", kind.entry_point(), needed.join(", "));

    let mut named = ast.iter_fn_def().filter(|function| function.name == kind.entry_point());

    let Some(first) = named.next() else {
        let message = format!("a {} policy needs `{form}`", kind.as_str());

        // Most often the name was misspelt, and the function is there.
        let near = |function: &&Arc<ScriptFuncDef>| {
            did_you_mean(kind.entry_point(), [function.name.as_str()]).is_some()
        };
        return Some(match ast.iter_fn_def().find(near) {
            Some(near) => {
                let help = format!("rename `{}` to `{}`", near.name, kind.entry_point());
                Diagnostic::error(Code::CR005, name_place(program, near), message).with_help(help)
            }
            None => {
                let help = format!("write `{form} {{ … }}`");
                Diagnostic::error(Code::CR005, program.origin.place.clone(), message)
                    .with_help(help)
            }
        });
    };

    // Rhai may have several functions of one name; one with the right parameters is enough.
    let counts = kind.fewest_parameters()..=needed.len();
    if counts.contains(&first.params.len()) || named.any(|f| counts.contains(&f.params.len())) {
        return None;
    }

    let count = first.params.len();
    let parameters = if needed.len() == 1 { "parameter" } else { "parameters" };
    let message =
        format!("`{}` takes {} {parameters}, this one has {count}", first.name, needed.len());

    let finding = Diagnostic::error(Code::CR006, name_place(program, first), message);
    Some(finding.with_help(format!("write `{form}`")))
}

/// The place of a function's name, which the syntax tree does not keep: before its body.
fn name_place(program: &Program, function: &ScriptFuncDef) -> Place {
    let place = place_in_text(&program.source, function);
    program.origin.place_at(place.line, place.column)
}

/// The same, counted in the text itself.
pub(crate) fn place_in_text(text: &str, function: &ScriptFuncDef) -> Place {
    let body = position_offset(text, function.body.start_position());
    let before = text.get(..body).unwrap_or_default();
    let at = name_offset(before, &function.name).unwrap_or(body);
    Place::of_offset("", text, at)
}

fn name_offset(before: &str, name: &ImmutableString) -> Option<usize> {
    let names = before.rmatch_indices(name.as_str()).map(|(at, _)| at);
    let is_definition = |at: &usize| {
        let head = before.get(..*at).unwrap_or_default();
        head.ends_with(char::is_whitespace) && head.trim_end().ends_with("fn")
    };
    let mut names = names.filter(is_definition);
    names.next()
}

/// The byte at which a position stands.
fn position_offset(text: &str, position: Position) -> usize {
    let Some((line, column)) = fault::line_and_column(position) else { return text.len() };
    let lines = text.split_inclusive('\n').take(line as usize - 1).map(str::len);
    let start: usize = lines.sum();
    let rest = text.get(start..).unwrap_or_default();
    let shift = rest.char_indices().nth(column as usize - 1).map_or(rest.len(), |(at, _)| at);
    start + shift
}
