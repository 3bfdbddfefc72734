//! The command line: one verb a file.
//!
//! Not the work of a verb. Data goes to standard output, messages to standard error. Exit codes: 0
//! done, 1 failed, 2 wrong usage, 3 nothing matched, 4 a preview found changes.

pub(crate) mod author;
pub(crate) mod bundle;
pub(crate) mod doctor;
pub(crate) mod print;
pub(crate) mod remote;
pub(crate) mod results;
pub(crate) mod ruleset;
pub(crate) mod run;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::author::{api, check, completions, docs, eval, lsp, new, repl, schema, test};
use self::print::output;
use self::remote::{
    apply, audit, backup, by_hand, compact, dump, events, keep, keys, migrate, people, preview,
    pull, reconcile, release, rollback, trigger, verify,
};
use self::results::{aliases, calculate, explain, simulate, worker};
use self::run::{demo, serve};

/// Decides who gets credit for a sale.
#[derive(Debug, Parser)]
#[command(name = "accredit", version, about)]
struct CommandLine {
    #[command(subcommand)]
    verb: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Create a customer's directory, or a policy in one.
    New(new::NewArguments),
    /// Check a directory and show all errors and warnings.
    Check(check::CheckArguments),
    /// Run the case files of a directory.
    Test(test::TestArguments),
    /// Calculate the credits of a period.
    Calculate(calculate::CalculateArguments),
    /// Project the rest of a period from the deals so far; nothing is stored.
    Simulate(simulate::SimulateArguments),
    /// Show why a transaction was credited as it was, or why not.
    Explain(explain::ExplainArguments),
    /// List every alias and what it means.
    Aliases(aliases::AliasesArguments),
    /// Write a page for each plan, for its payees.
    Docs(docs::DocsArguments),
    /// Run one policy on one transaction.
    Eval(eval::EvalArguments),
    /// Evaluate expressions on a transaction, one per line.
    Repl(repl::ReplArguments),
    /// Serve an editor: findings, completions, hints and cases while files are typed.
    Lsp(lsp::LspArguments),
    /// Show the fields and functions that policies can use.
    Api(api::ApiArguments),
    /// Show the JSON Schema of a file or of an output.
    Schema(schema::SchemaArguments),
    /// Print the OpenAPI document of a server's API.
    Openapi,
    /// Print the completions for a shell.
    Completions(completions::CompletionsArguments),
    /// Run a sample company on a real server.
    Demo(demo::DemoArguments),
    /// Receive webhooks and serve the API.
    Serve(serve::ServeArguments),
    /// Release a calculation to its payees, or release held credits, on a server.
    #[command(subcommand)]
    Release(release::ReleaseCommand),
    /// Give a credit by hand on a server, or take one back.
    #[command(subcommand)]
    Credit(by_hand::CreditCommand),
    /// Add a reward by hand on a server, or take one back.
    #[command(subcommand)]
    Reward(by_hand::RewardCommand),
    /// List the deals of a server, or make one void.
    #[command(subcommand)]
    Transaction(by_hand::TransactionCommand),
    /// Make, list, rotate or revoke keys of a server's API.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Look for what will give trouble on this machine, or at a server.
    Doctor(Box<doctor::DoctorArguments>),
    /// List, test or send again what a server tells other systems.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Invite people to a server, list them, change their roles, disable or enable them.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Print a server's decision as a case, to append to a case file.
    Keep(keep::KeepArguments),
    /// Show which files, rules and amounts a directory would change.
    Preview(preview::PreviewArguments),
    /// Put a directory, or a saved preview, in force on a server.
    Apply(apply::ApplyArguments),
    /// Write the definitions of a server into a directory: the inverse of apply.
    Pull(pull::PullArguments),
    /// Put an earlier version of the definitions back in force on a server.
    Rollback(rollback::RollbackArguments),
    /// Compare a list of closed deals with those of a server, and import what is missing.
    Reconcile(reconcile::ReconcileArguments),
    /// Send a server what a CRM would send, to try a source out.
    #[command(subcommand)]
    Trigger(trigger::TriggerCommand),
    /// Repeat the recorded decisions and compare the results.
    Verify(verify::VerifyArguments),
    /// Write a data file as lines of text.
    Dump(dump::DumpArguments),
    /// Back up the data file of a server, or a file that none has open.
    Backup(backup::BackupArguments),
    /// Create a data file from a dump or a backup.
    Restore(dump::RestoreArguments),
    /// Copy every row of a store into another one, such as a data file into a PostgreSQL database.
    Migrate(migrate::MigrateArguments),
    /// Make a data file as small as its rows.
    Compact(compact::CompactArguments),
    /// Show the audit trail, or verify that it is complete and unchanged.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Pack policies, plans and cases into a bundle; install, upgrade, list and remove bundles.
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Pin the rules of a directory in one file, or show what such a file has.
    #[command(subcommand)]
    Ruleset(ruleset::RulesetCommand),
    /// Decide the deals of one partition: from standard input to standard output.
    Worker(worker::WorkerArguments),
    /// Show the version of the program and of the policy language.
    Version,
}

