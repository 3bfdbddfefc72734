//! The statements on the rows of a table, as text.
//!
//! Standard SQL of every database that speaks the protocol; keys are compared byte for byte.

use accredit_seams::store::StoreTable;

/// What is done with rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RowStatement {
    Get,
    GetMany,
    ScanFrom,
    ScanBetween,
    Last,
    Count,
    Put,
    Delete,
}

/// The name of a table in the database.
pub(crate) fn sql_name(table: StoreTable) -> String {
    format!("accredit_{}", table.table_name())
}

impl RowStatement {
    pub(crate) fn text(self, table: StoreTable) -> String {
        let name = sql_name(table);
        match self {
            RowStatement::Get => format!("SELECT value FROM {name} WHERE key = $1"),
            RowStatement::GetMany => {
                format!("SELECT key, value FROM {name} WHERE key = ANY($1)")
            }
            RowStatement::ScanFrom => {
                format!("SELECT key, value FROM {name} WHERE key >= $1 ORDER BY key LIMIT $2")
            }
            RowStatement::ScanBetween => format!(
                "SELECT key, value FROM {name} WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3"
            ),
            RowStatement::Last => {
                format!("SELECT key, value FROM {name} ORDER BY key DESC LIMIT 1")
            }
            RowStatement::Count => format!("SELECT count(*) FROM {name}"),
            RowStatement::Put => format!(
                "INSERT INTO {name} (key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            RowStatement::Delete => format!("DELETE FROM {name} WHERE key = ANY($1)"),
        }
    }
}

/// The smallest key behind all that begin with `prefix`; none where there is no end.
pub(crate) fn end_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::end_of_prefix;

    #[test]
    fn a_prefix_ends_before_the_next_key() {
        assert_eq!(end_of_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(end_of_prefix(&[7, 0xff, 0xff]), Some(vec![8]));
        assert_eq!(end_of_prefix(&[0xff, 0xff]), None);
        assert_eq!(end_of_prefix(b""), None);
    }
}
