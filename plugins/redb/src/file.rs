//! The data file on a disk: opened, known by its identity, and missed when it is gone.
//!
//! Not what is in it.
//!
//! **Architecture invariant:** opening anew never makes a file and never takes another one: what was
//! acknowledged is in the file that was opened first.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use accredit_seams::store::Error;
use redb::Database;
use redb::backends::FileBackend;

use crate::{CACHE_BYTES, cause, failed};

/// A file that was opened, by its device and its number there.
#[derive(Debug)]
pub(crate) struct DataFile {
    path: PathBuf,
    identity: (u64, u64),
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The database in a file, with every page of it compared with its checksum where `is_checked`.
fn database(file: File, is_checked: bool) -> Result<Database, Error> {
    let backend = FileBackend::new(file).map_err(cause)?;
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(is_checked);
    builder.create_with_backend(backend).map_err(cause)
}

/// Makes the new file's name durable, which redb leaves to us.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

impl DataFile {
    /// Opens or makes the file at `path`.
    pub(crate) fn open(path: &Path) -> Result<(DataFile, Database), Error> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        let identity = identity(&file.metadata().map_err(failed)?);

        let database = database(file, true)?;
        if is_new {
            sync_folder(path)?;
        }
        Ok((DataFile { path: path.to_owned(), identity }, database))
    }

    /// Opens it anew.
    pub(crate) fn open_again(&self) -> Result<Database, Error> {
        if let Some(missing) = self.missing() {
            return Err(Error::Failed(missing));
        }
        let file = OpenOptions::new().read(true).write(true).open(&self.path).map_err(failed)?;
        // redb takes an empty file for a new one.
        let metadata = file.metadata().map_err(failed)?;
        if identity(&metadata) != self.identity || metadata.len() == 0 {
            let path = self.path.display();
            return Err(Error::Failed(format!("`{path}` is not the data file any more")));
        }
        database(file, false)
    }

    /// Why the file is not at its path any more; none while it is.
    pub(crate) fn missing(&self) -> Option<String> {
        let path = self.path.display();
        match std::fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity => None,
            Ok(_) => Some(format!(
                "another file is at `{path}`: nothing is taken until the data file is back there; \
                 restart the server to use the other one"
            )),
            Err(error) => Some(format!(
                "the data file `{path}` is gone ({error}): nothing is taken until it is back; put \
                 it back, or restore a backup and restart the server"
            )),
        }
    }
}
