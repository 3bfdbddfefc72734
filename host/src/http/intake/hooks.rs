//! `POST /hooks/{source}`: verified on the raw bytes, durable, then answered.
//!
//! Not deciding: the worker does that afterwards. An authentic delivery is never refused; what is
//! wrong with its content is found by the worker and kept as a dead letter.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, PoisonError};

use accredit_ledger::inbox::Receipt;
use accredit_operations::decoded::DecodedDelivery;
use accredit_operations::intake::{self, Comparison};
use accredit_seams::delivery::Delivery;
use accredit_workspace::Ruleset;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::http::body;
use crate::http::hook_layer::answer_hook;
use crate::http::problem::Problem;
use crate::http::request_id::{hook_span, id_of};
use crate::http::routes::BODY_BYTES_MAX;
use crate::plugins;
use crate::server::channels::NotTaken;
use crate::server::state::Service;

/// Bytes of bodies whose deals are read at the same time.
pub(crate) const BYTES_AT_ONCE_MAX: usize = 2 << 20;

/// Machines kept for answers; more requests at a time make their own.
const MACHINES_KEPT_MAX: usize = 8;

/// Bytes of a body that is read where its connection is served. A larger one would keep the other
/// connections of the thread waiting.
const READ_IN_PLACE_MAX: usize = 16 << 10;

/// The answer to a delivery that is stored. Its keys are in alphabetical order, as in every answer.
#[derive(Debug, Serialize)]
struct DeliveryAnswer {
    /// What deals lose; left out if they lose nothing, and for a duplicate.
    #[serde(skip_serializing_if = "ColumnsMissing::is_empty")]
    columns_missing: ColumnsMissing,
    /// True if the same id had been received with another body; otherwise left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<bool>,
    /// The sender's id of the delivery.
    delivery: String,
    /// Whether the same delivery had been received before.
    duplicate: bool,
    /// Natural keys of its transactions.
    transactions: Vec<String>,
}

/// A delivery that is authentic, with what its answer says of it.
struct ReadDelivery {
    delivery: Delivery,
    columns_missing: ColumnsMissing,
    /// The place of the secret that it was signed with.
    secret: usize,
}

/// Mapped columns that deals lose with a delivery, by natural key.
type ColumnsMissing = BTreeMap<String, BTreeSet<String>>;

/// Takes a delivery.
pub(crate) async fn receive_delivery(
    State(service): State<Arc<Service>>,
    source: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let id = id_of(request.headers());
    answer_hook(id.as_ref(), take_delivery(service, source, request, id.as_ref())).await
}

async fn take_delivery(
    service: Arc<Service>,
    source: Result<Path<String>, PathRejection>,
    request: Request,
    id: Option<&HeaderValue>,
) -> Result<Response, Problem> {
    let Path(source) = source.map_err(|_| Problem::bad_request("the path is not text"))?;
    let (Parts { headers, .. }, body) = request.into_parts();
    let body = body::read_limited(body, BODY_BYTES_MAX).await?;
    let delivery = Delivery::unverified(source, service.clock.now_ms(), body);
    let ruleset = service.context.ruleset.load_full();
    let Some(source) = ruleset.settings.sources.get(&delivery.source) else {
        return Err(Problem::not_found("source"));
    };

    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        let detail = "send the body as it was signed, without a content encoding";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "media_type", detail));
    }

    if source.intake.is_none() && delivery.body.len() <= READ_IN_PLACE_MAX {
        // Nothing waits before the delivery is handed over, so a client that goes away cuts nothing.
        let read = read_delivery(&service, &ruleset, delivery, (&headers, id));
        return store_delivery(&service, read, id).await;
    }

    // On its own task: a client that goes away must not cut it in half.
    let id = id.cloned();
    let taken = tokio::spawn(async move {
        // Deals need a lot more memory than the text that they are read from.
        let room = service.hooks_room.enter(delivery.body.len()).await;
        let of_request = id.clone();
        let read = service.run_blocking(move |service| {
            let _room = room;
            Ok(read_delivery(service, &ruleset, delivery, (&headers, of_request.as_ref())))
        });
        store_delivery(&service, read.await?, id.as_ref()).await
    });
    taken.await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// Verifies a delivery and reads what its answer says; the source's name where it is refused.
fn read_delivery(
    service: &Service,
    ruleset: &Ruleset,
    mut delivery: Delivery,
    request: (&HeaderMap, Option<&HeaderValue>),
) -> Result<ReadDelivery, (String, Problem)> {
    let read = verify_sender(service, ruleset, &mut delivery, request).and_then(|secret| {
        let (transactions, columns_missing) = delivered_transactions(service, ruleset, &delivery)?;
        Ok((transactions, columns_missing, secret))
    });

    match read {
        Ok((transactions, columns_missing, secret)) => {
            delivery.transactions = transactions;
            Ok(ReadDelivery { delivery, columns_missing, secret })
        }
        Err(problem) => Err((delivery.source, problem)),
    }
}

