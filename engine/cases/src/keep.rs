//! A decision of production written down as a case: the deal, the part of the organisation that it
//! needs, and what came out.
//!
//! Not reading of a ledger (the host). Called by the server for `accredit keep`.
//!
//! **Architecture invariant:** what is returned has been run, and passes on the files of the ruleset
//! that decided.

mod organization;

use std::fmt::Write;
use std::sync::Arc;

use super::document::TRANSACTIONS;
use super::rows::{TableRow, TableSubject};
use super::update::row_text;
use accredit_crediting::calculation;
use accredit_crediting::pipeline::{self, ExplainLevel};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::credit::posted::CREDIT_COLUMNS;
use accredit_domain::decision::{Decision, HoldAction};
use accredit_domain::transaction::{Cell, Decoder, Record};
use accredit_script::Machine;
use accredit_workspace::Ruleset;

/// A decision to keep as a test case.
#[derive(Debug, Clone, Copy)]
pub struct CaseExport<'a> {
    /// The ruleset that decided.
    pub ruleset: &'a Ruleset,
    /// The row as delivered.
    pub record: &'a Record,
    /// The only plan to keep; absent, all of them.
    pub plan: Option<&'a str>,
    /// The business date, and what people decided.
    pub inputs: &'a DecisionInputs,
}

/// Columns of a credit that say nothing about how it was decided, or change with every version.
const OMITTED_COLUMNS: [&str; 7] =
    ["id", "incentive_date", "plan", "source", "origin", "reverses", "ruleset"];

/// The case as Markdown, for the end of a case file in the customer's directory.
///
/// # Errors
/// Why the decision cannot be said as a case, such as a cell with a line break.
pub fn export_case(kept: &CaseExport<'_>) -> Result<String, String> {
    let decided = decide_transaction(kept)?;
    let snippets = organization::needed_rows(&kept.ruleset.files, kept.record, &decided.rows);
    let path = format!("plans/{}.cases.md", kept.plan.unwrap_or("kept"));

    // First with the rows that the decision needs, then with the whole organisation.
    let mut message = String::new();
    for organization in snippets {
        let text = render_case(kept, &decided, &organization);
        // The case is run before it is handed out, since the part taken may have been too small.
        match super::run_case_file(&kept.ruleset.files, &path, &text) {
            Ok(outcomes) => match outcomes.iter().flat_map(|one| &one.failures).next() {
                None => return Ok(text),
                Some(failure) => message.clone_from(&failure.message),
            },
            Err(errors) => {
                message = errors.into_iter().next().map(|one| one.message).unwrap_or_default();
            }
        }
    }
    Err(format!("the decision cannot be written as a case: {message}"))
}

/// What was decided about one transaction.
struct ExportedDecision {
    id: String,
    rows: Vec<Decision>,
    /// Whether rows have to say which plan they are of.
    several: bool,
}

fn decide_transaction(kept: &CaseExport<'_>) -> Result<ExportedDecision, String> {
    let ruleset = kept.ruleset;
    let fields = Arc::clone(&ruleset.settings.fields);
    let transaction = Arc::new(Decoder::new(fields).decode(kept.record));
    let mut machine = Machine::new(&ruleset.programs);

    let plans = ruleset.plans.values();
    let plans: Vec<_> =
        plans.filter(|plan| kept.plan.is_none_or(|wanted| *wanted == *plan.id)).collect();

    if let (Some(plan), true) = (kept.plan, plans.is_empty()) {
        return Err(format!("there is no plan `{plan}`"));
    }

    let decided = plans.iter().map(|plan| {
        let (inputs, machine) = (kept.inputs, &mut machine);
        pipeline::decide_plan(ruleset, plan, &transaction, inputs, machine, ExplainLevel::No)
    });
    let decided = vec![decided.collect::<Vec<_>>()];

    let rows = plans.iter();
    let rows =
        rows.flat_map(|plan| calculation::period_decisions(ruleset, &plan.id, None, &decided));
    let several = kept.plan.is_none() && ruleset.plans.len() > 1;

    Ok(ExportedDecision { id: transaction.id.to_string(), rows: rows.collect(), several })
}

/// Whether the settings close or finalize periods. The calendar of the ruleset alone does not say it:
/// a case may have taken them away.
fn names_locked_periods(ruleset: &Ruleset) -> bool {
    let settings = ruleset.files.get("accredit.toml").map_or("", |text| text);
    let named = ["closed", "finalized"].iter().any(|key| settings.contains(key));
    named || !ruleset.settings.calendar.locks_before(None).is_empty()
}

