//! What is sent to a server whose program ends at a commit: deals, changes of rules, and what people do.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::company;
use crate::kills::Random;

/// The business date of every run: January and February are over.
pub(super) const TODAY: &str = "2026-03-20";

/// One act of a client.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// A webhook with its id.
    Hook(&'static str, Json),
    /// Rows as CSV, under a key.
    Import(&'static str, &'static str),
    /// A request under a key.
    Keyed(&'static str, &'static str, Json),
    /// The release of a deal's held credit, under a key.
    ReleaseHold(&'static str, &'static str),
    /// A request that is once by its own rule.
    Repeatable(&'static str, Json),
    /// The amount of a deal's credit, changed by hand.
    Adjust(&'static str, &'static str),
    /// Managers get so much: recorded deals are decided again.
    Change(u32),
    /// The same, kept and not activated; and its activation.
    Draft(u32),
    Activate(u32),
    /// Waits until what was received is decided.
    Settle,
}

/// A company whose large deals are held, with a commission.
pub(super) fn write_workspace(folder: &Path) -> PathBuf {
    let workspace = company::write(folder);
    let settings = format!("reason_codes = [\"Split Correction\"]\n{}", company::FILES[0].1);
    company::put(&workspace, "accredit.toml", &settings);
    let hold = "hold = 'if tx.amount > 500 { hold_indefinitely(\"large\") } else { no_hold() }'";
    let plan = company::FILES[2].1.replace("rollable = true", &format!("rollable = true\n{hold}"));
    let tiers = "[{ up_to = \"400\", rate = \"10%\" }, { rate = \"20%\" }]";
    let reward = format!("\n[[reward]]\nname = \"Commission\"\ntiers = {tiers}\n");
    company::put(&workspace, "plans/reps.toml", &format!("{plan}{reward}"));
    workspace
}

fn deal(message: &'static str, id: &str, date: &str, (amount, owner): (&str, &str)) -> Act {
    Act::Hook(message, json!({"id": id, "date": date, "amount": amount, "owner": owner}))
}

fn credit(key: &'static str, period: &str, (payee, amount): (&str, &str)) -> Act {
    let body = json!({
        "payee": payee, "plan": "reps", "period": period, "credit_type": "credit", "amount": amount,
        "rolls_up": true, "reason_code": "Split Correction", "comment": "The CRM lost a deal.",
    });
    Act::Keyed("/v1/credits", key, body)
}

fn reward(key: &'static str, period: &str, amount: &str) -> Act {
    let body = json!({
        "payee": "ann", "plan": "reps", "period": period, "amount": amount,
        "reason_code": "Split Correction",
    });
    Act::Keyed("/v1/rewards", key, body)
}

fn publish(path: &'static str, key: &'static str, what: &str) -> Act {
    Act::Keyed(path, key, json!({ "what": what }))
}

const JANUARY: &str = "/v1/calculations/reps/2026-01/release";
const FEBRUARY: &str = "/v1/calculations/reps/2026-02/release";

/// The acts in parts: those of a part need what is before it, and come in any order.
fn parts_of_acts() -> Vec<Vec<Act>> {
    let rows = "id,date,amount,owner\nI1,2026-01-05,40,ann\nI2,2026-02-05,50.5,Ann;Bob\n\
                I3,2026-02-06,60,bob\nI4,2026-03-05,70.25,ann[0.3];bob[0.7]\n";
    let full = json!({"mode": "full"});
    vec![
        vec![
            deal("m1", "D1", "2026-01-15", ("100", "Ann")),
            deal("m2", "D2", "2026-01-20", ("200.10", "Bob")),
            deal("m3", "H1", "2026-01-22", ("900", "Ann")),
            deal("m4", "H2", "2026-02-10", ("1600", "Ann;Bob")),
            deal("m5", "D3", "2026-02-15", ("300", "ann")),
            deal("m6", "D4", "2026-03-02", ("80", "bob")),
            Act::Import("import-1", rows),
            Act::Change(50),
        ],
        vec![
            Act::ReleaseHold("H1", "release-1"),
            Act::Adjust("D1", "90"),
            credit("credit-1", "2026-01", ("ann", "50")),
            credit("credit-2", "2026-02", ("bob", "33.33")),
            reward("reward-1", "2026-01", "25"),
            Act::Draft(60),
            deal("m7", "D2", "2026-01-20", ("250", "Bob")),
            deal("m8", "D4", "2026-03-02", ("81", "ann")),
        ],
        vec![
            Act::Activate(60),
            Act::Repeatable("/v1/calculations/reps/2026-01/run", full.clone()),
            Act::Keyed(
                "/v1/holds/release",
                "release-2",
                json!({"plan": "reps", "period": "2026-02"}),
            ),
            deal("m9", "D5", "2026-02-20", ("55", "Ann")),
        ],
        vec![
            publish(JANUARY, "publish-1", "credits"),
            publish(FEBRUARY, "publish-2", "credits"),
            deal("m10", "D6", "2026-01-30", ("12", "Bob")),
        ],
        vec![
            publish(JANUARY, "publish-3", "rewards"),
            Act::Repeatable("/v1/periods/2026-02/close", json!({})),
            deal("m11", "D7", "2026-01-31", ("13", "Ann")),
            Act::Repeatable("/v1/calculations/reps/2026-03/run", full),
        ],
        vec![
            Act::Repeatable("/v1/periods/2026-01/finalize", json!({})),
            reward("reward-2", "2026-02", "7.5"),
            credit("credit-3", "2026-02", ("ann", "21")),
        ],
        vec![Act::Change(70), deal("m12", "D1", "2026-01-15", ("120", "Ann"))],
    ]
}

/// The acts in the order of a seed.
pub(super) fn draw_acts(seed: u64) -> Vec<Act> {
    let mut random = Random(seed);
    let mut acts = Vec::new();
    for mut part in parts_of_acts() {
        while !part.is_empty() {
            let place = usize::try_from(random.below(part.len() as u64)).unwrap();
            acts.push(part.remove(place));
            // Now and then several deliveries are decided together.
            if random.below(2) == 0 {
                acts.push(Act::Settle);
            }
        }
        acts.push(Act::Settle);
    }
    acts
}
