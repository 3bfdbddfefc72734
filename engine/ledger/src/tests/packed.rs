//! Packed rows give back what was put in, to the last digit, and refuse what no row could be.

use accredit_domain::decision::Decision;
use accredit_domain::note::Note;
use jiff::civil::Date;

use super::*;
use crate::names::{Names, NewNames};
use crate::packed::deal::{PackedContent, pack_deal, unpack_deal, unpack_decisions, visit_credits};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["ann", "bob", "Ünï", "", "2026-03", "a\0b"])
            .prop_map(String::from),
        "[a-z]{1,6}",
        // Longer than a name may be: it stands in its row.
        Just("x".repeat(300)),
    ]
}

fn day() -> impl Strategy<Value = Date> {
    (-9999_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day))
}

fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (any::<i64>(), 0_u32..=28).prop_map(|(digits, scale)| Decimal::new(digits, scale)),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
        Just(Decimal::new(0, 2)),
        // A zero with a sign, and decimals that say nothing.
        Just(-Decimal::new(0, 5)),
        Just(Decimal::new(1000, 3)),
    ]
}

fn id() -> impl Strategy<Value = CreditId> {
    prop_oneof![
        (0_u32..4).prop_map(|ordinal| CreditId::from_parts("D1", &[], ordinal)),
        any::<[u8; 16]>().prop_map(CreditId),
    ]
}

fn reason() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        ".{0,9}".prop_map(Some),
        id().prop_map(|id| Some(format!("duplicate_of:{id}"))),
        id().prop_map(|id| Some(format!("duplicate_of:{id}").to_uppercase())),
        id().prop_map(|id| Some(format!("duplicate_of:{id}").replace("crd_", "crd_A"))),
        Just(Some("policy_error".to_owned())),
        Just(Some("release_in_other_year".to_owned())),
    ]
}

prop_compose! {
    fn entry()(
        (id, source, reverses) in (id(), prop::option::of(id()), prop::option::of(id())),
        (transaction, plan, ruleset) in (prop_oneof![Just("D1".to_owned()), name()], name(), name()),
        (rule, result, credit_type, unit_type) in (name(), name(), name(), name()),
        (position, payee, team) in
            (prop::option::of(name()), prop::option::of(name()), prop::option::of(name())),
        (relationship, via, reason_code) in
            (prop::option::of(name()), prop::option::of(name()), prop::option::of(name())),
        (level, share) in (prop::option::of(0..u32::MAX), prop::option::of(amount())),
        (period, amount, incentive_date) in (name(), amount(), day()),
        (release_date, reason) in (prop::option::of(day()), reason()),
        kind in prop::sample::select(vec![CreditKind::Direct, CreditKind::Indirect]),
        status in prop::sample::select(vec![
            CreditStatus::Active, CreditStatus::Held, CreditStatus::Suppressed, CreditStatus::Void,
        ]),
        origin in prop::sample::select(vec![
            CreditOrigin::Calculated, CreditOrigin::Manual, CreditOrigin::Late, CreditOrigin::Retro,
        ]),
    ) -> PostedCredit {
        PostedCredit {
            id, transaction: transaction.into(), incentive_date, plan: plan.into(),
            rule: rule.into(), result: result.into(), kind,
            position: position.map(Into::into), payee: payee.map(Into::into),
            team: team.map(Into::into), relationship: relationship.map(Into::into),
            via: via.map(Into::into), level, source, share, period: period.into(),
            credit_type: credit_type.into(), unit_type: unit_type.into(), amount, status,
            release_date, reason, reason_code: reason_code.map(Into::into), origin, reverses,
            ruleset: ruleset.into(),
        }
    }
}

fn note() -> impl Strategy<Value = Note> {
    (name(), prop::option::of(1_u32..99)).prop_map(|(message, line)| Note {
        line,
        ..accredit_crediting::stage::build_note(
            "D1",
            "p",
            NoteStage::Filter,
            NoteCode::BadValue,
            &message,
        )
    })
}

/// Entries as a pipeline makes them: steps of roll-ups, each from the position that the last one
/// reached, most of them with the id that follows from them.
fn rolled(mut credits: Vec<PostedCredit>, oddities: &[u8]) -> Vec<PostedCredit> {
    for (place, oddity) in oddities.iter().enumerate().take(credits.len()) {
        let before = place.checked_sub(1).map(|before| credits[before].clone());
        let credit = &mut credits[place];
        credit.transaction = "D1".into();
        if oddity & 1 == 0 {
            credit.payee = credit.position.map(|position| position.as_str().into());
        }
        if let Some(before) = before.filter(|_| oddity & 2 == 0) {
            credit.kind = CreditKind::Indirect;
            credit.via = before.position.map(Into::into);
            credit.level = before.level.map(|level| level.saturating_add(1));
        }
        if oddity & 4 == 0 {
            credit.id = credit.entry_id(u32::from(oddity & 8));
        }
    }
    credits
}

