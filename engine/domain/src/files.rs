//! The files of a customer's directory, as text.
//!
//! Not reading them from a disk: the host does, and the ledger keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The files of a customer's directory, by path with `/` between folders; without `transactions/`.
pub type Files = BTreeMap<String, Arc<str>>;
