//! A statement that is published again says what it said before: credits and rewards that came, went and
//! changed; nothing of what is decided and not published.

use serde_json::{Value, json};

use super::Host;

const REWARD: &str = r#"
[[reward]]
name = "Commission"
tiers = [{ rate = "10%" }]
"#;

fn send(host: &Host, message: &str, id: &str, amount: u32, owner: &str, clock: u32) {
    let row = json!({
        "id": id, "closed": "2026-01-10", "amount": amount, "owner": owner, "updated": clock,
    });
    assert_eq!(host.deliver(message, &row.to_string()).status, 202);
    host.drained();
}

fn release(host: &Host, what: &str) {
    let body = json!({ "what": what, "force": true, "reason": "a test" }).to_string();
    let released = host.api("POST", "/v1/calculations/sellers/2026-01/release", &[], &body);
    assert_eq!(released.status, 200, "{}", released.text);
}

/// A payee saw that a sum was another one, and not which deal had changed it.
#[test]
fn a_statement_says_what_differs_from_the_one_before() {
    let host = Host::start_with(|config| {
        let plan = config.workspace.clone().unwrap().join("plans/sellers.toml");
        let known = std::fs::read_to_string(&plan).unwrap();
        if !known.contains("Commission") {
            std::fs::write(&plan, format!("{known}{REWARD}")).unwrap();
        }
    });
    let wanted = json!({ "name": "ann", "role": "payee", "participant": "ann" });
    let made = host.api("POST", "/v1/keys", &[], &wanted.to_string()).json();
    let bearer = format!("Bearer {}", made["key"].as_str().unwrap());
    let changes = |query: &str| {
        let path = format!("/v1/me/statements/changes{query}");
        let reply = host.call("GET", &path, &[("authorization", &bearer)], b"");
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["data"].as_array().unwrap().clone()
    };

    send(&host, "m1", "D-1", 100, "ann", 1);
    send(&host, "m2", "D-2", 50, "ann", 1);
    send(&host, "m3", "D-3", 7, "ann", 1);
    release(&host, "credits");
    assert_eq!(changes(""), Vec::<Value>::new());

    // One deal is another amount, one is another's, one is new.
    send(&host, "m4", "D-1", 120, "ann", 2);
    send(&host, "m5", "D-2", 50, "bob", 2);
    send(&host, "m6", "D-4", 10, "ann", 1);
    assert_eq!(changes(""), Vec::<Value>::new(), "it is not published");
    release(&host, "credits");

    let found = changes("?plan=sellers&period=2026-01");
    let one = &found[0];
    assert_eq!((found.len(), &one["status_before"]), (1, &json!("pending")));
    let row = |row: &Value| {
        ["what", "transaction", "before", "after"]
            .map(|key| row[key].as_str().unwrap_or("-").to_owned())
    };
    let credits: Vec<_> = one["credits"].as_array().unwrap().iter().map(row).collect();
    let expected = [
        ["changed", "D-1", "100.00", "120.00"],
        ["gone", "D-2", "50.00", "-"],
        ["added", "D-4", "-", "10.00"],
    ];
    assert_eq!(credits, expected);
    let reward = &one["rewards"][0];
    assert_eq!((&reward["what"], &reward["reward"]), (&json!("changed"), &json!("Commission")));
    assert_eq!((&reward["before"], &reward["after"]), (&json!("15.70"), &json!("13.70")));
    assert_eq!(changes("?period=2025-12"), Vec::<Value>::new());

    // Confirmed as it was: nothing differs but the standing.
    release(&host, "rewards");
    let one = &changes("")[0];
    assert_eq!((&one["credits"], &one["rewards"]), (&json!([]), &json!([])));
    assert_eq!((&one["status_before"], &one["status"]), (&json!("pending"), &json!("confirmed")));

    // The trail knows the statements with what they keep.
    let verified = host.get("/v1/audit/verify");
    assert_eq!(verified["problems"], json!([]), "{verified}");
}
