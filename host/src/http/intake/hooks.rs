//! `POST /hooks/{source}`: verified on the raw bytes, durable, then answered.
//!
//! Not deciding: the worker does that afterwards. An authentic delivery is never refused; what is
//! wrong with its content is found by the worker and kept as a dead letter.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, PoisonError};

use accredit_domain::rate_limit::RateLimit;
use accredit_ledger::inbox::Receipt;
use accredit_operations::decoded::DecodedDelivery;
use accredit_operations::intake::{self, Comparison};
use accredit_seams::connector::{Connector, OverloadAnswer, SentEvent, SentRequest};
use accredit_seams::delivery::Delivery;
use accredit_workspace::Ruleset;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::access::limits;
use crate::http::access::peers::PeerAddress;
use crate::http::body;
use crate::http::hook_layer::answer_hook;
use crate::http::intake::source_rates;
use crate::http::problem::Problem;
use crate::http::request_id::{hook_span, id_of};
use crate::http::routes::BODY_BYTES_MAX;
use crate::plugins;
use crate::server::channels::NotTaken;
use crate::server::quarantine;
use crate::server::refusals::SourceRefusal;
use crate::server::state::Service;

/// Bytes of bodies whose deals are read at the same time.
pub(crate) const BYTES_AT_ONCE_MAX: usize = 2 << 20;

/// Machines kept for answers; more requests at a time make their own.
const MACHINES_KEPT_MAX: usize = 8;

/// Bytes of a body that is read where its connection is served, by a host with a data file. A larger one
/// would keep the other connections of the thread waiting.
const READ_IN_PLACE_MAX: usize = 16 << 10;

/// The answer to a delivery that is stored. Its keys are in alphabetical order, as in every answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryAnswer {
    /// What deals lose; left out if they lose nothing, and for a duplicate.
    #[serde(skip_serializing_if = "ColumnsMissing::is_empty")]
    #[schema(value_type = BTreeMap<String, BTreeSet<String>>)]
    columns_missing: ColumnsMissing,
    /// True if the same id had been received with another body; otherwise left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    conflict: Option<bool>,
    /// The sender's id of the delivery.
    delivery: String,
    /// Whether the same delivery had been received before.
    duplicate: bool,
    /// Natural keys of its transactions.
    transactions: Vec<String>,
}

/// The answer to a request that is not one delivery: a list of events, each with what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsAnswer {
    /// One for each event, in their order.
    deliveries: Vec<DeliveryAnswer>,
}

/// A request to a source, as it arrived.
struct ArrivedRequest {
    /// The source's name.
    source: String,
    /// Method, target and headers.
    head: Parts,
    /// The body, byte for byte.
    body: Vec<u8>,
    /// When it arrived, milliseconds since 1970.
    received_ms: i64,
}

/// An authentic request, with what its answer says of its deliveries.
struct ReadRequest {
    /// The source's name.
    source: String,
    /// Each event of it, with the columns that its deals lose.
    deliveries: Vec<(Delivery, ColumnsMissing)>,
    /// The place of the secret that it was signed with.
    secret: usize,
    /// The connector of its source.
    connector: &'static dyn Connector,
    /// How often its source may send; none where it is not said.
    limit: Option<RateLimit>,
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
    let (head, body) = request.into_parts();
    let body = body::read_limited(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|problem| note_refusal(&service, &source, problem))?;
    let arrived = ArrivedRequest { source, head, body, received_ms: service.clock.now_ms() };
    let ruleset = service.context.ruleset.load_full();
    let Some(source) = ruleset.settings.sources.get(&arrived.source) else {
        return Err(Problem::not_found("source"));
    };

    let encoding = arrived.head.headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "send the body as it was signed, without a content encoding";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let problem = Problem::new(status, "media_type", detail);
        return Err(note_refusal(&service, &arrived.source, problem));
    }

    // Reading looks at recorded deals, for which a database is asked over a network.
    let is_quick = service.role.is_alone() && arrived.body.len() <= READ_IN_PLACE_MAX;
    if source.intake.is_none() && is_quick {
        // A client that goes away before the delivery is handed over cuts nothing: it is whole by then.
        let read = read_request(&service, &ruleset, arrived, id);
        return store_deliveries(&service, read, id).await;
    }

    // On its own task: a client that goes away must not cut it in half.
    let id = id.cloned();
    let taken = tokio::spawn(async move {
        // Deals need a lot more memory than the text that they are read from.
        let room = service.hooks_room.enter(arrived.body.len()).await;
        let of_request = id.clone();
        let read = service.run_blocking(move |service| {
            let _room = room;
            Ok(read_request(service, &ruleset, arrived, of_request.as_ref()))
        });
        store_deliveries(&service, read.await?, id.as_ref()).await
    });
    taken.await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// Notes what a source of the ruleset is refused, for people who look at their sources.
fn note_refusal(service: &Service, source: &str, problem: Problem) -> Problem {
    if service.context.ruleset.load().settings.sources.contains_key(source) {
        let refusal = SourceRefusal { at_ms: service.clock.now_ms(), reason: problem.code() };
        service.refusals.note(source, refusal);
    }
    problem
}

/// Verifies a request and reads what its answer says; the source's name where it is refused.
fn read_request(
    service: &Service,
    ruleset: &Ruleset,
    arrived: ArrivedRequest,
    id: Option<&HeaderValue>,
) -> Result<ReadRequest, (String, Problem)> {
    let source = arrived.source.clone();
    let read = verify_sender(service, ruleset, arrived, id).and_then(|verified| {
        let (deliveries, secret, connector) = verified;
        let deliveries = deliveries.into_iter().map(|mut delivery| {
            let (transactions, lost) = delivered_transactions(service, ruleset, &delivery)?;
            delivery.transactions = transactions;
            Ok((delivery, lost))
        });
        let deliveries = deliveries.collect::<Result<_, Problem>>()?;
        let limit = ruleset.settings.sources.get(&source).and_then(|source| source.rate_limit);
        Ok(ReadRequest { source: source.clone(), deliveries, secret, connector, limit })
    });
    read.map_err(|problem| (source, problem))
}

