//! Every route with the role that it asks for, and what all of them share.
//!
//! Not the handlers (`http/<noun>`).
//!
//! **Architecture invariant:** everything under `/v1` asks who calls, and for the role, before anything
//! else; what is declared public does not, and says so.

use std::sync::Arc;
use std::time::Duration;

use accredit_operations::principal::Role::{Admin, Approver, Auditor, Author, Reader};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

#[cfg(feature = "oidc")]
use crate::http::access::oidc;
use crate::http::access::{keys, limits, people, sessions};
use crate::http::definitions::aliases;
use crate::http::definitions::changes;
use crate::http::definitions::files;
use crate::http::definitions::lineage;
use crate::http::definitions::organization;
use crate::http::definitions::policies;
use crate::http::definitions::rules;
use crate::http::definitions::shadow;
use crate::http::editor::{assistance, findings, trials};
use crate::http::intake::dead_letters;
use crate::http::intake::deals;
use crate::http::intake::fetches;
use crate::http::intake::hooks;
use crate::http::intake::imports;
use crate::http::intake::parked;
use crate::http::intake::quarantine;
use crate::http::intake::reconciliation;
use crate::http::intake::transactions;
use crate::http::me::{lists, own_credit, profile, progress, questions, republished, what_if};
use crate::http::openapi::serve;
use crate::http::ops::audit;
use crate::http::ops::backups;
use crate::http::ops::status;
use crate::http::ops::tasks;
use crate::http::ops::verify;
use crate::http::outgoing::{destinations, events};
use crate::http::problem::{self, Problem};
use crate::http::request_id::{NewRequestId, REQUEST_ID, request_span};
use crate::http::results::adjustments;
use crate::http::results::alerts;
use crate::http::results::approvals;
use crate::http::results::balances;
use crate::http::results::calculations;
use crate::http::results::credits;
use crate::http::results::enquiries;
use crate::http::results::holds;
use crate::http::results::manual_credits;
use crate::http::results::manual_rewards;
use crate::http::results::notes;
use crate::http::results::payees;
use crate::http::results::periods;
use crate::http::results::rewards;
use crate::http::results::runs;
use crate::http::results::simulations;
use crate::http::results::statements;
use crate::http::roles::{Access, Api, delete, get, post, put};
use crate::http::welcome;
use crate::http::{bearer, body, caching, console, live, next_page};
use crate::http::{forward, hook_layer, unknown_query};
use crate::server::state::Service;

/// Bytes of a body; of an import, `imports::BODY_BYTES_MAX`.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// A request, its body included, has this long; an import, `imports::TIMEOUT`.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The application.
pub(crate) fn build_app(service: Arc<Service>) -> Router {
    let (api, roles) = build_api().into_parts();
    let api = api.route_layer(from_fn(unknown_query::refuse_unknown_query));
    let asked = (Arc::clone(&service), Arc::new(roles));
    let api = api.route_layer(from_fn_with_state(asked, bearer::require_token));
    // A browser sends its cookie with what another site asks it for.
    let api = api.route_layer(CsrfLayer::new().with_rejection_response(refuse_cross_origin));

    let of_all = |routes: Vec<(&'static str, MethodRouter<Arc<Service>>)>| {
        routes.into_iter().fold(Router::new(), |all, (path, methods)| all.route(path, methods))
    };
    let limited = from_fn_with_state(Arc::clone(&service), limits::limit_unknown);
    let open = of_all(page_routes())
        .route_layer(limited)
        .merge(of_all(probe_routes()))
        .merge(console_routes())
        .layer(from_fn_with_state(BODY_BYTES_MAX, body::limit_body))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT));

    // Without layers: its handler does what they do.
    let hook = routing::post(hooks::receive_delivery).fallback(hook_layer::refuse_method);
    let hooks = Router::new().route(HOOKS_PATH, hook);

    // The last layer is the outermost.
    let passed_on = from_fn_with_state(Arc::clone(&service), forward::pass_on);
    api.merge(open)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(next_page::link_next_page))
        .layer(CatchPanicLayer::custom(problem::panic_response))
        .layer(from_fn(problem::render_problem))
        .layer(from_fn(caching::not_stored))
        // Outside of what makes answers: those of another host come as they are.
        .layer(passed_on)
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http().make_span_with(request_span))
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .merge(hooks)
        .with_state(service)
}

/// What a change that another site asked a browser for is answered.
fn refuse_cross_origin(_: ProtectionError) -> Response {
    let detail = "another site asked for this change; send it from the server's own pages";
    Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail).into_response()
}

/// The route of webhooks, which are signed.
pub(crate) const HOOKS_PATH: &str = "/hooks/{source}";

