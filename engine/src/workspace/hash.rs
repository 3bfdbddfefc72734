//! The name of a ruleset's content.
//!
//! Not a guard against tampering by the customer: it tells one state of a directory from another.
//! Called by `Ruleset::read` once everything is read.
//!
//! **Architecture invariant:** whatever can change a decision is in the hash, and what cannot, such
//! as line endings, case files and transactions, is not.

use std::sync::Arc;

use super::{Files, definition};
use crate::policy::Programs;

/// The version of what policies may say and what it means; another version, another hash.
pub const POLICY_LANGUAGE: &str = "1";

/// Hexadecimal digits of a hash.
const DIGITS: usize = 32;

/// `rs_` and the hash of the definition files and of the standard policies that are used.
pub(super) fn of(files: &Files, programs: &Programs) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        // Lengths keep the end of one part from passing as the beginning of the next.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    add(POLICY_LANGUAGE);
    for (path, text) in files.iter().filter(|(path, _)| definition(path)) {
        add(path);
        add(&text.replace("\r\n", "\n"));
    }
    let standard =
        programs.iter().filter(|(_, program)| program.origin.file.starts_with("scripts/"));
    let mut standard: Vec<(&str, &str)> =
        standard.map(|(_, program)| (program.name.as_ref(), program.source.as_ref())).collect();
    standard.sort_unstable();
    for (name, source) in standard {
        add(name);
        add(&source.replace("\r\n", "\n"));
    }
    let digits: String = hasher.finalize().to_hex().chars().take(DIGITS).collect();
    Arc::from(format!("rs_{digits}"))
}
