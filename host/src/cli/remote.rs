//! Verbs that call a server.

pub(crate) mod address;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod by_hand;
pub(crate) mod client;
pub(crate) mod compact;
pub(crate) mod dump;
pub(crate) mod events;
pub(crate) mod keep;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod people;
pub(crate) mod preview;
pub(crate) mod pull;
pub(crate) mod reconcile;
pub(crate) mod release;
pub(crate) mod rollback;
pub(crate) mod trigger;
pub(crate) mod verify;
