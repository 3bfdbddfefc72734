//! The server on a loopback port with a real data file, asked over HTTP.

mod access;
mod admin;
mod api;
mod approvals;
mod assigned;
mod audit;
mod by_hand;
mod chart;
mod concurrency;
mod console;
mod contract;
mod covered;
mod damage;
mod definitions;
mod described;
mod documented;
mod editors;
mod enquiries;
mod exports;
mod faults;
mod foretold;
mod former;
mod given;
mod granted;
mod guarded;
mod health;
mod hooks;
mod imagined;
mod incremental;
mod keys;
mod late;
mod limited;
mod lineage;
mod outgoing;
mod people;
mod policies;
mod progress;
mod published;
mod queried;
mod queued;
mod recorded;
mod republished;
mod restart;
mod rotated;
mod selected;
mod sign_in;
mod simulated;
mod swap;
mod tls;
mod told;
mod trimmed;
mod versions;
mod voided;
mod watching;
mod wire;

use std::path::Path;
use std::time::{Duration, Instant};

use accredit_seams::store::Store;
use accredit_seams::store::shared::HandlePurpose;
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;

use super::{RunningServer, Server};
use crate::server::config::Config;
use crate::server::credentials::Credentials;

const SETTINGS: &str = r#"
[workspace]
name = "Acme"

[fields]
id = "id"
date = "closed"
amount = "amount"
owner = "owner"
updated = "updated"

[columns]
hold = "text"

[sources.crm]
connector = "standard-webhooks"
"#;

const PLAN: &str = r#"
name = "Sellers"
targets = ["*"]

[[direct]]
name = "Booking"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"
  hold = "policy:asked"
"#;

const HOLD: &str = r#"
fn hold(tx, credit) {
    if !tx.has("hold") { return no_hold(); }
    let wish = tx["hold"];
    if wish == "broken" { throw "not yet"; }
    if wish == "yes" { return hold_indefinitely("asked"); }
    if wish == "month" { return hold_for(1, "months"); }
    no_hold()
}
"#;

const PEOPLE: &str = "id,name,title,manager,from,to\nann,Ann,Seller,,,\nbob,Bob,Seller,,,\n";

/// Makes a store of a test's own.
type MakeStore = Box<dyn Fn(&Config) -> std::sync::Arc<dyn Store> + Send + Sync>;

/// A server with its directory and its data file.
struct Host {
    runtime: tokio::runtime::Runtime,
    running: Option<RunningServer>,
    agent: ureq::Agent,
    folder: TempDir,
    watch: bool,
    date: jiff::civil::Date,
    /// What else it is started with.
    also: Box<dyn Fn(&mut Config) + Send + Sync>,
    /// The store that it runs on, where that is not its data file.
    store: Option<MakeStore>,
}

/// What came back.
struct Reply {
    status: u16,
    headers: ureq::http::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["type"], format!("/problems/{code}"));
        assert_eq!(json["status"], status);
        assert_eq!(json["instance"], self.header("x-request-id"));
        json
    }
}

impl Host {
    fn start() -> Host {
        Host::start_watching(false)
    }

    fn start_watching(watch: bool) -> Host {
        Host::begin(watch, Box::new(|_| ()))
    }

    fn start_with(also: impl Fn(&mut Config) + Send + Sync + 'static) -> Host {
        Host::begin(false, Box::new(also))
    }

