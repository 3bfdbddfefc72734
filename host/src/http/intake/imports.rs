//! Rows imported in bulk: `POST /v1/transactions`.
//!
//! An import goes through the same inbox as webhooks; a body that is not rows is refused whole, with
//! the lines at fault.
//!
//! **Architecture invariants:** the body is in memory once, and of its rows one chunk at a time: they
//! are gone through anew for each question about them. Nothing is stored before all of them were
//! read.

mod chunks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::transaction::read::{FileLayout, MalformedBody};
use accredit_domain::transaction::{Decoder, Record};
use accredit_operations::intake::{Comparison, IMPORT, RowComparison};
use accredit_operations::principal::Principal;
use accredit_operations::suspect::{self, Survey, Suspicions};
use accredit_workspace::Ruleset;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use self::chunks::Chunks;
use crate::directory::formats::{self, Body, NotRead, RowFormat};
use crate::http::body;
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::views::ViewJson;
use crate::server::room::BodyPlace;
use crate::server::state::Service;

/// Bytes of an import, packed or not.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// Bytes of a spreadsheet: its texts are in memory while it is read.
const SPREADSHEET_BYTES_MAX: usize = 16 << 20;

/// An import, its body included, has this long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);

/// How long an import waits until others have been read.
const ROOM_WAIT: Duration = Duration::from_secs(20);

/// Lines named in one refusal.
const ERRORS_MAX: usize = 100;

/// The answer to an import.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportAnswer {
    /// The key of the import: the sender's `Idempotency-Key` or one that the server made.
    delivery: String,
    /// Rows in the body.
    rows: usize,
    /// Deliveries that the rows made; 0 if they said nothing new.
    deliveries: usize,
    /// Whether all of them had been received before.
    duplicate: bool,
    /// What is odd about rows that are taken all the same; left out if nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<RowWarningView>,
    /// Mapped columns that deals lose with the import, by natural key; left out if none does.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns_missing: BTreeMap<String, BTreeSet<String>>,
    /// The delimiter of a text body, if it was not given but detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delimiter: Option<char>,
}

/// A warning about a row of an import.
#[derive(Debug, Serialize, ToSchema)]
struct RowWarningView {
    /// The kind of the finding, `CRnnn`.
    #[schema(value_type = String)]
    code: Code,
    /// Line in the body, from 1.
    line: u32,
    /// What is wrong.
    detail: String,
    /// What to do about it.
    help: Option<String>,
}

impl RowWarningView {
    fn new(finding: Diagnostic) -> RowWarningView {
        let Diagnostic { code, place, message, help, .. } = finding;
        RowWarningView { code, line: place.line, detail: message, help }
    }
}

/// The row because of which a body is refused, in the `errors` of a problem.
#[derive(Debug, Serialize, ToSchema)]
struct MalformedRowView {
    /// Line in the body, from 1.
    line: u64,
    /// What is wrong, in one sentence.
    detail: String,
    /// What to do about it, if there is more to say than for every such body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    help: Option<String>,
}

/// A row that is refused for its natural key, in the `errors` of a problem.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedKeyView<'a> {
    /// Its place among the rows as a JSON pointer, from `/0`.
    pointer: String,
    /// Line in the body, from 1.
    line: u64,
    /// Which columns are blank or missing, or what the key should begin with.
    detail: &'a str,
}

/// The query of an import.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportParams {
    /// Whether rows whose deal is recorded already are passed over.
    #[serde(default)]
    missing_only: bool,
}

/// Takes rows in any of the formats of a directory but Parquet, with gzip around them or without.
pub(crate) async fn import_transactions(
    State(service): State<Arc<Service>>,
    params: Result<Query<ImportParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let Ok(Query(params)) = params else {
        let problem = Problem::bad_request("expected `missing_only=true`");
        return Err(body::refused(body, problem).await);
    };
    let missing_only = params.missing_only;
    let caller = head.extensions.get::<Principal>();
    let scope = caller.and_then(Principal::deal_scope).map(str::to_owned);
    let who = caller.map_or_else(String::new, |caller| caller.name.clone());
    let key = match SentKey::from_headers(&head.headers).map(|SentKey(key)| key) {
        Ok(key) => key,
        Err(problem) => return Err(body::refused(body, problem).await),
    };
    let form = match BodyForm::of(&head.headers) {
        Ok(form) => form,
        Err(problem) => return Err(body::refused(body, problem).await),
    };

    let Some(place) = enter_room(&service, form, &head.headers).await else {
        body::discard(body, BODY_BYTES_MAX).await;
        return Err(Problem::unavailable("other imports are running; nothing was stored"));
    };
    let body = body::read_limited(body, form.bytes_max()).await?;

    let runtime = Handle::current();
    let answer = service.run_blocking(move |service| {
        let import =
            Import { service, runtime, form, key, who, scope, missing_only, _place: place };
        import.take(body.into())
    });
    Ok((StatusCode::ACCEPTED, ViewJson(answer.await?)).into_response())
}

