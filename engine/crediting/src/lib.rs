//! Who gets credit for a deal, and what it is worth: stages, pipeline, postings, rewards.
//!
//! Deterministic: the same ruleset, transactions and inputs give the same bytes. Start at
//! [`pipeline`]; `engine/ARCHITECTURE.md` is the map.

pub mod affected;
pub mod calculation;
pub mod explain;
pub mod impact;
pub mod pipeline;
pub mod posting;
pub mod reward;
pub mod simulation;
pub mod stage;
