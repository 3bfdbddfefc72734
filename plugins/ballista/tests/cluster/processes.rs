//! A cluster of processes on loopback, and runs on it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take: far more than it does.
const PATIENCE: Duration = Duration::from_secs(400);

/// Executors run this in place of the program. It says which worker begins, of which executor, and
/// waits where the test holds workers of its stage. It does not wait for ever, so that none is left
/// when a test fails.
const WORKER: &str = r#"#!/bin/sh
stage=deals part=
for argument; do
  case $argument in
  --rewards) stage=rewards ;;
  --routes) stage=routes ;;
  esac
  [ "$last" != --part ] || part=$argument
  last=$argument
done
echo "$PPID $stage $part" >>"FOLDER/started"
waited=0
while [ -e "FOLDER/held-$stage" ] && [ "$waited" -lt 2400 ]; do
  sleep 0.05
  waited=$((waited + 1))
done
exec "PROGRAM" "$@"
"#;

/// A scheduler and executors, which end with it.
pub(super) struct Cluster {
    folder: PathBuf,
    scheduler: Child,
    url: String,
    executors: Vec<Child>,
}

/// A worker that began.
pub(super) struct Worker {
    /// The process of its executor.
    pub(super) executor: u32,
    /// What it does: `deals`, `routes` or `rewards`.
    pub(super) stage: String,
    /// Its part, such as `0/6`; empty where it has none.
    pub(super) part: String,
}

/// A run that was started.
pub(super) struct Run(Child);

/// How a run ended.
pub(super) struct Ended {
    pub(super) is_success: bool,
    pub(super) errors: String,
}

/// The program of the product.
pub(super) fn product() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/accredit");
    let program = std::env::var_os("ACCREDIT_PROGRAM").map_or(built, PathBuf::from);
    let found = fs::canonicalize(&program);
    found.unwrap_or_else(|error| panic!("{}: {error}; set ACCREDIT_PROGRAM", program.display()))
}

fn plugin() -> Command {
    Command::new(env!("CARGO_BIN_EXE_accredit-ballista"))
}

impl Cluster {
    /// Starts a scheduler and so many executors with one worker each.
    pub(super) fn start(folder: &Path, executors: usize) -> Cluster {
        let folder = folder.join("cluster");
        fs::create_dir(&folder).unwrap();
        let program = folder.join("worker");
        let script = WORKER.replace("FOLDER", folder.to_str().unwrap());
        fs::write(&program, script.replace("PROGRAM", product().to_str().unwrap())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("started"), "").unwrap();

        let mut scheduler = plugin();
        scheduler.args(["scheduler", "--port", "0", "--executor-timeout", "12"]);
        let mut scheduler = scheduler.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(scheduler.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("scheduler on ").unwrap().to_owned();

        let address = url.strip_prefix("df://").unwrap();
        let start_executor = |number: usize| {
            let mut executor = plugin();
            executor.args(["executor", "--cores", "1", "--scheduler", address]);
            executor.arg("--program").arg(&program);
            executor.arg("--work-dir").arg(folder.join(format!("executor-{number}")));
            executor.spawn().unwrap()
        };
        let executors = (0..executors).map(start_executor).collect();
        Cluster { folder, scheduler, url, executors }
    }

    /// Has workers of a stage wait.
    pub(super) fn hold(&self, stage: &str) {
        fs::write(self.folder.join(format!("held-{stage}")), "").unwrap();
    }

    /// Has no worker wait any more.
    pub(super) fn release(&self) {
        for stage in super::STAGES {
            // Most are not held.
            let _ = fs::remove_file(self.folder.join(format!("held-{stage}")));
        }
    }

    /// Waits until so many executors have begun a worker of a stage.
    pub(super) fn wait_for_workers(&self, stage: &str, executors: usize) {
        let begun = Instant::now();
        loop {
            let workers = self.started().into_iter().filter(|worker| worker.stage == stage);
            let found: BTreeSet<u32> = workers.map(|worker| worker.executor).collect();
            if found.len() >= executors {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {executors} executors have workers",
                found.len()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The workers that have begun, in order.
    pub(super) fn started(&self) -> Vec<Worker> {
        let lines = fs::read_to_string(self.folder.join("started")).unwrap();
        let worker = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            let executor = words.next().unwrap().parse().unwrap();
            Worker { executor, stage: words.next().unwrap(), part: words.next().unwrap() }
        };
        lines.lines().map(worker).collect()
    }

    /// Kills an executor, which can do nothing about it. Returns its process.
    pub(super) fn kill_one(&mut self) -> u32 {
        let mut executor = self.executors.pop().unwrap();
        let id = executor.id();
        executor.kill().unwrap();
        executor.wait().unwrap();
        id
    }

    /// Starts a run with options.
    pub(super) fn start_run(&self, options: &[String]) -> Run {
        let mut run = plugin();
        run.args(["run", "--scheduler", &self.url, "--program"]).arg(product()).args(options);
        Run(run.stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.release();
        for process in self.executors.iter_mut().chain([&mut self.scheduler]) {
            // One that ended already cannot be killed.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Run {
    /// Waits for the end of the run.
    pub(super) fn wait(mut self) -> Ended {
        let begun = Instant::now();
        let mut pipe = self.0.stderr.take().unwrap();
        let listener = std::thread::spawn(move || {
            let mut errors = String::new();
            pipe.read_to_string(&mut errors).map(|_| errors)
        });
        let status = loop {
            match self.0.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => {
                    self.0.kill().unwrap();
                    break self.0.wait().unwrap();
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        Ended { is_success: status.success(), errors: listener.join().unwrap().unwrap() }
    }
}
