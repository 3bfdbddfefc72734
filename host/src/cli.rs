//! The command line: one verb a file.
//!
//! Not the work of a verb. Data goes to standard output, talk to standard error. Exit codes:
//! 0 done, 1 failed, 2 wrong usage, 3 nothing matched, 4 a preview found changes.

pub(crate) mod author;
pub(crate) mod bundle;
pub(crate) mod print;
pub(crate) mod remote;
pub(crate) mod results;
pub(crate) mod run;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::author::{api, check, completions, eval, new, repl, schema, test};
use self::print::output;
use self::remote::{apply, audit, dump, keep, preview, release, rollback, verify};
use self::results::{aliases, calculate, explain, simulate};
use self::run::{demo, serve};

/// Decides who gets credit for a sale.
#[derive(Debug, Parser)]
#[command(name = "accredit", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Begin a customer's directory, or a policy in one.
    New(new::Arguments),
    /// Check a directory and show everything that is wrong with it.
    Check(check::Arguments),
    /// Run the case files of a directory.
    Test(test::Arguments),
    /// Calculate the credits of a period.
    Calculate(calculate::Arguments),
    /// Show what a period would come to if it went on as it has so far; nothing is stored.
    Simulate(simulate::Arguments),
    /// Show why a transaction was credited as it was, or why not.
    Explain(explain::Arguments),
    /// List every alias and what it means.
    Aliases(aliases::Arguments),
    /// Run one policy on one transaction.
    Eval(eval::Arguments),
    /// Evaluate expressions on a transaction, one a line.
    Repl(repl::Arguments),
    /// Show what policies see and call.
    Api(api::Arguments),
    /// Show the JSON Schema of a file or of what comes out.
    Schema(schema::Arguments),
    /// Show the completions for a shell.
    Completions(completions::Arguments),
    /// Show a sample company on a real server.
    Demo(demo::Arguments),
    /// Receive webhooks and serve the API.
    Serve(serve::Options),
    /// Release a calculation to its payees, or held credits, on a server.
    #[command(subcommand)]
    Release(release::Verb),
    /// Write a decision of a server as a case, for the end of a case file.
    Keep(keep::Options),
    /// Show what a directory would change: files, rules, and money.
    Preview(preview::Options),
    /// Bring a directory, or what a preview wrote, into force on a server.
    Apply(apply::Options),
    /// Bring an earlier set of definitions back into force on a server.
    Rollback(rollback::Options),
    /// Make recorded decisions again and compare them.
    Verify(verify::Options),
    /// Write a data file as lines of text.
    Dump(dump::Dump),
    /// Make a data file out of what `dump` wrote.
    Restore(dump::Restore),
    /// Show the audit trail, or check that it is whole.
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Pack policies, plans and cases; install, upgrade, list and remove what others packed.
    #[command(subcommand)]
    Bundle(bundle::Verb),
    /// Show the version of the program and of the policy language.
    Version,
}

/// Runs the verb that the command line names.
pub(crate) fn run() -> ExitCode {
    let code = match Arguments::parse().verb {
        Verb::New(arguments) => new::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Calculate(arguments) => calculate::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Aliases(arguments) => aliases::run(&arguments),
        Verb::Eval(arguments) => eval::run(&arguments),
        Verb::Repl(arguments) => repl::run(&arguments),
        Verb::Api(arguments) => api::run(&arguments),
        Verb::Schema(arguments) => schema::run(&arguments),
        Verb::Completions(arguments) => completions::run(&arguments, Arguments::command()),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Serve(options) => return serve::run(options),
        Verb::Release(verb) => return release::run(&verb),
        Verb::Keep(options) => keep::run(&options),
        Verb::Preview(options) => preview::run(&options),
        Verb::Apply(options) => apply::run(&options),
        Verb::Rollback(options) => rollback::run(&options),
        Verb::Verify(options) => verify::run(&options),
        Verb::Dump(options) => dump::dump(&options),
        Verb::Restore(options) => dump::run_restore(&options),
        Verb::Audit(verb) => audit::run(&verb),
        Verb::Bundle(verb) => bundle::run(&verb),
        Verb::Version => {
            let (version, language) =
                (env!("CARGO_PKG_VERSION"), accredit_workspace::POLICY_LANGUAGE);
            output::line(&format!("accredit {version}, policy language {language}"));
            output::EXIT_OK
        }
    };
    ExitCode::from(code)
}
