//! What a server does, without HTTP and without threads: use cases over the shared state.
//!
//! Not routes (`http`) and not the order in which things happen (`server::worker`).

pub(crate) mod activation;
pub(crate) mod calculations;
pub(crate) mod effect;
pub(crate) mod explain;
pub(crate) mod intake;
pub(crate) mod losses;
pub(crate) mod preview;
pub(crate) mod replay;
pub(crate) mod rewards;
pub(crate) mod rules;
pub(crate) mod shadow;
pub(crate) mod simulation;
pub(crate) mod suspect;
pub(crate) mod verify;
pub(crate) mod zone;
