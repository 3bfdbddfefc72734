//! Rows as bytes: a version byte, then postcard; numbers as big-endian keys, so that they sort.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LedgerResult;
use accredit_seams::store::StoreError;

/// The version of stored rows; another one is refused, never guessed at.
const ROW_VERSION: u8 = 2;

/// A row as bytes, packed.
pub(super) fn pack_row(row: &impl Serialize) -> LedgerResult<Vec<u8>> {
    let start = vec![ROW_VERSION];
    postcard::to_extend(row, start).map_err(|error| unwritable_row(&error))
}

/// A row out of its bytes.
pub(super) fn unpack_row<T: DeserializeOwned>(bytes: &[u8]) -> LedgerResult<T> {
    match bytes.split_first() {
        Some((&ROW_VERSION, rest)) => {
            postcard::from_bytes(rest).map_err(|error| unreadable_row(&error))
        }
        Some((version, _)) => Err(unreadable_row(&format!("its version is {version}"))),
        None => Err(unreadable_row(&"it is empty")),
    }
}

/// A row that people read, as JSON.
pub(super) fn to_json(row: &impl Serialize) -> LedgerResult<Vec<u8>> {
    serde_json::to_vec(row).map_err(|error| unwritable_row(&error))
}

/// A row as a JSON value, whose keys are in alphabetical order.
pub(super) fn to_value(row: &impl Serialize) -> LedgerResult<serde_json::Value> {
    serde_json::to_value(row).map_err(|error| unwritable_row(&error))
}

/// A row out of JSON.
pub(super) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> LedgerResult<T> {
    serde_json::from_slice(bytes).map_err(|error| unreadable_row(&error))
}

fn unreadable_row(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("a row cannot be read, {why}"))
}

fn unwritable_row(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("a row cannot be written, {why}"))
}

/// A number as a key.
pub(super) fn number_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number in the last eight bytes of a key.
pub(super) fn key_number(key: &[u8]) -> u64 {
    let tail = key.len().checked_sub(8).and_then(|start| key.get(start..));
    tail.and_then(|tail| tail.try_into().ok()).map_or(0, u64::from_be_bytes)
}

/// Parts of a key, each ended by a zero byte, which no name contains.
pub(super) fn parts_key(parts: &[&str]) -> Vec<u8> {
    let bytes: usize = parts.iter().map(|part| part.len() + 1).sum();
    let mut key = Vec::with_capacity(bytes);
    for part in parts {
        let pieces = part.as_bytes().split(|byte| *byte == 0);
        pieces.for_each(|piece| key.extend_from_slice(piece));
        key.push(0);
    }
    key
}
