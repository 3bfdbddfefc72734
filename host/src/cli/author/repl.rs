//! `accredit repl`: expressions on a transaction, one after the other; variables, saved queries and
//! the functions of a policy.
//!
//! Not reading what is typed (`lines`), by a person or by another program.

mod lines;

use std::path::PathBuf;
use std::sync::Arc;

use accredit_domain::diagnostic::{Code, Place, did_you_mean};
use accredit_domain::policy::{ExpressionUse, Program, ProgramForm};
use accredit_script::workbench::Workbench;
use accredit_script::{CheckContext, check, trace};
use clap::Args;

use self::lines::InputLines;
use crate::cli::author::eval;
use crate::cli::author::scene::{FixtureContext, FixtureRequest, ScriptFixture};
use crate::cli::print::output::{self, EXIT_OK};

/// Evaluates expressions on a transaction.
#[derive(Debug, Args)]
pub(crate) struct ReplArguments {
    /// A customer's directory.
    dir: PathBuf,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    transactions: Option<PathBuf>,
}

const HELP: &str = "\
:tx ID|JSON        look at another transaction; without one, list some
:fields            what the transaction has
:policy KIND/NAME  call the functions of this policy from now on
:help              this
:quit              end
let NAME = …       keep the value of an expression
query:NAME         the value of a saved query
anything else is an expression: tx.amount * 0.1, tx.has(\"amount\"), credit.amount, to.title;
it goes on over lines while a bracket is open, until an empty line";

/// How a saved query is called.
const QUERY_PREFIX: &str = "query:";

/// Transactions that `:tx` lists.
const LISTED_MAX: usize = 20;

/// Runs the verb until the input ends.
pub(crate) fn run(arguments: &ReplArguments) -> u8 {
    let scene = match ScriptFixture::read_directory(&arguments.dir, arguments.transactions.clone())
    {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    let mut session = ReplSession { seen: None, scene, workbench: Workbench::default() };

    if let Some(first) = session.scene.transactions.first().map(|first| first.id.to_string()) {
        session.choose_transaction(&first);
    }

    let mut lines = InputLines::new();
    while let Some(line) = lines.next_input() {
        if !session.answer_line(line.trim()) {
            break;
        }
    }

    EXIT_OK
}

struct ReplSession {
    scene: ScriptFixture,
    seen: Option<FixtureContext>,
    workbench: Workbench,
}

impl ReplSession {
    /// Answers one input; false when it was the last.
    fn answer_line(&mut self, line: &str) -> bool {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.trim()) {
            ("", _) => (),
            (":quit" | ":q", _) => return false,
            (":help", _) => output::print_line(HELP),
            (":fields", _) => self.print_fields(),

            (":tx", "") => {
                for transaction in self.scene.transactions.iter().take(LISTED_MAX) {
                    output::print_line(&transaction.id);
                }
            }

            (":tx", wanted) => self.choose_transaction(wanted),
            (":policy", wanted) => self.open_policy(wanted),
            _ if word.starts_with(':') => {
                output::print_line(&format!("no command `{word}`; try :help"))
            }
            _ => self.answer_input(line),
        }

        true
    }

    /// Lets inputs call the functions of a policy.
    fn open_policy(&mut self, name: &str) {
        let found = eval::find_policy(&self.scene.ruleset, name);
        let opened = found.and_then(|(_, program)| self.workbench.open_policy(&program));
        match opened {
            Ok(functions) => output::print_line(&format!("{name}: {}", functions.join(", "))),
            Err(message) => output::print_line(&format!("error: {message}")),
        }
    }

    fn choose_transaction(&mut self, wanted: &str) {
        match self.scene.find_transaction(wanted) {
            Ok(transaction) => {
                output::print_line(&format!("transaction {}", transaction.id));
                self.seen =
                    Some(self.scene.script_context(&transaction, FixtureRequest::default()));
            }
            Err(message) => output::print_line(&format!("error: {message}")),
        }
    }

    fn print_fields(&self) {
        let Some(seen) = &self.seen else {
            return output::print_line("choose a transaction: :tx ID");
        };

        for column in &self.scene.columns {
            let quoted = column.replace('\\', "\\\\").replace('"', "\\\"");
            let source = format!("tx[\"{quoted}\"]");
            let value = trace::evaluate_expression(&source, &seen.script_arguments());
            output::print_line(&format!(
                "{source} = {}",
                value.unwrap_or_else(|_| "(blank)".to_owned())
            ));
        }

        let known = [("credit", seen.credit.is_some()), ("to", seen.to.is_some())];
        let beside: Vec<&str> =
            known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
        output::print_line(&format!("beside tx: {}", beside.join(", ")));
    }

    /// Answers an expression, a `let` or a saved query.
    fn answer_input(&mut self, line: &str) {
        let answer = match parse_assignment(line) {
            Some((name, source)) => self.assign_variable(&name, &source),
            None => self.evaluate_expression(line.trim_end_matches(';')),
        };
        match answer {
            Ok(value) => output::print_line(&value),
            Err(message) => output::print_line(&format!("error: {message}")),
        }
    }

    fn assign_variable(&mut self, name: &str, source: &str) -> Result<String, String> {
        let source = self.checked_source(source)?;
        let seen = self.seen.as_ref().ok_or(NO_TRANSACTION)?;
        let value = self.workbench.set_variable(name, &source, &seen.script_arguments())?;
        Ok(format!("{name} = {value}"))
    }

    fn evaluate_expression(&self, source: &str) -> Result<String, String> {
        let source = self.checked_source(source)?;
        let seen = self.seen.as_ref().ok_or(NO_TRANSACTION)?;
        self.workbench.evaluate(&source, &seen.script_arguments())
    }

    /// The text of an expression without an error, or of the saved query that it names.
    fn checked_source(&self, source: &str) -> Result<String, String> {
        if let Some(name) = source.strip_prefix(QUERY_PREFIX) {
            return self.saved_query(name.trim());
        }
        self.first_error(source).map_or_else(|| Ok(source.to_owned()), Err)
    }

    fn saved_query(&self, name: &str) -> Result<String, String> {
        let ruleset = &self.scene.ruleset;
        let queries = &ruleset.settings.queries;
        let found = queries.get(name).and_then(|id| ruleset.programs.get(*id));
        found.map(|program| program.source.to_string()).ok_or_else(|| {
            let help = did_you_mean(name, queries.keys().map(String::as_str));
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("there is no query `{name}`{help}")
        })
    }

    /// Whether the check does not know a name that the session knows.
    fn knows_name(&self, message: &str) -> bool {
        let name = |prefix: &str| message.strip_prefix(prefix)?.strip_suffix('`');
        name("unknown variable `").is_some_and(|name| self.workbench.knows_variable(name))
            || name("unknown function `").is_some_and(|name| self.workbench.knows_function(name))
    }

    /// The policies that have a function which an input calls in vain.
    fn defining_policies(&self, message: &str) -> Option<String> {
        let name = message.strip_prefix("unknown function `")?.strip_suffix('`')?;
        let ruleset = &self.scene.ruleset;
        let found = ruleset.policies.iter().find(|(_, id)| {
            let program = ruleset.programs.get(**id);
            program.is_some_and(|program| program.source.contains(&format!("fn {name}(")))
        });
        found.map(|((kind, stem), _)| {
            let kind = kind.as_str();
            format!("`{kind}/{stem}` has it: `:policy {kind}/{stem}` lets you call it")
        })
    }

    /// The first error that a check of the expression finds; its kind of result is free here.
    fn first_error(&self, source: &str) -> Option<String> {
        let program = Program {
            form: ProgramForm::Expression(ExpressionUse::IndirectCondition),
            source: Arc::from(source),
            name: Arc::from(""),
            origin: Place::new("", 1, 1).into(),
            constants: Vec::new(),
        };

        let known = CheckContext {
            fields: Arc::clone(&self.scene.ruleset.settings.fields),
            columns: self.scene.columns.clone(),
            ..CheckContext::default()
        };

        let found = check(&program, &known).into_iter();
        let mut errors = found.filter(|found| {
            found.is_error() && found.code != Code::CR011 && !self.knows_name(&found.message)
        });

        errors.next().map(|finding| {
            let help = self.defining_policies(&finding.message).or(finding.help);
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            let (line, column) = (finding.place.line, finding.place.column);
            let line = if line > 1 { format!("line {line}, ") } else { String::new() };
            format!("{line}column {column}: {}{help}", finding.message)
        })
    }
}

const NO_TRANSACTION: &str = "choose a transaction: :tx ID";

/// The name and the expression of `let NAME = EXPRESSION`.
fn parse_assignment(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("let ")?;
    let (name, source) = rest.split_once('=')?;
    let name = name.trim();

    let letters = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let is_name =
        name.chars().all(letters) && !name.starts_with(|sign: char| sign.is_ascii_digit());

    let source = source.trim().trim_end_matches(';').trim();

    // What begins with a second `=` is a comparison.
    (is_name && !name.is_empty() && !source.starts_with('='))
        .then(|| (name.to_owned(), source.to_owned()))
}
