//! What a commit changed about the credits of a deal, as events.
//!
//! Not which credits there are (`record`). One event of a kind has all credits of a deal that it is true of,
//! so that a deal with many recipients is one message.
//!
//! **Architecture invariant:** the changes of all events add up to the credits in the data file, those that
//! count and those that are held, each by unit: a receiver that adds them up has the same sums.

use std::collections::BTreeMap;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::Decision;
use accredit_domain::events::EventKind;
use accredit_domain::note::Note;
use accredit_seams::store::WriteBatch;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::{LedgerResult, codec};
use super::EventWriter;

/// The kinds of events that a decision can cause.
const KINDS: [EventKind; 5] = [
    EventKind::CreditReversed,
    EventKind::CreditHeld,
    EventKind::CreditReleased,
    EventKind::CreditCreated,
    EventKind::AlertRaised,
];

/// Whether a credit counts, waits, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Absent,
    Held,
    Active,
}

impl Standing {
    fn of(credit: Option<&PostedCredit>) -> Standing {
        match credit.map(|credit| credit.status) {
            Some(CreditStatus::Active) => Standing::Active,
            Some(CreditStatus::Held) => Standing::Held,
            Some(CreditStatus::Suppressed | CreditStatus::Void) | None => Standing::Absent,
        }
    }
}

/// What an event says of one credit.
#[derive(Debug)]
struct CreditChange<'a> {
    credit: &'a PostedCredit,
    /// By how much the sum of the credits that count changed.
    credited: Decimal,
    /// By how much the sum of the held credits changed.
    held: Decimal,
}

impl<'a> CreditChange<'a> {
    /// The change from one standing to another of a credit with the same amount.
    fn new(credit: &'a PostedCredit, from: Standing, to: Standing) -> CreditChange<'a> {
        let part_in = |standing: Standing, wanted: Standing| {
            // A zero with as many decimals as the amount.
            if standing == wanted { credit.amount } else { Decimal::new(0, credit.amount.scale()) }
        };
        let change = |wanted| part_in(to, wanted) - part_in(from, wanted);
        CreditChange { credit, credited: change(Standing::Active), held: change(Standing::Held) }
    }

    fn to_value(&self) -> LedgerResult<Value> {
        let mut value = codec::to_value(self.credit)?;
        if let Value::Object(members) = &mut value {
            members.insert("credited_change".to_owned(), json!(self.credited));
            members.insert("held_change".to_owned(), json!(self.held));
        }
        Ok(value)
    }
}

/// The events of the deals of one commit.
pub(in super::super) struct DealEvents<'a> {
    writer: EventWriter<'a>,
    is_wanted: bool,
}

impl<'a> DealEvents<'a> {
    pub(in super::super) fn new(writer: EventWriter<'a>) -> DealEvents<'a> {
        let is_wanted = writer.wants_any(&KINDS);
        DealEvents { writer, is_wanted }
    }

    /// Adds what changed from the decisions of a deal `before` to those `after`.
    pub(in super::super) fn add_deal(
        &self,
        batch: &mut WriteBatch,
        transaction: &str,
        (before, after): (&[Decision], &[Decision]),
    ) -> LedgerResult<()> {
        // Most data files have no destination, and then comparing would be for nothing.
        if !self.is_wanted {
            return Ok(());
        }

        for (kind, changes) in credit_changes(before, after) {
            let credits: LedgerResult<Vec<Value>> =
                changes.iter().map(CreditChange::to_value).collect();
            let data = json!({ "transaction": transaction, "credits": credits? });
            self.writer.add_event(batch, kind, transaction, &data)?;
        }

        for alert in new_alerts(before, after) {
            let data = codec::to_value(alert)?;
            self.writer.add_event(batch, EventKind::AlertRaised, transaction, &data)?;
        }
        Ok(())
    }
}

/// The credits that changed, by what happened to them; what is taken away comes first.
fn credit_changes<'a>(
    before: &'a [Decision],
    after: &'a [Decision],
) -> Vec<(EventKind, Vec<CreditChange<'a>>)> {
    let credits = |decisions: &'a [Decision]| {
        let credits = decisions.iter().flat_map(|decision| &decision.credits);
        credits.map(|credit| (credit.id, credit)).collect::<BTreeMap<CreditId, &PostedCredit>>()
    };
    let (former, present) = (credits(before), credits(after));
    let mut changes: [Vec<CreditChange<'a>>; 4] = Default::default();

    for (id, &old) in &former {
        let new = present.get(id).copied();
        let is_same = new.is_some_and(|new| has_same_money(old, new));
        if !is_same && Standing::of(Some(old)) != Standing::Absent {
            let change = CreditChange::new(old, Standing::of(Some(old)), Standing::Absent);
            push_change(&mut changes, EventKind::CreditReversed, change);
        }
    }

    for (id, &new) in &present {
        let old = former.get(id).copied().filter(|old| has_same_money(old, new));
        let (from, to) = (Standing::of(old), Standing::of(Some(new)));
        if let Some(kind) = kind_of_change((old, from), (new, to)) {
            push_change(&mut changes, kind, CreditChange::new(new, from, to));
        }
    }

    let kinds = KINDS.into_iter().zip(changes);
    kinds.filter(|(_, changes)| !changes.is_empty()).collect()
}

fn push_change<'a>(
    changes: &mut [Vec<CreditChange<'a>>; 4],
    kind: EventKind,
    change: CreditChange<'a>,
) {
    let known = KINDS.iter().zip(changes).find(|(known, _)| **known == kind);
    if let Some((_, list)) = known {
        list.push(change);
    }
}

/// Whether two rows of one credit are the same money for the same recipient.
fn has_same_money(one: &PostedCredit, other: &PostedCredit) -> bool {
    let money = |row: &PostedCredit| (row.amount, row.unit_type, row.credit_type, row.period);
    let recipient = |row: &PostedCredit| (row.payee, row.position, row.team);
    money(one) == money(other) && recipient(one) == recipient(other)
}

/// What happened to a credit whose money is the same; none where nothing did.
fn kind_of_change(
    (old, from): (Option<&PostedCredit>, Standing),
    (new, to): (&PostedCredit, Standing),
) -> Option<EventKind> {
    match (from, to) {
        // An entry that takes another one back is posted beside it.
        (Standing::Absent, Standing::Active) if new.reverses.is_some() => {
            Some(EventKind::CreditReversed)
        }
        (Standing::Absent, Standing::Active) => Some(EventKind::CreditCreated),
        (Standing::Held, Standing::Active) => Some(EventKind::CreditReleased),
        (Standing::Absent | Standing::Active, Standing::Held) => Some(EventKind::CreditHeld),
        (Standing::Held | Standing::Active, Standing::Absent) => Some(EventKind::CreditReversed),
        (Standing::Held, Standing::Held) => {
            let hold = |row: &PostedCredit| (row.release_date, row.reason.clone());
            old.is_some_and(|old| hold(old) != hold(new)).then_some(EventKind::CreditHeld)
        }
        (Standing::Absent, Standing::Absent) | (Standing::Active, Standing::Active) => None,
    }
}

/// Alerts of decisions that no decision had before.
fn new_alerts<'a>(before: &'a [Decision], after: &'a [Decision]) -> impl Iterator<Item = &'a Note> {
    let is_known = move |alert: &Note| before.iter().any(|one| one.alerts.contains(alert));
    let alerts = after.iter().flat_map(|decision| &decision.alerts);
    alerts.filter(move |alert| !is_known(alert))
}
