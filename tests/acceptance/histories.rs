//! Rewards over time: what a ledger pays after any history, against a naive reading and its laws.
//!
//! | law | what it says | shown by |
//! |---|---|---|
//! | naive reading | small histories pay what a second reading pays, row by row | `small` |
//! | RL1 | everything paid for a period is what a clean run of it pays | `small`, `random` |
//! | frozen rows | a confirmed or finalized period never changes | `small`, `random`, `results::frozen` |
//! | preview = booked | what a change moves is known to the cent beforehand | `foretold` |
//! | incremental = full | a history ends where its last files and deals begin | `again` |
//! | reused = decided | a decision that a change leaves alone is the one that would be made | `reused` |
//! | balances | they follow from the rows, and are never below zero | `random` |
//!
//! `ACCREDIT_HISTORIES` is the number of random histories of each law, `ACCREDIT_SEED` the number of
//! the first.

mod again;
mod company;
mod concerned;
mod foretold;
mod office;
mod random;
mod reused;
mod rolled;
mod small;
