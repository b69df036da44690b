//! `/api/admin/model`: the model behind the recommendations.

use axum::extract::State;
use axum::http::StatusCode;
use platform::extract::Json;
use platform::problem::Problem;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::AppState;
use crate::db;
use crate::error::{Error, Result};
use crate::recommender::{Model, Retraining};
use crate::sessions::Admin;

/// What is known of the model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelState {
    /// The model that answers now, or the training of the first one; null while the recommender is away.
    model: Option<Model>,
}

/// The model that recommends now.
#[utoipa::path(get, operation_id = "get_model", path = "/api/admin/model", responses(
    (status = 200, body = ModelState),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, _: Admin) -> Result<Json<ModelState>> {
    Ok(Json(ModelState { model: state.recommender.model().await }))
}

/// Has a new model trained in the background; the one before answers until it is there.
#[utoipa::path(post, operation_id = "retrain_model", path = "/api/admin/model/retrain", responses(
    (status = 202, description = "It trains, or did so already", body = Retraining),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The recommender is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn retrain(
    State(state): State<AppState>,
    Admin(admin): Admin,
) -> Result<(StatusCode, Json<Retraining>)> {
    // First, since nothing shall train where it cannot be noted.
    let client = state.pool.get().await?;
    let shop = state.clone();
    let work = async move {
        let retraining = shop.recommender.retrain().await.ok_or(Error::RecommenderUnavailable)?;
        let detail = json!({ "model_version": retraining.model_version });
        db::audit::insert(&client, Some(admin.user_id), "model.retrained", "model", detail).await?;
        Ok((StatusCode::ACCEPTED, Json(retraining)))
    };
    state.finish(work).await
}
