//! Bundles: policies, plans and their cases in one file, installed into a customer's directory.
//!
//! A bundle's files land where the reader of a directory looks anyway, under the names that they
//! have in the bundle, which all begin with the bundle's own: nothing is renamed, nothing is
//! loaded from elsewhere. Called by `cli::bundle`.
//!
//! **Architecture invariant:** an installation is checked as a whole, then written as a whole; a
//! file that a person edited is never overwritten unasked.

mod archive;
mod install;
mod lock;
mod manifest;
mod settings;
mod sign;

use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::Files;

pub(crate) use archive::{Archive, pack_bundle, packed_digest};
pub(crate) use install::{InstallRequest, install_bundle, remove_bundle};
pub(crate) use lock::{BundleLock, edited_files};

/// Why something about a bundle was not done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct BundleError {
    /// The message for a person.
    pub(crate) message: String,
    /// What check and cases found.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The texts that they are about.
    pub(crate) files: Files,
}

impl BundleError {
    fn new(message: impl Into<String>) -> BundleError {
        BundleError { message: message.into(), diagnostics: Vec::new(), files: Files::new() }
    }

    fn with_findings(
        message: impl Into<String>,
        diagnostics: Vec<Diagnostic>,
        files: &Files,
    ) -> BundleError {
        BundleError { message: message.into(), diagnostics, files: files.clone() }
    }
}

/// A refusal with what could not be read or written.
fn io_failure(what: &std::path::Path, error: impl std::fmt::Display) -> BundleError {
    BundleError::new(format!("{}: {error}", what.display()))
}
