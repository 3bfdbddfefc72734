//! Advice about syntax errors: what was probably meant, read off the text around the place.
//!
//! Not finding them: Rhai does, one a file. Called by `check`.
//!
//! **Architecture invariant:** advice never moves a finding and never replaces its message.

use rhai::{LexError, ParseError, ParseErrorType};

use super::foreign_syntax;
use crate::fault;
use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{Program, ProgramForm};

/// The text before a syntax error, and what is behind it.
fn split_at_error<'a>(program: &'a Program, error: &ParseError) -> Option<(&'a str, &'a str)> {
    let at = match fault::line_and_column(error.position()) {
        Some((line, column)) => Place::new("", line, column).byte_offset(&program.source),
        None => program.source.len(),
    };
    program.source.split_at_checked(at)
}

/// How to read a column whose name is a word of the language: `tx.go` does not.
pub(super) fn column_behind(program: &Program, error: &ParseError, word: &str) -> Option<String> {
    let (before, _) = split_at_error(program, error)?;
    let base = before.strip_suffix('.')?;
    let start = base.trim_end_matches(is_word).len();
    let owner = base.get(start..).filter(|owner| !owner.is_empty())?;
    Some(format!("the word is reserved: write `{owner}[\"{word}\"]`"))
}

/// Habits that show in the text around the place, before its one sign or word says anything.
fn help_for_context(expression: bool, before: &str, behind: &str) -> Option<&'static str> {
    let whole = if before.trim().is_empty() { behind.trim_start() } else { before.trim_start() };
    let line = before.rsplit('\n').next().unwrap_or(before);

    // Spreadsheets begin a formula with `=`.
    if expression && whole.starts_with('=') && !whole.starts_with("==") {
        return Some("write it without the leading `=`");
    }

    if line.trim_start().trim_start_matches('}').trim_start().starts_with("for")
        && (line.contains("for (") || line.contains("for("))
    {
        return Some("write `for i in 0..3 { … }`");
    }

    if line.contains(" in (") || matches!(first_token(behind), "IN" | "In") {
        return Some("write `x in [\"A\"]`");
    }

    if let Some(habit) = help_for_switch_arm(line, behind) {
        return Some(habit);
    }

    // Other languages mark variables with `$`.
    let name = behind.strip_prefix('$').and_then(|name| name.chars().next());
    if name.is_some_and(char::is_alphabetic) {
        return Some("write the name without the `$`");
    }

    None
}

/// An arm of a `switch` is one value, or a block.
fn help_for_switch_arm(line: &str, behind: &str) -> Option<&'static str> {
    let (_, arm) = line.rsplit_once("=>")?;
    let is_word = matches!(first_token(behind), "return" | "throw" | "let" | "break" | "continue");
    if is_word && arm.trim().is_empty() {
        return Some("put it into braces: `=> { throw \"no rate\"; }`");
    }

    let assigns = ["= ", "+=", "-=", "*=", "/="].iter().any(|sign| behind.starts_with(sign));
    assigns.then_some("an assignment in an arm stands in braces: `=> { rate = 0.1; }`")
}

/// What to do about a syntax error, where it can be guessed.
pub(super) fn syntax_help(program: &Program, error: &ParseError) -> Option<String> {
    let (before, behind) = split_at_error(program, error)?;

    let here = first_token(behind);
    let expression = matches!(program.form, ProgramForm::Expression(_));
    if let Some(habit) = help_for_context(expression, before, behind) {
        return Some(habit.to_owned());
    }

    let known = match error.err_type() {
        ParseErrorType::BadInput(LexError::MalformedChar(_)) => {
            Some("text stands in double quotes: \"…\"")
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => {
            Some("close the text with a double quote on the same line")
        }
        ParseErrorType::BadInput(LexError::MalformedEscapeSequence(_)) => {
            Some("write `\\\\` for a backslash")
        }
        ParseErrorType::BadInput(LexError::UnexpectedInput(sign)) if sign == "=" && expression => {
            Some("write `==` to compare")
        }
        ParseErrorType::AssignmentToInvalidLHS(_) | ParseErrorType::AssignmentToConstant(_) => {
            Some("write `==` to compare; columns cannot be changed")
        }
        ParseErrorType::ExprTooDeep => Some("put a part of it into a function of its own"),
        ParseErrorType::VariableExpected | ParseErrorType::ForbiddenVariable(_) => {
            Some("this is a word of the language; use another name")
        }
        ParseErrorType::FnMissingParams(_) => Some("write `fn name(tx) { … }`"),
        ParseErrorType::BadInput(LexError::ImproperSymbol(sign, _)) => {
            foreign_syntax::help_for_sign(sign)
        }
        ParseErrorType::UnknownOperator(sign) => foreign_syntax::help_for_sign(sign),
        _ => None,
    };

    let around = || {
        foreign_syntax::help_for_sign(here)
            .or_else(|| foreign_syntax::help_for_sign(last_token(before)))
            .or_else(|| help_for_types(here, before))
            .or_else(|| help_for_missing(error.err_type(), here))
    };

    known.or_else(around).map(str::to_owned)
}

/// `fn credit(tx: Transaction) -> Text`, `{ "amount": 5 }`, `10,000`.
fn help_for_types(here: &str, before: &str) -> Option<&'static str> {
    let line = before.rsplit('\n').next().unwrap_or(before).trim_start();
    let head = line.starts_with("fn ") && !line.contains('{');
    match here {
        ":" | "->" if head => Some("parameters and results have no types: `fn name(tx) { … }`"),
        ":" => Some("a map is written `#{ amount: 5 }`"),
        ">" if before.ends_with('<') => foreign_syntax::help_for_sign("<>"),
        "," if before.ends_with(|sign: char| sign.is_ascii_digit()) => {
            Some("numbers have no sign between thousands: 10000 or 10_000")
        }
        _ => None,
    }
}

fn help_for_missing(error: &ParseErrorType, here: &str) -> Option<&'static str> {
    match error {
        ParseErrorType::MissingToken(token, _) if token == ";" => {
            Some("the statement before this word needs a `;` at its end")
        }
        ParseErrorType::MissingToken(token, _) if token == "}" && here.is_empty() => {
            Some("a `{` is not closed")
        }
        ParseErrorType::UnexpectedEOF => Some("something is not closed, or a value is missing"),
        ParseErrorType::BadInput(LexError::UnexpectedInput(sign)) if sign == "}" => {
            Some("there is no `{` that it closes")
        }
        _ => None,
    }
}

/// The word or the sign at the beginning of a text.
fn first_token(text: &str) -> &str {
    let word = text.find(|sign: char| !is_word(sign)).unwrap_or(text.len());
    if word > 0 {
        return text.get(..word).unwrap_or_default();
    }
    let long = ["===", "!==", "->", "=>", "=<", "<>", "++", "--", "**"];
    let sign = || text.chars().next().map_or(0, char::len_utf8);
    let length = long.iter().find(|sign| text.starts_with(**sign)).map_or_else(sign, |s| s.len());
    text.get(..length).unwrap_or_default()
}

/// The word or the sign at the end of a text.
fn last_token(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.trim_end_matches(is_word).len();
    if start < text.len() {
        return text.get(start..).unwrap_or_default();
    }
    let sign = text.chars().next_back().map_or(0, char::len_utf8);
    // Signs of operators that may stand before a mistake are none themselves.
    text.get(text.len() - sign..).filter(|sign| *sign == "%").unwrap_or_default()
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}
