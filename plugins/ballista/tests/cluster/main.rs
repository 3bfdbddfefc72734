//! Runs on a cluster of processes, held against one process of `accredit calculate` over the same
//! deals.
//!
//! Needs the program: `ACCREDIT_PROGRAM`, or `target/debug/accredit` of the workspace.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests stop at the first surprise"
)]

mod company;
mod processes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use company::Company;
use processes::{Cluster, Ended};

/// Parts of the runs: more than there are executors, so that each has work.
const PARTS: usize = 6;

/// The worker that decides deals, and the one that computes rewards.
const STAGES: [&str; 2] = ["deals", "rewards"];

/// Where a run writes.
struct Results {
    credits: PathBuf,
    rewards: PathBuf,
    notes: PathBuf,
}

impl Results {
    fn below(folder: &Path) -> Results {
        let [credits, rewards, notes] =
            ["credits", "rewards", "notes"].map(|name| folder.join(name));
        Results { credits, rewards, notes }
    }

    fn options(&self) -> Vec<String> {
        let folders =
            [("--credits", &self.credits), ("--rewards", &self.rewards), ("--notes", &self.notes)];
        let options = folders.map(|(name, folder)| [name.to_owned(), folder.display().to_string()]);
        options.concat()
    }

    /// Whether nothing is there, not even what was begun.
    fn are_absent(&self) -> bool {
        let folder = self.credits.parent().unwrap();
        let left = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> =
            left.filter(|name| !name.to_string_lossy().starts_with("cluster")).collect();
        left.is_empty()
    }
}

/// Starts a run of 2026 over all deals, with credits, rewards and notes.
fn start_run(cluster: &Cluster, company: &Company, id: &str, results: &Results) -> processes::Run {
    let mut options = company.options();
    options.extend(["--id", id, "--period", "2026", "--parts"].map(str::to_owned));
    options.push(PARTS.to_string());
    options.extend(results.options());
    cluster.start_run(&options)
}

fn assert_equal_to_one_process(company: &Company, results: &Results) {
    let expected = company.calculated("2026");
    let credits = company::rows_in(&results.credits, &["amount"]);
    assert!(expected.credits.len() > 300, "{}", expected.credits.len());
    assert_eq!(credits, expected.credits);
    let rewards = company::rows_in(&results.rewards, &REWARD_AMOUNTS);
    assert!(expected.rewards.len() > 300, "{}", expected.rewards.len());
    assert_eq!(rewards, expected.rewards);

    for (list, deals) in &expected.noted {
        assert!(!deals.is_empty(), "{list}");
        assert_eq!(&company::noted_deals(&results.notes, list), deals, "{list}");
    }
}

#[test]
fn one_two_and_four_executors_come_to_the_results_of_one_process() {
    let company = Company::write(3000);
    for count in [1, 2, 4] {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(folder.path(), count);
        let results = Results::below(folder.path());

        cluster.hold("deals");
        let run = start_run(&cluster, &company, "deal", &results);
        // None ends before each has begun: all of them take part.
        cluster.wait_for_workers("deals", count);
        cluster.release();
        let Ended { is_success, errors } = run.wait();

        assert!(is_success, "{count} executors: {errors}");
        assert_equal_to_one_process(&company, &results);
        let done = cluster.started().into_iter().filter(|worker| worker.stage == "rewards");
        let parts: BTreeSet<String> = done.map(|worker| worker.part).collect();
        assert_eq!(parts.len(), PARTS, "{count} executors");
    }
}

const REWARD_AMOUNTS: [&str; 4] = ["amount", "credited", "quota", "attainment"];

/// Compares a customer with one process; how many credits and rewards there are.
fn check_company(cluster: &Cluster, company: &Company, (id, period): (&str, &str)) -> [usize; 2] {
    let folder = tempfile::tempdir().unwrap();
    let expected = company.calculated(period);
    let asked = ["--id", id, "--period", period, "--parts", "3"].map(str::to_owned);
    let options = [&company.options()[..], &asked, company.as_of()].concat();

    // Rewards need the credits of every day, so the credits of the period are a run of their own.
    let alone = Results::below(&folder.path().join("credits alone"));
    let written =
        ["--credits", alone.credits.to_str().unwrap(), "--notes", alone.notes.to_str().unwrap()];
    let run = cluster.start_run(&[&options[..], &written.map(str::to_owned)].concat());
    let Ended { is_success, errors } = run.wait();
    assert!(is_success, "{}: {errors}", company.directory());
    assert_eq!(
        company::rows_in(&alone.credits, &["amount"]),
        expected.credits,
        "{}",
        company.directory()
    );
    for (list, deals) in &expected.noted {
        assert_eq!(
            &company::noted_deals(&alone.notes, list),
            deals,
            "{}: {list}",
            company.directory()
        );
    }

    let all = Results::below(&folder.path().join("all"));
    let run = cluster.start_run(&[&options[..], &all.options()].concat());
    let Ended { is_success, errors } = run.wait();
    assert!(is_success, "{}: {errors}", company.directory());
    assert_eq!(
        company::rows_in(&all.rewards, &REWARD_AMOUNTS),
        expected.rewards,
        "{}",
        company.directory()
    );
    [expected.credits.len(), expected.rewards.len()]
}

