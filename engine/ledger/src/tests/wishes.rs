//! Wishes to decide again: widened, restarted, ended; and the states of kept changes.

use super::*;
use crate::changes::{Proposal, ProposalState};
use crate::definitions::{Activation, Effective};
use crate::recredit::{DecisionPins, RecreditRequest};
use crate::terms::ChangeTerms;
use accredit_domain::files::Files;

fn activate(ledger: &Ledger, effective: &str) {
    let effective = Effective::parse(effective).unwrap();
    let ruleset = format!("rs_{effective}");
    let terms = ChangeTerms { effective, ..ChangeTerms::default() };
    let activation = Activation { terms, ruleset, ..Activation::default() };
    ledger.record_activation(&Files::new(), activation).unwrap();
}

#[test]
fn a_wish_is_widened_until_it_is_fulfilled() {
    let cases: [(&[&str], Option<&str>); 7] = [
        (&["now"], None),
        (&["recredit"], Some("recredit")),
        (&["recredit", "now"], Some("recredit")),
        (&["from:2026-02-01", "from:2026-03-01"], Some("from:2026-02-01")),
        (&["from:2026-03-01", "from:2026-02-01"], Some("from:2026-02-01")),
        (&["from:2026-03-01", "recredit"], Some("recredit")),
        (&["recredit", "from:2026-03-01"], Some("recredit")),
    ];
    for (activations, expected) in cases {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        activations.iter().for_each(|effective| activate(&ledger, effective));
        let wish = ledger.pending_recredit().unwrap();
        let effective = wish.as_ref().map(|wish| wish.effective.to_string());
        assert_eq!(effective.as_deref(), expected, "{activations:?}");
        let last = wish.map(|wish| (wish.activation, wish.ruleset, wish.next));
        let newest = format!("rs_{}", activations.last().unwrap());
        let wanted = expected.map(|_| (activations.len() as u64, newest, 0));
        assert_eq!(last, wanted, "by the newest rules, from the start: {activations:?}");
    }
}

/// `recredit` is the wider wish and leaves finalized periods alone: widening `from:` to it forgot
/// the days from which a person had asked for them.
#[test]
fn a_widened_wish_reaches_as_far_back_as_either() {
    let cases: [(&[&str], Option<&str>); 6] = [
        (&["recredit"], None),
        (&["from:2026-02-01"], Some("2026-02-01")),
        (&["from:2026-03-01", "from:2026-02-01"], Some("2026-02-01")),
        (&["from:2026-03-01", "recredit"], Some("2026-03-01")),
        (&["recredit", "from:2026-03-01"], Some("2026-03-01")),
        (&["from:2026-03-01", "recredit", "now"], Some("2026-03-01")),
    ];
    for (activations, expected) in cases {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        activations.iter().for_each(|effective| activate(&ledger, effective));
        let reaching = ledger.pending_recredit().unwrap().unwrap().reaching;
        let reaching = reaching.map(|date| date.to_string());
        assert_eq!(reaching.as_deref(), expected, "{activations:?}");
    }
}

#[test]
fn progress_of_an_older_wish_does_not_count() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    activate(&ledger, "recredit");
    let first = ledger.pending_recredit().unwrap().unwrap();
    activate(&ledger, "now");
    let note = |known: &RecreditRequest, next: Option<u64>| {
        ledger.record_recredit_progress(known, next, 1).unwrap()
    };
    note(&first, None);
    let second = ledger.pending_recredit().unwrap().unwrap();
    assert_eq!((second.activation, second.next), (2, 0));
    let further = RecreditRequest { decided: 3, ..second };
    note(&further, Some(64));
    let further = RecreditRequest { next: 64, ..further };
    assert_eq!(ledger.pending_recredit().unwrap(), Some(further.clone()));
    note(&further, None);
    assert_eq!(ledger.pending_recredit().unwrap(), None);
    assert_eq!(ledger.verified_trail().unwrap().last().unwrap().what, "recredited");
}

#[test]
fn dates_are_covered_from_the_day_itself() {
    let from = Effective::parse("from:2026-02-01").unwrap();
    assert!(from.covers_date(Some(date(2026, 2, 1))) && !from.covers_date(Some(date(2026, 1, 31))));
    assert!(from.covers_date(None), "without a date nobody knows");
    assert!(
        !Effective::Now.covers_date(None) && Effective::Recredit.covers_date(Some(date(1, 1, 1)))
    );
    assert_eq!(Effective::parse("from:"), None);
}

#[test]
fn a_decision_is_stale_when_its_plan_is_another() {
    let plans = |hash: &str| BTreeMap::from([("p".to_owned(), hash.to_owned())]);
    let known = Activation { ruleset: "rs".into(), plans: plans("1"), ..Activation::default() };
    let stale = |wanted: BTreeMap<String, String>, decisions: &[Decision]| {
        DecisionPins::new(std::slice::from_ref(&known), wanted)
            .stale_plans(decisions)
            .into_iter()
            .collect::<Vec<_>>()
    };
    let decided = [decision("D1", DecisionOutcome::Filtered, Vec::new())];
    let none: Vec<String> = Vec::new();
    assert_eq!(stale(plans("1"), &decided), none);
    assert_eq!(stale(plans("2"), &decided), ["p"]);
    assert_eq!(stale(plans("1"), &[]), ["p"], "a plan that is new");
    assert_eq!(stale(BTreeMap::new(), &decided), ["p"], "a plan that is gone");
    let foreign = Decision { ruleset: "other".into(), ..decided[0].clone() };
    assert_eq!(stale(plans("1"), &[foreign]), ["p"], "nobody knows what decided it");
}

#[test]
fn rules_with_credits_are_known() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    for n in 0..130 {
        let id = format!("D{n}");
        let credits = if n == 129 { vec![credit(&id, "ann", 1, "void")] } else { Vec::new() };
        ledger.commit_batch(&work(&id, 1, credits)).unwrap();
    }
    assert!(ledger.has_credits("p", "r", None).unwrap(), "in the last block, and void");
    assert!(ledger.has_credits("p", "r", Some("c")).unwrap());
    assert!(!ledger.has_credits("p", "r", Some("d")).unwrap());
    assert!(!ledger.has_credits("q", "r", None).unwrap());
}

#[test]
fn a_kept_change_keeps_its_texts_and_its_state() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let texts: BTreeMap<String, Option<Arc<str>>> =
        [("a".to_owned(), Some(Arc::from("text"))), ("b".to_owned(), None)].into();
    let terms = ChangeTerms { who: "eva".into(), ..ChangeTerms::default() };
    let kept = ledger.store_proposal(Proposal { terms, ..Proposal::default() }, &texts);
    let mut kept = kept.unwrap();
    assert_eq!((kept.id, ledger.proposal_texts(&kept).unwrap()), (1, texts));
    kept.state = ProposalState::Active;
    ledger.update_proposal(&kept, "ida", "approved", 2).unwrap();
    assert_eq!(ledger.list_proposals().unwrap(), [kept.clone()]);
    assert_eq!(ledger.find_proposal(1).unwrap(), Some(kept));
    let trail: Vec<(String, String)> =
        ledger.verified_trail().unwrap().into_iter().map(|row| (row.who, row.what)).collect();
    let row = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    assert_eq!(trail, [row("eva", "proposed"), row("ida", "approved")]);
}
