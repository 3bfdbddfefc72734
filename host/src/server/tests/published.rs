//! Payees see what was released last and nothing else, whatever happens in between; what is finalized
//! stays byte for byte (DOMAIN 2.14, INV-V1, INV-V2, INV-L1): random sequences of deals, changes of
//! rules, releases, deletions, finalizations and restarts, looked at after every step.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Host;
use super::incremental::{ROLLUPS, accepted, host, settled};

const PAYEES: [&str; 4] = ["ann", "bob", "mia", "nobody"];
const PLANS: [&str; 2] = ["sellers", "overlay"];
const PERIODS: [&str; 2] = ["2025-12", "2026-01"];

#[derive(Debug, Clone)]
enum Step {
    Deal { id: usize, amount: u32, owner: usize, december: bool, held: bool },
    Rollup(usize),
    Publish { plan: usize, period: usize, rewards: bool },
    Delete { plan: usize, period: usize },
    Finalize,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8_usize, 1..120_u32, 0..4_usize, any::<bool>(), any::<bool>()).prop_map(
            |(id, amount, owner, december, held)| Step::Deal { id, amount, owner, december, held }
        ),
        2 => (0..4_usize).prop_map(Step::Rollup),
        5 => (0..2_usize, 0..2_usize, any::<bool>())
            .prop_map(|(plan, period, rewards)| Step::Publish { plan, period, rewards }),
        2 => (0..2_usize, 0..2_usize).prop_map(|(plan, period)| Step::Delete { plan, period }),
        1 => Just(Step::Finalize),
        1 => Just(Step::Restart),
    ]
}

/// What a payee may see of a calculation: its status and each credit's id, amount and status.
type Seen = (String, Vec<[String; 3]>);

/// By plan, period and payee.
type Published = BTreeMap<(String, String, String), Seen>;

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn shown(rows: &[&Value]) -> Vec<[String; 3]> {
    let mut shown: Vec<_> =
        rows.iter().map(|row| ["id", "amount", "status"].map(|key| text(row, key))).collect();
    shown.sort();
    shown
}

/// Every credit of a period, as it stands.
fn credits(host: &Host, period: &str) -> Vec<Value> {
    let page = host.get(&format!("/v1/credits?period={period}&limit=1000"));
    assert!(page["next"].is_null(), "one page is too small for this test");
    page["data"].as_array().unwrap().clone()
}

struct Office {
    host: Host,
    published: Published,
    /// Calculations whose rewards are released.
    confirmed: BTreeSet<(String, String)>,
    /// The rows of December since it was finalized.
    frozen: Option<Vec<Value>>,
}

impl Office {
    fn take(&mut self, number: usize, step: Step) {
        match step {
            Step::Deal { id, amount, owner, december, held } => {
                let owner = ["ann", "bob", "ann;bob", "mia"][owner];
                let row = json!({
                    "id": format!("D-{id}"),
                    "closed": if december { "2025-12-20" } else { "2026-01-10" },
                    "amount": amount,
                    "owner": owner,
                    "hold": if held { "yes" } else { "" },
                });
                let sent = self.host.deliver(&format!("msg_{number}"), &row.to_string());
                assert_eq!(sent.status, 202, "{}", sent.text);
            }
            Step::Rollup(nth) => {
                let files = json!({ "policies/rollup/share.rhai": ROLLUPS[nth] });
                let body = json!({ "files": files, "effective": "recredit" }).to_string();
                accepted(&self.host.api("POST", "/v1/changes", &[], &body));
            }
            Step::Publish { plan, period, rewards } => {
                self.publish(PLANS[plan], PERIODS[period], rewards);
            }
            Step::Delete { plan, period } => {
                let path = format!("/v1/calculations/{}/{}", PLANS[plan], PERIODS[period]);
                let done = self.host.api("DELETE", &path, &[], "");
                if done.status == 200 {
                    let (plan, period) = (PLANS[plan], PERIODS[period]);
                    self.published.retain(|(of, inside, _), _| of != plan || inside != period);
                    self.confirmed.remove(&(plan.to_owned(), period.to_owned()));
                }
            }
            Step::Finalize => {
                settled(&self.host);
                let done = self.host.api("POST", "/v1/periods/2025-12/finalize", &[], "{}");
                assert_eq!(done.status, 200, "{}", done.text);
                settled(&self.host);
                if self.frozen.is_none() {
                    self.frozen = Some(credits(&self.host, "2025-12"));
                }
            }
            Step::Restart => {
                self.host.stop();
                self.host.run();
            }
        }
    }

    fn publish(&mut self, plan: &str, period: &str, rewards: bool) {
        settled(&self.host);
        let rows = credits(&self.host, period);
        let what = if rewards { "rewards" } else { "credits" };
        let body = json!({ "what": what, "force": rewards, "reason": "the test says so" });
        let path = format!("/v1/calculations/{plan}/{period}/release");
        let done = self.host.api("POST", &path, &[], &body.to_string());
        if done.status != 200 {
            return;
        }
        let status = if rewards { "confirmed" } else { "pending" };
        // Confirmed once is confirmed for good: a second answer changes nothing, not even of an
        // empty calculation.
        let calculation = (plan.to_owned(), period.to_owned());
        if self.confirmed.contains(&calculation) {
            return;
        }
        if rewards {
            self.confirmed.insert(calculation);
        }
        self.published.retain(|(of, inside, _), _| of != plan || inside != period);
        for payee in PAYEES {
            // A suppressed credit counts nowhere; its payee sees the one that survived.
            let own = rows.iter().filter(|row| row["plan"] == plan && row["payee"] == payee);
            let own: Vec<&Value> = own.filter(|row| row["status"] != "suppressed").collect();
            if !own.is_empty() {
                let key = (plan.to_owned(), period.to_owned(), payee.to_owned());
                self.published.insert(key, (status.to_owned(), shown(&own)));
            }
        }
    }

    /// What payees see is what was published; what is frozen is what was finalized.
    fn check(&self) {
        let mut seen = Published::new();
        for payee in PAYEES {
            let page = self.host.get(&format!("/v1/payees/{payee}/statements"));
            for one in page["data"].as_array().unwrap() {
                let rows: Vec<&Value> = one["credits"].as_array().unwrap().iter().collect();
                let key = (text(one, "plan"), text(one, "period"), payee.to_owned());
                seen.insert(key, (text(one, "status"), shown(&rows)));
            }
        }
        assert_eq!(seen, self.published);
        if let Some(frozen) = &self.frozen {
            settled(&self.host);
            assert_eq!(&credits(&self.host, "2025-12"), frozen);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn payees_see_the_last_release(steps in prop::collection::vec(step(), 1..24)) {
        let (host, published, confirmed) = (host(), Published::new(), BTreeSet::new());
        let mut office = Office { host, published, confirmed, frozen: None };
        for (number, step) in steps.into_iter().enumerate() {
            office.take(number, step);
            office.check();
        }
    }
}
