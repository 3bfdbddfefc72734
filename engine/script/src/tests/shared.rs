//! Functions that policies share: where their faults and steps are shown, and that hostile ones end.

use std::sync::Arc;

use super::{Machine, ScriptArguments, ScriptFault, credit, program, receiver, seen, transaction};
use crate::shared::{self, SEAM};
use crate::trace;
use accredit_domain::diagnostic::{Place, TextOrigin};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, Programs};

const FILE: &str = "policies/shared/s.rhai";

/// A policy of these two texts, as a workspace puts them together.
fn joined(text: &str, policy: &str) -> Program {
    let own = Place::new("file", 1, 1);
    let behind = u32::try_from(text.matches('\n').count()).unwrap() + 3;
    let parts = [(1, Place::new(FILE, 1, 1)), (behind, own.clone())];
    let source = format!("{text}{SEAM}{policy}");
    Program {
        origin: TextOrigin::of_files(own, parts),
        ..program(ProgramForm::Policy(PolicyKind::Value), &source)
    }
}

fn fault(text: &str, policy: &str) -> ScriptFault {
    let mut programs = Programs::default();
    let id = programs.add(joined(text, policy));
    let (tx, credit, to) = (transaction(), credit(), receiver());
    let arguments = ScriptArguments { credit: Some(&credit), to: Some(&to), ..seen(&tx) };
    Machine::new(&programs).run(id, &arguments).unwrap_err()
}

#[test]
fn faults_name_the_file_in_which_they_happen() {
    let text = "const ZERO = 0\n// a comment";
    let found = fault(text, "fn value(tx, to) {\n  1 / ZERO\n}");
    assert_eq!(found.place, Place::new("file", 2, 5));

    let found = fault("\nfn part(x) {\n  throw \"no\"\n}", "fn value(tx, to) { part(1) }");
    assert_eq!((found.place, found.message.as_str()), (Place::new(FILE, 3, 3), "no"));

    let found = fault("fn part(x) { x }", "fn value(tx, to) {\n\n  1 / part(0)\n}");
    assert_eq!((found.place.file.as_str(), found.place.line), ("file", 3), "{found:?}");
}

/// A limit that was met inside a shared function was told of the policy alone, at its first line.
#[test]
fn hostile_functions_end_with_a_fault_of_the_policy() {
    let policy = "fn value(tx, to) { part(1) }";
    let hostile = [
        ("\nfn part(x) { part(x + 1) }", "CALL_LEVELS_MAX"),
        ("\nfn part(x) { other(x) }\nfn other(x) { part(x) }", "CALL_LEVELS_MAX"),
        ("\nfn part(x) { while true { let y = 1; } }", "SCRIPT_OPERATIONS_MAX"),
        ("\nfn part(x) { value(x, x) }", "CALL_LEVELS_MAX"),
        ("\nfn part(x) { let a = []; loop { a.push(1); } }", "ARRAY_ITEMS_MAX"),
    ];
    for (text, limit) in hostile {
        let found = fault(text, policy);
        let late = limit == "SCRIPT_OPERATIONS_MAX" && found.message.contains("took longer");
        assert!(found.message.contains(limit) || late, "{text}: {found:?}");
        if !late {
            let own = text.contains("value(") && found.place.file == "file";
            let shared = found.place.file == FILE && found.place.line > 1;
            assert!(own || shared, "{text}: {:?}", found.place);
        }
    }
}

/// What is refused before anything is joined: a text that reaches into the policy behind it.
#[test]
fn a_shared_text_is_whole() {
    let read = |text: &str| shared::read_shared_file(FILE, &Arc::from(text));
    let broken = [
        "fn part(x) { x } /* open",
        "fn part(x) { x } /* a /* nested */",
        "fn part(x) { x",
        "const A = \"open",
        "const A = `open",
        "fn round(x) { x }",
        "fn value(tx, to) { 1 }",
        "let x = 1;",
        "part(1)",
        "fn part(x) { eval(x) } import \"a\" as b;",
        "fn part(x) { x } fn part(y) { y }",
    ];
    for text in broken {
        assert!(read(text).is_err(), "{text}");
    }

    assert!(read(&" ".repeat(70_000)).is_err());

    let fine =
        ["", "\n", "// only a comment", "const A = 1", "fn part(x) { x } // end", "fn a() {}\r\n"];
    for text in fine {
        assert!(read(text).is_ok(), "{text}: {:?}", read(text));
    }
}

#[test]
fn steps_of_a_shared_function_name_its_file() {
    let program = joined("\nfn part(x) {\n  x * 2\n}", "fn value(tx, to) {\n  part(3)\n}");
    let (tx, to) = (transaction(), receiver());
    let arguments = ScriptArguments { to: Some(&to), ..seen(&tx) };
    let steps = trace::trace_steps(&program, &arguments).unwrap();
    let shown: Vec<(u32, &str)> =
        steps.iter().map(|step| (step.line, step.text.as_str())).collect();
    let inner = format!("{FILE}: x * 2");
    assert!(shown.contains(&(3, inner.as_str())), "{shown:?}");
    assert!(shown.contains(&(2, "part(3)")), "{shown:?}");
    // A refusal names the policy's file, so its line is one of that file.
    assert_eq!(trace::trace_answer(&program, &arguments).line, Some(2));
}

/// An answer of the wrong kind was told of the policy's first line.
#[test]
fn an_answer_of_the_wrong_kind_names_the_line_that_gave_it() {
    let text = "fn value(tx, to) {\n  let n = ();\n  if tx.amount < 0 {\n    n = 1;\n  }\n  n\n}";
    let found = fault("fn part(x) { x }", text);
    assert!(found.message.contains("this one returned ()"), "{found:?}");
    assert_eq!(found.place, Place::new("file", 6, 3));

    let found =
        fault("fn part(x) { x }", "fn value(tx, to) {\n  if true {\n    return ();\n  }\n  1\n}");
    assert_eq!((found.place.file.as_str(), found.place.line), ("file", 3), "{found:?}");

    let found = fault("\nfn part(x) {\n  ()\n}", "fn value(tx, to) {\n  part(1)\n}");
    assert_eq!(found.place, Place::new("file", 2, 3), "the answer is the policy's own");
}
