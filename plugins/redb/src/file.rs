//! The data file on a disk: opened, known by its identity, and missed when it is gone.
//!
//! Not what is in it.
//!
//! **Architecture invariant:** opening anew never makes a file and never takes another one: what was
//! acknowledged is in the file that was opened first.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use accredit_seams::store::StoreError;
use redb::Database;
use redb::backends::FileBackend;

use crate::{CACHE_BYTES, failed_error, store_error};

/// A file that was opened, by its device and its number there.
#[derive(Debug)]
pub(crate) struct DataFile {
    path: PathBuf,
    identity: (u64, u64),
}

fn file_identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The database in a file, with every page of it compared with its checksum where `is_checked`.
fn open_database(file: File, is_checked: bool) -> Result<Database, StoreError> {
    let backend = FileBackend::new(file).map_err(store_error)?;
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(is_checked);
    builder.create_with_backend(backend).map_err(store_error)
}

/// Makes the new file's name durable, which redb leaves to us.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed_error)?;
    folder.sync_all().map_err(failed_error)
}

impl DataFile {
    /// Opens or makes the file at `path`.
    pub(crate) fn open_or_create(path: &Path) -> Result<(DataFile, Database), StoreError> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed_error)?;
        let identity = file_identity(&file.metadata().map_err(failed_error)?);

        let database = open_database(file, true)?;
        if is_new {
            sync_folder(path)?;
        }
        Ok((DataFile { path: path.to_owned(), identity }, database))
    }

    /// Opens it anew.
    pub(crate) fn open_again(&self) -> Result<Database, StoreError> {
        if let Some(missing) = self.missing_reason() {
            return Err(StoreError::Failed(missing));
        }
        let file =
            OpenOptions::new().read(true).write(true).open(&self.path).map_err(failed_error)?;
        // redb takes an empty file for a new one.
        let metadata = file.metadata().map_err(failed_error)?;
        if file_identity(&metadata) != self.identity || metadata.len() == 0 {
            let path = self.path.display();
            return Err(StoreError::Failed(format!("`{path}` is no longer the data file")));
        }
        open_database(file, false)
    }

    /// Why the file is not at its path any more; none while it is.
    pub(crate) fn missing_reason(&self) -> Option<String> {
        let path = self.path.display();
        match std::fs::metadata(&self.path) {
            Ok(found) if file_identity(&found) == self.identity => None,
            Ok(_) => Some(format!(
                "another file is at `{path}`: nothing is accepted until the data file is back \
                    there; restart the server to use the other one"
            )),
            Err(error) => Some(format!(
                "the data file `{path}` is gone ({error}): nothing is accepted until it is back; \
                    put it back, or restore a backup and restart the server"
            )),
        }
    }
}
