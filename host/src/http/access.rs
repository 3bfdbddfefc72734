//! Routes for those who may use the API: keys, people, invitations and sessions.

pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod origins;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod sessions;
