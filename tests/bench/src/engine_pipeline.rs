//! The engine's own side of the decision, through its public functions: rows in memory to credits in memory.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use accredit_crediting::calculation::progress::CalculationProgress;
use accredit_crediting::calculation::stream::{CreditStream, DealsInMemory, DecidedCredits};
use accredit_crediting::calculation::{self, own_periods};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::CreditKind;
use accredit_domain::transaction::{Cell, Record, Transaction};
use accredit_workspace::Ruleset;

use crate::company::rule_files;
use crate::proof::{Proof, Row, cents_of, position_lines, status_number};
use crate::worker::Decide;

struct Engine<'a> {
    folder: &'a Path,
    ruleset: &'a Ruleset,
    periods: Vec<Period>,
    stream: CreditStream<'a>,
    decided: Vec<DecidedCredits>,
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
    let ruleset = &ruleset;

    let calendar = &ruleset.settings.calendar;
    let periods = own_periods(ruleset, "reps", &calendar.find("2026").unwrap());
    let deals = Box::new(DealsInMemory::new(transactions));
    let stream = CreditStream::new(ruleset, deals, DecisionInputs::default());
    work(&mut Engine { folder, ruleset, periods, stream, decided: Vec::new() });
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
    /// Ids are left out, as they are by the rivals: they are made where a credit goes out.
    fn decide(&mut self, threads: usize) {
        let plan = &self.ruleset.plans["reps"];
        let progress = CalculationProgress::default();
        let mut all = Vec::new();
        let counts = self.stream.write_credits(
            (plan, &self.periods),
            (threads, &progress),
            &|decided| decided,
            &mut |decided| {
                all.push(decided);
                ControlFlow::Continue(())
            },
        );
        assert!(counts.is_ok());
        self.decided = all;
    }

    fn prove(&self) -> Proof {
        let positions = position_lines(self.folder);
        let mut proof = Proof::default();
        for credit in self.decided.iter().flat_map(DecidedCredits::to_entries) {
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
