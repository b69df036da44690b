//! `/api/products/{id}/stock`: the ledger of a product's stock.

use axum::extract::State;
use axum::http::HeaderMap;
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::cache::Scope;
use crate::db;
use crate::db::products::stock;
use crate::domain::page;
use crate::domain::product::Movement;
use crate::domain::product::edit::{Adjustment, StockBody};
use crate::error::Result;
use crate::routes::orders::idempotency_key;
use crate::sessions::Admin;

/// Which movements are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LedgerQuery {
    /// Movements a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of the ledger of a product's stock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ledger {
    /// Units in stock.
    pub stock: i32,
    /// The sum of all movements, on this page or not: the same, or something is wrong.
    pub sum: i64,
    /// Newest first.
    pub items: Vec<Movement>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// What an adjustment did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Adjusted {
    /// Units in stock now.
    pub stock: i32,
    /// The entry in the ledger.
    pub movement: Movement,
}

/// Adjusts a product's stock by a difference, which can be added to whatever is sold meanwhile. Repeated with the same
/// Idempotency-Key and body, it counts once.
#[utoipa::path(post, operation_id = "adjust_stock", path = "/api/products/{id}/stock", request_body = StockBody, params(
    ("id" = Uuid, Path),
    ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, new for each adjustment; without it, a repetition counts again", min_length = 1, max_length = 255),
), responses(
    (status = 200, description = "Adjusted, now or before under this key: the movement is that of the first time, and the stock that of now", body = Adjusted),
    (status = 400, description = "The Idempotency-Key or the JSON is malformed", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "`stock-out-of-range`: it would fall below zero; `available` is what there is", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Fields are not valid; or `idempotency-mismatch`: the key was used for another adjustment", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn adjust(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<StockBody>,
) -> Result<Json<Adjusted>> {
    let key = idempotency_key(&headers)?;
    let adjustment = Adjustment::try_from(body)?;
    let mut client = state.pool.get().await?;
    let shop = state.clone();
    state
        .finish(async move {
            let transaction = client.transaction().await?;
            let before = match &key {
                Some(key) => {
                    stock::adjusted_before(&transaction, admin.user_id, key, id, &adjustment).await?
                }
                None => None,
            };
            let (movement, stock) = if let Some(adjusted) = before {
                adjusted
            } else {
                let (movement, stock) = stock::adjust(&transaction, id, &adjustment).await?;
                let detail = json!({ "delta": movement.delta, "stock": stock });
                db::audit::insert(&transaction, Some(admin.user_id), "product.stock_adjusted", id, detail)
                    .await?;
                (movement, stock)
            };
            db::fetch::commit(transaction).await?;
            // Of the first time, too, where the process ended before it was told.
            shop.cache.forget(&[Scope::Product(id), Scope::Catalogue]).await;
            Ok(Json(Adjusted { stock, movement }))
        })
        .await
}

/// How a product's stock came about, newest movement first.
#[utoipa::path(get, operation_id = "get_stock", path = "/api/products/{id}/stock", params(("id" = Uuid, Path), LedgerQuery), responses(
    (status = 200, body = Ledger),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not an admin", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The database is away", body = Problem, content_type = "application/problem+json"),
))]
pub async fn ledger(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<Uuid>,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<Ledger>> {
    let limit = page::limit(query.limit)?;
    let before: Option<i64> = query.cursor.as_deref().map(page::decode).transpose()?;
    let client = state.pool.get().await?;
    let (stock, sum) = stock::balance(&client, id).await?;
    let found = stock::movements(&client, id, before.unwrap_or(i64::MAX), limit + 1).await?;
    let (found, next_cursor) = page::cut(found, limit, |(number, _)| *number);
    let items = found.into_iter().map(|(_, movement)| movement).collect();
    Ok(Json(Ledger { stock, sum, items, next_cursor }))
}