    fn start_on<S: Store + 'static>(
        store: impl Fn(&Config) -> std::sync::Arc<S> + Send + Sync + 'static,
    ) -> Host {
        let store: MakeStore = Box::new(move |config| store(config));
        Host::begin_on(false, Box::new(|_| ()), Some(store))
    }

    fn begin(watch: bool, also: Box<dyn Fn(&mut Config) + Send + Sync>) -> Host {
        Host::begin_on(watch, also, None)
    }

    fn begin_on(
        watch: bool,
        also: Box<dyn Fn(&mut Config) + Send + Sync>,
        store: Option<MakeStore>,
    ) -> Host {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join("acme").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("accredit.toml", &format!("credit_types = [\"booking\"]\n{SETTINGS}"));
        write("plans/sellers.toml", PLAN);
        write("policies/hold/asked.rhai", HOLD);
        write("organization/participants.csv", PEOPLE);
        write("transactions/deals.csv", "id,closed,amount,owner\nnever,2026-01-01,1,ann\n");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
        let date = jiff::civil::date(2026, 1, 15);
        let mut host = Host { runtime, running: None, agent, folder, watch, date, also, store };
        host.run();
        host
    }

    fn run(&mut self) {
        let mut config = Config {
            data: self.folder.path().join("acme.redb"),
            workspace: Some(self.folder.path().join("acme")),
            listen: "127.0.0.1:0".to_owned(),
            create: true,
            watch: self.watch,
            business_date: Some(self.date),
            credentials: Credentials { token: Some("test-token".into()), ..Credentials::default() },
            ..Config::default()
        };
        (self.also)(&mut config);
        let store = self.store.as_ref().map(|make| make(&config));
        let store = store.or_else(|| database_of(&config));
        let running = self.runtime.block_on(async {
            match store {
                Some(store) => Server::start_on(config, store).await,
                None => Server::start(config).await,
            }
        });
        self.running = Some(running.unwrap());
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    fn running(&self) -> &RunningServer {
        self.running.as_ref().unwrap()
    }

    fn directory(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("acme")
    }

    /// Sends a request; what comes back is held against the OpenAPI document.
    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let url = format!("{}{path}", self.running().url);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).unwrap();
        let sent = (method, path);
        let mut response = self.agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let status = response.status().as_u16();
        let reply = Reply { status, headers: response.headers().clone(), text };
        contract::check_exchange(sent, headers, body, &reply);
        reply
    }

    /// With the token.
    fn api(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut headers = headers.to_vec();
        headers.push(("authorization", "Bearer test-token"));
        self.call(method, path, &headers, body.as_bytes())
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.api("GET", path, &[], "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    /// A signed delivery.
    fn deliver(&self, id: &str, body: &str) -> Reply {
        let secret = self.running().first_secret("crm").unwrap();
        let now_s = crate::server::clock::HostClock::default().now_ms() / 1000;
        let signed = accredit_standard_webhooks::sign_delivery(
            secret.expose_secret(),
            id,
            now_s,
            body.as_bytes(),
        )
        .unwrap();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", &now_s.to_string()),
            ("webhook-signature", &signed),
            ("content-type", "application/json"),
        ];
        self.call("POST", "/hooks/crm", &headers, body.as_bytes())
    }

    /// Waits until the inbox is empty, then asks for the credits of a transaction.
    fn credits(&self, transaction: &str) -> Vec<Value> {
        self.drained();
        let page = self.get(&format!("/v1/credits?transaction={transaction}"));
        page["data"].as_array().unwrap().clone()
    }

    /// Waits until the worker has done what it was told before: an activation's try of what is
    /// parked stands in the same queue.
    fn after_redrive(&self) {
        assert_eq!(self.api("POST", "/v1/parked/redrive", &[], "").status, 200);
    }

    fn drained(&self) {
        let started = Instant::now();
        while self.get("/v1/status")["pending"] != 0 {
            assert!(started.elapsed() < Duration::from_secs(20), "the inbox does not drain");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The database that stands for the data file, in the stage of tests/run that has tests on databases.
fn database_of(config: &Config) -> Option<std::sync::Arc<dyn Store>> {
    let address = postgres_cluster::database_for(&config.data)?;
    let address = crate::plugins::database_address(&address, None).unwrap();
    Some(crate::plugins::open_database(&address, true).unwrap().open_handle(HandlePurpose::Alone))
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until everything that an activation asked for is decided again.
fn recredited(host: &Host) {
    let started = Instant::now();
    host.drained();
    while !host.get("/v1/status")["recredit"].is_null() {
        assert!(started.elapsed() < Duration::from_secs(20), "it is not decided again");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A deal as the source sends it.
fn deal(id: &str, amount: &str, more: &str) -> String {
    format!(r#"{{"id":"{id}","closed":"2026-01-10","amount":{amount},"owner":"ann"{more}}}"#)
}
