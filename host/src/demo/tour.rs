//! A tour of the sample company: four deals of its calibration desk, whose plan has quotas, a table of
//! fees and a draw, and what a server says about them.
//!
//! Not the deals of the sellers (`deals`). Called by `accredit demo`, after those are credited.

use serde_json::{Value as Json, json};

/// The plan of the desk.
pub(crate) const DESK_PLAN: &str = r#"
# The calibration desk has a commission by quota, a fee for each set-up, and its newcomer a draw.
name = "Calibration desk"
from = 2026-01-01
to = 2026-12-31
targets = ["title:Calibration Specialist"]
filter = 'tx.stage == "Calibrated"'

[[direct]]
name = "Service"
  [[direct.results]]
  name = "Service credit"
  credit_type = "service"
  [[direct.results]]
  name = "Set-up fee"
  credit_type = "setup"
  value = 'lookup("setup_fees", tx.product)'

[[reward]]
name = "Commission"
credit_type = "service"
tiers = [{ up_to = "100%", rate = "10%" }, { rate = "20%" }]

[[reward]]
name = "Set-up"
credit_type = "setup"
tiers = [{ rate = "100%" }]

[[draw]]
name = "Newcomer's draw"
amount = "1500"
recoverable = true
covers = ["Commission"]
targets = ["position:CAL-2"]
"#;

/// Fees by product.
pub(crate) const SETUP_FEES: &str = "product,fee\nGauge,400\nSensor,250\n*,100\n";

/// The same with a higher fee for gauges: the change that the tour previews.
const HIGHER_FEES: &str = "product,fee\nGauge,500\nSensor,250\n*,100\n";

/// Quotas of the desk: 10,000 a month.
pub(crate) const QUOTAS: &str = "plan,target,period,amount,credit_type\n\
     calibration,title:Calibration Specialist,2026-01,10000,service\n\
     calibration,title:Calibration Specialist,2026-02,10000,service\n";

/// Rows of the two specialists for `organization/`: participants, positions, assignments.
pub(crate) const PEOPLE: [&str; 3] = [
    "nora,Nora Quist,nora.quist@example.com\nomar,Omar Reyes,omar.reyes@example.com\n",
    "CAL-1,Calibration Specialist,DIR-INSIDE\nCAL-2,Calibration Specialist,DIR-INSIDE\n",
    "CAL-1,nora,,\nCAL-2,omar,,\n",
];

/// Sends requests to the server, and waits until what was sent is decided.
pub(crate) trait TourServer {
    /// The answer to a GET.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn read(&self, path: &str) -> Result<Json, String>;

    /// The answer to a POST.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn post(&self, path: &str, body: &Json) -> Result<Json, String>;

    /// Delivers a deal through the webhook and waits until it is decided.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn deliver(&self, id: &str, deal: &Json) -> Result<(), String>;
}

/// Walks through quotas, a draw, a table, a preview, a correction and a why-not; what is shown, line
/// by line. A heading ends with a colon.
///
/// # Errors
/// The first request that failed.
pub(crate) fn walk_through(server: &impl TourServer) -> Result<Vec<String>, String> {
    let deals = [
        ("T-1", "2026-01-12", "6000", "Nora Quist", "Gauge"),
        ("T-2", "2026-01-20", "2000", "Nora Quist", "Sensor"),
        ("T-3", "2026-01-22", "3000", "Omar Reyes", "Probe"),
        ("T-4", "2026-02-10", "18000", "Omar Reyes", "Gauge"),
    ];
    for (id, day, amount, owner, product) in deals {
        server.deliver(&format!("demo_{id}"), &desk_deal((id, day, amount, owner, product)))?;
    }

    let mut lines = Vec::new();
    lines.push(
        "Quota, attainment, a fee from a table, a draw (plan calibration, January):".to_owned(),
    );
    lines.extend(reward_lines(server, "2026-01")?);
    lines.push("February recovers the draw:".to_owned());
    lines.extend(reward_lines(server, "2026-02")?);
    lines.extend(balance_lines(server)?);

    lines.push("Preview of a set-up fee of 500 instead of 400 for gauges:".to_owned());
    let change = json!({
        "files": { "tables/setup_fees.csv": HIGHER_FEES },
        "effective": "recredit",
    });
    lines.extend(money_lines(&server.post("/v1/preview", &change)?));

    lines.push("January is finalized; then T-2 comes in with 7000 instead of 2000:".to_owned());
    server.post("/v1/periods/2026-01/finalize", &json!({}))?;
    let corrected = desk_deal(("T-2", "2026-01-20", "7000", "Nora Quist", "Sensor"));
    server.deliver("demo_T-2_corrected", &corrected)?;
    let february = reward_lines(server, "2026-02")?;
    lines.extend(february.into_iter().filter(|line| line.contains("corrects")));

    lines.push("Why does Omar have nothing of T-1?".to_owned());
    lines.extend(why_not_lines(&server.read("/v1/payees/omar/why-not?transaction=T-1")?));
    Ok(lines)
}

