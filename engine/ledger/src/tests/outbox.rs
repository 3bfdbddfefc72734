//! Events are recorded with their effect: what they say adds up to what is in the ledger.

use accredit_domain::events::{EventKind, EventRoutes};
use serde_json::Value;

use super::*;
use crate::outbox::{EventAttempt, EventState, OutgoingEvent};

fn ledger_with_routes(kinds: &[EventKind]) -> Ledger {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let wanted: BTreeSet<EventKind> = kinds.iter().copied().collect();
    ledger.route_events(EventRoutes::new([("erp".to_owned(), wanted)]));
    ledger
}

fn waiting(ledger: &Ledger) -> Vec<OutgoingEvent> {
    ledger.events_of(EventState::Waiting, "erp", None, usize::MAX).unwrap()
}

/// The sums that a receiver has after these events: credits that count, and held ones.
fn sums_of(events: &[OutgoingEvent]) -> (Decimal, Decimal) {
    let (mut credited, mut held) = (Decimal::ZERO, Decimal::ZERO);
    for event in events {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        for credit in data["credits"].as_array().into_iter().flatten() {
            let amount = |key: &str| credit[key].as_str().unwrap().parse::<Decimal>().unwrap();
            credited += amount("credited_change");
            held += amount("held_change");
        }
    }
    (credited, held)
}

/// The kinds of events in order, with the number of credits in each.
fn told(events: &[OutgoingEvent]) -> Vec<(&str, usize)> {
    let count = |event: &OutgoingEvent| {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        data["credits"].as_array().map_or(0, Vec::len)
    };
    events.iter().map(|event| (event.kind.as_str(), count(event))).collect()
}

#[test]
fn what_happens_to_a_credit_is_told_by_its_kind() {
    let ledger = ledger_with_routes(&EventKind::ALL);
    let ann = |amount, status| credit("D1", "ann", amount, status);
    let bob = credit("D1", "bob", 5, "active");

    let mut seen = 0;
    let mut commit = |credits: Vec<PostedCredit>| {
        ledger.commit_batch(&work("D1", 10, credits)).unwrap();
        let all = waiting(&ledger);
        let new = all[seen..].to_vec();
        seen = all.len();
        let kinds: Vec<String> =
            told(&new).into_iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        kinds.join(", ")
    };

    assert_eq!(commit(vec![ann(10, "held"), bob.clone()]), "credit.held 1, credit.created 1");
    assert_eq!(commit(vec![ann(10, "held"), bob.clone()]), "");
    let later = PostedCredit { release_date: Some(date(2026, 9, 1)), ..ann(10, "held") };
    assert_eq!(commit(vec![later, bob.clone()]), "credit.held 1");
    assert_eq!(commit(vec![ann(10, "active"), bob.clone()]), "credit.released 1");
    assert_eq!(commit(vec![ann(12, "active"), bob.clone()]), "credit.reversed 1, credit.created 1");
    assert_eq!(commit(vec![ann(12, "suppressed"), bob.clone()]), "credit.reversed 1");
    assert_eq!(commit(vec![ann(12, "active"), bob.clone()]), "credit.created 1");
    assert_eq!(commit(vec![ann(12, "held"), bob.clone()]), "credit.held 1");

    // An entry that takes another one back is posted beside it.
    let entry = PostedCredit {
        id: CreditId::from_parts("D1", &["bob", "reversal"], 0),
        reverses: Some(bob.id),
        amount: -bob.amount,
        ..bob.clone()
    };
    assert_eq!(commit(vec![ann(12, "held"), bob, entry]), "credit.reversed 1");
    assert_eq!(commit(Vec::new()), "credit.reversed 3");
    assert_eq!(sums_of(&waiting(&ledger)), (Decimal::ZERO, Decimal::ZERO));
}

#[test]
fn only_what_is_wanted_is_kept() {
    let ledger = ledger_with_routes(&[EventKind::CreditHeld]);
    let credits = vec![credit("D1", "ann", 1, "active"), credit("D1", "bob", 1, "held")];
    ledger.commit_batch(&work("D1", 2, credits)).unwrap();
    assert_eq!(told(&waiting(&ledger)), [("credit.held", 1)]);

    ledger.route_events(EventRoutes::default());
    ledger.commit_batch(&work("D2", 2, vec![credit("D2", "bob", 1, "held")])).unwrap();
    assert_eq!(waiting(&ledger).len(), 1);
}

