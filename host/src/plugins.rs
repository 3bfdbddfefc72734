//! The composition root: everything from outside, one line each.
//!
//! **Architecture invariant:** no other module of the host chooses a connector or a store.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use accredit_seams::connector::Connector;
use accredit_seams::store::shared::SharedStore;
use accredit_seams::store::{Store, StoreError};

/// Every connector that `[sources.<name>]` may name.
static CONNECTORS: &[&dyn Connector] = &[
    &accredit_standard_webhooks::StandardWebhooks,
    &accredit_hubspot::Hubspot,
    &accredit_salesforce::SalesforceOutbound,
    &accredit_salesforce::SalesforceFlow,
    &accredit_pipedrive::Pipedrive,
    &accredit_dynamics::Dynamics,
    &accredit_zoho::Zoho,
    &accredit_stripe::Stripe,
    &accredit_generic_json::GenericJson,
];

/// The connector with this name.
pub(crate) fn find_connector(name: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.iter().copied().find(|connector| connector.name() == name)
}

/// Every connector.
pub(crate) fn connectors() -> &'static [&'static dyn Connector] {
    CONNECTORS
}

/// The store in the data file at `path`, which is made if it is missing.
///
/// # Errors
/// Why it cannot be opened, such as another process that has it open.
pub(crate) fn open_store(path: &Path) -> Result<Arc<dyn Store>, StoreError> {
    create_private(path);
    Ok(Arc::new(accredit_redb::RedbStore::open(path)?))
}

/// Makes an empty data file that other users cannot read, where there is none: pay is in it. What keeps it
/// from being made is said by the store.
fn create_private(path: &Path) {
    let mut options = OpenOptions::new();
    drop(options.write(true).create_new(true).mode(0o600).open(path));
}

/// Gives the room that the data file at `path` does not need back to the disk.
///
/// # Errors
/// As [`open_store`], and when it cannot be written.
pub(crate) fn compact_store(path: &Path) -> Result<(), StoreError> {
    accredit_redb::RedbStore::open(path)?.compact()
}

/// The store in the data file at `path`, for reading alone.
///
/// # Errors
/// As [`open_store`].
pub(crate) fn open_store_read_only(path: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(accredit_redb::RedbStore::open_read_only(path)?))
}

/// How a database that several hosts share is reached; shown without its password.
#[cfg(feature = "postgres")]
pub(crate) type DatabaseAddress = accredit_postgres::PostgresSettings;

/// A build without databases has no address of one.
#[cfg(not(feature = "postgres"))]
#[derive(Debug, Clone)]
pub(crate) enum DatabaseAddress {}

#[cfg(not(feature = "postgres"))]
impl DatabaseAddress {
    pub(crate) fn is_on_this_machine(&self) -> bool {
        match *self {}
    }
}

#[cfg(not(feature = "postgres"))]
impl std::fmt::Display for DatabaseAddress {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

/// Whether a text is the address of a database, and not the name of a file.
pub(crate) fn is_database_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// The address of a database, with a password that is kept beside it.
///
/// # Errors
/// What is wrong with it, without the password.
#[cfg(feature = "postgres")]
pub(crate) fn database_address(
    text: &str,
    password: Option<&str>,
) -> Result<DatabaseAddress, String> {
    let address = DatabaseAddress::parse(text)?;
    Ok(match password {
        Some(password) => address.with_password(password),
        None => address,
    })
}

/// A build without databases.
#[cfg(not(feature = "postgres"))]
pub(crate) fn database_address(_: &str, _: Option<&str>) -> Result<DatabaseAddress, String> {
    Err("this build has no PostgreSQL: build it with the feature `postgres`".to_owned())
}

/// The store in a database; `is_new`: its tables are made where it has none.
///
/// # Errors
/// Why the database cannot be used.
#[cfg(feature = "postgres")]
pub(crate) fn open_database(
    address: &DatabaseAddress,
    is_new: bool,
) -> Result<Arc<dyn SharedStore>, StoreError> {
    let address = address.clone();
    let store = match is_new {
        true => accredit_postgres::PostgresStore::open(address)?,
        false => accredit_postgres::PostgresStore::open_existing(address)?,
    };
    Ok(Arc::new(store))
}

/// A build without databases.
#[cfg(not(feature = "postgres"))]
pub(crate) fn open_database(
    address: &DatabaseAddress,
    _: bool,
) -> Result<Arc<dyn SharedStore>, StoreError> {
    match *address {}
}
