//! A case file made ready: what each case decides on, each ruleset read once, each example a case.
//!
//! Not deciding (`run`). Called by `run`.
//!
//! **Architecture invariant:** cases with the same files and the same columns share one ruleset, so
//! a file of a thousand cases reads its directory once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::CaseOptions;
use super::document::{ARROW, CaseBlock, CaseDefinition, CaseFile, CaseTable, continues_example};
use super::parse::parse_case_file;
use super::reach::ReachedFiles;
use accredit_domain::calendar::Calendar;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::transaction::{Cell, Record, read};
use accredit_script::pool::MachinePool;
use accredit_workspace::{Files, Ruleset};
use jiff::civil::Date;

/// A case file, ready to run.
pub(super) struct PreparedFile<'a> {
    /// The path of the file, used in places.
    pub(super) path: &'a str,
    /// The file as it was read.
    pub(super) file: CaseFile,
    /// The files that the case is based on.
    base: &'a Files,
    /// Every case, examples one by one, in order.
    pub(super) trials: Vec<CaseTrial>,
    rulesets: Vec<SharedRuleset>,
    /// Whether lines and branches that run are counted.
    traced: bool,
}

/// One run of the pipeline and what is expected of it.
pub(super) struct CaseTrial {
    /// Index of the case in the file.
    pub(super) case: usize,
    /// Of a table of examples, the table and its rows.
    pub(super) example: Option<ExampleRows>,
    /// Rows as delivered, or why they cannot be read.
    pub(super) records: Result<Vec<Record>, Diagnostic>,
    ruleset: usize,
}

/// The rows of one example.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExampleRows {
    /// Index of the table in the case.
    pub(super) table: usize,
    /// Its first row, counted from 0.
    pub(super) row: usize,
    /// How many rows it has.
    pub(super) count: usize,
}

/// A ruleset that several cases decide on.
struct SharedRuleset {
    /// Definition blocks, those of the case after those before it.
    blocks: Vec<CaseBlock>,
    columns: BTreeSet<String>,
    /// The periods that are finalized, where cases say it themselves.
    finalized: Option<Vec<(String, Date)>>,
    /// Line of that setting.
    line: u32,
    read: OnceLock<Result<Arc<Ruleset>, Vec<Diagnostic>>>,
}

impl<'a> PreparedFile<'a> {
    /// Reads the file and its rows.
    pub(super) fn prepare_file(
        base: &'a Files,
        options: &CaseOptions,
        (path, text): (&'a str, &str),
    ) -> Result<PreparedFile<'a>, Vec<Diagnostic>> {
        let file = parse_case_file(path, text)?;

        let mut trials: Vec<CaseTrial> = Vec::new();
        let mut rulesets: Vec<SharedRuleset> = Vec::new();

        for (index, case) in file.cases.iter().enumerate() {
            // Rows of its own replace those of the background, while definitions are laid over it.
            let own = case.blocks.iter().any(CaseBlock::is_rows);
            let rows: Vec<&CaseBlock> = if own { &case.blocks } else { &file.background }
                .iter()
                .filter(|block| block.is_rows() && block.delivery_source().is_none())
                .collect();

            let records = read_rows(path, &rows);
            let examples = examples_of_case(case);
            // A case without examples is one trial.
            let plain = examples.is_empty().then_some(None).into_iter();

            for example in examples.into_iter().map(Some).chain(plain) {
                let table = example.and_then(|example: ExampleRows| {
                    Some((case.tables.get(example.table)?, example.row))
                });

                let records = match (&records, table) {
                    (Ok(rows), Some((table, row))) => example_record(path, rows, table, row),
                    (records, _) => records.clone(),
                };

                let ruleset = find_or_add_ruleset(
                    (&mut rulesets, &options.columns),
                    &file.background,
                    case,
                    &records,
                );
                trials.push(CaseTrial { case: index, example, records, ruleset });
            }
        }

        Ok(PreparedFile { path, file, base, trials, rulesets, traced: options.traced })
    }

