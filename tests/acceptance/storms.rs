//! Senders as they are under load: they repeat themselves, go away in the middle, and go on sending while the
//! server stops. Each test is short unless the environment asks for a campaign.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::company;
use crate::sender::{Sender, peak_memory, signed_headers, within};
use crate::server::{SECRET, Server, now};

/// A figure of the environment, or the one for a short test.
fn figure(variable: &str, short: usize) -> usize {
    std::env::var(variable).map_or(short, |text| text.parse().expect(variable))
}

/// Random numbers that a seed repeats.
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn roll(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.roll(last + 1));
        }
    }
}

/// Dice whose seed is printed, or given again.
fn dice() -> Dice {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = figure("ACCREDIT_STORM_SEED", usize::try_from(since.as_micros()).unwrap() | 1);
    eprintln!("ACCREDIT_STORM_SEED={seed}");
    Dice(seed as u64)
}

/// A company with a source of Pipedrive beside the one of Standard Webhooks.
fn two_sources(dir: &std::path::Path) -> std::path::PathBuf {
    let workspace = company::write(dir);
    let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let more = "\n[sources.pipe]\nconnector = \"pipedrive\"\nintake = \"policy:pipe\"\n";
    company::put(&workspace, "accredit.toml", &format!("{settings}{more}"));
    let policy = r#"fn map(payload) {
    let deal = payload["data"];
    #{ "id": deal["id"], "date": deal["won_time"], "amount": deal["value"], "owner": "ann" }
}
"#;
    company::put(&workspace, "policies/intake/pipe.rhai", policy);
    workspace
}

const PIPE_SECRET: &str = "accredit:a-password-of-some-length";
const PIPE_AUTHORIZATION: &str = "Basic YWNjcmVkaXQ6YS1wYXNzd29yZC1vZi1zb21lLWxlbmd0aA==";

fn pipe_event(deal: &str, event: usize, attempt: usize) -> String {
    json!({
        "data": {"id": deal, "value": 100, "status": "won", "won_time": "2026-03-15T10:00:00Z"},
        "previous": {"status": "open"},
        "meta": {
            "action": "change", "entity": "deal", "entity_id": deal, "id": format!("e{event}"),
            "company_id": "1", "webhook_id": "1", "timestamp": "2026-03-15T10:00:00.000Z",
            "version": "2.0", "attempt": attempt,
        },
    })
    .to_string()
}

fn send_pipe(server: &Server, agent: &ureq::Agent, body: &str) -> (u16, String) {
    let request = agent.post(format!("{}/hooks/pipe", server.url));
    let request = request.header("authorization", PIPE_AUTHORIZATION);
    let mut answer = request.header("content-type", "application/json").send(body).unwrap();
    let status = answer.status().as_u16();
    (status, answer.body_mut().read_to_string().unwrap())
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(60))).build().new_agent()
}

/// Runs `work` on so many threads, each with its number.
fn on_threads(count: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for lane in 0..count {
            let work = &work;
            scope.spawn(move || work(lane));
        }
    });
}