/// `tests/ballista/run` writes the worlds.
#[test]
fn the_public_crm_data_and_generated_worlds_come_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), 2);
    if let Some(data) = std::env::var_os("ACCREDIT_REAL_DATA") {
        let company = Company::of_crm(&Path::new(&data).join("crm-sales-opportunities"));
        let [credits, _] = check_company(&cluster, &company, ("opportunity_id", "2017"));
        assert!(credits > 4238, "{credits}");
    }

    let worlds = std::env::var("ACCREDIT_WORLDS_FOLDER").expect("tests/ballista/run sets it");
    let mut rewards = 0;
    for world in std::fs::read_dir(worlds).unwrap() {
        let company = Company::of_world(&world.unwrap().path());
        rewards += check_company(&cluster, &company, ("id", "2022"))[1];
    }
    assert!(rewards > 0);
}

#[test]
fn the_parts_of_an_executor_that_was_killed_are_worked_out_by_the_others() {
    let company = Company::write(3000);
    for stage in STAGES {
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Cluster::start(folder.path(), 2);
        let results = Results::below(folder.path());

        cluster.hold(stage);
        let run = start_run(&cluster, &company, "deal", &results);
        cluster.wait_for_workers(stage, 2);
        let killed = cluster.kill_one();
        let is_lost =
            |worker: &processes::Worker| worker.executor == killed && worker.stage == stage;
        let lost: BTreeSet<String> =
            cluster.started().into_iter().filter(is_lost).map(|worker| worker.part).collect();
        assert!(!lost.is_empty(), "{stage}: the executor had no worker");
        cluster.release();
        let Ended { is_success, errors } = run.wait();

        assert!(is_success, "{stage}: {errors}");
        assert_equal_to_one_process(&company, &results);
        let others = cluster.started().into_iter();
        let others = others.filter(|worker| worker.executor != killed && worker.stage == stage);
        let others: BTreeSet<String> = others.map(|worker| worker.part).collect();
        assert!(others.is_superset(&lost), "{stage}: {lost:?} of {others:?}");
    }
}

#[test]
fn a_worker_that_refuses_its_rows_ends_the_run_with_its_words() {
    let company = Company::write(500);
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), 1);
    let results = Results::below(folder.path());

    // Another column spreads the versions of a deal over parts.
    let Ended { is_success, errors } = start_run(&cluster, &company, "customer", &results).wait();
    assert!(!is_success, "{errors}");
    assert!(errors.starts_with("error: accredit worker: standard input: deal `D-"), "{errors}");
    assert!(errors.contains("is of part ") && errors.contains(", and this is part"), "{errors}");
    assert!(results.are_absent());

    // The cluster is as good as before.
    let Ended { is_success, errors } = start_run(&cluster, &company, "deal", &results).wait();
    assert!(is_success, "{errors}");
    let again = start_run(&cluster, &company, "deal", &results).wait();
    assert!(!again.is_success && again.errors.contains("is there already"), "{}", again.errors);
}

#[test]
fn people_without_a_credit_have_their_rewards_and_a_run_without_rewards_has_credits() {
    let company = Company::write(500);
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), 1);

    let mut found = Vec::new();
    for parts in ["1", "3"] {
        let results = Results::below(&folder.path().join(parts));
        let mut options = company.options_without_deals();
        options
            .extend(["--id", "deal", "--period", "2026-03", "--parts", parts].map(str::to_owned));
        options.extend(results.options());
        let Ended { is_success, errors } = cluster.start_run(&options).wait();
        assert!(is_success, "{errors}");
        assert!(company::rows_in(&results.credits, &[]).is_empty());
        found.push(company::rows_in(&results.rewards, &["amount"]));
    }
    assert!(found.iter().all(|rows| !rows.is_empty() && *rows == found[0]));

    let results = Results::below(&folder.path().join("credits alone"));
    let mut options = company.options();
    options.extend(["--id", "deal", "--period", "2026", "--parts", "3"].map(str::to_owned));
    options.extend(["--credits".to_owned(), results.credits.display().to_string()]);
    options.extend(["--notes".to_owned(), results.notes.display().to_string()]);
    let Ended { is_success, errors } = cluster.start_run(&options).wait();
    assert!(is_success, "{errors}");
    assert_eq!(company::rows_in(&results.credits, &["amount"]), company.calculated("2026").credits);
}
