//! Decisions as rows of a table: credits, why-nots, alerts, and both for an example.
//!
//! Not comparing (`compare`). Called by `compare` and by `keep`. Source: FORMAT section 6.
//!
//! **Architecture invariant:** a cell shows exactly what goes out: text as it is, nothing as blank.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::document::{ARROW, CaseTable};
use accredit_crediting::calculation::summarize_reasons;
use accredit_crediting::reward::PlanRewards;
use accredit_domain::credit::fields::{CREDIT_COLUMNS, CreditField};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{
    Decision, DecisionOutcome, EarnedReward, REWARD_COLUMNS, RewardOrigin,
};
use accredit_domain::note::Note;

/// Columns of a table of why-nots.
const OUTCOME_COLUMNS: [&str; 6] = ["transaction", "plan", "outcome", "stage", "code", "message"];

/// Columns that name a reward, as far as a table has them.
const REWARD_KEYS: [&str; 6] = ["id", "plan", "period", "reward", "payee", "team"];

/// Columns of a table of alerts.
const ALERT_COLUMNS: [&str; 5] = ["transaction", "plan", "alert", "stage", "message"];

/// One row that came out, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TableRow {
    /// In the order of the table's header.
    pub(super) cells: Vec<String>,
    /// Natural key of the transaction.
    pub(super) transaction: String,
    /// Id of the plan.
    pub(super) plan: String,
}

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableSubject {
    /// Credits, one a row.
    Credits,
    /// All transactions without a credit.
    Outcomes,
    /// Alerts, one a row.
    Alerts,
    /// Rewards, one a row.
    Rewards,
    /// The credits, or else the outcome, of one transaction.
    Example,
}

impl TableSubject {
    /// What a table with this header is about.
    pub(super) fn of_table(table: &CaseTable) -> TableSubject {
        if table.has_column(ARROW) {
            TableSubject::Example
        } else if table.has_column("reward") {
            TableSubject::Rewards
        } else if table.has_column("alert") {
            TableSubject::Alerts
        } else if table.has_column("outcome") || table.has_column("code") {
            TableSubject::Outcomes
        } else {
            TableSubject::Credits
        }
    }

    /// The plural name, as used in messages.
    pub(super) fn plural_name(self) -> &'static str {
        match self {
            TableSubject::Credits => "credits",
            TableSubject::Outcomes => "outcomes",
            TableSubject::Alerts => "alerts",
            TableSubject::Rewards => "rewards",
            TableSubject::Example => "results",
        }
    }

    /// Whether such a table may have this column.
    pub(super) fn knows_column(self, column: &str) -> bool {
        self.known_columns().any(|known| known == column)
    }

    /// The columns that such a table may have.
    pub(super) fn known_columns(self) -> impl Iterator<Item = &'static str> {
        let (columns, more): (&[&str], &[&str]) = match self {
            TableSubject::Credits => (&CREDIT_COLUMNS, &[]),
            TableSubject::Outcomes => (&OUTCOME_COLUMNS, &[]),
            TableSubject::Alerts => (&ALERT_COLUMNS, &[]),
            TableSubject::Rewards => (&REWARD_COLUMNS, &[]),
            TableSubject::Example => (&CREDIT_COLUMNS, &OUTCOME_COLUMNS),
        };
        columns.iter().chain(more).copied()
    }

    /// The rows that came out; `expected` names the filtered transactions that are wanted.
    pub(super) fn actual_rows(
        self,
        decisions: &[Decision],
        header: &[String],
        expected: &[&[String]],
    ) -> Vec<TableRow> {
        match self {
            TableSubject::Credits => credit_rows(decisions, header),
            TableSubject::Outcomes => outcome_rows(decisions, header, expected),
            TableSubject::Alerts => {
                alert_rows(decisions.iter().flat_map(|decision| &decision.alerts), header)
            }
            TableSubject::Rewards => Vec::new(),
            TableSubject::Example => example_rows(decisions, header),
        }
    }
}

impl TableSubject {
    /// The rows that the rewards of a period add; of blank ones those that `expected` names.
    pub(super) fn reward_rows(
        self,
        rewards: &PlanRewards,
        header: &[String],
        expected: &[&[String]],
    ) -> Vec<TableRow> {
        match self {
            TableSubject::Rewards => {
                let named = |cells: &[String]| names_reward(header, expected, cells);
                let rows = rewards.rows.iter().map(|row| (row, reward_row(row, header)));
                rows.filter(|(row, shown)| !is_blank(row) || named(&shown.cells))
                    .map(|(_, shown)| shown)
                    .collect()
            }
            TableSubject::Alerts => alert_rows(rewards.alerts.iter(), header),
            TableSubject::Credits | TableSubject::Outcomes | TableSubject::Example => Vec::new(),
        }
    }
}

/// Whether a reward is 0.00 for nothing: everybody with a quota has such rows of every reward of the
/// plan, and few of them are worth a line in a case.
fn is_blank(row: &EarnedReward) -> bool {
    row.origin == RewardOrigin::Calculated && row.credits.is_empty() && row.amount.is_zero()
}

/// Whether an expected row is about the same reward of the same payee as `cells`.
fn names_reward(header: &[String], expected: &[&[String]], cells: &[String]) -> bool {
    expected.iter().any(|row| {
        let mut all = header.iter().zip(row.iter()).zip(cells);
        all.all(|((column, wanted), cell)| {
            !REWARD_KEYS.contains(&column.as_str()) || wanted == cell
        })
    })
}

