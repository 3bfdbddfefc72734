//! What an entry of the books refers to, as bytes: other entries, and why it does not count.
//!
//! An entry of the same decision is a place in it, and a usual reason is a byte. Not the other fields of an
//! entry (`packed/credit`).

use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::{OTHER_YEAR, POLICY_ERROR};

use super::{ReadResult, RowReader, RowWriter, UnreadableRow};

/// The first byte of the reason of an entry.
const NO_REASON: u8 = 0;
const REASON_TEXT: u8 = 1;
const REASON_DUPLICATE: u8 = 2;
const REASON_POLICY: u8 = 3;
const REASON_YEAR: u8 = 4;

/// What the reason of a duplicate begins with, in front of the id of the credit that counts.
const DUPLICATE_OF: &str = "duplicate_of:";

/// The number in place of the id of another entry: none, bytes, or the place in its decision from here on.
const NO_ENTRY: u64 = 0;
const ENTRY_BYTES: u64 = 1;
const FIRST_ENTRY: u64 = 2;

/// Appends the id of another entry behind those with these ids.
pub(super) fn write_entry_id(row: &mut RowWriter<'_>, ids: &[CreditId], id: Option<CreditId>) {
    let Some(id) = id else { return row.put_number(NO_ENTRY) };
    match ids.iter().position(|known| *known == id) {
        Some(place) => row.put_number(place as u64 + FIRST_ENTRY),
        None => {
            row.put_number(ENTRY_BYTES);
            row.bytes.extend_from_slice(&id.0);
        }
    }
}

/// Appends the reason of an entry behind those with these ids.
pub(super) fn write_reason(row: &mut RowWriter<'_>, ids: &[CreditId], reason: Option<&str>) {
    let duplicate = |reason: &str| {
        let id = reason.strip_prefix(DUPLICATE_OF).and_then(CreditId::parse)?;
        // Written in another way, such as with capitals, it stays a text.
        (reason == duplicate_reason(id)).then_some(id)
    };

    match reason {
        None => row.put_byte(NO_REASON),
        Some(POLICY_ERROR) => row.put_byte(REASON_POLICY),
        Some(OTHER_YEAR) => row.put_byte(REASON_YEAR),
        Some(reason) => match duplicate(reason) {
            Some(id) => {
                row.put_byte(REASON_DUPLICATE);
                write_entry_id(row, ids, Some(id));
            }
            None => {
                row.put_byte(REASON_TEXT);
                row.put_text(reason);
            }
        },
    }
}

fn duplicate_reason(id: CreditId) -> String {
    format!("{DUPLICATE_OF}{id}")
}

/// The reason of an entry behind those with these ids.
pub(super) fn read_reason(row: &mut RowReader<'_>, ids: &[CreditId]) -> ReadResult<Option<String>> {
    match row.take_byte()? {
        NO_REASON => Ok(None),
        REASON_TEXT => Ok(Some(row.take_text()?.to_owned())),
        REASON_POLICY => Ok(Some(POLICY_ERROR.to_owned())),
        REASON_YEAR => Ok(Some(OTHER_YEAR.to_owned())),
        REASON_DUPLICATE => match read_entry_id(row, ids)? {
            Some(id) => Ok(Some(duplicate_reason(id))),
            None => Err(UnreadableRow::Broken("a duplicate names no entry")),
        },
        _ => Err(UnreadableRow::Broken("a reason is not known")),
    }
}

/// The id of another entry behind those with these ids.
pub(super) fn read_entry_id(
    row: &mut RowReader<'_>,
    ids: &[CreditId],
) -> ReadResult<Option<CreditId>> {
    match row.take_number()? {
        NO_ENTRY => Ok(None),
        ENTRY_BYTES => Ok(Some(CreditId(row.take_array()?))),
        place => {
            let place = usize::try_from(place - FIRST_ENTRY).unwrap_or(usize::MAX);
            let known = ids.get(place).copied();
            known.map(Some).ok_or(UnreadableRow::Broken("an entry names one that is not there"))
        }
    }
}
