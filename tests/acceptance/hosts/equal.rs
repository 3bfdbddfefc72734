//! Hosts on one database beside the embedded run: the public CRM data and generated worlds come to the same
//! credits and rewards.
//!
//! `ACCREDIT_HOST_WORLDS` is the number of generated worlds, `ACCREDIT_SEED` the number of the first.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Span;
use jiff::civil::{Date, date};
use postgres_cluster::Cluster;
use serde_json::{Value as Json, json};

use super::{decider, decides, send_all, start_hosts};
use crate::crm;
use crate::oracle::generate;
use crate::server::{Server, comparable, now, root, run};
use crate::workers::worlds::{company, number, pays};
use crate::workers::{Company, Results};

const WORLDS: usize = 3;
const THREADS: usize = 2;

/// The host that decides is killed when a third of the deals is acknowledged.
#[test]
fn the_public_crm_data_comes_to_the_same_on_hosts_of_which_one_is_killed() {
    let Some(data) = crm::data_folder() else { return };
    let rows = crm::rows(&data, "sales_pipeline.csv");
    let deals: Vec<String> = rows.iter().map(|row| json!(row).to_string()).collect();
    let cluster = Cluster::start();
    let hosts = start_hosts(&cluster.new_database(), &root().join("tests/fixtures/crm"), 3);
    let hosts = Mutex::new(hosts.into_iter().map(Arc::new).collect::<Vec<_>>());

    let kill_decider = || {
        let mut hosts = hosts.lock().unwrap();
        let place = hosts.iter().position(|host| decides(host)).expect("a host decides");
        hosts.remove(place).signal("KILL");
    };
    send_all(&hosts, &deals, (deals.len() / 3, &kill_decider));

    let expected = crm::calculated(&data);
    let expected = comparable(expected["credits"].as_array().unwrap());
    let hosts = hosts.into_inner().unwrap();
    assert_eq!(hosts.len(), 2);
    for host in &hosts {
        host.wait("another host decides", || host.get("/v1/status").status == 200);
        host.settle();
        assert!(comparable(&host.credits("period=2017")) == expected, "credits differ");
    }
}

/// The deals of a world as imports, in their order, to one host after the other.
fn import(hosts: &[Server], deals: &[String]) {
    for (index, some) in deals.chunks(5).enumerate() {
        let host = &hosts[index % hosts.len()];
        let kind = [("content-type", "application/x-ndjson")];
        let answer = host.import(&kind, some.join("\n").as_bytes());
        assert!(matches!(answer.status, 200 | 202), "{}", answer.body);
    }
}

/// What the hosts have in their database once they have stopped.
fn stored(company: &Company, store: &str, count: usize) -> Results {
    let hosts = start_hosts(store, &company.dir, count);
    decider(&hosts);
    import(&hosts, &company.deals);
    hosts[0].settle();
    hosts.into_iter().for_each(|host| assert_eq!(host.stop(), 0));

    let mut results = Results::default();
    for plan in plans(&company.dir) {
        let asked = ["--plan", &plan, "--period", company.period, "--format", "json"];
        let (code, out, error) = run(&[&["calculate", "--data", store][..], &asked].concat());
        assert_eq!(code, 0, "{error}");
        results.add_calculations(&out);
    }
    results.sort();
    results
}

/// The plans of a directory.
fn plans(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir.join("plans")).unwrap();
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|file| stem(&file.unwrap().path())).collect()
}

/// The rows without the name of the ruleset: a server counts what was set on it as well.
fn without_ruleset(rows: &[String]) -> Vec<String> {
    let strip = |row: &String| {
        let mut row: Json = serde_json::from_str(row).unwrap();
        row.as_object_mut().unwrap().remove("ruleset");
        row.to_string()
    };
    let mut rows: Vec<String> = rows.iter().map(strip).collect();
    rows.sort_unstable();
    rows
}

