//! Credits as bytes, block by block: worker threads can write blocks at the same time.
//!
//! Not which credits there are, and not where their bytes go. Called by verbs that print credits.
//!
//! **Architecture invariant:** a block is written from its credits alone, so blocks that are put
//! behind one another are the same bytes for every number of threads.

use std::ops::Range;

use accredit_domain::credit::fields::{CREDIT_FIELDS, CreditCell, CreditField};
use accredit_domain::credit::posted::PostedCredit;

use super::cells;

/// Bytes of a row of credits as CSV, about; JSON repeats the names of the fields.
const ROW_BYTES: usize = 384;

/// Credits as rows of CSV, every column, without a header. No cell is a formula.
pub(super) fn csv_credits<'a>(credits: impl ExactSizeIterator<Item = &'a PostedCredit>) -> Vec<u8> {
    let columns = CREDIT_FIELDS.map(|field| Column { field, before: Vec::new(), after: b"," });
    let out = Vec::with_capacity(credits.len().saturating_mul(ROW_BYTES));

    push_rows(out, credits, ended_by(columns, b"\n"), |out, cell| match cell {
        CreditCell::Text(text) => cells::push_csv_text(out, text),
        cell => push_plain(out, cell),
    })
}

/// Credits as JSON, an object a line: the same objects as in a calculation.
pub(super) fn json_credits<'a>(
    credits: impl ExactSizeIterator<Item = &'a PostedCredit>,
) -> Vec<u8> {
    let mut brace = "{";
    let columns = CREDIT_FIELDS.map(|field| {
        let key = format!("{brace}\"{}\":", field.name);
        brace = "";
        Column { field, before: key.into_bytes(), after: b"," }
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
pub(super) fn push_plain(out: &mut Vec<u8>, cell: CreditCell<'_>) {
    match cell {
        CreditCell::Empty => (),
        CreditCell::Text(text) | CreditCell::Word(text) => out.extend_from_slice(text.as_bytes()),
        CreditCell::Id(id) => cells::push_id(out, id),
        CreditCell::Date(date) => cells::push_date(out, date),
        CreditCell::Count(count) => cells::push_count(out, count),
        CreditCell::Number(number) => cells::push_decimal(out, number),
    }
}

/// A column, and what is written before and after each of its cells.
struct Column {
    field: CreditField,
    before: Vec<u8>,
    after: &'static [u8],
}

/// The columns, the last of which ends the row.
fn ended_by<const N: usize>(mut columns: [Column; N], end: &'static [u8]) -> [Column; N] {
    if let Some(last) = columns.last_mut() {
        last.after = end;
    }
    columns
}

/// Neighbouring fields that mostly repeat what the credit before had, all of them or none.
struct FieldGroup {
    /// How many fields they are.
    fields: usize,
    /// Whether two credits have the same in all of them.
    repeats: fn(&PostedCredit, &PostedCredit) -> bool,
}

/// All fields, in their order.
const FIELD_GROUPS: [FieldGroup; 9] = [
    group(1, |_, _| false),
    group(3, |a, b| {
        a.transaction == b.transaction && a.incentive_date == b.incentive_date && a.plan == b.plan
    }),
    group(3, |a, b| a.rule == b.rule && a.result == b.result && a.kind == b.kind),
    group(2, |a, b| a.position == b.position && a.payee == b.payee),
    group(3, |a, b| a.team == b.team && a.relationship == b.relationship && a.via == b.via),
    group(3, |a, b| a.level == b.level && a.source == b.source && a.share == b.share),
    group(3, |a, b| {
        a.period == b.period && a.credit_type == b.credit_type && a.unit_type == b.unit_type
    }),
    group(1, |_, _| false),
    group(7, |a, b| {
        a.status == b.status
            && a.release_date == b.release_date
            && a.reason == b.reason
            && a.reason_code == b.reason_code
            && a.origin == b.origin
            && a.reverses == b.reverses
            && a.ruleset == b.ruleset
    }),
];

const fn group(fields: usize, repeats: fn(&PostedCredit, &PostedCredit) -> bool) -> FieldGroup {
    FieldGroup { fields, repeats }
}

/// Appends a row a credit. Fields that repeat what the row before has are copied from there.
fn push_rows<'a, const N: usize>(
    mut out: Vec<u8>,
    credits: impl Iterator<Item = &'a PostedCredit>,
    columns: [Column; N],
    push_cell: impl Fn(&mut Vec<u8>, CreditCell<'a>),
) -> Vec<u8> {
    let mut columns = columns.into_iter();
    // Each group with its columns, and where the row before has them.
    let mut groups: Vec<(FieldGroup, Vec<Column>, Range<usize>)> = Vec::new();
    for group in FIELD_GROUPS {
        let own = columns.by_ref().take(group.fields).collect();
        groups.push((group, own, 0..0));
    }

    let mut before: Option<&PostedCredit> = None;
    for credit in credits {
        for (group, columns, place) in &mut groups {
            let start = out.len();
            if before.is_some_and(|before| (group.repeats)(before, credit)) {
                out.extend_from_within(place.clone());
            } else {
                for column in columns {
                    out.extend_from_slice(&column.before);
                    push_cell(&mut out, (column.field.cell)(credit));
                    out.extend_from_slice(column.after);
                }
            }
            *place = start..out.len();
        }
        before = Some(credit);
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
            // Some rows repeat the one before, wholly or but for their amount.
            let same = credits.iter().flat_map(|credit| {
                let mut other = credit.clone();
                other.amount = rust_decimal::Decimal::new(-5, 1);
                [credit.clone(), credit.clone(), other]
            });
            let credits: Vec<PostedCredit> = same.collect();
            prop_assert_eq!(csv_credits(credits.iter()), slow_csv(&credits));

            let mut lines = Vec::new();
            for credit in &credits {
                lines.extend(serde_json::to_vec(credit).unwrap());
                lines.push(b'\n');
            }
            prop_assert_eq!(json_credits(credits.iter()), lines);
        }
    }

    /// A field that a group forgot would be written as the row before has it.
    #[test]
    fn a_group_repeats_only_if_each_of_its_fields_does() {
        let texts: Vec<String> = (0..14).map(|index| format!("text {index}")).collect();
        let plain = credit((texts, true, (-1250, 2), [7; 16]));
        let row = serde_json::to_value(&plain).unwrap();

        let mut fields = CREDIT_FIELDS.iter();
        for group in FIELD_GROUPS {
            for field in fields.by_ref().take(group.fields) {
                let mut row = row.clone();
                row[field.name] = match field.name {
                    "id" | "source" | "reverses" => json!(format!("crd_{}", "8".repeat(32))),
                    "incentive_date" | "release_date" => json!("2031-01-01"),
                    "kind" => json!("direct"),
                    "status" => json!("void"),
                    "origin" => json!("manual"),
                    "level" => json!(77),
                    "share" | "amount" => json!("77.123"),
                    _ => json!("another text"),
                };
                let other: PostedCredit = serde_json::from_value(row).unwrap();
                assert!(!(group.repeats)(&plain, &other), "{}", field.name);
            }
            let always_written = group.fields == 1;
            assert_eq!((group.repeats)(&plain, &plain.clone()), !always_written);
        }
        assert!(fields.next().is_none());
    }

    #[test]
    fn blocks_behind_one_another_are_one_file() {
        let row = |name: &str| {
            let texts = std::iter::repeat_n(format!("{name},\"="), 14).collect();
            credit((texts, true, (-1250, 2), [7; 16]))
        };
        let credits = ["a", "b", "c"].map(row);
        let csv = |credits: &[PostedCredit]| csv_credits(credits.iter());
        let json = |credits: &[PostedCredit]| json_credits(credits.iter());
        for write in [&csv as &dyn Fn(&[PostedCredit]) -> Vec<u8>, &json] {
            let blocks: Vec<Vec<u8>> = credits.chunks(1).map(write).collect();
            assert_eq!(blocks.concat(), write(&credits));
        }

        let lines = json(&credits);
        let lines = std::str::from_utf8(&lines).unwrap().lines();
        let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(json!(lines), serde_json::to_value(&credits).unwrap());
    }
}
