//! Deals in memory and in temporary files: the same deals, and the same bytes of credits.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use accredit_crediting::calculation::books;
use accredit_crediting::calculation::progress::CalculationProgress;
use accredit_crediting::calculation::stream::{CreditStream, DatedDeal, DealBlock};
use accredit_workspace::Files;
use proptest::prelude::*;

use super::*;
use crate::tabular::writer::{CreditFormat, CreditWriter};

const SETTINGS: &str = "\
[workspace]
name = \"Rooms\"
[fields]
id = \"id\"
date = \"date\"
amount = \"amount\"
owner = \"owner\"
updated = \"updated\"
received = \"loaded\"
";

const PLAN: &str = "\
name = \"P\"
split = \"equal\"
[[direct]]
name = \"D\"
  [[direct.results]]
  name = \"d\"
  rollable = true
[[indirect]]
name = \"I\"
relationship = \"Reporting\"
  [[indirect.results]]
  name = \"i\"
  duplicates = true
";

static RULESET: LazyLock<Ruleset> = LazyLock::new(|| {
    let files: Files = [
        ("accredit.toml", SETTINGS),
        ("plans/p.toml", PLAN),
        ("organization/participants.csv", "id,manager\nann,mia\nbob,mia\nmia,\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .collect();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| panic!("{findings:?}"))
});

/// A row: which deal it is of, its cells by their places in these lists, and its file.
type Row = (usize, [usize; 5], usize);

const IDS: [&str; 6] = ["", "A", "B", "C", "D", "E"];
const DATES: [&str; 5] = ["2026-01-05", "2026-01-06", "2026-02-03", "", "soon"];
const AMOUNTS: [&str; 4] = ["100", "7.77", "-5", "much"];
const OWNERS: [&str; 4] = ["ann", "bob", "ann;bob", "nobody"];
const CLOCKS: [&str; 4] = ["", "1", "2", "2026-01-01T00:00:00Z"];
const LOADED: [&str; 3] = ["", "2026-01-10", "2026-02-10"];

/// Files whose rows are read in unlike ways: plain lines, with all columns and with fewer, quoted cells,
/// and JSON.
const FILES: [&str; 4] = ["1.csv", "2.csv", "3.csv", "4.ndjson"];

fn write_files(dir: &Path, rows: &[Row]) {
    let columns = ["id", "date", "amount", "owner", "updated", "loaded"];
    let mut texts = [
        format!("{}\n", columns.join(",")),
        format!("{}\n", columns[..3].join(",")),
        format!("{}\n", columns.map(|column| format!("\"{column}\"")).join(",")),
        String::new(),
    ];
    for (id, [date, amount, owner, clock, loaded], file) in rows {
        let cells = [
            IDS[*id],
            DATES[*date],
            AMOUNTS[*amount],
            OWNERS[*owner],
            CLOCKS[*clock],
            LOADED[*loaded],
        ];
        let quoted = cells.map(|cell| format!("\"{cell}\""));
        texts[*file] += &match file {
            0 => format!("{}\n", cells.join(",")),
            1 => format!("{}\n", cells[..3].join(",")),
            2 => format!("{}\n", quoted.join(",")),
            _ => {
                let pairs = columns.iter().zip(&quoted);
                let pairs = pairs.map(|(column, cell)| format!("\"{column}\":{cell}"));
                format!("{{{}}}\n", pairs.collect::<Vec<_>>().join(","))
            }
        };
    }
    // A file without rows would still be one whose rows are no lines.
    for (number, (name, text)) in FILES.iter().zip(&texts).enumerate() {
        if rows.iter().any(|row| row.2 == number) {
            fs::write(dir.join(name), text).unwrap();
        }
    }
}

fn room(dir: &Path, bytes: u64) -> DealRoom {
    DealRoom { bytes, folder: dir.to_owned() }
}

fn read_again(
    dir: &Path,
    (as_of, period): (Option<Date>, &Period),
    (bytes, threads): (u64, usize),
) -> Box<dyn OrderedDeals> {
    let files = DealFiles::open(dir, &FileLayout::default(), &room(dir, bytes)).unwrap();
    let calendar = &RULESET.settings.calendar;
    let filter = DealFilter { as_of, period, calendar, passes: 1 };
    files.read_deals(&RULESET, filter, &room(dir, bytes), threads).unwrap()
}

/// The deals as they are when every row is decoded before any is looked at.
fn decoded_in_memory(dir: &Path, (as_of, period): (Option<Date>, &Period)) -> DealsInMemory {
    let room = room(dir, u64::MAX);
    let files = DealFiles::open(dir, &FileLayout::default(), &room).unwrap();
    let mut deals = files.latest_deals(&RULESET, as_of, 1).unwrap();
    let calendar = &RULESET.settings.calendar;
    let filter = DealFilter { as_of, period, calendar, passes: 1 };
    deals.retain(|deal| filter.wants(deal.incentive_date().ok()));
    DealsInMemory::new(deals)
}

/// Every deal with all that is known of it.
fn describe_deals(deals: &dyn OrderedDeals) -> Vec<String> {
    let show = |(date, deal): &DatedDeal| {
        let names = deal.layout.column_names();
        let cells: Vec<_> = names.iter().map(|name| (name, deal.get(name))).collect();
        let clock = (deal.source_clock(), deal.bad_clock());
        format!("{date:?} {} {cells:?} {clock:?} {:?}", deal.id, deal.row_remarks())
    };
    let mut all = Vec::new();
    for block in deals.blocks() {
        match block {
            DealBlock::Decoded(deals) => all.extend(deals.iter().map(show)),
            DealBlock::Stored(decode) => all.extend(decode().unwrap().iter().map(show)),
        }
    }
    assert_eq!(all.len(), deals.count());
    all
}

/// The credits as a file.
fn credits(deals: Box<dyn OrderedDeals>, as_of: Option<Date>, period: &Period) -> String {
    let stream = CreditStream::new(&RULESET, deals, books::calculation_inputs(&RULESET, as_of));
    let mut writer = CreditWriter::begin(Vec::new(), CreditFormat::Csv, 1).unwrap();
    let periods = RULESET.settings.calendar.leaf_periods(period);
    let counts = stream.write_credits(
        (&RULESET.plans["p"], &periods),
        (2, &CalculationProgress::default()),
        &|decided| decided.to_entries(),
        &mut |entries| {
            writer.add(entries).unwrap();
            ControlFlow::Continue(())
        },
    );
    let counts = counts.unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    format!("{text}{counts:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any rows in any files come to the same deals, in the same order and with the same remarks: decoded
    /// in memory, as lines in memory where all files are plain, and in as many runs as a small room makes
    /// of them. So do their credits, byte for byte.
    #[test]
    fn deals_are_the_same_wherever_they_are_kept(
        rows in prop::collection::vec(
            (0..IDS.len(), [0..5_usize, 0..4, 0..4, 0..4, 0..3], 0..FILES.len()),
            0..300,
        ),
        kinds in 1..=FILES.len(),
        few in any::<bool>(),
        as_of in 0..2_usize,
        period in 0..2_usize,
        bytes in 1_u64..60_000,
        threads in 1_usize..4,
    ) {
        let dir = tempfile::tempdir().unwrap();
        // Among many rows there is hardly a deal with two of them.
        let count = if few { rows.len() % 12 } else { rows.len() };
        let rows = rows.into_iter().take(count);
        let rows: Vec<Row> = rows.map(|(id, cells, file)| (id, cells, file % kinds)).collect();
        write_files(dir.path(), &rows);
        let as_of = [None, Some(jiff::civil::date(2026, 1, 31))][as_of];
        let period = RULESET.settings.calendar.find(["2026", "2026-01"][period]).unwrap();

        let read = |bytes| read_again(dir.path(), (as_of, &period), (bytes, threads));
        let expected = describe_deals(&decoded_in_memory(dir.path(), (as_of, &period)));
        prop_assert_eq!(&describe_deals(&*read(bytes)), &expected);
        prop_assert_eq!(&describe_deals(&*read(u64::MAX)), &expected);
        let bytes_of = |bytes| credits(read(bytes), as_of, &period);
        prop_assert_eq!(bytes_of(bytes), bytes_of(u64::MAX));
    }
}

/// Lines are what most files of deals are, and every one of them was decoded before the first deal was
/// decided: 700 bytes a deal.
#[test]
fn deals_of_plain_files_stay_lines_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200).map(|number| (number % 6, [number % 5, 0, 1, 0, 0], 0)).collect();
    write_files(dir.path(), &rows);
    let period = RULESET.settings.calendar.find("2026").unwrap();
    let is_stored = |as_of| {
        let deals = read_again(dir.path(), (as_of, &period), (u64::MAX, 2));
        matches!(deals.blocks().next(), Some(DealBlock::Stored(_)))
    };
    assert!(is_stored(None));
    // The rows that had arrived by a day are known only once they are decoded.
    assert!(!is_stored(Some(jiff::civil::date(2026, 1, 31))));

    // Twenty plans would decode each line twenty times.
    let room = room(dir.path(), u64::MAX);
    let files = DealFiles::open(dir.path(), &FileLayout::default(), &room).unwrap();
    let calendar = &RULESET.settings.calendar;
    let filter = DealFilter { as_of: None, period: &period, calendar, passes: 20 };
    let deals = files.read_deals(&RULESET, filter, &room, 2).unwrap();
    assert!(matches!(deals.blocks().next(), Some(DealBlock::Decoded(_))));
}

/// The folder of the deals has nothing in it but the deals, while they are read and afterwards.
#[test]
fn temporary_files_are_in_their_folder_and_have_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200).map(|number| (number % 6, [number % 5, 0, 1, 0, 0], 0)).collect();
    write_files(dir.path(), &rows);
    let period = RULESET.settings.calendar.find("2026").unwrap();
    let files = fs::read_dir(dir.path()).unwrap().count();

    let deals = read_again(dir.path(), (None, &period), (1, 2));
    assert!(matches!(deals.blocks().next(), Some(DealBlock::Stored(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), files);

    let opened = DealFiles::open(dir.path(), &FileLayout::default(), &room(dir.path(), 1));
    let opened = opened.unwrap();
    let calendar = &RULESET.settings.calendar;
    let filter = DealFilter { as_of: None, period: &period, calendar, passes: 1 };
    let nowhere = room(Path::new("/nowhere"), 1);
    let refused = opened.read_deals(&RULESET, filter, &nowhere, 1).map(|_| ()).unwrap_err();
    assert!(refused.contains("in /nowhere cannot be made"), "{refused}");
}

/// A file that is written while it is read would give half of one state and half of another.
#[test]
fn a_file_that_changes_between_its_readings_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1.csv");
    fs::write(&path, "id,date\nA,2026-01-05\n").unwrap();
    let period = RULESET.settings.calendar.find("2026").unwrap();
    let calendar = &RULESET.settings.calendar;
    let filter = DealFilter { as_of: None, period: &period, calendar, passes: 1 };

    for bytes in [1, u64::MAX] {
        let files =
            DealFiles::open(dir.path(), &FileLayout::default(), &room(dir.path(), bytes)).unwrap();
        fs::write(&path, format!("id,date\nA,2026-01-05\nB{bytes},2026-01-06\n")).unwrap();
        let read = files.read_deals(&RULESET, filter, &room(dir.path(), bytes), 1);
        let refused = read.map(|_| ()).unwrap_err();
        assert!(refused.contains("1.csv: it was changed while it was read"), "{refused}");
    }
}
