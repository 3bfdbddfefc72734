//! The composition root: everything from outside, one line each.
//!
//! **Architecture invariant:** no other module of the host chooses a connector or a store.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use accredit_seams::connector::Connector;
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
