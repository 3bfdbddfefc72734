//! Routes for editors in a browser: findings, completions and hints for files as they are typed, and a
//! deal tried on them.
//!
//! Not what is asked of the files (the crate `editor`). Nothing of it is written.

pub(crate) mod assistance;
pub(crate) mod edited_files;
pub(crate) mod findings;
pub(crate) mod trials;

use crate::server::state::Service;

/// Whether the routes of editors answer those who are not signed in: on the server of a demonstration,
/// whose deals are made up.
pub(crate) fn open_to_strangers(service: &Service) -> bool {
    !service.config.demo_people.is_empty()
}
