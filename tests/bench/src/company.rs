//! The company of the benchmark, made from a seed: 2,000 positions, four policies, any number of deals.
//!
//! A deal is written as soon as it is made, so ten million need no memory.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use accredit_workspace::Files;

/// The person at the top of everybody.
const TOP: &str = "ceo,CEO,CEO,\n";

const PRESIDENTS: u64 = 9;
const DIRECTORS: u64 = 90;
const MANAGERS: u64 = 400;
const REPS: u64 = 1500;

const CITIES: [&str; 6] = ["Berlin", "Paris", "Rome", "Oslo", "Madrid", "Wien"];

const FILES: &[(&str, &str)] = &[
    (
        "accredit.toml",
        r#"[workspace]
name = "Bench"

[fields]
id = "Id"
date = "Close"
amount = "Amount"
owner = "Rep 1"
quantity = "Qty"

[columns]
Stage = "text"
"Rep 2" = "text"
City = "text"
"#,
    ),
    (
        "plans/reps.toml",
        r#"name = "Reps"
targets = ["title:Rep"]
filter = "policy:won"
split = "equal"
policies = { crediting = "two-reps", hold = "large", rollup = "share" }

[[direct]]
name = "Booking"
assign = "policy"
[[direct.results]]
name = "Booking credit"
rollable = true

[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#,
    ),
    (
        "policies/filter/won.rhai",
        r#"/// Only deals that are won count.
fn include(tx) {
    tx["Stage"] == "Won" && tx.amount > 0
}
"#,
    ),
    (
        "policies/crediting/two-reps.rhai",
        r#"/// Two reps share; large quantities go to the first.
fn credit(tx) {
    let first = tx["Rep 1"];
    let second = tx["Rep 2"];
    if tx.quantity >= 1000 || second.is_empty() {
        return first;
    }
    if tx.quantity >= 500 {
        return [share(first, 0.6), share(second, 0.4)];
    }
    if tx["City"] == "Berlin" {
        return [share(first, 0.7), share(second, 0.3)];
    }
    [share(first, 0.5), share(second, 0.5)]
}
"#,
    ),
    (
        "policies/hold/large.rhai",
        r#"/// Large credits wait.
fn hold(tx, credit) {
    if credit.amount >= 50000 {
        return hold_for(30, "days");
    }
    no_hold()
}
"#,
    ),
    (
        "policies/rollup/share.rhai",
        r#"/// Managers have a share by level.
fn roll(tx, credit, to, existing) {
    if to.level == 1 {
        return credit.amount;
    }
    credit.amount * 0.5
}
"#,
    ),
];

/// The files in `folder` that make the rules of the company.
pub fn rule_files(folder: &Path) -> Files {
    let paths = FILES.iter().map(|(path, _)| *path).chain(["organization/participants.csv"]);
    let read = |path: &str| Arc::from(fs::read_to_string(folder.join(path)).unwrap());
    paths.map(|path| (path.to_owned(), read(path))).collect()
}

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Writes the company with `deals` deals into `folder`, which it makes.
pub fn write_company(folder: &Path, deals: usize) {
    for (path, text) in FILES {
        write_file(&folder.join(path), text);
    }
    write_file(&folder.join("organization/participants.csv"), &people());

    fs::create_dir_all(folder.join("transactions")).unwrap();
    let file = fs::File::create(folder.join("transactions/deals.csv")).unwrap();
    let mut out = BufWriter::with_capacity(1 << 20, file);
    writeln!(out, "Id,Close,Amount,Rep 1,Rep 2,Qty,Stage,City").unwrap();
    let mut chance = Chance(7);
    for number in 0..deals {
        write_deal(&mut out, &mut chance, number);
    }
    out.flush().unwrap();
}

fn write_file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn people() -> String {
    let mut text = format!("id,name,title,manager\n{TOP}");
    for (letter, title, count, above, bosses) in [
        ("v", "VP", PRESIDENTS, "ceo", 0),
        ("d", "Director", DIRECTORS, "v", PRESIDENTS),
        ("m", "Manager", MANAGERS, "d", DIRECTORS),
        ("r", "Rep", REPS, "m", MANAGERS),
    ] {
        for number in 0..count {
            let boss = match bosses {
                0 => above.to_owned(),
                bosses => format!("{above}{}", number % bosses),
            };
            text.push_str(&format!("{letter}{number},{title} {number},{title},{boss}\n"));
        }
    }
    text
}

fn write_deal(out: &mut impl Write, chance: &mut Chance, number: usize) {
    let (first, second) = (chance.below(REPS), chance.below(REPS));
    let (month, day) = (chance.below(12) + 1, chance.below(28) + 1);
    let cents = chance.below(5_999_900) + 100;

    write!(out, "D{number},2026-{month:02}-{day:02},{}.{:02},", cents / 100, cents % 100).unwrap();
    write!(out, "r{first},").unwrap();
    if chance.below(10) < 9 {
        write!(out, "r{second}").unwrap();
    }

    let quantity = chance.below(1500);
    let stage = if chance.below(100) < 84 { "Won" } else { "Lost" };
    let city = CITIES[chance.below(6) as usize];
    writeln!(out, ",{quantity},{stage},{city}").unwrap();
}
