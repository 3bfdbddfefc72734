//! How much money a change of definitions may move.
//!
//! Not the comparison itself: `impact` makes it, and the ledger keeps the limit with a change that waits.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Where a sum stops an activation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// All that moves, in either direction, in one unit type.
    pub max_total: Option<Decimal>,
    /// What one payee gains or loses in one unit type.
    pub max_payee: Option<Decimal>,
}
