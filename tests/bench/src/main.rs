//! Ratios of accredit to its rivals. Machines are noisy: rounds alternate, medians are compared.

mod bare;
mod bars;
mod cases;
mod company;
mod decision;
mod engine_pipeline;
mod import;
mod incremental;
mod native;
mod native_pipeline;
mod pipeline;
mod plot;
mod policies;
mod postgres;
mod proof;
mod report;
mod rounds;
mod settings;
mod webhook;
mod whole;
mod worker;

use std::process::ExitCode;

use report::Finding;
use rounds::{duel, print};
use settings::Settings;

/// A measure of the benchmark: its name on the command line, and what runs it.
struct Measure {
    name: &'static str,
    run: fn(&Settings, &mut Outcome),
}

/// What the measures of a run have found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The figures, in the order in which they are shown.
    pub findings: Vec<Finding>,
    /// What was not measured, and why.
    pub skipped: Vec<String>,
}

impl Outcome {
    /// Records and prints that something is not measured.
    pub fn skip(&mut self, why: &str) {
        println!("skipped: {why}");
        self.skipped.push(why.to_owned());
    }
}

/// Every measure, in the order in which they run.
const MEASURES: &[Measure] = &[
    Measure { name: "whole", run: whole::compare },
    Measure { name: "decision", run: decision::compare },
    Measure { name: "policies", run: policies::compare },
    Measure { name: "import", run: import::compare },
    Measure { name: "incremental", run: incremental::compare },
    Measure { name: "cases", run: |_, _| cases::compare() },
    Measure { name: "pipeline", run: |_, _| pipeline::compare() },
    Measure {
        name: "webhook",
        run: |settings, outcome| match &settings.accredit {
            Some(binary) => webhook::compare(&binary.to_string_lossy(), settings, outcome),
            None => outcome.skip("the webhook: no accredit binary was named"),
        },
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if worker::serve_command(&arguments) {
        return ExitCode::SUCCESS;
    }

    let settings = match Settings::read(&arguments) {
        Ok(settings) => settings,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let unknown = |name: &&String| MEASURES.iter().all(|measure| measure.name != name.as_str());
    if let Some(name) = settings.measures.iter().find(unknown) {
        let names: Vec<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        eprintln!("`{name}` is not a measure: {}", names.join(", "));
        return ExitCode::from(2);
    }

    let mut outcome = Outcome::default();
    let asked = |name: &str| {
        settings.measures.is_empty() || settings.measures.iter().any(|measure| measure == name)
    };
    for measure in MEASURES.iter().filter(|measure| asked(measure.name)) {
        (measure.run)(&settings, &mut outcome);
    }
    conclude(&settings, &outcome)
}

/// Prints and writes the results; fails when a bar is missed and that was asked for.
fn conclude(settings: &Settings, outcome: &Outcome) -> ExitCode {
    let table = report::markdown(&outcome.findings, &outcome.skipped);
    println!("\n{table}");
    // A part of the measures, or small sizes, must not replace the results of a whole run.
    if settings.measures.is_empty() && !settings.quick {
        report::write_results(&table, &outcome.findings);
    }

    let missed = report::missed_bars(&outcome.findings);
    for sentence in &missed {
        println!("missed: {sentence}");
    }
    if settings.check {
        for text in report::unmeasured_bars(&outcome.findings) {
            println!("not measured: {text}");
        }
    }
    ExitCode::from(u8::from(settings.check && !missed.is_empty()))
}
