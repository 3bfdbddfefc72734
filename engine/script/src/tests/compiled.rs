//! Compiled programs answer as the interpreter does: texts that try each part of the language, and
//! generated ones.
//!
//! Every text that the other tests run is run both ways too. Called by nobody.
//!
//! **Architecture invariant:** what is compared is the answer, or the fault with its place.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::library;
use crate::machine::{find_fallbacks, has_compiled_entry};

/// Each part of the language that is compiled, in a few lines.
pub(super) const COMPILED: &[&str] = &[
    "fn credit(tx) { tx.default_credit }",
    "fn credit(tx) { let x = 1; let x = x + 1; `${x}` }",
    "fn credit(tx) { let x = 1; { let x = 5; } `${x}` }",
    "fn credit(tx) { let x = 1; { x = 5; let y = x; } `${x}` }",
    "const A = 2; const B = A * 3; fn credit(tx) { `${A}:${B}` }",
    "const A = 2; fn credit(tx) { let A = 7; `${A}` }",
    "fn credit(tx) { if tx.amount > 1000 { \"big\" } else if tx.amount > 10 { \"mid\" } else { \
     \"\" } }",
    "fn credit(tx) { if tx.amount > 1000 { return \"big\"; } \"small\" }",
    "fn credit(tx) { if tx.amount < 10 { \"big\" } }",
    "fn credit(tx) { let x = if tx.amount > 10 { 1 } else { 2 }; `${x}` }",
    "fn credit(tx) { let x = { let y = 2; y * 3 }; `${x}` }",
    "fn credit(tx) { let x = { 5; }; if x == () { \"nothing\" } else { `${x}` } }",
    "fn credit(tx) { 5; }",
    "fn credit(tx) { let x = 5; }",
    "fn credit(tx) { }",
    "fn credit(tx) { let s = 0; for i in 0..5 { s += i; } `${s}` }",
    "fn credit(tx) { let s = 0; for i in 0..=5 { if i == 2 { continue; } if i == 4 { break; } \
     s += i; } `${s}` }",
    "fn credit(tx) { let s = \"\"; for (x, n) in [\"a\", \"b\"] { s += `${n}${x}`; } s }",
    "fn credit(tx) { let n = 0; while n < 7 { n += 2; } `${n}` }",
    "fn credit(tx) { let n = 0; loop { n += 1; if n > 3 { break; } } `${n}` }",
    "fn credit(tx) { let a = [1, 2]; a.push(3); push(a, 4); `${a.len()} ${sum(a)} ${a[0]} \
     ${a[3]}` }",
    "fn credit(tx) { let a = [1, 2]; let b = a; b.push(3); `${a.len()} ${b.len()}` }",
    "fn grow(a) { a.push(9); a.len() } fn credit(tx) { let a = [1]; let n = grow(a); `${n} \
     ${a.len()}` }",
    "fn credit(tx) { let m = #{ a: 1, \"b c\": 2 }; `${m.a} ${m[\"b c\"]} ${m.has(\"x\")} \
     ${m.keys().len()}` }",
    "fn credit(tx) { let k = \"a\"; let m = #{ a: 1 }; `${m[k]}` }",
    "fn twice(x) { x * 2 } fn credit(tx) { `${twice(twice(2))}` }",
    "fn down(n) { if n <= 0 { return 0; } 1 + down(n - 1) } fn credit(tx) { `${down(10)}` }",
    "fn credit(tx) { let a = [3, 1, 2]; `${sum_by(a, |x| x * 2)} ${any(a, |x| x > 2)} ${all(a, \
     |x| x > 2)}` }",
    "fn credit(tx) { let a = sort_by([3, 1, 2], |x| x); `${a[0]}${a[1]}${a[2]}` }",
    "fn credit(tx) { let a = [3, 1, 2].filter(|x| x > 1).map(|x| x + 1); `${a.len()} \
     ${sum(a)}` }",
    "fn credit(tx) { if \"a\" in [\"a\", \"b\"] && !(1 in [2]) { \"in\" } else { \"out\" } }",
    "fn credit(tx) { if tx[\"deal_stage\"] == \"Won\" || tx.nothing { \"won\" } else { \"\" } }",
    "fn credit(tx) { `${tx.date.year} ${tx.date + 30} ${tx[\"Rep #1\"].to_upper()}` }",
    "fn credit(tx) { [share(\"Ann\", 0.5), share(\"Bob\", 0.5)] }",
    "fn credit(tx) { let w = [0.6, 0.4]; [share(\"Ann\", w[0]), share(\"Bob\", w[1])] }",
    "fn credit(tx) { `${-tx.amount} ${10 % 3} ${1 / 3} ${7 / 2} ${2 * 0.5}` }",
    "fn credit(tx) { let x = 5; x -= 2; x *= 4; x /= 3; x %= 3; `${x}` }",
    "fn credit(tx) { let x = \"a\"; x += 1; x += true; x }",
    "fn credit(tx) { 'c' + \"d\" }",
    // Cells of the deal, where they are.
    "fn credit(tx) { let who = tx[\"Rep #1\"]; let who = who + \"!\"; who }",
    "fn credit(tx) { let who = tx[\"Rep #1\"]; if who == \"\" { who = \"x\"; } who }",
    "fn credit(tx) { let who = tx[\"Rep #1\"]; { let who = 1; who += 1; } who }",
    "fn credit(deal) { deal.customer + deal[\"Rep #1\"] }",
    "fn credit(tx) { tx = 5; `${tx}` }",
    "fn credit(tx) { let tx = #{ amount: 3 }; `${tx.amount}` }",
    "fn credit(tx) { if tx.amount >= 1234.5 && tx.amount < 1000 + 235 { tx[\"no such\"] + \"a\" \
     } else { \"\" } }",
    "fn credit(tx) { if tx[\"deal_stage\"] in [\"Lost\", \"Won\"] { \"in\" } else { \"out\" } }",
    "fn credit(tx) { `${tx.has(\"Units\")} ${tx.has(\"discount\")} ${tx.has(\"amount\")} \
     ${has(tx, \"Rep #1\")} ${tx.has(\"quantity\")} ${tx.has(\"period\")}` }",
    "fn credit(tx) { `${tx.id} ${tx.period} ${tx[\"Rep #1\"].is_empty()} ${tx.nothing == \"\"}` }",
    "fn rep(deal) { deal[\"Rep #1\"] } fn credit(tx) { rep(tx) + tx[\"Rep #1\"] }",
    "fn credit(tx) { if type(tx) == 1 { return credit(5); } \"a\" } fn type(x) { 2 }",
    // Shares that become the answer.
    "fn credit(tx) { let a = tx[\"Rep #1\"]; if tx.amount > 1 { return [share(a, 0.6), \
     share(\"B\", \
     1 - 0.6)]; } share(a) }",
    "fn credit(tx) { share(tx[\"Rep #1\"], 1) }",
    "fn credit(tx) { for i in 0..3 { if i == 1 { return [share(`R${i}`, i)]; } } () }",
    "fn pair(a) { [share(a, 1), share(\"B\", 2)] } fn credit(tx) { pair(\"A\") }",
    // `switch`.
    "fn credit(tx) { switch tx[\"deal_stage\"] { \"Lost\" => \"l\", \"Won\" | \"Paid\" => \
     \"w\", _ => \
     \"o\" } }",
    "fn credit(tx) { switch tx.amount { 0..1000 => \"s\", 1000..=2000 if tx.renewal => \"m\", _ => \
     \"l\" } }",
    "fn credit(tx) { switch 2 { 1 => { return \"one\"; } 2 => { let x = 3; `${x}` } _ => \"\" } }",
    "fn credit(tx) { let n = 0; for i in 0..9 { switch i { 3 => { break; } _ => { n += 1; } } } \
     `${n}` }",
    "fn credit(tx) { let x = switch tx.customer { \"Acme\" => [share(\"A\", 1)], _ => [] }; x }",
    // Values that may be nothing.
    "fn credit(tx) { let m = #{ a: #{ b: 5 }, n: () }; `${m?.a?.b ?? 7} ${m.n?.b ?? 8} \
     ${m.n?[\"c\"] ?? 9}` }",
    "fn credit(tx) { let n = (); `${n ?? 1} ${n?.a.b.c ?? 2} ${() ?? () ?? 3}` }",
    // Loops that look at their condition at the end.
    "fn credit(tx) { let n = 0; do { n += 1; } while n < 5; `${n}` }",
    "fn credit(tx) { let n = 0; do { n += 2; if n == 4 { continue; } if n > 8 { break; } } \
     until n == 4; `${n}` }",
    // Items and keys that change.
    "fn credit(tx) { let a = [1, 2]; a[0] = 7; a[1] += 3; `${a[0]} ${a[1]}` }",
    "fn credit(tx) { let m = #{ a: 1 }; m.b = 2; m[\"c\"] = 3; m.a += 4; \
     `${m.a}${m.b}${m.c}${m.len()}` }",
    "fn credit(tx) { let a = [#{ n: [1] }]; a[0].n[0] = 9; a[0].x = \"y\"; \
     `${a[0].n[0]}${a[0].x}` }",
    "fn credit(tx) { let a = [1, 2, 3]; for (x, i) in a { a[i] = x * 2; } `${sum(a)}` }",
    "fn credit(tx) { let a = [1]; let b = a; b[0] = 5; `${a[0]}${b[0]}` }",
];

