//! Every route with the role that it asks for, and what all of them share.
//!
//! Not the handlers (`http/<noun>`).
//!
//! **Architecture invariant:** everything under `/v1` asks for the token and the role before anything
//! else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::http::bearer;
use crate::http::body;
use crate::http::caching;
use crate::http::definitions::aliases;
use crate::http::definitions::changes;
use crate::http::definitions::files;
use crate::http::definitions::policies;
use crate::http::definitions::rules;
use crate::http::definitions::shadow;
use crate::http::intake::dead_letters;
use crate::http::intake::deals;
use crate::http::intake::hooks;
use crate::http::intake::imports;
use crate::http::intake::parked;
use crate::http::intake::transactions;
use crate::http::ops::audit;
use crate::http::ops::status;
use crate::http::ops::tasks;
use crate::http::ops::verify;
use crate::http::problem;
use crate::http::results::adjustments;
use crate::http::results::alerts;
use crate::http::results::approvals;
use crate::http::results::calculations;
use crate::http::results::credits;
use crate::http::results::enquiries;
use crate::http::results::holds;
use crate::http::results::notes;
use crate::http::results::payees;
use crate::http::results::periods;
use crate::http::results::rewards;
use crate::http::results::runs;
use crate::http::results::simulations;
use crate::http::roles::{Api, delete, get, post, put};
use crate::server::role::Role::{Admin, Approver, Author, Reader};
use crate::server::state::Service;

/// Bytes of a body; of an import, `imports::BODY_BYTES_MAX`.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A request, its body included, has this long; an import, `imports::TIMEOUT`.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The application.
pub(crate) fn app(service: Arc<Service>) -> Router {
    let (api, roles) = api().into_parts();
    let asked = (Arc::clone(&service), Arc::new(roles));
    let api = api.route_layer(from_fn_with_state(asked, bearer::required));

    let open = Router::new()
        .route("/hooks/{source}", routing::post(hooks::receive))
        .route("/problems/{code}", routing::get(problem::page))
        .route("/livez", routing::get(status::live))
        .route("/readyz", routing::get(status::ready))
        .route("/healthz", routing::get(status::ready))
        .route("/metrics", routing::get(status::metrics))
        .route("/version", routing::get(status::version))
        .layer(from_fn_with_state(BODY_BYTES_MAX, body::limited))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT));

    let id = HeaderName::from_static("x-request-id");
    // The last layer is the outermost.
    api.merge(open)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(problem::render))
        .layer(from_fn(caching::not_stored))
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(SetRequestIdLayer::new(id, crate::http::NewRequestId))
        .with_state(service)
}

/// Every route that asks for a token, with the role that each of its methods asks for.
pub(crate) fn api() -> Api {
    let small = arrivals().merge(results()).merge(asked()).merge(definitions()).merge(operation());
    let small = small.body_limit(BODY_BYTES_MAX);
    let large = whole_sets().body_limit(imports::BODY_BYTES_MAX);
    // An import reads its body itself, once there is room for it.
    let imports = Api::default().route(
        "/v1/transactions",
        get(deals::list).role(Reader).and(post(imports::import).role(Admin)),
    );
    small.merge(large).time_limit(TIMEOUT).merge(imports.time_limit(imports::TIMEOUT))
}

/// What arrived, and what could not be read or decided.
fn arrivals() -> Api {
    Api::default()
        .route("/v1/transactions/{id}", get(transactions::show).role(Reader))
        .route("/v1/transactions/{id}/explain", get(transactions::explain).role(Reader))
        .route("/v1/transactions/{id}/case", get(transactions::case).role(Reader))
        .route("/v1/dead-letters", get(dead_letters::list).role(Reader))
        .route("/v1/dead-letters/{sequence}/redrive", post(dead_letters::redrive).role(Admin))
        .route("/v1/parked", get(parked::list).role(Reader))
        .route("/v1/parked/redrive", post(parked::redrive).role(Admin))
}

