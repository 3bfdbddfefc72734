//! Workers beside the embedded run: partitions in processes of their own come to the same credits and
//! rewards as one process with everything.
//!
//! `ACCREDIT_WORKER_WORLDS` is the number of generated worlds, `ACCREDIT_SEED` the number of the first.

mod files;
pub(crate) mod worlds;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use flate2::Crc;
use serde_json::Value as Json;

use crate::server::{binary, root, run};

/// How many parts are tried: what is together is the same for each.
const PARTS: [u32; 3] = [1, 2, 4];

/// A customer, and what is asked for.
pub(crate) struct Company {
    pub(crate) dir: PathBuf,
    /// Its deals, a line each.
    pub(crate) deals: Vec<String>,
    /// The columns of the natural key.
    id: &'static str,
    /// More arguments of both verbs.
    pub(crate) options: Vec<String>,
    pub(crate) period: &'static str,
    /// A file of deals in another folder.
    transactions: Option<PathBuf>,
}

/// Everything that one way of calculating comes to, without an order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Results {
    pub(crate) credits: Vec<String>,
    pub(crate) rewards: Vec<String>,
    /// Notes and balances, each once, behind the name of its list.
    notes: BTreeSet<String>,
    /// Deals that plans let in, in all periods together.
    transactions: u64,
}

