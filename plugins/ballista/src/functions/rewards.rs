//! `accredit_rewards(order, part, rows)`: writes the rewards of a part of the payees,
//! and reports the part.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StructArray,
};
use datafusion::arrow::compute::{filter_record_batch, is_null, sum};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{CalledParts, count_of, present_rows};
use crate::order::{ATTEMPT, CREDIT, CREDIT_COUNTS, LINE, SOURCE, WorkOrder, report_fields};
use crate::part_file::{BegunPath, PartFile, part_path};
use crate::worker::run_worker;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PartRewards {
    program: PathBuf,
    signature: Signature,
}

impl PartRewards {
    /// The function, whose workers run `program`.
    pub(super) fn new(program: &Path) -> PartRewards {
        // Files are written: no call may be left out, made twice or made while a plan is
        // simplified.
        let signature = Signature::any(3, Volatility::Volatile);
        PartRewards { program: program.to_owned(), signature }
    }

    /// Writes the rewards of a part. Returns what it counts, in the order of the report.
    fn reward(&self, order: &WorkOrder, part: u32, rows: &StructArray) -> Result<Vec<i64>> {
        let rows = rows_of_one_attempt(&RecordBatch::from(rows))?;
        let credits = rows.column_by_name(CREDIT).ok_or_else(no_credits)?.as_struct();
        let counts = filter_record_batch(&rows, &is_null(credits)?)?;
        let credits = present_rows(credits)?;
        let mut found: Vec<i64> = Vec::new();
        for name in CREDIT_COUNTS {
            let column = counts.column_by_name(name).ok_or_else(no_credits)?;
            found.push(sum(column.as_primitive::<Int64Type>()).unwrap_or_default());
        }
        let Some(folder) = &order.rewards else { return Err(no_credits()) };

        let notes = BegunPath::beside(part_path(&order.notes, part, "payees.ndjson"));
        let mut arguments = order.arguments(&order.reward_options);
        arguments.push("--rewards".to_owned());
        arguments.extend(order.part_option(part));
        arguments.extend(["--notes".to_owned(), notes.begun().display().to_string()]);
        let mut file: Option<PartFile> = None;
        let mut take = |batch: RecordBatch| {
            let file = match &mut file {
                Some(file) => file,
                None => file.insert(PartFile::begin(folder, part, &batch.schema())?),
            };
            file.write(&batch)
        };
        let columns = run_worker(&self.program, &arguments, &credits, &mut take)?;

        let file = match file {
            Some(file) => file,
            None => PartFile::begin(folder, part, &columns)?,
        };
        found.extend([count_of(credits.num_rows()), file.finish()?]);
        notes.finish()?;
        Ok(found)
    }
}

impl ScalarUDFImpl for PartRewards {
    fn name(&self) -> &str {
        super::PART_REWARDS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(report_fields()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let called = CalledParts::read(&arguments)?;
        let fields = report_fields();
        let mut columns: Vec<Vec<i64>> = vec![Vec::new(); fields.len()];
        for part in called.each() {
            let (part, rows) = part?;
            let counts = self.reward(&called.order, part, &rows)?;
            for (column, count) in columns.iter_mut().zip(counts) {
                column.push(count);
            }
        }

        let columns =
            columns.into_iter().map(|cells| Arc::new(Int64Array::from(cells)) as ArrayRef);
        let report = StructArray::try_new(fields, columns.collect(), None)?;
        Ok(ColumnarValue::Array(Arc::new(report)))
    }
}

/// Each row of one attempt at each part of the deals, once. Where an executor was lost, Ballista may bring
/// the rows of a part twice: those of a task that had ended and those of the task that did it again, or the
/// latter for both.
fn rows_of_one_attempt(rows: &RecordBatch) -> Result<RecordBatch> {
    let cells = |name| {
        let column = rows.column_by_name(name).ok_or_else(no_credits)?;
        Ok::<_, DataFusionError>(column.as_primitive::<Int64Type>().values().iter().copied())
    };
    let mut attempts: HashMap<i64, i64> = HashMap::new();
    let mut known: HashSet<(i64, i64)> = HashSet::new();
    let origins = cells(SOURCE)?.zip(cells(ATTEMPT)?).zip(cells(LINE)?);
    let is_kept = origins.map(|((source, attempt), line)| {
        // A task gives all of its rows or none, so any attempt is whole.
        let is_of_attempt = *attempts.entry(source).or_insert(attempt) == attempt;
        Some(is_of_attempt && known.insert((source, line)))
    });
    Ok(filter_record_batch(rows, &is_kept.collect::<BooleanArray>())?)
}

fn no_credits() -> DataFusionError {
    DataFusionError::Execution("the rows of a part are not those of accredit_credits".to_owned())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, Schema};

    use super::*;

    /// Rows of a source, an attempt and a line each.
    fn rows(cells: &[[i64; 3]]) -> RecordBatch {
        let names = [SOURCE, ATTEMPT, LINE];
        let fields = names.map(|name| Field::new(name, DataType::Int64, true)).to_vec();
        let column = |place: usize| {
            let cells = cells.iter().filter_map(|row| row.get(place).copied());
            Arc::new(cells.collect::<Int64Array>()) as ArrayRef
        };
        let columns = (0..names.len()).map(column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn rows_that_come_again_count_once() {
        let first = [[0, 7, 0], [0, 7, 1], [1, 5, 0]];
        let again = [[0, 7, 1], [0, 7, 0], [1, 6, 0], [1, 6, 1]];
        let all = [first.as_slice(), again.as_slice()].concat();
        assert_eq!(rows_of_one_attempt(&rows(&all)).unwrap(), rows(&first));
    }
}