/// Runs the verb that the command line names.
pub(crate) fn run() -> ExitCode {
    let code = match CommandLine::parse().verb {
        CliCommand::New(arguments) => new::run(&arguments),
        CliCommand::Check(arguments) => check::run(&arguments),
        CliCommand::Test(arguments) => test::run(&arguments),
        CliCommand::Calculate(arguments) => calculate::run(&arguments),
        CliCommand::Simulate(arguments) => simulate::run(&arguments),
        CliCommand::Explain(arguments) => explain::run(&arguments),
        CliCommand::Aliases(arguments) => aliases::run(&arguments),
        CliCommand::Docs(arguments) => docs::run(&arguments),
        CliCommand::Eval(arguments) => eval::run(&arguments),
        CliCommand::Repl(arguments) => repl::run(&arguments),
        CliCommand::Lsp(arguments) => lsp::run(&arguments),
        CliCommand::Api(arguments) => api::run(&arguments),
        CliCommand::Schema(arguments) => schema::run(&arguments),
        CliCommand::Openapi => {
            output::print_line(crate::http::openapi::document_text().trim_end());
            output::EXIT_OK
        }
        CliCommand::Completions(arguments) => completions::run(&arguments, CommandLine::command()),
        CliCommand::Demo(arguments) => demo::run(&arguments),
        CliCommand::Serve(options) => return serve::run(options),
        CliCommand::Release(verb) => return release::run(&verb),
        CliCommand::Credit(verb) => by_hand::run_credit(&verb),
        CliCommand::Reward(verb) => by_hand::run_reward(&verb),
        CliCommand::Transaction(verb) => by_hand::run_transaction(&verb),
        CliCommand::Keys(verb) => keys::run(&verb),
        CliCommand::Doctor(options) => doctor::run(&options),
        CliCommand::Events(verb) => events::run(&verb),
        CliCommand::People(verb) => people::run(&verb),
        CliCommand::Keep(options) => keep::run(&options),
        CliCommand::Preview(options) => preview::run(&options),
        CliCommand::Apply(options) => apply::run(&options),
        CliCommand::Pull(options) => pull::run(&options),
        CliCommand::Rollback(options) => rollback::run(&options),
        CliCommand::Reconcile(options) => reconcile::run(&options),
        CliCommand::Trigger(verb) => trigger::run(&verb),
        CliCommand::Verify(options) => verify::run(&options),
        CliCommand::Dump(options) => dump::run_dump(&options),
        CliCommand::Backup(options) => backup::run(&options),
        CliCommand::Restore(options) => dump::run_restore(&options),
        CliCommand::Migrate(options) => migrate::run(&options),
        CliCommand::Compact(options) => compact::run(&options),
        CliCommand::Audit(verb) => audit::run(&verb),
        CliCommand::Bundle(verb) => bundle::run(&verb),
        CliCommand::Ruleset(verb) => ruleset::run(&verb),
        CliCommand::Worker(arguments) => worker::run(&arguments),
        CliCommand::Version => {
            let (version, language) =
                (env!("CARGO_PKG_VERSION"), accredit_workspace::POLICY_LANGUAGE);
            output::print_line(&format!("accredit {version}, policy language {language}"));
            output::EXIT_OK
        }
    };
    ExitCode::from(code)
}
