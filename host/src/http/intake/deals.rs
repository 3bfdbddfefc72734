//! The list of recorded deals, in pages and as exports.
//!
//! Not their decisions one by one (`transactions`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::decision::DecisionOutcome;
use accredit_domain::transaction::Decoder;
use accredit_ledger::deals::DealQuery;
use accredit_ledger::record::TransactionRecord;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::views;
use crate::server::state::Service;

/// The columns of a deal in a list, in order.
const COLUMNS: [&str; 9] =
    ["id", "version", "superseded", "void", "date", "period", "outcomes", "source", "delivery"];

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DealListParams {
    /// What the natural key begins with.
    id: Option<String>,
    /// Id of a plan.
    plan: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
    /// Deals with this outcome in a plan.
    outcome: Option<DecisionOutcome>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of deals, in order of first receipt.
///
/// As a file if `Accept` requests it: every deal that fits.
pub(crate) async fn list_deals(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    wanted: Result<Query<DealListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request(
            "expected `id` (what it begins with), `plan`, `period`, `outcome` (`filtered`, `credited`, \
             `uncredited` or `parked`), `limit` or `cursor`",
        )
    })?;

    let query = DealQuery {
        prefix: wanted.id,
        plan: wanted.plan,
        periods: credits::leaf_periods(&service, wanted.period.as_deref())?,
        outcome: wanted.outcome,
        limit: 0,
        cursor: None,
    };
    exports::answer_list(service, &headers, (wanted.limit, wanted.cursor), query).await
}

impl PagedList for DealQuery {
    fn column_names(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let cursor = part.cursor.map(str::to_owned);
        let query = DealQuery { limit: part.limit, cursor, ..self.clone() };
        let page = service
            .context
            .ledger
            .deal_page(&query)
            .map_err(|error| credits::unread_page(&error))?;

        let origins = delivery_origins(service, &page.rows)?;
        let fields = Arc::clone(&service.context.ruleset.load().settings.fields);
        let mut decoder = Decoder::new(fields);
        let rows = page.rows.iter().map(|stored| deal_row(&mut decoder, &origins, stored));
        Ok((rows.collect::<Result<_, _>>()?, page.next))
    }
}

/// Source and id of deliveries, by their place in the inbox.
type DeliveryOrigins = BTreeMap<u64, (String, String)>;

/// Where deals came from. Many come in one delivery, which is read once.
fn delivery_origins(
    service: &Service,
    deals: &[TransactionRecord],
) -> Result<DeliveryOrigins, Problem> {
    let sequences: BTreeSet<u64> = deals.iter().map(|stored| stored.delivery).collect();
    let mut origins = DeliveryOrigins::new();

    for sequence in sequences {
        let delivery = service.context.ledger.find_delivery(sequence);
        if let Some(delivery) = delivery? {
            origins.insert(sequence, (delivery.source, delivery.id));
        }
    }

    Ok(origins)
}

/// A deal in a list: the columns of [`COLUMNS`].
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DealRowView<'a> {
    /// Natural key.
    id: &'a str,
    /// 1 for the first content, and one more for every other.
    version: u32,
    /// Versions that came later than a newer one.
    superseded: u32,
    /// The reason for which a person made it void; null for one that counts.
    void: Option<String>,
    /// Incentive date; null if it cannot be read.
    #[schema(format = Date)]
    date: Option<String>,
    /// Id of the period in which it was decided.
    period: Option<&'a str>,
    /// The outcome in each plan, by the plan's id.
    outcomes: BTreeMap<&'a str, DecisionOutcome>,
    /// Name of the source that its content came from.
    source: Option<&'a str>,
    /// The sender's id of the delivery that brought its content.
    delivery: Option<&'a str>,
}

/// A deal as a row.
fn deal_row(
    decoder: &mut Decoder,
    origins: &DeliveryOrigins,
    stored: &TransactionRecord,
) -> Result<Value, Problem> {
    let date = decoder.decode(&stored.record).incentive_date().ok().map(|date| date.to_string());
    let period = stored.decisions.iter().find_map(|decision| decision.period.as_deref());
    let decisions = stored.decisions.iter();
    let outcomes: BTreeMap<&str, DecisionOutcome> =
        decisions.map(|decision| (decision.plan.as_str(), decision.outcome)).collect();
    let origin = origins.get(&stored.delivery);

    views::view_json(&DealRowView {
        id: &stored.id,
        version: stored.version,
        superseded: stored.superseded,
        void: stored.record.void_remark().map(|void| void.reason),
        date,
        period,
        outcomes,
        source: origin.map(|(source, _)| source.as_str()),
        delivery: origin.map(|(_, id)| id.as_str()),
    })
}
