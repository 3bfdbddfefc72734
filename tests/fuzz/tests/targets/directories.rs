//! A customer's directory, its case files, and what an editor asks about it.
//!
//! **Architecture invariant:** a directory that is wrong is told of with a place in one of its files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_cases::{CaseOptions, parse_case_file, run_case_files};
use accredit_domain::diagnostic::{Diagnostic, Place};
use accredit_editor::EditorWorkspace;
use accredit_editor::complete::complete;
use accredit_editor::definition::definition;
use accredit_editor::hover::hover;
use accredit_editor::text::TextPosition;
use accredit_fuzz::{Mutator, directory_files, fuzz_target, texts_below};
use accredit_workspace::{Files, Ruleset};

const TEMPLATES: &[&str] =
    &["scripts/templates/saas", "scripts/templates/insurance", "scripts/templates/manufacturer"];

/// The directories of the templates; each policy of the library may stand in for one of theirs.
struct Directories {
    templates: Vec<BTreeMap<String, String>>,
    /// Texts by the ending of their files, parts of which get into others.
    texts: BTreeMap<&'static str, Vec<String>>,
}

impl Directories {
    fn read() -> Directories {
        let texts = [".toml", ".csv", ".rhai"].map(|ending| {
            let folder = if ending == ".rhai" { "scripts" } else { "scripts/templates" };
            (ending, texts_below(folder, ending))
        });
        Directories {
            templates: TEMPLATES.iter().map(|folder| directory_files(folder)).collect(),
            texts: texts.into(),
        }
    }

    /// A directory with one changed file, and the path of that.
    fn changed(&self, mutator: &mut Mutator<'_>) -> (Files, String) {
        let template = mutator.choices.one_of(&self.templates);
        let paths: Vec<&String> = template.keys().collect();
        let path = (*mutator.choices.one_of(&paths)).clone();

        let (_, kind) = path.rsplit_once('.').unwrap();
        let others = &self.texts[format!(".{kind}").as_str()];
        let other = mutator.choices.one_of(others).clone();
        let changed =
            mutator.changed_text(&[template[&path].clone(), template[&path].clone(), other]);

        let mut files: Files =
            template.iter().map(|(path, text)| (path.clone(), Arc::from(text.as_str()))).collect();
        files.insert(path.clone(), Arc::from(changed));
        (files, path)
    }
}

/// A finding is in a file that is there, on a line of it, and says something.
fn check_finding(files: &Files, finding: &Diagnostic) {
    let Place { file, line, .. } = &finding.place;
    assert!(!finding.message.is_empty(), "{finding:?}");
    if let Some(text) = files.get(file) {
        // To Rhai a carriage return alone ends a line.
        let lines = text.split(['\n', '\r']).count();
        assert!(usize::try_from(*line).unwrap() <= lines, "{finding:?} in {lines} lines");
    }
}

#[test]
fn a_changed_directory_is_a_ruleset_or_findings() {
    let directories = Directories::read();
    fuzz_target!(|bytes: &[u8]| {
        let (files, path) = directories.changed(&mut Mutator::new(bytes));
        let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
        let is_refused = findings.iter().any(Diagnostic::is_error);
        assert_eq!(ruleset.is_none(), is_refused, "{path}: {findings:?}");
        findings.iter().for_each(|finding| check_finding(&files, finding));

        // The same files are the same rules.
        let (again, repeated) = Ruleset::read(&files, &BTreeSet::new());
        assert_eq!(again.map(|it| it.hash), ruleset.map(|it| it.hash), "{path}");
        assert_eq!(repeated, findings, "{path}");
    });
}

#[test]
fn an_editor_is_answered_at_any_place_of_a_changed_file() {
    let directories = Directories::read();
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let line = 1 + u32::try_from(mutator.choices.below(80)).unwrap();
        let column = 1 + u32::try_from(mutator.choices.below(90)).unwrap();
        let (files, path) = directories.changed(&mut mutator);
        let workspace = EditorWorkspace { files, columns: BTreeSet::new(), connectors: &[] };

        let at = TextPosition { line, column };
        for proposal in complete(&workspace, &path, at) {
            assert!(!proposal.label.is_empty(), "{path}, {line}:{column}");
        }
        let _page = hover(&workspace, &path, at);
        if let Some(site) = definition(&workspace, &path, at) {
            assert!(workspace.files.contains_key(&site.file), "{}", site.file);
        }
    });
}

#[test]
fn a_changed_case_file_is_run_or_refused() {
    let seeds = texts_below("scripts", ".cases.md");
    fuzz_target!(|bytes: &[u8]| {
        let text = Mutator::new(bytes).changed_text(&seeds);
        let parsed = parse_case_file("changed.cases.md", &text);
        if let Err(findings) = &parsed {
            assert!(!findings.is_empty());
            let lines = text.split('\n').count();
            let is_inside =
                |finding: &Diagnostic| usize::try_from(finding.place.line).unwrap() <= lines.max(1);
            assert!(findings.iter().all(is_inside), "{findings:?}");
        }

        let options = CaseOptions { threads: 1, ..CaseOptions::default() };
        let run = run_case_files(&Files::new(), &[("changed.cases.md", &text)], &options);
        assert_eq!(run.files.len(), 1);
        assert!(run.files[0].outcomes.is_err() || parsed.is_ok(), "a refused file ran");
    });
}
