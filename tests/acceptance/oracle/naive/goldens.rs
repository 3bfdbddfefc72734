//! The goldens of the domain, by the naive reading.
