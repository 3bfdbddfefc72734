//! `accredit release`: ends the hold of credits on a running server.
//!
//! Not the release itself (the server's). Rows go to stdout, refusals to stderr.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::Format;

/// What `release` may be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Ids of credits, `crd_…`.
    #[arg(required = true, value_name = "CREDIT")]
    credits: Vec<String>,
    /// Where the server is.
    #[arg(long, value_name = "URL", env = "ACCREDIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The server's token.
    #[arg(long, value_name = "TOKEN", env = "ACCREDIT_TOKEN", hide_env_values = true)]
    token: String,
    /// Why, kept with the release.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// How the released credits are written.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Releases each credit; one that is refused does not keep the others from it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = config.timeout_global(Some(std::time::Duration::from_secs(60))).build().into();
    let mut rows = Vec::new();
    let mut refused = false;
    for credit in &options.credits {
        match release(&agent, options, credit) {
            Ok(row) => rows.push(row),
            Err(message) => {
                eprintln!("error: `{credit}`: {message}");
                refused = true;
            }
        }
    }
    if let Err(error) = write(&rows, options.format) {
        eprintln!("error: {error}");
        refused = true;
    }
    if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn release(agent: &ureq::Agent, options: &Options, credit: &str) -> Result<Value, String> {
    // An id goes into a path: what is no id is not sent.
    if !credit.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("not the id of a credit".to_owned());
    }
    let url = format!("{}/v1/credits/{credit}/release", options.server.trim_end_matches('/'));
    let body = serde_json::json!({ "comment": options.comment }).to_string();
    let request = agent.post(&url).header("authorization", format!("Bearer {}", options.token));
    let response = request.header("content-type", "application/json").send(body);
    let mut response = response.map_err(|error| error.to_string())?;
    let ok = response.status().is_success();
    let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if ok {
        return Ok(json);
    }
    let detail = json.get("detail").and_then(Value::as_str).map(str::to_owned);
    Err(detail.unwrap_or_else(|| format!("the server answered {}", response.status())))
}

const COLUMNS: [&str; 9] =
    ["id", "transaction", "plan", "position", "payee", "period", "amount", "unit_type", "status"];

fn cells(row: &Value) -> Vec<String> {
    let cell = |column: &&str| match row.get(column) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    COLUMNS.iter().map(cell).collect()
}

fn write(rows: &[Value], format: Format) -> Result<(), String> {
    match format {
        Format::Json => println!("{:#}", Value::Array(rows.to_vec())),
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(std::io::stdout());
            let failed = |error: csv::Error| error.to_string();
            csv.write_record(COLUMNS).map_err(failed)?;
            for row in rows {
                csv.write_record(cells(row)).map_err(failed)?;
            }
            csv.flush().map_err(|error| error.to_string())?;
        }
        Format::Table if rows.is_empty() => (),
        Format::Table => {
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_header(COLUMNS);
            rows.iter().for_each(|row| {
                table.add_row(cells(row));
            });
            println!("{table}");
        }
    }
    Ok(())
}
