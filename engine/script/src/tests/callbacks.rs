//! Functions that a script gives to `filter` and its like: what they answer, what they may not
//! return, and what they cost.

use super::{known, policy, program, shown};
use crate::{Machine, check};
use accredit_domain::policy::{PolicyKind, ProgramForm, Programs};

fn outcome(body: &str) -> String {
    shown(policy(PolicyKind::Value, &format!("fn value(tx, to) {{ {body} }}")))
}

#[test]
fn functions_of_items_answer() {
    let cases = [
        ("sum(filter([1, 5, 9], |x| x > 4))", "14"),
        ("[1, 5, 9].filter(|x| x > 4).len()", "2"),
        ("sum([1, 2].map(|x| x * 1.5))", "4.5"),
        ("if any([1, 2], |x| x == 2.0) { 1 } else { 0 }", "1"),
        ("if any([], |x| x) { 1 } else { 0 }", "0"),
        ("if all([1, 2], |x| x > 1) { 1 } else { 0 }", "0"),
        ("if all([], |x| x) { 1 } else { 0 }", "1"),
        ("sum_by([#{ a: 1 }, #{ a: 2.5 }], |row| row.a)", "3.5"),
        ("sum_by([], |x| x)", "0"),
        ("sort_by([3, 1.5, 2], |x| x)[0]", "1.5"),
        ("sort_by([3, 1, 2], |x| -x)[0]", "3"),
        ("sort_by([#{ k: \"b\", n: 1 }, #{ k: \"a\", n: 2 }], |x| x.k)[0].n", "2"),
        ("sort_by([#{ k: 1, n: 1 }, #{ k: 1, n: 2 }], |x| x.k)[0].n", "1"),
        ("sort_by([date(2022, 2, 1), date(2022, 1, 3)], |x| x)[0].day", "3"),
        ("let a = [2, 1]; sort_by(a, |x| x); a[0]", "2"),
        ("sum([[1, 2], [3]].map(|row| sum(row.map(|x| x * 2))))", "12"),
        ("sum([1, 2].map(|x| { let y = x + 1; y }))", "5"),
    ];
    for (body, expected) in cases {
        assert_eq!(outcome(body), expected, "{body}");
    }
}

#[test]
fn constants_are_seen_in_functions_of_items() {
    let source = "const FLOOR = 4;\nfn value(tx, to) { sum([1, 5].filter(|x| x > FLOOR)) }";
    assert_eq!(shown(policy(PolicyKind::Value, source)), "5");
}

/// Rhai's own functions read a result that is no boolean as `false`: a deal lost its credit without
/// a word.
#[test]
fn functions_of_items_must_return_what_is_asked() {
    let cases = [
        ("filter([1], |x| x)", "the function of `filter` must return true or false, not number"),
        ("any([1], |x| ())", "the function of `any` must return true or false, not ()"),
        ("all([1], |x| \"true\")", "the function of `all` must return true or false, not text"),
        ("sum_by([1], |x| \"1\")", "the function of `sum_by` must return a number, not text"),
        ("sort_by([1], |x| true)", "must return a number, a text or a date, not bool"),
        ("sort_by([1, \"a\"], |x| x)", "must return keys of one kind, and returned text as well"),
        ("filter([1], \"is_big\")", "`filter` takes an array and a function"),
        ("filter(1, |x| true)", "`filter` takes an array and a function"),
        ("map([1], |x| 1 / 0)", "division by zero"),
        ("let limit = 2; filter([1], |x| x > limit)", "unknown variable `limit`"),
    ];
    for (body, expected) in cases {
        let shown = outcome(&format!("{body}; 1"));
        assert!(shown.contains(expected), "{body}: {shown}");
    }
}

fn hostile() {
    let many = "let a = []; for i in 0..900 { a.push(i) }";
    let cases = [
        ("a.map(|x| { loop {} })", "SCRIPT_OPERATIONS_MAX"),
        ("for i in 0..900 { sort_by(a, |x| -x) }", "SCRIPT_OPERATIONS_MAX"),
        ("loop { a.any(|x| false); }", "SCRIPT_OPERATIONS_MAX"),
        ("try { loop { a.map(|x| x + 1); } } catch { return 1; }", "SCRIPT_OPERATIONS_MAX"),
        ("nest(a)", "SCRIPT_OPERATIONS_MAX"),
        ("again([1])", "CALL_LEVELS_MAX"),
        ("a.map(|x| [1, 2, 3]).len()", "ARRAY_ITEMS_MAX"),
    ];
    for (body, expected) in cases {
        let source = format!(
            "fn nest(a) {{ sort_by(a, |x| {{ let b = []; for i in 0..900 {{ b.push(i) }} \
             sum_by(sort_by(b, |y| -y), |y| y) }}) }}\n\
             fn again(a) {{ a.map(|x| again([x])) }}\n\
             fn value(tx, to) {{ {many} {body}; 1 }}"
        );
        let shown = shown(policy(PolicyKind::Value, &source));
        let late = expected.contains("OPERATIONS") && shown.contains("took longer");
        assert!(shown.contains(expected) || late, "{body}: {shown}");
    }
}

