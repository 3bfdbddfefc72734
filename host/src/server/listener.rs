//! The accept loop: connections, their limits, their TLS and their graceful end.
//!
//! Not routing. `axum::serve` sets no timer, so it would wait for ever for the end of a person's
//! headers; this loop is the same few lines with one.
//!
//! **Architecture invariant:** nothing that a client does or leaves undone keeps the loop from accepting
//! the next one: a handshake is made by the task of its connection, and has its time.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::http::access::peers::{PeerAddress, client_address};
use crate::http::security_headers;
use crate::server::connections::{CONNECTIONS_MAX, PeerConnections};
use crate::server::metrics::Metrics;
use crate::server::peers::{self, AddressRange};
use crate::server::tls::ServerTls;

/// A client has this long for its headers.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);

/// A client has this long for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A client takes a part of an answer in this time, or its connection ends.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests in flight have this long after a stop was asked; those that are cut have no answer, and
/// their senders ask again.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1500);

/// The first byte of a handshake.
const HANDSHAKE_BYTE: u8 = 0x16;

/// What a client hears that speaks HTTP without TLS where TLS is expected.
const NOT_TLS: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 45\r\n\r\nThis port speaks TLS: write https:// instead\n";

/// Bytes of a request without TLS that are read, so that the answer arrives.
const NOT_TLS_BYTES_MAX: u64 = 64 << 10;

/// How long they are read.
const NOT_TLS_WAIT: Duration = Duration::from_secs(1);

/// Where and how clients are served.
pub(crate) struct Listening {
    /// The socket.
    pub(crate) listener: TcpListener,
    /// TLS; none for HTTP without it.
    pub(crate) tls: Option<Arc<ServerTls>>,
    /// Whose `X-Forwarded-For` counts.
    pub(crate) proxies: Arc<[AddressRange]>,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
}

/// Serves until `stop` turns true, then lets requests in flight end.
pub(crate) async fn serve(listening: Listening, app: Router, mut stop: watch::Receiver<bool>) {
    let Listening { listener, tls, proxies, metrics } = listening;
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let all = PeerConnections::default();

    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, peer, slot)) = accepted else { continue };

        let is_proxy = peers::is_trusted(&proxies, peer);
        let place = if is_proxy { None } else { all.enter(peers::network_of(peer)) };
        if !is_proxy && place.is_none() {
            metrics.network.count_refused_connection("peer");
            continue;
        }

        let app = TowerToHyperService::new(app.clone());
        let connection =
            Connection { app, peer, is_tls: tls.is_some(), proxies: Arc::clone(&proxies) };
        let (tls, watcher, metrics) = (tls.clone(), graceful.watcher(), Arc::clone(&metrics));
        let mut stopped = stop.clone();

        tokio::spawn(async move {
            metrics.network.connections.inc();
            match tls {
                None => connection.run(stream, watcher).await,
                Some(tls) => tokio::select! {
                    biased;
                    shaken = shake_hands(&tls, stream) => match shaken {
                        Some(stream) => connection.run(stream, watcher).await,
                        None => metrics.network.count_refused_connection("handshake"),
                    },
                    // Nothing was asked yet.
                    () = until_stop(&mut stopped) => (),
                },
            }
            metrics.network.connections.dec();
            drop((slot, place));
        });
    }

    // New clients are refused at once, while those that are served may finish.
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut: they did not end in time");
    }
}

async fn until_stop(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a connection needs besides its bytes.
struct Connection {
    app: TowerToHyperService<Router>,
    peer: IpAddr,
    is_tls: bool,
    proxies: Arc<[AddressRange]>,
}

impl Connection {
    /// Serves its requests until it ends.
    async fn run<S>(self, stream: S, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection { app, peer, is_tls, proxies } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            let client = client_address(peer, request.headers(), &proxies);
            request.extensions_mut().insert(PeerAddress(client));
            let answer = app.call(request);
            async move {
                let mut answer = answer.await?;
                security_headers::add_headers(answer.headers_mut(), is_tls);
                Ok::<_, Infallible>(answer)
            }
        });

        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT);
        // A client that reads nothing would hold its place, and the answers in memory, for good.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
        // A connection that breaks is the client's affair.
        let _ = watcher.watch(connection).await;
    }
}

/// The stream of a client with TLS; none where there is no handshake in time.
async fn shake_hands(tls: &ServerTls, mut stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let shaken = async {
        let mut first = [0];
        if stream.peek(&mut first).await.ok()? == 0 {
            return None;
        }
        if first != [HANDSHAKE_BYTE] {
            refuse_without_tls(&mut stream).await;
            return None;
        }
        match TlsAcceptor::from(tls.config()).accept(stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(error.cause = %error, "no handshake");
                None
            }
        }
    };
    tokio::time::timeout(HANDSHAKE_TIMEOUT, shaken).await.ok().flatten()
}

/// Tells a client without TLS what is expected here.
async fn refuse_without_tls(stream: &mut TcpStream) {
    let (read, write) = (NOT_TLS_BYTES_MAX, NOT_TLS.as_bytes());
    if stream.write_all(write).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    // A connection that is closed while the client still sends loses the answer.
    let mut sink = tokio::io::sink();
    let mut rest = stream.take(read);
    let _ = tokio::time::timeout(NOT_TLS_WAIT, tokio::io::copy(&mut rest, &mut sink)).await;
}

type AcceptedConnection = (TcpStream, IpAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<AcceptedConnection> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip().to_canonical(), slot))
        }
        Err(error) => {
            // Out of file descriptors, most likely: looking again at once would only burn time.
            tracing::warn!(error.cause = %error, "no connection accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
