//! A deal with its decisions as one row: the content as delivered, then the decisions, a plan each.
//!
//! The content is a part of its own, which a reader of credits passes by.

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::transaction_prefix;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::TransactionKey;
use accredit_domain::note::Note;
use accredit_domain::transaction::{Cell, Record};
use accredit_seams::store::StoreError;

use super::credit::{EarlierEntries, EntryLayout, IdPrefix, read_credit, write_credit};
use super::{ReadResult, RowReader, RowWriter, UnreadableRow};
use crate::LedgerResult;
use crate::names::{KnownNames, NewNames, RowNames};
use crate::record::TransactionRecord;

/// The version of rows of deals, and the one before, which is read as well; another one is refused, never
/// guessed at.
const DEAL_ROW_VERSION: u8 = 4;
const FORMER_ROW_VERSION: u8 = 3;

/// What the first byte of a decision says: its outcome, and which parts it has.
const OUTCOME_BITS: u8 = 0x03;
const OTHER_TRANSACTION: u8 = 0x04;
const HAS_PERIOD: u8 = 0x08;
const HAS_DAY: u8 = 0x10;
const HAS_NOTES: u8 = 0x20;
const DECISION_BITS: u8 = 0x3f;

/// Kinds of cells.
const NULL: u8 = 0;
const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
const NESTED: u8 = 5;

/// Notes of a decision: reasons, alerts, log.
type DecisionNotes = (Vec<Note>, Vec<Note>, Vec<Note>);

/// A deal as it is stored, its content as bytes of its row: a deal that is only decided again has the same
/// content, which is neither read nor written anew.
pub(crate) struct StoredDeal {
    pub(crate) id: String,
    pub(crate) decisions: Vec<Decision>,
    /// What its row has in front of the decisions, behind the version.
    content: Vec<u8>,
}

/// What the row of a deal has in front of its decisions.
#[derive(Clone, Copy)]
pub(crate) enum PackedContent<'a> {
    /// To be written; the decisions in it do not count.
    Record(&'a TransactionRecord),
    /// As it is stored.
    Stored(&'a StoredDeal),
}

impl PackedContent<'_> {
    /// The natural key of the deal.
    pub(crate) fn id(&self) -> &str {
        match self {
            PackedContent::Record(stored) => &stored.id,
            PackedContent::Stored(stored) => &stored.id,
        }
    }
}

/// The row of a deal with these decisions.
///
/// # Errors
/// When a note cannot be written.
pub(crate) fn pack_deal(
    content: PackedContent<'_>,
    decisions: &[Decision],
    names: &mut NewNames,
) -> LedgerResult<Vec<u8>> {
    let mut row = RowWriter::with_names(RowNames::Adding(names));
    write_deal(&mut row, content, decisions)?;
    Ok(row.into_bytes())
}

/// The same beside other rows; none where the row has a name that is not there yet.
///
/// # Errors
/// When a note cannot be written.
pub(crate) fn pack_beside_others(
    content: PackedContent<'_>,
    decisions: &[Decision],
    names: &NewNames,
) -> LedgerResult<Option<Vec<u8>>> {
    let mut row = RowWriter::with_names(RowNames::Shared { names, has_new: false });
    write_deal(&mut row, content, decisions)?;
    Ok((!row.has_new_name()).then(|| row.into_bytes()))
}

fn write_deal(
    row: &mut RowWriter<'_>,
    content: PackedContent<'_>,
    decisions: &[Decision],
) -> LedgerResult<()> {
    let id = content.id();
    match content {
        PackedContent::Record(stored) => {
            row.put_byte(DEAL_ROW_VERSION);
            row.put_text(&stored.id);
            row.put_number(stored.version);
            row.put_number(stored.superseded);
            row.put_number(stored.delivery);
            row.put_part(|row| write_cells(row, &stored.record));
        }
        PackedContent::Stored(stored) => {
            row.put_byte(DEAL_ROW_VERSION);
            row.append_bytes(&stored.content);
        }
    }

    let prefix = transaction_prefix(id);
    row.put_length(decisions.len());
    for decision in decisions {
        write_decision(row, (id, prefix), decision)?;
    }
    Ok(())
}

