//! `accredit eval`: one policy on one transaction, or on one payee's totals, with the values it saw line by
//! line.
//!
//! Not a calculation: nothing is rounded, resolved or held here. Credits and receivers that the
//! policy sees are those of the transaction's own decision.

mod reward;

use std::path::PathBuf;
use std::sync::Arc;

use accredit_domain::diagnostic::{Place, did_you_mean};
use accredit_domain::policy::{Form, Kind, Program};
use accredit_script::library;
use accredit_script::{Fault, Machine, trace};
use accredit_workspace::Ruleset;
use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::author::scene::{Scene, Wanted};
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE, Format};
use crate::cli::results::calculate::Input;

/// Runs one policy on one transaction; a reward policy on the totals and the quota of a payee.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// The policy: `crediting/large-deals`, `hold/standard/hold-large-deals`.
    #[arg(long, value_name = "KIND/NAME")]
    policy: String,
    /// A transaction's natural key, or a transaction as JSON; for an intake policy the body.
    #[arg(long, value_name = "ID|JSON")]
    transaction: Option<String>,
    #[command(flatten)]
    reward: reward::Asked,
    /// Only credits of this plan, for policies that see a credit.
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
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the verb: exit 1 when the policy gives no answer, 3 when there is no such thing.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    if arguments.policy.starts_with("reward/") {
        return of_reward(arguments);
    }

    let scene = match Scene::read(&arguments.dir, arguments.transactions.clone()) {
        Ok(scene) => scene,
        Err(code) => return code,
    };

    let (kind, program) = match find(&scene.ruleset, &arguments.policy) {
        Ok(found) => found,
        Err(message) => return nothing(&message),
    };

    let Some(wanted) = arguments.transaction.as_deref() else {
        eprintln!("error: every policy but one for rewards needs --transaction");
        return EXIT_USAGE;
    };

    if kind == Kind::Intake {
        return intake(&scene, arguments, wanted, &program);
    }

    let transaction = match scene.transaction(wanted) {
        Ok(transaction) => transaction,
        Err(message) => return nothing(&message),
    };

    let wanted = Wanted {
        plan: arguments.plan.as_deref(),
        credit: arguments.credit.as_deref(),
        rolled: kind == Kind::Rollup,
    };

    let seen = scene.seen(&transaction, wanted);
    if let Some(wanted) = arguments.credit.as_deref().filter(|_| seen.credit.is_none()) {
        return nothing(&format!("the transaction has no credit `{wanted}`"));
    }
    if kind.parameters().contains(&"credit") && seen.credit.is_none() {
        return nothing("no plan credits this transaction, so there is no credit to show");
    }

    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let answer = Machine::new(&programs).run(id, &seen.arguments());
    let steps =
        if arguments.explain { trace::steps(&program, &seen.arguments()) } else { Ok(vec![]) };
    let steps = steps.unwrap_or_default();
    let about = json!({ "transaction": &*transaction.id });
    let answer = answer.map(|answer| trace::answer(&answer).into());

    finish(arguments, &program, &Trial { about, answer, steps })
}

fn of_reward(arguments: &Arguments) -> u8 {
    let input = Input {
        dir: arguments.dir.clone(),
        plan: arguments.plan.clone(),
        as_of: None,
        transactions: arguments.transactions.clone(),
    };

    let loaded = match input.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };

    match find(&loaded.ruleset, &arguments.policy) {
        Ok((_, program)) => reward::run(arguments, &loaded, &program),
        Err(message) => nothing(&message),
    }
}

fn nothing(message: &str) -> u8 {
    eprintln!("error: {message}");
    EXIT_NOTHING
}

fn failed(fault: &Fault) -> u8 {
    let place = &fault.place;
    eprintln!("error: {}:{}:{}: {}", place.file, place.line, place.column, fault.message);
    EXIT_FAILED
}

