//! The calculations of a data file that no server has open, as its server would show them.
//!
//! Not calculating: what was decided is read, and rewards of periods that were paid are those that
//! were paid. Called by `calculate --data`. Source: REWARDS section 1.
//!
//! **Architecture invariant:** nothing is written to the file.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use accredit_crediting::calculation::Calculation;
use accredit_domain::decision::Decision;
use accredit_ledger::Ledger;
use accredit_operations::context::{Context, Surroundings};
use accredit_operations::error::OperationError;
use accredit_operations::{calculations, rewards};
use accredit_seams::connector::Connector;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::output::{self, ResultFormat};
use super::show::{self, NotedCalculations};
use super::{CalculateArguments, print_summary};
use crate::cli::print::destination::Destination;
use crate::cli::print::output::EXIT_FAILED;
use crate::cli::remote::verify::with_data_file;
use crate::server::clock::{self, HostClock};
use crate::tabular::writer::CreditWriter;

/// Writes the calculations of the file.
pub(super) fn run(file: &Path, arguments: &CalculateArguments, format: ResultFormat) -> u8 {
    let plan = arguments.input.plan.as_deref().unwrap_or_default();
    let read =
        with_data_file(file, |ledger| Ok(read_calculations(ledger, plan, &arguments.period)));

    let opened = read.and_then(|read| {
        let calculations = read?;
        Ok((calculations, arguments.output.open_destination(format)?))
    });
    let (calculations, destination) = match opened {
        Ok(opened) => opened,
        Err(message) => {
            eprintln!("error: {message}");
            return EXIT_FAILED;
        }
    };

    let name = destination.name().to_owned();
    output::exit_code(&name, write(calculations, arguments, (format, destination)))
}

fn write(
    mut calculations: Vec<Calculation>,
    arguments: &CalculateArguments,
    (format, mut destination): (ResultFormat, Destination),
) -> io::Result<()> {
    let quiet = arguments.output.is_quiet();
    let say = |calculations: &[Calculation]| {
        calculations.iter().filter(|_| !quiet).for_each(print_summary);
    };

    let scale = output::credit_scale(&calculations);
    if let Some(credits) = arguments.output.credit_format(format, scale)? {
        let mut writer = CreditWriter::begin(destination, credits, arguments.worker_threads())?;
        say(&calculations);
        for calculation in &mut calculations {
            writer.add(std::mem::take(&mut calculation.credits))?;
        }
        return writer.finish()?.finish();
    }

    let alone = calculations.first().is_some_and(|one| one.period == arguments.period);
    let shown = NotedCalculations { calculations: &calculations, note: None, alone };
    let lists = (format, arguments.output.shown_lists());
    show::write_calculations(&mut destination, lists, shown)?;
    destination.finish()?;
    say(&calculations);
    Ok(())
}

fn read_calculations(ledger: Ledger, plan: &str, period: &str) -> Result<Vec<Calculation>, String> {
    let files = ledger.active_files().map_err(|error| error.to_string())?;
    let ruleset = files.and_then(|files| Ruleset::read(&files, &Default::default()).0);
    let ruleset = ruleset.ok_or("the file has no rules that this version can read")?;

    let context = Context::new(ledger, Arc::new(ruleset), Box::new(FileSurroundings));
    let context = context.map_err(|error| error.to_string())?;
    let scopes = calculations::calculation_scopes(&context, plan, period);
    let scopes = scopes.map_err(|error| error.to_string())?;

    let read = scopes.iter().map(|scope| rewards::read_calculation(&context, scope));
    let read: Result<Vec<Calculation>, StoreError> = read.collect();
    read.map_err(|error| error.to_string())
}

/// What surrounds a file that is only read: the clock of this machine, and nothing that acts.
struct FileSurroundings;

impl Surroundings for FileSurroundings {
    fn now_ms(&self) -> i64 {
        HostClock { business_date: None }.now_ms()
    }

    fn business_date(&self, zone: &str) -> Date {
        HostClock { business_date: None }.business_date(zone)
    }

    fn connector(&self, _: &str) -> Option<&'static dyn Connector> {
        None
    }

    fn connectors(&self) -> &'static [&'static dyn Connector] {
        &[]
    }

    fn secrets_of<'a>(
        &'a self,
        _: &Ledger,
        _: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, OperationError> {
        Ok(Box::new(|| ()))
    }

    fn note_activation(&self) {}

    fn elapsed(&self) -> Duration {
        clock::elapsed()
    }

    fn note_commit(&self, _: &[(String, Vec<Decision>)], _: Duration) {}

    fn note_refusal(&self) {}
}
