//! `accredit demo`: a sample company on a real server, its deals sent through its own webhook.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use accredit_domain::money;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};
use ureq::tls::RootCerts;

use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::client::Client;
use crate::cli::run::serve;
use crate::demo::company::{Company, SOURCE, YEAR};
use crate::demo::deals::make_deals;
use crate::demo::published;
use crate::demo::tour::{self, TourServer};
use crate::server::config::Config;
use crate::server::credentials::Credentials;
use crate::server::secrets;
use crate::server::{RunningServer, Server};

/// Shows a sample company.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// Exit once the deals are credited, instead of serving on.
    #[arg(long)]
    once: bool,
    /// Format of the summary on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
    /// Number of deals.
    #[arg(long, default_value_t = 5_000)]
    deals: usize,
    /// Keep the data in this file, which must be new; `accredit verify --data FILE` reads it.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Start no server: write the company and its deals as a customer's directory, which must be new.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["once", "data", "format"])]
    write: Option<PathBuf>,
    /// Seed of the random generator.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
}

/// The day of the sample company, so that it is the same on every day.
const BUSINESS_DATE: Date = Date::constant(YEAR, 11, 17);
/// Connections that send deals.
const SENDERS: usize = 16;
/// How long crediting may take before the demo gives up.
const CREDITING_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the verb.
pub(crate) fn run(arguments: &DemoArguments) -> u8 {
    match show_demo(arguments) {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn show_demo(arguments: &DemoArguments) -> Result<(), String> {
    let started = Instant::now();
    let company = Company::new();
    if let Some(dir) = &arguments.write {
        return write_customer(arguments, &company, dir);
    }
    let folder = tempfile::Builder::new().prefix("accredit-demo-").tempdir();
    let folder = folder.map_err(|error| format!("no temporary folder: {error}"))?;

    let directory = folder.path().join("company");
    write_directory(&company, &directory).map_err(|error| error.to_string())?;

    if let Some(data) = arguments.data.as_ref().filter(|data| data.exists()) {
        return Err(format!("{} already exists", data.display()));
    }

    let runtime = serve::server_runtime()?;
    let token = secrets::new_token()?;

    let config = Config {
        data: arguments.data.clone().unwrap_or_else(|| folder.path().join("accredit.redb")),
        create: true,
        workspace: Some(directory),
        listen: free_address(),
        business_date: Some(BUSINESS_DATE),
        demo_people: published::sign_ins(&company, secrets::new_token()?.expose_secret()),
        credentials: Credentials { token: Some(token.clone()), ..Credentials::default() },
        ..Config::default()
    };

    let people = config.demo_people.clone();
    let server = runtime.block_on(Server::start(config))?;
    let client = Client::new(&server.url, token.clone(), RootCerts::WebPki);
    send_deals(arguments, &company, &server, &client)?;

    let status = await_crediting(&client)?;
    let elapsed = started.elapsed();
    let counts = status.get("counts").cloned().unwrap_or_default();

    let secret = server.first_secret(SOURCE).ok_or("the source has no secret")?;
    let demo = DemoServer { client: &client, secret: secret.expose_secret() };
    let tour = tour::walk_through(&demo)?;

    published::add_people(&demo, &people)?;
    published::publish_months(&demo)?;
    published::ask_questions(&demo, &company)?;

    if arguments.format == DataFormat::Json {
        let mut summary = serde_json::Map::new();
        for key in [
            "transactions",
            "credits",
            "direct",
            "indirect",
            "held",
            "suppressed",
            "uncredited",
            "parked",
            "credited_total",
        ] {
            summary.insert(key.to_owned(), counts.get(key).cloned().unwrap_or_default());
        }

        summary.insert("elapsed_ms".to_owned(), json!(elapsed.as_millis()));
        summary.insert("tour".to_owned(), json!(tour));
        output::print_json(&summary);
    } else {
        print_payees(arguments, &company, &client)?;
        print_tour(&tour);
        print_summary(&server.url, token.expose_secret(), &counts, elapsed);
    }

    if !arguments.once {
        eprintln!("serving; end with ctrl-c");
        runtime.block_on(serve::stop_asked());
    }

    runtime.block_on(server.stop());

    Ok(())
}

fn write_directory(company: &Company, folder: &Path) -> io::Result<()> {
    for (path, text) in company.files() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text.as_ref())?;
    }
    Ok(())
}

/// Writes the company as a customer's directory, with its deals among its transactions.
fn write_customer(arguments: &DemoArguments, company: &Company, dir: &Path) -> Result<(), String> {
    if dir.exists() {
        return Err(format!("{} already exists; name a directory that does not", dir.display()));
    }

    let rows = dir.join("transactions");
    let write = || -> io::Result<()> {
        write_directory(company, dir)?;
        fs::create_dir_all(&rows)?;
        let mut file = BufWriter::new(File::create(rows.join("deals.ndjson"))?);
        for deal in make_deals(company, arguments.deals, arguments.seed) {
            writeln!(file, "{deal}")?;
        }
        file.flush()
    };
    write().map_err(|error| format!("{} cannot be written: {error}", dir.display()))?;
    output::print_line(&dir.display().to_string());
    Ok(())
}

