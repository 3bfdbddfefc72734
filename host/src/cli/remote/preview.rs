//! `accredit preview`: what a directory would change, in files, rules and money, before it does.
//!
//! Against a server, over what it has recorded; or against another directory, over the transactions
//! in that one. Exit codes: 0 nothing changes, 4 something changes, 1 more money would move than
//! a stop-loss allows, or it could not be found out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::impact::{self, Impact, ImpactReport};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::decision::Decision;
use accredit_domain::limits::Limits;
use accredit_ledger::definitions::content_hash;
use accredit_operations::candidate;
use accredit_operations::preview::{self, DefinitionChanges};
use accredit_operations::replay;
use accredit_workspace::{Files, Ruleset};
use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::cli::print::output::{self, DataFormat, EXIT_CHANGES, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;
use crate::directory;
use crate::directory::watch;

/// The key of the checksum in what `preview --out` writes.
const CHECKSUM: &str = "checksum";

/// What a change is made for.
pub(crate) struct ChangeBase {
    /// The ruleset in force.
    ruleset: String,
    /// All its files.
    set: String,
}

/// How a change would be, or is, effective, and what stops it.
#[derive(Debug, Args)]
pub(crate) struct ChangeTerms {
    /// The effect on existing credits: `now` (the default), `recredit` or `from:2026-01-31`.
    #[arg(long, value_name = "CHOICE")]
    pub(crate) effective: Option<String>,
    /// Refuse the change if more than this amount moves in total, in one unit type.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) stop_loss: Option<Decimal>,
    /// Refuse the change if more than this amount moves for one payee.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) stop_loss_payee: Option<Decimal>,
}

impl ChangeTerms {
    /// Adds what was said to a request; what was not stays as it is there.
    pub(crate) fn add_to_request(&self, body: &mut Json) {
        let said = [
            ("effective", self.effective.as_ref().map(|text| json!(text))),
            ("max_total", self.stop_loss.map(|amount| json!(amount))),
            ("max_payee", self.stop_loss_payee.map(|amount| json!(amount))),
        ];
        for (key, value) in said {
            if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
                body.insert(key.to_owned(), value);
            }
        }
    }
}