fn render_case(
    kept: &CaseExport<'_>,
    decided: &ExportedDecision,
    organization: &[(String, String)],
) -> String {
    let id = decided.id.split_whitespace().collect::<Vec<_>>().join(" ");
    let plan = kept.plan.map(|plan| format!(" in plan {plan}")).unwrap_or_default();
    let mut text = format!("\n## {id}{plan}, kept\n\nAs decided by `{}`.\n", kept.ruleset.hash);

    for (path, rows) in organization {
        let _ = write!(text, "\n```csv {path}\n{rows}```\n");
    }
    let _ = write!(text, "\n```ndjson {TRANSACTIONS}\n{}\n```\n", row_as_json(kept.record));

    if let Some(plan) = kept.plan {
        let _ = write!(text, "\nplan: {plan}\n");
    }
    if let Some(as_of) = kept.inputs.as_of {
        let _ = write!(text, "\nas-of: {as_of}\n");
    }
    if names_locked_periods(kept.ruleset) {
        // What is written down is the decision alone, without what was posted because of it.
        text.push_str("\nfinalized: none\n");
    }

    write_actions(&mut text, kept.inputs, &decided.rows);
    write_expectations(&mut text, decided);
    text
}

/// The row as delivered, as JSON: a number keeps its digits.
fn row_as_json(record: &Record) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let cells = record.delivered_cells().iter().map(|(column, cell)| {
        let value = match cell {
            Cell::Null => "null".to_owned(),
            Cell::Bool(flag) => flag.to_string(),
            Cell::Number(json) | Cell::Nested(json) => json.clone(),
            Cell::Text(words) => text(words),
        };
        format!("{}:{value}", text(column))
    });
    format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
}

/// Releases and holds of credits that are there.
fn write_actions(text: &mut String, inputs: &DecisionInputs, decisions: &[Decision]) {
    let credits = || decisions.iter().flat_map(|decision| &decision.credits);
    let resolutions = inputs.resolutions.iter();
    let rows = resolutions.filter_map(|resolution| {
        // Releases of credits that are gone mean nothing in the case, and would fail there.
        let id = resolution.credit;
        let there = credits().any(|credit| credit.id == id);

        let (action, reason) = match resolution.action {
            HoldAction::Release => ("release", String::new()),
            HoldAction::Hold => ("hold", resolution.reason.clone()),
        };
        there.then(|| vec![action.to_owned(), id.to_string(), resolution.date.to_string(), reason])
    });
    let rows: Vec<Vec<String>> = rows.collect();

    if !rows.is_empty() {
        write_table(text, &["action", "id", "date", "reason"].map(str::to_owned), &rows);
    }
}

fn write_expectations(text: &mut String, decided: &ExportedDecision) {
    let plan = decided.several.then_some("plan");
    let wanted = CREDIT_COLUMNS.iter().copied().filter(|column| !OMITTED_COLUMNS.contains(column));
    let columns: Vec<String> = plan.into_iter().chain(wanted).map(str::to_owned).collect();

    let credits = TableSubject::Credits.actual_rows(&decided.rows, &columns, &[]);
    // A column that is blank in every row would only make the table wide.
    let said = |index: usize| {
        credits.iter().any(|row| row.cells.get(index).is_some_and(|cell| !cell.is_empty()))
    };

    let keep: Vec<bool> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            ["transaction", "position", "amount"].contains(&column.as_str()) || said(index)
        })
        .collect();

    let some = |cells: &[String]| -> Vec<String> {
        let cells = cells.iter().zip(&keep).filter(|(_, keep)| **keep);
        cells.map(|(cell, _)| cell.clone()).collect()
    };

    let rows: Vec<Vec<String>> = credits.iter().map(|row| some(&row.cells)).collect();
    write_table(text, &some(&columns), &rows);

    let header = |words: &[&str]| -> Vec<String> {
        let words = words.iter().copied().filter(|word| *word != "plan" || plan.is_some());
        words.map(str::to_owned).collect()
    };
    let columns = header(&["transaction", "plan", "outcome", "stage", "code", "message"]);
    // Filtered decisions are not listed unless a row asks for them.
    let asked: Vec<String> = columns
        .iter()
        .map(|column| match column.as_str() {
            "transaction" => decided.id.clone(),
            "outcome" => "filtered".to_owned(),
            _ => String::new(),
        })
        .collect();
    let asked: &[&[String]] = if decided.rows.is_empty() { &[&asked] } else { &[] };
    write_messages(
        text,
        &columns,
        TableSubject::Outcomes.actual_rows(&decided.rows, &columns, asked),
    );

    let columns = header(&["transaction", "plan", "alert", "stage", "message"]);
    write_messages(text, &columns, TableSubject::Alerts.actual_rows(&decided.rows, &columns, &[]));
}

/// A table whose last column is a message, of which a line is enough.
fn write_messages(text: &mut String, header: &[String], rows: Vec<TableRow>) {
    let rows = rows.into_iter().map(|mut row| {
        if let Some(message) = row.cells.last_mut() {
            *message = message.lines().next().unwrap_or("").trim().to_owned();
        }
        row.cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        write_table(text, header, &rows);
    }
}

fn write_table(text: &mut String, header: &[String], rows: &[Vec<String>]) {
    let rule = vec!["---".to_owned(); header.len()];
    let _ = write!(text, "\n{}\n{}\n", row_text(header), row_text(&rule));
    for row in rows {
        let _ = writeln!(text, "{}", row_text(row));
    }
}
