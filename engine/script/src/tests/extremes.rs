//! Every function and operator with the largest and smallest numbers, dates and texts: each call ends
//! with a value or an error that an author can read, none inside the program.

use super::{policy, shown};
use crate::api;
use accredit_domain::policy::PolicyKind;

/// Values that arithmetic forgets, as scripts write them.
const EXTREMES: [&str; 19] = [
    "0",
    "-1",
    "2",
    "20260131",
    "99999999",
    "9223372036854775807",
    "-9223372036854775807 - 1",
    "number(\"79228162514264337593543950335\")",
    "number(\"-79228162514264337593543950335\")",
    "number(\"0.0000000000000000000000000001\")",
    "date(\"9999-12-31\")",
    "add_days(date(100, 1, 1), -3688000)",
    "date(\"2024-02-29\")",
    "\"\"",
    "\"days\"",
    "\"9999999999999999999999999999999999999999\"",
    "\"2022-01-31\"",
    "[1, 2]",
    "()",
];

/// Operators, which cannot be called by name.
const OPERATORS: [&str; 14] =
    ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "..", "..=", "in"];

/// What is evaluated, with `x`, `y` and `z` in it.
fn calls() -> Vec<String> {
    let mut calls: Vec<String> = OPERATORS.iter().map(|sign| format!("x {sign} y")).collect();
    calls.push("-x".to_owned());
    let assigned = ["+=", "-=", "*=", "/=", "%="].iter();
    calls.extend(assigned.map(|sign| format!("{{ let v = x; v {sign} y; }}")));

    let is_word = |name: &str| name.starts_with(|first: char| first.is_alphabetic());
    for function in api::all_functions().filter(|function| is_word(function.name)) {
        for arity in function.arities.iter().filter(|arity| **arity <= 3) {
            let arguments = ["x", "y", "z"].get(..*arity).unwrap().join(", ");
            calls.push(format!("{}({arguments})", function.name));
        }
    }
    calls
}

/// `add_days(date, 20260131)` stopped the program: the library of dates takes a count beyond its
/// range for a mistake of the programmer.
#[test]
fn no_function_fails_inside() {
    let values = EXTREMES.join(", ");
    for call in calls() {
        // One value of `x` a run: a run has a limit of operations.
        for x in EXTREMES {
            let loops = match (call.contains('y'), call.contains('z')) {
                (false, _) => format!("try {{ {call}; }} catch (e) {{ }}"),
                (_, false) => format!("for y in all {{ try {{ {call}; }} catch (e) {{ }} }}"),
                (_, true) => format!(
                    "for y in all {{ for z in all {{ try {{ {call}; }} catch (e) {{ }} }} }}"
                ),
            };
            let body = format!("let all = [{values}]; let x = {x}; {loops} 1");
            let source = format!("fn value(tx, to) {{ {body} }}");
            let shown = shown(policy(PolicyKind::Value, &source));
            let slow = shown.contains("took longer") || shown.contains("SCRIPT_OPERATIONS_MAX");
            assert!(shown == "1" || slow, "{call} with {x}: {shown}");
        }
    }
}
