//! Words for the parts of a plan: dates, selections of people, programs.
//!
//! Not whole sections. Called by all of them.

use accredit_domain::calendar::Validity;
use accredit_domain::hold::Hold;
use accredit_domain::organization::{ParticipantId, fold_name};
use accredit_domain::plan::{Plan, Selector};
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, ProgramId};
use accredit_script::check::program_in_words;
use accredit_script::library;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

/// A plan with the ruleset that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Wording<'a> {
    /// The ruleset.
    pub(super) ruleset: &'a Ruleset,
    /// The plan.
    pub(super) plan: &'a Plan,
}

/// The days of a validity: "from 2026-01-01 to 2026-12-31".
pub(super) fn validity_words(validity: Validity) -> String {
    let last = validity.until.and_then(|until| until.yesterday().ok());
    match (validity.from, last) {
        (None, None) => "on any day".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(last)) => format!("until {last}"),
        (Some(from), Some(last)) => format!("from {from} to {last}"),
    }
}

/// The same for a sentence that says nothing where there is no limit: ", from 2026-01-01".
pub(super) fn limited_to(validity: Validity) -> String {
    match (validity.from, validity.until) {
        (None, None) => String::new(),
        _ => format!(", {}", validity_words(validity)),
    }
}

/// A rate as a share: 0.1 is "10 %"; from 1 on it is an amount for each unit.
pub(super) fn rate_words(rate: Decimal) -> String {
    let percent = rate.checked_mul(Decimal::ONE_HUNDRED).filter(|_| rate.abs() <= Decimal::ONE);
    percent.map_or_else(|| rate.normalize().to_string(), percent_words)
}

/// A number of percent, without zeros at its end.
pub(super) fn percent_words(percent: Decimal) -> String {
    format!("{} %", percent.normalize())
}

/// Names one after the other: "a, b and c".
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

impl<'a> Wording<'a> {
    /// The program with this number.
    pub(super) fn program(self, id: ProgramId) -> Option<&'a Program> {
        self.ruleset.programs.get(id).map(AsRef::as_ref)
    }

    /// A condition, for behind "if".
    pub(super) fn condition(self, id: ProgramId) -> String {
        let Some(program) = self.program(id) else { return String::new() };
        match program.form {
            ProgramForm::Policy(_) => format!("the policy {} says so", policy_name(program)),
            ProgramForm::Expression(_) => expression(program),
        }
    }

    /// A value: an expression in words or as it is written, or a policy.
    pub(super) fn value(self, id: ProgramId) -> String {
        let Some(program) = self.program(id) else { return String::new() };
        match program.form {
            ProgramForm::Policy(_) => format!("what the policy {} gives", policy_name(program)),
            ProgramForm::Expression(_) => expression(program),
        }
    }

    /// What the author of a policy says in its first comment: the first sentence, and the lines
    /// "Needs:" and "Example:".
    pub(super) fn author_words(self, program: &Program) -> Vec<String> {
        let ProgramForm::Policy(kind) = program.form else { return Vec::new() };
        let lines = self.policy_text(kind, program).unwrap_or_default().lines();
        let comment = lines.skip_while(|line| !line.starts_with("///"));
        let comment = comment.map_while(|line| line.strip_prefix("///")).map(str::trim);

        // A paragraph ends at a blank line or where another word with a colon begins.
        let mut paragraphs: Vec<String> = Vec::new();
        let mut open = false;
        for line in comment {
            let begins = ["Needs:", "Example:"].iter().any(|word| line.starts_with(word));
            match paragraphs.last_mut() {
                _ if line.is_empty() => open = false,
                Some(last) if open && !begins => *last = format!("{last} {line}"),
                _ => {
                    paragraphs.push(line.to_owned());
                    open = true;
                }
            }
        }

        let kept = paragraphs.into_iter().enumerate().filter_map(|(index, paragraph)| {
            let named = ["Needs:", "Example:"].iter().any(|word| paragraph.starts_with(word));
            let first = paragraph.split_inclusive(". ").next().map(|first| first.trim().to_owned());
            if named { Some(paragraph) } else { first.filter(|_| index == 0) }
        });
        kept.collect()
    }

    fn policy_text(self, kind: PolicyKind, program: &Program) -> Option<&'a str> {
        let name = program.name.strip_prefix(kind.as_str())?.strip_prefix('/')?;
        match name.strip_prefix("standard/") {
            Some(standard) => library::find_standard_source(kind, standard),
            None => {
                let path = format!("policies/{}/{name}.rhai", kind.as_str());
                self.ruleset.files.get(&path).map(AsRef::as_ref)
            }
        }
    }

    /// People or teams that a selection means.
    pub(super) fn selection(self, selectors: &[Selector]) -> String {
        let all = selectors.iter().map(|selector| self.selector(selector));
        listed(&all.collect::<Vec<_>>())
    }

    /// One selection.
    pub(super) fn selector(self, selector: &Selector) -> String {
        let organization = &self.ruleset.organization;
        match selector {
            Selector::All => "everyone".to_owned(),
            Selector::Title(folded) => format!("the title {}", self.title_as_written(folded)),
            Selector::Position(position) => {
                format!("the position {}", organization.position_id(*position))
            }
            Selector::Participant(person) => self.person(*person),
            Selector::Team(team) => format!("the team {}", organization.team_id(*team)),
        }
    }

    fn title_as_written(self, folded: &str) -> String {
        let positions = self.ruleset.organization.positions();
        let mut versions = positions.flat_map(|(_, position)| &position.versions);
        let found = versions.find(|version| fold_name(&version.title) == *folded);
        found.map_or_else(|| folded.to_owned(), |version| version.title.to_string())
    }

    /// A person by name and id.
    pub(super) fn person(self, person: ParticipantId) -> String {
        let organization = &self.ruleset.organization;
        let (name, id) =
            (organization.participant_name(person), organization.participant_id(person));
        if name.is_empty() || *name == *id { id.to_string() } else { format!("{name} ({id})") }
    }

    /// How long a credit waits.
    pub(super) fn hold(self, hold: &Hold) -> String {
        match hold {
            Hold::None => "not at all".to_owned(),
            Hold::Until(day) => format!("until {day}"),
            Hold::UntilPeriod(id) => format!("until the period {id} begins"),
            Hold::Next(kind) => format!("until the next {} begins", kind.name()),
            Hold::Indefinitely(reason) if reason.is_empty() => {
                "until a person releases it".to_owned()
            }
            Hold::Indefinitely(reason) => format!("until a person releases it ({reason})"),
            Hold::For(length) => {
                use accredit_domain::calendar::HoldLength::{Days, Months};
                match length {
                    Days(days) => format!("for {days} days"),
                    Months(months) => format!("for {months} months"),
                }
            }
        }
    }
}

/// An expression in words, or as it is written.
fn expression(program: &Program) -> String {
    program_in_words(program).unwrap_or_else(|| format!("`{}`", program.source.trim()))
}

/// A policy by its name, with the constants that the plan sets.
pub(super) fn policy_name(program: &Program) -> String {
    let set = program.constants.iter();
    let set: Vec<String> =
        set.map(|constant| format!("{} = {}", constant.name, constant.literal)).collect();
    let with = if set.is_empty() { String::new() } else { format!(" with {}", listed(&set)) };
    format!("`{}`{with}", program.name)
}
