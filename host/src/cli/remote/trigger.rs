//! `accredit trigger`: a request as a CRM would send it, to see whether a source works.
//!
//! Not the request itself (each connector makes and signs its own). Exit codes: 0 taken, 1 not.

use std::path::PathBuf;

use accredit_seams::connector::{SampleDeal, SampleRequest};
use accredit_workspace::Ruleset;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use secrecy::ExposeSecret;
use serde_json::json;
use ureq::tls::TlsConfig;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::TrustedAuthorities;
use crate::directory::watch::read_directory;
use crate::plugins;
use crate::server::clock::HostClock;
use crate::server::credentials::{CredentialSources, secret_variable};

/// What happens at the CRM.
#[derive(Debug, Subcommand)]
pub(crate) enum TriggerCommand {
    /// A deal is closed: send what the CRM of a source would send.
    DealClose(DealCloseArguments),
}

/// Options of `trigger deal-close`.
#[derive(Debug, Args)]
pub(crate) struct DealCloseArguments {
    /// The source in accredit.toml; its secret is in `ACCREDIT_SECRET_<SOURCE>`.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// A customer's directory.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The server that the request is sent to.
    #[arg(long, value_name = "URL", env = "ACCREDIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    authorities: TrustedAuthorities,
    /// The id of the deal.
    #[arg(long, default_value = "1001")]
    id: String,
    /// The name of the deal.
    #[arg(long, default_value = "Sample deal")]
    name: String,
    /// The amount of the deal.
    #[arg(long, default_value = "1000.00")]
    amount: String,
    /// The owner of the deal, as the CRM names people.
    #[arg(long, default_value = "")]
    owner: String,
    /// The day on which the deal was closed; without it, today in UTC.
    #[arg(long, value_name = "DATE")]
    closed: Option<Date>,
    /// Print the request as JSON instead of sending it.
    #[arg(long)]
    print: bool,
}

/// Runs the verb.
pub(crate) fn run(verb: &TriggerCommand) -> u8 {
    let TriggerCommand::DealClose(options) = verb;
    let done = make_request(options).and_then(|request| {
        if options.print {
            output::print_json(&request_as_json(options, &request));
            return Ok(());
        }
        send(options, &request)
    });
    match done {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// The request that the connector of the source makes.
fn make_request(options: &DealCloseArguments) -> Result<SampleRequest, String> {
    let settings = options.dir.join("accredit.toml");
    if !settings.is_file() {
        let settings = settings.display();
        return Err(format!("there is no `{settings}`: name the directory with `--dir`"));
    }
    let files = read_directory(&options.dir)?;
    let (ruleset, _) = Ruleset::read(&files, &Default::default());
    let ruleset = ruleset.ok_or("the directory does not pass `accredit check`")?;
    let name = options.source.as_str();
    let source = ruleset.settings.sources.get(name);
    let source = source.ok_or_else(|| format!("accredit.toml has no source `{name}`"))?;
    let connector = plugins::find_connector(&source.connector);
    let connector =
        connector.ok_or_else(|| format!("there is no connector `{}`", source.connector))?;

    let variable = secret_variable(name);
    let credentials = CredentialSources::from_environment().read()?;
    let secrets = credentials.secrets.get(&variable);
    let secret = secrets.and_then(|secrets| secrets.first());
    let secret = secret.ok_or_else(|| {
        format!("set `{variable}` to the secret of the source; `accredit serve` prints one it made")
    })?;

    let sent_ms = HostClock { business_date: options.closed }.now_ms();
    let closed = HostClock { business_date: options.closed }.business_date("UTC").to_string();
    let deal = SampleDeal {
        id: &options.id,
        name: &options.name,
        amount: &options.amount,
        owner: &options.owner,
        closed_day: &closed,
        sent_ms,
    };
    let request = connector.sample_request(&deal, &source.settings, secret.expose_secret());
    request.map_err(|error| format!("the request cannot be signed: {error}"))
}

fn url_of(options: &DealCloseArguments, request: &SampleRequest) -> String {
    let (server, source) = (options.server.trim_end_matches('/'), &options.source);
    match request.query.as_str() {
        "" => format!("{server}/hooks/{source}"),
        query => format!("{server}/hooks/{source}?{query}"),
    }
}

fn request_as_json(options: &DealCloseArguments, request: &SampleRequest) -> serde_json::Value {
    let body = match std::str::from_utf8(&request.body) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(&request.body) }),
    };
    let headers = request.headers.iter().map(|(name, value)| (name.clone(), json!(value)));
    let headers: serde_json::Map<_, _> = headers.collect();
    json!({ "method": "POST", "url": url_of(options, request), "headers": headers, "body": body })
}

fn send(options: &DealCloseArguments, request: &SampleRequest) -> Result<(), String> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    let roots = options.authorities.roots()?;
    let config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    let agent = config.build().new_agent();
    let mut sending = agent.post(url_of(options, request));
    for (name, value) in &request.headers {
        sending = sending.header(name.as_str(), value.as_str());
    }

    let answer = sending.send(request.body.as_slice());
    let mut answer = answer.map_err(|error| format!("the server does not answer: {error}"))?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    output::print_line(&text);
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("the server answered {}", answer.status()))
}
