//! What survives a restart, and what the directory may change by it: nothing.

use super::{Host, deal};

#[test]
fn the_data_file_is_the_truth() {
    let mut host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    let credits = host.credits("D-1");
    let ruleset = host.get("/v1/status")["ruleset"].clone();
    let secret_of = |host: &Host| {
        let secret = host.running().first_secret("crm");
        secret.map(|secret| secrecy::ExposeSecret::expose_secret(&secret).to_owned())
    };
    let secret = secret_of(&host);
    host.stop();
    let plan = host.directory().join("plans/sellers.toml");
    std::fs::write(plan, super::PLAN.replace("Sellers", "Renamed")).unwrap();
    host.run();
    assert_eq!(host.get("/v1/status")["ruleset"], ruleset, "the directory changes nothing");
    assert_eq!(secret_of(&host), secret, "the secret was kept");
    assert_eq!(host.credits("D-1"), credits);
    let again = host.deliver("msg_1", &deal("D-1", "100", ""));
    assert_eq!(again.json()["duplicate"], true, "known for ever");
    assert!(host.credits("never").is_empty(), "`transactions/` is not read");
}

#[test]
fn a_hold_ends_by_the_business_date() {
    let mut host = Host::start();
    host.deliver("msg_1", &deal("M-1", "100", ",\"hold\":\"month\""));
    let held = host.credits("M-1")[0].clone();
    assert_eq!((&held["status"], &held["release_date"]), (&"held".into(), &"2026-02-10".into()));
    host.stop();
    host.date = jiff::civil::date(2026, 2, 10);
    host.run();
    let started = std::time::Instant::now();
    while host.credits("M-1")[0]["status"] == "held" {
        assert!(started.elapsed().as_secs() < 20, "due, but held");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let path = format!("/v1/credits/{}/release", held["id"].as_str().unwrap());
    let again = host.api("POST", &path, &[], "");
    assert_eq!((again.status, &again.json()["status"]), (200, &"active".into()));
}
