//! Tokens and secrets that change while the server runs.

use std::fs;
use std::time::{Duration, Instant};

use super::Host;
use crate::server::credentials::CredentialSources;

const OLD: &str = "old-token-0123456789";
const NEW: &str = "new-token-0123456789";
const KEYS: [&str; 2] =
    ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];

fn status(host: &Host, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    host.call("GET", "/v1/status", &[("authorization", &bearer)], b"").status
}

fn delivered(host: &Host, id: &str, key: &str) -> u16 {
    let now_s = crate::server::clock::HostClock::default().now_ms() / 1000;
    let body = super::deal(id, "1", "");
    let signed =
        accredit_standard_webhooks::sign_delivery(key, id, now_s, body.as_bytes()).unwrap();
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", &now_s.to_string()),
        ("webhook-signature", &signed),
    ];
    host.call("POST", "/hooks/crm", &headers, body.as_bytes()).status
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A token could only be changed by a restart. Its file is read again when it changes; what cannot be
/// used leaves the old one in force.
#[test]
fn files_of_tokens_and_secrets_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let (token, crm) = (folder.path().join("token"), folder.path().join("crm"));
    fs::write(&token, OLD).unwrap();
    fs::write(&crm, KEYS[0]).unwrap();
    let files = [("ACCREDIT_TOKEN_FILE", &token), ("ACCREDIT_SECRET_CRM_FILE", &crm)];
    let files = files.map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned()));
    let host = Host::start_with(move |config| {
        config.sources = CredentialSources::from_variables(files.clone());
        config.credentials = config.sources.read().unwrap();
    });
    assert_eq!((status(&host, OLD), status(&host, NEW)), (200, 401));
    assert_eq!((delivered(&host, "a", KEYS[0]), delivered(&host, "b", KEYS[1])), (202, 401));

    fs::write(&token, "short").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(status(&host, OLD), 200, "a short token changes nothing");

    fs::write(&token, NEW).unwrap();
    wait("the new token counts", || status(&host, NEW) == 200);
    assert_eq!(status(&host, OLD), 401);

    // Both while rotating, then the new one alone.
    fs::write(&crm, KEYS.join("\n")).unwrap();
    wait("both secrets count", || delivered(&host, "c", KEYS[1]) == 202);
    assert_eq!(delivered(&host, "d", KEYS[0]), 202);
    fs::write(&crm, KEYS[1]).unwrap();
    wait("the old secret is out", || delivered(&host, "e", KEYS[0]) == 401);
}
