//! The folder of checkpoints: one file each, written whole and never again.
//!
//! Not what a checkpoint says (`checkpoint`). Called by `server::checkpoints` and `accredit audit verify`.
//!
//! **Architecture invariant:** no checkpoint takes the place of another one: what was signed once stays.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{Checkpoint, CheckpointVerifier, read_checkpoint};

/// What the names of checkpoints begin and end with; the number of rows between them puts them in order.
const NAME_START: &str = "checkpoint-";
const NAME_END: &str = ".txt";

/// Bytes of a checkpoint at most.
const BYTES_MAX: u64 = 64 * 1024;

/// The last checkpoint that a folder has.
#[derive(Debug, Clone)]
pub(crate) struct LastCheckpoint {
    /// The name of its file.
    pub(crate) name: String,
    /// How many rows the trail had.
    pub(crate) rows: u64,
    /// The hash of the last of them.
    pub(crate) head: String,
}

/// What a server knows of its folder.
#[derive(Debug, Default)]
pub(crate) struct FolderState {
    /// None until the folder was read.
    pub(crate) last: Mutex<Option<Option<LastCheckpoint>>>,
}

/// Writes a checkpoint of a trail with so many rows; gives the name of its file.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_checkpoint(folder: &Path, rows: u64, text: &str) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    for number in 0.. {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        let name = format!("{NAME_START}{rows:012}{suffix}{NAME_END}");
        let path = folder.join(&name);
        if path.exists() {
            continue;
        }
        // It is no secret: another account may copy it away.
        let mut builder = tempfile::Builder::new();
        let mut file = builder.permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => (),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error.error),
        }
        File::open(folder)?.sync_all()?;
        return Ok(name);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The files of a folder that have the name of a checkpoint, in order.
fn checkpoint_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(NAME_START) && name.ends_with(NAME_END) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The checkpoints at a path, a folder or one file, each with the name of its file; and the files that
/// are none, with the reason.
///
/// # Errors
/// When the path cannot be read.
#[expect(clippy::type_complexity, reason = "two lists of pairs, each named above")]
pub(crate) fn read_checkpoints(
    path: &Path,
    keys: &[CheckpointVerifier],
) -> io::Result<(Vec<(String, Checkpoint)>, Vec<(String, String)>)> {
    let files = if path.is_dir() { checkpoint_files(path)? } else { vec![path.to_owned()] };
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        match read_file(&file, keys) {
            Ok(checkpoint) => read.push((name, checkpoint)),
            Err(why) => refused.push((name, why)),
        }
    }
    Ok((read, refused))
}

fn read_file(path: &Path, keys: &[CheckpointVerifier]) -> Result<Checkpoint, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes (BYTES_MAX)"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    read_checkpoint(&text, keys)
}

/// The checkpoint with the most rows in a folder that one of `keys` signed; none where there is none.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn newest_checkpoint(
    folder: &Path,
    keys: &[CheckpointVerifier],
) -> io::Result<Option<(String, Checkpoint)>> {
    if !folder.exists() {
        return Ok(None);
    }
    let (read, _) = read_checkpoints(folder, keys)?;
    Ok(read.into_iter().max_by_key(|(_, checkpoint)| checkpoint.rows))
}
