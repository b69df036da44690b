//! `/api/cart`: of the session's user, else of the guest whose cookie comes with the request.

use axum::extract::State;
use axum_extra::extract::CookieJar;
use platform::extract::{Json, Path};
use platform::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AppState;
use crate::db;
use crate::db::carts::{Cart, MAX_QUANTITY, Owner, Put};
use crate::domain::input::Check;
use crate::error::Result;
use crate::sessions::{self, CART_COOKIE, CART_LIFETIME, SentCart, Session};

/// The body of a change of quantity.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuantityBody {
    /// Units, in place of what there was.
    #[schema(minimum = 1, maximum = 99)]
    quantity: i32,
}

fn owner(session: Option<Session>, sent: &SentCart) -> Option<Owner> {
    match session {
        Some(session) => Some(Owner::User(session.user_id)),
        None => sent.hash().map(Owner::Guest),
    }
}

/// What is in the cart, at present prices and with present stock.
#[utoipa::path(get, operation_id = "get_cart", path = "/api/cart", responses((status = 200, body = Cart)))]
pub async fn get(
    State(state): State<AppState>,
    session: Option<Session>,
    sent: SentCart,
) -> Result<Json<Cart>> {
    let Some(owner) = owner(session, &sent) else { return Ok(Json(Cart::new(Vec::new()))) };
    db::carts::get(&state.pool.get().await?, &owner).await.map(Json)
}

/// Puts a quantity of a product into the cart, in place of what there was. A guest gets a cart and its cookie.
#[utoipa::path(put, operation_id = "put_cart_item", path = "/api/cart/items/{product_id}", params(("product_id" = Uuid, Path)), request_body = QuantityBody, responses(
    (status = 200, body = Cart),
    (status = 404, description = "No such product", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The quantity is out of its range, or the cart is full", body = Problem, content_type = "application/problem+json"),
))]
pub async fn put_item(
    State(state): State<AppState>,
    session: Option<Session>,
    SentCart(sent): SentCart,
    Path(product_id): Path<Uuid>,
    Json(body): Json<QuantityBody>,
) -> Result<(CookieJar, Json<Cart>)> {
    let mut check = Check::new();
    let range = 1..=MAX_QUANTITY;
    check.that(range.contains(&body.quantity), "quantity", format!("must be from 1 to {MAX_QUANTITY}"));
    let quantity = check.finish(body.quantity)?;

    let (owner, jar) = if let Some(session) = session {
        (Owner::User(session.user_id), CookieJar::new())
    } else {
        // Given anew each time, so that it lasts as long as the cart, whose time begins anew as well.
        let token = sent.unwrap_or_else(sessions::new_token);
        let owner = Owner::Guest(sessions::hash(&token));
        let cookie = sessions::lasting_cookie(CART_COOKIE, token, CART_LIFETIME, state.production);
        (owner, CookieJar::new().add(cookie))
    };
    let client = state.pool.get().await?;
    let (put, cart) = db::carts::put_and_get(&client, &owner, product_id, quantity).await?;
    if put == Put::First {
        state.shop_metrics.cart();
    }
    Ok((jar, Json(cart)))
}

/// Takes a product out of the cart; nothing happens where it is not in it.
#[utoipa::path(delete, operation_id = "delete_cart_item", path = "/api/cart/items/{product_id}", params(("product_id" = Uuid, Path)), responses((status = 200, body = Cart)))]
pub async fn delete_item(
    State(state): State<AppState>,
    session: Option<Session>,
    sent: SentCart,
    Path(product_id): Path<Uuid>,
) -> Result<Json<Cart>> {
    let Some(owner) = owner(session, &sent) else { return Ok(Json(Cart::new(Vec::new()))) };
    let client = state.pool.get().await?;
    db::carts::delete_and_get(&client, &owner, product_id).await.map(Json)
}
