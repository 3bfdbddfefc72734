//! `accredit repl`: expressions on a transaction, one after the other.
//!
//! Not reading what is typed (`lines`), by a person or by another program.

mod lines;

use std::path::PathBuf;
use std::sync::Arc;

use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{Form, Program, Use};
use accredit_script::{Known, check, trace};
use clap::Args;

use self::lines::Lines;
use crate::cli::author::scene::{Scene, Seen, Wanted};
use crate::cli::print::output::{self, EXIT_OK};

/// Evaluates expressions on a transaction.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    transactions: Option<PathBuf>,
}

const HELP: &str = "\
:tx ID|JSON   look at another transaction; without one, list some
:fields       what the transaction has
:help         this
:quit         end
anything else is an expression: tx.amount * 0.1, tx.has(\"amount\"), credit.amount, to.title;
it goes on over lines while a bracket is open, until an empty line";

/// Transactions that `:tx` lists.
const LISTED_MAX: usize = 20;

/// Runs the verb until the input ends.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let scene = match Scene::read(&arguments.dir, arguments.transactions.clone()) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    let mut session = Session { seen: None, scene };
    if let Some(first) = session.scene.transactions.first().map(|first| first.id.to_string()) {
        session.choose(&first);
    }
    let mut lines = Lines::new();
    while let Some(line) = lines.next() {
        if !session.line(line.trim()) {
            break;
        }
    }
    EXIT_OK
}

struct Session {
    scene: Scene,
    seen: Option<Seen>,
}

impl Session {
    /// Answers one input; false when it was the last.
    fn line(&mut self, line: &str) -> bool {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.trim()) {
            ("", _) => (),
            (":quit" | ":q", _) => return false,
            (":help", _) => output::line(HELP),
            (":fields", _) => self.fields(),
            (":tx", "") => {
                for transaction in self.scene.transactions.iter().take(LISTED_MAX) {
                    output::line(&transaction.id);
                }
            }
            (":tx", wanted) => self.choose(wanted),
            _ if word.starts_with(':') => output::line(&format!("no command `{word}`; try :help")),
            _ => self.expression(line),
        }
        true
    }

    fn choose(&mut self, wanted: &str) {
        match self.scene.transaction(wanted) {
            Ok(transaction) => {
                output::line(&format!("transaction {}", transaction.id));
                self.seen = Some(self.scene.seen(&transaction, Wanted::default()));
            }
            Err(message) => output::line(&format!("error: {message}")),
        }
    }

    fn fields(&self) {
        let Some(seen) = &self.seen else { return output::line("choose a transaction: :tx ID") };
        for column in &self.scene.columns {
            let quoted = column.replace('\\', "\\\\").replace('"', "\\\"");
            let source = format!("tx[\"{quoted}\"]");
            let value = trace::evaluate(&source, &seen.arguments());
            output::line(&format!("{source} = {}", value.unwrap_or_else(|_| "(blank)".to_owned())));
        }
        let known = [("credit", seen.credit.is_some()), ("to", seen.to.is_some())];
        let beside: Vec<&str> =
            known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
        output::line(&format!("beside tx: {}", beside.join(", ")));
    }

    fn expression(&self, source: &str) {
        let Some(seen) = &self.seen else { return output::line("choose a transaction: :tx ID") };
        if let Some(finding) = self.finding(source) {
            return output::line(&format!("error: {finding}"));
        }
        match trace::evaluate(source, &seen.arguments()) {
            Ok(value) => output::line(&value),
            Err(message) => output::line(&format!("error: {message}")),
        }
    }

    /// The first error that a check of the expression finds; its kind of result is free here.
    fn finding(&self, source: &str) -> Option<String> {
        let program = Program {
            form: Form::Expression(Use::IndirectCondition),
            source: Arc::from(source),
            name: Arc::from(""),
            origin: Place::new("", 1, 1).into(),
            constants: Vec::new(),
        };
        let known = Known {
            fields: Arc::clone(&self.scene.ruleset.settings.fields),
            columns: self.scene.columns.clone(),
            ..Known::default()
        };
        let found = check(&program, &known).into_iter();
        let mut errors = found.filter(|found| found.is_error() && found.code != "CR011");
        errors.next().map(|finding| {
            let help = finding.help.map(|help| format!("; {help}")).unwrap_or_default();
            let (line, column) = (finding.place.line, finding.place.column);
            let line = if line > 1 { format!("line {line}, ") } else { String::new() };
            format!("{line}column {column}: {}{help}", finding.message)
        })
    }
}
