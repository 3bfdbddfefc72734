//! A list of deals that are closed in the CRM, compared with the deals that are recorded.
//!
//! Every vendor documents cases in which a webhook is lost, so that webhooks alone cannot promise that no
//! credit is. Not taking the deals that are missing: an import of the same list does that, under the same
//! keys. Called by `POST /v1/reconciliation`.
//!
//! **Architecture invariant:** a deal is in one of the counts exactly once; the lists may be shorter than
//! their counts, never the counts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use accredit_domain::transaction::{Decoder, Field, Fields, Record, Transaction, Value};
use accredit_ledger::Ledger;
use accredit_ledger::query::RecordedDeals;
use accredit_seams::store::StoreError;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

/// Deals that are named in one list; further ones are counted alone.
const NAMED_MAX: usize = 10_000;

/// What a list says beside what is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Deals in the list; rows that repeat a natural key are one.
    pub listed: usize,
    /// Rows without a natural key, which are compared with nothing.
    pub without_key: usize,
    /// Deals that are recorded as the list says.
    pub same: usize,
    /// How many deals of the list are not recorded.
    pub missing_count: usize,
    /// Those, in the order of the list; 10,000 at most.
    pub missing: Vec<MissingDeal>,
    /// How many deals are recorded with other values than the list has.
    pub different_count: usize,
    /// Those, in the order of the list; 10,000 at most.
    pub different: Vec<DifferentDeal>,
    /// How many recorded deals with a date in the span of the list are not in it.
    pub unlisted_count: usize,
    /// Their natural keys; 10,000 at most.
    pub unlisted: Vec<String>,
    /// Deliveries that were not decided yet when the list was compared: their deals may seem missing.
    pub waiting: u64,
    /// The first and the last incentive date of the list.
    pub span: Option<(Date, Date)>,
}

/// A deal that is not recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingDeal {
    /// Its natural key.
    pub id: String,
    /// Its incentive date, if it can be read.
    pub incentive_date: Option<Date>,
    /// Its amount as decimal text, if it can be read.
    #[schema(value_type = Option<Decimal>)]
    pub amount: Option<String>,
}

/// A deal that is recorded with other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferentDeal {
    /// Its natural key.
    pub id: String,
    /// Both values, by column.
    pub columns: BTreeMap<String, DifferentValue>,
}

/// Two values of one column, as text; blank where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferentValue {
    /// In the list.
    pub listed: String,
    /// As it is recorded.
    pub recorded: String,
}

/// A list while it is compared.
pub struct ListComparison<'l> {
    ledger: &'l Ledger,
    recorded: RecordedDeals<'l>,
    fields: Arc<Fields>,
    decoder: Decoder,
    seen: HashSet<Arc<str>>,
    found: Reconciliation,
}

impl<'l> ListComparison<'l> {
    /// Begins: all of the list is compared with what is recorded at this moment.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn new(ledger: &'l Ledger, fields: &Arc<Fields>) -> Result<Self, StoreError> {
        let waiting = ledger.pending_count()?;
        Ok(ListComparison {
            ledger,
            recorded: ledger.recorded_deals()?,
            fields: Arc::clone(fields),
            decoder: Decoder::new(Arc::clone(fields)),
            seen: HashSet::new(),
            found: Reconciliation { waiting, ..Reconciliation::default() },
        })
    }

    /// Compares a row of the list; of rows with one natural key, the first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn add_record(&mut self, record: &Record) -> Result<(), StoreError> {
        let listed = self.decoder.decode(record);
        if listed.id.is_empty() {
            self.found.without_key += 1;
            return Ok(());
        }
        if !self.seen.insert(Arc::clone(&listed.id)) {
            return Ok(());
        }

        let date = listed.incentive_date().ok();
        if let Some(date) = date {
            let (first, last) = self.found.span.unwrap_or((date, date));
            self.found.span = Some((first.min(date), last.max(date)));
        }

        self.found.listed += 1;
        let Some(stored) = self.recorded.find_transaction(&listed.id)? else {
            self.found.missing_count += 1;
            if self.found.missing.len() < NAMED_MAX {
                let (id, incentive_date) = (listed.id.to_string(), date);
                let amount = listed.amount().ok().map(|amount| amount.to_string());
                self.found.missing.push(MissingDeal { id, incentive_date, amount });
            }
            return Ok(());
        };

        let recorded = self.decode(&stored.record);
        let mut columns = self.different_columns(&listed, &recorded);
        if recorded.is_void() {
            // A person made it void; the list says that it is closed.
            let (listed, recorded) = ("false".to_owned(), "true".to_owned());
            columns.insert("void".to_owned(), DifferentValue { listed, recorded });
        }
        if columns.is_empty() {
            self.found.same += 1;
            return Ok(());
        }
        self.found.different_count += 1;
        if self.found.different.len() < NAMED_MAX {
            self.found.different.push(DifferentDeal { id: stored.id, columns });
        }
        Ok(())
    }

    fn decode(&self, record: &Record) -> Transaction {
        Decoder::new(Arc::clone(&self.fields)).decode(record)
    }

    /// The mapped columns of the list in which it says something else than what is recorded. When a
    /// version was made, and when it was received, differs between a list and a webhook.
    fn different_columns(
        &self,
        listed: &Transaction,
        recorded: &Transaction,
    ) -> BTreeMap<String, DifferentValue> {
        let times = [Field::Updated, Field::Received].map(|field| listed.column_of(field));
        let columns: BTreeSet<&str> = self.fields.named_columns().collect();
        let columns = columns
            .into_iter()
            .filter(|column| listed.has_column(column) && !times.contains(&Some(column)));

        let mut different = BTreeMap::new();
        for column in columns {
            let (listed, recorded) =
                (value_text(listed.get(column)), value_text(recorded.get(column)));
            if listed != recorded {
                different.insert(column.to_owned(), DifferentValue { listed, recorded });
            }
        }
        different
    }

    /// What was found. Recorded deals that are not in the list are looked for where `with_unlisted`.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn end(mut self, with_unlisted: bool) -> Result<Reconciliation, StoreError> {
        let Some((first, last)) = self.found.span.filter(|_| with_unlisted) else {
            return Ok(self.found);
        };

        let (mut from, mut decoder) = (0, Decoder::new(Arc::clone(&self.fields)));
        while let Some((stored, next)) = self.ledger.records_from(from)? {
            for one in stored {
                let deal = decoder.decode(&one.record);
                let is_in_span =
                    deal.incentive_date().is_ok_and(|date| (first..=last).contains(&date));
                let is_of_a_crm = deal.manual_credit().is_none() && !deal.is_void();
                if !is_in_span || !is_of_a_crm || self.seen.contains(&deal.id) {
                    continue;
                }
                self.found.unlisted_count += 1;
                if self.found.unlisted.len() < NAMED_MAX {
                    self.found.unlisted.push(one.id);
                }
            }
            from = next;
        }
        Ok(self.found)
    }
}

/// A value as text: two numbers that are equal have the same one.
fn value_text(value: Value) -> String {
    match value {
        Value::Text(text) | Value::Bad(text) => text.to_string(),
        Value::Number(number) => number.normalize().to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Blank => String::new(),
    }
}