/// Every route that asks for no token; each answers `GET`.
#[cfg(test)]
pub(crate) fn open_routes() -> Vec<(&'static str, MethodRouter<Arc<Service>>)> {
    [page_routes(), probe_routes()].into_iter().flatten().collect()
}

/// What explains the API to people.
fn page_routes() -> Vec<(&'static str, MethodRouter<Arc<Service>>)> {
    vec![
        ("/problems/{code}", routing::get(problem::show_problem)),
        ("/openapi.json", routing::get(serve::show_document)),
        ("/docs", routing::get(serve::show_page)),
        ("/docs/style.css", routing::get(serve::show_style)),
    ]
}

/// What monitoring asks for. A stranger behind the same address must not make the server look ill, so
/// that these have no limit.
fn probe_routes() -> Vec<(&'static str, MethodRouter<Arc<Service>>)> {
    vec![
        ("/livez", routing::get(status::show_liveness)),
        ("/readyz", routing::get(status::show_readiness)),
        ("/healthz", routing::get(status::show_readiness)),
        ("/metrics", routing::get(status::show_metrics)),
        ("/version", routing::get(status::show_version)),
    ]
}

/// The console. Its files are the same for everyone and small, so that these have no limit either.
fn console_routes() -> Router<Arc<Service>> {
    let page = || routing::get(console::show_page);
    let mut routes = Router::new()
        .route("/", page())
        .route("/icon.svg", routing::get(console::show_icon))
        .route("/assets/{*path}", routing::get(console::show_asset));
    for area in console::AREAS {
        routes =
            routes.route(&format!("/{area}"), page()).route(&format!("/{area}/{{*rest}}"), page());
    }
    routes
}

/// Every route that asks for a token, with the role that each of its methods asks for.
pub(crate) fn build_api() -> Api {
    let small = arrival_routes()
        .merge(result_routes())
        .merge(payee_routes())
        .merge(own_routes())
        .merge(report_routes())
        .merge(access_routes())
        .merge(outgoing_routes())
        .merge(definition_routes())
        .merge(editor_routes())
        .merge(operation_routes());
    let small = small.body_limit(BODY_BYTES_MAX);
    let large = directory_routes().definitions_limit(imports::BODY_BYTES_MAX);
    // An import reads its body itself, once there is room for it.
    let imports = Api::default().route(
        "/v1/transactions",
        get(deals::list_deals).with_role(Auditor).and_methods(
            post(imports::import_transactions).with_access(Access::StaffAndSources(Admin)),
        ),
    );
    let imports =
        imports.route("/v1/reconciliation", post(reconciliation::compare_list).with_role(Auditor));
    small.merge(large).time_limit(TIMEOUT).merge(imports.time_limit(imports::TIMEOUT))
}

/// What arrived, and what could not be read or decided.
fn arrival_routes() -> Api {
    Api::default()
        .route(
            "/v1/transactions/{id}",
            get(transactions::show_transaction)
                .with_role(Auditor)
                .and_methods(delete(transactions::void_transaction).with_role(Admin)),
        )
        .route(
            "/v1/transactions/{id}/explain",
            get(transactions::explain_transaction).with_role(Auditor),
        )
        .route("/v1/transactions/{id}/case", get(transactions::show_case).with_role(Auditor))
        .route("/v1/dead-letters", get(dead_letters::list_dead_letters).with_role(Auditor))
        .route(
            "/v1/dead-letters/{sequence}/redrive",
            post(dead_letters::redrive_dead_letter).with_role(Admin),
        )
        .route("/v1/dead-letters/redrive", post(dead_letters::redrive_all).with_role(Admin))
        .route("/v1/fetches", get(fetches::list_fetches).with_role(Auditor))
        .route("/v1/fetches/retry", post(fetches::retry_fetches).with_role(Admin))
        .route("/v1/fetches/{id}/retry", post(fetches::retry_fetch).with_role(Admin))
        .route("/v1/quarantine", get(quarantine::list_quarantine).with_role(Auditor))
        .route("/v1/quarantine/verify", post(quarantine::verify_quarantine).with_role(Admin))
        .route("/v1/parked", get(parked::list_parked).with_role(Auditor))
        .route("/v1/parked/redrive", post(parked::redrive_parked).with_role(Admin))
}