/// Stores the deliveries of a request that was read, and answers.
async fn store_deliveries(
    service: &Service,
    read: Result<ReadRequest, (String, Problem)>,
    request: Option<&HeaderValue>,
) -> Result<Response, Problem> {
    let ReadRequest { source, deliveries, secret, connector, limit } =
        read.map_err(|(source, problem)| {
            service.metrics.count_webhook(&source, "refused");
            note_refusal(service, &source, problem)
        })?;

    let overload = connector.overload_answer();
    let turn = source_rates::await_turn(service, (&source, limit), overload).await;
    let turn = turn.map_err(|problem| note_refusal(service, &source, problem))?;
    let (deliveries, lost): (Vec<_>, Vec<_>) = deliveries.into_iter().unzip();
    let ids: Vec<String> = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    let receipts =
        service.writer.take_patiently(deliveries, turn.patience).await.map_err(|error| {
            service.metrics.count_webhook(&source, "failed");
            note_refusal(service, &source, overloaded(overload, &error))
        })?;
    if receipts.len() != ids.len() {
        return Err(Problem::internal(&"a delivery without a receipt"));
    }

    let mut answers = Vec::with_capacity(ids.len());
    for ((id, lost), receipt) in ids.into_iter().zip(lost).zip(receipts) {
        log_receipt(request, (&source, &id), &receipt, secret);
        answers.push(DeliveryAnswer {
            columns_missing: if receipt.duplicate { ColumnsMissing::new() } else { lost },
            conflict: receipt.conflict.then_some(true),
            delivery: id,
            duplicate: receipt.duplicate,
            transactions: receipt.transactions,
        });
    }
    let mut answer = accepted(connector, answers);
    turn.headers.write(answer.headers_mut());
    Ok(answer)
}

/// The answer to a request whose deliveries are durable.
fn accepted(connector: &dyn Connector, mut answers: Vec<DeliveryAnswer>) -> Response {
    if let Some(own) = connector.accepted_answer() {
        let status = StatusCode::from_u16(own.status).unwrap_or(StatusCode::OK);
        return (status, [(header::CONTENT_TYPE, own.content_type)], own.body).into_response();
    }
    let status = StatusCode::ACCEPTED;
    match (answers.pop(), answers.is_empty()) {
        (Some(only), true) => (status, Json(only)).into_response(),
        (last, _) => {
            answers.extend(last);
            (status, Json(EventsAnswer { deliveries: answers })).into_response()
        }
    }
}

/// The answer that makes the sender come back.
fn overloaded(overload: OverloadAnswer, error: &NotTaken) -> Problem {
    let status = StatusCode::from_u16(overload.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let problem = Problem::new(status, "unavailable", error.to_string());
    match overload.retry_after_s {
        Some(seconds) => problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds)),
        None => problem,
    }
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

/// Lets the connector of its source verify a request: its deliveries, which secret matched, and the
/// connector.
fn verify_sender(
    service: &Service,
    ruleset: &Ruleset,
    arrived: ArrivedRequest,
    id: Option<&HeaderValue>,
) -> Result<(Vec<Delivery>, usize, &'static dyn Connector), Problem> {
    let ArrivedRequest { source: name, head, body, received_ms } = arrived;
    let source = ruleset.settings.sources.get(&name);
    let source = source.ok_or_else(|| Problem::not_found("source"))?;
    let connector = plugins::find_connector(&source.connector);
    let connector = connector.ok_or_else(|| Problem::not_found("source"))?;

    let secrets = service.secrets.load();
    let secrets = secrets.get(&name).map(Vec::as_slice).unwrap_or_default();
    let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    let headers = head.headers.iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = SentRequest {
        method: head.method.as_str(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        received_ms,
    };

    let secret = connector.verify_request(&request, &source.settings, &secrets);
    let secret = secret.map_err(|reason| {
        let _span = hook_span(id).entered();
        tracing::warn!(
            delivery.source = %name,
            delivery.refused = %reason,
            "delivery is not authentic"
        );
        if connector.signs_requests(&source.settings) {
            quarantine::keep_refused(service, (&name, &source.settings), &request, reason);
        }
        // Which of the checks failed is for our log alone.
        let detail = "the delivery is not authentic";
        let refusal = Problem::new(StatusCode::UNAUTHORIZED, "unauthentic", detail);
        limits::refuse_unknown(service, PeerAddress::of(&head.extensions), refusal)
    })?;

    let mut events = connector.split_request(&request, &source.settings);
    let is_whole = |event: &SentEvent<'_>| matches!(event.body, Cow::Borrowed(all) if all == body);
    let deliveries = match (events.pop(), events.is_empty()) {
        // The usual case: the body is moved, not copied.
        (Some(only), true) if is_whole(&only) => {
            let id = only.id;
            vec![Delivery { id, ..Delivery::unverified(name, received_ms, body) }]
        }
        (last, _) => {
            events.extend(last);
            let deliveries = events.into_iter().map(|SentEvent { id, body }| {
                let body = body.into_owned();
                Delivery { id, ..Delivery::unverified(name.clone(), received_ms, body) }
            });
            deliveries.collect()
        }
    };
    Ok((deliveries, secret, connector))
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
