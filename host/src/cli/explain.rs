//! `accredit explain`: why a transaction was credited so, or why not, step by step.

use std::sync::Arc;

use accredit_engine::calculation::{self, books};
use accredit_engine::credit::{CreditId, transaction_prefix};
use accredit_engine::explain::{Explanation, explain};
use accredit_engine::script::Machine;
use accredit_engine::transaction::Decoder;

use crate::cli::calculate::Input;
use crate::cli::output::{self, EXIT_NOTHING, EXIT_OK, Format};

/// Explains the credits of one transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// A transaction's natural key, or a credit's id (crd_…).
    id: String,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let loaded = match arguments.input.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let ruleset = &loaded.ruleset;
    let credit = CreditId::parse(&arguments.id);
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut records = loaded.records;
    records.retain(|record| {
        let id = decoder.decode(record).id;
        match credit {
            Some(credit) => transaction_prefix(&id) == credit.prefix(),
            None => *id == *arguments.id,
        }
    });
    let as_of = arguments.input.as_of;
    let transactions = calculation::latest(ruleset, &records, as_of);
    let Some(transaction) = transactions.first() else {
        eprintln!("error: there is no transaction or credit `{}`", arguments.id);
        return EXIT_NOTHING;
    };
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = books::inputs(ruleset, as_of);
    let books = books::books(ruleset, &records, as_of, 1);
    let plans = ruleset.plans.values();
    let wanted =
        plans.filter(|plan| arguments.input.plan.as_deref().is_none_or(|p| p == &*plan.id));
    let explained: Vec<Explanation> = wanted
        .map(|plan| {
            let mut explanation = explain(ruleset, plan, transaction, &inputs, &mut machine);
            books.explain(&mut explanation);
            explanation
        })
        .filter(|explanation| {
            let id = &arguments.id;
            credit.is_none() || explanation.credits.iter().any(|credit| credit.id == *id)
        })
        .collect();
    if explained.is_empty() {
        eprintln!("error: there is no credit `{}`", arguments.id);
        return EXIT_NOTHING;
    }
    if arguments.format == Format::Json {
        output::json(&explained);
    } else {
        explained.iter().for_each(print);
    }
    EXIT_OK
}

fn print(explanation: &Explanation) {
    let outcome = format!("{:?}", explanation.outcome).to_lowercase();
    let (transaction, plan) = (&explanation.transaction, &explanation.plan);
    output::line(&format!("{transaction} in plan {plan}: {outcome}"));
    for step in &explanation.steps {
        output::line(&format!("  {:12} {}", step.stage, step.message));
    }
    for credit in &explanation.credits {
        let reason = credit.reason.as_ref().map(|reason| format!(" ({reason})"));
        output::line(&format!(
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
