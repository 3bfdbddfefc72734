//! A small company for tests of the server: two reps, a manager, a director, one plan, one rollup
//! policy that can be swapped.

use std::fs;
use std::path::{Path, PathBuf};

/// The rollup policy: managers get this percentage of what rolls up.
pub fn rollup(percent: u32) -> String {
    format!(
        "const PERCENT = {percent};\nfn roll(tx, credit, to, existing) {{\n    credit.amount * PERCENT / 100\n}}\n"
    )
}

/// Files of the directory.
pub const FILES: &[(&str, &str)] = &[
    (
        "accredit.toml",
        "[workspace]\nname = \"Small\"\n\n[fields]\nid = \"id\"\ndate = \"date\"\namount = \"amount\"\n\
         owner = [\"owner\"]\n\n[sources.crm]\nconnector = \"standard-webhooks\"\n",
    ),
    (
        "organization/participants.csv",
        "id,name,title,manager\nann,Ann,Rep,max\nbob,Bob,Rep,max\nmax,Max,Manager,dee\ndee,Dee,Director,\n",
    ),
    (
        "plans/reps.toml",
        "name = \"Reps\"\ntargets = [\"title:Rep\"]\nsplit = \"equal\"\npolicies = { rollup = \"share\" }\n\n\
         [[direct]]\nname = \"Booking\"\n[[direct.results]]\nname = \"Booking credit\"\nrollable = true\n\n\
         [[indirect]]\nname = \"Managers\"\nrelationship = \"Reporting\"\n[[indirect.results]]\n\
         name = \"Managers credit\"\nduplicates = true\n",
    ),
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
            "{{\"id\":\"D{number}\",\"date\":\"2026-{month:02}-15\",\"amount\":\"{}.{:02}\",\"owner\":\"{owner}\"}}",
            100 + number * 7,
            number % 100
        )
    };
    (0..count).map(deal).collect()
}
