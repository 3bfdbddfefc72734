//! A small company for tests of the server: two reps, a manager, a director, one plan, one rollup
//! policy that can be swapped.

use std::fs;
use std::path::{Path, PathBuf};

/// The rollup policy: managers get this percentage of what rolls up.
pub fn rollup(percent: u32) -> String {
    format!(
        "const PERCENT = {percent};\n\
         fn roll(tx, credit, to, existing) {{\n    credit.amount * PERCENT / 100\n}}\n"
    )
}

const SETTINGS: &str = r#"[workspace]
name = "Small"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = ["owner"]

[sources.crm]
connector = "standard-webhooks"
"#;

const PEOPLE: &str = "id,name,title,manager
ann,Ann,Rep,max
bob,Bob,Rep,max
max,Max,Manager,dee
dee,Dee,Director,
";

const PLAN: &str = r#"name = "Reps"
targets = ["title:Rep"]
split = "equal"
policies = { rollup = "share" }

[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
rollable = true

[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
duplicates = true
"#;

/// Files of the directory.
pub const FILES: &[(&str, &str)] = &[
    ("accredit.toml", SETTINGS),
    ("organization/participants.csv", PEOPLE),
    ("plans/reps.toml", PLAN),
];

/// Writes the directory below `dir`.
pub fn write(dir: &Path) -> PathBuf {
    let workspace = dir.join("workspace");
    for (path, text) in FILES {
        put(&workspace, path, text);
    }
    put(&workspace, "policies/rollup/share.rhai", &rollup(100));
    workspace
}

/// Writes one file of the directory.
pub fn put(workspace: &Path, path: &str, text: &str) {
    let path = workspace.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// `count` deals, one JSON body each.
pub fn deals(count: usize) -> Vec<String> {
    let owner = ["Ann", "Bob", "Ann;Bob", "bob", "ann[0.3];bob[0.7]"];
    let deal = |number: usize| {
        let (owner, month) = (owner[number % owner.len()], number % 12 + 1);
        format!(
            r#"{{"id":"D{number}","date":"2026-{month:02}-15","amount":"{}.{:02}","owner":"{owner}"}}"#,
            100 + number * 7,
            number % 100
        )
    };
    (0..count).map(deal).collect()
}
