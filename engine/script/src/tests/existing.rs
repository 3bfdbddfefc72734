//! What programs see as `existing`.

use accredit_domain::credit::{Credit, CreditStatus};
use accredit_domain::policy::{PolicyKind, ProgramForm, Programs};
use rust_decimal::Decimal;

use super::{credit, program, seen, transaction};
use crate::{ExistingCredits, Machine, ScriptAnswer, ScriptArguments, SharedCredits};

const SUM: &str = "fn allow_duplicate(tx, credit, existing) {
    let sum = 0;
    for other in existing { sum += other.amount; }
    sum == credit.amount
}";

fn of_amount(amount: i64, status: CreditStatus) -> Credit {
    Credit { amount: Decimal::from(amount), status, ..Credit::clone(&credit()) }
}

/// Values of credits are kept between the runs of a decision: the next run sees what was added since, and
/// never what does not count.
#[test]
fn a_run_sees_all_credits_that_count_then() {
    let mut programs = Programs::default();
    let id = programs.add(program(ProgramForm::Policy(PolicyKind::Duplication), SUM));
    let (tx, shared) = (transaction(), SharedCredits::default());
    let of_source = [of_amount(100, CreditStatus::Active), of_amount(7, CreditStatus::Void)];
    let taken = [&of_source[..]];
    let own = [
        of_amount(20, CreditStatus::Held),
        of_amount(9, CreditStatus::Suppressed),
        of_amount(3, CreditStatus::Active),
    ];

    for mut machine in [Machine::new(&programs), Machine::with_coverage(&programs)] {
        for (made, sum) in [(0, 100), (1, 120), (2, 120), (3, 123), (3, 123)] {
            let asking = of_amount(sum, CreditStatus::Active);
            let existing =
                ExistingCredits { taken: &taken, own: &own[..made], shared: Some(&shared) };
            let arguments = ScriptArguments { credit: Some(&asking), existing, ..seen(&tx) };
            let answer = machine.run(id, &arguments);
            assert!(matches!(answer, Ok(ScriptAnswer::Bool(true))), "{made}: {answer:?}");

            let alone = ExistingCredits { shared: None, ..existing };
            let arguments = ScriptArguments { existing: alone, ..arguments };
            assert!(matches!(machine.run(id, &arguments), Ok(ScriptAnswer::Bool(true))));
        }
    }
}