/// Appends the cells of a row as delivered.
pub(crate) fn write_cells(row: &mut RowWriter<'_>, record: &Record) {
    row.put_length(record.cells.len());
    for (column, cell) in &record.cells {
        row.put_named_text(column);
        let (kind, text) = match cell {
            Cell::Null => (NULL, None),
            Cell::Text(text) => (TEXT, Some(text)),
            Cell::Number(digits) => (NUMBER, Some(digits)),
            Cell::Bool(false) => (FALSE, None),
            Cell::Bool(true) => (TRUE, None),
            Cell::Nested(text) => (NESTED, Some(text)),
        };

        row.put_byte(kind);
        if let Some(text) = text {
            row.put_text(text);
        }
    }
}

fn write_decision(
    row: &mut RowWriter<'_>,
    (id, prefix): (&str, IdPrefix),
    decision: &Decision,
) -> LedgerResult<()> {
    let lists = [&decision.reasons, &decision.alerts, &decision.log];
    let has_notes = lists.iter().any(|list| !list.is_empty());
    let is_other = decision.transaction != *id;

    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    row.put_byte(
        decision.outcome as u8
            | flag(is_other, OTHER_TRANSACTION)
            | flag(decision.period.is_some(), HAS_PERIOD)
            | flag(decision.as_of.is_some(), HAS_DAY)
            | flag(has_notes, HAS_NOTES),
    );

    row.put_name(Some(decision.plan));
    row.put_name(Some(decision.ruleset));
    if is_other {
        row.put_text(&decision.transaction);
    }
    if decision.period.is_some() {
        row.put_name(decision.period);
    }
    if decision.as_of.is_some() {
        row.put_date(decision.as_of);
    }
    if has_notes {
        let notes = postcard::to_stdvec(&(&decision.reasons, &decision.alerts, &decision.log));
        let unwritable = |error| StoreError::Failed(format!("a note cannot be written, {error}"));
        row.put_bytes(&notes.map_err(unwritable)?);
    }

    row.put_length(decision.credits.len());
    let EarlierEntries { last: first, mut ids, mut own } = EarlierEntries::none(decision, prefix);
    let mut before = &first;
    for credit in &decision.credits {
        write_credit(row, before, (&ids, &mut own), credit);
        ids.push(credit.id);
        before = credit;
    }
    Ok(())
}

/// The deal with this number out of its row.
pub(crate) fn unpack_deal(
    number: u64,
    bytes: &[u8],
    names: &KnownNames,
) -> ReadResult<TransactionRecord> {
    let mut row = RowReader::with_names(bytes, names);
    let (layout, mut stored) = read_content(number, &mut row)?;
    stored.decisions = read_decisions(&mut row, layout, &stored.id)?;
    Ok(stored)
}

/// The same without its decisions.
pub(crate) fn unpack_content(
    number: u64,
    bytes: &[u8],
    names: &KnownNames,
) -> ReadResult<TransactionRecord> {
    let mut row = RowReader::with_names(bytes, names);
    read_content(number, &mut row).map(|(_, stored)| stored)
}

/// The part of a row in front of the decisions, and how their entries are written.
fn read_content(
    number: u64,
    row: &mut RowReader<'_>,
) -> ReadResult<(EntryLayout, TransactionRecord)> {
    let (layout, mut stored) = read_head(row)?;
    stored.number = number;

    let mut cells = RowReader::with_names(row.take_bytes()?, row.names());
    stored.record = read_cells(&mut cells)?;
    cells.end()?;
    Ok((layout, stored))
}

/// The same with its content as bytes.
pub(crate) fn unpack_decisions(bytes: &[u8], names: &KnownNames) -> ReadResult<StoredDeal> {
    let mut row = RowReader::with_names(bytes, names);
    let (layout, head) = read_head(&mut row)?;
    row.take_bytes()?;

    let content = bytes.get(1..bytes.len() - row.bytes_left()).unwrap_or_default().to_vec();
    let decisions = read_decisions(&mut row, layout, &head.id)?;
    Ok(StoredDeal { id: head.id, decisions, content })
}

/// The decisions up to the end of a row.
fn read_decisions(
    row: &mut RowReader<'_>,
    layout: EntryLayout,
    id: &str,
) -> ReadResult<Vec<Decision>> {
    let (id, prefix) = (TransactionKey::from(id), transaction_prefix(id));
    let mut decisions = Vec::new();
    for _ in 0..row.take_number()? {
        let (mut decision, count) = read_decision(row, &id)?;
        let mut earlier = EarlierEntries::none(&decision, prefix);
        for _ in 0..count {
            read_credit(row, layout, &mut earlier)?;
            decision.credits.push(earlier.last.clone());
        }
        decisions.push(decision);
    }

    row.end()?;
    Ok(decisions)
}

