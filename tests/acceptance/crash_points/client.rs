//! A client that sends again what was not acknowledged, to a server whose program is started again when it
//! has ended at a crash point.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::acts::{Act, TODAY};
use crate::company;
use crate::server::{Server, TOKEN, comparable};

/// How long a client waits for an answer, and for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

const SHARE: &str = "policies/rollup/share.rhai";

/// The server is gone.
#[derive(Debug)]
struct Gone(String);

/// Everything that payees and administrators see in the end.
pub(super) struct Outcome {
    pub(super) credits: Vec<String>,
    /// Other lists, each with its path.
    pub(super) parts: Vec<(String, Json)>,
}

/// A client, and the server that it uses.
pub(super) struct PatientClient {
    data: PathBuf,
    workspace: PathBuf,
    server: Option<Server>,
    crashes: usize,
}

impl PatientClient {
    /// Starts a server, which ends at `point`.
    pub(super) fn start(data: &Path, workspace: &Path, point: Option<&str>) -> PatientClient {
        let mut env = vec![("ACCREDIT_BUSINESS_DATE", TODAY)];
        env.extend(point.map(|point| ("ACCREDIT_CRASH_AT", point)));
        let server = Some(Server::start_file(data, workspace, &[], &env));
        let (data, workspace) = (data.to_owned(), workspace.to_owned());
        PatientClient { data, workspace, server, crashes: 0 }
    }

    pub(super) fn crashes(&self) -> usize {
        self.crashes
    }

    /// Sends an act until it is acknowledged.
    pub(super) fn perform(&mut self, act: &Act) {
        self.until_answered(&format!("{act:?}"), |client, is_again| client.send(act, is_again));
    }

    /// Does something until the server answers.
    fn until_answered<T>(
        &mut self,
        what: &str,
        mut task: impl FnMut(&PatientClient, bool) -> Result<T, Gone>,
    ) -> T {
        let mut is_again = false;
        loop {
            match task(self, is_again) {
                Ok(done) => return done,
                Err(Gone(error)) => self.start_again(&format!("{what}: {error}")),
            }
            is_again = true;
        }
    }

