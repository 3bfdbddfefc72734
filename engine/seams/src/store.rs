//! The seam to a database: ordered tables of bytes, snapshots, atomic commits.
//!
//! Not the meaning of rows: that is the ledger's. Implemented by redb, by memory and by plugins,
//! all held to [`conformance`]. Source: DESIGN sections 3 and 7, RELIABILITY 3.
//!
//! **Architecture invariant:** a commit is whole or absent, and durable before it returns.

pub mod conformance;
pub mod memory;

/// A table; its rows are ordered by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the ledger documents its tables")]
pub enum Table {
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
    Alerts,
    Enquiries,
    Approvals,
    Audit,
}

impl Table {
    /// Every table with its name in the database.
    pub const ALL: [(Table, &'static str); 32] = [
        (Table::Meta, "meta"),
        (Table::Sources, "sources"),
        (Table::Active, "active"),
        (Table::Activations, "activations"),
        (Table::Refusals, "refusals"),
        (Table::Changes, "changes"),
        (Table::Inbox, "inbox"),
        (Table::Deliveries, "deliveries"),
        (Table::Pending, "pending"),
        (Table::Dead, "dead"),
        (Table::Keys, "keys"),
        (Table::Blocks, "blocks"),
        (Table::History, "history"),
        (Table::Segments, "segments"),
        (Table::Holds, "holds"),
        (Table::Parked, "parked"),
        (Table::Columns, "columns"),
        (Table::Resolutions, "resolutions"),
        (Table::Spans, "spans"),
        (Table::Calculations, "calculations"),
        (Table::Restated, "restated"),
        (Table::Runs, "runs"),
        (Table::Periods, "periods"),
        (Table::Frozen, "frozen"),
        (Table::Releases, "releases"),
        (Table::Confirmed, "confirmed"),
        (Table::Published, "published"),
        (Table::Paid, "paid"),
        (Table::Alerts, "alerts"),
        (Table::Enquiries, "enquiries"),
        (Table::Approvals, "approvals"),
        (Table::Audit, "audit"),
    ];

    /// The table's name in the database.
    pub fn name(self) -> &'static str {
        Table::ALL.iter().find(|(table, _)| *table == self).map_or("", |(_, name)| name)
    }
}

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A precondition of the batch does not hold; nothing was written.
    #[error("the data has changed in between")]
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
    #[error("`{0}` is no cursor that a page gave")]
    Cursor(String),
    /// Anything else; nothing was written.
    #[error("the data file cannot be used: {0}")]
    Failed(String),
}

/// A row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// A change of one row: its new value, or none to delete it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table of the row.
    pub table: Table,
    /// The key of the row.
    pub key: Vec<u8>,
    /// Its value; none deletes it.
    pub value: Option<Vec<u8>>,
}

/// Changes that are made together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must still be so: the value of a row, or none for its absence.
    pub expected: Vec<Change>,
    /// The changes, the last one to a row counts.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Requires that a row still has this value.
    pub fn expect(&mut self, table: Table, key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) {
        self.expected.push(Change { table, key: key.into(), value });
    }

    /// Writes a row, in place of one with its key.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push(Change { table, key: key.into(), value: Some(value.into()) });
    }

    /// Deletes a row; one that is not there is no error.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.changes.push(Change { table, key: key.into(), value: None });
    }
}

/// A view of one moment.
pub trait Snapshot {
    /// The value of a row.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// At most `limit` rows from `from` on, in order of keys, while the key begins with `prefix`.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, Error>;

    /// The row with the largest key.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn last(&self, table: Table) -> Result<Option<Row>, Error>;
}

/// A database: ordered rows in tables, and commits that are whole or not at all.
pub trait Store: Send + Sync {
    /// The state of the last commit.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Makes all changes of the batch, or none.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a precondition does not hold; [`Error::Unknown`] when nobody can say.
    fn commit(&self, batch: &Batch) -> Result<(), Error>;

    /// Whether commits can be made at the moment: a failure stays one until a commit succeeds.
    ///
    /// # Errors
    /// Why nothing can be written.
    fn health(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Tries whether as much can be written again as the last commit that failed would have; a store
    /// without a failure has nothing to try.
    ///
    /// # Errors
    /// When it cannot: the store stays as it is.
    fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}
