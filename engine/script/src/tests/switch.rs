//! `switch`: what each label takes, what is refused when a policy is saved, and that it decides as
//! the chain of `if` that it stands for.

use super::*;
use crate::{check, constants, trace};
use accredit_domain::diagnostic::Diagnostic;

/// The outcome of each body of a value policy.
fn run_table(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        let source = format!("fn value(tx, to) {{ {body} }}");
        assert_eq!(shown(policy(PolicyKind::Value, &source)), *expected, "{body}");
    }
}

/// Findings of a value policy with this body in its second line, warnings included.
fn findings(body: &str) -> String {
    let source = format!("fn value(tx, to) {{\n{body}\n}}");
    let found = check(&program(ProgramForm::Policy(PolicyKind::Value), &source), &known());
    let word = |finding: &Diagnostic| {
        let place = &finding.place;
        format!("{:?} {}:{} {}", finding.code, place.line, place.column, finding.message)
    };
    found.iter().map(word).collect::<Vec<_>>().join("; ")
}

/// Rhai's own `switch` matched labels by hash and kind: a decimal 1.0 never had the label 1, and the
/// deal fell silently to the default.
#[test]
fn a_value_has_the_labels_that_it_equals() {
    run_table(&[
        ("switch 1.0 { 1 => 10, _ => 20 }", "10"),
        ("switch 1 { 1.0 => 10, _ => 20 }", "10"),
        ("switch 1.10 { 1.1 => 10, _ => 20 }", "10"),
        ("switch number(\"0.50\") { 0.5 => 10, _ => 20 }", "10"),
        ("switch 3 / 3 { 1 => 10, _ => 20 }", "10"),
        ("switch -1.0 { -1 => 10, _ => 20 }", "10"),
        ("switch 0 - 0.5 { -0.5 => 10, _ => 20 }", "10"),
        ("switch tx.amount { 1234.5 => 10, _ => 20 }", "10"),
        ("switch tx.deal_stage { \"Won\" => 10, _ => 20 }", "10"),
        ("switch tx.deal_stage { \"won\" => 10, _ => 20 }", "20"),
        ("switch tx.deal_stage { \"Lost\" | \"Won\" | \"Paid\" => 10, _ => 20 }", "10"),
        ("switch tx.deal_stage { `Won` => 10, _ => 20 }", "10"),
        ("switch \"a\" { 'a' => 10, _ => 20 }", "10"),
        ("switch \"_\" { \"_\" => 10, _ => 20 }", "10"),
        ("switch \"}\" { \"}\" => 10, \"if\" => 11, \"=>\" => 12, _ => 20 }", "10"),
        ("switch tx.renewal { true => 10, false => 20 }", "10"),
        ("switch () { () => 10, _ => 20 }", "10"),
        ("switch \"x\" { () => 10, _ => 20 }", "20"),
        ("switch month(tx.date) { 1 => 10, 2 => 20, _ => 30 }", "10"),
    ]);
}

#[test]
fn ranges_are_exact() {
    let tiers = |value: &str| {
        format!("switch {value} {{ 0..1000 => 1, 1000..=5000 => 2, 5000..9000 => 3, _ => 4 }}")
    };
    let cases = [
        ("0", "1"),
        ("999.99", "1"),
        ("1000.0", "2"),
        ("5000", "2"),
        ("5000.01", "3"),
        ("9000", "4"),
        ("-0.01", "4"),
        ("()", "4"),
        ("\"5\"", "cannot compare text with number @1:33"),
    ];
    for (value, expected) in cases {
        let source = format!("fn value(tx, to) {{ {} }}", tiers(value));
        let shown = shown(policy(PolicyKind::Value, &source));
        assert!(shown.starts_with(expected.split('@').next().unwrap()), "{value}: {shown}");
    }
    run_table(&[
        ("switch -3 { -5..-1 => 1, _ => 2 }", "1"),
        ("switch 7 { 1..5 | 7..9 => 1, _ => 2 }", "1"),
    ]);
}

