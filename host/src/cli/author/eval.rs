//! `accredit eval`: one policy on one transaction, or on one payee's totals, with the values it saw line by
//! line.
//!
//! Not a calculation: nothing is rounded, resolved or held here. Credits and receivers that the
//! policy sees are those of the transaction's own decision.

mod reward;

use std::path::PathBuf;
use std::sync::Arc;

use accredit_domain::diagnostic::{Place, did_you_mean};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm};
use accredit_script::library;
use accredit_script::machine::{Fallback, find_fallbacks};
use accredit_script::{Machine, ScriptFault, trace};
use accredit_workspace::Ruleset;
use clap::Args;
use serde::Serialize;
use serde_json::Value as Json;

use crate::cli::author::scene::{FixtureRequest, ScriptFixture};
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE};
use crate::cli::results::calculate::{InputArguments, InputOptions};

/// Runs one policy on one transaction; a reward policy on the totals and the quota of a payee.
#[derive(Debug, Args)]
pub(crate) struct EvalArguments {
    /// A customer's directory.
    dir: PathBuf,
    /// The policy: `crediting/large-deals`, `hold/standard/hold-large-deals`.
    #[arg(long, value_name = "KIND/NAME")]
    policy: String,
    /// A transaction's natural key, or a transaction as JSON; for an intake policy the body.
    #[arg(long, value_name = "ID|JSON")]
    transaction: Option<String>,
    #[command(flatten)]
    reward: reward::RewardTrialArguments,
    /// Use only credits of this plan, for policies that see a credit.
    #[arg(long)]
    plan: Option<String>,
    /// The credit that the policy sees, instead of the first one.
    #[arg(long, value_name = "CREDIT")]
    credit: Option<String>,
    /// A file or folder of transactions, instead of the directory's own.
    #[arg(long, value_name = "PATH")]
    transactions: Option<PathBuf>,
    /// Show every line that was run, with the values it saw.
    #[arg(long)]
    explain: bool,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// Runs the verb: exit 1 if the policy gives no answer, 3 if an input does not exist.
pub(crate) fn run(arguments: &EvalArguments) -> u8 {
    if arguments.policy.starts_with("reward/") {
        return of_reward(arguments);
    }

    let scene = match ScriptFixture::read_directory(&arguments.dir, arguments.transactions.clone())
    {
        Ok(scene) => scene,
        Err(code) => return code,
    };

    let (kind, program) = match find_policy(&scene.ruleset, &arguments.policy) {
        Ok(found) => found,
        Err(message) => return nothing_found(&message),
    };

    let Some(wanted) = arguments.transaction.as_deref() else {
        eprintln!("error: --transaction is required, except for a reward policy");
        return EXIT_USAGE;
    };

    if kind == PolicyKind::Intake {
        return run_intake(&scene, arguments, wanted, &program);
    }

    let transaction = match scene.find_transaction(wanted) {
        Ok(transaction) => transaction,
        Err(message) => return nothing_found(&message),
    };

    let wanted = FixtureRequest {
        plan: arguments.plan.as_deref(),
        credit: arguments.credit.as_deref(),
        rolled: kind == PolicyKind::Rollup,
    };

    let seen = scene.script_context(&transaction, wanted);
    if let Some(wanted) = arguments.credit.as_deref().filter(|_| seen.credit.is_none()) {
        return nothing_found(&format!("the transaction has no credit `{wanted}`"));
    }
    if kind.parameters().contains(&"credit") && seen.credit.is_none() {
        return nothing_found("no plan credits this transaction, so there is no credit to show");
    }

    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let answer = Machine::new(&programs).run(id, &seen.script_arguments());
    let steps = if arguments.explain {
        trace::trace_steps(&program, &seen.script_arguments())
    } else {
        Ok(vec![])
    };
    let steps = steps.unwrap_or_default();
    let about = TrialSubject::Transaction { transaction: transaction.id.to_string() };
    let answer = answer.map(|answer| trace::show_answer(&answer).into());

    print_trial(arguments, &program, &TrialRun { about, answer, steps })
}

fn of_reward(arguments: &EvalArguments) -> u8 {
    let options = InputOptions {
        plan: arguments.plan.clone(),
        as_of: None,
        transactions: arguments.transactions.clone(),
    };
    let input = InputArguments { dir: arguments.dir.clone(), options };

    let loaded = match input.load_directory() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };

