//! Pinned rulesets: everything that a decision needs, in one file that names its content.
//!
//! A process far from the customer's directory decides by such a file as a process beside it does. Not
//! a bundle, which brings policies into a directory and has no organisation. Called by `cli::ruleset` and
//! by workers.
//!
//! **Architecture invariant:** the same definitions are the same bytes, and a file that was read is
//! whole: its digest is right, and it comes to the ruleset that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::{Files, POLICY_LANGUAGE, Ruleset};
use serde::{Deserialize, Serialize};

use crate::bundle::packed_digest;
use crate::cli::print::report;
use crate::directory::deals::{DealFiles, DealRoom};
use crate::directory::{self, DirectoryError};

/// The format of this program.
const FORMAT: u32 = 1;

/// The ending of a name.
pub(crate) const ENDING: &str = "ruleset";

/// Bytes of a file: more than an organisation of a million people has.
const PINNED_BYTES_MAX: u64 = 1 << 30;

/// What to do about a ruleset that is too large.
const SMALLER: &str =
    "take out of the directory what no plan reads: tables, attributes, former quotas";

/// What to do about a file that is not whole.
const EXPORT_AGAIN: &str = "write it again with `accredit ruleset export DIR --out FILE`";

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedDocument {
    /// The format.
    accredit_ruleset: u32,
    /// The hash that names the rules.
    ruleset: String,
    /// The version of the language of policies.
    language: String,
    /// The columns that transactions of the directory have; none where none was seen.
    columns: BTreeSet<String>,
    /// The definitions by their paths.
    files: BTreeMap<String, String>,
    /// The hash of everything above.
    digest: String,
}

/// A pinned ruleset that is whole.
#[derive(Debug)]
pub(crate) struct PinnedRuleset {
    /// The rules.
    pub(crate) ruleset: Ruleset,
    /// The columns that transactions have.
    pub(crate) columns: BTreeSet<String>,
    /// The hash of the content.
    pub(crate) digest: String,
}

/// Why a ruleset is not pinned or not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    /// The directory cannot be read.
    #[error("{0}")]
    Directory(#[from] DirectoryError),
    /// The definitions have errors: these, as a person reads them.
    #[error("{}the directory has errors, so there is no ruleset to pin; `accredit check` shows them", .0)]
    Findings(String),
    /// The file: what, where, and what to do.
    #[error("{}: {message}; {help}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: &'static str,
    },
}

fn broken(path: &Path, message: impl ToString) -> PinError {
    PinError::File { path: path.to_owned(), message: message.to_string(), help: EXPORT_AGAIN }
}

impl PinnedRuleset {
    /// The ruleset of the directory `dir`, with the columns of its transactions.
    ///
    /// # Errors
    /// What cannot be read, or is wrong with the definitions.
    pub(crate) fn of_directory(dir: &Path, room: &DealRoom) -> Result<PinnedRuleset, PinError> {
        let mut files = directory::read_definitions(dir)?;
        let layout = accredit_workspace::transaction_layout(&files);
        // Cases and pages decide nothing.
        files.retain(|path, _| accredit_workspace::is_definition(path));

        let rows = dir.join("transactions");
        let columns = match rows.is_dir() {
            true => DealFiles::open(&rows, &layout, room)?.columns,
            false => BTreeSet::new(),
        };

        let (ruleset, findings) = Ruleset::read(&files, &columns);
        let ruleset = ruleset.ok_or_else(|| PinError::Findings(rendered(&files, findings)))?;
        let digest = digest_of(&ruleset.hash, POLICY_LANGUAGE, &columns, &files);
        Ok(PinnedRuleset { ruleset, columns, digest })
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What is wrong with it: it is cut off, was changed, or is of another version.
    pub(crate) fn read(path: &Path) -> Result<PinnedRuleset, PinError> {
        let size = fs::metadata(path).map_err(|error| broken(path, error))?.len();
        if size > PINNED_BYTES_MAX {
            let message = format!("more than {PINNED_BYTES_MAX} bytes");
            return Err(PinError::File { path: path.to_owned(), message, help: SMALLER });
        }
        let text = fs::read_to_string(path).map_err(|error| broken(path, error))?;
        let written: PinnedDocument = serde_json::from_str(&text)
            .map_err(|error| broken(path, format!("not a whole pinned ruleset: {error}")))?;

        if written.accredit_ruleset != FORMAT {
            let format = written.accredit_ruleset;
            return Err(broken(path, format!("format {format} is not known to this program")));
        }
        if written.language != POLICY_LANGUAGE {
            let message = format!(
                "its policies are of language {}, and this program runs {POLICY_LANGUAGE}",
                written.language
            );
            return Err(broken(path, message));
        }

        let files: Files =
            written.files.into_iter().map(|(path, text)| (path, Arc::from(text))).collect();
        let columns = written.columns;
        let digest = digest_of(&written.ruleset, &written.language, &columns, &files);
        if digest != written.digest {
            return Err(broken(path, "its content is not what was written: the digest differs"));
        }

        let (ruleset, findings) = Ruleset::read(&files, &columns);
        let ruleset = ruleset.ok_or_else(|| PinError::Findings(rendered(&files, findings)))?;
        if *ruleset.hash != *written.ruleset {
            let message = format!(
                "it was written as {} and is {} here: another version of accredit has other \
                 standard policies",
                written.ruleset, ruleset.hash
            );
            return Err(broken(path, message));
        }
        Ok(PinnedRuleset { ruleset, columns, digest })
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or would be larger than what is read again.
    pub(crate) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let files = self.ruleset.files.iter();
        let written = PinnedDocument {
            accredit_ruleset: FORMAT,
            ruleset: self.ruleset.hash.to_string(),
            language: POLICY_LANGUAGE.to_owned(),
            columns: self.columns.clone(),
            files: files.map(|(path, text)| (path.clone(), text.to_string())).collect(),
            digest: self.digest.clone(),
        };
        let mut bytes = serde_json::to_vec_pretty(&written)?;
        bytes.push(b'\n');
        if bytes.len() as u64 > PINNED_BYTES_MAX {
            let message =
                format!("more than {PINNED_BYTES_MAX} bytes, which no worker reads; {SMALLER}");
            return Err(io::Error::other(message));
        }
        Ok(bytes)
    }
}

/// The hash of everything in the file. Columns are one part each, as are paths and texts.
fn digest_of(ruleset: &str, language: &str, columns: &BTreeSet<String>, files: &Files) -> String {
    let columns: Vec<String> =
        columns.iter().map(|name| format!("{}:{name}", name.len())).collect();
    packed_digest(&format!("{FORMAT} {ruleset} {language} {}", columns.concat()), files)
}

fn rendered(files: &Files, findings: Vec<Diagnostic>) -> String {
    let errors: Vec<Diagnostic> = findings.into_iter().filter(Diagnostic::is_error).collect();
    report::render_report(files, &errors)
}
