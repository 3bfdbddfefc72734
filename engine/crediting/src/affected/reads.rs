//! What a plan's programs may read, and what of that differs between two rulesets.
//!
//! Not what a deal reads. Called once a plan when rules change.
//!
//! **Architecture invariant:** a program can call a function or name a table only by a word that stands
//! in its text, so a text without the word cannot read it.

use std::collections::HashSet;
use std::sync::Arc;

use accredit_domain::calendar::Validity;
use accredit_domain::keys::PlanKey;
use accredit_domain::plan::{Assign, DuplicateSetting, HoldSetting, Plan, ResultBase, Selector};
use accredit_domain::policy::{Program, ProgramId};
use accredit_domain::tables::LookupTable;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

/// What differs between two rulesets for one plan whose rules and programs are the same in both.
#[derive(Debug, Default)]
pub(super) struct PlanReads {
    /// Whether a program looks people up by names that it makes.
    pub(super) people: bool,
    /// Whether the plan exchanges amounts whatever the deal's currency is.
    pub(super) exchanges: bool,
    /// Whether exchange rates differ.
    pub(super) rates_differ: bool,
    /// The days on which tables differ that a program names.
    tables: Vec<Validity>,
}

impl PlanReads {
    /// What differs for `plan`, which belongs to `after`; none where its rules, its programs or the
    /// settings differ, in the plan itself or in one that it takes credits from.
    pub(super) fn of_change(before: &Ruleset, after: &Ruleset, plan: &Plan) -> Option<PlanReads> {
        let earlier = before.plans.get(&plan.id)?;
        let (one, two) = (with_sources(before, earlier), with_sources(after, plan));
        let ids: Vec<PlanKey> = two.iter().map(|plan| plan.id).collect();
        if !one.iter().map(|plan| plan.id).eq(ids.iter().copied()) {
            return None;
        }

        let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
        if before.crediting_texts(&ids) != after.crediting_texts(&ids) {
            return None;
        }
        if rolled_selections(before, &one) != rolled_selections(after, &two) {
            return None;
        }
        compare_programs((before, &one), (after, &two), &crediting_programs)
    }

    /// The same for the direct credits of `plan` alone: its indirect rules may differ, and so may what
    /// the plans decide that it takes credits from.
    pub(super) fn of_direct_change(
        before: &Ruleset,
        after: &Ruleset,
        plan: &Plan,
    ) -> Option<PlanReads> {
        let earlier = before.plans.get(&plan.id)?;
        // What is a duplicate among direct credits may depend on those of sources.
        if earlier.source_plans() != plan.source_plans() {
            return None;
        }
        if before.direct_texts(&plan.id) != after.direct_texts(&plan.id) {
            return None;
        }
        compare_programs((before, &[earlier]), (after, &[plan]), &direct_programs)
    }

    /// Whether a table that a program names differs on `date`.
    pub(super) fn tables_differ_on(&self, date: Date) -> bool {
        self.tables.iter().any(|days| days.contains(date))
    }

    /// Whether anything differs that a program may read.
    pub(super) fn differs_somewhere(&self) -> bool {
        self.rates_differ || !self.tables.is_empty()
    }
}

/// What differs for programs of plans that are the same in two rulesets; none where they are not.
fn compare_programs(
    (before, one): (&Ruleset, &[&Plan]),
    (after, two): (&Ruleset, &[&Plan]),
    of_plan: &dyn Fn(&Plan) -> Vec<ProgramId>,
) -> Option<PlanReads> {
    let programs = all_programs(after, two, of_plan)?;
    let same = programs == all_programs(before, one, of_plan)?
        && direct_selections(before, one) == direct_selections(after, two);
    if !same {
        return None;
    }

    let named = |word: &str| programs.iter().any(|one| has_word(&one.source, word));
    let results = two.iter().flat_map(|plan| &plan.indirect).flat_map(|rule| &rule.results);
    let mut other_unit = results.filter(|result| result.unit.is_some());

    Some(PlanReads {
        people: named("who"),
        exchanges: named("amount_in") || other_unit.next().is_some(),
        rates_differ: before.rates != after.rates,
        tables: changed_tables(before, after, &programs),
    })
}

/// Whether a program that sees direct credits of a plan may show the digits of an amount: in a text, or
/// since another plan takes credits from it.
pub(super) fn may_show_digits(ruleset: &Ruleset, plan: &Plan) -> bool {
    let is_source = ruleset.plans.values().any(|other| other.source_plans().contains(&plan.id));
    let programs = indirect_programs(plan).into_iter().map(|id| ruleset.programs.get(id));
    let mut programs = programs.map(|program| program.map(|program| &*program.source));
    is_source || programs.any(|source| source.is_none_or(makes_text_of_numbers))
}

/// Whether a program may join a number to a text or write it as one. What it is not told by its words
/// counts as yes.
fn makes_text_of_numbers(source: &str) -> bool {
    source.contains(['+', '`'])
        || ["to_text", "to_string"].iter().any(|word| has_word(source, word))
}

