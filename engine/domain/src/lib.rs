//! The nouns of accredit: money, periods, deals, organisations, plans, credits and decisions.
//!
//! Deterministic and synchronous; no I/O, no clock, no scripts. Every other crate of the engine uses
//! these types. `engine/ARCHITECTURE.md` lists the modules in reading order.

pub mod calendar;
pub mod credit;
pub mod decision;
pub mod declared;
pub mod delimited;
pub mod diagnostic;
pub mod exchange;
pub mod files;
pub mod hold;
pub mod keys;
pub mod limits;
pub mod money;
pub mod note;
pub mod organization;
pub mod plan;
pub mod policy;
pub mod rate_limit;
pub mod tables;
pub mod transaction;
mod words;
pub mod work;
