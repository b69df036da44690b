//! `/api/orders`: checkout and what became of it.

use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Client;
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::orders::Placed;
use crate::domain::order::{CheckoutBody, NewOrder, Order, Status};
use crate::domain::page::{self, TimeKey};
use crate::error::{Error, Result};
use crate::orders::{self, By};
use crate::sessions::Session;

/// Which orders are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Orders a page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of orders.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderPage {
    /// Newest first.
    pub items: Vec<Order>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// The key under which a client may repeat its request safely, where it sent one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(key), None) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Error::BadRequest(
            "header Idempotency-Key: must be one of 1 to 255 visible characters".into(),
        )),
    }
}

/// What makes two checkouts the same request. The card's number is not part of it, only its last digits, so that the
/// stored hash tells nothing of it.
fn request_hash(order: &NewOrder) -> Result<Vec<u8>> {
    let (address, last4) = (&order.shipping_address, order.card.last4());
    let text = match order.expected_total_cents {
        Some(total) => serde_json::to_vec(&(address, last4, total)),
        None => serde_json::to_vec(&(address, last4)),
    }
    .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Sha256::digest(text).to_vec())
}

/// Orders what is in the cart. Repeated with the same Idempotency-Key and body, it gives the same answer again.
///
/// One transaction takes the stock and writes the order; the payment follows; a second one settles it. A crash leaves
/// no order or exactly one, and repeating the request, or the worker for payments, brings it to its end.
#[utoipa::path(post, operation_id = "checkout", path = "/api/orders", request_body = CheckoutBody,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each checkout", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Paid, or pending where the payment's outcome is not known yet", body = Order),
        (status = 400, description = "The Idempotency-Key is missing, or the JSON malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 402, description = "The card was declined; the order is payment_failed and the cart as before", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The cart is empty; something is short, `items` says what; or the cart costs another sum than `expected_total_cents`, `total_cents` says which", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields are not valid, or the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away; nothing was ordered unless a repetition says so", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn checkout(
    State(state): State<AppState>,
    session: Session,
    headers: HeaderMap,
    Json(body): Json<CheckoutBody>,
) -> Result<Response> {
    let missing = || Error::BadRequest("header Idempotency-Key: is required".into());
    let key = idempotency_key(&headers)?.ok_or_else(missing)?;
    let new = NewOrder::try_from(body)?;
    let hash = request_hash(&new)?;
    let client = state.pool.get().await?;
    let shop = state.clone();
    // A customer who leaves now may have ordered: what is placed is charged and settled all the same.
    let work = async move { place_and_charge(&shop, client, session.user_id, &key, &hash, &new).await };
    answer(state.finish(work).await?)
}

async fn place_and_charge(
    state: &AppState,
    client: Client,
    user_id: Uuid,
    key: &str,
    hash: &[u8],
    new: &NewOrder,
) -> Result<Order> {
    let placed = db::orders::place(&client, user_id, key, hash, new).await;
    // None is held while the provider thinks.
    drop(client);
    if matches!(placed, Err(Error::OutOfStock(_))) {
        state.shop_metrics.stock_out();
    }
    let (id, total_cents, products) = match placed? {
        Placed::New { id, total_cents, products } => {
            state.shop_metrics.order(Status::PendingPayment, total_cents);
            (id, total_cents, products)
        }
        // The first try ended between its two transactions: go on where it stopped.
        Placed::Known { id, total_cents, answer: None } => (id, total_cents, Vec::new()),
        Placed::Known { id, answer: Some(status), .. } => {
            let order = db::orders::find(&state.pool.get().await?, id, Some(user_id)).await?;
            return Ok(Order { status, ..order.ok_or(Error::NotFound("order"))? });
        }
    };
    let charge = async {
        let start = Instant::now();
        let outcome = state.payments.charge(id, total_cents, new.card).await;
        state.shop_metrics.payment(outcome, start.elapsed());
        outcome
    };
    // Their stock is taken, however long the provider thinks and whatever becomes of the payment.
    let (outcome, told) = tokio::join!(charge, state.cache.forget_products(products));
    orders::settle(state, id, outcome, Some(key), told).await
}

/// The order, or the refusal of its card.
fn answer(order: Order) -> Result<Response> {
    match order.status {
        Status::PaymentFailed => Err(Error::PaymentDeclined { order_id: order.id }),
        _ => Ok((StatusCode::CREATED, Json(order)).into_response()),
    }
}

/// The user's orders, newest first.
#[utoipa::path(get, operation_id = "list_orders", path = "/api/orders", params(OrdersQuery), responses(
    (status = 200, body = OrderPage),
    (status = 400, description = "A parameter is unknown or out of its range", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    session: Session,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<OrderPage>> {
    let limit = page::limit(query.limit)?;
    let after: Option<TimeKey> = query.cursor.as_deref().map(page::decode).transpose()?;
    let found = db::orders::list(&state.pool.get().await?, session.user_id, after, limit + 1).await?;
    let (items, next_cursor) =
        page::cut(found, limit, |order| TimeKey { at: order.created_at, id: order.id });
    Ok(Json(OrderPage { items, next_cursor }))
}

/// One of the user's orders.
#[utoipa::path(get, operation_id = "get_order", path = "/api/orders/{id}", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Order),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such order of this user", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>> {
    let order = db::orders::find(&state.pool.get().await?, id, Some(session.user_id)).await?;
    order.map(Json).ok_or(Error::NotFound("order"))
}

/// Cancels an order that is not shipped yet; its stock returns.
#[utoipa::path(post, operation_id = "cancel_order", path = "/api/orders/{id}/cancel", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Order),
    (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such order of this user", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It is shipped, cancelled or failed already", body = Problem, content_type = "application/problem+json"),
))]
pub async fn cancel(
    State(state): State<AppState>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>> {
    orders::change_status(&state, id, Status::Cancelled, By::Customer(session.user_id)).await.map(Json)
}
