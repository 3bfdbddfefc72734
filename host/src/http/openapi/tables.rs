//! The table of operations, a group a file: what each takes, answers and refuses.
//!
//! Not how an operation is written (`operation`). A new route gets its row here: a test tells.

mod access;
mod calculations;
mod credits;
mod deals;
mod definitions;
mod documents;
mod editor;
mod operation;
mod outgoing;
mod own;
mod payees;

use super::operation::Operation;

/// Every operation of the API.
pub(super) fn all_operations() -> Vec<Operation> {
    let groups = [
        deals::operations(),
        credits::operations(),
        credits::approvals(),
        calculations::operations(),
        calculations::periods(),
        payees::operations(),
        own::operations(),
        definitions::files(),
        definitions::rules(),
        definitions::changes(),
        editor::operations(),
        outgoing::operations(),
        access::operations(),
        operation::operations(),
        documents::operations(),
    ];
    groups.into_iter().flatten().collect()
}
