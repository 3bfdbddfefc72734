//! What is made while the program is built: the pages of the codes of diagnostics, and the console.

mod console;
mod pages;

use std::io::{Error, Result};
use std::path::PathBuf;

fn main() {
    if let Err(error) = make_all() {
        // What a tool wrote has lines of its own; `Debug` of an error would write them as one.
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn make_all() -> Result<()> {
    let host = PathBuf::from(required_variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(required_variable("OUT_DIR")?);
    pages::gather_pages(&host, &out)?;
    console::embed_console(&host, &out)
}

fn required_variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(Error::other)
}
