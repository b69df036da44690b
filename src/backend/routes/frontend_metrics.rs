//! `/api/frontend-metrics`: what browsers report of the pages. Never trusted: bounded, aggregated at once, and no text
//! of theirs reaches a log or a label.

use axum::extract::State;
use axum::http::StatusCode;
use opentelemetry::KeyValue;
use platform::extract::Json;
use platform::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::domain::input::Check;
use crate::error::Result;

/// The most entries of each list.
const MAX_ENTRIES: usize = 20;

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
    #[schema(example = "/products/{id}")]
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
}

fn known(page: &str) -> Option<&'static str> {
    PAGES.into_iter().find(|known| *known == page)
}

/// Takes web vitals and page errors.
#[utoipa::path(post, operation_id = "report_frontend_metrics", path = "/api/frontend-metrics", request_body = ReportBody, responses(
    (status = 202, description = "Counted"),
    (status = 422, description = "Something is unknown or out of its range; nothing was counted", body = Problem, content_type = "application/problem+json"),
))]
pub async fn collect(State(state): State<AppState>, Json(body): Json<ReportBody>) -> Result<StatusCode> {
    let mut check = Check::new();
    check.that(
        body.metrics.len() <= MAX_ENTRIES,
        "metrics",
        format!("must have at most {MAX_ENTRIES} entries"),
    );
    check.that(
        body.errors.len() <= MAX_ENTRIES,
        "errors",
        format!("must have at most {MAX_ENTRIES} entries"),
    );
    for (index, report) in body.metrics.iter().take(MAX_ENTRIES).enumerate() {
        let range = 0.0..=600_000.0;
        check.that(
            range.contains(&report.value),
            &format!("metrics[{index}].value"),
            "must be from 0 to 600000",
        );
        check.that(
            known(&report.page).is_some(),
            &format!("metrics[{index}].page"),
            "must be a page's template",
        );
    }
    for (index, report) in body.errors.iter().take(MAX_ENTRIES).enumerate() {
        let length = report.message.chars().count();
        check.that(length <= 500, &format!("errors[{index}].message"), "must have at most 500 characters");
        check.that(
            known(&report.page).is_some(),
            &format!("errors[{index}].page"),
            "must be a page's template",
        );
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
    Ok(StatusCode::ACCEPTED)
}
