//! The seams of accredit: what a source of deals and what a database must be able to do.
//!
//! Nothing here knows credits or rules. Connectors and stores in `plugins/` implement these traits,
//! and [`store::conformance`] holds every store to the same behaviour.

pub mod connector;
pub mod delivery;
pub mod store;