/// The rewards with their credits by date; those of one date in the order of their ids, since a server lists
/// them as they arrived.
fn by_dates(results: &Results) -> Vec<String> {
    let parse = |row: &String| -> Json { serde_json::from_str(row).unwrap() };
    let text = |row: &Json, name: &str| row[name].as_str().unwrap().to_owned();
    let credits = results.credits.iter().map(parse);
    let dates: BTreeMap<String, String> =
        credits.map(|row| (text(&row, "id"), text(&row, "incentive_date"))).collect();

    let order = |row: &String| {
        let mut reward = parse(row);
        let listed = reward["credits"].as_array_mut().unwrap();
        let date = |id: &Json| dates.get(id.as_str().unwrap());
        for of_date in listed.chunk_by_mut(|one, other| date(one) == date(other)) {
            of_date.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        reward.to_string()
    };
    let mut rows: Vec<String> = results.rewards.iter().map(order).collect();
    rows.sort_unstable();
    rows
}

/// Credits of one day were in the order of their arrival, so that the same rewards differed now and then.
#[test]
fn rewards_are_compared_by_dates() {
    let credit = |id: &str, date: &str| json!({"id": id, "incentive_date": date}).to_string();
    let with = |ids: &[&str]| {
        let mut results = Results::default();
        let credits = [("a", "2022-01-05"), ("b", "2022-01-05"), ("c", "2022-02-01")];
        results.credits.extend(credits.map(|(id, date)| credit(id, date)));
        results.rewards.push(json!({"credits": ids}).to_string());
        results
    };
    assert_eq!(by_dates(&with(&["a", "b", "c"])), by_dates(&with(&["b", "a", "c"])));
    assert_ne!(by_dates(&with(&["a", "b", "c"])), by_dates(&with(&["c", "a", "b"])));
    assert_ne!(by_dates(&with(&["a", "b"])), by_dates(&with(&["a", "c"])));
}

#[test]
fn generated_worlds_come_to_the_same_on_one_host_and_on_three() {
    let (seed, count) = (number("ACCREDIT_SEED", 1), number("ACCREDIT_HOST_WORLDS", WORLDS));
    println!("ACCREDIT_SEED={seed} ACCREDIT_HOST_WORLDS={count}");
    // What a locked period shows depends on when its deals came, and not on them alone.
    let seeds = (seed as u64..).filter(|seed| pays(*seed));
    let seeds: Vec<u64> = seeds.take(count).collect();
    let cluster = Cluster::start_with(&["max_connections=200"]);
    let (next, paid) = (AtomicUsize::new(0), AtomicUsize::new(0));

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.get(index) else { return };
                    println!("ACCREDIT_SEED={seed} ACCREDIT_HOST_WORLDS=1");
                    let rewards = check_world(&cluster, *seed);
                    paid.fetch_add(rewards, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(count < WORLDS || paid.into_inner() > 0, "no world has a reward");
}

/// With `late = "posted"` every credit of a month counts on its first day, so that a server listed the
/// credits of a reward as deals had arrived, and an embedded run by their dates.
#[test]
fn the_credits_of_a_reward_are_in_the_order_of_their_dates() {
    assert!(check_world(&Cluster::start(), 264) > 0);
}

/// The business date of a server in a world, whose zone is UTC.
fn today() -> Date {
    date(1970, 1, 1) + Span::new().days(now() / 86_400)
}

/// Compares a world; how many rewards it has.
fn check_world(cluster: &Cluster, seed: u64) -> usize {
    let mut world = generate::world(seed);
    // A person declares a deal void on a server, and no row brings it.
    world.transactions.iter_mut().for_each(|deal| deal.void = false);
    // A server decides as of today.
    world.as_of = Some(today());
    let dir = tempfile::tempdir().unwrap();
    let company = company(&world, dir.path());
    let whole = company.embedded();

    for count in [1, 3] {
        let found = stored(&company, &cluster.new_database(), count);
        let of = |results: &Results| (without_ruleset(&results.credits), by_dates(results));
        let (found, expected) = (of(&found), of(&whole));
        assert_eq!(found.0, expected.0, "credits of world {seed}, {count} hosts");
        assert_eq!(found.1, expected.1, "rewards of world {seed}, {count} hosts");
    }
    whole.rewards.len()
}
