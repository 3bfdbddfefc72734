//! Room for bodies that are read at the same time: a large one alone, small ones side by side.
//!
//! Not the limit of one body (`http::body`). Held by readers of bodies that need many times their
//! size in memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A place for bodies, in units of some bytes.
pub(crate) struct Room {
    places: Arc<Semaphore>,
    places_max: usize,
    unit: usize,
}

/// The part of a room that a body has until it is dropped; none if the room is closed.
pub(crate) type BodyPlace = Option<OwnedSemaphorePermit>;

impl Room {
    /// A room for so many bytes, of which every body takes a whole number of units.
    pub(crate) fn new(bytes: usize, unit: usize) -> Self {
        let places_max = bytes.div_ceil(unit).max(1);
        Room { places: Arc::new(Semaphore::new(places_max)), places_max, unit }
    }

    /// Waits until there is room for so many bytes; a body that is larger than the room has it alone.
    /// Who waits longest comes first.
    pub(crate) async fn enter(&self, bytes: usize) -> BodyPlace {
        let places = bytes.div_ceil(self.unit).clamp(1, self.places_max);
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        Arc::clone(&self.places).acquire_many_owned(places).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_large_body_is_read_alone_and_small_ones_side_by_side() {
        let room = Room::new(100, 10);
        let wait = Duration::from_millis(20);
        let small = [room.enter(1).await, room.enter(49).await];
        assert!(tokio::time::timeout(wait, room.enter(1 << 40)).await.is_err());
        assert!(tokio::time::timeout(wait, room.enter(40)).await.is_ok());
        drop(small);
        let large = room.enter(1 << 40).await;
        assert!(large.is_some());
        assert!(tokio::time::timeout(wait, room.enter(1)).await.is_err());
    }
}
