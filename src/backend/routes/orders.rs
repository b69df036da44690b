//! `/api/orders`: checkout and what became of it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::extract::{Json, Path, Query};
use platform::problem::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::orders::Attempt;
use crate::domain::order::{CheckoutBody, NewOrder, Order, Status};
use crate::domain::page::{self, TimeKey};
use crate::domain::payment::Outcome;
use crate::error::{Error, Result};
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

/// The key under which a client may repeat a checkout safely.
fn idempotency_key(headers: &HeaderMap) -> Result<String> {
    let mut values = headers.get_all("idempotency-key").iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(key), None) if (1..=255).contains(&key.len()) => Ok(key.to_owned()),
        _ => Err(Error::BadRequest(
            "header Idempotency-Key: one of 1 to 255 visible characters is required".into(),
        )),
    }
}

/// What makes two checkouts the same request. The card's number is not part of it, only its last digits, so that the
/// stored hash tells nothing of it.
fn request_hash(order: &NewOrder) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(&(&order.shipping_address, order.card.last4()))
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Sha256::digest(text).to_vec())
}

/// Orders what is in the cart. Repeated with the same Idempotency-Key and body, it gives the same answer again.
///
/// One transaction takes the stock and writes the order; the payment follows; a second one settles it. A crash leaves
/// no order or exactly one, and repeating the request brings it to its end.
#[utoipa::path(post, operation_id = "checkout", path = "/api/orders", request_body = CheckoutBody,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 characters, new for each checkout", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Paid, or pending where the payment's outcome is not known yet", body = Order),
        (status = 400, description = "The Idempotency-Key is missing, or the JSON malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 402, description = "The card was declined; the order is payment_failed and the cart as before", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The cart is empty, or something is short: `items` says what", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Fields are not valid, or the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database is away; nothing was ordered unless a repetition says so", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn checkout(
    State(state): State<AppState>,
    session: Session,
    headers: HeaderMap,
    Json(body): Json<CheckoutBody>,
) -> Result<Response> {
    let key = idempotency_key(&headers)?;
    let new = NewOrder::try_from(body)?;
    let hash = request_hash(&new)?;
    let user_id = session.user_id;

    let order_id = match find_attempt(&state, user_id, &key, &hash).await? {
        Some(attempt) => match attempt.response {
            Some((status, body)) => return replay(status, &body),
            // The first try ended between its two transactions: go on where it stopped.
            None => attempt.order_id,
        },
        None => match place(&state, user_id, &key, &hash, &new).await? {
            Some(order_id) => order_id,
            // Another request with this key was faster.
            None => match find_attempt(&state, user_id, &key, &hash).await? {
                Some(Attempt { response: Some((status, body)), .. }) => return replay(status, &body),
                Some(attempt) => attempt.order_id,
                None => return Err(Error::Internal("an idempotency key vanished".to_owned())),
            },
        },
    };
    let outcome = new.card.charge().await;
    settle(&state, user_id, &key, order_id, outcome).await
}

async fn find_attempt(state: &AppState, user_id: Uuid, key: &str, hash: &[u8]) -> Result<Option<Attempt>> {
    let attempt = db::orders::find_attempt(&state.pool.get().await?, user_id, key).await?;
    match attempt {
        Some(attempt) if attempt.request_hash != hash => Err(Error::IdempotencyMismatch),
        attempt => Ok(attempt),
    }
}

async fn place(
    state: &AppState,
    user_id: Uuid,
    key: &str,
    hash: &[u8],
    new: &NewOrder,
) -> Result<Option<Uuid>> {
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    let placed = db::orders::place(&transaction, user_id, key, hash, new).await;
    match placed {
        Ok(Some(id)) => {
            transaction.commit().await?;
            Ok(Some(id))
        }
        Ok(None) => Ok(None),
        Err(error) => {
            if matches!(error, Error::OutOfStock(_)) {
                state.shop_metrics.stock_out();
            }
            Err(error)
        }
    }
}

/// Brings the order to the state that the payment's outcome demands, and keeps the answer for repetitions.
async fn settle(
    state: &AppState,
    user_id: Uuid,
    key: &str,
    order_id: Uuid,
    outcome: Outcome,
) -> Result<Response> {
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    match outcome {
        Outcome::Approved => db::orders::settle_paid(&transaction, order_id).await?,
        Outcome::Declined => db::orders::settle_declined(&transaction, order_id).await?,
        Outcome::Unknown => {}
    }
    let order = db::orders::find(&transaction, user_id, order_id).await?.ok_or(Error::NotFound("order"))?;
    let (status, body) = match order.status {
        Status::PaymentFailed => {
            let problem = Problem::from(Error::PaymentDeclined { order_id });
            (StatusCode::PAYMENT_REQUIRED, serde_json::to_value(problem))
        }
        _ => (StatusCode::CREATED, serde_json::to_value(&order)),
    };
    let body = body.map_err(|error| Error::Internal(error.to_string()))?;
    if !db::orders::keep_response(&transaction, user_id, key, status.as_u16(), &body).await? {
        // A concurrent repetition came first; what it answered is the answer.
        drop(transaction);
        let kept =
            db::orders::find_attempt(&client, user_id, key).await?.and_then(|attempt| attempt.response);
        let (status, body) = kept.ok_or_else(|| Error::Internal("a kept answer vanished".to_owned()))?;
        return replay(status, &body);
    }
    transaction.commit().await?;

    state.shop_metrics.order(order.status, order.total_cents);
    state.cache.forget_products(order.items.iter().map(|item| item.product_id)).await;
    replay(status.as_u16(), &body)
}

/// The answer as it was kept.
fn replay(status: u16, body: &serde_json::Value) -> Result<Response> {
    let status = StatusCode::from_u16(status).map_err(|error| Error::Internal(error.to_string()))?;
    let content_type = if status.is_success() { "application/json" } else { "application/problem+json" };
    Ok((status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response())
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
    let order = db::orders::find(&state.pool.get().await?, session.user_id, id).await?;
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
    let mut client = state.pool.get().await?;
    let transaction = client.transaction().await?;
    db::orders::cancel(&transaction, session.user_id, id).await?;
    let order = db::orders::find(&transaction, session.user_id, id).await?.ok_or(Error::NotFound("order"))?;
    transaction.commit().await?;
    state.cache.forget_products(order.items.iter().map(|item| item.product_id)).await;
    Ok(Json(order))
}
