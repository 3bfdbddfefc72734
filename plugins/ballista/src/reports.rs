//! What the parts reported, held against what went in and what is in the files.
//!
//! **Architecture invariant:** a run whose rows do not add up ends with an error: a part that is
//! missing or came twice, a deal or a credit that was lost on its way between executors, a file
//! that is not whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};

use crate::order::{PART, WorkOrder};
use crate::part_file::part_path;

/// What a part counts, by its name.
type PartCounts = BTreeMap<String, i64>;

/// What is counted, by its name, over all parts.
#[derive(Debug, Default)]
pub(crate) struct RunCounts {
    totals: PartCounts,
}

impl RunCounts {
    /// The total of a count; none is nothing.
    pub(crate) fn total(&self, name: &str) -> i64 {
        self.totals.get(name).copied().unwrap_or_default()
    }
}

/// Adds up the reports of all parts, and compares them with the files and with the number of deals
/// that there are.
///
/// # Errors
/// What does not add up.
pub(crate) fn check_reports(
    order: &WorkOrder,
    reports: &[RecordBatch],
    deals: i64,
) -> Result<RunCounts, String> {
    let mut parts: BTreeMap<i64, PartCounts> = BTreeMap::new();
    for report in reports {
        for (part, counts) in counts_of_parts(report)? {
            let former = parts.entry(part).or_insert_with(|| counts.clone());
            // Where an executor was lost, a report may come again: the part was done again, alike.
            if *former != counts {
                return Err(format!("part {part} came to {former:?} once, and to {counts:?} then"));
            }
        }
    }
    if !parts.keys().copied().eq(0..i64::from(order.parts)) {
        return Err(format!("{} parts are reported as {:?}", order.parts, parts.keys()));
    }

    let mut counts = RunCounts::default();
    for (name, count) in parts.into_values().flatten() {
        *counts.totals.entry(name).or_default() += count;
    }
    compare("deals", deals, ("decided", counts.total("deals")))?;
    compare("credits", counts.total("credits"), ("in files", rows_in(order, &order.credits)?))?;
    if let Some(rewards) = &order.rewards {
        let received = counts.total("received");
        compare("copies of credits", counts.total("routed"), ("rewarded", received))?;
        compare("rewards", counts.total("rewards"), ("in files", rows_in(order, rewards)?))?;
    }
    Ok(counts)
}

/// The parts in a report, with what each counts.
fn counts_of_parts(report: &RecordBatch) -> Result<Vec<(i64, PartCounts)>, String> {
    let mut rows = vec![(None, PartCounts::new()); report.num_rows()];
    for (field, column) in report.schema().fields().iter().zip(report.columns()) {
        let cells = column.as_primitive_opt::<Int64Type>().ok_or("a report has other columns")?;
        for ((part, counts), cell) in rows.iter_mut().zip(cells) {
            let cell = cell.ok_or("a report has a gap")?;
            match field.name() == PART {
                true => *part = Some(cell),
                false => drop(counts.insert(field.name().clone(), cell)),
            }
        }
    }
    let rows = rows.into_iter().map(|(part, counts)| Some((part?, counts)));
    rows.collect::<Option<Vec<_>>>().ok_or_else(|| "a report names no part".to_owned())
}

fn compare(what: &str, expected: i64, (done, found): (&str, i64)) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!(
        "{expected} {what} are {found} {done}: the cluster lost rows or doubled some; run it again"
    ))
}

/// How many rows the files of all parts have.
fn rows_in(order: &WorkOrder, folder: &Path) -> Result<i64, String> {
    let mut rows = 0;
    for part in 0..order.parts {
        let path = part_path(folder, part, "parquet");
        let cannot_read = |error: String| {
            let path = path.display();
            format!(
                "{path} cannot be read: {error}; every executor must see its folder at this path"
            )
        };
        let file = File::open(&path).map_err(|error| cannot_read(error.to_string()))?;
        let reader =
            SerializedFileReader::new(file).map_err(|error| cannot_read(error.to_string()))?;
        rows += reader.metadata().file_metadata().num_rows();
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};

    use super::*;

    /// A report of parts, each with how many deals and credits it has.
    fn report(parts: &[[i64; 3]]) -> RecordBatch {
        let column = |place: usize| {
            let cells = parts.iter().filter_map(|row| row.get(place).copied());
            Arc::new(cells.collect::<Int64Array>()) as ArrayRef
        };
        let names = [PART, "deals", "credits"];
        let columns = names.into_iter().enumerate().map(|(place, name)| (name, column(place)));
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn check(parts: &[[i64; 3]], deals: i64) -> String {
        let order = WorkOrder {
            ruleset: String::new(),
            parts: 2,
            credits: PathBuf::from("no such folder"),
            rewards: None,
            notes: PathBuf::new(),
            deal_options: Vec::new(),
            route_options: Vec::new(),
            reward_options: Vec::new(),
        };
        check_reports(&order, &[report(parts)], deals).unwrap_err()
    }

    #[test]
    fn what_does_not_add_up_is_told() {
        let whole = [[0, 10, 3], [1, 20, 4]];
        // All that is wrong with it is that there are no files.
        assert!(check(&whole, 30).contains("part-00000.parquet cannot be read"));
        assert!(check(&whole, 31).contains("31 deals are 30 decided"));
        assert!(check(&[[0, 30, 3]], 30).contains("2 parts are reported as [0]"));
        assert!(check(&[[0, 15, 3], [1, 15, 4], [1, 15, 4]], 30).contains("cannot be read"));
        assert!(check(&[[0, 15, 3], [1, 15, 4], [1, 14, 4]], 30).contains("part 1 came to"));
    }
}