    /// The ruleset of a trial, read when first asked for.
    pub(super) fn ruleset_of_trial(
        &self,
        trial: &CaseTrial,
    ) -> Result<&Arc<Ruleset>, Vec<Diagnostic>> {
        let Some(shared) = self.rulesets.get(trial.ruleset) else { return Err(Vec::new()) };

        let read = shared.read.get_or_init(|| {
            let files = overlay_blocks(self.base, self.path, &shared.blocks);
            let (ruleset, found) = Ruleset::read(&files, &shared.columns);
            let mut ruleset = ruleset.ok_or_else(|| {
                let errors = found.into_iter().filter(Diagnostic::is_error);
                errors.map(|error| self.place_in_file(&shared.blocks, error)).collect::<Vec<_>>()
            })?;

            let calendar = &mut ruleset.settings.calendar;
            *calendar = self.finalized_calendar(shared, calendar).map_err(|error| vec![error])?;
            if self.traced {
                ruleset.machines = MachinePool::with_coverage();
            }
            Ok(Arc::new(ruleset))
        });

        read.as_ref().map_err(Clone::clone)
    }

    /// The calendar with the periods finalized that the cases name, else those of the directory.
    fn finalized_calendar(
        &self,
        shared: &SharedRuleset,
        calendar: &Calendar,
    ) -> Result<Calendar, Diagnostic> {
        let Some(finalized) = &shared.finalized else { return Ok(calendar.clone()) };

        let mut calendar = calendar.clone().without_finalizations().without_closings();

        for (id, day) in finalized {
            let period = calendar.find(id).ok_or_else(|| {
                let place = Place::new(self.path, shared.line, 1);
                let message = format!("`finalized` names the unknown period `{id}`");
                let help = "write the id of a period of the calendar, such as 2022-03 or 2022-Q1";
                Diagnostic::error(Code::CR041, place, message).with_help(help)
            })?;

            calendar = calendar.with_finalized(&period, *day);
        }

        Ok(calendar)
    }

    /// Adds what the rulesets of this file ran beside the cases' own machines: rewards, and
    /// finalized periods that were decided again.
    pub(super) fn add_reached(&self, reached: &mut ReachedFiles) {
        for shared in &self.rulesets {
            if let Some(Ok(ruleset)) = shared.read.get() {
                reached.add_covered(self, &shared.blocks, ruleset.machines.collect_coverage());
            }
        }
    }

    /// The bodies of deliveries of a trial: its own, else the shared ones.
    pub(super) fn delivered_bodies(&self, trial: &CaseTrial) -> impl Iterator<Item = &CaseBlock> {
        let own = self.file.cases.get(trial.case).map_or(&[][..], |case| &case.blocks[..]);
        let shared = !own.iter().any(CaseBlock::is_rows);
        let blocks = if shared { &self.file.background[..] } else { own };
        blocks.iter().filter(|block| block.delivery_source().is_some())
    }

    /// Whether it stands in a customer's directory.
    pub(super) fn is_customer(&self) -> bool {
        self.base.contains_key(SETTINGS)
    }

    /// The definition blocks of a trial.
    pub(super) fn definition_blocks(&self, trial: &CaseTrial) -> &[CaseBlock] {
        self.rulesets.get(trial.ruleset).map_or(&[], |shared| shared.blocks.as_slice())
    }

    /// An error in a block, at its place in the case file; in another file, as it is.
    fn place_in_file(&self, blocks: &[CaseBlock], error: Diagnostic) -> Diagnostic {
        match blocks.iter().rev().find(|block| block.path == error.place.file) {
            Some(block) => {
                let line = block.line + error.place.line.max(1);
                let place = Place::new(self.path, line, error.place.column);
                let message = format!("`{}`: {}", block.path, error.message);
                Diagnostic { place, message, ..error }
            }
            None => error,
        }
    }
}

/// The examples of a case, a run of rows each.
fn examples_of_case(case: &CaseDefinition) -> Vec<ExampleRows> {
    let mut examples: Vec<ExampleRows> = Vec::new();
    for (index, table) in case.tables.iter().enumerate() {
        let Some(arrow) = table.arrow_index() else { continue };
        for (row, cells) in table.rows.iter().enumerate() {
            match examples.last_mut().filter(|_| continues_example(cells, arrow)) {
                Some(example) => example.count += 1,
                None => examples.push(ExampleRows { table: index, row, count: 1 }),
            }
        }
    }
    examples
}

/// The transaction of an example: the cells before `=>` over the shared row, if there is one.
fn example_record(
    path: &str,
    shared: &[Record],
    table: &CaseTable,
    row: usize,
) -> Result<Vec<Record>, Diagnostic> {
    let mut cells = match shared {
        [] => Vec::new(),
        [one] => one.cells.clone(),
        [..] => {
            let place = Place::new(path, table.line, 1);
            let message = "examples complete one shared transaction, but this case has several";
            return Err(Diagnostic::error(Code::CR041, place, message));
        }
    };

    let given = table.rows.get(row).into_iter().flatten();
    for (column, cell) in table.header.iter().zip(given).take_while(|(column, _)| *column != ARROW)
    {
        let text = Cell::Text(cell.clone());
        match cells.iter_mut().find(|(known, _)| known == column) {
            Some((_, old)) => *old = text,
            None => cells.push((column.clone(), text)),
        }
    }

    Ok(vec![Record { cells }])
}

