//! The composition root: everything from outside, one line each.
//!
//! **Architecture invariant:** no other module of the host names a crate of `plugins/`.

use accredit_seams::connector::Connector;

/// Every connector that `[sources.<name>]` may name.
static CONNECTORS: &[&dyn Connector] = &[&accredit_standard_webhooks::StandardWebhooks];

/// The connector with this name.
pub(crate) fn connector(name: &str) -> Option<&'static dyn Connector> {
    CONNECTORS.iter().copied().find(|connector| connector.name() == name)
}

/// The names of every connector.
pub(crate) fn connector_names() -> Vec<&'static str> {
    CONNECTORS.iter().map(|connector| connector.name()).collect()
}
