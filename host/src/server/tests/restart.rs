//! What survives a restart, and what the directory may change by it: nothing.

use super::{Host, deal};

#[test]
fn the_data_file_is_the_truth() {
    let mut host = Host::start();
    host.deliver("msg_1", &deal("D-1", "100", ""));
    let credits = host.credits("D-1");
    let ruleset = host.get("/v1/status")["ruleset"].clone();
    let secret = host.running().secret("crm");
    host.stop();
    let plan = host.directory().join("plans/sellers.toml");
    std::fs::write(plan, super::PLAN.replace("Sellers", "Renamed")).unwrap();
    host.run();
    assert_eq!(host.get("/v1/status")["ruleset"], ruleset, "the directory changes nothing");
    assert_eq!(host.running().secret("crm"), secret, "the secret was kept");
    assert_eq!(host.credits("D-1"), credits);
    let again = host.deliver("msg_1", &deal("D-1", "100", ""));
    assert_eq!(again.json()["duplicate"], true, "known for ever");
    assert!(host.credits("never").is_empty(), "`transactions/` is not read");
}