/// The plans that are decided before a plan, and the plan.
fn with_sources<'a>(ruleset: &'a Ruleset, plan: &'a Plan) -> Vec<&'a Plan> {
    let sources = ruleset.plans_before(plan).into_iter();
    let sources = sources.filter_map(|id| ruleset.plans.get(&id));
    sources.filter(|source| source.id != plan.id).chain([plan]).collect()
}

/// The programs of these plans, in order; none when one of them is missing.
fn all_programs(
    ruleset: &Ruleset,
    plans: &[&Plan],
    of_plan: &dyn Fn(&Plan) -> Vec<ProgramId>,
) -> Option<Vec<Arc<Program>>> {
    let ids = plans.iter().flat_map(|plan| of_plan(plan));
    ids.map(|id| ruleset.programs.get(id).cloned()).collect()
}

/// Every program that decides credits of a plan, in the order of the rules.
fn crediting_programs(plan: &Plan) -> Vec<ProgramId> {
    [direct_programs(plan), indirect_programs(plan)].concat()
}

/// Those that decide its direct credits.
fn direct_programs(plan: &Plan) -> Vec<ProgramId> {
    let mut ids: Vec<ProgramId> = plan.filter.into_iter().collect();
    ids.extend(plan.crediting_policies());

    for rule in &plan.direct {
        ids.extend(rule.rule.condition);
        for result in &rule.results {
            ids.extend(result.value);
            ids.extend(base_programs(&result.output));
        }
    }
    ids
}

/// Those that decide its indirect credits.
fn indirect_programs(plan: &Plan) -> Vec<ProgramId> {
    let mut ids = Vec::new();
    for rule in &plan.indirect {
        ids.extend(rule.rule.condition);
        for result in &rule.results {
            ids.extend(result.value);
            ids.extend(base_programs(&result.output));
        }
    }
    ids
}

fn base_programs(output: &ResultBase) -> impl Iterator<Item = ProgramId> {
    let hold = match output.hold {
        HoldSetting::Program(id) => Some(id),
        HoldSetting::Fixed(_) => None,
    };
    let duplicates = match output.duplicates {
        DuplicateSetting::Program(id) => Some(id),
        DuplicateSetting::Fixed(_) => None,
    };
    output.maximum.into_iter().chain(hold).chain(duplicates)
}

/// Whom a selector means, by id: what a word means may depend on who else is there.
fn selected_id(ruleset: &Ruleset, selector: &Selector) -> String {
    let organization = &ruleset.organization;
    match selector {
        Selector::All => "*".to_owned(),
        Selector::Title(title) => format!("title {title}"),
        Selector::Position(id) => format!("position {}", organization.position_id(*id)),
        Selector::Participant(id) => format!("participant {}", organization.participant_id(*id)),
        Selector::Team(id) => format!("team {}", organization.team_id(*id)),
    }
}

/// Whom targets and territories of these plans mean.
fn direct_selections(ruleset: &Ruleset, plans: &[&Plan]) -> Vec<String> {
    let mut all = Vec::new();
    for plan in plans {
        all.extend(plan.targets.iter().map(|selector| selected_id(ruleset, selector)));
        for assign in plan.direct.iter().flat_map(|rule| &rule.assign) {
            if let Assign::Territory(Some(team)) = assign {
                all.push(format!("territory {}", ruleset.organization.team_id(*team)));
            }
        }
    }
    all
}

/// Whom receivers of indirect rules of these plans mean.
fn rolled_selections(ruleset: &Ruleset, plans: &[&Plan]) -> Vec<String> {
    let rules = plans.iter().flat_map(|plan| &plan.indirect);
    let receivers = rules.flat_map(|rule| &rule.receivers);
    receivers.map(|selector| selected_id(ruleset, selector)).collect()
}

/// Whether `word` stands in a text as a word of its own, or as a part of a written text.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text.get(start + found.len()..).and_then(|text| text.chars().next());
        !inside(before) && !inside(after)
    })
}

/// The days on which tables differ that a program names.
fn changed_tables(before: &Ruleset, after: &Ruleset, programs: &[Arc<Program>]) -> Vec<Validity> {
    let reads = |table: &str| programs.iter().any(|one| one.source.contains(table));
    let (old, new) = (&before.tables.lookups, &after.tables.lookups);
    let names: HashSet<&Arc<str>> = old.keys().chain(new.keys()).collect();
    let names = names.into_iter().filter(|name| reads(name));
    names.flat_map(|name| changed_rows(old.get(name), new.get(name))).collect()
}

/// The days of the rows that only one of two tables has.
fn changed_rows(before: Option<&LookupTable>, after: Option<&LookupTable>) -> Vec<Validity> {
    let (Some(before), Some(after)) = (before, after) else { return vec![Validity::default()] };
    if before.shape != after.shape {
        return vec![Validity::default()];
    }

    let rows = |table: &LookupTable| -> HashSet<(Validity, String)> {
        table.rows.iter().map(|row| (row.validity, format!("{row:?}"))).collect()
    };
    let (one, two) = (rows(before), rows(after));
    one.symmetric_difference(&two).map(|(days, _)| *days).collect()
}
