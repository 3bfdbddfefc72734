//! Credits as bytes, block by block: worker threads can write blocks at the same time.
//!
//! Not which credits there are, and not where their bytes go. Called by verbs that print credits.
//!
//! **Architecture invariant:** a block is written from its credits alone, so blocks that are put
//! behind one another are the same bytes for every number of threads.

use std::ops::Range;
use std::ptr;

use accredit_domain::credit::fields::{CREDIT_FIELDS, CreditCell};
use accredit_domain::credit::posted::PostedCredit;

use super::cells;

/// Bytes of a row of credits, about.
const ROW_BYTES: usize = 384;

/// Credits as rows of CSV, every column, without a header. No cell is a formula.
pub(crate) fn csv_credits(credits: &[PostedCredit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(credits.len().saturating_mul(ROW_BYTES));
    let mut columns = CREDIT_FIELDS.map(|field| (field, LastText::default()));

    for credit in credits {
        for (field, last) in &mut columns {
            match (field.cell)(credit) {
                CreditCell::Text(text) => last.push(&mut out, text, cells::push_csv_text),
                cell => push_plain(&mut out, cell),
            }
            out.push(b',');
        }

        out.pop();
        out.push(b'\n');
    }
    out
}

/// Credits as JSON, an object a line: the same objects as in a calculation.
pub(crate) fn json_credits(credits: &[PostedCredit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(credits.len().saturating_mul(2 * ROW_BYTES));
    let mut columns = CREDIT_FIELDS.map(|field| {
        let key = format!("\"{}\":", field.name).into_bytes();
        (field, key, LastText::default())
    });

    for credit in credits {
        out.push(b'{');
        for (field, key, last) in &mut columns {
            out.extend_from_slice(key);
            match (field.cell)(credit) {
                CreditCell::Empty => out.extend_from_slice(b"null"),
                CreditCell::Text(text) => last.push(&mut out, text, cells::push_json_text),
                count @ CreditCell::Count(_) => push_plain(&mut out, count),
                cell => {
                    out.push(b'"');
                    push_plain(&mut out, cell);
                    out.push(b'"');
                }
            }
            out.push(b',');
        }

        out.pop();
        out.extend_from_slice(b"}\n");
    }
    out
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

/// The text that a column had last, and where it was written: most columns repeat theirs from row to
/// row, and what was written once need not be looked at again.
#[derive(Debug, Default)]
struct LastText<'a> {
    text: &'a str,
    place: Range<usize>,
}

impl<'a> LastText<'a> {
    fn push(&mut self, out: &mut Vec<u8>, text: &'a str, push: fn(&mut Vec<u8>, &str)) {
        // The same bytes in memory are the same text. Both live as long as the block, so no other
        // text came to their place.
        if ptr::eq(self.text, text) && !self.place.is_empty() {
            out.extend_from_within(self.place.clone());
            return;
        }

        let from = out.len();
        push(out, text);
        *self = LastText { text, place: from..out.len() };
    }
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
