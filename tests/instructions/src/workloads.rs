//! The workloads that run inside this program: each is prepared, then counted.

use std::hint::black_box;
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, Programs};
use accredit_domain::transaction::read::read_csv;
use accredit_domain::transaction::{Decoder, NameColumns};
use accredit_script::{Machine, ScriptArguments};

use crate::company;

/// Their names, in the order in which they are counted.
pub const NAMES: [&str; 4] = ["check", "decide", "policy", "read"];

/// The function whose instructions count, as Valgrind knows it.
pub const COUNTED: &str = "instructions::workloads::counted";

const POLICY_RUNS: usize = 2000;
const DECIDED_DEALS: usize = 500;
const READ_DEALS: usize = 2000;

/// Prepares and runs the workload with this name.
pub fn run(name: &str) {
    match name {
        "check" => check(),
        "decide" => decide(),
        "policy" => policy(),
        "read" => read(),
        other => panic!("there is no workload {other}; there are {NAMES:?}"),
    }
}

/// Everything in here counts, and nothing else.
#[inline(never)]
fn counted(mut work: impl FnMut()) {
    work();
    // The end of the function: nothing is inlined into its caller.
    black_box(());
}

/// A directory is checked, and its policies are compiled.
fn check() {
    let files = company::files();
    counted(|| company::ruleset(&files).with_machine(compiled));
}

/// Deals are decided by a plan with four policies, and rolled up.
fn decide() {
    let ruleset = company::ruleset(&company::files());
    let records = read_csv(company::deals(DECIDED_DEALS).as_bytes()).unwrap();
    let transactions = calculation::latest_versions(&ruleset, &records, None);
    let inputs = DecisionInputs::default();

    // On this thread: Valgrind begins to count on the thread that enters `counted`.
    ruleset.with_machine(|machine| {
        counted(|| {
            for tx in &transactions {
                black_box(calculation::decide_deal(&ruleset, tx, &inputs, machine));
            }
        });
    });
}

/// A crediting policy of ten lines is compiled once and run often.
fn policy() {
    let ruleset = company::ruleset(&company::files());
    let records = read_csv(company::deals(POLICY_RUNS).as_bytes()).unwrap();
    let transactions = calculation::latest_versions(&ruleset, &records, None);

    counted(|| {
        let mut programs = Programs::default();
        let id = programs.add(crediting());
        let mut machine = Machine::new(&programs);
        for tx in &transactions {
            let reference = &ruleset.reference;
            let seen = ScriptArguments::of_transaction(tx, reference, NameColumns::Owner);
            black_box(machine.run(id, &seen).unwrap());
        }
    });
}

/// Deals are read out of CSV and decoded.
fn read() {
    let fields = company::ruleset(&company::files()).settings.fields;
    let text = company::deals(READ_DEALS);
    counted(|| {
        let mut decoder = Decoder::new(Arc::clone(&fields));
        for record in &read_csv(text.as_bytes()).unwrap() {
            black_box(decoder.decode(record));
        }
    });
}

/// A machine compiles its programs when it is made.
fn compiled(machine: &mut Machine) {
    black_box(machine);
}

fn crediting() -> Program {
    Program {
        form: ProgramForm::Policy(PolicyKind::Crediting),
        source: Arc::from(company::CREDITING),
        name: Arc::from("crediting/two-reps"),
        origin: Place::new("policies/crediting/two-reps.rhai", 1, 1).into(),
        constants: Vec::new(),
    }
}
