//! The policy in accredit, as the pipeline runs it: a machine, one deal at a time.

use std::sync::Arc;

use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, ProgramId, Programs};
use accredit_domain::transaction::NameColumns;
use accredit_script::machine::find_fallbacks;
use accredit_script::{Machine, ReferenceData, ScriptAnswer, ScriptArguments};

use super::{Deal, Part, Policy};

/// Forms of the same policy, each with something that a compiler may refuse; the first that is not
/// compiled counts.
const CANDIDATES: [&str; 3] = [
    r#"/// The weights of both are in a map.
fn credit(tx) {
    let first = tx["Rep 1"];
    let second = tx["Rep 2"];
    if tx.quantity >= 1000 || second.is_empty() {
        return first;
    }
    let weights = #{ first: 0.5, second: 0.5 };
    if tx.quantity >= 500 {
        weights.first = 0.6;
        weights.second = 0.4;
    } else if tx["City"] == "Berlin" {
        weights.first = 0.7;
        weights.second = 0.3;
    }
    [share(first, weights.first), share(second, weights.second)]
}
"#,
    r#"/// The weights of both are in an array.
fn credit(tx) {
    let first = tx["Rep 1"];
    let second = tx["Rep 2"];
    if tx.quantity >= 1000 || second.is_empty() {
        return first;
    }
    let weights = [0.5, 0.5];
    if tx.quantity >= 500 {
        weights[0] = 0.6;
        weights[1] = 0.4;
    } else if tx["City"] == "Berlin" {
        weights[0] = 0.7;
        weights[1] = 0.3;
    }
    [share(first, weights[0]), share(second, weights[1])]
}
"#,
    r#"/// The weight of the first is computed behind a dot.
fn weight() {
    if this.quantity >= 500 {
        return 0.6;
    }
    if this["City"] == "Berlin" {
        return 0.7;
    }
    0.5
}

fn credit(tx) {
    let first = tx["Rep 1"];
    let second = tx["Rep 2"];
    if tx.quantity >= 1000 || second.is_empty() {
        return first;
    }
    let weight = tx.weight();
    [share(first, weight), share(second, 1.0 - weight)]
}
"#,
];

pub struct Accredit {
    machine: Machine,
    id: ProgramId,
    reference: Arc<ReferenceData>,
}

impl Accredit {
    /// The policy compiled.
    pub fn compiled(source: &str, reference: &Arc<ReferenceData>) -> Accredit {
        let program = program(source);
        assert_eq!(find_fallbacks(&program), [], "the policy of the benchmark is not compiled");
        Accredit::new(program, reference)
    }

    /// A policy with the same answers that is not compiled; none when all candidates are.
    pub fn not_compiled(reference: &Arc<ReferenceData>) -> Option<Accredit> {
        find_not_compiled().map(|source| Accredit::new(program(source), reference))
    }

    fn new(program: Program, reference: &Arc<ReferenceData>) -> Accredit {
        let mut programs = Programs::default();
        let id = programs.add(program);
        Accredit { machine: Machine::new(&programs), id, reference: Arc::clone(reference) }
    }
}

/// The first candidate that is not compiled.
pub fn find_not_compiled() -> Option<&'static str> {
    let mut candidates = CANDIDATES.into_iter();
    candidates.find(|source| {
        find_fallbacks(&program(source)).iter().any(|fallback| fallback.function == "credit")
    })
}

impl Policy for Accredit {
    type Answer = ScriptAnswer;

    fn run(&mut self, deals: &[Deal], take: &mut impl FnMut(ScriptAnswer)) {
        for deal in deals {
            let names = NameColumns::Owner;
            let seen = ScriptArguments::of_transaction(&deal.tx, &self.reference, names);
            take(self.machine.run(self.id, &seen).unwrap());
        }
    }

    fn parts(answer: ScriptAnswer) -> Vec<Part> {
        match answer {
            ScriptAnswer::Text(who) => vec![Part::alone(&*who)],
            ScriptAnswer::Shares(shares) => shares
                .iter()
                .map(|share| Part { weight: share.weight, ..Part::alone(&*share.who) })
                .collect(),
            other => panic!("not recipients: {other:?}"),
        }
    }
}

fn program(source: &str) -> Program {
    Program {
        form: ProgramForm::Policy(PolicyKind::Crediting),
        source: Arc::from(source),
        name: Arc::from("crediting/two-reps"),
        origin: Place::new("policies/crediting/two-reps.rhai", 1, 1).into(),
        constants: Vec::new(),
    }
}
