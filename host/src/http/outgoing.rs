//! Requests about events for other systems.

pub(crate) mod destinations;
pub(crate) mod events;
