//! The folders of results: filled under another name, and given theirs when everything is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A folder of results that is being filled.
#[derive(Debug)]
pub(crate) struct BegunFolder {
    begun: PathBuf,
    path: PathBuf,
    is_done: bool,
}

impl BegunFolder {
    /// Begins the folder `path`. Its path is made absolute, as other processes write there.
    ///
    /// # Errors
    /// Why it cannot be made, or that something is there.
    pub(crate) fn begin(path: &Path) -> Result<BegunFolder, String> {
        let shown = path.display();
        if path.exists() {
            return Err(format!(
                "{shown} is there already: name a folder that is not, or remove it"
            ));
        }
        let cannot_make = |error| format!("{shown} cannot be made: {error}");
        let path = std::path::absolute(path).map_err(cannot_make)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut begun = path.clone().into_os_string();
        begun.push(format!(".begun-{now}"));
        let begun = PathBuf::from(begun);

        fs::create_dir_all(&begun).map_err(cannot_make)?;
        Ok(BegunFolder { begun, path, is_done: false })
    }

    /// Where it is filled.
    pub(crate) fn begun(&self) -> &Path {
        &self.begun
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// Why it cannot be renamed.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        fs::rename(&self.begun, &self.path).map_err(|error| {
            let (begun, path) = (self.begun.display(), self.path.display());
            format!("{begun} cannot become {path}: {error}")
        })?;
        self.is_done = true;
        Ok(())
    }
}

impl Drop for BegunFolder {
    fn drop(&mut self) {
        if !self.is_done {
            // The run failed and tells why; a task that still writes finds no folder.
            let _ = fs::remove_dir_all(&self.begun);
        }
    }
}
