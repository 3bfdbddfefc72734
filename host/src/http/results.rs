//! Routes that show and change results.

pub(crate) mod adjustments;
pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod balances;
pub(crate) mod calculations;
pub(crate) mod credits;
pub(crate) mod enquiries;
pub(crate) mod exports;
pub(crate) mod holds;
pub(crate) mod manual_credits;
pub(crate) mod manual_rewards;
pub(crate) mod notes;
pub(crate) mod payees;
pub(crate) mod periods;
pub(crate) mod rewards;
pub(crate) mod runs;
pub(crate) mod simulations;
pub(crate) mod statements;
