//! Bundles: packed, installed, set, upgraded, removed; tampered ones and strangers refused.

use std::fs;
use std::path::{Path, PathBuf};

use crate::company;
use crate::server::run;

const MANIFEST: &str = r#"name = "big-deals"
version = "1.0.0"
engine = ">=0.1, <1"
description = "Holds big deals"

[settings.LARGE]
type = "number"
description = "amount above which a deal is held"
"#;

const POLICY: &str = r#"/// Holds deals above an amount.
const LARGE = 1000;

fn hold(tx, credit) {
    if tx.amount > LARGE {
        return hold_indefinitely("big");
    }
    no_hold()
}
"#;

const CASES: &str = r#"# Big deals wait

```toml accredit.toml
[workspace]
name = "Example"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"
```

```csv organization/participants.csv
id
ann
```

```toml plans/deals.toml
name = "Deals"
policies = { hold = "big-deals-limit" }

[[direct]]
name = "Deal"
  [[direct.results]]
  name = "Deal credit"
```

## The limit

| id | date       | owner | amount | => | status |
| -- | ---------- | ----- | ------ | -- | ------ |
| D1 | 2022-01-12 | ann   | 1000   |    | active |
| D2 | 2022-01-12 | ann   | 1001   |    | held   |
"#;

/// 32 bytes in base64, and the public key that belongs to them.
const KEY: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A bundle's directory and a customer's.
struct World {
    dir: tempfile::TempDir,
    customer: PathBuf,
}

const FILES: [&str; 2] =
    ["policies/hold/big-deals-limit.cases.md", "policies/hold/big-deals-limit.rhai"];

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let customer = company::write(dir.path());
        let world = World { dir, customer };
        world.write("plugin.toml", MANIFEST);
        world.write(FILES[0], CASES);
        world.write(FILES[1], POLICY);
        fs::write(world.path("key"), KEY).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, path: &str, text: &str) {
        company::put(&self.path("bundle"), path, text);
    }

    /// Packs the bundle; its file.
    fn pack(&self, more: &[&str]) -> String {
        let file = self.path("big-deals.bundle").to_str().unwrap().to_owned();
        let (code, _, error) = self.try_pack(more);
        assert_eq!(code, 0, "{error}");
        file
    }

    fn try_pack(&self, more: &[&str]) -> (i32, String, String) {
        let (bundle, file) = (self.path("bundle"), self.path("big-deals.bundle"));
        let fixed = ["bundle", "pack", bundle.to_str().unwrap(), "-o", file.to_str().unwrap()];
        run(&[&fixed[..], more].concat())
    }

    fn bundle(&self, arguments: &[&str]) -> (i32, String, String) {
        let dir = ["--dir", self.customer.to_str().unwrap()];
        run(&[&["bundle"], arguments, &dir].concat())
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], message: &str) {
        let before = snapshot(&self.customer);
        let (code, out, error) = self.bundle(arguments);
        assert_eq!(code, 1, "{out}{error}");
        assert!(error.contains(message), "`{message}` is not in {error}");
        assert_eq!(snapshot(&self.customer), before, "a refusal changed files");
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> (String, String) {
        let (code, out, error) = self.bundle(arguments);
        assert_eq!(code, 0, "{out}{error}");
        let path = self.customer.to_str().unwrap();
        let (code, out_of_check, _) = run(&["check", path, "--format", "json"]);
        assert_eq!((code, out_of_check.trim()), (0, "[]"));
        (out, error)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.customer.join(path)).unwrap()
    }
}

