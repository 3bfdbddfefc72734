//! The documentation of a plan: one page in words that a payee understands, made from the checked
//! definitions.
//!
//! Not another reading of the files: a page shows what the ruleset holds, and its example is decided
//! by the engine. Called by `accredit docs`.
//!
//! **Architecture invariant:** the same ruleset and rows give the same bytes.

mod crediting;
mod example;
mod lineage;
mod markdown;
mod pay;
mod people;
mod policies;
mod tables;
mod wording;

use std::collections::BTreeSet;

use self::markdown::Page;
use self::wording::Wording;
use accredit_crediting::calculation::books;
use accredit_domain::keys::PlanKey;
use accredit_domain::plan::{Measure, Plan, Split};
use accredit_domain::transaction::Record;
use accredit_workspace::Ruleset;

/// The documentation of one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPage {
    /// The id of the plan.
    pub plan: PlanKey,
    /// The page, in Markdown.
    pub markdown: String,
}

/// What pages are made from.
#[derive(Debug, Clone, Copy)]
pub struct PageInputs<'a> {
    /// The checked definitions.
    pub ruleset: &'a Ruleset,
    /// The rows of deals, from which the example is chosen; without any, a case of the plan is.
    pub records: &'a [Record],
    /// The columns of deals that were seen.
    pub columns: &'a BTreeSet<String>,
    /// Path and text of each case file.
    pub cases: &'a [(&'a str, &'a str)],
    /// Rows of a table or of a list of people that a page shows; the count of the rest is named.
    pub rows_max: usize,
}

/// A page for each plan, by the ids of the plans.
pub fn plan_pages(inputs: PageInputs<'_>) -> Vec<PlanPage> {
    let books = books::build_books(inputs.ruleset, inputs.records, None, 1);
    let plans = inputs.ruleset.plans.values();
    let page = |plan: &Plan| {
        let mut page = Page::default();
        let words = Wording { ruleset: inputs.ruleset, plan };

        write_summary(&mut page, words);
        people::write_people(&mut page, words, inputs.rows_max);
        crediting::write_crediting(&mut page, words);
        pay::write_pay(&mut page, words);
        people::write_quotas(&mut page, words, inputs.rows_max);
        policies::write_policies(&mut page, words);
        tables::write_tables(&mut page, words, inputs.rows_max);
        example::write_example(&mut page, words, (inputs, &books));
        lineage::write_lineage(&mut page, words, inputs.columns);

        PlanPage { plan: plan.id, markdown: page.into_text() }
    };
    plans.map(page).collect()
}

/// What the plan is, in a few lines.
fn write_summary(page: &mut Page, words: Wording<'_>) {
    let Wording { plan, ruleset } = words;
    let settings = &ruleset.settings;
    page.heading(1, &plan.name);

    let workspace = &settings.name;
    let dates = wording::validity_words(plan.validity);
    let kind = plan.period.name();
    page.text(&format!(
        "Plan `{}` of {workspace}. It counts deals {dates}, by their incentive date, and is \
         calculated by {kind}. Amounts that name no currency are in {}.",
        plan.id,
        settings.units.name(settings.currency),
    ));

    page.text(match plan.measure {
        Measure::Individual => "People are credited, each in a position.",
        Measure::Team => "Teams are credited.",
    });

    match plan.filter {
        Some(filter) => page.text(&format!("A deal counts if {}.", words.condition(filter))),
        None => page.text("Every deal is looked at."),
    }

    page.text(match plan.split {
        Split::Refuse => {
            "If a deal names several recipients without shares, it waits for a correction."
        }
        Split::Equal => {
            "If a deal names several recipients without shares, each has an equal part."
        }
        Split::Full => "If a deal names several recipients without shares, each has the whole.",
        Split::First => {
            "If a deal names several recipients without shares, the first has the whole."
        }
    });

    if plan.require_total_one {
        page.text("The shares of a deal must add up to 1.");
    }
}