fn desk_deal((id, day, amount, owner, product): (&str, &str, &str, &str, &str)) -> Json {
    json!({
        "deal": id, "closed_on": day, "amount": amount, "owner": owner, "team": "",
        "stage": "Calibrated", "product": product, "customer": "Fir Energy", "seats": 1,
    })
}

fn text<'j>(row: &'j Json, key: &str) -> &'j str {
    row.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn rows<'j>(answer: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> {
    answer.get(key).and_then(Json::as_array).into_iter().flatten()
}

/// The rewards of the desk in a period.
fn reward_lines(server: &impl TourServer, period: &str) -> Result<Vec<String>, String> {
    let path = format!("/v1/rewards?plan=calibration&period={period}");
    let answer = server.read(&path)?;
    let line = |row: &Json| {
        let of_quota = match (text(row, "quota"), text(row, "attainment")) {
            ("", _) => String::new(),
            (quota, attainment) => format!(" of a quota of {quota} (attainment {attainment})"),
        };
        let corrects = match text(row, "corrects") {
            "" => String::new(),
            period => format!(", corrects {period}"),
        };
        let credited = match text(row, "origin") {
            "calculated" => format!(", credited {}{of_quota}", text(row, "credited")),
            _ => String::new(),
        };
        let (payee, reward, amount) =
            (text(row, "payee"), text(row, "reward"), text(row, "amount"));
        format!("{payee:6} {reward:16} {amount:>10}{credited}{corrects}")
    };
    Ok(rows(&answer, "data").map(line).collect())
}

/// What is owed at the end of each period.
fn balance_lines(server: &impl TourServer) -> Result<Vec<String>, String> {
    let answer = server.read("/v1/balances?plan=calibration&payee=omar")?;
    let line = |row: &Json| {
        let (period, balance, name) =
            (text(row, "period"), text(row, "balance"), text(row, "name"));
        format!("omar   owes {balance} of \"{name}\" at the end of {period}")
    };
    let early = |row: &&Json| ["2026-01", "2026-02"].contains(&text(row, "period"));
    Ok(rows(&answer, "data").filter(early).map(line).collect())
}

/// What a previewed change pays more or less, by payee.
fn money_lines(preview: &Json) -> Vec<String> {
    let money = preview.get("money").and_then(|money| money.get("rewards"));
    let line = |row: &Json| {
        let (name, before, after) = (text(row, "name"), text(row, "before"), text(row, "after"));
        format!("{name:6} {after} instead of {before}: {}", text(row, "difference"))
    };
    money.into_iter().flat_map(|money| rows(money, "biggest")).map(line).collect()
}

fn why_not_lines(answer: &Json) -> Vec<String> {
    let plans = rows(answer, "plans").filter(|why| text(why, "plan") == "calibration");
    plans.flat_map(|why| rows(why, "findings")).map(|one| text(one, "message").to_owned()).collect()
}
