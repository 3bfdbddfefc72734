//! What every store must do; run by the tests of each.

use super::{Store, StoreError, StoreTable, WriteBatch};

/// Checks an empty store.
///
/// # Errors
/// The first promise that is broken.
pub fn check_store(store: &dyn Store) -> Result<(), String> {
    let fail = |error: StoreError| error.to_string();
    let law = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };

    let before = store.snapshot().map_err(fail)?;

    let mut batch = WriteBatch::default();
    for key in ["b", "a", "ab", "c"] {
        batch.put_row(StoreTable::Keys, key, key.to_uppercase());
    }
    batch.put_row(StoreTable::Meta, "a", "other table");
    store.commit(&batch).map_err(fail)?;

    let after = store.snapshot().map_err(fail)?;
    let get = |key: &str| after.get(StoreTable::Keys, key.as_bytes());
    law(get("a").map_err(fail)?.as_deref() == Some(b"A"), "a row that was put is there")?;
    law(get("x").map_err(fail)?.is_none(), "a row that was not put is absent")?;

    let old = before.get(StoreTable::Keys, b"a").map_err(fail)?;
    law(old.is_none(), "a snapshot does not see later commits")?;

    let asked = ["c", "x", "a", "a"].map(|key| key.as_bytes().to_vec());
    let many = after.get_many(StoreTable::Keys, &asked).map_err(fail)?;
    let many: Vec<Option<&[u8]>> = many.iter().map(Option::as_deref).collect();
    law(many == [Some(&b"C"[..]), None, Some(b"A"), Some(b"A")], "many rows are in order of keys")?;

    let keys = |prefix: &str, from: &str, limit| -> Result<Vec<String>, String> {
        let rows = after.scan_prefix(StoreTable::Keys, prefix.as_bytes(), from.as_bytes(), limit);
        let rows = rows.map_err(fail)?.into_iter();
        Ok(rows.map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect())
    };

    law(keys("", "", 9)? == ["a", "ab", "b", "c"], "a scan is in order of keys")?;
    law(keys("a", "", 9)? == ["a", "ab"], "a scan stays inside its prefix")?;
    law(keys("", "ab", 2)? == ["ab", "b"], "a scan begins at `from` and ends at `limit`")?;

    let last = after.last_row(StoreTable::Keys).map_err(fail)?;
    law(last.is_some_and(|(key, _)| key == b"c"), "the last row has the largest key")?;
    law(
        after.last_row(StoreTable::Audit).map_err(fail)?.is_none(),
        "an empty table has no last row",
    )?;

    let count = |table| after.row_count(table).map_err(fail);
    law(count(StoreTable::Keys)? == 4, "rows of a table are counted, and those of no other")?;
    law(count(StoreTable::Audit)? == 0, "an empty table has no rows")?;

    let mut stale = WriteBatch::default();
    // A batch that expects what is not so must change nothing at all.
    stale.expect_row(StoreTable::Keys, "a", Some(b"other".to_vec()));
    stale.put_row(StoreTable::Keys, "d", "D");
    law(matches!(store.commit(&stale), Err(StoreError::Conflict)), "a stale batch is refused")?;

    let mut fresh = WriteBatch::default();
    fresh.expect_row(StoreTable::Keys, "a", Some(b"A".to_vec()));
    fresh.expect_row(StoreTable::Keys, "d", None);
    fresh.delete_row(StoreTable::Keys, "a");
    fresh.put_row(StoreTable::Keys, "b", "first");
    fresh.put_row(StoreTable::Keys, "b", "second");
    store.commit(&fresh).map_err(fail)?;

    let end = store.snapshot().map_err(fail)?;

    let get = |key: &str| end.get(StoreTable::Keys, key.as_bytes()).map_err(fail);
    law(get("a")?.is_none() && get("d")?.is_none(), "a deleted row is gone, a refused one absent")?;
    law(get("b")?.as_deref() == Some(b"second"), "the last change of a row counts")?;
    let left = end.row_count(StoreTable::Keys).map_err(fail)?;
    law(left == 3, "neither a deleted row is counted nor one that was put twice")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn memory_conforms() {
        check_store(&MemoryStore::default()).unwrap();
    }
}
