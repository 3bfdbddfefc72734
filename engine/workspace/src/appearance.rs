//! Names that do not look like what they are: line breaks, marks of direction, and twins.
//!
//! Not names that are used twice (`rule`). Called for plans, rules, results and rewards. Source:
//! FORMAT section 3.
//!
//! **Architecture invariant:** what a person reads in a report is enough to tell two plans or two
//! rules apart.

use std::collections::BTreeMap;

use super::report::Findings;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::keys::PlanKey;
use accredit_domain::organization::{confusable_key, is_unseen};
use accredit_domain::plan::Plan;

/// Whether a text has invisible characters or line breaks.
pub(super) fn is_unreadable(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_unseen(c) || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Refuses a name with line breaks or invisible characters.
pub(super) fn check_readable_name(report: &Findings, place: Place, name: &str, what: &str) {
    if is_unreadable(name) {
        let shown: String = name.escape_debug().collect();
        let message = format!("the name of a {what} has invisible characters: `{shown}`");
        report.error(Code::CR085, place, message, "type it again on one line");
    }
}

/// Warns of two names that look the same.
pub(super) fn warn_of_lookalikes(
    report: &Findings,
    place: Place,
    (one, two): (&str, &str),
    what: &str,
) {
    let message = format!("the {what}s `{one}` and `{two}` look the same but are different");
    let help = "give one of them a clearly different name";
    report.push(Diagnostic::warning(Code::CR086, place, message).with_help(help));
}

/// Refuses ids of plans with invisible characters, and warns of plans whose ids or names look the
/// same.
pub(super) fn check_plan_names(plans: &BTreeMap<PlanKey, Plan>, report: &Findings) {
    let (mut ids, mut names) = (BTreeMap::new(), BTreeMap::new());
    for (id, plan) in plans {
        let place = || Place::whole_file(format!("plans/{id}.toml"));
        check_readable_name(report, place(), id, "plan");
        if let Some(twin) = ids.insert(confusable_key(id), id) {
            warn_of_lookalikes(report, place(), (twin, id), "plan");
        } else if let Some(twin) = names.insert(confusable_key(&plan.name), plan.name.as_str())
            && !plan.name.is_empty()
        {
            warn_of_lookalikes(report, place(), (twin, &plan.name), "plan name");
        }
    }
}
