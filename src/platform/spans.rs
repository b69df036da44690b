//! Spans and metrics of what a service asks of others, after OpenTelemetry's semantic conventions for
//! [databases](https://opentelemetry.io/docs/specs/semconv/database/) and
//! [HTTP clients](https://opentelemetry.io/docs/specs/semconv/http/http-spans/).

use std::fmt::Display;
use std::pin::Pin;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::Instant;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Histogram};
use tracing::field::Empty;
use tracing::{Instrument, Span};

/// How long operations of databases took. Made when it is first used, after [`crate::telemetry::init`].
static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    crate::telemetry::meter()
        .f64_histogram("db.client.operation.duration")
        .with_unit("s")
        .with_description("Duration of operations of databases")
        .with_boundaries(vec![
            0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
        ])
        .build()
});

/// The same for each system and name, of which there are some twenty.
static BOUND: RwLock<Vec<(&'static str, String, BoundHistogram<f64>)>> = RwLock::new(Vec::new());

/// An operation of a database.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// `postgresql` or `redis`.
    pub system: &'static str,
    /// What is done: few values, since it labels the metric.
    pub name: &'a str,
    /// The span's name.
    pub summary: &'a str,
    /// The text of the query, without values.
    pub text: Option<&'a str>,
}

impl Operation<'_> {
    /// Works on it in a span of its own, where somebody waits for it: what the service does by itself has no trace. It is on
    /// the heap, since what waits is copied into everything that waits for it.
    pub async fn observe<T, E: Display>(
        self,
        work: Pin<Box<impl Future<Output = Result<T, E>>>>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let span = if crate::trace::is_unrecorded() || Span::current().is_none() {
            Span::none()
        } else {
            tracing::info_span!(
                "database",
                otel.name = self.summary,
                otel.kind = "client",
                otel.status_code = Empty,
                db.system.name = self.system,
                db.operation.name = self.name,
                db.query.text = self.text,
            )
        };
        let result = if span.is_none() { work.await } else { work.instrument(span.clone()).await };
        if result.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        self.record(start.elapsed().as_secs_f64());
        result
    }

    fn record(self, seconds: f64) {
        let known = BOUND.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) =
            known.iter().find(|(system, name, _)| *system == self.system && name == self.name)
        {
            histogram.2.record(seconds);
            return;
        }
        drop(known);
        let attributes = [
            KeyValue::new("db.system.name", self.system),
            KeyValue::new("db.operation.name", self.name.to_owned()),
        ];
        let histogram = DURATION.bind(&attributes);
        histogram.record(seconds);
        let mut known = BOUND.write().unwrap_or_else(PoisonError::into_inner);
        known.push((self.system, self.name.to_owned(), histogram));
    }
}

/// Sends a request to another service, in a span of its own and with the trace context. `route` is the template of the
/// path.
pub async fn send(request: reqwest::RequestBuilder, route: &str) -> reqwest::Result<reqwest::Response> {
    let (client, request) = request.build_split();
    let mut request = request?;
    if crate::trace::is_unrecorded() {
        request.headers_mut().extend(crate::trace::headers());
        return client.execute(request).await;
    }
    let method = request.method().as_str();
    let span = tracing::info_span!(
        "call",
        otel.name = format!("{method} {route}"),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        url.template = route,
        http.response.status_code = Empty,
    );
    request.headers_mut().extend(span.in_scope(crate::trace::headers));
    let answer = client.execute(request).instrument(span.clone()).await;
    if let Ok(answer) = &answer {
        span.record("http.response.status_code", answer.status().as_u16());
    }
    if answer.as_ref().map_or(true, |answer| !answer.status().is_success()) {
        span.record("otel.status_code", "ERROR");
    }
    answer
}
