//! The instruments of the HTTP server, after OpenTelemetry's
//! [conventions](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use hashbrown::HashMap;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter, Histogram, UpDownCounter};

/// The status under which a request is recorded whose client left before its answer, as nginx has it. No client gets it.
const CLIENT_LEFT: u16 = 499;

/// All of them, and what of them is bound to routes.
pub(super) struct Instruments {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
    series: RwLock<HashMap<String, Vec<Arc<Series>>>>,
}

fn duration() -> Histogram<f64> {
    crate::telemetry::meter()
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of HTTP requests")
        .with_boundaries(vec![
            0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        ])
        .build()
}

fn active() -> UpDownCounter<i64> {
    crate::telemetry::meter()
        .i64_up_down_counter("http.server.active_requests")
        .with_description("HTTP requests in flight")
        .build()
}

/// The method as a label: clients may invent any number of others.
pub(super) fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("_OTHER")
}

impl Instruments {
    pub(super) fn new() -> Self {
        Self { duration: duration(), active: active(), series: RwLock::default() }
    }

    /// The instruments of a method and a route, which are made when they are first used.
    pub(super) fn series(&self, method: &'static str, route: &str) -> Arc<Series> {
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) =
            known.get(route).and_then(|methods| methods.iter().find(|one| one.method == method))
        {
            return Arc::clone(series);
        }
        drop(known);
        let attributes =
            [KeyValue::new("http.request.method", method), KeyValue::new("http.route", route.to_owned())];
        let active = self.active.bind(&attributes);
        let series = Arc::new(Series { method, attributes, active, durations: RwLock::default() });
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(Arc::clone(&series));
        series
    }
}

/// The instruments of a method and a route: as many as there are routes in the program.
pub(super) struct Series {
    method: &'static str,
    attributes: [KeyValue; 2],
    active: BoundUpDownCounter<i64>,
    durations: RwLock<Vec<(StatusCode, BoundHistogram<f64>)>>,
}

impl Series {
    /// Records a request that has its answer, and tells how long it took.
    pub(super) fn done(&self, instruments: &Instruments, start: Instant, status: StatusCode) -> Duration {
        let elapsed = start.elapsed();
        let seconds = elapsed.as_secs_f64();
        let known = self.durations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, histogram)) = known.iter().find(|(known, _)| *known == status) {
            histogram.record(seconds);
            return elapsed;
        }
        drop(known);
        let [method, route] = self.attributes.clone();
        let code = KeyValue::new("http.response.status_code", i64::from(status.as_u16()));
        let histogram = instruments.duration.bind(&[method, route, code]);
        histogram.record(seconds);
        self.durations.write().unwrap_or_else(PoisonError::into_inner).push((status, histogram));
        elapsed
    }
}

/// A request that is worked on. Where it is dropped before it has its answer, its client went away: it is recorded all
/// the same, since many go because they have waited for too long.
pub(super) struct Active<'a> {
    instruments: &'a Instruments,
    series: &'a Series,
    span: &'a tracing::Span,
    start: Instant,
    answered: bool,
}

impl<'a> Active<'a> {
    pub(super) fn new(
        instruments: &'a Instruments,
        series: &'a Series,
        span: &'a tracing::Span,
        start: Instant,
    ) -> Self {
        series.active.add(1);
        Self { instruments, series, span, start, answered: false }
    }

    /// Records the answer, and tells how many milliseconds it took.
    pub(super) fn done(&mut self, status: StatusCode) -> f64 {
        self.answered = true;
        self.record(status)
    }

    fn record(&self, status: StatusCode) -> f64 {
        self.span.record("http.response.status_code", status.as_u16());
        let elapsed = self.series.done(self.instruments, self.start, status);
        (elapsed.as_secs_f64() * 1e6).round() / 1e3
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.series.active.add(-1);
        if !self.answered
            && let Ok(status) = StatusCode::from_u16(CLIENT_LEFT)
        {
            let duration_ms = self.record(status);
            tracing::info!(parent: self.span, duration_ms, "the client left before its answer");
        }
    }
}
