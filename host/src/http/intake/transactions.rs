//! Transactions: imported in bulk, shown, explained, kept as cases.
//!
//! An import goes through the same inbox as webhooks; a body that is not rows is refused whole, with
//! the lines at fault.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::stage::adjust;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::transaction::read::{Malformed, Row};
use accredit_domain::transaction::{Decoder, Record};
use accredit_ledger::inbox::{Delivery, Receipt};
use accredit_ledger::record::Stored;
use accredit_operations::explain;
use accredit_operations::intake::{IMPORT, compare_with_present, mark_conflicts_of};
use accredit_operations::suspect;
use accredit_workspace::Ruleset;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::directory::formats::{self, Format};
use crate::http::Answer;
use crate::http::intake::hooks::not_taken;
use crate::http::problem::Problem;
use crate::server::state::Service;

/// Bytes of an import.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// Rows of one delivery.
const CHUNK_ROWS_MAX: usize = 1000;

/// Deliveries of one import that are stored in one commit.
const COMMIT_CHUNKS_MAX: usize = 32;

/// Lines named in one refusal.
const ERRORS_MAX: usize = 100;

/// Bytes of an `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 128;

/// Takes rows in any of the formats of a directory but Parquet, with gzip around them or without.
pub(crate) async fn import(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let read = service.blocking(move |service| read(service, &headers, &body, key)).await?;
    let shared = Arc::clone(&service);
    let stored = tokio::spawn(async move { store(&shared, read).await }).await;
    stored.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// A body, read.
struct Read {
    key: String,
    rows: usize,
    /// None where every row says what its deal says already.
    deliveries: Vec<Delivery>,
    /// What else the sender is told.
    notes: Notes,
}

/// What is wrong with rows that are taken all the same.
struct Notes {
    warnings: Vec<Value>,
    columns_missing: BTreeMap<String, BTreeSet<String>>,
    delimiter: Option<char>,
}

async fn store(service: &Arc<Service>, read: Read) -> Result<Response, Problem> {
    let Read { key, rows, deliveries, notes } = read;

    let count = deliveries.len();
    let mut deliveries = deliveries.into_iter();

    // The first chunk carries the key: if that was used for another body, nothing more goes in.
    let first: Vec<Delivery> = deliveries.by_ref().take(1).collect();
    let taken = |error| not_taken(&error);
    let mut receipts: Vec<Receipt> = service.writer.take(first).await.map_err(taken)?;
    if receipts.iter().any(|receipt| receipt.conflict) {
        let detail = "this `Idempotency-Key` was used for another body";
        return Err(Problem::unprocessable("idempotency_conflict", detail));
    }

    // A commit holds its rows in memory many times over.
    loop {
        let some: Vec<Delivery> = deliveries.by_ref().take(COMMIT_CHUNKS_MAX).collect();
        if some.is_empty() {
            break;
        }
        receipts.extend(service.writer.take(some).await.map_err(taken)?);
    }

    let duplicate = receipts.iter().all(|receipt| receipt.duplicate);
    service.metrics.webhook("import", if duplicate { "duplicate" } else { "accepted" });

    let mut answer =
        json!({ "delivery": key, "rows": rows, "deliveries": count, "duplicate": duplicate });
    notes.tell(&mut answer);

    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

impl Notes {
    fn tell(self, answer: &mut Value) {
        let Some(answer) = answer.as_object_mut() else { return };
        if !self.warnings.is_empty() {
            answer.insert("warnings".to_owned(), self.warnings.into());
        }
        if !self.columns_missing.is_empty() {
            answer.insert("columns_missing".to_owned(), json!(self.columns_missing));
        }
        if let Some(delimiter) = self.delimiter {
            answer.insert("delimiter".to_owned(), json!(delimiter));
        }
    }
}

/// The key of the delivery, as the sender made it.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().map(|key| key.trim().trim_matches('"')).unwrap_or("");
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let detail = format!("`Idempotency-Key` must have 1 to {KEY_BYTES_MAX} visible characters");
        return Err(Problem::bad_request(detail));
    }
    Ok(Some(key.to_owned()))
}

