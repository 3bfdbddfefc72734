//! Routes of payees: each sees what is their own, and what is published of those who report to them.
//!
//! Not what the staff sees of a payee (`results::payees`).
//!
//! **Architecture invariant:** every handler reads through the scope that [`subject`] made of the caller;
//! there is no other way to a payee's data, and another's data is answered like none.

pub(crate) mod lists;
pub(crate) mod own_credit;
pub(crate) mod profile;
pub(crate) mod progress;
pub(crate) mod questions;
pub(crate) mod republished;
pub(crate) mod subject;
pub(crate) mod what_if;
