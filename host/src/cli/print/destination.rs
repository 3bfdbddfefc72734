//! Where the data of a verb goes: standard output, or a file that is there whole or not at all.
//!
//! Not what is written. Called by `calculate`.
//!
//! **Architecture invariant:** a file that is named keeps its former content until the new one is on
//! the disk. What was begun is removed when the verb fails, is interrupted or is asked to end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tempfile::TempPath;
use tokio::signal::unix::{SignalKind, signal};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 1 << 16;

/// The name by which standard output may be asked for.
const STANDARD_OUTPUT: &str = "-";

/// Where data goes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Its name in messages.
    name: String,
    out: Out,
}

#[derive(Debug)]
enum Out {
    /// Standard output.
    Standard(BufWriter<Stdout>),
    /// A device or a pipe, which has no former content.
    Device(BufWriter<File>),
    /// A file under another name, which takes the place of the one at this path.
    Begun(BufWriter<File>, Arc<BegunFile>, PathBuf),
}

/// A file that was begun, until it has its name or is removed.
#[derive(Debug, Default)]
struct BegunFile(Mutex<Option<TempPath>>);

impl BegunFile {
    /// Takes it: what is dropped afterwards is removed.
    fn take(&self) -> Option<TempPath> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives it its name; an interruption waits for that.
    fn rename_to(&self, path: &Path) -> io::Result<()> {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = begun.take().ok_or(ErrorKind::Interrupted)?;
        begun.persist(path).map_err(|failed| failed.error)
    }
}

impl Destination {
    /// Opens the file at `path`; without one, or with `-`, standard output.
    ///
    /// # Errors
    /// When no file can be made there.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Destination> {
        let Some(path) = path.filter(|path| *path != Path::new(STANDARD_OUTPUT)) else {
            let out = Out::Standard(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()));
            return Ok(Destination { name: "standard output".to_owned(), out });
        };

        let name = path.display().to_string();
        let former = fs::metadata(path).ok();
        if former.as_ref().is_some_and(|former| !former.is_file() && !former.is_dir()) {
            let device = fs::OpenOptions::new().write(true).open(path)?;
            let out = Out::Device(BufWriter::with_capacity(BUFFER_BYTES, device));
            return Ok(Destination { name, out });
        }
        if path.file_name().is_none() || former.is_some_and(|former| former.is_dir()) {
            return Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory"));
        }

        // A link stays a link: the file that it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let begun = Arc::new(BegunFile::default());
        remove_if_interrupted(Arc::clone(&begun));
        let file = begin_file(&path, &begun)?;
        let out = Out::Begun(BufWriter::with_capacity(BUFFER_BYTES, file), begun, path);
        Ok(Destination { name, out })
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(&self.out, Out::Standard(out) if out.get_ref().is_terminal())
    }

    /// Writes what is left. A file gets its name when all of it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;

        let Out::Begun(out, begun, path) = &self.out else { return Ok(()) };
        out.get_ref().sync_all()?;
        begun.rename_to(path)?;

        // The name is in the folder, which is written on its own. Some systems cannot open one.
        if let Ok(folder) = File::open(folder_of(path)) {
            folder.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Out::Begun(_, begun, _) = &self.out {
            drop(begun.take());
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Standard(out) => out.write(bytes),
            Out::Device(out) | Out::Begun(out, ..) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Standard(out) => out.flush(),
            Out::Device(out) | Out::Begun(out, ..) => out.flush(),
        }
    }
}

/// Creates a file beside the one at `path`: a file gets another name only on its own disk.
fn begin_file(path: &Path, begun: &BegunFile) -> io::Result<File> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");

    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    set_permissions(&mut builder, path);

    // An interruption before the name is known would leave the file behind.
    let mut known = begun.0.lock().unwrap_or_else(PoisonError::into_inner);
    let (file, place) = builder.tempfile_in(folder_of(path))?.into_parts();
    *known = Some(place);
    Ok(file)
}

/// Who may read the new file: those who may read the former one, or a file that is made anew.
fn set_permissions(builder: &mut tempfile::Builder<'_, '_>, path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let former = fs::metadata(path).map(|former| former.permissions());
    builder.permissions(former.unwrap_or_else(|_| fs::Permissions::from_mode(0o666)));
}

/// The folder in which a file at `path` is begun; none where nothing is begun: on standard output, and
/// on a device.
pub(crate) fn begun_in(path: Option<&Path>) -> Option<PathBuf> {
    let path = path.filter(|path| *path != Path::new(STANDARD_OUTPUT))?;
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_device = fs::metadata(&path).is_ok_and(|former| !former.is_file());
    (!is_device).then(|| folder_of(&path).to_owned())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes the file and ends the process on ctrl-c, when it is asked to end, and when its terminal
/// goes away.
fn remove_if_interrupted(begun: Arc<BegunFile>) {
    let (listening, listens) = mpsc::channel();
    let wait = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        if let Ok(code) = runtime.block_on(interrupted(listening)) {
            drop(begun.take());
            std::process::exit(code);
        }
    };

    // Without the thread a signal ends the process at once, and the file stays under its other name.
    if thread::Builder::new().name("signals".to_owned()).spawn(wait).is_ok() {
        let _ = listens.recv();
    }
}

/// Waits for a signal; the exit code of a process that it ended.
async fn interrupted(listening: Sender<()>) -> io::Result<i32> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(listening);

    Ok(tokio::select! {
        _ = interrupt.recv() => EXIT_INTERRUPTED,
        _ = terminate.recv() => EXIT_TERMINATED,
        _ = hangup.recv() => EXIT_HUNG_UP,
    })
}

/// Exit codes of processes that a signal ended: 128 and its number.
const EXIT_INTERRUPTED: i32 = 130;
const EXIT_TERMINATED: i32 = 143;
const EXIT_HUNG_UP: i32 = 129;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credits.csv");
        let begin = |text: &str| {
            let mut out = Destination::open(Some(&path)).unwrap();
            out.write_all(text.as_bytes()).unwrap();
            out.flush().unwrap();
            out
        };

        drop(begin("lost"));
        assert!(names(dir.path()).is_empty());

        begin("first").finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");

        let second = begin("second");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        second.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(names(dir.path()), ["credits.csv"]);
    }

    #[test]
    fn a_link_stays_one_and_a_file_keeps_its_readers() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file.csv"), dir.path().join("link.csv"));
        fs::write(&file, "former").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();

        let mut out = Destination::open(Some(&link)).unwrap();
        out.write_all(b"new").unwrap();
        out.finish().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    /// As the superuser, a file beside the device would have taken its name.
    #[test]
    fn a_device_is_written_and_a_folder_is_refused() {
        let mut out = Destination::open(Some(Path::new("/dev/null"))).unwrap();
        out.write_all(b"gone").unwrap();
        out.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());

        let dir = tempfile::tempdir().unwrap();
        assert!(Destination::open(Some(dir.path())).is_err());
        assert!(Destination::open(Some(&dir.path().join("none/credits.csv"))).is_err());
        assert!(names(dir.path()).is_empty());
    }
}
