//! Rows of deals as few bytes: numbers of variable length, names by their number, amounts as integers.
//!
//! What a row of a deal has is in `packed/deal`, an entry of the books in `packed/credit`; here are the
//! pieces that both are made of. Not the seal of a row (`sealed`). Called by `deal_rows`.
//!
//! **Architecture invariant:** what is read is what was written, to the last digit of an amount; bytes
//! that no row could have are an error and never a value.

pub(super) mod credit;
pub(super) mod deal;
mod references;

use accredit_domain::keys::Name;
use accredit_seams::store::StoreError;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::names::{KnownNames, NewNames, RowNames};

/// Why a packed row cannot be read.
#[derive(Debug)]
pub(super) enum UnreadableRow {
    /// It has a name that was not read yet.
    UnknownName,
    /// It is not what was written.
    Broken(&'static str),
}

impl UnreadableRow {
    /// As an error of the store.
    pub(super) fn as_damage(&self) -> StoreError {
        let why = match self {
            UnreadableRow::UnknownName => "it has a name without a text",
            UnreadableRow::Broken(why) => why,
        };
        StoreError::Damaged(format!("a row of a deal cannot be read, {why}"))
    }
}

/// A value out of a packed row, or why there is none.
pub(super) type ReadResult<T> = Result<T, UnreadableRow>;

/// What stands for a name: none, a text in the row, or a number from here on.
const NO_NAME: u64 = 0;
const TEXT_IN_ROW: u64 = 1;
const FIRST_NAME: u64 = 2;

/// Days of a month and of a year in the number of a date: enough for every one, so that none is computed.
const MONTH_DAYS: i64 = 31;
const YEAR_DAYS: i64 = 12 * MONTH_DAYS;

/// In the first byte of an amount: its scale, and whether it is negative.
const SCALE_BITS: u8 = 0x1f;
const NEGATIVE: u8 = 0x20;

/// Appends a number, seven bits a byte, the lowest first.
pub(super) fn put_number(bytes: &mut Vec<u8>, number: impl Into<u128>) {
    let mut left: u128 = number.into();
    loop {
        let low = (left & 0x7f) as u8;
        left >>= 7;
        if left == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// A row while it is written.
pub(super) struct RowWriter<'n> {
    bytes: Vec<u8>,
    names: RowNames<'n>,
}

impl<'n> RowWriter<'n> {
    /// An empty row that uses these names.
    pub(super) fn with_names(names: RowNames<'n>) -> RowWriter<'n> {
        RowWriter { bytes: Vec::with_capacity(512), names }
    }

    /// A row behind these bytes.
    pub(super) fn behind(bytes: Vec<u8>, names: &'n mut NewNames) -> RowWriter<'n> {
        RowWriter { bytes, names: RowNames::Adding(names) }
    }

    /// The bytes of the row.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether the row has a name that its names do not have: its bytes are then of no use.
    fn has_new_name(&self) -> bool {
        matches!(self.names, RowNames::Shared { has_new: true, .. })
    }

    fn put_byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn put_number(&mut self, number: impl Into<u128>) {
        put_number(&mut self.bytes, number);
    }

    pub(super) fn put_length(&mut self, length: usize) {
        self.put_number(length as u64);
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_length(bytes.len());
        self.append_bytes(bytes);
    }

    /// Bytes of another row, without their length.
    fn append_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn put_text(&mut self, text: &str) {
        self.put_bytes(text.as_bytes());
    }

    /// A part with its length in front, so that a reader can pass it by.
    fn put_part(&mut self, write: impl FnOnce(&mut Self)) {
        let before = std::mem::take(&mut self.bytes);
        write(self);
        let part = std::mem::replace(&mut self.bytes, before);
        self.put_bytes(&part);
    }

    /// Appends a key of which a ruleset has few, as the number of its name.
    fn put_name(&mut self, key: Option<impl Into<Name>>) {
        let Some(name) = key.map(Into::into) else { return self.put_number(NO_NAME) };
        let number = self.names.number_of(name);
        self.put_name_number(number, name.text());
    }

    /// Appends a text that many rows have, as the number of its name.
    fn put_named_text(&mut self, text: &str) {
        let number = self.names.number_of_text(text);
        self.put_name_number(number, text);
    }

    fn put_name_number(&mut self, number: Option<u64>, text: &str) {
        match number {
            Some(number) => self.put_number(number + FIRST_NAME),
            None => {
                self.put_number(TEXT_IN_ROW);
                self.put_text(text);
            }
        }
    }

    fn put_date(&mut self, date: Option<Date>) {
        let Some(date) = date else { return self.put_number(0_u64) };
        let year = i64::from(date.year()) * YEAR_DAYS;
        let day = i64::from(date.month() - 1) * MONTH_DAYS + i64::from(date.day() - 1);
        let number = year + day;
        // The sign in the lowest bit; 0 stands for no date.
        let folded = (number.unsigned_abs() << 1) | u64::from(number < 0);
        self.put_number(folded + 1);
    }

    fn put_decimal(&mut self, decimal: &Decimal) {
        let sign = if decimal.is_sign_negative() { NEGATIVE } else { 0 };
        self.put_byte(decimal.scale() as u8 | sign);
        self.put_number(decimal.mantissa().unsigned_abs());
    }
}

/// A row while it is read.
pub(super) struct RowReader<'a> {
    rest: &'a [u8],
    names: &'a KnownNames,
}

impl<'a> RowReader<'a> {
    /// The row with these bytes, whose names are among these.
    pub(super) fn with_names(bytes: &'a [u8], names: &'a KnownNames) -> RowReader<'a> {
        RowReader { rest: bytes, names }
    }

    /// What is left, with other names.
    pub(super) fn with_other_names<'b>(&self, names: &'b KnownNames) -> RowReader<'b>
    where
        'a: 'b,
    {
        RowReader { rest: self.rest, names }
    }

    fn take_byte(&mut self) -> ReadResult<u8> {
        let (first, rest) = self.rest.split_first().ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take_flag(&mut self) -> ReadResult<bool> {
        match self.take_byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UnreadableRow::Broken("a flag is neither set nor unset")),
        }
    }

