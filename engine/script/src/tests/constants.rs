//! Constants that are set where a policy is named decide wherever its text does: in a run, in a
//! check, in a trace and in what is counted.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{known, program, receiver, seen, transaction};
use crate::{Machine, ScriptAnswer, ScriptArguments, check, constants, trace};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, Programs};

const PART: &str = "const SHARE = 0.5;\nconst OTHER = 1 - SHARE;\n\
    fn value(tx, to) {\n    part(100) + OTHER\n}\nfn part(of) {\n    of * SHARE\n}\n";

fn part(text: &str) -> Program {
    let policy = program(ProgramForm::Policy(PolicyKind::Value), PART);
    let constants = constants::parse_constants(&policy, text).unwrap();
    Program { constants, ..policy }
}

#[test]
fn a_run_a_trace_and_coverage_see_the_value_that_is_set() {
    let tx = transaction();
    let arguments = ScriptArguments { to: Some(&receiver()), ..seen(&tx) };
    for (text, share, amount) in
        [("", "0.5", "50.5"), ("0.375", "0.375", "38.125"), ("SHARE = -2", "-2", "-197")]
    {
        let mut programs = Programs::default();
        let id = programs.add(part(text));
        for mut machine in [Machine::new(&programs), Machine::with_coverage(&programs)] {
            let answer = machine.run(id, &arguments);
            assert_eq!(
                answer,
                Ok(ScriptAnswer::Number(amount.parse::<Decimal>().unwrap())),
                "{text}"
            );
            assert!(machine.collect_coverage().iter().all(|one| one.lines[&7].runs == 1));
        }
        let steps = trace::trace_steps(&part(text), &arguments).unwrap();
        let seen = ("SHARE".to_owned(), share.to_owned());
        assert!(steps.iter().any(|step| step.reads.contains(&seen)), "{steps:?}");
        assert_eq!(check(&part(text), &known()), []);
    }
}

#[test]
fn a_check_judges_the_value_that_is_set() {
    let source = "const A = 0.5;\nfn credit(tx) { [share(\"x\", A), share(\"y\", 0.5)] }";
    let policy = program(ProgramForm::Policy(PolicyKind::Crediting), source);
    assert_eq!(check(&policy, &known()), []);
    let constants = constants::parse_constants(&policy, "0.4").unwrap();
    let other = Program { constants, name: Arc::from("other"), ..policy };
    let found = check(&other, &known());
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), ["CR014"]);
}