/// Every file of a directory with its content.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            files.extend(snapshot(&entry.path()));
        } else {
            files.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn a_bundle_is_installed_listed_and_removed_as_one() {
    let world = World::new();
    let before = snapshot(&world.customer);
    let (code, ..) = world.bundle(&["list"]);
    assert_eq!(code, 3);
    let file = world.pack(&["--sign", world.path("key").to_str().unwrap()]);
    let (out, error) = world.done(&["install", &file, "--verify", PUBLIC]);
    assert_eq!(out.lines().collect::<Vec<_>>(), FILES);
    assert!(error.contains(&format!("signed by {PUBLIC}, verified")), "{error}");
    assert_eq!(world.read(FILES[1]), POLICY);
    let (code, out, error) = run(&["test", world.customer.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{error}");
    let (out, _) = world.done(&["list", "--format", "csv"]);
    let line = format!("big-deals,1.0.0,Holds big deals,{PUBLIC} (verified),2,,");
    assert_eq!(out.lines().nth(1), Some(line.as_str()));
    world.refused(&["install", &file], "1.0.0 is installed; `upgrade` replaces it");
    world.refused(&["upgrade", &file], "1.0.0 is installed, which is not older");

    // A plan uses the policy now, so it cannot go alone.
    let plan = company::FILES[2].1;
    let used = plan.replace("rollup = \"share\"", "rollup = \"share\", hold = \"big-deals-limit\"");
    company::put(&world.customer, "plans/reps.toml", &used);
    world.refused(&["remove", "big-deals"], "would have new errors");
    company::put(&world.customer, "plans/reps.toml", plan);
    world.done(&["remove", "big-deals"]);
    assert_eq!(snapshot(&world.customer), before);
    world.refused(&["remove", "big-deals"], "not installed");
}

#[test]
fn an_upgrade_keeps_settings_and_asks_before_it_gives_up_edits() {
    let world = World::new();
    let file = world.pack(&[]);
    world.refused(&["install", &file, "--set", "SMALL=1"], "no setting `SMALL`; known: LARGE");
    world.refused(&["install", &file, "--set", "LARGE=much"], "`much` does not fit");
    let (_, error) = world.done(&["install", &file, "--set", "LARGE=500.50"]);
    assert!(error.contains("not signed"), "{error}");
    assert_eq!(world.read(FILES[1]), POLICY.replace("1000", "500.50"));
    // The cases say what comes out with the customer's setting.
    let row = "| D1 | 2022-01-12 | ann   | 1000   |    | active |";
    assert_eq!(world.read(FILES[0]), CASES.replace(row, &row.replace("active", "held  ")));

    world.write("plugin.toml", &MANIFEST.replace("1.0.0", "1.1.0"));
    world.write(FILES[1], &POLICY.replace("\"big\"", "\"large\""));
    let more = FILES.map(|path| path.replace("-limit", "-again"));
    world.write(&more[0], CASES);
    world.write(&more[1], POLICY);
    let file = world.pack(&[]);
    let edited = world.read(FILES[1]) + "// mine\n";
    company::put(&world.customer, FILES[1], &edited);
    world.refused(&["upgrade", &file], "big-deals-limit.rhai` was edited since");
    let (out, _) = world.done(&["list", "--format", "json"]);
    assert!(out.contains("\"edited\":\"policies/hold/big-deals-limit.rhai\""), "{out}");
    world.refused(&["remove", "big-deals"], "was edited since");
    world.done(&["upgrade", &file, "--force"]);
    let expected = POLICY.replace("1000", "500.50").replace("\"big\"", "\"large\"");
    assert_eq!(world.read(FILES[1]), expected);
    assert!(world.customer.join(&more[1]).is_file());

    // A version without some files takes them away; one that is older is refused.
    world.write("plugin.toml", MANIFEST);
    for path in &more {
        fs::remove_file(world.path("bundle").join(path)).unwrap();
    }
    let old = world.pack(&[]);
    world.refused(&["upgrade", &old], "1.1.0 is installed, which is not older");
    world.done(&["upgrade", &old, "--force"]);
    assert!(!world.customer.join(&more[1]).is_file());
}

#[test]
fn what_was_tampered_with_is_refused() {
    let world = World::new();
    let key = world.path("key");
    let file = world.pack(&["--sign", key.to_str().unwrap()]);
    let good = fs::read_to_string(&file).unwrap();
    let change = |from: &str, to: &str| {
        let changed = good.replace(from, to);
        assert_ne!(changed, good, "`{from}` is not in the bundle");
        fs::write(&file, changed).unwrap();
    };
    change("LARGE = 1000", "LARGE = 9999");
    world.refused(&["install", &file], "its digest differs");
    change("hold/big-deals-limit", "hold/../../../big-deals-limit");
    world.refused(&["install", &file], "its digest differs");
    change("\"signature\": \"", "\"signature\": \"AAAA");
    world.refused(&["install", &file], "the signature is wrong");
    let another = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    change(PUBLIC, another);
    world.refused(&["install", &file], "the signature is wrong");
    fs::write(&file, &good).unwrap();
    world.refused(&["install", &file, "--verify", another], "signed by another key");
    world.pack(&[]);
    world.refused(&["install", &file, "--verify", PUBLIC], "not signed");
    fs::write(&file, "{}").unwrap();
    world.refused(&["install", &file], "not a bundle");
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = World::new();
    world.write("plugin.toml", &MANIFEST.replace(">=0.1, <1", ">=77"));
    let file = world.pack(&[]);
    world.refused(&["install", &file], "big-deals 1.0.0 needs accredit >=77");
    world.write("plugin.toml", MANIFEST);
    let file = world.pack(&[]);
    company::put(&world.customer, FILES[1], "fn hold(tx, credit) {\n    no_hold()\n}\n");
    world.refused(&["install", &file], "already exists");
    fs::remove_file(world.customer.join(FILES[1])).unwrap();
    // A plan whose columns the customer has not.
    let plan = "name = \"P\"\n[[direct]]\nname = \"D\"\ncondition = 'tx.amount > 0 && tx.stage == \"Won\"'\n\
                [[direct.results]]\nname = \"C\"\n";
    world.write("plans/big-deals-plan.toml", plan);
    let cases = CASES.split("```toml plans").next().unwrap().to_owned()
        + "## A\n\n| id | date | owner | amount | stage | => | amount |\n| - | - | - | - | - | - | - |\n\
           | D | 2022-01-12 | ann | 1 | Won | | 1.00 |\n";
    world.write("plans/big-deals-plan.cases.md", &cases);
    company::put(&world.customer, "transactions/seen.csv", "id,date,amount,owner\n");
    let file = world.pack(&[]);
    world.refused(&["install", &file], "would have new errors");
}

#[test]
fn only_what_is_proved_and_stays_at_home_is_packed() {
    let check = |path: &str, text: &str, message: &str| {
        let world = World::new();
        world.write(path, text);
        let (code, out, error) = world.try_pack(&[]);
        assert_eq!(code, 1, "{out}");
        assert!(error.contains(message), "`{message}` is not in {error}");
        assert!(!world.path("big-deals.bundle").exists());
    };
    check(FILES[0], &CASES.replace("held", "active"), "cases of the bundle fail");
    check(FILES[1], &POLICY.replace("LARGE", "LIMIT"), "no policy has `const LARGE = …;`");
    check("policies/hold/other.rhai", POLICY, "`policies/hold/other.rhai` cannot be in the bundle");
    check("organization/teams.csv", "id\n", "`organization/teams.csv` cannot be in the bundle");
    check("policies/hold/big-deals-more.rhai", POLICY, "has no cases beside it");
    check("plugin.toml", &MANIFEST.replace("big-deals", "Big Deals"), "is not a name");
    check("plugin.toml", &MANIFEST.replace("engine", "motor"), "unknown field `motor`");
    let files = format!("files = [\"plans/big-deals-x.toml\"]\n{MANIFEST}");
    check("plugin.toml", &files, "`plans/big-deals-x.toml` is named in plugin.toml but missing");
}
