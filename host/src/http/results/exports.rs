//! Lists that are read to their end: as CSV, NDJSON, Parquet or a spreadsheet, if `Accept` requests it.
//!
//! Not which rows there are: each list makes its own pages. Called by the handlers of lists.
//!
//! **Architecture invariant:** an export holds no more than a few pages at a time, and one that fails on
//! its way ends the connection without the end of its body: half a file never looks whole.

mod files;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

use self::files::FileFormat;
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson};
use crate::server::state::Service;
use crate::tabular;

/// Rows of a page of an export.
const EXPORT_PAGE_ROWS: usize = 500;

/// Pages that wait for a slow reader.
const PAGES_AHEAD: usize = 2;

/// A reader that takes nothing for so long has gone.
const READER_TIMEOUT: Duration = Duration::from_secs(60);

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportFormat {
    Json,
    Csv,
    Lines,
    File(FileFormat),
}

/// The media types of files with types.
pub(crate) const PARQUET: &str = "application/vnd.apache.parquet";
pub(crate) const SPREADSHEET: &str =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What was asked for of a list.
#[derive(Debug)]
pub(crate) struct PageRequest<'a> {
    /// Rows of a page at most.
    pub(crate) limit: usize,
    /// Where the page begins.
    pub(crate) cursor: Option<&'a str>,
}

/// Rows, and where the next ones begin.
pub(crate) type RowPage = (Vec<Value>, Option<String>);

/// The limit and the cursor with which a page is asked for.
pub(crate) type PageParams = (Option<usize>, Option<String>);

/// A list that is read page by page.
pub(crate) trait PagedList: Send + Sync + 'static {
    /// The columns of a row, in order.
    fn column_names(&self) -> &'static [&'static str];

    /// A page of it.
    ///
    /// # Errors
    /// When the request or the data cannot be read.
    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem>;
}

impl ExportFormat {
    /// The format that the asker likes best; JSON if no known type is named; among equal
    /// preferences the first one.
    fn accepted_format(headers: &HeaderMap) -> ExportFormat {
        let accepted = headers.get_all(header::ACCEPT).into_iter();
        let accepted = accepted.filter_map(|value| value.to_str().ok());
        let mut best = (0, ExportFormat::Json);

        for one in accepted.flat_map(|value| value.split(',')) {
            let mut parts = one.split(';').map(str::trim);
            let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "text/csv" => ExportFormat::Csv,
                "application/x-ndjson" => ExportFormat::Lines,
                PARQUET => ExportFormat::File(FileFormat::Parquet),
                SPREADSHEET => ExportFormat::File(FileFormat::Spreadsheet),
                "application/json" | "application/*" | "*/*" => ExportFormat::Json,
                _ => continue,
            };

            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1000, parse_weight);
            if weight > best.0 {
                best = (weight, format);
            }
        }

        best.1
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            ExportFormat::Json => "application/json",
            ExportFormat::Csv => "text/csv; charset=utf-8; header=present",
            ExportFormat::Lines => "application/x-ndjson",
            ExportFormat::File(FileFormat::Parquet) => PARQUET,
            ExportFormat::File(FileFormat::Spreadsheet) => SPREADSHEET,
        })
    }

    fn format_head(self, columns: &[&str]) -> Result<Vec<u8>, Problem> {
        if self != ExportFormat::Csv {
            return Ok(Vec::new());
        }
        tabular::csv_header(columns).map_err(|error| Problem::internal(&error))
    }

    fn format_rows(self, columns: &[&str], rows: &[Value]) -> Result<Vec<u8>, Problem> {
        if self == ExportFormat::Csv {
            return tabular::csv_rows(columns, rows).map_err(|error| Problem::internal(&error));
        }
        Ok(rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect())
    }
}

/// A weight of RFC 9110, at most three decimals; none that can be read is the least.
fn parse_weight(weight: &str) -> u32 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    format!("{whole}{decimals:0<3}").parse().unwrap_or_default()
}

/// Whether `Accept` asks for a whole list rather than for a page of it.
pub(crate) fn is_export(headers: &HeaderMap) -> bool {
    ExportFormat::accepted_format(headers) != ExportFormat::Json
}