/// Waits for room for a body before it is in memory, so that many at once are not; none where others take
/// too long.
pub(super) async fn enter_room(
    service: &Service,
    form: BodyForm,
    headers: &HeaderMap,
) -> Option<BodyPlace> {
    wait_for_room(service, form.bytes(headers)).await
}

/// Waits for room for so many bytes.
pub(super) async fn wait_for_room(service: &Service, bytes: usize) -> Option<BodyPlace> {
    tokio::time::timeout(ROOM_WAIT, service.imports_room.enter(bytes)).await.ok()
}

/// What a body is, as its headers say.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyForm {
    format: RowFormat,
    is_packed: bool,
}

impl BodyForm {
    /// What the headers say.
    ///
    /// # Errors
    /// When they name a format or an encoding that is not taken.
    pub(super) fn of(headers: &HeaderMap) -> Result<BodyForm, Problem> {
        let refused =
            |detail: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail);

        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let format = formats::of_media_type(&kind).ok_or_else(|| {
            refused(format!("expected one of {}", formats::media_types().join(", ")))
        })?;

        let is_packed = match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
            None | Some(b"identity") => false,
            Some(b"gzip") => true,
            Some(_) => {
                let detail = "expected a body without content encoding, or `gzip`";
                return Err(refused(detail.to_owned()));
            }
        };
        Ok(BodyForm { format, is_packed })
    }

    /// Bytes that the body may have.
    pub(super) fn bytes_max(self) -> usize {
        if self.format == RowFormat::Xlsx { SPREADSHEET_BYTES_MAX } else { BODY_BYTES_MAX }
    }

    /// A body without its content encoding.
    pub(super) fn unpack(self, body: Bytes) -> Result<Bytes, Problem> {
        if !self.is_packed {
            return Ok(body);
        }
        let unpacked = formats::unpack_gzip(&body, self.bytes_max() as u64);
        unpacked.map(Bytes::from).map_err(not_read)
    }

    /// The rows of a body.
    pub(super) fn open<'b>(
        self,
        body: &'b Bytes,
        layout: &'b FileLayout,
    ) -> Result<Body<'b>, Problem> {
        let opened = Body::open_body(self.format, body, layout, BODY_BYTES_MAX as u64);
        opened.map_err(not_read)
    }

    /// Limit of the unpacked body, in bytes.
    fn bytes(self, headers: &HeaderMap) -> usize {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        match length.and_then(|length| length.parse().ok()) {
            Some(length) if !self.is_packed && self.format != RowFormat::Xlsx => length,
            _ => BODY_BYTES_MAX,
        }
    }
}

/// A key for a body whose sender made none. The same body may come again and mean something, when
/// its deals have become others in between, so the key is that of this one request.
fn own_key(hash: &str) -> Result<String, Problem> {
    let mut request = [0; 8];
    getrandom::fill(&mut request).map_err(|error| Problem::internal(&error))?;
    let number = u64::from_be_bytes(request);
    Ok(format!("body_{hash}_{number:016x}"))
}

/// An import under way.
struct Import<'s> {
    service: &'s Service,
    runtime: Handle,
    form: BodyForm,
    /// As the sender made it.
    key: Option<String>,
    /// The caller, for the audit trail.
    who: String,
    /// What the natural keys of the rows have to begin with; none for the staff.
    scope: Option<String>,
    /// Whether rows of recorded deals are passed over.
    missing_only: bool,
    /// Held until the last row is stored.
    _place: BodyPlace,
}

/// What the rows of a body are, beside themselves.
struct RowSurvey {
    rows: usize,
    columns: Vec<String>,
    compared: RowComparison,
    suspicions: Suspicions,
}

