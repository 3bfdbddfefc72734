//! Customers' directories that documents are in: as they are on the disk, with what is typed laid over.
//!
//! **Architecture invariant:** the text of an open document is what the editor has, never what the disk
//! has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_editor::EditorWorkspace;
use accredit_editor::checked::{EditorFinding, placed_findings};

use super::documents::OpenDocuments;
use crate::cli::author::check::DirectoryContent;

/// The file that makes a folder a customer's directory.
const SETTINGS: &str = "accredit.toml";

/// Folders above a file that are looked at.
const FOLDERS_MAX: usize = 32;

/// The directory that a file is in: the nearest folder with `accredit.toml`.
pub(super) fn directory_of(path: &Path, open: &OpenDocuments) -> Option<PathBuf> {
    let folders = path.ancestors().skip(1).take(FOLDERS_MAX);
    let mut folders = folders.filter(|folder| {
        let settings = folder.join(SETTINGS);
        settings.is_file() || open.contains_key(&settings)
    });
    folders.next().map(Path::to_owned)
}

/// The path of a file inside its directory, with `/` between folders.
pub(super) fn path_inside(dir: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(dir).ok()?.iter();
    let parts: Option<Vec<&str>> = parts.map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// Directories as they were read last.
#[derive(Default)]
pub(super) struct KnownDirectories {
    read: BTreeMap<PathBuf, DirectoryContent>,
}

impl KnownDirectories {
    /// Forgets what was read: the disk has changed.
    pub(super) fn forget(&mut self, dir: &Path) {
        self.read.remove(dir);
    }

    /// What is on the disk.
    fn content(&mut self, dir: &Path) -> &DirectoryContent {
        let read = self.read.entry(dir.to_owned());
        read.or_insert_with(|| DirectoryContent::read(dir))
    }

    /// The files of a directory with the open documents laid over them.
    pub(super) fn workspace(&mut self, dir: &Path, open: &OpenDocuments) -> EditorWorkspace {
        let content = self.content(dir);
        let mut files = content.found.files.clone();
        for (path, document) in open {
            if let Some(inside) = path_inside(dir, path).filter(|path| is_text_file(path)) {
                files.insert(inside, Arc::from(document.text.as_str()));
            }
        }
        content.workspace(files)
    }

    /// What `accredit check` finds.
    pub(super) fn findings(
        &mut self,
        dir: &Path,
        workspace: &EditorWorkspace,
    ) -> Vec<EditorFinding> {
        let found = self.content(dir).find_findings(workspace);
        placed_findings(&workspace.files, found)
    }
}

/// Whether a file is one of those that a directory is made of; rows of deals are not.
fn is_text_file(path: &str) -> bool {
    let folders = ["organization/", "plans/", "policies/", "tables/"];
    !path.contains('/') || folders.iter().any(|folder| path.starts_with(folder))
}