#[test]
fn operations_and_levels_count_in_functions_of_items() {
    std::thread::Builder::new().stack_size(2 << 20).spawn(hostile).unwrap().join().unwrap();
}

#[test]
fn functions_of_items_are_checked() {
    let cases = [
        ("sum(filter([1], |x| x > 0))", ""),
        ("[1].map(|x| [2].map(|y| x + y)); 1", "CR007 1:44 unknown variable `x`"),
        ("sum_by([1], |x| tx.amount)", "CR007 1:36 unknown variable `tx`"),
        ("let a = [1]; sum_by(a, |x| a.len())", "CR007 1:47 unknown variable `a`"),
        ("sum_by([1], |tx| tx)", ""),
        (
            "[1].map(|x| { break; }); 1",
            "CR001 1:34 break statement should only be used \
         inside a loop",
        ),
        ("let m = map; 1", "CR007 1:28 unknown variable `map`"),
        ("[1].map(); 1", "CR004 1:24 `map` does not take 1 argument"),
        ("map([1], |x| x, 3); 1", "CR004 1:20 `map` does not take 3 arguments"),
        (
            "let f = |x| x; [1].map(f); 1",
            "CR008 1:28 policies may not use `|`; CR004 1:39 \
         `map` cannot be used with array, something",
        ),
        ("sum_by([1], |x| y)", "CR007 1:36 unknown variable `y`"),
        ("sum_by([1], |x| x.foo(1))", "CR003 1:38 unknown function `foo`"),
        ("sum_by([1], |x, y| x)", "CR004 1:32 the function of `sum_by` must take 1 argument"),
        ("sum_by([1], || 1)", "CR004 1:32 the function of `sum_by` must take 1 argument"),
        ("sum_by([1], \"f\")", "CR004 1:20 `sum_by` cannot be used with array, text"),
        ("sum_by(1, |x| x)", "CR004 1:20 `sum_by` cannot be used with number, function"),
        ("let f = |x| x; 1", "CR008 1:28 policies may not use `|`"),
        ("tx.amount | 2", "CR008 1:30 policies may not use `|`"),
    ];
    for (body, expected) in cases {
        let source = format!("fn value(tx, to) {{ {body} }}");
        let found = check(&program(ProgramForm::Policy(PolicyKind::Value), &source), &known());
        let found: Vec<String> = found
            .iter()
            .filter(|finding| finding.is_error())
            .map(|finding| {
                let place = &finding.place;
                format!("{:?} {}:{} {}", finding.code, place.line, place.column, finding.message)
            })
            .collect();
        assert_eq!(found.join("; "), expected, "{body}");
    }
}

/// An intake policy could not use `map`, since its own function has that name: the message spoke of a
/// `|` that is not allowed.
#[test]
fn an_intake_policy_maps_the_items_of_its_payload() {
    let outcome = |body: &str| {
        let source = format!("fn map(payload) {{ {body} }}");
        let program = program(ProgramForm::Policy(PolicyKind::Intake), &source);
        let found = check(&program, &known());
        let found: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {}", finding.message, finding.help.as_deref().unwrap_or("")))
            .collect();
        let mut programs = Programs::default();
        let id = programs.add(program);
        let payload = serde_json::json!({ "items": [{ "id": "a" }, { "id": "b" }] });
        let rows = Machine::new(&programs).run_intake(id, &payload);
        (found.join("; "), rows.map_or(0, |rows| rows.len()))
    };

    let plain = outcome("map(payload.items, |item| #{ id: item.id })");
    assert_eq!(plain, (String::new(), 2));
    assert_eq!(outcome("payload.items.filter(|item| item.id == \"b\")"), (String::new(), 1));

    // Behind a dot it would be the entry point itself.
    let (found, rows) = outcome("payload.items.map(|item| #{ id: item.id })");
    assert_eq!(rows, 0);
    let told = "`map` is a function of this policy here, and takes no function \
                write `map(items, |item| …)`, with the items in the brackets";
    assert_eq!(found, told);
}

/// A function called `round` or `filter` took the place of the language's, and nobody was told.
#[test]
fn a_function_in_the_place_of_one_of_the_language_is_warned_of() {
    let found = |functions: &str| {
        let source = format!("fn value(tx, to) {{ 1 }}\n{functions}");
        let found = check(&program(ProgramForm::Policy(PolicyKind::Value), &source), &known());
        let found = found.iter().filter(|finding| finding.code.as_str() != "CR017");
        let found = found.map(|finding| format!("{} {}", finding.code, finding.place.line));
        found.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(found("fn round(x) { 7 }"), "CR026 2");
    assert_eq!(found("fn filter(items, test) { [] }"), "CR026 2");
    assert_eq!(found("fn round(x, y, z) { 7 }\nfn rounded(x) { 7 }\nfn _max(x, y) { x }"), "");
}
