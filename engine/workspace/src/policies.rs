//! Policies by name: those of the customer's `policies/` and those of the standard library.
//!
//! Not running them, and not judging their text: `script::check` does. Called by `settings`, `plan`
//! and `setting`, which resolve names to programs.
//!
//! **Architecture invariant:** a policy becomes a program under its own kind only; a plan cannot
//! use a hold policy where a rollup policy belongs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::limits;
use super::report::Findings;
use super::shared::{SHARED, SharedPolicies};
use super::{Files, policy_path};
use accredit_domain::diagnostic::{Code, Diagnostic, Place, TextOrigin, did_you_mean};
use accredit_domain::keys::PlanKey;
use accredit_domain::plan::Plan;
use accredit_domain::policy::{
    ExpressionUse, PolicyKind, Program, ProgramForm, ProgramId, Programs,
};
use accredit_script::{CheckContext, check};
use accredit_script::{constants, library};

/// The prefix of the name of a standard policy.
pub(super) const STANDARD: &str = "standard/";

/// Programs so far, and the directory's policies among them.
#[derive(Debug, Default)]
pub(super) struct Policies {
    programs: RefCell<Programs>,
    directory: BTreeMap<(PolicyKind, String), ProgramId>,
    /// Functions of `policies/shared/`.
    functions: BTreeSet<String>,
}

impl Policies {
    /// Reads every file `policies/<kind>/<stem>.rhai`.
    pub(super) fn read(files: &Files, report: &Findings) -> Self {
        let shared = SharedPolicies::read(files, report);
        let functions = shared.function_names();
        let mut policies = Policies { functions, ..Policies::default() };

        for (path, text) in files {
            let Some((folder, stem)) = policy_path(path) else { continue };
            if folder == SHARED {
                continue;
            }
            let Some(kind) = PolicyKind::parse(folder) else {
                let message = format!("`{folder}` is not a kind of policy");
                let help = did_you_mean(folder, PolicyKind::ALL.map(PolicyKind::as_str))
                    .unwrap_or_else(|| {
                        format!("known: {}", PolicyKind::ALL.map(PolicyKind::as_str).join(", "))
                    });
                report.error(Code::CR024, Place::whole_file(path), message, &help);
                continue;
            };

            let program = Program {
                form: ProgramForm::Policy(kind),
                source: Arc::clone(text),
                name: Arc::from(format!("{}/{stem}", kind.as_str())),
                origin: Place::new(path, 1, 1).into(),
                constants: Vec::new(),
            };
            let program = shared.with_shared_files(program, report);

            let id = policies.add(program);
            policies.directory.insert((kind, stem.to_owned()), id);
        }

        policies
    }

    /// Adds a program, which is checked when all are read.
    pub(super) fn add(&self, program: Program) -> ProgramId {
        self.programs.borrow_mut().add(program)
    }

    /// Adds an expression, checked like a policy.
    pub(super) fn add_expression(
        &self,
        place: ExpressionUse,
        source: &str,
        origin: TextOrigin,
    ) -> ProgramId {
        let form = ProgramForm::Expression(place);
        let (source, name) = (Arc::from(source), Arc::from(""));
        self.add(Program { form, source, name, origin, constants: Vec::new() })
    }

