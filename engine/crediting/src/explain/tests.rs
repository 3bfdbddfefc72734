//! What an explanation shows: the policy that refused with its line, a condition in rows with its
//! values, and each step once.

use std::sync::Arc;

use super::*;
use accredit_domain::transaction::{Decoder, read};
use accredit_workspace::Files;

const SETTINGS: &str = "credit_types = [\"booking\"]\n[workspace]\nname = \"A\"\n[fields]\n\
    id = \"id\"\ndate = \"day\"\namount = \"amount\"\nowner = \"owner\"\n[columns]\n\
    stage = \"text\"\n";
const PEOPLE: &str = "id,name,title,manager\nann,Ann,Rep,mia\nmia,Mia,Manager,zoe\n\
    zoe,Zoe,Chief,\n";
const SMALL: &str = "// Small deals are nobody's.\nfn credit(tx) {\n    \
    if tx.amount < 10 { return (); }\n    tx.default_credit\n}\n";
const SHALLOW: &str = "fn roll(tx, credit, to, existing) {\n    if to.level > 1 {\n        \
    return;\n    }\n    credit.amount\n}\n";

const REPS: &str = "name = \"Reps\"\ntargets = [\"title:Rep\"]\n[[direct]]\nname = \"Booking\"\n\
    #direct\n[[direct.results]]\nname = \"C\"\ncredit_type = \"booking\"\nrollable = true\n#result\n";
const CHAIN: &str = "name = \"Chain\"\n[[indirect]]\nname = \"Up\"\nrelationship = \"Reporting\"\n\
    sources = [\"reps\"]\n#indirect\n[[indirect.results]]\nname = \"M\"\nvalue = \"policy:shallow\"\n";

fn ruleset(changes: &[(&str, &str)]) -> Ruleset {
    let changed = |text: &str| {
        changes.iter().fold(text.to_owned(), |text, (from, to)| text.replacen(from, to, 1))
    };
    let files = [
        ("accredit.toml", SETTINGS.to_owned()),
        ("organization/participants.csv", PEOPLE.to_owned()),
        ("plans/reps.toml", changed(REPS)),
        ("plans/chain.toml", changed(CHAIN)),
        ("policies/crediting/small.rhai", SMALL.to_owned()),
        ("policies/rollup/shallow.rhai", SHALLOW.to_owned()),
    ];
    let files: Files = files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| unreachable!("{findings:?}"))
}

fn deal(ruleset: &Ruleset, row: &str) -> Arc<Transaction> {
    let records = read::read_csv(format!("id,day,amount,owner,stage\n{row}\n").as_bytes()).unwrap();
    Arc::new(Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&records[0]))
}

fn explained(changes: &[(&str, &str)], plan: &str, row: &str) -> Explanation {
    let ruleset = ruleset(changes);
    let mut machine = Machine::new(&ruleset.programs);
    let plan = &ruleset.plans[plan];
    explain_in_plan(&ruleset, plan, &deal(&ruleset, row), &DecisionInputs::default(), &mut machine)
}

fn why(changes: &[(&str, &str)], plan: &str, row: &str, payee: &str) -> WhyNot {
    let ruleset = ruleset(changes);
    let mut machine = Machine::new(&ruleset.programs);
    let plan = &ruleset.plans[plan];
    explain_plan_for_payee(
        &ruleset,
        plan,
        &deal(&ruleset, row),
        &DecisionInputs::default(),
        &mut machine,
        payee,
    )
}

/// A crediting policy that returned `()` was explained as "the policy credits nobody": neither
/// which policy, nor where in it, nor what it had seen.
#[test]
fn a_policy_that_names_nobody_is_shown_with_its_line_and_values() {
    let policy = [("#direct", "assign = \"policy:small\"")];
    let row = "D1,2026-01-05,5,ann,Won";
    let why = why(&policy, "reps", row, "ann");
    let found = why.findings.first().unwrap();
    let site = "policy crediting/small, line 3, tx.amount = 5";
    assert!(found.message.ends_with(site), "{}", found.message);
    assert_eq!(found.policy.as_deref(), Some("crediting/small"));
    assert_eq!(found.file.as_deref(), Some("policies/crediting/small.rhai"));
    assert_eq!(found.line, Some(3));
    assert_eq!(found.seen["tx.amount"], "5");

    let explained = explained(&policy, "reps", row);
    assert!(explained.steps.iter().any(|step| step.message.ends_with(site)));
    let note = explained.reasons.first().unwrap();
    assert_eq!(note.policy.as_deref(), Some("crediting/small"));
    assert_eq!((note.file.as_deref(), note.line), (found.file.as_deref(), Some(3)));
}

