//! The table of functions without an interpreter.

use super::*;
use crate::api;
use crate::trace::{evaluate_expression, show_value};
use crate::value::ScriptValue;
use jiff::civil::date;

/// Values of every kind that is written in a script, each with its text.
fn samples() -> Vec<(&'static str, ScriptValue)> {
    let entry = (Arc::from("a"), ScriptValue::Whole(1));
    vec![
        ("()", ScriptValue::Unit),
        ("true", ScriptValue::Bool(true)),
        ("2", ScriptValue::Whole(2)),
        ("1.50", ScriptValue::Number(Decimal::new(150, 2))),
        ("\"month\"", ScriptValue::from("month")),
        ("date(2022, 1, 31)", ScriptValue::Date(date(2022, 1, 31))),
        ("[2]", ScriptValue::Array(vec![ScriptValue::Whole(2)])),
        ("#{a: 1}", ScriptValue::Map(BTreeMap::from([entry]))),
    ]
}

/// The text of a call, and what the table itself makes of it.
fn call_table(
    function: &api::ScriptFunction,
    given: &[(&'static str, ScriptValue)],
) -> (String, Result<String, String>) {
    let texts: Vec<&str> = given.iter().map(|(text, _)| *text).collect();
    let values: Vec<ScriptValue> = given.iter().map(|(_, value)| value.clone()).collect();

    let is_name = function.name.starts_with(char::is_alphabetic);
    let source = match texts.as_slice() {
        [x] if !is_name => format!("{}{x}", function.name),
        [x, y] if !is_name => format!("({x} {} {y})", function.name),
        texts => format!("{}({})", function.name, texts.join(", ")),
    };

    let outcome = (function.call)(&values);
    (source, outcome.map(|value| show_value(&value)).map_err(|error| error.message))
}

/// Functions were closures over Rhai's engine, so nothing else could call them. The table gives the
/// same values and the same errors without it.
#[test]
fn functions_answer_without_the_interpreter_as_they_do_in_it() {
    let tx = transaction();
    let arguments = seen(&tx);
    let _surroundings = arguments.open_surroundings();
    let mut compared = 0;

    // `push` gives the longer array here, and changes the array of a script in its place.
    for function in api::all_functions().filter(|function| function.name != "push") {
        let mut calls = Vec::new();
        if function.arities.contains(&0) {
            calls.push(call_table(function, &[]));
        }
        for one in samples() {
            if function.arities.contains(&1) {
                calls.push(call_table(function, std::slice::from_ref(&one)));
            }
            for other in samples().into_iter().filter(|_| function.arities.contains(&2)) {
                calls.push(call_table(function, &[one.clone(), other]));
            }
        }

        for (source, expected) in calls {
            assert_eq!(evaluate_expression(&source, &arguments), expected, "{source}");
            compared += 1;
        }
    }

    assert!(compared > 1000, "{compared}");
}
