//! An example of a plan: a deal, decided by the engine step by step, with its credits and the
//! rewards that they are part of.
//!
//! Not a second computation: amounts are those of the calculation. Called by `page`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::PageInputs;
use super::markdown::Page;
use super::wording::Wording;
use crate::CaseOptions;
use crate::sheet::PreparedFile;
use accredit_crediting::calculation::books::{self, Books};
use accredit_crediting::calculation::latest_versions;
use accredit_crediting::explain::explain_in_plan;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::plan::Plan;
use accredit_domain::transaction::{Record, Value};
use accredit_workspace::{Files, Ruleset};

/// A deal of the directory, or else of a case of the plan.
pub(super) fn write_example(
    page: &mut Page,
    words: Wording<'_>,
    (inputs, books): (PageInputs<'_>, &Books<'_>),
) {
    page.heading(2, "An example");

    if let Some(chosen) = choose_deal(books, words.plan) {
        write_deal(page, (words.ruleset, words.plan), inputs.records, (books, &chosen));
        return;
    }

    let own = format!("plans/{}.cases.md", words.plan.id);
    let files = inputs.cases.iter().filter(|(path, _)| *path == own);
    let others = inputs.cases.iter().filter(|(path, _)| *path != own);
    for (path, text) in files.chain(others) {
        if write_case_example(page, words, inputs.columns, (path, text)) {
            return;
        }
    }
    page.text("No deal of the directory and no case is credited by this plan.");
}

/// The deal of the plan with the most rules at work; of several the first.
fn choose_deal(books: &Books<'_>, plan: &Plan) -> Option<Decision> {
    let mut chosen: Option<(usize, Decision)> = None;
    for decision in books.period_decisions(&plan.id, None) {
        let rules: BTreeSet<(&str, &str)> =
            decision.credits.iter().map(|credit| (&*credit.rule, credit.recipient())).collect();
        let count = rules.len();
        let more = chosen.as_ref().is_none_or(|(most, _)| count > *most);
        if decision.outcome == DecisionOutcome::Credited && count > 0 && more {
            chosen = Some((count, decision));
        }
    }
    chosen.map(|(_, decision)| decision)
}

/// The first case of a file that the plan credits; whether there was one.
fn write_case_example(
    page: &mut Page,
    words: Wording<'_>,
    columns: &BTreeSet<String>,
    (path, text): (&str, &str),
) -> bool {
    let base: &Files = &words.ruleset.files;
    let options = CaseOptions { columns: columns.clone(), ..CaseOptions::default() };
    let Ok(sheet) = PreparedFile::prepare_file(base, &options, (path, text)) else { return false };

    for trial in &sheet.trials {
        let (Ok(records), Ok(ruleset)) = (&trial.records, sheet.ruleset_of_trial(trial)) else {
            continue;
        };
        let Some(plan) = ruleset.plans.get(&words.plan.id) else { continue };
        let books = books::build_books(ruleset, records, None, 1);
        let Some(chosen) = choose_deal(&books, plan) else { continue };

        let case = sheet.file.cases.get(trial.case).map(|case| case.name.as_str());
        page.text(&format!("From the case \"{}\" in {path}.", case.unwrap_or_default()));
        write_deal(page, (ruleset, plan), records, (&books, &chosen));
        return true;
    }
    false
}

fn write_deal(
    page: &mut Page,
    (ruleset, plan): (&Ruleset, &Plan),
    records: &[Record],
    (books, chosen): (&Books<'_>, &Decision),
) {
    let transactions = latest_versions(ruleset, records, None);
    let deal = transactions.iter().find(|deal| *deal.id == *chosen.transaction);
    let Some(deal) = deal else { return };

    page.text(&format!("The deal `{}`:", deal.id));
    let cells = deal
        .layout
        .column_names()
        .iter()
        .map(|column| vec![format!("`{column}`"), value_text(&deal.get(column))]);
    page.table(&["column", "value"], &cells.collect::<Vec<_>>(), usize::MAX);

    let inputs: DecisionInputs = books::calculation_inputs(ruleset, None);
    let explanation = ruleset.with_machine(|machine| {
        explain_in_plan(ruleset, plan, &Arc::clone(deal), &inputs, machine)
    });
    let steps = explanation.steps.iter().map(|step| format!("{:12} {}", step.stage, step.message));
    page.text("What is done with it, step by step:");
    page.code(&steps.collect::<Vec<_>>().join("\n"));

    page.text("Its credits:");
    let credits = chosen.credits.iter().map(|credit| {
        vec![
            credit.result.to_string(),
            credit.recipient().to_owned(),
            credit.payee.as_ref().map(ToString::to_string).unwrap_or_default(),
            credit.period.to_string(),
            format!("{} {}", credit.amount, credit.unit_type),
            credit.credit_type.to_string(),
            credit.status.to_string(),
        ]
    });
    let header = ["result", "credited", "payee", "period", "amount", "credit type", "status"];
    page.table(&header, &credits.collect::<Vec<_>>(), usize::MAX);

    write_rewards(page, (ruleset, plan), (books, chosen));
}

/// The rewards of the deal's period that its credits are part of.
fn write_rewards(
    page: &mut Page,
    (ruleset, plan): (&Ruleset, &Plan),
    (books, chosen): (&Books<'_>, &Decision),
) {
    let ids: BTreeSet<CreditId> = chosen.credits.iter().map(|credit| credit.id).collect();
    let calendar = &ruleset.settings.calendar;
    let leaf = chosen.period.as_deref().and_then(|id| calendar.find(id));
    let period = leaf.and_then(|leaf| calendar.period_on(leaf.first, plan.period));
    let Some(period) = period.filter(|_| plan.pays()) else { return };

    let calculation = books.calculation_of(&plan.id, &period);
    let rows =
        calculation.rewards.iter().filter(|row| row.credits.iter().any(|id| ids.contains(id)));
    let rows = rows.map(|row| {
        let share = |number: rust_decimal::Decimal| number.to_string();
        vec![
            row.reward.to_string(),
            row.payee.to_string(),
            format!("{} {}", row.credited, row.credited_unit_type),
            row.quota.map(share).unwrap_or_default(),
            row.attainment.map(share).unwrap_or_default(),
            format!("{} {}", row.amount, row.unit_type),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        page.text(&format!("No reward of {} counts them.", period.id));
        return;
    }

    page.text(&format!(
        "What they are part of in {}, with all other deals of the period:",
        period.id
    ));
    let header = ["reward", "payee", "credited", "quota", "attainment", "paid"];
    page.table(&header, &rows, usize::MAX);
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}
