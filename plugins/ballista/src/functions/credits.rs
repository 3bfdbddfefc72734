//! `accredit_credits(order, part, deals, rows)`: decides the deals of a part, writes its credits,
//! and routes them to the parts that need them for rewards.
//!
//! The last argument is an empty list. Its type is that of the result, which follows from the units
//! of the ruleset; only the client asked the engine for it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, Int64Array, ListArray, RecordBatch, StructArray, new_null_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, concat, concat_batches};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::{CalledParts, count_of, present_rows};
use crate::order::{CREDIT, PART, WorkOrder};
use crate::part_file::{BegunPath, PartFile, part_path};
use crate::worker::run_worker;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PartCredits {
    program: PathBuf,
    signature: Signature,
}

impl PartCredits {
    /// The function, whose workers run `program`.
    pub(super) fn new(program: &Path) -> PartCredits {
        // Files are written: no call may be left out, made twice or made while a plan is
        // simplified.
        let signature = Signature::any(4, Volatility::Volatile);
        PartCredits { program: program.to_owned(), signature }
    }

    /// Decides the deals of a part and writes its credits.
    fn decide(&self, order: &WorkOrder, part: u32, deals: &RecordBatch) -> Result<PartResult> {
        let notes = BegunPath::beside(part_path(&order.notes, part, "deals.ndjson"));
        let mut arguments = order.arguments(&order.deal_options);
        arguments.extend(order.part_option(part));
        arguments.extend(["--notes".to_owned(), notes.begun().display().to_string()]);

        let mut file: Option<PartFile> = None;
        let mut credits = Vec::new();
        let mut take = |batch: RecordBatch| {
            let file = match &mut file {
                Some(file) => file,
                None => file.insert(PartFile::begin(&order.credits, part, &batch.schema())?),
            };
            file.write(&batch)?;
            if order.rewards.is_some() {
                credits.push(batch);
            }
            Ok(())
        };
        let columns = run_worker(&self.program, &arguments, deals, &mut take)?;

        let file = match file {
            Some(file) => file,
            None => PartFile::begin(&order.credits, part, &columns)?,
        };
        let written = file.finish()?;
        notes.finish()?;
        let routed = match order.rewards {
            Some(_) => self.route(order, &concat_batches(&columns, &credits)?)?,
            None => Vec::new(),
        };
        let counts = [count_of(deals.num_rows()), written, count_rows(&routed)];
        Ok(PartResult { part, counts, routed })
    }

    /// The credits with the parts that need them.
    fn route(&self, order: &WorkOrder, credits: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let mut arguments = order.arguments(&order.route_options);
        arguments.extend(["--routes".to_owned(), order.parts.to_string()]);
        let mut routed = Vec::new();
        let mut take = |batch| {
            routed.push(batch);
            Ok(())
        };
        run_worker(&self.program, &arguments, credits, &mut take)?;
        Ok(routed)
    }
}

impl ScalarUDFImpl for PartCredits {
    fn name(&self) -> &str {
        super::PART_CREDITS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let of_rows = arguments.last().cloned();
        of_rows.ok_or_else(|| DataFusionError::Plan("there are no arguments".to_owned()))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> =
            arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::List(row_field) = arguments.return_type() else {
            return Err(DataFusionError::Plan("rows of a part are a list".to_owned()));
        };
        let DataType::Struct(fields) = row_field.data_type() else {
            return Err(DataFusionError::Plan("a row of a part has fields".to_owned()));
        };

        let called = CalledParts::read(&arguments)?;
        let mut lists: Vec<ArrayRef> = Vec::new();
        for part in called.each() {
            let (part, deals) = part?;
            let decided = self.decide(&called.order, part, &present_rows(&deals)?)?;
            lists.push(Arc::new(decided.rows(fields)?));
        }

        let offsets = OffsetBuffer::from_lengths(lists.iter().map(|rows| rows.len()));
        let rows: Vec<&dyn Array> = lists.iter().map(AsRef::as_ref).collect();
        let rows =
            if rows.is_empty() { new_null_array(row_field.data_type(), 0) } else { concat(&rows)? };
        let lists = ListArray::try_new(Arc::clone(row_field), offsets, rows, None)?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }
}

/// What became of the deals of a part.
struct PartResult {
    part: u32,
    counts: [i64; 3],
    routed: Vec<RecordBatch>,
}

impl PartResult {
    /// A row that counts, for the payees of the same part, and a row for each copy of a credit.
    fn rows(self, fields: &Fields) -> Result<StructArray> {
        let credit_type = fields.find(CREDIT).map(|(_, field)| field.data_type());
        let Some(credit_type @ DataType::Struct(cells_of_credit)) = credit_type else {
            return Err(DataFusionError::Plan("a row of a part has no credit".to_owned()));
        };
        let mut parts: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![i64::from(self.part)]))];
        let mut credits = vec![new_null_array(credit_type, 1)];
        for batch in self.routed {
            // Names are compared too: cells in another order may have the same types.
            let schema = batch.schema();
            let names = schema.fields().iter().map(|field| field.name());
            if !names.eq(cells_of_credit.iter().map(|field| field.name())) {
                return Err(other_columns());
            }
            let of_payees = batch.column_by_name(PART).ok_or_else(other_columns)?;
            parts.push(cast(of_payees, &DataType::Int64)?);
            let cells = batch.columns().to_vec();
            let credit = StructArray::try_new(cells_of_credit.clone(), cells, None);
            credits.push(Arc::new(credit.map_err(|_| other_columns())?));
        }

        let [parts, credits] = [parts, credits].map(|arrays| {
            let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            concat(&arrays)
        });
        let (parts, credits) = (parts?, credits?);
        let of_all = |cell: i64| Arc::new(Int64Array::from(vec![cell; credits.len()])) as ArrayRef;
        let attempt = RandomState::new().build_hasher().finish().cast_signed();
        let lines = (0..credits.len()).map(count_of).collect::<Int64Array>();
        let mut columns = vec![parts, of_all(i64::from(self.part)), of_all(attempt)];
        columns.push(Arc::new(lines));
        let without_counts = credits.len().saturating_sub(1);
        for count in self.counts {
            let cells = [Some(count)].into_iter().chain(std::iter::repeat_n(None, without_counts));
            columns.push(Arc::new(cells.collect::<Int64Array>()));
        }
        columns.push(credits);
        Ok(StructArray::try_new(fields.clone(), columns, None)?)
    }
}

fn count_rows(batches: &[RecordBatch]) -> i64 {
    count_of(batches.iter().map(RecordBatch::num_rows).sum())
}

fn other_columns() -> DataFusionError {
    let message = "the accredit of this executor writes other columns than the one of the client: \
                   give both the same version with --program";
    DataFusionError::Execution(message.to_owned())
}