/// Events for other systems.
fn outgoing_routes() -> Api {
    Api::default()
        .route("/v1/destinations", get(destinations::list_destinations).with_role(Auditor))
        .route(
            "/v1/destinations/{name}/test",
            post(destinations::test_destination).with_role(Admin),
        )
        .route("/v1/destinations/{name}/events", get(events::list_events).with_role(Auditor))
        .route("/v1/destinations/{name}/events/{id}", get(events::show_event).with_role(Auditor))
        .route(
            "/v1/destinations/{name}/events/{id}/resend",
            post(events::resend_event).with_role(Admin),
        )
        .route("/v1/destinations/{name}/resend", post(events::resend_events).with_role(Admin))
}

/// What becomes of credits: adjusted, calculated, released, frozen.
fn result_routes() -> Api {
    Api::default()
        .route(
            "/v1/credits",
            get(credits::list_credits)
                .with_role(Auditor)
                .and_methods(post(manual_credits::add_credit).with_role(Admin)),
        )
        .route("/v1/credits/manual", get(manual_credits::list_manual_credits).with_role(Auditor))
        .route("/v1/credits/{id}", get(credits::show_credit).with_role(Auditor))
        .route("/v1/credits/{id}/explain", get(credits::explain_credit).with_role(Auditor))
        .route("/v1/credits/{id}/release", post(credits::release_credit).with_role(Admin))
        .route("/v1/credits/{id}/hold", post(credits::hold_credit).with_role(Admin))
        .route(
            "/v1/credits/{id}/adjustments",
            get(adjustments::list_credit_adjustments)
                .with_role(Auditor)
                .and_methods(post(adjustments::adjust_credit).with_role(Admin)),
        )
        .route(
            "/v1/transactions/{id}/adjustments",
            get(adjustments::list_transaction_adjustments)
                .with_role(Auditor)
                .and_methods(post(adjustments::adjust_transaction).with_role(Admin)),
        )
        .route("/v1/holds/release", post(holds::release_holds).with_role(Admin))
        .route("/v1/approvals", get(approvals::list_approvals).with_role(Auditor))
        .route(
            "/v1/approvals/{id}",
            get(approvals::show_approval)
                .with_role(Auditor)
                .and_methods(delete(approvals::withdraw_request).with_role(Approver)),
        )
        .route("/v1/approvals/{id}/approve", post(approvals::approve_request).with_role(Approver))
        .route("/v1/calculations", get(calculations::list_calculations).with_role(Auditor))
        .route(
            "/v1/calculations/{plan}/{period}",
            get(calculations::show_calculation)
                .with_role(Auditor)
                .and_methods(delete(calculations::remove_release).with_role(Admin)),
        )
        .route("/v1/calculations/{plan}/{period}/run", post(runs::begin_run).with_role(Admin))
        .route(
            "/v1/calculations/{plan}/{period}/release",
            post(calculations::release_calculation).with_role(Admin),
        )
        .route(
            "/v1/rewards",
            get(rewards::list_rewards)
                .with_role(Auditor)
                .and_methods(post(manual_rewards::add_reward).with_role(Admin)),
        )
        .route("/v1/balances", get(balances::list_balances).with_role(Auditor))
        .route("/v1/statements", get(statements::list_statement_rows).with_role(Auditor))
        .route("/v1/rewards/manual", get(manual_rewards::list_manual_rewards).with_role(Auditor))
        .route("/v1/runs", get(runs::list_runs).with_role(Auditor))
        .route("/v1/runs/{id}", get(runs::show_run).with_role(Auditor))
        .route("/v1/runs/{id}/cancel", post(runs::cancel_run).with_role(Admin))
        .route("/v1/periods", get(periods::list_periods).with_role(Auditor))
        .route("/v1/periods/{id}/close", post(periods::close_period).with_role(Admin))
        .route("/v1/periods/{id}/reopen", post(periods::reopen_period).with_role(Admin))
        .route("/v1/periods/{id}/finalize", post(periods::finalize_period).with_role(Admin))
}

/// What payees see and ask, and what a person should look at.
fn payee_routes() -> Api {
    Api::default()
        // It only looks.
        .route("/v1/simulations", post(simulations::simulate_period).with_role(Auditor))
        .route("/v1/alerts", get(alerts::list_alerts).with_role(Auditor))
        .route("/v1/alerts/{id}/assign", post(alerts::assign_alert).with_role(Approver))
        .route("/v1/log", get(notes::show_log).with_role(Auditor))
        .route("/v1/payees/{id}/statements", get(payees::list_statements).with_role(Auditor))
        .route("/v1/payees/{id}/why-not", get(payees::show_why_not).with_role(Auditor))
        // Every reader may ask.
        .route(
            "/v1/payees/{id}/enquiries",
            get(payees::list_payee_enquiries)
                .with_role(Auditor)
                .and_methods(post(payees::open_enquiry).with_role(Reader)),
        )
        .route("/v1/enquiries", get(enquiries::list_enquiries).with_role(Auditor))
        .route(
            "/v1/payees/{id}/enquiries/{number}/messages",
            post(enquiries::post_payee_message).with_role(Reader),
        )
        .route("/v1/enquiries/{id}", get(enquiries::show_enquiry).with_role(Auditor))
        .route("/v1/enquiries/{id}/assign", post(enquiries::assign_enquiry).with_role(Approver))
        .route("/v1/enquiries/{id}/messages", post(enquiries::post_message).with_role(Approver))
        .route("/v1/enquiries/{id}/answer", post(enquiries::answer_enquiry).with_role(Approver))
        .route("/v1/enquiries/{id}/close", post(enquiries::close_enquiry).with_role(Approver))
}

