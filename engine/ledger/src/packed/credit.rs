//! Entries of the books as bytes: each says only in what it differs from what usually follows the one
//! before it.
//!
//! The entries of a decision have most of their words in common, and a roll-up goes on from the position
//! that the last step reached, so the difference is short. The first entry differs from a blank one of its
//! decision. An id that follows from its entry is computed again when it is read.

use accredit_domain::credit::posted::{CreditKind, CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditIds, CreditStatus, TRANSACTION_PREFIX_BYTES};
use accredit_domain::decision::Decision;
use accredit_domain::keys::{
    DefinedName, Name, ParticipantKey, PeriodKey, PositionKey, RecipientKey,
};
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::references::{read_entry_id, read_reason, write_entry_id, write_reason};
use super::{ReadResult, RowReader, RowWriter, UnreadableRow};

/// Which fields differ; the frequent ones first, so that a byte often says all.
const POSITION: u32 = 1;
const PAYEE: u32 = 1 << 1;
const AMOUNT: u32 = 1 << 2;
const LEVEL: u32 = 1 << 3;
const VIA: u32 = 1 << 4;
const SOURCE: u32 = 1 << 5;
const SHARE: u32 = 1 << 6;
const KIND: u32 = 1 << 7;
const RULE: u32 = 1 << 8;
const RESULT: u32 = 1 << 9;
const RELATIONSHIP: u32 = 1 << 10;
const STATUS: u32 = 1 << 11;
const RELEASE_DATE: u32 = 1 << 12;
const REASON: u32 = 1 << 13;
const CREDIT_TYPE: u32 = 1 << 14;
const UNIT_TYPE: u32 = 1 << 15;
const INCENTIVE_DATE: u32 = 1 << 16;
const TEAM: u32 = 1 << 17;
const PERIOD: u32 = 1 << 18;
const REASON_CODE: u32 = 1 << 19;
const ORIGIN: u32 = 1 << 20;
const REVERSES: u32 = 1 << 21;
const RULESET: u32 = 1 << 22;
const TRANSACTION: u32 = 1 << 23;
const PLAN: u32 = 1 << 24;
/// The id does not begin as those of the deal do.
const WHOLE_ID: u32 = 1 << 25;
/// The id begins as those of the deal do, and does not follow from the entry.
const OWN_ID: u32 = 1 << 26;

/// How entries are written in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryLayout {
    /// Each differs from the one before it, and has its id.
    Former,
    /// Each differs from what usually follows the one before it, and has its id where that does not
    /// follow from the entry.
    Current,
}

impl EntryLayout {
    /// The first bit that no field has.
    fn unknown_field(self) -> u32 {
        match self {
            EntryLayout::Former => OWN_ID,
            EntryLayout::Current => OWN_ID << 1,
        }
    }
}

/// What the ids of the entries of a deal begin with.
pub(super) type IdPrefix = [u8; TRANSACTION_PREFIX_BYTES];

/// Bytes of an id behind that.
const ID_REST_BYTES: usize = 16 - TRANSACTION_PREFIX_BYTES;

/// What the first entry of a decision differs from.
pub(super) fn blank_entry(decision: &Decision) -> PostedCredit {
    PostedCredit {
        id: CreditId([0; 16]),
        transaction: decision.transaction.clone(),
        incentive_date: Date::constant(1970, 1, 1),
        plan: decision.plan,
        rule: DefinedName::default(),
        result: DefinedName::default(),
        kind: CreditKind::Direct,
        position: None,
        payee: None,
        team: None,
        relationship: None,
        via: None,
        level: None,
        source: None,
        share: None,
        period: decision.period.unwrap_or_else(|| PeriodKey::from("")),
        credit_type: DefinedName::default(),
        unit_type: DefinedName::default(),
        amount: Decimal::ZERO,
        status: CreditStatus::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        origin: CreditOrigin::Calculated,
        reverses: None,
        ruleset: decision.ruleset,
    }
}

/// What usually follows an entry.
struct ExpectedEntry {
    /// Whether the holders of positions are called as these are.
    same_names: bool,
    payee: Option<ParticipantKey>,
    via: Option<RecipientKey>,
    level: Option<u32>,
}

