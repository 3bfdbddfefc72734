//! `accredit_part(parts, id, ...)`: the part of a deal by the columns of its natural key.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::part::{join_key, part_of};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DealPart {
    signature: Signature,
}

impl DealPart {
    /// The function.
    pub(super) fn new() -> DealPart {
        DealPart { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DealPart {
    fn name(&self) -> &str {
        super::DEAL_PART
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let count = arguments.number_rows;
        let [ColumnarValue::Scalar(ScalarValue::UInt32(Some(parts))), columns @ ..] =
            arguments.args.as_slice()
        else {
            let message = "a number of parts and the columns of the key are the arguments";
            return Err(DataFusionError::Execution(message.to_owned()));
        };
        let columns: Result<Vec<_>> = columns.iter().map(|column| column.to_array(count)).collect();
        let columns = columns?;
        let columns: Vec<_> = columns.iter().map(|column| column.as_string::<i32>()).collect();

        let part_of_row = |row| {
            let cell = |column: &&datafusion::arrow::array::StringArray| {
                if column.is_valid(row) { column.value(row).to_owned() } else { String::new() }
            };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            i64::from(part_of(&join_key(&cells), *parts))
        };
        let found: Int64Array = (0..count).map(|row| Some(part_of_row(row))).collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}