/// What payees see of themselves.
fn own_routes() -> Api {
    let own = Access::Payees;
    Api::default()
        .route("/v1/live", get(live::show_news).with_access(Access::Everyone))
        .route("/v1/welcome", get(welcome::show_welcome).with_access(Access::Public))
        .route("/v1/me", get(profile::show_caller).with_access(Access::Everyone))
        .route("/v1/me/statements", get(lists::list_statements).with_access(own))
        .route(
            "/v1/me/statements/changes",
            get(republished::list_statement_changes).with_access(own),
        )
        .route("/v1/me/credits", get(lists::list_credits).with_access(own))
        .route("/v1/me/credits/{id}", get(own_credit::show_credit).with_access(own))
        .route("/v1/me/rewards", get(lists::list_rewards).with_access(own))
        .route("/v1/me/balances", get(lists::list_balances).with_access(own))
        .route("/v1/me/progress", get(progress::list_progress).with_access(own))
        .route("/v1/me/periods", get(lists::list_periods).with_access(own))
        .route("/v1/me/why-not", get(questions::show_why_not).with_access(own))
        // It only looks.
        .route("/v1/me/what-if", post(what_if::imagine_deal).with_access(own))
        .route(
            "/v1/me/enquiries",
            get(questions::list_enquiries)
                .with_access(own)
                .and_methods(post(questions::open_enquiry).with_access(own)),
        )
        .route("/v1/me/enquiries/{id}", get(questions::show_enquiry).with_access(own))
        .route("/v1/me/enquiries/{id}/messages", post(questions::post_message).with_access(own))
        .route("/v1/me/reports", get(profile::list_reports).with_access(own))
}

/// What managers see of those who report to them: the same handlers, which ask whose data it is.
fn report_routes() -> Api {
    let own = Access::Payees;
    Api::default()
        .route("/v1/me/reports/{payee}/statements", get(lists::list_statements).with_access(own))
        .route(
            "/v1/me/reports/{payee}/statements/changes",
            get(republished::list_statement_changes).with_access(own),
        )
        .route("/v1/me/reports/{payee}/credits", get(lists::list_credits).with_access(own))
        .route("/v1/me/reports/{payee}/rewards", get(lists::list_rewards).with_access(own))
        .route("/v1/me/reports/{payee}/balances", get(lists::list_balances).with_access(own))
        .route("/v1/me/reports/{payee}/progress", get(progress::list_progress).with_access(own))
        .route("/v1/me/reports/{payee}/periods", get(lists::list_periods).with_access(own))
        .route("/v1/me/reports/{payee}/why-not", get(questions::show_why_not).with_access(own))
        .route("/v1/me/reports/{payee}/enquiries", get(questions::list_enquiries).with_access(own))
}

/// Signing in by OpenID Connect; a build without it has no such routes.
fn provider_routes() -> Api {
    #[cfg(feature = "oidc")]
    let routes = Api::default()
        .route("/v1/session/oidc", get(oidc::begin_sign_in).with_access(Access::Public))
        .route("/v1/session/oidc/callback", get(oidc::end_sign_in).with_access(Access::Public));
    #[cfg(not(feature = "oidc"))]
    let routes = Api::default();
    routes
}

