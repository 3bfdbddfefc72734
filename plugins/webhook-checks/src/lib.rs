//! What several connectors check: signatures, secrets, times, and JSON without repeated keys.
//!
//! Not a connector. Each function is pure; what it compares with a secret it compares in constant time.

pub mod ids;
pub mod json;
pub mod members;
pub mod secret;
pub mod settings;
pub mod signature;
pub mod time;
