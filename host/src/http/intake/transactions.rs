//! Transactions: imported in bulk, shown, explained, kept as cases.
//!
//! An import goes through the same inbox as webhooks; a body that is not rows is refused whole, with
//! the lines at fault.

use std::sync::Arc;

use accredit_crediting::stage::adjust;
use accredit_domain::transaction::read::{self, Malformed};
use accredit_domain::transaction::{Decoder, Record};
use accredit_ledger::inbox::{Delivery, Receipt};
use accredit_ledger::record::Stored;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::http::Answer;
use crate::http::intake::hooks::not_taken;
use crate::http::problem::Problem;
use crate::operations::intake::IMPORT;
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

/// Takes rows as CSV, NDJSON or JSON.
pub(crate) async fn import(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let key = key(&headers, &body)?;
    let read = service.blocking(move |service| chunks(service, &headers, &body, &key)).await?;
    let shared = Arc::clone(&service);
    let stored = tokio::spawn(async move { store(&shared, read).await }).await;
    stored.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

struct Read {
    key: String,
    rows: usize,
    deliveries: Vec<Delivery>,
}

async fn store(service: &Arc<Service>, read: Read) -> Result<Response, Problem> {
    let Read { key, rows, deliveries } = read;
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
    let duplicate = !receipts.is_empty() && receipts.iter().all(|receipt| receipt.duplicate);
    service.metrics.webhook("import", if duplicate { "duplicate" } else { "accepted" });
    let answer =
        json!({ "delivery": key, "rows": rows, "deliveries": count, "duplicate": duplicate });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The key of the delivery: as sent, else of the body.
fn key(headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(format!("body_{}", blake3::hash(body).to_hex()));
    };
    let key = key.to_str().map(|key| key.trim().trim_matches('"')).unwrap_or("");
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let detail = format!("`Idempotency-Key` must have 1 to {KEY_BYTES_MAX} visible characters");
        return Err(Problem::bad_request(detail));
    }
    Ok(key.to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Csv,
    Ndjson,
    Json,
}

fn shape(headers: &HeaderMap) -> Result<Shape, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/csv" => Ok(Shape::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Shape::Ndjson),
        "application/json" => Ok(Shape::Json),
        _ => {
            let detail = "expected `text/csv`, `application/x-ndjson` or `application/json`";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail))
        }
    }
}

fn chunks(service: &Service, headers: &HeaderMap, body: &[u8], key: &str) -> Result<Read, Problem> {
    let shape = shape(headers)?;
    let records = match shape {
        Shape::Csv => read::csv(body),
        Shape::Ndjson => read::ndjson(body),
        Shape::Json => read::json(body),
    };
    let records = records.map_err(|Malformed { line, message, .. }| {
        let error = json!({ "line": line, "detail": message });
        let problem = Problem::bad_request("the body is not rows; nothing was taken");
        problem.errors(vec![error])
    })?;
    check_keys(service, &records, shape, body)?;
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
    let deliveries = chunks.collect::<Result<Vec<_>, Problem>>()?;
    Ok(Read { key: key.to_owned(), rows: records.len(), deliveries })
}

/// Rows without a natural key are refused before anything is taken.
fn check_keys(
    service: &Service,
    records: &[Record],
    shape: Shape,
    body: &[u8],
) -> Result<(), Problem> {
    let ruleset = service.ruleset.load_full();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let without = records.iter().enumerate();
    let without = without.filter(|(_, record)| decoder.decode(record).id.is_empty());
    let without: Vec<usize> = without.map(|(index, _)| index).take(ERRORS_MAX).collect();
    if without.is_empty() {
        return Ok(());
    }
    let column = ruleset.settings.fields.id.join("`, `");
    let detail = format!("the natural key `{column}` is blank or missing");
    let errors = without.into_iter().map(|index| match shape {
        Shape::Json => json!({ "pointer": format!("/{index}"), "detail": detail }),
        Shape::Csv => json!({ "line": index + 2, "detail": detail }),
        Shape::Ndjson => json!({ "line": ndjson_line(body, index), "detail": detail }),
    });
    let problem = Problem::unprocessable("no_natural_key", "rows cannot be told apart");
    Err(problem.errors(errors.collect()))
}

/// The line of the `index`th row: blank lines are passed over.
fn ndjson_line(body: &[u8], index: usize) -> usize {
    let lines = body.split(|byte| *byte == b'\n').enumerate();
    let mut rows = lines.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
    rows.nth(index).map_or(0, |(line, _)| line + 1)
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
        let resolutions = service.ledger.resolutions(&id);
        let resolutions = resolutions.map_err(|error| Problem::internal(&error))?;
        let fields = Arc::clone(&service.ruleset.load().settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&record));
        let inputs = crate::operations::explain::inputs(None, &resolutions);
        Ok(adjust::transaction(&inputs, &transaction).preadjusted().flatten())
    });
    Ok(amount.await?.map(|amount| amount.to_string()))
}

/// Why a transaction was credited as it was, plan by plan.
pub(crate) async fn explain(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Answer {
    let stored = stored(&service, &id).await?;
    let plans = service.blocking(move |service| {
        let plans = stored.decisions.iter().map(|decision| service.explain(&stored, decision));
        plans.collect::<Result<Vec<_>, Problem>>()
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
    let text =
        service.blocking(move |service| service.keep(&stored, wanted.plan.as_deref())).await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

async fn stored(service: &Arc<Service>, id: &str) -> Result<Stored, Problem> {
    let id = id.to_owned();
    let stored = service.blocking(move |service| {
        service.ledger.transaction(&id).map_err(|error| Problem::internal(&error))
    });
    stored.await?.ok_or_else(|| Problem::not_found("transaction"))
}