impl ExpectedEntry {
    /// The next step of a roll-up begins where the last one ended.
    fn following(before: &PostedCredit, layout: EntryLayout) -> ExpectedEntry {
        let PostedCredit { payee, mut via, mut level, .. } = *before;
        let is_former = layout == EntryLayout::Former;

        if !is_former && !before.is_direct() {
            via = before.position.map(Into::into);
            level = level.map(|level| level.saturating_add(1));
        }
        let same_names = !is_former && has_name_of_position(before);
        ExpectedEntry { same_names, payee, via, level }
    }

    fn has_payee_of(&self, credit: &PostedCredit) -> bool {
        if self.same_names {
            return has_name_of_position(credit);
        }
        self.payee == credit.payee
    }

    /// Who holds a position.
    fn payee_of(&self, position: Option<PositionKey>) -> Option<ParticipantKey> {
        if self.same_names { position.map(|who| Name::from(who).into()) } else { self.payee }
    }
}

/// Whether the holder of a position is called as the position is.
fn has_name_of_position(credit: &PostedCredit) -> bool {
    credit.payee.map(Name::from) == credit.position.map(Name::from)
}

/// The fields in which an entry differs from what usually follows the one before; amounts also in their
/// decimals.
fn changed_fields(before: &PostedCredit, credit: &PostedCredit) -> u32 {
    let expected = ExpectedEntry::following(before, EntryLayout::Current);
    let digits = |share: &Option<Decimal>| share.map(|share| share.serialize());
    let fields = [
        (POSITION, before.position != credit.position),
        (PAYEE, !expected.has_payee_of(credit)),
        (AMOUNT, before.amount.serialize() != credit.amount.serialize()),
        (LEVEL, expected.level != credit.level),
        (VIA, expected.via != credit.via),
        (SOURCE, before.source != credit.source),
        (SHARE, digits(&before.share) != digits(&credit.share)),
        (KIND, before.kind != credit.kind),
        (RULE, before.rule != credit.rule),
        (RESULT, before.result != credit.result),
        (RELATIONSHIP, before.relationship != credit.relationship),
        (STATUS, before.status != credit.status),
        (RELEASE_DATE, before.release_date != credit.release_date),
        (REASON, before.reason != credit.reason),
        (CREDIT_TYPE, before.credit_type != credit.credit_type),
        (UNIT_TYPE, before.unit_type != credit.unit_type),
        (INCENTIVE_DATE, before.incentive_date != credit.incentive_date),
        (TEAM, before.team != credit.team),
        (PERIOD, before.period != credit.period),
        (REASON_CODE, before.reason_code != credit.reason_code),
        (ORIGIN, before.origin != credit.origin),
        (REVERSES, before.reverses != credit.reverses),
        (RULESET, before.ruleset != credit.ruleset),
        (TRANSACTION, before.transaction != credit.transaction),
        (PLAN, before.plan != credit.plan),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).fold(0, |mask, (field, _)| mask | field)
}

/// The entry before one, and the ids of all before it.
pub(super) struct EarlierEntries {
    pub(super) last: PostedCredit,
    pub(super) ids: Vec<CreditId>,
    pub(super) own: OwnIds,
}

impl EarlierEntries {
    /// None before the first entry of a decision.
    pub(super) fn none(decision: &Decision, prefix: IdPrefix) -> EarlierEntries {
        let own = OwnIds::new(decision, prefix);
        EarlierEntries { last: blank_entry(decision), ids: Vec::new(), own }
    }
}

/// Appends an entry.
pub(super) fn write_credit(
    row: &mut RowWriter<'_>,
    before: &PostedCredit,
    (ids, own): (&[CreditId], &mut OwnIds),
    credit: &PostedCredit,
) {
    let (id_field, id_bytes) = if credit.id == own.id_of(credit) {
        (0, &[][..])
    } else {
        let rest = credit.id.0.strip_prefix(&own.prefix);
        rest.map_or((WHOLE_ID, &credit.id.0[..]), |rest| (OWN_ID, rest))
    };
    let mask = changed_fields(before, credit) | id_field;

    row.put_number(mask);
    write_recipient(row, mask, ids, credit);
    write_origin(row, mask, ids, credit);
    row.bytes.extend_from_slice(id_bytes);
}

/// Makes the ids that the first entries of the credits of a deal have.
pub(super) struct OwnIds {
    prefix: IdPrefix,
    /// For entries of the decision's own transaction, as nearly all are.
    ids: CreditIds,
}