/// Every vendor may deliver an event twice; some count the attempt in the body. Each deal is delivered many
/// times on 16 connections, shuffled, by two sources.
#[test]
fn a_storm_of_repeated_deliveries_is_credited_once() {
    let (deals, copies) = (figure("ACCREDIT_STORM_DEALS", 60), figure("ACCREDIT_STORM_COPIES", 20));
    let dir = tempfile::tempdir().unwrap();
    let workspace = two_sources(dir.path());
    let env = [("ACCREDIT_SECRET_PIPE", PIPE_SECRET)];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);

    let mut sent: Vec<(usize, usize)> =
        (0..deals).flat_map(|deal| (0..copies).map(move |copy| (deal, copy))).collect();
    dice().shuffle(&mut sent);
    let (fresh, repeated) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slowest = Mutex::new(Vec::new());
    on_threads(16, |lane| {
        let agent = agent();
        for (deal, copy) in sent.iter().skip(lane).step_by(16) {
            let started = Instant::now();
            let (status, text) = if deal % 2 == 0 {
                send_pipe(&server, &agent, &pipe_event(&format!("P{deal}"), *deal, copy + 1))
            } else {
                let body = format!(
                    "{{\"id\":\"S{deal}\",\"date\":\"2026-03-15\",\"amount\":100,\"owner\":\"ann\"}}"
                );
                let reply = server.hook(&format!("m{deal}"), &body).unwrap();
                (reply.status, reply.body)
            };
            slowest.lock().unwrap().push(started.elapsed());
            assert_eq!(status, 202, "{text}");
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(answer.get("conflict"), None, "{answer}");
            let counter = if answer["duplicate"] == true { &repeated } else { &fresh };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!((fresh.into_inner(), repeated.into_inner()), (deals, deals * (copies - 1)));
    server.settle();
    let credits = server.credits("");
    // A direct credit and those of two managers for each deal.
    assert_eq!(credits.len(), deals * 3);
    let direct: BTreeSet<&str> = credits
        .iter()
        .filter(|credit| credit["kind"] == "direct")
        .map(|credit| credit["transaction"].as_str().unwrap())
        .collect();
    assert_eq!(direct.len(), deals);
    let mut times = slowest.into_inner().unwrap();
    times.sort();
    eprintln!("{} deliveries, 99th percentile {:?}", times.len(), times[times.len() * 99 / 100]);
}

/// A client that goes away cancels its request: what was half read must not be half stored.
#[test]
fn clients_that_disconnect_at_any_byte_leave_all_or_nothing() {
    let count = figure("ACCREDIT_DISCONNECTS", 200);
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let address = server.url.trim_start_matches("http://").to_owned();
    let deals = company::deals(count);
    let plan: Vec<(usize, u64, bool)> = {
        let mut dice = dice();
        (0..count).map(|_| (dice.roll(1000), dice.roll(6) as u64, dice.roll(4) == 0)).collect()
    };

    on_threads(8, |lane| {
        for number in (lane..count).step_by(8) {
            let (body, id, time) = (&deals[number], format!("d{number}"), now());
            let signed =
                accredit_standard_webhooks::sign_delivery(SECRET, &id, time, body.as_bytes());
            let request = format!(
                "POST /hooks/crm HTTP/1.1\r\nhost: x\r\nwebhook-id: {id}\r\n\
                 webhook-timestamp: {time}\r\nwebhook-signature: {}\r\n\
                 content-length: {}\r\n\r\n{body}",
                signed.unwrap(),
                body.len()
            );
            // One in four sends everything and goes before the answer, or in the middle of it.
            let (place, pause, whole) = plan[number];
            let end = if whole { request.len() } else { request.len() * place / 1000 };
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(&request.as_bytes()[..end]).unwrap();
            std::thread::sleep(Duration::from_millis(pause));
            if whole && place % 2 == 0 {
                let _ = stream.read(&mut [0; 20]);
            }
            drop(stream);
        }
    });

    // A body that was cut is nothing; nothing is a dead letter or a deal with half of its credits.
    server.settle();
    let status = server.get("/v1/status").json();
    assert_eq!((&status["dead_letters"], &status["parked"]), (&json!(0), &json!(0)), "{status}");
    let stored = status["counts"]["transactions"].as_u64().unwrap();
    assert!(stored <= count as u64, "{status}");
    for (number, deal) in deals.iter().enumerate() {
        assert_eq!(server.hook(&format!("d{number}"), deal).unwrap().status, 202);
    }
    server.settle();
    let whole = Server::start(&dir.path().join("whole.redb"), &workspace);
    for (number, deal) in deals.iter().enumerate() {
        assert_eq!(whole.hook(&format!("d{number}"), deal).unwrap().status, 202);
    }
    whole.settle();
    let same = crate::server::comparable(&server.credits(""))
        == crate::server::comparable(&whole.credits(""));
    assert!(same, "credits differ from those of senders who stayed");
    eprintln!("{stored} of {count} were stored before they were sent again");
}

/// A stop under load: what was acknowledged is there after the next start, and the stop is clean.
#[test]
fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let data = dir.path().join("a.redb");
    let server = Server::start(&data, &workspace);
    let (acknowledged, refused) = (Mutex::new(BTreeMap::new()), Mutex::new(Vec::new()));
    let deals = company::deals(4000);
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let (server, deals, stopped) = (&server, &deals, &stopped);
            let (acknowledged, refused) = (&acknowledged, &refused);
            scope.spawn(move || {
                for number in (lane..deals.len()).step_by(8) {
                    match server.hook(&format!("m{number}"), &deals[number]) {
                        Ok(reply) if reply.status == 202 => {
                            acknowledged.lock().unwrap().insert(number, ());
                        }
                        Ok(reply) => refused.lock().unwrap().push(reply.status),
                        Err(_) => {
                            assert!(stopped.load(Ordering::SeqCst), "no answer before the stop");
                            return;
                        }
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 200 {
            std::thread::sleep(Duration::from_millis(5));
        }
        stopped.store(true, Ordering::SeqCst);
        server.signal("TERM");
    });
    assert_eq!(server.exit_code(), 0);
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(refused.into_inner().unwrap().iter().all(|status| *status == 503));

    let server = Server::start(&data, &workspace);
    server.settle();
    let direct: BTreeSet<String> = server
        .credits("")
        .iter()
        .map(|credit| credit["transaction"].as_str().unwrap().to_owned())
        .collect();
    let lost: Vec<&usize> =
        acknowledged.keys().filter(|number| !direct.contains(&format!("D{number}"))).collect();
    assert!(lost.is_empty(), "{lost:?}");
    eprintln!("{} acknowledged, {} recorded", acknowledged.len(), direct.len());
}

/// Two sources and readers side by side for some time: figures, and nothing lost. A campaign of a minute or
/// more must reach the figures.
#[test]
fn sustained_mixed_load_is_taken_and_credited() {
    let seconds = figure("ACCREDIT_LOAD_SECONDS", 3) as u64;
    let dir = tempfile::tempdir().unwrap();
    let workspace = two_sources(dir.path());
    let env = [("ACCREDIT_SECRET_PIPE", PIPE_SECRET)];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);
    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    on_threads(8, |lane| {
        let (mut sender, mut own) = (Sender::new(&server.url), Vec::new());
        while Instant::now() < until {
            if lane == 0 {
                // Someone looks at the results meanwhile.
                assert_eq!(server.get("/v1/credits?limit=100").status, 200);
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (path, headers, body) = if lane % 2 == 0 {
                let headers =
                    [("authorization", PIPE_AUTHORIZATION), ("content-type", "application/json")];
                let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
                ("/hooks/pipe", headers.to_vec(), pipe_event(&format!("L{number}"), number, 1))
            } else {
                let body = format!(
                    r#"{{"id":"L{number}","date":"2026-03-15","amount":100,"owner":"ann"}}"#
                );
                ("/hooks/crm", signed_headers(&format!("m{number}"), body.as_bytes()), body)
            };
            let begun = Instant::now();
            let answer = sender.post(path, &headers, body.as_bytes()).unwrap();
            own.push(begun.elapsed());
            assert_eq!(answer.status, 202, "{}", answer.body);
        }
        times.lock().unwrap().extend(own);
    });

    let acknowledged = next.into_inner();
    let status = server.get("/v1/status").json();
    let credited = status["counts"]["direct"].as_u64().unwrap() as f64 / seconds as f64;
    server.settle_patiently(Duration::from_secs(60 + seconds));
    let settled = started.elapsed();
    let status = server.get("/v1/status").json();
    assert_eq!(status["counts"]["direct"], acknowledged, "{status}");
    assert_eq!(status["dead_letters"], 0);
    let mut times = times.into_inner().unwrap();
    let at = [500, 990, 999].map(|share| within(&mut times, share));
    let rate = acknowledged as f64 / seconds as f64;
    eprintln!(
        "{acknowledged} acknowledged in {seconds} s, {rate:.0}/s; {credited:.0}/s credited meanwhile, all \
         after {settled:?}; half within {:?}, 99 % within {:?}, 99.9 % within {:?}; {} MiB resident",
        at[0],
        at[1],
        at[2],
        peak_memory(server.id())
    );
    if seconds >= 60 {
        assert!(rate >= 1000.0, "{rate:.0} acknowledged in a second");
        assert!(credited >= 300.0, "{credited:.0} credited in a second");
        assert!(at[1] <= Duration::from_millis(100), "99 % within {:?}", at[1]);
        assert!(at[2] <= Duration::from_millis(500), "99.9 % within {:?}", at[2]);
    }
}

/// An explanation without what names this deal and its credits, and without how often it changed on the way.
fn forget_names(value: &mut Value, deal: &str) {
    match value {
        Value::String(text) => {
            *text = text.replace(deal, "deal");
            while let Some(at) = text.find("crd_") {
                let end = text.len().min(at + "crd_".len() + 32);
                text.replace_range(at..end, "credit");
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| forget_names(item, deal));
            // Credits are listed by their ids.
            items.sort_by_key(Value::to_string);
        }
        Value::Object(members) => {
            members.retain(|key, _| !["version", "superseded", "delivery"].contains(&key.as_str()));
            members.values_mut().for_each(|member| forget_names(member, deal));
        }
        _ => (),
    }
}

/// The events of a deal, each with its id, in the order in which they happened.
fn life_of(deal: &str) -> Vec<(String, String)> {
    let event = |step: usize, stage: &str, amount: &str, owner: &str, minute: usize| {
        let body = json!({
            "id": deal, "date": "2026-03-15", "amount": amount, "owner": owner, "stage": stage,
            "updated": format!("2026-03-15T10:{minute:02}:00Z"),
        });
        (format!("{deal}-{step}"), body.to_string())
    };
    vec![
        event(0, "open", "10", "bob", 0),
        event(1, "won", "100.10", "bob", 1),
        event(2, "won", "150.20", "ann", 2),
        event(3, "lost", "150.20", "ann", 3),
        event(4, "open", "90", "ann", 4),
        event(5, "won", "90", "ann;bob", 5),
        // Two changes in one minute: the tie is broken by their content, not by who came first.
        event(6, "won", "91.50", "ann;bob", 6),
        event(7, "won", "91.40", "ann;bob", 6),
    ]
}

/// The events of a deal in any order: opened, won, changed, lost and won again. What is credited in the end
/// and why is the same.
#[test]
fn the_events_of_a_deal_count_the_same_in_every_order() {
    let orders = figure("ACCREDIT_ORDERS", 60);
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let settings =
        settings.replace("owner = [\"owner\"]\n", "owner = [\"owner\"]\nupdated = \"updated\"\n");
    company::put(&workspace, "accredit.toml", &settings);
    let plan = std::fs::read_to_string(workspace.join("plans/reps.toml")).unwrap();
    let plan = format!("filter = 'tx[\"stage\"] == \"won\"'\n{plan}");
    company::put(&workspace, "plans/reps.toml", &plan);
    let server = Server::start(&dir.path().join("a.redb"), &workspace);

    let mut dice = dice();
    let mut all: Vec<Vec<(String, String)>> = (0..orders)
        .map(|number| {
            let mut events = life_of(&format!("O{number:03}"));
            if number > 0 {
                dice.shuffle(&mut events);
            }
            events
        })
        .collect();
    on_threads(4, |lane| {
        for events in all.iter().skip(lane).step_by(4) {
            for (id, body) in events {
                assert_eq!(server.hook(id, body).unwrap().status, 202);
            }
        }
    });
    server.settle();
    all.truncate(orders);

    let outcome = |number: usize| {
        let deal = format!("O{number:03}");
        let kept = ["kind", "payee", "amount", "share", "rule", "level", "via", "status", "period"];
        let credits = server.credits(&format!("transaction={deal}"));
        let rows = credits.iter().map(|credit| {
            kept.iter().map(|key| credit[key].to_string()).collect::<Vec<_>>().join(" ")
        });
        let rows: BTreeSet<String> = rows.collect();
        let explained = server.get(&format!("/v1/transactions/{deal}/explain"));
        assert_eq!(explained.status, 200, "{}", explained.body);
        let mut explained = explained.json();
        forget_names(&mut explained, &deal);
        (rows, explained)
    };
    let first = outcome(0);
    assert!(first.0.len() >= 3, "{first:?}");
    for (number, events) in all.iter().enumerate() {
        let order: Vec<&str> = events.iter().map(|(id, _)| id.as_str()).collect();
        let other = outcome(number);
        assert_eq!(other.0, first.0, "{order:?}");
        let lines = |explained: &Value| serde_json::to_string_pretty(explained).unwrap();
        let (found, wanted) = (lines(&other.1), lines(&first.1));
        let unlike = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
        assert_eq!(unlike, None, "{order:?}");
    }
}
