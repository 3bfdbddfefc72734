//! Credits as bytes, block by block: worker threads can write blocks at the same time.
//!
//! Not which credits there are, and not where their bytes go. Called by verbs that print credits.
//!
//! **Architecture invariant:** a block is written from its credits alone, so blocks that are put
//! behind one another are the same bytes for every number of threads.

use std::ops::Range;
use std::ptr;

use accredit_domain::credit::fields::{CREDIT_FIELDS, CreditCell, CreditField};
use accredit_domain::credit::posted::PostedCredit;

use super::cells;

/// Bytes of a row of credits as CSV, about; JSON repeats the names of the fields.
const ROW_BYTES: usize = 384;

/// Credits as rows of CSV, every column, without a header. No cell is a formula.
pub(crate) fn csv_credits(credits: &[PostedCredit]) -> Vec<u8> {
    let columns = CREDIT_FIELDS.map(|field| Column::new(field, Vec::new(), b","));
    let out = Vec::with_capacity(credits.len().saturating_mul(ROW_BYTES));

    push_rows(out, credits, ended_by(columns, b"\n"), |out, cell| match cell {
        CreditCell::Text(text) => cells::push_csv_text(out, text),
        cell => push_plain(out, cell),
    })
}

/// Credits as JSON, an object a line: the same objects as in a calculation.
pub(crate) fn json_credits(credits: &[PostedCredit]) -> Vec<u8> {
    let mut brace = "{";
    let columns = CREDIT_FIELDS.map(|field| {
        let key = format!("{brace}\"{}\":", field.name);
        brace = "";
        Column::new(field, key.into_bytes(), b",")
    });
    let out = Vec::with_capacity(credits.len().saturating_mul(2 * ROW_BYTES));

    push_rows(out, credits, ended_by(columns, b"}\n"), |out, cell| match cell {
        CreditCell::Empty => out.extend_from_slice(b"null"),
        CreditCell::Text(text) => cells::push_json_text(out, text),
        CreditCell::Count(count) => cells::push_count(out, count),
        cell => {
            out.push(b'"');
            push_plain(out, cell);
            out.push(b'"');
        }
    })
}

/// Appends what is written alike in every format: it needs no quotes and is no formula.
fn push_plain(out: &mut Vec<u8>, cell: CreditCell<'_>) {
    match cell {
        CreditCell::Empty => (),
        CreditCell::Text(text) | CreditCell::Word(text) => out.extend_from_slice(text.as_bytes()),
        CreditCell::Id(id) => cells::push_id(out, id),
        CreditCell::Date(date) => cells::push_date(out, date),
        CreditCell::Count(count) => cells::push_count(out, count),
        CreditCell::Number(number) => cells::push_decimal(out, number),
    }
}

/// A column while rows are written: what it held in the last row, and where that was written.
struct Column<'a> {
    field: CreditField,
    before: Vec<u8>,
    after: &'static [u8],
    last: Option<CreditCell<'a>>,
    place: Range<usize>,
}

