//! The server is killed at any moment while everything goes on: senders, imports, new policies, backups,
//! readers. What was acknowledged is there, each deal counts once, and the audit trail is whole.
//!
//! `ACCREDIT_KILLS` is how often it is killed, `ACCREDIT_KILL_SEED` the seed of the moments.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::company;
use crate::restart::{assert_same_credits, redrive_dead_letters};
use crate::server::{Server, TOKEN, comparable, run};

/// How often the server is killed in an ordinary run.
const KILLS: usize = 4;

/// Senders of webhooks.
const SENDERS: usize = 8;

/// Webhooks and imports for each time that the server is killed.
const DEALS_A_KILL: usize = 300;
const IMPORTS_A_KILL: usize = 8;

/// Rows of an import.
const ROWS: usize = 20;

/// The moment of a kill, in milliseconds after the start.
const MOMENTS: std::ops::Range<u64> = 5..500;

/// Activates a policy that gives managers so much; recorded deals are decided again.
fn swap(server: &Server, percent: u32) -> Result<u16, ureq::Error> {
    let files = json!({"policies/rollup/share.rhai": company::rollup(percent)});
    let change = json!({"files": files, "effective": "recredit", "comment": "another share"});
    ask(server, "POST", "/v1/changes", ("application/json", &change.to_string()))
}

/// The number in a variable.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

/// Numbers that follow from a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// What is sent, and which of it the server has acknowledged.
struct Load {
    deals: Vec<(String, AtomicBool)>,
    /// Bodies of imports, each with deals of its own.
    imports: Vec<(String, AtomicBool)>,
    /// New policies that were activated, and backups that were made.
    swaps: AtomicUsize,
    backups: AtomicUsize,
}

impl Load {
    fn of(kills: usize) -> Load {
        let deals = company::deals(kills * DEALS_A_KILL).into_iter();
        let body = |number: usize| {
            let rows = (0..ROWS).map(|row| {
                let owner = ["ann", "bob", "Ann;Bob"][(number + row) % 3];
                format!("I{number}-{row},2026-{:02}-10,{}.25,{owner}\n", row % 12 + 1, number + row)
            });
            format!("id,date,amount,owner\n{}", rows.collect::<String>())
        };
        Load {
            deals: deals.map(|deal| (deal, AtomicBool::new(false))).collect(),
            imports: (0..kills * IMPORTS_A_KILL)
                .map(|number| (body(number), AtomicBool::new(false)))
                .collect(),
            swaps: AtomicUsize::new(0),
            backups: AtomicUsize::new(0),
        }
    }

    /// A sender sends what is not acknowledged, and then what is, until the server is gone.
    fn send_deals(&self, server: &Server, lane: usize) {
        for round in 0.. {
            for (index, (deal, taken)) in self.deals.iter().enumerate().skip(lane).step_by(SENDERS)
            {
                if round == 0 && taken.load(Ordering::Relaxed) {
                    continue;
                }
                match server.hook(&format!("msg_{index}"), deal) {
                    Ok(reply) if reply.status == 202 => taken.store(true, Ordering::Relaxed),
                    Ok(reply) => panic!("{} {}", reply.status, reply.body),
                    Err(_) => return,
                }
            }
        }
    }

    fn send_imports(&self, server: &Server) {
        let open = self.imports.iter().filter(|(_, taken)| !taken.load(Ordering::Relaxed));
        for (body, taken) in open {
            match ask(server, "POST", "/v1/transactions", ("text/csv", body)) {
                Ok(200 | 202) => taken.store(true, Ordering::Relaxed),
                Ok(status) => panic!("an import: {status}"),
                Err(_) => return,
            }
        }
    }

