//! A real server for a test: the built binary on a free port of loopback with a data file of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

/// The administrator's token in tests.
pub const TOKEN: &str = "test-token-0123456789abcdef0123456789";
/// The secret of the source `crm` in tests.
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a test waits for the answer to an import.
const IMPORT_PATIENCE: Duration = Duration::from_secs(300);

/// The binary under test, built when it is missing. A campaign names another one: a release build.
pub fn binary() -> PathBuf {
    if let Some(program) = std::env::var_os("ACCREDIT_PROGRAM") {
        return PathBuf::from(program);
    }
    let exe = std::env::current_exe().unwrap();
    let dir = exe.ancestors().find(|dir| dir.join("deps").is_dir()).unwrap();
    let binary = dir.join("accredit");
    if !binary.is_file() {
        let done = Command::new("cargo")
            .args(["build", "--workspace", "--bin", "accredit"])
            .status()
            .unwrap();
        assert!(done.success(), "cargo build --bin accredit");
    }
    binary
}

/// Runs a verb: (exit code, standard output, standard error).
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(binary()).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What it wrote to standard error since it listens.
    pub log: Arc<Mutex<String>>,
    agent: ureq::Agent,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Server {
    /// Starts a server on `data`, filled from `workspace`.
    pub fn start(data: &Path, workspace: &Path) -> Server {
        Server::start_with(data, workspace, &[], &[])
    }

    pub fn start_with(
        data: &Path,
        workspace: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Server {
        // A stage of tests/run has the same tests on databases.
        if let Some(store) = postgres_cluster::database_for(data) {
            let arguments = [&["--lease", "2s"], arguments].concat();
            return Server::start_host(&store, workspace, &arguments, env);
        }
        Server::start_file(data, workspace, arguments, env)
    }

    /// Starts a server on a data file, also where other tests run on databases.
    pub fn start_file(
        data: &Path,
        workspace: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Server {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--data").arg(data).arg("--workspace").arg(workspace);
        command.args(["--create", "--listen", "127.0.0.1:0"]).args(arguments);
        Server::start_command(command, env)
    }

    /// Starts a host on a database.
    pub fn start_host(
        store: &str,
        workspace: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Server {
        let mut command = Command::new(binary());
        command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--workspace").arg(workspace);
        command.args(arguments).env("ACCREDIT_STORE", store);
        Server::start_command(command, env)
    }

    fn start_command(mut command: Command, env: &[(&str, &str)]) -> Server {
        command.env("ACCREDIT_TOKEN", TOKEN).env("ACCREDIT_SECRET_CRM", SECRET);
        command.envs(env.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the server ended: {seen}");
            if let Some((_, url)) = line.split_once("listening on ") {
                break url.trim().to_owned();
            }
            seen.push_str(&line);
        };
        // The pipe must be drained, or a talkative server would block on it.
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
        Server { child, url, log, agent }
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to stop and gives its exit code.
    pub fn stop(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Waits for the server to end by itself and gives its exit code.
    pub fn exit_code(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Sends a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }

    pub fn get(&self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.url));
        finish(request.header("authorization", format!("Bearer {TOKEN}")).call()).unwrap()
    }

    pub fn get_with_token(&self, path: &str, token: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.url));
        finish(request.header("authorization", format!("Bearer {token}")).call()).unwrap()
    }

    pub fn get_without_token(&self, path: &str) -> Reply {
        finish(self.agent.get(format!("{}{path}", self.url)).call()).unwrap()
    }

    pub fn post(&self, path: &str, kind: &str, body: &str) -> Reply {
        self.post_with(path, &[("content-type", kind)], body)
    }

    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.url));
        let mut request = request.header("authorization", format!("Bearer {TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        finish(request.send(body)).unwrap()
    }

    /// Sends an import, which may take minutes.
    pub fn import(&self, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let request = self.agent.post(format!("{}/v1/transactions", self.url));
        let request = request.config().timeout_global(Some(IMPORT_PATIENCE)).build();
        let mut request = request.header("authorization", format!("Bearer {TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        finish(request.send(body)).unwrap()
    }

    pub fn delete(&self, path: &str) -> Reply {
        let request = self.agent.delete(format!("{}{path}", self.url));
        finish(request.header("authorization", format!("Bearer {TOKEN}")).call()).unwrap()
    }

    /// Saves a policy, over the version that is there.
    pub fn put_policy(&self, kind: &str, name: &str, source: &str) -> Reply {
        let path = format!("/v1/policies/{kind}/{name}");
        let current = self.get(&path);
        let request = self.agent.put(format!("{}{path}", self.url));
        let mut request = request.header("authorization", format!("Bearer {TOKEN}"));
        if let Some(etag) = current.header("etag") {
            request = request.header("if-match", etag);
        }
        finish(request.header("content-type", "text/plain").send(source)).unwrap()
    }

    /// Sends a signed delivery to `/hooks/crm`; an error when there is no answer.
    pub fn hook(&self, id: &str, body: &str) -> Result<Reply, String> {
        self.hook_at(id, now(), SECRET, body)
    }

    pub fn hook_at(&self, id: &str, time: i64, secret: &str, body: &str) -> Result<Reply, String> {
        self.hook_signed(id, time, secret, body.as_bytes())
    }

    /// Sends a signed body that may be no text.
    pub fn hook_bytes(&self, id: &str, body: &[u8]) -> Result<Reply, String> {
        self.hook_signed(id, now(), SECRET, body)
    }

    fn hook_signed(&self, id: &str, time: i64, secret: &str, body: &[u8]) -> Result<Reply, String> {
        let signature = accredit_standard_webhooks::sign_delivery(secret, id, time, body);
        let signature = signature.map_err(|error| error.to_string())?;
        let request = self.agent.post(format!("{}/hooks/crm", self.url));
        let request =
            request.header("webhook-id", id).header("webhook-timestamp", time.to_string());
        let request = request.header("webhook-signature", signature);
        finish(request.header("content-type", "application/json").send(body))
    }

    /// Waits until everything that was received is decided.
    pub fn settle(&self) {
        self.settle_patiently(PATIENCE);
    }

    /// The same, for so long.
    pub fn settle_patiently(&self, patience: Duration) {
        self.wait_patiently(patience, "the inbox is empty", || {
            let status = self.get("/v1/status").json();
            status["pending"].as_u64() == Some(0)
        });
    }

    pub fn wait(&self, what: &str, done: impl FnMut() -> bool) {
        self.wait_patiently(PATIENCE, what, done);
    }

    fn wait_patiently(&self, patience: Duration, what: &str, mut done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < patience, "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every credit that `query` selects, over all pages.
    pub fn credits(&self, query: &str) -> Vec<Json> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let reply = self.get(&format!("/v1/credits?limit=1000&{query}{cursor}"));
            assert_eq!(reply.status, 200, "{}", reply.body);
            let page = reply.json();
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good as ended now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn finish(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Reply, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap_or("").to_owned())).collect();
    let body = answer.body_mut().with_config().limit(1 << 28).read_to_string();
    Ok(Reply { status: answer.status().as_u16(), headers, body: body.map_err(|e| e.to_string())? })
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Credits without what may differ between ways of getting them, sorted (FORMAT section 6).
pub fn comparable(credits: &[Json]) -> Vec<String> {
    let strip = |credit: &Json| {
        let mut credit = credit.clone();
        credit.as_object_mut().unwrap().remove("ruleset");
        credit.to_string()
    };
    let mut all: Vec<String> = credits.iter().map(strip).collect();
    all.sort();
    all
}