    /// The policy `name` of `kind`, with the constants that stand in brackets behind it; an unknown
    /// one, or one that they do not fit, is reported at `place`.
    pub(super) fn find_policy(
        &self,
        report: &Findings,
        kind: PolicyKind,
        (name, place): (&str, &Place),
    ) -> Option<ProgramId> {
        let Some((name, rest)) = name.split_once('(') else {
            return self.find_by_name(report, kind, (name, place));
        };
        let name = name.trim();
        let found = self.find_by_name(report, kind, (name, place))?;
        let fail = |(message, help): (String, String)| {
            report.push(Diagnostic::error(Code::CR093, place.clone(), message).with_help(help));
        };
        let Some(text) = rest.trim_end().strip_suffix(')') else {
            let message = format!("the constants after `{name}` have no closing bracket");
            fail((message, format!("write `{name}(0.375)`")));
            return None;
        };

        let policy = self.programs.borrow().get(found).cloned()?;
        match constants::parse_constants(&policy, text) {
            Ok(constants) if constants.is_empty() => Some(found),
            Ok(constants) => {
                let called = Arc::from(format!("{}({})", policy.name, text.trim()));
                Some(self.add(Program { constants, name: called, ..(*policy).clone() }))
            }
            Err(wrong) => {
                fail(wrong);
                None
            }
        }
    }

    /// The policy `name` of `kind` as it is written; an unknown one is reported at `place`.
    fn find_by_name(
        &self,
        report: &Findings,
        kind: PolicyKind,
        (name, place): (&str, &Place),
    ) -> Option<ProgramId> {
        if let Some(standard) = name.strip_prefix(STANDARD) {
            if let Some(source) = library::find_standard_source(kind, standard) {
                // Added at each use: a library policy belongs to the hash only where it is used.
                return Some(
                    self.add(Program {
                        form: ProgramForm::Policy(kind),
                        source: Arc::from(source),
                        name: Arc::from(format!("{}/{name}", kind.as_str())),
                        origin: Place::new(
                            format!("scripts/{}/{standard}.rhai", kind.as_str()),
                            1,
                            1,
                        )
                        .into(),
                        constants: Vec::new(),
                    }),
                );
            }
        } else if let Some(known) = self.directory.get(&(kind, name.to_owned())) {
            return Some(*known);
        }

        let message = format!("there is no {} policy `{name}`", kind.as_str());
        let unknown = Diagnostic::error(Code::CR025, place.clone(), message);
        report.push(unknown.with_help(self.unknown_policy_help(kind, name)));
        None
    }

    fn unknown_policy_help(&self, kind: PolicyKind, name: &str) -> String {
        let own = self.directory.keys();
        // A policy of another kind with this name is more likely meant than one that is spelt
        // alike.
        if let Some((other, _)) = own.clone().find(|(_, known)| known == name) {
            return format!(
                "`{name}` is a {} policy; a {} policy stands in policies/{}/",
                other.as_str(),
                kind.as_str(),
                kind.as_str()
            );
        }

        let own = own.filter(|(known, _)| *known == kind).map(|(_, name)| name.clone());
        let standard = library::LIBRARY.iter().filter(|(known, ..)| *known == kind);
        let standard = standard.map(|(_, name, _)| format!("{STANDARD}{name}"));
        let known: Vec<String> = own.chain(standard).collect();

        did_you_mean(name, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("write it as policies/{}/{name}.rhai", kind.as_str()))
    }

    /// Names of the functions that policies share.
    pub(super) fn shared_functions(&self) -> BTreeSet<String> {
        self.functions.clone()
    }

    /// The programs, and the directory's policies.
    pub(super) fn finish(self) -> (Programs, BTreeMap<(PolicyKind, String), ProgramId>) {
        (self.programs.into_inner(), self.directory)
    }
}

/// Checks every program against what is known of the workspace.
pub(super) fn check_programs(
    programs: &Programs,
    plans: &BTreeMap<PlanKey, Plan>,
    known: CheckContext,
    report: &Findings,
) {
    let strict = plans.values().filter(|plan| plan.require_total_one);
    let strict: BTreeSet<ProgramId> = strict.flat_map(Plan::crediting_policies).collect();
    let total_one = CheckContext { total_one: true, ..known.clone() };

    for (id, program) in programs.iter() {
        if !limits::may_continue(report, &program.origin.place) {
            return;
        }
        let known = if strict.contains(&id) { &total_one } else { &known };
        check(program, known).into_iter().for_each(|found| report.push(found));
    }
}