    fn take_wide(&mut self) -> ReadResult<u128> {
        let mut number = 0_u128;
        for shift in (0..126).step_by(7) {
            let byte = self.take_byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte == 0 && shift > 0 {
                return Err(UnreadableRow::Broken("a number is longer than it has to be"));
            }
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(UnreadableRow::Broken("a number is too long"))
    }

    pub(super) fn take_number(&mut self) -> ReadResult<u64> {
        u64::try_from(self.take_wide()?).map_err(|_| UnreadableRow::Broken("a number is too large"))
    }

    fn take_small(&mut self) -> ReadResult<u32> {
        u32::try_from(self.take_wide()?).map_err(|_| UnreadableRow::Broken("a number is too large"))
    }

    fn take_array<const N: usize>(&mut self) -> ReadResult<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk::<N>().ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take_bytes(&mut self) -> ReadResult<&'a [u8]> {
        let length = usize::try_from(self.take_number()?).map_err(|_| CUT_OFF)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn take_text(&mut self) -> ReadResult<&'a str> {
        std::str::from_utf8(self.take_bytes()?)
            .map_err(|_| UnreadableRow::Broken("a text is no text"))
    }

    /// A key of which a ruleset has few.
    fn take_name<K: From<Name>>(&mut self) -> ReadResult<Option<K>> {
        let name = match self.take_number()? {
            NO_NAME => None,
            TEXT_IN_ROW => Some(Name::of(self.take_text()?)),
            number => Some(self.name_of(number)?),
        };
        Ok(name.map(K::from))
    }

    /// Such a key that cannot be missing.
    fn take_given_name<K: From<Name>>(&mut self) -> ReadResult<K> {
        self.take_name()?.ok_or(MISSING_NAME)
    }

    /// A text that many rows have.
    fn take_named_text(&mut self) -> ReadResult<&'a str> {
        match self.take_number()? {
            NO_NAME => Err(MISSING_NAME),
            TEXT_IN_ROW => self.take_text(),
            number => self.name_of(number).map(|name| &**name.text()),
        }
    }

    fn name_of(&self, number: u64) -> ReadResult<Name> {
        self.names.name_of(number - FIRST_NAME).ok_or(UnreadableRow::UnknownName)
    }

    fn take_date(&mut self) -> ReadResult<Option<Date>> {
        let Some(folded) = self.take_number()?.checked_sub(1) else { return Ok(None) };
        let no_date = || UnreadableRow::Broken("a date is none");

        let number = i64::try_from(folded >> 1).map_err(|_| no_date())?;
        let number = if folded & 1 == 1 { -number } else { number };
        let (year, day) = (number.div_euclid(YEAR_DAYS), number.rem_euclid(YEAR_DAYS));

        let year = i16::try_from(year).map_err(|_| no_date())?;
        let month = i8::try_from(day / MONTH_DAYS + 1).map_err(|_| no_date())?;
        let day = i8::try_from(day % MONTH_DAYS + 1).map_err(|_| no_date())?;
        Date::new(year, month, day).map(Some).map_err(|_| no_date())
    }

    fn take_given_date(&mut self) -> ReadResult<Date> {
        self.take_date()?.ok_or(UnreadableRow::Broken("a date is missing"))
    }

    fn take_decimal(&mut self) -> ReadResult<Decimal> {
        let no_amount = || UnreadableRow::Broken("an amount is none");
        let head = self.take_byte()?;
        let digits = i128::try_from(self.take_wide()?).map_err(|_| no_amount())?;
        if head & !(SCALE_BITS | NEGATIVE) != 0 {
            return Err(no_amount());
        }

        let scale = u32::from(head & SCALE_BITS);
        let read = Decimal::try_from_i128_with_scale(digits, scale);
        let mut decimal = read.map_err(|_| no_amount())?;
        decimal.set_sign_negative(head & NEGATIVE != 0);
        Ok(decimal)
    }

    fn names(&self) -> &'a KnownNames {
        self.names
    }

    /// How many bytes are not read yet.
    fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    /// Refuses bytes behind the row.
    pub(super) fn end(&self) -> ReadResult<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(UnreadableRow::Broken("there is more than a row"))
    }
}

const CUT_OFF: UnreadableRow = UnreadableRow::Broken("it is cut off");
const MISSING_NAME: UnreadableRow = UnreadableRow::Broken("a name is missing");