fn reward_row(row: &EarnedReward, header: &[String]) -> TableRow {
    let json = serde_json::to_value(row).unwrap_or_default();
    let cell = |column: &String| match json.get(column) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) => {
            items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" ")
        }
        Some(other) => other.to_string(),
    };
    let cells = header.iter().map(cell).collect();
    TableRow { cells, transaction: String::new(), plan: row.plan.to_string() }
}

fn credit_rows(decisions: &[Decision], header: &[String]) -> Vec<TableRow> {
    let all = decisions.iter().flat_map(|decision| &decision.credits);
    all.map(|credit| TableRow {
        cells: header.iter().map(|column| credit_cell(credit, column).into_owned()).collect(),
        transaction: credit.transaction.to_string(),
        plan: credit.plan.to_string(),
    })
    .collect()
}

/// A credit's cell; blank for a column that is none.
pub(super) fn credit_cell<'a>(credit: &'a PostedCredit, column: &str) -> Cow<'a, str> {
    let field = CreditField::find(column);
    field.and_then(|field| (field.cell)(credit).to_text()).unwrap_or_default()
}

/// All uncredited and parked decisions; filtered ones where the table names them.
fn outcome_rows(
    decisions: &[Decision],
    header: &[String],
    expected: &[&[String]],
) -> Vec<TableRow> {
    let mut rows: Vec<TableRow> = Vec::new();

    for decision in decisions {
        if !matches!(decision.outcome, DecisionOutcome::Credited | DecisionOutcome::Filtered) {
            let (outcome, reason) = outcome_of(decision);
            let about = (decision.transaction.as_str(), decision.plan.as_str());
            rows.push(outcome_row(header, about, outcome, reason.as_ref()));
        }
    }

    let column = |name: &str| header.iter().position(|header| header == name);

    for row in expected {
        let cell = |name: &str| column(name).and_then(|index| row.get(index)).map(String::as_str);
        let (Some("filtered"), Some(transaction)) = (cell("outcome"), cell("transaction")) else {
            continue;
        };
        // Filtered decisions are not listed, so a transaction without any decision (in the plan, if
        // the table names one) is one.
        let plan = cell("plan").unwrap_or("");
        let decided = |decision: &Decision| {
            decision.transaction == transaction && (plan.is_empty() || decision.plan == plan)
        };

        if !decisions.iter().any(decided) {
            let about = (transaction, plan);
            rows.push(outcome_row(header, about, "filtered", None));
        }
    }

    // By content, since the order in which plans decide says nothing to a reader.
    rows.sort();
    rows
}

/// The word for what became of a transaction, and why.
fn outcome_of(decision: &Decision) -> (&'static str, Option<Note>) {
    match decision.outcome {
        DecisionOutcome::Credited => ("credited", None),
        DecisionOutcome::Filtered => ("filtered", None),
        DecisionOutcome::Uncredited => ("uncredited", summarize_reasons(&decision.reasons)),
        DecisionOutcome::Parked => ("parked", decision.reasons.first().cloned()),
    }
}

fn outcome_row(
    header: &[String],
    (transaction, plan): (&str, &str),
    outcome: &str,
    reason: Option<&Note>,
) -> TableRow {
    let cell = |column: &str| match (column, reason) {
        ("transaction", _) => transaction,
        ("plan", _) => plan,
        ("outcome", _) => outcome,
        ("stage", Some(reason)) => reason.stage.as_str(),
        ("code", Some(reason)) => reason.code.as_str(),
        ("message", Some(reason)) => &reason.message,
        _ => "",
    };

    TableRow {
        cells: header.iter().map(|column| cell(column).to_owned()).collect(),
        transaction: transaction.to_owned(),
        plan: plan.to_owned(),
    }
}

fn alert_rows<'a>(all: impl Iterator<Item = &'a Note>, header: &[String]) -> Vec<TableRow> {
    all.map(|note| {
        let cell = |column: &str| match column {
            "transaction" => note.transaction.clone(),
            "plan" => note.plan.clone(),
            "alert" => note.code.to_string(),
            "stage" => note.stage.to_string(),
            "message" => note.message.clone(),
            _ => String::new(),
        };

        TableRow {
            cells: header.iter().map(|column| cell(column)).collect(),
            transaction: note.transaction.clone(),
            plan: note.plan.clone(),
        }
    })
    .collect()
}

/// A row a credit; where a plan gives none, a row with its outcome alone.
fn example_rows(decisions: &[Decision], header: &[String]) -> Vec<TableRow> {
    let mut rows = Vec::new();

    for decision in decisions {
        let (word, reason) = outcome_of(decision);
        let about = (decision.transaction.as_str(), decision.plan.as_str());

        if decision.credits.is_empty() {
            rows.push(outcome_row(header, about, word, reason.as_ref()));
        }

        for credit in &decision.credits {
            let cells = header.iter().map(|column| match column.as_str() {
                "outcome" => word.to_owned(),
                column => credit_cell(credit, column).into_owned(),
            });
            let (transaction, plan) = (credit.transaction.to_string(), credit.plan.to_string());
            rows.push(TableRow { cells: cells.collect(), transaction, plan });
        }
    }

    // Nothing came of it in any plan: that is an outcome as well, and a row can expect it.
    if rows.is_empty() {
        rows.push(outcome_row(header, ("", ""), "filtered", None));
    }

    rows
}
