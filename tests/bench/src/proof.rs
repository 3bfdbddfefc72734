//! What proves two results equal: the number of rows, the sum of amounts, a checksum that knows no order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::str::FromStr;

/// Products of two numbers below it fit into 63 bits, so every database can compute with it.
const PRIME: u64 = 2_147_483_647;
const STEP: u64 = 12_345;

/// Rows, sum in cents and checksum of credits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proof {
    rows: u64,
    cents: u64,
    checksum: u64,
}

/// What of a credit is compared, as numbers.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The number in the deal's id.
    pub deal: u64,
    /// The position's line in the file of people, from 0.
    pub position: u64,
    /// 0 for a direct credit, 1 for an indirect one.
    pub kind: u64,
    /// The amount in cents.
    pub cents: u64,
    /// 0 for an active credit, 1 for a held one, 2 for one that is suppressed.
    pub status: u64,
    /// The month of the period.
    pub month: u64,
}

impl Proof {
    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        let fields = [row.deal, row.position, row.kind, row.cents, row.status, row.month];
        // The square between two fields keeps a sum from forgetting which field was in which row.
        let hash = fields.into_iter().fold(0, |hash, field| {
            let sum = (hash + field + STEP) % PRIME;
            sum * sum % PRIME
        });
        self.rows += 1;
        self.cents += row.cents;
        self.checksum += hash;
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The three numbers as a line.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.rows, self.cents, self.checksum)
    }
}

impl FromStr for Proof {
    type Err = String;

    fn from_str(line: &str) -> Result<Proof, String> {
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match numbers.as_deref() {
            Ok([rows, cents, checksum]) => {
                Ok(Proof { rows: *rows, cents: *cents, checksum: *checksum })
            }
            _ => Err(format!("not three numbers: `{line}`")),
        }
    }
}

/// The line of each position in the company's file of people.
pub fn position_lines(folder: &Path) -> HashMap<String, u64> {
    let text = std::fs::read_to_string(folder.join("organization/participants.csv")).unwrap();
    let ids = text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned());
    ids.zip(0..).collect()
}

/// The number of a status.
pub fn status_number(status: &str) -> u64 {
    match status {
        "active" => 0,
        "held" => 1,
        "suppressed" => 2,
        other => panic!("the status `{other}` is not expected"),
    }
}

/// An amount with two decimals in cents.
pub fn cents_of(amount: &str) -> u64 {
    let (whole, part) = amount.split_once('.').unwrap();
    assert_eq!(part.len(), 2, "{amount}");
    whole.parse::<u64>().unwrap() * 100 + part.parse::<u64>().unwrap()
}

/// The proof of a file of credits, read by the names of its columns.
pub fn prove_csv(file: &Path, positions: &HashMap<String, u64>) -> Proof {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(file).unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let header: Vec<&str> = line.trim_end().split(',').collect();
    assert_eq!(header.len(), 26, "{}: {line}", file.display());
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let places = ["transaction", "position", "kind", "amount", "status", "period"].map(place);

    let mut proof = Proof::default();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap() == 0 {
            return proof;
        }
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        let [deal, position, kind, amount, status, period] = places.map(|place| cells[place]);
        proof.add(Row {
            deal: deal[1..].parse().unwrap(),
            position: positions[position],
            kind: u64::from(kind != "direct"),
            cents: cents_of(amount),
            status: status_number(status),
            month: period[5..].parse().unwrap(),
        });
    }
}
