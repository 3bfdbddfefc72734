//! A real PostgreSQL of a test's own: in a temporary folder, on a free port of this machine, stopped at the
//! end by its own id.
//!
//! Its programs are looked for in the path and where Debian keeps them. A machine without them fails the
//! test: the message says what to install.

#![expect(clippy::panic, clippy::expect_used, reason = "it is part of tests")]

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The user `nobody`: PostgreSQL does not run as root.
const NOBODY: u32 = 65534;

/// The server ends by itself after so many seconds.
const LIFE_SECONDS: &str = "1800";

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The user of the database, and its password.
pub const USER: &str = "accredit";
/// The password of [`USER`].
pub const PASSWORD: &str = "s3cret-of-tests";

/// A running server.
pub struct Cluster {
    child: Option<Child>,
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    databases: AtomicU32,
    settings: Vec<String>,
}

/// The folder with `initdb`, `postgres` and `psql`.
///
/// # Errors
/// What to install.
pub fn find_programs() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian keeps them outside of the path, a folder for each version.
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    let has_all = |folder: &PathBuf| {
        ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
    };
    folders.into_iter().find(has_all).ok_or_else(|| {
        "PostgreSQL is not installed: `apt-get install postgresql`, or put `initdb` and `postgres` in \
         the path"
            .to_owned()
    })
}

/// Whether this process is root, whose id owns what it makes.
fn is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).is_ok_and(|metadata| metadata.uid() == 0)
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its number").port()
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says what to do.
    #[must_use]
    pub fn start() -> Cluster {
        Cluster::start_with(&[])
    }

    /// The same with settings of its own, such as `max_connections=5`.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says what to do.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Cluster {
        let programs = find_programs().unwrap_or_else(|missing| panic!("{missing}"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root(folder.path()) {
            let given = std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY));
            given.expect("the folder is given to `nobody`");
        }

        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("the password is written");
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let (port, databases) = (free_port(), AtomicU32::new(0));
        let mut cluster = Cluster { child: None, folder, programs, port, databases, settings };
        let mut initdb = cluster.command("initdb");
        initdb.arg("-D").arg(cluster.data()).args(["-U", USER, "--no-sync", "--encoding=UTF8"]);
        initdb.args(["--auth=scram-sha-256", "--pwfile"]).arg(&password);
        let made = initdb.output().expect("initdb runs");
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        cluster.start_again();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("PGPASSWORD", PASSWORD).env("LC_ALL", "C");
        if std::os::unix::fs::MetadataExt::uid(
            &std::fs::metadata(self.folder.path()).expect("the folder"),
        ) == NOBODY
        {
            command.uid(NOBODY).gid(NOBODY);
        }
    }

    /// Starts it, also after [`Cluster::stop_at_once`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        let log = self.folder.path().join("log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log);
        let log = log.expect("a log");
        // Ended by its own clock too, so that a test that is killed leaves nothing behind.
        let mut server = Command::new("timeout");
        self.prepare(&mut server);
        server.args(["--signal=INT", LIFE_SECONDS]).arg(self.programs.join("postgres"));
        server.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        server.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "max_connections=200", "-c", "shared_buffers=64MB"]);
        for setting in &self.settings {
            server.args(["-c", setting]);
        }
        server.stdout(Stdio::null()).stderr(log);
        self.child = Some(server.spawn().expect("PostgreSQL is started"));
        self.wait_ready();
    }

    fn wait_ready(&self) {
        let end = Instant::now() + START_TIMEOUT;
        while !self.run_sql("postgres", "SELECT 1").0 {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not answer: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server without a checkpoint, as a crash does.
    ///
    /// # Panics
    /// When it has no process.
    pub fn stop_at_once(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid_file = std::fs::read_to_string(self.data().join("postmaster.pid"));
        let pid = pid_file.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        // `immediate` shutdown: no checkpoint, recovery at the next start.
        let killed = Command::new("kill").args(["-QUIT", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()), "the server was not running");
        let _ = child.wait();
    }

    /// Runs SQL in a database; whether that succeeded, and what it printed.
    ///
    /// # Panics
    /// When `psql` does not run.
    #[must_use]
    pub fn run_sql(&self, database: &str, sql: &str) -> (bool, String) {
        let client = [self.programs.join("psql"), PathBuf::from("psql")];
        let client = client.into_iter().find(|path| path.is_file() || path.as_os_str() == "psql");
        let mut psql = Command::new(client.unwrap_or_default());
        self.prepare(&mut psql);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]);
        psql.args(["-U", USER, "-d", database, "-p", &self.port.to_string(), "-c", sql]);
        let output = psql.output().expect("psql runs: it is part of PostgreSQL's client package");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// A new, empty database; its address.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("acme{number}");
        let made = self.run_sql("postgres", &format!("CREATE DATABASE {name}"));
        assert!(made.0, "{}", made.1);
        self.address(&name)
    }

    /// The address of a database.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // To `timeout`, which passes it on.
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

/// The database in the cluster of `ACCREDIT_TEST_STORE` that stands for a data file, made at its first use;
/// none where tests run on data files.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn database_for(data: &Path) -> Option<String> {
    let address = std::env::var("ACCREDIT_TEST_STORE").ok()?;
    let (server, _) = address.rsplit_once('/')?;
    // FNV-1a: the name has to be the same at each start on the same file.
    let hash =
        data.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    let name = format!("t{hash:016x}");
    let sql = format!("CREATE DATABASE {name}");
    let made = Command::new("psql").args(["-X", "-q", &address, "-c", &sql]).output();
    let made = made.expect("psql runs: it is part of PostgreSQL's client package");
    let told = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success() || told.contains("already exists"), "{told}");
    Some(format!("{server}/{name}"))
}
