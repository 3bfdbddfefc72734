//! `accredit new plan`: a plan with a commission, and a case file that proves it on the customer's own
//! columns and people.
//!
//! Not a wizard: the text is a beginning to be changed, and the cookbook has more. Called by `new`.

use std::path::PathBuf;

use clap::Args;

use super::policy::SampleNames;
use crate::cli::print::output::EXIT_OK;

/// Options of `new plan`.
#[derive(Debug, Args)]
pub(crate) struct NewPlanArguments {
    /// The plan's name, which becomes the name of its file.
    name: String,
    /// A customer's directory.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// The plan, with marks for what is the customer's own.
const PLAN: &str = include_str!("templates/plan.toml");

/// The rule by which credit rolls up, where anyone is above the seller.
const MANAGER_RULE: &str = include_str!("templates/plan-manager.toml");

/// Runs the verb.
pub(super) fn run(options: &NewPlanArguments) -> u8 {
    let name = &options.name;
    let sample = match SampleNames::read_directory(&options.dir, name) {
        Ok(sample) => sample,
        Err(code) => return code,
    };

    let files = [
        (format!("plans/{name}.toml"), plan_text(&sample, name)),
        (format!("plans/{name}.cases.md"), plan_cases(&sample, name)),
    ];
    let code = super::write_new_files(&options.dir, &files);

    if code == EXIT_OK {
        let dir = options.dir.display();
        eprintln!(
            "the plan is for 1999, so it credits no deal yet: change its dates, its rates and its \
             cases, and run `accredit test {dir}`"
        );
    }

    code
}

fn plan_text(sample: &SampleNames, name: &str) -> String {
    let targets =
        if sample.title.is_empty() { "*".to_owned() } else { format!("title:{}", sample.title) };
    let credit_type = |indent: &str| {
        let kind = sample.credit_type.as_ref();
        kind.map(|kind| format!("{indent}credit_type = {kind:?}\n")).unwrap_or_default()
    };
    let managers = if sample.managers.is_empty() { "" } else { MANAGER_RULE };

    PLAN.replace("MANAGERS", managers)
        .replace("NAME", &format!("{name:?}"))
        .replace("TARGETS", &format!("{targets:?}"))
        .replace("  CREDIT_TYPE\n", &credit_type("  "))
        .replace("CREDIT_TYPE\n", &credit_type(""))
}

/// A deal of 12,000: the credits, and the commission where the calendar has the day.
fn plan_cases(sample: &SampleNames, name: &str) -> String {
    let amount = |text: &str| sample.with_currency(text);
    let mut text = format!("# {name}\n\nOne deal of 12,000 on the directory's own organisation.\n");

    sample.push_case(&mut text, name, "The seller has the deal, and each manager a tenth", "12000");
    let (whole, tenth) = (amount("12000"), amount("1200"));
    let mut rows = vec![(sample.position.as_str(), whole.as_str(), "active")];
    rows.extend(sample.managers.iter().map(|manager| (manager.as_str(), tenth.as_str(), "active")));
    sample.push_credits(&mut text, &rows);

    if !sample.period.is_empty() {
        let heading = "5 % of 10,000 are 500, and 8 % of the other 2,000 are 160";
        sample.push_case(&mut text, name, heading, "12000");
        text.push_str("\n| reward | payee | credited | amount |\n| --- | --- | --- | --- |\n");
        let (payee, paid) = (&sample.payee, amount("660"));
        text.push_str(&format!("| Commission | {payee} | {whole} | {paid} |\n"));
    }

    text
}
