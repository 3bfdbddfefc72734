//! What a running server says of itself.

use serde_json::Value as Json;

use super::Finding;
use crate::cli::remote::address::ServerAccess;

/// A delivery that waits longer is worth a warning, in seconds.
const UNDECIDED_SECONDS_MAX: u64 = 60;

/// Asks the server at `url`.
pub(super) fn check_server(url: &str, access: &ServerAccess) -> Vec<Finding> {
    let client = match access.make_client(url) {
        Ok(client) => client,
        Err(error) => return vec![Finding::error("server", error)],
    };

    let mut findings = vec![match client.get("/readyz") {
        Ok(_) => Finding::ok("server", format!("{url} is ready")),
        Err(error) => Finding::error("server", format!("{url}: {error}")),
    }];

    match client.get("/v1/status") {
        Ok(status) => findings.extend(check_status(&status)),
        Err(error) => {
            let found = format!("{error}; give a token of the role reader with `--token-file`");
            findings.push(Finding::error("status", found));
            return findings;
        }
    }

    findings.push(match client.get("/v1/audit/verify") {
        Ok(_) => Finding::ok("audit trail", "every row follows from the one before"),
        Err(error) => Finding::error("audit trail", error),
    });
    findings.extend(check_destinations(client.get("/v1/destinations")));
    findings
}

/// Counts that should be zero, or small.
fn check_status(status: &Json) -> Vec<Finding> {
    let number = |key: &str| status.get(key).and_then(Json::as_u64).unwrap_or_default();
    let mut findings = Vec::new();

    let waited = number("oldest_undecided_seconds");
    findings.push(if waited > UNDECIDED_SECONDS_MAX {
        Finding::error("deliveries", format!("the oldest has waited for {waited} s: see the log"))
    } else {
        Finding::ok("deliveries", format!("{} wait", number("pending")))
    });

    for (key, check, what_to_do) in [
        ("dead_letters", "dead letters", "`GET /v1/dead-letters` says why; mend what it names"),
        ("parked", "parked deals", "`GET /v1/parked` says why; mend rules or deals"),
    ] {
        let count = number(key);
        findings.push(match count {
            0 => Finding::ok(check, "none"),
            count => Finding::warning(check, format!("{count}: {what_to_do}")),
        });
    }

    if let Some(certificate) = status.get("certificate").filter(|one| one.is_object()) {
        let text = |key: &str| certificate.get(key).and_then(Json::as_str);
        findings.push(match (text("fault"), text("ends_at")) {
            (Some(fault), _) => Finding::error("certificate", fault),
            (None, ends_at) => {
                Finding::ok("certificate", format!("it ends at {}", ends_at.unwrap_or_default()))
            }
        });
    }
    let quarantine = status.get("quarantine").and_then(Json::as_array).into_iter().flatten();
    let quarantined: u64 =
        quarantine.filter_map(|source| source.get("requests").and_then(Json::as_u64)).sum();
    if quarantined > 0 {
        let found = format!("{quarantined} requests: mend the secret, then verify them again");
        findings.push(Finding::warning("quarantine", found));
    }

    let faults = status.get("faults").and_then(Json::as_array).into_iter().flatten();
    findings.extend(faults.map(|fault| {
        let text = |key: &str| fault.get(key).and_then(Json::as_str).unwrap_or_default();
        Finding::error("faults", format!("{}: {}", text("part"), text("reason")))
    }));
    findings
}

/// Destinations of events that cannot be told.
fn check_destinations(answer: Result<Json, String>) -> Vec<Finding> {
    let list = match answer {
        Ok(list) => list,
        Err(error) => return vec![Finding::warning("destinations", error)],
    };

    let rows = list.get("data").and_then(Json::as_array).into_iter().flatten();
    let findings = rows.filter_map(|row| {
        let name = row.get("name").and_then(Json::as_str).unwrap_or_default();
        let needs = row.get("needs").and_then(Json::as_str);
        let dead = row.get("dead").and_then(Json::as_u64).unwrap_or_default();
        match (needs, dead) {
            (Some(needs), _) => Some(Finding::warning("destinations", format!("{name}: {needs}"))),
            (None, 0) => None,
            (None, dead) => {
                let found = format!("{name}: {dead} dead events; `accredit events resend {name}`");
                Some(Finding::warning("destinations", found))
            }
        }
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Severity;
    use super::*;

    #[test]
    fn what_waits_for_a_person_is_found() {
        let status = json!({
            "pending": 3, "oldest_undecided_seconds": null, "dead_letters": 0, "parked": 2,
            "faults": [{"part": "store", "reason": "the disk is full", "seconds": 3}],
        });
        let found = check_status(&status);
        let severities: Vec<Severity> = found.iter().map(|one| one.severity).collect();
        assert_eq!(severities, [Severity::Ok, Severity::Ok, Severity::Warning, Severity::Error]);

        let late = json!({ "oldest_undecided_seconds": 61 });
        assert_eq!(check_status(&late)[0].severity, Severity::Error);

        let list = json!({ "data": [
            { "name": "a", "needs": "set `X`", "dead": 0 },
            { "name": "b", "needs": null, "dead": 0 },
            { "name": "c", "needs": null, "dead": 4 },
        ] });
        let found = check_destinations(Ok(list));
        assert_eq!(found.len(), 2);
        assert!(found[0].found.starts_with("a: set"));
        assert!(found[1].found.starts_with("c: 4"));
    }
}
