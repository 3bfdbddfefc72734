//! Senders at full load: connections that are kept, requests that were written and signed before the clock
//! starts. The same for both sides.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The secret of the source `crm`.
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What a round of requests found.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// Answers a second.
    pub rate: f64,
    /// The median of the times from request to answer, in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile of the same.
    pub p99_ms: f64,
    /// Processor time of the server for each answer, in microseconds; what it does behind the answers counts.
    pub cpu_us: f64,
    /// Answers that were no 202.
    pub failed: usize,
}

/// Requests with deliveries of their own, as bytes of HTTP; `name` makes their ids unlike all others.
pub fn write_requests(name: &str, count: usize) -> Vec<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    (0..count).map(|number| write_request(&format!("{name}_{number}"), now)).collect()
}

fn write_request(id: &str, seconds: i64) -> Vec<u8> {
    let body = format!(r#"{{"id":"D{id}","date":"2026-03-15","amount":"120.50","owner":"Ann"}}"#);
    let signature =
        accredit_standard_webhooks::sign_delivery(SECRET, id, seconds, body.as_bytes()).unwrap();
    let head = format!(
        "POST /hooks/crm HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nwebhook-id: {id}\r\n\
         webhook-timestamp: {seconds}\r\nwebhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + body.as_str()).into_bytes()
}

/// Sends all requests over `clients` connections, each with one request under way at a time.
pub fn send_all(address: SocketAddr, clients: usize, requests: Vec<Vec<u8>>) -> Round {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let senders = tokio::task::LocalSet::new();
    senders.block_on(&runtime, async {
        let mut streams = Vec::with_capacity(clients);
        for _ in 0..clients {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            streams.push(stream);
        }

        let queue = Rc::new(Queue { requests, next: Cell::new(0) });
        let start = Instant::now();
        let senders: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::task::spawn_local(send(stream, Rc::clone(&queue))))
            .collect();

        let mut all = Sent::default();
        for sender in senders {
            let sent = sender.await.unwrap();
            all.times.extend(sent.times);
            all.failed += sent.failed;
        }
        all.summarize(start.elapsed())
    })
}

/// Requests that wait for a connection.
struct Queue {
    requests: Vec<Vec<u8>>,
    next: Cell<usize>,
}

impl Queue {
    fn take(&self) -> Option<&[u8]> {
        let place = self.next.replace(self.next.get() + 1);
        self.requests.get(place).map(Vec::as_slice)
    }
}

/// What connections have seen.
#[derive(Default)]
struct Sent {
    times: Vec<Duration>,
    failed: usize,
}

impl Sent {
    fn summarize(mut self, took: Duration) -> Round {
        self.times.sort();
        let at = |share: f64| {
            let place = (self.times.len() as f64 * share) as usize;
            self.times[place.min(self.times.len() - 1)].as_secs_f64() * 1000.0
        };
        Round {
            rate: self.times.len() as f64 / took.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_us: 0.0,
            failed: self.failed,
        }
    }
}

async fn send(mut stream: TcpStream, queue: Rc<Queue>) -> Sent {
    let mut sent = Sent::default();
    let mut buffer = Vec::with_capacity(1024);
    while let Some(request) = queue.take() {
        let start = Instant::now();
        stream.write_all(request).await.unwrap();
        let is_taken = read_answer(&mut stream, &mut buffer).await;
        sent.times.push(start.elapsed());
        sent.failed += usize::from(!is_taken);
    }
    sent
}

/// Reads one answer to its end; whether it is a 202.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    loop {
        let count = stream.read_buf(buffer).await.unwrap();
        assert_ne!(count, 0, "the server closed a connection");
        if let Some(length) = answer_length(buffer) {
            if buffer.len() >= length {
                assert_eq!(buffer.len(), length, "more than one answer came");
                return buffer.starts_with(b"HTTP/1.1 202");
            }
        }
    }
}

/// How long an answer is, once its head is there.
fn answer_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).unwrap();
    let lengths = text.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let body: usize = lengths.next().map_or(0, |(_, length)| length.trim().parse().unwrap());
    Some(head + body)
}