#[test]
fn conditions_blocks_and_missing_defaults() {
    run_table(&[
        ("switch 1 { 1 if tx.amount > 9999 => 10, 1 | 2 if true => 20, _ => 30 }", "20"),
        ("switch 1 { 1 => { let x = 2; x * 5 } 2 => { 3 } _ => 4 }", "10"),
        ("switch 1 { 1 => { let x = 2; x * 5 }, 2 => { 3 }, _ => { 4 }, }", "10"),
        ("let rate = switch \"b\" { \"a\" => 0.1, _ => 0.2 }; rate * 10", "2.0"),
        ("switch 3 { 1 => 2 } 7", "7"),
        ("let x = 1; switch 3 { 3 => { x = 5; } } x", "5"),
        ("for i in 0..9 { switch i { 3 => { return i * 10; } } } 0", "30"),
        ("let n = 0; for i in 0..9 { switch i { 3 => { break; } _ => { n += 1; } } } n", "3"),
        ("let n = 0; for i in 0..9 { switch i { 3 => { continue; } _ => { n += 1; } } } n", "8"),
        ("switch 1 { 1 => switch 2 { 2 => 22, _ => 1 }, _ => 0 }", "22"),
        ("switch 1 { 1 => if tx.amount > 0 { 5 } else { 6 }, _ => 0 }", "5"),
        ("sum_by([1, 2, 3], |x| switch x { 1 => 10, 2 | 3 => 20, _ => 0 })", "50"),
        ("(switch 1 { 1 => 2, _ => 0 }) + 1", "3"),
        ("try { switch \"a\" { 1 => 2, _ => 3 } } catch (e) { return 9; } 0", "9"),
    ]);
    let missing = shown(policy(PolicyKind::Value, "fn value(tx, to) { switch 2 { 1 => 2 } }"));
    assert!(missing.contains("this one returned ()"), "{missing}");
    let thrown =
        "fn value(tx, to) {\n  switch 2 {\n    1 => 2,\n    _ => { throw \"no rate\"; }\n  }\n}";
    assert_eq!(shown(policy(PolicyKind::Value, thrown)), "no rate @4:12");
    // The place is that of the label which cannot be compared.
    let unlike =
        "fn value(tx, to) {\n  switch tx[\"deal_stage\"] {\n    \"a\" => 2,\n    7 => 3\n  }\n}";
    assert_eq!(shown(policy(PolicyKind::Value, unlike)), "cannot compare text with number @4:5");
}

#[test]
fn expressions_of_plans_may_switch() {
    let value = |source: &str| shown(expression(ExpressionUse::IndirectValue, source));
    assert_eq!(value("switch tx.deal_stage { \"Won\" => tx.amount, _ => 0 }"), "1234.5");
    assert_eq!(value("switch to.level { 1 => { credit.amount }, 2 | 3 => 0, _ => 0 }"), "100.50");
    assert_eq!(value("switch to.level { 2 => 1, _ => switch 5 { 5 => 6, _ => 7 } }"), "6");
}

