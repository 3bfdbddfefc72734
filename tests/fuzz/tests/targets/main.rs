//! Fuzz targets of readers that other crates can call; one program, so that it is linked once.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failed round ends the test")]

mod deliveries;
mod directories;
mod values;
