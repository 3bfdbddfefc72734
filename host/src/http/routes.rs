//! Every route on one screen, and what all of them share.
//!
//! Not the handlers (`http/<noun>`).
//!
//! **Architecture invariant:** everything under `/v1` asks for the token before anything else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::http::bearer;
use crate::http::body;
use crate::http::definitions::aliases;
use crate::http::definitions::changes;
use crate::http::definitions::files;
use crate::http::definitions::policies;
use crate::http::definitions::rules;
use crate::http::definitions::shadow;
use crate::http::intake::dead_letters;
use crate::http::intake::hooks;
use crate::http::intake::parked;
use crate::http::intake::transactions;
use crate::http::ops::audit;
use crate::http::ops::status;
use crate::http::ops::tasks;
use crate::http::ops::verify;
use crate::http::problem;
use crate::http::results::adjustments;
use crate::http::results::alerts;
use crate::http::results::calculations;
use crate::http::results::credits;
use crate::http::results::enquiries;
use crate::http::results::holds;
use crate::http::results::notes;
use crate::http::results::payees;
use crate::http::results::periods;
use crate::http::results::runs;
use crate::http::results::simulations;
use crate::server::state::Service;

/// Bytes of a body; of an import, `transactions::BODY_BYTES_MAX`.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request, its body included, has this long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The application.
pub(crate) fn app(service: Arc<Service>) -> Router {
    let import = Router::new()
        .route("/v1/transactions", post(transactions::import))
        .merge(whole_sets())
        .layer(from_fn_with_state(transactions::BODY_BYTES_MAX, body::limited));
    let api = Router::new()
        .route("/v1/transactions/{id}", get(transactions::show))
        .route("/v1/transactions/{id}/explain", get(transactions::explain))
        .route("/v1/transactions/{id}/case", get(transactions::case))
        .route("/v1/credits", get(credits::list))
        .route("/v1/credits/{id}", get(credits::show))
        .route("/v1/credits/{id}/explain", get(credits::explain))
        .route("/v1/credits/{id}/release", post(credits::release))
        .route("/v1/credits/{id}/hold", post(credits::hold))
        .merge(results())
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/{kind}/{name}", get(policies::show).put(policies::replace))
        .route("/v1/definitions", get(files::list))
        .route(
            "/v1/definitions/{*path}",
            get(files::show).put(files::replace).delete(files::remove).post(files::restore),
        )
        .route("/v1/rules", get(rules::list))
        .route("/v1/tags", get(rules::tags))
        .route(
            "/v1/rules/{plan}/{name}",
            get(rules::show).put(rules::replace).delete(rules::remove),
        )
        .route("/v1/rules/{plan}/{name}/copy", post(rules::copy))
        .route("/v1/changes/{id}", get(changes::show).delete(changes::withdraw))
        .route("/v1/changes/{id}/approve", post(changes::approve))
        .route("/v1/changes/{id}/activate", post(changes::approve))
        .route("/v1/rollback", post(changes::rollback))
        .route("/v1/activations", get(policies::activations))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/{sequence}/redrive", post(dead_letters::redrive))
        .route("/v1/parked", get(parked::list))
        .route("/v1/parked/redrive", post(parked::redrive))
        .route("/v1/audit", get(audit::list))
        .route("/v1/audit/verify", get(audit::verify))
        .route("/v1/verify", get(verify::run))
        .route("/v1/status", get(status::show))
        .layer(from_fn_with_state(BODY_BYTES_MAX, body::limited))
        .merge(import)
        .route_layer(from_fn_with_state(Arc::clone(&service), bearer::required));
    let open = Router::new()
        .route("/hooks/{source}", post(hooks::receive))
        .route("/livez", get(status::live))
        .route("/readyz", get(status::ready))
        .route("/healthz", get(status::ready))
        .route("/metrics", get(status::metrics))
        .route("/version", get(status::version))
        .layer(from_fn_with_state(BODY_BYTES_MAX, body::limited));
    let id = HeaderName::from_static("x-request-id");
    // The last layer is the outermost.
    api.merge(open)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::disable())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(problem::render))
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(SetRequestIdLayer::new(id, crate::http::NewRequestId))
        .with_state(service)
}

/// What becomes of credits: adjusted, calculated, released, frozen, asked about.
fn results() -> Router<Arc<Service>> {
    Router::new()
        .route(
            "/v1/transactions/{id}/adjustments",
            get(adjustments::list_of_transaction).post(adjustments::of_transaction),
        )
        .route(
            "/v1/credits/{id}/adjustments",
            get(adjustments::list_of_credit).post(adjustments::of_credit),
        )
        .route("/v1/holds/release", post(holds::release))
        .route("/v1/calculations", get(calculations::list))
        .route(
            "/v1/calculations/{plan}/{period}",
            get(calculations::show).delete(calculations::remove),
        )
        .route("/v1/calculations/{plan}/{period}/run", post(runs::begin))
        .route("/v1/calculations/{plan}/{period}/release", post(calculations::release))
        .route("/v1/simulations", post(simulations::simulate))
        .route("/v1/runs", get(runs::list))
        .route("/v1/runs/{id}", get(runs::show))
        .route("/v1/runs/{id}/cancel", post(runs::cancel))
        .route("/v1/tasks/{id}", get(tasks::show))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/log", get(notes::log))
        .route("/v1/aliases", get(aliases::list))
        .route("/v1/periods", get(periods::list))
        .route("/v1/periods/{id}/close", post(periods::close))
        .route("/v1/periods/{id}/reopen", post(periods::reopen))
        .route("/v1/periods/{id}/finalize", post(periods::finalize))
        .route("/v1/payees/{id}/statements", get(payees::statements))
        .route("/v1/payees/{id}/why-not", get(payees::why_not))
        .route("/v1/payees/{id}/enquiries", get(payees::enquiries).post(payees::enquire))
        .route("/v1/enquiries", get(enquiries::list))
        .route("/v1/enquiries/{id}/answer", post(enquiries::answer))
}

/// Where a whole directory may be sent.
fn whole_sets() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/changes", get(changes::list).post(changes::make))
        .route("/v1/preview", post(changes::preview))
        .route("/v1/shadow", get(shadow::show).post(shadow::start).delete(shadow::stop))
}

/// The path may hold natural keys and the query names of people, so neither is logged.
fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let noun = request.uri().path().split('/').find(|part| !part.is_empty() && *part != "v1");
    tracing::info_span!(
        "request",
        request.id = id.unwrap_or_default(),
        http.method = %request.method(),
        http.noun = noun.unwrap_or_default(),
    )
}
