//! Routes for those who may use the API: keys.

pub(crate) mod keys;
