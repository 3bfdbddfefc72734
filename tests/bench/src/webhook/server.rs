//! The servers that are asked, each in a process of its own: accredit with a small company, and the
//! bare loop.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TOKEN: &str = "bench-token-0123456789abcdef012345";

/// The plan, with the value of its direct credits.
fn plan(value: &str) -> String {
    format!(
        "name = \"Reps\"\ntargets = [\"title:Rep\"]\n[[direct]]\nname = \"Booking\"\n[[direct.results]]\n\
         name = \"Booking credit\"\nvalue = \"{value}\"\nrollable = true\n[[indirect]]\nname = \"Managers\"\n\
         relationship = \"Reporting\"\n[[indirect.results]]\nname = \"Managers credit\"\n"
    )
}

const SETTINGS: &str = "[workspace]\nname = \"Bench\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
    amount = \"amount\"\nowner = [\"owner\"]\n[sources.crm]\nconnector = \"standard-webhooks\"\n";

const PEOPLE: &str = "id,name,title,manager\nann,Ann,Rep,max\nbob,Bob,Rep,max\nmax,Max,Manager,\n";

/// A server in a process of its own, killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts accredit with a data file and a company in `folder`.
    pub fn accredit(binary: &str, folder: &Path) -> Server {
        let plan = plan("tx.amount");
        let files = [
            ("accredit.toml", SETTINGS),
            ("organization/participants.csv", PEOPLE),
            ("plans/reps.toml", &plan),
        ];
        for (path, text) in files {
            let path = folder.join("workspace").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        let mut command = Command::new(binary);
        command.arg("serve").arg("--create").arg("--data").arg(folder.join("accredit.redb"));
        command.arg("--workspace").arg(folder.join("workspace")).args(["--listen", "127.0.0.1:0"]);
        command.env("ACCREDIT_TOKEN", TOKEN).env("ACCREDIT_SECRET_CRM", super::load::SECRET);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = child.stderr.take().unwrap();
        Server { child, address: wait_address(lines) }
    }

    /// Starts this program as the bare loop on a file in `folder`.
    pub fn bare(folder: &Path) -> Server {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("bare").arg(folder.join("bare.redb")).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = child.stdout.take().unwrap();
        Server { child, address: wait_address(lines) }
    }

    /// Processor time that the server has used so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = text.rsplit_once(") ").unwrap();
        // User and system time, in hundredths of a second.
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
        ticks.sum::<f64>() / 100.0
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn status(&self) -> serde_json::Value {
        let request = ureq::get(self.url("/v1/status"));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let text = request.call().unwrap().into_body().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// How many deliveries wait to be decided.
    pub fn pending(&self) -> u64 {
        self.status()["pending"].as_u64().unwrap()
    }

    /// How many deals are recorded.
    pub fn deals(&self) -> u64 {
        self.status()["counts"]["transactions"].as_u64().unwrap()
    }

    /// The hash of the ruleset in force.
    pub fn ruleset(&self) -> String {
        let text =
            ureq::get(self.url("/readyz")).call().unwrap().into_body().read_to_string().unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["ruleset"].as_str().unwrap().to_owned()
    }

    /// Waits until every delivery is decided.
    pub fn wait_decided(&self) {
        let start = Instant::now();
        while self.pending() != 0 {
            assert!(start.elapsed() < Duration::from_secs(600), "deliveries are not decided");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Imports so many deals.
    pub fn import(&self, name: &str, deals: usize) {
        let mut body = String::from("id,date,amount,owner\n");
        for number in 0..deals {
            body.push_str(&format!(
                "{name}-{number},2026-03-{:02},{}.50,Ann\n",
                number % 28 + 1,
                number % 900
            ));
        }
        let request = ureq::post(self.url("/v1/transactions"));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let reply = request.header("content-type", "text/csv").send(&body).unwrap();
        assert_eq!(reply.status(), 202);
    }

    /// Activates the plan with another value.
    pub fn activate(&self, value: &str) {
        let request = ureq::put(self.url("/v1/definitions/plans/reps.toml"));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let reply = request.header("if-match", "*").send(&plan(value)).unwrap();
        assert_eq!(reply.status(), 200);
    }
}

/// The address that a server prints; what it prints later is read and thrown away.
fn wait_address(output: impl std::io::Read + Send + 'static) -> SocketAddr {
    let mut lines = BufReader::new(output).lines();
    let address = loop {
        let line = lines.next().expect("the server ended").unwrap();
        if let Some((_, url)) = line.split_once("listening on http://") {
            break url.trim().parse().unwrap();
        }
    };
    std::thread::spawn(move || for _ in lines {});
    address
}