/// What goes wrong goes wrong in the interpreter, with its words and places.
const FAULTS: &[&str] = &[
    "fn credit(tx) {\n    tx.amount + \"a\" > 1\n}",
    "fn credit(tx) {\n    let a = [1];\n    `${a[1]}`\n}",
    "fn credit(tx) {\n    let a = [1, 2];\n    `${a[-1]}`\n}",
    "fn credit(tx) {\n    let m = #{ a: 1 };\n    `${m.b}`\n}",
    "fn credit(tx) {\n    throw \"no rep\";\n}",
    "fn credit(tx) {\n    if tx.amount { \"x\" } else { \"y\" }\n}",
    "fn credit(tx) {\n    tx[\"Units\"] > 1\n}",
    "fn credit(tx) {\n    tx[\"discount\"] > 1\n}",
    "fn credit(tx) {\n    let n = 0;\n    loop { n += 1; }\n}",
    "fn f(n) { f(n + 1) }\nfn credit(tx) {\n    f(0)\n}",
    "fn credit(tx) {\n    let s = \"x\";\n    for i in 0..20 { s += s; }\n    s\n}",
    "fn credit(tx) {\n    let a = [];\n    for i in 0..1001 { a.push(i); }\n    \"\"\n}",
    "fn credit(tx) {\n    let a = [];\n    for i in 0..900 { a.push(i); }\n    `${a.len()}`\n}",
    "fn credit(tx) {\n    let s = 0;\n    for i in 0..9000 { s += i; }\n    `${s}`\n}",
    "fn credit(tx) {\n    1 / 0\n}",
    "fn credit(tx) {\n    for x in 5 { }\n    \"\"\n}",
    "fn credit(tx) {\n    filter([1], |x| 5)\n}",
    "fn credit(tx) {\n    1 == \"1\"\n}",
    "fn credit(tx) {\n    5\n}",
    "fn credit(tx) {\n    let who = tx[\"discount\"];\n    \"a\"\n}",
    "fn credit(tx) {\n    let who = tx[\"signed\"];\n    \"a\"\n}",
    "fn credit(tx) {\n    [share(\"\", 1)]\n}",
    "fn credit(tx) {\n    share(tx[\"Rep #1\"], \"x\")\n}",
    "fn credit(tx) {\n    switch tx.amount { \"a\" => \"\", _ => \"b\" }\n}",
    "fn credit(tx) {\n    switch tx.customer { 1 => \"\", _ => \"b\" }\n}",
    "fn credit(tx) {\n    let a = [1];\n    a[1] = 2;\n    \"\"\n}",
    "fn credit(tx) {\n    let a = [1];\n    a[-1] = 2;\n    `${a[0]}`\n}",
    "fn credit(tx) {\n    let m = #{};\n    m.a += 1;\n    \"\"\n}",
    "fn credit(tx) {\n    let m = #{};\n    m.a.b = 1;\n    \"\"\n}",
    "fn credit(tx) {\n    let n = 0;\n    do { continue; } while false;\n    \"\"\n}",
    "fn credit(tx) {\n    let n = ();\n    n?.a + 1;\n    n.a\n}",
    "fn credit(tx) {\n    tx.amount in [1, \"a\"]\n}",
    "fn credit(tx) {\n    tx.amount = 5;\n    \"\"\n}",
    "fn credit(tx) {\n    let n = ();\n    `${n?.len(1 / 0)}`\n}",
];

