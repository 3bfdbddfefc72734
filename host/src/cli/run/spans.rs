//! Spans of requests sent to a collector of OpenTelemetry, in OTLP over HTTP.
//!
//! Not what spans say (`http::request_id`) and not log lines (`logging`). Only in builds with the feature
//! `otel`. The variables are those of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT` and its like.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// A request to the collector has this long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The export of spans while the server runs.
pub(super) struct SpanExport {
    provider: SdkTracerProvider,
}

impl SpanExport {
    /// Begins to export.
    ///
    /// # Errors
    /// When the collector that is named cannot be used.
    pub(super) fn start() -> Result<SpanExport, String> {
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT));
        let agent = config.http_status_as_error(false).build().new_agent();
        let exporter = SpanExporter::builder().with_http().with_http_client(Collector { agent });
        let exporter = exporter.build().map_err(|error| format!("no export of spans: {error}"))?;

        // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` still count.
        let resource = Resource::builder().with_service_name(service_name()).build();
        let provider = SdkTracerProvider::builder();
        let provider = provider.with_resource(resource).with_batch_exporter(exporter).build();
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(SpanExport { provider })
    }

    /// What takes the spans of the program.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("accredit"))
    }

    /// Sends the spans that wait.
    pub(super) fn finish(self) {
        if let Err(error) = self.provider.shutdown() {
            eprintln!("note: the last spans were not sent: {error}");
        }
    }
}

fn service_name() -> String {
    std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "accredit".to_owned())
}

/// The collector, asked with the client that the program has already.
#[derive(Debug)]
struct Collector {
    agent: ureq::Agent,
}

impl Collector {
    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.to_vec());
        let mut answer = self.agent.run(request)?;
        let status = answer.status();
        let body = answer.body_mut().read_to_vec()?;
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        Ok(response)
    }
}

type SentRequest<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Collector {
    // The exporter calls it on a thread of its own, where blocking does no harm.
    fn send_bytes<'s, 'f>(&'s self, request: Request<Bytes>) -> SentRequest<'f>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move { self.send(request) })
    }
}
