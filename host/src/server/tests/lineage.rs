//! What feeds what: every column, table, attribute, query and policy with its readers, down to rewards.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Host;

const SETTINGS: &str = r#"
[queries]
big = "tx.amount > 100"

[tables.factors]
keys = ["region"]
values = { factor = "number" }

[attributes]
level = "number"
"#;
const SELLERS: &str = r#"
name = "Sellers"
targets = ["*"]
filter = "query:big"

[[direct]]
name = "Booking"
assign = "policy:pick"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"
  value = "tx.amount * lookup(\"factors\", tx[\"Region\"])"
  rollable = true

[[reward]]
name = "Commission"
value = "totals.booking * (payee[\"level\"] ?? 1)"
"#;
const LEADS: &str = r#"
name = "Leads"
targets = ["*"]

[[indirect]]
name = "Roll"
relationship = "Reporting"
sources = ["sellers"]
  [[indirect.results]]
  name = "Roll credit"

[[reward]]
name = "Override"
tiers = [{ rate = "1%" }]
"#;
const PICK: &str = "fn credit(tx) {\n    if tx[\"Rep\"] == \"\" { return tx.default_credit; }\n    tx[\"Rep\"]\n}\n";

fn office() -> Host {
    Host::start_with(|config| {
        let folder = config.workspace.clone().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let settings = std::fs::read_to_string(folder.join("accredit.toml")).unwrap();
        let columns = "[columns]\nRegion = \"text\"\nRep = \"text\"";
        let settings = settings.replacen("[columns]", columns, 1);
        write("accredit.toml", &format!("{settings}{SETTINGS}"));
        write("plans/sellers.toml", SELLERS);
        write("plans/leads.toml", LEADS);
        write("policies/crediting/pick.rhai", PICK);
        write("tables/factors.csv", "region,factor\n*,1\n");
    })
}

/// Who asked what a column was for had to search through every file.
#[test]
fn columns_are_followed_to_the_rewards_that_they_move() {
    let host = office();
    let graph = host.get("/v1/lineage");
    let edges = graph["edges"].as_array().unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let found: BTreeSet<(String, String, String)> = edges
        .iter()
        .map(|edge| (text(edge, "from"), text(edge, "to"), text(edge, "why")))
        .collect();
    let expected = [
        ("column:amount", "query:big", "condition"),
        ("query:big", "plan:sellers", "filter"),
        ("column:Rep", "policy:crediting/pick", "policy"),
        ("column:owner", "policy:crediting/pick", "policy"),
        ("policy:crediting/pick", "rule:sellers/Booking", "recipients"),
        ("aliases:organization/aliases.csv", "rule:sellers/Booking", "recipients"),
        ("plan:sellers", "rule:sellers/Booking", "deals that the plan lets in"),
        ("rule:sellers/Booking", "result:sellers/Booking/Booking credit", "result"),
        ("column:Region", "result:sellers/Booking/Booking credit", "value"),
        ("table:factors", "result:sellers/Booking/Booking credit", "value"),
        ("result:sellers/Booking/Booking credit", "credit_type:sellers/booking", "credits"),
        ("credit_type:sellers/booking", "reward:sellers/Commission", "credits that count"),
        ("attribute:level", "reward:sellers/Commission", "value"),
        ("plan:sellers", "plan:leads", "its credits roll here"),
        ("result:sellers/Booking/Booking credit", "rule:leads/Roll", "credits that roll"),
        ("result:leads/Roll/Roll credit", "credit_type:leads/booking", "credits"),
        ("credit_type:leads/booking", "reward:leads/Override", "credits that count"),
    ];
    for (from, to, why) in expected {
        let edge = (from.to_owned(), to.to_owned(), why.to_owned());
        assert!(found.contains(&edge), "{edge:?} in {found:#?}");
    }

    // Both ends of an edge are nodes, and each node is there once.
    let nodes = graph["nodes"].as_array().unwrap();
    let ids: BTreeSet<String> = nodes.iter().map(|node| text(node, "id")).collect();
    assert_eq!(ids.len(), nodes.len());
    for (from, to, _) in &found {
        assert!(ids.contains(from) && ids.contains(to), "{from} {to}");
    }
    let pick = nodes.iter().find(|node| node["id"] == "policy:crediting/pick").unwrap();
    assert_eq!((&pick["file"], &pick["line"]), (&json!("policies/crediting/pick.rhai"), &json!(1)));
    let rule = nodes.iter().find(|node| node["id"] == "rule:sellers/Booking").unwrap();
    assert_eq!((&rule["file"], &rule["line"]), (&json!("plans/sellers.toml"), &json!(7)));
    // A column that nothing reads is a node without an edge.
    assert!(ids.contains("column:updated"));
    assert!(!found.iter().any(|(from, ..)| from == "column:updated"), "{found:#?}");

    assert_eq!(host.get("/v1/lineage"), graph);
}
