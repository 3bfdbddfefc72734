//! Routes for those who operate the server.

pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod status;
pub(crate) mod tasks;
pub(crate) mod verify;
