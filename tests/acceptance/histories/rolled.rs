//! Changes of how credits roll, of who manages whom and of all else, in a company with several plans that
//! take credits from each other: whatever is kept of a decision, it comes out as a full run decides it.
//! Periods are closed, reopened and finalized in between, credits given and taken back by hand.

use accredit_domain::calendar::PeriodKind;
use accredit_domain::decision::Actor;
use accredit_ledger::definitions::Effective;
use accredit_ledger::runs::RunRules;
use accredit_operations::error::OperationError;
use accredit_operations::manual_credits::{
    self, ManualCreditOrder, ManualCreditSubject, NewCredit,
};
use accredit_operations::verify::{self, VerifyParams};
use accredit_workspace::Files;

use super::company::{Dice, Happening, MONTHS, act, happening, numbers, smallest};
use super::office::{Office, files_of, ruleset_of};

const HISTORIES: u64 = 30;

const SETTINGS: &str = r#"
reason_codes = ["Bonus"]
relationship_types = ["Overlay"]
[workspace]
name = "Rolling"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"

[columns]
hold = "text"
"#;

const SELLERS: &str = r#"
name = "Sellers"
split = "equal"
alerts = ["vacant", "over_maximum"]
policies = { rollup = "share" }

[[direct]]
name = "Booking"
  [[direct.results]]
  name = "Booking credit"
  value = "tx.amount * 1"
  maximum = "700"
  hold = "policy:asked"
  rollable = true
  rollable_on_reporting = true

[[indirect]]
name = "Manager"
relationship = "Reporting"
  [[indirect.results]]
  name = "Manager credit"
  duplicates = 'existing.len() < 4'

[[indirect]]
name = "Specialist"
relationship = "Overlay"
  [[indirect.results]]
  name = "Specialist credit"
  maximum = "60"
"#;

/// Takes the sellers' credits beside its own; what is a duplicate among its own depends on theirs.
const LEADERS: &str = r#"
name = "Leaders"
split = "full"

[[direct]]
name = "Own"
condition = "tx.amount > 100"
  [[direct.results]]
  name = "Own credit"
  value = "tx.amount * 0.5"
  rollable = true
  duplicates = 'existing.len() < 3'

[[indirect]]
name = "Leader"
relationship = "Reporting"
sources = ["sellers", "leaders"]
  [[indirect.results]]
  name = "Leader credit"
  value = "credit.amount * 0.1"
  hold = 'if credit.amount > 20 { hold_indefinitely("large") } else { no_hold() }'
"#;

const HOLD: &str = r#"
fn hold(tx, credit) { if tx["hold"] == "yes" { hold_indefinitely("asked") } else { no_hold() } }
"#;

const PEOPLE: &str = "id,title,manager,from,to\nann,Rep,mia,,\nbob,Rep,mia,,\ncat,Lead,zoe,,2026-04-15\n\
    mia,Manager,zoe,,\nzoe,Head,,,\nsam,Engineer,,,\n";

const WAYS: &str = "type,source,target,from,to\nOverlay,ann,sam,,\nOverlay,mia,sam,2026-03-01,\n";

const ALIASES: &str = "kind,id,alias\nparticipant,ann,Ann Lee\n";

const ROLLUPS: [&str; 5] = [
    "credit.amount * 0.5",
    "if to.level > 1 { () } else { credit.amount * 0.5 }",
    "if (\"\" + credit.amount).ends_with(\"0\") { 1 } else { credit.amount * 0.5 }",
    "if tx.amount > 500 { throw \"too much\"; } credit.amount * 0.5",
    "#{ amount: credit.amount, maximum: 50 }",
];

fn rollup(place: usize, number: usize) -> String {
    let body = ROLLUPS[place].replace("0.5", &format!("0.{number}"));
    format!("fn roll(tx, credit, to, existing) {{ {body} }}\n")
}

fn first_files() -> Files {
    files_of(&[
        ("accredit.toml", SETTINGS.to_owned()),
        ("plans/sellers.toml", SELLERS.to_owned()),
        ("plans/leaders.toml", LEADERS.to_owned()),
        ("policies/hold/asked.rhai", HOLD.to_owned()),
        ("policies/rollup/share.rhai", rollup(0, 5)),
        ("organization/participants.csv", PEOPLE.to_owned()),
        ("organization/relationships.csv", WAYS.to_owned()),
        ("organization/aliases.csv", ALIASES.to_owned()),
    ])
}

/// One file that another administrator might write.
fn candidate(dice: &mut Dice) -> Files {
    let number = 1 + dice.below(9);
    let one = match dice.below(10) {
        0..3 => ("policies/rollup/share.rhai", rollup(dice.below(ROLLUPS.len()), number)),
        3 => {
            let text = SELLERS.replace("maximum = \"60\"", &format!("maximum = \"{number}0\""));
            ("plans/sellers.toml", text)
        }
        4 => {
            let text =
                LEADERS.replace("credit.amount * 0.1", &format!("credit.amount * 0.{number}"));
            ("plans/leaders.toml", text)
        }
        5 => {
            let bosses = dice.of(&["ann,Rep,zoe", "ann,Rep,cat", "ann,Lead,mia", "ann,Rep,"]);
            ("organization/participants.csv", PEOPLE.replace("ann,Rep,mia", bosses))
        }
        6 => {
            let target = dice.of(&["ann,zoe", "ann,mia", "bob,sam"]);
            ("organization/relationships.csv", WAYS.replace("ann,sam", target))
        }
        7 => {
            let alias = dice.of(&["ann,cat", "bob,ann;bob", "mia,Mia"]);
            ("organization/aliases.csv", format!("{ALIASES}participant,{alias}\n"))
        }
        8 => ("plans/sellers.toml", SELLERS.replace("* 1\"", &format!("* 1.{number}\""))),
        _ => {
            let held = format!("tx.amount > {number}00");
            ("policies/hold/asked.rhai", HOLD.replace("tx[\"hold\"] == \"yes\"", &held))
        }
    };
    files_of(&[one])
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Happens(Happening),
    Gives(&'static str, &'static str, i64),
    TakesBack(usize),
    Changes(Files, Effective),
    Runs(&'static str, &'static str),
}

