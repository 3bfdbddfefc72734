//! Decisions as rows of a table: credits, why-nots, alerts, and both for an example.
//!
//! Not comparing (`compare`). Called by `compare` and by `keep`. Source: FORMAT section 6.
//!
//! **Architecture invariant:** a cell shows exactly what goes out: text as it is, nothing as blank.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::parse::{ARROW, Table};
use accredit_crediting::calculation::summary;
use accredit_crediting::reward::Rewards;
use accredit_domain::credit::posted::{CREDIT_COLUMNS, PostedCredit};
use accredit_domain::decision::{Decision, EarnedReward, Note, Outcome, REWARD_COLUMNS};

/// Columns of a table of why-nots.
const OUTCOME_COLUMNS: [&str; 6] = ["transaction", "plan", "outcome", "stage", "code", "message"];

/// Columns of a table of alerts.
const ALERT_COLUMNS: [&str; 5] = ["transaction", "plan", "alert", "stage", "message"];

/// One row that came out, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// In the order of the table's header.
    pub(super) cells: Vec<String>,
    /// Natural key of the transaction.
    pub(super) transaction: String,
    /// Id of the plan.
    pub(super) plan: String,
}

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
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

impl Subject {
    /// What a table with this header is about.
    pub(super) fn of(table: &Table) -> Subject {
        if table.has(ARROW) {
            Subject::Example
        } else if table.has("reward") {
            Subject::Rewards
        } else if table.has("alert") {
            Subject::Alerts
        } else if table.has("outcome") || table.has("code") {
            Subject::Outcomes
        } else {
            Subject::Credits
        }
    }

    /// The word for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Subject::Credits => "credits",
            Subject::Outcomes => "outcomes",
            Subject::Alerts => "alerts",
            Subject::Rewards => "rewards",
            Subject::Example => "results",
        }
    }

    /// Whether such a table may have this column.
    pub(super) fn knows(self, column: &str) -> bool {
        self.columns().any(|known| known == column)
    }

    /// The columns that such a table may have.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static str> {
        let (columns, more): (&[&str], &[&str]) = match self {
            Subject::Credits => (&CREDIT_COLUMNS, &[]),
            Subject::Outcomes => (&OUTCOME_COLUMNS, &[]),
            Subject::Alerts => (&ALERT_COLUMNS, &[]),
            Subject::Rewards => (&REWARD_COLUMNS, &[]),
            Subject::Example => (&CREDIT_COLUMNS, &OUTCOME_COLUMNS),
        };
        columns.iter().chain(more).copied()
    }

    /// The rows that came out; `expected` names the filtered transactions that are wanted.
    pub(super) fn rows(
        self,
        decisions: &[Decision],
        header: &[String],
        expected: &[&[String]],
    ) -> Vec<Row> {
        match self {
            Subject::Credits => credits(decisions, header),
            Subject::Outcomes => outcomes(decisions, header, expected),
            Subject::Alerts => {
                alerts(decisions.iter().flat_map(|decision| &decision.alerts), header)
            }
            Subject::Rewards => Vec::new(),
            Subject::Example => examples(decisions, header),
        }
    }
}

impl Subject {
    /// The rows that the rewards of a period add.
    pub(super) fn paid(self, rewards: &Rewards, header: &[String]) -> Vec<Row> {
        match self {
            Subject::Rewards => rewards.rows.iter().map(|row| reward(row, header)).collect(),
            Subject::Alerts => alerts(rewards.alerts.iter(), header),
            Subject::Credits | Subject::Outcomes | Subject::Example => Vec::new(),
        }
    }
}

fn reward(row: &EarnedReward, header: &[String]) -> Row {
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
    Row { cells, transaction: String::new(), plan: row.plan.to_string() }
}

fn credits(decisions: &[Decision], header: &[String]) -> Vec<Row> {
    let all = decisions.iter().flat_map(|decision| &decision.credits);
    all.map(|credit| Row {
        cells: header.iter().map(|column| cell(credit, column).into_owned()).collect(),
        transaction: credit.transaction.to_string(),
        plan: credit.plan.to_string(),
    })
    .collect()
}

