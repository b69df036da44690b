//! Health and metrics.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::IntoResponse;
use platform::extract::Json;
use platform::health::{Health, probe};
use serde_json::{Value, json};

use crate::App;
use crate::error::{Error, Result};

/// Each dependency. Neither is required: with a model in memory the service answers without both, if not from
/// the newest state.
pub async fn health(State(app): State<App>) -> Health {
    let (model, redis, backend) = tokio::join!(
        probe(true, async { app.ready().is_ok() }),
        probe(false, app.cache.alive()),
        probe(false, app.backend.alive()),
    );
    let dependencies = BTreeMap::from([("model", model), ("redis", redis), ("backend", backend)]);
    Health::new(env!("CARGO_PKG_VERSION"), &app.lifecycle, dependencies)
}

/// Whether requests shall come here.
pub async fn ready(State(app): State<App>) -> Result<Json<Value>> {
    if app.lifecycle.draining() {
        return Err(Error::Draining);
    }
    app.ready()?;
    Ok(Json(json!({ "status": "ok" })))
}

/// The metrics in the Prometheus text format.
pub async fn metrics(State(app): State<App>) -> impl IntoResponse {
    platform::http::metrics(&app.metrics)
}
