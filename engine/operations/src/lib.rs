//! What a server does, without HTTP, sockets or threads of its own: use cases over a [`Context`].
//!
//! Not routes and not the order in which jobs are done: both are the host's. Nothing here reads a
//! clock or a disk: the host answers for both as [`Surroundings`]. What is refused is an [`Error`].
//!
//! [`Context`]: context::Context
//! [`Surroundings`]: context::Surroundings
//! [`Error`]: error::OperationError

pub mod activation;
pub mod adjust;
pub mod alert_digest;
pub mod alerts;
pub mod approvals;
pub mod by_hand;
pub mod calculations;
pub mod candidate;
pub mod chart;
pub mod connectors;
pub mod context;
pub mod coverage;
pub mod decide;
pub mod decoded;
pub mod effect;
pub mod enquiries;
pub mod error;
pub mod explain;
pub mod holds;
pub mod intake;
pub mod lineage;
pub mod losses;
pub mod manual_credits;
pub mod manual_rewards;
pub mod periods;
pub mod preview;
pub mod principal;
pub mod progress;
pub mod published;
pub mod reconcile;
pub mod release;
pub mod replay;
pub mod republished;
pub mod request_keys;
pub mod resolve;
mod reward_books;
pub mod rewards;
pub mod rules;
pub mod runs;
pub mod shadow;
pub mod simulation;
pub mod suspect;
pub mod verify;
pub mod void;
pub mod what_if;
pub mod zone;
