//! Every address of the service.

pub mod health;
pub mod model;
pub mod recommendations;

use axum::Router;
use axum::routing::{get, post};

use crate::App;

/// The table of contents.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(health::health))
        .route("/health/live", get(platform::health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/recommendations/popular", get(recommendations::popular))
        .route("/api/recommendations/{user_id}", get(recommendations::for_user))
        .route("/api/products/{id}/similar", get(recommendations::similar))
        .route("/api/model", get(model::show))
        .route("/api/model/retrain", post(model::retrain))
}
