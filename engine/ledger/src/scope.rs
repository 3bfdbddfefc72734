//! Whose rows a question may be answered with.
//!
//! Not who asks (`operations::principal`, which makes a scope of a caller). Called by every question
//! about what belongs to people: credits and enquiries.
//!
//! **Architecture invariant:** there is no default: a question that names no scope does not compile.

use std::collections::BTreeSet;

/// Whose rows a question may be answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadScope {
    /// Everybody's, and those of nobody.
    All,
    /// Those of the participants with these ids, and no others.
    Participants(BTreeSet<String>),
}

impl ReadScope {
    /// Whether a row of this payee may be in the answer; a row without a payee is only in that to
    /// everything.
    pub fn admits(&self, payee: Option<&str>) -> bool {
        match self {
            ReadScope::All => true,
            ReadScope::Participants(ids) => payee.is_some_and(|payee| ids.contains(payee)),
        }
    }
}