/// The same of a rollup policy, which leaves with a bare `return`.
#[test]
fn a_rollup_policy_that_gives_nothing_is_shown_with_its_line_and_values() {
    let why = why(&[], "chain", "D1,2026-01-05,100,ann,Won", "zoe");
    let found = why.findings.iter().find(|one| one.code == "nothing").unwrap();
    let site = "policy rollup/shallow, line 3, to.level = 2";
    assert!(found.message.contains(site), "{}", found.message);
    assert_eq!((found.policy.as_deref(), found.line), (Some("rollup/shallow"), Some(3)));
}

/// A condition in rows was told as "its condition is false", and of `contains` no value was shown.
#[test]
fn a_condition_in_rows_shows_the_values_seen() {
    let rows = "condition = [{ if = \"stage\", is = \"contains\", value = \"Won\" }, \
                { and = \"amount\", is = \">\", value = \"10\" }]";
    let row = "D1,2026-01-05,50,ann,Lost";
    let why = why(&[("#direct", rows)], "reps", row, "ann");
    let found = why.findings.first().unwrap();
    assert_eq!(found.code, "condition");
    assert_eq!(found.seen["tx[\"stage\"]"], "\"Lost\"", "{found:?}");
    assert!(found.message.contains("is false (tx[\"stage\"] = \"Lost\""), "{}", found.message);
}

/// A plan that only takes credits from another said whom they reach, and before it that there are
/// none that roll; what was recorded as a reason and as a warning was shown twice.
#[test]
fn a_chain_is_explained_without_contradiction_and_each_step_once() {
    let explained = explained(&[], "chain", "D1,2026-01-05,100,ann,Won");
    let messages: Vec<&str> = explained.steps.iter().map(|step| step.message.as_str()).collect();
    assert!(messages.iter().any(|message| message.contains("reaches `mia`, `zoe`")));
    assert!(!messages.iter().any(|message| message.contains("none that rolls")), "{messages:?}");
    let once: BTreeSet<&&str> = messages.iter().collect();
    assert_eq!(once.len(), messages.len(), "{messages:?}");

    let blank = self::explained(&[], "reps", "D1,2026-01-05,100,,Won");
    let blank: Vec<&str> = blank.steps.iter().map(|step| step.message.as_str()).collect();
    assert_eq!(blank.iter().filter(|message| message.contains("is blank")).count(), 1, "{blank:?}");

    let still = self::explained(&[("rollable = true", "")], "chain", "D1,2026-01-05,100,ann,Won");
    assert_eq!(still.outcome, DecisionOutcome::Uncredited);
    assert!(still.reasons[0].message.contains("none that rolls"));
    let refused = [("#indirect", "condition = \"tx.amount > 500\"")];
    let refused = self::explained(&refused, "chain", "D1,2026-01-05,100,ann,Won");
    assert_eq!(refused.reasons.len(), 1, "an uncredited deal has a reason");
    assert!(!refused.reasons[0].message.contains("none that rolls"));
}

/// A manager whom the credit reaches, and for whom there is no rule, has to be told from one who
/// got something.
#[test]
fn a_receiver_without_a_rule_is_told() {
    let mia_alone = [("#indirect", "receivers = [\"title:Manager\"]")];
    let explained = explained(&mia_alone, "chain", "D1,2026-01-05,100,ann,Won");
    let messages: Vec<&str> = explained.steps.iter().map(|step| step.message.as_str()).collect();
    let without: Vec<&&str> =
        messages.iter().filter(|message| message.ends_with("has no rule for it")).collect();
    assert_eq!(without, [&"`zoe` is reached and has no rule for it"], "{messages:?}");
}
