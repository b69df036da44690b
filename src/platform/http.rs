//! The layers around every router: request id, trace context, access log, metrics, panics, limits, headers.

mod instruments;
mod origins;

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures_util::FutureExt;
use opentelemetry::trace::{SpanId, TraceContextExt};
use tower::layer::layer_fn;
use tower::util::option_layer;
use tower::{Layer, Service, ServiceExt};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use self::instruments::{Active, Instruments, known_method};
pub use self::origins::Origins;
use crate::bounds;
use crate::problem::Problem;
use crate::shed::{Lane, Shed};
use crate::telemetry::Metrics;
use crate::trace::Unrecorded;

/// The header that ties a request to its log lines.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of the span around each request.
pub(crate) const REQUEST_SPAN: &str = "request";

/// The target of that span where the trace is not recorded.
pub(crate) const UNRECORDED: &str = "shopmicro::unrecorded";

/// The longest a handler may take before the answer is 503. Dependencies have shorter deadlines of their own.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(6);

/// The largest body, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// What Helmet 8 sets, stricter where an API needs less than pages do, and what keeps answers out of caches unless they
/// say themselves that they may be kept. On every answer, those of layers included.
static SECURITY_HEADERS: [(HeaderName, HeaderValue); 13] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("origin-agent-cluster"), HeaderValue::from_static("?1")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off")),
    (HeaderName::from_static("x-download-options"), HeaderValue::from_static("noopen")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), HeaderValue::from_static("none")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("0")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// What differs between services.
#[derive(Clone, Debug)]
pub struct Options {
    /// Other sites whose pages may ask.
    pub origins: Origins,
    /// The most requests of each lane that are worked on at once.
    pub max_in_flight: usize,
    /// The lane of a request that is not an operator's.
    pub lane: fn(&Request) -> Lane,
}

/// What every request passes first: the instruments, and the bound on how much there is to do.
struct Around {
    instruments: Instruments,
    shed: Shed,
    lane: fn(&Request) -> Lane,
}

/// Puts the shared layers around a service's routes, the fallbacks included.
pub fn wrap(routes: Router, options: &Options) -> Router {
    let routes = routes.fallback(async || Problem::not_found("no such address")).method_not_allowed_fallback(
        async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The address does not take this method",
            )
        },
    );
    let around = Around {
        instruments: Instruments::new(),
        shed: Shed::new(options.max_in_flight),
        lane: options.lane,
    };
    let (around, cors) = (Arc::new(around), option_layer(origins::cors(&options.origins)));
    // In one, since each that a router is given by itself costs a box and a copy of the request.
    routes.layer(layer_fn(move |route: Route| {
        let around = Arc::clone(&around);
        let contained = cors.layer(with(route, contain));
        with(contained, move |request, inner| observe(Arc::clone(&around), request, inner))
    }))
}

/// What answers requests: a route, perhaps with layers around it.
pub trait Answers:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// What answers with a function of a request and of what answered it until now: as [`axum::middleware::from_fn`] does, but
/// without its boxes, of which each is a copy of the request and of all that waits for the answer.
pub fn with<S: Answers, A: Future<Output = Response> + Send + 'static>(
    inner: S,
    answer: impl Fn(Request, S) -> A + Clone + Send + Sync + 'static,
) -> impl Answers {
    // Routes are copied for each request, and with them all that is within.
    let inner = Arc::new(inner);
    tower::service_fn(move |request| answer(request, S::clone(&inner)).map(Ok))
}

/// The answer of what is within.
pub fn answer(inner: impl Answers, request: Request) -> impl Future<Output = Response> + Send {
    inner.oneshot(request).map(|Ok(response)| response)
}

/// `/metrics` in the Prometheus text format.
pub fn metrics(metrics: &Metrics) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

/// Refuses a head that is too large or misspelt; bounds the body and the time, and ends a panic.
async fn contain(request: Request, inner: impl Answers) -> Response {
    if let Some(problem) = bounds::refusal(&request) {
        return problem.into_response();
    }
    let request = if request.body().is_end_stream() { request } else { request.map(bounded) };
    let answer = pin!(answer(inner, request));
    // A lock that a panic poisons is taken all the same by those who come after.
    let answer = AssertUnwindSafe(answer).catch_unwind();
    match tokio::time::timeout(REQUEST_DEADLINE, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(cause)) => panicked(cause.as_ref()),
        Err(_) => Problem::unavailable(1).detail("the request took too long").into_response(),
    }
}

