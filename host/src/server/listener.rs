//! The accept loop: connections, their limits and their graceful end.
//!
//! Not routing. `axum::serve` sets no timer, so it would wait for ever for the end of a person's
//! headers; this loop is the same few lines with one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::http::access::peers::PeerAddress;

/// Connections at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 1024;

/// A client has this long for its headers.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests in flight have this long after a stop was asked; those that are cut have no answer, and
/// their senders ask again.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1500);

/// Serves until `stop` turns true, then lets requests in flight end.
pub(crate) async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();

    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &slots) => accepted,
        };

        let Some((stream, peer, slot)) = accepted else { continue };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT);

        let app = TowerToHyperService::new(app.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddress(peer));
            app.call(request)
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));

        tokio::spawn(async move {
            // A connection that breaks is the client's affair.
            let _ = connection.await;
            drop(slot);
        });
    }

    // New clients are refused at once, while those that are served may finish.
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut: they did not end in time");
    }
}

type AcceptedConnection = (tokio::net::TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<AcceptedConnection> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip(), slot))
        }
        Err(error) => {
            // Out of file descriptors, most likely: looking again at once would only burn time.
            tracing::warn!(error.cause = %error, "no connection accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