    match find_policy(&loaded.ruleset, &arguments.policy) {
        Ok((_, program)) => reward::run_reward(arguments, &loaded, &program),
        Err(message) => nothing_found(&message),
    }
}

fn nothing_found(message: &str) -> u8 {
    eprintln!("error: {message}");
    EXIT_NOTHING
}

fn print_fault(fault: &ScriptFault) -> u8 {
    let place = &fault.place;
    eprintln!("error: {}:{}:{}: {}", place.file, place.line, place.column, fault.message);
    EXIT_FAILED
}

/// The policy called `KIND/NAME`, of the directory or of the library.
pub(crate) fn find_policy(ruleset: &Ruleset, name: &str) -> Result<(PolicyKind, Program), String> {
    let own = ruleset.policies.keys().map(|(kind, stem)| format!("{}/{stem}", kind.as_str()));
    let library = library::LIBRARY.iter();
    let library = library.map(|(kind, stem, _)| format!("{}/standard/{stem}", kind.as_str()));
    let known: Vec<String> = own.chain(library).collect();

    let near = || {
        let ends = known.iter().find(|known| known.rsplit('/').next() == Some(name));
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let help = ends.map(|known| format!("did you mean `{known}`?")).or(near);
        help.map(|help| format!("; {help}")).unwrap_or_default()
    };

    let (kind, stem) =
        name.split_once('/').ok_or_else(|| format!("a policy is named KIND/NAME{}", near()))?;
    let kind = PolicyKind::parse(kind).ok_or_else(|| {
        let known = PolicyKind::ALL.map(PolicyKind::as_str);
        let help = did_you_mean(kind, known).unwrap_or_else(|| known.join(", "));
        format!("`{kind}` is not a kind of policy; {help}")
    })?;

    let own = ruleset.policies.get(&(kind, stem.to_owned()));
    if let Some(program) = own.and_then(|id| ruleset.programs.get(*id)) {
        return Ok((kind, Program::clone(program)));
    }

    let standard =
        stem.strip_prefix("standard/").and_then(|stem| library::find_standard_source(kind, stem));
    let source = standard.ok_or_else(|| format!("there is no policy `{name}`{}", near()))?;
    let origin = Place::new(format!("scripts/{}.rhai", name.replace("standard/", "")), 1, 1).into();
    let (form, source) = (ProgramForm::Policy(kind), Arc::from(source));

    Ok((kind, Program { form, source, name: Arc::from(name), origin, constants: Vec::new() }))
}

/// An intake policy on a body.
fn run_intake(
    scene: &ScriptFixture,
    arguments: &EvalArguments,
    body: &str,
    program: &Program,
) -> u8 {
    let payload: Json = match serde_json::from_str(body) {
        Ok(payload) => payload,
        Err(error) => {
            return nothing_found(&format!("an intake policy needs a body in JSON: {error}"));
        }
    };
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let rows = Machine::new(&programs).run_intake(id, &payload);
    let answer = rows.map(|rows| rows.iter().map(|row| Json::Object(row.to_json())).collect());
    let steps =
        arguments.explain.then(|| trace::trace_delivery(program, &payload).unwrap_or_default());

    print_trial(
        arguments,
        program,
        &TrialRun { about: TrialSubject::Delivery {}, answer, steps: steps.unwrap_or_default() },
    )
}

/// What a policy was run on.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TrialSubject {
    /// The natural key of a transaction.
    Transaction { transaction: String },
    /// The totals and the quota of a payee.
    Payee(reward::TrialPayee),
    /// A delivery, which has no name.
    Delivery {},
}

/// A trial as JSON shows it.
#[derive(Debug, Serialize)]
struct TrialView<'a> {
    /// The policy's name.
    policy: &'a str,
    /// In words, or the rows of an intake policy; null where the policy failed.
    answer: Option<&'a Json>,
    /// Why the policy failed.
    error: Option<TrialFaultView<'a>>,
    /// With `--explain`, the functions that are not compiled.
    not_compiled: Vec<FallbackView<'a>>,
    /// With `--explain`, the lines that were run.
    steps: Vec<TrialStepView<'a>>,
    /// What it was run on. Texts alone: the numbers of flattened parts would not be written as they are.
    #[serde(flatten)]
    about: &'a TrialSubject,
}

