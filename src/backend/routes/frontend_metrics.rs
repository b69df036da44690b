//! `/api/frontend-metrics`: what browsers report of the pages. Never trusted: bounded, aggregated at once, and no text
//! of theirs reaches a log or a label.

use axum::extract::State;
use axum::http::StatusCode;
use opentelemetry::KeyValue;
use platform::extract::Json;
use platform::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::AppState;
use crate::domain::input::Check;
use crate::error::Result;

/// The most entries of each list.
const MAX_ENTRIES: usize = 20;

/// What a measurement may be, in milliseconds; more is a clock that was set, or a lie.
const RANGE: std::ops::RangeInclusive<f64> = 0.0..=600_000.0;

/// The shop's pages as route templates: the only values of the label `page`. `*` is the page that was not found.
const PAGES: [&str; 12] = [
    "/",
    "/products",
    "/products/{id}",
    "/cart",
    "/checkout",
    "/orders",
    "/orders/{id}",
    "/login",
    "/register",
    "/account",
    "/admin",
    "*",
];

/// A web vital (web.dev/vitals).
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub enum Vital {
    /// Largest contentful paint, in milliseconds.
    #[serde(rename = "LCP")]
    Lcp,
    /// Cumulative layout shift, a score without unit.
    #[serde(rename = "CLS")]
    Cls,
    /// Interaction to next paint, in milliseconds.
    #[serde(rename = "INP")]
    Inp,
    /// First contentful paint, in milliseconds.
    #[serde(rename = "FCP")]
    Fcp,
    /// Time to first byte, in milliseconds.
    #[serde(rename = "TTFB")]
    Ttfb,
}

/// One measurement.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VitalReport {
    /// What was measured.
    name: Vital,
    /// The value, in the vital's unit.
    #[schema(minimum = 0, maximum = 600_000)]
    value: f64,
    /// The page's route template.
    #[schema(schema_with = page)]
    page: String,
}

/// One uncaught error.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorReport {
    /// What the browser said; counted, not kept.
    #[schema(max_length = 500)]
    message: String,
    /// The page's route template.
    #[schema(schema_with = page)]
    page: String,
}

/// What a span of the browser measured.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanName {
    /// From the request for the document until the page was loaded.
    PageLoad,
    /// From a click until the next page of the shop was drawn.
    Navigation,
    /// A call of the API as the page saw it, the network included.
    ApiCall,
}

impl SpanName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PageLoad => "page_load",
            Self::Navigation => "navigation",
            Self::ApiCall => "api_call",
        }
    }
}

/// One span.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpanReport {
    /// What was measured.
    name: SpanName,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, maximum = 600_000)]
    duration_ms: f64,
    /// The trace (W3C) that it began. Checked and not kept: whoever may write may invent it.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "0af7651916cd43dd8448eb211c80319c")]
    trace_id: Option<String>,
    /// The page's route template.
    #[schema(schema_with = page)]
    page: String,
}

/// A report.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// Web vitals.
    #[serde(default)]
    #[schema(max_items = 20)]
    metrics: Vec<VitalReport>,
    /// Uncaught errors.
    #[serde(default)]
    #[schema(max_items = 20)]
    errors: Vec<ErrorReport>,
    /// Spans.
    #[serde(default)]
    #[schema(max_items = 20)]
    traces: Vec<SpanReport>,
}

fn page() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(PAGES)).into()
}

fn known(page: &str) -> Option<&'static str> {
    PAGES.into_iter().find(|known| *known == page)
}

/// As the trace context (W3C) spells it.
fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Takes web vitals, page errors and spans.
#[utoipa::path(post, operation_id = "report_frontend_metrics", path = "/api/frontend-metrics", request_body = ReportBody, responses(
    (status = 202, description = "Counted"),
    (status = 422, description = "Something is unknown or out of its range; nothing was counted", body = Problem, content_type = "application/problem+json"),
))]
pub async fn collect(State(state): State<AppState>, Json(body): Json<ReportBody>) -> Result<StatusCode> {
    let mut check = Check::new();
    let lists =
        [("metrics", body.metrics.len()), ("errors", body.errors.len()), ("traces", body.traces.len())];
    for (name, length) in lists {
        check.that(length <= MAX_ENTRIES, name, format!("must have at most {MAX_ENTRIES} entries"));
    }
    for (index, report) in body.metrics.iter().take(MAX_ENTRIES).enumerate() {
        let of = |field: &str| format!("metrics[{index}].{field}");
        check.that(RANGE.contains(&report.value), &of("value"), "must be from 0 to 600000");
        check.that(known(&report.page).is_some(), &of("page"), "must be a page's template");
    }
    for (index, report) in body.errors.iter().take(MAX_ENTRIES).enumerate() {
        let of = |field: &str| format!("errors[{index}].{field}");
        let length = report.message.chars().count();
        check.that(length <= 500, &of("message"), "must have at most 500 characters");
        check.that(known(&report.page).is_some(), &of("page"), "must be a page's template");
    }
    for (index, report) in body.traces.iter().take(MAX_ENTRIES).enumerate() {
        let of = |field: &str| format!("traces[{index}].{field}");
        check.that(RANGE.contains(&report.duration_ms), &of("duration_ms"), "must be from 0 to 600000");
        let trace_id = report.trace_id.as_deref();
        check.that(
            trace_id.is_none_or(is_trace_id),
            &of("trace_id"),
            "must be 32 lower-case hexadecimal digits",
        );
        check.that(known(&report.page).is_some(), &of("page"), "must be a page's template");
    }
    let body = check.finish(body)?;

    for report in &body.metrics {
        let Some(page) = known(&report.page) else { continue };
        let (name, value) = match report.name {
            Vital::Lcp => ("LCP", report.value),
            Vital::Cls => ("CLS", report.value * 1000.0),
            Vital::Inp => ("INP", report.value),
            Vital::Fcp => ("FCP", report.value),
            Vital::Ttfb => ("TTFB", report.value),
        };
        let labels = [KeyValue::new("name", name), KeyValue::new("page", page)];
        state.shop_metrics.web_vitals.record(value, &labels);
    }
    for report in &body.errors {
        let Some(page) = known(&report.page) else { continue };
        state.shop_metrics.page_errors.add(1, &[KeyValue::new("page", page)]);
    }
    for report in &body.traces {
        let Some(page) = known(&report.page) else { continue };
        let labels = [KeyValue::new("name", report.name.as_str()), KeyValue::new("page", page)];
        state.shop_metrics.browser_spans.record(report.duration_ms / 1000.0, &labels);
    }
    Ok(StatusCode::ACCEPTED)
}