#[test]
fn each_part_of_the_language_is_compiled_and_answers_alike() {
    for source in COMPILED {
        let form = ProgramForm::Policy(PolicyKind::Crediting);
        assert_eq!(find_fallbacks(&program(form, source)), Vec::new(), "{source}");
        // The comparison is in `policy`.
        let _answer = policy(PolicyKind::Crediting, source);
    }
}

#[test]
fn what_goes_wrong_is_said_by_the_interpreter() {
    for source in FAULTS {
        let _answer = policy(PolicyKind::Crediting, source);
    }
}

#[test]
fn what_only_the_interpreter_knows_is_named() {
    let cases = [
        ("fn credit(tx) { try { 1 / 0; } catch { } \"\" }", "`try`"),
        (
            "fn credit(tx) { let n = (); `${n?.has(tx.customer) ?? 1}` }",
            "an argument behind `?.` that is computed",
        ),
        (
            "fn credit(tx) { let x = 1; `${max(x, { x = 5; 2 })}` }",
            "a change of a variable inside an argument",
        ),
        (
            "fn credit(tx) { let a = [1]; `${a.contains({ a.push(7); 7 })}` }",
            "a change of a variable inside an argument",
        ),
        ("fn f() { this } fn credit(tx) { tx.f() }", "a function of the script behind a dot"),
    ];
    for (source, what) in cases {
        let form = ProgramForm::Policy(PolicyKind::Crediting);
        let reasons = find_fallbacks(&program(form, source));
        let reasons: Vec<&str> = reasons.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, [what], "{source}");
        let _answer = policy(PolicyKind::Crediting, source);
    }
}

