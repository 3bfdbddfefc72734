//! What a run of the benchmark was asked for, and what the machine has for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Deals without `BENCH_DEALS`.
const DEALS: usize = 100_000;

/// Deals of a quick run without `BENCH_DEALS`.
const QUICK_DEALS: usize = 10_000;

/// Two numbers of deals with which it is found out how much memory a deal needs: what the program needs
/// without any deal does not count.
const PROBE_DEALS: [usize; 2] = [2_000, 12_000];

/// Share of the free memory, in hundredths, that one side may be expected to use.
const MEMORY_SHARE: u64 = 60;

/// What a run was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The accredit binary; without it only what runs in this process is measured.
    pub accredit: Option<PathBuf>,
    /// Small sizes, and nothing is installed.
    pub quick: bool,
    /// A missed bar makes the run fail.
    pub check: bool,
    /// Deals of the company.
    pub deals: usize,
    /// The measures asked for by name; all when empty.
    pub measures: Vec<String>,
    /// Python with DuckDB and polars.
    pub python: Option<PathBuf>,
    /// Where generated files go; removed at the end.
    pub folder: tempfile::TempDir,
}

impl Settings {
    /// Reads `BINARY|none [--quick] [--check] [MEASURE …]` and the variables `BENCH_DEALS`, `BENCH_PYTHON`.
    pub fn read(arguments: &[String]) -> Result<Settings, String> {
        let (binary, rest) = arguments
            .split_first()
            .ok_or("name the accredit binary, or `none`, before the options and measures")?;
        let (options, measures): (Vec<String>, Vec<String>) =
            rest.iter().cloned().partition(|argument| argument.starts_with("--"));
        let known = ["--quick", "--check"];
        if let Some(unknown) = options.iter().find(|option| !known.contains(&option.as_str())) {
            return Err(format!("`{unknown}` is not an option: {}", known.join(", ")));
        }

        let quick = options.iter().any(|option| option == "--quick");
        let deals = match std::env::var("BENCH_DEALS") {
            Ok(text) => {
                let digits = text.replace('_', "");
                digits.parse().map_err(|_| format!("BENCH_DEALS is not a number: `{text}`"))?
            }
            Err(_) if quick => QUICK_DEALS,
            Err(_) => DEALS,
        };
        let python = std::env::var_os("BENCH_PYTHON").map(PathBuf::from);
        Ok(Settings {
            accredit: Some(PathBuf::from(binary)).filter(|_| binary != "none"),
            quick,
            check: options.iter().any(|option| option == "--check"),
            deals,
            measures,
            python: python.filter(|python| !python.as_os_str().is_empty()),
            folder: tempfile::tempdir().map_err(|error| error.to_string())?,
        })
    }

    /// A company of `deals` deals on the disk.
    pub fn company(&self, deals: usize) -> PathBuf {
        let folder = self.folder.path().join(format!("company-{deals}"));
        if !folder.exists() {
            crate::company::write_company(&folder, deals);
        }
        folder
    }

    /// Bytes that a deal more needs, where `peak` gives the most memory that a number of deals needs.
    pub fn bytes_per_deal(&self, peak: impl Fn(&Path) -> u64) -> u64 {
        let [few, many] = PROBE_DEALS;
        let (less, more) = (peak(&self.company(few)), peak(&self.company(many)));
        more.saturating_sub(less) / (many - few) as u64
    }

    /// As many of `deals` as fit into the free memory at `bytes` a deal; says when it is fewer.
    pub fn fitting_deals(&self, what: &str, deals: usize, bytes: u64) -> usize {
        let usable = free_memory() / 100 * MEMORY_SHARE;
        let fitting = (usable / bytes.max(1)) as usize;
        if fitting >= deals {
            return deals;
        }

        let step = 10_usize.pow(fitting.max(10).ilog10());
        let fewer = fitting / step * step;
        println!(
            "{what}: {deals} deals do not fit into memory at {bytes} bytes a deal; {fewer} are taken"
        );
        fewer
    }
}

/// The part of a line of /proc after `name`, in bytes.
fn proc_bytes(file: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The most memory that the process `pid` has had, in bytes; 0 when it has ended.
pub fn peak_memory(pid: u32) -> u64 {
    proc_bytes(Path::new(&format!("/proc/{pid}/status")), "VmHWM:").unwrap_or(0)
}

/// Fields of /proc/PID/stat after the name, which ends with the last bracket: what the process itself has
/// used, and what its ended children have.
const OWN_TICKS: [usize; 2] = [11, 12];
const CHILDREN_TICKS: [usize; 2] = [13, 14];

fn ticks(process: &str, fields: [usize; 2]) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields_after: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let sum: Option<u64> =
        fields.iter().map(|field| fields_after.get(*field)?.parse::<u64>().ok()).sum();
    // A tick is 10 ms on every Linux that is in use.
    Some(Duration::from_millis(sum? * 10))
}

/// The processor time of the process `pid`, its threads included.
pub fn cpu_of(pid: u32) -> Option<Duration> {
    ticks(&pid.to_string(), OWN_TICKS)
}

/// The processor time of the processes that this one has started and that have ended.
pub fn cpu_of_ended() -> Option<Duration> {
    ticks("self", CHILDREN_TICKS)
}

/// The memory that is free for programs, in bytes.
pub fn free_memory() -> u64 {
    proc_bytes(Path::new("/proc/meminfo"), "MemAvailable:").unwrap_or(4 << 30)
}

/// The machine in a line: cores and memory.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = proc_bytes(Path::new("/proc/meminfo"), "MemTotal:").unwrap_or(0) as f64;
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    format!("{cores} cores ({model}), {:.0} GiB of memory", memory / f64::from(1 << 30))
}
