//! `accredit eval`: one policy on one transaction, with the values it saw line by line.
//!
//! Not a calculation: nothing is rounded, resolved or held here. Credits and receivers that the
//! policy sees are those of the transaction's own decision.

use std::path::PathBuf;
use std::sync::Arc;

use accredit_engine::diagnostic::{Place, did_you_mean};
use accredit_engine::library;
use accredit_engine::policy::{Form, Kind, Program};
use accredit_engine::script::{Answer, Fault, Machine, trace};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::cli::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, Format};
use crate::cli::scene::{Scene, Wanted};

/// Runs one policy on one transaction.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// The policy: `crediting/large-deals`, `hold/standard/hold-large-deals`.
    #[arg(long, value_name = "KIND/NAME")]
    policy: String,
    /// A transaction's natural key, or a transaction as JSON; for an intake policy the body.
    #[arg(long, value_name = "ID|JSON")]
    transaction: String,
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
    let scene = match Scene::read(&arguments.dir, arguments.transactions.clone()) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    let (kind, program) = match find(&scene, &arguments.policy) {
        Ok(found) => found,
        Err(message) => return nothing(&message),
    };
    if kind == Kind::Intake {
        return intake(&scene, arguments, program);
    }
    let transaction = match scene.transaction(&arguments.transaction) {
        Ok(transaction) => transaction,
        Err(message) => return nothing(&message),
    };
    let wanted = Wanted {
        plan: arguments.plan.as_deref(),
        credit: arguments.credit.as_deref(),
        rolled: kind == Kind::Rollup,
    };
    let seen = scene.seen(&transaction, wanted);
    if kind.parameters().contains(&"credit") && seen.credit.is_none() {
        return nothing("no plan credits this transaction, so there is no credit to show");
    }
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let answer = Machine::new(&programs).run(id, &seen.arguments());
    let steps =
        if arguments.explain { trace::steps(&program, &seen.arguments()) } else { Ok(vec![]) };
    let steps = steps.unwrap_or_default();
    match arguments.format {
        Format::Json => print_json(&program, &transaction.id, &answer, &steps),
        _ => print_text(&answer, &steps),
    }
    match answer {
        Ok(_) => EXIT_OK,
        Err(fault) => failed(&fault),
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
fn find(scene: &Scene, name: &str) -> Result<(Kind, Program), String> {
    let (kind, stem) = name.split_once('/').ok_or("a policy is named KIND/NAME")?;
    let kind = Kind::parse(kind).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name);
        let help = did_you_mean(kind, known).unwrap_or_else(|| known.join(", "));
        format!("`{kind}` is not a kind of policy; {help}")
    })?;
    let own = scene.ruleset.policies.get(&(kind, stem.to_owned()));
    if let Some(program) = own.and_then(|id| scene.ruleset.programs.get(*id)) {
        return Ok((kind, Program::clone(program)));
    }
    let standard = stem.strip_prefix("standard/").and_then(|stem| library::find(kind, stem));
    let source = standard.ok_or_else(|| format!("there is no policy `{name}`"))?;
    let origin = Place::new(format!("scripts/{}.rhai", name.replace("standard/", "")), 1, 1).into();
    let (form, source) = (Form::Policy(kind), Arc::from(source));
    Ok((kind, Program { form, source, name: Arc::from(name), origin }))
}

fn intake(scene: &Scene, arguments: &Arguments, program: Program) -> u8 {
    let payload: Json = match serde_json::from_str(&arguments.transaction) {
        Ok(payload) => payload,
        Err(error) => return nothing(&format!("an intake policy needs a body in JSON: {error}")),
    };
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program);
    match Machine::new(&programs).map(id, &payload) {
        Ok(rows) => {
            for row in rows {
                let cells = row.cells.iter().map(|(column, cell)| format!("{column} = {cell:?}"));
                output::line(&cells.collect::<Vec<_>>().join(", "));
            }
            EXIT_OK
        }
        Err(fault) => failed(&fault),
    }
}

fn print_text(answer: &Result<Answer, Fault>, steps: &[trace::Step]) {
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
    if let Ok(answer) = answer {
        output::line(&trace::answer(answer));
    }
}

fn print_json(
    program: &Program,
    transaction: &str,
    answer: &Result<Answer, Fault>,
    steps: &[trace::Step],
) {
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
    output::json(&json!({
        "policy": &*program.name,
        "transaction": transaction,
        "answer": answer.as_ref().ok().map(trace::answer),
        "error": fault,
        "steps": steps,
    }));
}