/// Answers with a page in JSON, or with every row in the format that `Accept` asks for.
///
/// # Errors
/// When the request or the first rows cannot be read, or an export is asked for one page.
pub(crate) async fn answer_list(
    service: Arc<Service>,
    headers: &HeaderMap,
    (limit, cursor): PageParams,
    pages: impl PagedList,
) -> Result<Response, Problem> {
    let format = ExportFormat::accepted_format(headers);
    let pages: Arc<dyn PagedList> = Arc::new(pages);

    let mut response = if format == ExportFormat::Json {
        let limit = credits::page_limit(limit)?;
        let (rows, next) = load_page(&service, &pages, limit, cursor).await?;
        ViewJson(ListView { data: rows, next_cursor: next }).into_response()
    } else if limit.is_some() || cursor.is_some() {
        let detail = "an export has every row: leave out `limit` and `cursor`, or ask for JSON";
        return Err(Problem::bad_request(detail));
    } else {
        export_list(service, format, pages).await?
    };

    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

async fn load_page(
    service: &Arc<Service>,
    pages: &Arc<dyn PagedList>,
    limit: usize,
    cursor: Option<String>,
) -> Result<RowPage, Problem> {
    let pages = Arc::clone(pages);
    let read = service.run_blocking(move |service| {
        pages.read_page(service, &PageRequest { limit, cursor: cursor.as_deref() })
    });
    read.await
}

async fn export_list(
    service: Arc<Service>,
    format: ExportFormat,
    pages: Arc<dyn PagedList>,
) -> Result<Response, Problem> {
    // The first rows are read before the answer begins: what is wrong with the request is told.
    let (rows, next) = load_page(&service, &pages, EXPORT_PAGE_ROWS, None).await?;
    let (sender, receiver) = mpsc::channel(PAGES_AHEAD);

    // Where it fails, the sender is dropped without the end, and the reader is told so.
    if let ExportFormat::File(file) = format {
        let turn = files::FILES_UNDER_WAY.try_acquire();
        let turn =
            turn.map_err(|_| Problem::unavailable("other files are being made; try again"))?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            files::send_file(&service, &pages, (file, (rows, next)), &sender);
        });
    } else {
        let mut first = format.format_head(pages.column_names())?;
        first.extend(format.format_rows(pages.column_names(), &rows)?);
        tokio::spawn(
            async move { send_pages(&service, format, &pages, (first, next), &sender).await },
        );
    }

    let body = Body::new(ExportBody { chunks: receiver, ended: false });
    Ok(([(header::CONTENT_TYPE, format.media_type())], body).into_response())
}

/// Sends the first rows and every page after them, until the last one or until the client
/// disconnects.
async fn send_pages(
    service: &Arc<Service>,
    format: ExportFormat,
    pages: &Arc<dyn PagedList>,
    (mut bytes, mut next): (Vec<u8>, Option<String>),
    sender: &Sender<ExportChunk>,
) -> Result<(), Problem> {
    let gone = || Problem::unavailable("the client of an export has disconnected");

    loop {
        let rows = ExportChunk::Rows(Bytes::from(bytes));
        sender.send_timeout(rows, READER_TIMEOUT).await.map_err(|_| gone())?;

        let Some(cursor) = next else {
            return sender.send_timeout(ExportChunk::End, READER_TIMEOUT).await.map_err(|_| gone());
        };

        let (rows, after) = load_page(service, pages, EXPORT_PAGE_ROWS, Some(cursor)).await?;
        bytes = format.format_rows(pages.column_names(), &rows)?;
        next = after;
    }
}

/// A part of a body.
#[derive(Debug)]
enum ExportChunk {
    Rows(Bytes),
    /// There are no more rows.
    End,
}

/// A body of what is sent; without its end it is an error.
struct ExportBody {
    chunks: Receiver<ExportChunk>,
    ended: bool,
}

impl HttpBody for ExportBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }

        self.chunks.poll_recv(context).map(|chunk| match chunk {
            Some(ExportChunk::Rows(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(ExportChunk::End) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(std::io::Error::other("the export was cut short")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_that_is_liked_best_is_taken() {
        for (accept, format) in [
            ("", ExportFormat::Json),
            ("*/*", ExportFormat::Json),
            ("text/html", ExportFormat::Json),
            ("Text/CSV; charset=utf-8", ExportFormat::Csv),
            ("application/json, text/csv", ExportFormat::Json),
            ("application/json;q=0.5, text/csv;q=0.25, application/x-ndjson", ExportFormat::Lines),
            ("text/csv, */*;q=0.8", ExportFormat::Csv),
            (PARQUET, ExportFormat::File(FileFormat::Parquet)),
            (SPREADSHEET, ExportFormat::File(FileFormat::Spreadsheet)),
            ("text/csv;q=0", ExportFormat::Json),
            ("text/csv;q=x", ExportFormat::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(ExportFormat::accepted_format(&headers), format, "{accept}");
        }
    }

    /// Half a file would look whole, if a body without its end were none.
    #[tokio::test]
    async fn a_body_without_its_end_is_an_error() {
        for whole in [true, false] {
            let (sender, chunks) = mpsc::channel(PAGES_AHEAD);
            sender.send(ExportChunk::Rows(Bytes::from_static(b"a\n"))).await.unwrap();
            if whole {
                sender.send(ExportChunk::End).await.unwrap();
            }
            drop(sender);

            let read =
                axum::body::to_bytes(Body::new(ExportBody { chunks, ended: false }), 100).await;
            assert_eq!(read.is_ok(), whole);
        }
    }
}