/// The first free port of loopback from 8080.
fn free_address() -> String {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (8080..8180).find(free).unwrap_or(0);
    format!("127.0.0.1:{port}")
}

/// Sends every deal as its own signed delivery, on several connections.
fn send_deals(
    arguments: &DemoArguments,
    company: &Company,
    server: &RunningServer,
    client: &Client,
) -> Result<(), String> {
    let deals = make_deals(company, arguments.deals, arguments.seed);
    let secret = server.first_secret(SOURCE).ok_or("the source has no secret")?;
    let bar = ProgressBar::new(deals.len() as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} deals {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));

    // Each sender takes the next free deal, so none waits for another.
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while let Some(deal) = deals.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let number = deal.get("deal").and_then(Json::as_str).unwrap_or_default();
                    let id = format!("demo_{number}");
                    if client
                        .send_delivery(SOURCE, &id, secret.expose_secret(), &deal.to_string())
                        .is_err()
                    {
                        failed.store(true, Ordering::Relaxed);
                        return;
                    }
                    bar.inc(1);
                }
            });
        }
    });

    bar.finish_and_clear();

    if failed.into_inner() {
        return Err("a deal was not acknowledged".to_owned());
    }

    Ok(())
}

/// The server as the tour asks it.
struct DemoServer<'a> {
    client: &'a Client,
    secret: &'a str,
}

impl TourServer for DemoServer<'_> {
    fn read(&self, path: &str) -> Result<Json, String> {
        self.client.get(path)
    }

    fn post(&self, path: &str, body: &Json) -> Result<Json, String> {
        self.client.post(path, body)
    }

    fn deliver(&self, id: &str, deal: &Json) -> Result<(), String> {
        self.client.send_delivery(SOURCE, id, self.secret, &deal.to_string())?;
        await_crediting(self.client).map(|_| ())
    }
}

/// The tour: a blank line before each heading, the rest indented.
fn print_tour(lines: &[String]) {
    for line in lines {
        let heading = line.ends_with(':') || line.ends_with('?');
        output::print_line(&if heading { format!("\n{line}") } else { format!("  {line}") });
    }
}

fn await_crediting(client: &Client) -> Result<Json, String> {
    let start = Instant::now();
    loop {
        let status = client.get("/v1/status")?;
        if status.get("pending").and_then(Json::as_u64) == Some(0) {
            return Ok(status);
        }
        if start.elapsed() > CREDITING_TIMEOUT {
            return Err("crediting takes too long".to_owned());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Credits by payee: what counts, what is held, the overlay apart.
fn print_payees(
    arguments: &DemoArguments,
    company: &Company,
    client: &Client,
) -> Result<(), String> {
    const COLUMNS: [&str; 6] = ["payee", "name", "direct", "rolled up", "overlay", "held"];
    let mut sums: BTreeMap<String, [Decimal; 4]> = BTreeMap::new();

    for credit in client.get_all(&format!("/v1/credits?period={YEAR}&limit=1000"))? {
        let text = |key: &str| credit.get(key).and_then(Json::as_str).unwrap_or_default();
        let column = match (text("status"), text("kind"), text("credit_type")) {
            ("held", ..) => 3,
            ("active", _, "overlay") => 2,
            ("active", "direct", _) => 0,
            ("active", ..) => 1,
            _ => continue,
        };

        let sums = sums.entry(text("payee").to_owned()).or_default();
        let amount = text("amount").parse::<Decimal>();
        let amount = amount.map_err(|_| format!("`{}` is not an amount", text("amount")))?;

        if let Some(sum) = sums.get_mut(column) {
            money::add_to_total(sum, amount);
        }
    }

    let rows: Vec<Json> = sums
        .into_iter()
        .map(|(payee, [direct, rolled, overlay, held])| {
            let money = |amount: Decimal| format!("{amount:.2}");
            let cells = [money(direct), money(rolled), money(overlay), money(held)];
            let [direct, rolled, overlay, held] = cells;
            json!({
                "name": company.name_of(&payee), "payee": payee, "direct": direct,
                "rolled up": rolled, "overlay": overlay, "held": held,
            })
        })
        .collect();

    match arguments.format {
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        _ => output::print_table(&COLUMNS, &rows),
    }

    Ok(())
}

fn print_summary(url: &str, token: &str, counts: &Json, elapsed: Duration) {
    let text = |key: &str| match counts.get(key) {
        Some(Json::String(text)) => text.clone(),
        other => other.map_or_else(String::new, ToString::to_string),
    };

    eprintln!(
        "\n{} deals, {} credits ({} direct, {} rolled), {} held, {} suppressed, {} uncredited, \
         {} parked; {} USD credited in {:.1} s",
        text("transactions"),
        text("credits"),
        text("direct"),
        text("indirect"),
        text("held"),
        text("suppressed"),
        text("uncredited"),
        text("parked"),
        text("credited_total"),
        elapsed.as_secs_f32(),
    );

    eprintln!("\nThe console, for sellers, managers, administrators and consultants:\n\n  {url}/");
    eprintln!("\n  {url}/v1/status\n  {url}/v1/credits?status=held\n  {url}/v1/parked");
    eprintln!("  {url}/v1/transactions/D-00001/explain\n  {url}/metrics");
    eprintln!("\ncurl -H 'Authorization: Bearer {token}' {url}/v1/status\n");
}
