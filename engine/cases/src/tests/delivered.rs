//! Cases that bring the body of a delivery.

use crate::run_case_file;
use accredit_workspace::Files;

const CUSTOMER: &str = "```toml accredit.toml
[workspace]
name = \"Acme\"
[fields]
id = \"id\"
date = \"date\"
amount = \"amount\"
owner = \"owner\"
[sources.crm]
connector = \"standard-webhooks\"
intake = \"policy:lines\"
[sources.plain]
connector = \"standard-webhooks\"
```

```csv organization/participants.csv
id
ann
```

```toml plans/deals.toml
name = \"Deals\"
[[direct]]
name = \"Deal\"
  [[direct.results]]
  name = \"Deal credit\"
```

```rhai policies/intake/lines.rhai
fn map(payload) {
    let rows = [];
    for line in payload.lines {
        rows.push(#{ id: line.no, date: payload.day, amount: line.net, owner: payload.rep });
    }
    rows
}
```

## A

";

/// Failures of a case with this block.
fn failures(block: &str, table: &str) -> Vec<String> {
    let table = format!("\n| transaction | position | amount |\n| --- | --- | --- |\n{table}");
    let text = format!("{CUSTOMER}{block}{table}");
    let outcomes = run_case_file(&Files::new(), "a.cases.md", &text).unwrap();
    let failures = outcomes.into_iter().flat_map(|outcome| outcome.failures);
    failures.map(|one| format!("{}: {}", one.message, one.help.unwrap_or_default())).collect()
}

#[test]
fn a_body_goes_through_the_intake_policy_of_its_source() {
    let body = "```json hooks/crm\n{\"day\": \"2022-01-12\", \"rep\": \"ann\", \"lines\": \
                [{\"no\": \"D1\", \"net\": 5}, {\"no\": \"D2\", \"net\": 7.25}]}\n```\n";
    assert_eq!(failures(body, "| D1 | ann | 5.00 |\n| D2 | ann | 7.25 |\n"), Vec::<String>::new());
}

#[test]
fn without_an_intake_policy_a_body_is_rows() {
    let body = "```json hooks/plain\n{\"id\": \"D1\", \"date\": \"2022-01-12\", \"amount\": 5, \
                \"owner\": \"ann\"}\n```\n";
    assert_eq!(failures(body, "| D1 | ann | 5.00 |\n"), Vec::<String>::new());
}

#[test]
fn bodies_that_nothing_can_be_made_of() {
    let source = failures("```json hooks/crn\n{}\n```\n", "");
    assert_eq!(source, ["there is no source `crn`: did you mean `crm`?"]);
    let policy = failures("```json hooks/crm\n{\"day\": \"x\"}\n```\n", "");
    assert_eq!(
        policy,
        ["the intake policy cannot read this body: the map has no key `lines`; ask \
          has(\"lines\") first: the policy stopped at policies/intake/lines.rhai:3:25"]
    );
    let json = failures("```json hooks/crm\n{\"day\":\n```\n", "");
    assert!(json[0].starts_with("the body is not JSON"), "{json:?}");
}