/// Functions that only the interpreter knows, and entry points that are compiled.
const PARTLY: &[&str] = &[
    "fn risky(x) { try { 10 / x } catch { 0 } } fn credit(tx) { `${risky(2)} ${risky(0)}` }",
    "const A = 2; fn risky(x) { try { x / 0 } catch { A } } fn credit(tx) { `${risky(1) + A}` }",
    "fn risky(deal) { try { throw 1; } catch { deal[\"Rep #1\"] } } fn credit(tx) { risky(tx) }",
    "fn risky(a) { try { a.push(1 / 0); } catch { a.push(7); } a } fn credit(tx) { let a = [1]; let b = \
     risky(a); `${a.len()} ${b.len()}` }",
    "fn risky(x) { try { x + 1 } catch { x } } fn credit(tx) { let n = 0; for i in 0..50 { n = risky(n); \
     } `${n}` }",
    "fn twice(x) { x * 2 } fn risky(x) { try { twice(x) } catch { x } } fn credit(tx) { \
     `${twice(risky(2))}` }",
    // What goes wrong in it, and what comes near a limit, is for a run of the interpreter alone.
    "fn risky(x) { try { } catch { } throw `no ${x}`; }\nfn credit(tx) {\n    risky(3)\n}",
    "fn risky(x) { try { } catch { } \"a\" + 1 > x }\nfn credit(tx) {\n    risky(3)\n}",
    "fn risky(x) { try { x + 1 } catch { x } } fn credit(tx) { let n = 0; for i in 0..2000 { n = \
     risky(n); } `${n}` }",
    "fn risky(x) { try { x + 1 } catch { x } } fn credit(tx) { let n = 0; for i in 0..9000 { n = \
     risky(n); } `${n}` }",
    "fn risky(x) { try { } catch { } let a = []; for i in 0..x { a.push(i); } a } fn credit(tx) { \
     `${risky(900).len()}` }",
    "fn risky(x) { try { } catch { } let a = []; for i in 0..x { a.push(i); } a } fn credit(tx) { \
     `${risky(1001).len()}` }",
];

