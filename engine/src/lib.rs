//! The engine of accredit: decides who gets credit for a sale.
//!
//! Deterministic and synchronous, without a network and without a clock. Not a server: the host
//! brings transactions, files and the business date. `ARCHITECTURE.md` beside this crate's manifest
//! is the map; modules stand there in reading order.
//!
//! **Architecture invariant:** the same ruleset, transactions and inputs give the same bytes.

pub mod calculation;
pub mod calendar;
pub mod cases;
pub mod connector;
pub mod credit;
pub mod decision;
pub mod diagnostic;
pub mod exchange;
pub mod explain;
pub mod impact;
pub mod ledger;
pub mod library;
pub mod money;
pub mod organization;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod posting;
pub mod reward;
pub mod script;
pub mod simulation;
pub mod stage;
pub mod store;
pub mod transaction;
pub mod workspace;
