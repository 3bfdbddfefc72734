//! Gathers the pages of the codes of diagnostics from `scripts/errors/` into one list of texts, which
//! the program prints.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, Result};
use std::path::PathBuf;

fn main() -> Result<()> {
    let root = PathBuf::from(required_variable("CARGO_MANIFEST_DIR")?);
    let folder = root.join("../scripts/errors");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut pages: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        pages.push(entry?.path());
    }
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.sort();

    let mut text = "/// Code and page, in order of the codes.\n".to_owned();
    text.push_str("const PAGES: &[(&str, &str)] = &[\n");
    for path in &pages {
        let code = path.file_stem().unwrap_or_default().to_string_lossy();
        let page = fs::read_to_string(path)?;
        writeln!(text, "    ({code:?}, {page:?}),").map_err(Error::other)?;
    }
    text.push_str("];\n");
    fs::write(PathBuf::from(required_variable("OUT_DIR")?).join("pages.rs"), text)
}

fn required_variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(Error::other)
}
