//! Changed policies and expressions: each is refused with a finding in its text, or answers alike
//! compiled and interpreted.
//!
//! Generated programs are in `compiled`; these begin with what people write. Called by nobody.

use std::path::Path;

use accredit_domain::diagnostic::Diagnostic;
use accredit_fuzz::{Mutator, fuzz_target, texts_below};

use super::compiled::COMPILED;
use super::*;

/// Kinds of policies that decide about a deal.
const KINDS: [PolicyKind; 5] = [
    PolicyKind::Filter,
    PolicyKind::Crediting,
    PolicyKind::Hold,
    PolicyKind::Duplication,
    PolicyKind::Rollup,
];

/// Checks a program and, where nothing is wrong with it, runs it both ways: the comparison is in `run`.
fn check_and_run(form: ProgramForm, source: &str) {
    let known = CheckContext { open: true, ..known() };
    let findings = crate::check(&program(form, source), &known);
    // To Rhai a carriage return alone ends a line.
    let lines = source.split(['\n', '\r']).count();
    for finding in &findings {
        let line = usize::try_from(finding.place.line).unwrap();
        assert!(line <= lines && !finding.message.is_empty(), "{finding:?} in {source}");
    }
    if !findings.iter().any(Diagnostic::is_error) {
        let _answer = run(form, source);
    }
}

#[test]
fn a_changed_policy_is_refused_or_answers_alike_both_ways() {
    let seeds = KINDS.map(|kind| {
        let folder = format!("scripts/{}", kind.as_str());
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&folder).is_dir());
        let mut texts = texts_below(&folder, ".rhai");
        if kind == PolicyKind::Crediting {
            texts.extend(COMPILED.iter().map(|text| (*text).to_owned()));
        }
        (kind, texts)
    });
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let (kind, texts) = mutator.choices.one_of(&seeds);
        let source = mutator.changed_text(texts);
        check_and_run(ProgramForm::Policy(*kind), &source);
    });
}

#[test]
fn a_changed_expression_is_refused_or_answers_alike_both_ways() {
    const SEEDS: &[&str] = &[
        "tx.amount * 0.1",
        "tx.amount > 1000 && tx[\"deal_stage\"] == \"Won\"",
        "if tx.amount >= 1000 { tx.amount * 0.05 } else { 0 }",
        "min(tx.amount, 5000) - 10 / 4",
        "tx[\"deal_stage\"] in [\"Won\", \"Paid\"]",
        "`${tx.customer} ${tx.date.year}`",
        "switch tx.customer { \"Acme\" => 1, _ => 2.5 }",
    ];
    let uses = [ExpressionUse::Condition, ExpressionUse::Value, ExpressionUse::Maximum];
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let place = *mutator.choices.one_of(&uses);
        let source = mutator.changed_text(SEEDS);
        check_and_run(ProgramForm::Expression(place), &source);
    });
}
