//! Routes for those who may use the API: keys, people, invitations and sessions.

pub(crate) mod approved;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod limits;
#[cfg(feature = "oidc")]
pub(crate) mod oidc;
pub(crate) mod origins;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod sessions;