/// One function with `try` made the whole policy run in the interpreter, ten times as slow.
#[test]
fn a_function_that_is_not_compiled_is_left_to_the_interpreter_alone() {
    let form = ProgramForm::Policy(PolicyKind::Crediting);
    for source in PARTLY {
        let program = program(form, source);
        let fallbacks = find_fallbacks(&program);
        let functions: Vec<&str> = fallbacks.iter().map(|it| it.function.as_str()).collect();
        assert_eq!(functions, ["risky"], "{source}");
        assert!(has_compiled_entry(&program), "{source}");
        let _answer = policy(PolicyKind::Crediting, source);
    }

    // Levels and operations of both together are those that the interpreter counts.
    let deep = (5..28).map(|depth| {
        format!(
            "fn risky(n) {{ try {{ }} catch {{ }} if n <= 0 {{ return 0; }} 1 + risky(n - 1) }} \
             fn credit(tx) {{ `${{risky({depth})}}` }}"
        )
    });
    let long = (1..12).map(|rounds| {
        format!(
            "fn risky(n) {{ try {{ }} catch {{ }} for i in 0..{} {{ n += 1; }} n }} \
             fn credit(tx) {{ let n = 0; for i in 0..1500 {{ n = risky(n); }} `${{n}}` }}",
            rounds * 4
        )
    });
    let answers = deep.chain(long).map(|source| policy(PolicyKind::Crediting, &source).is_ok());
    let answers: Vec<bool> = answers.collect();
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");

    // What has no name cannot be called by one.
    let anonymous = "fn credit(tx) { `${sum_by([1, 2], |x| { try { x } catch { 0 } })}` }";
    assert!(!has_compiled_entry(&program(form, anonymous)));
    let _answer = policy(PolicyKind::Crediting, anonymous);
}

/// Every `.rhai` file below `folder`.
fn scripts_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rhai") {
            found.push(path);
        }
    }
}

/// A shipped policy that is left to the interpreter is ten times as slow, and its answers do not show it.
#[test]
fn every_shipped_policy_is_compiled() {
    let mut shipped: Vec<(PolicyKind, String)> =
        library::LIBRARY.iter().map(|(kind, _, source)| (*kind, (*source).to_owned())).collect();

    // The folder of a policy is its kind; `api.d.rhai` is none.
    let mut files = Vec::new();
    scripts_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts"), &mut files);
    for file in files {
        let folder = file.parent().and_then(Path::file_name).unwrap().to_string_lossy();
        let Some(kind) = PolicyKind::parse(&folder) else { continue };
        shipped.push((kind, fs::read_to_string(&file).unwrap()));
    }

    let templates = 5;
    assert!(shipped.len() >= 2 * library::LIBRARY.len() + templates, "{} policies", shipped.len());
    for (kind, source) in shipped {
        let fallbacks = find_fallbacks(&program(ProgramForm::Policy(kind), &source));
        assert_eq!(fallbacks, [], "{source}");
    }
}

/// Writes random programs: every text is one that the parser takes, and most of them run.
struct Writer {
    state: u64,
    depth: u32,
}

