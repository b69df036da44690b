//! `/api/admin/orders`: everybody's orders, and how they go on.

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::orders::{AdminFilter, AdminOrder};
use crate::domain::order::Status;
use crate::domain::page::{self, TimeKey};
use crate::error::{Error, Result};
use crate::orders::{self, By};
use crate::sessions::Admin;

/// Which orders are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminOrdersQuery {
    /// Only in this status.
    status: Option<Status>,
    /// Only this account's.
    customer: Option<Uuid>,
    /// Orders a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of orders.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminOrderPage {
    /// Newest first.
    pub items: Vec<AdminOrder>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// What an order shall become.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusBody {
    /// `shipped` after `paid`, `delivered` after `shipped`, `cancelled` before it is shipped.
    status: Status,
}

/// Everybody's orders, newest first.
#[utoipa::path(get, operation_id = "list_all_orders", path = "/api/admin/orders", params(AdminOrdersQuery), responses(
    (status = 200, body = AdminOrderPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<AdminOrdersQuery>,
) -> Result<Json<AdminOrderPage>> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let filter = AdminFilter { status: query.status, customer: query.customer, after };
    let found = db::orders::list_for_admin(&state.pool.get().await?, filter, limit + 1).await?;
    let (items, next_cursor) =
        page::cut(found, limit, |found| TimeKey { at: found.order.created_at, id: found.order.id });
    Ok(Json(AdminOrderPage { items, next_cursor }))
}

/// Anybody's order.
#[utoipa::path(get, operation_id = "get_any_order", path = "/api/admin/orders/{id}", params(("id" = Uuid, Path)), responses(
    (status = 200, body = AdminOrder),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such order", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, _: Admin, Path(id): Path<Uuid>) -> Result<Json<AdminOrder>> {
    let order = db::orders::find_for_admin(&state.pool.get().await?, id).await?;
    order.map(Json).ok_or(Error::NotFound("order"))
}

/// Moves an order on: ships it, notes its arrival, or calls it off, which returns its stock and its money.
#[utoipa::path(patch, operation_id = "change_order_status", path = "/api/admin/orders/{id}", params(("id" = Uuid, Path)), request_body = StatusBody, responses(
    (status = 200, body = AdminOrder),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such order", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Its status does not allow this", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The status is none", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change_status(
    State(state): State<AppState>,
    Admin(session): Admin,
    Path(id): Path<Uuid>,
    Json(body): Json<StatusBody>,
) -> Result<Json<AdminOrder>> {
    orders::change_status(&state, id, body.status, By::Admin(session.user_id)).await?;
    let order = db::orders::find_for_admin(&state.pool.get().await?, id).await?;
    order.map(Json).ok_or(Error::NotFound("order"))
}
