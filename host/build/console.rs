//! Builds the console of `ui/` with Node and embeds its files, each with a compressed copy.
//!
//! `ACCREDIT_CONSOLE` says what is embedded: `build` (or nothing) builds it, `skip` leaves it out, and any
//! other value is the folder of a console that was built before. Without Node the program is built as
//! well; it then shows a page that says what to do.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Error, Result, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

/// What the console is made of, in `ui/`.
const SOURCES: [&str; 7] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
];

/// The oldest Node that its tools run on.
const NODE_AT_LEAST: (u32, u32) = (20, 19);

/// Writes `console.rs`, a list of the console's files.
pub(crate) fn embed_console(host: &Path, out: &Path) -> Result<()> {
    println!("cargo::rerun-if-env-changed=ACCREDIT_CONSOLE");
    let ui = host.join("ui");
    let wanted = std::env::var("ACCREDIT_CONSOLE").unwrap_or_default();

    let folder = match wanted.as_str() {
        "skip" => placeholder(out, "This program was built without the console.")?,
        "" | "build" => build_console(&ui, out)?,
        ready => PathBuf::from(ready),
    };
    if !folder.join("index.html").is_file() {
        let folder = folder.display();
        return Err(Error::other(format!("ACCREDIT_CONSOLE: there is no index.html in {folder}")));
    }
    write_list(&folder, out)
}

fn build_console(ui: &Path, out: &Path) -> Result<PathBuf> {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", ui.join(source).display());
    }
    // The plan designer shows what the schema says about each key.
    println!("cargo::rerun-if-changed={}", ui.join("../../scripts/schema").display());

    if let Err(missing) = look_for_node() {
        println!("cargo::warning=the console is not built: {missing}");
        return placeholder(out, &missing);
    }

    // Two builds at once, such as one of the program and one of its tests, share the folder of packages.
    let lock = File::create(ui.join(".build-lock"))?;
    lock.lock()?;
    install_packages(ui)?;

    let folder = out.join("console");
    let vite = ui.join("node_modules/vite/bin/vite.js");
    let mut build = Command::new("node");
    build
        .arg(vite)
        .args(["build", "--emptyOutDir", "--logLevel", "error", "--outDir"])
        .arg(&folder);
    run_tool(build.current_dir(ui), "the build of the console")?;
    Ok(folder)
}

/// Node and npm, or what is missing in words.
fn look_for_node() -> std::result::Result<(), String> {
    let (major, minor) = NODE_AT_LEAST;
    let advice = format!("install Node {major}.{minor} or later with npm, then build again");
    let answer = Command::new("node").arg("--version").output();
    let version = answer.map_err(|_| format!("Node was not found; {advice}"))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();

    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let found = (numbers.next(), numbers.next());
    let (Some(Ok(found_major)), Some(Ok(found_minor))) = found else {
        return Err(format!("`node --version` said `{version}`; {advice}"));
    };
    if (found_major, found_minor) < NODE_AT_LEAST {
        return Err(format!("Node {version} is too old; {advice}"));
    }
    let npm = Command::new("npm").arg("--version").output();
    npm.map(|_| ()).map_err(|_| format!("npm was not found; {advice}"))
}

/// Installs what the lock file names, if that changed since the last time.
fn install_packages(ui: &Path) -> Result<()> {
    let lock = fs::read(ui.join("package-lock.json"))?;
    let stamp = ui.join("node_modules/.accredit-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    run_tool(install.current_dir(ui), "npm ci for the console")?;
    fs::write(stamp, lock)
}

/// Runs a tool; what it wrote, if it fails.
fn run_tool(command: &mut Command, what: &str) -> Result<()> {
    let done = command.env("NO_COLOR", "1").output()?;
    if done.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Err(Error::other(format!(
        "{what} failed; to build without the console, set ACCREDIT_CONSOLE=skip\n{out}\n{err}"
    )))
}

/// A page in place of the console.
fn placeholder(out: &Path, reason: &str) -> Result<PathBuf> {
    let folder = out.join("placeholder");
    fs::create_dir_all(&folder)?;
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>accredit</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\"></head>\n<body><main>\n\
         <h1>The console is not in this program</h1>\n<p>{reason}</p>\n\
         <p>The API, the webhooks and the command line work. The API is described at \
         <a href=\"/docs\">/docs</a>.</p>\n</main></body>\n</html>\n"
    );
    fs::write(folder.join("index.html"), page)?;
    Ok(folder)
}

/// Writes the list of a folder's files, each as it is and compressed.
fn write_list(folder: &Path, out: &Path) -> Result<()> {
    let mut files = Vec::new();
    find_files(folder, folder, &mut files)?;
    files.sort();

    let packed = out.join("console-packed");
    fs::create_dir_all(&packed)?;
    let mut text = "/// Path, content and compressed content of each file.\n".to_owned();
    text.push_str("const FILES: &[(&str, &[u8], &[u8])] = &[\n");
    for (number, path) in files.iter().enumerate() {
        let content = fs::read(folder.join(path))?;
        let (plain, small) = (packed.join(number.to_string()), packed.join(format!("{number}.gz")));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        fs::write(&small, encoder.finish()?)?;
        fs::write(&plain, content)?;

        writeln!(text, "    ({path:?}, include_bytes!({plain:?}), include_bytes!({small:?})),")
            .map_err(Error::other)?;
    }
    text.push_str("];\n");
    fs::write(out.join("console.rs"), text)
}

/// The paths of all files below `folder`, with `/` between their parts.
fn find_files(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_files(root, &path, found)?;
        } else if let Ok(below) = path.strip_prefix(root) {
            found.push(below.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