impl Writer {
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.state >> 33) % end
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        let place = usize::try_from(self.below(texts.len() as u64)).unwrap();
        texts[place].to_owned()
    }

    /// An expression of a kind: `n` number, `t` text, `b` true or false, `a` array of numbers.
    fn expression(&mut self, kind: char) -> String {
        if self.depth == 0 {
            return self.leaf(kind);
        }
        self.depth -= 1;
        let text = self.branch(kind);
        self.depth += 1;
        text
    }

    fn leaf(&mut self, kind: char) -> String {
        match kind {
            'n' => self.one_of(&[
                "1",
                "0",
                "2.50",
                "x",
                "y",
                "tx.amount",
                "credit.amount",
                "LIMIT",
                "-3",
            ]),
            't' => self.one_of(&[
                "\"a\"",
                "\"\"",
                "s",
                "tx[\"Rep \
            #1\"]",
                "tx.customer",
                "`${x}`",
            ]),
            'b' => self.one_of(&["true", "false", "tx[\"renewal\"]", "x > y", "s == \"a\""]),
            _ => self.one_of(&["[1, 2, 3]", "[]", "a", "[x, y]"]),
        }
    }

    fn branch(&mut self, kind: char) -> String {
        let roll = self.below(14);
        match (kind, roll) {
            ('n', 0..=3) => {
                let sign = self.one_of(&["+", "-", "*", "/", "%"]);
                format!("({} {sign} {})", self.expression('n'), self.expression('n'))
            }
            ('n', 4) => format!("min({}, {})", self.expression('n'), self.expression('n')),
            ('n', 5) => format!("{}.len()", self.expression('a')),
            ('n', 6) => format!("sum({})", self.expression('a')),
            ('n', 7) => format!("sum_by({}, |x| x * 2 + LIMIT)", self.expression('a')),
            ('n', 8) => format!("helper({}, {})", self.expression('n'), self.expression('b')),
            ('n', 9) => format!("{}[{}]", self.expression('a'), self.below(3)),
            ('n', 10) => format!("len({})", self.expression('t')),
            ('n', 12) => format!("(m?.k ?? {})", self.expression('n')),
            ('n', 13) => self.switch('n'),
            ('t', 0..=2) => format!("({} + {})", self.expression('t'), self.expression('n')),
            ('t', 3) => format!("`<${{{}}}|${{{}}}>`", self.expression('n'), self.expression('t')),
            ('t', 4) => format!("{}.to_upper()", self.expression('t')),
            ('t', 5) => format!("to_text({})", self.expression('n')),
            ('t', 6) => self.switch('t'),
            ('t', 7) => format!("(nothing?.k.j ?? {})", self.expression('t')),
            ('b', 0..=2) => {
                let sign = self.one_of(&["==", "!=", "<", "<=", ">", ">="]);
                format!("({} {sign} {})", self.expression('n'), self.expression('n'))
            }
            ('b', 3) => format!("({} && {})", self.expression('b'), self.expression('b')),
            ('b', 4) => format!("({} || {})", self.expression('b'), self.expression('b')),
            ('b', 5) => format!("!{}", self.expression('b')),
            ('b', 6) => format!("({} in {})", self.expression('n'), self.expression('a')),
            ('b', 7) => format!("any({}, |x| x > LIMIT)", self.expression('a')),
            ('b', 9) => format!("({} in [\"a\", \"Ann Lee\", \"s\"])", self.expression('t')),
            ('b', 10) => format!("{}.is_empty()", self.expression('t')),
            ('b', 12) => format!("all({}, |x| x != LIMIT)", self.expression('a')),
            ('b', 13) => self.one_of(&[
                "tx.has(\"Units\")",
                "tx.has(\"Rep #1\")",
                "tx.amount >= 1234.5",
                "tx[\"Rep #1\"] != \"Ann\"",
                "credit.amount < 200",
            ]),
            ('b', 8) => format!("{}.starts_with({})", self.expression('t'), self.expression('t')),
            ('a', 0..=2) => format!("[{}, {}]", self.expression('n'), self.expression('n')),
            ('a', 3) => format!("({} + {})", self.expression('a'), self.expression('n')),
            ('a', 4) => format!("filter({}, |x| x > 1)", self.expression('a')),
            ('a', 5) => format!("map({}, |x| x - LIMIT)", self.expression('a')),
            ('a', 6) => format!("sort_by({}, |x| -x)", self.expression('a')),
            (kind, 11) => {
                let condition = self.expression('b');
                format!(
                    "if {condition} {{ {} }} else {{ {} }}",
                    self.expression(kind),
                    self.expression(kind)
                )
            }
            (kind, _) => self.leaf(kind),
        }
    }

    /// A `switch` over a number or a text, with an arm that has a condition at times.
    fn switch(&mut self, kind: char) -> String {
        let arms = match self.below(3) {
            0 => ("x", "1 =>", "0..3 if y > 2 =>"),
            1 => ("tx[\"Rep #1\"]", "\"Ann Lee\" | \"b\" =>", "\"c\" =>"),
            _ => ("s", "\"s\" =>", "\"a\" | \"<1|s>\" if x > 1 =>"),
        };
        let (value, one, other) = arms;
        format!(
            "(switch {value} {{ {one} {}, {other} {}, _ => {{ {} }} }})",
            self.expression(kind),
            self.expression(kind),
            self.expression(kind)
        )
    }

    fn statement(&mut self) -> String {
        let (kind, name) = match self.below(4) {
            0 => ('n', "x"),
            1 => ('n', "y"),
            2 => ('t', "s"),
            _ => ('a', "a"),
        };
        match self.below(14) {
            9 => format!(
                "a[{}] {}= {};",
                self.below(3),
                self.one_of(&["", "+"]),
                self.expression('n')
            ),
            10 => format!("m.{} = {};", self.one_of(&["k", "j"]), self.expression('n')),
            11 => format!("m[\"k\"] += {};", self.expression('n')),
            12 => format!(
                "n = 0; do {{ n += 1; {} {} }} {} n > 2;",
                self.statement(),
                self.one_of(&["", "if x > 3 { break; }", "if n == 2 { continue; }"]),
                self.one_of(&["until", "while !("]),
            )
            .replace("while !( n > 2;", "while !(n > 2);"),
            13 => format!("let s = tx[\"Rep #1\"]; {}", self.statement()),
            0..=1 => format!("let {name} = {};", self.expression(kind)),
            2 => format!("{name} = {};", self.expression(kind)),
            3 => format!("x {}= {};", self.one_of(&["+", "-", "*"]), self.expression('n')),
            4 => format!("a.push({});", self.expression('n')),
            5 => format!("if {} {{ {} }}", self.expression('b'), self.statement()),
            6 => format!("for i in 0..{} {{ {} x += i; }}", self.below(4), self.statement()),
            7 => format!(
                "for v in {} {{ {} if v > 2 {{ break; }} }}",
                self.expression('a'),
                self.statement()
            ),
            _ => format!("if {} {{ return {}; }}", self.expression('b'), self.expression('t')),
        }
    }

    fn program(&mut self) -> String {
        let mut text = "const LIMIT = 1.5;\n\
            fn helper(n, flag) { if flag { return n * 2; } n + LIMIT }\n\
            fn hold(tx, credit) {\n\
            let x = 1; let y = 2.25; let s = \"s\"; let a = [1]; let m = #{ k: 3 };\n\
            let n = 0; let nothing = ();\n"
            .to_owned();
        for _ in 0..self.below(6) {
            text.push_str(&self.statement());
            text.push('\n');
        }
        // Thrown, so that every value is seen.
        text.push_str("throw `${x} ${y} ${s} ${a.len()} ${sum(a)} ${m.len()} ${n} ${");
        text.push_str(&self.expression('t'));
        text.push_str("}`;\n}\n");
        text
    }

    /// The same with an answer of a text, which a run returns.
    fn answering(&mut self) -> String {
        let thrown = self.program().replace("fn hold(tx, credit)", "fn shown(tx, credit)");
        let returned = thrown.replace("throw `", "return `");
        format!(
            "{returned}fn duplicate(tx, credit, existing) {{ shown(tx, credit).len() % 2 == 0 \
             }}\n"
        )
    }
}

