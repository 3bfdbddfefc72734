//! T09 of the reliability plan: the vendors' own libraries say the same of random requests.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use accredit_standard_webhooks::StandardWebhooks;

#[path = "../../../tests/clients/agreement.rs"]
mod agreement;

/// Requests in the sample; `tests/clients/run` makes thousands.
const SAMPLE: &str = include_str!("agreement.ndjson");

#[test]
fn the_libraries_agree() {
    assert!(agreement::count_agreements(&StandardWebhooks, SAMPLE) >= 30);
}
