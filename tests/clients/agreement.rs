//! Whether a connector agrees with the vendors' own libraries about which requests are authentic.
//!
//! Not a test itself: `tests/agreement.rs` of each connector includes it. The requests come from
//! `tests/clients/run`, which writes as many as are wanted, or from the sample beside the test.

use std::collections::BTreeMap;
use std::fs;

use accredit_seams::connector::{Connector, SentRequest, SettingValue, SourceSettings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A file of requests to use instead of the sample.
const VECTORS: &str = "ACCREDIT_CLIENT_VECTORS";

/// Compares the verdicts on every request of this connector; how many there were.
pub(crate) fn count_agreements(connector: &dyn Connector, sample: &str) -> usize {
    let given = std::env::var(VECTORS).ok();
    let lines = given.as_ref().map(|path| fs::read_to_string(path).unwrap());
    let lines = lines.as_deref().unwrap_or(sample);

    let (mut compared, mut disagreements) = (0, Vec::new());
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        if text(&vector, "connector") != connector.name() {
            continue;
        }
        let expected = expected_verdict(&vector);
        for verdict in connector_verdicts(connector, &vector) {
            if verdict != expected {
                disagreements.push(format!("accepted: {verdict}: {line}"));
            }
        }
        compared += 1;
        *verdicts.entry(verdict_name(&vector)).or_default() += 1;
    }

    println!("{}: {compared} requests, {} disagreements", connector.name(), disagreements.len());
    verdicts.iter().for_each(|(name, count)| println!("{count:>7} {name}"));
    let first = disagreements.first();
    assert!(first.is_none(), "{} disagreements, the first: {first:?}", disagreements.len());
    compared
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap()
}

/// What the library says, except where it is known to be laxer or stricter than the documentation.
fn expected_verdict(vector: &Value) -> bool {
    let valid = vector["valid"].as_bool().unwrap();
    (valid && vector["lax"].is_null()) || vector["strict"].is_string()
}

fn verdict_name(vector: &Value) -> String {
    let verdict = if vector["valid"].as_bool().unwrap() { "accepted" } else { "refused" };
    let known = match (vector["lax"].as_str(), vector["strict"].as_str()) {
        (Some(reason), _) => format!(", refused here: {reason}"),
        (None, Some(reason)) => format!(", accepted here: {reason}"),
        (None, None) => String::new(),
    };
    format!("{verdict} by {}{known}", text(vector, "client"))
}

/// What the connector says, with the query in the settings and with the query in the request.
fn connector_verdicts(connector: &dyn Connector, vector: &Value) -> Vec<bool> {
    let headers = vector["headers"].as_array().unwrap();
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap().as_bytes()))
        .collect();
    let body = STANDARD.decode(text(vector, "body_base64")).unwrap();
    let url = text(vector, "url");
    let (bare, query) = url.split_once('?').unwrap_or((url, ""));
    let legacy = SettingValue::Flag(vector["legacy"].as_bool().unwrap_or(false));

    let request = SentRequest {
        method: text(vector, "method"),
        query,
        headers: &headers,
        body: &body,
        received_ms: vector["received_ms"].as_i64().unwrap(),
    };
    let verdict = |url: &str| {
        let values = BTreeMap::from([("legacy_signatures".to_owned(), legacy.clone())]);
        let settings = SourceSettings { url: Some(url.to_owned()), values };
        connector.verify_request(&request, &settings, &[text(vector, "secret")]).is_ok()
    };
    vec![verdict(url), verdict(bare)]
}
