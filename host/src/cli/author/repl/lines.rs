//! What the author types: from a terminal with editing and a history of the session, or from a pipe.
//!
//! Not what it means (`repl`). An input continues over several lines while a bracket is open; an
//! empty line ends it all the same.
//!
//! **Architecture invariant:** a terminal and a pipe give the same inputs for the same lines.

use std::io::{self, BufRead, IsTerminal, Write};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, Config, Editor, Helper};

/// Before the first line of an input.
const PROMPT: &str = "> ";

/// Where inputs come from.
pub(super) enum InputLines {
    /// A person types; standard output may be elsewhere.
    Terminal(Box<Editor<Brackets, MemHistory>>),
    /// A file, another program, or a terminal that cannot be edited on.
    Plain {
        /// Whether a person waits to be asked.
        prompt: bool,
    },
}

impl InputLines {
    /// Those of standard input.
    pub(super) fn new() -> InputLines {
        let prompt = io::stdin().is_terminal();
        let config = Config::builder().behavior(Behavior::PreferTerm).build();
        let history = MemHistory::with_config(&config);
        match Editor::with_history(config, history) {
            Ok(mut editor) if prompt => {
                editor.set_helper(Some(Brackets));
                InputLines::Terminal(Box::new(editor))
            }
            _ => InputLines::Plain { prompt },
        }
    }

    /// The next input; none at the end.
    pub(super) fn next_input(&mut self) -> Option<String> {
        match self {
            InputLines::Terminal(editor) => loop {
                match editor.readline(PROMPT) {
                    Ok(input) => {
                        // What is not remembered can be typed again.
                        let _ = editor.add_history_entry(input.trim_end());
                        return Some(input);
                    }
                    Err(ReadlineError::Interrupted) => (),
                    Err(_) => return None,
                }
            },

            InputLines::Plain { prompt } => read_plain(&mut io::stdin().lock(), *prompt),
        }
    }
}

fn read_plain(from: &mut impl BufRead, prompt: bool) -> Option<String> {
    let mut input = String::new();
    loop {
        if prompt {
            eprint!("{PROMPT}");
            // A prompt that cannot be shown is no reason to end.
            let _ = io::stderr().flush();
        }

        let before = input.len();
        match from.read_line(&mut input) {
            Ok(0) | Err(_) => return (!input.is_empty()).then_some(input),
            Ok(_) if !has_open_bracket(&input) => return Some(input),
            Ok(_) if input.get(before..).is_some_and(|line| line.trim().is_empty()) => {
                return Some(input);
            }
            Ok(_) => (),
        }
    }
}

/// Lets an input go on while a bracket is open.
pub(super) struct Brackets;

impl Validator for Brackets {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let ended =
            input.contains('\n') && input.lines().last().is_none_or(|l| l.trim().is_empty());
        let ended = ended || input.ends_with('\n');
        let more = has_open_bracket(input) && !ended;
        Ok(if more { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Brackets {
    type Candidate = String;
}

impl Hinter for Brackets {
    type Hint = String;
}

impl Highlighter for Brackets {}

impl Helper for Brackets {}

/// Whether a bracket is open at the end: those in texts and comments are none.
fn has_open_bracket(input: &str) -> bool {
    let mut depth = 0_i32;
    let mut signs = input.chars().peekable();

    while let Some(sign) = signs.next() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,

            '"' | '\'' | '`' => {
                while let Some(inner) = signs.next() {
                    match inner {
                        '\\' if sign != '`' => drop(signs.next()),
                        // Only a text between backticks goes over lines.
                        '\n' if sign != '`' => break,
                        _ if inner == sign => break,
                        _ => (),
                    }
                }
            }

            '/' if signs.peek() == Some(&'/') => {
                signs.by_ref().find(|inner| *inner == '\n');
            }
            _ => (),
        }
    }

    depth > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_goes_on_while_a_bracket_is_open() {
        let check =
            |input: &str, expected: bool| assert_eq!(has_open_bracket(input), expected, "{input}");
        check("tx.amount * (1 +", true);
        check("tx.amount * (1 +\n2)", false);
        check("[1, {", true);
        check("tx[\"(\"]", false);
        check("`(", false);
        check("\"\\\"(\"", false);
        check("1 // (", false);
        check("1) + (", false);
        check("if tx.amount > 1 {\n  2\n} else {", true);
    }

    #[test]
    fn lines_of_a_pipe_become_inputs() {
        let text = "1\n(2 +\n3)\n\n(4\n\n5\n[6";
        let mut from = text.as_bytes();
        let inputs: Vec<String> = std::iter::from_fn(|| read_plain(&mut from, false)).collect();
        assert_eq!(inputs, ["1\n", "(2 +\n3)\n", "\n", "(4\n\n", "5\n", "[6"]);
    }
}