/// A key for a body whose sender made none. The same body may come again and mean something, when
/// its deals have become others in between, so the key is that of this one request.
fn own_key(body: &[u8]) -> Result<String, Problem> {
    let mut request = [0; 8];
    getrandom::fill(&mut request).map_err(|error| Problem::internal(&error))?;
    let number = u64::from_be_bytes(request);
    Ok(format!("body_{}_{number:016x}", blake3::hash(body).to_hex()))
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    formats::of_media_type(&kind).ok_or_else(|| {
        let detail = format!("expected one of {}", formats::media_types().join(", "));
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail)
    })
}

/// The body without its content encoding, which may be gzip.
fn unpacked<'b>(headers: &HeaderMap, body: &'b [u8]) -> Result<Cow<'b, [u8]>, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.as_bytes());
    match encoding {
        None | Some(b"identity") => Ok(Cow::Borrowed(body)),
        Some(b"gzip") => {
            let unpacked = formats::unpacked(body, BODY_BYTES_MAX as u64);
            unpacked.map(Cow::Owned).map_err(Problem::bad_request)
        }
        Some(_) => {
            let detail = "expected a body without content encoding, or `gzip`";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail))
        }
    }
}

/// Reads a body, and says what it brings beside what is there.
fn read(
    service: &Service,
    headers: &HeaderMap,
    body: &[u8],
    given_key: Option<String>,
) -> Result<Read, Problem> {
    let ruleset = service.context.ruleset.load_full();
    let format = format(headers)?;
    let body = unpacked(headers, body)?;
    let sheet = formats::read(format, &body, &ruleset.settings.layout).map_err(malformed)?;
    check_keys(&ruleset, &sheet.rows)?;

    let warnings =
        suspect::rows(&ruleset, || sheet.rows.iter().map(|row| ("", row.line, &row.record)));
    let mut warnings: Vec<Value> = warnings.iter().map(warning).collect();
    let header = suspect::header(&ruleset.settings.fields, "", &sheet.columns);
    if !sheet.columns.is_empty() {
        warnings.extend(header.iter().map(warning));
    }
    let fields = &ruleset.settings.fields;
    let records = sheet.rows.iter().map(|row| &row.record);
    let compared = compare_with_present(&service.context.ledger, fields, records);
    let compared = compared.map_err(|error| Problem::internal(&error))?;
    let (nothing_new, columns_missing) = (compared.nothing_new, compared.lost);
    let notes = Notes { warnings, columns_missing, delimiter: sheet.detected };

    let rows = sheet.rows.len();
    let without_key = given_key.is_none();
    let key = given_key.map_or_else(|| own_key(&body), Ok)?;
    if without_key && nothing_new {
        return Ok(Read { key, rows, deliveries: Vec::new(), notes });
    }
    let mut records = sheet.records();
    mark_conflicts_of(fields, &mut records);
    let deliveries = chunks(service, &records, &body, &key)?;
    Ok(Read { key, rows, deliveries, notes })
}

fn malformed(error: Malformed) -> Problem {
    let mut told = json!({ "line": error.line, "detail": error.message });
    if let (Some(told), Some(help)) = (told.as_object_mut(), error.help) {
        told.insert("help".to_owned(), help.into());
    }
    Problem::bad_request("the body is not rows; nothing was taken").errors(vec![told])
}

fn warning(finding: &Diagnostic) -> Value {
    let Diagnostic { code, place, message, help, .. } = finding;
    json!({ "code": code, "line": place.line, "detail": message, "help": help })
}

