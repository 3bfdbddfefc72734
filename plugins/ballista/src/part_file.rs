//! The file of a part: Parquet that is whole or not there.
//!
//! A task may run twice, also at the same time, where an executor was given up and goes on. Both
//! write the same rows under one name, and the last one replaces the file of the first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;

/// Files that this process began, so that two never have one name.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// The name of the file of a part, with `ending`.
pub(crate) fn part_path(folder: &Path, part: u32, ending: &str) -> PathBuf {
    folder.join(format!("part-{part:05}.{ending}"))
}

/// A file that is written beside its name.
pub(crate) struct BegunPath {
    begun: PathBuf,
    path: PathBuf,
}

impl BegunPath {
    /// A name for what will be at `path`, in the same folder.
    pub(crate) fn beside(path: PathBuf) -> BegunPath {
        let number = BEGUN.fetch_add(1, Ordering::Relaxed);
        // Processes of two nodes may have one number, and hardly at the same time.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let process = std::process::id();
        let begun = path.with_extension(format!("begun-{process}-{now}-{number}"));
        BegunPath { begun, path }
    }

    /// Where it is written.
    pub(crate) fn begun(&self) -> &Path {
        &self.begun
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub(crate) fn finish(self) -> Result<()> {
        Ok(fs::rename(&self.begun, &self.path)?)
    }
}

impl Drop for BegunPath {
    fn drop(&mut self) {
        // It has its name, or its task failed and tells why.
        let _ = fs::remove_file(&self.begun);
    }
}

/// Rows on their way into the file of a part.
pub(crate) struct PartFile {
    writer: ArrowWriter<File>,
    path: BegunPath,
    rows: i64,
}

impl PartFile {
    /// Begins the file of a part.
    ///
    /// # Errors
    /// When it cannot be made, such as where a node does not see the folder.
    pub(crate) fn begin(folder: &Path, part: u32, columns: &SchemaRef) -> Result<PartFile> {
        let path = BegunPath::beside(part_path(folder, part, "parquet"));
        let file = File::create(path.begun())?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, columns.clone(), Some(properties))?;
        Ok(PartFile { writer, path, rows: 0 })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        Ok(self.writer.write(batch)?)
    }

    /// Gives the file its name. Returns how many rows it has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(self) -> Result<i64> {
        let file = self.writer.into_inner()?;
        file.sync_all()?;
        self.path.finish()?;
        Ok(self.rows)
    }
}
