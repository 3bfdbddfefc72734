//! A PostgreSQL of its own in a temporary folder: a socket, no port, stopped at the end by its own id.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::worker::{Question, Worker};

/// The user `nobody`: PostgreSQL does not run as root.
const NOBODY: u32 = 65534;

/// The server ends by itself after so many seconds.
const LIFE_SECONDS: &str = "3600";

const START_SECONDS: u64 = 30;

/// A running server.
pub struct Cluster {
    folder: PathBuf,
    child: Child,
}

/// The programs that are needed; the message says which is missing.
pub fn find_programs() -> Result<(), String> {
    for program in ["initdb", "postgres", "psql", "timeout"] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            return Err(format!("PostgreSQL: `{program}` is not installed"));
        }
    }
    Ok(())
}

impl Cluster {
    /// Makes a cluster in `folder` and starts it.
    pub fn start(folder: &Path) -> Cluster {
        let folder = folder.to_owned();
        std::fs::create_dir(&folder).unwrap();
        let root = std::fs::metadata(&folder).unwrap().uid() == 0;
        if root {
            std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }

        let command = |program: &str| {
            let mut command = Command::new(program);
            command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null());
            command.stderr(Stdio::null());
            if root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let data = folder.join("data");
        let mut initdb = command("initdb");
        initdb.arg("-D").arg(&data).args(["-U", "bench", "--auth", "trust", "--no-sync"]);
        assert!(initdb.status().unwrap().success(), "initdb failed");

        let mut server = command("timeout");
        server.args(["--signal=INT", LIFE_SECONDS, "postgres", "-D"]).arg(&data);
        server.arg("-k").arg(&folder).args(["-c", "listen_addresses="]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let cluster = Cluster { child: server.spawn().unwrap(), folder };
        cluster.wait_ready();
        cluster
    }

    fn psql(&self) -> Command {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-F", " ", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-U", "bench", "-d", "postgres", "-h"]).arg(&self.folder);
        command
    }

    fn wait_ready(&self) {
        let end = Instant::now() + Duration::from_secs(START_SECONDS);
        let mut try_once = self.psql();
        try_once.args(["-c", "SELECT 1"]).stdout(Stdio::null()).stderr(Stdio::null());
        while !try_once.status().unwrap().success() {
            assert!(Instant::now() < end, "PostgreSQL does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A worker that has loaded the company in `folder`.
    pub fn worker(&self, folder: &Path) -> Worker {
        let mut command = self.psql();
        command.current_dir(folder);
        let mut worker = Worker::start("PostgreSQL", &mut command, wording).as_client();
        worker.send(LOAD);
        worker.send("SELECT 'ready';");
        worker.wait_ready();
        worker
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stop = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        drop(stop);
        let _ = self.child.wait();
    }
}

/// As fast as it is without any promise to survive a crash.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=8GB",
    "shared_buffers=1GB",
    "work_mem=256MB",
    "autovacuum=off",
    "statement_timeout=600s",
    "client_min_messages=warning",
    "min_parallel_table_scan_size=0",
    "parallel_setup_cost=0",
    "parallel_tuple_cost=0",
];

const LOAD: &str = include_str!("../rivals/load.sql");
const DECIDE: &str = include_str!("../rivals/decide.sql");
const PROOF: &str = include_str!("../rivals/proof.sql");

fn wording(question: Question) -> String {
    match question {
        Question::Decide(threads) => {
            let helpers = threads - 1;
            format!("SET max_parallel_workers_per_gather = {helpers};\n{DECIDE}\nSELECT 'done';")
        }
        Question::Prove => {
            let columns = "n, position::bigint AS position, kind, cents, status, month";
            format!(
                "WITH numbered AS (SELECT {columns} FROM credits), {};",
                &PROOF["WITH ".len()..]
            )
        }
        Question::Clear => "DROP TABLE IF EXISTS credits;\nSELECT 'done';".to_owned(),
    }
}