impl OwnIds {
    /// Ids of a decision about the deal whose ids begin so.
    pub(super) fn new(decision: &Decision, prefix: IdPrefix) -> OwnIds {
        OwnIds { prefix, ids: CreditIds::with_prefix(prefix, &decision.transaction) }
    }

    fn id_of(&mut self, credit: &PostedCredit) -> CreditId {
        if self.ids.is_of(&credit.transaction) {
            return credit.make_entry_id(&mut self.ids, 0);
        }
        credit.make_entry_id(&mut CreditIds::with_prefix(self.prefix, &credit.transaction), 0)
    }
}

/// Appends who gets how much, and by what.
fn write_recipient(row: &mut RowWriter<'_>, mask: u32, ids: &[CreditId], credit: &PostedCredit) {
    let has = |field: u32| mask & field != 0;

    if has(POSITION) {
        row.put_name(credit.position);
    }
    if has(PAYEE) {
        row.put_name(credit.payee);
    }
    if has(AMOUNT) {
        row.put_decimal(&credit.amount);
    }
    if has(LEVEL) {
        row.put_number(credit.level.map_or(0, |level| u64::from(level) + 1));
    }
    if has(VIA) {
        row.put_name(credit.via);
    }
    if has(SOURCE) {
        write_entry_id(row, ids, credit.source);
    }
    if has(SHARE) {
        row.put_byte(u8::from(credit.share.is_some()));
        if let Some(share) = &credit.share {
            row.put_decimal(share);
        }
    }
    if has(KIND) {
        row.put_byte(u8::from(credit.kind == CreditKind::Indirect));
    }
    if has(RULE) {
        row.put_name(Some(credit.rule));
    }
    if has(RESULT) {
        row.put_name(Some(credit.result));
    }
    if has(RELATIONSHIP) {
        row.put_name(credit.relationship);
    }
}

/// Appends whether an entry counts, since when, and where it comes from.
fn write_origin(row: &mut RowWriter<'_>, mask: u32, ids: &[CreditId], credit: &PostedCredit) {
    let has = |field: u32| mask & field != 0;

    if has(STATUS) {
        row.put_byte(credit.status as u8);
    }
    if has(RELEASE_DATE) {
        row.put_date(credit.release_date);
    }
    if has(REASON) {
        write_reason(row, ids, credit.reason.as_deref());
    }
    if has(CREDIT_TYPE) {
        row.put_name(Some(credit.credit_type));
    }
    if has(UNIT_TYPE) {
        row.put_name(Some(credit.unit_type));
    }
    if has(INCENTIVE_DATE) {
        row.put_date(Some(credit.incentive_date));
    }
    if has(TEAM) {
        row.put_name(credit.team);
    }
    if has(PERIOD) {
        row.put_name(Some(credit.period));
    }
    if has(REASON_CODE) {
        row.put_name(credit.reason_code);
    }
    if has(ORIGIN) {
        row.put_byte(credit.origin as u8);
    }
    if has(REVERSES) {
        write_entry_id(row, ids, credit.reverses);
    }
    if has(RULESET) {
        row.put_name(Some(credit.ruleset));
    }
    if has(TRANSACTION) {
        row.put_text(&credit.transaction);
    }
    if has(PLAN) {
        row.put_name(Some(credit.plan));
    }
}

/// Reads an entry into the place of the one before it.
pub(super) fn read_credit(
    row: &mut RowReader<'_>,
    layout: EntryLayout,
    earlier: &mut EarlierEntries,
) -> ReadResult<()> {
    let mask = row.take_small()?;
    let has_two_ids = mask & WHOLE_ID != 0 && mask & OWN_ID != 0;
    if mask >= layout.unknown_field() || has_two_ids {
        return Err(UnreadableRow::Broken("an entry has a field that is not known"));
    }

    let expected = ExpectedEntry::following(&earlier.last, layout);
    read_recipient(row, mask, &expected, earlier)?;
    read_origin(row, mask, earlier)?;

    earlier.last.id = if mask & WHOLE_ID != 0 {
        CreditId(row.take_array()?)
    } else if mask & OWN_ID != 0 || layout == EntryLayout::Former {
        let mut id = [0; 16];
        let (head, tail) = id.split_at_mut(TRANSACTION_PREFIX_BYTES);
        head.copy_from_slice(&earlier.own.prefix);
        tail.copy_from_slice(&row.take_array::<ID_REST_BYTES>()?);
        CreditId(id)
    } else {
        earlier.own.id_of(&earlier.last)
    };
    earlier.ids.push(earlier.last.id);
    Ok(())
}

