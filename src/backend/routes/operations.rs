//! What operators and orchestrators ask.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use platform::extract::Json;
use platform::health::{Health, PoolUse, probe};
use platform::problem::Problem;

use crate::error::Result;
use crate::openapi::page;
use crate::{AppState, VERSION, db};

/// `GET /health`: each dependency, probed now.
pub async fn health(State(state): State<AppState>) -> Health {
    let postgres = async {
        match state.pool.get_patiently().await {
            Ok(client) => client.execute("select 1", &[]).await.is_ok(),
            Err(_) => false,
        }
    };
    let (postgres, redis, ml_service) = tokio::join!(
        probe(true, postgres),
        probe(false, state.redis.ping()),
        probe(false, state.recommender.ready()),
    );
    let pool = state.pool.status();
    let postgres = postgres.with_pool(PoolUse {
        max: pool.max_size,
        open: pool.size,
        idle: pool.available,
        waiting: pool.waiting,
    });
    let dependencies = BTreeMap::from([("postgres", postgres), ("redis", redis), ("ml-service", ml_service)]);
    Health::new(VERSION, &state.lifecycle, dependencies)
}

/// `GET /health/ready`: 503 while the service ends, or before it has once seen its schema in place. A database that is
/// lost later leaves the service ready: cached reads still answer, and every replica would fall out at once.
pub async fn ready(State(state): State<AppState>) -> Response {
    if state.lifecycle.draining() {
        return Problem::unavailable(1).detail("shutting down").into_response();
    }
    match state.migrated.get_or_try_init(|| migrated(&state)).await {
        Ok(()) => Json(serde_json::json!({ "status": "ok" })).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn migrated(state: &AppState) -> Result<(), Problem> {
    let not_yet = |detail: &str| Problem::unavailable(1).detail(detail);
    let client = state.pool.get_patiently().await.map_err(|_| not_yet("the database does not answer"))?;
    match db::is_migrated(&client).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_yet("the database's schema is not up to date: run `shopmicro-backend migrate`")),
        Err(_) => Err(not_yet("the database does not answer")),
    }
}

/// `GET /metrics` in the Prometheus text format.
pub async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    platform::http::metrics(&state.metrics)
}

/// The document that is committed beside the code.
pub(super) const DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /api/openapi.json`.
pub async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// The document as a page.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::from_str(DOCUMENT).unwrap_or_default();
    page::render(&document).unwrap_or_default()
});

/// `GET /api/docs`: the document to be read. It needs its style sheet and nothing else.
pub async fn docs() -> impl IntoResponse {
    let policy =
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, PAGE.as_str())
}

/// `GET /api/docs.css`.
pub async fn docs_style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE)
}
