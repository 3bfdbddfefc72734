//! Requests that the host which decides has to answer, passed on to it by another host.
//!
//! Not webhooks, which every host takes. A host that follows answers itself what only reads recorded data,
//! for callers with a token or a key; everything else (changes, sessions, tasks, news) is of the one process
//! that decides, and so is passed on as it came.
//!
//! **Architecture invariant:** a request is passed on once: a host that gets one and does not decide either
//! refuses it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Method, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::http::access::peers::{FORWARDED_FOR, PeerAddress};
use crate::http::intake::imports;
use crate::http::problem::{self, Problem};
use crate::http::request_id::REQUEST_ID;
use crate::server::host_role::HostRole;
use crate::server::state::Service;

/// How long the other host may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long it may take to answer a request: longer than it gives itself for any.
const ANSWER_TIMEOUT: Duration = imports::TIMEOUT.saturating_add(Duration::from_secs(30));

/// Marks a request that was passed on.
const PASSED_ON: HeaderName = HeaderName::from_static("x-accredit-passed-on");

/// What every host answers, by the beginning of the path: recorded data.
const RECORDED: [&str; 11] = [
    "/v1/balances",
    "/v1/calculations",
    "/v1/credits",
    "/v1/definitions",
    "/v1/notes",
    "/v1/organization",
    "/v1/payees",
    "/v1/policies",
    "/v1/rewards",
    "/v1/statements",
    "/v1/transactions",
];

/// Headers of one connection, which mean nothing on another.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE];

/// Answers a request here, or passes it on.
pub(crate) async fn pass_on(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(address) = service.role.decider_address() else { return next.run(request).await };
    if is_answered_here(&request) {
        return next.run(request).await;
    }
    let id = request.headers().get(&REQUEST_ID).cloned();
    let passed = match request.headers().contains_key(PASSED_ON) {
        true => Err(no_decider("it passed the request on to this one")),
        false => send_on(&service.role, &address, request).await,
    };
    passed.unwrap_or_else(|refusal| problem::as_problem(refusal.into_response(), id.as_ref()))
}

fn is_answered_here(request: &Request) -> bool {
    let path = request.uri().path();
    if !path.starts_with("/v1/") {
        return true;
    }
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let has_session = request.headers().contains_key(header::COOKIE);
    let is_recorded = RECORDED.iter().any(|begin| {
        path.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    is_reading && !has_session && is_recorded
}

fn no_decider(why: &str) -> Problem {
    Problem::unavailable(format!("the host that decides cannot be asked ({why}); try again"))
}

/// The request was sent, and its answer is not known.
fn no_answer(why: &str) -> Problem {
    Problem::unavailable(format!(
        "the host that decides was asked and has not answered ({why}); the request may have been carried \
         out: look before you try again"
    ))
}

async fn send_on(role: &HostRole, address: &str, request: Request) -> Result<Response, Problem> {
    let unreachable = |error: &dyn std::fmt::Display| no_decider(&error.to_string());
    if address.is_empty() {
        return Err(no_decider("another host is about to take over"));
    }
    let place: Uri = address.parse().map_err(|_| no_decider("its address is not understood"))?;
    let host = place.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = place.port_u16().unwrap_or(80);

    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await;
    let stream = stream.map_err(|_| no_decider("it does not answer"))?;
    let stream = stream.map_err(|error| unreachable(&error))?;
    // An answer must not wait for the next packet.
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) =
        http1::handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|e| unreachable(&e))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error.cause = %error, "a connection to the host that decides ended");
        }
    });

    let answer = tokio::select! {
        answer = sender.send_request(rewritten(request)) => answer,
        () = role.decider_changes(address) => return Err(no_answer("it decides no longer")),
        () = tokio::time::sleep(ANSWER_TIMEOUT) => return Err(no_answer("it takes too long")),
    };
    let mut answer = answer.map_err(|error| no_answer(&error.to_string()))?.map(Body::new);
    for name in HOP_BY_HOP {
        answer.headers_mut().remove(name);
    }
    Ok(answer)
}

/// The request as the other host gets it: whose it is stays to be seen.
fn rewritten(mut request: Request) -> Request {
    let PeerAddress(client) = PeerAddress::of(request.extensions());
    let path = request.uri().path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.insert(PASSED_ON, HeaderValue::from_static("1"));
    if let Ok(client) = HeaderValue::from_str(&client.to_string()) {
        headers.append(FORWARDED_FOR, client);
    }
    request
}
