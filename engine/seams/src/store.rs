//! The seam to a database: ordered tables of bytes, snapshots, atomic commits.
//!
//! Not the meaning of rows: that is the ledger's. Implemented by redb, by memory and by plugins,
//! all held to [`conformance`]. Source: DESIGN sections 3 and 7, RELIABILITY 3.
//!
//! **Architecture invariant:** a commit is whole or absent, and durable before it returns.

pub mod conformance;
pub mod memory;
pub mod shared;

/// A table; its rows are ordered by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the ledger documents its tables")]
pub enum StoreTable {
    Meta,
    Sources,
    Active,
    Activations,
    Refusals,
    Changes,
    Inbox,
    Deliveries,
    Pending,
    Dead,
    Keys,
    Blocks,
    History,
    Segments,
    Holds,
    Parked,
    Columns,
    Resolutions,
    Spans,
    Calculations,
    Restated,
    Runs,
    Periods,
    Frozen,
    Releases,
    Confirmed,
    Published,
    Paid,
    FrozenRewards,
    ManualCredits,
    ManualRewards,
    Alerts,
    Enquiries,
    Approvals,
    Audit,
    Names,
    Deals,
    PayeeDeals,
    AlertAssignees,
}

impl StoreTable {
    /// Every table with its name in the database.
    pub const ALL: [(StoreTable, &'static str); 39] = [
        (StoreTable::Meta, "meta"),
        (StoreTable::Sources, "sources"),
        (StoreTable::Active, "active"),
        (StoreTable::Activations, "activations"),
        (StoreTable::Refusals, "refusals"),
        (StoreTable::Changes, "changes"),
        (StoreTable::Inbox, "inbox"),
        (StoreTable::Deliveries, "deliveries"),
        (StoreTable::Pending, "pending"),
        (StoreTable::Dead, "dead"),
        (StoreTable::Keys, "keys"),
        (StoreTable::Blocks, "blocks"),
        (StoreTable::History, "history"),
        (StoreTable::Segments, "segments"),
        (StoreTable::Holds, "holds"),
        (StoreTable::Parked, "parked"),
        (StoreTable::Columns, "columns"),
        (StoreTable::Resolutions, "resolutions"),
        (StoreTable::Spans, "spans"),
        (StoreTable::Calculations, "calculations"),
        (StoreTable::Restated, "restated"),
        (StoreTable::Runs, "runs"),
        (StoreTable::Periods, "periods"),
        (StoreTable::Frozen, "frozen"),
        (StoreTable::Releases, "releases"),
        (StoreTable::Confirmed, "confirmed"),
        (StoreTable::Published, "published"),
        (StoreTable::Paid, "paid"),
        (StoreTable::FrozenRewards, "frozen_rewards"),
        (StoreTable::ManualCredits, "manual_credits"),
        (StoreTable::ManualRewards, "manual_rewards"),
        (StoreTable::Alerts, "alerts"),
        (StoreTable::Enquiries, "enquiries"),
        (StoreTable::Approvals, "approvals"),
        (StoreTable::Audit, "audit"),
        (StoreTable::Names, "names"),
        (StoreTable::Deals, "deals"),
        (StoreTable::PayeeDeals, "payee_deals"),
        (StoreTable::AlertAssignees, "alert_assignees"),
    ];

    /// The table's name in the database.
    pub fn table_name(self) -> &'static str {
        StoreTable::ALL.iter().find(|(table, _)| *table == self).map_or("", |(_, name)| name)
    }
}

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A precondition of the batch does not hold; nothing was written.
    #[error("the data was changed in the meantime")]
    Conflict,
    /// The commit may or may not have become durable; reopen and look.
    #[error("it is unknown whether the data was written: {0}")]
    Unknown(String),
    /// Another process has the file open.
    #[error("the data file is in use by another process")]
    Busy,
    /// A row that is not what was written.
    #[error("the data file is damaged: {0}; run `accredit verify` and restore a backup")]
    Damaged(String),
    /// A place in a list that no page gave; the fault of the one who asked.
    #[error("`{0}` is not a cursor from an earlier page")]
    Cursor(String),
    /// Another process decides on this store; nothing was written.
    #[error("another host decides on this database{}", at_address(.0))]
    Elsewhere(String),
    /// Anything else; nothing was written.
    #[error("the data file cannot be used: {0}")]
    Failed(String),
}

fn at_address(address: &str) -> String {
    if address.is_empty() { String::new() } else { format!(": {address}") }
}

/// A row: key and value.
pub type StoreRow = (Vec<u8>, Vec<u8>);

/// A change of one row: its new value, or none to delete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The table of the row.
    pub table: StoreTable,
    /// The key of the row.
    pub key: Vec<u8>,
    /// Its value; none deletes it.
    pub value: Option<Vec<u8>>,
}

/// Changes that are made together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    /// What must still be so: the value of a row, or none for its absence.
    pub expected: Vec<RowChange>,
    /// The changes, the last one to a row counts.
    pub changes: Vec<RowChange>,
    /// Whether every process on the store may make it, and not only the one that decides: the receipt of
    /// deliveries. A store of one process makes no difference.
    pub is_shared: bool,
}

impl WriteBatch {
    /// Requires that a row still has this value.
    pub fn expect_row(
        &mut self,
        table: StoreTable,
        key: impl Into<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) {
        self.expected.push(RowChange { table, key: key.into(), value });
    }

    /// Writes a row, in place of one with its key.
    pub fn put_row(
        &mut self,
        table: StoreTable,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) {
        self.changes.push(RowChange { table, key: key.into(), value: Some(value.into()) });
    }

    /// Deletes a row; one that is not there is no error.
    pub fn delete_row(&mut self, table: StoreTable, key: impl Into<Vec<u8>>) {
        self.changes.push(RowChange { table, key: key.into(), value: None });
    }
}

/// A view of one moment.
pub trait Snapshot {
    /// The value of a row.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn get(&self, table: StoreTable, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows from `from` on, in order of keys, while the key begins with `prefix`.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn scan_prefix(
        &self,
        table: StoreTable,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StoreRow>, StoreError>;

    /// The values of rows, in the order of the keys. A store that is not in this process answers at once.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn get_many(
        &self,
        table: StoreTable,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(table, key)).collect()
    }

    /// The row with the largest key.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn last_row(&self, table: StoreTable) -> Result<Option<StoreRow>, StoreError>;

    /// How many rows a table has, without reading them.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn row_count(&self, table: StoreTable) -> Result<u64, StoreError>;
}

/// A database: ordered rows in tables, and commits that are whole or not at all.
pub trait Store: Send + Sync {
    /// The state of the last commit.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Makes all changes of the batch, or none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a precondition does not hold; [`StoreError::Unknown`] if the
    /// outcome is unknown.
    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError>;

    /// How many commits all processes together have made, where others may commit too; none for a store
    /// that one process has for itself.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn shared_commit_count(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// Whether commits can be made at the moment: a failure stays one until a commit succeeds.
    ///
    /// # Errors
    /// Why nothing can be written.
    fn check_health(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Tries whether as much can be written again as the last commit that failed would have; a store
    /// without a failure has nothing to try.
    ///
    /// # Errors
    /// When it cannot: the store stays as it is.
    fn probe_writing(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