/// Stores a delivery that was read, and answers.
async fn store_delivery(
    service: &Service,
    read: Result<ReadDelivery, (String, Problem)>,
    request: Option<&HeaderValue>,
) -> Result<Response, Problem> {
    let ReadDelivery { delivery, columns_missing, secret } =
        read.map_err(|(source, problem)| {
            service.metrics.count_webhook(&source, "refused");
            problem
        })?;

    let (source, id) = (delivery.source.clone(), delivery.id.clone());
    let receipts = service.writer.take(vec![delivery]).await.map_err(|error| {
        service.metrics.count_webhook(&source, "failed");
        not_taken(&error)
    })?;

    let receipt = receipts.into_iter().next();
    let receipt = receipt.ok_or_else(|| Problem::internal(&"a delivery without a receipt"))?;
    log_receipt(request, (&source, &id), &receipt, secret);

    let columns_missing = if receipt.duplicate { ColumnsMissing::new() } else { columns_missing };
    let answer = DeliveryAnswer {
        columns_missing,
        conflict: receipt.conflict.then_some(true),
        delivery: id,
        duplicate: receipt.duplicate,
        transactions: receipt.transactions,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// Logs what became of a delivery. A first one under the first secret is the rule, and the inbox
/// has it: a line for each of thousands a second would cost more than storing them.
fn log_receipt(
    request: Option<&HeaderValue>,
    (source, id): (&str, &str),
    receipt: &Receipt,
    secret: usize,
) {
    let (sequence, outcome) = (receipt.sequence, receipt.outcome());
    if !receipt.duplicate && secret == 0 {
        tracing::debug!(
            delivery.source = source,
            delivery.id = id,
            delivery.sequence = sequence,
            "delivery stored"
        );
        return;
    }

    let _span = hook_span(request).entered();
    if receipt.conflict {
        tracing::warn!(delivery.source = source, delivery.id = id, "same id, other body");
    }
    tracing::info!(
        delivery.source = source,
        delivery.id = id,
        delivery.sequence = sequence,
        delivery.secret = secret,
        delivery.outcome = outcome,
        "delivery stored"
    );
}

/// The answer when the writer took nothing.
pub(crate) fn not_taken(error: &NotTaken) -> Problem {
    Problem::unavailable(error.to_string())
}

/// Lets the connector of its source verify a delivery and set its id; which secret matched.
fn verify_sender(
    service: &Service,
    ruleset: &Ruleset,
    delivery: &mut Delivery,
    (headers, request): (&HeaderMap, Option<&HeaderValue>),
) -> Result<usize, Problem> {
    let source = ruleset.settings.sources.get(&delivery.source);
    let source = source.ok_or_else(|| Problem::not_found("source"))?;
    let connector = plugins::find_connector(&source.connector);
    let connector = connector.ok_or_else(|| Problem::not_found("source"))?;

    let secrets = service.secrets.load();
    let secrets = secrets.get(&delivery.source).map(Vec::as_slice).unwrap_or_default();
    let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    let headers = headers.iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();

    connector.verify_delivery(delivery, &headers, &secrets).map_err(|reason| {
        let _span = hook_span(request).entered();
        tracing::warn!(
            delivery.source = %delivery.source,
            delivery.refused = %reason,
            "delivery is not authentic"
        );
        // Which of the checks failed is for our log alone.
        let detail = "the delivery is not authentic";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthentic", detail)
    })
}

/// The natural keys in a delivery and the columns that its deals lose, for its answer; none where
/// the worker will find it unreadable.
fn delivered_transactions(
    service: &Service,
    ruleset: &Ruleset,
    delivery: &Delivery,
) -> Result<(Vec<String>, ColumnsMissing), Problem> {
    let understood = decode_delivery(service, ruleset, delivery);

    let rows = understood.as_ref().map(|understood| understood.rows.as_slice());
    let rows = rows.unwrap_or_default();
    let (mut ids, mut seen) = (Vec::new(), HashSet::new());
    for (_, transaction) in rows {
        if seen.insert(&*transaction.id) {
            ids.push(transaction.id.to_string());
        }
    }

    if intake::is_partial(ruleset, delivery) {
        service.context.decoded.keep_decoded(ruleset, delivery, understood);
        return Ok((ids, ColumnsMissing::new()));
    }

    let fields = &ruleset.settings.fields;
    let mut comparison = Comparison::of_losses(&service.context.ledger, fields);
    for (_, transaction) in rows {
        comparison.add(transaction)?;
    }

    let lost = comparison.end().lost;
    service.context.decoded.keep_decoded(ruleset, delivery, understood);
    Ok((ids, lost))
}

/// Decodes a delivery on one of the machines that are kept.
fn decode_delivery(
    service: &Service,
    ruleset: &Ruleset,
    delivery: &Delivery,
) -> Result<DecodedDelivery, String> {
    let kept = || service.machines.lock().unwrap_or_else(PoisonError::into_inner);
    let mut machines = kept().pop().unwrap_or_default();
    let decoded = intake::decode_delivery(&service.context, ruleset, &mut machines, delivery);

    let mut kept = kept();
    if kept.len() < MACHINES_KEPT_MAX {
        kept.push(machines);
    }
    decoded
}
