//! `/api/products/{id}/views`

use axum::extract::State;
use axum::http::StatusCode;
use platform::extract::Path;
use platform::problem::Problem;
use uuid::Uuid;

use super::cached;
use crate::AppState;
use crate::error::Result;
use crate::sessions::Session;
use crate::views::View;

/// Notes that the customer looks at a product, so that recommendations follow it. It is written a moment later; another
/// look within half an hour is the same one.
#[utoipa::path(post, operation_id = "view_product", path = "/api/products/{id}/views", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "Noted"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
))]
pub async fn note(
    State(state): State<AppState>,
    session: Session,
    Path(product_id): Path<Uuid>,
) -> Result<StatusCode> {
    cached(&state, product_id).await?;
    state.views.note(View { user_id: session.user_id, product_id });
    Ok(StatusCode::NO_CONTENT)
}
