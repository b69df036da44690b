//! The layers around every router: request id, trace context, access log, metrics, panics, limits, headers.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{KeyValue, global};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::bounds;
use crate::problem::Problem;
use crate::shed::{Lane, Shed};
use crate::telemetry::Metrics;

/// The header that ties a request to its log lines.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of the span around each request.
pub(crate) const REQUEST_SPAN: &str = "request";

/// The longest a handler may take before the answer is 503. Dependencies have shorter deadlines of their own.
const REQUEST_DEADLINE: Duration = Duration::from_secs(6);

/// The largest body, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// What Helmet 8 sets, stricter where an API needs less than pages do, and what keeps answers out of caches unless they
/// say themselves that they may be kept. On every answer, those of layers included.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 13] = [
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

/// Other sites that are trusted, as browsers write them in `Origin`.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

impl FromStr for Origins {
    type Err = String;

    /// Origins between commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let origin = |text: &str| {
            let text = text.trim();
            // Any other spelling would never match, and there are no wildcards.
            url::Url::parse(text)
                .ok()
                .filter(|url| ["http", "https"].contains(&url.scheme()))
                .filter(|url| url.origin().ascii_serialization() == text && !text.contains('*'))
                .and_then(|_| HeaderValue::try_from(text).ok())
                .ok_or_else(|| {
                    format!("{text:?} is no origin such as https://shop.example or http://localhost:5173")
                })
        };
        text.split(',').map(origin).collect::<Result<_, _>>().map(Self)
    }
}

impl Origins {
    /// Each as text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|origin| origin.to_str().ok())
    }
}

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

/// What every request passes first: the instruments of the HTTP server, after OpenTelemetry's semantic conventions, and
/// the bound on how much there is to do.
struct Around {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
    shed: Shed,
    lane: fn(&Request) -> Lane,
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

/// Other sites whose pages may ask the API, and with what; none where no origin is given.
fn cors(origins: &Origins) -> Option<CorsLayer> {
    let names =
        |names: &[&'static str]| names.iter().copied().map(HeaderName::from_static).collect::<Vec<_>>();
    (!origins.0.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins.0.iter().cloned()))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(names(&[
                "content-type",
                "idempotency-key",
                "if-match",
                "if-none-match",
                "traceparent",
                "x-request-id",
            ]))
            .expose_headers(names(&["etag", "ratelimit", "ratelimit-policy", "retry-after", "x-request-id"]))
            .max_age(PREFLIGHT_AGE)
            .vary([header::ORIGIN])
    })
}

/// Puts the shared layers around a service's routes, the fallbacks included.
pub fn wrap(routes: Router, options: &Options) -> Router {
    let routes = routes
        .fallback(async || Problem::not_found("no such address"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The address does not take this method",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn(deadline))
        .layer(axum::middleware::from_fn(bounds::check));
    let routes = match cors(&options.origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    let around = Around {
        duration: duration(),
        active: active(),
        shed: Shed::new(options.max_in_flight),
        lane: options.lane,
    };
    routes
        .layer(CatchPanicLayer::custom(|cause: Box<dyn std::any::Any + Send>| {
            let text = cause
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| cause.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            tracing::error!(panic = text, "a handler panicked");
            Problem::internal().into_response()
        }))
        .layer(axum::middleware::from_fn_with_state(Arc::new(around), observe))
}

/// `/metrics` in the Prometheus text format.
pub fn metrics(metrics: &Metrics) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable(1).detail("the request took too long").into_response(),
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// The W3C trace context of the current span as headers, for a call to another service.
#[must_use]
pub(crate) fn trace_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let context = tracing::Span::current().context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut HeadersMut(&mut headers));
    });
    headers
}

/// The request id that came with the request where it is harmless to log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        .map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), ToOwned::to_owned)
}

/// The method as a label: clients may invent any number of others.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("_OTHER")
}

async fn observe(State(around): State<Arc<Around>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = known_method(request.method());
    // The template, never the path itself: labels stay few and hold no ids.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let id = request_id(request.headers());
    let attributes =
        [KeyValue::new("http.request.method", method), KeyValue::new("http.route", route.clone())];
    let operators = route.starts_with("/health") || route == "/metrics";
    let lane = if operators { Lane::Free } else { (around.lane)(&request) };
    let turn = match around.shed.admit(lane).await {
        Ok(turn) => turn,
        // It is counted, but it has no span and no line in the log: those would be load of their own.
        Err(mut refusal) => {
            around.done(start, &attributes, refusal.status());
            complete(refusal.headers_mut(), &id);
            return refusal;
        }
    };
    let span = tracing::info_span!(
        REQUEST_SPAN,
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
        request_id = id,
        trace_id = tracing::field::Empty,
        span_id = tracing::field::Empty,
    );
    let parent =
        global::get_text_map_propagator(|propagator| propagator.extract(&Headers(request.headers())));
    // It fails only where no OpenTelemetry layer is installed, as in tests of handlers.
    let _ = span.set_parent(parent);
    let context = span.context();
    let ids = context.span();
    let ids = ids.span_context();
    span.record("trace_id", ids.trace_id().to_string());
    span.record("span_id", ids.span_id().to_string());

    around.active.add(1, &attributes);
    let guard = ActiveGuard { around: Arc::clone(&around), attributes };
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(turn);

    let elapsed = around.done(start, &guard.attributes, response.status());
    drop(guard);
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let duration_ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
    // Probes come every few seconds: they would drown the log.
    if operators {
        tracing::debug!(parent: &span, duration_ms, "answered");
    } else {
        tracing::info!(parent: &span, duration_ms, "answered");
    }
    complete(response.headers_mut(), &id);
    response
}

/// The headers that every answer has.
fn complete(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in &SECURITY_HEADERS {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

impl Around {
    /// Records a request that has its answer, and tells how long it took.
    fn done(&self, start: Instant, attributes: &[KeyValue; 2], status: StatusCode) -> Duration {
        let [method, route] = attributes.clone();
        let status = KeyValue::new("http.response.status_code", i64::from(status.as_u16()));
        let elapsed = start.elapsed();
        self.duration.record(elapsed.as_secs_f64(), &[method, route, status]);
        elapsed
    }
}

/// Counts a request out even where its client went away in the middle.
struct ActiveGuard {
    around: Arc<Around>,
    attributes: [KeyValue; 2],
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.around.active.add(-1, &self.attributes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelt_as_browsers_spell_it() {
        let origins: Origins = "https://shop.example, http://localhost:5173".parse().expect("origins");
        assert_eq!(origins.iter().collect::<Vec<_>>(), ["https://shop.example", "http://localhost:5173"]);
        for wrong in [
            "*",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/a",
            "https://shop.example:443",
            "https://Shop.example",
            "https://*.example",
            "ftp://shop.example",
            "https://a@shop.example",
            "https://shop.example,",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}