fn read_recipient(
    row: &mut RowReader<'_>,
    mask: u32,
    expected: &ExpectedEntry,
    earlier: &mut EarlierEntries,
) -> ReadResult<()> {
    let has = |field: u32| mask & field != 0;
    let credit = &mut earlier.last;

    if has(POSITION) {
        credit.position = row.take_name()?;
    }
    credit.payee = match has(PAYEE) {
        true => row.take_name()?,
        false => expected.payee_of(credit.position),
    };
    if has(AMOUNT) {
        credit.amount = row.take_decimal()?;
    }
    credit.level = match has(LEVEL) {
        true => read_level(row)?,
        false => expected.level,
    };
    credit.via = match has(VIA) {
        true => row.take_name()?,
        false => expected.via,
    };
    if has(SOURCE) {
        credit.source = read_entry_id(row, &earlier.ids)?;
    }
    if has(SHARE) {
        credit.share = if row.take_flag()? { Some(row.take_decimal()?) } else { None };
    }
    if has(KIND) {
        credit.kind = if row.take_flag()? { CreditKind::Indirect } else { CreditKind::Direct };
    }
    if has(RULE) {
        credit.rule = row.take_given_name()?;
    }
    if has(RESULT) {
        credit.result = row.take_given_name()?;
    }
    if has(RELATIONSHIP) {
        credit.relationship = row.take_name()?;
    }
    Ok(())
}

fn read_level(row: &mut RowReader<'_>) -> ReadResult<Option<u32>> {
    let Some(level) = row.take_number()?.checked_sub(1) else { return Ok(None) };
    let level = u32::try_from(level);
    level.map(Some).map_err(|_| UnreadableRow::Broken("a number is too large"))
}

fn read_origin(row: &mut RowReader<'_>, mask: u32, earlier: &mut EarlierEntries) -> ReadResult<()> {
    let has = |field: u32| mask & field != 0;
    let credit = &mut earlier.last;

    if has(STATUS) {
        credit.status = read_status(row)?;
    }
    if has(RELEASE_DATE) {
        credit.release_date = row.take_date()?;
    }
    if has(REASON) {
        credit.reason = read_reason(row, &earlier.ids)?;
    }
    if has(CREDIT_TYPE) {
        credit.credit_type = row.take_given_name()?;
    }
    if has(UNIT_TYPE) {
        credit.unit_type = row.take_given_name()?;
    }
    if has(INCENTIVE_DATE) {
        credit.incentive_date = row.take_given_date()?;
    }
    if has(TEAM) {
        credit.team = row.take_name()?;
    }
    if has(PERIOD) {
        credit.period = row.take_given_name()?;
    }
    if has(REASON_CODE) {
        credit.reason_code = row.take_name()?;
    }
    if has(ORIGIN) {
        credit.origin = read_entry_origin(row)?;
    }
    if has(REVERSES) {
        credit.reverses = read_entry_id(row, &earlier.ids)?;
    }
    if has(RULESET) {
        credit.ruleset = row.take_given_name()?;
    }
    if has(TRANSACTION) {
        credit.transaction = row.take_text()?.into();
    }
    if has(PLAN) {
        credit.plan = row.take_given_name()?;
    }
    Ok(())
}

fn read_status(row: &mut RowReader<'_>) -> ReadResult<CreditStatus> {
    const ALL: [CreditStatus; 4] =
        [CreditStatus::Active, CreditStatus::Held, CreditStatus::Suppressed, CreditStatus::Void];
    let place = row.take_byte()?;
    let known = ALL.into_iter().find(|status| *status as u8 == place);
    known.ok_or(UnreadableRow::Broken("a status is not known"))
}

fn read_entry_origin(row: &mut RowReader<'_>) -> ReadResult<CreditOrigin> {
    const ALL: [CreditOrigin; 4] =
        [CreditOrigin::Calculated, CreditOrigin::Manual, CreditOrigin::Late, CreditOrigin::Retro];
    let place = row.take_byte()?;
    let known = ALL.into_iter().find(|origin| *origin as u8 == place);
    known.ok_or(UnreadableRow::Broken("an origin is not known"))
}
