//! What a client orders of executors, and what they report: the arguments and results of the
//! functions.
//!
//! **Architecture invariant:** a report counts what went in and what came out, so that the client
//! can tell whether the cluster lost a row or brought one twice.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use serde::{Deserialize, Serialize};

/// The field of a row that has its part.
pub(crate) const PART: &str = "part";

/// The field of a row that has the part of the deals that it comes from.
pub(crate) const SOURCE: &str = "source";

/// The field of a row that tells the attempts at a part of the deals apart.
pub(crate) const ATTEMPT: &str = "attempt";

/// The field of a row that has its place among the rows of its attempt.
pub(crate) const LINE: &str = "line";

/// The field of a row that has a credit; null in the row that counts.
pub(crate) const CREDIT: &str = "credit";

/// What a part counts once its credits are written: deals that came, credits, and copies of them
/// for rewards.
pub(crate) const CREDIT_COUNTS: [&str; 3] = ["deals", "credits", "routed"];

/// What a part counts once its rewards are written: copies of credits that came, and rewards.
pub(crate) const REWARD_COUNTS: [&str; 2] = ["received", "rewards"];

/// What is to be done with every part. It goes through plans as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkOrder {
    /// The pinned ruleset, at this path on every node.
    pub(crate) ruleset: String,
    /// How many parts there are, of deals and of payees.
    pub(crate) parts: u32,
    /// The folder of credits, which every node sees.
    pub(crate) credits: PathBuf,
    /// The folder of rewards; none where no rewards are asked for.
    pub(crate) rewards: Option<PathBuf>,
    /// The folder of notes.
    pub(crate) notes: PathBuf,
    /// Options of the worker that decides deals.
    pub(crate) deal_options: Vec<String>,
    /// Options of the worker that routes credits.
    pub(crate) route_options: Vec<String>,
    /// Options of the worker that computes rewards.
    pub(crate) reward_options: Vec<String>,
}

impl WorkOrder {
    /// The order as text.
    ///
    /// # Errors
    /// When a path is no UTF-8.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    /// The order in a text.
    ///
    /// # Errors
    /// When it is none: the client is of another version.
    pub(crate) fn from_json(text: &str) -> Result<WorkOrder> {
        serde_json::from_str(text).map_err(|error| {
            let message = format!(
                "the order cannot be read: {error}; client and executor need the same version"
            );
            DataFusionError::Execution(message)
        })
    }

    /// The arguments of a worker with `options`.
    pub(crate) fn arguments(&self, options: &[String]) -> Vec<String> {
        let ruleset = ["--ruleset".to_owned(), self.ruleset.clone()];
        ruleset.into_iter().chain(options.iter().cloned()).collect()
    }

    /// The option that says which part a worker has.
    pub(crate) fn part_option(&self, part: u32) -> [String; 2] {
        ["--part".to_owned(), format!("{part}/{}", self.parts)]
    }
}

/// The fields of the rows that a part of deals gives: one that counts, then a copy of a credit
/// each.
pub(crate) fn routed_row_fields(routed: &SchemaRef) -> Fields {
    let mut fields = [PART, SOURCE, ATTEMPT, LINE].map(count_field).to_vec();
    fields.extend(CREDIT_COUNTS.map(count_field));
    // A row that counts has no cell of a credit.
    let cells = routed.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    let credit = DataType::Struct(cells.collect());
    fields.push(Arc::new(Field::new(CREDIT, credit, true)));
    Fields::from(fields)
}

/// The fields of the report of a part.
pub(crate) fn report_fields() -> Fields {
    let counts = CREDIT_COUNTS.iter().chain(&REWARD_COUNTS);
    counts.map(|name| count_field(name)).collect()
}

fn count_field(name: &str) -> FieldRef {
    Arc::new(Field::new(name, DataType::Int64, true))
}
