//! A request's place in its trace.
//!
//! Whether a trace is recorded is decided where it begins, and most are not: then there are no spans but a name for them,
//! which goes into log lines and on to whoever is asked, and costs next to nothing.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::future::Either;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanId, TraceContextExt, TraceId};
use opentelemetry::{Context, global};
use tokio::task::futures::TaskLocalFuture;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    /// The request that is worked on, where its trace is not recorded.
    static UNRECORDED: Unrecorded;
}

/// A place in a trace that nobody records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unrecorded {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

impl Unrecorded {
    /// Below the caller, where it says in a valid header that its trace is not recorded.
    pub(crate) fn below(headers: &HeaderMap, span_id: SpanId) -> Option<Self> {
        let parent = headers.get(TRACEPARENT)?.to_str().ok()?;
        let [version, trace, parent, flags] = split(parent)?;
        let trace_id = TraceId::from_hex(trace).ok()?;
        let lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let valid = version == "00"
            && lower(trace)
            && lower(parent)
            && trace_id != TraceId::INVALID
            && SpanId::from_hex(parent).is_ok_and(|parent| parent != SpanId::INVALID);
        let recorded = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        (valid && !recorded).then_some(Self { trace_id, span_id })
    }

    /// Works on a request, which knows its place then.
    pub(crate) fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        UNRECORDED.scope(self, work)
    }
}

/// The fields of a `traceparent` of version 00.
fn split(parent: &str) -> Option<[&str; 4]> {
    let mut fields = parent.split('-');
    let four = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
    (fields.next().is_none() && four.map(str::len) == [2, 32, 16, 2]).then_some(four)
}

/// Takes the place in the trace of what is worked on now along, into a task of its own.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    match UNRECORDED.try_with(|place| *place) {
        Ok(place) => Either::Left(place.scope(work)),
        Err(_) => Either::Right(work),
    }
}

/// Whether nobody records the spans of what is worked on now.
pub(crate) fn is_unrecorded() -> bool {
    UNRECORDED.try_with(|_| ()).is_ok()
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

/// The caller's place in its trace.
pub(crate) fn parent(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)))
}

/// The W3C trace context of the current span as headers, for a call to another service.
#[must_use]
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(Unrecorded { trace_id, span_id }) = UNRECORDED.try_with(|place| *place) {
        if let Ok(parent) = HeaderValue::try_from(format!("00-{trace_id}-{span_id}-00")) {
            headers.insert(TRACEPARENT, parent);
        }
        return headers;
    }
    let context = tracing::Span::current().context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut HeadersMut(&mut headers));
    });
    headers
}

/// The trace id of the current request, as 32 hexadecimal digits.
#[must_use]
pub fn current_id() -> Option<String> {
    if let Ok(place) = UNRECORDED.try_with(|place| *place) {
        return Some(place.trace_id.to_string());
    }
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn below(parent: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, parent.parse().expect("a header"));
        Unrecorded::below(&headers, SpanId::from(7)).map(|place| place.trace_id.to_string())
    }

    #[test]
    fn only_a_valid_parent_that_says_so_is_not_recorded() {
        assert_eq!(below(&format!("00-{TRACE}-b7ad6b7169203331-00")).as_deref(), Some(TRACE));
        assert_eq!(below(&format!("00-{TRACE}-b7ad6b7169203331-02")).as_deref(), Some(TRACE));
        for parent in [
            format!("00-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331-03"),
            format!("01-{TRACE}-b7ad6b7169203331-00"),
            format!("00-{TRACE}-0000000000000000-00"),
            format!("00-{}-b7ad6b7169203331-00", "0".repeat(32)),
            format!("00-{}-b7ad6b7169203331-00", TRACE.to_uppercase()),
            format!("00-{TRACE}-b7ad6b7169203331-00-x"),
            format!("00-{TRACE}-b7ad6b7169203331"),
            "nonsense".to_owned(),
        ] {
            assert_eq!(below(&parent), None, "{parent}");
        }
    }

    #[tokio::test]
    async fn what_is_not_recorded_is_passed_on_as_such() {
        let trace_id = TraceId::from_hex(TRACE).expect("an id");
        let place = Unrecorded { trace_id, span_id: SpanId::from(7) };
        assert!(!is_unrecorded());
        place
            .scope(async {
                assert!(is_unrecorded());
                assert_eq!(current_id().as_deref(), Some(TRACE));
                assert_eq!(headers()[TRACEPARENT], format!("00-{TRACE}-0000000000000007-00"));
            })
            .await;
    }
}