/// Who may use the API.
fn access_routes() -> Api {
    provider_routes()
        .route(
            "/v1/keys",
            get(keys::list_keys)
                .with_role(Admin)
                .and_methods(post(keys::create_key).with_role(Admin)),
        )
        .route("/v1/keys/{id}", delete(keys::revoke_key).with_role(Admin))
        .route("/v1/keys/{id}/rotate", post(keys::rotate_key).with_role(Admin))
        .route(
            "/v1/people",
            get(people::list_people)
                .with_role(Admin)
                .and_methods(post(people::add_person).with_role(Admin)),
        )
        .route("/v1/people/{id}", delete(people::remove_person).with_role(Admin))
        .route("/v1/people/{id}/invite", post(people::invite_person).with_role(Admin))
        .route("/v1/people/{id}/role", put(people::change_role).with_role(Admin))
        .route("/v1/people/{id}/disable", post(people::disable_person).with_role(Admin))
        .route("/v1/people/{id}/enable", post(people::enable_person).with_role(Admin))
        .route(
            "/v1/invitations/{token}",
            post(people::accept_invitation).with_access(Access::Public),
        )
        .route(
            "/v1/session",
            post(sessions::sign_in)
                .with_access(Access::Public)
                .and_methods(delete(sessions::sign_out).with_access(Access::Everyone)),
        )
}

/// Rules and everything else that is written in files.
fn definition_routes() -> Api {
    Api::default()
        .route("/v1/policies", get(policies::list_policies).with_role(Auditor))
        .route(
            "/v1/policies/{kind}/{name}",
            get(policies::show_policy)
                .with_role(Auditor)
                .and_methods(put(policies::replace_policy).with_role(Author)),
        )
        .route("/v1/definitions", get(files::list_files).with_role(Auditor))
        .route(
            "/v1/definitions/{*path}",
            get(files::show_file)
                .with_role(Auditor)
                .and_methods(put(files::replace_file).with_role(Author))
                .and_methods(delete(files::remove_file).with_role(Author))
                .and_methods(post(files::restore_file).with_role(Author)),
        )
        .route("/v1/rules", get(rules::list_rules).with_role(Auditor))
        .route("/v1/tags", get(rules::list_tags).with_role(Auditor))
        .route(
            "/v1/rules/{plan}/{name}",
            get(rules::show_rule)
                .with_role(Auditor)
                .and_methods(put(rules::replace_rule).with_role(Author))
                .and_methods(delete(rules::remove_rule).with_role(Author)),
        )
        .route("/v1/rules/{plan}/{name}/copy", post(rules::copy_rule).with_role(Author))
        .route("/v1/aliases", get(aliases::list_aliases).with_role(Auditor))
        .route("/v1/lineage", get(lineage::show_lineage).with_role(Auditor))
        .route("/v1/organization", get(organization::show_organization).with_role(Auditor))
        .route(
            "/v1/changes/{id}",
            get(changes::show_change)
                .with_role(Auditor)
                .and_methods(delete(changes::withdraw_change).with_role(Author)),
        )
        .route("/v1/changes/{id}/approve", post(changes::approve_change).with_role(Approver))
        .route("/v1/changes/{id}/activate", post(changes::approve_change).with_role(Approver))
        .route("/v1/rollback", post(changes::roll_back).with_role(Author))
        .route("/v1/activations", get(policies::list_activations).with_role(Auditor))
}

/// Files as they are typed in an editor.
fn editor_routes() -> Api {
    let open = Access::StaffOrDemo(Auditor);
    Api::default()
        .route("/v1/editor/check", post(findings::check_files).with_access(open))
        .route("/v1/editor/complete", post(assistance::list_items).with_access(open))
        .route("/v1/editor/hover", post(assistance::show_name).with_access(open))
        .route("/v1/editor/run", post(trials::run_deal).with_access(open))
        .route("/v1/editor/case", post(trials::write_case).with_access(open))
}

/// How the server is, and what was done.
fn operation_routes() -> Api {
    Api::default()
        .route("/v1/audit", get(audit::list_audit).with_role(Auditor))
        .route("/v1/audit/checkpoint", get(audit::show_checkpoint).with_role(Auditor))
        .route("/v1/audit/verify", get(audit::verify_audit).with_role(Auditor))
        .route("/v1/verify", get(verify::run_verification).with_role(Auditor))
        .route(
            "/v1/backups",
            get(backups::list_backups)
                .with_role(Auditor)
                .and_methods(post(backups::make_backup).with_role(Admin)),
        )
        .route("/v1/status", get(status::show_status).with_role(Auditor))
        .route("/v1/tasks/{id}", get(tasks::show_task).with_role(Auditor))
}

/// Where a whole directory may be sent.
fn directory_routes() -> Api {
    Api::default()
        .route(
            "/v1/changes",
            get(changes::list_changes)
                .with_role(Auditor)
                .and_methods(post(changes::make_change).with_role(Author)),
        )
        .route("/v1/preview", post(changes::preview_change).with_role(Auditor))
        .route(
            "/v1/shadow",
            get(shadow::show_shadow)
                .with_role(Auditor)
                .and_methods(post(shadow::start_shadow).with_role(Author))
                .and_methods(delete(shadow::stop_shadow).with_role(Author)),
        )
}