fn history(seed: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let mut steps = Vec::new();
    for _ in 0..12 + dice.below(24) {
        let plan = *["sellers", "leaders"].get(dice.below(2)).unwrap();
        let month = MONTHS[dice.below(MONTHS.len())];
        steps.push(match dice.below(16) {
            0..3 => Step::Changes(candidate(&mut dice), Effective::Recredit),
            3 => {
                let words = ["now", "from:2026-01-01", "from:2026-02-10", "from:2026-04-01"];
                Step::Changes(candidate(&mut dice), Effective::parse(dice.of(&words)).unwrap())
            }
            4 => Step::Gives(plan, month, dice.below(90_000) as i64 - 30_000),
            5 => Step::TakesBack(dice.below(4)),
            6 => Step::Runs(plan, month),
            _ => match happening(&mut dice) {
                // The plans of this company are not paid.
                Happening::Confirm(..) => Step::Runs(plan, month),
                // Entries that were posted behind a closed period stay there when it is reopened, until
                // their deal is decided again.
                Happening::Reopen(_) => Step::Runs(plan, month),
                other => Step::Happens(other),
            },
        });
    }
    steps.push(Step::Changes(candidate(&mut dice), Effective::Recredit));
    steps
}

fn order(subject: ManualCreditSubject) -> ManualCreditOrder {
    let by = Actor { who: "test".to_owned(), approved: None };
    let reason_code = "Bonus".to_owned();
    ManualCreditOrder { subject, reason_code, comment: None, request_key: None, by }
}

fn give(office: &Office, (plan, month, cents): (&str, &str, i64)) {
    let credit = NewCredit {
        payee: Some(["ann", "bob", "mia"][cents.unsigned_abs() as usize % 3].to_owned()),
        position: None,
        plan: plan.to_owned(),
        period: Some(month.to_owned()),
        incentive_date: None,
        credit_type: None,
        amount: rust_decimal::Decimal::new(cents, 2),
        unit_type: None,
        rolls_up: cents % 2 == 0,
    };
    given(manual_credits::add_credit(&office.context, order(ManualCreditSubject::New(credit))));
}

fn take_back(office: &Office, nth: usize) {
    let known = office.context.ledger.manual_credits().unwrap();
    let given: Vec<_> = known.iter().filter(|one| one.reverses.is_none()).collect();
    let Some(one) = given.get(nth % given.len().max(1)) else { return };
    let subject = ManualCreditSubject::Reversal(one.entry.to_string());
    self::given(manual_credits::add_credit(&office.context, order(subject)));
}

/// An act that rules or periods may refuse.
fn given<T>(result: Result<T, OperationError>) {
    match result {
        Ok(_)
        | Err(
            OperationError::Conflict(_) | OperationError::NotFound(_) | OperationError::Invalid(_),
        ) => (),
        Err(error) => panic!("{error:?}"),
    }
}

/// Whether what an activation asked for is done: but for finalized periods everything is what the rules in
/// force decide.
fn all_is_by_rules_in_force(office: &Office) -> Result<(), String> {
    let ruleset = office.context.ruleset.load_full();
    let locked = office.context.ledger.locked_periods().unwrap();
    office.check_rules_in_force(&|decision| {
        let dates = decision.credits.iter().map(|row| row.incentive_date);
        let own =
            dates.filter_map(|date| ruleset.settings.calendar.period_on(date, PeriodKind::Leaf));
        let mut own = own.map(|period| period.id).chain(decision.period);
        own.any(|own| locked.finalized.contains(&own)) || decision.period.is_none()
    })
}

/// Everything recorded comes out alike where it is decided in full.
fn is_as_decided_in_full(office: &Office) -> Result<(), String> {
    let verified = verify::verify_decisions(&office.context.ledger, &VerifyParams::default());
    let verified = verified.unwrap();
    match (verified.differing, verified.damage.is_empty()) {
        (0, true) => Ok(()),
        _ => Err(format!("{:#?}\n{:#?}", verified.differences, verified.damage)),
    }
}

fn check(steps: &[Step]) -> Result<(), String> {
    let mut office = Office::open(&ruleset_of(&first_files()));
    for step in steps {
        match step {
            Step::Happens(one) => act(&mut office, one),
            Step::Gives(plan, month, cents) => give(&office, (plan, month, *cents)),
            Step::TakesBack(nth) => take_back(&office, *nth),
            Step::Runs(plan, month) => {
                office.run(plan, month, "incremental", Some(RunRules::InForce));
            }
            Step::Changes(files, effective) => {
                let changed = office.change(files, *effective);
                if changed && *effective == Effective::Recredit {
                    all_is_by_rules_in_force(&office)?;
                }
            }
        }
        is_as_decided_in_full(&office).map_err(|how| format!("{step:?}: {how}"))?;
    }
    Ok(())
}

#[test]
fn what_is_kept_of_a_decision_is_what_a_full_run_would_decide() {
    for seed in numbers(HISTORIES) {
        if let Some((steps, how)) = smallest(&history(seed), check) {
            panic!("ACCREDIT_SEED={seed} ACCREDIT_HISTORIES=1\n{steps:#?}\n{how}");
        }
    }
}