/// Runs a verb with bytes on its standard input.
fn feed(arguments: &[&str], input: &[u8]) -> (i32, Vec<u8>, String) {
    let mut command = Command::new(binary());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let done = thread::scope(|scope| {
        // One that refuses its input need not read it.
        scope.spawn(move || drop(pipe.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let error = String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap_or(-1), done.stdout, error)
}

/// The part of a key.
fn part_of(key: &str, parts: u32) -> u32 {
    let mut sum = Crc::new();
    sum.update(key.as_bytes());
    sum.sum() % parts
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Json> {
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap())
}

fn texts(rows: &Json) -> impl Iterator<Item = String> {
    rows.as_array().into_iter().flatten().map(Json::to_string)
}

impl Company {
    /// The pinned ruleset in a folder of its own.
    fn pinned(&self, folder: &Path) -> String {
        let file = folder.join("rules.ruleset").to_str().unwrap().to_owned();
        let (code, _, error) =
            run(&["ruleset", "export", self.dir.to_str().unwrap(), "--out", &file]);
        assert_eq!(code, 0, "{error}");
        file
    }

    fn calculate(&self, format: &[&str]) -> (i32, String, String) {
        let mut arguments = vec!["calculate", self.dir.to_str().unwrap(), "--period", self.period];
        arguments.extend(self.options.iter().map(String::as_str));
        if let Some(path) = &self.transactions {
            arguments.extend(["--transactions", path.to_str().unwrap()]);
        }
        run(&[&arguments[..], format].concat())
    }

    /// What one process with everything comes to.
    pub(crate) fn embedded(&self) -> Results {
        let (code, out, error) = self.calculate(&["--format", "json"]);
        assert_eq!(code, 0, "{error}");
        let mut results = Results::default();
        results.add_calculations(&out);
        results.sort();
        results
    }

    /// The deals of a part, a line each. Cells are trimmed where keys are made of them.
    fn deals_of(&self, part: u32, parts: u32) -> String {
        let deals = self.deals.iter().filter(|deal| {
            let row: Json = serde_json::from_str(deal).unwrap();
            let key = row[self.id].as_str().unwrap_or_default().trim();
            key.is_empty() && part == 0 || !key.is_empty() && part_of(key, parts) == part
        });
        deals.map(|deal| format!("{deal}\n")).collect()
    }

    /// The credits of the deals in so many parts.
    fn credits_of(
        &self,
        pinned: &str,
        (period, parts): (Option<&str>, u32),
        results: &mut Results,
    ) -> Vec<Vec<u8>> {
        let credits = (0..parts).map(|part| {
            let number = format!("{part}/{parts}");
            let mut arguments = vec!["worker", "--ruleset", pinned, "--part", &number];
            arguments.extend(self.options.iter().map(String::as_str));
            arguments.extend(period.into_iter().flat_map(|period| ["--period", period]));
            let (code, out, error) = feed(&arguments, self.deals_of(part, parts).as_bytes());
            assert_eq!(code, 0, "{error}");
            results.add_notes(&error);
            out
        });
        credits.collect()
    }

    /// What workers in so many processes come to; rewards are left out where they are refused.
    fn apart(&self, pinned: &str, parts: u32) -> (Results, Option<String>) {
        let mut results = Results::default();
        let credits = self.credits_of(pinned, (Some(self.period), parts), &mut results);
        results
            .credits
            .extend(credits.iter().flat_map(|out| lines(out)).map(|row| row.to_string()));

        let refused = self.rewards_apart(pinned, parts, &mut results).err();
        results.sort();
        (results, refused)
    }

    /// Adds the rewards of workers: credits of every day, sent to the parts that need them.
    fn rewards_apart(&self, pinned: &str, parts: u32, results: &mut Results) -> Result<(), String> {
        let rules = self.options.chunks(2).filter(|pair| pair[0] != "--as-of").flatten();
        let rules: Vec<&str> = rules.map(String::as_str).collect();
        let rewards = |part: u32, credits: &str| {
            let number = format!("{part}/{parts}");
            let arguments = ["worker", "--ruleset", pinned, "--rewards", "--period", self.period];
            let arguments = [&arguments[..], &["--part", &number], &rules].concat();
            feed(&arguments, credits.as_bytes())
        };
        if let (1, _, error) = rewards(0, "") {
            return Err(error);
        }

        // The notes about the deals are those of the period, which are there already.
        let every_day = self.credits_of(pinned, (None, parts), &mut Results::default());
        let count = parts.to_string();
        let routes = every_day.iter().map(|credits| {
            let arguments = ["worker", "--ruleset", pinned, "--routes", &count];
            let (code, out, error) = feed(&[&arguments[..], &rules].concat(), credits);
            assert_eq!(code, 0, "{error}");
            String::from_utf8(out).unwrap()
        });
        let mut routed: Vec<String> =
            routes.collect::<String>().lines().map(str::to_owned).collect();
        // A shuffle keeps no order.
        routed.sort_by_key(|line| part_of(line, u32::MAX));

        for part in 0..parts {
            let start = format!("{{\"part\":{part},\"parts\":{parts},");
            let mine = routed.iter().filter(|line| line.starts_with(&start));
            let credits: String = mine.map(|line| format!("{line}\n")).collect();
            let (code, out, error) = rewards(part, &credits);
            assert_eq!(code, 0, "{error}");
            results.rewards.extend(lines(&out).map(|row| row.to_string()));
            results.add_notes(&error);
        }
        Ok(())
    }

    /// Asserts that partitions come to what one process does; how many rewards there are, or why workers
    /// refuse them.
    fn check(&self) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let pinned = self.pinned(folder.path());
        let whole = self.embedded();

        let mut refused = None;
        for parts in PARTS {
            let (apart, why) = self.apart(&pinned, parts);
            assert_eq!(apart.credits, whole.credits, "{parts} parts");
            assert_eq!(apart.transactions, whole.transactions, "{parts} parts");
            refused = why;
            if refused.is_some() {
                let of_deals = whole.notes.iter().filter(|note| !is_of_rewards(note));
                assert!(of_deals.eq(&apart.notes), "{parts} parts: {:#?}", apart.notes);
                continue;
            }
            assert_eq!(apart.rewards, whole.rewards, "{parts} parts");
            assert_eq!(apart.notes, whole.notes, "{parts} parts");
        }
        self.check_bytes(&pinned);
        refused.map_or(Ok(whole.rewards.len()), Err)
    }

    /// One partition with everything writes the bytes of `calculate`.
    fn check_bytes(&self, pinned: &str) {
        let (code, expected, error) = self.calculate(&["--format", "ndjson", "--quiet"]);
        assert_eq!(code, 0, "{error}");
        let credits = self.credits_of(pinned, (Some(self.period), 1), &mut Results::default());
        assert!(credits[0] == expected.as_bytes(), "other bytes");
    }
}

fn is_of_rewards(note: &str) -> bool {
    note.starts_with("balances ") || note.contains(r#""stage":"reward""#)
}

impl Results {
    /// Adds calculations, as JSON.
    pub(crate) fn add_calculations(&mut self, json: &str) {
        let all: Json = serde_json::from_str(json).unwrap();
        for calculation in all.as_array().cloned().unwrap_or_else(|| vec![all]) {
            self.transactions += calculation["transactions"].as_u64().unwrap();
            self.credits.extend(texts(&calculation["credits"]));
            self.rewards.extend(texts(&calculation["rewards"]));
            for list in ["uncredited", "parked", "alerts", "log", "balances"] {
                for note in calculation[list].as_array().into_iter().flatten() {
                    // Alerts of rewards are in the log a second time.
                    if list != "log" || note["stage"] != "reward" {
                        self.notes.insert(format!("{list} {note}"));
                    }
                }
            }
        }
    }

    pub(crate) fn sort(&mut self) {
        self.credits.sort_unstable();
        self.rewards.sort_unstable();
    }

    /// Adds the lines of standard error that are notes.
    fn add_notes(&mut self, error: &str) {
        for line in error.lines().filter(|line| line.starts_with('{')) {
            let mut note: Json = serde_json::from_str(line).unwrap();
            let list = note.as_object_mut().unwrap().remove("list").unwrap();
            let list = list.as_str().unwrap();
            match list {
                "counts" => self.transactions += note["transactions"].as_u64().unwrap(),
                _ => _ = self.notes.insert(format!("{list} {note}")),
            }
        }
    }
}

/// The rows of a file as lines of JSON.
fn csv_deals(file: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = header.iter().zip(row.iter());
        let cells = cells.map(|(name, text)| (name.to_owned(), Json::from(text)));
        Json::Object(cells.collect()).to_string()
    });
    rows.collect()
}

#[test]
fn the_sample_company_comes_to_the_same_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("company");
    let (code, _, error) = run(&["demo", "--write", dir.to_str().unwrap(), "--deals", "3000"]);
    assert_eq!(code, 0, "{error}");
    let deals = std::fs::read_to_string(dir.join("transactions/deals.ndjson")).unwrap();

    let company = Company {
        dir,
        deals: deals.lines().map(str::to_owned).collect(),
        id: "deal",
        options: Vec::new(),
        period: "2026",
        transactions: None,
    };
    assert!(company.check().unwrap() > 300);
}

#[test]
fn a_template_with_finalized_months_comes_to_the_same_credits_and_refuses_rewards() {
    let dir = root().join("scripts/templates/saas");
    let company = Company {
        deals: csv_deals(&dir.join("transactions/crm.csv")),
        dir,
        id: "Opp ID",
        options: Vec::new(),
        period: "2026",
        transactions: None,
    };
    let refused = company.check().unwrap_err();
    assert!(refused.contains("is closed or finalized on 2026-"), "{refused}");
    assert!(refused.contains("use `accredit calculate`"), "{refused}");
}

#[test]
fn the_public_crm_data_comes_to_the_same_in_parts() {
    let Some(data) = crate::crm::data_folder() else { return };
    let pipeline = data.join("sales_pipeline.csv");
    let company = Company {
        dir: root().join("tests/fixtures/crm"),
        deals: csv_deals(&pipeline),
        id: "opportunity_id",
        options: vec!["--plan".to_owned(), "agents".to_owned()],
        period: "2017",
        transactions: Some(pipeline),
    };
    assert_eq!(company.check(), Ok(0));
}