/// The rows as deliveries, each of a bounded number of them.
fn chunks(
    service: &Service,
    records: &[Record],
    body: &[u8],
    key: &str,
) -> Result<Vec<Delivery>, Problem> {
    let hash = blake3::hash(body).to_hex();
    let received_ms = service.clock.now_ms();

    let chunks = records.chunks(CHUNK_ROWS_MAX).enumerate().map(|(index, rows)| {
        let id = match index {
            0 => key.to_owned(),
            _ => format!("{key}/{hash}/{index}"),
        };
        let body = serde_json::to_vec(rows).map_err(|error| Problem::internal(&error))?;
        let transactions = Vec::new();
        Ok(Delivery { source: IMPORT.to_owned(), id, body, received_ms, transactions })
    });

    chunks.collect()
}

/// Rows without a natural key are refused before anything is taken.
fn check_keys(ruleset: &Ruleset, rows: &[Row]) -> Result<(), Problem> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let without = rows.iter().enumerate();
    let without = without.filter(|(_, row)| decoder.decode(&row.record).id.is_empty());
    let without: Vec<(usize, u64)> =
        without.map(|(index, row)| (index, row.line)).take(ERRORS_MAX).collect();
    if without.is_empty() {
        return Ok(());
    }

    let column = ruleset.settings.fields.id.join("`, `");
    let detail = format!("the natural key `{column}` is blank or missing");
    let errors = without.into_iter().map(
        |(index, line)| json!({ "pointer": format!("/{index}"), "line": line, "detail": detail }),
    );
    let problem = Problem::unprocessable("no_natural_key", "rows cannot be told apart");
    Err(problem.errors(errors.collect()))
}

/// One transaction with its decisions.
pub(crate) async fn show(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Answer {
    let stored = stored(&service, &id).await?;
    let decisions = serde_json::to_value(&stored.decisions);
    Ok(Json(json!({
        "id": id,
        "version": stored.version,
        "superseded": stored.superseded,
        "columns": stored.record.to_json(),
        "preadjusted": preadjusted(&service, &stored).await?,
        "decisions": decisions.map_err(|error| Problem::internal(&error))?,
    })))
}

/// The amount as delivered, where another one was set by hand.
async fn preadjusted(service: &Arc<Service>, stored: &Stored) -> Result<Option<String>, Problem> {
    let (id, record) = (stored.id.clone(), stored.record.clone());
    let amount = service.blocking(move |service| {
        let resolutions = service.context.ledger.resolutions(&id);
        let resolutions = resolutions.map_err(|error| Problem::internal(&error))?;
        let fields = Arc::clone(&service.context.ruleset.load().settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&record));
        let inputs = explain::inputs(None, &resolutions);
        let inputs = inputs.map_err(|error| Problem::internal(&error))?;
        Ok(adjust::transaction(&inputs, &transaction).preadjusted().flatten())
    });
    Ok(amount.await?.map(|amount| amount.to_string()))
}

/// Why a transaction was credited as it was, plan by plan.
pub(crate) async fn explain(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Answer {
    let stored = stored(&service, &id).await?;
    let plans = service.blocking(move |service| {
        let plans = stored
            .decisions
            .iter()
            .map(|decision| explain::explain_decision(&service.context, &stored, decision));
        Ok(plans.collect::<Result<Vec<_>, _>>()?)
    });
    Ok(Json(json!({ "transaction": id, "plans": plans.await? })))
}

/// Which plan is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    plan: Option<String>,
}

/// A decision as Markdown, for the end of a case file.
pub(crate) async fn case(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan`"))?;
    let stored = stored(&service, &id).await?;
    let text = service
        .blocking(move |service| {
            Ok(explain::keep_as_case(&service.context, &stored, wanted.plan.as_deref())?)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

async fn stored(service: &Arc<Service>, id: &str) -> Result<Stored, Problem> {
    let id = id.to_owned();
    let stored = service.blocking(move |service| {
        service.context.ledger.transaction(&id).map_err(|error| Problem::internal(&error))
    });
    stored.await?.ok_or_else(|| Problem::not_found("transaction"))
}
