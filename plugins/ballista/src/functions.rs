//! The functions that plans call by name: the part of a deal, the credits of a part, the rewards of
//! a part.
//!
//! Scheduler, executors and client register the same three. A plan has their names alone, so no
//! plan says which program is run: each executor was told that when it was started.

mod credits;
mod deal_part;
mod rewards;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StructArray};
use datafusion::arrow::compute::{filter, is_not_null};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use datafusion::scalar::ScalarValue;

use crate::order::WorkOrder;

/// The name of the function that gives the part of a deal.
pub(crate) const DEAL_PART: &str = "accredit_part";

/// The name of the function that decides the deals of a part.
pub(crate) const PART_CREDITS: &str = "accredit_credits";

/// The name of the function that computes the rewards of a part.
pub(crate) const PART_REWARDS: &str = "accredit_rewards";

/// All functions; those that need the engine start `program`.
pub(crate) fn all_functions(program: &Path) -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::from(deal_part::DealPart::new())),
        Arc::new(ScalarUDF::from(credits::PartCredits::new(program))),
        Arc::new(ScalarUDF::from(rewards::PartRewards::new(program))),
    ]
}

/// The parts that a call is about: the order, and per row a part and the rows of it.
struct CalledParts {
    order: WorkOrder,
    parts: ArrayRef,
    rows: ArrayRef,
}

impl CalledParts {
    /// Reads the arguments `order, part, rows, ...`.
    fn read(arguments: &ScalarFunctionArgs) -> Result<CalledParts> {
        let [ColumnarValue::Scalar(ScalarValue::Utf8(Some(order))), parts, rows, ..] =
            arguments.args.as_slice()
        else {
            let message = "an order, a part and its rows are the arguments".to_owned();
            return Err(DataFusionError::Execution(message));
        };
        let count = arguments.number_rows;
        Ok(CalledParts {
            order: WorkOrder::from_json(order)?,
            parts: parts.to_array(count)?,
            rows: rows.to_array(count)?,
        })
    }

    /// Each part with its rows.
    fn each(&self) -> impl Iterator<Item = Result<(u32, StructArray)>> {
        let parts = self.parts.as_primitive::<Int64Type>();
        let rows = self.rows.as_list::<i32>();
        parts.iter().zip(rows.iter()).map(|(part, rows)| {
            let part = part.and_then(|part| u32::try_from(part).ok());
            let (Some(part), Some(rows)) = (part, rows) else {
                return Err(DataFusionError::Execution(
                    "a part has no number or no rows".to_owned(),
                ));
            };
            Ok((part, rows.as_struct().clone()))
        })
    }
}

/// The rows that are there, as a batch: a null stands for a part that may have none.
fn present_rows(rows: &StructArray) -> Result<RecordBatch> {
    let present = filter(rows, &is_not_null(rows)?)?;
    Ok(RecordBatch::from(present.as_struct()))
}

/// How many there are, as a cell.
fn count_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