    /// Other policies all the time: recorded deals are decided again behind each.
    fn swap_policies(&self, server: &Server) {
        for percent in (10..).step_by(5) {
            match swap(server, percent % 90) {
                Ok(200) => _ = self.swaps.fetch_add(1, Ordering::Relaxed),
                Ok(status) => panic!("a policy: {status}"),
                Err(_) => return,
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn make_backups(&self, server: &Server) {
        while let Ok(status) = ask(server, "POST", "/v1/backups", ("application/json", "")) {
            assert_eq!(status, 201, "a backup");
            self.backups.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn read_credits(server: &Server) {
        while let Ok(status) = ask(server, "GET", "/v1/credits?limit=200", ("", "")) {
            assert_eq!(status, 200, "credits");
        }
    }

    /// Everything at once, until the server is killed at `moment`.
    fn run_until(&self, server: &Server, moment: Duration) {
        thread::scope(|scope| {
            (0..SENDERS).for_each(|lane| _ = scope.spawn(move || self.send_deals(server, lane)));
            scope.spawn(|| self.send_imports(server));
            scope.spawn(|| self.swap_policies(server));
            scope.spawn(|| self.make_backups(server));
            scope.spawn(|| Load::read_credits(server));
            thread::sleep(moment);
            server.signal("KILL");
        });
    }

    /// Sends what was not acknowledged, as its senders do when the server is back.
    fn send_rest(&self, server: &Server) {
        for (index, (deal, taken)) in self.deals.iter().enumerate() {
            if !taken.load(Ordering::Relaxed) {
                assert_eq!(server.hook(&format!("msg_{index}"), deal).unwrap().status, 202);
            }
        }
        for (body, taken) in &self.imports {
            if !taken.load(Ordering::Relaxed) {
                assert_eq!(
                    server.import(&[("content-type", "text/csv")], body.as_bytes()).status,
                    202
                );
            }
        }
    }
}

/// The status of an answer; an error where there is none.
fn ask(
    server: &Server,
    method: &str,
    path: &str,
    (kind, body): (&str, &str),
) -> Result<u16, ureq::Error> {
    let request =
        ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    let request = request.header("authorization", format!("Bearer {TOKEN}"));
    let request = request.header("content-type", kind).header("if-match", "*");
    let settings = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = settings.timeout_global(Some(Duration::from_secs(60))).build().into();
    let mut answer = agent.run(request.body(body.to_owned()).unwrap())?;
    let _read = answer.body_mut().with_config().limit(1 << 26).read_to_string()?;
    Ok(answer.status().as_u16())
}

/// The credits of a server that nothing disturbs.
fn undisturbed(load: &Load, data: &Path, workspace: &Path) -> Vec<String> {
    let server = Server::start_file(data, workspace, &[], &[]);
    load.send_rest(&server);
    finish(&server)
}

/// The last policy, and the credits of everything under it.
fn finish(server: &Server) -> Vec<String> {
    assert_eq!(swap(server, 95).unwrap(), 200);
    server.settle();
    redrive_dead_letters(server);
    server.wait("every deal is decided by the last policy", || {
        let status = server.get("/v1/status").json();
        status["recredit"].is_null() && status["pending"] == 0
    });
    comparable(&server.credits(""))
}

#[test]
fn a_server_that_is_killed_again_and_again_has_the_credits_of_one_that_is_not() {
    let kills = usize::try_from(number("ACCREDIT_KILLS", KILLS as u64)).unwrap();
    let seed = number("ACCREDIT_KILL_SEED", 1);
    println!("ACCREDIT_KILL_SEED={seed} ACCREDIT_KILLS={kills}");
    let mut random = Random(seed);

    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let load = Load::of(kills);
    let expected = undisturbed(&load, &dir.path().join("quiet.redb"), &workspace);

    let (data, folder) = (dir.path().join("killed.redb"), dir.path().join("backups"));
    let folder = folder.to_str().unwrap();
    let options = ["--backups", folder, "--backup-every", "never"];
    let mut starts: Vec<Duration> = Vec::new();
    for _ in 0..kills {
        let began = Instant::now();
        let server = Server::start_file(&data, &workspace, &options, &[]);
        starts.push(began.elapsed());
        let moment = MOMENTS.start + random.below(MOMENTS.end - MOMENTS.start);
        load.run_until(&server, Duration::from_millis(moment));
        drop(server);
    }

    let server = Server::start_file(&data, &workspace, &options, &[]);
    load.send_rest(&server);
    assert_same_credits(&finish(&server), &expected);
    assert_eq!(server.stop(), 0);

    // Every decision is as its ruleset decides it, and every row of the trail follows from the one before.
    let data = data.to_str().unwrap();
    for verb in [&["verify", "--data", data][..], &["audit", "verify", "--data", data]] {
        let (code, out, error) = run(verb);
        assert_eq!(code, 0, "{verb:?}: {out}{error}");
    }
    starts.sort();
    let taken = load.deals.iter().filter(|(_, taken)| taken.load(Ordering::Relaxed)).count();
    println!(
        "{kills} kills, {taken} of {} deliveries acknowledged between them, {} policies activated, {} \
         backups made; started again in {:?} at most",
        load.deals.len(),
        load.swaps.into_inner(),
        load.backups.into_inner(),
        starts.last().unwrap()
    );
    assert!(taken > 0, "nothing was acknowledged before a kill");
}
