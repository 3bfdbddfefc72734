//! What the cases reach of the policies of a change, in its preview.

use serde_json::{Value, json};

use super::Host;

const POLICY: &str = "policies/hold/asked.rhai";

/// Three lines with a statement; the second `return` is for deals of another size.
const HOLD: &str = "fn hold(tx, credit) {
    if tx.amount > 1000 {
        return hold_for(1, \"months\");
    }
    no_hold()
}
";

const CASES: &str = "# Asked

## A small deal is not held

```csv transactions
id,closed,amount,owner
D1,2026-01-10,100,ann
```

| transaction | amount | status |
| --- | --- | --- |
| D1 | 100.00 | active |
";

const LARGE: &str = "
## A large deal is held

```csv transactions
id,closed,amount,owner
D2,2026-01-10,2000,ann
```

| transaction | amount | status |
| --- | --- | --- |
| D2 | 2000.00 | held |
";

fn coverage(host: &Host, files: &Value) -> Value {
    let body = json!({ "files": files }).to_string();
    let shown = host.api("POST", "/v1/preview", &[], &body);
    assert_eq!(shown.status, 200, "{}", shown.text);
    shown.json()["coverage"].clone()
}

fn of_policy(cases: u64, covered: u64, unreached: &[u32]) -> Value {
    json!({
        "cases": cases,
        "complete": true,
        "policies": [{ "path": POLICY, "lines": 3, "covered": covered, "unreached": unreached }],
    })
}

/// A preview said that every case passed, and not that no case ran the line that was changed.
#[test]
fn a_preview_names_the_lines_that_no_case_reaches() {
    let host = Host::start();
    assert_eq!(coverage(&host, &json!({ POLICY: HOLD })), of_policy(0, 0, &[2, 3, 5]));

    let beside = "policies/hold/asked.cases.md";
    let some = json!({ POLICY: HOLD, beside: CASES });
    assert_eq!(coverage(&host, &some), of_policy(1, 2, &[3]));
    let all = json!({ POLICY: HOLD, beside: format!("{CASES}{LARGE}") });
    assert_eq!(coverage(&host, &all), of_policy(2, 3, &[]));

    // Cases that are on the server count as well, wherever they are.
    let stored = json!({ "files": { "plans/sellers.cases.md": CASES } }).to_string();
    assert_eq!(host.api("POST", "/v1/changes", &[], &stored).status, 200);
    assert_eq!(coverage(&host, &json!({ POLICY: HOLD })), of_policy(1, 2, &[3]));

    // A change without a policy has nothing to cover.
    assert_eq!(coverage(&host, &json!({ beside: CASES })), json!(null));
}