/// Each body with its findings.
fn check_findings(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (body, expected) in cases {
        let found = findings(body);
        if found != *expected {
            wrong.push(format!("{body:?}\n   {found}\n   {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn labels_that_can_decide_are_accepted() {
    check_findings(&[
        ("switch tx.amount {\n1 => 1, 2.5 | 3 => 2, 10..20 => 3, _ => 4 }", ""),
        ("switch tx.deal_stage {\n\"Won\" | \"Lost\" => 1, _ => 4 }", ""),
        ("switch tx.renewal {\ntrue => 1, false => 2 }", ""),
        ("switch to.level {\n1 => 1, () => 2, _ => 3 }", ""),
        ("switch tx.deal_stage {\n\"Won\" if tx.amount > 5 => 1, \"Won\" => 2, _ => 4 }", ""),
        ("switch tx.amount {\n0..10 if tx.renewal => 1, 0..10 => 2, 5..20 => 3, _ => 4 }", ""),
        ("while true { switch tx.amount {\n1 => { break; } _ => { }\n} } 5", ""),
    ]);
}

#[test]
fn labels_have_the_kind_of_the_value() {
    check_findings(&[
        (
            "switch tx.amount {\n\"1\" => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is text, the value is number",
        ),
        (
            "switch tx.deal_stage {\n1 => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is number, the value is text",
        ),
        (
            "switch tx.deal_stage {\n1..5 => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is number, the value is text",
        ),
        (
            "switch tx.renewal {\n\"true\" => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is text, the value is bool",
        ),
        (
            "switch tx.amount {\n() => 1, _ => 4 }",
            "CR095 3:1 no value has this label: the value is never ()",
        ),
        (
            "switch to.level {\n\"1\" => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is text, the value is number",
        ),
        (
            "switch tx.has(\"amount\") {\n1 => 1, _ => 4 }",
            "CR095 3:1 no value has this label: it is number, the value is bool",
        ),
        (
            "let m = #{a: 1};\nswitch m.a { 1 => 1, \"a\" => 2, _ => 4 }",
            "CR095 3:22 no value has this label: it is text, the first label is number",
        ),
        (
            "switch tx.date {\n\"2022-01-31\" => 1, _ => 4 }",
            "CR095 2:8 `switch` cannot be used with date: no label is one",
        ),
        (
            "switch [1] {\n1 => 1, _ => 4 }",
            "CR095 2:8 `switch` cannot be used with array: no label is one",
        ),
        (
            "switch tx {\n1 => 1, _ => 4 }",
            "CR095 2:8 `switch` cannot be used with transaction: no label is one",
        ),
        ("switch tx.amount {\n_ => 4 }", "CR095 2:1 this `switch` has no label"),
        ("switch tx.amount { } 1", "CR095 2:1 this `switch` has no label"),
    ]);
}

#[test]
fn labels_are_written_out() {
    let literal = "CR095 3:1 a label is a text, a number, true, false, `()` or a range of \
     whole numbers, written out";
    check_findings(&[
        ("switch tx.deal_stage {\ntx.customer => 1, _ => 4 }", literal),
        ("switch tx.amount {\n1 + 1 => 1, _ => 4 }", literal),
        ("switch tx.amount {\nabs(1) => 1, _ => 4 }", literal),
        ("switch tx.amount {\n0.5..1 => 1, _ => 4 }", literal),
        ("switch tx.amount {\n[1, 2] => 1, _ => 4 }", literal),
        ("switch tx.deal_stage {\n`${tx.id}` => 1, _ => 4 }", literal),
        (
            "switch tx.date {\ndate(\"2022-01-31\") => 1, _ => 4 }",
            "CR095 2:8 `switch` cannot be used with date: no label is one; CR095 3:1 a \
             label is a text, a number, true, false, `()` or a range of whole numbers, written out",
        ),
        ("switch tx.amount {\n5..1 => 1, _ => 4 }", "CR095 3:1 no number is in the range `5..1`"),
        ("switch tx.amount {\n5..5 => 1, _ => 4 }", "CR095 3:1 no number is in the range `5..5`"),
    ]);
}

#[test]
fn labels_are_reached() {
    check_findings(&[
        (
            "switch tx.deal_stage {\n\"Won\" => 1,\n\"Won\" => 2, _ => 4 }",
            "CR096 4:1 `\"Won\"` has an arm already, in line 3",
        ),
        (
            "switch tx.amount {\n1 => 1,\n2 | 1.0 => 2, _ => 4 }",
            "CR096 4:5 `1.0` has an arm already, in line 3",
        ),
        (
            "switch tx.amount {\n1 | 1 if tx.renewal => 2, _ => 4 }",
            "CR096 3:5 `1` has an arm already, in line 3",
        ),
        (
            "switch tx.amount {\n0..10 => 1,\n5 => 2, _ => 4 }",
            "CR096 4:1 `5` is never reached: a range before it takes it",
        ),
        (
            "switch tx.amount {\n0..10 => 1,\n10 => 2, 10..20 => 3,\n5..15 => 5, _ => 4 }",
            "CR096 5:1 `5..15` is never reached: a range before it takes it",
        ),
        (
            "switch tx.renewal {\ntrue => 1, false => 2,\n_ => 4 }",
            "CR096 4:6 this arm is never reached: true and false have arms",
        ),
    ]);
}

#[test]
fn arms_are_checked_like_branches() {
    check_findings(&[
        (
            "switch tx.amount {\n1 => 1 }",
            "CR011 2:1 the result must be a number, but there is none",
        ),
        (
            "switch tx.renewal {\ntrue => 1 }",
            "CR011 2:1 the result must be a number, but there is none",
        ),
        (
            "switch tx.amount {\n1 => \"one\", _ => 2 }",
            "CR011 3:6 the result must be a number, this is text",
        ),
        (
            "switch tx.amount {\n1 if tx.amount => 1, _ => 2 }",
            "CR004 3:6 `if` needs true or false, this is number",
        ),
        ("switch tx.amount {\n1 => tx.amuont, _ => 2 }", "CR002 3:9 unknown field `amuont`"),
        (
            "switch tx.amount {\n1 => { return 1; }, _ => { return 2; }\n} 5",
            "CR012 4:3 nothing after `return`, `throw`, `break` or `continue` is reached",
        ),
        (
            "switch tx.amount {\n1 => 5, _ => 6\n} 5",
            "CR091 3:6 this value is not used: the program continues after it; CR091 3:14 \
             this value is not used: the program continues after it",
        ),
        (
            "switch tx.deal_stage {\n_ => 1, \"Won\" => 2 }",
            "CR001 3:9 default switch case must be the last",
        ),
        (
            "switch tx.deal_stage {\n_ if tx.renewal => 1 }",
            "CR001 3:3 this switch case cannot have a condition",
        ),
    ]);
}

/// Every kind of hostile text ends with a finding or a fault; none with a panic or a full stack.
#[test]
fn hostile_switches_end_within_the_limits() {
    let arms: String = (0..4000).map(|n| format!("{n}=>{n},")).collect();
    let many = format!("switch 3999 {{ {arms} _ => 0 }}");
    let ranges: String =
        (0..3000).map(|n| format!("{n}..{},", n * 2 + 1).replace(',', "=>1,")).collect();
    let wide = format!("switch 5 {{ {ranges} _ => 0 }}");
    let too_many: String = (0..10_000).map(|n| format!("{n} => {n},")).collect();
    let too_many = format!("switch 1 {{ {too_many} _ => 0 }}");
    let nested = format!("{}1{}", "switch 1 { 1 => ".repeat(100), ", _ => 0 }".repeat(100));
    let bars = format!("switch 1 {{ {} => 1, _ => 0 }}", ["1"; 200].join(" | "));
    let twice = format!("switch \"x\" {{ {} _ => 0 }}", "\"a\" => 1, ".repeat(2000));
    let cases = [
        (many.as_str(), "", "3999"),
        (wide.as_str(), "", "1"),
        (too_many.as_str(), "CR009", "SOURCE_BYTES_MAX"),
        (nested.as_str(), "CR001", "nested too deep"),
        (bars.as_str(), "CR001", "nested too deep"),
        (twice.as_str(), "CR096", "0"),
        ("loop { switch 3 { 0 => 1, 1 => 2, 2 => 3 } }", "CR012", "SCRIPT_OPERATIONS_MAX"),
        ("switch 1 { x => 1, _ => 0 }", "CR095", "a label must be written out"),
        ("switch 1 { tx.amount => 1, _ => 0 }", "CR095", "a label must be written out"),
        ("let n = 1; switch 2 { { n = 5; 2 } => 1, _ => 0 }", "CR095", "a label must be written"),
        ("switch 1 { [1] => 1, _ => 0 }", "CR095", "a label must be written out"),
        ("switch 1 { |x| x => 1, _ => 0 }", "CR", "a label must be written out"),
        ("switch 1 { 1 => |x| x, _ => 0 }", "CR008", "a value policy must return"),
        ("switch 1 { 1 => 1 2 => 2 }", "CR001", "expecting `,`"),
        ("switch 1 { 1 => return 1, _ => 0 }", "CR001", "return"),
        ("switch 1 { 1 => throw 1, _ => 0 }", "CR001", "throw"),
        ("switch 1 { 1 => ", "CR001", "unexpected `}`"),
        ("switch { 1 => 1 }", "CR001", ""),
        ("switch 1", "CR001", ""),
        ("let switch = 1; switch", "CR008", ""),
        ("switch 1 { 1 if => 1 }", "CR001", ""),
        ("switch 1 { 1, 2 => 1 }", "CR001", ""),
        ("switch 1 { 1 => 1,, 2 => 1 }", "CR001", ""),
        ("switch 1 { '}' => 1, _ => 0 }", "CR001", ""),
    ];
    let mut wrong = Vec::new();
    for (body, code, outcome) in cases {
        let head: String = body.chars().take(60).collect();
        let found: String = findings(body).chars().take(400).collect();
        if found.is_empty() != code.is_empty() || !found.contains(code) {
            wrong.push(format!("{head}: {found}"));
        }
        let shown = shown(policy(PolicyKind::Value, &format!("fn value(tx, to) {{ {body} }}")));
        if !shown.to_lowercase().contains(&outcome.to_lowercase()) {
            wrong.push(format!("{head}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A label that is compared is an operation, so arms without end are no way around the limit.
#[test]
fn labels_count_as_operations() {
    let arms: String = (0..3000).map(|n| format!("{n}=>1,")).collect();
    let body = format!("for i in 0..100 {{ switch 9999 {{ {arms} _ => {{ }} }} }} 1");
    let shown = shown(policy(PolicyKind::Value, &format!("fn value(tx, to) {{ {body} }}")));
    assert!(shown.contains("SCRIPT_OPERATIONS_MAX"), "{shown}");
}

fn deep_switches() {
    let run = |depth: usize| {
        let (open, close) = ("switch n { 0 => 0, _ => ".repeat(depth), " }".repeat(depth));
        let down =
            format!("fn down(n) {{ if n == 0 {{ 0 }} else {{ {open}down(n - 1){close} }} }}");
        shown(policy(PolicyKind::Value, &format!("{down}\nfn value(tx, to) {{ down(22) }}")))
    };
    let deepest = (1..50).take_while(|depth| run(*depth) == "0").last().unwrap_or_default();
    assert!(deepest >= 10, "only {deepest} inside each other: {}", run(deepest + 1));
    assert!(run(deepest + 1).contains("nested too deep"), "{}", run(deepest + 1));
}

#[test]
fn nested_switches_stay_within_a_default_stack() {
    std::thread::Builder::new().stack_size(2 << 20).spawn(deep_switches).unwrap().join().unwrap();
}

/// A small generator, so that the cases are the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len() as u64) as usize]
    }
}

/// A `switch` decides, and faults, as the chain of `if` that it stands for.
#[test]
fn a_switch_is_the_chain_of_if_that_it_stands_for() {
    let numbers = ["0", "1", "1.0", "1.50", "1.5", "-2", "-0.25", "2", "10", "100", "9.99"];
    let texts = ["\"\"", "\"a\"", "\"A\"", "\"a b\"", "\"é\"", "\"_\""];
    let others = ["true", "false", "()", "tx.date", "[1]", "tx"];
    let mut random = Random(7);
    for round in 0..400 {
        let labels: &[&str] = if random.below(2) == 0 { &numbers } else { &texts };
        let value = match random.below(5) {
            0 => random.pick(&others),
            1 => random.pick(&texts),
            2 => random.pick(&numbers),
            _ => random.pick(labels),
        };

        let (mut arms, mut chain) = (String::new(), "let v = VALUE; ".to_owned());
        for arm in 0..=random.below(5) {
            let (mut names, mut tests) = (Vec::new(), Vec::new());
            for _ in 0..=random.below(2) {
                let label = if random.below(9) == 0 { "()" } else { random.pick(labels) };
                names.push(label.to_owned());
                tests.push(format!("v == {label}"));
            }
            if labels[0] == "0" && random.below(3) == 0 {
                let (from, to) = (random.below(4), 4 + random.below(9));
                names.push(format!("{from}..{to}"));
                tests.push(format!("(v != () && v >= {from} && v < {to})"));
            }
            let (guard, and) = match random.below(4) {
                0 => (" if tx.amount > 5000", " && tx.amount > 5000"),
                1 => (" if tx.amount > 5", " && tx.amount > 5"),
                _ => ("", ""),
            };
            arms.push_str(&format!("{}{guard} => {arm}, ", names.join(" | ")));
            chain.push_str(&format!("if ({}){and} {{ return {arm}; }} ", tests.join(" || ")));
        }
        if random.below(2) == 0 {
            arms.push_str("_ => 77");
            chain.push_str("77");
        } else {
            chain.push_str("()");
        }

        let outcome = |body: &str| {
            let source = format!("fn value(tx, to) {{ {} }}", body.replace("VALUE", value));
            let shown = shown(policy(PolicyKind::Value, &source));
            shown.split(" @").next().unwrap().to_owned()
        };
        let switched = outcome(&format!("switch VALUE {{ {arms} }}"));
        assert_eq!(switched, outcome(&chain), "{round}: switch {value} {{ {arms} }}");
    }
}

/// The arms of a policy on lines 3 to 5, of which the deal takes the second.
const ARMS: &str = "fn value(tx, to) {\n  switch tx[\"deal_stage\"] {\n    \"Lost\" => 1,\n    \
                    \"Won\" => tx.amount * 2,\n    _ => { 0 }\n  }\n}";

#[test]
fn coverage_counts_every_arm_as_a_branch() {
    let (tx, to) = (transaction(), receiver());
    let arguments = ScriptArguments { to: Some(&to), ..seen(&tx) };
    let mut programs = Programs::default();
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Value), ARMS));
    let mut machine = Machine::with_coverage(&programs);
    assert_eq!(shown(machine.run(id, &arguments)), "2469.0");

    let counted = machine.collect_coverage();
    let taken: Vec<(u32, [u64; 2])> =
        counted[0].branches.iter().map(|(place, branch)| (place.0, branch.taken)).collect();
    assert_eq!(taken, [(3, [0, 1]), (4, [1, 0]), (5, [0, 1])]);
}

#[test]
fn an_explanation_shows_the_value_and_the_arm_that_was_taken() {
    let (tx, to) = (transaction(), receiver());
    let arguments = ScriptArguments { to: Some(&to), ..seen(&tx) };
    let program = program(ProgramForm::Policy(PolicyKind::Value), ARMS);
    let steps = trace::trace_steps(&program, &arguments).unwrap();
    let steps: Vec<(u32, Option<&str>)> =
        steps.iter().map(|step| (step.line, step.value.as_deref())).collect();
    assert_eq!(steps, [(2, Some("\"Won\"")), (4, Some("2469.0"))]);
    assert_eq!(trace::trace_answer(&program, &arguments).line, Some(4));
}

/// Shared functions and constants that a plan sets decide in a `switch` as elsewhere.
#[test]
fn a_switch_sees_constants_and_stands_in_functions() {
    let source = "const LIMIT = 5;\nfn tier(n) {\n\
                  switch n { 1 if LIMIT > 4 => \"A\", 1 => \"B\", _ => \"C\" } }\n\
                  fn value(tx, to) { switch tier(1.0) { \"A\" => 10, \"B\" => 20, _ => 30 } }";
    assert_eq!(shown(policy(PolicyKind::Value, source)), "10");
    let policy = program(ProgramForm::Policy(PolicyKind::Value), source);
    let constants = constants::parse_constants(&policy, "4").unwrap();
    let mut programs = Programs::default();
    let id = programs.add(Program { constants, ..policy });
    let (tx, to) = (transaction(), receiver());
    let arguments = ScriptArguments { to: Some(&to), ..seen(&tx) };
    assert_eq!(shown(Machine::new(&programs).run(id, &arguments)), "20");
}
