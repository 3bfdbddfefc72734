//! `accredit eval`: one policy on one transaction, with the values it saw line by line.
//!
//! Not a calculation: nothing is rounded, resolved or held here. Credits and receivers that the
//! policy sees are those of the transaction's own decision.

use std::path::PathBuf;
use std::sync::Arc;

use accredit_engine::diagnostic::{Place, did_you_mean};
use accredit_engine::library;
use accredit_engine::policy::{Form, Kind, Program};
use accredit_engine::script::{Answer, Fault, Machine, PayeeView, Rewarded, TotalsView, trace};
use clap::Args;
use rust_decimal::Decimal;
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
    /// A transaction's natural key, or a transaction as JSON; for an intake policy the body, for a
    /// reward policy the sums: `{"payee": "ann", "credited": 80000, "quota": 60000}`.
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
        return intake(&scene, arguments, &program);
    }
    if kind == Kind::Reward {
        return reward(&scene, arguments, &program);
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
    told(arguments, &program, &transaction.id, &answer, &steps)
}

/// Shows what came out.
fn told(
    arguments: &Arguments,
    program: &Program,
    transaction: &str,
    answer: &Result<Answer, Fault>,
    steps: &[trace::Step],
) -> u8 {
    if arguments.format == Format::Json {
        let answer = answer.as_ref().map(|answer| Json::from(trace::answer(answer)));
        print_json(program, transaction, &answer.map_err(Clone::clone), steps);
    } else {
        print_text(steps);
        answer.iter().for_each(|answer| output::line(&trace::answer(answer)));
    }
    answer.as_ref().map_or_else(failed, |_| EXIT_OK)
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
    let own = scene.ruleset.policies.keys().map(|(kind, stem)| format!("{}/{stem}", kind.name()));
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
    let own = scene.ruleset.policies.get(&(kind, stem.to_owned()));
    if let Some(program) = own.and_then(|id| scene.ruleset.programs.get(*id)) {
        return Ok((kind, Program::clone(program)));
    }
    let standard = stem.strip_prefix("standard/").and_then(|stem| library::find(kind, stem));
    let source = standard.ok_or_else(|| format!("there is no policy `{name}`{}", near()))?;
    let origin = Place::new(format!("scripts/{}.rhai", name.replace("standard/", "")), 1, 1).into();
    let (form, source) = (Form::Policy(kind), Arc::from(source));
    Ok((kind, Program { form, source, name: Arc::from(name), origin }))
}

/// An intake policy on a body.
fn intake(scene: &Scene, arguments: &Arguments, program: &Program) -> u8 {
    let payload: Json = match serde_json::from_str(&arguments.transaction) {
        Ok(payload) => payload,
        Err(error) => return nothing(&format!("an intake policy needs a body in JSON: {error}")),
    };
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let mapped = Machine::new(&programs).map(id, &payload);
    let steps = arguments.explain.then(|| trace::delivered(program, &payload).unwrap_or_default());
    let steps = steps.unwrap_or_default();
    let rows: Result<Vec<Json>, Fault> =
        mapped.map(|rows| rows.iter().map(|row| Json::Object(row.to_json())).collect());
    let answer = rows.as_ref().map(|rows| Json::from(rows.clone())).map_err(Clone::clone);
    if arguments.format == Format::Json {
        print_json(program, "", &answer, &steps);
    } else {
        print_text(&steps);
        rows.iter().flatten().for_each(|row| output::line(&row.to_string()));
    }
    answer.map_or_else(|fault| failed(&fault), |_| EXIT_OK)
}

/// A reward policy on the sums of somebody: `{"payee": "ann", "credited": 80000, "quota": 60000}`.
fn reward(scene: &Scene, arguments: &Arguments, program: &Program) -> u8 {
    let seen = match Seen::read(scene, &arguments.transaction) {
        Ok(seen) => seen,
        Err(message) => return nothing(&message),
    };
    let mut programs = scene.ruleset.programs.clone();
    let id = programs.add(program.clone());
    let seen = Rewarded { payee: &seen.payee, totals: &seen.totals, quota: seen.quota };
    let answer = Machine::new(&programs).reward(id, &seen).map(Answer::Number);
    let steps = arguments.explain.then(|| trace::rewarded(program, &seen).unwrap_or_default());
    told(arguments, program, "", &answer, &steps.unwrap_or_default())
}

/// What a reward policy sees.
struct Seen {
    payee: Arc<PayeeView>,
    totals: Arc<TotalsView>,
    quota: Option<Decimal>,
}

impl Seen {
    fn read(scene: &Scene, text: &str) -> Result<Seen, String> {
        let wanted = "a reward policy needs sums in JSON: \
                      {\"payee\": \"ann\", \"credited\": 80000, \"quota\": 60000}";
        let given: Json = serde_json::from_str(text).map_err(|_| wanted.to_owned())?;
        let given = given.as_object().ok_or(wanted)?;
        let number = |key: &str| match given.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.parse::<Decimal>().map(Some).map_err(|_| format!("`{key}` is not a number"))
            }
        };
        let text = |key: &str, other: &str| {
            Arc::<str>::from(given.get(key).and_then(Json::as_str).unwrap_or(other))
        };
        let credited = number("credited")?.ok_or(wanted)?;
        let settings = &scene.ruleset.settings;
        let types = settings.credit_types.iter();
        let totals = types.map(|name| Ok((Arc::clone(name), number(name)?.unwrap_or(credited))));
        let by_credit_type = totals.collect::<Result<_, String>>()?;
        let id = text("payee", "");
        let payee = PayeeView {
            name: Arc::clone(&id),
            id,
            position: None,
            title: given.get("title").and_then(Json::as_str).map(Arc::from),
            team: None,
            period: text("period", ""),
            unit_type: text("unit_type", settings.units.name(settings.currency)),
        };
        let totals = Arc::new(TotalsView { credited, by_credit_type });
        Ok(Seen { payee: Arc::new(payee), totals, quota: number("quota")? })
    }
}

fn print_text(steps: &[trace::Step]) {
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
}

fn print_json(
    program: &Program,
    transaction: &str,
    answer: &Result<Json, Fault>,
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
        "answer": answer.as_ref().ok(),
        "error": fault,
        "steps": steps,
    }));
}
