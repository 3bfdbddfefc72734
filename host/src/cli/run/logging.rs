//! Where log lines and spans go: lines to standard error, spans to a collector where one is named.
//!
//! Not what is logged. Called by `serve`.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

#[cfg(feature = "otel")]
use super::spans;

/// The variables that name a collector of spans.
const COLLECTOR_VARIABLES: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// What logs until it is dropped; then spans that wait are sent.
pub(super) struct RunningLog {
    #[cfg(feature = "otel")]
    spans: Option<spans::SpanExport>,
}

#[cfg(feature = "otel")]
impl Drop for RunningLog {
    fn drop(&mut self) {
        if let Some(spans) = self.spans.take() {
            spans.finish();
        }
    }
}

/// Logs go to stderr; as JSON if it is not a terminal.
///
/// # Errors
/// When a collector is named that cannot be used.
pub(super) fn start_logging() -> Result<RunningLog, String> {
    let filter = EnvFilter::try_from_env("ACCREDIT_LOG");
    let mut filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    // The first writes whole addresses, and an invitation is a part of one; the second the rows of the
    // database.
    for directive in ["tower_http::csrf=off", "tokio_postgres=info"] {
        if let Ok(silent) = directive.parse() {
            filter = filter.add_directive(silent);
        }
    }

    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    let log = tracing_subscriber::registry().with(filter).with(lines);

    let is_wanted = COLLECTOR_VARIABLES.iter().any(|name| std::env::var_os(name).is_some());

    #[cfg(feature = "otel")]
    {
        let spans = if is_wanted { Some(spans::SpanExport::start()?) } else { None };
        // A second subscriber in one process (tests) is not worth a failure.
        let _ = log.with(spans.as_ref().map(spans::SpanExport::layer)).try_init();
        Ok(RunningLog { spans })
    }

    #[cfg(not(feature = "otel"))]
    {
        let _ = log.try_init();
        if is_wanted {
            tracing::warn!(
                "a collector of spans is named, and this program was built without `otel`"
            );
        }
        Ok(RunningLog {})
    }
}
