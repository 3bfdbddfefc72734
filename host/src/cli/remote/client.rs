//! A client of a server: what the command line asks of one.
//!
//! Not the server. Called by every verb that talks to one, and by `demo`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use ureq::tls::{RootCerts, TlsConfig};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks for an answer that takes longer.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A server's address and token.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    token: SecretString,
}

impl Client {
    /// A client of the server at `url`, whose certificate one of `roots` has signed.
    pub(crate) fn new(url: &str, token: SecretString, roots: RootCerts) -> Client {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let config = config.user_agent(concat!("accredit/", env!("CARGO_PKG_VERSION")));
        let config = config.max_idle_connections_per_host(64).timeout_global(Some(TIMEOUT));
        let config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        let url = url.trim_end_matches('/').to_owned();
        Client { agent: config.build().new_agent(), url, token }
    }

    fn authorization_header(&self) -> String {
        format!("Bearer {}", self.token.expose_secret())
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn get(&self, path: &str) -> Result<Json, String> {
        let request = self.agent.get(format!("{}{path}", self.url));
        self.await_answer(request.header("authorization", self.authorization_header()).call())
    }

    /// Reads `path` as text.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn get_text(&self, path: &str) -> Result<String, String> {
        let request = self.agent.get(format!("{}{path}", self.url));
        read_body(request.header("authorization", self.authorization_header()).call())
    }

    /// Opens `path` to read it as it comes, however large it is, in a format.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn open_stream(
        &self,
        path: &str,
        media_type: &str,
    ) -> Result<impl std::io::Read + use<>, String> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("authorization", self.authorization_header());
        let request = request.header("accept", media_type);
        // A long list takes longer than other answers.
        let request = request.config().timeout_global(None).build();
        let reply = request.call().map_err(|error| unreachable_message(&error))?;
        if reply.status().is_success() {
            return Ok(reply.into_body().into_reader());
        }
        Err(read_body(Ok(reply)).err().unwrap_or_default())
    }

    /// Posts JSON to `path`.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Result<Json, String> {
        self.post_once(path, body, None)
    }

    /// Posts JSON to `path` under a key, so that a repeated request is kept once.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn post_once(
        &self,
        path: &str,
        body: &Json,
        key: Option<&str>,
    ) -> Result<Json, String> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let mut request = request.header("authorization", self.authorization_header());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.await_answer(request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Puts JSON to `path`.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn put(&self, path: &str, body: &Json) -> Result<Json, String> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let request = request.header("authorization", self.authorization_header());
        self.await_answer(request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Posts the bytes of a file to `path`.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn post_file(
        &self,
        path: &str,
        (media_type, is_packed): (&str, bool),
        body: &[u8],
    ) -> Result<Json, String> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request.header("authorization", self.authorization_header());
        let mut request = request.header("content-type", media_type);
        if is_packed {
            request = request.header("content-encoding", "gzip");
        }
        self.await_answer(request.send(body))
    }

    /// Deletes what is at `path`; the body says why.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn delete(&self, path: &str, body: &Json) -> Result<Json, String> {
        let request = self.agent.delete(format!("{}{path}", self.url)).force_send_body();
        let request = request.header("authorization", self.authorization_header());
        self.await_answer(request.header("content-type", "application/json").send(body.to_string()))
    }

    /// The answer; if it is not ready in time, it is polled.
    fn await_answer(&self, reply: Reply) -> Result<Json, String> {
        let place = reply.as_ref().ok().filter(|reply| reply.status() == 202);
        let place = place.and_then(|reply| reply.headers().get("location")?.to_str().ok());
        let place = place.filter(|place| place.starts_with("/v1/tasks/")).map(str::to_owned);

        // Only now: reading the answer uses the reply up.
        let first = parse_answer(reply)?;
        let Some(place) = place else { return Ok(first) };

        loop {
            std::thread::sleep(POLL_INTERVAL);

            let task = self.get(&place)?;
            match task.get("state").and_then(Json::as_str) {
                Some("running") => (),
                Some("done") => return Ok(task.get("answer").cloned().unwrap_or_default()),
                _ => {
                    let problem = task.get("answer").cloned().unwrap_or_default();
                    return Err(problem_message(&problem, "the server failed"));
                }
            }
        }
    }

    /// Every row of a list, over all pages; `path` has a query.
    ///
    /// # Errors
    /// The server's error message, or the reason why there is no answer.
    pub(crate) fn get_all(&self, path: &str) -> Result<Vec<Json>, String> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{cursor}"))?;
            rows.extend(page.get("data").and_then(Json::as_array).into_iter().flatten().cloned());
            match page.get("next_cursor").and_then(Json::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(rows),
            }
        }
    }

    /// Sends a signed delivery.
    ///
    /// # Errors
    /// When it was not acknowledged.
    pub(crate) fn send_delivery(
        &self,
        source: &str,
        id: &str,
        secret: &str,
        body: &str,
    ) -> Result<(), String> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let signature =
            accredit_standard_webhooks::sign_delivery(secret, id, time, body.as_bytes());
        let signature = signature.map_err(|error| error.to_string())?;

        let request = self.agent.post(format!("{}/hooks/{source}", self.url));
        let request =
            request.header("webhook-id", id).header("webhook-timestamp", time.to_string());
        let request = request.header("webhook-signature", signature);
        parse_answer(request.header("content-type", "application/json").send(body)).map(|_| ())
    }
}

fn parse_answer(reply: Reply) -> Result<Json, String> {
    read_body(reply).map(|text| serde_json::from_str(&text).unwrap_or_default())
}

/// What came back, or why nothing did.
type Reply = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn read_body(reply: Reply) -> Result<String, String> {
    let mut reply = reply.map_err(|error| unreachable_message(&error))?;
    let text = reply.body_mut().with_config().limit(1 << 28).read_to_string();
    let text = text.map_err(|error| error.to_string())?;
    if reply.status().is_success() {
        return Ok(text);
    }

    let json: Json = serde_json::from_str(&text).unwrap_or_default();
    Err(problem_message(&json, &format!("the server answered {}", reply.status())))
}

/// Why there is no answer, and what to do about a certificate of an unknown authority.
fn unreachable_message(error: &ureq::Error) -> String {
    let text = error.to_string();
    match text.contains("certificate") {
        true => format!(
            "{text}: the server's certificate is not trusted; name the file of the authority that \
             signed it with --ca-file or ACCREDIT_CA_FILE"
        ),
        false => text,
    }
}

/// What a problem says.
fn problem_message(json: &Json, otherwise: &str) -> String {
    let detail = json.get("detail").and_then(Json::as_str);
    let mut said = detail.unwrap_or(otherwise).to_owned();
    for error in json.get("errors").and_then(Json::as_array).into_iter().flatten() {
        let of = |key: &str| error.get(key).and_then(Json::as_str).unwrap_or_default();
        let number = |key: &str| error.get(key).and_then(Json::as_u64).unwrap_or_default();
        if error.get("file").is_some() {
            let (line, column) = (number("line"), number("column"));
            let (file, code, message) = (of("file"), of("code"), of("message"));
            said.push_str(&format!("\n{file}:{line}:{column}: {code} {message}"));
        }
    }
    said
}
