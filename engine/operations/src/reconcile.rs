//! A list of deals that are closed in the CRM, compared with the deals that are recorded.
//!
//! Every vendor documents cases in which a webhook is lost, so that webhooks alone cannot promise that no
//! credit is. Not taking the deals that are missing: an import of the same list does that, under the same
//! keys. Called by `POST /v1/reconciliation`.
//!
//! **Architecture invariant:** a deal is in one of the counts exactly once; the lists may be shorter than
//! their counts, never the counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
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
    /// How many deals the list has more than once, with values that differ. Which of their rows is right,
    /// the list does not say: the first is compared.
    pub conflicting_count: usize,
    /// Their natural keys; 10,000 at most.
    pub conflicting: Vec<String>,
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
    /// Its row as an import takes it, if the list is from the CRM's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<BTreeMap<String, serde_json::Value>>)]
    pub row: Option<serde_json::Map<String, serde_json::Value>>,
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
    /// What the first row of each deal says, as a hash; none once another row contradicted it.
    seen: HashMap<Arc<str>, Option<u64>>,
    /// Whether rows of missing deals are kept.
    with_rows: bool,
    /// What the keys of recorded deals begin with that the list should have.
    key_prefix: String,
    /// What the keys of other sources' deals begin with.
    other_prefixes: Vec<String>,
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
            seen: HashMap::new(),
            with_rows: false,
            key_prefix: String::new(),
            other_prefixes: Vec::new(),
            found: Reconciliation { waiting, ..Reconciliation::default() },
        })
    }

    /// Expects all deals of one source with a date in a span, and keeps the rows of those that are missing.
    /// Deals whose keys begin as those of another source are not expected.
    pub fn of_source(
        self,
        span: (Date, Date),
        key_prefix: Option<&str>,
        other_prefixes: Vec<String>,
    ) -> Self {
        let found = Reconciliation { span: Some(span), ..self.found };
        let key_prefix = key_prefix.unwrap_or_default().to_owned();
        ListComparison { with_rows: true, key_prefix, other_prefixes, found, ..self }
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
        let content = self.content_hash(&listed);
        match self.seen.get_mut(&listed.id) {
            None => drop(self.seen.insert(Arc::clone(&listed.id), Some(content))),
            Some(first) => {
                if first.is_some_and(|first| first != content) {
                    *first = None;
                    self.found.conflicting_count += 1;
                    if self.found.conflicting.len() < NAMED_MAX {
                        self.found.conflicting.push(listed.id.to_string());
                    }
                }
                return Ok(());
            }
        }

        let date = listed.incentive_date().ok();
        if let Some(date) = date.filter(|_| !self.with_rows) {
            let (first, last) = self.found.span.unwrap_or((date, date));
            self.found.span = Some((first.min(date), last.max(date)));
        }

        self.found.listed += 1;
        let Some(stored) = self.recorded.find_content(&listed.id)? else {
            self.found.missing_count += 1;
            if self.found.missing.len() < NAMED_MAX {
                let (id, incentive_date) = (listed.id.to_string(), date);
                let amount = listed.amount().ok().map(|amount| amount.to_string());
                let row = self.with_rows.then(|| record.to_json());
                self.found.missing.push(MissingDeal { id, incentive_date, amount, row });
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

    /// The mapped columns of a row that are compared: not those that say when a version was made, or when
    /// it was received.
    fn compared_columns(&self, listed: &Transaction) -> BTreeSet<&str> {
        let times = [Field::Updated, Field::Received].map(|field| listed.column_of(field));
        let columns = self.fields.named_columns();
        columns
            .filter(|column| listed.has_column(column) && !times.contains(&Some(*column)))
            .collect()
    }

    /// What a row says, as a hash: two rows of a deal that say the same contradict nothing.
    fn content_hash(&self, listed: &Transaction) -> u64 {
        let mut hasher = DefaultHasher::new();
        for column in self.compared_columns(listed) {
            (column, value_text(listed.get(column))).hash(&mut hasher);
        }
        hasher.finish()
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
        let mut different = BTreeMap::new();
        for column in self.compared_columns(listed) {
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
                let is_of_other =
                    self.other_prefixes.iter().any(|other| deal.id.starts_with(other));
                let is_of_source = deal.id.starts_with(&self.key_prefix) && !is_of_other;
                if !is_in_span || !is_of_a_crm || !is_of_source || self.seen.contains_key(&deal.id)
                {
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