prop_compose! {
    fn decided()(
        (plan, transaction, ruleset) in (name(), prop_oneof![Just("D1".to_owned()), name()], name()),
        (period, as_of) in (prop::option::of(name()), prop::option::of(day())),
        (credits, oddities, is_rolled) in
            (prop::collection::vec(entry(), 0..5), any::<[u8; 5]>(), any::<bool>()),
        (reasons, log) in
            (prop::collection::vec(note(), 0..2), prop::collection::vec(note(), 0..2)),
        outcome in prop::sample::select(vec![
            DecisionOutcome::Filtered, DecisionOutcome::Credited,
            DecisionOutcome::Uncredited, DecisionOutcome::Parked,
        ]),
    ) -> Decision {
        let credits = if is_rolled { rolled(credits, &oddities) } else { credits };
        Decision {
            plan: plan.into(), transaction: transaction.into(), period: period.map(Into::into),
            ruleset: ruleset.into(), as_of, outcome, credits, reasons, alerts: Vec::new(), log,
        }
    }
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        name().prop_map(Cell::Text),
        "[0-9]{1,5}".prop_map(Cell::Number),
        any::<bool>().prop_map(Cell::Bool),
        name().prop_map(Cell::Nested),
    ]
}

prop_compose! {
    fn stored_deal()(
        id in prop_oneof![Just("D1".to_owned()), name()],
        (version, superseded, delivery) in (any::<u32>(), any::<u32>(), any::<u64>()),
        cells in prop::collection::vec((name(), cell()), 0..6),
        decisions in prop::collection::vec(decided(), 0..3),
    ) -> TransactionRecord {
        let record = Record { cells };
        TransactionRecord { number: 7, id, version, superseded, delivery, record, decisions }
    }
}

/// With every digit: equal decimals may have different ones.
fn shown(stored: &TransactionRecord) -> String {
    format!("{stored:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// What is written of a deal is read again, and any other bytes are an error or another deal, never
    /// a panic.
    ///
    /// A flag read any byte but 0 as set, an amount passed over two bits of its first byte, and an entry
    /// could have two ids: a changed byte went unnoticed.
    #[test]
    fn a_packed_deal_is_read_as_it_was_written(
        stored in stored_deal(),
        (place, bit) in (any::<prop::sample::Index>(), 0_u32..8),
    ) {
        let names = Names::default();
        let mut fresh = NewNames::beyond(names.current());
        let bytes = pack_deal(PackedContent::Record(&stored), &stored.decisions, &mut fresh).unwrap();
        fresh.keep_in(&names);
        let names = names.current();

        let again = unpack_deal(7, &bytes, &names).unwrap();
        prop_assert_eq!(shown(&again), shown(&stored));
        let credits: Vec<_> = stored.decisions.iter().flat_map(|one| &one.credits).collect();
        let mut visited = Vec::new();
        visit_credits(&bytes, &names, &mut |credit| visited.push(credit.clone())).unwrap();
        prop_assert_eq!(format!("{visited:?}"), format!("{credits:?}"));

        // A deal that is decided again keeps the bytes of its content.
        let copied = unpack_decisions(&bytes, &names).unwrap();
        let mut none = NewNames::beyond(Arc::clone(&names));
        let content = PackedContent::Stored(&copied);
        prop_assert_eq!(content.id(), &*stored.id);
        prop_assert_eq!(&pack_deal(content, &copied.decisions, &mut none).unwrap(), &bytes);

        let cut = place.index(bytes.len());
        prop_assert!(unpack_deal(7, &bytes[..cut], &names).is_err());
        prop_assert!(unpack_decisions(&bytes[..cut], &names).is_err());
        let mut changed = bytes.clone();
        changed[cut] ^= 1_u8 << bit;
        if let Ok(other) = unpack_deal(7, &changed, &names) {
            prop_assert_ne!(shown(&other), shown(&stored));
        }
    }
}

/// The entries of a deal had every word twice, and a credit took 700 bytes of the file; later its id took
/// ten bytes, although the entry says all that it is made of.
#[test]
fn a_rolled_credit_takes_a_few_bytes() {
    let names = Names::default();
    let mut fresh = NewNames::beyond(names.current());
    let mut credits = vec![credit("D1", "ann", 5000, "active")];
    for level in 1..9 {
        let source = Some(credits[0].id);
        let position = format!("manager {level}");
        let via = credits[credits.len() - 1].position.map(Into::into);
        let rolled = PostedCredit {
            kind: CreditKind::Indirect,
            level: Some(level),
            source,
            relationship: Some("Reporting".into()),
            via,
            ..credit("D1", &position, 2500, "active")
        };
        credits.push(PostedCredit { id: rolled.entry_id(0), ..rolled });
    }

    let stored = TransactionRecord::first_version("D1".to_owned(), record("D1", 5000), 1);
    let decisions = vec![decision("D1", DecisionOutcome::Credited, credits)];
    let mut size_with = |decisions: &[Decision]| {
        pack_deal(PackedContent::Record(&stored), decisions, &mut fresh).unwrap().len()
    };
    let (all, few) = (size_with(&decisions), {
        let mut decisions = decisions.clone();
        decisions[0].credits.truncate(2);
        size_with(&decisions)
    });
    assert!((all - few) / 7 <= 3, "{} bytes a credit", (all - few) / 7);
}
