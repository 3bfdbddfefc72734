//! Scripts that want to hurt: each ends with a fault, none with a panic or a full stack.

use super::{policy, shown};
use crate::runs::limit_totals;
use accredit_domain::policy::PolicyKind;

/// Faults whose message contains the text; on a thread with this stack, if any.
fn check(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        let source = format!("fn value(tx, to) {{ {body} }}");
        let shown = shown(policy(PolicyKind::Value, &source));
        // On a busy machine the clock may be first.
        let late = expected.contains("SCRIPT_OPERATIONS_MAX") && shown.contains("took longer");
        assert!(shown.contains(expected) || late, "{body}: {shown}");
    }
}

#[test]
fn limits_hold() {
    check(&[
        ("loop {}", "more than 200000 operations (SCRIPT_OPERATIONS_MAX)"),
        ("while true { let x = 1; }", "SCRIPT_OPERATIONS_MAX"),
        ("for i in 0..9223372036854775807 { }", "SCRIPT_OPERATIONS_MAX"),
        ("let s = \"ab\"; loop { s += s; }", "STRING_BYTES_MAX"),
        ("let s = \"aaaa\"; loop { s = s.replace(\"a\", s); }", "STRING_BYTES_MAX"),
        ("let s = \"ab\"; loop { s = `${s}${s}`; }", "STRING_BYTES_MAX"),
        ("let a = []; loop { a.push(1); }", "ARRAY_ITEMS_MAX"),
        ("let a = []; loop { a = [a, a]; }", "ARRAY_ITEMS_MAX"),
        ("let a = []; loop { a = [a]; }", "ARRAY_ITEMS_MAX"),
        // Rhai does not measure a map that grows by assignment; the operations end it.
        ("let m = #{}; let n = 0; loop { m[\"k\" + n] = 1; n += 1; }", "SCRIPT_OPERATIONS_MAX"),
        ("let m = #{}; loop { m = #{a: m, b: m}; }", "MAP_KEYS_MAX"),
        ("let s = \"a,\"; for i in 0..11 { s += s } s.split(\",\").len()", "ARRAY_ITEMS_MAX"),
    ]);
}

/// Only the message of a parked deal told that a script had met a limit.
#[test]
fn limits_that_are_met_are_counted() {
    let before = limit_totals();
    limits_hold();
    let declare = (0..140).map(|number| format!("let v{number} = to;")).collect::<String>();
    check(&[(&declare, "VARIABLES_MAX")]);
    let endless = "fn f(n) { f(n + 1) }\nfn value(tx, to) { f(0) }";
    assert!(policy(PolicyKind::Value, endless).is_err());

    let now = limit_totals().into_iter().zip(before);
    let grown = now.filter(|((_, now), (_, before))| now > before);
    let met: Vec<&str> = grown.map(|((name, _), _)| name).filter(|name| *name != "time").collect();
    let expected =
        ["operations", "call_depth", "variables", "text_bytes", "array_items", "map_keys"];
    assert_eq!(met, expected);
}

#[test]
fn limits_cannot_be_caught() {
    check(&[
        ("try { loop {} } catch { return 1; }", "SCRIPT_OPERATIONS_MAX"),
        ("try { let a = []; loop { a.push(1); } } catch { return 1; }", "ARRAY_ITEMS_MAX"),
    ]);
}

#[test]
fn dangerous_words_are_absent() {
    check(&[
        ("let f = Fn(\"abs\"); 1", "Fn"),
        ("let f = |x| x + 1; f(1)", "unknown function `f`"),
        ("let f = || 1; f.call()", "expecting name of a property"),
        ("let x = 1; x.curry(1)", "expecting name of a property"),
        ("eval(\"1\")", "eval"),
        ("let a = []; a.pad(4611686018427387904, 1); 1", "unknown function `pad`"),
        ("sleep(1)", "unknown function `sleep`"),
        ("timestamp()", "unknown function `timestamp`"),
        ("print(1)", "print"),
        ("debug(1)", "debug"),
        ("import \"x\" as y; 1", "import"),
        ("2 ** 3", "**"),
        ("1 << 3", "<<"),
        ("[3, 1].sort()", "unknown function `sort`"),
        ("parse_json(\"1\")", "unknown function `parse_json`"),
    ]);
}

/// The clock ended them after 250 ms, so that the same deal was parked on a busy machine alone.
#[test]
fn slow_functions_meet_the_limit_of_operations() {
    let grow = "let s = \"a\"; for i in 0..12 { s += s }";
    let body = format!("{grow} loop {{ s.to_upper().to_lower().replace(\"a\", \"b\"); }}");
    let started = std::time::Instant::now();
    let shown = shown(policy(PolicyKind::Value, &format!("fn value(tx, to) {{ {body} }}")));

    // The clock may be first on a machine that is slow enough, and not before.
    let late = shown.contains("took longer") && started.elapsed().as_secs() >= 9;
    let expected = "more than 200000 operations (SCRIPT_OPERATIONS_MAX)";
    assert!(shown.contains(expected) || late, "{shown}");
}

#[test]
fn messages_are_cut() {
    let body = "let s = \"a\"; for i in 0..12 { s += s } throw s";
    let fault = policy(PolicyKind::Value, &format!("fn value(tx, to) {{ {body} }}")).unwrap_err();
    assert_eq!(fault.message.len(), 4096);
}

/// Calls inside calls, each inside so many parentheses.
fn deep(depth: usize) -> String {
    let (open, close) = ("(1 + ".repeat(depth), ")".repeat(depth));
    format!(
        "fn down(n) {{ if n == 0 {{ 0 }} else {{ {open}down(n - 1){close} }} }}\n\
         fn value(tx, to) {{ down(22) }}"
    )
}

fn recursion() {
    let endless = "fn f(n) { f(n + 1) }\nfn value(tx, to) { f(0) }";
    let message = shown(policy(PolicyKind::Value, endless));
    assert!(message.contains("CALL_LEVELS_MAX"), "{message}");
    let runs = |depth: &usize| policy(PolicyKind::Value, &deep(*depth)).is_ok();
    let deepest = (1..50).take_while(runs).last().unwrap_or_default();
    assert!(deepest >= 15, "only {deepest} parentheses in a function");
    assert_eq!(shown(policy(PolicyKind::Value, &deep(deepest))), (deepest * 22).to_string());
    let nested = format!("fn value(tx, to) {{ {}1{} }}", "(".repeat(500), ")".repeat(500));
    let message = shown(policy(PolicyKind::Value, &nested));
    assert!(message.contains("nested too deep"), "{message}");
    let blocks = format!("fn value(tx, to) {{ {}1{} }}", "{".repeat(500), "}".repeat(500));
    let message = shown(policy(PolicyKind::Value, &blocks));
    assert!(message.contains("nested too deep"), "{message}");
}

#[test]
fn recursion_stays_within_a_default_stack() {
    std::thread::Builder::new().stack_size(2 << 20).spawn(recursion).unwrap().join().unwrap();
}

#[test]
fn recursion_stays_within_the_stack_of_a_worker() {
    std::thread::Builder::new().stack_size(16 << 20).spawn(recursion).unwrap().join().unwrap();
}

#[test]
fn large_sources_are_refused() {
    let source = format!("fn value(tx, to) {{ 1 }} // {}", "x".repeat(70_000));
    let message = shown(policy(PolicyKind::Value, &source));
    assert!(message.contains("SOURCE_BYTES_MAX"), "{message}");
}