/// What becomes of credits: adjusted, calculated, released, frozen.
fn results() -> Api {
    Api::default()
        .route("/v1/credits", get(credits::list).role(Reader))
        .route("/v1/credits/{id}", get(credits::show).role(Reader))
        .route("/v1/credits/{id}/explain", get(credits::explain).role(Reader))
        .route("/v1/credits/{id}/release", post(credits::release).role(Admin))
        .route("/v1/credits/{id}/hold", post(credits::hold).role(Admin))
        .route(
            "/v1/credits/{id}/adjustments",
            get(adjustments::list_of_credit)
                .role(Reader)
                .and(post(adjustments::of_credit).role(Admin)),
        )
        .route(
            "/v1/transactions/{id}/adjustments",
            get(adjustments::list_of_transaction)
                .role(Reader)
                .and(post(adjustments::of_transaction).role(Admin)),
        )
        .route("/v1/holds/release", post(holds::release).role(Admin))
        .route("/v1/approvals", get(approvals::list).role(Reader))
        .route(
            "/v1/approvals/{id}",
            get(approvals::show).role(Reader).and(delete(approvals::withdraw).role(Approver)),
        )
        .route("/v1/approvals/{id}/approve", post(approvals::approve).role(Approver))
        .route("/v1/calculations", get(calculations::list).role(Reader))
        .route(
            "/v1/calculations/{plan}/{period}",
            get(calculations::show).role(Reader).and(delete(calculations::remove).role(Admin)),
        )
        .route("/v1/calculations/{plan}/{period}/run", post(runs::begin).role(Admin))
        .route("/v1/calculations/{plan}/{period}/release", post(calculations::release).role(Admin))
        .route("/v1/rewards", get(rewards::list).role(Reader))
        .route("/v1/runs", get(runs::list).role(Reader))
        .route("/v1/runs/{id}", get(runs::show).role(Reader))
        .route("/v1/runs/{id}/cancel", post(runs::cancel).role(Admin))
        .route("/v1/periods", get(periods::list).role(Reader))
        .route("/v1/periods/{id}/close", post(periods::close).role(Admin))
        .route("/v1/periods/{id}/reopen", post(periods::reopen).role(Admin))
        .route("/v1/periods/{id}/finalize", post(periods::finalize).role(Admin))
}

/// What payees see and ask, and what somebody should look at.
fn asked() -> Api {
    Api::default()
        // It only looks.
        .route("/v1/simulations", post(simulations::simulate).role(Reader))
        .route("/v1/alerts", get(alerts::list).role(Reader))
        .route("/v1/log", get(notes::log).role(Reader))
        .route("/v1/payees/{id}/statements", get(payees::statements).role(Reader))
        .route("/v1/payees/{id}/why-not", get(payees::why_not).role(Reader))
        // Everybody who may read may ask.
        .route(
            "/v1/payees/{id}/enquiries",
            get(payees::enquiries).role(Reader).and(post(payees::enquire).role(Reader)),
        )
        .route("/v1/enquiries", get(enquiries::list).role(Reader))
        .route(
            "/v1/payees/{id}/enquiries/{number}/messages",
            post(enquiries::say_as_payee).role(Reader),
        )
        .route("/v1/enquiries/{id}", get(enquiries::show).role(Reader))
        .route("/v1/enquiries/{id}/assign", post(enquiries::assign).role(Approver))
        .route("/v1/enquiries/{id}/messages", post(enquiries::say).role(Approver))
        .route("/v1/enquiries/{id}/answer", post(enquiries::answer).role(Approver))
        .route("/v1/enquiries/{id}/close", post(enquiries::close).role(Approver))
}

/// Rules and everything else that is written in files.
fn definitions() -> Api {
    Api::default()
        .route("/v1/policies", get(policies::list).role(Reader))
        .route(
            "/v1/policies/{kind}/{name}",
            get(policies::show).role(Reader).and(put(policies::replace).role(Author)),
        )
        .route("/v1/definitions", get(files::list).role(Reader))
        .route(
            "/v1/definitions/{*path}",
            get(files::show)
                .role(Reader)
                .and(put(files::replace).role(Author))
                .and(delete(files::remove).role(Author))
                .and(post(files::restore).role(Author)),
        )
        .route("/v1/rules", get(rules::list).role(Reader))
        .route("/v1/tags", get(rules::tags).role(Reader))
        .route(
            "/v1/rules/{plan}/{name}",
            get(rules::show)
                .role(Reader)
                .and(put(rules::replace).role(Author))
                .and(delete(rules::remove).role(Author)),
        )
        .route("/v1/rules/{plan}/{name}/copy", post(rules::copy).role(Author))
        .route("/v1/aliases", get(aliases::list).role(Reader))
        .route(
            "/v1/changes/{id}",
            get(changes::show).role(Reader).and(delete(changes::withdraw).role(Author)),
        )
        .route("/v1/changes/{id}/approve", post(changes::approve).role(Approver))
        .route("/v1/changes/{id}/activate", post(changes::approve).role(Approver))
        .route("/v1/rollback", post(changes::rollback).role(Author))
        .route("/v1/activations", get(policies::activations).role(Reader))
}

/// How the server is, and what was done.
fn operation() -> Api {
    Api::default()
        .route("/v1/audit", get(audit::list).role(Reader))
        .route("/v1/audit/verify", get(audit::verify).role(Reader))
        .route("/v1/verify", get(verify::run).role(Reader))
        .route("/v1/status", get(status::show).role(Reader))
        .route("/v1/tasks/{id}", get(tasks::show).role(Reader))
}

/// Where a whole directory may be sent.
fn whole_sets() -> Api {
    Api::default()
        .route("/v1/changes", get(changes::list).role(Reader).and(post(changes::make).role(Author)))
        .route("/v1/preview", post(changes::preview).role(Reader))
        .route(
            "/v1/shadow",
            get(shadow::show)
                .role(Reader)
                .and(post(shadow::start).role(Author))
                .and(delete(shadow::stop).role(Author)),
        )
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