/// Options of `preview`.
#[derive(Debug, Args)]
pub(crate) struct PreviewArguments {
    /// The directory to preview.
    dir: PathBuf,
    /// Compare with this directory, over its transactions, instead of with a server.
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    #[command(flatten)]
    server: ServerAddress,
    #[command(flatten)]
    how: ChangeTerms,
    /// Write the change to a file for `apply`; it is valid only until the next activation.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// Runs the verb.
pub(crate) fn run(options: &PreviewArguments) -> u8 {
    let shown = match &options.base {
        Some(base) => preview_offline(&options.dir, base, options),
        None => preview_on_server(options),
    };

    match shown {
        Ok(shown) => {
            print_preview(&shown, options.format);
            let files = shown.pointer("/changes/files").and_then(Json::as_array);
            let none = files.is_none_or(Vec::is_empty);
            match shown.get("stop_loss") {
                Some(Json::String(_)) => EXIT_FAILED,
                _ if none => EXIT_OK,
                _ => EXIT_CHANGES,
            }
        }

        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

/// New texts by path; none where the file goes.
pub(crate) type ChangedTexts = BTreeMap<String, Option<Arc<str>>>;

/// What a directory differs in from a server, and the ruleset that is in force there.
///
/// # Errors
/// What cannot be read, or what the server says.
pub(crate) fn diff_directory(
    client: &Client,
    dir: &Path,
) -> Result<(ChangeBase, ChangedTexts), String> {
    let files = watch::read_directory(dir)?;
    let listed = client.get("/v1/definitions")?;
    let named = |key: &str| listed.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let base = ChangeBase { ruleset: named("ruleset"), set: named("set") };

    let rows = listed.get("data").and_then(Json::as_array).into_iter().flatten();
    let text = |row: &Json, key: &str| row.get(key).and_then(Json::as_str).map(str::to_owned);
    let known: BTreeMap<String, String> =
        rows.filter_map(|row| Some((text(row, "path")?, text(row, "hash")?))).collect();

    let mut changes: ChangedTexts = BTreeMap::new();
    for (path, text) in &files {
        // The server lists hashes alone, so texts are compared by them.
        if known.get(path).is_none_or(|hash| *hash != content_hash(text)) {
            changes.insert(path.clone(), Some(Arc::clone(text)));
        }
    }

    let gone = known.into_keys().filter(|path| !files.contains_key(path));
    changes.extend(gone.map(|path| (path, None)));

    Ok((base, changes))
}

/// A change as a server takes it.
pub(crate) fn change_body(base: &ChangeBase, changes: &ChangedTexts) -> Json {
    let files = changes.iter().map(|(path, text)| (path.clone(), json!(text.as_deref())));
    let files: serde_json::Map<String, Json> = files.collect();
    json!({ "base": base.ruleset, "set": base.set, "files": files })
}

/// What `preview --out` writes: the request, the ruleset that it makes, and a checksum of both.
fn with_checksum(mut body: Json, shown: &Json) -> Json {
    let mut put = |key: &str, value: Json| {
        body.as_object_mut().and_then(|body| body.insert(key.to_owned(), value));
        body_checksum(&body)
    };
    let checksum = put("ruleset", shown.get("ruleset").cloned().unwrap_or_default());
    put(CHECKSUM, Json::from(checksum));
    body
}

/// The request in what `preview --out` wrote.
///
/// # Errors
/// When it is not as it was written.
pub(crate) fn verify_checksum(mut body: Json) -> Result<Json, String> {
    let said = body.as_object_mut().and_then(|body| body.remove(CHECKSUM));
    if said == Some(Json::from(body_checksum(&body))) {
        return Ok(body);
    }
    Err("this file was changed after the preview; preview it again".to_owned())
}

fn body_checksum(body: &Json) -> String {
    content_hash(&body.to_string())
}

fn preview_on_server(options: &PreviewArguments) -> Result<Json, String> {
    let client = options.server.make_client()?;
    let (base, changes) = diff_directory(&client, &options.dir)?;
    let mut body = change_body(&base, &changes);
    options.how.add_to_request(&mut body);

    let shown = client.post("/v1/preview", &body)?;

    if let Some(out) = &options.out {
        let text = serde_json::to_string_pretty(&with_checksum(body, &shown)).unwrap_or_default();
        std::fs::write(out, text).map_err(|error| format!("`{}`: {error}", out.display()))?;
    }
    Ok(shown)
}

/// What one directory would change of another. A server answers with more.
#[derive(Debug, Serialize)]
struct DirectoryPreviewView {
    /// The hash of the ruleset of the directory that is compared with.
    base: String,
    /// The hash of the ruleset of the directory.
    ruleset: String,
    /// `files` with a text diff each, and `rules`.
    changes: DefinitionChanges,
    /// What the transactions would be credited.
    impact: ImpactReport,
    /// The limit that is exceeded, in words; null where none is.
    stop_loss: Option<String>,
}

fn preview_offline(dir: &Path, base: &Path, options: &PreviewArguments) -> Result<Json, String> {
    let (old, new) = (watch::read_directory(base)?, watch::read_directory(dir)?);
    let rows = base.join("transactions");

    let rows = if rows.is_dir() {
        directory::read_rows(&rows, &accredit_workspace::transaction_layout(&old))
            .map_err(|error| error.to_string())?
    } else {
        directory::DirectoryRows::default()
    };

    let read = |files: &Files, whose: &Path| -> Result<Ruleset, String> {
        let paths: Vec<String> = files.keys().cloned().collect();
        let checked = candidate::check_files(files, &rows.columns, paths.iter());
        checked.map(|checked| checked.ruleset).map_err(|findings| {
            let text = crate::cli::print::report::render_report(files, &findings);
            format!("{} does not pass check\n{text}", whose.display())
        })
    };

    let (before, after) = (read(&old, base)?, read(&new, dir)?);
    let threads = std::thread::available_parallelism().map_or(1, Into::into);

    let decide = |ruleset: &Ruleset| -> BTreeMap<String, Vec<Decision>> {
        let transactions = calculation::latest_versions(ruleset, &rows.records, None);
        let decided =
            calculation::decide_all(ruleset, &transactions, &DecisionInputs::default(), threads);
        let decisions = decided.into_iter().map(|deal| deal.decisions);
        let rows = transactions.iter().zip(decisions);

        // Finalized results never change, under any rules.
        let open = rows.filter(|(transaction, _)| {
            replay::is_open(&after, transaction.incentive_date().ok(), jiff::civil::Date::MAX)
        });
        open.map(|(transaction, rows)| (transaction.id.to_string(), rows)).collect()
    };

    let (one, two) = (decide(&before), decide(&after));
    let mut impact = Impact::default();
    let ids: std::collections::BTreeSet<&String> = one.keys().chain(two.keys()).collect();

    for id in ids {
        let side = |all: &BTreeMap<String, Vec<Decision>>| all.get(id).cloned().unwrap_or_default();
        let delta = impact::compare_decisions((&before, &side(&one)), (&after, &side(&two)));
        impact.add_delta(delta.as_ref());
    }

    let how = &options.how;
    let limits = Limits { max_total: how.stop_loss, max_payee: how.stop_loss_payee };

    Ok(output::view_json(&DirectoryPreviewView {
        base: before.hash.to_string(),
        ruleset: after.hash.to_string(),
        changes: preview::describe_changes(&old, &new),
        impact: impact.to_report(),
        stop_loss: impact.exceeded_limit(&limits),
    }))
}

/// Prints a preview for people or for programs.
pub(crate) fn print_preview(shown: &Json, format: DataFormat) {
    let rows = |path: &str| -> Vec<Json> {
        shown.pointer(path).and_then(Json::as_array).cloned().unwrap_or_default()
    };
    const MONEY: [&str; 7] =
        ["name", "unit_type", "before", "after", "difference", "held_before", "held_after"];

    match format {
        DataFormat::Json => output::print_json(shown),
        DataFormat::Csv => output::print_csv(&MONEY, &rows("/impact/by_payee")),

        DataFormat::Table => {
            let part = |title: &str, columns: &[&str], rows: &[Json]| {
                if !rows.is_empty() {
                    output::print_line(title);
                    output::print_table(columns, rows);
                }
            };

            part("Files", &["path", "part", "what"], &rows("/changes/files"));
            part("Warnings", &["code", "file", "line", "message", "help"], &rows("/warnings"));
            part("Rules", &["plan", "rule", "kind", "what", "keys"], &rows("/changes/rules"));
            part("In all", &MONEY, &rows("/impact/total"));

            if shown.get("effective").and_then(Json::as_str) == Some("now") {
                part("Booked at once, of what waits", &MONEY, &rows("/booked/total"));
            }

            part(
                "Would be removed, with credits",
                &["kind", "id", "credits"],
                &rows("/people/gone"),
            );

            let columns = ["payee", "plan", "period", "before", "after", "unit_type"];
            part("Would be paid less", &columns, &rows("/people/losing"));
            const REWARD: [&str; 9] = [
                "payee",
                "plan",
                "period",
                "reward",
                "origin",
                "before",
                "after",
                "difference",
                "unit_type",
            ];
            part("Rewards", &REWARD, &rows("/money/reward_lines"));
            let columns = ["payee", "plan", "name", "before", "after", "difference", "unit_type"];
            part("Balances", &columns, &rows("/money/balance_lines"));
            let columns = ["payee", "plan", "period", "reward", "before", "after"];
            part("Quotas", &columns, &rows("/money/quota_lines"));
            part("By payee", &MONEY, &rows("/impact/by_payee"));
            part("By manager", &MONEY, &rows("/impact/by_manager"));
            part("By plan", &MONEY, &rows("/impact/by_plan"));

            let columns = ["transaction", "plan", "what", "message"];
            part("Transactions", &columns, &rows("/impact/differences"));
        }
    }

    let of = |path: &str| shown.pointer(path).and_then(Json::as_u64).unwrap_or_default();
    let (all, differing) = (of("/impact/transactions"), of("/impact/differing"));
    eprintln!("{differing} of {all} transactions differ");

    if shown.get("effective").and_then(Json::as_str) == Some("now") && differing > 0 {
        eprintln!(
            "existing credits stay as they are: these are the amounts of the same deals under the new rules"
        );
    }
    if shown.get("unfinished") == Some(&Json::Bool(true)) {
        eprintln!("the server is still deciding: preview again when it has finished");
    }

    if let Some(exceeded) = shown.get("stop_loss").and_then(Json::as_str) {
        eprintln!("stop-loss: {exceeded}");
    }
}
