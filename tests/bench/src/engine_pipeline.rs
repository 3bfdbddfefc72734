//! The engine's own side of the decision, through its public functions: rows in memory to credits in memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use accredit_crediting::calculation::{self, DecidedDeal};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::credit::posted::CreditKind;
use accredit_domain::transaction::{Cell, Record, Transaction};
use accredit_workspace::Ruleset;

use crate::company::rule_files;
use crate::proof::{Proof, Row, cents_of, position_lines, status_number};
use crate::worker::Decide;

struct Engine<'a> {
    folder: &'a Path,
    ruleset: &'a Ruleset,
    transactions: &'a [Arc<Transaction>],
    decided: Vec<DecidedDeal>,
}

/// The ruleset of the company in `folder`, and its deals.
pub fn read_company(folder: &Path) -> (Ruleset, Vec<Arc<Transaction>>) {
    let files = rule_files(folder);

    let records = read_records(folder);
    let first = records.first().unwrap();
    let columns: BTreeSet<String> = first.cells.iter().map(|(column, _)| column.clone()).collect();
    let (ruleset, diagnostics) = Ruleset::read(&files, &columns);
    let ruleset = ruleset.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let transactions = calculation::latest_versions(&ruleset, &records, None);
    (ruleset, transactions)
}

/// Gives `work` the engine with the company in `folder`, its rows decoded.
pub fn with_engine(folder: &Path, work: impl FnOnce(&mut dyn Decide)) {
    let (ruleset, transactions) = read_company(folder);
    let (ruleset, transactions) = (&ruleset, transactions.as_slice());
    work(&mut Engine { folder, ruleset, transactions, decided: Vec::new() });
}

/// The rows of the file of deals, which has no quotes.
fn read_records(folder: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(folder.join("transactions/deals.csv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let record = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        let cell =
            |(column, text): (&&str, &str)| ((*column).to_owned(), Cell::Text(text.to_owned()));
        Record { cells: cells.map(cell).collect() }
    };
    lines.map(record).collect()
}

impl Decide for Engine<'_> {
    fn decide(&mut self, threads: usize) {
        let inputs = DecisionInputs::default();
        self.decided = calculation::decide_all(self.ruleset, self.transactions, &inputs, threads);
    }

    fn prove(&self) -> Proof {
        let positions = position_lines(self.folder);
        let mut proof = Proof::default();
        let decisions = self.decided.iter().flat_map(|deal| &deal.decisions);
        for credit in decisions.flat_map(|decision| &decision.credits) {
            proof.add(Row {
                deal: credit.transaction.as_str()[1..].parse().unwrap(),
                position: positions[credit.recipient()],
                kind: u64::from(credit.kind != CreditKind::Direct),
                cents: cents_of(&credit.amount.to_string()),
                status: status_number(credit.status.as_str()),
                month: credit.period.as_str()[5..].parse().unwrap(),
            });
        }
        proof
    }

    fn clear(&mut self) {
        self.decided = Vec::new();
    }
}
