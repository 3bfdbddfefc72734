//! Gathers the pages of the codes of diagnostics from `scripts/errors/` into one list of texts, which
//! the program prints.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes `pages.rs`, a list of code and page.
pub(crate) fn gather_pages(host: &Path, out: &Path) -> Result<()> {
    let folder = host.join("../scripts/errors");
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
    fs::write(out.join("pages.rs"), text)
}