/// The policy called `KIND/NAME`, of the directory or of the library.
pub(crate) fn find(ruleset: &Ruleset, name: &str) -> Result<(Kind, Program), String> {
    let own = ruleset.policies.keys().map(|(kind, stem)| format!("{}/{stem}", kind.name()));
    let library = library::LIBRARY.iter();
    let library = library.map(|(kind, stem, _)| format!("{}/standard/{stem}", kind.name()));
    let known: Vec<String> = own.chain(library).collect();

    let near = || {
        let ends = known.iter().find(|known| known.rsplit('/').next() == Some(name));
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let help = ends.map(|known| format!("did you mean `{known}`?")).or(near);
        help.map(|help| format!("; {help}")).unwrap_or_default()
    };

    let (kind, stem) =
        name.split_once('/').ok_or_else(|| format!("a policy is named KIND/NAME{}", near()))?;
    let kind = Kind::parse(kind).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name);
        let help = did_you_mean(kind, known).unwrap_or_else(|| known.join(", "));
        format!("`{kind}` is not a kind of policy; {help}")
    })?;

    let own = ruleset.policies.get(&(kind, stem.to_owned()));
    if let Some(program) = own.and_then(|id| ruleset.programs.get(*id)) {
        return Ok((kind, Program::clone(program)));
    }

    let standard = stem.strip_prefix("standard/").and_then(|stem| library::find(kind, stem));
    let source = standard.ok_or_else(|| format!("there is no policy `{name}`{}", near()))?;
    let origin = Place::new(format!("scripts/{}.rhai", name.replace("standard/", "")), 1, 1).into();
    let (form, source) = (Form::Policy(kind), Arc::from(source));

    Ok((kind, Program { form, source, name: Arc::from(name), origin, constants: Vec::new() }))
}

/// An intake policy on a body.
fn intake(scene: &Scene, arguments: &Arguments, body: &str, program: &Program) -> u8 {
    let payload: Json = match serde_json::from_str(body) {
        Ok(payload) => payload,
        Err(error) => return nothing(&format!("an intake policy needs a body in JSON: {error}")),
    };
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let rows = Machine::new(&programs).map(id, &payload);
    let answer = rows.map(|rows| rows.iter().map(|row| Json::Object(row.to_json())).collect());
    let steps = arguments.explain.then(|| trace::delivered(program, &payload).unwrap_or_default());

    finish(
        arguments,
        program,
        &Trial { about: json!({}), answer, steps: steps.unwrap_or_default() },
    )
}

/// What a policy was run on, and what came of it.
struct Trial {
    /// What it was run on, as JSON shows it.
    about: Json,
    /// In words, or the rows of an intake policy.
    answer: Result<Json, Fault>,
    steps: Vec<trace::Step>,
}

/// Shows what came out.
fn finish(arguments: &Arguments, program: &Program, trial: &Trial) -> u8 {
    match arguments.format {
        Format::Json => print_json(program, trial),
        _ => print_text(trial),
    }
    trial.answer.as_ref().map_or_else(failed, |_| EXIT_OK)
}

fn print_text(Trial { answer, steps, .. }: &Trial) {
    let width = steps.iter().map(|step| step.text.chars().count()).max().unwrap_or(0);
    for step in steps {
        let reads: Vec<String> =
            step.reads.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let value = step.value.as_deref().unwrap_or("(no value)");
        let text = format!("{:>4} | {:width$} => {value}", step.line, step.text);
        output::line(&text);
        if !reads.is_empty() {
            output::line(&format!("     |     {}", reads.join(", ")));
        }
    }

    match answer {
        Ok(Json::String(answer)) => output::line(answer),
        Ok(Json::Array(rows)) => rows.iter().for_each(|row| output::line(&row.to_string())),
        _ => (),
    }
}

fn print_json(program: &Program, Trial { about, answer, steps }: &Trial) {
    let steps: Vec<Json> = steps
        .iter()
        .map(|step| {
            let reads: Vec<Json> = step
                .reads
                .iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            json!({ "line": step.line, "text": step.text, "value": step.value, "reads": reads })
        })
        .collect();

    let fault = answer.as_ref().err().map(|fault| {
        let place = &fault.place;
        json!({ "message": fault.message, "file": place.file, "line": place.line,
                "column": place.column })
    });

    let mut all = json!({
        "policy": &*program.name,
        "answer": answer.as_ref().ok(),
        "error": fault,
        "steps": steps,
    });

    if let (Some(all), Some(about)) = (all.as_object_mut(), about.as_object()) {
        all.extend(about.clone());
    }

    output::json(&all);
}