/// A credit's cell; blank for a column that is none.
pub(super) fn cell<'a>(credit: &'a PostedCredit, column: &str) -> Cow<'a, str> {
    let known = match column {
        "transaction" => &*credit.transaction,
        "plan" => &*credit.plan,
        "rule" => &*credit.rule,
        "result" => &*credit.result,
        "kind" => credit.kind.name(),
        "position" => credit.position.as_deref().unwrap_or(""),
        "payee" => credit.payee.as_deref().unwrap_or(""),
        "period" => &*credit.period,
        "status" => credit.status.name(),
        "level" => return Cow::Owned(shown(credit.level)),
        "share" => return Cow::Owned(shown(credit.share)),
        "amount" => return Cow::Owned(credit.amount.to_string()),
        // The columns that are seldom asked for, and those that will be added.
        _ => return Cow::Owned(rare(credit, column)),
    };

    Cow::Borrowed(known)
}

/// A value as a cell; blank for none.
fn shown(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn rare(credit: &PostedCredit, column: &str) -> String {
    let row = serde_json::to_value(credit).unwrap_or_default();
    match row.get(column) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// All uncredited and parked decisions; filtered ones where the table names them.
fn outcomes(decisions: &[Decision], header: &[String], expected: &[&[String]]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();

    for decision in decisions {
        if !matches!(decision.outcome, Outcome::Credited | Outcome::Filtered) {
            let (outcome, reason) = outcome(decision);
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
fn outcome(decision: &Decision) -> (&'static str, Option<Note>) {
    match decision.outcome {
        Outcome::Credited => ("credited", None),
        Outcome::Filtered => ("filtered", None),
        Outcome::Uncredited => ("uncredited", summary(&decision.reasons)),
        Outcome::Parked => ("parked", decision.reasons.first().cloned()),
    }
}

fn outcome_row(
    header: &[String],
    (transaction, plan): (&str, &str),
    outcome: &str,
    reason: Option<&Note>,
) -> Row {
    let cell = |column: &str| match (column, reason) {
        ("transaction", _) => transaction,
        ("plan", _) => plan,
        ("outcome", _) => outcome,
        ("stage", Some(reason)) => &reason.stage,
        ("code", Some(reason)) => &reason.code,
        ("message", Some(reason)) => &reason.message,
        _ => "",
    };

    Row {
        cells: header.iter().map(|column| cell(column).to_owned()).collect(),
        transaction: transaction.to_owned(),
        plan: plan.to_owned(),
    }
}

fn alerts<'a>(all: impl Iterator<Item = &'a Note>, header: &[String]) -> Vec<Row> {
    all.map(|note| {
        let cell = |column: &str| match column {
            "transaction" => note.transaction.clone(),
            "plan" => note.plan.clone(),
            "alert" => note.code.clone(),
            "stage" => note.stage.clone(),
            "message" => note.message.clone(),
            _ => String::new(),
        };

        Row {
            cells: header.iter().map(|column| cell(column)).collect(),
            transaction: note.transaction.clone(),
            plan: note.plan.clone(),
        }
    })
    .collect()
}

/// A row a credit; where a plan gives none, a row with its outcome alone.
fn examples(decisions: &[Decision], header: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();

    for decision in decisions {
        let (word, reason) = outcome(decision);
        let about = (decision.transaction.as_str(), decision.plan.as_str());

        if decision.credits.is_empty() {
            rows.push(outcome_row(header, about, word, reason.as_ref()));
        }

        for credit in &decision.credits {
            let cells = header.iter().map(|column| match column.as_str() {
                "outcome" => word.to_owned(),
                column => cell(credit, column).into_owned(),
            });
            let (transaction, plan) = (credit.transaction.to_string(), credit.plan.to_string());
            rows.push(Row { cells: cells.collect(), transaction, plan });
        }
    }

    // Nothing came of it in any plan: that is an outcome as well, and a row can expect it.
    if rows.is_empty() {
        rows.push(outcome_row(header, ("", ""), "filtered", None));
    }

    rows
}