#[test]
fn an_event_has_one_state_until_it_is_sent_again() {
    let ledger = ledger_with_routes(&EventKind::ALL);
    ledger.commit_batch(&work("D1", 2, vec![credit("D1", "ann", 1, "active")])).unwrap();
    let event = waiting(&ledger).pop().unwrap();
    assert_eq!(OutgoingEvent::number_of(&event.id()), Some(event.number));

    let find = || ledger.find_event("erp", event.number).unwrap().map(|(_, state)| state);
    for state in [EventState::Sent, EventState::Dead] {
        assert_eq!(find(), Some(EventState::Waiting));
        let tried = OutgoingEvent { attempts: 1, next_ms: 9, ..event.clone() };
        let (before, after) = (waiting(&ledger).remove(0), tried.clone());
        ledger.record_event_attempts(&[EventAttempt { before, after, state }]).unwrap();
        assert_eq!(find(), Some(state));
        assert_eq!(waiting(&ledger), []);
        assert_eq!(ledger.event_destinations(state).unwrap(), ["erp"]);
        ledger.resend_events(&[(tried, state)], 10, "eva").unwrap();
        let again = OutgoingEvent { since_ms: 10, ..event.clone() };
        assert_eq!(waiting(&ledger), std::slice::from_ref(&again));
    }
    let trail = ledger.verified_trail().unwrap();
    assert_eq!(trail.iter().filter(|row| row.what == "events_resent").count(), 2);
}

#[test]
fn destinations_are_listed_without_reading_their_events() {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let kinds: BTreeSet<EventKind> = EventKind::ALL.into_iter().collect();
    let names = ["a", "ab", "b-c"];
    let routes = names.map(|name| (name.to_owned(), kinds.clone()));
    ledger.route_events(EventRoutes::new(routes));
    for deal in ["D1", "D2"] {
        ledger.commit_batch(&work(deal, 2, vec![credit(deal, "ann", 1, "active")])).unwrap();
    }
    assert_eq!(ledger.event_destinations(EventState::Waiting).unwrap(), names);
    assert_eq!(ledger.events_of(EventState::Waiting, "a", None, 9).unwrap().len(), 2);
}

/// The number of an event is never that of another one: not within a process, whose clock may stand still
/// or go back, and not after a restart.
#[test]
fn numbers_of_events_only_grow() {
    let store = Arc::new(MemoryStore::default());
    let mut last = 0;
    for (deal, at_ms) in [("D1", 1_000), ("D2", 1_000), ("D3", 10), ("D4", 2_000)] {
        // Each deal is recorded by a new process, whose clock may be late.
        let ledger = Ledger::new(Arc::<MemoryStore>::clone(&store));
        ledger.route_events(EventRoutes::new([(
            "erp".to_owned(),
            BTreeSet::from([EventKind::CreditCreated]),
        )]));
        let mut batch = work(deal, 2, vec![credit(deal, "ann", 1, "active")]);
        batch.at_ms = at_ms;
        let before = waiting(&ledger).len();
        ledger.begin_event_numbers().unwrap();
        ledger.commit_batch(&batch).unwrap();
        assert_eq!(waiting(&ledger).len(), before + 1, "{deal}");
        let newest = waiting(&ledger).last().unwrap().number;
        assert!(newest > last, "{deal}");
        last = newest;
    }
}

/// An event that was sent again while it was tried was due for ever afterwards: the trace of its former time
/// stayed.
#[test]
fn an_event_that_is_sent_again_while_it_is_tried_is_in_one_place() {
    let ledger = ledger_with_routes(&[EventKind::CreditCreated]);
    ledger.commit_batch(&work("D1", 2, vec![credit("D1", "ann", 1, "active")])).unwrap();
    let event = waiting(&ledger).pop().unwrap();
    let attempt = |next_ms, state| {
        let after = OutgoingEvent { attempts: 1, next_ms, ..event.clone() };
        EventAttempt { before: event.clone(), after, state }
    };

    // A person read the event before it was refused, and asks afterwards.
    let read = [(event.clone(), EventState::Waiting)];
    ledger.record_event_attempts(&[attempt(50, EventState::Waiting)]).unwrap();
    ledger.resend_events(&read, 10, "eva").unwrap();
    assert_eq!(ledger.count_events(EventState::Waiting, "erp").unwrap(), 1);

    // The try that was under way ends after it was sent again, and another one after that.
    ledger.record_event_attempts(&[attempt(70, EventState::Waiting)]).unwrap();
    ledger.record_event_attempts(&[attempt(70, EventState::Sent)]).unwrap();
    ledger.record_event_attempts(&[attempt(90, EventState::Waiting)]).unwrap();
    assert_eq!(ledger.next_due_event_ms("erp").unwrap(), None);
    assert_eq!(ledger.count_events(EventState::Sent, "erp").unwrap(), 1);
}

