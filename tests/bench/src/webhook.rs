//! Durable acknowledgements a second: the real server, deciding in the background, against the bare loop.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const CLIENTS: usize = 16;
const REQUESTS: usize = 2_000;
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const FILES: &[(&str, &str)] = &[
    (
        "accredit.toml",
        "[workspace]\nname = \"Bench\"\n[fields]\nid = \"id\"\ndate = \"date\"\namount = \"amount\"\n\
         owner = [\"owner\"]\n[sources.crm]\nconnector = \"standard-webhooks\"\n",
    ),
    (
        "organization/participants.csv",
        "id,name,title,manager\nann,Ann,Rep,max\nbob,Bob,Rep,max\nmax,Max,Manager,\n",
    ),
    (
        "plans/reps.toml",
        "name = \"Reps\"\ntargets = [\"title:Rep\"]\n[[direct]]\nname = \"Booking\"\n[[direct.results]]\n\
         name = \"Booking credit\"\nrollable = true\n[[indirect]]\nname = \"Managers\"\n\
         relationship = \"Reporting\"\n[[indirect.results]]\nname = \"Managers credit\"\n",
    ),
];

struct Accredit(Child);

impl Drop for Accredit {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(binary: &str, dir: &Path) -> (Accredit, String) {
    for (path, text) in FILES {
        let path = dir.join("workspace").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut command = Command::new(binary);
    command.arg("serve").arg("--create").arg("--data").arg(dir.join("accredit.redb"));
    command.arg("--workspace").arg(dir.join("workspace")).args(["--listen", "127.0.0.1:0"]);
    command
        .env("ACCREDIT_TOKEN", "bench-token-0123456789abcdef012345")
        .env("ACCREDIT_SECRET_CRM", SECRET);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = loop {
        let line = lines.next().expect("the server ended").unwrap();
        if let Some((_, url)) = line.split_once("listening on ") {
            break url.trim().to_owned();
        }
    };
    std::thread::spawn(move || for _ in lines {});
    (Accredit(child), url)
}

fn load(url: &str, round: usize) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().max_idle_connections_per_host(CLIENTS).build().new_agent();
    let next = AtomicUsize::new(0);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= REQUESTS {
                        return;
                    }
                    let id = format!("msg_{round}_{number}");
                    let key = format!("D{round}-{number}");
                    let body = format!(
                        r#"{{"id":"{key}","date":"2026-03-15","amount":"120.50","owner":"Ann"}}"#
                    );
                    let signature = accredit_standard_webhooks::sign_delivery(
                        SECRET,
                        &id,
                        seconds,
                        body.as_bytes(),
                    );
                    let request = agent.post(format!("{url}/hooks/crm"));
                    let request = request.header("webhook-id", &id);
                    let request = request.header("webhook-timestamp", seconds.to_string());
                    let request = request.header("webhook-signature", signature.unwrap());
                    let reply =
                        request.header("content-type", "application/json").send(&body).unwrap();
                    assert_eq!(reply.status(), 202);
                }
            });
        }
    });
}

pub fn compare(binary: &str) {
    let dir = tempfile::tempdir().unwrap();
    let bare = crate::bare::serve(&dir.path().join("bare.redb"));
    let (_server, url) = start(binary, dir.path());
    let (mut a, mut b) = (0, 0);
    let (ours, rival) = crate::duel(
        || {
            a += 1;
            load(&url, a);
        },
        || {
            b += 1;
            load(&bare, b);
        },
    );
    let what = format!("webhook with {CLIENTS} clients, every answer durable");
    crate::print(&what, REQUESTS, ours, rival, "a bare axum and redb loop");
}
