//! Customers with their deals as Parquet, and what one process makes of them: the sample company, the public
//! CRM data, generated worlds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::ReaderBuilder as CsvReaderBuilder;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::infer_json_schema_from_seekable;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use tempfile::TempDir;

/// Rows of a file of deals: there are several files.
const ROWS_A_FILE: usize = 700;

/// A row as texts by the names of its columns; nothing is left out.
type Row = BTreeMap<String, String>;

/// A customer, with its deals and its pinned ruleset in a folder.
pub(super) struct Company {
    folder: TempDir,
    /// The customer's directory.
    place: PathBuf,
    /// What one process is asked besides the period.
    asked: Vec<String>,
}

/// What one process calculates.
pub(super) struct Calculated {
    pub(super) credits: Vec<Row>,
    pub(super) rewards: Vec<Row>,
    /// The deals of each list of notes.
    pub(super) noted: Vec<(&'static str, BTreeSet<String>)>,
}

fn accredit(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(super::processes::product()).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

impl Company {
    /// Writes the sample company, with so many deals.
    pub(super) fn write(deals: usize) -> Company {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("company");
        let company = Company { folder, place, asked: Vec::new() };
        let place = company.directory();
        accredit(&["demo", "--write", &place, "--deals", &deals.to_string()]);
        company.pin();
        company.pack_lines(&company.place.join("transactions/deals.ndjson"));
        company
    }

    /// A generated world, with the arguments for its business date.
    pub(super) fn of_world(world: &Path) -> Company {
        let as_of = fs::read_to_string(world.join("as-of")).unwrap();
        let asked = as_of.split_whitespace().map(str::to_owned).collect();
        let folder = tempfile::tempdir().unwrap();
        let company = Company { folder, place: world.to_owned(), asked };
        company.pin();
        company.pack_lines(&world.join("transactions/rows.ndjson"));
        company
    }

    /// The public CRM data in this folder.
    pub(super) fn of_crm(data: &Path) -> Company {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/crm");
        let pipeline = data.join("sales_pipeline.csv");
        let asked = ["--transactions".to_owned(), pipeline.display().to_string()].to_vec();
        let company = Company { folder: tempfile::tempdir().unwrap(), place, asked };
        company.pin();

        let text = fs::read_to_string(&pipeline).unwrap();
        let header = text.lines().next().unwrap().trim_start_matches('\u{feff}').split(',');
        let columns: Vec<Field> =
            header.map(|name| Field::new(name, DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(columns));
        let reader = CsvReaderBuilder::new(Arc::clone(&schema)).with_header(true);
        let reader = reader.with_batch_size(ROWS_A_FILE).build(text.as_bytes()).unwrap();
        company.pack("deals", &schema, reader);
        company
    }

    /// Exports the ruleset of the directory.
    fn pin(&self) {
        let pinned = self.path("company.ruleset");
        accredit(&["ruleset", "export", &self.directory(), "--out", &pinned]);
    }

    /// Writes lines of JSON as the folder `deals`, and without a row as the folder `none`.
    fn pack_lines(&self, lines: &Path) {
        let open = || std::io::BufReader::new(File::open(lines).unwrap());
        let (schema, _) = infer_json_schema_from_seekable(open(), None).unwrap();
        let schema = Arc::new(schema);
        for (name, kept) in [("deals", usize::MAX), ("none", 0)] {
            let reader = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS_A_FILE);
            let batches = reader.build(open()).unwrap();
            let batches =
                batches.map(|batch| batch.map(|batch| batch.slice(0, kept.min(batch.num_rows()))));
            self.pack(name, &schema, batches);
        }
    }

    /// Writes batches as a folder of files, one each.
    fn pack(
        &self,
        name: &str,
        schema: &SchemaRef,
        batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) {
        fs::create_dir(self.path(name)).unwrap();
        for (number, batch) in batches.enumerate() {
            let file = File::create(self.path(&format!("{name}/{number}.parquet"))).unwrap();
            let mut writer = ArrowWriter::try_new(file, Arc::clone(schema), None).unwrap();
            writer.write(&batch.unwrap()).unwrap();
            writer.close().unwrap();
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The directory of the company.
    pub(super) fn directory(&self) -> String {
        self.place.display().to_string()
    }

    /// The business date, as options of a run.
    pub(super) fn as_of(&self) -> &[String] {
        if self.asked.first().is_some_and(|name| name == "--as-of") { &self.asked } else { &[] }
    }

    /// Options of a run over all deals.
    pub(super) fn options(&self) -> Vec<String> {
        self.options_of("deals")
    }

    /// Options of a run over no deals.
    pub(super) fn options_without_deals(&self) -> Vec<String> {
        self.options_of("none")
    }

    fn options_of(&self, deals: &str) -> Vec<String> {
        let options = ["--ruleset", &self.path("company.ruleset"), "--deals", &self.path(deals)];
        options.map(str::to_owned).to_vec()
    }

    /// What one process calculates of a period.
    pub(super) fn calculated(&self, period: &str) -> Calculated {
        let place = self.directory();
        let mut arguments =
            vec!["calculate", &place, "--period", period, "--format", "json", "--quiet"];
        arguments.extend(self.asked.iter().map(String::as_str));
        let json = accredit(&arguments);
        let calculations: Vec<Json> = serde_json::from_slice(&json).unwrap();
        let rows = |list: &str| {
            calculations.iter().flat_map(|one| one[list].as_array().unwrap()).collect()
        };
        let deals = |list: &str| {
            let rows: Vec<&Json> = rows(list);
            rows.into_iter().map(|row| row["transaction"].as_str().unwrap().to_owned()).collect()
        };
        let comparable = |list: &str, amounts: &[&str]| {
            let rows: Vec<&Json> = rows(list);
            in_order(rows.into_iter().map(|row| row_of_json(row, amounts)).collect())
        };
        Calculated {
            credits: comparable("credits", &["amount"]),
            rewards: comparable("rewards", &["amount", "credited", "quota", "attainment"]),
            noted: ["uncredited", "parked"].map(|list| (list, deals(list))).to_vec(),
        }
    }
}

fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

/// A cell as text; none where it is blank. An amount has no zeros behind its last digit.
fn cell(text: &str, is_amount: bool) -> Option<String> {
    let text = match is_amount && text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

fn row_of_json(row: &Json, amounts: &[&str]) -> Row {
    let text = |value: &Json| match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    };
    let cells = row.as_object().unwrap().iter().filter_map(|(name, value)| {
        Some((name.clone(), cell(&text(value), amounts.contains(&name.as_str()))?))
    });
    cells.collect()
}

/// The rows of all files of Parquet in a folder, in an order of their own.
pub(super) fn rows_in(folder: &Path, amounts: &[&str]) -> Vec<Row> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.extension().is_some_and(|ending| ending == "parquet"), "{}", path.display());
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        for batch in reader.build().unwrap() {
            rows.extend(rows_of_batch(&batch.unwrap(), amounts));
        }
    }
    in_order(rows)
}

fn rows_of_batch(batch: &RecordBatch, amounts: &[&str]) -> Vec<Row> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns: Vec<_> = columns
        .map(|(field, column)| (field.name(), ArrayFormatter::try_new(column, &options).unwrap()))
        .collect();
    let row = |number| {
        let cells = columns.iter().filter_map(|(name, column)| {
            let text = column.value(number).to_string();
            Some((name.to_string(), cell(&text, amounts.contains(&name.as_str()))?))
        });
        cells.collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// The deals that a list of notes names.
pub(super) fn noted_deals(folder: &Path, list: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            let note: Json = serde_json::from_str(line).unwrap();
            if note["list"] == list {
                found.insert(note["transaction"].as_str().unwrap().to_owned());
            }
        }
    }
    found
}