impl Import<'_> {
    /// Reads the body, and stores it if all of it is rows that say something new; the answer.
    fn take(mut self, body: Bytes) -> Result<ImportAnswer, Problem> {
        let ruleset = self.service.context.ruleset.load_full();
        let body = self.form.unpack(body)?;
        let hash = blake3::hash(&body).to_hex().to_string();

        let mut body = self.form.open(&body, &ruleset.settings.layout)?;
        let RowSurvey { rows, columns, compared, suspicions } =
            self.survey_rows(&ruleset, &mut body)?;

        let fields = &ruleset.settings.fields;
        let mut findings = suspicions.findings;
        if !columns.is_empty() {
            findings.extend(suspect::header_findings(fields, "", &columns));
        }

        let given = self.key.take();
        let ledger = &self.service.context.ledger;
        let is_begun = match &given {
            Some(given) => ledger.begin_import((IMPORT, given))?,
            None => false,
        };
        let is_known = given.is_none() && compared.nothing_new;
        let key = given.clone().map_or_else(|| own_key(&hash), Ok)?;
        let recorded = ledger.recorded_deals()?;
        let mut decoder = Decoder::new(Arc::clone(fields));
        let mut chunks = Chunks::new(self.service, &self.runtime, &key, &hash);
        if !is_known {
            for row in body.rows().map_err(malformed_problem)?.1 {
                let record = row.map_err(malformed_problem)?.record;
                if self.missing_only
                    && recorded.find_content(&decoder.decode(&record).id)?.is_some()
                {
                    continue;
                }
                chunks.add(record, fields, &suspicions.conflicts)?;
            }
        }
        let stored = chunks.end()?;

        // One that was cut off before its row of the trail was written gets it now.
        let is_new = stored.deliveries > 0 && (!stored.duplicate || is_begun);
        let said = is_new.then(|| {
            let detail = json!({
                "delivery": key, "rows": rows, "deliveries": stored.deliveries,
                "missing_only": self.missing_only, "body": hash,
            });
            (self.who.as_str(), "imported", detail)
        });
        let now_ms = self.service.clock.now_ms();
        match (given, said) {
            (Some(given), said) => ledger.end_import(&given, now_ms, said)?,
            (None, Some(said)) => ledger.note_act(now_ms, said)?,
            (None, None) => (),
        }

        let outcome = if stored.duplicate { "duplicate" } else { "accepted" };
        self.service.metrics.count_webhook("import", outcome);
        Ok(ImportAnswer {
            delivery: key,
            rows,
            deliveries: stored.deliveries,
            duplicate: stored.duplicate,
            warnings: findings.into_iter().map(RowWarningView::new).collect(),
            columns_missing: if self.missing_only { BTreeMap::new() } else { compared.lost },
            delimiter: body.detected_delimiter(),
        })
    }

    /// Goes through the rows: all can be read, and each has a natural key.
    fn survey_rows(&self, ruleset: &Ruleset, body: &mut Body<'_>) -> Result<RowSurvey, Problem> {
        let fields = &ruleset.settings.fields;
        let mut survey = Survey::new(ruleset);
        let mut comparison = Comparison::new(&self.service.context.ledger, fields)?;
        let (mut without_key, mut outside) = (Vec::new(), Vec::new());
        let mut count = 0;

        let (columns, rows) = body.rows().map_err(malformed_problem)?;
        for row in rows {
            let row = row.map_err(malformed_problem)?;
            let key = survey.add("", row.line, &row.record);
            if key.is_empty() && without_key.len() < ERRORS_MAX {
                without_key.push((count, row.line));
            }
            let is_inside = self.scope.as_ref().is_none_or(|scope| key.starts_with(&**scope));
            if !is_inside && outside.len() < ERRORS_MAX {
                outside.push((count, row.line));
            }
            comparison.add_record(&row.record)?;
            count += 1;
            check_stopping(self.service)?;
        }
        if !without_key.is_empty() {
            return Err(no_natural_key(&fields.id, &without_key));
        }
        if let Some(scope) = self.scope.as_ref().filter(|_| !outside.is_empty()) {
            return Err(outside_scope(scope, &outside));
        }

        let suspicions = survey.end(|each: &mut dyn FnMut(&str, u64, &Record)| {
            for row in body.rows().map_err(malformed_problem)?.1 {
                let row = row.map_err(malformed_problem)?;
                each("", row.line, &row.record);
                check_stopping(self.service)?;
            }
            Ok::<(), Problem>(())
        })?;
        Ok(RowSurvey { rows: count, columns, compared: comparison.end(), suspicions })
    }
}

/// A stop does not wait for a body to be read.
pub(super) fn check_stopping(service: &Service) -> Result<(), Problem> {
    if service.stopping.load(Ordering::Acquire) {
        return Err(Problem::unavailable("the server is stopping; nothing was taken"));
    }
    Ok(())
}

fn not_read(error: NotRead) -> Problem {
    match error {
        NotRead::Malformed(error) => malformed_problem(error),
        NotRead::NotPacked(reason) => Problem::bad_request(reason),
        NotRead::TooLarge(bytes_max) => {
            let detail = format!("unpacked the body has more than {bytes_max} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
    }
}

/// The refusal of a body that is not rows.
pub(super) fn malformed_problem(error: MalformedBody) -> Problem {
    let malformed = MalformedRowView { line: error.line, detail: error.message, help: error.help };
    let problem = Problem::bad_request("the body is not rows; nothing was taken");
    problem.with_error_views(&[malformed])
}

/// The refusal of rows that are not the sender's, by their numbers from 0 and their lines.
fn outside_scope(scope: &str, rows: &[(usize, u64)]) -> Problem {
    let detail = format!("the natural key does not begin with `{scope}`, the scope of this key");
    let outside = rows.iter().map(|(index, line)| RefusedKeyView {
        pointer: format!("/{index}"),
        line: *line,
        detail: &detail,
    });
    let refused = "rows are outside of the scope of this key; nothing was taken";
    let problem = Problem::new(StatusCode::FORBIDDEN, "outside_scope", refused);
    problem.with_error_views(&outside.collect::<Vec<_>>())
}

/// The refusal of rows without a natural key, by their numbers from 0 and their lines.
fn no_natural_key(columns: &[String], rows: &[(usize, u64)]) -> Problem {
    let column = columns.join("`, `");
    let detail = format!("the natural key `{column}` is blank or missing");
    let without_key = rows.iter().map(|(index, line)| RefusedKeyView {
        pointer: format!("/{index}"),
        line: *line,
        detail: &detail,
    });
    let problem = Problem::unprocessable("no_natural_key", "rows cannot be told apart");
    problem.with_error_views(&without_key.collect::<Vec<_>>())
}
