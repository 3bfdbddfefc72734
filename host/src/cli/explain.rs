//! `accredit explain`: why a transaction was credited so, or why not, step by step.

use std::sync::Arc;

use accredit_engine::calculation::{self, books};
use accredit_engine::credit::{CreditId, transaction_prefix};
use accredit_engine::decision::CreditRow;
use accredit_engine::explain::{Explanation, WhyNot, explain, for_payee};
use accredit_engine::organization::ParticipantId;
use accredit_engine::script::Machine;
use accredit_engine::transaction::{Decoder, Transaction};
use accredit_engine::workspace::Ruleset;

use crate::cli::calculate::Input;
use crate::cli::output::{self, EXIT_NOTHING, EXIT_OK, Format};

/// Explains the credits of one transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// A transaction's natural key, or a credit's id (crd_…).
    #[arg(required_unless_present = "transaction")]
    id: Option<String>,
    /// A transaction's natural key, whatever it looks like.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    transaction: Option<String>,
    /// What came of it for one person, by id, name or alias.
    #[arg(long, value_name = "NAME")]
    payee: Option<String>,
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
    let named = arguments.transaction.as_deref().or(arguments.id.as_deref());
    let id = named.unwrap_or_default();
    let credit = arguments.id.as_deref().and_then(CreditId::parse);
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut records = loaded.records;
    records.retain(|record| {
        let known = decoder.decode(record).id;
        match credit {
            Some(credit) => transaction_prefix(&known) == credit.prefix(),
            None => *known == *id,
        }
    });
    let as_of = arguments.input.as_of;
    let transactions = calculation::latest(ruleset, &records, as_of);
    let Some(transaction) = transactions.first() else {
        eprintln!("error: there is no transaction or credit `{id}`");
        return EXIT_NOTHING;
    };
    if let Some(name) = &arguments.payee {
        return match person(ruleset, name) {
            Ok(payee) => payee_of(arguments, ruleset, transaction, payee),
            Err(message) => {
                eprintln!("error: {message}");
                EXIT_NOTHING
            }
        };
    }
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
            credit.is_none() || explanation.credits.iter().any(|credit| credit.id == *id)
        })
        .collect();
    if explained.is_empty() {
        eprintln!("error: there is no credit `{id}`");
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
    explanation.credits.iter().for_each(print_credit);
}

fn print_credit(credit: &CreditRow) {
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

/// The one participant of that name.
fn person(ruleset: &Ruleset, name: &str) -> Result<ParticipantId, String> {
    let organization = &ruleset.organization;
    match organization.participants_named(name).as_slice() {
        [] => Err(format!("there is no participant `{name}`; `accredit aliases` lists names")),
        [payee] => Ok(*payee),
        several => {
            let ids: Vec<_> = several.iter().map(|id| organization.participant_id(*id)).collect();
            Err(format!("`{name}` means several participants: {}", ids.join(", ")))
        }
    }
}

/// What came of `transaction` for one person, plan by plan.
fn payee_of(
    arguments: &Arguments,
    ruleset: &Ruleset,
    transaction: &Arc<Transaction>,
    payee: ParticipantId,
) -> u8 {
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = books::inputs(ruleset, arguments.input.as_of);
    let plans = ruleset.plans.values();
    let wanted =
        plans.filter(|plan| arguments.input.plan.as_deref().is_none_or(|p| p == &*plan.id));
    let all: Vec<WhyNot> = wanted
        .map(|plan| for_payee(ruleset, plan, transaction, payee, &inputs, &mut machine))
        .collect();
    if arguments.format == Format::Json {
        output::json(&all);
        return EXIT_OK;
    }
    for why in &all {
        let found = if why.credits.is_empty() { "no credit" } else { "credited" };
        let (transaction, plan, payee) = (&why.transaction, &why.plan, &why.payee);
        output::line(&format!("{transaction} in plan {plan} for {payee}: {found}"));
        for drop in &why.drops {
            output::line(&format!("  {:12} {}", drop.stage, drop.message));
        }
        why.credits.iter().for_each(print_credit);
    }
    EXIT_OK
}
