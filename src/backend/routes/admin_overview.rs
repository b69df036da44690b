//! `/api/admin/overview`: how the shop is doing, for the admins' first page.

use axum::extract::State;
use platform::extract::Json;
use platform::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::db;
use crate::db::overview::Day;
use crate::domain::CURRENCY;
use crate::domain::product::Product;
use crate::error::Result;
use crate::sessions::Admin;

/// From so few units on a product is nearly sold out.
const LOW_STOCK: i32 = 5;
/// How many of them are told.
const LOW_STOCK_SHOWN: i64 = 20;

/// How the shop is doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Overview {
    /// The last thirty days of UTC, today the last.
    days: Vec<Day>,
    /// ISO 4217.
    currency: &'static str,
    /// Orders that are paid and wait to be shipped.
    to_ship: i64,
    /// Of the 10,000 products that sell best, those of which few are left, fewest first: at most twenty.
    low_stock: Vec<Product>,
}

/// What was sold in the last thirty days, what is to be shipped, and what runs out.
#[utoipa::path(get, operation_id = "get_overview", path = "/api/admin/overview", responses(
    (status = 200, body = Overview),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(State(state): State<AppState>, _: Admin) -> Result<Json<Overview>> {
    let client = state.pool.get().await?;
    Ok(Json(Overview {
        days: db::overview::days(&client).await?,
        currency: CURRENCY,
        to_ship: db::overview::to_ship(&client).await?,
        low_stock: db::products::low_in_stock(&client, LOW_STOCK, LOW_STOCK_SHOWN).await?,
    }))
}
