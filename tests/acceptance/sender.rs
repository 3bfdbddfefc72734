//! A sender that costs little: one connection that is kept, requests as bytes, and of an answer what load
//! needs.
//!
//! Not for tests of one answer (`server`), which want all of it. Called by tests of load.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::{SECRET, now};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server.
pub struct Sender {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Whether it says when to come back.
    pub has_retry_after: bool,
    pub body: String,
}

impl Sender {
    /// A sender to `http://ADDRESS`.
    pub fn new(url: &str) -> Sender {
        Sender { address: url.trim_start_matches("http://").to_owned(), stream: None }
    }

    /// Posts a body. A connection that has ended since is opened again once.
    pub fn post(
        &mut self,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut request = format!("POST {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let request = [request.as_bytes(), body].concat();

        let kept = self.stream.take();
        let is_kept = kept.is_some();
        let stream = kept.map_or_else(|| self.connect(), Ok)?;
        match exchange(stream, &request) {
            Ok((answer, stream)) => {
                self.stream = Some(stream);
                Ok(answer)
            }
            Err(_) if is_kept => {
                let (answer, stream) = exchange(self.connect()?, &request)?;
                self.stream = Some(stream);
                Ok(answer)
            }
            Err(error) => Err(error),
        }
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }
}

fn exchange(
    mut stream: BufReader<TcpStream>,
    request: &[u8],
) -> io::Result<(Answer, BufReader<TcpStream>)> {
    stream.get_mut().write_all(request)?;
    let status = read_line(&mut stream)?;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status"))?;

    let (mut length, mut has_retry_after) = (0, false);
    loop {
        let line = read_line(&mut stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        has_retry_after |= name.eq_ignore_ascii_case("retry-after");
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body).map_err(io::Error::other)?;
    Ok((Answer { status, has_retry_after, body }, stream))
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

/// The headers of a delivery of the source `crm` with this id, signed now.
pub fn signed_headers(id: &str, body: &[u8]) -> Vec<(String, String)> {
    let time = now();
    let signature = accredit_standard_webhooks::sign_delivery(SECRET, id, time, body).unwrap();
    [
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The most memory that a process had resident, in MiB.
pub fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// The time within which so many parts of a thousand of these are; they are sorted for it.
pub fn within(times: &mut [Duration], share: usize) -> Duration {
    times.sort();
    times.get(times.len().saturating_sub(1) * share / 1000).copied().unwrap_or_default()
}