#[cold]
fn panicked(cause: &(dyn Any + Send)) -> Response {
    note_panic(cause, "a handler panicked");
    Problem::internal().into_response()
}

/// Logs what a panic said, and what came of it.
pub(crate) fn note_panic(cause: &(dyn Any + Send), outcome: &str) {
    let text = cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default();
    tracing::error!(panic = text, "{outcome}");
}

fn bounded(body: Body) -> Body {
    Body::new(http_body_util::Limited::new(body, BODY_LIMIT))
}

/// The request id that came with the request where it is harmless to log, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let harmless = |id: &&HeaderValue| {
        (1..=64).contains(&id.len()) && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    if let Some(id) = headers.get(REQUEST_ID).filter(harmless) {
        return id.clone();
    }
    let mut text = [0; uuid::fmt::Simple::LENGTH];
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    let id: &str = id.simple().encode_lower(&mut text);
    // Hexadecimal digits.
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

async fn observe(around: Arc<Around>, request: Request, inner: impl Answers) -> Response {
    let start = Instant::now();
    let method = known_method(request.method());
    // The template, never the path itself: labels stay few and hold no ids.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let id = request_id(request.headers());
    let series = around.instruments.series(method, route);
    let operators = route.starts_with("/health") || route == "/metrics";
    let lane = if operators { Lane::Free } else { (around.lane)(&request) };
    let turn = match around.shed.admit(lane).await {
        Ok(turn) => turn,
        // It is counted, but it has no span and no line in the log: those would be load of their own.
        Err(mut refusal) => {
            series.done(&around.instruments, start, refusal.status());
            complete(refusal.headers_mut(), id);
            return refusal;
        }
    };
    let unrecorded = Unrecorded::below(request.headers(), SpanId::from(rand::random::<u64>()));
    let request_id = id.to_str().unwrap_or_default();
    let span = match unrecorded {
        Some(Unrecorded { trace_id, span_id }) => tracing::info_span!(
            target: UNRECORDED,
            REQUEST_SPAN,
            http.request.method = method,
            http.route = route,
            http.response.status_code = tracing::field::Empty,
            request_id,
            %trace_id,
            %span_id,
        ),
        None => recorded(method, route, request_id, request.headers()),
    };

    let mut active = Active::new(&around.instruments, &series, &span, start);
    let answer = pin!(answer(inner, request).instrument(span.clone()));
    let mut response = match unrecorded {
        Some(place) => place.scope(answer).await,
        None => answer.await,
    };
    drop(turn);

    let duration_ms = active.done(response.status());
    if unrecorded.is_none() && response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    // Probes come every few seconds: they would drown the log.
    if operators {
        tracing::debug!(parent: &span, duration_ms, "answered");
    } else {
        tracing::info!(parent: &span, duration_ms, "answered");
    }
    complete(response.headers_mut(), id);
    response
}

/// The span of a request whose trace is recorded.
fn recorded(method: &'static str, route: &str, request_id: &str, headers: &HeaderMap) -> tracing::Span {
    let span = tracing::info_span!(
        REQUEST_SPAN,
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        request_id,
        trace_id = tracing::field::Empty,
        span_id = tracing::field::Empty,
    );
    // It fails only where no OpenTelemetry layer is installed, as in tests of handlers.
    let _ = span.set_parent(crate::trace::parent(headers));
    let context = span.context();
    let ids = context.span();
    let ids = ids.span_context();
    span.record("trace_id", tracing::field::display(ids.trace_id()));
    span.record("span_id", tracing::field::display(ids.span_id()));
    span
}

/// The headers that every answer has.
fn complete(headers: &mut HeaderMap, id: HeaderValue) {
    headers.reserve(SECURITY_HEADERS.len() + 2);
    headers.insert(REQUEST_ID, id);
    for (name, value) in &SECURITY_HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
}