    /// The program ended at its crash point, and nowhere else: it is started again without one.
    fn start_again(&mut self, what: &str) {
        let server = self.server.take().unwrap();
        let log = server.log.clone();
        let started = Instant::now();
        while !log.lock().unwrap().contains("the program ends here") {
            let log = log.lock().unwrap().clone();
            assert!(started.elapsed() < Duration::from_secs(10), "no answer to {what}: {log}");
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(server.exit_code(), -1, "{what}");
        self.crashes += 1;
        let env = [("ACCREDIT_BUSINESS_DATE", TODAY)];
        self.server = Some(Server::start_file(&self.data, &self.workspace, &[], &env));
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn ask(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String), Gone> {
        let url = format!("{}{path}", self.server().url);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        request = request.header("authorization", format!("Bearer {TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let settings = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = settings.timeout_global(Some(PATIENCE)).build().into();
        let gone = |error: ureq::Error| Gone(error.to_string());
        let mut answer = agent.run(request.body(body.to_owned()).unwrap()).map_err(gone)?;
        let text = answer.body_mut().read_to_string().map_err(gone)?;
        Ok((answer.status().as_u16(), text))
    }

    fn get(&self, path: &str) -> Result<Json, Gone> {
        let (status, text) = self.ask(("GET", path), &[], "")?;
        assert_eq!(status, 200, "{path}: {text}");
        Ok(serde_json::from_str(&text).unwrap())
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Json, Gone> {
        let (status, text) = self.ask(("POST", path), headers, body)?;
        assert!((200..=202).contains(&status), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap())
    }

    fn post_json(&self, path: &str, key: Option<&str>, body: &Json) -> Result<Json, Gone> {
        let kind = ("content-type", "application/json");
        let key = key.map(|key| ("idempotency-key", key));
        let headers: Vec<(&str, &str)> = [kind].into_iter().chain(key).collect();
        self.post(path, &headers, &body.to_string())
    }

    /// Sends an act; one that is sent again and has no id or key is looked up first.
    fn send(&self, act: &Act, is_again: bool) -> Result<(), Gone> {
        match act {
            Act::Hook(id, body) => {
                let reply = self.server().hook(id, &body.to_string()).map_err(Gone)?;
                assert_eq!(reply.status, 202, "{act:?}: {}", reply.body);
            }
            Act::Import(key, rows) => {
                let headers = [("content-type", "text/csv"), ("idempotency-key", *key)];
                self.post("/v1/transactions", &headers, rows)?;
            }
            Act::Keyed(path, key, body) => _ = self.post_json(path, Some(key), body)?,
            Act::ReleaseHold(deal, key) => {
                let path = format!("/v1/credits/{}/release", self.credit_of(deal)?);
                self.post_json(&path, Some(key), &json!({"comment": "checked"}))?;
            }
            Act::Repeatable(path, body) => _ = self.post_json(path, None, body)?,
            Act::Adjust(deal, amount) => {
                let path = format!("/v1/credits/{}/adjustments", self.credit_of(deal)?);
                let code = "Split Correction";
                let body = json!({"action": "adjust_to", "amount": amount, "reason_code": code});
                self.post_json(&path, None, &body)?;
            }
            Act::Change(percent) => self.change(*percent, is_again)?,
            Act::Draft(percent) => {
                if !is_again || self.kept_change(*percent)?.is_none() {
                    let body = change_body(*percent, json!({"draft": true}));
                    self.post_json("/v1/changes", None, &body)?;
                }
            }
            Act::Activate(percent) => {
                // One that is activated is none that is kept any more.
                let kept = self.kept_change(*percent)?;
                assert!(is_again || kept.is_some(), "{act:?}");
                if let Some(kept) = kept {
                    self.post_json(
                        &format!("/v1/changes/{}/activate", kept["id"]),
                        None,
                        &json!({}),
                    )?;
                }
            }
            Act::Settle => self.settle()?,
        }
        Ok(())
    }

    /// Ann's credit of a deal.
    fn credit_of(&self, deal: &str) -> Result<String, Gone> {
        let page = self.get(&format!("/v1/credits?transaction={deal}&payee=ann"))?;
        Ok(page["data"][0]["id"].as_str().unwrap().to_owned())
    }

    fn change(&self, percent: u32, is_again: bool) -> Result<(), Gone> {
        if is_again {
            let (_, text) = self.ask(("GET", "/v1/policies/rollup/share"), &[], "")?;
            if text == company::rollup(percent) {
                return Ok(());
            }
        }
        self.post_json("/v1/changes", None, &change_body(percent, json!({})))?;
        Ok(())
    }

    /// The kept change with this share.
    fn kept_change(&self, percent: u32) -> Result<Option<Json>, Gone> {
        let comment = format!("a share of {percent}");
        let kept = self.get("/v1/changes")?;
        let kept = kept["data"].as_array().unwrap().iter();
        let mut kept = kept.filter(|one| one["why"] == comment && one["id"].is_u64());
        Ok(kept.next().cloned())
    }

    /// Waits until what was received is decided, and what an activation asked for, and the day is begun.
    fn settle(&self) -> Result<(), Gone> {
        let started = Instant::now();
        loop {
            let status = self.get("/v1/status")?;
            if status["pending"] == 0
                && status["recredit"].is_null()
                && self.get("/v1/calculations")?["progress"]["last_run"] == TODAY
            {
                return Ok(());
            }
            assert!(started.elapsed() < PATIENCE, "not decided: {status}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What there is when everything is decided.
    pub(super) fn finish(&mut self) -> Outcome {
        self.until_answered("the end", |client, _| client.outcome())
    }

    fn outcome(&self) -> Result<Outcome, Gone> {
        self.settle()?;
        let credits = self.get("/v1/credits?limit=1000")?;
        let credits = comparable(credits["data"].as_array().unwrap());
        let payees = ["ann", "bob", "max", "dee"];
        let paths = payees.iter().map(|payee| format!("/v1/payees/{payee}/statements"));
        let lists =
            ["calculations", "rewards?plan=reps", "balances?plan=reps", "periods", "alerts"];
        let lists = lists.iter().chain(&["credits/manual", "rewards/manual", "dead-letters"]);
        let paths = paths.chain(lists.map(|list| format!("/v1/{list}")));
        let mut parts = Vec::new();
        for path in paths {
            let mut list = self.get(&path)?["data"].clone();
            strip(&mut list);
            parts.push((path, list));
        }
        parts.push(("trail".to_owned(), self.trail()?));
        Ok(Outcome { credits, parts })
    }

    /// What the audit trail says was done, in order. A run that was cut off is begun again, and the end of
    /// what an activation asked for is noted while other acts go on.
    fn trail(&self) -> Result<Json, Gone> {
        let rows = self.get("/v1/audit?limit=1000")?;
        let rows = rows["data"].as_array().unwrap().iter().map(|row| row["what"].clone());
        let is_late = |what: &Json| what == "recredited";
        let (late, mut acts): (Vec<Json>, Vec<Json>) = rows.partition(is_late);
        acts.retain(|what| what != "run_begun");
        acts.extend(late);
        Ok(Json::Array(acts))
    }

    /// Stops the server.
    pub(super) fn stop(mut self) {
        assert_eq!(self.server.take().unwrap().stop(), 0);
    }
}

fn change_body(percent: u32, more: Json) -> Json {
    let mut body = json!({
        "files": {SHARE: company::rollup(percent)}, "effective": "recredit",
        "comment": format!("a share of {percent}"),
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Takes away what is of the moment of a commit, and how many commits there were: two deals that are decided
/// in one are one revision.
fn strip(value: &mut Json) {
    match value {
        Json::Object(members) => {
            members
                .retain(|name, _| !["ruleset", "at", "at_ms", "revision"].contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => (),
    }
}
