//! Functions that the policies of a directory share: `policies/shared/*.rhai`.
//!
//! Not understanding their text (`script::shared`). Called by `policies`, which puts them before the
//! text of each policy that names them.
//!
//! **Architecture invariant:** a name has one meaning in a directory: what is shared is defined once,
//! and no policy defines it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::report::Findings;
use super::{Files, policy_path};
use accredit_domain::diagnostic::{Code, Diagnostic, Place, TextOrigin};
use accredit_domain::policy::Program;
use accredit_script::shared::{self, DefinedName, SEAM, SEAM_LINES};

/// The folder of shared files under `policies/`.
pub(super) const SHARED: &str = "shared";

/// The shared files of a directory that can be read.
#[derive(Debug, Default)]
pub(super) struct SharedPolicies {
    /// Texts by path.
    texts: BTreeMap<String, Arc<str>>,
    /// What is defined, by name.
    names: BTreeMap<String, DefinedName>,
}

impl SharedPolicies {
    /// Reads every file `policies/shared/NAME.rhai`.
    pub(super) fn read(files: &Files, report: &Findings) -> Self {
        let mut shared = SharedPolicies::default();

        for (path, text) in files {
            if policy_path(path).is_none_or(|(folder, _)| folder != SHARED) {
                continue;
            }

            match shared::read_shared_file(path, text) {
                Ok(defined) => shared.add_file(path, text, defined, report),
                Err(findings) => findings.into_iter().for_each(|finding| report.push(finding)),
            }
        }

        shared
    }

    fn add_file(
        &mut self,
        path: &str,
        text: &Arc<str>,
        defined: Vec<DefinedName>,
        report: &Findings,
    ) {
        let mut twice = false;
        for one in &defined {
            // A file may have functions of one name that take different numbers of arguments.
            if let Some(known) = self.names.get(&one.name) {
                report.push(duplicate_definition(one, known));
                twice = true;
            }
        }

        if !twice {
            self.texts.insert(path.to_owned(), Arc::clone(text));
            self.names.extend(defined.into_iter().map(|one| (one.name.clone(), one)));
        }
    }

    /// Names of the functions.
    pub(super) fn function_names(&self) -> BTreeSet<String> {
        self.names.values().filter(|one| one.function).map(|one| one.name.clone()).collect()
    }

    /// `policy` behind the shared files that it names, and those that they name.
    pub(super) fn with_shared_files(&self, policy: Program, report: &Findings) -> Program {
        if self.names.is_empty() {
            return policy;
        }

        let path = &policy.origin.place.file;
        let mut twice = false;
        for one in shared::defined_names(path, &policy.source) {
            if let Some(known) = self.names.get(&one.name) {
                report.push(duplicate_definition(&one, known));
                twice = true;
            }
        }

        let needed = self.needed_files(&policy.source);
        if twice || needed.is_empty() {
            return policy;
        }

        let (mut source, mut line, mut parts) = (String::new(), 1, Vec::new());
        for (path, text) in self.texts.iter().filter(|(path, _)| needed.contains(path.as_str())) {
            parts.push((line, Place::new(path, 1, 1)));
            source.push_str(text);
            source.push_str(SEAM);
            let breaks = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
            line = breaks.saturating_add(line).saturating_add(SEAM_LINES);
        }
        parts.push((line, policy.origin.place.clone()));
        source.push_str(&policy.source);

        let origin = TextOrigin::of_files(policy.origin.place.clone(), parts);
        Program { source: Arc::from(source), origin, ..policy }
    }

    /// Paths of the files whose names occur in `text`, or in such a file.
    fn needed_files(&self, text: &str) -> BTreeSet<&str> {
        let mut needed = BTreeSet::new();
        let mut texts = vec![text];

        while let Some(text) = texts.pop() {
            let words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
            for known in words.filter_map(|word| self.names.get(word)) {
                let path = known.place.file.as_str();
                if needed.insert(path) {
                    texts.extend(self.texts.get(path).map(AsRef::as_ref));
                }
            }
        }

        needed
    }
}

fn duplicate_definition(one: &DefinedName, known: &DefinedName) -> Diagnostic {
    let message = format!("`{}` is defined twice", one.name);
    let place = &known.place;
    let help = format!("rename it; the other one is in {}, line {}", place.file, place.line);
    Diagnostic::error(Code::CR026, one.place.clone(), message).with_help(help)
}