impl<'a> Column<'a> {
    fn new(field: CreditField, before: Vec<u8>, after: &'static [u8]) -> Column<'a> {
        Column { field, before, after, last: None, place: 0..0 }
    }

    /// Whether it holds in this row what it held in the last one. The same bytes in memory are the
    /// same text: both texts live as long as the block, so none took the other's place.
    fn repeats(&self, cell: CreditCell<'_>) -> bool {
        match (self.last, cell) {
            (Some(CreditCell::Text(last)), CreditCell::Text(text)) => ptr::eq(last, text),
            (Some(last), cell) => last == cell,
            (None, _) => false,
        }
    }
}

/// The columns, the last of which ends the row.
fn ended_by<'a, const N: usize>(
    mut columns: [Column<'a>; N],
    end: &'static [u8],
) -> [Column<'a>; N] {
    if let Some(last) = columns.last_mut() {
        last.after = end;
    }
    columns
}

/// Appends a row a credit. Most columns repeat what they held in the row before, and neighbours among
/// them are copied from there at once.
fn push_rows<'a, const N: usize>(
    mut out: Vec<u8>,
    credits: &'a [PostedCredit],
    mut columns: [Column<'a>; N],
    push_cell: impl Fn(&mut Vec<u8>, CreditCell<'a>),
) -> Vec<u8> {
    for credit in credits {
        // The part of the row before that is the same in this one and is not copied yet.
        let mut same = 0..0;

        for column in &mut columns {
            let cell = (column.field.cell)(credit);
            if column.repeats(cell) {
                if same.is_empty() {
                    same.start = column.place.start;
                }
                same.end = column.place.end;

                let start = out.len() + (column.place.start - same.start);
                column.place = start..start + column.place.len();
                continue;
            }

            out.extend_from_within(same);
            same = 0..0;

            let start = out.len();
            out.extend_from_slice(&column.before);
            push_cell(&mut out, cell);
            out.extend_from_slice(column.after);
            (column.last, column.place) = (Some(cell), start..out.len());
        }
        out.extend_from_within(same);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::tabular::guard_formula;

    /// Credits with hostile texts in every column of text, some of which repeat.
    fn credits() -> impl Strategy<Value = Vec<PostedCredit>> {
        let text = "(\\PC|[\"\\\\,;=+@'\t\r\n-]|-5|=1){0,8}";
        let number = (any::<i32>(), 0_u32..6);
        let row = (prop::collection::vec(text, 14), prop::bool::ANY, number, any::<[u8; 16]>());
        prop::collection::vec(row.prop_map(credit), 1..6)
    }

    fn credit(
        (texts, optional, (mantissa, scale), id): (Vec<String>, bool, (i32, u32), [u8; 16]),
    ) -> PostedCredit {
        let id = accredit_domain::credit::CreditId(id).to_string();
        let amount = rust_decimal::Decimal::new(i64::from(mantissa), scale).to_string();
        let mut row = json!({
            "id": id, "transaction": texts[0], "incentive_date": "2026-03-15", "plan": texts[1],
            "rule": texts[2], "result": texts[3], "kind": "indirect", "period": texts[4],
            "credit_type": texts[5], "unit_type": texts[6], "amount": amount, "status": "held",
            "origin": "late", "ruleset": texts[7],
        });
        if optional {
            let more = json!({
                "position": texts[8], "payee": texts[9], "team": texts[10],
                "relationship": texts[11], "via": texts[12], "level": scale, "source": id,
                "share": amount, "release_date": "2026-04-01", "reason": texts[13],
                "reason_code": texts[8], "reverses": id,
            });
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        serde_json::from_value(row).unwrap()
    }

    /// The same rows by the library, cell by cell.
    fn slow_csv(credits: &[PostedCredit]) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for credit in credits {
            let cells = CREDIT_FIELDS.iter().map(|field| {
                let cell = (field.cell)(credit).to_text().unwrap_or_default();
                guard_formula(cell).into_owned()
            });
            writer.write_record(cells).unwrap();
        }
        writer.into_inner().unwrap()
    }

    proptest! {
        /// Writing cells by the library took a fifth of a calculation. The bytes are the same.
        #[test]
        fn credits_are_written_as_the_library_writes_them(credits in credits()) {
            // Rows with the same keys in memory come from one deal.
            let credits = [credits.clone(), credits].concat();
            prop_assert_eq!(csv_credits(&credits), slow_csv(&credits));

            let mut lines = Vec::new();
            for credit in &credits {
                lines.extend(serde_json::to_vec(credit).unwrap());
                lines.push(b'\n');
            }
            prop_assert_eq!(json_credits(&credits), lines);
        }
    }

    #[test]
    fn blocks_behind_one_another_are_one_file() {
        let row = |name: &str| {
            let texts = std::iter::repeat_n(format!("{name},\"="), 14).collect();
            credit((texts, true, (-1250, 2), [7; 16]))
        };
        let credits = ["a", "b", "c"].map(row);
        for write in [csv_credits, json_credits] {
            let blocks: Vec<Vec<u8>> = credits.chunks(1).map(write).collect();
            assert_eq!(blocks.concat(), write(&credits));
        }

        let lines = json_credits(&credits);
        let lines = std::str::from_utf8(&lines).unwrap().lines();
        let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(json!(lines), serde_json::to_value(&credits).unwrap());
    }
}