/// How many programs are generated, without `ACCREDIT_PROGRAMS`.
const PROGRAMS: u64 = 1_500;

#[test]
fn generated_programs_answer_alike() {
    let count = std::env::var("ACCREDIT_PROGRAMS").ok().and_then(|count| count.parse().ok());
    let (mut answered, mut compiled, count) = (0, 0, count.unwrap_or(PROGRAMS));

    for seed in 0..count {
        let mut writer = Writer { state: seed, depth: 3 };
        let crediting = writer.program().replace("fn hold(tx, credit)", "fn credit(tx)");
        let crediting = crediting.replace("credit.amount", "7").replace("throw `", "return `");
        let form = ProgramForm::Policy(PolicyKind::Crediting);
        compiled += u64::from(find_fallbacks(&program(form, &crediting)).is_empty());
        answered += u64::from(policy(PolicyKind::Crediting, &crediting).is_ok());

        let _answer = policy(PolicyKind::Duplication, &writer.answering());
    }

    // A generator whose programs fault, or are not compiled, would compare nothing.
    assert!(answered * 3 > count, "{answered} of {count} programs answer");
    assert!(compiled * 10 > count * 9, "{compiled} of {count} programs are compiled");
}

/// The same with a function in each that the compiler does not know.
#[test]
fn generated_programs_with_a_function_for_the_interpreter_answer_alike() {
    let count = std::env::var("ACCREDIT_PROGRAMS").ok().and_then(|count| count.parse().ok());
    let (mut answered, mut partly, count) = (0, 0, count.unwrap_or(PROGRAMS) / 3);

    for seed in 0..count {
        let mut writer = Writer { state: seed, depth: 3 };
        let crediting = writer.program().replace("fn hold(tx, credit)", "fn credit(tx)");
        let crediting = crediting.replace("credit.amount", "7").replace("throw `", "return `");
        let crediting =
            crediting.replace("fn helper(n, flag) {", "fn helper(n, flag) { try { } catch { }");
        let program = program(ProgramForm::Policy(PolicyKind::Crediting), &crediting);
        partly += u64::from(has_compiled_entry(&program) && !find_fallbacks(&program).is_empty());
        answered += u64::from(policy(PolicyKind::Crediting, &crediting).is_ok());
    }
    assert!(answered * 3 > count, "{answered} of {count} programs answer");
    assert!(partly * 5 > count, "{partly} of {count} programs call it");
}