/// A function that the interpreter runs.
#[derive(Debug, Serialize)]
struct FallbackView<'a> {
    /// The function.
    function: &'a str,
    /// What in it the compiler does not know.
    reason: &'a str,
    /// Line in the author's file, from 1.
    line: u32,
    /// Column in it, from 1.
    column: u32,
}

/// Why a policy failed, and where.
#[derive(Debug, Serialize)]
struct TrialFaultView<'a> {
    /// What went wrong.
    message: &'a str,
    /// The author's file.
    file: &'a str,
    /// Line in it, from 1.
    line: u32,
    /// Column in it, from 1.
    column: u32,
}

/// A line that was run.
#[derive(Debug, Serialize)]
struct TrialStepView<'a> {
    /// Line in the policy's file, from 1.
    line: u32,
    /// The text of the line.
    text: &'a str,
    /// The value of its expression; null where it gave none.
    value: Option<&'a str>,
    /// What was read on the way.
    reads: Vec<TrialReadView<'a>>,
}

/// A value that a line read.
#[derive(Debug, Serialize)]
struct TrialReadView<'a> {
    /// What was read: `tx.amount`.
    name: &'a str,
    /// Its value.
    value: &'a str,
}

/// What a policy was run on, and what came of it.
struct TrialRun {
    /// What it was run on.
    about: TrialSubject,
    /// In words, or the rows of an intake policy.
    answer: Result<Json, ScriptFault>,
    steps: Vec<trace::TraceStep>,
}

/// Shows what came out.
fn print_trial(arguments: &EvalArguments, program: &Program, trial: &TrialRun) -> u8 {
    let fallbacks = if arguments.explain { find_fallbacks(program) } else { Vec::new() };
    match arguments.format {
        DataFormat::Json => print_json(program, trial, &fallbacks),
        _ => {
            print_text(trial);
            fallbacks.iter().for_each(print_fallback);
        }
    }
    trial.answer.as_ref().map_or_else(print_fault, |_| EXIT_OK)
}

/// Says why a function runs in the interpreter.
fn print_fallback(fallback: &Fallback) {
    let Place { file, line, column, .. } = &fallback.place;
    let (function, reason) = (&fallback.function, &fallback.reason);
    eprintln!(
        "note: {file}:{line}:{column}: `{function}` is not compiled: the compiler does not know \
         {reason}"
    );
}

fn print_text(TrialRun { answer, steps, .. }: &TrialRun) {
    let width = steps.iter().map(|step| step.text.chars().count()).max().unwrap_or(0);
    for step in steps {
        let reads: Vec<String> =
            step.reads.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let value = step.value.as_deref().unwrap_or("(no value)");
        let text = format!("{:>4} | {:width$} => {value}", step.line, step.text);
        output::print_line(&text);
        if !reads.is_empty() {
            output::print_line(&format!("     |     {}", reads.join(", ")));
        }
    }

    match answer {
        Ok(Json::String(answer)) => output::print_line(answer),
        Ok(Json::Array(rows)) => rows.iter().for_each(|row| output::print_line(&row.to_string())),
        _ => (),
    }
}

fn print_json(
    program: &Program,
    TrialRun { about, answer, steps }: &TrialRun,
    fallbacks: &[Fallback],
) {
    let not_compiled = fallbacks.iter().map(|fallback| FallbackView {
        function: &fallback.function,
        reason: &fallback.reason,
        line: fallback.place.line,
        column: fallback.place.column,
    });
    let steps = steps.iter().map(|step| {
        let reads = step.reads.iter().map(|(name, value)| TrialReadView { name, value });
        TrialStepView {
            line: step.line,
            text: &step.text,
            value: step.value.as_deref(),
            reads: reads.collect(),
        }
    });

    let error = answer.as_ref().err().map(|fault| TrialFaultView {
        message: &fault.message,
        file: &fault.place.file,
        line: fault.place.line,
        column: fault.place.column,
    });

    let view = TrialView {
        policy: &program.name,
        answer: answer.as_ref().ok(),
        error,
        not_compiled: not_compiled.collect(),
        steps: steps.collect(),
        about,
    };
    output::print_json(&output::view_json(&view));
}
