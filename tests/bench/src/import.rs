//! Deals imported into a running server until their credits are durable, with the view of the payees.
//!
//! The rival is DuckDB, which stores the same deals and credits in a file of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Outcome;
use crate::proof::{Proof, position_lines, prove_csv};
use crate::report::{Figure, Finding, thousands};
use crate::rounds::{Side, Times, alternate, time};
use crate::settings::Settings;

const ROUNDS: usize = 5;

/// Bytes of a request; the server takes 64 MiB.
const BODY_BYTES: usize = 16 << 20;

/// How often the server is asked whether it has decided everything.
const GLANCE: Duration = Duration::from_millis(10);

/// A server that has not decided its import by then is given up.
const PATIENCE: Duration = Duration::from_secs(1800);

const TOKEN: &str = "bench-token-0123456789abcdef012345";

/// A server over a company, with a data file of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(binary: &Path, company: &Path, data: &Path) -> Server {
        let mut command = Command::new(binary);
        command.arg("serve").arg("--create").arg("--data").arg(data);
        command.arg("--workspace").arg(company).args(["--listen", "127.0.0.1:0"]);
        command.env("ACCREDIT_TOKEN", TOKEN).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();

        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the server ended").unwrap();
            if line.starts_with("error") {
                println!("{line}");
            }
            if let Some((_, url)) = line.split_once("listening on ") {
                break url.trim().to_owned();
            }
        };
        std::thread::spawn(move || for _ in lines {});
        Server { child, url }
    }

    /// Sends the deals and waits until `credits` of them are durable.
    fn import(&self, bodies: &[String], credits: u64) {
        let agent = ureq::Agent::new_with_defaults();
        for body in bodies {
            let request = agent.post(format!("{}/v1/transactions", self.url));
            let request = request.header("authorization", format!("Bearer {TOKEN}"));
            let reply = request.header("content-type", "text/csv").send(body).unwrap();
            assert!(reply.status().is_success(), "{}", reply.status());
        }

        let end = Instant::now() + PATIENCE;
        while !self.has_decided(&agent, credits) {
            assert!(Instant::now() < end, "the server has not decided its import");
            std::thread::sleep(GLANCE);
        }
    }

    fn has_decided(&self, agent: &ureq::Agent, credits: u64) -> bool {
        let request = agent.get(format!("{}/metrics", self.url));
        let mut reply = request.header("authorization", format!("Bearer {TOKEN}")).call().unwrap();
        let text = reply.body_mut().read_to_string().unwrap();
        let sum = |name: &str| -> u64 {
            let lines = text.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
        };
        sum("accredit_credits_total") >= credits && sum("accredit_inbox_pending") == 0
    }

    /// Asks the server to end and waits for it.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Proves that the server has the same credits as the rest, then compares its time and its file.
pub fn compare(settings: &Settings, outcome: &mut Outcome) {
    let (Some(binary), Some(python)) = (&settings.accredit, &settings.python) else {
        outcome.skip("imports: they need the accredit binary and DuckDB");
        return;
    };
    let folder = settings.company(settings.deals);
    let bodies = read_bodies(&folder);
    let proof = expected_proof(settings, binary, &folder);
    let place = settings.folder.path().join("import");
    let data = place.join("accredit.redb");
    let import = || {
        // What a server keeps beside its data file goes as well.
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir(&place).unwrap();
        let server = Server::start(binary, &folder, &data);
        let took = time(|| server.import(&bodies, proof.rows()));
        server.stop();
        took
    };
    let _ = import();
    let compacted = compact(binary, &data);
    let stored = stored_proof(settings, binary, (&folder, &data));
    assert_eq!(stored, proof, "the server has other credits than `calculate`");
    let bytes = std::fs::metadata(&data).unwrap().len();

    let file = settings.folder.path().join("import.duckdb");
    let store = || time(|| store_with_duckdb(python, &folder, &file));
    let _ = store();
    let stored = duckdb_proof(python, &file);
    assert_eq!(stored, proof, "DuckDB has other credits than `calculate`");
    println!("import: both sides have the same {} credits", proof.rows());

    let sides: &mut [Side<'_>] = &mut [Box::new(import), Box::new(store)];
    let times = alternate(ROUNDS, sides);
    let state = if compacted { "compacted" } else { "not compacted" };
    report(outcome, (&times, bytes, state), (settings.deals, proof.rows()));
}

/// The file of deals in bodies, each with the header.
fn read_bodies(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("transactions/deals.csv")).unwrap();
    let (header, mut rest) = text.split_once('\n').unwrap();
    let mut bodies = Vec::new();
    while !rest.is_empty() {
        let wanted = rest.len().min(BODY_BYTES);
        let end = rest[..wanted].rfind('\n').unwrap() + 1;
        bodies.push(format!("{header}\n{}", &rest[..end]));
        rest = &rest[end..];
    }
    bodies
}

/// The proof of the credits as of today: a server releases holds that have ended.
fn expected_proof(settings: &Settings, binary: &Path, folder: &Path) -> Proof {
    let mut command = Command::new(binary);
    command.arg("calculate").arg(folder).args(["--as-of", &today()]);
    calculated_proof(settings, folder, &mut command)
}

/// The proof of what the data file has.
fn stored_proof(settings: &Settings, binary: &Path, (folder, data): (&Path, &Path)) -> Proof {
    let mut command = Command::new(binary);
    command.arg("calculate").arg("--data").arg(data);
    calculated_proof(settings, folder, &mut command)
}

fn calculated_proof(settings: &Settings, folder: &Path, command: &mut Command) -> Proof {
    let out = settings.folder.path().join("calculated.csv");
    command.args(["--plan", "reps", "--period", "2026", "--format", "csv"]);
    command.stdout(std::fs::File::create(&out).unwrap()).stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "`calculate` failed");
    prove_csv(&out, &position_lines(folder))
}

/// The business date of the company, whose zone is UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let days = i64::try_from(since.as_secs() / 86_400).unwrap();
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days)).to_string()
}

/// Compacts the data file, as after every large import; whether this version can.
fn compact(binary: &Path, data: &Path) -> bool {
    let mut command = Command::new(binary);
    command.args(["compact", "--data"]).arg(data).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

fn duckdb_proof(python: &Path, file: &Path) -> Proof {
    let mut command = crate::whole::python_command(python, "duckdb_rival.py", "prove");
    let output = command.arg(file).stderr(Stdio::inherit()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn store_with_duckdb(python: &Path, folder: &Path, file: &Path) {
    let _ = std::fs::remove_file(file);
    let mut command = crate::whole::python_command(python, "duckdb_rival.py", "store");
    command.args([folder, file]).args(["2", &today()]);
    assert!(command.stdin(Stdio::null()).status().unwrap().success(), "DuckDB failed");
}

fn report(
    outcome: &mut Outcome,
    (times, bytes, state): (&[Times], u64, &str),
    (deals, credits): (usize, u64),
) {
    let (ours, rival) = (&times[0], &times[1]);
    let what = format!("{} deals imported until their credits are durable", thousands(deals));
    let detail = ours.medians_text(rival);
    let ratio = ours.ratio_to(rival);
    outcome.findings.push(Finding::of_ratio("import/duckdb", &what, "DuckDB", ratio, detail));

    outcome.findings.push(Finding {
        key: "import/bytes".to_owned(),
        what: format!("data file after the import of {} deals, {state}", thousands(deals)),
        rival: "the number of credits".to_owned(),
        figure: Figure::BytesPerCredit,
        value: bytes as f64 / credits as f64,
        spread: None,
        detail: format!("{} MB", bytes / 1_000_000),
    });
}