/// A look for what is due read every waiting event, also those that were not.
#[test]
fn what_is_due_is_found_in_the_order_of_its_time() {
    let ledger = ledger_with_routes(&[EventKind::CreditCreated]);
    for deal in ["D1", "D2", "D3"] {
        ledger.commit_batch(&work(deal, 2, vec![credit(deal, "ann", 1, "active")])).unwrap();
    }
    let all = waiting(&ledger);
    let later = |event: &OutgoingEvent, next_ms| {
        let after = OutgoingEvent { attempts: 1, next_ms, ..event.clone() };
        EventAttempt { before: event.clone(), after, state: EventState::Waiting }
    };
    ledger.record_event_attempts(&[later(&all[0], 50), later(&all[1], 40)]).unwrap();

    let due = |now_ms| -> Vec<u64> {
        let due = ledger.due_events("erp", now_ms, 9).unwrap();
        due.iter().map(|event| event.number).collect()
    };
    assert_eq!(ledger.next_due_event_ms("erp").unwrap(), Some(0));
    assert_eq!(due(39), [all[2].number]);
    assert_eq!(due(50), [all[2].number, all[1].number, all[0].number]);

    let sent =
        EventAttempt { before: all[2].clone(), after: all[2].clone(), state: EventState::Sent };
    ledger.record_event_attempts(&[sent]).unwrap();
    assert_eq!(ledger.next_due_event_ms("erp").unwrap(), Some(40));
    assert_eq!(ledger.count_events(EventState::Waiting, "erp").unwrap(), 2);
    assert_eq!(ledger.next_due_event_ms("other").unwrap(), None);
}

/// What was decided about a deal, as a step of a random history.
fn any_credits(deal: &'static str) -> impl Strategy<Value = Vec<PostedCredit>> {
    let status = prop_oneof![Just("active"), Just("held"), Just("suppressed"), Just("void")];
    let one = (prop_oneof![Just("ann"), Just("bob"), Just("cid")], 0_i64..4, status);
    proptest::collection::btree_map("[abc]", one, 0..4).prop_map(move |rows| {
        let credits = rows.into_iter().map(|(key, (payee, amount, status))| PostedCredit {
            id: CreditId::from_parts(deal, &[&key], 0),
            ..credit(deal, payee, amount, status)
        });
        credits.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A receiver that adds up the changes has the sums of the ledger at any time.
    #[test]
    fn the_changes_of_all_events_add_up_to_the_ledger(
        steps in proptest::collection::vec(
            prop_oneof![any_credits("D1"), any_credits("D2"), any_credits("D3")], 1..12,
        ),
        deals in proptest::collection::vec(0_usize..3, 12),
    ) {
        let ledger = ledger_with_routes(&EventKind::ALL);
        let mut present: BTreeMap<&str, Vec<PostedCredit>> = BTreeMap::new();
        for (credits, deal) in steps.into_iter().zip(deals) {
            let deal = ["D1", "D2", "D3"][deal];
            let credits: Vec<PostedCredit> = credits
                .into_iter()
                .map(|row| PostedCredit { transaction: deal.into(), ..row })
                .collect();
            ledger.commit_batch(&work(deal, 1, credits.clone())).unwrap();
            present.insert(deal, credits);

            let rows = present.values().flatten();
            let sum = |status: CreditStatus| -> Decimal {
                rows.clone().filter(|row| row.status == status).map(|row| row.amount).sum()
            };
            let expected = (sum(CreditStatus::Active), sum(CreditStatus::Held));
            prop_assert_eq!(sums_of(&waiting(&ledger)), expected);
        }
    }
}