fn find_or_add_ruleset(
    (rulesets, known): (&mut Vec<SharedRuleset>, &BTreeSet<String>),
    background: &[CaseBlock],
    case: &CaseDefinition,
    records: &Result<Vec<Record>, Diagnostic>,
) -> usize {
    let blocks = || background.iter().chain(&case.blocks).filter(|block| !block.is_rows());
    let columns = records.iter().flatten().flat_map(|record| &record.cells);
    let columns = columns.map(|(column, _)| column.as_str());

    // A case with its own settings describes a customer of its own, and knows only its own columns.
    let alone = blocks().any(|block| block.path == SETTINGS);
    let columns: BTreeSet<&str> = match (alone, known.is_empty()) {
        (true, _) => columns.collect(),
        (false, true) => BTreeSet::new(),
        (false, false) => columns.chain(known.iter().map(String::as_str)).collect(),
    };

    // Reading a ruleset takes longer than a case: cases with the same files share one.
    let known = rulesets.iter().rposition(|shared| {
        shared.columns.iter().map(String::as_str).eq(columns.iter().copied())
            && shared.blocks.iter().eq(blocks())
            && shared.finalized == case.finalized
    });

    known.unwrap_or_else(|| {
        let columns = columns.into_iter().map(str::to_owned).collect();
        let blocks = blocks().cloned().collect();
        let finalized = case.finalized.clone();
        let line = case.lines[2].unwrap_or(case.line);
        rulesets.push(SharedRuleset { blocks, columns, finalized, line, read: OnceLock::new() });
        rulesets.len() - 1
    })
}

fn read_rows(path: &str, blocks: &[&CaseBlock]) -> Result<Vec<Record>, Diagnostic> {
    let mut records = Vec::new();
    for block in blocks {
        let body = block.text.as_bytes();

        let rows = match block.language.as_str() {
            "csv" => read::read_csv(body),
            "ndjson" => read::read_ndjson(body),
            _ => read::read_json(body),
        };

        records.extend(rows.map_err(|error| {
            let line = block.line + u32::try_from(error.line).unwrap_or(0);
            Diagnostic::error(Code::CR041, Place::new(path, line, 1), error.message)
        })?);
    }

    Ok(records)
}

const SETTINGS: &str = "accredit.toml";

/// The files that a case decides on: blocks over those of the directory.
///
/// A case file that brings its own `accredit.toml` describes a customer of its own: of the directory
/// it sees the file that it stands beside, and the policies that its plans name.
fn overlay_blocks(base: &Files, path: &str, blocks: &[CaseBlock]) -> Files {
    let over = |files: &mut Files| {
        for block in blocks {
            files.insert(block.path.clone(), Arc::from(block.text.as_str()));
        }
    };

    let mut files = base.clone();

    if blocks.iter().any(|block| block.path == SETTINGS) {
        let stem = path.strip_suffix(".cases.md").unwrap_or(path);
        let beside = |file: &str| {
            file.rsplit_once('.').is_some_and(|(known, ending)| known == stem && ending != "md")
        };
        files.retain(|file, _| beside(file));

        // Twice, since the policies that plans name are known only once the case's plans are there.
        over(&mut files);
        let named = named_policies(base, &files);
        files.extend(named);
    }

    over(&mut files);
    files
}

/// The directory's policies whose names stand in a plan or in the settings.
fn named_policies(base: &Files, seen: &Files) -> BTreeMap<String, Arc<str>> {
    let is_name = |sign: char| sign.is_alphanumeric() || "-_./".contains(sign);
    let texts = seen.iter().filter(|(path, _)| path.ends_with(".toml"));
    let words: BTreeSet<&str> = texts.flat_map(|(_, text)| text.split(|c| !is_name(c))).collect();
    let policies = base.iter().filter(|(path, _)| {
        let stem = path.strip_suffix(".rhai").and_then(|path| path.rsplit('/').next());
        path.starts_with("policies/") && stem.is_some_and(|stem| words.contains(stem))
    });
    policies.map(|(path, text)| (path.clone(), Arc::clone(text))).collect()
}