/// Calls `look` for every credit of the deal in this row, in their order.
pub(crate) fn visit_credits(
    bytes: &[u8],
    names: &KnownNames,
    look: &mut dyn FnMut(&PostedCredit),
) -> ReadResult<()> {
    let mut row = RowReader::with_names(bytes, names);
    let (layout, head) = read_head(&mut row)?;
    row.take_bytes()?;

    let (id, prefix) = (TransactionKey::from(&head.id), transaction_prefix(&head.id));
    for _ in 0..row.take_number()? {
        let (decision, count) = read_decision(&mut row, &id)?;
        let mut earlier = EarlierEntries::none(&decision, prefix);
        for _ in 0..count {
            read_credit(&mut row, layout, &mut earlier)?;
            look(&earlier.last);
        }
    }
    row.end()
}

/// The part of a row in front of the content, and how entries are written behind it.
fn read_head(row: &mut RowReader<'_>) -> ReadResult<(EntryLayout, TransactionRecord)> {
    let layout = match row.take_byte()? {
        DEAL_ROW_VERSION => EntryLayout::Current,
        FORMER_ROW_VERSION => EntryLayout::Former,
        _ => return Err(UnreadableRow::Broken("its version is not known")),
    };
    let head = TransactionRecord {
        id: row.take_text()?.to_owned(),
        version: row.take_small()?,
        superseded: row.take_small()?,
        delivery: row.take_number()?,
        ..TransactionRecord::default()
    };
    Ok((layout, head))
}

/// The cells of a row as delivered.
pub(crate) fn read_cells(row: &mut RowReader<'_>) -> ReadResult<Record> {
    let mut record = Record::default();
    for _ in 0..row.take_number()? {
        let column = row.take_named_text()?.to_owned();
        let cell = match row.take_byte()? {
            NULL => Cell::Null,
            TEXT => Cell::Text(row.take_text()?.to_owned()),
            NUMBER => Cell::Number(row.take_text()?.to_owned()),
            FALSE => Cell::Bool(false),
            TRUE => Cell::Bool(true),
            NESTED => Cell::Nested(row.take_text()?.to_owned()),
            _ => return Err(UnreadableRow::Broken("a kind of cells is not known")),
        };
        record.cells.push((column, cell));
    }
    Ok(record)
}

/// A decision without its credits, and how many of them follow.
fn read_decision(row: &mut RowReader<'_>, id: &TransactionKey) -> ReadResult<(Decision, u64)> {
    let flags = row.take_byte()?;
    if flags & !DECISION_BITS != 0 {
        return Err(UnreadableRow::Broken("a decision has a part that is not known"));
    }
    let has = |bit: u8| flags & bit != 0;

    let plan = row.take_given_name()?;
    let ruleset = row.take_given_name()?;
    let transaction = if has(OTHER_TRANSACTION) { row.take_text()?.into() } else { id.clone() };
    let period = if has(HAS_PERIOD) { Some(row.take_given_name()?) } else { None };
    let as_of = if has(HAS_DAY) { Some(row.take_given_date()?) } else { None };
    let (reasons, alerts, log) = if has(HAS_NOTES) {
        let unreadable = |_| UnreadableRow::Broken("a note is none");
        postcard::from_bytes(row.take_bytes()?).map_err(unreadable)?
    } else {
        DecisionNotes::default()
    };
    let outcome = outcome_of(flags & OUTCOME_BITS);
    let credits = Vec::new();

    let decision = Decision {
        plan,
        transaction,
        period,
        ruleset,
        as_of,
        outcome,
        credits,
        reasons,
        alerts,
        log,
    };
    Ok((decision, row.take_number()?))
}

/// The outcome with this number, of two bits.
fn outcome_of(bits: u8) -> DecisionOutcome {
    const ALL: [DecisionOutcome; 4] = [
        DecisionOutcome::Filtered,
        DecisionOutcome::Credited,
        DecisionOutcome::Uncredited,
        DecisionOutcome::Parked,
    ];
    let known = ALL.into_iter().find(|outcome| *outcome as u8 == bits);
    known.unwrap_or(DecisionOutcome::Parked)
}
