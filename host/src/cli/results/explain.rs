//! `accredit explain`: why a transaction was credited so, or why not, step by step.

use std::path::Path;
use std::sync::Arc;

use accredit_crediting::calculation::{self, books};
use accredit_crediting::explain::{Explanation, WhyNot, explain_in_plan, explain_plan_for_payee};
use accredit_domain::credit::{CreditId, transaction_prefix};
use accredit_domain::transaction::Decoder;
use accredit_script::Machine;

use crate::cli::print::output::{self, DataFormat, EXIT_NOTHING, EXIT_OK, EXIT_USAGE};
use crate::cli::print::pages;
use crate::cli::results::calculate::InputArguments;

/// Explains the credits of one transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    input: InputArguments,
    /// A transaction's natural key, or a credit's id (crd_…).
    id: Option<String>,
    /// A transaction's natural key, as a named option.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    transaction: Option<String>,
    /// Explain only the credits of this person (an id, name or alias), and why there are no others.
    #[arg(long, value_name = "NAME")]
    payee: Option<String>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// Runs the verb: a page where the one argument is a code of `check`.
pub(crate) fn run(arguments: &ExplainArguments) -> u8 {
    if arguments.id.is_none() && arguments.transaction.is_none() {
        return print_page(&arguments.input.dir);
    }

    let loaded = match arguments.input.load_directory() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let ruleset = &loaded.ruleset;

    let id = arguments.id.as_deref().or(arguments.transaction.as_deref()).unwrap_or_default();
    let credit = CreditId::parse(id);
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut records = loaded.records;
    records.retain(|record| {
        let key = decoder.decode(record).id;
        match credit {
            Some(credit) => transaction_prefix(&key) == credit.transaction_prefix(),
            None => *key == *id,
        }
    });

    let as_of = arguments.input.options.as_of;
    let transactions = calculation::latest_versions(ruleset, &records, as_of);
    let Some(transaction) = transactions.first() else {
        eprintln!("error: there is no transaction or credit `{}`", id);
        return EXIT_NOTHING;
    };

    let mut machine = Machine::new(&ruleset.programs);
    let inputs = books::calculation_inputs(ruleset, as_of);
    let books = books::build_books(ruleset, &records, as_of, 1);

    let plans = ruleset.plans.values();
    let mut wanted =
        plans.filter(|plan| arguments.input.options.plan.as_deref().is_none_or(|p| p == &*plan.id));

    if let Some(payee) = &arguments.payee {
        let why = wanted.by_ref().map(|plan| {
            explain_plan_for_payee(ruleset, plan, transaction, &inputs, &mut machine, payee)
        });
        let why: Vec<WhyNot> = why.collect();

        if arguments.format == DataFormat::Json {
            output::print_json(&why);
        } else {
            why.iter().for_each(print_why);
        }

        return EXIT_OK;
    }

    let explained: Vec<Explanation> = wanted
        .map(|plan| {
            let mut explanation =
                explain_in_plan(ruleset, plan, transaction, &inputs, &mut machine);
            books.add_postings(&mut explanation);
            explanation
        })
        .filter(|explanation| {
            credit.is_none()
                || explanation.credits.iter().any(|credit| credit.id.to_string() == *id)
        })
        .collect();

    if explained.is_empty() {
        eprintln!("error: there is no credit `{}`", id);
        return EXIT_NOTHING;
    }

    if arguments.format == DataFormat::Json {
        output::print_json(&explained);
    } else {
        explained.iter().for_each(print_explanation);
    }

    EXIT_OK
}

/// The page of a code such as `CR012`: what a finding means, why it matters and what to do.
fn print_page(code: &Path) -> u8 {
    let code = code.to_string_lossy().to_uppercase();
    match pages::find_page(&code) {
        Some(page) => {
            output::print_line(page.trim_end());
            EXIT_OK
        }

        None if pages::is_code(&code) => {
            eprintln!("error: there is no code `{code}`; scripts/errors.md lists all of them");
            EXIT_NOTHING
        }

        None => {
            eprintln!("error: name a transaction or a credit after the directory, or only a code");
            eprintln!("  accredit explain DIR ID\n  accredit explain CR012");
            EXIT_USAGE
        }
    }
}

fn print_explanation(explanation: &Explanation) {
    let outcome = format!("{:?}", explanation.outcome).to_lowercase();
    let (transaction, plan) = (&explanation.transaction, &explanation.plan);
    output::print_line(&format!("{transaction} in plan {plan}: {outcome}"));

    for step in &explanation.steps {
        output::print_line(&format!("  {:12} {}", step.stage, step.message));
    }

    for credit in &explanation.credits {
        let reason = credit.reason.as_ref().map(|reason| format!(" ({reason})"));
        output::print_line(&format!(
            "  {} {} {:>12} {} {} {}{}",
            credit.id,
            credit.period,
            credit.amount,
            credit.unit_type,
            credit.position.as_deref().or(credit.team.as_deref()).unwrap_or(""),
            credit.status,
            reason.unwrap_or_default(),
        ));
    }
}

fn print_why(why: &WhyNot) {
    let (transaction, plan, payee) = (&why.transaction, &why.plan, &why.payee);
    let got = if why.credited { "credited" } else { "nothing" };
    output::print_line(&format!("{transaction} in plan {plan} for {payee}: {got}"));

    for finding in &why.findings {
        output::print_line(&format!("  {:12} {}", finding.stage, finding.message));

        if let Some(condition) = &finding.condition {
            output::print_line(&format!("  {:12}   {condition}", ""));
        }
        if let (Some(file), Some(line)) = (&finding.file, finding.line) {
            output::print_line(&format!("  {:12}   {file}, line {line}", ""));
        }

        for (name, value) in &finding.seen {
            output::print_line(&format!("  {:12}   {name} is {value}", ""));
        }
    }

    for credit in &why.credits {
        let (amount, unit, status) = (&credit.amount, &credit.unit_type, &credit.status);
        output::print_line(&format!("  {} {amount:>12} {unit} {status}", credit.id));
    }
}
